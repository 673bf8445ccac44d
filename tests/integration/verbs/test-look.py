#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How status, tree, why, history, list-units, plan and verify look on terminals of 80 and of 200 columns, and in a pipe: a fixed set of units,
what they print beside golden files (golden/VERB.WIDTH), with times, numbers of processes and amounts made equal.

Values that differ from run to run also differ in width, so runs of blanks are one blank there; that columns line up, that no line
is too wide and that colour changes nothing else is looked at before. `test-look.py --write` rewrites the golden files: look at
the difference. Environment: behaviour/harness.py."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import unicodedata

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'behaviour'))
import harness  # noqa: E402
from harness import read, wait  # noqa: E402

harness.enter()
WRITE = '--write' in sys.argv
if WRITE:
    sys.argv.remove('--write')

UNITS = {
    'web.service': '[Unit]\nDescription=The web server of the house, with a description that is longer than a terminal is wide\n'
                   'Documentation=man:web(8) https://example.org/web\nDefaultDependencies=no\nRequires=db.service\nAfter=db.service\n'
                   'Wants=cache.service old.service\nX-Note=none\n[Service]\nType=notify\nNotifyAccess=all\n'
                   'ExecStart=/bin/sh -c \'echo one; echo two; %s READY=1 "STATUS=serving 3 clients"; exec sleep 1000\'\n'
                   'SysVStartPriority=5\n' % os.environ.get('TELL', 'true'),
    'db.service': '[Unit]\nDescription=The database\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep 1000\n',
    'cache.service': '[Unit]\nDescription=A cache that dies\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sh -c \'kill -SEGV $$$$\'\n'
                     'Restart=on-failure\nRestartSec=1000\n',
    'old.service': '[Unit]\nDescription=Fails\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sh -c \'exit 3\'\n',
    'off.service': '[Unit]\nDescription=Skipped\nDefaultDependencies=no\nConditionPathExists=/nonexistent/file\n[Service]\nExecStart=/bin/true\n',
    'a-service-with-a-name-that-is-rather-long-for-a-column@of-an-instance.service':
        '[Unit]\nDescription=Long\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep 1000\n',
    'house.target': '[Unit]\nDescription=The whole house\nDefaultDependencies=no\nWants=web.service off.service '
                    'a-service-with-a-name-that-is-rather-long-for-a-column@of-an-instance.service\n',
    'default.target': '[Unit]\nDescription=Default\nDefaultDependencies=no\n',
    'wrong.service': '[Unit]\nDescription=Wrong\n[Service]\nExecStart=/bin/true\nRestrat=always\nRestartSec=soon\nBusPolicy=x\n',
}
COMMANDS = {
    'status': ['status', 'web', 'cache', 'old', 'off'],
    'tree': ['tree', 'house.target', '--all'],
    'why': ['why', 'web', 'cache', 'old', 'off', 'db'],
    'history': ['history', 'web', 'cache', 'old'],
    'verify': ['verify', 'wrong.service'],
    'plan': ['plan', 'stop', 'db'],
    'list-units': ['list-units', 'web', 'cache', 'old', 'db', 'a-*', 'house.target'],
}
SPAN = r'(?:\d+(?:\.\d+)?(?:us|ms|s|min|h|d|w)(?: \d+(?:\.\d+)?(?:us|ms|s|min|h|d))*)'
SAME = [(r'\b[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \w+', 'DATE'), (r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d', 'DAY'), (r'(?m)^(  )\d\d-\d\d \d\d:\d\d:\d\d', r'\1DAY'), (SPAN + ' ago', 'AGO'), (r'; \d[^;\n]*…', '; AGO…'), (r'\bin ' + SPAN, 'in SPAN'),
        (r'\bafter ' + SPAN, 'after SPAN'), (r'\bpid \d+', 'pid N'), (r'PID: \d+', 'PID: N'), (r'(?<=\s)\d{2,7}(?=\s|$)', 'N'),
        (r'(?<=\s)' + SPAN + r'(?=\s|$)', 'SPAN'), (r'\(\d+\)', '(N)')]
ESCAPE = re.compile('\033\\[[0-9;]*m')


def columns_of(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in 'WF' else 1 for c in line)


def on_terminal(argv, width, **env):
    """What it prints to a terminal of WIDTH columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 24, width, 0, 0))
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=slave, stderr=subprocess.STDOUT, env=env)
    os.close(slave)
    out = b''
    while True:
        try:
            data = os.read(master, 65536)
        except OSError:
            break
        if not data:
            break
        out += data
    process.wait(harness.BOUND)
    os.close(master)
    return out.decode().replace('\r\n', '\n')


class Look(harness.Case):
    @classmethod
    def prepare(cls):
        for name, text in UNITS.items():
            cls.s.unit(name, text)

    def env(self, **more):
        env = {k: v for k, v in self.s.environment(TERM='xterm', **more).items() if k not in ('COLUMNS', 'NO_COLOR') or k in more}
        return env

    def test_00_settle(self):
        self.s.ctl('start', 'house.target', check=0)
        self.s.until('old.service', ActiveState='failed')
        self.s.until('cache.service', SubState='auto-restart')
        for unit in ('web.service', 'db.service', next(u for u in UNITS if u.startswith('a-'))):
            wait(lambda: self.asleep(unit), 'it to have become what it is to be')
        wait(lambda: 'two' in read(self.s.log + '/web.service.log'), 'its lines')

    def asleep(self, unit):
        """The shell has become sleep, and sleeps: what it is called and what it does is printed."""
        pid = self.s.main_pid(unit)
        return pid and read('/proc/%d/comm' % pid) == 'sleep\n' and (harness.stat_of(pid) or '?')[0] == 'S'

    def equal(self, text, width=0):
        """Without what differs from run to run, and from machine to machine; what is cut is cut at some other place then."""
        text = text.replace(self.s.dir, '/DIR')
        for pattern, word in SAME:
            text = re.sub(pattern, word, text)
        if width == 80: # what is cut there depends on how long a number is, whether it is cut, too
            text = text.replace('since DATE; AGO', 'since AGO')
            text = re.sub(r'(?m)^(  DAY) .*? (N +)?SPAN +(\S+)( .*)?$', r'\1 CAUSE \2SPAN \3 CAUSE', text)
            text = re.sub(r'(?m)^( *(?:Restart|Ended|Started|Before):?) .*(AGO|SPAN|DATE).*$', r'\1 …', text)
        lines = [line for line in text.split('\n') if not re.match(r' +(Tasks|Memory|CPU|CGroup): ', line)]
        lines = [re.sub(r'^(\s*\w+) .*…$', r'\1 …', line) if re.match(r'\s*(DAY|[A-Z][a-z]+) ', line) and '…' in line else line
                 for line in lines]
        lines = [re.sub(r'^(\s*DAY) .*….*', r'\1 …', line) for line in lines]
        return '\n'.join(re.sub(r'(?<=\S) {2,}', ' ', re.sub(r'\S*…', '…', line)).rstrip() for line in lines)

    def compare(self, name, text):
        path = '%s/golden/%s' % (HERE, name)
        if WRITE:
            harness.write(path, text)
        self.maxDiff = None
        self.assertEqual(text, read(path), 'test-look.py --write makes %s anew' % path)

    def check(self, verb):
        argv = [os.environ['SUPCTL'], *COMMANDS[verb]]
        for width in (80, 200):
            plain = on_terminal(argv, width, **self.env(NO_COLOR='1'))
            self.assertNotIn('\033', plain)
            if verb != 'verify': # findings are whole, for editors that jump to them
                for line in plain.splitlines():
                    self.assertLessEqual(columns_of(line), width, line)
            colour = on_terminal(argv, width, **self.env())
            self.assertEqual(self.equal(ESCAPE.sub('', colour), width), self.equal(plain, width))
            self.compare('%s.%d' % (verb, width), self.equal(plain, width))
        pipe = subprocess.run(argv, env=self.env(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
        self.assertNotIn('\033', pipe)
        self.compare('%s.pipe' % verb, self.equal(pipe))

    def test_01_status(self):
        self.check('status')

    def test_02_tree(self):
        self.check('tree')

    def test_03_why(self):
        self.check('why')

    def test_04_history(self):
        self.check('history')

    def test_05_verify(self):
        self.check('verify')

    def test_06_plan(self):
        self.check('plan')

    def test_07_list_units(self):
        self.check('list-units')

    def test_08_columns_line_up(self):
        for verb in ('tree', 'history', 'plan'):
            for text in on_terminal([os.environ['SUPCTL'], *COMMANDS[verb]], 200, **self.env(NO_COLOR='1')).split('\n\n'):
                lines = text.splitlines()
                head = next((i for i, line in enumerate(lines) if re.match(r' *[A-Z]{3,} ', line)), None)
                if head is None:
                    continue
                starts = [m.start() for m in re.finditer(r'(?<=  )\S', lines[head])]
                for start in starts:
                    if lines[head][start:].startswith(('PID', 'STEP')):
                        continue # flush right
                    for line in lines[head + 1:]:
                        self.assertIn(line[start - 2:start], ('', ' ', '  '), line)


harness.main()
