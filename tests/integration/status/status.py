#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The status table with processes: a real writer, real readers, supctl, and what befalls them.

status.py WRITER READER SUPCTL SUITE   (SUITE: supctl, locks, torture, places)

Each suite uses tables of its own (names carry our pid), and leaves no process and no shared memory behind. Nothing is
decided by a clock: bounds on times are the protocol's own (a writer never waits; a reader ends).
"""
import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

WRITER, READER, SUPCTL, SUITE = sys.argv[1:5]
failures = []


def check(what, ok, detail=""):
    print(f"{'ok' if ok else 'FAILED'}: {what}{'' if ok else ': ' + str(detail)[:2000]}", flush=True)
    if not ok:
        failures.append(what)


class Writer:
    """A table-writer, with its table's name."""

    number = 0

    def __init__(self, units=10, log_dir=""):
        Writer.number += 1
        self.name = f"itest-{os.getpid()}-{Writer.number}"
        self.said = []
        self.start(units, log_dir)

    def start(self, units=10, log_dir=""):
        self.process = subprocess.Popen([WRITER, self.name, str(units), log_dir], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        while True:
            line = self.process.stdout.readline().strip()
            self.said.append(line)
            if line in ("ready", "off", ""):
                break

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def kill(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for path in (f"/dev/shm/supd-{self.name}", f"/dev/shm/sem.supd-{self.name}.lock"):
            with contextlib.suppress(OSError):
                os.unlink(path)


def supctl(name, *words, **more):
    env = dict(os.environ, SUPD_NAME=name, TZ="UTC", **more)
    return subprocess.run([SUPCTL, *words], capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL)


def numbers(line):
    return {k: int(v) for k, v in re.findall(r"(\w+) (\d+)", line)}


def reader(name, *words):
    return subprocess.Popen([READER, name, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def read(name, *words):
    return subprocess.run([READER, name, *words], capture_output=True, text=True).stdout.strip()


# ---- supctl ----


def suite_supctl():
    with tempfile.TemporaryDirectory() as tmp:
        log = pathlib.Path(tmp, "web.service.log")
        log.write_text("".join(f"line {i}\n" for i in range(1, 30)) + "\x1b[31mlast")
        with Writer(10, tmp) as w:
            supctl_verbs(w)
            supctl_json(w)
            supctl_bus(w, tmp)
            supctl_writer_states(w)
    r = supctl("no-such-table-here", "status", "web")
    check("no table: 4 and a reason", r.returncode == 4 and "not running" in r.stderr, r)
    check("no table: is-active 1", supctl("no-such-table-here", "is-active", "web").returncode == 1)


def supctl_verbs(w):
    r = supctl(w.name, "status", "web")
    check("status of an active unit is 0", r.returncode == 0, r)
    for text in ("● web.service - A web server\n", "     Loaded: loaded (/etc/systemd/system/web.service)\n",
                 "     Active: active (running) since ", f"   Main PID: {w.process.pid} (table-writer), ",
                 '     Status: "Serving"\n', "      Tasks: ", "     Memory: ", "     Notice: web.service:7:", "\nline 21\n"):
        check(f"status says {text.strip()!r}", text in r.stdout, r.stdout)
    check("ten log lines, the rest left out", "line 20\n" not in r.stdout and "last" in r.stdout, r.stdout)
    check("--lines", "line 28" not in supctl(w.name, "status", "web", "-n1").stdout)
    check("no colour into a pipe", "\x1b[0" not in r.stdout, r.stdout)
    r = supctl(w.name, "status", "bad.service", "web", "crash")
    check("first status that is not 0 wins", r.returncode == 3, r)
    check("failed, in words", "Active: failed (Result: exit-code) since" in r.stdout and "(code=exited, status=1/FAILURE)" in r.stdout, r.stdout)
    check("killed, in words", "(code=killed, signal=SEGV)" in r.stdout and "Restart: in " in r.stdout and "Restarts: 2" in r.stdout, r.stdout)
    r = supctl(w.name, "status", "nope")
    check("status of an unknown unit", r.returncode == 4 and r.stderr == "Unit nope.service could not be found.\n" and not r.stdout, r)
    check("not-found in the table is unknown too", supctl(w.name, "status", "gone").returncode == 4)
    check("status by pid", "web.service" in supctl(w.name, "status", str(w.process.pid)).stdout)
    check("status by alias", "● web.service" in supctl(w.name, "status", "httpd").stdout)
    check("status of supd", "State: running" in supctl(w.name, "status").stdout)
    r = supctl(w.name, "is-active", "bad", "web", "nope")
    check("is-active", (r.returncode, r.stdout) == (0, "failed\nactive\ninactive\n"), r)
    check("is-active 3", supctl(w.name, "is-active", "bad").returncode == 3)
    check("is-active -q", supctl(w.name, "is-active", "-q", "web").stdout == "")
    check("is-failed", supctl(w.name, "is-failed", "bad").returncode == 0 and supctl(w.name, "is-failed", "web").returncode == 1)
    check("is-system-running", supctl(w.name, "is-system-running").stdout == "running\n")
    r = supctl(w.name, "show", "web", "-p", "MainPID,ActiveState", "--property=Names")
    check("show -p", set(r.stdout.split("\n")) == {f"MainPID={w.process.pid}", "ActiveState=active",
                                                   "Names=web.service www.service httpd.service", ""}, r)
    check("show --value", supctl(w.name, "show", "--value", "-p", "ExecMainStatus", "crash").stdout == "11\n")
    check("show -P", supctl(w.name, "show", "-P", "ExecMainCode", "crash").stdout == "2\n")
    r = supctl(w.name, "show", "nope", "-p", "LoadState", "-p", "ActiveState", "-p", "SubState")
    check("show of an unknown unit", r.returncode == 0 and r.stdout == "LoadState=not-found\nActiveState=inactive\nSubState=dead\n", r)
    r = supctl(w.name, "list-units", "--no-legend", "--plain")
    check("list-units leaves inactive ones out", "web.service" in r.stdout and "dead.service" not in r.stdout, r.stdout)
    check("list-units without a verb", supctl(w.name).stdout == supctl(w.name, "list-units").stdout)
    check("--all", "dead.service" in supctl(w.name, "list-units", "-a").stdout)
    r = supctl(w.name, "list-units", "--failed", "--no-legend")
    check("--failed", r.stdout.split()[:2] == ["●", "bad.service"] and r.stdout.count("\n") == 1, r.stdout)
    check("--type", supctl(w.name, "list-units", "--type=target", "--no-legend", "--plain").stdout.startswith("basic.target "))
    check("--state", "crash.service" in supctl(w.name, "list-units", "--state=auto-restart").stdout)
    check("patterns", supctl(w.name, "list-units", "worker-*", "--no-legend").stdout.count("\n") == 4)
    check("an unknown option is refused", supctl(w.name, "status", "--frobnicate").returncode == 1)
    check("a missing argument is refused", supctl(w.name, "is-active").returncode == 1)


def supctl_json(w):
    one = json.loads(supctl(w.name, "status", "--json", "crash").stdout)
    check("status --json", one["writer"] == "alive" and one["units"][0]["LastExit"] == "killed, signal=SEGV", one)
    for form in ("--json=short", "--json=pretty", "-ojson"):
        rows = json.loads(supctl(w.name, "list-units", "-a", form).stdout)
        check(f"list-units {form}", len(rows) == 10 and {"unit", "load", "active", "sub", "description"} <= set(rows[0]), rows)
    rows = json.loads(supctl(w.name, "show", "web", "nope", "--json", "-p", "Id,LoadState").stdout)
    check("show --json", rows == [{"Id": "web.service", "LoadState": "loaded"}, {"Id": "nope.service", "LoadState": "not-found"}], rows)
    check("is-active --json", json.loads(supctl(w.name, "is-active", "web", "--json").stdout) == [{"unit": "web.service", "active": "active"}])


def supctl_bus(w, tmp):
    bus = pathlib.Path(tmp, "supctl-bus")
    bus.write_text('#!/bin/sh\nprintf "%s|" "$@"\nexit 42\n')
    bus.chmod(0o755)
    r = supctl(w.name, "--name", "x", "-s", "HUP", "restart", "--no-block", "a b", "--", "-c", SUPD_LIBEXEC_DIR=tmp)
    check("other verbs go to supctl-bus unchanged", (r.returncode, r.stdout) == (42, "--name|x|-s|HUP|restart|--no-block|a b|--|-c|"), r)
    r = supctl(w.name, "start", "web", SUPD_LIBEXEC_DIR=tmp + "/nowhere")
    check("no supctl-bus: said", r.returncode == 1 and "supctl-bus" in r.stderr, r)


def supctl_writer_states(w):
    w.process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, w.process.pid, os.WSTOPPED)
    r = supctl(w.name, "status", "web")
    check("manager stopped: the state, and said so", r.returncode == 0 and "is stopped" in r.stdout and " ago" in r.stdout, r)
    w.process.send_signal(signal.SIGCONT)
    w.kill()
    r = supctl(w.name, "status", "web")
    check("manager dead: the state, and said so", r.returncode == 0 and "no manager is running" in r.stdout, r)
    check("manager dead: main pid gone is not made up", "Main PID" in r.stdout and "Tasks" not in r.stdout, r.stdout)
    r = supctl(w.name, "is-active", "web")
    check("manager dead: standard output stays clean", r.stdout == "active\n" and "no manager" in r.stderr, r)
    check("manager dead: json says gone", json.loads(supctl(w.name, "status", "--json", "web").stdout)["writer"] == "gone")


# ---- readers that die or stop with the semaphore in hand ----


def suite_locks():
    for how in (signal.SIGKILL, signal.SIGSTOP):
        with Writer(10) as w:
            holder = reader(w.name, "hold")
            check(f"{how.name}: a reader holds the semaphore", holder.stdout.readline().strip() == "held")
            holder.send_signal(how)
            os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WSTOPPED | os.WNOWAIT)
            other = numbers(read(w.name, "read", "200", "-"))
            check(f"{how.name}: other readers are not held up", other["failed"] == 0 and other["unlocked"] == 200, other)
            print(f"    longest of 200 readers' snapshots: {other['longest_us']} us")
            w.ask("time")
            said = w.ask("spin 200")
            counters, longest = numbers(w.ask("counters")), numbers(w.ask("time"))["longest"]
            check(f"{how.name}: 200 publishes got through", said == "published 200", said)
            check(f"{how.name}: past the lock, or by replacing it", counters["avoided"] + counters["broken"] > 0, counters)
            check(f"{how.name}: the writer never waits for it", longest < 15000, longest)
            print(f"    longest status_publish(): {longest} us; {counters}")
            after = numbers(read(w.name, "read", "50", "-"))
            check(f"{how.name}: readers see the last of them", after["torn"] == after["mixed"] == after["failed"] == 0, after)
            holder.kill()
            holder.communicate()
            check(f"{how.name}: the late post does no harm", w.ask("publish") == "published 201")


# ---- torture ----


def torture(w, count, letters):
    readers = [reader(w.name, "read", str(count // len(letters)), flags) for flags in letters]
    total = {}
    for r in readers:
        for key, value in numbers(r.communicate()[0]).items():
            total[key] = total.get(key, 0) + value if key != "longest_us" else max(total.get(key, 0), value)
    return total


def suite_torture():
    count = int(os.environ.get("SNAPSHOTS", "1000000"))
    with Writer(8) as w:
        w.tell("spin 2000000000")
        total = torture(w, count, ["-", "n", "ny", "-y"])
        print(f"    {total}")
        check(f"{total['snapshots']} snapshots while publishing: nothing torn", total["torn"] == 0 and total["mixed"] == 0, total)
        check("and none failed", total["failed"] == 0, total)
        total = torture(w, 20000, ["iny", "iny"])
        print(f"    without the sequence: {total}")
        check("without the sequence there are torn ones", total["torn"] > 0 or total["mixed"] > 0, total)
        w.kill()
        total = numbers(read(w.name, "state"))
        check("after kill -9 of the writer the table is readable", total["rows"] + total["lost"] == 8 and total["writer"] == 0, total)
        w.start(8)
        total = torture(w, 1000, ["-"])
        check("and the next writer mends it", total["torn"] == total["mixed"] == 0 and total["snapshots"] == 1000, total)


# ---- /dev/shm missing, full, read-only; in a mount namespace of our own ----


def private_mounts():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x00020000) != 0:
        return "unshare(CLONE_NEWNS) is not permitted"
    if libc.mount(b"none", b"/", None, 0x4000 | 0x40000, None) != 0:
        return "mounts cannot be made private"
    return None


def mount_shm(options):
    return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", "/dev/shm"], capture_output=True).returncode == 0


def suite_places():
    reason = private_mounts()
    if not reason and not mount_shm("size=1m"):
        reason = "mounting a tmpfs is not permitted"
    if reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    with Writer(10) as w:
        check("a small /dev/shm: on", w.said[-1] == "ready", w.said)
        check("more units than fit: writer goes on", w.ask("grow 20000").startswith("grown"))
        state = numbers(read(w.name, "state"))
        check("more units than fit: truncated, and whole", state["flags"] & 1 and state["lost"] == 0 and 10 < state["rows"] < 20010, state)
        check("more units than fit: supctl says so", "no room for all units" in supctl(w.name, "list-units").stderr)
        check("first units are still there", supctl(w.name, "is-active", "web").stdout == "active\n")
        subprocess.run(["mount", "-o", "remount,size=64m", "/dev/shm"], check=True)
        w.ask("spin 64")
        state = numbers(read(w.name, "state"))
        check("room again: all units", state["rows"] == 20010 and not state["flags"] & 1, state)
    subprocess.run(["mount", "-o", "remount,size=128k", "/dev/shm"], check=True)
    with open("/dev/shm/fill", "wb", buffering=0) as f, contextlib.suppress(OSError):
        while True:
            f.write(bytes(4096))
    check_off("full", "No space left")
    os.unlink("/dev/shm/fill")
    subprocess.run(["mount", "-o", "remount,ro", "/dev/shm"], check=True)
    check_off("read-only", "Read-only")
    subprocess.run(["umount", "/dev/shm"], check=True)
    with tempfile.TemporaryDirectory() as empty:
        subprocess.run(["mount", "--bind", empty, "/dev"], check=True)
        check_off("missing", "there is no /dev/shm")
        subprocess.run(["umount", "/dev"], check=True)


def check_off(what, reason):
    with Writer(10) as w:
        check(f"{what}: the table is off, the writer lives", w.said[-1] == "off", w.said)
        check(f"{what}: and says why", any(reason in line and line.startswith("diag ") for line in w.said), w.said)
        check(f"{what}: publishing is harmless", w.ask("spin 3") == "published 3")


if shutil.which("mount") is None and SUITE == "places":
    print("skipped: no mount(8)")
    sys.exit(77)
{"supctl": suite_supctl, "locks": suite_locks, "torture": suite_torture, "places": suite_places}[SUITE]()
print(f"{len(failures)} failures")
sys.exit(1 if failures else 0)
