#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every option of supctl and of supctl-bus, a row each: a command with it, how that ends, and what it prints or does not print, which is
the other way about without the option. Options that have no effect on a verb, or that only another program of the two has a
use for, are accepted with it as systemctl accepts them; supctl calls the latter unknown.

Environment: behaviour/harness.py. Invariant: one test for each row of the tables of options (tests/mutation holds that), named
test_PROGRAM_OPTION; commands change nothing that another row looks at."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'behaviour'))
import harness  # noqa: E402
from harness import wait, write  # noqa: E402

harness.enter()
UNIT = '[Unit]\nDefaultDependencies=no\n'
UNITS = {
    'up.service': UNIT + 'Description=Up\n[Service]\nExecStart=/bin/sh -c \'echo one; echo two; exec sleep 1000\'\n',
    'bad.service': UNIT + '[Service]\nExecStart=/bin/false\n',
    'down.service': UNIT + '[Service]\nExecStart=/bin/sleep 1000\n',
    'slow.service': UNIT + '[Service]\nType=notify\nTimeoutStartSec=infinity\nExecStart=/bin/sleep 1000\n',
    'once.service': UNIT + '[Service]\nType=oneshot\nExecStart=/bin/sh -c \'exit 3\'\n',
    'with.service': UNIT + 'Requires=down.service\nAfter=down.service\n[Service]\nExecStart=/bin/sleep 1000\n',
    'order.service': UNIT + 'After=up.service\nBefore=bad.service\nWants=bad.service\n[Service]\nExecStart=/bin/sleep 1000\n',
    'odd.service': UNIT + '[Service]\nExecStart=/bin/true\nRestrat=always\n',
    't.target': UNIT,
}

# ROOT is a tree with unit files of its own, DIR the runtime directory, NAME the instance; behind "as-systemctl" supctl is called by
# that name, and behind "bus" supctl-bus is, as supctl would do it.
# Of the row: (command, exit status, what is printed with it, what is printed without it alone)
LOOK = {
    'all': ('list-units --all', 0, 'down.service', None),
    'failed': ('list-units --failed', 0, 'bad.service', 'up.service'),
    'force': ('--root=ROOT --force enable taken.service', 0, 'Created symlink', None),
    'full': ('-l status up', 0, 'up.service - Up', None),
    'global': ('--root=ROOT --global is-enabled of-users.service', 0, '', None),
    'help': ('--help', 0, 'Verbs that ask supd', None),
    'json': ('list-units --json=short', 0, r'^\[\{', None),
    'legend': ('list-units --legend=no', 0, 'up.service', 'loaded units'),
    'lines': ('status up -n 1', 0, 'two', r'\bone\b'),
    'name': ('--name NAME is-active up', 0, '^active', None),
    'no-follow': ('events up -n 50 --no-follow', 0, 'up.service', None),
    'no-legend': ('list-units --no-legend', 0, 'up.service', 'loaded units'),
    'no-reload': ('--root=ROOT --no-reload enable plain.service', 0, None, None),
    'now': ('--root=ROOT --now enable plain.service', 5, 'Failed to start', None),
    'output': ('list-units -o json', 0, r'^\[\{', None),
    'plain': ('list-units --plain', 0, '^bad.service', '●'),
    'preset-mode': ('--root=ROOT --preset-mode=enable-only preset plain.service', 0, None, None),
    'property': ('show up -p Description', 0, '^Description=Up\n$', 'Id='),
    'P': ('show up -P Description', 0, '^Up\n$', None),
    'quiet': ('is-active -q up', 0, '^$', 'active'),
    'root': ('--root=ROOT list-unit-files', 0, 'plain.service', 'up.service'),
    'runtime': ('--root=ROOT --runtime mask other.service', 0, '/run/systemd', None),
    'runtime-dir': ('--runtime-dir=DIR --name=NAME is-active up', 0, '^active', None),
    'state': ('list-units --state=failed', 0, 'bad.service', 'up.service'),
    'strict': ('verify --strict odd.service', 1, 'Restrat', None),
    'system': ('--system is-active up', 0, '^active', None),
    'timeout': ('wait down --state=active --timeout=1ms', 124, 'over', None),
    'type': ('list-units --all -t target', 0, 't.target', 'up.service'),
    'user': ('--user is-active up', 1, 'supd-user-', None),
    'value': ('show up -p Description --value', 0, '^Up\n$', 'Description'),
    'version': ('--version', 0, r'^supd \d', None),
    **{name: ('--%s is-active up' % name, 0, '^active', None) for name in (
        'after before no-block reverse wait no-ask-password no-pager no-wall no-warn show-transaction').split()},
    **{name: ('as-systemctl --%s is-active up' % name, 0, '^active', None) for name in 'ignore-dependencies irreversible'.split()},
    'fail': ('as-systemctl --fail list-units', 0, 'up.service', None), # which is not --failed cut short
    **{name: ('as-systemctl --%s list-jobs is-active up' % name, 0, '^active', None) for name in (
        'job-mode kill-value kill-whom signal host machine timestamp').split()},
}
ASK = {
    'after': ('list-dependencies --after order', 0, 'up.service', 'bad.service'),
    'all': ('tree --all order', 0, 'bad.service', None),
    'before': ('list-dependencies --before order', 0, 'bad.service', 'up.service'),
    'fail': ('--fail stop slow', 4, 'destructive', None),
    'full': ('tree -l order', 0, 'bad.service', None),
    'help': ('bus list-jobs --help', 0, 'usage: supctl', None),
    'ignore-dependencies': ('--ignore-dependencies start with', 0, None, None),
    'irreversible': ('--irreversible start up', 0, None, None),
    'job-mode': ('--job-mode=fail stop slow', 4, 'destructive', None),
    'json': ('list-jobs --json=short', 0, r'^\[', None),
    'kill-value': ('kill -sCONT --kill-value=5 up', 0, None, None),
    'kill-whom': ('kill -sCONT --kill-who=control up', 1, 'control', None),
    'name': ('--name NAME list-jobs', 0, 'slow.service', None),
    'no-block': ('start --no-block slow', 0, None, None),
    'no-legend': ('list-jobs --no-legend', 0, 'slow.service', 'JOB'),
    'output': ('list-jobs -o json', 0, r'^\[', None),
    'plain': ('list-dependencies --plain order', 0, r'^  bad.service', '●'),
    'property': ('bus show nowhere.service -p LoadState', 0, '^LoadState=not-found\n$', None),
    'P': ('bus show nowhere.service -P LoadState', 0, '^not-found\n$', None),
    'quiet': ('list-jobs -q', 0, 'slow.service', 'JOB'),
    'reverse': ('list-dependencies --reverse bad', 0, 'order.service', None),
    'runtime': ('--runtime set-property up CPUWeight=7', 0, None, None),
    'runtime-dir': ('--runtime-dir=DIR --name=NAME list-jobs', 0, 'slow.service', None),
    'show-transaction': ('start -T up', 0, 'up.service', None),
    'signal': ('kill -s CONT up', 0, None, None),
    'system': ('--system list-jobs', 0, 'slow.service', None),
    'user': ('--user list-jobs', 0, 'slow.service', None),
    'value': ('bus show nowhere.service -p LoadState --value', 0, '^not-found\n$', None),
    'wait': ('start --wait once', 1, None, None),
    **{name: ('--%s list-jobs' % name, 0, 'slow.service', None) for name in (
        'failed force legend no-ask-password no-pager no-wall no-warn').split()},
    **{name: ('bus --%s list-jobs' % name, 0, 'slow.service', None) for name in 'global no-follow no-reload now strict version'.split()},
    **{name: ('bus --%s list-units list-jobs' % name, 0, 'slow.service', None) for name in (
        'host lines machine preset-mode root state timeout timestamp type').split()},
}


