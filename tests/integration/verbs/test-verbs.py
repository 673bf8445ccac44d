#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The verbs that supctl has beyond systemctl: what they print, how they exit, and that they ask nobody where that is promised.

Environment: behaviour/harness.py. Invariant: times on the wall decide nothing; what is waited for is a state or an end."""
import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'behaviour'))
import harness  # noqa: E402
from harness import read, wait, write  # noqa: E402

harness.enter()
SLEEPS = '[Service]\nExecStart=/bin/sleep 1000\n'
# ends when told so, with the status that it is told
TOLD = '[Service]\nExecStart=/bin/sh -c \'mkfifo @D@/%p.fifo; read x <@D@/%p.fifo; rm @D@/%p.fifo; exit $$x\'\n'


class Case(harness.Case):
    def spawn(self, *args):
        return subprocess.Popen([os.environ['SUPCTL'], *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=self.s.environment())

    def tell(self, name, status):
        """A TOLD service ends."""
        path = '%s/%s.fifo' % (self.s.dir, name)
        wait(lambda: os.path.exists(path), path)
        with open(path, 'w') as f:
            f.write('%d\n' % status)

    def ended(self, process):
        out, err = process.communicate(timeout=harness.BOUND)
        return process.returncode, out, err

    def asleep(self, process):
        """It sleeps, in a system call: nothing is to be done for it."""
        wait(lambda: harness.stat_of(process.pid) and harness.stat_of(process.pid)[0] == 'S' and
             'futex' in read('/proc/%d/wchan' % process.pid) + read('/proc/%d/syscall' % process.pid).replace('202 ', 'futex '),
             'it to sleep; %s' % read('/proc/%d/wchan' % process.pid))


class Wait(Case):
    def test_01_reached(self):
        self.s.unit('a.service', SLEEPS)
        p = self.spawn('wait', 'a')
        self.s.ctl('start', 'a.service', check=0)
        self.assertEqual(self.ended(p), (0, '', ''))
        self.s.ctl('wait', 'a', '--state=running', check=0)
        self.s.ctl('wait', 'a', 'default.target', '--state=active,failed', '--timeout=0', check=0)

    def test_02_an_end(self):
        self.s.unit('b.service', TOLD)
        self.s.ctl('start', 'b', check=0)
        p = self.spawn('wait', 'b', '--state=failed', '--json')
        self.asleep(p)
        self.tell('b', 3)
        status, out, _ = self.ended(p)
        self.assertEqual((status, json.loads(out)), (0, {'result': 'reached', 'units': [
            {'unit': 'b.service', 'state': 'failed', 'outcome': 'reached'}]}))

    def test_03_in_vain(self):
        self.s.unit('c.service', TOLD)
        self.s.ctl('start', 'c', check=0)
        p = self.spawn('wait', 'c', '--state=inactive')
        self.tell('c', 3)
        self.assertEqual(self.ended(p), (1, '', 'c.service is failed, and will not by itself become inactive.\n'))
        self.s.ctl('wait', 'c', '-q', check=1)
        self.s.ctl('start', 'c', check=0)
        p = self.spawn('wait', 'c', '--state=failed')
        self.asleep(p)
        self.tell('c', 0)
        self.assertEqual(self.ended(p)[0], 1)

    def test_04_timeout(self):
        r = self.s.ctl('wait', 'default.target', '--state=failed', '--timeout=10ms', check=124)
        self.assertEqual(r.stderr, 'default.target is active, and the time to become failed is over.\n')

    def test_05_wrong(self):
        self.s.ctl('wait', 'nothing-of-the-kind', check=4)
        self.assertIn('no state "up"', self.s.ctl('wait', 'default.target', '--state=up', check=1).stderr)
        self.assertIn('no span', self.s.ctl('wait', 'default.target', '--timeout=soon', check=1).stderr)

    def test_06_a_start_that_is_queued_is_no_end(self):
        self.s.unit('d.service', '[Service]\nType=oneshot\nExecStart=/bin/true\n')
        self.s.ctl('start', '--no-block', 'd', check=0)
        self.s.ctl('wait', 'd', '--state=inactive', check=0)
        self.assertEqual(self.s.show('d.service', 'ExecMainStatus', 'Result'), ('0', 'success'))

    def test_07_not_loaded_yet(self):
        self.s.unit('e.service', SLEEPS)
        p = self.spawn('wait', 'e', 'nothing*')
        self.asleep(p)
        self.s.ctl('start', 'e', check=0)
        self.assertEqual(self.ended(p)[0], 0)

    def test_08_a_manager_that_dies(self):
        self.s.unit('f.service', TOLD)
        self.s.ctl('start', 'f', check=0)
        p = self.spawn('wait', 'f', '--state=inactive')
        self.asleep(p)
        pid = self.s.manager()
        os.kill(pid, signal.SIGKILL)
        wait(lambda: self.s.manager() not in (0, pid), 'the next manager')
        self.tell('f', 0)
        self.assertEqual(self.ended(p)[0], 0)


harness.main()
