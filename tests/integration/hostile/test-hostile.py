#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""supd where things are missing, full, forbidden, wrong or killed. Environment as ../behaviour/harness.py says, and DENY.

usage: test-hostile.py [CLASS…]"""
import errno
import os
import resource
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'behaviour'))
import harness  # noqa: E402
from harness import Supd, alive, command_of, mount, processes, read, wait, write  # noqa: E402

harness.enter()
SLEEPS = '[Service]\nExecStart=/bin/sleep 1000\n'
RUNS = 'active running success 0 0 0'
libc = harness.libc


def umount(path):
    if libc.umount2(path.encode(), 2) != 0:
        raise OSError(harness.ctypes.get_errno(), 'umount ' + path)


class Each(unittest.TestCase):
    """A world for each test: whatever it does, everything is gone behind it."""
    def setUp(self):
        self.mounts = []
        self.s = Supd('h-' + self.id().rpartition('.')[2][:20].replace('_', '-') + '-%d' % Supd.serial)

    def tearDown(self):
        self.s.kill()
        for path in reversed(self.mounts):
            umount(path)
        for name in os.listdir('/dev/shm'):
            os.unlink('/dev/shm/' + name)

    def cover(self, path, options, kind='tmpfs', flags=0):
        mount('tmpfs', path, kind, flags, options)
        self.mounts.append(path)

    def works(self, **words):
        """Start, crash, restart, stop: what any supd must be able to do anywhere."""
        s = self.s
        s.unit('w.service', '[Service]\nRestart=on-failure\nRestartSec=10ms\n'
               "ExecStart=/bin/sh -c 'echo up; sleep 1001 & exec sleep 1001'\n")
        s.ctl('start', 'w.service', check=0)
        first = self.pid('w.service', None)
        os.kill(first, signal.SIGKILL)
        second = self.pid('w.service', first)
        s.ctl('stop', 'w.service', check=0)
        wait(lambda: not alive(second) and not [p for p in processes() if command_of(p) == 'sleep 1001'], 'all of it to be gone')

    def pid(self, unit, but):
        """The pid of the main process, other than BUT, as /proc has it: status may be what is broken."""
        def look():
            found = [p for p, parent in processes().items() if p != but and command_of(p) == 'sleep 1001' and
                     parent == self.s.process.pid and os.getpgid(p) == p]
            return found and found[0]
        return wait(look, 'a main process: ' + read(self.s.out))

    def ended(self, status=0):
        self.s.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.s.process.wait(harness.BOUND), status, read(self.s.out))
        self.assertEqual(harness.left_over(), {})


class UnitFiles(Each):
    def test_01_mistakes_name_file_line_and_fix_and_stay_alone(self):
        s = self.s
        s.unit('good.service', SLEEPS)
        s.unit('bad.service', '[Unit]\nDescription=x\n[Service]\nExecStart=/bin/true\nExecStart=/bin/true\n')
        s.unit('none.service', '[Service]\nType=simple\n')
        s.unit('default.target', '[Unit]\nWants=good.service bad.service none.service\n')
        s.start()
        s.until('good.service', ActiveState='active')
        said = read(s.out)
        self.assertRegex(said, r'bad\.service:5: error: .*; .*')
        self.assertRegex(said, r'none\.service.*error: .*; .*')
        s.until('bad.service', LoadState='bad-setting')
        self.ended()

    def test_02_strange_files(self):
        s = self.s
        cases = {'nul.service': b'[Service]\nExecStart=/bin/sleep 10\x0000\n', 'binary.service': bytes(range(256)) * 64,
                 'huge.service': b'[Service]\n' + b'# ' + b'x' * (3 << 20) + b'\nExecStart=/bin/true\n',
                 'long.service': b'[Service]\nType=oneshot\nExecStart=/bin/true ' + b'a ' * 30000 + b'\n',
                 'open.service': b'[Service]\nType=oneshot\nExecStart=/bin/echo "no end\n',
                 'end.service': b'[Service]\nType=oneshot\nExecStart=/bin/true \\', 'head.service': b'[Service\nExecStart=/bin/true\n',
                 'no-equals.service': b'[Service]\nExecStart\nType=oneshot\n'}
        for name, text in cases.items():
            write('%s/%s' % (s.units, name), text)
        os.mkfifo(s.units + '/fifo.service')
        os.mkdir(s.units + '/directory.service')
        os.symlink('loop.service', s.units + '/loop.service')
        os.symlink('/dev/zero', s.units + '/device.service')
        s.unit('fine.service', '[Unit]\nWants=%s fifo.service directory.service loop.service device.service\n' % ' '.join(cases) + SLEEPS)
        s.start()
        s.ctl('start', 'fine.service', check=0)
        s.until_state('fine.service', RUNS)
        for name in ('fifo', 'directory', 'loop', 'device', 'huge'):
            r = s.ctl('start', name + '.service')
            self.assertNotEqual((r.returncode, r.stderr), (0, ''), name)
            self.assertNotEqual(s.show(name + '.service', 'LoadState'), 'loaded')
            self.assertIn(name + '.service', read(s.out))
        self.assertEqual(s.ctl('start', 'long.service').returncode, 0)
        self.assertEqual(s.manager(), s.manager())
        self.assertNotIn('starting over', read(s.out))
        self.ended()

    def test_03_a_thousand_units_one_bad(self):
        s = self.s
        for i in range(1000):
            s.unit('m%d.service' % i, '[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n' if i != 500
                   else '[Service]\nType=simple\nnonsense\n')
        s.unit('all.target', '[Unit]\nWants=%s\n' % ' '.join('m%d.service' % i for i in range(1000)))
        s.start()
        s.ctl('start', 'all.target', check=0)

        def look():
            out = s.ctl('list-units', '--no-legend', '--plain', 'm*.service').stdout
            return out.count('active   exited') + out.count('active exited') == 999
        wait(look, lambda: '999 units: ' + s.ctl('list-units', '--plain', 'm*.service').stdout[-300:])
        s.until('m500.service', LoadState='bad-setting')
        self.ended()

    def test_04_file_vanishes_and_the_manager_dies(self):
        s = self.s
        s.unit('v.service', '[Unit]\nDescription=still known\n[Service]\nKillSignal=SIGUSR1\nSuccessExitStatus=SIGUSR1\nExecStart=/bin/sleep 1000\n')
        s.start()
        s.ctl('start', 'v.service', check=0)
        pid, old = s.main_pid('v.service'), s.manager()
        os.unlink(s.units + '/v.service')
        os.kill(old, signal.SIGKILL)
        wait(lambda: s.manager() not in (0, old), 'another manager')
        s.ready()
        s.until('v.service', MainPID=pid, ActiveState='active', Description='still known')
        s.ctl('stop', 'v.service', check=0)
        s.until_state('v.service', 'inactive dead success 2 10 0')
        self.ended()

    def test_05_user_that_nobody_knows(self):
        s = self.s
        s.unit('u.service', '[Service]\nType=exec\nUser=no-such-user-here\nExecStart=/bin/sleep 1000\n')
        s.start()
        s.ctl('start', 'u.service', check=1)
        s.until_state('u.service', 'failed failed exit-code 1 217 0')
        self.assertIn('u.service: User=', read(s.out))
        self.ended()


class Places(Each):
    def test_01_second_supd_is_refused(self):
        self.s.start()
        other = subprocess.run([os.environ['SUPD'], '--system', '--log-dir', self.s.log], env=self.s.environment(), capture_output=True,
                               text=True, timeout=60)
        self.assertNotEqual(other.returncode, 0)
        self.assertIn(str(self.s.process.pid), other.stderr)
        self.works()
        self.ended()

    def test_02_two_names_side_by_side(self):
        self.s.start()
        other = Supd(self.s.name + '-other').start()
        for s in (self.s, other):
            s.unit('a.service', SLEEPS)
            s.ctl('start', 'a.service', check=0)
        self.assertNotEqual(self.s.main_pid('a.service'), other.main_pid('a.service'))
        other.process.send_signal(signal.SIGTERM)
        self.assertEqual(other.process.wait(harness.BOUND), 0)
        self.s.until_state('a.service', RUNS)

    def test_03_runtime_directory_on_a_full_file_system(self):
        os.makedirs(self.s.runtime)
        self.cover(self.s.runtime, 'size=64k,mode=755')
        write(self.s.runtime + '/filler', b'x' * 40000)
        self.s.spawn()
        wait(lambda: self.s.process.poll() is not None or self.s.manager(), 'a decision')
        if self.s.process.poll() is None:
            wait(lambda: 'supd:' in read(self.s.out), 'words about it')
        self.assertIn(self.s.runtime, read(self.s.out))

    def test_04_runtime_directory_read_only(self):
        os.makedirs(self.s.runtime)
        self.cover(self.s.runtime, 'mode=755', flags=1)
        self.s.unit('default.target', '[Unit]\nWants=a.service\n')
        self.s.unit('a.service', SLEEPS)
        self.s.spawn()
        self.pid_of_any()
        self.assertIn(self.s.runtime, read(self.s.out))
        self.ended()

    def pid_of_any(self):
        wait(lambda: self.s.process.poll() is not None or [p for p in processes() if command_of(p) == '/bin/sleep 1000'],
             lambda: 'the service: ' + read(self.s.out))
        self.assertIsNone(self.s.process.poll(), read(self.s.out))

    def test_05_runtime_directory_is_a_link_or_anothers(self):
        os.makedirs(self.s.dir + '/elsewhere')
        os.symlink(self.s.dir + '/elsewhere', self.s.runtime)
        self.s.spawn()
        wait(lambda: self.s.process.poll() is not None or os.path.exists(self.s.dir + '/elsewhere/control'), 'a decision')
        if self.s.process.poll() is not None:
            self.assertIn(self.s.runtime, read(self.s.out))
        self.s.kill()
        os.unlink(self.s.runtime)
        os.makedirs(self.s.runtime)
        os.chown(self.s.runtime, 65534, 65534)
        write(self.s.out, '')
        self.s.spawn()
        wait(lambda: self.s.process.poll() is not None or 'supd:' in read(self.s.out), lambda: 'a word: ' + read(self.s.out))
        self.assertIn(self.s.runtime, read(self.s.out))

    def test_06_runtime_directory_is_a_file(self):
        write(self.s.runtime, 'x')
        self.s.spawn()
        wait(lambda: 'supd:' in read(self.s.out), 'words about it')
        self.assertIn(self.s.runtime, read(self.s.out))

    def shm(self, said):
        self.s.spawn()
        wait(lambda: os.path.exists(self.s.runtime + '/control'), lambda: 'supd: ' + read(self.s.out))
        self.works()
        self.s.said(said)
        self.ended()

    def test_10_no_shared_memory(self):
        self.cover('/dev', 'mode=755')
        for name, minor in (('null', 3), ('zero', 5), ('urandom', 9)):
            os.mknod('/dev/' + name, 0o20666, os.makedev(1, minor))
        self.shm('/dev/shm')
        umount('/dev')
        self.mounts.remove('/dev')

    def test_11_shared_memory_full(self):
        self.cover('/dev/shm', 'size=8k,mode=1777')
        write('/dev/shm/filler', b'x' * 8192)
        self.shm('/dev/shm')

    def test_12_shared_memory_read_only(self):
        self.cover('/dev/shm', 'mode=1777', flags=1)
        self.shm('/dev/shm')
        umount('/dev/shm')
        self.mounts.remove('/dev/shm')

    def test_13_shared_memory_squatted(self):
        write('/dev/shm/supd-' + self.s.name, 'squatted')
        os.chown('/dev/shm/supd-' + self.s.name, 65534, 65534)
        self.shm('/supd-' + self.s.name)

    def test_14_no_proc(self):
        """Numbers of processes mean nothing then: no service is claimed by one, and nobody is signalled by one."""
        def hide():
            if libc.unshare(0x20000) != 0:
                os._exit(99)
            mount('none', '/', '', 1 << 14 | 1 << 18)
            mount('tmpfs', '/proc', 'tmpfs', 0, 'mode=755')
        s = self.s
        s.unit('o.service', '[Service]\nRestart=on-failure\nRestartSec=10ms\nExecStart=/bin/sleep 1002\n')
        s.unit('e.service', '[Service]\nExecStart=/bin/sh -c "exit 7"\n')
        s.unit('f.service', '[Service]\nType=forking\nPIDFile=@D@/pid\nExecStart=/bin/sh -c "sleep 1003 & echo $! >@D@/pid"\n')
        s.unit('n.service', '[Service]\nType=notify\nNotifyAccess=all\nExecStart=/bin/sh -c "sleep 1004 & %s READY=1 MAINPID=$!; wait"\n' %
               os.environ['TELL'])
        s.start(preexec_fn=hide)
        s.said('there is no /proc')
        s.ctl('start', 'o.service', 'e.service', check=0)
        first = s.main_pid('o.service')
        os.kill(first, signal.SIGKILL)
        wait(lambda: s.main_pid('o.service') not in (0, first), 'another main process')
        s.until_state('e.service', 'failed failed exit-code 1 7 0')
        s.ctl('start', 'f.service', check=1)
        self.assertEqual(s.show('f.service', 'Result'), 'protocol')
        s.ctl('start', 'n.service', check=0)
        self.assertNotEqual(command_of(s.main_pid('n.service')), 'sleep 1004')
        s.ctl('stop', 'o.service', 'n.service', check=0)
        s.until_state('o.service', 'inactive dead success 2 15 1')
        s.until_state('n.service', 'inactive dead success 2 15 0')
        def left():
            found = [p for p in processes() if command_of(p) in ('sleep 1003', 'sleep 1004')]
            return found if len(found) == 2 else None
        for p in wait(left, 'what they have left behind'): # they may have been forked and not have exec'ed yet
            os.kill(p, signal.SIGKILL)
        self.ended()

    def cut(self, size):
        """Somebody destroys the state: all starts over, each service once, below the same keeper."""
        s = self.s
        s.unit('default.target', '[Unit]\nWants=a.service\n')
        s.unit('a.service', '[Service]\nExecStart=/bin/sh -c "sleep 1004 & exec sleep 1002"\n')
        s.unit('b.service', '[Service]\nExecStart=/bin/sleep 1003\n')
        s.start()
        s.ctl('start', 'b.service', check=0)
        s.until_state('a.service', RUNS)
        first, keeper = s.main_pid('a.service'), s.process.pid
        with open(s.runtime + '/state', 'r+b') as f:
            f.truncate(size)
        os.kill(first, signal.SIGKILL)
        s.said('cut short or written over')

        def again():
            found = [p for p in processes() if command_of(p) == 'sleep 1002']
            return len(found) == 1 and found[0] != first
        wait(again, lambda: 'it to be started again: ' + read(s.out))
        s.ready()
        s.until_state('a.service', RUNS)
        s.until_state('b.service', 'inactive dead success 0 0 0')
        wait(lambda: len([p for p in processes() if command_of(p) == 'sleep 1004']) == 1, 'its child, once')
        self.assertEqual([p for p in processes() if command_of(p) == '/bin/sleep 1003'], [])
        self.assertEqual(s.process.pid, keeper)
        self.assertIsNone(s.process.poll())
        self.works()
        self.ended()

    def test_15_state_emptied(self):
        self.cut(0)

    def test_16_state_cut_behind_the_header(self):
        self.cut(8192)

    def test_20_log_directory_missing_and_not_to_be_made(self):
        write(self.s.dir + '/file', '')
        self.s.unit('l.service', '[Service]\nType=exec\nExecStart=/bin/sh -c "echo lost; exec sleep 1000"\n')
        self.s.start('--log-dir', self.s.dir + '/file/log')
        r = self.s.ctl('start', 'l.service')
        if r.returncode == 0:
            self.s.until_state('l.service', RUNS)
        else:
            self.s.until_state('l.service', 'failed failed exit-code 1 209 0')
        self.assertIn('l.service', read(self.s.out))
        self.ended()

    def test_21_log_directory_full(self):
        self.cover(self.s.log, 'size=4k,nr_inodes=8,mode=755')
        write(self.s.log + '/filler', b'x' * 4096)
        self.s.start()
        self.works()
        self.ended()

    def test_30_few_descriptors(self):
        self.s.unit('n.service', "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'ulimit -n > @D@/limit'\n")
        self.s.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (22, 22)))
        self.works()
        self.s.ctl('start', 'n.service', check=0)
        self.s.until_file('limit', '22\n')
        self.ended()

    def test_31_garbage_on_the_command_line(self):
        self.s.start()
        for args in (['start', '\xff\xfe'], ['start', ''], ['show', 'a' * 5000], ['status', '%n%s%n'], ['--no-such'], ['start', '--job-mode'],
                     ['start', '--', '--help'], ['-n', '-5', 'status'], ['kill', '-s', '999', 'x'], ['show', '-p', ',,,', 'x'], ['start', 'a\nb'],
                     ['is-active'], ['list-units', '[', '***'], ['cancel', '99999999999999999999'], ['--json=odd', 'status']):
            r = self.s.ctl(*args)
            self.assertIn(r.returncode, range(0, 7), (args, r.stderr))
        self.works()
        self.ended()


class Denied(Each):
    """System calls that containers deny."""
    def under(self, error, *calls):
        probe = subprocess.run([os.environ['DENY'], str(error), ','.join(calls), '--', 'true'])
        if probe.returncode == 77:
            self.skipTest('no seccomp filter can be installed here')
        self.s.start(wrapper=[os.environ['DENY'], str(error), ','.join(calls), '--'])
        self.works()
        old = self.s.manager()
        os.kill(old, signal.SIGKILL)
        wait(lambda: self.s.manager() not in (0, old), 'another manager')
        self.s.ready()
        self.works()
        self.ended()


for _error in ('ENOSYS', 'EPERM'):
    for _calls in (('clone3',), ('pidfd_open',), ('pidfd_send_signal',), ('close_range',), ('memfd_create',),
                   ('clone3', 'pidfd_open', 'pidfd_send_signal', 'close_range')):
        def _test(self, error=getattr(errno, _error), calls=_calls):
            self.under(error, *calls)
        setattr(Denied, 'test_%s_%s' % (_error, 'all' if len(_calls) > 1 else _calls[0]), _test)


class Unwritten(Each):
    """The durable state cannot be written."""
    def fill(self):
        """The runtime directory, to the last byte."""
        with open(self.s.runtime + '/filler', 'wb', buffering=0) as f:
            for size in (65536, 4096, 512, 64, 1):
                try:
                    while f.write(b'x' * size) == size:
                        pass
                except OSError as e:
                    self.assertEqual(e.errno, errno.ENOSPC)

    def unwritable(self, exec_stop):
        """A supd in a runtime directory that is full, with more units than its log has room for."""
        s = self.s
        os.makedirs(s.runtime)
        self.cover(s.runtime, 'size=1m,mode=755')
        s.unit('w.service', '[Service]\nExecStart=/bin/sleep 1003\nExecStop=/bin/sh -c "%s"\n' % exec_stop)
        s.unit('x.service', '[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=10ms\nExecStart=/bin/sleep 1001\n')
        s.start()
        for unit in ('w.service', 'x.service'):
            s.ctl('start', unit, check=0)
        self.fill()
        for i in range(300):
            s.unit('m%d.service' % i, SLEEPS)
        s.unit('many.target', '[Unit]\nWants=%s\n' % ' '.join('m%d.service' % i for i in range(300)))
        s.ctl('start', '--no-block', 'many.target')
        s.said('the durable state cannot be written')

    def test_01_holds_up_nothing_but_itself(self):
        """It waits for room, and is not taken for one that hangs: an exit lies there for longer than the keeper is patient.
        With room it goes on from where it was."""
        s = self.s
        self.unwritable('echo stopped >> @D@/diary')
        manager, pid = s.manager(), s.main_pid('x.service')
        os.kill(pid, signal.SIGKILL)
        begin = time.monotonic()
        wait(lambda: time.monotonic() > begin + 12, 'twelve seconds')
        self.assertEqual(s.manager(), manager, read(s.out))
        self.assertNotIn('aborting it', read(s.out))
        self.assertLess(read(s.out).count('cannot be written'), 3)
        os.unlink(s.runtime + '/filler')
        self.cover_again()
        s.said('the durable state can be written again')
        wait(lambda: s.main_pid('x.service') not in (0, pid), 'a restart')
        s.until('m299.service', ActiveState='active')
        self.ended()
        self.assertEqual(read(s.dir + '/diary'), 'stopped\n')

    def cover_again(self):
        mount('tmpfs', self.s.runtime, 'tmpfs', 32, 'size=8m')   # MS_REMOUNT

    def test_02_an_end_is_an_end(self):
        self.unwritable('echo stopped >> @D@/diary')
        self.ended()
        self.assertIn('stopping all services without it', read(self.s.out))
        self.assertEqual(read(self.s.dir + '/diary'), 'stopped\n')

    def test_03_also_when_the_manager_dies_over_it(self):
        s = self.s
        self.unwritable('echo stopping >> @D@/diary; while ! test -e @D@/go; do sleep 0.05; done')
        s.process.send_signal(signal.SIGTERM)
        s.until_file('diary', 'stopping\n')
        os.kill(s.manager(), signal.SIGKILL)
        wait(lambda: read(s.dir + '/diary').count('stopping') == 2, lambda: 'the next manager to stop it, too: ' + read(s.out)[-2000:])
        write(s.dir + '/go', '')
        self.assertEqual(s.process.wait(harness.BOUND), 0, read(s.out))
        self.assertEqual(harness.left_over(), {})

    def test_04_never(self):
        """Not one commit can be made: nothing is started, and the request to end is heard."""
        probe = subprocess.run([os.environ['DENY'], str(errno.EIO), 'pwrite64', '--', 'true'])
        if probe.returncode == 77:
            self.skipTest('no seccomp filter can be installed here')
        s = self.s
        s.unit('default.target', '[Unit]\nWants=a.service\n')
        s.unit('a.service', SLEEPS)
        s.spawn(wrapper=[os.environ['DENY'], str(errno.EIO), 'pwrite64', '--'])
        s.said('the durable state cannot be written (Input/output error)')
        self.assertEqual([p for p in processes() if command_of(p) == '/bin/sleep 1000'], [])
        self.ended()
        self.assertIn('stopping all services without it', read(s.out))


class Killed(Each):
    def begin(self):
        self.s.unit('a.service', SLEEPS)
        self.s.unit('b.service', '[Service]\nType=notify\nTimeoutStartSec=60\nExecStart=/bin/sh -c '
                    "'while ! test -e @D@/go; do sleep 0.05; done; exec %s READY=1'\n" % os.environ['TELL'])
        self.s.start()
        self.s.ctl('start', 'a.service', check=0)
        return self.s.main_pid('a.service')

    def test_01_manager(self):
        s, pid = self.s, self.begin()
        for _ in range(3):
            old = s.manager()
            os.kill(old, signal.SIGKILL)
            wait(lambda: s.manager() not in (0, old), 'another manager')
        s.ready()
        s.until('a.service', MainPID=pid, ActiveState='active')
        s.ctl('stop', 'a.service', check=0)
        self.assertFalse(alive(pid))
        self.ended()

    def test_02_exit_while_there_is_no_manager(self):
        s, pid = self.s, self.begin()
        old = s.manager()
        os.kill(old, signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)
        os.kill(old, signal.SIGKILL)
        s.until_state('a.service', 'failed failed signal 2 9 0')
        self.ended()

    def test_03_launcher(self):
        s, pid = self.s, self.begin()
        old = wait(s.launcher, 'a launcher')
        os.kill(old, signal.SIGKILL)
        wait(lambda: s.launcher() not in (0, old), 'another launcher')
        s.ready()
        s.until('a.service', MainPID=pid, ActiveState='active')
        self.works()
        self.ended()

    def bus(self):
        return [p for p in processes() if '/supd-bus ' in command_of(p) + ' ']

    def kill_bus(self):
        """One that is gone by the time it is killed does not count; the one that is killed is gone behind this."""
        def kill():
            for p in self.bus():
                try:
                    os.kill(p, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                return p
            return 0

        pid = wait(kill, 'a bus')
        wait(lambda: pid not in self.bus(), 'supd-bus %d to be gone' % pid)

    def test_04_bus_while_somebody_waits(self):
        s = self.s
        self.begin()
        waiting = subprocess.Popen([os.environ['SUPCTL'], 'restart', 'b.service'], env=s.environment(), stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        Supd.started.add(waiting.pid)
        s.until('b.service', ActiveState='activating')
        for _ in range(2):
            self.kill_bus()
        write(s.dir + '/go', '')
        waiting.communicate(timeout=harness.BOUND)
        self.assertNotEqual(s.show('b.service', 'ActiveState'), 'activating')
        s.ctl('stop', 'a.service', check=0)
        self.ended()

    def test_05_keeper(self):
        s, pid = self.s, self.begin()
        s.unit('c.service', '[Service]\nRestart=always\nRestartSec=10ms\nExecStart=/bin/sleep 1000\n')
        s.ctl('start', 'c.service', check=0)
        other = s.main_pid('c.service')
        manager = s.manager()
        s.process.kill()
        s.process.wait()
        wait(lambda: (harness.reap(), not alive(manager))[1], 'the manager to go')
        self.assertTrue(alive(pid) and alive(other))
        s.start()
        s.until('a.service', MainPID=pid, ActiveState='active')
        s.until('c.service', MainPID=other, ActiveState='active')
        os.kill(other, signal.SIGKILL)

        def again():
            harness.reap()
            return s.main_pid('c.service') not in (0, other)
        wait(again, 'a restart')
        s.process.send_signal(0)
        stop = subprocess.Popen([os.environ['SUPCTL'], 'stop', 'a.service'], env=s.environment())
        Supd.started.add(stop.pid)
        wait(lambda: (harness.reap(), stop.poll() is not None)[1], 'the stop')
        self.assertEqual((stop.returncode, alive(pid)), (0, False))
        s.until('a.service', ActiveState='inactive')
        self.ended()

    def test_06_stopped_manager_does_not_stop_status(self):
        s, pid = self.s, self.begin()
        manager = s.manager()
        os.kill(manager, signal.SIGSTOP)
        r = s.ctl('status', 'a.service')
        self.assertEqual(r.returncode, 0)
        self.assertIn(str(pid), r.stdout)
        self.assertEqual(s.ctl('is-active', 'a.service').stdout, 'active\n')
        os.kill(manager, signal.SIGKILL)
        s.until('a.service', MainPID=pid)

    def test_07_status_after_the_end(self):
        s = self.s
        self.begin()
        s.process.send_signal(signal.SIGTERM)
        s.process.wait(harness.BOUND)
        r = s.ctl('status', 'a.service')
        self.assertNotEqual(r.returncode, 0)
        self.assertTrue(r.stderr or r.stdout)
        r = s.ctl('start', 'a.service')
        self.assertEqual(r.returncode, 1)
        self.assertIn('supd is not running', r.stderr)

    def test_08_everything_of_supd_at_once(self):
        s, pid = self.s, self.begin()
        for p in [s.process.pid, s.manager(), s.launcher()] + self.bus():
            os.kill(p, signal.SIGKILL)
        s.process.wait()
        self.assertTrue(alive(pid))
        s.start()
        s.until('a.service', MainPID=pid, ActiveState='active')

    def test_09_shutdown_is_taken_up_again(self):
        s = self.s
        self.begin()
        s.unit('slow.service', "[Service]\nExecStart=/bin/sleep 1000\nExecStop=/bin/sh -c 'touch @D@/stopping; while ! test -e @D@/go; do sleep 0.05; done'\n")
        s.ctl('start', 'slow.service', check=0)
        old = s.manager()
        s.process.send_signal(signal.SIGTERM)
        s.until_file('stopping', '')
        wait(lambda: os.path.exists(s.dir + '/stopping'), 'the stop command')
        os.kill(old, signal.SIGKILL)
        write(s.dir + '/go', '')
        self.assertEqual(s.process.wait(harness.BOUND), 0, read(s.out))
        self.assertEqual(harness.left_over(), {})

    def asleep(self, pid):
        """Until it has not run for a while: it has its answer, and waits for the job."""
        last = []

        def look():
            last.append([line for line in read('/proc/%d/status' % pid).splitlines() if 'ctxt_switches' in line])
            time.sleep(0.1)
            return len(last) > 2 and last[-1] == last[-2] == last[-3]
        wait(look, 'the client to wait')

    def test_10_who_comes_back_finds_his_job_among_all_others(self):
        """He sleeps through the end of what he has asked for, and of more jobs than are remembered; then nobody knows him."""
        s = self.s
        self.begin()
        for i in range(300):
            s.unit('m%d.service' % i, '[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n')
        s.unit('c.service', '[Service]\nType=oneshot\nRemainAfterExit=yes\n'
               "ExecStart=/bin/sh -c 'while ! test -e @D@/go; do sleep 0.05; done'\n")
        s.unit('all.target', '[Unit]\nWants=%s\n' % ' '.join('m%d.service' % i for i in range(300)))
        s.ctl('daemon-reload', check=0)
        waiting = subprocess.Popen([os.environ['SUPCTL'], 'start', 'c.service'], env=s.environment(), stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        Supd.started.add(waiting.pid)
        s.until('c.service', ActiveState='activating')
        self.asleep(waiting.pid)
        os.kill(waiting.pid, signal.SIGSTOP)
        self.kill_bus()
        write(s.dir + '/go', '')
        s.until('c.service', ActiveState='active')
        s.ctl('start', 'all.target', check=0)
        os.kill(waiting.pid, signal.SIGCONT)
        said = waiting.communicate(timeout=harness.BOUND)[0]
        self.assertEqual((waiting.returncode, said), (0, ''))
        self.ended()


    def test_11_a_crowd_that_is_stopped_is_told_to_end(self):
        """SIGCONT comes to those who need it, and nobody waits for a timeout."""
        s, units = self.s, ['c%d.service' % i for i in range(80)]
        for name in units:
            s.unit(name, '[Service]\nTimeoutStopSec=1h\nExecStart=/bin/sleep 1000\n')
        s.unit('all.target', '[Unit]\nWants=%s\n' % ' '.join(units))
        s.start()
        s.ctl('start', 'all.target', check=0)
        for name in units:
            os.kill(s.main_pid(name), signal.SIGSTOP)
        s.process.send_signal(signal.SIGTERM)
        self.assertEqual(s.process.wait(harness.BOUND), 0, read(s.out))
        self.assertEqual(harness.left_over(), {})


class Floods(Each):
    """Services that take what they can get. Crash to replacement of another service is printed, and held against the quiet
    case only as a bound that a manager that has lost its way would pass; nothing is lost meanwhile."""
    def begin(self):
        self.s.unit('r.service', '[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=1ms\nExecStart=/bin/sleep 1002\n')
        self.s.start()
        self.s.ctl('start', 'r.service', check=0)
        self.quiet = self.latency()

    def latency(self):
        """The median of nine, ms."""
        taken = []
        for _ in range(9):
            old = wait(lambda: self.s.main_pid('r.service'), 'r.service')
            begin = time.monotonic()
            os.kill(old, signal.SIGKILL)
            wait(lambda: self.s.main_pid('r.service') not in (0, old), 'a replacement: ' + read(self.s.out)[-2000:])
            taken.append((time.monotonic() - begin) * 1000)
        return sorted(taken)[4]

    def under(self, what, text):
        s = self.s
        self.begin()
        manager = s.manager()
        s.unit('flood.service', text)
        s.ctl('start', 'flood.service', check=0)
        loaded = self.latency()
        print('%s: crash to replacement %.1f ms, quiet %.1f ms, ratio %.1f' % (what, loaded, self.quiet, loaded / self.quiet))
        s.unit('n.service', '[Service]\nType=oneshot\nExecStart=/bin/sh -c "exit 7"\n')
        s.ctl('start', 'n.service', check=1)
        s.until_state('n.service', 'failed failed exit-code 1 7 0')
        s.ctl('stop', 'flood.service', check=0)
        wait(lambda: [p for p in processes() if 'flood-here' in command_of(p)] == [], 'the flood to be gone')
        self.assertEqual(s.manager(), manager)
        self.latency()
        self.ended()

    def test_01_notifications(self):
        self.under('a flood of notifications', '[Service]\nNotifyAccess=all\nExecStart=/bin/sh -c ": flood-here; while :; do %s STATUS=x; done"\n' % os.environ['TELL'])

    def test_02_orphans(self):
        self.under('a storm of orphans', '[Service]\nExecStart=/bin/sh -c ": flood-here; while :; do (true & true &); done"\n')

    def test_03_fork_bomb(self):
        self.under('a fork bomb with 200 processes', '[Service]\nUser=65534\nLimitNPROC=200\n'
                   'ExecStart=/bin/sh -c ": flood-here; b() { b & b & sleep 1; }; while :; do b 2>/dev/null; done"\n')

    def test_04_output(self):
        self.under('a flood of output', '[Service]\nLimitFSIZE=200M\nExecStart=/bin/sh -c ": flood-here; while :; do head -c 8M /dev/zero; : > %s/flood.service.log; done"\n' % self.s.log)

    def test_06_a_service_in_uninterruptible_sleep(self):
        """It is asked, then killed, by the rules; meanwhile everybody else is supervised as ever."""
        self.begin()
        s = self.s
        s.unit('d.service', '[Service]\nTimeoutStopSec=2\nExecStart=%s\n' % os.environ['ASLEEP'])
        s.ctl('start', 'd.service', check=0)
        pid = s.main_pid('d.service')
        wait(lambda: (harness.stat_of(pid) or '?')[0] == 'D', 'uninterruptible sleep')
        s.ctl('stop', '--no-block', 'd.service', check=0)
        s.until('d.service', ActiveState='deactivating')
        loaded = self.latency()
        print('a service in state D is being stopped: crash to replacement %.1f ms, quiet %.1f ms' % (loaded, self.quiet))
        s.until_state('d.service', 'failed failed timeout 2 9 0')
        wait(lambda: [p for p in processes() if command_of(p) == os.environ['ASLEEP']] == [], 'it and its child to be gone')
        self.ended()

    def test_05_memory_of_the_manager(self):
        """No memory for what is new: the manager starts over from the durable state, and nothing of what runs is lost."""
        self.begin()
        s, old = self.s, self.s.manager()
        pid = s.main_pid('r.service')
        size = int([line.split()[1] for line in read('/proc/%d/status' % old).splitlines() if line.startswith('VmSize')][0]) * 1024
        resource.prlimit(old, resource.RLIMIT_AS, (size, size))
        for i in range(400):
            s.unit('m%d.service' % i, '[Unit]\nDescription=%s\n' % ('x' * 2000) + SLEEPS)
        s.unit('many.target', '[Unit]\nWants=%s\n' % ' '.join('m%d.service' % i for i in range(400)))
        s.ctl('start', '--no-block', 'many.target')
        wait(lambda: s.manager() != 0 and s.ctl('is-active', 'r.service').stdout == 'active\n', 'somebody who supervises')
        s.until('r.service', MainPID=pid, ActiveState='active')
        self.latency()
        s.ctl('stop', 'm*.service')
        self.ended()


class Flat(Each):
    """Nothing grows with the number of restarts. SUPD_TEST_RESTARTS=100000 for many of them."""
    def sizes(self):
        s = self.s
        found = {'names in /dev/shm': len(os.listdir('/dev/shm')), 'files in the runtime directory': len(os.listdir(s.runtime)),
                 'processes': len(processes())}
        for name, pid in (('keeper', s.process.pid), ('manager', s.manager()), ('launcher', s.launcher())):
            found['fds of the ' + name] = len(os.listdir('/proc/%d/fd' % pid))
            # its own pages, also those that it shares for a while with a child that it has just forked
            found['kB of the ' + name] = sum(int(line.split()[1]) for line in read('/proc/%d/smaps_rollup' % pid).splitlines()
                                             if line.startswith('Anonymous:'))
        found['mounts'] = len(read('/proc/self/mountinfo').splitlines())
        found['kB of the durable state'] = os.stat(s.runtime + '/state').st_blocks // 2
        return found

    def rest(self):
        """The spares of the launcher have left, the front has ended."""
        wait(lambda: len(processes()) <= 4, lambda: 'rest: %s' % {p: command_of(p) for p in processes()})
        return self.sizes()

    def restarts(self, n):
        s = self.s
        before = int(s.show('r.service', 'NRestarts') or 0)
        begin = time.monotonic()
        s.ctl('start', 'r.service')
        wait(lambda: int(s.show('r.service', 'NRestarts')) >= before + n or time.sleep(0.1), '%d restarts' % n, 30 + n / 50)
        took = time.monotonic() - begin
        write(s.dir + '/enough', '')
        s.until('r.service', ActiveState='inactive')
        os.unlink(s.dir + '/enough')
        return took

    def test_01_restarts(self):
        s = self.s
        n = int(os.environ.get('SUPD_TEST_RESTARTS', 1000))
        s.unit('r.service', '[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=on-failure\nRestartSec=0\nStandardOutput=null\n'
               "ExecStart=/usr/bin/test -e @D@/enough\n")
        s.start()
        self.restarts(300)
        first = self.rest()
        took = self.restarts(n)
        last = self.rest()
        print('%d restarts, %.0f a second' % (n, n / took))
        for what, a in first.items():
            print('  %-32s %6d -> %6d' % (what, a, last[what]))
        for what, a in first.items():
            slack = 64 if what.startswith('kB') else 0
            self.assertLessEqual(last[what], a + slack, what)
        self.ended()


if __name__ == '__main__':
    unittest.main(verbosity=2)