class Options(harness.Case):
    @classmethod
    def prepare(cls):
        s = cls.s
        for name, text in UNITS.items():
            s.unit(name, text)
        files = s.dir + '/root/usr/lib/systemd/system/'
        for name in ('plain', 'other', 'taken'):
            write(files + name + '.service', '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=t.target\n')
        write(files + 't.target', '')
        os.makedirs(s.dir + '/root/etc/systemd/system/t.target.wants')
        os.symlink('/elsewhere', s.dir + '/root/etc/systemd/system/t.target.wants/taken.service')
        os.makedirs(s.dir + '/root/etc/systemd/user/x.target.wants')
        write(s.dir + '/root/usr/lib/systemd/user/of-users.service', '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=x.target\n')
        os.symlink('/usr/lib/systemd/user/of-users.service', s.dir + '/root/etc/systemd/user/x.target.wants/of-users.service')

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        s = cls.s
        s.ctl('start', 'up', 'bad', 'down', 't.target', check=0)
        s.ctl('stop', 'down', check=0)
        s.ctl('list-dependencies', 'order', check=0)
        s.ctl('start', '--no-block', 'slow', check=0)
        wait(lambda: 'slow' in s.ctl('list-jobs').stdout, 'a job that lasts')
        wait(lambda: 'two' in s.ctl('status', 'up').stdout, 'up.service to have spoken')
        s.until('bad.service', ActiveState='failed')

    def row(self, line, status, prints, lacks):
        s = self.s
        words = [w.replace('ROOT', s.dir + '/root').replace('DIR', s.runtime).replace('NAME', s.name) for w in line.split()]
        program, called = os.environ['SUPCTL'], 'supctl'
        if words[0] in ('as-systemctl', 'bus'):
            program, called = program if words[0] != 'bus' else os.environ['SUPD_LIBEXEC_DIR'] + '/supctl-bus', 'systemctl'
            words = words[1:]
        env = s.environment()
        if any(w.startswith('--name') for w in words):
            env['SUPD_NAME'] = 'another'
        if any(w.startswith('--runtime-dir') for w in words):
            env['SUPD_RUNTIME_DIR'] = '/nowhere'
        r = subprocess.run([called, *words], executable=program, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, timeout=harness.BOUND)
        self.assertEqual(r.returncode, status, r.stdout)
        if prints:
            self.assertRegex(r.stdout, re.compile(prints, re.M if '\n' not in prints else 0))
        if lacks:
            self.assertNotRegex(r.stdout, lacks)


def add(program, name, row):
    setattr(Options, 'test_%s_%s' % (program, name), lambda self: self.row(*row))


for _name, _row in LOOK.items():
    add('supctl', _name, _row)
for _name, _row in ASK.items():
    add('supctl-bus', _name, _row)

if __name__ == '__main__':
    harness.main()
