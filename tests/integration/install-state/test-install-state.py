#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test-install-state.py SUPCTL EXPECTED [--record] [--random=N [--seed=N]] [CASE...]: supctl's verbs on unit files
beside the real systemctl 252 (Debian 12): the same links, the same lines, the same exit status, after each command.

The real one is, first that exists: `systemctl` of that version here; the one in a distribution's root
($SUPD_TEST_REFERENCE, or the default of the conformance kit's oracle beside the checkout), run by its own loader; else
what was observed of it, as EXPECTED has it (written by --record). --random makes roots and commands by chance, for
which only the real one can be asked. Not here: what needs a running supd (test-running.py).
Exit status: 0 all the same, 1 not.
"""
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cases # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
VERSION = 'systemd 252 '
NOTICE = 'The unit files have no installation config'


# ---- the real one ----

def reference_root():
    if os.environ.get('SUPD_TEST_REFERENCE'):
        return os.environ['SUPD_TEST_REFERENCE']
    kit = os.environ.get('SUPD_CONFORMANCE') or os.path.join(HERE, '../../../../shared/conformance')
    try:
        found = re.search(r'\(default (/[^\s,)]+)', open(os.path.join(kit, 'oracle')).read())
    except OSError:
        return None
    return found[1] if found else None


def reference():
    """The words that run systemctl, or None."""
    words = []
    if shutil.which('systemctl'):
        words.append(['systemctl'])
    root = reference_root()
    if root and os.path.exists(root + '/bin/systemctl'):
        libs = ':'.join(root + d for d in ('/lib/x86_64-linux-gnu', '/lib/x86_64-linux-gnu/systemd', '/lib/systemd'))
        words.append([root + '/lib64/ld-linux-x86-64.so.2', '--library-path', libs, root + '/bin/systemctl'])
    for w in words:
        r = subprocess.run([*w, '--version'], capture_output=True, text=True)
        if r.returncode == 0 and r.stdout.startswith(VERSION):
            return w
    return None


# ---- one command ----

def build(top, tree):
    for path, text in tree.items():
        full = os.path.join(top, path)
        os.makedirs(full if text is None else os.path.dirname(full), exist_ok=True)
        if text is None:
            continue
        if text.startswith('-> '):
            os.symlink(text[3:], full)
        else:
            with open(full, 'w', newline='') as f:
                f.write(text)


def snapshot(top):
    """{path: what} of all that lies there; directories only when they are empty."""
    out = {}
    for at, dirs, files in os.walk(top):
        rel = os.path.relpath(at, top)
        if not dirs and not files:
            out[rel + '/'] = 'directory'
        for name in dirs + files:
            full, path = os.path.join(at, name), os.path.normpath(os.path.join(rel, name))
            if os.path.islink(full):
                out[path] = '-> ' + os.readlink(full)
            elif os.path.isfile(full):
                out[path] = open(full, newline='').read()
    return out


def lines_of(text, top):
    """Sorted, since directories are read in any order; the long notice is one line whatever its words."""
    out, skip = [], False
    for line in text.replace(top, 'ROOT').splitlines():
        if line.startswith(NOTICE):
            out.append(NOTICE)
            skip = True
        elif skip and (line == '' or line[0] in ' •' or re.match(r'(Alias=|units|in \[|Possible)', line)):
            continue
        else:
            skip = False
            out.append(line)
    return sorted(out)


def run(words, top, command):
    env = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'SUPD_RUNTIME_DIR': '/nonexistent'}
    r = subprocess.run([*words, '--root=' + top, *command.split()], capture_output=True, text=True, env=env, timeout=60)
    return r.returncode, lines_of(r.stdout, top), lines_of(r.stderr, top)


def change(before, after):
    return {p: after.get(p) for p in sorted(set(before) | set(after)) if before.get(p) != after.get(p)}


def play(words, tree, commands, stop=None):
    """What each command did: [status, stdout, stderr, changes]."""
    with tempfile.TemporaryDirectory(prefix='supd-install-') as top:
        build(top, tree)
        before, out = snapshot(top), []
        for command in commands:
            status, stdout, stderr = run(words, top, command)
            after = snapshot(top)
            out.append([status, stdout, stderr, change(before, after)])
            before = after
        return out


# ---- random roots ----

def random_case(r):
    names = ['a.service', 'b.service', 'a.socket', 't@.service', 'u@.service', 't@x.service', 'x.target']
    dirs = [cases.LIB] * 4 + [cases.ETC] * 2 + [cases.RUN, 'usr/local/lib/systemd/system/', 'run/systemd/generator/', 'opt/']
    targets = ['multi-user.target', 'graphical.target', 'gone.target', 'x.target', 't@.target', '%i.target', 'bad']
    plain = ['a', 'b', 'a.socket', 't@.service', 't@x', 't@y', 'u@x', 'u@.service', 'x.target', 'c', '/opt/a.service', '/opt/t@.service']
    tree = dict(cases.TARGETS)

    def install():
        out = []
        for key, values, chance in (('WantedBy', targets, .6), ('RequiredBy', targets, .2), ('Alias', names + ['c.service', 'v@.service', 'd.service'], .3),
                                    ('Also', names + ['gone.service'], .2), ('DefaultInstance', ['q', 'x', '', 'a-b'], .2)):
            if r.random() < chance:
                out.append(key + '=' + ' '.join(r.sample(values, r.choice([1, 1, 2]))) if key != 'DefaultInstance' else key + '=' + r.choice(values))
        return out

    for _ in range(r.randint(1, 5)):
        d, n = r.choice(dirs), r.choice(names)
        kind = r.random()
        if kind < .75:
            tree[d + n] = cases.unit(*install())
        elif kind < .95:
            tree[d + n] = '-> ' + r.choice(['/dev/null', '/opt/a.service', '/opt/t@.service', '/' + cases.LIB + r.choice(names), r.choice(names), '../../../../' + cases.LIB + r.choice(names)])
        else:
            tree[d + n] = ''
    for _ in range(r.choice([0, 0, 1, 2])):
        n = r.choice(names)
        t = r.choice(['multi-user.target', 'graphical.target', 'x.target'])
        tree[r.choice([cases.ETC, cases.LIB, cases.RUN]) + t + r.choice(['.wants/', '.requires/']) + n.replace('@.', '@' + r.choice('xy') + '.')] = \
            '-> ' + r.choice(['../' + n, '/' + cases.LIB + n, '/opt/' + n, '/' + cases.ETC + n])
    if r.random() < .2:
        tree[r.choice([cases.ETC, cases.LIB]) + r.choice(names) + '.d/x.conf'] = '[Install]\n' + '\n'.join(install()) + '\n'
    if r.random() < .3:
        tree[cases.PRESET + '50-x.preset'] = '\n'.join(r.sample(['enable a.service', 'disable b.*', 'enable t@.service x y', 'disable *', 'enable *', 'disable t@*'], 3)) + '\n'
    verbs = ['enable', 'enable', 'enable', 'disable', 'disable', 'reenable', 'is-enabled', 'is-enabled', 'mask', 'unmask', 'preset', 'revert', 'preset-all',
             'list-unit-files', 'add-wants multi-user.target', 'add-requires x.target', 'set-default', 'get-default', 'link /opt/a.service']
    commands = []
    for _ in range(r.randint(3, 9)):
        v = r.choice(verbs)
        options = ''.join(o + ' ' for o, p in (('--force', .15), ('--runtime', .15)) if r.random() < p)
        if v in ('preset-all', 'list-unit-files', 'get-default') or v.startswith('link'):
            commands.append(options + v)
        elif v == 'set-default':
            commands.append(v + ' ' + r.choice(['multi-user', 'x.target', 'gone']))
        elif v == 'reenable' and any('.d/' in p for p in tree):
            continue # the real one leaves drop-ins out then; ours does not
        else: # the real one takes "reenable t@x" for t@.service and fails; ours does not
            some = [p for p in plain if v != 'reenable' or '@' not in p or p.endswith('@.service')]
            commands.append(options + v + ' ' + ' '.join(r.sample(some, r.choice([1, 1, 1, 2]))))
    for path in list(tree): # a file cannot be a directory, too
        if any(other.startswith(path + '/') for other in tree):
            del tree[path]
    return tree, commands


# ---- the comparison ----

def tell(name, tree, command, want, got):
    print('DIFFERENT %s: %s' % (name, command))
    for what, a, b in zip(('status', 'stdout', 'stderr', 'links'), want, got):
        if a != b:
            print('  %-6s real: %s\n         ours: %s' % (what, json.dumps(a, ensure_ascii=False), json.dumps(b, ensure_ascii=False)))


def compare(name, tree, commands, want, got):
    """How many commands were the same; the first other one ends it, since what follows starts from another root."""
    for i, command in enumerate(commands):
        if want[i] != got[i]:
            tell(name, tree, command, want[i], got[i])
            return i
    return len(commands)


def main():
    options = dict(a[2:].partition('=')[::2] for a in sys.argv[1:] if a.startswith('--'))
    supctl, expected, *only = [a for a in sys.argv[1:] if not a.startswith('--')]
    real, known, same, total, roots = reference(), {}, 0, 0, 0
    if 'record' in options:
        known = {n: play(real, *c) for n, c in cases.CASES.items()}
        with open(expected, 'w') as f:
            f.write('{\n' + ',\n'.join('%s: %s' % (json.dumps(n), json.dumps(v, ensure_ascii=False)) for n, v in known.items()) + '\n}\n')
        print('%d roots, %d commands' % (len(known), sum(map(len, known.values()))))
        return 0
    if not real:
        known = json.load(open(expected))
    if 'random' in options:
        r = random.Random(int(options.get('seed', '1')))
        todo = {'random-%d' % i: random_case(r) for i in range(int(options['random']))}
        assert real, 'random roots need the real systemctl'
    else:
        todo = cases.CASES
    for name, (tree, commands) in todo.items():
        if only and name not in only:
            continue
        want = play(real, tree, commands) if real else known[name]
        n = compare(name, tree, commands, want, play([supctl], tree, commands))
        if n < len(commands) and 'show' in options:
            print(json.dumps([tree, commands], indent=1))
        same, total, roots = same + n, total + len(commands), roots + 1
    print('%d roots, %d commands compared with %s: %d the same' % (roots, total, 'systemctl 252' if real else 'what was observed', same))
    return 0 if same == total else 1


if __name__ == '__main__':
    sys.exit(main())
