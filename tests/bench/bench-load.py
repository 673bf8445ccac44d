#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Loads 100, 1,000 and 10,000 unit files, starts a target that wants them all, in chains of a hundred, and reads them again.

    bench-load.py [--check] [SIZE...]        environment as tests/integration/behaviour/harness.py says

The units start without a process, so what is measured is reading, the transaction and its jobs. The floor is `cat` of the same
files. Judged (--check) is the manager's CPU time per unit between two sizes, which neither a slow nor a busy machine changes
much: what is linear gives about 1, what is quadratic 10. Not here: the start of processes (bench.py).
Invariant: everything happens in the private world of harness.py; nothing is left."""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'integration', 'behaviour'))
import harness  # noqa: E402

CHAIN, FACTOR = 100, 3
TICK = os.sysconf('SC_CLK_TCK')


def write_units(supd, n):
    names = ['u%05d.service' % i for i in range(n)]
    for i, name in enumerate(names):
        after = 'After=%s\n' % names[i - 1] if i % CHAIN else ''
        harness.write('%s/%s' % (supd.units, name), '[Unit]\nDescription=unit %d\n%s[Service]\nType=oneshot\nRemainAfterExit=yes\n'
                      'Environment=A=%d\nExecStop=/bin/true\n' % (i, after, i))
    wants = '%s/all.target.wants' % supd.units
    os.makedirs(wants)
    for name in names:
        os.symlink('../' + name, '%s/%s' % (wants, name))
    harness.write(supd.units + '/all.target', '[Unit]\nDescription=All\n')


def cpu(pid):
    with open('/proc/%d/stat' % pid) as f:
        after = f.read().rpartition(')')[2].split()
    return (int(after[11]) + int(after[12])) / TICK


def memory(pid):
    with open('/proc/%d/status' % pid) as f:
        return int(next(line for line in f if line.startswith('VmRSS')).split()[1])


class Measured:
    """Wall time and the manager's CPU time of a block."""

    def __init__(self, supd):
        self.supd = supd

    def __enter__(self):
        self.pid = self.supd.manager()
        self.cpu, self.wall = cpu(self.pid), time.monotonic()
        return self

    def __exit__(self, *_):
        self.wall = time.monotonic() - self.wall
        assert self.supd.manager() == self.pid, 'the manager died: ' + harness.read(self.supd.out)[-2000:]
        self.cpu = cpu(self.pid) - self.cpu


def bench(n):
    supd = harness.Supd('load%d' % n)
    write_units(supd, n)
    begin = time.monotonic()
    subprocess.run('cat %s/* >/dev/null 2>&1; ls -l %s/all.target.wants >/dev/null' % (supd.units, supd.units), shell=True)
    floor = time.monotonic() - begin
    supd.start()
    try:
        empty = memory(supd.manager())
        with Measured(supd) as start:
            supd.ctl('start', 'all.target', check=0)
        assert supd.ctl('is-active', 'u%05d.service' % (n - 1)).stdout.strip() == 'active'
        with Measured(supd) as again:
            supd.ctl('daemon-reload', check=0)
        assert supd.ctl('is-active', 'u%05d.service' % (n - 1)).stdout.strip() == 'active'
        used = memory(supd.manager())
    finally:
        supd.kill()
    print('%6d units: cat %7.1f ms; load and start %8.1f ms, %5.1f times cat, manager %6.1f us a unit; daemon-reload %8.1f ms, '
          '%6.1f us a unit; memory %d KiB, %d bytes a unit' %
          (n, floor * 1e3, start.wall * 1e3, start.wall / floor, start.cpu / n * 1e6, again.wall * 1e3, again.cpu / n * 1e6, used,
           (used - empty) * 1024 // n))
    sys.stdout.flush()
    return {'load and start': start.cpu / n, 'daemon-reload': again.cpu / n}


def main():
    harness.enter()
    args = [a for a in sys.argv[1:] if a != '--check']
    sizes = [int(a) for a in args] or [100, 1000, 10000]
    found = [(n, bench(n)) for n in sizes]
    bad = 0
    (small, a), (large, b) = found[-2], found[-1]
    for what in a:
        ratio = b[what] / max(a[what], 1 / TICK / small)
        print('%s: a unit among %d costs %.2f times one among %d (linear: 1, quadratic: %.0f; bound %d)' %
              (what, large, ratio, small, large / small, FACTOR))
        bad += ratio > FACTOR
    return bad if '--check' in sys.argv else 0


if __name__ == '__main__':
    sys.exit(main())
