#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bench-tools.py BUILD_ROOT SOURCE_ROOT [ROUNDS]: what start and stop of a service take with supctl, against the distribution's
own systemctl, both asking the same supd that is PID 1; and status and is-active. Prints medians and their ratio, judges nothing.

Needs the conformance kit, as tests/conformance/tools.py does. Not here: what supd itself takes (bench.py). Invariant: both
tools take turns, so that whatever else the machine does meets both."""
import importlib.util
import os
import statistics
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
spec = importlib.util.spec_from_file_location('tools', os.path.join(HERE, '..', 'conformance', 'tools.py'))
tools = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tools)

VERBS, TOOLS = ('start', 'stop', 'status', 'is-active'), ('supctl', 'systemctl')
MEASURE = '''for ((i = 0; i < %d; i++)); do for tool in supctl systemctl; do for verb in start stop status is-active; do
begun=${EPOCHREALTIME/./}; $tool $verb sleeper >/dev/null 2>&1; echo $verb $tool $((${EPOCHREALTIME/./} - begun))
done; done; done'''


def report(lines):
    took = {}
    for line in lines:
        verb, tool, us = line.split()
        took.setdefault((verb, tool), []).append(int(us))
    for verb in VERBS:
        a, b = (statistics.median(took[verb, t]) / 1000 for t in TOOLS)
        print('%-10s supctl %6.2f ms  systemctl %6.2f ms  ratio %.2f' % (verb, a, b, a / b))


def main():
    build, source = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 100
    kit, plain, reference = tools.find_kit(source)
    with tempfile.TemporaryDirectory(prefix='supd-bench.') as work:
        os.chmod(work, 0o755)
        machine = kit.Supd(tools.install(build, reference, work, False), root=plain, environ={'container': 'other'})
        try:
            machine.start()
            tools.setup(machine)
            code, out = machine.sh(MEASURE % rounds, 300)
            report(out.splitlines())
            return code
        finally:
            machine.stop()


if __name__ == '__main__':
    sys.exit(main())
