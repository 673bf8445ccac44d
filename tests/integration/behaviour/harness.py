# SPDX-License-Identifier: MIT
"""What the tests of behaviour share: a world of one's own, and a supd of one's own in it.

Not here: any expectation. Invariant: everything happens in private pid, mount and ipc namespaces, with private /run, /dev/shm,
/var/lib, /var/cache, /var/log and a layer over /etc, so that nothing can be left behind, however a test ends. Nothing waits for
a time to pass: wait() looks for a condition, and its bound is there for what never comes.

Environment: SUPD, SUPCTL, SUPD_LIBEXEC_DIR (as meson's tests have it)."""
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest

INSIDE = 'SUPD_TEST_INSIDE'
BASE = '/run/t'
BOUND = float(os.environ.get('BEHAVIOUR_BOUND', 30))
FIELDS = ('ActiveState', 'SubState', 'Result', 'ExecMainCode', 'ExecMainStatus', 'NRestarts')
libc = ctypes.CDLL(None, use_errno=True)


def skip(why):
    print('skipped: ' + why)
    sys.exit(77)


def mount(source, target, kind, flags=0, data=''):
    if libc.mount(source.encode(), target.encode(), kind.encode(), flags, data.encode()) != 0:
        raise OSError(ctypes.get_errno(), 'mount %s' % target)


def own_group():
    """The directory of our own cgroup in a hierarchy that supd would use, or None."""
    try:
        own = dict((line.split(':')[1] or 'v2', line.rstrip('\n').split(':', 2)[2]) for line in open('/proc/self/cgroup'))
        mounts = [line.split(' - ')[0].split()[3:5] + line.split(' - ')[1].split()[:1] for line in open('/proc/self/mountinfo')]
    except OSError:
        return None
    for root, point, kind in mounts:
        if kind == 'cgroup2' and root == '/' and 'v2' in own:
            return point + (own['v2'] if own['v2'] != '/' else '')
    return None


def remove_group(path):
    """With all below it; whoever is still in it is on his way out."""
    end = time.monotonic() + 2
    while os.path.exists(path):
        for d, _, _ in os.walk(path, topdown=False):
            try:
                os.rmdir(d)
            except OSError:
                pass
        if time.monotonic() > end:
            break
        time.sleep(0.005)


def within_groups(argv):
    """Runs ARGV with a cgroup for all the supds of this test, which is removed again. Its exit status."""
    parent = own_group()
    group = parent and '%s/supd-test-%d' % (parent, os.getpid())
    try:
        os.mkdir(group)
        os.environ['SUPD_CGROUPS'] = group
    except (OSError, TypeError):
        group = None

    def die_with_us():
        libc.prctl(1, signal.SIGKILL)
    process = subprocess.Popen(argv, preexec_fn=die_with_us)
    signal.signal(signal.SIGTERM, lambda *_: process.kill())
    try:
        return process.wait()
    finally:
        if group:
            remove_group(group)


