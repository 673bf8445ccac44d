#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Unit files on disk and what the manager makes of them; what supctl shows and how it exits. Environment: harness.py."""
import json
import os
import re
import signal
import socket
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from harness import read, wait, write  # noqa: E402

harness.enter()
SLEEPS = '[Service]\nExecStart=/bin/sleep 1000\n'


def oneshot(*words, **sections):
    text = '[Unit]\n%s\n[Service]\nType=oneshot\nExecStart=/bin/echo %s\n' % (sections.get('unit', ''), ' '.join(words))
    return text


class Files(harness.Case):
    def link(self, target, name):
        path = '%s/%s' % (self.s.units, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)

    def said_by(self, unit):
        return read('%s/%s.log' % (self.s.log, unit))

    def test_01_reload_keeps_what_runs_and_takes_changes(self):
        self.s.unit('a.service', '[Unit]\nDescription=first\n' + SLEEPS)
        self.s.ctl('start', 'a.service', check=0)
        pid = self.s.main_pid('a.service')
        self.s.unit('a.service', '[Unit]\nDescription=second\n[Service]\nExecStart=/bin/sleep 2000\nExecReload=/bin/true\n')
        self.s.ctl('daemon-reload', check=0)
        self.s.until('a.service', Description='second', MainPID=pid, ActiveState='active', CanReload='yes')
        self.assertIn('1000', harness.command_of(pid))
        self.s.ctl('restart', 'a.service', check=0)
        wait(lambda: '2000' in harness.command_of(self.s.main_pid('a.service')), 'the new command')

    def test_02_without_reload_nothing_changes(self):
        self.s.unit('b.service', oneshot('old'))
        self.s.ctl('start', 'b.service', check=0)
        self.s.unit('b.service', oneshot('new'))
        self.s.ctl('start', 'b.service', check=0)
        self.assertEqual(self.said_by('b.service'), 'old\nold\n')
        self.s.ctl('daemon-reload', check=0)
        self.s.ctl('start', 'b.service', check=0)
        self.assertEqual(self.said_by('b.service'), 'old\nold\nnew\n')

    def test_03_unit_file_that_is_gone(self):
        self.s.unit('c.service', SLEEPS)
        self.s.ctl('start', 'c.service', check=0)
        pid = self.s.main_pid('c.service')
        os.unlink(self.s.units + '/c.service')
        self.s.ctl('daemon-reload', check=0)
        self.s.until('c.service', LoadState='not-found', ActiveState='active', MainPID=pid)
        self.s.ctl('stop', 'c.service', check=0)
        self.assertFalse(harness.alive(pid))
        self.s.ctl('start', 'c.service', check=5)

    def test_04_sighup_reloads(self):
        self.s.unit('d.service', '[Unit]\nDescription=one\n' + SLEEPS)
        self.s.ctl('start', 'd.service', check=0)
        self.s.unit('d.service', '[Unit]\nDescription=two\n' + SLEEPS)
        os.kill(self.s.process.pid, 1)
        self.s.until('d.service', Description='two', ActiveState='active')

    def test_05_new_dependencies_count_after_reload(self):
        self.s.unit('e.service', SLEEPS)
        self.s.unit('f.service', SLEEPS)
        self.s.ctl('start', 'e.service', check=0)
        self.assertEqual(self.s.ctl('is-active', 'f.service').returncode, 3)
        self.s.unit('e.service', '[Unit]\nWants=f.service\n' + SLEEPS)
        self.s.ctl('daemon-reload', check=0)
        self.s.ctl('restart', 'e.service', check=0)
        self.s.until('f.service', ActiveState='active')

    def test_10_drop_ins_in_order_of_their_names(self):
        self.s.unit('g.service', oneshot('main'))
        self.s.unit('g.service.d/20.conf', '[Service]\nExecStart=/bin/echo twenty\n')
        self.s.unit('g.service.d/10.conf', '[Service]\nExecStart=/bin/echo ten\n')
        self.s.unit('service.d/15.conf', '[Service]\nExecStartPost=/bin/echo all\n')
        self.s.unit('g.service.d/ignored.txt', '[Service]\nExecStart=/bin/false\n')
        self.s.ctl('start', 'g.service', check=0)
        self.assertEqual(self.said_by('g.service'), 'main\nten\ntwenty\nall\n')
        self.assertEqual(self.s.show('g.service', 'DropInPaths'),
                         ' '.join('%s/%s' % (self.s.units, n) for n in ('g.service.d/10.conf', 'service.d/15.conf', 'g.service.d/20.conf')))
        os.unlink(self.s.units + '/service.d/15.conf')

    def test_11_drop_in_resets(self):
        self.s.unit('h.service', oneshot('main'))
        self.s.unit('h.service.d/r.conf', '[Service]\nExecStart=\nExecStart=/bin/echo other\n')
        self.s.ctl('start', 'h.service', check=0)
        self.assertEqual(self.said_by('h.service'), 'other\n')

    def test_12_drop_ins_of_prefixes_and_templates(self):
        self.s.unit('a-b@.service', oneshot('%i'))
        self.s.unit('a-.service.d/1.conf', '[Service]\nExecStartPost=/bin/echo prefix\n')
        self.s.unit('a-b@.service.d/2.conf', '[Service]\nExecStartPost=/bin/echo template\n')
        self.s.unit('a-b@x.service.d/3.conf', '[Service]\nExecStartPost=/bin/echo instance\n')
        self.s.unit('a-b@x.service.d/2.conf', '[Service]\nExecStartPost=/bin/echo special\n')
        self.s.ctl('start', 'a-b@x.service', check=0)
        self.assertEqual(self.said_by('a-b@x.service'), 'x\nprefix\nspecial\ninstance\n')

    def test_20_masks(self):
        self.link('/dev/null', 'm.service')
        r = self.s.ctl('start', 'm.service', check=1)
        self.assertIn('masked', r.stderr)
        self.s.until('m.service', LoadState='masked')

    def test_21_mask_of_what_runs(self):
        self.s.unit('n.service', SLEEPS)
        self.s.ctl('start', 'n.service', check=0)
        os.unlink(self.s.units + '/n.service')
        self.link('/dev/null', 'n.service')
        self.s.ctl('daemon-reload', check=0)
        self.s.until('n.service', LoadState='masked', ActiveState='active')
        self.s.ctl('stop', 'n.service', check=0)
        self.s.until('n.service', ActiveState='inactive')

    def test_30_templates(self):
        self.s.unit('t@.service', oneshot('%i', '%I', '%j', '%p', '%n', '%f'))
        self.s.ctl('start', 't@.service', check=1)
        self.s.ctl('start', r't@a-b\x2dc.service', check=0)
        self.assertEqual(self.said_by(r't@a-b\x2dc.service'), 'a-b\\x2dc a/b-c t t t@a-b\\x2dc.service /a/b-c\n')

    def test_31_instance_file_wins(self):
        self.s.unit('u@.service', oneshot('template'))
        self.s.unit('u@own.service', oneshot('own'))
        self.s.ctl('start', 'u@own', 'u@other', check=0)
        self.assertEqual((self.said_by('u@own.service'), self.said_by('u@other.service')), ('own\n', 'template\n'))

    def test_32_aliases(self):
        self.s.unit('real.service', SLEEPS)
        self.link('real.service', 'alias.service')
        self.s.ctl('start', 'alias.service', check=0)
        self.s.until('real.service', ActiveState='active')
        self.assertEqual(self.s.main_pid('alias.service'), self.s.main_pid('real.service'))
        self.s.until('alias.service', Id='real.service')
        self.assertEqual(sorted(self.s.show('real.service', 'Names').split()), ['alias.service', 'real.service'])

    def test_33_wants_and_requires_directories(self):
        self.s.unit('w.target', '[Unit]\n')
        self.s.unit('v.service', SLEEPS)
        self.s.unit('x.service', SLEEPS)
        self.link('../v.service', 'w.target.wants/v.service')
        self.link('../x.service', 'w.target.requires/x.service')
        self.s.ctl('start', 'w.target', check=0)
        self.s.until('v.service', ActiveState='active')
        self.s.until('x.service', ActiveState='active')

    def test_40_continuations_and_comments(self):
        self.s.unit('y.service', '[Service]\nType=oneshot\nExecStart=/bin/echo one \\\n# comment\n; other\n   two # three\n')
        self.s.ctl('start', 'y.service', check=0)
        self.assertEqual(self.said_by('y.service'), 'one two # three\n')

    def test_41_extensions_are_quiet(self):
        self.s.unit('z.service', '[Unit]\nX-Mine=1\n[X-Section]\nA=1\n[Service]\nX-Other=1\nType=oneshot\nExecStart=/bin/true\n')
        self.s.ctl('start', 'z.service', check=0)
        self.assertNotIn('z.service:', read(self.s.out))

    def test_42_warnings_name_file_line_and_fix(self):
        self.s.unit('q.service', '[Unit]\nNonsense=1\n[Service]\nRestart=sometimes\nExecStart=/bin/true\nType=oneshot\n')
        self.s.ctl('start', 'q.service', check=0)
        said = read(self.s.out)
        self.assertRegex(said, r'q\.service:2: warning: .*Nonsense')
        self.assertRegex(said, r'q\.service:4: warning: .*Restart=.*;.*')


