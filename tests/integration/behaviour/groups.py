# SPDX-License-Identifier: MIT
"""All tables of cases, whatever file they stand in: cases.py and cases_*.py, each of which has a GROUPS. A group's name is its
own. Not here: a case."""
import glob
import importlib
import os

GROUPS = {}
for _path in sorted(glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'cases*.py'))):
    for _group, _cases in importlib.import_module(os.path.basename(_path)[:-3]).GROUPS.items():
        assert _group not in GROUPS, _group
        GROUPS[_group] = _cases
