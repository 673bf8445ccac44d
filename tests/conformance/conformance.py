#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""conformance.py BUILD_ROOT SOURCE_ROOT [WORLD [all]]: real services of the distribution, with the unit files that their
packages ship.

Each is started, probed, reloaded, killed with SIGKILL, stopped; then nothing of it may be left. Where, first that exists:
  1. the conformance kit ($SUPD_CONFORMANCE, or ../shared/conformance beside the checkout) with a prepared root
     ($SUPD_TEST_ROOTFS, or the kit's own default): its run-matrix, in which the services' reference rows lie;
  2. a throw-away machine over this machine's own root (machine.sh), with the rows of services.tsv.
WORLD is what supd finds: plain (everything; the default), no-cgroup, or container: what a container engine leaves by default (its
fourteen capabilities, so neither SYS_ADMIN nor SYS_PTRACE, and no clone3). Of the matrix a selection is run; with `all` every row
that starts directly. In the worlds but plain the rows of NEEDS may fail, for the reason given there.
Exit status: 0 every row passed, 1 not, 77 skipped, with the reason.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
SERVICES = ['redis-server', 'memcached', 'cron', 'beanstalkd', 'nginx', 'lighttpd', 'mosquitto', 'ssh', 'rsync', 'dnsmasq']
FEW = ['nginx', 'cron', 'memcached', 'postfix'] # in the other worlds
BUDGET = 170 # seconds for all of it
NEEDS = {} # world: {unit: why it cannot be without what that world lacks}
CAPABILITIES = ('chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod audit_write '
                'setfcap').split()


class Skip(Exception):
    pass


# ---- the kit ----

def kit(source):
    """(directory of the kit, prepared root), or None."""
    where = os.environ.get('SUPD_CONFORMANCE') or os.path.join(source, '..', 'shared', 'conformance')
    if not os.access(os.path.join(where, 'run-matrix'), os.X_OK):
        return None
    default = re.search(r"self\.root = self\.root or '([^']+)'", open(os.path.join(where, 'machine.py')).read())
    root = os.environ.get('SUPD_TEST_ROOTFS') or (default[1] if default else '')
    return (where, root) if os.path.exists(os.path.join(root, 'etc/conformance-prepared')) else None


def confine(tree, build, world):
    """Puts a script in the place of supd that takes away what WORLD does not have; process 1 stays the same."""
    if world == 'plain':
        return
    real = '/usr/libexec/supd/supd-in-there'
    os.rename(tree + '/usr/sbin/supd', tree + real)
    if world == 'no-cgroup':
        words = 'SUPD_CGROUPS=no exec'
    else:
        shutil.copy(os.path.join(build, 'tests/integration/hostile/deny'), tree + '/usr/libexec/supd/deny')
        words = 'exec /usr/libexec/supd/deny 38 clone3 -- /usr/bin/setpriv --inh-caps=-all --bounding-set=-all,%s' % ','.join(
            '+' + c for c in CAPABILITIES)
    with open(tree + '/usr/sbin/supd', 'w') as f:
        f.write('#!/bin/sh\n%s %s "$@"\n' % (words, real))
    os.chmod(tree + '/usr/sbin/supd', 0o755)


def direct_rows(where, work, wanted):
    """The kit's matrix without the rows that start by a socket or on the bus; unit → TSV file of its own. WANTED: names; None =
    all there are."""
    lines = open(os.path.join(where, 'matrix.tsv')).read().splitlines()
    found = {}
    for line in lines[1:]:
        unit, by, kind = line.split('\t')[:3]
        if by == 'direct' and (kind != 'dbus' if wanted is None else unit.removesuffix('.service') in wanted):
            found[unit] = os.path.join(work, unit + '.tsv')
            with open(found[unit], 'w') as f:
                f.write(lines[0] + '\n' + line + '\n')
    return found


def run_kit(where, root, tree, work, wanted):
    def one(item):
        unit, matrix = item
        p = subprocess.Popen([os.path.join(where, 'run-matrix'), '--supd', tree, '--root', root, '--matrix', matrix],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             cwd='/', start_new_session=True, env=dict(os.environ, PYTHONDONTWRITEBYTECODE='1'))
        try:
            out = p.communicate(timeout=BUDGET / 2)[0]
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGTERM)
            try:
                out = p.communicate(timeout=20)[0] + 'took too long\n'
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, signal.SIGKILL)
                out = p.communicate()[0] + 'took too long\n'
        said = [l for l in out.splitlines() if not l.startswith('steps:') and not re.match(r'\d+ passed', l)]
        return unit, p.returncode == 0 and '\n1 passed, 0 failed' in '\n' + out, said

    units = direct_rows(where, work, wanted)
    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(one, units.items())
    for unit in (s + '.service' for s in wanted or []):
        if unit not in units:
            yield unit, False, ['not in the matrix']


