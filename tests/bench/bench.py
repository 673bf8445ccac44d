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
import json
import os
import signal
import statistics
import subprocess
import sys
import time

from world import MANAGER_PID, World, cpu_ns, crash, end_of, pss_kib

# What other supervisors reached, when they were last measured for this table; what it holds is not what they reach here
# and now. bench-peers.py measures those that are installed anew, beside supd and in the same rounds.
PEERS = {
    "start 1": ("ratio", 2.9, "dinit"), "start 100": ("ratio", 2.9, "dinit"), "start 1000": ("ratio", 2.9, "dinit"),
    "crash": ("ratio", 1.6, "daemontools"), "crash again": ("ratio", 2.9, "dinit"),
    "status of one": ("ratio", 1.5, "runit"), "status of 1000": ("us", 3400, "dinit"),
    "list of 1000": ("us", 3400, "dinit"), "shutdown 1000": ("ratio", 1.3, "best"),
    "memory 0": ("KiB", 2200, "dinit"), "memory 100": ("KiB", 2400, "dinit"), "memory 1000": ("KiB", 4200, "dinit"),
    "idle wake-ups": ("count", 0, "all"), "idle CPU": ("us", 0, "all"),
}


def switches(pid):
    n = 0
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if "ctxt_switches" in line:
                n += int(line.split()[1])
    return n


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
            for spawn, to in ((self.w.start_supd, ours), (self.w.restart_floor, floor)):
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