class Verbs(harness.Case):
    @classmethod
    def prepare(cls):
        cls.s.unit('up.service', '[Unit]\nDescription=Runs for long\n' + SLEEPS)
        cls.s.unit('bad.service', '[Service]\nExecStart=/bin/false\n')
        cls.s.unit('off.service', SLEEPS)
        cls.s.unit('wrong.service', '[Service]\nType=simple\n')
        cls.s.unit('default.target', '[Unit]\nWants=up.service bad.service\n')

    def setUp(self):
        self.s.until('up.service', ActiveState='active')
        self.s.until('bad.service', ActiveState='failed')

    def test_01_default_target_is_started(self):
        self.s.until('default.target', ActiveState='active', SubState='active')

    def test_02_exit_codes_of_queries(self):
        for args, code in ((['is-active', 'up'], 0), (['is-active', 'off'], 3), (['is-active', 'bad'], 3), (['is-active', 'no-such'], 3),
                           (['is-active', 'off', 'up'], 0), (['is-failed', 'bad'], 0), (['is-failed', 'up'], 1), (['is-failed', 'no-such'], 1),
                           (['status', 'up'], 0), (['status', 'bad'], 3), (['status', 'no-such'], 4), (['show', 'no-such'], 0),
                           (['is-system-running'], 1), (['list-units'], 0)):
            self.assertEqual(self.s.ctl(*args).returncode, code, args)

    def test_03_exit_codes_of_changes(self):
        for args, code in ((['start', 'up'], 0), (['start', 'no-such'], 5), (['stop', 'no-such'], 5), (['restart', 'no-such'], 5),
                           (['reload', 'up'], 3), (['start', 'bad'], 0), (['reset-failed', 'no-such'], 1), (['start', 'up', 'no-such'], 5),
                           (['kill', 'no-such'], 1), (['start'], 2), (['no-such-verb'], 2), (['kill', '-s', 'NOPE', 'up'], 2)):
            r = self.s.ctl(*args)
            self.assertEqual(r.returncode, code, (args, r.stderr))

    def test_04_queries_print(self):
        self.assertEqual(self.s.ctl('is-active', 'up', 'no-such').stdout, 'active\ninactive\n')
        self.assertEqual(self.s.ctl('is-failed', 'bad').stdout, 'failed\n')
        self.assertEqual(self.s.ctl('is-system-running').stdout, 'degraded\n')

    def test_05_status(self):
        out = self.s.ctl('status', 'up').stdout
        self.assertIn('up.service - Runs for long', out)
        self.assertIn('active (running)', out)
        self.assertIn(str(self.s.main_pid('up.service')), out)
        out = self.s.ctl('status', 'bad').stdout
        self.assertIn('failed', out)
        self.assertIn('exit-code', out)
        r = self.s.ctl('status', 'no-such')
        self.assertIn('no-such.service could not be found', r.stdout + r.stderr)

    def test_06_show(self):
        pid = self.s.main_pid('up.service')
        self.assertTrue(harness.alive(pid))
        self.assertEqual(self.s.show('up.service', 'Id', 'LoadState', 'Type', 'ExecMainPID', 'Description', 'FragmentPath', 'Restart'),
                         ('up.service', 'loaded', 'simple', str(pid), 'Runs for long', self.s.units + '/up.service', 'no'))
        self.assertEqual(self.s.show('no-such.service', 'LoadState', 'ActiveState', 'SubState'), ('not-found', 'inactive', 'dead'))
        self.assertEqual(self.s.ctl('show', 'up', '-p', 'MainPID', '--value').stdout, '%d\n' % pid)
        self.assertRegex(self.s.show('up.service', 'ActiveEnterTimestamp'), r'^\w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \w+$')
        self.assertEqual(self.s.show('bad.service', 'Result', 'ExecMainCode', 'ExecMainStatus'), ('exit-code', '1', '1'))

    def test_07_list_units(self):
        out = self.s.ctl('list-units', '--no-legend', '--plain').stdout
        self.assertRegex(out, r'(?m)^up\.service +loaded +active +running +Runs for long')
        self.assertRegex(out, r'(?m)^bad\.service +loaded +failed +failed')
        self.assertNotIn('off.service', out)
        out = self.s.ctl('list-units', '--failed', '--no-legend', '--plain').stdout
        self.assertEqual([line.split()[0] for line in out.splitlines()], ['bad.service'])
        out = self.s.ctl('list-units', '--type=target', '--no-legend', '--plain').stdout
        self.assertTrue(all(line.split()[0].endswith('.target') for line in out.splitlines()))

    def test_08_json(self):
        units = {u['unit']: u for u in json.loads(self.s.ctl('list-units', '--json=short').stdout)}
        self.assertEqual((units['up.service']['active'], units['up.service']['sub'], units['bad.service']['active']), ('active', 'running', 'failed'))
        shown = json.loads(self.s.ctl('show', 'up', '--json=short').stdout)
        shown = shown[0] if isinstance(shown, list) else shown
        self.assertEqual(shown['MainPID'], self.s.main_pid('up.service'))
        json.loads(self.s.ctl('status', 'up', '--json=short').stdout)

    def test_09_reset_failed(self):
        self.s.unit('rf.service', '[Service]\nExecStart=/bin/false\n')
        self.s.ctl('start', 'rf', check=0)
        self.s.until('rf.service', ActiveState='failed')
        self.s.ctl('reset-failed', 'rf', check=0)
        self.s.until('rf.service', ActiveState='inactive', SubState='dead')

    def test_10_no_block_and_jobs(self):
        self.s.unit('slow.service', '[Service]\nType=notify\nExecStart=/bin/sleep 1000\n')
        self.s.ctl('start', '--no-block', 'slow', check=0)
        self.s.until('slow.service', ActiveState='activating')
        self.assertIn('slow.service', self.s.ctl('list-jobs').stdout)
        self.assertNotEqual(self.s.show('slow.service', 'Job'), None)
        self.s.ctl('stop', 'slow', check=0)
        self.s.until('slow.service', ActiveState='inactive')
        self.assertNotIn('slow.service', self.s.ctl('list-jobs').stdout)

    def test_11_bad_setting(self):
        r = self.s.ctl('start', 'wrong')
        self.assertNotEqual(r.returncode, 0)
        self.assertIn('bad', r.stderr)
        self.s.until('wrong.service', LoadState='bad-setting')

    def test_12_patterns(self):
        self.s.unit('pat1.service', SLEEPS)
        self.s.unit('pat2.service', SLEEPS)
        self.s.ctl('start', 'pat1', 'pat2', check=0)
        self.s.ctl('stop', 'pat*', check=0)
        self.s.until('pat1.service', ActiveState='inactive')
        self.s.until('pat2.service', ActiveState='inactive')

    def test_13_wait_for_the_end(self):
        self.s.unit('ends.service', "[Service]\nExecStart=/bin/sh -c 'sleep 0.3; echo done > @D@/ended'\n")
        self.s.ctl('start', '--wait', 'ends', check=0)
        self.assertEqual(read(self.s.dir + '/ended'), 'done\n')

    def test_14_unprivileged_may_look_and_not_touch(self):
        self.assertEqual(self.s.ctl('is-active', 'up', user=65534, extra_groups=[]).stdout, 'active\n')
        self.assertNotEqual(self.s.ctl('stop', 'up', user=65534, extra_groups=[]).returncode, 0)
        self.assertEqual(self.s.ctl('is-active', 'up').stdout, 'active\n')

    def test_15_masked_names_and_paths(self):
        for word in ('a b', '../x', 'x' * 300, '@.service', '-', '/etc'):
            r = self.s.ctl('start', '--', word)
            self.assertNotEqual(r.returncode, 0, word)
            self.assertTrue(r.stderr, word)

    def test_15a_an_exit_goes_before_a_deadline_that_passed_while_the_manager_was_held_up(self):
        self.s.unit('held.service', "[Service]\nExecStart=/bin/sh -c 'trap : TERM; while :; do sleep 1; done'\n"
                    "ExecStopPost=/bin/sh -c 'sleep 0.2; echo $$SERVICE_RESULT $$EXIT_CODE >%s/held'\n"
                    'TimeoutStopSec=3\n' % self.s.dir)
        self.s.ctl('start', 'held.service', check=0)
        main, manager = self.s.main_pid('held.service'), self.s.manager()
        self.s.ctl('stop', '--no-block', 'held.service', check=0)
        self.s.until('held.service', SubState='stop-sigterm')
        os.kill(manager, signal.SIGSTOP)
        try:
            os.kill(main, signal.SIGKILL)
            time.sleep(3.2)  # the deadline is to pass
        finally:
            os.kill(manager, signal.SIGCONT)
        self.s.until('held.service', ActiveState='failed')
        self.assertEqual(self.s.manager(), manager)
        self.assertEqual(read(self.s.dir + '/held'), 'signal killed\n')

    def test_16_whoever_started_supd_hears_when_it_is_ready_and_when_it_stops(self):
        s = harness.Supd('heard')
        ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        ear.bind(s.dir + '/ear')
        ear.settimeout(30)
        s.unit('default.target', '[Unit]\nWants=first.service\nAfter=first.service\n')
        s.unit('first.service', "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'sleep 0.3; echo > %s/first'\n" % s.dir)
        try:
            s.start(env={'NOTIFY_SOCKET': s.dir + '/ear'})
            self.assertIn('READY=1', ear.recv(4096).decode().splitlines())
            self.assertTrue(os.path.exists(s.dir + '/first'), 'ready before its services were')
            s.process.send_signal(signal.SIGTERM)
            self.assertEqual(ear.recv(4096).decode(), 'STOPPING=1')
            self.assertEqual(s.process.wait(30), 0)
        finally:
            ear.close()
            if s.process and s.process.poll() is None:
                s.process.kill()  # not s.kill(): the others' supd goes on


if __name__ == '__main__':
    unittest.main(verbosity=2)
