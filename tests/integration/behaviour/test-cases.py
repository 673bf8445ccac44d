#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the tables of cases.py and cases_*.py against a private supd.

usage: test-cases.py GROUP|any [NAME,…]        environment as harness.py says, and TELL
       test-cases.py --reference PROGRAM [GROUP [NAME,…]]
The second form runs the same tables against another manager, through a program that has `run COMMAND` (a shell command where
that manager is) and whose standard input is that command's: so an expectation can be held against the real systemd.
Which cases differ on purpose stands in differences.py. It needs python3 there, for the cases with a terminal.

Steps of a case: VERB UNIT [= EXIT CODE]     a verb of supctl; units are named by their key in the case
                 is UNIT STATE…             waits for the six words of harness.FIELDS (or some of them); each may be a regular expression
                 prop UNIT NAME=VALUE       waits for a property; VALUE may be a regular expression
                 file NAME TEXT             waits until the file holds TEXT ('|' between lines)
                 lacks NAME                 the file does not exist
                 sh COMMAND                 must succeed
                 until COMMAND              waits until it succeeds
Keys of a case: a name without a dot is a service, "/NAME" a file beside the case, "a.service.d/x.conf" and the like a file beside
the unit files, "^NAME" one in a directory that goes before theirs; a text "-> TARGET" makes a link. @U@ is the directory of
the unit files, @H@ the one that goes before, @CTL@ the command that has the verbs."""
import concurrent.futures
import os
import re
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from differences import DELIBERATE, YOUNGER  # noqa: E402
from groups import ALONE, GROUPS  # noqa: E402

BOUND = float(os.environ.get('BEHAVIOUR_BOUND', 20))


class OfSupd:
    """Where the cases run: in a supd of our own."""
    def __init__(self):
        self.supd = harness.Supd('cases')
        self.dir, self.units = self.supd.dir + '/c', self.supd.units
        self.high = self.supd.dir + '/high'
        for d in (self.dir, self.high):
            os.makedirs(d, exist_ok=True)
        self.tell = os.environ['TELL']
        self.ctl_command = 'env SUPD_NAME=%s SUPD_RUNTIME_DIR=%s %s' % (self.supd.name, self.supd.runtime, os.environ['SUPCTL'])
        self.supd.start(env={'SUPD_UNIT_PATH': self.high + ':' + self.units})

    def put(self, path, text):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if text.startswith('-> '):
            os.symlink(text[3:], path)
        else:
            harness.write(path, text.encode(errors='surrogateescape'))

    def file(self, path, text):
        harness.write(path, text)

    def loaded(self):
        pass

    def hold(self, name, units):
        pass

    def ctl(self, *args):
        r = self.supd.ctl(*args)
        return r.returncode, r.stdout, r.stderr

    def sh(self, command):
        r = subprocess.run(['/bin/sh', '-c', command], capture_output=True, text=True)
        return r.returncode, r.stdout

    def said(self):
        return harness.read(self.supd.out)

    def end(self):
        self.supd.process.send_signal(15)
        try:
            status = self.supd.process.wait(BOUND)
            left = harness.left_over()
        finally:
            self.supd.kill()
        said = harness.read(self.supd.out)
        problems = [w for w in ('cannot happen', 'runtime error', 'Sanitizer', 'starting over') if w in said]
        if status != 0 or left or problems:
            raise AssertionError('supd ended with %s, left %s, said %s' % (status, left, said[-3000:]))


class OfReference:
    def __init__(self, program):
        self.program = program
        self.dir, self.units, self.tell, self.high = '/run/cases', '/run/systemd/system', '/run/cases-tell', '/etc/systemd/system'
        self.ctl_command = 'systemctl'
        subprocess.run([program, 'run', 'mount --make-rshared /'], check=True)  # else no service sees its credentials
        with open(os.environ['TELL'], 'rb') as f:
            subprocess.run([program, 'run', 'cat > %s; chmod 755 %s; mkdir -p %s' % (self.tell, self.tell, self.dir)],
                           stdin=f, check=True)

    def put(self, path, text):
        how = "ln -sf '%s' '%s'" % (text[3:], path) if text.startswith('-> ') else "cat > '%s'" % path
        subprocess.run([self.program, 'run', "mkdir -p \"$(dirname '%s')\"; rm -f '%s'; %s" % (path, path, how)],
                       input=text.encode(errors='surrogateescape'), check=True)

    def file(self, path, text):
        subprocess.run([self.program, 'run', "cat > '%s'" % path], input=text, text=True, check=True)

    def loaded(self):
        self.sh('systemctl daemon-reload; systemctl start ' + ' '.join(self.holds))

    def hold(self, name, units):
        """It would forget a unit that nobody needs, and how it ended: something that runs names them all."""
        self.put(self.units + '/' + name + '-hold.target', '[Unit]\nDefaultDependencies=no\nAfter=%s\n' % ' '.join(units))
        self.holds = getattr(self, 'holds', []) + [name + '-hold.target']

    def ctl(self, *args):
        r = subprocess.run([self.program, 'run', 'timeout %d systemctl ' % (3 * BOUND) + ' '.join("'%s'" % a for a in args)],
                           capture_output=True, text=True)
        return r.returncode, r.stdout, r.stderr

    def sh(self, command):
        r = subprocess.run([self.program, 'run', command], capture_output=True, text=True)
        return r.returncode, r.stdout

    def said(self):
        return ''

    def end(self):
        pass


class Runner:
    def __init__(self, world, name, units, steps):
        self.w, self.name, self.steps = world, name, steps
        self.dir = '%s/%s' % (world.dir, name)
        self.names = {k: '%s-%s' % (name, k if '.' in k else k + '.service') for k in units if k[0] not in '/^'}
        self.texts = {k: self.expand(v) for k, v in units.items()}

    def expand(self, text):
        text = text.replace('@D@', self.dir).replace('@TELL@', self.w.tell).replace('@U@', self.w.units).replace('@H@', self.w.high)
        text = text.replace('@CTL@', self.w.ctl_command)
        return re.sub(r'@([\w.@-]+?)@', lambda m: self.names.get(m[1], '%s-%s' % (self.name, m[1])), text)

    def put(self):
        self.w.sh('rm -rf %s; mkdir -p %s' % (self.dir, self.dir))
        for k, text in self.texts.items():
            if k.startswith('/'):
                self.w.file(self.dir + k, text)
                continue
            k = self.expand(k)
            name = '%s-%s' % (self.name, k.lstrip('^') if '.' in k else k.lstrip('^') + '.service')
            self.w.put('%s/%s' % (self.w.high if k[0] == '^' else self.w.units, name), text)
        self.w.hold(self.name, self.own())

    def own(self):
        """The units of the case."""
        return [n for n in self.names.values() if '/' not in n and '@.' not in n]

    def wait(self, look, wanted, step):
        end = time.monotonic() + BOUND
        while True:
            got = look()
            if wanted(got):
                return
            if time.monotonic() > end:
                raise AssertionError('%s: step "%s": waited in vain, it is %r\n%s' % (self.name, step, got, self.said()))
            time.sleep(0.02)

    def said(self):
        return '\n'.join([line for line in self.w.said().splitlines() if self.name + '-' in line])

    def values(self, unit, names):
        text = self.w.ctl('show', unit, '-p', ','.join(names))[1]
        found = dict(line.partition('=')[::2] for line in text.splitlines())
        return [found.get(n, '') for n in names]

    def unit_name(self, word):
        return self.names.get(word) or (word if '.' in word and word.startswith(self.name) else
                                        '%s-%s' % (self.name, word if '.' in word else word + '.service'))

    def step(self, step):
        word, _, rest = step.partition(' ')
        first, _, more = rest.partition(' ')
        if word == 'is':
            wanted = more.split()
            names = list(harness.FIELDS)[:len(wanted)]
            self.wait(lambda: self.values(self.unit_name(first), names),
                      lambda got: len(got) == len(wanted) and all(map(re.fullmatch, wanted, got)), step)
        elif word == 'prop':
            key, _, value = more.partition('=')
            value = self.expand(value)
            self.wait(lambda: self.values(self.unit_name(first), [key])[0], lambda got: re.fullmatch(value, got), step)
        elif word == 'file':
            wanted = ''.join(line + '\n' for line in self.expand(more).split('|')) if more else ''
            self.wait(lambda: self.w.sh('cat %s/%s' % (self.dir, first))[1], lambda got: got == wanted, step)
        elif word == 'lacks':
            self.wait(lambda: self.w.sh('test ! -e %s/%s' % (self.dir, first))[0], lambda got: got == 0, step)
        elif word == 'sh':
            got, out = self.w.sh('cd %s; %s' % (self.dir, self.expand(rest)))
            if got != 0:
                raise AssertionError('%s: step "%s": exit status %d\n%s%s' % (self.name, step, got, out, self.said()))
        elif word == 'until':
            self.wait(lambda: self.w.sh('cd %s; %s' % (self.dir, self.expand(rest)))[0], lambda got: got == 0, step)
        else:
            command, _, code = step.partition(' = ')
            words = command.split()
            args = [words[0]] + [self.unit_name(w) if not w.startswith('-') else w for w in words[1:]]
            got, out, err = self.w.ctl(*args)
            if got != int(code or 0):
                raise AssertionError('%s: step "%s": exit code %d\n%s%s%s' % (self.name, step, got, out, err, self.said()))

    def run(self):
        for step in self.steps:
            self.step(step)
        self.w.ctl('stop', *self.own())


def wanted(only, name):
    return only is None or name in only.split(',')


def run_group(world, group, only=None):
    """{name: None or what went wrong}"""
    runners = [Runner(world, n, u, s) for n, u, s in GROUPS[group] if wanted(only, n)]
    assert len({r.name for r in runners}) == len(runners)
    for r in runners:
        r.put()
    world.loaded()

    failed = []

    def one(r):
        if failed and 'BEHAVIOUR_ONE' in os.environ: # one failure says it all
            return 'not run'
        try:
            r.run()
        except Exception as e:
            failed.append(r)
            print('failed: ' + r.name, file=sys.stderr)
            return str(e) or repr(e)
    with concurrent.futures.ThreadPoolExecutor(1 if group in ALONE else 8) as pool:
        return dict(zip([r.name for r in runners], pool.map(one, runners)))


def reference(program, groups, only):
    world = OfReference(program)
    same, bad, on_purpose = 0, 0, 0
    for g in groups:
        for name, problem in run_group(world, g, only).items():
            known = 'systemd 252 does not have it' if name in YOUNGER else DELIBERATE.get(name)
            same += not problem and not known
            on_purpose += bool(problem and known)
            bad += bool(problem) != bool(known)
            if problem or known:
                print('%s/%s %s: %s' % (g, name, 'DIFFERS' if not known else 'differs' if problem else 'DIFFERS NO MORE', known or problem))
    print('%d are the same, %d differ on purpose, %d differences' % (same, on_purpose, bad))
    return bad != 0


class Tables(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = OfSupd()
        cls.results = run_group(cls.world, GROUP, ONLY)

    @classmethod
    def tearDownClass(cls):
        cls.world.end()


def add(name):
    def test(self):
        if self.results.get(name, 'not run'):
            self.fail(self.results[name])
    setattr(Tables, 'test_' + name.replace('-', '_'), test)


if __name__ == '__main__':
    args = sys.argv[1:]
    if args[0] == '--reference':
        sys.exit(reference(args[1], args[2:3] or sorted(GROUPS), args[3] if len(args) > 3 else None))
    harness.enter()
    GROUPS['any'] = [case for group, cases in GROUPS.items() if group not in ALONE for case in cases]
    GROUP, ONLY = args[0], args[1] if len(args) > 1 else None
    for name, _, _ in GROUPS[GROUP]:
        if wanted(ONLY, name):
            add(name)
    sys.argv[1:] = []
    harness.main()
