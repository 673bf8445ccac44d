#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Takes one rule after the other out of the manager and looks whether a test of behaviour notices.

usage: mutate.py --all | --rows | --sample | RULE…         RULE: Restart, Service.Restart, guard:NAME, row:STATE:EVENT:GUARD

The rules are the honoured rows of the table of directives, and the guards and rows of the state machine (list-rows). The manager is
mutant-manager, which leaves out what SUPD_MUTANT names. The tests of a directive are found by looking: the cases of behaviour
whose units use it, and the tests written out in test-*.py that do. First they have to pass with the mutant manager as it is, then
one of them has to fail without the rule. A table tells for each rule which one did; exit status 1 when for one none did.

A row of the machine is looked for first by the scenarios of tests/fake, which need no process (mutant-fake); --rows takes
these alone, --all all rules.

--sample takes a few rules, always the same, and stays below a minute; it is for CI.
Environment: as meson's tests have it (meson devenv), MUTANT_MANAGER, MUTANT_FAKE, LIST_ROWS."""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BEHAVIOUR = os.path.join(HERE, '..', 'integration', 'behaviour')
GOLDEN = os.path.join(HERE, '..', 'fake', 'golden')
sys.path.insert(0, BEHAVIOUR)
AT_ONCE, N_CASES, N_SAMPLE = 3, 8, 8
SHORT, LONG = 3, 15 # seconds; the long bound decides when the short one fails with the rule, too
GUARD_GROUPS = ('commands', 'restart', 'stop', 'types', 'notify', 'forking', 'watchdog', 'conditions')
ROW_GROUPS = GUARD_GROUPS + ('limits', 'asserts', 'younger', 'modes', 'more-conditions')

# Rules that no run of a service shows, and what holds them instead.
ELSEWHERE = {
    'Install.*': 'the verbs on unit files read them, not the manager: tests of install',
    'Socket.*': 'sockets are read and not opened yet: unit-3-parse',
    'Timer.*': 'timers are read and not run yet: unit-3-parse',
    'Path.*': 'paths are read and not watched yet: unit-3-parse',
    'Unit.RebootArgument': 'goes with a reboot, which is not tried: fake-plain, 41-limit-reboots',
    'Unit.JobTimeoutRebootArgument': 'goes with a reboot, which is not tried: fake-plain, 45-job-timeout-reboots',
    'Service.RebootArgument': 'goes with a reboot, which is not tried: unit-3-parse',
    'Unit.AllowIsolate': 'isolating ends everything else: test of the verbs',
    'Unit.IgnoreOnIsolate': 'isolating ends everything else: test of the verbs',
    'Service.StartLimitAction': 'another place for what [Unit] has, with the same field',
    'Service.RuntimeRandomizedExtraSec': 'what is random may be nothing: unit-3-parse',
    **{'Service.' + key: 'needs the controllers of cgroup v2: machine-worlds, groups' for key in (
        'AllowedCPUs AllowedMemoryNodes BlockIOAccounting BlockIOWeight CPUAccounting CPUQuota CPUQuotaPeriodSec CPUShares CPUWeight '
        'Delegate IOAccounting IOWeight MemoryAccounting MemoryHigh MemoryLimit MemoryLow MemoryMin MemorySwapMax MemoryZSwapMax '
        'OOMPolicy TasksAccounting TasksMax').split()},
    'guard:OOM_KILLS': 'needs the controllers of cgroup v2: machine-worlds, groups',
    'Unit.RequiresMountsFor': 'satisfied as long as nothing here mounts: unit-3-parse',
}
if not any(line.startswith('CapEff') and int(line.split()[1], 16) >> 24 & 1 for line in open('/proc/self/status')):
    ELSEWHERE.update({'Service.LimitNICE': 'needs CAP_SYS_RESOURCE', 'Service.LimitRTPRIO': 'needs CAP_SYS_RESOURCE'})


