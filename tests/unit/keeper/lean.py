#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# lean.py SOURCE_DIR SUPD OBJECT_DIR: does the keeper keep what it promises of itself?
#   1. no object of its own names a function that allocates; where libc is musl, not even the program holds an allocator
#   2. each loop that is no for (…; a bound; …) stands in the table below, with its bound
#   3. it can be read in one sitting: lines are counted, printed, and limited
#
# Not here: that it does not allocate through libc while it runs (test-keeper-poor). Exit status: 0 all is well, 1 not,
# 77 without nm.
import glob, os, re, shutil, subprocess, sys

ALLOCATES = set('''malloc calloc realloc reallocarray free strdup strndup asprintf vasprintf fopen fdopen popen freopen
    opendir fdopendir scandir getline getdelim open_memstream getpwnam getpwuid getgrnam getgrgid getaddrinfo setvbuf
    glob wordexp regcomp qsort setlocale pthread_create sem_open tmpfile realpath posix_memalign aligned_alloc
    syslog brk sbrk'''.split())
LINES = 2750  # of code: no blank lines, no comments

# (file, the loop) -> its bound
LOOPS = {
    ('keeper.c', 'for (;;)'): 'the loop: one ppoll and one bounded turn each time; ends with end_step()',
    ('command.c', 'while (!c.ended)'): 'the loop of `-- COMMAND`: one wait each time; ends with the command',
    ('command.c', 'while (children_look(c) && (now = now_us()) < end)'): 'a time',
    ('shutdown.c', 'while (!reap_until(pid))'): 'SHUTDOWN_MAX, behind which it gives up waiting',
    ('state-file.c', 'while (r == -EAGAIN || r == -EACCES)'): 'TAKEOVER_WAIT, at start',
    ('state-file.c', 'while (n > 0 && r >= 0)'): 'two pieces: the ring wraps once',
    ('store.c', 'while (n > 0 && !entry_used(&durable_fds(k->map)[n - 1]))'): 'DURABLE_MAX_FDS, downwards',
}
# "for" with a condition that is no number to be reached
FORS = {
    ('straggler.c', 'for (; *name >= \'0\' && *name <= \'9\' && pid < 100000000; name++)'): 'a name in a directory',
    ('reap.c', 'for (unsigned field = 2; at && field < 22; field++)'): '22',
    ('reexec.c', 'for (char **w = k->argv + 1; *w; w++)'): 'its own command line',
    ('lost.c', "for (long pid = strtol(p, &end, 10); end > p && *end == ' '; pid = strtol(p, &end, 10))"): 'a buffer of 4096 bytes',
    ('lost.c', 'for (char **from = k->argv + 1; *from; from++)'): 'its own command line',
    ('store.c', 'for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c))'): 'the control buffer',
}


def without_comments(text):
    return re.sub(r'/\*.*?\*/', lambda m: '\n' * m.group(0).count('\n'), text, flags=re.S)


def head(text, at):
    """The keyword at AT with its parenthesis, blanks made single."""
    depth, i = 0, text.index('(', at)
    for i in range(i, len(text)):
        depth += {'(': 1, ')': -1}.get(text[i], 0)
        if depth == 0:
            break
    return re.sub(r'\s+', ' ', text[at:i + 1])


def loops(name, text):
    for m in re.finditer(r'\b(for|while)\s*\(', text):
        loop = head(text, m.start())
        if m.group(1) == 'while':
            yield loop, LOOPS.get((name, loop))
            continue
        if loop == 'for (;;)':
            yield loop, LOOPS.get((name, loop))
            continue
        condition = loop.split(';')[1]
        bounded = re.search(r'[\w.>-]+ (<|<=|<<) [\w.()/>*+& -]+', condition)
        yield loop, FORS.get((name, loop)) or (bounded and 'a number')


def undefined(path):
    out = subprocess.run(['nm', '-u', path], stdout=subprocess.PIPE, text=True, check=True).stdout
    return {line.split()[-1].split('@')[0] for line in out.splitlines()}


def main():
    source, supd, objects = sys.argv[1:]
    bad, total, n_loops = [], 0, 0
    for path in sorted(glob.glob(source + '/*.[ch]')):
        name, text = os.path.basename(path), without_comments(open(path).read())
        lines = sum(1 for line in text.splitlines() if line.strip())
        total += lines
        print(f'{name:16} {lines:5} lines of code')
        for loop, bound in loops(name, text):
            n_loops += 1
            if not bound:
                bad.append(f'{name}: no bound is known for "{loop}"')
    print(f'{"all":16} {total:5} lines of code, {n_loops} loops, each with a bound')
    if total > LINES:
        bad.append(f'{total} lines: more than {LINES}, too many for one sitting')
    if not shutil.which('nm'):
        return 77
    files = glob.glob(objects + '/*.o')
    for path in files:
        for name in sorted(undefined(path) & ALLOCATES):
            bad.append(f'{os.path.basename(path)} calls {name}()')
    if not files:
        bad.append(f'no objects in {objects}')
    out = subprocess.run(['nm', supd], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    held = {line.split()[-1] for line in out.splitlines() if ' T ' in line or ' W ' in line}
    if 'main' not in held:
        print('the program has no names')
    elif held & {'malloc', 'brk', 'sbrk'}:
        print('the program holds an allocator of libc, and does not call it')
    else:
        print('the program holds no allocator at all')
    for line in bad:
        print('FAIL', line)
    return 1 if bad else 0


sys.exit(main())