def enter():
    """Called first: comes back only inside the private world."""
    for name in ('SUPD', 'SUPCTL', 'SUPD_LIBEXEC_DIR'):
        if not os.path.exists(os.environ.get(name, '')):
            skip('%s is not set, or not built' % name)
    for program in ('supd-manager', 'supd-exec', 'supd-bus', 'supctl-bus'):
        if not os.access(os.path.join(os.environ['SUPD_LIBEXEC_DIR'], program), os.X_OK):
            skip('%s is not built' % program)
    if INSIDE not in os.environ:
        if os.geteuid() != 0:
            skip('needs root')
        how = ['unshare', '--pid', '--mount', '--ipc', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private']
        if not shutil.which('unshare') or subprocess.run(how + ['true'], stderr=subprocess.DEVNULL).returncode != 0:
            skip('private namespaces are not permitted here')
        os.environ[INSIDE] = '1'
        sys.exit(within_groups(how + [sys.executable] + sys.argv))
    os.umask(0o022)
    for d in ('/run', '/dev/shm', '/var/lib', '/var/cache', '/var/log'):
        mount('tmpfs', d, 'tmpfs', 0, 'mode=1777' if d == '/dev/shm' else 'mode=755')
    os.makedirs(BASE + '/etc/upper')
    os.makedirs(BASE + '/etc/work')
    mount('overlay', '/etc', 'overlay', 0, 'lowerdir=/etc,upperdir=%s/etc/upper,workdir=%s/etc/work' % (BASE, BASE))
    for name in ('NOTIFY_SOCKET', 'SUPD_NAME', 'SUPD_RUNTIME_DIR', 'SUPD_UNIT_PATH', 'LISTEN_PID', 'LISTEN_FDS'):
        os.environ.pop(name, None)


def reap():
    """We are process 1 here: what nobody else waits for is ours, but not what subprocess waits for."""
    own = {p.pid for p in list(getattr(subprocess, '_active', [])) if p} | Supd.started
    for pid in children(os.getpid()):
        if pid in own:
            continue
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass


def stat_of(pid):
    """(state, parent), or None when there is no such process."""
    try:
        with open('/proc/%d/stat' % pid) as f:
            after = f.read().rpartition(')')[2].split()
        return after[0], int(after[1])
    except (OSError, IndexError):
        return None


def processes():
    found = {}
    for name in os.listdir('/proc'):
        if name.isdigit():
            s = stat_of(int(name))
            if s and s[0] != 'Z':
                found[int(name)] = s[1]
    return found


def children(parent):
    return [int(n) for n in os.listdir('/proc') if n.isdigit() and (stat_of(int(n)) or (0, 0))[1] == parent]


def alive(pid):
    s = stat_of(pid)
    return s is not None and s[0] != 'Z'


def command_of(pid):
    try:
        with open('/proc/%d/cmdline' % pid, 'rb') as f:
            return f.read().replace(b'\0', b' ').decode(errors='replace').strip()
    except OSError:
        return ''


def wait(condition, what, bound=BOUND):
    """The first true value of CONDITION."""
    end = time.monotonic() + bound
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError('waited in vain for ' + (what() if callable(what) else what))
        time.sleep(0.01)


def read(path):
    try:
        with open(path, errors='replace') as f:
            return f.read()
    except OSError:
        return ''


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w' if isinstance(text, str) else 'wb') as f:
        f.write(text)


def left_over(bound=2):
    """What still runs besides us; helpers of supd may take a moment to see that it has ended."""
    end = time.monotonic() + bound
    while True:
        reap()
        left = {p: command_of(p) for p in processes() if p != os.getpid()}
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.01)