class Rule:
    def __init__(self, words):
        self.kind = words[0]
        if self.kind == 'guard':
            self.name, self.mutant = 'guard:' + words[1], 'guard ' + ' '.join(words[1:])
        elif self.kind == 'row':
            self.name, self.mutant = 'row:' + ':'.join(words[2:]), 'row ' + words[1]
        else:
            self.section, self.key = words[2], words[3]
            self.name, self.mutant = '%s.%s' % (words[2], words[3]), 'directive %s.%s' % (words[1], words[3])


def keys_of(text):
    """(section, key) of each assignment in the text of a unit."""
    section = ''
    for line in text.splitlines():
        line = line.strip()
        if line.startswith('['):
            section = line.strip('[]')
        elif '=' in line and not line.startswith(('#', ';')):
            yield section, line.split('=', 1)[0].strip()


def tables():
    """{(section, key): [(number of settings, group, case)…]}"""
    from groups import GROUPS
    found = {}
    for group, cases in GROUPS.items():
        if group in ('later',):
            continue
        for name, units, _ in cases:
            used = {k for file, text in units.items() if not file.startswith('/') for k in keys_of(text)}
            for k in used:
                found.setdefault(k, []).append((len(used), group, name))
    return {k: sorted(v) for k, v in found.items()}


def scripts():
    """{key: [(file, class.test)…]}, from the text of the tests that are written out."""
    found = {}
    for file in sorted(os.listdir(BEHAVIOUR)):
        if not re.fullmatch(r'test-(?!cases)\w+\.py', file):
            continue
        with open(os.path.join(BEHAVIOUR, file)) as f:
            text = f.read()
        suite, first = None, re.search(r'^class (\w+)\(unittest', text, re.M)
        for part in re.split(r'^(?=class |if __name__)', text, flags=re.M):
            suite = re.match(r'class (\w+)', part) or suite
            for m in re.finditer(r"^ +\('([\w-]+)', ('.*?)(?=^ +\('|^\])", part, re.M | re.S):
                for key in set(re.findall(r"(?:\b|\\n)([A-Z][A-Za-z]+)=", m[2])):
                    tests = found.setdefault(key, [])
                    tests.append((file, '%s.test_%s' % (suite[1] if suite else first[1], m[1].replace('-', '_'))))
            for m in re.finditer(r'^    def (test_\w+)\(.*?(?=^    def |\Z)', part, re.M | re.S):
                for key in set(re.findall(r"(?:['\"\n]|\\n)([A-Z][A-Za-z]+)=", m[0])):
                    found.setdefault(key, []).append((file, '%s.%s' % (suite[1], m[1])))
    return found


