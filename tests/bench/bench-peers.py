#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures other supervisors beside supd, in the same run, with the same service, against the same floor.

    bench-peers.py BUILD-DIR [--rounds N] [--json FILE] [--only PART,...] [--peer NAME[:LABEL]=DIR[:DIR...]]...

A peer is measured when its programs are on PATH, or in the directories of --peer, which may be given several times for
one peer (builds of it, told apart by LABEL). All candidates take turns in one loop, floor first, each round beginning
with another; "ratio" is the median over the rounds of what a candidate took by what the floor took in the same round,
"of the best" the quotient of both quickest rounds.

Each peer is set up as its own documentation says that it is quickest, with no logger, no notification and no
dependency; the classes below say how. Those that supervise directories are measured with `run` being the service
itself, which is the least that they can do, and, as "sh", with the usual script of two lines. supd runs without
cgroups, as its peers do.

  start N         exec of the supervisor to the first instruction of the last of N services
  crash           SIGKILL to the replacement's first instruction, a service that has run for more than a second
  crash again     the same at once; runit, s6 and daemontools then let a second pass, on purpose
  status of one   the peer's own command, against an empty static program
  shutdown        the peer's own way to end all, until no process is left, not even a zombie
  memory          PSS of all processes that are not services

Nothing is believed: each of the services has to stamp, each status has to tell what is known to be true, and a
candidate has ended when this process, their subreaper, has no child any more.

Not here: supd in detail, and without peers (bench.py); any judgement. Invariant: whatever happens, no process, shared
memory or file stays, and nothing outside of private directories is written.
"""
import argparse
import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

from world import DEADLINE, Place, World, cpu_ns, crash, pss_kib

FEW, MANY = 100, 1000
PAUSE = 1.2  # more than the second that some let pass between two starts
PR_SET_CHILD_SUBREAPER = 36


def children(pid):
    found = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as f:
                found += map(int, f.read().split())
    return found


def descendants(pid):
    found = children(pid)
    for child in found:
        found += children(child)  # the list grows below the loop: all generations
    return found


def wait_all_gone():
    """Until this process has no child any more; as subreaper it has every orphan of the candidates."""
    signal.alarm(DEADLINE)
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        return time.monotonic_ns()
    finally:
        signal.alarm(0)


def kill_all():
    """Kills children until there are none. A child's number is its own until we reap it: no stranger is hit."""
    while ours := children(os.getpid()):
        for pid in ours:
            os.kill(pid, signal.SIGKILL)
        for pid in ours:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


class Candidate:
    """A supervisor in a place of its own. Subclasses say how it is set up (prepare), begun, asked and ended."""

    name = how = ""
    joins = ("start", "crash", "again", "rest")  # the headings that it is measured under
    waits = ()  # of these, the ones where it lets a second pass on purpose, which two rounds show well enough
    most_rounds = 1000  # what takes it many seconds need not be seen often

    def __init__(self, place):
        self.place = place

    def prepare(self, n):
        """Writes what is needed for N services, anew or once: not measured."""

    def start(self, n):
        raise NotImplementedError

    def start_one_to_crash(self):
        self.prepare(1)
        self.start(1)

    def stop(self):
        self.place.process.send_signal(signal.SIGTERM)

    def status(self, n):
        """One's status: command, pattern that must be found once; all N: command, pattern that must be found N times;
        and the same two of further ways to ask for all, by name."""
        raise NotImplementedError

    def settle(self):
        """Until the supervisor has used no CPU for a while. Only its first process is looked at: what was looked at
        in /proc costs its reaper more."""
        end = time.monotonic() + DEADLINE
        last, now = None, cpu_ns(self.place.process.pid)
        while now != last:
            if time.monotonic() > end:
                raise RuntimeError("does not come to rest")
            time.sleep(0.3)
            last, now = now, cpu_ns(self.place.process.pid)

    def rest(self):
        self.settle()

    def memory(self):
        ours = [self.place.process.pid, *descendants(self.place.process.pid)]
        service, kib, processes = os.path.realpath(self.place.service), 0, 0
        for pid in ours:
            if os.readlink(f"/proc/{pid}/exe") != service:
                kib += pss_kib(pid)
                processes += 1
        return kib, processes, len(ours) - processes

    def remove(self):
        self.place.remove()


class Floor(Candidate):
    name = "floor"
    how = "vfork and exec, kill and wait in a loop; for status, an empty static program"

    def start(self, n):
        self.place.start_floor(n)

    def start_one_to_crash(self):
        self.place.restart_floor()


