# SPDX-License-Identifier: MIT
"""All tables of cases, whatever file they stand in: cases.py and cases_*.py, each of which has a GROUPS. A group's name is its
own, and so is a case's. ALONE are those whose cases reach beyond their own units: they run one after the other. Not here: a case."""
import glob
import importlib
import os

GROUPS, ALONE = {}, []
for _path in sorted(glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'cases*.py'))):
    _module = importlib.import_module(os.path.basename(_path)[:-3])
    ALONE += getattr(_module, 'ALONE', ())
    for _group, _cases in _module.GROUPS.items():
        assert _group not in GROUPS, _group
        GROUPS[_group] = _cases
assert len({name for _cases in GROUPS.values() for name, _, _ in _cases}) == sum(map(len, GROUPS.values()))
