#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""supd-bus and supctl-bus against a small manager that speaks the real protocol (fake-manager.c).

usage: test-control.py FAKE-MANAGER SUPD-BUS SUPCTL-BUS
Nothing here waits for a time to pass: each step waits for what it needs to have happened."""
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dbus  # noqa: E402

FAKE, BUS, CTL = sys.argv[1:4]
SANITIZED = 'asan' in os.environ.get('CONTROL_TEST_BUILD', '')
MANUAL = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', '..', 'man', 'supd.8')
BUS_CONF = '''<busconfig><type>system</type><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>'''
UNKNOWN_OBJECT = 'org.freedesktop.DBus.Error.UnknownObject'


class Case(unittest.TestCase):
    bus_args = ()
    mode = 0o600

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix='supd-control-')
        os.chmod(self.dir, 0o755)
        self.control = self.dir + '/control'
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.control)
        os.chmod(self.control, self.mode)
        self.listener.listen(64)
        self.manager = self.bus = None
        self.clients, self.processes = [], []
        self.start_manager()
        self.start_bus()

    def tearDown(self):
        for c in self.clients:
            c.close()
        for p in [self.manager, self.bus] + self.processes:
            if p and p.poll() is None:
                p.kill()
            if p:
                p.communicate()
        self.listener.close()
        shutil.rmtree(self.dir)

    def start_manager(self, *args):
        self.manager = subprocess.Popen([FAKE, self.dir, *args], stdout=subprocess.PIPE)
        self.assertEqual(self.manager.stdout.readline(), b'ready\n')

    def kill_manager(self):
        self.manager.kill()
        self.manager.communicate()

    def start_bus(self):
        fd = self.listener.fileno()
        script = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@" 3<&%d' % fd
        self.bus = subprocess.Popen(['/bin/sh', '-c', script, BUS, '--manager=' + self.dir + '/manager',
                                     *self.bus_args], pass_fds=[fd])

    def client(self, **how):
        c = dbus.Client(self.control, **how)
        self.clients.append(c)
        return c

    def ctl(self, *args, **how):
        return subprocess.run([CTL, '--runtime-dir', self.dir, *args], capture_output=True, text=True, timeout=60, **how)

    def ctl_start(self, *args):
        """Started, and its job is known to the manager."""
        p = subprocess.Popen([CTL, '--runtime-dir', self.dir, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True)
        self.processes.append(p)
        watch = self.client()
        while not watch.call('ListJobs').args[0]:
            self.assertIsNone(p.poll())
        return p

    def expect(self, result, code, text=None):
        self.assertEqual(result.returncode, code, result.stderr)
        if text is not None:
            self.assertIn(text, result.stderr)


class T1Verbs(Case):
    def test_01_start_stop(self):
        self.expect(self.ctl('start', 'a'), 0, '')
        self.expect(self.ctl('restart', 'a.service'), 0)
        self.expect(self.ctl('stop', 'a'), 0)

    def test_02_exit_codes_and_texts(self):
        self.expect(self.ctl('start', 'no'), 5, 'Failed to start no.service: Unit no.service not found.\n')
        self.expect(self.ctl('reload', 'a'), 3, 'Job type reload is not applicable for unit a.service.')
        self.expect(self.ctl('start', 'a', '--job-mode=odd'), 1, 'Job mode odd invalid')
        self.expect(self.ctl('start', 'bad'), 1, 'Job for bad.service failed because a process of it exited')
        self.expect(self.ctl('-q', 'start', 'bad'), 1)
        self.expect(self.ctl('kill', 'no'), 1, 'Unit no.service not loaded.')
        self.expect(self.ctl('cancel', '99'), 1, 'Job 99 does not exist.')
        self.expect(self.ctl('frob', 'a'), 2, 'Unknown verb frob')
        self.expect(self.ctl('start'), 2)
        self.expect(self.ctl('kill', '-s', 'NOPE', 'a'), 2, 'Unknown signal NOPE')

    def test_03_the_first_failure_wins_and_the_rest_is_done(self):
        self.expect(self.ctl('start', 'no', 'bad', 'a'), 5)
        c = self.client()
        get = c.call('Get', 'ss', 'org.freedesktop.systemd1.Unit', 'ActiveState', path=dbus.unit_path('a.service'),
                     interface='org.freedesktop.DBus.Properties')
        self.assertEqual(get.args, ['active'])

    def test_04_the_other_verbs(self):
        for args in (['kill', '-s', 'HUP', '--kill-whom=main', 'a'], ['reset-failed'], ['reset-failed', 'a'],
                     ['daemon-reload'], ['cancel']):
            self.expect(self.ctl(*args), 0, '')
        self.assertEqual(self.ctl('list-jobs').stdout, 'No jobs running.\n')
        self.expect(self.ctl('--no-block', 'start', 'slow'), 0)
        self.assertIn('slow.service', self.ctl('list-jobs').stdout)
        self.expect(self.ctl('cancel'), 0)
        self.assertEqual(self.ctl('list-jobs').stdout, 'No jobs running.\n')

    def test_05_environment_and_absence(self):
        env = dict(os.environ, SUPD_RUNTIME_DIR=self.dir)
        self.assertEqual(subprocess.run([CTL, 'start', 'a'], env=env).returncode, 0)
        r = subprocess.run([CTL, '--runtime-dir', self.dir + '/no', 'start', 'a'], capture_output=True, text=True)
        self.expect(r, 1, 'supd is not running in %s/no; start it with: ' % self.dir)

    def test_06_a_job_is_waited_for(self):
        p = self.ctl_start('start', 'slow')
        self.manager.send_signal(signal.SIGUSR1)
        self.assertEqual(p.communicate(timeout=30)[1], '')
        self.assertEqual(p.returncode, 0)

    def test_07_a_canceled_job_is_a_failure(self):
        p = self.ctl_start('start', 'slow')
        self.expect(self.ctl('cancel', '1'), 0)
        self.assertIn('Job for slow.service canceled.', p.communicate(timeout=30)[1])
        self.assertEqual(p.returncode, 1)

    def test_08_wait_until_it_ended(self):
        self.expect(self.ctl('start', '--wait', 'bad'), 1)
        p = self.ctl_start('--wait', 'start', 'slow')
        self.manager.send_signal(signal.SIGUSR1)
        c = self.client()
        while self.state(c, 'slow.service') != 'active':
            pass
        self.expect(self.ctl('--no-block', 'stop', 'slow'), 0)
        self.manager.send_signal(signal.SIGUSR1)
        p.communicate(timeout=30)
        self.assertEqual(p.returncode, 0)

    def state(self, c, unit):
        return c.call('Get', 'ss', 'org.freedesktop.systemd1.Unit', 'ActiveState', path=dbus.unit_path(unit),
                      interface='org.freedesktop.DBus.Properties').args[0]


class T2Protocol(Case):
    PROPERTIES = 'org.freedesktop.DBus.Properties'

    def test_01_signals_come_in_order(self):
        c = self.client()
        reply = c.call('StartUnit', 'ss', 'a.service', 'replace')
        removed = c.signal('JobRemoved')
        self.assertEqual(removed.args, [1, reply.args[0], 'a.service', 'done'])
        order = [(m.member or 'reply') + (' ' + m.args[0] if m.member == 'PropertiesChanged' else '') for m in c.seen]
        self.assertEqual(order, ['JobNew', 'reply', 'PropertiesChanged org.freedesktop.systemd1.Service',
                                 'PropertiesChanged org.freedesktop.systemd1.Unit', 'JobRemoved'])
        self.assertTrue(all(m.sender == 'org.freedesktop.systemd1' for m in c.seen))
        changed = dict(c.seen[3].args[1])
        self.assertEqual(changed['ActiveState'], 'active')
        self.assertEqual(changed['Job'], (0, '/'))
        self.assertNotIn('Description', changed)

    def test_02_the_end_of_the_handshake_and_a_message_in_one(self):
        for _ in range(10):
            c = self.client(first=dbus.call_bytes(1, 'ListJobs') + dbus.call_bytes(2, 'ListJobs'))
            self.assertEqual(c.read().reply_to, 1)
            self.assertEqual(c.read().reply_to, 2)
            c.close()

    def test_03_no_file_descriptors(self):
        self.assertEqual(self.client().greeting[2][:5], b'ERROR')

    def test_04_properties_are_whole_right_and_clean(self):
        c = self.client()
        where = dict(path=dbus.unit_path('a.service'), interface=self.PROPERTIES)
        all_ = dict(c.call('GetAll', 's', '', **where).args[0])
        self.assertEqual(all_['Id'], 'a.service')
        self.assertEqual(all_['LoadError'], ('', ''))
        self.assertEqual(all_['Job'], (0, '/'))
        self.assertEqual(all_['Description'], 'Caf\u00e9 ? bad byte')
        self.assertEqual(all_['ExecStart'], [('/bin/true', ['/bin/true', '--x'], 0, 5, 0, 0, 0, 77, 1, 0)])
        self.assertNotIn('AssertResult', all_)  # the manager gave a number for it
        service = dict(c.call('GetAll', 's', 'org.freedesktop.systemd1.Service', **where).args[0])
        self.assertEqual(service['ExecMainStatus'], -1)
        self.assertNotIn('Id', service)
        self.assertIn('UnknownInterface', c.call('GetAll', 's', 'org.freedesktop.systemd1.Mount', **where).error)
        self.assertIn('UnknownProperty', c.call('Get', 'ss', '', 'Nope', **where).error)

    def test_05_units_exist_by_name_alone(self):
        c = self.client()
        where = dict(path=dbus.unit_path('nobody.service'), interface=self.PROPERTIES)
        self.assertEqual(c.call('Get', 'ss', 'org.freedesktop.systemd1.Unit', 'LoadState', **where).args, ['not-found'])
        where['path'] = dbus.ROOT + '/unit/no_20name'
        self.assertIn('InvalidArgs', c.call('Get', 'ss', '', 'LoadState', **where).error)
        self.assertIn('NoSuchUnit', c.call('GetUnit', 's', 'nobody.service').error)
        self.assertEqual(c.call('LoadUnit', 's', 'nobody.service').args, [dbus.unit_path('nobody.service')])
        self.assertIn('InvalidArgs', c.call('LoadUnit', 's', 'nobody').error)

    def test_06_unknown_things_have_their_errors(self):
        c = self.client()
        self.assertIn('UnknownMethod', c.call('Dump').error)
        self.assertIn('InvalidArgs', c.call('StartUnit', 's', 'a.service').error)
        self.assertEqual(c.call('Frob', path='/nowhere').error, UNKNOWN_OBJECT)
        self.assertIn('NotSupported', c.call('Reexecute').error)
        self.assertIn('NoSuchJob', c.call('GetJob', 'u', 7).error)

    def test_07_unit_objects_have_methods_and_jobs_are_objects(self):
        c = self.client()
        job = c.call('Start', 's', 'replace', path=dbus.unit_path('slow.service'),
                     interface='org.freedesktop.systemd1.Unit').args[0]
        all_ = dict(c.call('GetAll', 's', '', path=job, interface=self.PROPERTIES).args[0])
        self.assertEqual(all_, {'Id': 1, 'JobType': 'start', 'State': 'running',
                                'Unit': ('slow.service', dbus.unit_path('slow.service'))})
        self.assertEqual(c.call('GetJob', 'u', 1).args, [job])
        c.call('Cancel', path=job, interface='org.freedesktop.systemd1.Job')
        self.assertEqual(c.signal('JobRemoved').args[3], 'canceled')
        self.assertEqual(c.call('GetAll', 's', '', path=job, interface=self.PROPERTIES).error, UNKNOWN_OBJECT)

    def test_08_reload_is_framed(self):
        c = self.client()
        c.call('Reload')
        self.assertEqual([(m.member, m.args) for m in c.seen], [('Reloading', [1]), ('Reloading', [0]), (None, [])])

    def test_09_ten_thousand_units(self):
        self.kill_manager()
        self.start_manager('--many=10000')
        c = self.client()
        self.assertEqual(len(c.call('ListUnits').args[0]), 10003)

    def test_10_the_driver_answers(self):
        c = self.client()
        where = dict(path='/org/freedesktop/DBus', interface='org.freedesktop.DBus')
        self.assertRegex(c.call('Hello', **where).args[0], r'^:1\.\d+$')
        self.assertEqual(c.call('AddMatch', 's', "type='signal'", **where).args, [])
        self.assertEqual(c.call('NameHasOwner', 's', 'org.freedesktop.systemd1', **where).args, [1])
        self.assertIn('NameHasNoOwner', c.call('GetNameOwner', 's', 'org.nobody', **where).error)


class T3OtherClients(Case):
    def test_01_busctl(self):
        busctl = shutil.which('busctl')
        if not busctl:
            self.skipTest('busctl is not installed')
        base = [busctl, '--address=unix:path=' + self.control]
        call = ['org.freedesktop.systemd1', dbus.ROOT, dbus.MANAGER]

        def run(*args):
            return subprocess.run([*base, *args], capture_output=True, text=True, timeout=30)
        self.assertEqual(run('call', *call, 'StartUnit', 'ss', 'a.service', 'replace').stdout,
                         'o "/org/freedesktop/systemd1/job/1"\n')
        self.assertEqual(run('get-property', *call, 'SystemState').stdout, 's "running"\n')
        self.assertIn('.ActiveState', run('introspect', 'org.freedesktop.systemd1', dbus.unit_path('a.service')).stdout)
        self.assertIn(dbus.unit_path('slow.service'), run('tree', 'org.freedesktop.systemd1').stdout)

    def test_02_gdbus(self):
        if not shutil.which('gdbus'):
            self.skipTest('gdbus is not installed')
        r = subprocess.run(['gdbus', 'call', '--address', 'unix:path=' + self.control, '--dest',
                            'org.freedesktop.systemd1', '--object-path', dbus.ROOT, '--method',
                            dbus.MANAGER + '.GetUnit', 'a.service'], capture_output=True, text=True, timeout=30)
        self.assertEqual(r.stdout, "(objectpath '%s',)\n" % dbus.unit_path('a.service'), r.stderr)

    def test_03_dbus_send(self):
        if not shutil.which('dbus-send'):
            self.skipTest('dbus-send is not installed')
        for how in ('--bus=', '--peer='):
            r = subprocess.run(['dbus-send', how + 'unix:path=' + self.control, '--print-reply',
                                '--dest=org.freedesktop.systemd1', dbus.ROOT, dbus.MANAGER + '.GetUnit',
                                'string:a.service'], capture_output=True, text=True, timeout=30)
            self.assertIn(dbus.unit_path('a.service'), r.stdout, r.stderr)


class T4Survival(Case):
    def test_01_the_manager_ends_and_comes_back_while_a_client_waits(self):
        p = self.ctl_start('start', 'slow')
        self.kill_manager()
        self.start_manager()
        self.client().call('ListJobs')  # answered by the new one
        self.manager.send_signal(signal.SIGUSR1)
        self.assertEqual(p.communicate(timeout=60)[1], '')
        self.assertEqual(p.returncode, 0)

    def test_02_the_job_ends_while_no_manager_is_there(self):
        p = self.ctl_start('start', 'slow')
        self.kill_manager()
        self.start_manager('--ended')
        self.assertEqual(p.communicate(timeout=60)[1], '')
        self.assertEqual(p.returncode, 0)

    def test_03_a_job_that_the_new_manager_does_not_know(self):
        p = self.ctl_start('start', 'slow')
        self.kill_manager()
        os.unlink(self.dir + '/jobs')
        self.start_manager()
        self.assertIn('canceled', p.communicate(timeout=60)[1])
        self.assertEqual(p.returncode, 1)

    def test_04_a_request_without_manager_is_answered_by_the_next(self):
        self.kill_manager()
        p = subprocess.Popen([CTL, '--runtime-dir', self.dir, 'start', 'a'])
        self.processes.append(p)
        self.start_manager()
        self.assertEqual(p.wait(60), 0)

    def test_05_a_request_that_was_committed_but_not_answered_runs_once(self):
        self.kill_manager()
        self.start_manager('--die-after-commit')
        p = subprocess.Popen([CTL, '--runtime-dir', self.dir, 'restart', 'slow'])
        self.processes.append(p)
        self.manager.communicate(timeout=60)
        self.start_manager()
        watch = self.client()
        self.assertEqual([row[0] for row in watch.call('ListJobs').args[0]], [1])
        self.manager.send_signal(signal.SIGUSR1)
        self.assertEqual(p.wait(60), 0)

    def test_06_supd_bus_ends_while_a_client_waits(self):
        p = self.ctl_start('start', 'slow')
        self.bus.kill()
        self.bus.communicate()
        self.start_bus()
        self.client().call('ListJobs')
        self.manager.send_signal(signal.SIGUSR1)
        self.assertEqual(p.communicate(timeout=60)[1], '')
        self.assertEqual(p.returncode, 0)

    def test_07_both_end_and_the_job_too(self):
        p = self.ctl_start('start', 'slow')
        self.bus.kill()
        self.bus.communicate()
        self.kill_manager()
        self.start_manager('--ended')
        self.start_bus()
        self.assertEqual(p.communicate(timeout=60)[1], '')
        self.assertEqual(p.returncode, 0)


class T5Idle(Case):
    bus_args = ('--idle-exit=1',)

    def test_01_supd_bus_ends_when_nobody_is_there(self):
        self.expect(self.ctl('start', 'a'), 0)
        self.assertEqual(self.bus.wait(60), 0)


def manual_table():
    """{access: who may} as supd(8) prints it under WHO MAY DO WHAT."""
    with open(MANUAL) as f:
        text = f.read().partition('.Sh WHO MAY DO WHAT')[2].partition('.El')[0]
    head, *rows = [line[len('.It '):].replace('Em ', '').split(' Ta ') for line in text.splitlines() if line.startswith('.It ')]
    assert head == ['access', 'root and the own user', 'ControlGroup=', 'others'], head
    who = ({'root', 'own'}, {'group'}, {'others'})
    return {row[0]: set().union(*(w for w, word in zip(who, row[1:]) if word == 'yes')) for row in rows}


@unittest.skipIf(os.geteuid() != 0, 'needs root to become somebody else')
class T6EachOfThem(Case):
    """A supd of somebody who is not root, each method as each of four users: what supd(8) says is what happens."""
    mode = 0o666
    # dbus-daemon lets in only those whom the system knows
    OWN, MEMBER, STRANGER = (sorted({p.pw_uid for p in pwd.getpwall()} - {0, 65534}) + [4242, 4243, 4244])[:3]
    USERS = {'root': (0, 0), 'own': (OWN, OWN), 'group': (MEMBER, 65534), 'others': (STRANGER, STRANGER)}
    bus_args = ('--group=nogroup', '--system-bus')
    ENDS = {'Hello', 'Reexecute'}  # of those who may, nobody asks for it: the connection would end

    def setUp(self):
        self.daemon = None
        super().setUp()

    def as_own(self, argv, **how):
        """A program of the build as the user of this supd, who need not be able to reach the build."""
        copy = '%s/%s' % (self.dir, os.path.basename(argv[0]))
        shutil.copy(argv[0], copy)
        os.chmod(copy, 0o755)
        return subprocess.Popen([copy, *argv[1:]], user=self.OWN, group=self.OWN, extra_groups=[], **how)

    def start_manager(self, *args):
        os.chown(self.dir, self.OWN, self.OWN)
        self.manager = self.as_own([FAKE, self.dir, *args], stdout=subprocess.PIPE)
        self.assertEqual(self.manager.stdout.readline(), b'ready\n')

    def start_bus(self):
        env = {k: v for k, v in os.environ.items() if k != 'DBUS_SYSTEM_BUS_ADDRESS'}
        if shutil.which('dbus-daemon'):
            with open(self.dir + '/bus.conf', 'w') as f:
                f.write(BUS_CONF % self.dir)
            self.daemon = subprocess.Popen(['dbus-daemon', '--nofork', '--nopidfile', '--print-address', '--config-file=' + f.name],
                                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self.processes.append(self.daemon)
            self.daemon.stdout.readline()  # it listens
            env['DBUS_SYSTEM_BUS_ADDRESS'] = 'unix:path=%s/bus' % self.dir
        fd = self.listener.fileno()
        copy = self.dir + '/front'
        shutil.copy(BUS, copy)
        os.chmod(copy, 0o755)
        self.bus = subprocess.Popen(['/bin/sh', '-c', 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@" 3<&%d' % fd, copy,
                                     '--manager=' + self.dir + '/manager', *self.bus_args],
                                    pass_fds=[fd], env=env, user=self.OWN, group=self.OWN, extra_groups=[])

    def rows(self):
        printed = subprocess.run([BUS, '--print-access'], capture_output=True, text=True).stdout
        rows = [line.split('\t') for line in printed.splitlines()]
        self.assertGreater(len(rows), 60)
        return rows

    def all_calls(self, who, rows, connect, **where):
        """The last words of the errors of all methods as that user. What dbus.py cannot write is left out: who may is asked
        before the arguments are looked at."""
        paths = {'unit': dbus.unit_path('a.service'), 'job': dbus.ROOT + '/job/1'}
        values = {'s': 'a.service', 'u': 1, 'i': 1}
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.setgroups([])
                os.setgid(self.USERS[who][1])
                os.setuid(self.USERS[who][0])
                c, errors = connect(), []
                for interface, member, signature, kind, _ in rows:
                    plain = all(k in values for k in signature)
                    args = [values[k] for k in signature] if plain else []
                    e = c.call(member, signature if plain else '', *args, path=paths.get(kind, dbus.ROOT), interface=interface,
                               **where).error
                    errors.append(str(e).split('.')[-1])
                os.write(write_end, json.dumps(errors).encode())
            finally:
                os._exit(0)
        os.close(write_end)
        with os.fdopen(read_end) as f:
            said = f.read()
        os.waitpid(pid, 0)
        self.assertTrue(said, who + ' got no answer')
        return json.loads(said)

    def go_through(self, rows, connect, **where):
        allowed, n = manual_table(), 0
        self.assertEqual(set(allowed), {r[4] for r in rows})
        for who in self.USERS:
            asked = [r for r in rows if not (who in allowed[r[4]] and r[1] in self.ENDS)]
            for (interface, member, _, _, access), error in zip(asked, self.all_calls(who, asked, connect, **where)):
                self.assertEqual(error == 'AccessDenied', who not in allowed[access], f'{who}: {interface}.{member}: {error}')
                n += 1
        self.assertGreater(n, 4 * (len(rows) - len(self.ENDS)))

    def test_01_at_a_socket_of_our_own(self):
        self.go_through(self.rows(), lambda: dbus.Client(self.control))

    def test_02_on_the_message_bus(self):
        if not self.daemon:
            self.skipTest('there is no dbus-daemon')
        driver = {'interface': 'org.freedesktop.DBus', 'path': '/org/freedesktop/DBus', 'destination': 'org.freedesktop.DBus'}

        def connect():
            c = dbus.Client(self.dir + '/bus')
            c.call('Hello', **driver)
            return c
        watch = connect()
        self.clients.append(watch)
        while not watch.call('NameHasOwner', 's', 'org.freedesktop.systemd1', **driver).args[0]:
            self.assertIsNone(self.bus.poll())
        self.go_through([r for r in self.rows() if r[0] != 'org.freedesktop.DBus'], connect, destination='org.freedesktop.systemd1')


class T6Permission(Case):
    mode = 0o666
    bus_args = ('--group=nogroup',)

    @unittest.skipIf(os.geteuid() != 0, 'needs root to become somebody else')
    def test_01_others_look_and_do_not_touch(self):
        self.assertEqual(self.as_nobody(0), ['AccessDenied', None, 'AccessDenied'])

    @unittest.skipIf(os.geteuid() != 0, 'needs root to become somebody else')
    def test_02_members_of_the_group_may(self):
        self.assertEqual(self.as_nobody(65534)[0], None)

    def as_nobody(self, gid):
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.setgroups([])
                os.setgid(gid or 65533)
                os.setuid(65534)
                c = dbus.Client(self.control)
                out = [c.call('StartUnit', 'ss', 'a.service', 'replace').error, c.call('ListUnits').error,
                       c.call('Start', 's', 'replace', path=dbus.unit_path('a.service'),
                              interface='org.freedesktop.systemd1.Unit').error]
                os.write(write_end, ' '.join(str(e).split('.')[-1] for e in out).encode())
            finally:
                os._exit(0)
        os.close(write_end)
        os.waitpid(pid, 0)
        with os.fdopen(read_end) as f:
            return [None if w == 'None' else w for w in f.read().split()]


class T7Hostile(Case):
    bus_args = ('--handshake=1',)

    def tearDown(self):
        c = self.client()
        self.assertEqual(len(c.call('ListUnits').args[0]), 3)  # still served
        self.assertIsNone(self.bus.poll())
        with open('/proc/%d/status' % self.bus.pid) as f:
            peak = [line for line in f if line.startswith('VmHWM')][0].split()[1]
        print('\n%s: peak memory of supd-bus %d KiB ' % (self.id().split('.')[-1], int(peak)), end='', flush=True)
        if not SANITIZED:
            self.assertLess(int(peak), 24 * 1024)
        super().tearDown()

    def flood(self, c, data, times):
        """Sends until it is done or thrown out; true when it was thrown out."""
        try:
            for _ in range(times):
                c.socket.sendall(data)
        except OSError:
            return True
        return False

    def wait_closed(self, c):
        try:
            while c.socket.recv(1 << 20):
                pass
        except ConnectionError:
            pass

    def test_01_garbage(self):
        for data in (b'GET / HTTP/1.0\r\n\r\n', b'\0' * 4096, b'\0AUTH ANONYMOUS\r\nBEGIN\r\n',
                     b'\0AUTH EXTERNAL 39393939\r\nBEGIN\r\n', os.urandom(100000)):
            c = self.client(handshake=b'')
            self.flood(c, data, 1)
            self.wait_closed(c)
        c = self.client()
        self.flood(c, b'l\1\0\1' + b'\xff' * 60, 1)
        self.wait_closed(c)

    def test_02_half_a_handshake(self):
        many = [self.client(handshake=b'\0AUTH EXT') for _ in range(50)]
        for c in many:
            self.wait_closed(c)

    def test_03_a_message_of_a_hundred_megabytes(self):
        megabytes = 100
        for _ in range(3):
            c = self.client()
            head = dbus.call_bytes(1, 'StartUnit', 'ss', ('a', 'b'), body_size=megabytes << 20)
            self.flood(c, head, 1)
            self.flood(c, b'x' * (1 << 20), megabytes - 1)

    def taken(self, c, data, times):
        """Bytes that were taken from a client until it could say no more."""
        c.socket.settimeout(0.5)
        n = 0
        try:
            for _ in range(times):
                n += c.socket.send(data)
        except OSError:
            pass
        return n

    def test_04_never_reading(self):
        """It is not read either: what it wants to say stays with itself."""
        self.kill_manager()
        self.start_manager('--many=5000')
        data = b''.join(dbus.call_bytes(i + 1, 'ListUnits') for i in range(100))
        self.assertLess(self.taken(self.client(), data, 1000), 1 << 20)
        data = b''.join(dbus.call_bytes(i + 1, 'Nothing') for i in range(1000))
        self.assertLess(self.taken(self.client(), data, 1000), 2 << 20)
        self.kill_manager()
        self.start_manager()

    def test_05_too_many_connections(self):
        many = []
        for _ in range(400):
            for _ in range(200):
                try:
                    many.append(self.client(handshake=b'\0AUTH EXT'))
                except BlockingIOError:
                    time.sleep(0.01)  # the queue of connections is full: nobody has looked at it yet
                    continue
                except OSError:
                    pass
                break
        self.assertGreater(len(many), 250)
        for c in many:
            self.wait_closed(c)
            c.close()

    def test_06_a_client_that_leaves_in_the_middle(self):
        for i in range(50):
            c = self.client()
            c.socket.sendall(b''.join(dbus.call_bytes(k + 1, 'ListUnits') for k in range(20))[:1000 + 37 * i])
            c.close()


def on_term(*_):
    raise KeyboardInterrupt  # so that a test runner's timeout still runs tearDown()


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, on_term)
    unittest.main(argv=[sys.argv[0], '-v'] + sys.argv[4:])
