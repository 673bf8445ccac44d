#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Units that kill the manager, or hold it up: found by the marker and left alone, while all others are supervised.
Environment as ../behaviour/harness.py says, and POISONED (poisoned.c).

usage: test-poison.py [CLASS…]"""
import os
import shutil
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'behaviour'))
import harness  # noqa: E402
from harness import Supd, alive, read, wait, write  # noqa: E402

harness.enter()
SLEEPS = '[Service]\nExecStart=/bin/sleep 1000\n'


class Each(unittest.TestCase):
    def setUp(self):
        self.s = s = Supd('p-' + self.id().rpartition('.')[2][:20].replace('_', '-'))
        self.libexec = s.dir + '/libexec'
        shutil.copytree(os.environ['SUPD_LIBEXEC_DIR'], self.libexec)
        os.unlink(self.libexec + '/supd-manager')
        shutil.copy(os.environ['POISONED'], self.libexec + '/supd-manager')
        self.saved = os.environ['SUPD_LIBEXEC_DIR']
        os.environ['SUPD_LIBEXEC_DIR'] = self.libexec
        os.environ['POISON_CURED'] = s.dir + '/cured'
        os.environ['POISON_START'] = s.dir + '/asleep'
        s.unit('r.service', '[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=10ms\nExecStart=/bin/sleep 1001\n')
        s.start()
        s.ctl('start', 'r.service', check=0)
        self.first = self.starts()

    def tearDown(self):
        os.environ['SUPD_LIBEXEC_DIR'] = self.saved
        self.s.kill()
        for name in os.listdir('/dev/shm'):
            os.unlink('/dev/shm/' + name)

    def starts(self):
        with open(self.s.runtime + '/state', 'rb') as f:
            f.seek(64)
            return int.from_bytes(f.read(4), sys.byteorder)   # durable_header.manager_starts

    def supervised(self):
        """Everything else is: a crash is answered at once, and so is a request."""
        s = self.s
        s.ready()
        for _ in range(3):
            old = wait(lambda: s.main_pid('r.service'), 'r.service')
            begin = time.monotonic()
            os.kill(old, signal.SIGKILL)
            wait(lambda: s.main_pid('r.service') not in (0, old), 'a restart: ' + read(s.out)[-2000:])
            last = time.monotonic() - begin
        s.unit('n.service', '[Service]\nType=oneshot\nExecStart=/bin/sh -c "exit 7"\n')
        s.ctl('start', 'n.service', check=1)
        s.until_state('n.service', 'failed failed exit-code 1 7 0')
        print('crash to replacement beside it: %.1f ms; managers: %d' % (last * 1000, self.starts()))

    def run_and_kill(self, unit):
        s = self.s
        s.unit(unit, SLEEPS)
        s.ctl('start', unit, check=0)
        os.kill(s.main_pid(unit), signal.SIGKILL)

    def found(self, unit, event):
        s = self.s
        s.said('%s: three managers died on event %s of this unit: it is frozen' % (unit, event))
        self.supervised()
        self.assertEqual(self.starts(), self.first + 3)
        self.assertIn('frozen', s.ctl('status', unit).stdout.lower())

    def test_01_an_event_that_aborts(self):
        s, unit = self.s, 'poison-abort-MAIN_UNCLEAN.service'
        self.run_and_kill(unit)
        self.found(unit, 'MAIN_UNCLEAN')
        # cured, it is taken up again
        write(s.dir + '/cured', '')
        s.ctl('reset-failed', unit, check=0)
        s.ctl('stop', unit)
        s.ctl('start', unit, check=0)
        s.until(unit, ActiveState='active', SubState='running')
        self.supervised()

    def test_02_two_poisoned_units(self):
        units = ['poison-abort-MAIN_UNCLEAN.service', 'poison-abort-STOP.service']
        self.run_and_kill(units[0])
        self.found(units[0], 'MAIN_UNCLEAN')
        s = self.s
        s.unit(units[1], SLEEPS)
        s.ctl('start', units[1], check=0)
        pid = s.main_pid(units[1])
        s.ctl('stop', '--no-block', units[1])
        s.said('%s: three managers died on event STOP of this unit' % units[1])
        self.supervised()
        self.assertTrue(alive(pid))

    def test_03_an_event_that_never_ends(self):
        unit = 'poison-spin-MAIN_UNCLEAN.service'
        self.run_and_kill(unit)
        self.found(unit, 'MAIN_UNCLEAN')
        self.assertTrue([w for w in ('worked on one thing for too long', 'aborting it') if w in read(self.s.out)])

    def test_04_spinning_where_no_exit_waits(self):
        """Nobody but the manager itself would notice: no exit, no request of the keeper's is left lying."""
        s, unit = self.s, 'poison-spin-RESET_FAILED.service'
        s.unit(unit, SLEEPS)
        s.ctl('start', unit, check=0)
        s.ctl('reset-failed', unit)
        s.said('worked on one thing for too long')
        self.supervised()

    def test_05_an_event_that_sleeps_is_seen_by_the_keeper(self):
        s, unit = self.s, 'poison-sleep-MAIN_UNCLEAN.service'
        self.run_and_kill(unit)
        manager = s.manager()
        # asleep in pause(2), number 34, or 73 (ppoll) where there is none; cured before the next manager comes to it
        wait(lambda: read('/proc/%d/syscall' % manager).split()[0] in ('34', '73'), 'the manager to fall asleep')
        write(s.dir + '/cured', '')
        s.said('has not looked at an exit or a request for 10 s; aborting it')
        s.until(unit, ActiveState='failed', Result='signal')
        self.supervised()

    def test_08_a_manager_that_sleeps_as_it_starts_is_seen_by_the_keeper(self):
        """Nothing happens that would wake the keeper: no exit, no request."""
        s = self.s
        write(s.dir + '/asleep', '')
        os.kill(s.manager(), signal.SIGKILL)
        s.said('has not got on with its start for 10 s; aborting it')
        self.supervised()
        self.assertEqual(self.starts(), self.first + 2)

    def test_09_nothing_wakes_the_keeper_of_a_manager_that_is_well(self):
        """It waits without a deadline, once its manager supervises."""
        s = self.s

        def deadline():
            words = read('/proc/%d/syscall' % s.process.pid).split()
            return words[3] if len(words) > 4 else '?'
        wait(lambda: deadline() == '0x0', lambda: 'the keeper to wait for ever: ' + deadline())
        os.kill(s.manager(), signal.SIGKILL)
        wait(lambda: self.starts() == self.first + 1, 'the next manager')
        s.ready()
        wait(lambda: deadline() == '0x0', lambda: 'the keeper to wait for ever: ' + deadline(), 5)

    def test_06_a_text_that_aborts(self):
        s = self.s
        s.unit('t.service', '[Unit]\nX-PoisonText=abort\n' + SLEEPS)
        for _ in range(5):
            if s.ctl('start', 't.service').returncode != 0 and 'is left unread' in read(s.out):
                break
        s.said('it is left unread')
        self.supervised()
        s.until('t.service', LoadState='error', ActiveState='inactive')
        self.assertIn('died while they read it', s.ctl('status', 't.service').stdout)
        self.assertEqual(self.starts(), self.first + 3)
        s.unit('t.service', SLEEPS)
        s.ctl('daemon-reload', check=0)
        s.ctl('start', 't.service', check=0)
        s.until('t.service', LoadState='loaded', ActiveState='active')

    def test_07_the_text_of_what_runs_becomes_poison(self):
        s = self.s
        s.unit('t.service', SLEEPS)
        s.ctl('start', 't.service', check=0)
        pid = s.main_pid('t.service')
        s.unit('t.service', '[Unit]\nX-PoisonText=abort\n' + SLEEPS)
        for _ in range(5):
            s.ctl('daemon-reload')
            if 'is left unread' in read(s.out):
                break
        s.said('it is left unread')
        self.supervised()
        self.assertTrue(alive(pid))
        os.kill(s.manager(), signal.SIGKILL)   # and stays so
        self.supervised()
        self.assertTrue(alive(pid))
        s.unit('t.service', SLEEPS)
        s.ctl('reset-failed', 't.service', check=0)
        s.ctl('daemon-reload', check=0)
        s.until('t.service', LoadState='loaded', ActiveState='active', MainPID=pid)
        s.ctl('stop', 't.service', check=0)
        self.assertFalse(alive(pid))


if __name__ == '__main__':
    unittest.main(verbosity=2)
