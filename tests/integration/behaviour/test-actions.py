#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the end of a unit does to the whole supd: FailureAction= and its kin, as a supervisor and as the init of a container.
Each case has a supd of its own, which has to end by itself with everything stopped. What a machine's init does then (reboot(2))
is not tried here. Environment: harness.py."""
import os
import resource
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from harness import read  # noqa: E402

harness.enter()
FAILS = '[Service]\nExecStart=/bin/sh -c "exit 7"\n'
FAILS_UNTIL = '[Service]\nExecStart=/bin/sh -c "test -e @D@/go && exec sleep 1000; exit 7"\n'
IS_KILLED = '[Service]\nExecStart=/bin/sh -c "kill -KILL $$$$"\n'
ENDS = '[Service]\nExecStart=/bin/true\n'
SLEEPS = '[Service]\nExecStart=/bin/sleep 1000\n'
ONESHOT = '[Service]\nType=oneshot\nExecStart=/bin/sh -c "exit 4"\n'
NEVER_READY = '[Service]\nType=notify\nTimeoutStartSec=1000\nExecStart=/bin/sleep 1000\n'
CONTAINER = ('unshare', '--pid', '--fork', '--kill-child', '--mount-proc')


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

    def run_case(self, head, rest, status, asked):
        """[Unit] of x.service, the rest of it; the exit status of supd, and whether the other service is asked by ExecStop=."""
        s = self.begin(self.id().rpartition('.')[2][5:], head, rest)
        s.ctl('start', '--no-block', 'x.service')
        self.ends(s, status)
        self.assertEqual(read(s.dir + '/asked'), 'asked\n' if asked else '')

    def run_in_container(self, head, rest, status, asked):
        s = self.units(self.id().rpartition('.')[2][5:], head + '\nRequires=other.service\nAfter=other.service', rest)
        s.spawn('--unit', 'x.service', wrapper=CONTAINER)
        self.ends(s, status)
        self.assertEqual(read(s.dir + '/asked'), 'asked\n' if asked else '')

    def test_open_files_where_nothing_is_said(self):
        # as process 1 it is for us to say, and units are written for 1024
        s = self.units('limits', 'SuccessAction=exit', '[Service]\nType=oneshot\nExecStart=/bin/sh -c "ulimit -Sn > @D@/limit"\n')
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        s.spawn('--unit', 'x.service', wrapper=CONTAINER,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1500, hard)))
        self.ends(s, 0)
        self.assertEqual(read(s.dir + '/limit'), '1024\n')

    def test_failure_in_its_old_place(self):
        self.run_case('', FAILS + 'FailureAction=exit\n', 7, True)

    def test_limit_in_its_old_place(self):
        self.run_case('StartLimitBurst=1\nStartLimitIntervalSec=1h', FAILS + 'Restart=always\n' 'StartLimitAction=exit\n', 0, True)

    def test_failure_exit(self):
        self.run_case('FailureAction=exit', FAILS, 7, True)

    def test_failure_exit_of_a_oneshot(self):
        self.run_case('FailureAction=exit', ONESHOT, 4, True)

    def test_failure_exit_status(self):
        self.run_case('FailureAction=exit\nFailureActionExitStatus=42', FAILS, 42, True)

    def test_failure_exit_of_the_killed(self):
        self.run_case('FailureAction=exit', IS_KILLED, 255, True)

    def test_failure_exit_force(self):
        self.run_case('FailureAction=exit-force', FAILS, 7, False)

    def test_failure_reboot(self):
        self.run_case('FailureAction=reboot', FAILS, 133, True)

    def test_failure_reboot_immediate(self):
        self.run_case('FailureAction=reboot-immediate', FAILS, 133, False)

    def test_failure_poweroff(self):
        self.run_case('FailureAction=poweroff', FAILS, 0, True)

    def test_failure_poweroff_force(self):
        self.run_case('FailureAction=poweroff-force', FAILS, 0, False)

    def test_success_exit(self):
        self.run_case('SuccessAction=exit', ENDS, 0, True)

    def test_success_exit_status(self):
        self.run_case('SuccessAction=exit\nSuccessActionExitStatus=9', ENDS, 9, True)

    def test_success_without_a_command(self):
        self.run_case('SuccessAction=exit-force\nSuccessActionExitStatus=8',
                      '', 8, False)

    def test_limit_exit(self):
        self.run_case('StartLimitBurst=1\nStartLimitIntervalSec=1h\nStartLimitAction=exit',
                      FAILS + 'Restart=always\nRestartSec=1ms\n', 0, True)

    def test_limit_reboot(self):
        self.run_case('StartLimitBurst=1\nStartLimitIntervalSec=1h\nStartLimitAction=reboot',
                      FAILS + 'Restart=always\nRestartSec=1ms\n', 133, True)

    def test_job_timeout(self):
        self.run_case('JobTimeoutSec=300ms\nJobTimeoutAction=exit', NEVER_READY, 0, True)

    def test_container_exit(self):
        self.run_in_container('FailureAction=exit', FAILS, 7, True)

    def test_container_reboot(self):
        self.run_in_container('FailureAction=reboot', FAILS, 133, True)

    def test_container_poweroff_immediate(self):
        self.run_in_container('FailureAction=poweroff-immediate', FAILS, 0, False)

    def test_restart_comes_first(self):
        s = self.begin('restart', 'FailureAction=exit\nStartLimitIntervalSec=0', FAILS_UNTIL + 'Restart=on-failure\nRestartSec=1ms\n')
        s.ctl('start', 'x.service')
        harness.wait(lambda: int(s.show('x.service', 'NRestarts')) > 3, 'restarts')
        harness.write(s.dir + '/go', '')
        s.until('x.service', SubState='running')
        harness.wait(lambda: harness.command_of(s.main_pid('x.service')).startswith('sleep'), 'one that stays')
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


if __name__ == '__main__':
    harness.main()
