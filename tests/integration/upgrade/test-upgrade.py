#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Upgrades of manager, launcher and keeper: the dry run, the swap, and what happens when the new one is no good.
Environment as ../behaviour/harness.py says, and WRONG_BINARY (wrong-binary.c).

usage: test-upgrade.py [CLASS…]"""
import os
import shutil
import signal
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'behaviour'))
import harness  # noqa: E402
from harness import Supd, alive, read, wait  # noqa: E402

harness.enter()
SLEEPS = '[Service]\nExecStart=/bin/sleep 1000\n'
PROGRAMS = ('supd-manager', 'supd-exec', 'supd-bus', 'supctl-bus', 'supd-bus-wait')


class Each(unittest.TestCase):
    """A supd from an installation of its own, whose files a test replaces as a package does: by rename()."""
    def setUp(self):
        self.s = s = Supd('u-' + self.id().rpartition('.')[2][:20].replace('_', '-'))
        self.libexec = s.dir + '/libexec'
        os.makedirs(self.libexec)
        for name in PROGRAMS:
            if os.path.exists(os.environ['SUPD_LIBEXEC_DIR'] + '/' + name):
                shutil.copy(os.environ['SUPD_LIBEXEC_DIR'] + '/' + name, self.libexec)
        self.supd = s.dir + '/supd'
        shutil.copy(os.environ['SUPD'], self.supd)
        self.saved = {n: os.environ[n] for n in ('SUPD', 'SUPD_LIBEXEC_DIR')}
        os.environ.update(SUPD=self.supd, SUPD_LIBEXEC_DIR=self.libexec)
        s.unit('a.service', SLEEPS)
        s.unit('r.service', '[Service]\nRestart=always\nRestartSec=10ms\nStartLimitIntervalSec=0\nExecStart=/bin/sleep 1001\n')
        s.start()
        for u in ('a.service', 'r.service'):
            s.ctl('start', u, check=0)
        self.pids = {u: s.main_pid(u) for u in ('a.service', 'r.service')}

    def tearDown(self):
        os.environ.update(self.saved)
        self.s.kill()
        for name in os.listdir('/dev/shm'):
            os.unlink('/dev/shm/' + name)

    def replace(self, name, source=None, **env):
        """Installs SOURCE (the program itself, anew, by default) as NAME; ENV is what a wrong one is to do."""
        path = self.supd if name == 'supd' else self.libexec + '/' + name
        if source is None:
            source = path
        shutil.copy(source, path + '.new')
        if env:
            with open(path + '.new', 'ab') as f:
                f.write(b'\nWRONG:' + ','.join('%s=%s' % i for i in env.items()).encode() + b'\n')
        os.rename(path + '.new', path)

    def wrong(self, name, **what):
        real = shutil.copy(self.supd if name == 'supd' else self.libexec + '/' + name, self.s.dir + '/real-' + name)
        self.replace(name, os.environ['WRONG_BINARY'], real=real, **what)

    def same(self, inode, pid):
        try:
            return os.stat('/proc/%d/exe' % pid).st_ino == inode
        except OSError:
            return False

    def inode(self, name):
        return os.stat(self.supd if name == 'supd' else self.libexec + '/' + name).st_ino

    def runs(self, name):
        """The process of NAME is the one that is installed."""
        pid = {'supd': self.s.process.pid, 'supd-manager': self.s.manager, 'supd-exec': self.s.launcher}[name]
        return self.same(self.inode(name), pid() if callable(pid) else pid)

    def all_well(self):
        """Nothing was lost: the same processes, and an exit is seen and answered."""
        s = self.s
        s.ready()
        for u, pid in self.pids.items():
            s.until(u, MainPID=pid, ActiveState='active', NRestarts=s.show(u, 'NRestarts'))
        old = self.pids['r.service']
        os.kill(old, signal.SIGKILL)
        wait(lambda: s.main_pid('r.service') not in (0, old), 'a restart: ' + read(s.out))
        self.pids['r.service'] = s.main_pid('r.service')
        s.unit('n.service', '[Service]\nType=oneshot\nExecStart=/bin/sh -c "exit 7"\n')
        s.ctl('start', 'n.service', check=1)
        s.until_state('n.service', 'failed failed exit-code 1 7 0')

    def ended(self):
        self.s.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.s.process.wait(harness.BOUND), 0, read(self.s.out))
        self.assertEqual(harness.left_over(), {})

    def refused(self, words):
        manager, keeper = self.s.manager(), os.stat('/proc/%d/exe' % self.s.process.pid).st_ino
        r = self.s.ctl('daemon-reexec')
        self.assertEqual(r.returncode, 1, r.stderr + read(self.s.out))
        self.assertIn(words, r.stderr)
        self.assertEqual((self.s.manager(), os.stat('/proc/%d/exe' % self.s.process.pid).st_ino), (manager, keeper))
        self.assertIn('nothing was changed', read(self.s.out))
        self.all_well()


class Manager(Each):
    def test_01_the_installed_one_takes_over(self):
        self.replace('supd-manager')
        self.replace('supd-exec')
        self.assertFalse(self.runs('supd-manager'))
        self.s.ctl('daemon-reexec', check=0)
        wait(lambda: self.runs('supd-manager') and self.runs('supd-exec'), 'the new ones: ' + read(self.s.out))
        self.all_well()
        self.assertNotIn('an older one', self.s.ctl('status').stdout)
        self.ended()

    def test_02_nothing_new_is_no_mistake(self):
        old = self.s.manager()
        self.s.ctl('daemon-reexec', check=0)
        wait(lambda: self.s.manager() not in (0, old), 'another manager')
        self.all_well()
        self.ended()

    def test_03_one_that_cannot_is_refused(self):
        self.wrong('supd-manager', check='exit')
        self.refused('cannot take over')
        self.wrong('supd-manager', check='crash')
        self.refused('killed by signal')
        with open(self.libexec + '/x', 'w') as f:
            f.write('no program')
        os.chmod(self.libexec + '/x', 0o755)
        os.rename(self.libexec + '/x', self.libexec + '/supd-manager')
        self.refused('cannot be executed')
        os.unlink(self.libexec + '/supd-manager')
        self.refused('cannot be executed')
        self.ended()

    def test_04_one_that_does_not_answer_is_refused(self):
        self.wrong('supd-manager', check='hang')
        self.refused('in time')
        self.ended()

    def test_05_while_it_is_asked_everything_is_supervised(self):
        s = self.s
        s.unit('e.service', '[Service]\nType=oneshot\nExecStart=/bin/sh -c "while ! test -e @D@/go; do sleep 0.05; done; exit 7"\n')
        s.ctl('start', '--no-block', 'e.service', check=0)
        self.wrong('supd-manager', check='hang')
        p = subprocess.Popen([os.environ['SUPCTL'], 'daemon-reexec'], env=s.environment(), stderr=subprocess.DEVNULL)
        Supd.started.add(p.pid)
        wait(lambda: [q for q in harness.processes() if '--check-state=' in harness.command_of(q)], 'the dry run')
        for i in range(3):
            old = self.pids['r.service']
            os.kill(old, signal.SIGKILL)
            self.pids['r.service'] = wait(lambda: s.main_pid('r.service') not in (0, old) and s.main_pid('r.service'), 'a restart')
        harness.write(s.dir + '/go', '')
        s.until_state('e.service', 'failed failed exit-code 1 7 0')
        checks = [q for q in harness.processes() if '--check-state=' in harness.command_of(q)]
        self.assertTrue(checks)
        os.kill(checks[0], signal.SIGKILL)
        self.assertEqual(p.wait(harness.BOUND), 1)
        self.ended()

    def falls_back(self, **what):
        """It says yes, and then does not work: the older one is taken, and says so, until there is another."""
        before = self.inode('supd-manager')
        self.wrong('supd-manager', **what)
        self.s.ctl('daemon-reexec', check=0)
        self.s.said('running the last one that worked')
        wait(lambda: self.same(before, self.s.manager()), 'the old one: ' + read(self.s.out))
        self.all_well()
        self.assertIn('an older one', self.s.ctl('status').stdout)
        # it stays so over a death of the older one
        old = self.s.manager()
        os.kill(old, signal.SIGKILL)
        wait(lambda: self.s.manager() not in (0, old) and self.same(before, self.s.manager()), 'the old one again')
        self.all_well()
        # a mended one is tried at the next start by itself
        self.replace('supd-manager', self.s.dir + '/real-supd-manager')
        os.kill(self.s.manager(), signal.SIGKILL)
        wait(lambda: self.runs('supd-manager'), 'the mended one: ' + read(self.s.out))
        self.all_well()
        self.assertNotIn('an older one', self.s.ctl('status').stdout)
        self.ended()

    def test_06_one_that_fails_at_once_is_left(self):
        self.falls_back(run='exit')

    def test_07_one_that_crashes_in_a_loop_later_is_left(self):
        self.falls_back(run='later')

    def test_08_one_that_hangs_is_left(self):
        self.falls_back(run='hang')

    def test_09_a_new_launcher_of_another_protocol(self):
        """The old manager goes on with the launcher it knows, though another lies in its place."""
        before = self.inode('supd-exec')
        self.wrong('supd-exec', protocol='2')
        self.refused('cannot take over')
        old = self.s.manager()
        os.kill(old, signal.SIGKILL)
        wait(lambda: self.same(before, self.s.launcher()), 'the kept launcher: ' + read(self.s.out))
        self.s.said('speaks another protocol; taking the last one that worked')
        self.all_well()
        os.kill(self.s.manager(), signal.SIGKILL)
        wait(lambda: self.same(before, self.s.launcher()), 'the kept launcher again')
        self.all_well()
        self.replace('supd-exec', self.s.dir + '/real-supd-exec')
        self.s.ctl('daemon-reexec', check=0)
        wait(lambda: self.runs('supd-exec'), 'the mended launcher: ' + read(self.s.out))
        self.all_well()
        self.ended()

    def test_10_by_signal(self):
        self.replace('supd-manager')
        self.s.process.send_signal(34 + 25)
        wait(lambda: self.runs('supd-manager'), 'the new one: ' + read(self.s.out))
        self.all_well()
        self.ended()


class Keeper(Each):
    def test_01_the_installed_one_takes_over(self):
        s, keeper, manager = self.s, self.s.process.pid, self.s.manager()
        for i in range(3):
            self.replace('supd')
            self.assertFalse(self.runs('supd'))
            s.ctl('daemon-reexec', check=0)
            wait(lambda: self.runs('supd') and s.manager() not in (0, manager), 'both: ' + read(s.out))
            manager = s.manager()
            self.assertEqual(os.readlink('/proc/%d/exe' % keeper), self.supd)
            self.all_well()
        self.assertEqual(read('/proc/%d/comm' % keeper), 'supd\n')
        self.assertEqual(read(s.out).count('going on as supd'), 3)
        self.ended()

    def test_02_the_manager_does_not_notice(self):
        """Asked by the keeper's own socket alone, as a manager does, the keeper changes below a manager that goes on."""
        self.replace('supd')
        manager = self.s.manager()
        self.wrong('supd-manager', check='yes', run='exit')   # would it be started anew, it would be seen
        self.replace('supd-manager', self.s.dir + '/real-supd-manager')
        self.s.ctl('daemon-reexec', check=0)
        wait(lambda: self.runs('supd'), 'the new keeper')
        self.s.ready()
        self.assertNotEqual(self.s.manager(), manager)
        self.all_well()
        self.ended()

    def test_03_one_that_cannot_is_refused(self):
        for what, words in (('exit', 'cannot take over'), ('crash', 'cannot take over')):
            self.wrong('supd', check=what)
            self.refused(words)
        os.unlink(self.supd)
        self.refused('cannot take over')
        self.ended()

    def test_04_one_that_does_not_answer_is_refused(self):
        self.wrong('supd', check='hang')
        self.refused('cannot take over')
        self.ended()

    def test_05_one_that_fails_after_all_gives_back(self):
        self.wrong('supd', run='back')
        before = os.stat('/proc/%d/exe' % self.s.process.pid).st_ino
        r = self.s.ctl('daemon-reexec')
        self.assertEqual(r.returncode, 1, r.stderr)
        self.assertTrue(self.same(before, self.s.process.pid))
        self.s.said('as before')
        self.all_well()
        self.ended()

    def test_06_what_exits_meanwhile_is_not_lost(self):
        """Exits all the time while keeper and manager are replaced again and again: each is told once, with its status."""
        s = self.s
        s.unit('e@.service', "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'sleep 0.%i; exit %i'\n")
        for round_ in range(5):
            names = ['e@%d.service' % (10 + round_ * 10 + i) for i in range(10)]
            s.ctl('start', '--no-block', *names, check=0)
            self.replace('supd')
            s.ctl('daemon-reexec', check=0)
            for n in names:
                s.until_state(n, 'failed failed exit-code 1 %d 0' % int(n[2:4]))
        self.all_well()
        self.ended()

    def test_07_stored_fds_survive(self):
        """The fds of sockets and services lie in the keeper: the notification socket still works."""
        s = self.s
        s.unit('y.service', '[Service]\nType=notify\nExecStart=/bin/sh -c \'%s READY=1; exec sleep 1000\'\nNotifyAccess=all\n' % os.environ['TELL'])
        for _ in range(2):
            self.replace('supd')
            s.ctl('daemon-reexec', check=0)
            wait(lambda: self.runs('supd'), 'the new keeper')
            s.ready()
            s.ctl('restart', 'y.service', check=0)
        fds = os.listdir('/proc/%d/fd' % s.process.pid)
        for _ in range(3):
            self.replace('supd')
            s.ctl('daemon-reexec', check=0)
            wait(lambda: self.runs('supd'), 'the new keeper')
            s.ready()
        self.assertLessEqual(len(os.listdir('/proc/%d/fd' % s.process.pid)), len(fds) + 1)
        self.all_well()
        self.ended()