class Supd(Candidate):
    name = "supd"
    how = "Restart=always, RestartSec=0, no start limit, no cgroups; status of 1000 is list-units, and status of all"

    def prepare(self, n):
        if getattr(self, "prepared", None) != n:
            self.place.write_units(n)
            self.prepared = n

    def start(self, _):
        self.place.start_supd()

    def settle(self):
        self.place.settle()

    def rest(self):
        self.settle()
        time.sleep(2)  # what the launcher holds ready leaves a second after the last start

    def status(self, n):
        ask, running = [self.place.supctl, "status", "--no-pager"], rb"Active: active \(running\)"
        return {"one": ([*ask, "bench-0.service"], running),
                "all": ([self.place.supctl, "list-units", "--no-pager"], rb"bench-\d+\.service .*running"),
                "all, in full": ([*ask, "bench-*"], running)}

    def remove(self):
        self.place.clean()


class PeerPlace(Place):
    """A place whose PATH begins with the peer's programs."""

    def __init__(self, build, path):
        super().__init__(build)
        self.path = path

    def environment(self):
        inherited = super().environment()
        return {**inherited, "PATH": f"{self.path}:{inherited['PATH']}"}


class Peer(Candidate):
    programs, variant = (), ""

    def __init__(self, build, path, label):
        super().__init__(PeerPlace(build, path))
        self.dir, self.path = self.place.dir, path
        self.name = self.name + label + self.variant
        self.programs_at = [shutil.which(p, path=path) for p in self.programs]
        if None in self.programs_at:
            self.place.remove()
            sys.exit(f"bench-peers: {self.name}: not all of {', '.join(self.programs)} are in {path}")
        self.prepared = set()

    def prepare(self, n):
        if n not in self.prepared:
            self.write(n)
            self.prepared.add(n)

    def write(self, n):
        raise NotImplementedError

    def command(self, n):
        raise NotImplementedError

    def start(self, n):
        self.place.spawn(*self.command(n))

    def write_file(self, name, text, mode=0o644):
        with open(f"{self.dir}/{name}", "w") as f:
            f.write(text)
        os.chmod(f"{self.dir}/{name}", mode)


class Dinit(Peer):
    name, programs = "dinit", ("dinit", "dinitctl")
    how = "one boot service waits for all; restart at once and without limit, smooth-recovery; dinitctl list for all"

    def write(self, n):
        os.mkdir(f"{self.dir}/services-{n}")
        self.write_file(f"services-{n}/boot", "type = internal\n" + "".join(f"waits-for = s{i}\n" for i in range(n)))
        for i in range(n):
            self.write_file(f"services-{n}/s{i}", "type = process\n"
                            f"command = {self.place.service} {self.place.slots.path} {i}\n"
                            "restart = yes\nsmooth-recovery = yes\nrestart-delay = 0\nrestart-limit-count = 0\n")

    def command(self, n):
        return self.programs_at[0], "--user", "--quiet", "-d", f"{self.dir}/services-{n}", "-p", f"{self.dir}/socket"

    def status(self, n):
        ask = [self.programs_at[1], "-p", f"{self.dir}/socket"]
        return {"one": ([*ask, "status", "s0"], rb"State: STARTED"), "all": ([*ask, "list"], rb"\bs\d+ \(pid: \d+\)")}


class Directories(Peer):
    """A peer with a process per service, and a directory per service that says all."""

    script, slot = "", "{}"  # `run`, when it is not the service itself; what the service is told of its slot

    def __init__(self, build, path, label):
        super().__init__(build, path, label)
        os.mkdir(f"{self.dir}/services")
        self.made = 0

    def make(self, i):
        at, place = f"services/{i}", self.place
        os.mkdir(f"{self.dir}/{at}")
        if self.script:
            self.write_file(f"{at}/run", self.script.format(place.service, place.slots.path, i), 0o755)
        else:
            os.symlink(place.service, f"{self.dir}/{at}/run")
            os.symlink(f"{place.slots.path}:{self.slot.format(i)}", f"{self.dir}/{at}/arguments")

    def write(self, n):
        for i in range(self.made, n):
            self.make(i)
        self.made = max(n, self.made)
        os.mkdir(self.scanned(n))
        for i in range(n):
            os.symlink(f"../services/{i}", f"{self.scanned(n)}/{i}")
        long_ago = time.time() - 60  # runsvdir sleeps for a second when the directory has changed within the last
        os.utime(self.scanned(n), (long_ago, long_ago))

    def scanned(self, n):
        return f"{self.dir}/scan-{n}"

    def service(self, i):
        return f"{self.dir}/services/{i}"

    def command(self, n):
        return self.programs_at[0], self.scanned(n)


