#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tools.py BUILD_ROOT SOURCE_ROOT [ROW…]: Debian's unmodified systemctl, busctl and maintainer-script helpers, against supd
as PID 1 and against the real systemd, side by side.

Each row of tools-rows.py is a shell command that is run in both machines; exit status, output and what it left behind must be
the same once pids, times and other things that differ from run to run are made equal. What is different on purpose stands in
tools-differences.tsv with its reason; a difference that is not there fails, and so does an entry that differs no more.

Needs the conformance kit ($SUPD_CONFORMANCE, or ../shared/conformance beside the checkout) with both its roots.
With --ours supctl stands in the place of Debian's systemctl on supd's side; what differs then as well stands in
ours-differences.tsv.
Options: --show prints both sides of every row that differs, --all of every row, --supd runs supd's side only.
Exit status: 0 every row as it should be, 1 not, 77 skipped, with the reason.
"""
import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
REFERENCE_FILES = ['usr/bin/systemctl', 'usr/bin/busctl', 'usr/bin/systemd-run', 'usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-252.so',
                   'usr/lib/x86_64-linux-gnu/libip4tc.so.2', 'usr/lib/x86_64-linux-gnu/libkmod.so.2']


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    spec.loader.exec_module(module)
    return module


rows = load('tools_rows', os.path.join(HERE, 'tools-rows.py'))


def skip(why):
    print('skipped:', why)
    sys.exit(77)


def find_kit(source):
    """(the kit's module of machines, root without systemd, root with it)"""
    where = os.environ.get('SUPD_CONFORMANCE') or os.path.join(source, '..', 'shared', 'conformance')
    if not os.access(os.path.join(where, 'oracle'), os.X_OK):
        skip('the conformance kit is not there')
    kit = load('conformance_machine', os.path.join(where, 'machine.py'))
    reference = re.search(r'root=\$\{2:-(\S+?)\}', open(os.path.join(where, 'oracle')).read())[1]
    plain = re.search(r"self\.root = self\.root or '([^']+)'", open(os.path.join(where, 'machine.py')).read())[1]
    for root in (plain, reference):
        if not os.path.exists(os.path.join(root, 'etc/conformance-prepared')):
            skip(f'{root} is not prepared')
    return kit, plain, reference


def install(build, reference, work, ours):
    """supd as it installs itself, and Debian's tools from the reference root."""
    tree = os.path.join(work, 'tree')
    r = subprocess.run(['meson', 'install', '-C', build, '--no-rebuild', '--destdir', tree], capture_output=True, text=True)
    if r.returncode or not os.path.exists(os.path.join(tree, 'usr/sbin/supd')):
        print('cannot install, or the prefix is not /usr:', r.stdout[-500:], r.stderr[-500:])
        sys.exit(1)
    for name in REFERENCE_FILES:
        to = os.path.join(tree, name)
        os.makedirs(os.path.dirname(to), exist_ok=True)
        shutil.copy(os.path.join(reference, name), to) # follows links: the library itself
    if ours:
        os.unlink(os.path.join(tree, 'usr/bin/systemctl'))
        os.symlink('supctl', os.path.join(tree, 'usr/bin/systemctl'))
    return tree


def units_tar(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as t:
        for path, text in files.items():
            info = tarfile.TarInfo(path.lstrip('/'))
            if text.startswith('-> '):
                info.type, info.linkname = tarfile.SYMTYPE, text[3:]
                t.addfile(info)
                continue
            data = text.encode()
            info.size, info.mode = len(data), 0o755 if text.startswith('#!') else 0o644
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


NORMAL = [
    (r'\x1b\[[0-9;]*m', ''),
    (r'\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC', 'TIME'),
    (r'\d+(\.\d+)?(us|ms|s|min|h)( \d+(us|ms|s|min|h))* ago', 'AGO'),
    (r'\b[0-9a-f]{32}\b', 'ID128'),
    (r'/job/\d+', '/job/N'),
    (r'(?i)\b(main pid|process|pid|control|jobs?):? ?\d+', r'\1 N'),
    (r'PID=[1-9]\d*', 'PID=N'),
    (r'(Timestamp(?:Monotonic)?)=\S.*', r'\1=T'),
    (r'\[\d+\]', '[N]'),
    (r' +(CPU|Memory|Tasks|CGroup): .*\n?', ''), # there only where cgroups are; rows of their own look at them
    (r' +[├└]─\d+ .*\n?', ''),
    (r'Duration: .*', 'Duration: N'),
    (r'[ \t]+$', ''),
]


def normal(text, more=()):
    for pattern, to in list(NORMAL) + list(more):
        text = re.sub(pattern, to, text, flags=re.M)
    return text.strip()


def run(machine, row):
    code, out = machine.sh(f'cd /; {row.command}', 30)
    text = normal(out, row.normal)
    if row.sort or row.command.startswith('systemctl show'):
        text = '\n'.join(sorted(text.splitlines()))
    return f'{text}\n[exit {code}]'.lstrip('\n')


def known_differences(ours):
    """With our systemctl what is different of supd itself stays so; an entry without a reason is one that is not."""
    found = {}
    for file in ['tools-differences.tsv'] + ['ours-differences.tsv'] * ours:
        for line in open(os.path.join(HERE, file)):
            if line.strip() and not line.startswith('#'):
                name, _, reason = line.rstrip('\n').partition('\t')
                found[name] = reason
                if not reason:
                    del found[name]
    return found


def setup(machine):
    files = dict(rows.FILES, **(rows.FILES_SUPD if machine.control != 'systemctl' else {}))
    code, out = machine.sh('tar -C / --keep-directory-symlink -xf -', data=units_tar(files))
    if code:
        raise RuntimeError(out)
    machine.sh('systemctl daemon-reload; systemctl start tool-keep.target')


def side_by_side(kit, tree, plain, reference, wanted, options):
    known, wrong, seen = known_differences('--ours' in options), 0, set()
    machines = [kit.Supd(tree, root=plain, environ={'container': 'other'})] + ([] if '--supd' in options else [kit.Systemd(root=reference)])
    try:
        for m in machines:
            m.start()
            setup(m)
        for row in rows.ROWS:
            if wanted and row.name not in wanted and not row.always:
                continue
            said = [run(m, row) for m in machines]
            same = len(said) == 1 or said[0] == said[1]
            seen.add(row.name)
            good = same != (row.name in known) or len(said) == 1
            wrong += not good
            if not good or '--all' in options or ('--show' in options and not same):
                print(f'{"pass" if good else "FAIL"} {row.name}: {row.command}' +
                      (f'   (listed: {known[row.name]})' if row.name in known else ''))
                if same and len(said) > 1 and row.name in known:
                    print('  differs no more: take it out of the list')
                if not same or '--all' in options:
                    for who, text in zip(('supd', 'systemd'), said):
                        print('\n'.join(f'  {who:8}| {line}' for line in text.splitlines()))
    finally:
        for m in machines:
            m.stop()
    unknown = set() if wanted else set(known) - {r.name for r in rows.ROWS}
    for name in unknown:
        print('FAIL', name, 'is in the list of differences, but is no row')
    print(f'{len(seen)} rows, {len(seen & set(known))} of them different on purpose, {wrong + len(unknown)} wrong')
    return wrong + len(unknown) == 0 and seen


def main():
    options = [a for a in sys.argv[1:] if a.startswith('--')]
    words = [a for a in sys.argv[1:] if not a.startswith('--')]
    build, source = (os.path.abspath(a) for a in words[:2])
    if os.geteuid() != 0:
        skip('needs root')
    kit, plain, reference = find_kit(source)
    with tempfile.TemporaryDirectory(prefix='supd-tools.') as work:
        os.chmod(work, 0o755)
        tree = install(build, reference, work, '--ours' in options)
        return 0 if side_by_side(kit, tree, plain, reference, words[2:], options) else 1


if __name__ == '__main__':
    sys.exit(main())