# ---- our own machine ----

class Machine:
    def __init__(self, tree, packages):
        self.log = tempfile.TemporaryFile()
        self.outer = subprocess.Popen(['setpriv', '--pdeathsig', 'KILL', os.path.join(HERE, 'machine.sh'), tree] + packages,
                                      stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        self.init = None

    def said(self):
        self.log.seek(0)
        return self.log.read().decode(errors='replace')

    def wait(self, seconds):
        end = time.time() + seconds
        while time.time() < end:
            if self.outer.poll() is not None:
                skipped = re.search(r'skipped: (.*)', self.said())
                if self.outer.returncode == 77 and skipped:
                    raise Skip(skipped[1])
                raise RuntimeError(f'the machine ended with {self.outer.returncode}: {self.said()[-800:]}')
            if 'machine: ready' in self.said():
                self.init = self.init or self.find_init()
                if self.init and self.ctl('is-active basic.target', 5)[0] == 0:
                    return
            time.sleep(0.1)
        raise RuntimeError(f'basic.target is not active after {seconds} s: {self.said()[-800:]}')

    def find_init(self):
        """The supd that is PID 1: the child of unshare, once it has become supd."""
        for pid in children(self.outer.pid):
            try:
                if os.readlink(f'/proc/{pid}/exe').endswith('/supd'):
                    return pid
            except OSError:
                pass
        return None

    def run(self, argv, seconds=30):
        try:
            r = subprocess.run(['nsenter', '-t', str(self.init), '-a', '/usr/bin/env', '-i', f'PATH={PATH}', 'HOME=/root'] + argv,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds)
            return r.returncode, r.stdout.decode(errors='replace').strip()
        except subprocess.TimeoutExpired:
            return 'timeout', ''

    def ctl(self, words, seconds=120):
        return self.run(['supctl'] + words.split(), seconds)

    def show(self, unit):
        _, out = self.ctl(f'show {unit} -p ActiveState,SubState,Result,MainPID,NRestarts', 20)
        return dict(l.split('=', 1) for l in out.splitlines() if '=' in l)

    def pids(self):
        me, found = namespace(self.init), set()
        for p in os.listdir('/proc'):
            if p.isdigit() and int(p) != self.init and namespace(p) == me:
                found.add(int(p))
        return found

    def end(self):
        if self.outer.poll() is None:
            for pid in children(self.outer.pid):
                os.kill(pid, signal.SIGKILL)
            self.outer.kill()
        self.outer.wait()


def children(pid):
    try:
        return [int(p) for p in open(f'/proc/{pid}/task/{pid}/children').read().split()]
    except OSError:
        return []


def namespace(pid):
    try:
        return os.readlink(f'/proc/{pid}/ns/pid')
    except OSError:
        return None


PROBE = '''
import os, socket, sys
kind, *words = sys.argv[1:]
if kind == "process":
    names = []
    for p in os.listdir("/proc"):
        try:
            names.append(open(f"/proc/{p}/comm").read().strip())
        except OSError:
            pass
    sys.exit(words[0] not in names)
s = socket.create_connection(("127.0.0.1", int(words[0])), 3)
s.settimeout(3)
if kind == "tcp":
    if words[1] != "-":
        s.sendall(words[1].replace("_", " ").encode().decode("unicode_escape").encode())
    got = b""
    while words[2].encode() not in got:
        more = s.recv(4096)
        if not more:
            sys.exit(1)
        got += more
'''


class Row:
    """One service through its life. `wrong` collects what was not as it should be."""

    def __init__(self, machine, cells):
        self.m = machine
        self.unit, self.package, self.prepare, self.probe_words, self.after_kill, self.reload_too = cells
        self.wrong = []

    def expect(self, good, step, why=''):
        if not good:
            self.wrong.append(f'{step}: {why}')
        return good

    def until(self, good, seconds=10):
        end = time.time() + seconds
        while not good(p := self.m.show(self.unit)) and time.time() < end:
            time.sleep(0.1)
        return p

    def probe(self, step):
        end, words = time.time() + 15, self.probe_words.split(' ')
        while True:
            rc, out = self.m.run(['python3', '-c', PROBE] + words, 10)
            if rc == 0:
                return True
            if time.time() > end:
                return self.expect(False, step, f'not healthy: {out[-200:]}')
            time.sleep(0.2)

    def begin(self, step):
        rc, out = self.m.ctl('start ' + self.unit)
        if not self.expect(rc == 0, step, f'exit {rc} {out[-300:]}'):
            return False
        p = self.until(lambda p: p.get('SubState') == 'running')
        return self.expect(p.get('SubState') == 'running', step, str(p)) and self.probe('probe after ' + step)

    def kill(self):
        old = self.m.show(self.unit).get('MainPID', '0')
        if not self.expect(old != '0', 'kill -9', 'no MainPID'):
            return
        self.m.run(['sh', '-c', f'kill -9 {old}'])
        if self.after_kill == 'failed':
            p = self.until(lambda p: p.get('ActiveState') == 'failed')
            self.expect((p.get('ActiveState'), p.get('Result')) == ('failed', 'signal'), 'kill -9', str(p))
            self.begin('start again')
        else:
            p = self.until(lambda p: p.get('SubState') == 'running' and p.get('MainPID') not in ('0', old))
            self.expect(p.get('SubState') == 'running' and p.get('NRestarts') == '1', 'kill -9', str(p))
            self.probe('probe after kill -9')

    def stop(self, before):
        mine = self.m.pids() - before
        rc, out = self.m.ctl('stop ' + self.unit)
        self.expect(rc == 0, 'stop', f'exit {rc} {out[-300:]}')
        p = self.until(lambda p: p.get('SubState') == 'dead', 3)
        self.expect((p.get('SubState'), p.get('Result')) == ('dead', 'success'), 'stop', str(p))
        end = time.time() + 3
        while (left := mine & self.m.pids()) and time.time() < end:
            time.sleep(0.1)
        self.expect(not left, 'stop', f'processes are left: {sorted(left)}')

    def run(self):
        if self.prepare != '-':
            self.m.run(['sh', '-c', self.prepare])
        self.m.ctl('is-active basic.target')
        before = self.m.pids()
        if self.begin('start'):
            if self.reload_too == 'yes':
                rc, out = self.m.ctl('reload ' + self.unit)
                self.expect(rc == 0, 'reload', f'exit {rc} {out[-300:]}') and self.probe('probe after reload')
            self.kill()
        self.stop(before)
        return self.wrong


def run_own(tree):
    rows = [l.rstrip('\n').split('\t') for l in open(os.path.join(HERE, 'services.tsv')) if not l.startswith('#')]
    m = Machine(tree, [r[1] for r in rows])
    try:
        m.wait(200)
        there = 0
        for cells in rows:
            if not any(m.run(['test', '-e', f'{d}/systemd/system/{cells[0]}'])[0] == 0 for d in ('/usr/lib', '/lib')):
                print(f'not installed: {cells[0]}')
                continue
            there += 1
            wrong = Row(m, cells).run()
            yield cells[0], not wrong, wrong
        if there == 0:
            raise Skip('none of the services is installed, and none could be fetched')
    finally:
        m.end()
        log = [l for l in m.said().splitlines() if l.startswith(('supd', 'note'))]
        print('\n'.join(log[-20:]))


def main():
    build, source = (os.path.abspath(a) for a in sys.argv[1:3])
    world = sys.argv[3] if len(sys.argv) > 3 else 'plain'
    wanted = None if sys.argv[4:] == ['all'] else SERVICES if world == 'plain' else FEW
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if os.geteuid() != 0:
        print('skipped: needs root')
        return 77
    failed = passed = 0
    with tempfile.TemporaryDirectory(prefix='supd-conformance.') as work:
        os.chmod(work, 0o755)
        tree = os.path.join(work, 'tree')
        r = subprocess.run(['meson', 'install', '-C', build, '--no-rebuild', '--destdir', tree], capture_output=True, text=True)
        if r.returncode or not os.path.exists(os.path.join(tree, 'usr/sbin/supd')):
            print('cannot install, or the prefix is not /usr:', r.stdout[-500:], r.stderr[-500:])
            return 1
        confine(tree, build, world)
        found = kit(source)
        if world != 'plain' and not found:
            print('skipped: this world needs the conformance kit')
            return 77
        print('in', f'the prepared root {found[1]}' if found else "a machine over this machine's own root")
        try:
            for unit, good, said in run_kit(*found, tree, work, wanted) if found else run_own(tree):
                reason = None if good else NEEDS.get(world, {}).get(unit)
                print('pass' if good else 'fail' if not reason else 'differs', unit, f'({reason})' if reason else '')
                good = good or bool(reason)
                for line in said if not good else []:
                    print('     ', line)
                passed, failed = passed + good, failed + (not good)
        except Skip as e:
            print(f'skipped: {e}')
            return 77
        except RuntimeError as e:
            print(e)
            return 1
    print(f'{passed} of {passed + failed} services')
    return 0 if passed and not failed else 1


if __name__ == '__main__':
    sys.exit(main())
