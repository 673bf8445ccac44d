#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the end of a unit does to the whole supd: FailureAction= and its kin, as a supervisor and as the init of a container.
Each case has a supd of its own, which has to end by itself with everything stopped. What a machine's init does then (reboot(2))
is not tried here. Environment: harness.py."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from harness import read  # noqa: E402

harness.enter()
FAILS = '[Service]\nExecStart=/bin/sh -c "exit 7"\n'
IS_KILLED = '[Service]\nExecStart=/bin/sh -c "kill -KILL $$$$"\n'
ENDS = '[Service]\nExecStart=/bin/true\n'
SLEEPS = '[Service]\nExecStart=/bin/sleep 1000\n'
ONESHOT = '[Service]\nType=oneshot\nExecStart=/bin/sh -c "exit 4"\n'
NEVER_READY = '[Service]\nType=notify\nTimeoutStartSec=1000\nExecStart=/bin/sleep 1000\n'
CONTAINER = ('unshare', '--pid', '--fork', '--kill-child', '--mount-proc')

# name, [Unit] of x.service, the rest of it, exit status of supd, whether the other service is asked by ExecStop=
CASES = [
    ('failure-exit', 'FailureAction=exit', FAILS, 7, True),
    ('failure-exit-of-a-oneshot', 'FailureAction=exit', ONESHOT, 4, True),
    ('failure-exit-status', 'FailureAction=exit\nFailureActionExitStatus=42', FAILS, 42, True),
    ('failure-exit-of-the-killed', 'FailureAction=exit', IS_KILLED, 255, True),
    ('failure-exit-force', 'FailureAction=exit-force', FAILS, 7, False),
    ('failure-reboot', 'FailureAction=reboot', FAILS, 133, True),
    ('failure-reboot-immediate', 'FailureAction=reboot-immediate', FAILS, 133, False),
    ('failure-poweroff', 'FailureAction=poweroff', FAILS, 0, True),
    ('failure-poweroff-force', 'FailureAction=poweroff-force', FAILS, 0, False),
    ('success-exit', 'SuccessAction=exit', ENDS, 0, True),
    ('success-exit-status', 'SuccessAction=exit\nSuccessActionExitStatus=9', ENDS, 9, True),
    ('success-without-a-command', 'SuccessAction=exit-force\nSuccessActionExitStatus=8', '', 8, False),
    ('limit-exit', 'StartLimitBurst=1\nStartLimitIntervalSec=1h\nStartLimitAction=exit', FAILS + 'Restart=always\nRestartSec=1ms\n', 0, True),
    ('limit-reboot', 'StartLimitBurst=1\nStartLimitIntervalSec=1h\nStartLimitAction=reboot', FAILS + 'Restart=always\nRestartSec=1ms\n',
     133, True),
    ('job-timeout', 'JobTimeoutSec=300ms\nJobTimeoutAction=exit', NEVER_READY, 0, True),
    ('old-place', '', FAILS + 'FailureAction=exit\n', 7, True),
]


class Actions(unittest.TestCase):
    def units(self, name, head, rest):
        s = harness.Supd(name)
        s.unit('other.service', SLEEPS + 'ExecStop=/bin/sh -c "echo asked > @D@/asked"\n')
        s.unit('x.service', '[Unit]\n%s\n%s' % (head, rest))
        return s

    def begin(self, name, head, rest):
        s = self.units(name, head, rest).start()
        s.ctl('start', 'other.service', check=0)
        return s

    def ends(self, s, status):
        try:
            self.assertEqual(s.process.wait(harness.BOUND), status, read(s.out))
            self.assertEqual(harness.left_over(), {}, read(s.out))
        finally:
            s.kill()
        said = read(s.out)
        for word in ('cannot happen', 'Sanitizer', 'runtime error', 'starting over'):
            self.assertNotIn(word, said)

    def run_case(self, name, head, rest, status, asked):
        s = self.begin(name, head, rest)
        s.ctl('start', '--no-block', 'x.service')
        self.ends(s, status)
        self.assertEqual(read(s.dir + '/asked'), 'asked\n' if asked else '', name)

    def run_in_container(self, name, head, rest, status, asked):
        s = self.units(name, head + '\nRequires=other.service\nAfter=other.service', rest)
        s.spawn('--unit', 'x.service', wrapper=CONTAINER)
        self.ends(s, status)
        self.assertEqual(read(s.dir + '/asked'), 'asked\n' if asked else '', name)

    def test_restart_comes_first(self):
        s = self.begin('restart', 'FailureAction=exit\nStartLimitIntervalSec=0', FAILS + 'Restart=on-failure\nRestartSec=1ms\n')
        s.ctl('start', 'x.service')
        harness.wait(lambda: int(s.show('x.service', 'NRestarts')) > 3, 'restarts')
        s.ctl('stop', 'x.service')
        self.assertEqual(s.stop(), 0)

    def test_skipped_is_no_success(self):
        s = self.begin('skipped', 'SuccessAction=exit\nConditionPathExists=/no/such/file', ENDS)
        s.ctl('start', 'x.service', check=0)
        s.until('x.service', ActiveState='inactive', ConditionResult='no')
        self.assertEqual(s.stop(), 0)

    def test_manager_dies_on_the_way(self):
        s = self.begin('dies', 'FailureAction=exit', FAILS)
        s.unit('slow.service', SLEEPS + 'ExecStop=/bin/sh -c "echo > @D@/stopping; while ! test -e @D@/go; do sleep 0.02; done"\n')
        s.ctl('start', 'slow.service', check=0)
        s.ctl('start', '--no-block', 'x.service')
        harness.wait(lambda: os.path.exists(s.dir + '/stopping'), 'ExecStop=')
        os.kill(s.manager(), 9)
        harness.write(s.dir + '/go', '')
        self.ends(s, 7)

    def test_user_does_not_reboot(self):
        s = self.units('user', 'FailureAction=reboot', FAILS)
        s.spawn('--user', '--unit', 'x.service')
        s.said('not for the supd of a user')
        self.assertEqual(s.stop(), 0)


def add(run, case):
    setattr(Actions, 'test_' + case[0].replace('-', '_'), lambda self: run(self, *case))


for c in CASES:
    add(Actions.run_case, c)
for c in [('container-exit', 'FailureAction=exit', FAILS, 7, True), ('container-reboot', 'FailureAction=reboot', FAILS, 133, True),
          ('container-poweroff-immediate', 'FailureAction=poweroff-immediate', FAILS, 0, False)]:
    add(Actions.run_in_container, c)

if __name__ == '__main__':
    harness.main()
