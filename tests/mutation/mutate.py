#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Takes one rule after the other out of the manager and looks whether a test of behaviour notices.

usage: mutate.py --all | --directives | --guards | --rows | --options | --sample | RULE…
       mutate.py --sets [GROUP…]                 RULE: Restart, Service.Restart, guard:NAME, row:STATE:EVENT:GUARD, option:PROGRAM:NAME

The rules are the honoured rows of the table of directives, the guards and rows of the state machine (list-rows), and the options of
supctl and supctl-bus (mutant-supctl and mutant-supctl-bus, which do not know one of them). The manager is
mutant-manager, which leaves out what SUPD_MUTANT names. The tests of a directive are found by looking: the cases of behaviour
whose units use it, and the tests written out in test-*.py that do. One of them has to fail without the rule, and to pass with the
mutant manager as it is. A table tells for each rule which one did; exit status 1 when for one none did.

Guards and rows of the machine are looked for first by the scenarios of tests/fake, which need no process (mutant-fake).

--sets asks the other way round: each case of behaviour, of all groups or of those named, has to fail for a rule that is left out.
The rules of a case are those of the directives in its units, rarest first (of conditions also their opposite), and those of RULES_OF.

--sample takes a few rules, always the same, and stays below a minute; it is for CI.
Environment: as meson's tests have it (meson devenv), MUTANT_MANAGER, MUTANT_FAKE, MUTANT_ROWS, MUTANT_SUPCTL, MUTANT_SUPCTL_BUS,
LIST_ROWS."""
import concurrent.futures
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BEHAVIOUR = os.path.join(HERE, '..', 'integration', 'behaviour')
GOLDEN = os.path.join(HERE, '..', 'fake', 'golden')
sys.path.insert(0, BEHAVIOUR)
from groups import ALONE, GROUPS  # noqa: E402

AT_ONCE, N_CASES, N_SAMPLE = int(os.environ.get('MUTATE_AT_ONCE', 3)), 8, 6
SHORT, LONG = 3, 15 # seconds; the long bound decides when the short one fails with the rule, too
FAKE_BOUND = 60 # seconds
GUARD_GROUPS = ('commands', 'restart', 'stop', 'types', 'notify', 'forking', 'watchdog', 'conditions')
ROW_GROUPS = GUARD_GROUPS + ('limits', 'asserts', 'younger', 'modes', 'more-conditions')

# What --sets tries of the machine with the cases of a group, and the directive without which nothing works: no case is about that.
N_SET = 40
RULES_OF = {group: ['guard ' + g for g in ('RESTART', 'GOOD', 'READY_AT_EXEC', 'ONESHOT', 'MAIN_ALIVE')] for group in (
    'types', 'notify', 'forking', 'commands', 'restart', 'stop', 'watchdog', 'limits', 'state-words', 'consequences', 'daemon-reload')}
EVERYWHERE = ('Service', 'ExecStart')

# Directives that no run of a service shows, at least not everywhere, as they need controllers of cgroup v2, a reboot, mounts, or
# capabilities, or are for units that are not run yet, or for the verbs on unit files: mutant-rows has a row for each.
PURE = re.compile(r'(Install|Socket|Timer|Path)\..*|(Unit|Service)\.(JobTimeout)?RebootArgument|Unit.RequiresMountsFor|Service\.(LimitNICE|LimitRTPRIO|'
                  r'Allowed(CPUs|MemoryNodes)|BlockIO(Accounting|Weight)|CPU(Accounting|Quota|QuotaPeriodSec|Shares|Weight)|Delegate|'
                  r'IO(Accounting|Weight)|Memory(Accounting|High|Limit|Low|Min|SwapMax|ZSwapMax)|OOMPolicy|Tasks(Accounting|Max))')


class Rule:
    def __init__(self, words):
        self.kind = words[0]
        if self.kind == 'guard':
            self.name, self.mutant = 'guard:' + words[1], 'guard ' + ' '.join(words[1:])
        elif self.kind == 'row':
            self.name, self.mutant = 'row:' + ':'.join(words[2:]), 'row ' + words[1]
        elif self.kind == 'option':
            self.name, self.mutant = ':'.join(words), ' '.join(words)
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
                world = re.search(r'^class (\w+)\(%s\)' % suite[1], text, re.M) # a class that is only there for others to be of it
                for key in set(re.findall(r"(?:['\"\n]|\\n)([A-Z][A-Za-z]+)=", m[0])):
                    found.setdefault(key, []).append((file, '%s.%s' % ((world or suite)[1], m[1])))
    return found


class Bench:
    def __init__(self):
        self.libexec = tempfile.mkdtemp(prefix='supd-mutation.')
        for name in os.listdir(os.environ['SUPD_LIBEXEC_DIR']):
            os.symlink(os.path.realpath(os.path.join(os.environ['SUPD_LIBEXEC_DIR'], name)), os.path.join(self.libexec, name))
        for name, mutant in (('supd-manager', 'MUTANT_MANAGER'), ('supctl-bus', 'MUTANT_SUPCTL_BUS')):
            os.unlink(os.path.join(self.libexec, name))
            os.symlink(os.environ[mutant], os.path.join(self.libexec, name))
        self.tables, self.scripts = tables(), scripts()

    def end(self):
        shutil.rmtree(self.libexec)

    def runs(self, rule):
        """What covers RULE: lists of arguments, each a run of a test program."""
        if rule.kind == 'option':
            return [['../verbs/test-options.py', 'Options.test_%s_%s' % tuple(rule.name.split(':')[1:])]]
        if rule.kind != 'directive':
            return [['test-cases.py', g] for g in (GUARD_GROUPS if rule.kind == 'guard' else ROW_GROUPS)]
        of_group = {}
        for _, group, case in self.tables.get((rule.section, rule.key), [])[:N_CASES]:
            of_group.setdefault(group, []).append(case)
        return ([['test-cases.py', g, ','.join(cases)] for g, cases in of_group.items()] +
                [[file, test] for file, test in self.scripts.get(rule.key, [])[:20]])

    def failed(self, run, mutant, bound, one=True):
        """The cases of RUN that fail, in their order; [''] when it fails as a whole. ONE: the first is enough."""
        env = dict(os.environ, SUPD_LIBEXEC_DIR=self.libexec, SUPCTL=os.environ['MUTANT_SUPCTL'], BEHAVIOUR_BOUND=str(bound))
        for name in ('SUPD_MUTANT', 'BEHAVIOUR_ONE'):
            env.pop(name, None)
        if one:
            env['BEHAVIOUR_ONE'] = '1'
        if mutant:
            env['SUPD_MUTANT'] = mutant
        try:
            r = subprocess.run([sys.executable, os.path.join(BEHAVIOUR, run[0])] + run[1:], env=env, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, errors='replace')
        except subprocess.TimeoutExpired:
            return ['']
        if r.returncode == 77:
            print('skipped: ' + r.stdout.strip())
            sys.exit(77)
        return (re.findall(r'^failed: (\S+)$', r.stdout, re.M) or ['']) if r.returncode != 0 else []

    def fake_sees(self, rule):
        """The first scenario that goes another way; RULE may be None: does any?"""
        env = {k: v for k, v in os.environ.items() if not k.startswith('SUPD')}
        env['TMPDIR'] = self.libexec
        if rule:
            env['SUPD_MUTANT'] = rule.mutant
        with subprocess.Popen([os.environ['MUTANT_FAKE'], 'plain', GOLDEN], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, errors='replace', start_new_session=True) as process:
            late = threading.Timer(FAKE_BOUND, os.killpg, (process.pid, signal.SIGKILL))
            late.start()
            try:
                for line in process.stdout:
                    if line.startswith('WRONG '):
                        os.killpg(process.pid, signal.SIGKILL) # a world that goes wrong may go on for long
                        return 'fake-plain ' + re.split('[ :,]', line)[1]
            finally:
                late.cancel()
        return process.returncode != 0 and 'fake-plain, which does not end'

    @staticmethod
    def rows_see(rule):
        env = dict(os.environ, SUPD_MUTANT=rule.mutant if rule else '')
        return subprocess.run([os.environ['MUTANT_ROWS']], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=300).returncode != 0

    def judge(self, rule):
        """(caught, what to say)"""
        if rule.kind == 'directive' and PURE.fullmatch(rule.name):
            if self.rows_see(rule) and not self.rows_see(None):
                return True, 'exec-6-rows'
            return False, 'NOT CAUGHT by exec-6-rows'
        seen = rule.kind in ('row', 'guard') and self.fake_sees(rule)
        if seen:
            return True, seen
        runs, broken = self.runs(rule), []
        for run in runs:
            for bound in (SHORT, LONG, 2 * LONG):
                failed = self.failed(run, rule.mutant, bound)
                if not failed:
                    break
                one = run[:2] + failed[:1] if failed[0] else run
                if not self.failed(one, None, bound) and self.failed(one, rule.mutant, bound): # not by chance
                    return True, ' '.join(one)
            else:
                broken.append(one)
        if broken:
            return False, 'fails with the rule, too: ' + ' '.join(broken[0])
        return False, 'NOT CAUGHT by ' + '; '.join(' '.join(r) for r in runs) if runs else 'NO TEST'

    def tell_apart(self, group, mutant, cases):
        """Those of CASES, of GROUP, that fail for MUTANT and pass without it."""
        def run(names, mutant):
            return self.failed(['test-cases.py', group, ','.join(names)], mutant, SHORT, one=False)
        failed = [n for n in run(cases, mutant) if n]
        return sorted(set(failed) - set(run(failed, None))) if failed else []


def rules():
    out = subprocess.run([os.environ['LIST_ROWS']], stdout=subprocess.PIPE, text=True, check=True).stdout
    for program in ('MUTANT_SUPCTL', 'MUTANT_SUPCTL_BUS'):
        out += subprocess.run([os.environ[program]], env=dict(os.environ, SUPD_MUTANT='options'), stdout=subprocess.PIPE, text=True,
                              check=True).stdout
    return [Rule(line.split()) for line in out.splitlines()]


def chosen(args):
    if '--all' in args:
        return rules()
    for kind in ('row', 'guard', 'directive', 'option'):
        if '--%ss' % kind in args:
            return [r for r in rules() if r.kind == kind]
    if '--sample' in args:
        cheap = [r for r in rules() if r.kind == 'directive' and not PURE.fullmatch(r.name)]
        return cheap[::max(1, len(cheap) // N_SAMPLE)][:N_SAMPLE]
    return [r for r in rules() if any(a in (r.name, r.name.split('.')[-1]) for a in args)]


def candidates(groups):
    """{case: the mutants that it is to be tried with, in this order}"""
    mutants = {(r.section, r.key): r.mutant for r in rules() if r.kind == 'directive'}
    used = {name: {k for file, text in units.items() if not file.startswith('/') for k in keys_of(text)} & set(mutants)
            for cases in GROUPS.values() for name, units, _ in cases}
    often = {k: sum(k in keys for keys in used.values()) for k in mutants}

    def of_directives(name):
        for key in sorted(used[name] - {EVERYWHERE}, key=lambda k: (often[k], k)):
            yield mutants[key]
            if key[1].startswith(('Condition', 'Assert')):
                yield 'negate' + mutants[key].removeprefix('directive')
    return {name: list(of_directives(name)) + RULES_OF.get(group, [])
            for group, cases in GROUPS.items() if not groups or group in groups for name, _, _ in cases}


def sets(bench, groups):
    """The number of cases that no rule makes fail."""
    left, caught = candidates(groups), {}
    alone = {name: group for group in ALONE for name, _, _ in GROUPS[group]}
    while any(left.values()):
        of_mutant = {}
        for name, mutants in left.items():
            if mutants:
                of_mutant.setdefault((alone.get(name, 'any'), mutants.pop(0)), []).append(name)
        todo = [(*m, names[i:i + N_SET]) for m, names in sorted(of_mutant.items()) for i in range(0, len(names), N_SET)]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for (_, mutant, _), found in zip(todo, pool.map(lambda t: bench.tell_apart(*t), todo)):
                for name in found:
                    caught[name] = mutant
                    del left[name]
                    print('%-50s %s' % (name, mutant), flush=True)
    for name in left:
        print('%-50s NO RULE' % name)
    print('%d sets, %d told apart, %d not' % (len(caught) + len(left), len(caught), len(left)))
    return len(left)


def main():
    if len(sys.argv) < 2 or '--help' in sys.argv:
        print(__doc__)
        return 2
    bench = Bench()
    try:
        return sets(bench, sys.argv[2:]) > 0 if sys.argv[1] == '--sets' else judge_all(bench, chosen(sys.argv[1:]))
    finally:
        bench.end()


def judge_all(bench, todo):
    begin, missed = time.monotonic(), 0
    if any(r.kind in ('row', 'guard') for r in todo) and bench.fake_sees(None):
        print('the scenarios fail with all rows: ' + bench.fake_sees(None))
        return 1
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        judged = pool.map(lambda r: (r, bench.judge(r)), todo)
        for rule, (caught, what) in judged:
            missed += not caught
            print('%-40s %-10s  %s' % (rule.name, 'caught' if caught else 'NOT CAUGHT', what), flush=True)
    print('%d rules: %d caught, %d not caught, %.0f s' % (len(todo), len(todo) - missed, missed, time.monotonic() - begin))
    return 1 if missed or not todo else 0


if __name__ == '__main__':
    sys.exit(main())
