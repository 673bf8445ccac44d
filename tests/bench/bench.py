#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures supd against a floor: the same work done as barely as the kernel permits (bench-floor.c).

    bench.py BUILD-DIR [--quick] [--json FILE] [--check] [--only PART,...]

Every figure is taken in turns with its floor (A B A B), and the ratio is the median of the pairs' ratios, so that a
noisy machine hurts both alike; "of the best" is the quotient of both sides' quickest rounds: what is left when others
take no CPU. (Under load a service's first instruction waits longer with supd than with the floor where
sched_autogroup_enabled is 1: each service is a session of its own, and a new session queues up anew.) "Best peer" are
the ratios and sizes that other supervisors reached on a machine of this class, measured in the same way; they put no
service into a cgroup of its own, so the rows "cgroups", where supd does, have none. Nothing is judged by
time: --check fails only when a figure did not come about.

Not here: profiling, and any word about why. Invariant: whatever happens, no process, shared memory or file stays.
"""
import argparse
import contextlib
import json
import mmap
import os
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time

SLOT = struct.Struct("=QII")  # bench.h
MAX_SERVICES = 4096
STAMP = MAX_SERVICES  # this slot is bench-floor's "stamp"
DEADLINE = 60  # seconds after which something is broken

# offsets of src/abi/durable.h's header: fields are only added behind
MANAGER_PID, MANAGER_HEALTHY = 60, 84

PEERS = {
    "start 1": ("ratio", 2.9, "dinit"), "start 100": ("ratio", 2.9, "dinit"), "start 1000": ("ratio", 2.9, "dinit"),
    "crash": ("ratio", 1.6, "daemontools"), "crash again": ("ratio", 2.9, "dinit"),
    "status of one": ("ratio", 1.5, "runit"), "status of 1000": ("us", 3400, "dinit"),
    "list of 1000": ("us", 3400, "dinit"), "shutdown 1000": ("ratio", 1.3, "best"),
    "memory 0": ("KiB", 2200, "dinit"), "memory 100": ("KiB", 2400, "dinit"), "memory 1000": ("KiB", 4200, "dinit"),
    "idle wake-ups": ("count", 0, "all"), "idle CPU": ("us", 0, "all"),
}


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


class World:
    """Directories, programs and everything that must be gone in the end."""

    def __init__(self, build):
        shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.dir = tempfile.mkdtemp(prefix="bench-of-", dir=shm)
        programs = os.path.join(build, "src/programs")
        here = os.path.join(build, "tests/bench")
        self.supd, self.supctl = f"{programs}/supd/supd", f"{programs}/supctl/supctl"
        self.service, self.floor, self.empty = (f"{here}/bench-{n}" for n in ("service", "floor", "empty"))
        self.name = f"bench-{os.getpid()}"
        self.libexec = f"{self.dir}/libexec"
        os.mkdir(self.libexec)
        for name in ("supd-manager", "supd-exec", "supd-bus", "supd-unit-files", "supctl-bus"):
            os.symlink(f"{os.path.abspath(programs)}/{name}/{name}", f"{self.libexec}/{name}")
        self.slots = Slots(f"{self.dir}/slots")
        self.process = None
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
                        f"[Service]\nExecStart={os.path.abspath(self.service)} {self.slots.path} {i}\n"
                        "Restart=always\nRestartSec=0\n")

    def environment(self):
        return {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "SUPD_LIBEXEC_DIR": self.libexec, "SUPD_NAME": self.name,
                "SUPD_RUNTIME_DIR": f"{self.dir}/run", "SUPD_UNIT_PATH": f"{self.dir}/units",
                "SUPD_CGROUPS": self.cgroups}

    def spawn(self, *command):
        """COMMAND, stamped right before its exec."""
        self.slots.clear()
        with open(f"{self.dir}/output", "ab") as log:
            self.process = subprocess.Popen([self.floor, "stamp", self.slots.path, str(STAMP), "--", *command],
                                            env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self.process

    def begun(self):
        return self.slots.get(STAMP)[0]

    def start_supd(self):
        for d in ("run", "log"):
            shutil.rmtree(f"{self.dir}/{d}", ignore_errors=True)
        os.mkdir(f"{self.dir}/run")
        return self.spawn(self.supd, "--log-dir", f"{self.dir}/log", "--unit", "bench.target")

    def start_floor(self, n):
        return self.spawn(self.floor, "start", self.slots.path, str(n), "--", self.service)

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
        for left in (f"/dev/shm/supd-{self.name}", f"/dev/shm/sem.supd-{self.name}.lock"):
            with contextlib.suppress(OSError):
                os.unlink(left)
        shutil.rmtree(self.dir, ignore_errors=True)

    def output(self):
        with contextlib.suppress(OSError):
            with open(f"{self.dir}/output", errors="replace") as f:
                return f.read()[-2000:]
        return ""


def cpu_ns(pid):
    with open(f"/proc/{pid}/schedstat") as f:
        return int(f.read().split()[0])


def switches(pid):
    n = 0
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if "ctxt_switches" in line:
                n += int(line.split()[1])
    return n


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        for line in f:
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


class Bench:
    def __init__(self, world, quick):
        self.w, self.quick, self.pairs, self.single, self.detail = world, quick, {}, {}, {}
        self.many = 20 if quick else 1000

    def pair(self, what, ours, floor):
        self.pairs.setdefault(what, []).append((ours, floor))

    def start_round(self, n, label, shutdown):
        self.w.start_supd()
        ours = self.w.slots.wait_all(n) - self.w.begun()
        self.w.settle()
        ended = end_of(self.w.process)
        self.w.start_floor(n)
        floor = self.w.slots.wait_all(n) - self.w.begun()
        time.sleep(0.05)
        floor_ended = end_of(self.w.process)
        self.pair(f"start {label}", ours, floor)
        if shutdown:
            self.pair(f"shutdown {label}", ended, floor_ended)

    def start(self):
        few = 10 if self.quick else 100
        for n, label, rounds in ((1, "1", 15), (few, "100", 7), (self.many, "1000", 7)):
            self.w.write_units(n)
            for _ in range(2 if self.quick else rounds):
                self.start_round(n, label, label == "1000")
            if label == "100":
                continue
            self.w.cgroups = "auto"
            for _ in range(2 if self.quick else rounds):
                self.start_round(n, label + " cgroups", label == "1000")
            self.w.cgroups = "no"

    def crash(self):
        self.w.write_units(1)
        for _ in range(1 if self.quick else 3):
            ours, floor = [], []
            for spawn, to in ((self.w.start_supd, ours),
                              (lambda: self.w.spawn(self.w.floor, "restart", self.w.slots.path, "--", self.w.service),
                               floor)):
                spawn()
                self.w.slots.wait_all(1)
                time.sleep(0.2)
                for _ in range(3 if self.quick else 15):
                    to.append((crash(self.w.slots), crash(self.w.slots)))
                    time.sleep(0.05)
                end_of(self.w.process)
            for a, b in zip(ours, floor):
                self.pair("crash", a[0], b[0])
                self.pair("crash again", a[1], b[1])

    def timed(self, what, rounds, *command):
        r = subprocess.run([self.w.floor, "time", str(rounds), "--", *command, "--", self.w.empty],
                           env=self.w.environment(), stdout=subprocess.PIPE, check=True)
        for line in r.stdout.decode().splitlines():
            self.pair(what, *map(int, line.split()))

    def memory(self, label):
        parts = {name: pss_kib(pid) for name, pid in self.w.parts().items()}
        self.detail[f"PSS KiB at {label}"] = parts
        self.single[f"memory {label}"] = ("KiB", parts["supd"] + parts["supd-manager"])

    def idle(self):
        time.sleep(2)  # the launcher's spares leave a second after the last start
        parts = self.w.parts()
        before = {n: (switches(p), cpu_ns(p)) for n, p in parts.items()}
        time.sleep(1 if self.quick else 20)
        woken = {n: switches(p) - before[n][0] for n, p in parts.items()}
        cpu = {n: cpu_ns(p) - before[n][1] for n, p in parts.items()}
        self.detail["wake-ups"], self.detail["CPU ns"] = woken, cpu
        self.single["idle wake-ups"] = ("count", sum(woken.values()))
        self.single["idle CPU"] = ("us", sum(cpu.values()) / 1000)

    def manager_killed(self):
        old = self.w.header(MANAGER_PID)
        _, pid, starts = self.w.slots.get(0)
        begun = time.monotonic_ns()
        os.kill(old, signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        healthy = self.w.wait_healthy(but=old) - begun
        restarted = self.w.slots.wait_next(0, starts) - begun
        self.detail.setdefault("manager killed", []).append({"healthy_us": healthy / 1000,
                                                             "crash_restarted_us": restarted / 1000})

    def rest(self):
        few = 10 if self.quick else 100
        for n, label in ((0, "0"), (few, "100"), (self.many, "1000")):
            for _ in range(3 if label == "1000" and not self.quick else 1):
                self.w.write_units(n)
                self.w.start_supd()
                if n:
                    self.w.slots.wait_all(n)
                self.w.settle()
                if label == "1000" and "idle CPU" not in self.single:
                    self.memory(label)
                    self.idle()
                    k = 10 if self.quick else 200
                    self.timed("status of one", k, self.w.supctl, "status", "bench-0.service")
                    self.timed("status of 1000", k // 5, self.w.supctl, "status", "--no-pager", "bench-*")
                    self.timed("list of 1000", k // 2, self.w.supctl, "list-units", "--no-pager")
                elif label != "1000":
                    self.memory(label)
                if label == "1000":
                    self.manager_killed()
                    self.w.settle()
                end_of(self.w.process)
        for key in ("healthy_us", "crash_restarted_us"):
            values = [d[key] for d in self.detail["manager killed"]]
            name = "manager killed, healthy" if key == "healthy_us" else "manager killed, crash seen to"
            self.single[name] = ("us", statistics.median(values))

    def results(self):
        rows = []
        for what, pairs in self.pairs.items():
            rows.append({"what": what, "supd_us": statistics.median(p[0] for p in pairs) / 1000,
                         "floor_us": statistics.median(p[1] for p in pairs) / 1000,
                         "ratio": statistics.median(p[0] / p[1] for p in pairs), "pairs": len(pairs),
                         "best_ratio": min(p[0] for p in pairs) / min(p[1] for p in pairs)})
        for what, (unit, value) in self.single.items():
            rows.append({"what": what, "value": value, "unit": unit})
        for row in rows:
            judge(row)
        return rows


def judge(row):
    peer = PEERS.get(row["what"])
    if not peer:
        return
    unit, best, who = peer
    mine = row["ratio"] if unit == "ratio" else row.get("value", row.get("supd_us"))
    row["peer"], row["peer_name"], row["peer_unit"] = best, who, unit
    row["ahead"] = mine <= best if unit == "count" or best == 0 else mine < best


def show(rows, detail):
    table = [("what", "supd", "floor", "ratio", "of the best", "best peer", "ahead?")]
    for r in rows:
        peer = ""
        if "peer" in r:
            unit = "×" if r["peer_unit"] == "ratio" else "" if r["peer_unit"] == "count" else " " + r["peer_unit"]
            peer = f"{r['peer']}{unit} ({r['peer_name']})"
        ahead = {True: "yes", False: "no", None: ""}[r.get("ahead")]
        if "ratio" in r:
            table.append((r["what"], f"{r['supd_us']:.0f} us", f"{r['floor_us']:.0f} us", f"{r['ratio']:.2f}×",
                          f"{r['best_ratio']:.2f}×", peer, ahead))
        else:
            unit = "" if r["unit"] == "count" else " " + r["unit"]
            table.append((r["what"], f"{r['value']:.0f}{unit}", "", "", "", peer, ahead))
    widths = [max(len(row[i]) for row in table) for i in range(7)]
    for row in table:
        print("  ".join(c.ljust(w) if i in (0, 5, 6) else c.rjust(w)
                        for i, (c, w) in enumerate(zip(row, widths))).rstrip())
    print()
    for name, d in detail.items():
        if isinstance(d, dict):
            total = sum(d.values())
            print(f"{name}: " + ", ".join(f"{k} {v}" for k, v in d.items()) + f"; sum {total}")


PARTS = ("start", "crash", "rest")


def main():
    p = argparse.ArgumentParser(description="Measure supd against a floor in the same run.")
    p.add_argument("build", help="build directory")
    p.add_argument("--quick", action="store_true", help="few services, few rounds: shows only that it works")
    p.add_argument("--check", action="store_true", help="fail when a figure is missing")
    p.add_argument("--json", metavar="FILE", help="write the figures to FILE ('-' for standard output)")
    p.add_argument("--only", metavar="PART,...", default=",".join(PARTS), help="of " + ", ".join(PARTS))
    o = p.parse_args()
    world = World(o.build)
    bench = Bench(world, o.quick)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        for part in o.only.split(","):
            getattr(bench, part)()
        rows = bench.results()
    except BaseException:
        print(world.output(), file=sys.stderr)
        raise
    finally:
        world.clean()
    if o.quick:
        print("Quick: 10 services stand for 100, 20 for 1,000. The ratios mean nothing.\n", file=sys.stderr)
    if o.json == "-":
        print(json.dumps({"figures": rows, "detail": bench.detail, "quick": o.quick}, indent=1))
    else:
        show(rows, bench.detail)
        if o.json:
            with open(o.json, "w") as f:
                json.dump({"figures": rows, "detail": bench.detail, "quick": o.quick}, f, indent=1)
    missing = sorted(set(PEERS) - {r["what"] for r in rows}) if o.check else []
    bad = [r["what"] for r in rows if not r.get("what", "").startswith("idle") and r.get("value", r.get("supd_us")) <= 0]
    if missing or bad:
        sys.exit(f"bench: no figure for {', '.join(missing + bad)}")


if __name__ == "__main__":
    main()
