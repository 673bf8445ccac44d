#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test-verify.py SUPCTL: what `supctl verify` and `supctl cat` say of files, and how they exit. No supd runs."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

SUPCTL = os.path.abspath(sys.argv.pop(1))
MISTAKES = '''[Unit]
Description=x
Requires=nothere.service
Aftr=b.service
[Service]
Type=simpel
ExecStart=/nonexistent/program a
TimeoutStopSec=5x
User=no-such-user
X-Ours=1
[Foo]
Bar=1
[Install]
WantedBy=multi-user.target
'''


class Verify(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.TemporaryDirectory(prefix='supd-verify-')
        self.dir = self.top.name

    def tearDown(self):
        self.top.cleanup()

    def put(self, name, text):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w') as f:
            f.write(text)
        return path

    def run_(self, *args, status):
        env = {'PATH': '/usr/bin:/bin', 'SUPD_RUNTIME_DIR': self.dir + '/none', 'SUPD_UNIT_PATH': self.dir}
        r = subprocess.run([SUPCTL, *args], capture_output=True, text=True, env=env, timeout=60, cwd=self.dir)
        self.assertEqual(r.returncode, status, r.stdout + r.stderr)
        return r

    def findings(self, *args, status):
        out = json.loads(self.run_('verify', '--json', *args, status=status).stdout)
        return [(f.get('line', 0), f.get('key'), f['finding']) for f in out]

    def test_01_clean(self):
        self.put('a.service', '[Service]\nExecStart=/bin/true\n')
        self.assertEqual(self.findings('a.service', status=0), [(2, 'ExecStart', 'honoured')])
        self.assertEqual(self.run_('verify', 'a', status=0).stdout,
                         '%s/a.service:2: honoured: [Service] ExecStart=\na.service: 1 honoured\n' % self.dir)
        self.assertEqual(self.run_('verify', '-q', './a.service', status=0).stdout, '')

    def test_02_every_kind(self):
        path = self.put('a.service', MISTAKES)
        self.assertEqual(self.findings(path, status=1), [
            (2, 'Description', 'honoured'), (3, 'Requires', 'honoured'), (4, 'Aftr', 'unknown'), (6, 'Type', 'bad-value'),
            (7, 'ExecStart', 'honoured'), (8, 'TimeoutStopSec', 'bad-value'), (9, 'User', 'honoured'), (12, 'Bar', 'unknown'),
            (14, 'WantedBy', 'honoured'), (7, None, 'problem'), (0, None, 'note'), (0, None, 'note')])
        text = self.run_('verify', path, status=1).stdout
        for words in (':4: unknown: [Unit] Aftr=:', 'did you mean After=?', "bad value: [Service] TimeoutStopSec=: '5x' is not a time",
                      '/nonexistent/program is not an executable file here', 'user no-such-user does not exist here',
                      'Requires=nothere.service: there is no such unit here'):
            self.assertIn(words, text)

    def test_03_notices_fail_only_when_strict(self):
        path = self.put('a.service', '[Service]\nExecStart=/bin/true\nRestrictRealtime=yes\n')
        self.assertEqual(self.findings(path, status=0)[-1], (3, 'RestrictRealtime', 'notice'))
        self.run_('verify', '--strict', path, status=1)

    def test_04_whole_units(self):
        self.assertEqual(self.findings('gone', status=1), [(0, None, 'problem')])
        self.assertIn('No such file', self.run_('verify', './gone.service', status=1).stderr)
        self.assertIn('is not the name of a unit file', self.run_('verify', self.put('x.conf', ''), status=1).stderr)
        self.put('b.service', '[Service]\nType=oneshot\n')
        self.assertEqual(self.findings('b.service', status=1)[-1][2], 'problem')
        self.put('c.service', '[Service\nx=1\n[Service]\nExecStart=/bin/true\n')
        self.assertEqual(self.findings('c.service', status=1)[-1], (1, None, 'problem'))

    def test_05_dropins_and_templates(self):
        self.put('t@.service', '[Service]\nExecStart=/bin/echo %i\n')
        self.put('t@.service.d/x.conf', '[Service]\nExecStrt=/bin/true\n')
        r = self.run_('verify', self.dir + '/t@.service', status=1)
        self.assertIn('t@.service.d/x.conf:2: unknown: [Service] ExecStrt=', r.stdout)

    def test_06_several_are_all_read(self):
        self.put('a.service', '[Service]\nExecStart=/bin/true\n')
        self.put('b.service', '[Service]\nExecStart=/bin/true\nNonsense=1\n')
        self.assertEqual([f[1] for f in self.findings('b.service', 'a.service', status=1)], ['ExecStart', 'Nonsense', 'ExecStart'])

    def test_07_cat(self):
        self.put('a.service', '[Service]\nExecStart=/bin/true')
        self.put('a.service.d/x.conf', '[Unit]\n')
        self.assertEqual(self.run_('cat', 'a', status=0).stdout,
                         '# {0}/a.service\n[Service]\nExecStart=/bin/true\n\n# {0}/a.service.d/x.conf\n[Unit]\n'.format(self.dir))
        self.assertEqual(self.run_('cat', 'gone', status=1).stderr, 'No files found for gone.service.\n')


if __name__ == '__main__':
    unittest.main(verbosity=2)
