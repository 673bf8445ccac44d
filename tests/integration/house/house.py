#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""house.py SOURCE_ROOT [--self-check]: is the house built as src/README.md says?

Three questions, all answered from the files themselves:
  1. every #include of src/ is allowed by the floor table, and every room is in the table;
  2. foreign headers are included only by their doors;
  3. every source file begins with its licence and with words that say what it is.

The tables are parsed out of src/README.md, so they cannot rot. --self-check breaks a copy in each way that there is a
rule for and expects to be told. Not here: what links (meson does that). Exit status: 0 all is well, 1 not.
"""
import fnmatch
import os
import re
import shutil
import sys
import tempfile

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
TICKED = re.compile(r'`([^`]+)`')
LICENCE = 'SPDX-License-Identifier: MIT'


def tables(readme):
    """({room: (floor, allowed rooms)}, {header pattern: doors}) from the two tables of README."""
    rooms, doors, kind = {}, {}, None
    for line in open(readme):
        cells = [c.strip() for c in line.strip().strip('|').split('|')]
        if not line.startswith('|'):
            kind = None
        elif cells[0] in ('floor', 'header'):
            kind = cells[0]
        elif kind == 'floor' and not set(cells[0]) <= set('-'):
            for room in TICKED.findall(cells[1]):
                rooms[room] = (int(cells[0].split()[0]), set(TICKED.findall(cells[2])))
        elif kind == 'header' and not set(cells[0]) <= set('-'):
            doors[TICKED.findall(cells[0])[0]] = set(TICKED.findall(cells[1]))
    return rooms, doors


def room_of(path):
    parts = path.split('/')
    return '/'.join(parts[:2]) if parts[0] == 'programs' and len(parts) > 2 else parts[0] if len(parts) > 1 else None


def table_mistakes(rooms, doors):
    """The law itself: floors only look down, doors exist."""
    for room, (floor, allowed) in sorted(rooms.items()):
        for other in sorted(allowed):
            if other not in rooms:
                yield f'src/README.md: {room} may include {other}, which is no room'
            elif rooms[other][0] > floor:
                yield f'src/README.md: {room} (floor {floor}) may include {other} (floor {rooms[other][0]}): upwards'
    for header, where in doors.items():
        for room in where - set(rooms):
            yield f'src/README.md: the door {room} of {header} is no room'
    if len(rooms) < 10 or not doors:
        yield 'src/README.md: the tables could not be read'


def target_room(root, path, name):
    """The room that "NAME", included by PATH, lies in; None = own directory or the build's, '' = nowhere."""
    src = os.path.join(root, 'src')
    if os.path.exists(os.path.join(src, os.path.dirname(path), name)):
        return room_of(os.path.normpath(os.path.join(os.path.dirname(path), name)))
    if os.path.exists(os.path.join(src, name)):
        return room_of(os.path.normpath(name))
    if os.path.exists(os.path.join(src, 'abi', name)):
        return 'abi'
    return '' if '/' in name else None


def include_mistakes(root, path, rooms, doors):
    room = room_of(path)
    if room not in rooms:
        yield f'src/{path}: {room} is not in the floor table of src/README.md'
        return
    for number, line in enumerate(open(os.path.join(root, 'src', path), errors='replace'), 1):
        m = INCLUDE.match(line)
        if not m:
            continue
        for header, where in doors.items():
            if fnmatch.fnmatch(m[2], header) and room not in where:
                yield f'src/{path}:{number}: <{m[2]}> is for {", ".join(sorted(where))} only'
        if m[1] == '<':
            continue
        other = target_room(root, path, m[2])
        if other == '':
            yield f'src/{path}:{number}: "{m[2]}" is nowhere'
        elif other and other != room and other not in rooms[room][1]:
            yield f'src/{path}:{number}: {room} may not include {other} ("{m[2]}")'


