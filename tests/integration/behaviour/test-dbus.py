#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Type=dbus: a service counts as started once its name is on the message bus. The bus is a dbus-daemon of our own, itself a
service of the supd under test. Environment: harness.py."""
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402

if not shutil.which('dbus-daemon'):
    harness.skip('there is no dbus-daemon')
OWN = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'own.py')
PYTHON = shutil.which('python3', path='/usr/bin:/bin') or sys.executable  # one that everybody may execute
harness.enter()
CONF = '''<busconfig><type>system</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>'''
NAME = 'org.example.Supd.Test%s'


class Dbus(harness.Case):
    n = 0

    @classmethod
    def setUpClass(cls):
        cls.s = harness.Supd('dbus')
        cls.address = 'unix:path=%s/bus' % cls.s.dir
        harness.write(cls.s.dir + '/bus.conf', CONF % (cls.s.dir + '/bus'))
        cls.s.unit('dbus.socket', '[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=@D@/unused\n')
        cls.s.unit('bus.service', '[Service]\nExecStart=%s --nofork --nopidfile --config-file=@D@/bus.conf\n' % shutil.which('dbus-daemon'))
        cls.s.start(env={'DBUS_SYSTEM_BUS_ADDRESS': cls.address})
        cls.s.ctl('start', 'bus.service', check=0)

    def unit(self, *lines, bus='BusName=%s', own=None, waits=True):
        Dbus.n += 1
        name, unit = NAME % Dbus.n, 't%d.service' % Dbus.n
        self.go = '%s/go%d' % (self.s.dir, Dbus.n)
        self.s.unit(unit, '[Service]\n%s\nEnvironment=DBUS_SYSTEM_BUS_ADDRESS=%s\nExecStart=%s\n%s\n' % (
            bus % name, self.address, own or '%s %s %s %s' % (PYTHON, OWN, name, self.go if waits else ''), '\n'.join(lines)))
        return unit

    def test_01_ready_when_the_name_appears(self):
        u = self.unit(bus='BusName=%s')
        self.s.ctl('start', '--no-block', u, check=0)
        self.s.until(u, ActiveState='activating', SubState='start')
        harness.wait(lambda: self.s.main_pid(u), 'the main process')
        self.assertEqual(self.s.show(u, 'Type'), 'dbus')
        self.assertEqual(self.s.state(u), 'activating start success 0 0 0')
        harness.write(self.go, '')
        self.s.until_state(u, 'active running success 0 0 0')
        self.s.ctl('stop', u, check=0)
        self.s.until_state(u, 'inactive dead success 2 15 0')

    def test_02_at_once(self):
        u = self.unit('ExecStartPost=/bin/sh -c "echo post > @D@/post"', waits=False)
        self.s.ctl('start', u, check=0)
        self.assertEqual(self.s.state(u), 'active running success 0 0 0')
        self.s.until_file('post', 'post\n')
        self.s.ctl('stop', u, check=0)

    def test_03_never(self):
        u = self.unit('TimeoutStartSec=500ms', own='/bin/sleep 1000')
        self.s.ctl('start', u, check=1)
        self.s.until_state(u, 'failed failed timeout 2 15 0')

    def test_04_ends_before(self):
        u = self.unit(own='/bin/true')
        self.s.ctl('start', u, check=1)
        self.s.until_state(u, 'failed failed protocol 1 0 0')

    def test_05_stopped_on_the_way(self):
        u = self.unit()
        self.s.ctl('start', '--no-block', u, check=0)
        harness.wait(lambda: self.s.main_pid(u), 'the main process')
        self.s.ctl('stop', u, check=0)
        self.s.until(u, ActiveState='inactive')

    def test_06_the_manager_dies_on_the_way(self):
        u = self.unit()
        self.s.ctl('start', '--no-block', u, check=0)
        pid = harness.wait(lambda: self.s.main_pid(u), 'the main process')
        manager = self.s.manager()
        os.kill(manager, 9)
        harness.wait(lambda: self.s.manager() not in (0, manager), 'another manager')
        harness.write(self.go, '')
        self.s.until(u, ActiveState='active', SubState='running', MainPID=pid)
        self.s.ctl('stop', u, check=0)

    def test_07_no_bus_yet(self):
        self.s.ctl('stop', 'bus.service', check=0)
        u = self.unit('Restart=on-failure', 'RestartSec=50ms', waits=False)
        self.s.unit(u, harness.read('%s/%s' % (self.s.units, u)).replace('[Service]', '[Unit]\nStartLimitIntervalSec=0\n[Service]'))
        self.s.ctl('start', '--no-block', u, check=0)
        self.s.until(u, ActiveState='activating')
        self.s.ctl('start', 'bus.service', check=0)
        self.s.until(u, ActiveState='active', SubState='running')
        self.s.ctl('stop', u, check=0)

    def test_08_with_a_user(self):
        u = self.unit('User=nobody', waits=False)
        self.s.ctl('start', u, check=0)
        self.assertEqual(self.s.state(u), 'active running success 0 0 0')
        self.s.ctl('stop', u, check=0)


if __name__ == '__main__':
    harness.main()