class Versions(Each):
    """A state as an older or a newer version would have left it: the file is changed while nobody runs."""
    SPACES = (0x2000000, 0x22000000)

    def records(self, f):
        f.seek(88)
        commit = struct.unpack('<Q', f.read(8))[0]
        base, end = self.SPACES[commit >> 63], commit & (1 << 48) - 1
        f.seek(base)
        data, at, found = f.read(end), 0, []
        while at < end:
            kind, key, size, _ = struct.unpack_from('<IIII', data, at)
            found.append((kind, key, data[at + 16:at + 16 + size]))
            at += 16 + (size + 7) // 8 * 8
        return base, commit >> 63 << 63, found

    def rewrite(self, change, minor):
        """Everything of supd is killed; each record becomes what CHANGE makes of it; another supd comes."""
        s = self.s
        for p in [s.process.pid, s.manager(), s.launcher()]:
            os.kill(p, signal.SIGKILL)
        s.process.wait()
        wait(lambda: (harness.reap(), not [p for p in harness.processes() if 'supd-' in harness.command_of(p)])[1], 'all of it to go')
        with open(s.runtime + '/state', 'r+b') as f:
            base, space, found = self.records(f)
            data = b''
            for kind, key, body in [c for r in found for c in change(*r)]:
                data += struct.pack('<IIII', kind, key, len(body), 0) + body + bytes(-len(body) % 8)
            f.seek(base)
            f.write(data)
            f.seek(88)
            f.write(struct.pack('<Q', space | len(data)))
            f.seek(12)
            f.write(struct.pack('<I', minor))
        s.start()

    def adopted(self):
        for u, pid in self.pids.items():
            self.s.until(u, MainPID=pid, ActiveState='active')
        old = self.pids['r.service']
        os.kill(old, signal.SIGKILL)
        wait(lambda: (harness.reap(), self.s.main_pid('r.service') not in (0, old))[1], 'a restart: ' + read(self.s.out))

    def test_01_longer_records_and_unknown_kinds(self):
        self.rewrite(lambda kind, key, body: [(kind, key, body + (b'\xee' * 64 if kind in (2, 3, 4, 6) else b'')), (1234, key, b'new')], 99)
        self.adopted()
        for _ in range(3):
            self.s.ctl('daemon-reload', check=0)   # compacts
        with open(self.s.runtime + '/state', 'rb') as f:
            self.assertIn((1234, 0, b'new'), self.records(f)[2])
        old = self.s.manager()
        self.s.ctl('daemon-reexec', check=0)
        wait(lambda: self.s.manager() not in (0, old), 'another manager')
        self.s.ready()

    def test_02_shorter_records(self):
        """Without what came last: watchdog, past, job deadline, reload."""
        self.rewrite(lambda kind, key, body: [(kind, key, body[:-96] if kind == 2 else body)], 0)
        self.adopted()

    def test_03_numbers_that_are_not_known(self):
        def later(kind, key, body):
            return [(kind, key, body[:4] + bytes((201, 202, 203)) + body[7:] if kind == 2 else body)]
        self.rewrite(later, 99)
        self.s.said('a state that this version does not know')
        self.adopted()
        self.s.ctl('stop', 'a.service', check=0)
        self.assertFalse(alive(self.pids['a.service']))

    def test_04_another_major_is_refused_and_set_aside(self):
        """What nobody here can read is not touched: the new supd begins anew, and says what it left aside."""
        s = self.s
        for p in [s.process.pid, s.manager(), s.launcher()]:
            os.kill(p, signal.SIGKILL)
        s.process.wait()
        with open(s.runtime + '/state', 'r+b') as f:
            f.seek(8)
            f.write(struct.pack('<I', 2))
        fd = os.open(s.runtime + '/state', os.O_RDONLY)
        try:
            r = subprocess.run([self.libexec + '/supd-manager', '--check-state=%d' % fd, '--system', '--runtime-dir', s.runtime],
                               pass_fds=[fd], capture_output=True, text=True)
        finally:
            os.close(fd)
        self.assertEqual(r.returncode, 1)
        self.assertIn('another layout', r.stderr)


if __name__ == '__main__':
    unittest.main(verbosity=2)