def head_mistakes(root, path):
    """The first comment (or the two first) carries the licence and at least a few words."""
    text = open(os.path.join(root, path), errors='replace').read(4000)
    if path.endswith(('.c', '.h')):
        m = re.match(r'(/\*.*?\*/\s*)+', text, re.S)
        head = m[0] if m else ''
    else:
        lines = text.splitlines()
        head = '\n'.join(lines[:12])
    if LICENCE not in head[:200]:
        yield f'{path}:1: does not begin with {LICENCE}'
        return
    see = re.search(r'See (\S+\.h)', head)      # "See x.h." is enough where x.h lies beside it and says it
    if see and os.path.exists(os.path.join(root, os.path.dirname(path), see[1])):
        return
    words = re.findall(r'[A-Za-z]{2,}', head.replace(LICENCE, '').replace('usr/bin/env', ''))
    if len(words) < 3:
        yield f'{path}:1: does not say what it is'


def files(root, top, suffixes):
    for directory, dirs, names in os.walk(os.path.join(root, top)):
        dirs[:] = sorted(d for d in dirs if not d.startswith(('.', 'corpus', 'build', '__')))
        for name in sorted(names):
            if name.endswith(suffixes):
                yield os.path.relpath(os.path.join(directory, name), root)


def mistakes(root):
    rooms, doors = tables(os.path.join(root, 'src', 'README.md'))
    yield from table_mistakes(rooms, doors)
    for path in files(root, 'src', ('.c', '.h')):
        yield from include_mistakes(root, os.path.relpath(path, 'src'), rooms, doors)
    for top in ('src', 'tests', 'packaging', 'man'):
        for path in files(root, top, ('.c', '.h', '.py', '.sh')):
            yield from head_mistakes(root, path)


# (file that is written into the copy, its text, what must be said about it)
HEAD = f'/* {LICENCE}\n *\n * A file that is wrong on purpose.\n */\n'
BREAKS = [
    ('src/base/wrong.c', HEAD + '#include "graph/graph.h"\n', 'base may not include graph'),
    ('src/graph/wrong.c', HEAD + '#include "machine/machine.h"\n', 'graph may not include machine'),
    ('src/machine/wrong.h', HEAD + '#include "status/status.h"\n', 'machine may not include status'),
    ('src/state/wrong.c', HEAD + '#  include  "unit/unit.h"\n', 'state may not include unit'),
    ('src/programs/supd/wrong.c', HEAD + '#include "unit/unit.h"\n', 'programs/supd may not include unit'),
    ('src/programs/supctl/wrong.c', HEAD + '#include <systemd/sd-bus.h>\n', 'is for programs/supctl-bus'),
    ('src/unit/wrong.c', HEAD + '#include <ini.h>\n', 'is for syntax only'),
    ('src/unit/astray.c', HEAD + '#include "nowhere/nothing.h"\n', 'is nowhere'),
    ('src/attic/wrong.c', HEAD, 'attic is not in the floor table'),
    ('src/base/bare.c', 'int bare;\n', 'does not begin with'),
    ('src/base/silent.c', f'/* {LICENCE} */\nint silent;\n', 'does not say what it is'),
]


def self_check(root):
    """Each break in a copy of its own is told, and nothing else is new. Yields what was not."""
    known = set(mistakes(root))
    with tempfile.TemporaryDirectory(prefix='supd-house.') as copy:
        shutil.copytree(os.path.join(root, 'src'), os.path.join(copy, 'src'))
        for path, text, expected in BREAKS:
            target = os.path.join(copy, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, 'w') as f:
                f.write(text)
            new = [m for m in mistakes(copy) if m not in known]
            if not new or not all(m.startswith(path) for m in new) or not any(expected in m for m in new):
                yield f'self-check: {path} should have led to "{expected}", led to {new}'
            os.unlink(target)
        readme = os.path.join(copy, 'src', 'README.md')
        text = open(readme).read()
        with open(readme, 'w') as f:
            f.write(re.sub(r'(\| 0 words \|[^|]*\|) `base`', r'\1 `graph` `base`', text))
        if not any('upwards' in m for m in mistakes(copy)):
            yield 'self-check: a table that lets floor 0 look upwards was believed'


def main():
    root = os.path.abspath(sys.argv[1])
    found = list(mistakes(root))
    if '--self-check' in sys.argv[2:]:
        found += self_check(root)
    for m in found:
        print(m)
    print(f'{len(found)} mistakes' if found else 'the house stands')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
