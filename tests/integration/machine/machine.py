# SPDX-License-Identifier: MIT
"""A machine of one kernel and one small image, under qemu: the image is the installed supd as /usr/sbin/supd, some programs of
this machine with the libraries they need, and what a test adds. Nothing is mounted and no init runs but supd.

Not here: what is tested (test-machine.py). Invariant: no root is needed, and nothing is left behind but what the caller's
directory holds. kernel() and qemu() say why there is none.
"""
import glob
import os
import re
import selectors
import shutil
import subprocess
import time

PROGRAMS = ['sh', 'cat', 'ls', 'sleep', 'kill', 'mkdir', 'rmdir', 'mount', 'grep', 'sed', 'id', 'ln', 'rm', 'stat', 'uname', 'hostname',
            'readlink', 'nproc', 'touch', 'true', 'false', 'head', 'tail', 'tr', 'wc', 'sort', 'cut', 'env', 'umount', 'chmod', 'sync',
            'taskset', 'date', 'mkswap', 'swapon', 'setpriv']
PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'


class Skip(Exception):
    pass


def version_key(name):
    return [int(n) for n in re.findall(r'\d+', os.path.basename(name))]


def kernel():
    """$SUPD_TEST_KERNEL, else the newest of /boot."""
    given = os.environ.get('SUPD_TEST_KERNEL')
    if given:
        if not os.access(given, os.R_OK):
            raise Skip('SUPD_TEST_KERNEL=%s cannot be read' % given)
        return given
    found = sorted((f for f in glob.glob('/boot/vmlinuz-*') if os.access(f, os.R_OK)), key=version_key)
    if not found:
        raise Skip('no kernel image: set SUPD_TEST_KERNEL, or have /boot/vmlinuz-*')
    return found[-1]


def qemu():
    found = shutil.which('qemu-system-' + os.uname().machine)
    if not found:
        raise Skip('no qemu-system-' + os.uname().machine)
    return found


# ---- the image ----

def libraries(program):
    """What ldd names, as absolute paths; nothing for a static program."""
    out = subprocess.run(['ldd', program], capture_output=True, text=True)
    return re.findall(r'(/\S+) \(0x', out.stdout) if out.returncode == 0 else []


class Image:
    """Files of an initramfs in the format "newc" (the kernel's buffer-format document)."""

    def __init__(self):
        self.entries = {}

    def parents(self, path):
        up = os.path.dirname(path)
        if up not in ('', '/') and up not in self.entries:
            self.parents(up)
            self.entries[up] = (0o040755, b'')

    def directory(self, path, mode=0o755):
        self.parents(path)
        self.entries[path] = (0o040000 | mode, b'')

    def link(self, path, target):
        self.parents(path)
        self.entries[path] = (0o120777, target.encode())

    def file(self, path, data, mode=0o644):
        self.parents(path)
        self.entries[path] = (0o100000 | mode, data.encode() if isinstance(data, str) else data)

    def copy(self, source, path):
        """With the libraries it needs, under their own names."""
        if path in self.entries:
            return
        self.file(path, open(source, 'rb').read(), 0o755)
        for library in libraries(source):
            self.copy(library, library)

    def program(self, name):
        source = shutil.which(name, path=PATH)
        if not source:
            raise Skip('no program ' + name)
        self.copy(source, '/bin/' + name)

    def tree(self, top, part):
        """What lies in TOP/PART."""
        for where, directories, files in os.walk(os.path.join(top, part)):
            for name in files + [d for d in directories if os.path.islink(os.path.join(where, d))]:
                path = os.path.join(where, name)
                inside = '/' + os.path.relpath(path, top)
                if os.path.islink(path):
                    self.link(inside, os.readlink(path))
                elif os.access(path, os.X_OK):
                    self.copy(path, inside)
                else:
                    self.file(inside, open(path, 'rb').read())

    def write(self, path):
        with open(path, 'wb') as f:
            inode = 1
            for name, (mode, data) in [(n, self.entries[n]) for n in sorted(self.entries)] + [('/TRAILER!!!', (0, b''))]:
                bare = name[1:].encode() + b'\0'
                links = 2 if mode & 0o170000 == 0o040000 else 1
                head = '070701' + ''.join('%08X' % n for n in (inode, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(bare), 0))
                inode += 1
                for part in (head.encode() + bare, data):
                    f.write(part + b'\0' * (-len(part) % 4))
        return path


def image(tree):
    """supd as installed in TREE, PROGRAMS, and the accounts of root and nobody."""
    i = Image()
    for part in ('usr/sbin', 'usr/bin', 'usr/libexec', 'usr/lib/supd', 'etc'):
        i.tree(tree, part)
    for p in PROGRAMS:
        i.program(p)
    i.file('/etc/passwd', 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n')
    i.file('/etc/group', 'root:x:0:\nnogroup:x:65534:\n')
    i.directory('/tmp', 0o1777)
    i.directory('/var/log')
    return i


# ---- the machine ----

ENDS = {'Power down': 'poweroff', 'Restarting system': 'reboot', 'System halted': 'halt', 'Starting new kernel': 'kexec'}


class Machine:
    """One boot. lines() yields what the console says until the machine has ended, or has said nothing for TIMEOUT seconds; then
    .end says how it ended."""

    def __init__(self, initrd, append='', arguments=(), memory=512, cpus=1, timeout=150):
        self.end, self.text, self.timeout = None, '', timeout
        console = 'ttyAMA0' if os.uname().machine == 'aarch64' else 'ttyS0'
        machine = ['-machine', 'virt', '-cpu', 'max'] if os.uname().machine == 'aarch64' else []
        self.process = subprocess.Popen(
            [qemu(), *machine, '-accel', os.environ.get('SUPD_TEST_ACCEL') or 'tcg', '-m', str(memory), '-smp', str(cpus), '-kernel', kernel(), '-initrd', initrd,
             '-append', 'console=%s loglevel=3 panic=-1 rdinit=/usr/sbin/supd %s' % (console, append), '-display', 'none',
             '-serial', 'stdio', '-monitor', 'none', '-nic', 'none', '-no-reboot', *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def say(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def lines(self):
        until, rest = time.monotonic() + self.timeout, b''
        with selectors.DefaultSelector() as s:
            s.register(self.process.stdout, selectors.EVENT_READ)
            while s.select(max(0, until - time.monotonic())):
                data = os.read(self.process.stdout.fileno(), 65536)
                if not data:
                    break
                rest += data
                until = time.monotonic() + self.timeout # it goes on
                *whole, rest = rest.split(b'\n')
                for line in whole:
                    line = re.sub(r'\x1b\[[0-9;?]*[a-zA-Z]', '', line.decode(errors='replace')).rstrip('\r')
                    self.text += line + '\n'
                    for mark, end in ENDS.items():
                        if 'reboot: ' + mark in line or 'kexec_core: ' + mark in line:
                            self.end = end
                    yield line
                if self.end in ('halt', 'kexec'):
                    break
        self.close()

    def close(self):
        if self.process.poll() is None and self.end in ('poweroff', 'reboot'):
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                pass
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stdin.close()
