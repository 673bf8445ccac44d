# SPDX-License-Identifier: MIT
"""What the benchmarks share: the file that services stamp, a private directory to run a supervisor in, supd in one.

Not here: what is measured, and any judgement (bench.py, bench-peers.py). Invariant: every process is begun by
Place.spawn(), which stamps the time right before its exec; clean() leaves neither process, shared memory nor file.
"""
import contextlib
import mmap
import os
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import time

SLOT = struct.Struct("=QII")  # bench.h
MAX_SERVICES = 4096
STAMP = MAX_SERVICES  # this slot is bench-floor's "stamp"
DEADLINE = 60  # seconds after which something is broken

# offsets of src/abi/durable.h's header: fields are only added behind
MANAGER_PID, MANAGER_HEALTHY = 60, 84


class Slots:
    """The file that services stamp."""

    def __init__(self, path):
        self.path = path
        with open(path, "wb") as f:
            f.truncate((MAX_SERVICES + 1) * SLOT.size)
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 0)

    def clear(self):
        self.map[:] = bytes(len(self.map))

    def get(self, i):
        return SLOT.unpack_from(self.map, i * SLOT.size)

    def stamped(self, n):
        return [self.get(i)[0] for i in range(n)]

    def wait_all(self, n):
        """Until N services have begun: the time of the last one, ns."""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            if self.get(n - 1)[0] and all(self.stamped(n)):
                return max(self.stamped(n))
            time.sleep(0.002)
        raise RuntimeError(f"only {sum(map(bool, self.stamped(n)))} of {n} services began")

    def wait_next(self, i, starts):
        """Until service I has begun more than STARTS times: its time, ns."""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            slot = self.get(i)
            if slot[2] > starts:
                return slot[0]
            time.sleep(0.0002)
        raise RuntimeError("the replacement did not come")


def crash(slots, i=0):
    """Kills service I: ns until the replacement's first instruction."""
    _, pid, starts = slots.get(i)
    begun = time.monotonic_ns()
    os.kill(pid, signal.SIGKILL)
    return slots.wait_next(i, starts) - begun


def end_of(process):
    """SIGTERM: ns until the process is gone."""
    fd = os.pidfd_open(process.pid)
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    begun = time.monotonic_ns()
    process.send_signal(signal.SIGTERM)
    gone = poll.poll(DEADLINE * 1000)
    ns = time.monotonic_ns() - begun
    os.close(fd)
    if not gone:
        raise RuntimeError("does not end")
    process.wait()
    return ns


def cpu_ns(pid):
    with open(f"/proc/{pid}/schedstat") as f:
        return int(f.read().split()[0])


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        for line in f:
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


