#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Units for one run (StartTransientUnit), whoever dies meanwhile. That they answer as systemd's do, the rows run-… of
tests/conformance/tools-rows.py show. Environment: harness.py."""
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'control'))
import dbus  # noqa: E402
import harness  # noqa: E402

harness.enter()


def properties(argv, **more):
    """What systemd-run sends: a(sv)."""
    found = [('ExecStart', ('a(sasb)', [(argv[0], argv, False)]))]
    return found + [(name, value) for name, value in more.items()]


class Transient(harness.Case):
    def start(self, unit, argv, **more):
        c = dbus.Client(self.s.runtime + '/control')
        try:
            m = c.call('StartTransientUnit', 'ssa(sv)a(sa(sv))', unit, 'replace', properties(argv, **more), [])
            if m.error:
                raise RuntimeError(m.error)
            return m.args[0]
        finally:
            c.close()

    def pid(self, unit):
        return harness.wait(lambda: self.s.main_pid(unit), 'a main process of ' + unit)

    def file(self, unit):
        return '%s/transient/%s' % (self.s.runtime, unit)

    def gone(self, unit):
        harness.wait(lambda: not os.path.exists(self.file(unit)), lambda: '%s to go; %s' % (unit, harness.read(self.s.out)[-1000:]))
        self.s.until(unit, LoadState='not-found', ActiveState='inactive')

    def kill_manager(self):
        old = self.s.manager()
        os.kill(old, signal.SIGKILL)
        harness.wait(lambda: self.s.manager() not in (0, old), 'another manager')
        self.s.ready()

    def kill_front(self):
        for p in harness.processes():
            if '/supd-bus ' in harness.command_of(p) + ' ':
                os.kill(p, signal.SIGKILL)

    def test_01_starts_and_goes(self):
        self.start('once.service', ['/bin/sh', '-c', "printf '%%s\\n' \"100%% $0\" > %s/once" % self.s.dir, 'a "b"\\'])
        harness.wait(lambda: harness.read(self.s.dir + '/once') == '100% a "b"\\\n', 'what it writes')
        self.gone('once.service')

    def test_02_outlives_the_manager(self):
        self.start('stays.service', ['/bin/sleep', '1000'], Description=('s', 'Stays'))
        pid = self.pid('stays.service')
        self.kill_manager()
        self.s.until('stays.service', MainPID=pid, ActiveState='active', Description='Stays')
        self.kill_front()
        self.s.ctl('daemon-reload', check=0)
        self.s.until('stays.service', MainPID=pid, Description='Stays')
        self.s.ctl('stop', 'stays.service', check=0)
        self.gone('stays.service')

    def test_03_ends_while_nobody_is_there(self):
        self.start('alone.service', ['/bin/sleep', '1000'])
        pid, old = self.pid('alone.service'), self.s.manager()
        self.kill_front()
        os.kill(old, signal.SIGSTOP)
        os.kill(pid, signal.SIGTERM)
        os.kill(old, signal.SIGKILL)
        self.gone('alone.service')

    def test_04_the_same_name_again(self):
        for n in range(3):
            self.start('again.service', ['/bin/sh', '-c', 'exit 0'])
            self.gone('again.service')
        self.start('again.service', ['/bin/sleep', '1000'])
        with self.assertRaisesRegex(Exception, 'UnitExists'):
            self.start('again.service', ['/bin/sleep', '1000'])
        self.s.ctl('stop', 'again.service', check=0)

    def test_05_a_failed_one_stays_until_it_is_reset(self):
        self.start('fails.service', ['/bin/sh', '-c', 'exit 3'])
        self.s.until_state('fails.service', 'failed failed exit-code 1 3 0')
        self.kill_manager()
        self.s.until_state('fails.service', 'failed failed exit-code 1 3 0')
        self.s.ctl('reset-failed', 'fails.service', check=0)
        self.gone('fails.service')

    def test_06_nothing_is_left_out(self):
        with self.assertRaisesRegex(Exception, 'PropertyReadOnly'):
            self.start('bad.service', ['/bin/true'], Frobnicate=('s', 'x'))
        with self.assertRaisesRegex(Exception, 'InvalidArgs'):
            self.start('bad.service', ['/bin/true'], Description=('s', 'two\nlines'))
        with self.assertRaisesRegex(Exception, 'InvalidArgs'):
            self.start('bad.service', ['/bin/true'], EnvironmentFiles=('a(sb)', [('/x\nExecStartPre=/bin/false', False)]))
        with self.assertRaisesRegex(Exception, 'InvalidArgs'):
            self.start('bad.service', ['/bin/true'], Description=('s', 'goes on \\'))
        with self.assertRaisesRegex(Exception, 'NotSupported'):
            self.start('bad.scope', ['/bin/true'])
        self.assertFalse(os.path.exists(self.file('bad.service')))


if __name__ == '__main__':
    harness.main()
