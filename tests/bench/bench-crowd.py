#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A thousand hostile clients at the door: what they cost supd-bus, and what they cost a service that crashes meanwhile.

usage: bench-crowd.py [--rounds=N] [--clients=N] [--settle=SECONDS] [--check=yes]
Environment as ../integration/behaviour/harness.py says, and CROWD, BENCH_SERVICE. The time from the death of a service to the first
instruction of the next one is taken in turns without the crowd and with it; what counts is the ratio of the medians of one
and the same run. Prints the figures; only with --check the ratio decides. That supd-bus holds little, that the manager is the
one it was, and that somebody who behaves is answered through the crowd, decides always."""
import os
import signal
import statistics
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'integration', 'behaviour'))
import harness  # noqa: E402
from harness import Supd, command_of, processes, read, wait  # noqa: E402

harness.enter()
OPTIONS = dict(a.lstrip('-').split('=') for a in sys.argv[1:])
ROUNDS, CLIENTS = int(OPTIONS.get('rounds', 40)), int(OPTIONS.get('clients', 1000))
SETTLE = float(OPTIONS.get('settle', 2))
MAX_RATIO, MAX_KIB = 2.0, 48 * 1024 # 32 MiB of them for what clients make it hold
SLOT = struct.Struct('=QII')


class Service:
    """A service that is killed, and says when the next one began."""
    def __init__(self, s):
        self.slots = s.dir + '/slots'
        with open(self.slots, 'wb') as f:
            f.write(bytes(4096))
        s.unit('victim.service', '[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=0\n'
               'ExecStart=%s %s 0\n' % (os.environ['BENCH_SERVICE'], self.slots))

    def slot(self):
        with open(self.slots, 'rb') as f:
            return SLOT.unpack(f.read(SLOT.size))

    def crash(self):
        """Microseconds from the kill to the first instruction of the next."""
        _, pid, starts = self.slot()
        began = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        os.kill(pid, signal.SIGKILL)
        wait(lambda: self.slot()[2] > starts, 'the next one')
        return (self.slot()[0] - began) / 1000


class Crowd:
    """Half of them are root's, half somebody else's."""
    def __init__(self, s):
        self.processes = [subprocess.Popen([os.environ['CROWD'], s.runtime + '/control', str(CLIENTS // 2)], stdin=subprocess.PIPE,
                                           stdout=subprocess.PIPE, text=True, bufsize=1, user=uid, group=uid, extra_groups=[])
                          for uid in (0, 65534)]
        Supd.started.update(p.pid for p in self.processes)

    def tell(self):
        """[connections, messages, answers, and how often one began to never read, half, garbage, garbage, large, flood]"""
        found = []
        for p in self.processes:
            p.stdin.write('\n')
            p.stdin.flush()
            found.append([int(w) for w in p.stdout.readline().split()])
        return [sum(v) for v in zip(*found)]

    def cpu(self):
        return sum(cpu_s(p.pid) for p in self.processes)

    def end(self):
        for p in self.processes:
            p.kill()
            p.communicate()


def bus_pid():
    return next((p for p in processes() if '/supd-bus ' in command_of(p) + ' '), 0)


def status_kib(pid, field):
    for line in read('/proc/%d/status' % pid).splitlines():
        if line.startswith(field + ':'):
            return int(line.split()[1])
    return 0


def cpu_s(pid):
    fields = read('/proc/%d/stat' % pid).rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK') if fields else 0


def crashes(service, n, pause=0.03, memory=None):
    found = []
    for _ in range(n):
        time.sleep(pause)
        found.append(service.crash())
        if memory is not None:
            memory.append(status_kib(bus_pid(), 'VmRSS'))
    return found


def loud_turn(s, service, memory):
    """The times of crashes while the crowd is there."""
    crowd = Crowd(s)
    wait(lambda: all(n > 0 for n in crowd.tell()), lambda: 'all kinds to have been in: %s; %s; front %s' % (crowd.tell(), read(s.out)[-1500:], bus_pid()), 8)
    time.sleep(SETTLE)
    watched = {'manager': s.manager(), 'front': bus_pid()}
    at, used, told, mob = time.monotonic(), {k: cpu_s(p) for k, p in watched.items()}, crowd.tell(), crowd.cpu()
    found = crashes(service, ROUNDS // 2, memory=memory)
    took = time.monotonic() - at
    print('cpu:', ' '.join('%s %.0f%%' % (k, 100 * (cpu_s(p) - used[k]) / took) for k, p in watched.items()),
          'crowd %.0f%%;' % (100 * (crowd.cpu() - mob) / took), 'a second: connections, messages, answers',
          ' '.join('%.0f' % ((b - a) / took) for a, b in zip(told[:3], crowd.tell()[:3])), crowd.tell()[3:],
          '' if watched['front'] == bus_pid() else 'supd-bus was started anew')
    began = time.monotonic()
    r = s.ctl('list-jobs')
    print('list-jobs through the crowd: exit %d after %.2f s %s' % (r.returncode, time.monotonic() - began, r.stderr.strip()))
    crowd.end()
    assert r.returncode == 0, r.stderr
    return found


def main():
    s = Supd('crowd')
    service = Service(s)
    harness.write('/etc/supd/supd.conf', '[Manager]\nControlGroup=nogroup\n')
    s.start()
    s.ctl('start', 'victim.service', check=0)
    wait(lambda: service.slot()[2] > 0, 'the service')
    crashes(service, 5)
    quiet, loud, memory = [], [], []
    manager = s.manager()
    for _ in range(2):
        quiet += crashes(service, ROUNDS // 2)
        loud += loud_turn(s, service, memory)
    ratio = statistics.median(loud) / statistics.median(quiet)
    print('crash to replacement, medians: quiet %.0f us, with %d hostile clients %.0f us, ratio %.2f (asked < %.0f)' % (
        statistics.median(quiet), CLIENTS, statistics.median(loud), ratio, MAX_RATIO))
    print('worst: quiet %.0f us, loud %.0f us; supd-bus at most %d KiB (asked < %d)' % (max(quiet), max(loud), max(memory), MAX_KIB))
    assert s.manager() == manager, 'the manager died: ' + read(s.out)[-2000:]
    s.process.send_signal(signal.SIGTERM)
    status = s.process.wait(harness.BOUND)
    assert status == 0 and not harness.left_over(), read(s.out)[-2000:]
    return 0 if (ratio < MAX_RATIO or 'check' not in OPTIONS) and max(memory) < MAX_KIB else 1


if __name__ == '__main__':
    sys.exit(main())
