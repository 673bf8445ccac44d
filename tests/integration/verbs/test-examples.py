#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The examples of supctl(1), each run as it stands there, and the completions, as a shell would ask for them.

Environment: behaviour/harness.py, MANUALS (where supctl.1 lies), COMPLETIONS (where the generated ones lie)."""
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'behaviour'))
import harness  # noqa: E402
from harness import read  # noqa: E402

harness.enter()
SLEEPS = '[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=default.target\n'


def examples(path):
    text = read(path).split('.Sh EXAMPLES', 1)[1]
    return [line for line in re.search(r'\.Bd[^\n]*\n(.*?)\.Ed', text, re.S)[1].splitlines() if line]


class Examples(harness.Case):
    @classmethod
    def prepare(cls):
        for name in ('nginx.service', 'ssh.service'):
            cls.s.unit(name, SLEEPS)
        # an image to look at from outside, and a supctl that is found by its name
        harness.write('/srv/image/etc/systemd/system/ssh.service', SLEEPS)
        harness.write('/srv/image/etc/systemd/system/nginx.service', SLEEPS)
        os.makedirs(cls.s.dir + '/bin', exist_ok=True)
        os.symlink(os.environ['SUPCTL'], cls.s.dir + '/bin/supctl')

    def run_one(self, line):
        env = self.s.environment(PATH=self.s.dir + '/bin:' + os.environ['PATH'])
        return subprocess.run(['/bin/sh', '-c', line], env=env, cwd=self.s.units, capture_output=True, text=True, timeout=60)

    def test_01_each_runs(self):
        self.s.ctl('start', 'nginx', check=0)
        lines = examples(os.environ['MANUALS'] + '/supctl.1')
        self.assertGreater(len(lines), 10)
        for line in lines:
            r = self.run_one(line)
            self.assertEqual((r.returncode, 'Unknown' in r.stderr), (0, False), '%s: %s%s' % (line, r.stdout, r.stderr))

    # ---- completions ----

    def complete(self, *words):
        """What bash offers for the last of WORDS."""
        script = ('source %s/supctl.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _supctl; printf "%%s\\n" "${COMPREPLY[@]}"'
                  % os.environ['COMPLETIONS'])
        env = self.s.environment(PATH=self.s.dir + '/bin:' + os.environ['PATH'])
        r = subprocess.run(['bash', '-c', script, 'bash', 'supctl', *words], env=env, capture_output=True, text=True, timeout=60)
        self.assertEqual((r.returncode, r.stderr), (0, ''))
        return r.stdout.split()

    def test_10_bash(self):
        if not shutil.which('bash'):
            self.skipTest('no bash')
        self.s.ctl('start', 'nginx', check=0)
        self.assertEqual(sorted(self.complete('sta')), ['start', 'status'])
        self.assertIn('--kill-value=', self.complete('--ki'))
        self.assertEqual(self.complete('stop', 'ng'), ['nginx.service'])
        self.assertEqual(self.complete('stop', 'ss'), [])
        self.assertEqual(self.complete('start', 'ss'), ['ssh.service'])
        self.assertEqual(self.complete('-s', 'HUP', 'kill', 'ng'), ['nginx.service'])
        self.assertEqual(self.complete('plan', 'daemon'), ['daemon-reload'])
        self.assertEqual(self.complete('plan', 'stop', 'ng'), ['nginx.service'])
        self.assertEqual(self.complete('isolate', 'def'), ['default.target'])
        self.assertEqual(self.complete('log-level', 'de'), ['debug'])
        self.assertEqual(self.complete('is-system-running', ''), [])

    def test_11_every_verb_is_known(self):
        for verb in self.complete(''):
            r = self.s.ctl(verb, '--help')
            self.assertNotIn('Unknown verb', r.stderr + r.stdout, verb)

    def test_12_zsh_and_fish_can_read_theirs(self):
        for shell, name in (('zsh', '_supctl'), ('fish', 'supctl.fish')):
            path = '%s/%s' % (os.environ['COMPLETIONS'], name)
            self.assertIn('list-dependencies', read(path))
            if shutil.which(shell):
                subprocess.run([shell, '-n', path], check=True, timeout=60)


harness.main()
