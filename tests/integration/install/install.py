#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""install.py BUILD_ROOT CLIENT_C EXPECTED: does `meson install` with DESTDIR lay down what it should, and nothing else?

Then CLIENT_C is compiled against the installed headers through the installed pkg-config file, once with the shared and
once with the static library, and run. Exit status: 0 good, 1 not, 77 skipped (no compiler, or a prefix other than /usr).
"""
import fnmatch
import json
import os
import shutil
import subprocess
import sys
import tempfile


def option(build, name):
    options = json.load(open(os.path.join(build, 'meson-info', 'intro-buildoptions.json')))
    return next(o['value'] for o in options if o['name'] == name)


def laid_down(root):
    """{path: mode} of every file and link below ROOT, paths as they will be on the machine."""
    found = {}
    for directory, _, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            found['/' + os.path.relpath(path, root)] = os.lstat(path).st_mode & 0o7777
    return found


def compare(found, expected):
    """EXPECTED: lines `[?]MODE PATTERN`; each must match at least one file, each file must be matched."""
    left = dict(found)
    for line in open(expected):
        line = line.split('#')[0].strip()
        if not line:
            continue
        mode, pattern = line.split()
        matched = fnmatch.filter(found, pattern)
        if not matched and not mode.startswith('?'):
            yield f'missing: {pattern}'
        for path in matched:
            left.pop(path, None)
            want = mode.lstrip('?')
            if want != 'link' and found[path] != int(want, 8):
                yield f'{path} has mode {found[path]:04o}, wanted {want}'
    for path in sorted(left):
        yield f'not expected: {path}'


def build_client(root, client, work, sanitize):
    """The client as anybody would build it. Yields mistakes."""
    pc = [d for d, _, names in os.walk(root) if 'libsupstatus.pc' in names]
    if not pc:
        yield 'no libsupstatus.pc'
        return
    env = dict(os.environ, PKG_CONFIG_SYSROOT_DIR=root, PKG_CONFIG_PATH=pc[0], PKG_CONFIG_LIBDIR=pc[0])
    cc = shutil.which('cc') or shutil.which('gcc') or shutil.which('clang')
    for form in ('--shared', '--static'):
        flags = subprocess.run(['pkg-config', '--cflags', '--libs', 'libsupstatus'] +
                               (['--static'] if form == '--static' else []),
                               env=env, capture_output=True, text=True)
        if flags.returncode:
            yield f'pkg-config: {flags.stderr.strip()}'
            return
        words = flags.stdout.split()
        lib = next(w[2:] for w in words if w.startswith('-L')) if any(w.startswith('-L') for w in words) else None
        if lib is None:
            lib = os.path.dirname(pc[0])
        if form == '--static':
            words = [os.path.join(lib, 'libsupstatus.a') if w == '-lsupstatus' else w for w in words]
        program = os.path.join(work, 'client' + form)
        # against a library that was built with sanitizers the client has to be, too
        extra = [f'-fsanitize={sanitize}'] if sanitize != 'none' else []
        r = subprocess.run([cc, '-std=c11', '-Wall', '-Wextra', '-Werror', '-pedantic', '-o', program, client] + extra + words,
                           capture_output=True, text=True)
        if r.returncode:
            yield f'{form}: does not compile: {r.stderr[-1500:]}'
            continue
        r = subprocess.run([program], env=dict(os.environ, LD_LIBRARY_PATH=lib), capture_output=True, text=True)
        if r.returncode or r.stdout != 'row 384 header 1024\n':
            yield f'{form}: exit {r.returncode}, {r.stdout}{r.stderr[-500:]}'


def check_pages_and_units(root):
    """What is installed refers to nothing of the build tree."""
    for directory, _, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            if os.path.islink(path) or name.endswith(('.a', '.so')) or '.so.' in name or os.access(path, os.X_OK):
                continue
            if root.encode() in open(path, 'rb').read():
                yield f'{name} mentions the directory that it was installed into'


def main():
    build, client, expected = sys.argv[1:4]
    if option(build, 'prefix') != '/usr':
        print('skipped: the prefix is not /usr')
        return 77
    sanitize = option(build, 'b_sanitize')
    with tempfile.TemporaryDirectory(prefix='supd-install.') as work:
        root = os.path.join(work, 'root')
        r = subprocess.run(['meson', 'install', '-C', build, '--no-rebuild', '--destdir', root], capture_output=True,
                           text=True)
        if r.returncode:
            print(r.stdout[-1000:], r.stderr[-1000:])
            return 1
        wrong = list(compare(laid_down(root), expected)) + list(check_pages_and_units(root))
        if shutil.which('pkg-config') and (shutil.which('cc') or shutil.which('gcc') or shutil.which('clang')):
            wrong += build_client(root, client, work, sanitize)
        else:
            print('no compiler or no pkg-config: the client was not built')
    for w in wrong:
        print(w)
    print(f'{len(wrong)} mistakes' if wrong else 'as expected')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