class Supd:
    """A private supd. Its directory holds units/ run/ log/ and out, its standard error."""
    serial = 0
    started = set()

    def __init__(self, name=None, runtime=None):
        Supd.serial += 1
        self.name = name or 'b%d' % Supd.serial
        self.dir = '%s/%s' % (BASE, self.name)
        self.units, self.log, self.out = self.dir + '/units', self.dir + '/log', self.dir + '/out'
        self.runtime = runtime or self.dir + '/run'
        self.process = None
        for d in (self.dir, self.units, self.log):
            os.makedirs(d, exist_ok=True)
        os.chmod(self.dir, 0o755)

    def environment(self, **more):
        env = dict(os.environ, SUPD_NAME=self.name, SUPD_RUNTIME_DIR=self.runtime, SUPD_UNIT_PATH=self.units)
        env.update(more)
        return env

    def spawn(self, *args, wrapper=(), env=None, preexec_fn=None):
        with open(self.out, 'ab') as out:
            self.process = subprocess.Popen([*wrapper, os.environ['SUPD'], '--system', '--log-dir', self.log, *args],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            env=self.environment(**(env or {})), preexec_fn=preexec_fn)
        Supd.started.add(self.process.pid)
        return self

    def start(self, *args, **how):
        self.spawn(*args, **how)
        return self.ready()

    def ready(self):
        def look():
            if self.process.poll() is not None:
                raise AssertionError('supd ended with %s: %s' % (self.process.returncode, read(self.out)))
            return os.path.exists(self.runtime + '/control') and self.ctl('is-system-running').stdout.strip() in (
                'running', 'degraded', 'starting')
        wait(look, lambda: 'supd to be ready: ' + read(self.out))
        return self

    def manager(self):
        """The pid of the manager that runs now, or 0."""
        for pid in children(self.process.pid):
            if command_of(pid).startswith('supd-manager') and alive(pid):
                return pid
        return 0

    def launcher(self):
        manager = self.manager()
        for pid in children(manager) if manager else []:
            if command_of(pid).startswith('supd-exec') and alive(pid):
                return pid
        return 0

    def ctl(self, *args, check=None, **how):
        r = subprocess.run([os.environ['SUPCTL'], *args], capture_output=True, text=True, timeout=60,
                           env=self.environment(), errors='replace', **how)
        if check is not None and r.returncode != check:
            raise AssertionError('supctl %s: exit code %d instead of %d\n%s%s\n--- supd said:\n%s' % (
                ' '.join(args), r.returncode, check, r.stdout, r.stderr, read(self.out)[-3000:]))
        return r

    def unit(self, name, text):
        write('%s/%s' % (self.units, name), text.replace('@D@', self.dir))

    def show(self, unit, *names):
        """The values of the properties; one as a string, several as a tuple."""
        text = self.ctl('show', unit, '-p', ','.join(names)).stdout
        values = dict(line.partition('=')[::2] for line in text.splitlines())
        found = tuple(values.get(n) for n in names)
        return found[0] if len(names) == 1 else found

    def state(self, unit):
        return ' '.join(str(v) for v in self.show(unit, *FIELDS))

    def until(self, unit, **wanted):
        """Waits until all properties have these values."""
        names = list(wanted)

        def look():
            got = self.show(unit, *names)
            got = (got,) if len(names) == 1 else got
            return all(str(wanted[n]) == g for n, g in zip(names, got))
        wait(look, lambda: '%s of %s; it is %s\n--- supd said:\n%s' % (wanted, unit, self.ctl('show', unit).stdout,
                                                                    read(self.out)[-3000:]))

    def until_state(self, unit, wanted):
        wait(lambda: self.state(unit) == wanted,
             lambda: '"%s" of %s; it is "%s"\n--- supd said:\n%s' % (wanted, unit, self.state(unit), read(self.out)[-3000:]))

    def main_pid(self, unit):
        return int(self.show(unit, 'MainPID') or 0)

    def until_file(self, name, text):
        path = name if name.startswith('/') else self.dir + '/' + name
        wait(lambda: read(path) == text, lambda: '%r in %s; it holds %r\n--- supd said:\n%s' % (
            text, name, read(path), read(self.out)[-3000:]))

    def said(self, text):
        wait(lambda: text in read(self.out), lambda: '%r in what supd says: %s' % (text, read(self.out)[-3000:]))

    def stop(self):
        """As an operator would end it. Returns the exit status; nothing of it may be left."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(BOUND)
        finally:
            self.kill()
        return status

    def kill(self):
        """Ends everything in this world but ourselves."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        while True:
            left = [p for p in processes() if p != os.getpid()]
            if not left:
                break
            for p in left:
                try:
                    os.kill(p, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            reap()
            time.sleep(0.002)
        reap()


class Case(unittest.TestCase):
    """One supd for all tests of a class; at the end it must stop cleanly and leave no process behind."""
    args = ()
    leaves_processes = False

    @classmethod
    def setUpClass(cls):
        cls.s = Supd(cls.__name__.lower())
        cls.prepare()
        cls.s.start(*cls.args)

    @classmethod
    def prepare(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        s = cls.s
        s.process.send_signal(signal.SIGTERM)
        try:
            status = s.process.wait(BOUND)
            left = left_over()
        except subprocess.TimeoutExpired:
            raise AssertionError('supd does not end: ' + read(s.out)[-3000:])
        finally:
            s.kill()
        if status != 0:
            raise AssertionError('supd ended with %d: %s' % (status, read(s.out)[-3000:]))
        if left and not cls.leaves_processes:
            raise AssertionError('left behind: %s' % left)
        said = read(s.out)
        for word in ('cannot happen', 'Sanitizer', 'runtime error', 'starting over'):
            if word in said:
                raise AssertionError('supd said: ' + said[-3000:])


def main():
    unittest.main(verbosity=2, module='__main__')