class Runit(Directories):
    name, programs, waits = "runit", ("runsvdir", "runsv", "sv"), ("again",)
    how = "runsvdir, ended by SIGHUP; sv status of all in one call"

    def stop(self):
        self.place.process.send_signal(signal.SIGHUP)

    def status(self, n):
        ask, running = [self.programs_at[2], "status"], rb"(?m)^run: \S+: \(pid \d+\)"
        return {"one": ([*ask, self.service(0)], running), "all": ([*ask, *map(self.service, range(n))], running)}


class S6(Directories):
    name, programs, waits = "s6", ("s6-svscan", "s6-supervise", "s6-svc", "s6-svstat"), ("crash", "again")
    how = "s6-svscan, ended by SIGTERM; s6-svstat, which takes one service, 1,000 times in a loop of sh for all"

    def command(self, n):
        usage = subprocess.run([self.programs_at[0], "-?"], capture_output=True, check=False).stderr
        option = next((o for o in ("-C", "-c") if o.encode() in usage), None)  # older ones take 500 when not told
        limit = [option, str(MANY + 8)] if option else []
        return self.programs_at[0], *limit, self.scanned(n)

    def status(self, n):
        loop = f'for i in "$1"/*; do {self.programs_at[3]} "$i"; done'
        return {"one": ([self.programs_at[3], self.service(0)], rb"^up \(pid \d+"),
                "all": (["/bin/sh", "-c", loop, "sh", self.scanned(n)], rb"(?m)^up \(pid \d+")}


class Daemontools(Directories):
    name, programs, waits = "daemontools", ("svscan", "supervise", "svc", "svstat"), ("again",)
    how = "svscan, ended by SIGTERM to it, then svc -dx of all; svstat of all in one call"

    def start(self, n):
        super().start(n)
        self.n = n

    def stop(self):
        super().stop()  # first, else it begins them anew
        subprocess.Popen([self.programs_at[2], "-dx", *map(self.service, range(self.n))]).returncode = 0

    def status(self, n):
        running = rb"(?m): up \(pid \d+\)"
        return {"one": ([self.programs_at[3], self.service(0)], running),
                "all": ([self.programs_at[3], *map(self.service, range(n))], running)}


class Supervisord(Peer):
    name, programs, most_rounds = "supervisord", ("supervisord", "supervisorctl"), 1
    how = "one program with numprocs, no log files, startsecs=0, autorestart=true; supervisorctl status"

    def write(self, n):
        socket = f"{self.dir}/socket"
        program = (f"[program:s]\ncommand={self.place.service} {self.place.slots.path} %(process_num)d\nnumprocs={n}\n"
                   "process_name=%(process_num)d\nautorestart=true\nstartsecs=0\nredirect_stderr=true\n"
                   "stdout_logfile=NONE\n")
        self.write_file(f"conf-{n}", f"[supervisord]\nnodaemon=true\nsilent=true\nlogfile=/dev/null\nlogfile_maxbytes=0\n"
                        f"loglevel=critical\npidfile={self.dir}/pid\nminfds={4 * n + 64}\n"
                        f"[unix_http_server]\nfile={socket}\n[supervisorctl]\nserverurl=unix://{socket}\n"
                        "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = "
                        "supervisor.rpcinterface:make_main_rpcinterface\n" + (program if n else ""))

    def command(self, n):
        return self.programs_at[0], "-c", f"{self.dir}/conf-{n}"

    def status(self, n):
        ask, running = [self.programs_at[1], "-c", f"{self.dir}/conf-{n}", "status"], rb"RUNNING +pid \d+"
        return {"one": ([*ask, "s:0" if n > 1 else "s"], running), "all": (ask, running)}


class S6Ready(S6):
    """s6 pauses before each restart of a service that has not told that it is ready."""

    variant, slot, joins, waits = " ready", "{}:3", ("crash", "again"), ("again",)
    how = "as s6; with notification-fd: without, each restart waits for a second"

    def make(self, i):
        super().make(i)
        self.write_file(f"services/{i}/notification-fd", "3\n")


