#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test-machine.py BUILD_ROOT [all] [--log]: supd as the init of a machine: a kernel, an image that holds little else, nothing
mounted.

Worlds are rows of worlds.py: what is added to the image, what is on the kernel's command line, a script (behind machine.sh) whose
rows print `ok NAME` or `not ok NAME: …`, the names that have to be among them, how the machine has to end, and what is looked at
from outside then. `all`: also those that CI has no time for. SUPD_TEST_KERNEL: the kernel image; default the newest of /boot.
Ends with `N passed, N failed`; exit status 77 and the reason where no machine can be had.
"""
import os
import subprocess
import sys
import tempfile
import time

import machine
import worlds

UNIT = """[Unit]
DefaultDependencies=no
Wants=basic.target
After=basic.target
[Service]
Type=oneshot
TimeoutStartSec=infinity
StandardOutput=file:/dev/console
StandardError=file:/dev/console
ExecStart=/bin/sh /check
"""


def installed(build, work):
    tree = os.path.join(work, 'tree')
    subprocess.run(['meson', 'install', '-C', build, '--no-rebuild', '--quiet', '--destdir', tree], check=True,
                   stdout=subprocess.DEVNULL)
    return tree


def image_of(world, tree, build, work):
    i = machine.image(tree)
    here = os.path.dirname(os.path.abspath(__file__))
    i.copy(os.path.join(build, 'tests/integration/machine/strain'), '/bin/strain')
    units = {'check.service': UNIT, **world.units}
    for name, text in units.items():
        i.file('/etc/systemd/system/' + name, text)
    for name in ('check.service', *world.wanted):
        i.link('/etc/systemd/system/multi-user.target.wants/' + name, '../' + name)
    for path, text in world.files.items():
        i.file(path, text, 0o755)
    i.file('/check', open(os.path.join(here, 'machine.sh')).read() + world.script)
    return i.write(os.path.join(work, world.name + '.img'))


def run(world, tree, build, work, log):
    """[(row, why it failed or None)]"""
    disks = [d(work) for d in world.disks]
    arguments = [a for n, d in enumerate(disks) for a in ('-drive', 'file=%s,format=raw,if=none,id=d%d' % (d, n),
                                                         '-device', 'nvme,serial=d%d,drive=d%d' % (n, n))]
    m = machine.Machine(image_of(world, tree, build, work), world.append, arguments, world.memory, world.cpus)
    results = {}
    for line in m.lines():
        if log:
            print('    ' + line, flush=True)
        word, _, rest = line.partition('ok ')
        if word in ('', 'not '):
            results[rest.partition(':')[0]] = None if word == '' else rest.partition(': ')[2]
    rows = [(r, results.get(r, 'was not reached')) for r in world.rows]
    rows += [(r, 'is not among the rows') for r in results if r not in world.rows]
    rows.append(('end-' + world.end, None if m.end == world.end else 'it ended by %s' % m.end))
    rows += [(name, look(m, disks)) for name, look in world.after]
    if any(why for _, why in rows) and not log:
        print(m.text)
    return [(world.name + '/' + name, why) for name, why in rows]


def main():
    build, words = sys.argv[1], sys.argv[2:]
    log = '--log' in words
    wanted = [w for w in words if w not in ('all', '--log')]
    passed = failed = 0
    try:
        machine.kernel(), machine.qemu()
        with tempfile.TemporaryDirectory(prefix='supd-machine-') as work:
            tree = installed(build, work)
            for world in worlds.WORLDS:
                if not (world.name in wanted if wanted else world.short or 'all' in words):
                    continue
                begin = time.monotonic()
                for name, why in run(world, tree, build, work, log):
                    print('ok    ' + name if why is None else 'FAIL  %s: %s' % (name, why))
                    passed, failed = passed + (why is None), failed + (why is not None)
                print('      %s: %.1f s' % (world.name, time.monotonic() - begin), flush=True)
    except machine.Skip as e:
        print('skipped: %s' % e)
        sys.exit(77)
    print('%d passed, %d failed' % (passed, failed))
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
