#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The verbs and the D-Bus methods on unit files while a supd runs: it learns of what changed, --now starts and stops, and
Debian's own systemctl does the same through supd where one is at hand. Environment: as behaviour/harness.py says.
Not here: which links are made (test-install-state.py)."""
import importlib
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, HERE + '/../behaviour', HERE + '/../control']
import harness  # noqa: E402
import dbus  # noqa: E402

harness.enter()
LONG = '[Service]\nExecStart=/bin/sleep 1000\n'
WANTED = LONG + '[Install]\nWantedBy=x.target\n'
UNIT = 'org.freedesktop.systemd1.Unit'


class Bus(dbus.Client):
    """Answers as plain lists; errors raised."""

    def call(self, *args, **where):
        m = super().call(*args, **where)
        if m.error:
            raise RuntimeError(m.error)
        return m.args


class Running(harness.Case):
    def link(self, name):
        try:
            return os.readlink('%s/%s' % (self.s.units, name))
        except OSError:
            return None

    def bus(self):
        return Bus(self.s.runtime + '/control')

    def test_01_enable_now(self):
        self.s.unit('a.service', WANTED)
        self.s.unit('x.target', '[Unit]\n')
        self.assertEqual(self.s.ctl('is-enabled', 'a').stdout, 'disabled\n')
        r = self.s.ctl('enable', '--now', 'a', check=0)
        self.assertEqual(r.stderr, 'Created symlink %s/x.target.wants/a.service → %s/a.service.\n' % (self.s.units, self.s.units))
        self.assertEqual(self.link('x.target.wants/a.service'), self.s.units + '/a.service')
        self.s.until('a.service', ActiveState='active')
        self.s.ctl('is-enabled', 'a', check=0)
        self.s.ctl('disable', '--now', 'a', check=0)
        self.assertIsNone(self.link('x.target.wants/a.service'))
        self.s.until('a.service', ActiveState='inactive')

    def test_02_the_manager_reads_again(self):
        self.s.unit('b.service', WANTED.replace('x.target', 'y.target'))
        self.s.unit('y.target', '[Unit]\n')
        self.s.ctl('start', 'y.target', check=0)
        self.s.ctl('stop', 'y.target', check=0)
        self.s.ctl('enable', 'b', check=0)
        self.s.ctl('start', 'y.target', check=0)
        self.s.until('b.service', ActiveState='active')
        self.s.ctl('--now', 'mask', 'b', check=1) # its file lies in the way: nothing is stopped
        self.s.until('b.service', ActiveState='active')
        self.s.ctl('stop', 'b', check=0)

    def test_03_no_reload(self):
        self.s.unit('c.service', LONG)
        self.s.ctl('start', 'c', check=0)
        self.s.unit('c.service', '[Unit]\nDescription=second\n' + WANTED)
        self.s.ctl('enable', '--no-reload', 'c', check=0)
        self.assertNotEqual(self.s.show('c.service', 'Description'), 'second')
        self.s.ctl('reenable', 'c', check=0)
        self.s.until('c.service', Description='second')
        self.s.ctl('disable', '--now', 'c', check=0)

    def test_04_elsewhere_and_back(self):
        harness.write(self.s.dir + '/else/d.service', WANTED)
        self.s.ctl('enable', self.s.dir + '/else/d.service', check=0)
        self.assertEqual(self.link('d.service'), self.s.dir + '/else/d.service')
        self.s.ctl('start', 'd', check=0)
        self.s.until('d.service', ActiveState='active')
        self.s.ctl('disable', '--now', 'd', check=0)
        self.assertIsNone(self.link('d.service'))

    def test_05_methods(self):
        self.s.unit('e.service', WANTED)
        c = self.bus()
        self.assertEqual(c.call('GetUnitFileState', 's', 'e.service'), ['disabled'])
        self.assertEqual(c.call('EnableUnitFiles', 'asbb', ['e.service'], 0, 0),
                         [True, [('symlink', self.s.units + '/x.target.wants/e.service', self.s.units + '/e.service')]])
        self.assertIn('UnitFilesChanged', [m.member for m in c.seen])
        self.assertEqual(c.call('EnableUnitFilesWithFlags', 'ast', ['e.service'], 0), [True, []])
        self.assertEqual(c.call('GetUnitFileState', 's', 'e.service'), ['enabled'])
        listed = dict(c.call('ListUnitFiles')[0])
        self.assertEqual(listed[self.s.units + '/e.service'], 'enabled')
        self.assertEqual(c.call('ListUnitFilesByPatterns', 'asas', ['enabled'], ['e.*']), [[(self.s.units + '/e.service', 'enabled')]])
        self.assertEqual(c.call('DisableUnitFiles', 'asb', ['e.service'], 0), [[('unlink', self.s.units + '/x.target.wants/e.service', '')]])
        self.assertEqual(c.call('AddDependencyUnitFiles', 'asssbb', ['e.service'], 'x.target', 'Requires', 0, 0),
                         [[('symlink', self.s.units + '/x.target.requires/e.service', self.s.units + '/e.service')]])
        self.assertEqual(c.call('ReenableUnitFiles', 'asbb', ['e.service'], 0, 0)[0], True)
        self.assertEqual(c.call('PresetUnitFiles', 'asbb', ['e.service'], 0, 0)[0], True)
        self.assertEqual(c.call('SetDefaultTarget', 'sb', 'x.target', 1), [[('symlink', self.s.units + '/default.target', self.s.units + '/x.target')]])
        self.assertEqual(c.call('GetDefaultTarget'), ['x.target'])
        self.assertEqual(c.call('MaskUnitFiles', 'asbb', ['g.service'], 0, 0), [[('symlink', self.s.units + '/g.service', '/dev/null')]])
        self.assertEqual(c.call('GetUnitFileState', 's', 'g.service'), ['masked-runtime']) # the directory lies in /run
        self.assertEqual(c.call('UnmaskUnitFiles', 'asb', ['g.service'], 0), [[('unlink', self.s.units + '/g.service', '')]])
        self.assertEqual(c.call('RevertUnitFiles', 'as', ['e.service']), [[]])
        c.close()

    def test_06_errors_have_names(self):
        c = self.bus()
        for member, signature, args, name in (
                ('EnableUnitFiles', 'asbb', (['gone.service'], 0, 0), 'org.freedesktop.systemd1.NoSuchUnit'),
                ('GetUnitFileState', 's', ('gone.service',), 'org.freedesktop.DBus.Error.FileNotFound'),
                ('SetDefaultTarget', 'sb', ('a.service', 0), 'org.freedesktop.DBus.Error.InvalidArgs'),
                ('EnableUnitFilesWithFlags', 'ast', (['a.service'], 64), 'org.freedesktop.DBus.Error.InvalidArgs'),
                ('PresetAllUnitFiles', 'sbb', ('sometimes', 0, 0), 'org.freedesktop.DBus.Error.InvalidArgs')):
            with self.assertRaises(Exception) as caught:
                c.call(member, signature, *args)
            self.assertIn(name, str(caught.exception))
        c.close()

    def test_07_property(self):
        self.s.unit('h.service', WANTED)
        c = self.bus()

        def states():
            return [c.call('Get', 'ss', UNIT, p, path=dbus.unit_path('h.service'), interface='org.freedesktop.DBus.Properties')[0]
                    for p in ('UnitFileState', 'UnitFilePreset')]
        self.assertEqual(states(), ['disabled', 'enabled'])
        self.s.ctl('enable', 'h', check=0)
        self.assertEqual(states(), ['enabled', 'enabled'])
        self.assertEqual(self.s.show('h.service', 'UnitFileState', 'UnitFilePreset'), ('enabled', 'enabled'))
        self.assertIn('h.service; enabled; preset: enabled)', self.s.ctl('status', 'h').stdout)
        everything = dict(c.call('GetAll', 's', '', path=dbus.unit_path('h.service'), interface='org.freedesktop.DBus.Properties')[0])
        self.assertEqual(everything['UnitFileState'], 'enabled')
        c.close()

    def test_08_others_may_only_look(self):
        self.s.unit('i.service', WANTED)
        for d in ('', '/run'):
            os.chmod(self.s.dir + d, 0o755)
        os.chmod(self.s.runtime + '/control', 0o666)
        code = ('import os,sys;sys.path.insert(0,%r);import dbus;os.setgid(65534);os.setuid(65534);c=dbus.Client(%r)\n'
                'print(c.call("GetUnitFileState","s","i.service").args)\n'
                'print(c.call("EnableUnitFiles","asbb",["i.service"],0,0).error)\n') % (HERE + '/../control', self.s.runtime + '/control')
        r = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=60)
        self.assertIn("['disabled']", r.stdout, r.stderr)
        self.assertIn('AccessDenied', r.stdout, r.stderr)
        self.assertIsNone(self.link('x.target.wants/i.service'))

    def test_09_systemctl(self):
        words = importlib.import_module('test-install-state').reference()
        if not words:
            self.skipTest('no systemctl 252 here')
        os.makedirs('/run/systemd/system', exist_ok=True)
        if not os.path.exists('/run/systemd/private'):
            os.symlink(self.s.runtime + '/control', '/run/systemd/private')
        self.s.unit('j.service', WANTED)
        self.s.unit('w.target', '[Unit]\n')

        def systemctl(status, *args):
            r = subprocess.run([*words, *args], capture_output=True, text=True, timeout=60, env={'PATH': '/usr/bin:/bin', 'SYSTEMCTL_SKIP_SYSV': '1'})
            self.assertEqual(r.returncode, status, r.stderr)
            return r.stdout + r.stderr
        wants = self.s.units + '/x.target.wants/j.service'
        self.assertEqual(systemctl(1, 'is-enabled', 'j'), 'disabled\n')
        self.assertEqual(systemctl(0, 'enable', '--now', 'j'), 'Created symlink %s → %s/j.service.\n' % (wants, self.s.units))
        self.s.until('j.service', ActiveState='active')
        self.assertIn('j.service', systemctl(0, 'list-unit-files', 'j*'))
        self.assertIn('; enabled; preset: enabled', systemctl(0, 'status', 'j'))
        self.assertIn('UnitFileState=enabled', systemctl(0, 'show', 'j'))
        self.assertIn('Removed "%s".\n' % wants, systemctl(0, 'disable', '--now', 'j'))
        self.s.until('j.service', ActiveState='inactive')
        self.assertIn('Unit file gone.service does not exist', systemctl(1, 'enable', 'gone'))
        self.assertIn('Created symlink', systemctl(0, 'mask', 'gone2'))
        self.assertIn('Removed', systemctl(0, 'unmask', 'gone2'))
        self.assertIn('Created symlink', systemctl(0, 'set-default', 'w.target'))
        self.assertEqual(systemctl(0, 'get-default'), 'w.target\n')

    def test_10_where_the_manager_looks(self):
        self.assertEqual(os.readlink(self.s.runtime + '/units'), 'supd:' + self.s.units)
        r = subprocess.run([os.environ['SUPCTL'], '--runtime-dir', self.s.runtime, 'list-unit-files', '--no-legend', 'a.service'],
                           capture_output=True, text=True, timeout=60, env={'PATH': '/bin'})
        self.assertEqual(r.stdout.split()[:2], ['a.service', 'disabled'])

    def test_12_scripts(self):
        tool = '/lib/systemd/systemd-sysv-install'
        os.makedirs('/lib/systemd', exist_ok=True)
        harness.mount('tmpfs', '/lib/systemd', 'tmpfs')
        diff = importlib.import_module('test-install-state')
        commands = ('enable x', 'is-enabled x', 'disable x', '--quiet enable x', 'enable n', 'is-enabled n x', 'disable n gone', 'enable x n',
                    'mask x', 'enable off', 'is-enabled off', '-q is-enabled off', 'enable /usr/lib/systemd/system/n.service')
        tree = {'etc/init.d/x': '', 'etc/init.d/n': '', 'etc/init.d/off': '', 'usr/lib/systemd/system/n.service': WANTED,
                'usr/lib/systemd/system/x.target': '[Unit]\n'}

        def lines():
            for words in ([os.environ['SUPCTL']], diff.reference()):
                if words:
                    harness.write('/run/t/sysv', '')
                    yield diff.play(words, tree, commands), [w.split('=')[-1].split('/')[-1] for w in harness.read('/run/t/sysv').splitlines()]
        without = next(lines())[0]
        self.assertEqual(without[0][2], ['Failed to enable unit, unit x.service does not exist.'])
        harness.write(tool, '#!/bin/sh\necho "$*" >> /run/t/sysv\ncase $3 in off) exit 1; esac\n')
        os.chmod(tool, 0o755)
        found = list(lines())
        self.assertIn('x.service is not a native service, redirecting to systemd-sysv-install.', found[0][0][0][2])
        self.assertIn('Synchronizing state of n.service with SysV service script with %s.' % tool, found[0][0][4][2])
        self.assertEqual(len(found[0][1]), 12, found[0][1])
        for i, command in enumerate(commands):
            self.assertEqual(found[0][0][i], found[-1][0][i], command)
        self.assertEqual(*[[w.split()[1:] for w in f[1]] for f in (found[0], found[-1])])
        harness.libc.umount2(b'/lib/systemd', 2)

    def known(self):
        """What was found out when units were read: name to (state, preset)."""
        path = self.s.runtime + '/unit-files'
        harness.wait(lambda: os.path.exists(path), 'unit-files')
        return {name: tuple(rest) for name, *rest in (line.split() for line in harness.read(path).splitlines())}

    def test_13_found_out_once(self):
        self.s.unit('l.service', WANTED)
        self.s.unit('m.service', LONG)
        self.s.ctl('daemon-reload', check=0)
        listed = [line.split() for line in self.s.ctl('list-unit-files', '--no-legend').stdout.splitlines()]
        known = self.known()
        self.assertEqual({name: state for name, state, _ in listed}, {name: k[0] for name, k in known.items()})
        for name, _, preset in listed: # people are told only where it matters
            self.assertIn(preset, (known[name][1], '-'))
        self.s.ctl('start', 'l', check=0)
        # it is what status says, too, and the D-Bus property; what we write there is believed
        path = self.s.runtime + '/unit-files'
        harness.write(path, harness.read(path).replace('l.service disabled', 'l.service linked-runtime'))
        self.assertIn('l.service; linked-runtime; preset: enabled)', self.s.ctl('status', 'l').stdout)
        c = self.bus()
        self.assertEqual(c.call('Get', 'ss', UNIT, 'UnitFileState', path=dbus.unit_path('l.service'),
                                interface='org.freedesktop.DBus.Properties')[0], 'linked-runtime')
        c.close()
        self.s.ctl('enable', '--no-reload', 'l', check=0)
        self.assertFalse(os.path.exists(path)) # changed: the files count, at once
        self.assertIn('l.service; enabled; preset: enabled)', self.s.ctl('status', 'l').stdout)
        self.s.ctl('daemon-reload', check=0)
        self.assertEqual(self.known()['l.service'], ('enabled', 'enabled'))
        os.kill(self.s.manager(), 9)
        harness.wait(lambda: not os.path.exists(path), 'the next manager')
        self.assertEqual(self.known()['l.service'], ('enabled', 'enabled'))
        self.s.ctl('disable', '--now', 'l', check=0)
        self.assertEqual(self.known()['l.service'], ('disabled', 'enabled'))

    def test_11_the_manager_may_die_meanwhile(self):
        self.s.unit('k.service', WANTED)
        self.s.process.poll()
        os.kill(self.s.manager(), 9)
        self.s.ctl('enable', '--now', 'k', check=0)
        self.s.until('k.service', ActiveState='active')
        self.s.ctl('disable', '--now', 'k', check=0)


if __name__ == '__main__':
    harness.main()