class Bench:
    def __init__(self):
        self.libexec = tempfile.mkdtemp(prefix='supd-mutation.')
        for name in os.listdir(os.environ['SUPD_LIBEXEC_DIR']):
            os.symlink(os.path.realpath(os.path.join(os.environ['SUPD_LIBEXEC_DIR'], name)), os.path.join(self.libexec, name))
        os.unlink(os.path.join(self.libexec, 'supd-manager'))
        os.symlink(os.environ['MUTANT_MANAGER'], os.path.join(self.libexec, 'supd-manager'))
        self.tables, self.scripts = tables(), scripts()

    def end(self):
        shutil.rmtree(self.libexec)

    def runs(self, rule):
        """What covers RULE: lists of arguments, each a run of a test program."""
        if rule.kind != 'directive':
            return [['test-cases.py', g] for g in (GUARD_GROUPS if rule.kind == 'guard' else ROW_GROUPS)]
        of_group = {}
        for _, group, case in self.tables.get((rule.section, rule.key), [])[:N_CASES]:
            of_group.setdefault(group, []).append(case)
        return ([['test-cases.py', g, ','.join(cases)] for g, cases in of_group.items()] +
                [[file, test] for file, test in self.scripts.get(rule.key, [])[:20]])

    def passes(self, run, mutant, bound):
        env = dict(os.environ, SUPD_LIBEXEC_DIR=self.libexec, BEHAVIOUR_BOUND=str(bound), BEHAVIOUR_ONE='1')
        env.pop('SUPD_MUTANT', None)
        if mutant:
            env['SUPD_MUTANT'] = mutant
        try:
            r = subprocess.run([sys.executable, os.path.join(BEHAVIOUR, run[0])] + run[1:], env=env, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        except subprocess.TimeoutExpired:
            return False
        if r.returncode == 77:
            print('skipped: ' + r.stdout.decode().strip())
            sys.exit(77)
        return r.returncode == 0

    @staticmethod
    def fake_sees(rule):
        """The first scenario that goes another way; RULE may be None: does any?"""
        env = {k: v for k, v in os.environ.items() if not k.startswith('SUPD')}
        if rule:
            env['SUPD_MUTANT'] = rule.mutant
        r = subprocess.run([os.environ['MUTANT_FAKE'], 'plain', GOLDEN], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, errors='replace', timeout=300)
        wrong = re.search(r'^WRONG ([\w-]+)', r.stdout, re.M)
        return r.returncode != 0 and 'fake-plain ' + (wrong[1] if wrong else '')

    def judge(self, rule):
        """(caught, what to say)"""
        runs = self.runs(rule)
        broken = []
        if rule.kind == 'row' and self.fake_sees(rule):
            return True, self.fake_sees(rule)
        for run in runs:
            for bound in (SHORT, LONG):
                if self.passes(run, rule.mutant, bound):
                    break
                if self.passes(run, None, bound):
                    return True, ' '.join(run)
            else:
                broken.append(run)
        if broken:
            return False, 'fails with the rule, too: ' + ' '.join(broken[0])
        return False, 'NOT CAUGHT by ' + '; '.join(' '.join(r) for r in runs) if runs else 'NO TEST'


def rules():
    out = subprocess.run([os.environ['LIST_ROWS']], stdout=subprocess.PIPE, text=True, check=True).stdout
    return [Rule(line.split()) for line in out.splitlines()]


def elsewhere(rule):
    for pattern, why in ELSEWHERE.items():
        if rule.name == pattern or pattern.endswith('.*') and rule.name.startswith(pattern[:-1]):
            return why
    return None


def chosen(args):
    every = [r for r in rules() if not elsewhere(r) and r.kind != 'row']
    if '--all' in args:
        return rules()
    if '--rows' in args:
        return [r for r in rules() if r.kind == 'row']
    if '--sample' in args:
        cheap = [r for r in every if r.kind != 'guard']  # a guard is judged by whole groups
        return cheap[::max(1, len(cheap) // N_SAMPLE)][:N_SAMPLE]
    return [r for r in rules() if any(a in (r.name, r.name.split('.')[-1]) for a in args)]


def main():
    if len(sys.argv) < 2 or '--help' in sys.argv:
        print(__doc__)
        return 2
    bench, bad, n = Bench(), 0, 0
    begin = time.monotonic()
    todo = chosen(sys.argv[1:])
    if any(r.kind == 'row' for r in todo) and bench.fake_sees(None):
        print('the scenarios fail with all rows: ' + bench.fake_sees(None))
        return 1
    try:
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            judged = pool.map(lambda r: (r, (None, elsewhere(r)) if elsewhere(r) else bench.judge(r)), todo)
            for rule, (caught, what) in judged:
                n += 1
                bad += caught is False
                word = {True: 'caught', False: 'NOT CAUGHT', None: 'elsewhere'}[caught]
                print('%-40s %-10s  %s' % (rule.name, word, what), flush=True)
    finally:
        bench.end()
    print('%d rules, %d not caught, %.0f s' % (n, bad, time.monotonic() - begin))
    return 1 if bad or not n else 0


if __name__ == '__main__':
    sys.exit(main())