class Place:
    """A private directory with its slots, and what begins in it: at most one supervisor at a time."""

    def __init__(self, build):
        shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.dir = tempfile.mkdtemp(prefix="bench-of-", dir=shm)
        here = os.path.abspath(os.path.join(build, "tests/bench"))
        self.service, self.floor, self.empty = (f"{here}/bench-{n}" for n in ("service", "floor", "empty"))
        self.slots = Slots(f"{self.dir}/slots")
        self.process = None

    def environment(self):
        return {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}

    def spawn(self, *command):
        """COMMAND, stamped right before its exec."""
        self.slots.clear()
        with open(f"{self.dir}/output", "ab") as log:
            self.process = subprocess.Popen([self.floor, "stamp", self.slots.path, str(STAMP), "--", *command],
                                            env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self.process

    def begun(self):
        return self.slots.get(STAMP)[0]

    def start_floor(self, n):
        return self.spawn(self.floor, "start", self.slots.path, str(n), "--", self.service)

    def restart_floor(self):
        return self.spawn(self.floor, "restart", self.slots.path, "--", self.service)

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def output(self):
        with contextlib.suppress(OSError):
            with open(f"{self.dir}/output", errors="replace") as f:
                return f.read()[-2000:]
        return ""


class World(Place):
    """supd in a place of its own, and everything that must be gone in the end."""

    def __init__(self, build):
        super().__init__(build)
        programs = os.path.join(build, "src/programs")
        self.supd, self.supctl = f"{programs}/supd/supd", f"{programs}/supctl/supctl"
        self.name = f"bench-{os.getpid()}"
        self.libexec = f"{self.dir}/libexec"
        os.mkdir(self.libexec)
        for name in ("supd-manager", "supd-exec", "supd-bus", "supd-unit-files", "supctl-bus"):
            os.symlink(f"{os.path.abspath(programs)}/{name}/{name}", f"{self.libexec}/{name}")
        self.cgroups = "no"  # as floor and peers do it; start and shutdown are measured with them, too

    def write_units(self, n):
        units = f"{self.dir}/units"
        shutil.rmtree(units, ignore_errors=True)
        os.mkdir(units)
        with open(f"{units}/bench.target", "w") as f:
            f.write("[Unit]\nDescription=All services of the benchmark\n")
            f.writelines(f"Wants=bench-{i}.service\n" for i in range(n))
        for i in range(n):
            with open(f"{units}/bench-{i}.service", "w") as f:
                f.write(f"[Unit]\nDescription=Service {i} of the benchmark\nStartLimitIntervalSec=0\n\n"
                        f"[Service]\nExecStart={self.service} {self.slots.path} {i}\n"
                        "Restart=always\nRestartSec=0\n")

    def environment(self):
        return {**super().environment(), "SUPD_LIBEXEC_DIR": self.libexec, "SUPD_NAME": self.name,
                "SUPD_RUNTIME_DIR": f"{self.dir}/run", "SUPD_UNIT_PATH": f"{self.dir}/units",
                "SUPD_CGROUPS": self.cgroups}

    def start_supd(self):
        for d in ("run", "log"):
            shutil.rmtree(f"{self.dir}/{d}", ignore_errors=True)
        os.mkdir(f"{self.dir}/run")
        return self.spawn(self.supd, "--log-dir", f"{self.dir}/log", "--unit", "bench.target")

    def header(self, offset):
        try:
            with open(f"{self.dir}/run/state", "rb") as f:
                data = os.pread(f.fileno(), 4, offset)
                return struct.unpack("=I", data)[0] if len(data) == 4 else 0  # 0: just made, still empty
        except OSError:
            return 0

    def wait_healthy(self, but=0):
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            if self.header(MANAGER_HEALTHY) and self.header(MANAGER_PID) not in (0, but):
                return time.monotonic_ns()
            time.sleep(0.0002)
        raise RuntimeError("no manager becomes healthy")

    def parts(self):
        """Processes of ours: name → pid. Services' directories in /proc are not touched: a process that was looked at
        costs its reaper more."""
        keeper, manager = self.process.pid, self.header(MANAGER_PID)
        found = {"supd": keeper, "supd-manager": manager}
        with contextlib.suppress(OSError):
            with open(f"/proc/{manager}/task/{manager}/children") as f:
                for pid in map(int, f.read().split()):
                    with open(f"/proc/{pid}/comm") as comm:
                        found[comm.read().strip()] = pid
        return found

    def settle(self):
        """Until supd's processes have used no CPU for a while."""
        self.wait_healthy()
        last = None
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            now = {n: cpu_ns(p) for n, p in self.parts().items()}
            if now == last:
                return
            last = now
            time.sleep(0.3)
        raise RuntimeError("supd does not come to rest")

    def clean(self):
        for sig in (signal.SIGTERM, signal.SIGKILL):
            if self.process and self.process.poll() is None:
                manager = self.header(MANAGER_PID)
                self.process.send_signal(sig)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(15)
                if sig == signal.SIGKILL and manager:
                    with contextlib.suppress(OSError):
                        if os.readlink(f"/proc/{manager}/exe").endswith("/supd-manager"):
                            os.kill(manager, signal.SIGKILL)
        for i in range(MAX_SERVICES):
            pid = self.slots.get(i)[1]
            with contextlib.suppress(OSError):
                if pid and os.readlink(f"/proc/{pid}/exe") == os.path.realpath(self.service):
                    os.kill(pid, signal.SIGKILL)
        for left in ("supd-{}", "supd.changes-{}", "sem.supd-{}.lock"):
            with contextlib.suppress(OSError):
                os.unlink("/dev/shm/" + left.format(self.name))
        self.remove()