def usual(kind, joins=("start", "crash")):
    """KIND with the usual script as `run`."""
    return type(kind.__name__ + "Usual", (kind,), {
        "variant": " sh", "script": "#!/bin/sh\nexec {} {} {}\n", "joins": joins,
        "how": f"as {kind.name}; run is a script, #!/bin/sh and exec"})


KINDS = {"dinit": (Dinit,), "runit": (Runit, usual(Runit)), "s6": (S6, usual(S6, ("start",)), S6Ready),
         "daemontools": (Daemontools, usual(Daemontools)), "supervisord": (Supervisord,)}


def candidates(build, given):
    """Floor, supd, and every peer that was given or is found."""
    yield Floor(Place(build))
    yield Supd(World(build))
    for name, kinds in KINDS.items():
        here = [(label, path) for n, label, path in given if n == name]
        if not here and all(map(shutil.which, kinds[0].programs)):
            here = [("", os.environ["PATH"])]
        yield from (kind(build, path, label) for label, path in here for kind in kinds)


class Bench:
    def __init__(self, all_candidates, rounds):
        self.all, self.rounds = all_candidates, rounds
        self.taken = {}  # what → name → one figure a round; the floor's of the same round is its pair
        self.memories = {}
        self.now = None

    def turns(self, of, rounds):
        """Who is next, in ROUNDS rounds, each beginning with another."""
        for r in range(rounds):
            for i in range(len(of)):
                self.now = of[(r + i) % len(of)]
                if r < self.now.most_rounds:
                    yield self.now

    def joining(self, heading):
        return [c for c in self.all if heading in c.joins]

    def took(self, what, ns, name=None):
        self.taken.setdefault(what, {}).setdefault(name or self.now.name, []).append(ns)

    def begin(self, c, n):
        """Ns from the exec of C to the first instruction of the last of N services."""
        c.prepare(n)
        c.start(n)
        return (c.place.slots.wait_all(n) if n else 0) - c.place.begun()

    def end(self, c):
        begun = time.monotonic_ns()
        c.stop()
        ended = wait_all_gone() - begun
        c.place.process.returncode = 0  # reaped here
        return ended

    def memory(self):
        for n in (0, FEW, MANY):
            for c in self.turns(self.joining("rest")[1:], 1):
                self.begin(c, n)
                c.rest()
                kib, processes, services = c.memory()
                if services != n:
                    raise RuntimeError(f"{services} services of {n}")
                self.memories.setdefault(n, {})[c.name] = (kib, processes)
                self.end(c)

    def crash(self):
        for r in range(3 * self.rounds):
            begun = [c for c in self.joining("crash") if r < c.most_rounds]
            begun = begun[r % len(begun):] + begun[:r % len(begun)]
            for c in self.turns(begun, 1):
                c.start_one_to_crash()
                c.place.slots.wait_all(1)
            time.sleep(PAUSE)
            for c in self.turns(begun, 1):
                for what, heading in (("crash", "crash"), ("crash again", "again")):
                    if heading in c.joins and (r < 2 or heading not in c.waits):
                        self.took(what, crash(c.place.slots))
            for c in begun:
                c.stop()
            wait_all_gone()
            for c in begun:
                c.place.process.returncode = 0

    def few(self):
        for n, rounds in ((1, 3 * self.rounds), (FEW, 2 * self.rounds)):
            for c in self.turns(self.joining("start"), rounds):
                self.took(f"start {n}", self.begin(c, n))
                time.sleep(0.1)
                self.end(c)

    def timed(self, what, c, command, rounds):
        r = subprocess.run([c.place.floor, "time", str(rounds), "--", *command, "--", c.place.empty],
                           env=c.place.environment(), stdout=subprocess.PIPE, check=True)
        for line in r.stdout.decode().splitlines():
            took, empty = map(int, line.split())
            self.took(what, (took, empty))

    def ask(self, c):
        for which, (command, pattern) in c.status(MANY).items():
            n = 1 if which == "one" else MANY
            said = subprocess.run(command, env=c.place.environment(), stdout=subprocess.PIPE, check=False).stdout
            if len(re.findall(pattern, said)) != n:
                raise RuntimeError(f"{command[:3]} does not tell of {n}: {said[:300]}")
            what = f"status of {which}".replace("all", str(MANY))
            self.timed(what, c, command, 2 if c.most_rounds == 1 else 12 if which == "one" else 4)

    def many(self):
        for c in self.turns(self.joining("start"), self.rounds):
            self.took(f"start {MANY}", self.begin(c, MANY))
            c.settle()
            rest = "rest" in c.joins
            if rest and not isinstance(c, Floor):
                self.ask(c)
            ended = self.end(c)
            if rest:
                self.took(f"shutdown {MANY}", ended)


