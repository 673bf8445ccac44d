#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The verbs that supctl has beyond systemctl: what they print, how they exit, and that they ask nobody where that is promised.

Environment: behaviour/harness.py. Invariant: times on the wall decide nothing; what is waited for is a state or an end."""
import json
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'behaviour'))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'control'))
import dbus  # noqa: E402
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


def chain(test, lines, unit):
    """The changes of UNIT, each of which begins where the one before has ended."""
    found = [x for x in lines if x.get('unit') == unit]
    for a, b in zip(found, found[1:]):
        test.assertEqual((a['to'], a['sub']), (b['from'], b['from_sub']))
    return [(x['from'], x['to'], x['sub']) for x in found if x['from'] != x['to']]


class Events(Case):
    def all(self, *args):
        return [json.loads(line) for line in self.s.ctl('events', '--no-follow', '--json', '-n', '100000', *args, check=0).stdout.splitlines()]

    def test_01_as_they_come(self):
        self.s.unit('a.service', TOLD)
        p = self.spawn('events', 'a', '--json')
        self.asleep(p)
        self.s.ctl('start', 'a', check=0)
        self.tell('a', 3)
        lines = []
        while not lines or lines[-1]['to'] != 'failed':
            lines.append(json.loads(p.stdout.readline()))
        p.kill()
        p.communicate()
        self.assertEqual(chain(self, lines, 'a.service'), [
            ('inactive', 'activating', 'start'), ('activating', 'active', 'running'), ('active', 'deactivating', 'stop-sigterm'),
            ('deactivating', 'failed', 'failed')])
        self.assertEqual(lines[0]['cause']['cause'], 'client')
        self.assertEqual(lines[0]['cause']['uid'], 0)
        self.assertEqual((lines[-1]['exit'], lines[-1]['result']), ('exited, status=3', 'exit-code'))
        self.assertEqual([x['number'] for x in lines], sorted({x['number'] for x in lines}))

    def test_02_lines(self):
        self.s.unit('b.service', SLEEPS)
        self.s.ctl('start', 'b', check=0)
        pid = self.s.main_pid('b.service')
        self.s.ctl('stop', 'b', check=0)
        text = self.s.ctl('events', 'b', '--no-follow', '-n', '1000', check=0).stdout
        lines = [re.sub(r'\(pid \d+\)', '(pid N)', line[line.index('  ') + 2:]) for line in text.splitlines()]
        self.assertEqual(lines[0], 'b.service         inactive -> activating      start          asked by root (pid N)')
        self.assertEqual(lines[1], 'b.service         activating -> active        running        pid %d' % pid)
        self.assertEqual(lines[-1], 'b.service         deactivating -> inactive    dead           pid %d killed, signal=TERM' % pid)

    def test_03_causes(self):
        self.s.unit('c.service', '[Unit]\nWants=d.service\nOnFailure=e.service\n' + TOLD + 'Restart=on-failure\nRestartSec=1ms\n')
        self.s.unit('d.service', SLEEPS)
        self.s.unit('e.service', SLEEPS)
        self.s.unit('f.service', '[Unit]\nBindsTo=d.service\nAfter=d.service\n' + SLEEPS)
        self.s.ctl('start', 'c', 'f', check=0)
        self.tell('c', 4)
        self.s.until('c.service', NRestarts='1', ActiveState='active')
        self.tell('c', 0)
        self.s.until('c.service', ActiveState='inactive')
        self.s.ctl('stop', 'd', check=0)
        self.s.until('f.service', ActiveState='inactive')
        lines = self.all('[c-f].service')

        def why(unit, to):
            return [x['cause'].get('cause') + ' ' + x['cause'].get('unit', '') for x in lines
                    if x['unit'] == unit and x['to'] == to and (x['from'] != to or x['from_sub'] == 'auto-restart')]
        self.assertEqual(why('d.service', 'activating'), ['dependency c.service'])
        self.assertEqual(why('f.service', 'deactivating'), ['dependency d.service'])
        self.assertEqual(why('d.service', 'deactivating'), ['client '])
        self.assertEqual(why('c.service', 'deactivating'), ['exit ', 'exit '])
        self.assertEqual(why('c.service', 'activating')[-1], 'restart ')

    def test_04_who_is_slow_is_told_what_is_lost(self):
        self.s.unit('t@.target', '[Unit]\nDefaultDependencies=no\nPartOf=g.target\n')
        self.s.unit('g.target', '[Unit]\nDefaultDependencies=no\nWants=%s\n' % ' '.join('t@%d.target' % i for i in range(300)))
        p = self.spawn('events', '--json', 't@*')
        self.asleep(p)
        p.send_signal(signal.SIGSTOP)
        for _ in range(4):
            self.s.ctl('start', 'g.target', check=0)
            self.s.ctl('stop', 'g.target', check=0)
        wait(lambda: self.all('-a', '-n', '1')[-1]['number'] > 2300, 'many changes')
        p.send_signal(signal.SIGCONT)
        self.assertGreater(json.loads(p.stdout.readline())['lost'], 0)
        p.kill()
        p.communicate()
        self.assertEqual(len(self.all('-a')), 2048)

    def test_05_across_deaths(self):
        self.s.unit('h.service', '[Unit]\nStartLimitIntervalSec=0\n' + TOLD + 'Restart=always\nRestartSec=1ms\n')
        self.s.ctl('start', 'h', check=0)
        p = self.spawn('events', 'h', '--json')
        self.asleep(p)
        for i in range(5):
            pid = self.s.manager()
            os.kill(pid, signal.SIGKILL)
            self.tell('h', 0)
            self.s.until('h.service', NRestarts=str(i + 1), ActiveState='active')
        self.s.ctl('stop', 'h', check=0)
        lines = []
        while not lines or lines[-1]['to'] != 'inactive':
            lines.append(json.loads(p.stdout.readline()))
        p.kill()
        p.communicate()
        self.assertEqual(len([x for x in chain(self, lines, 'h.service') if x[1] == 'active']), 5)
        numbers = [x['number'] for x in lines]
        self.assertEqual(len(set(numbers)), len(numbers))

    def test_06_an_object_that_is_removed(self):
        self.s.unit('i.service', SLEEPS)
        p = self.spawn('events', 'i', '--json')
        self.asleep(p)
        os.unlink('/dev/shm/supd.changes-' + self.s.name)
        self.s.ctl('start', 'i', check=0)
        while json.loads(p.stdout.readline())['to'] != 'active':
            pass
        p.kill()
        p.communicate()

    def test_07_for_everybody(self):
        if os.geteuid() == 0:
            r = subprocess.run([os.environ['SUPCTL'], 'events', '--no-follow', '-n', '1'], user=65534, group=65534,
                               env=self.s.environment(), capture_output=True, text=True)
            self.assertEqual((r.returncode, len(r.stdout.splitlines())), (0, 1), r.stderr)


class History(Case):
    def activations(self, unit, *args):
        return json.loads(self.s.ctl('history', unit, '--json', *args, check=0).stdout)[0]['activations']

    def test_01_what_it_says(self):
        self.s.unit('a.service', TOLD)
        self.s.unit('t.target', '[Unit]\nWants=a.service\n')
        self.assertEqual(self.s.ctl('history', 'a', check=0).stdout, 'a.service has not been started since supd began.\n')
        self.s.ctl('history', 'nothing-of-the-kind', check=4)
        self.s.ctl('start', 'a', check=0)
        self.tell('a', 3)
        self.s.until('a.service', ActiveState='failed')
        self.s.ctl('start', 't.target', check=0)
        self.s.until('a.service', ActiveState='active')
        first, now = self.activations('a')
        self.assertEqual((first['over'], first['result'], first['exit'], first['ended'], first['started']['cause']),
                         (True, 'exit-code', 'exited, status=3', {'cause': 'exit'}, 'client'))
        self.assertLess(first['begin_real_us'], first['up_real_us'])
        self.assertLess(first['up_real_us'], first['end_real_us'])
        self.assertEqual((now['over'], now['started'], now['main_pid']),
                         (False, {'cause': 'dependency', 'unit': 't.target'}, self.s.main_pid('a.service')))
        text = self.s.ctl('history', 'a', check=0).stdout
        self.assertIn('exited, status=3', text)
        self.assertIn('with t.target', text)
        self.assertIn('active (running)', text)

    def test_02_bounded_and_across_deaths_and_reloads(self):
        self.s.unit('b.service', '[Unit]\nStartLimitIntervalSec=0\n' + TOLD)
        for i in range(13):
            self.s.ctl('start', 'b', check=0)
            if i == 5:
                self.s.ctl('daemon-reload', check=0)
            if i == 8:
                os.kill(self.s.manager(), signal.SIGKILL)
            self.tell('b', i)
            self.s.until('b.service', ActiveState='failed' if i else 'inactive')
        past = self.activations('b')
        self.assertEqual([p['exit_status'] for p in past], list(range(3, 13)))
        self.assertEqual([p['number'] for p in past], list(range(3, 13)))
        self.assertEqual([p['exit_status'] for p in self.activations('b', '-n', '2')], [11, 12])
        self.assertIn('3 before that', self.s.ctl('history', 'b', check=0).stdout)

    def test_03_reasons(self):
        self.s.unit('c.service', '[Service]\nType=notify\nExecStart=/bin/sleep 1000\nTimeoutStartSec=50ms\n')
        self.s.ctl('start', 'c', check=1)
        past = self.activations('c')[0]
        self.assertEqual((past['result'], past['ended']), ('timeout', {'cause': 'timeout'}))
        self.assertNotIn('up_real_us', past)
        self.s.unit('d.service', '[Service]\nType=notify\nExecStart=/bin/sh -c \'%s READY=1; exec sleep 1000\'\n' % os.environ['TELL'] +
                    'NotifyAccess=all\nWatchdogSec=100ms\nWatchdogSignal=TERM\n')
        self.s.ctl('start', 'd', check=0)
        self.s.until('d.service', ActiveState='failed')
        past = self.activations('d')[0]
        self.assertEqual((past['result'], past['ended']), ('watchdog', {'cause': 'watchdog'}))


class Begun(Case):
    """A supd that was told what to begin with."""
    args = ('--unit', 'begin.target')

    @classmethod
    def prepare(cls):
        cls.s.unit('begin.target', '[Unit]\nDefaultDependencies=no\nWants=a.service\n')
        cls.s.unit('a.service', '[Unit]\nDefaultDependencies=no\n' + SLEEPS)
        cls.s.unit('alone.service', '[Unit]\nDefaultDependencies=no\n' + SLEEPS)

    def test_a_pattern_does_not_mean_what_answers(self):
        self.s.unit('some.service', '[Unit]\nDefaultDependencies=no\n' + SLEEPS)
        self.s.ctl('start', 'some', check=0)
        self.s.ctl('stop', 's*.service', check=0)
        self.s.until('some.service', ActiveState='inactive')

    def test_tree_begins_at_what_nobody_asked_for(self):
        self.s.until('a.service', ActiveState='active')
        self.s.ctl('start', 'alone', check=0)
        tops = json.loads(self.s.ctl('tree', '--json', check=0).stdout)
        self.assertEqual(sorted(t['unit'] for t in tops), ['alone.service', 'begin.target'])
        self.s.ctl('stop', 'alone', check=0)
        self.assertEqual([t['unit'] for t in json.loads(self.s.ctl('tree', '--json', check=0).stdout)], ['begin.target'])


class Graph(Case):
    """tree, list-dependencies, why, plan."""
    @classmethod
    def prepare(cls):
        cls.s.unit('a.service', '[Unit]\nDefaultDependencies=no\nRequires=b.service\nAfter=b.service\nWants=c.service t.target\n' + SLEEPS)
        cls.s.unit('b.service', '[Unit]\nDefaultDependencies=no\n' + SLEEPS)
        cls.s.unit('c.service', '[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/false\n')
        cls.s.unit('t.target', '[Unit]\nDefaultDependencies=no\nWants=b.service c.service\nAllowIsolate=yes\n')
        cls.s.unit('default.target', '[Unit]\nDefaultDependencies=no\n')

    def lines(self, *args, check=0):
        return [' '.join(line.split()) for line in self.s.ctl(*args, check=check).stdout.splitlines()]

    def test_01_plan_is_what_is_done(self):
        plan = json.loads(self.s.ctl('plan', 'start', 'a', '--json', check=0).stdout)['jobs']
        self.assertEqual({(j['unit'], j['job'], j['step']) for j in plan},
                         {('a.service', 'start', 2), ('b.service', 'start', 1), ('c.service', 'start', 1), ('t.target', 'start', 1)})
        self.assertEqual([j['unit'] for j in plan if j['asked']], ['a.service'])
        self.assertEqual(self.s.ctl('is-active', 'b').stdout, 'inactive\n')
        self.s.ctl('start', 'a', check=0)
        self.s.until('c.service', ActiveState='failed')
        self.assertEqual(self.lines('plan', 'start', 'b'), ['STEP JOB UNIT NOW NOTE', 'nothing b.service active (running) asked, is so already',
                                                            'Nothing would change.'])
        self.assertEqual(self.lines('plan', 'stop', 'b')[1:], [
            '1 stop a.service active (running)', '2 stop b.service active (running) asked', '', '2 jobs would be run. Nothing has been done.'])
        self.assertIn('1 restart a.service active (running)', self.lines('plan', 'restart', 'b'))
        self.assertIn('1 stop a.service active (running)', self.lines('plan', 'isolate', 't.target'))

    def test_02_plan_is_refused_as_the_real_thing(self):
        for request, unit in (('start', 'nothing'), ('reload', 'b'), ('isolate', 'default.target')):
            planned = self.s.ctl('plan', request, unit)
            real = self.s.ctl(request, unit)
            self.assertEqual(planned.returncode, real.returncode)
            self.assertIn(real.stderr.split(': ', 1)[1].splitlines()[0], planned.stderr)
        self.s.ctl('plan', 'paint', 'b', check=2)
        self.s.ctl('plan', 'start', check=2)

    def test_03_plan_of_a_reload(self):
        self.assertEqual(self.s.ctl('plan', 'daemon-reload', check=0).stdout, 'Nothing would change.\n')
        self.s.unit('b.service', '[Unit]\nDefaultDependencies=no\n# a word\nWants=new.service\n[Service]\nExecStart=/bin/sleep 2000\n')
        self.s.unit('b.service.d/x.conf', '[Service]\nNice=1\n')
        self.assertEqual(self.lines('plan', 'daemon-reload')[:7], [
            'b.service would change:', '- [Service] ExecStart=/bin/sleep 1000', '+ [Unit] Wants=new.service',
            '+ [Service] ExecStart=/bin/sleep 2000', '+ file %s/b.service.d/x.conf' % self.s.units, '+ [Service] Nice=1',
            'new.service would be loaded, for b.service'])
        found = json.loads(self.s.ctl('plan', 'daemon-reload', '--json', check=0).stdout)['units']
        self.assertEqual([(u['unit'], u['what']) for u in found], [('b.service', 'change'), ('new.service', 'load')])
        self.assertIn('1000', harness.command_of(self.s.main_pid('b.service')))
        self.s.ctl('daemon-reload', check=0)
        self.assertEqual(self.s.ctl('plan', 'daemon-reload', check=0).stdout, 'Nothing would change.\n')
        os.unlink(self.s.units + '/b.service.d/x.conf')
        self.s.ctl('daemon-reload', check=0)

    def test_04_tree(self):
        pid = self.s.main_pid('b.service')
        self.assertEqual(self.lines('tree', 'a'), [
            'UNIT STATE PID BY', 'a.service active (running) %d' % self.s.main_pid('a.service'),
            '|-b.service active (running) %d Requires' % pid, '|-c.service failed (failed) Wants', '`-t.target active (active) Wants',
            '|-b.service active (running) %d Wants' % pid, '`-c.service failed (failed) Wants'])
        self.assertEqual(self.lines('tree', 'b', '--reverse')[:3], [
            'UNIT STATE PID NEEDS IT BY', 'b.service active (running) %d' % pid,
            '|-a.service active (running) %d RequiredBy' % self.s.main_pid('a.service')])
        tree = json.loads(self.s.ctl('tree', 'a', '--json', check=0).stdout)[0]
        self.assertEqual([(x['unit'], x['by'], x['active']) for x in tree['children']],
                         [('b.service', 'Requires', 'active'), ('c.service', 'Wants', 'failed'), ('t.target', 'Wants', 'active')])
        self.assertEqual(tree['children'][0]['main_pid'], pid)

    def test_05_list_dependencies(self):
        self.assertEqual(self.s.ctl('list-dependencies', 'a', check=0).stdout,
                         'a.service\n● ├─b.service\n× ├─c.service\n● └─t.target\n●   ├─b.service\n×   └─c.service\n')
        self.assertEqual(self.s.ctl('list-dependencies', 'a', '--plain', check=0).stdout.splitlines(),
                         ['a.service', '  b.service', '  c.service', '  t.target', '  b.service', '  c.service'])
        self.s.unit('u.target', '[Unit]\nDefaultDependencies=no\nWants=v.target b.service\n')
        self.s.unit('v.target', '[Unit]\nDefaultDependencies=no\nWants=u.target\n')
        self.assertEqual(self.s.ctl('list-dependencies', 'u.target', check=0).stdout, # as systemctl 252 prints a circle
                         'u.target\n● ├─b.service\n○ └─v.target\n    └─...\n')

    def why(self, unit):
        found = json.loads(self.s.ctl('why', unit, '--json', check=0).stdout)[0]
        return {r['about']: r['text'] for r in found['reasons']}, found['help']

    def test_05_kill_with_a_value(self):
        self.s.unit('v.service', SLEEPS)
        self.s.ctl('start', 'v', check=0)
        self.assertIn('no number', self.s.ctl('kill', 'v', '--kill-value=many', check=2).stderr)
        self.s.ctl('kill', 'v', '-s', 'RTMIN+1', '--kill-whom=main', '--kill-value=7', check=0)
        self.s.until('v.service', ActiveState='failed', ExecMainStatus='35')

    def test_05_jobs(self):
        self.assertEqual(self.s.ctl('list-jobs', check=0).stdout, 'No jobs running.\n')
        self.assertEqual(self.s.ctl('list-jobs', '--json', check=0).stdout, '[]\n')
        self.s.unit('w.service', '[Service]\nType=oneshot\nExecStart=/bin/sleep 1000\n')
        self.s.ctl('start', 'w', '--no-block', check=0)
        job = json.loads(self.s.ctl('list-jobs', '--json', check=0).stdout)[0]
        self.assertEqual((job['unit'], job['type']), ('w.service', 'start'))
        self.assertEqual(self.lines('list-jobs')[0:1] + self.lines('list-jobs')[2:], ['JOB UNIT TYPE STATE', '', '1 jobs listed.'])
        self.s.ctl('cancel', str(job['job']), check=0)
        self.s.ctl('stop', 'w', check=0)

    def test_06_why(self):
        reasons, _ = self.why('b')
        self.assertIn('with a.service', reasons['started'])
        self.assertEqual(reasons['wanted-by'], 'by a.service, t.target')
        reasons, help = self.why('c')
        self.assertIn('exited, status=1/FAILURE (result exit-code): by itself', reasons['ended'])
        self.assertEqual(help, 'supctl status c; supctl start c')
        self.s.unit('d.service', '[Unit]\nConditionPathExists=!/\n' + SLEEPS)
        self.s.ctl('start', 'd', check=0)
        self.assertEqual(self.why('d'), ({'condition': 'ConditionPathExists=!/ did not hold'}, ''))
        self.s.unit('e.service', '[Unit]\nRequires=c.service\nAfter=c.service\n' + SLEEPS)
        self.s.ctl('start', 'e')
        self.s.until('e.service', ActiveState='active')
        self.s.unit('f.service', '[Unit]\nRequires=g.service\nAfter=g.service\n' + SLEEPS)
        self.s.unit('g.service', '[Service]\nType=oneshot\nExecStart=/bin/false\n')
        self.s.ctl('start', 'f', check=1)
        reasons, help = self.why('f')
        self.assertEqual((reasons['dependency'], help), ('g.service (Requires=), which has failed', 'supctl why g.service'))
        self.s.unit('h.service', '[Unit]\nStartLimitBurst=2\n[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=1ms\n')
        self.s.ctl('start', 'h')
        self.s.until('h.service', ActiveState='failed', Result='exit-code')
        reasons, help = self.why('h')
        self.assertIn('too often', reasons['start-limit'])
        self.assertEqual(help, 'supctl reset-failed h && supctl start h')
        self.s.unit('i.service', '[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=1000\n')
        self.s.ctl('start', 'i')
        self.s.until('i.service', SubState='auto-restart')
        self.assertIn('(Restart=always)', self.why('i')[0]['restart'])
        self.s.unit('j.service', '[Service]\nType=oneshot\nExecStart=/bin/sleep 1000\n')
        self.s.unit('k.service', '[Unit]\nRequires=j.service\nAfter=j.service\n' + SLEEPS)
        self.s.ctl('start', 'k', '--no-block', check=0)
        self.s.until('j.service', ActiveState='activating')
        reasons, help = self.why('k')
        self.assertEqual(reasons['waits-for'], 'for the start job of j.service (running)')
        self.assertTrue(help.startswith('supctl cancel '))
        self.s.ctl('cancel', check=0)
        self.s.ctl('stop', 'j', 'k', 'i')
        self.s.ctl('why', 'nothing-of-the-kind', check=0)


class Clean(Case):
    ALL = ('/run/c', '/var/lib/c', '/var/cache/c', '/var/log/c', '/etc/c')

    def there(self):
        return [p for p in self.ALL if os.path.exists(p)]

    def filled(self):
        self.s.unit('c.service', '[Service]\nExecStart=/bin/sleep 1000\nRuntimeDirectory=c c/deep\nRuntimeDirectoryPreserve=yes\n'
                    'StateDirectory=c\nCacheDirectory=c\nLogsDirectory=c\nConfigurationDirectory=c\n')
        self.s.ctl('daemon-reload', check=0)
        self.s.ctl('start', 'c', check=0)
        for d in self.ALL:
            harness.write(d + '/a/b/file', 'x')
        self.assertEqual(self.there(), list(self.ALL))

    def test_01_what_is_asked_for(self):
        self.filled()
        r = self.s.ctl('clean', 'c', check=1)
        self.assertEqual(r.stderr, 'Failed to clean c.service: Unit is not inactive or has pending job.\n')
        self.s.ctl('stop', 'c', check=0)
        self.s.ctl('clean', 'c', check=0)
        self.assertEqual(self.there(), ['/var/lib/c', '/var/log/c', '/etc/c'])
        self.s.ctl('clean', 'c', '--what=logs,configuration', check=0)
        self.assertEqual(self.there(), ['/var/lib/c'])
        self.s.ctl('clean', 'c', '--what=all', check=0)
        self.assertEqual(self.there(), [])
        self.s.ctl('clean', 'c', '--what=all', check=0)  # and again
        self.assertEqual(self.s.show('c.service', 'CanClean'), 'runtime state cache logs configuration')

    def test_02_what_cannot_be(self):
        self.s.unit('none.service', '[Service]\nExecStart=/bin/true\n')
        self.assertIn('Invalid resource type: nonsense', self.s.ctl('clean', 'c', '--what=nonsense', check=1).stderr)
        self.assertIn('No matching resources found.', self.s.ctl('clean', 'none', '--what=all', check=1).stderr)
        self.assertIn('does not support cleaning.', self.s.ctl('clean', 'default.target', check=1).stderr)
        self.assertIn('Unit nothing-there.service not found.', self.s.ctl('clean', 'nothing-there', check=1).stderr)

    def test_03_links_and_what_was_left_over(self):
        self.filled()
        self.s.ctl('stop', 'c', check=0)
        harness.write(self.s.dir + '/precious/file', 'x')
        os.symlink(self.s.dir + '/precious', '/var/lib/c/link')
        harness.write('/var/lib/.c.supd-clean-1-0/a/file', 'x')  # of a process that was killed
        harness.write('/var/lib/.cc.supd-clean-1-0/file', 'x')   # of another directory
        self.s.ctl('clean', 'c', '--what=state', check=0)
        self.assertFalse(os.path.exists('/var/lib/c'))
        wait(lambda: sorted(os.listdir('/var/lib')) == ['.cc.supd-clean-1-0'], lambda: str(os.listdir('/var/lib')))
        self.assertEqual(read(self.s.dir + '/precious/file'), 'x')
        os.symlink(self.s.dir + '/precious', '/var/lib/c')  # the directory itself
        self.s.ctl('clean', 'c', '--what=state', check=0)
        wait(lambda: not os.path.lexists('/var/lib/c'), 'the link to be gone')
        self.assertEqual(read(self.s.dir + '/precious/file'), 'x')


    def test_04_a_start_on_the_way(self):
        """Directories of a service that was started meanwhile are there, with what was in them, and the clean says that it was not."""
        self.filled()
        self.s.ctl('stop', 'c', check=0)
        client = dbus.Client(self.s.dir + '/run/control')
        client.socket.sendall(dbus.call_bytes(1, 'CleanUnit', 'sas', ('c.service', ['state']))
                              + dbus.call_bytes(2, 'StartUnit', 'ss', ('c.service', 'replace')))
        replies = {}
        while len(replies) < 2:
            m = client.read()
            if m.reply_to:
                replies[m.reply_to] = m.error
        self.assertIsNone(replies[2])
        self.assertIn(replies[1], (None, 'org.freedesktop.systemd1.UnitBusy'))
        if replies[1]:
            wait(lambda: read('/var/lib/c/a/b/file') == 'x', 'what was in it')
        else:
            wait(lambda: not os.path.exists('/var/lib/c/a'), 'it to be gone')
        wait(lambda: [n for n in os.listdir('/var/lib') if n.startswith('.c.')] == [], 'nothing to be left')
        client.close()


class Show(Case):
    def test_all_that_supd_knows(self):
        self.s.unit('s.service', '[Unit]\nDocumentation=man:a(1) man:b(1)\nConditionPathExists=/\n[Service]\nExecStart=/bin/sleep 1000\n'
                    'EnvironmentFile=-/no/such\nEnvironmentFile=/dev/null\nEnvironment="A=b c" D=e\nTimeoutStopSec=7\nUMask=077\n')
        self.s.ctl('start', 's', check=0)
        lines = self.s.ctl('show', 's', check=0).stdout.splitlines()
        self.assertIn('EnvironmentFiles=/no/such (ignore_errors=yes)', lines)
        self.assertIn('EnvironmentFiles=/dev/null (ignore_errors=no)', lines)
        for line in ('Id=s.service', 'ActiveState=active', 'Environment="A=b c" D=e', 'TimeoutStopUSec=7s', 'UMask=0077',
                     'Documentation="man:a(1)" "man:b(1)"', 'MainPID=%d' % self.s.main_pid('s.service')):
            self.assertIn(line, lines)
        self.assertEqual([x.split(' ; ')[:2] for x in lines if x.startswith('ExecStart=')], [['ExecStart={ path=/bin/sleep', 'argv[]=/bin/sleep 1000']])
        for name in ('ExecReload', 'User', 'Conditions', 'Job', 'LoadError'): # empty, or of no words
            self.assertEqual([x for x in lines if x.startswith(name + '=')], [], name)
        self.assertEqual(self.s.ctl('show', 's', '-p', 'User,ExecReload,Conditions,NoSuch', check=0).stdout.splitlines(),
                         ['User=', 'Conditions=[unprintable]'])
        self.assertEqual(self.s.ctl('show', 's', '-P', 'TimeoutStopUSec', check=0).stdout, '7s\n')

    def test_json(self):
        self.s.unit('j.service', '[Service]\nExecStart=/bin/sleep 1000\nEnvironmentFile=-/no/such\nTasksMax=infinity\n')
        self.s.ctl('start', 'j', check=0)
        one, = json.loads(self.s.ctl('show', 'j', '--json', check=0).stdout)
        self.assertEqual((one['Names'], one['MainPID'], one['CanStart'], one['Job'], one['LoadError'], one['TasksMax']),
                         (['j.service'], self.s.main_pid('j.service'), True, None, None, None))
        self.assertEqual((one['ExecStart'][0]['argv'], one['EnvironmentFiles']),
                         (['/bin/sleep', '1000'], [{'path': '/no/such', 'ignore_errors': True}]))
        self.assertIn('SystemState', json.loads(self.s.ctl('show', '--json', check=0).stdout))

    def test_json_everywhere(self):
        def told(*words, check=0):
            return json.loads(self.s.ctl(*words, '--json', check=check).stdout)

        self.s.unit('k.service', SLEEPS)
        self.s.unit('no.service', '[Service]\nType=oneshot\nExecStart=/bin/false\n')
        one, two = told('start', 'k', 'no', check=1)
        self.assertEqual((one['unit'], one['result'], two['unit'], two['result']), ('k.service', 'done', 'no.service', 'failed'))
        self.assertGreater(two['job'], one['job'])
        self.assertEqual(told('start', 'not-there', check=5), [])
        self.assertEqual(told('is-enabled', 'k'), [{'unit': 'k.service', 'state': 'static'}])
        self.assertEqual(told('is-failed', 'no'), [{'unit': 'no.service', 'active': 'failed'}])
        self.assertEqual(told('is-system-running', check=1), {'state': 'degraded'})
        self.assertEqual([x['result'] for x in told('stop', 'k')], ['done'])

    def test_what_the_table_has_needs_no_manager(self):
        self.s.unit('t.service', SLEEPS)
        self.s.ctl('start', 't', check=0)
        pid, manager = self.s.main_pid('t.service'), self.s.manager()
        os.kill(manager, signal.SIGSTOP)
        try:
            shown = self.s.ctl('show', 't', '-p', 'MainPID,ActiveState', check=0).stdout
        finally:
            os.kill(manager, signal.SIGCONT)
        self.assertEqual(shown, 'MainPID=%d\nActiveState=active\n' % pid)

    def test_looking_loads_no_bus_library(self):
        """supctl is not linked with it, and status and is-active work where there is no supctl-bus."""
        libraries = subprocess.run(['readelf', '-d', os.environ['SUPCTL']], stdout=subprocess.PIPE, text=True).stdout
        self.assertNotIn('libsystemd', libraries)
        self.s.unit('l.service', SLEEPS)
        self.s.ctl('start', 'l', check=0)
        for verb in (['status', 'l'], ['is-active', 'l'], ['show', 'l', '-p', 'MainPID']):
            p = subprocess.run([os.environ['SUPCTL'], *verb], env=self.s.environment(SUPD_LIBEXEC_DIR='/nowhere'), stdout=subprocess.PIPE)
            self.assertEqual(p.returncode, 0, verb)
        p = subprocess.run([os.environ['SUPCTL'], 'start', 'l'], env=self.s.environment(SUPD_LIBEXEC_DIR='/nowhere'), stderr=subprocess.PIPE)
        self.assertEqual(p.returncode, 1) # it would be seen

    def test_signals_in_order(self):
        """Held against systemd 252 on the message bus: what became of a unit is told before the end of its job."""
        def after(client, member, *args, until='JobRemoved'):
            del client.seen[:]
            client.call(member, *args)
            if until not in [m.member for m in client.seen]:
                client.signal(until)
            return ['job ' + m.args[-1] if m.member == 'JobRemoved' else dict(m.args[1])['ActiveState'] if m.member == 'PropertiesChanged' else m.member
                    for m in client.seen if m.member and (m.member != 'PropertiesChanged' or m.args[0].endswith('.Unit'))]

        self.s.unit('x.service', SLEEPS)
        self.s.unit('y.service', '[Service]\nType=oneshot\nExecStart=/bin/false\n')
        client = dbus.Client(self.s.dir + '/run/control')
        for member, unit, ends in (('StartUnit', 'x', ['active', 'job done']), ('RestartUnit', 'x', ['active', 'job done']),
                                   ('StopUnit', 'x', ['inactive', 'job done']), ('StartUnit', 'y', ['failed', 'job failed'])):
            seen = after(client, member, 'ss', unit + '.service', 'replace')
            begin = seen.index('JobNew')
            self.assertTrue(set(seen[:begin]) <= {'UnitNew', 'inactive', 'active', 'failed'}, seen) # loaded; what was told late
            self.assertEqual(seen[-2:], ends, seen)
            self.assertEqual((seen.count('JobNew'), len([s for s in seen if s.startswith('job ')])), (1, 1), seen)
        self.assertEqual([s for s in after(client, 'Reload', until='Reloading') if s == 'Reloading'], ['Reloading'] * 2)
        client.close()

    def test_signals_of_a_failed_dependency_and_of_files(self):
        """As systemd 252 tells them on its private socket; units come and go there with each reload, here they stay."""
        self.s.unit('dy.service', '[Service]\nType=oneshot\nExecStart=/bin/false\n')
        self.s.unit('dz.service', '[Unit]\nRequires=dy.service\nAfter=dy.service\n' + SLEEPS)
        self.s.unit('di.service', SLEEPS + '[Install]\nWantedBy=default.target\n')
        client = dbus.Client(self.s.dir + '/run/control')
        client.call('StartUnit', 'ss', 'dz.service', 'replace')

        def jobs():
            return [(m.member, *m.args[2:]) for m in client.seen if m.member in ('JobNew', 'JobRemoved') and m.args[2].startswith('d')]
        while ('JobRemoved', 'dz.service', 'dependency') not in jobs():
            client.signal('JobRemoved')
        self.assertEqual(jobs(), [('JobNew', 'dz.service'), ('JobNew', 'dy.service'), ('JobRemoved', 'dy.service', 'failed'),
                                  ('JobRemoved', 'dz.service', 'dependency')])
        del client.seen[:]
        self.assertIsNone(client.call('EnableUnitFiles', 'asbb', ['di.service'], True, False).error)
        client.call('Reload')
        self.assertEqual([(m.member, *m.args) for m in client.seen if m.member in ('UnitFilesChanged', 'Reloading')],
                         [('UnitFilesChanged',), ('Reloading', 1), ('Reloading', 0)])
        self.assertIsNone(client.call('DisableUnitFiles', 'asb', ['di.service'], True).error)
        client.close()

    def test_list_timers_and_their_kin(self):
        self.s.unit('later.timer', '[Timer]\nOnCalendar=daily\n')
        self.s.unit('later.service', SLEEPS)
        self.assertEqual(self.s.ctl('list-timers', check=0).stdout, 'NEXT LEFT LAST PASSED UNIT ACTIVATES\n\n0 timers listed.\n'
                         'Pass --all to see loaded but inactive timers, too.\nsupd starts nothing by timers.\n')
        self.assertEqual(self.s.ctl('list-sockets', '--no-legend', check=0).stdout, '')
        self.assertEqual(json.loads(self.s.ctl('list-paths', '--json', check=0).stdout), [])
        self.assertIn('0 automounts listed.', self.s.ctl('list-automounts', '--all', check=0).stdout)
        self.s.ctl('show', 'later.timer', '-p', 'NextElapseUSecRealtime', check=0)
        self.assertEqual(self.s.ctl('list-timers', '--all', '--no-legend', check=0).stdout, '- - - - later.timer -\n')
        self.assertEqual(json.loads(self.s.ctl('list-timers', '--all', '--json', 'later*', check=0).stdout),
                         [{'next': None, 'left': None, 'last': None, 'passed': None, 'unit': 'later.timer', 'activates': None}])

    def test_a_job_and_what_is_not_there(self):
        self.s.unit('o.service', '[Service]\nType=oneshot\nExecStart=/bin/sleep 1000\n')
        self.s.ctl('start', 'o', '--no-block', check=0)
        job = json.loads(self.s.ctl('list-jobs', '--json', check=0).stdout)[0]['job']
        self.assertEqual(sorted(self.s.ctl('show', str(job), check=0).stdout.splitlines()),
                         ['Id=%d' % job, 'JobType=start', 'State=running', 'Unit=o.service'])
        self.s.ctl('cancel', check=0)
        self.assertIn('LoadState=not-found', self.s.ctl('show', 'nothing-of-the-kind', check=0).stdout.splitlines())


harness.main()
