#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whose process is it, and is everything of it killed? In each of the worlds that a machine may be: the unified hierarchy alone
(with controllers, where there are any), a v1 hierarchy beside it (hybrid), a v1 hierarchy alone, and no cgroup at all.

usage: test-groups.py [CASE…]      environment as harness.py says

The daemons here do all that lets a process escape: they fork twice, lead a session of their own, and are executed with another
environment. Not here: limits (test-resources.py). Invariant: what a world cannot be made of here is skipped, and said."""
import os
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from harness import alive, read, wait, write  # noqa: E402

DAEMON = r'''
import os, signal, socket, sys, time
how, directory = sys.argv[1:3]
environment = dict(os.environ) if how == "kept" else {"NOTIFY_SOCKET": os.environ.get("NOTIFY_SOCKET", "")}
def orphan(command):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            if how == "deaf":
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            with open(directory + "/pids", "a") as f:
                f.write("%d\n" % os.getpid())
            os.execve(sys.executable, [sys.executable, "-c", command], environment)
        os._exit(0)
    os.wait()
SLEEP = "import time; time.sleep(1000)"
READY = "import os, socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', os.environ['NOTIFY_SOCKET']);" + SLEEP
for i in range(2):
    orphan(SLEEP)
if how == "ready":
    orphan(READY)
if how == "waits":
    while not os.path.exists(directory + "/go"):
        time.sleep(.01)
if how in ("forking", "waits"):
    sys.exit(0)
if how == "together":
    worker = os.fork()
    if worker == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        open(directory + "/up", "w").close()
        time.sleep(1000)
    def end(*_):
        with open("/proc/%d/status" % worker) as f, open(directory + "/pending", "w") as out:
            out.write(next(l for l in f if l.startswith("ShdPnd")))
        os.kill(worker, signal.SIGKILL)
        sys.exit(0)
    signal.signal(signal.SIGTERM, end)
while True:
    time.sleep(1000)
'''


def pids_of(directory, n):
    """The N daemons, once they have been executed."""
    def look():
        found = [int(line) for line in read(directory + '/pids').split()]
        ready = [p for p in found if '-c' in harness.command_of(p)]
        return found if len(ready) == n else None
    return wait(look, '%d daemons in %s' % (n, directory))


AUTO = {'SUPD_CGROUPS': 'auto'}


class World(unittest.TestCase):
    """What holds wherever there is a cgroup to be had."""
    escapes_are_found = has_groups = True
    group = None

    @classmethod
    def setUpClass(cls):
        cls.make()
        cls.s = harness.Supd('g-' + cls.__name__.lower())
        write(cls.s.dir + '/daemon.py', DAEMON)
        cls.s.spawn(preexec_fn=cls.enter_group, env=AUTO)
        cls.s.ready()

    @classmethod
    def make(cls):
        raise unittest.SkipTest('a base of others')

    @classmethod
    def enter_group(cls):
        """In the keeper-to-be: whatever is used must lie below the cgroup it is started in."""
        if cls.group:
            with open(cls.group + '/cgroup.procs', 'w') as f:
                f.write('0')

    @classmethod
    def tearDownClass(cls):
        s = cls.s
        s.process.send_signal(signal.SIGTERM)
        try:
            if s.process.wait(harness.BOUND) != 0:
                raise AssertionError('supd ended badly: ' + read(s.out)[-2000:])
        finally:
            s.kill()
        if cls.group:
            left = [d for d, _, _ in os.walk(cls.group)][1:]
            harness.remove_group(cls.group)
            if left:
                raise AssertionError('cgroups are left: %s' % left)

    def service(self, name, how, more='', *, wait_for_it=True):
        directory = '%s/%s' % (self.s.dir, name)
        os.makedirs(directory)
        self.s.unit(name + '.service', '[Service]\nExecStart=%s %s/daemon.py %s %s\n%s' % (
            sys.executable, self.s.dir, how, directory, more))
        self.s.ctl('start', *([] if wait_for_it else ['--no-block']), name + '.service', check=0)
        return directory

    def shown_group(self, name):
        """Where its processes are, by the kernel; and what supctl shows is the same."""
        main = self.s.main_pid(name + '.service')
        shown = self.s.show(name + '.service', 'ControlGroup')
        with open('/proc/%d/cgroup' % main) as f:
            lines = [line.rstrip('\n').split(':', 2)[2] for line in f]
        self.assertIn(shown, lines)
        return shown

    def gone(self, pids):
        wait(lambda: not any(map(alive, pids)), lambda: 'the end of %s' % [p for p in pids if alive(p)])

    def test_01_stop_kills_what_escaped(self):
        d = self.service('a', 'free')
        pids = pids_of(d, 2)
        group = self.shown_group('a')
        self.s.ctl('stop', 'a.service', check=0)
        self.gone(pids)
        self.assertEqual(self.s.state('a.service'), 'inactive dead success 2 15 0')
        self.assertEqual([d for d, _, _ in os.walk(self.group or '/nowhere') if d.endswith(group)], [])

    def test_02_a_crash_leaves_nothing_for_the_restart(self):
        d = self.service('b', 'free', 'Restart=on-failure\nRestartSec=0\n')
        first = pids_of(d, 2)
        os.kill(self.s.main_pid('b.service'), signal.SIGKILL)
        self.s.until('b.service', NRestarts=1, SubState='running')
        self.gone(first)
        second = pids_of(d, 2)
        self.assertTrue(all(map(alive, second[-2:])))
        self.s.ctl('stop', 'b.service', check=0)
        self.gone(second)

    def test_03_deaf_ones_are_killed(self):
        d = self.service('c', 'deaf', 'TimeoutStopSec=200ms\n')
        pids = pids_of(d, 2)
        self.s.ctl('stop', 'c.service', check=0)
        self.gone(pids)
        self.assertEqual(self.s.show('c.service', 'Result'), 'timeout')
        self.s.ctl('start', 'c.service', check=0)
        pids = pids_of(d, 2)
        self.s.ctl('stop', 'c.service')
        self.gone(pids)

    def test_04_mixed_and_process(self):
        d = self.service('d', 'deaf', 'KillMode=mixed\nTimeoutStopSec=20\n')
        pids = pids_of(d, 2)
        self.s.ctl('stop', 'd.service', check=0)
        self.gone(pids)
        d = self.service('e', 'free', 'KillMode=process\n')
        pids = pids_of(d, 2)
        self.s.ctl('stop', 'e.service', check=0)
        self.assertEqual(self.s.state('e.service'), 'inactive dead success 2 15 0')
        self.assertTrue(all(map(alive, pids)))
        self.s.ctl('start', 'e.service', check=0) # those who stayed are in its way no more than under systemd
        wait(lambda: len(read(d + '/pids').split()) == 4, 'two more')
        self.assertTrue(all(map(alive, pids)))
        self.s.ctl('stop', 'e.service', check=0)
        for p in map(int, read(d + '/pids').split()):
            os.kill(p, signal.SIGKILL)

    def test_05_the_manager_dies(self):
        d = self.service('f', 'free')
        pids = pids_of(d, 2)
        old = self.s.manager()
        os.kill(old, signal.SIGKILL)
        wait(lambda: self.s.manager() not in (0, old), 'another manager')
        self.s.ready()
        self.shown_group('f')
        self.s.ctl('stop', 'f.service', check=0)
        self.gone(pids)

    def test_06_the_keeper_dies(self):
        d = self.service('g', 'free')
        pids = pids_of(d, 2)
        group = self.shown_group('g')
        self.s.process.kill()
        self.s.process.wait()
        self.s.spawn(preexec_fn=self.enter_group, env=AUTO)
        self.s.ready()
        self.assertEqual(self.shown_group('g'), group)
        self.assertTrue(all(map(alive, pids)))
        self.s.ctl('stop', 'g.service', check=0)
        self.gone(pids)

    def test_07_who_speaks(self):
        d = self.service('h', 'ready', 'Type=notify\nNotifyAccess=all\n')
        pids = pids_of(d, 3)
        self.s.ctl('stop', 'h.service', check=0)
        self.gone(pids)

    def new_manager(self):
        old = self.s.manager()
        os.kill(old, signal.SIGKILL)
        wait(lambda: self.s.manager() not in (0, old), 'another manager')
        self.s.ready()

    def test_20_slices(self):
        """What runs stays where it is when Slice= is changed, also for the next manager, and goes there with its next start."""
        if not self.has_groups:
            self.skipTest('there are none')
        self.service('s', 'free', 'Slice=x-y.slice\n')
        group = self.shown_group('s')
        self.assertTrue(group.endswith('/x.slice/x-y.slice/s.service'), group)
        self.assertEqual(self.s.show('s.service', 'Slice'), 'x-y.slice')
        self.assertEqual(self.s.show('x.slice', 'ActiveState'), 'active')
        text = read(self.s.units + '/s.service')
        self.s.unit('s.service', text.replace('x-y.slice', 'z.slice'))
        self.s.ctl('daemon-reload', check=0)
        self.assertEqual(self.shown_group('s'), group)
        self.new_manager()
        self.assertEqual(self.shown_group('s'), group)
        self.s.ctl('restart', 's.service', check=0)
        self.assertTrue(self.shown_group('s').endswith('/z.slice/s.service'), self.shown_group('s'))
        self.new_manager()
        self.assertTrue(self.shown_group('s').endswith('/z.slice/s.service'))
        self.s.ctl('stop', 's.service', check=0)

    def test_21_what_cannot_be_had_is_told(self):
        self.service('t', 'free', 'MemoryMax=1G\n')
        if 'MemoryMax=1073741824' in self.s.ctl('show', 't.service', check=0).stdout:
            self.skipTest('there is a controller for memory here')
        for _ in range(2):
            self.assertIn('not carried out here: MemoryMax=', self.s.ctl('status', 't.service', check=0).stdout)
            self.new_manager()
        self.s.ctl('restart', 't.service', check=0)
        self.assertEqual(read(self.s.out).count('MemoryMax= is not carried out'), 1)
        self.s.ctl('stop', 't.service', check=0)

    def test_08_alive_while_anything_lives(self):
        d = self.service('i', 'forking', 'Type=forking\nGuessMainPID=no\n')
        pids = pids_of(d, 2)
        self.assertEqual(self.s.show('i.service', 'ActiveState', 'SubState'), ('active', 'running'))
        os.kill(pids[0], signal.SIGKILL)
        self.assertEqual(self.s.show('i.service', 'ActiveState', 'SubState'), ('active', 'running'))
        os.kill(pids[1], signal.SIGKILL)
        self.s.until('i.service', ActiveState='inactive')

    def test_10_what_a_forking_one_leaves_behind(self):
        d = self.service('k', 'waits', 'Type=forking\nGuessMainPID=no\n', wait_for_it=False)
        pids = pids_of(d, 2)
        self.new_manager() # who sees what is left is not the manager
        write(d + '/go', '')
        self.s.until('k.service', ActiveState='active', SubState='running')
        self.new_manager() # it is remembered
        self.assertTrue(all(map(alive, pids)))
        self.s.ctl('stop', 'k.service', check=0)
        self.gone(pids)
        self.assertEqual(self.s.state('k.service'), 'inactive dead success 0 0 0')

    def test_09_another_supd_of_that_name(self):
        """Two that cannot know of each other never meet in one cgroup, whichever ends first."""
        d = self.service('j', 'free')
        pids = pids_of(d, 2)
        group = self.shown_group('j')
        other = harness.Supd('o-' + self.s.name)
        other.name = self.s.name
        other.runtime = other.dir + '/run'
        os.makedirs(other.runtime)
        other.unit('j.service', '[Service]\nExecStart=%s %s/daemon.py free %s\n' % (sys.executable, self.s.dir, other.dir))
        other.unit('default.target', '[Unit]\nWants=j.service\n')
        other.spawn(preexec_fn=self.enter_group, env=dict(AUTO, SUPD_UNIT_PATH=other.units))
        theirs = pids_of(other.dir, 2)
        if self.group:
            with open('/proc/%d/cgroup' % theirs[0]) as f:
                self.assertNotIn(group, [line.rstrip('\n').split(':', 2)[2] for line in f])
        other.process.send_signal(signal.SIGTERM)
        self.assertEqual(other.process.wait(harness.BOUND), 0)
        if self.group:
            self.gone(theirs)
        self.assertTrue(all(map(alive, pids)))
        for p in [] if self.group else pids + theirs:
            os.kill(p, signal.SIGKILL)
        self.s.ctl('stop', 'j.service', check=0)


def mounts(*wanted):
    """Only these hierarchies: (type, options, where). Skips the world where one cannot be mounted."""
    while subprocess.run(['umount', '-R', '/sys/fs/cgroup'], capture_output=True).returncode == 0:
        pass
    try:
        if wanted and wanted[0][2] != '/sys/fs/cgroup':
            harness.mount('tmpfs', '/sys/fs/cgroup', 'tmpfs', 0, 'mode=755')
        for kind, options, where in wanted:
            os.makedirs(where, exist_ok=True)
            harness.mount(kind, where, kind, 0, options)
    except OSError as e:
        raise unittest.SkipTest('such a world cannot be made here: %s' % e)


def group_below(where):
    group = '%s/supd-groups-%s' % (where, os.urandom(4).hex())
    try:
        os.mkdir(group)
    except OSError as e:
        raise unittest.SkipTest('no cgroup can be made here: %s' % e)
    return group


class Unified(World):
    @classmethod
    def make(cls):
        mounts(('cgroup2', '', '/sys/fs/cgroup'))
        cls.group = group_below('/sys/fs/cgroup')


class Hybrid(World):
    @classmethod
    def make(cls):
        mounts(('cgroup', 'none,name=supd-test', '/sys/fs/cgroup/systemd'), ('cgroup2', '', '/sys/fs/cgroup/unified'))
        cls.group = group_below('/sys/fs/cgroup/unified')


class Named(World):
    @classmethod
    def make(cls):
        mounts(('cgroup', 'none,name=supd-test', '/sys/fs/cgroup/systemd'))
        cls.group = group_below('/sys/fs/cgroup/systemd')


class Nothing(World):
    """Without cgroups the family counts: who keeps the environment is found, and what a forking service leaves behind; who escapes
    else is left alone, and said so."""
    has_groups = False

    @classmethod
    def make(cls):
        mounts()
        cls.group = None

    def shown_group(self, name):
        self.assertEqual(self.s.show(name + '.service', 'ControlGroup'), '')
        return '/nothing'

    def test_01_stop_kills_what_escaped(self):
        d = self.service('a', 'kept')
        pids = pids_of(d, 2)
        self.shown_group('a')
        self.s.ctl('stop', 'a.service', check=0)
        self.gone(pids)

    def test_02_a_crash_leaves_nothing_for_the_restart(self):
        d = self.service('b', 'kept', 'Restart=on-failure\nRestartSec=0\n')
        first = pids_of(d, 2)
        os.kill(self.s.main_pid('b.service'), signal.SIGKILL)
        self.s.until('b.service', NRestarts=1, SubState='running')
        self.gone(first)
        second = pids_of(d, 2)
        self.s.ctl('stop', 'b.service', check=0)
        self.gone(second)

    def test_03_deaf_ones_are_killed(self):
        d = self.service('c', 'free')
        pids = pids_of(d, 2)
        self.s.ctl('stop', 'c.service', check=0)
        self.assertTrue(all(map(alive, pids))) # nobody can tell whose they are, so nobody kills them
        for p in pids:
            os.kill(p, signal.SIGKILL)

    def test_11_a_group_hears_of_it_at_once(self):
        # when the main process runs next, its worker has the signal already; and it runs next, on the manager's processor
        d = self.service('l', 'together')
        pids = pids_of(d, 2)
        wait(lambda: os.path.exists(d + '/up'), 'the worker')
        main = self.s.main_pid('l.service')
        try:
            os.sched_setscheduler(main, os.SCHED_FIFO, os.sched_param(50))
        except PermissionError:
            self.skipTest('a process cannot be made to run at once here')
        for p in (main, self.s.manager()):
            os.sched_setaffinity(p, {min(os.sched_getaffinity(0))})
        self.s.ctl('stop', 'l.service', check=0)
        self.assertTrue(int(read(d + '/pending').split()[1], 16) >> signal.SIGTERM - 1 & 1)
        for p in pids: # of these nobody can tell whose they are
            os.kill(p, signal.SIGKILL)

    test_04_mixed_and_process = test_05_the_manager_dies = test_06_the_keeper_dies = test_07_who_speaks = None


del World

if __name__ == '__main__':
    harness.enter()
    unittest.main(verbosity=2, argv=[sys.argv[0]] + sys.argv[1:])