PARTS = ("memory", "crash", "few", "many")
ORDER = ("start 1", f"start {FEW}", f"start {MANY}", "crash", "crash again", "status of one", f"status of {MANY}",
         f"status of {MANY}, in full", f"shutdown {MANY}")


def figure(what, name, mine, floor):
    """MINE and FLOOR: ns, of the same rounds."""
    return {"what": what, "name": name, "rounds": len(mine), "us": statistics.median(mine) / 1000,
            "ratio": statistics.median(m / f for m, f in zip(mine, floor)),
            "best_ratio": min(mine) / min(floor)}


def figures(bench):
    rows = []
    for what in ORDER:
        taken = bench.taken.get(what, {})
        if what.startswith("status"):
            rows += [figure(what, name, *zip(*pairs)) for name, pairs in taken.items()]
        else:
            rows += [figure(what, c.name, taken[c.name], taken["floor"]) for c in bench.all if c.name in taken]
    rows += [{"what": f"memory {n}", "name": name, "KiB": kib, "processes": processes}
             for n, of in bench.memories.items() for name, (kib, processes) in of.items()]
    return rows


def span(us):
    return f"{us:.0f} us" if us < 10000 else f"{us / 1000:.0f} ms"


def times(ratio):
    return f"{ratio:.2f}×" if ratio < 100 else f"{ratio:.0f}×"


def show(rows, all_candidates):
    width = max(len(c.name) for c in all_candidates)
    what = None
    for r in rows:
        if r["what"] != what:
            what = r["what"]
            heads = ("PSS", "processes", "") if "KiB" in r else ("median", "ratio", "of the best")
            print(f"\n{what.ljust(width + 16)}{heads[0]:>12}{heads[1]:>12}{heads[2]:>14}".rstrip())
        if "KiB" in r:
            cells = f"{r['KiB']:>8} KiB{r['processes']:>12}"
        else:
            cells = f"{span(r['us']):>12}{times(r['ratio']):>12}{times(r['best_ratio']):>14}"
        print(f"  {r['name'].ljust(width + 14)}{cells}")
    print()
    for c in all_candidates:
        print(f"{c.name}: {c.how}")


def given_peer(text):
    name, _, path = text.partition("=")
    name, colon, label = name.partition(":")
    if name not in KINDS or not path:
        raise argparse.ArgumentTypeError(f"{text}: not NAME[:LABEL]=DIR, NAME one of {', '.join(KINDS)}")
    return name, colon + label, ":".join(map(os.path.abspath, path.split(":")))


def too_long(*_):
    raise RuntimeError("does not end")


def main():
    p = argparse.ArgumentParser(description="Measure supd and other supervisors side by side.")
    p.add_argument("build", help="build directory")
    p.add_argument("--rounds", type=int, default=5, metavar="N", help="of 1,000 services; the small ones take more")
    p.add_argument("--json", metavar="FILE", help="write the figures to FILE ('-' for standard output)")
    p.add_argument("--only", metavar="PART,...", default=",".join(PARTS), help="of " + ", ".join(PARTS))
    p.add_argument("--peer", metavar="NAME[:LABEL]=DIR[:DIR...]", action="append", default=[], type=given_peer,
                   help="where the programs of a peer are: " + ", ".join(KINDS))
    o = p.parse_args()
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        sys.exit("bench-peers: cannot become subreaper")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.signal(signal.SIGALRM, too_long)
    every, bench = [], None
    try:
        every.extend(candidates(o.build, o.peer))
        bench = Bench(every, o.rounds)
        for part in o.only.split(","):
            getattr(bench, part)()
    except BaseException:
        if bench and bench.now:
            print(f"bench-peers: {bench.now.name}:\n{bench.now.place.output()}", file=sys.stderr)
        raise
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        kill_all()
        for c in every:
            c.remove()
    rows = figures(bench)
    if o.json:
        with open("/dev/stdout" if o.json == "-" else o.json, "w") as f:
            json.dump({"figures": rows, "how": {c.name: c.how for c in every}}, f, indent=1)
    if o.json != "-":
        show(rows, every)


if __name__ == "__main__":
    main()
