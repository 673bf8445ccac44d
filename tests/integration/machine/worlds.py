# SPDX-License-Identifier: MIT
"""The worlds of test-machine.py."""
import os
import re
import shutil
import struct
import subprocess
from dataclasses import dataclass, field

import machine


@dataclass
class World:
    name: str
    script: str
    end: str                                    # poweroff, reboot, halt
    units: dict = field(default_factory=dict)   # of /etc/systemd/system
    wanted: list = field(default_factory=list)  # those that multi-user.target wants, besides check.service
    files: dict = field(default_factory=dict)
    append: str = ''
    disks: list = field(default_factory=list)   # functions: directory → path
    after: list = field(default_factory=list)   # (name, function of the machine and its disks → None or what is wrong)
    cpus: int = 1
    short: bool = True
    memory: int = 512                           # MiB
    rows: list = field(init=False)

    def __post_init__(self):
        self.rows = re.findall(r'^row (\S+)', self.script, re.M)


def service(*lines, unit='', slice_=''):
    return '[Unit]\nDefaultDependencies=no\n%s\n[Service]\n%s\n' % (unit, '\n'.join(lines))


SLEEP = 'ExecStart=/bin/sleep 1000'

# ---- disks ----

MKFS = shutil.which('mkfs.ext4', path=machine.PATH)


def ext4(work):
    if not MKFS:
        raise machine.Skip('no mkfs.ext4')
    path = os.path.join(work, 'ext4.disk')
    with open(path, 'wb') as f:
        f.truncate(16 << 20)
    subprocess.run([MKFS, '-q', '-F', path], check=True, stdout=subprocess.DEVNULL)
    return path


def is_clean(_, disks):
    """The superblock of ext4: unmounted (s_state), and no journal to be replayed (INCOMPAT_RECOVER)."""
    with open(disks[0], 'rb') as f:
        f.seek(1024)
        block = f.read(1024)
    state, = struct.unpack_from('<H', block, 0x3a)
    incompatible, = struct.unpack_from('<I', block, 0x60)
    mounts, = struct.unpack_from('<H', block, 0x34)
    if mounts == 0:
        return 'it was never mounted'
    return None if state & 1 and not incompatible & 4 else 'state %#x, incompatible features %#x' % (state, incompatible)


def says(text):
    return ('says-' + text.replace(' ', '-'), lambda m, _: None if text in m.text else 'it does not say "%s"' % text)


def says_not(text):
    return ('says-not-' + text.replace(' ', '-'), lambda m, _: 'it says "%s"' % text if text in m.text else None)


# ---- the init of a minimal image ----

INIT = World('init', end='poweroff', disks=[ext4], after=[('clean-disk', is_clean), says('hook ran with poweroff')],
             units={'keep.service': service('KillMode=none', 'TimeoutStopSec=1', SLEEP),
                    'a.service': service(SLEEP, 'StandardOutput=file:/dev/console', 'ExecStop=/bin/sh -c "echo a stops"', unit='After=b.service'),
                    'b.service': service(SLEEP, 'StandardOutput=file:/dev/console', 'ExecStop=/bin/sh -c "echo b stops"'),
                    'again.service': service(SLEEP, 'Restart=always', 'RestartSec=0')},
             files={'/usr/lib/systemd/system-shutdown/hook': '#!/bin/sh\necho hook ran with $1\n'},
             script=r'''
mounted() { stat -c %T -f "$1" | grep -qx "$2" || { echo "$1 is $(stat -c %T -f "$1")"; return 1; }; }
mounts() {
        mounted /proc proc && mounted /sys sysfs && mounted /run tmpfs && mounted /dev/shm tmpfs && mounted /dev/pts devpts &&
                mounted /sys/fs/cgroup cgroup2fs
}
links() { [ -e /dev/fd/0 ] && [ -e /dev/stderr ] || { ls -l /dev/fd /dev/stderr; return 1; }; }
first() { same "$(cat /proc/1/comm)" supd; }
table() { ctl list-units | grep -q check.service; }
orphans_are_reaped() {
        sh -c '(sleep 0.1 &) ; (sleep 0.2 &)'
        sleep 1
        ! grep -l '^State:.*Z' /proc/[0-9]*/status
}
starts() { ctl start a.service b.service again.service && is a.service ActiveState active; }
manager_dies() {
        main=$(property a.service MainPID)
        before=$(cat /proc/1/task/1/children | tr ' ' '\n' | while read -r p; do
                [ -n "$p" ] && grep -qx supd-manager /proc/$p/comm && echo $p; done)
        kill -9 $before
        gone() { [ ! -e /proc/$before ]; }
        until_true gone && until_true ctl is-active a.service && is a.service MainPID $main &&
                ctl start keep.service && is keep.service ActiveState active
}
restarts() {
        main=$(property again.service MainPID)
        kill -9 $main
        other() { [ "$(property again.service MainPID)" != $main ] && ctl is-active again.service; }
        until_true other
}
disk() { mkdir -p /disk && mount -t ext4 /dev/nvme0n1 /disk && echo data >/disk/file && mkdir -p "/disk/a b" && mount -t tmpfs tmpfs "/disk/a b"; }
row mounts
row links
row first
row table
row orphans_are_reaped
row starts
row manager_dies
row restarts
row disk
ctl poweroff
''')

# ---- limits and shares by cgroup ----

LIMITED = service(SLEEP, 'MemoryMax=64M', 'MemoryHigh=50%', 'MemoryLow=1M', 'MemorySwapMax=0', 'TasksMax=20', 'CPUWeight=200', 'CPUQuota=150%',
                  'CPUQuotaPeriodSec=50ms', 'AllowedCPUs=0', 'IOWeight=300')
LOOP = 'while :; do /bin/sleep 1; done'


def hungry(script, *more, unit=''):
    return service("ExecStart=/bin/sh -c '%s'" % script, 'MemoryMax=32M', 'MemorySwapMax=0', 'StandardOutput=null', *more, unit=unit)


GROUPS = World('groups', end='poweroff', memory=256,
               units={'plain.service': service(SLEEP),
                      'limited.service': LIMITED,
                      'old.service': service(SLEEP, 'MemoryLimit=32M', 'CPUShares=2048', 'BlockIOWeight=1000'),
                      'share.service': service(SLEEP, 'MemoryMax=25%', 'TasksMax=10%', 'CPUQuota=0.5%'),
                      'tasks.service': service('ExecStart=/bin/strain tasks 30', 'TasksMax=10', 'StandardOutput=file:/tmp/tasks'),
                      'idle.service': service(SLEEP, 'CPUWeight=idle', 'Slice=-.slice'),
                      'a.slice': '[Slice]\nMemoryMax=100M\n',
                      'a-b.slice': '[Slice]\nTasksMax=50\nCPUWeight=50\n',
                      'nested.service': service(SLEEP, 'Slice=a-b.slice', 'TasksMax=7'),
                      'beside.service': service(SLEEP, 'Slice=a-b.slice'),
                      'own.service': service(SLEEP, 'Delegate=memory pids', 'User=nobody'),
                      'group.service': service(SLEEP, 'OOMPolicy=kill'),
                      'eat.service': hungry('exec /bin/strain memory 80', 'ExecStopPost=/bin/sh -c "echo $SERVICE_RESULT >/tmp/eat"'),
                      'child.service': hungry('trap : CHLD; /bin/strain memory 80 & ' + LOOP),
                      'stays.service': hungry('trap : CHLD; /bin/strain memory 80 & ' + LOOP, 'OOMPolicy=continue'),
                      'all.service': hungry('trap : CHLD; /bin/strain memory 80 & ' + LOOP, 'OOMPolicy=kill'),
                      'late.service': hungry('trap : CHLD; until [ -e /tmp/late ]; do /bin/sleep 0.1; done; /bin/strain memory 80 & ' + LOOP),
                      'again.service': hungry('[ -e /tmp/again ] && ' + LOOP + '; : >/tmp/again; exec /bin/strain memory 80', 'Restart=on-failure', 'RestartSec=0')},
               script=r'''
none_are_on() { ctl start plain.service; holds /supd/cgroup.subtree_control ""; holds /supd/system.slice/cgroup.subtree_control ""; }
limits() {
        ctl start limited.service || return 1
        g=$(place limited.service)
        same "$g" /supd/system.slice/limited.service && holds $g/memory.max 67108864 && holds $g/memory.low 1048576 &&
                holds $g/memory.swap.max 0 && holds $g/pids.max 20 && holds $g/cpu.weight 200 && holds $g/cpu.max "75000 50000" &&
                holds $g/cpuset.cpus 0 && { [ ! -e /sys/fs/cgroup$g/io.weight ] || holds $g/io.weight "default 300"; }
}
half() { # MemoryHigh=50%, in pages
        whole=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)
        high=$(cat /sys/fs/cgroup$(place limited.service)/memory.high)
        [ $((high / 1024)) -gt $((whole * 45 / 100)) ] && [ $((high / 1024)) -lt $((whole * 55 / 100)) ] || { echo "$high of $whole"; return 1; }
}
others_are_free() { holds /supd/system.slice/plain.service/memory.max max && holds /supd/system.slice/plain.service/pids.max max; }
old_words() { ctl start old.service && g=$(place old.service) && holds $g/memory.max 33554432 && holds $g/cpu.weight 200; }
shares() {
        ctl start share.service && g=$(place share.service) && holds $g/cpu.max "1000 200000" && [ $(cat /sys/fs/cgroup$g/pids.max) -gt 10 ] &&
                [ $(cat /sys/fs/cgroup$g/memory.max) -gt 40000000 ] && [ $(cat /sys/fs/cgroup$g/memory.max) -lt 67108864 ]
}
tasks() { ctl start tasks.service; until_true grep -q EAGAIN /tmp/tasks; same "$(cat /tmp/tasks)" "tasks 9 EAGAIN"; }
idle() { ctl start idle.service && same "$(place idle.service)" /supd/idle.service && holds /supd/idle.service/cpu.idle 1; }
slices() {
        ctl start nested.service beside.service && same "$(place nested.service)" /supd/a.slice/a-b.slice/nested.service &&
                same "$(place beside.service)" /supd/a.slice/a-b.slice/beside.service && holds /supd/a.slice/memory.max 104857600 &&
                holds /supd/a.slice/a-b.slice/pids.max 50 && holds /supd/a.slice/a-b.slice/cpu.weight 50 &&
                holds /supd/a.slice/a-b.slice/nested.service/pids.max 7 && is a-b.slice ActiveState active
}
delegated() {
        ctl start own.service || return 1
        d=/sys/fs/cgroup$(place own.service)
        same "$(stat -c %U $d $d/cgroup.procs $d/cgroup.subtree_control $d/memory.max | tr '\n' ' ')" "nobody nobody nobody root " &&
                grep -q memory $d/cgroup.controllers && grep -q pids $d/cgroup.controllers
}
oom_group() { ctl start group.service && holds "$(place group.service)/memory.oom.group" 1; }
shown() {
        is limited.service MemoryMax 67108864 && is limited.service TasksMax 20 && is limited.service CPUQuotaPerSecUSec 1.500000s &&
                is plain.service MemoryMax infinity && is nested.service Slice a-b.slice && [ "$(property limited.service MemoryCurrent)" -gt 0 ] &&
                is limited.service TasksCurrent 1 && [ "$(property limited.service CPUUsageNSec)" -gt 0 ]
}
changed() { # daemon-reload: what is set anew, what is not set any more, a slice, and a unit that runs stays where it is
        sed -i 's/TasksMax=20/TasksMax=21/; s/^MemoryMax=.*//; s/^CPUWeight=.*//; s/^AllowedCPUs=.*//' /etc/systemd/system/limited.service
        sed -i 's/TasksMax=50/TasksMax=51/' /etc/systemd/system/a-b.slice
        echo 'Slice=a.slice' >>/etc/systemd/system/beside.service
        ctl daemon-reload
        g=/supd/system.slice/limited.service
        holds $g/pids.max 21 && holds $g/memory.max max && holds $g/cpu.weight 100 && holds $g/memory.low 1048576 && holds $g/cpuset.cpus "$(cat /sys/devices/system/cpu/online)" &&
                holds /supd/a.slice/a-b.slice/pids.max 51 && same "$(place beside.service)" /supd/a.slice/a-b.slice/beside.service &&
                is beside.service ActiveState active
}
kill_manager() {
        before=$(for p in /proc/[0-9]*; do grep -qsx supd-manager $p/comm && echo ${p#/proc/}; done)
        kill -9 $before
        gone() { [ ! -e /proc/$before ]; }
        until_true gone && until_true ctl is-active plain.service
}
taken_up() { # by the next manager: where it runs, what it is limited to, and its end
        kill_manager && is beside.service TasksCurrent 1 && holds /supd/system.slice/limited.service/pids.max 21 && ctl restart beside.service limited.service &&
                same "$(place beside.service)" /supd/a.slice/beside.service && holds "$(place limited.service)/pids.max" 21 && holds "$(place limited.service)/memory.max" max
}
stops() { ctl stop nested.service beside.service tasks.service && [ ! -e /sys/fs/cgroup/supd/a.slice/a-b.slice/nested.service ] && [ ! -e /sys/fs/cgroup/supd/a.slice/beside.service ]; }
ended_by_oom() { until_true is $1 ActiveState failed && is $1 Result oom-kill; }
main_killed() { ctl start eat.service; ended_by_oom eat.service && same "$(cat /tmp/eat)" oom-kill; }
child_killed() { ctl start child.service; ended_by_oom child.service; }
policy_continue() {
        ctl start stays.service
        killed() { grep -qx "oom_kill 1" /sys/fs/cgroup/supd/system.slice/stays.service/memory.events; }
        until_true killed && sleep 1 && is stays.service ActiveState active && is stays.service Result success
}
policy_kill() { ctl start all.service; ended_by_oom all.service; }
restarts() { ctl start again.service; until_true is again.service NRestarts 1 && until_true is again.service ActiveState active; }
watched_by_the_next() { ctl start late.service && kill_manager && touch /tmp/late && ended_by_oom late.service; }
row none_are_on
row limits
row half
row others_are_free
row old_words
row shares
row tasks
row idle
row slices
row delegated
row oom_group
row shown
row changed
row taken_up
row main_killed
row child_killed
row policy_continue
row policy_kill
row restarts
row watched_by_the_next
row stops
ctl poweroff
''')

# ---- a clock that jumps; the program of process 1; who sleeps where no signal comes through ----

TIMES = World('times', end='poweroff', disks=[ext4], after=[says('going on as supd')],
              units={'again.service': service(SLEEP, 'Restart=always', 'RestartSec=300ms', unit='StartLimitIntervalSec=0'),
                     'stuck.service': service('TimeoutStopSec=2', "ExecStart=/bin/sh -c 'until [ -e /tmp/write ]; do /bin/sleep 0.1; done; echo x >/disk/file'")},
              script=r"""
pid() { property again.service MainPID; }
restarts() { # within ten seconds of real time, whatever the clock says
        main=$(pid); begin=$(cut -d. -f1 /proc/uptime)
        kill -9 $main
        other() { [ "$(pid)" != $main ] && [ "$(pid)" != 0 ] && ctl is-active again.service; }
        until_true other && [ $(($(cut -d. -f1 /proc/uptime) - begin)) -le 10 ]
}
set_clock() { date -s "$1" >/dev/null && restarts; }
starts() { ctl start again.service && restarts && mkdir -p /disk && mount -t ext4 /dev/nvme0n1 /disk; }
forward() { set_clock "2050-01-01 00:00:00"; }
back() { set_clock "1990-01-01 00:00:00"; }
reexecs() { # process 1 becomes the installed program: another file
        main=$(pid)
        cat /usr/sbin/supd >/usr/sbin/supd.new && chmod 755 /usr/sbin/supd.new && ln -f /usr/sbin/supd.new /usr/sbin/supd && rm /usr/sbin/supd.new || return 1
        ctl daemon-reexec || return 1
        until_true ctl is-active again.service && same "$(pid)" "$main" && same "$(cat /proc/1/comm)" supd && restarts
}
is_the_new_one() { same "$(stat -L -c %i /proc/1/exe)" "$(stat -c %i /usr/sbin/supd)"; }
frozen() { # its writer sleeps where no signal reaches it: given up by the rules, while others are supervised; then it ends
        ctl start stuck.service && stuck=$(property stuck.service MainPID) && strain freeze /disk && : >/tmp/write || return 1
        asleep() { grep -q "^State:.*D" /proc/$stuck/status; }
        until_true asleep || { strain thaw /disk; return 1; }
        ctl stop --no-block stuck.service
        restarts || { strain thaw /disk; return 1; }
        until_true is stuck.service ActiveState failed && same "$(property stuck.service Result)" timeout && asleep && restarts
        r=$?
        strain thaw /disk
        gone() { [ ! -e /proc/$stuck ]; }
        [ $r = 0 ] && until_true gone && is stuck.service ActiveState failed
}
row starts
row forward
row back
row reexecs
row is_the_new_one
row restarts
row frozen
ctl poweroff
""")

# ---- no file is left in the whole system ----

# Process 1 may go over fs.file-max, as whoever may administrate the machine; the supd of a user may not.
FILES = World('files', end='poweroff', short=False,
              units={'u.service': service('User=nobody', 'Environment=HOME=/tmp SUPD_NAME=u SUPD_RUNTIME_DIR=/tmp/u SUPD_UNIT_PATH=/units',
                                          'StandardError=file:/dev/console', 'StandardOutput=file:/dev/console', 'ExecStart=/usr/sbin/supd --user --name u --runtime-dir /tmp/u --log-dir /tmp/u-log')},
              files={'/units/stays.service': service(SLEEP), '/units/again.service': service(SLEEP, 'Restart=always', 'RestartSec=300ms', unit='StartLimitIntervalSec=0'),
                     '/units/ends.service': service("ExecStart=/bin/sh -c 'trap \"exit 7\" USR1; while :; do /bin/sleep 0.2; done'")},
              script=r"""
of_user() { /bin/setpriv --reuid 65534 --regid 65534 --clear-groups /bin/env HOME=/tmp SUPD_NAME=u SUPD_RUNTIME_DIR=/tmp/u "$@"; }
uctl() { of_user /usr/bin/supctl --user "$@"; }
pid() { uctl show -p MainPID --value "$1"; }
shows() { same "$(uctl show -p "$2" --value "$1")" "$3" || { echo "$1 $2"; return 1; }; }
keeper() { ctl show -p MainPID --value u.service; }
manager() { cat /proc/$(keeper)/task/*/children | tr ' ' '\n' | while read -r p; do grep -qsx supd-manager /proc/$p/comm && echo $p; done; true; }
starts() {
        ctl start u.service && until_true [ -S /tmp/u/control ] &&
                uctl start stays.service again.service ends.service && [ -n "$(manager)" ]
}
none() { echo 1 >/proc/sys/fs/file-max; ! of_user true; }
some() { echo 100000 >/proc/sys/fs/file-max; of_user true; }
remembers() { keeper=$(keeper); stays=$(pid stays.service); again=$(pid again.service); ends=$(pid ends.service); [ $stays -gt 1 ] && [ $again -gt 1 ] && [ $ends -gt 1 ]; }
as_it_was() { # one ran on, one was restarted, how the third ended is known
        other() { [ "$(pid again.service)" != $again ] && uctl is-active again.service; }
        until_true other && shows stays.service MainPID $stays && shows stays.service NRestarts 0 && until_true shows ends.service ActiveState failed &&
                shows ends.service ExecMainStatus 7 && shows ends.service Result exit-code && is u.service MainPID $keeper && is u.service NRestarts 0
}
new_start() { uctl start ends.service && shows ends.service ActiveState active; }
manager_lives() {
        remembers && before=$(manager) && none || return 1
        kill -9 $again; kill -USR1 $ends; sleep 4
        grep -q . /proc/$keeper/comm && [ -e /proc/$stays ] && some && as_it_was && same "$(manager)" "$before"
}
manager_dies() {
        remembers && none || return 1
        kill -9 $(manager); kill -9 $again; kill -USR1 $ends; sleep 4
        grep -q . /proc/$keeper/comm && [ -e /proc/$stays ] && same "$(manager)" "" && some && as_it_was
}
ends_too() { remembers; none; kill -9 $again; some; ctl stop u.service && same "$(property u.service Result)" success && [ ! -e /proc/$stays ]; }
row starts
row manager_lives
row new_start
row manager_dies
row new_start
row ends_too
ctl poweroff
""")

# ---- a machine that sleeps ----

SUSPEND = World('suspend', end='poweroff', short=False,
                units={'stays.service': service(SLEEP), 'again.service': service(SLEEP, 'Restart=always', 'RestartSec=300ms', unit='StartLimitIntervalSec=0'),
                       'watched.service': service('Type=notify', 'NotifyAccess=all', 'WatchdogSec=4', 'ExecStart=/bin/strain watchdog 1'),
                       'timed.service': service(SLEEP, 'RuntimeMaxSec=10')},
                script=r"""
pid() { property again.service MainPID; }
restarts() {
        main=$(pid); kill -9 $main
        other() { [ "$(pid)" != $main ] && [ "$(pid)" != 0 ] && ctl is-active again.service; }
        until_true other
}
can() { grep -q mem /sys/power/state && [ -e /sys/class/rtc/rtc0/wakealarm ]; }
starts() { ctl start stays.service again.service watched.service && property stays.service MainPID >/tmp/stays && restarts; }
sleeps() { # for twenty seconds, in the middle of a restart; process 1, its manager and the clock that stands still meanwhile
        ctl start timed.service || return 1
        kill -9 $(pid)
        begin=$(date +%s) && echo +20 >/sys/class/rtc/rtc0/wakealarm && echo mem >/sys/power/state
        [ $(($(date +%s) - begin)) -ge 15 ] || { echo "only $(($(date +%s) - begin)) s"; return 1; }
}
goes_on() { is stays.service MainPID $(cat /tmp/stays) && until_true ctl is-active again.service && restarts; }
watchdog_slept() { is watched.service ActiveState active && is watched.service NRestarts 0; }
limit_slept() { is timed.service ActiveState active; } # as systemd has it: on a clock that does not count the sleep
limit_holds() { until_true is timed.service ActiveState failed && is timed.service Result timeout; }
row can
row starts
row sleeps
row watchdog_slept
row limit_slept
row goes_on
row limit_holds
ctl poweroff
""")

# ---- the manager dies where cgroups count: over a kill for want of memory, over a unit that moves ----

KILLS = World('kills', end='poweroff', memory=256, short=False,
              units={'late.service': hungry('until [ -e /tmp/late ]; do /bin/sleep 0.05; done; exec /bin/strain memory 80', unit='StartLimitIntervalSec=0'),
                     'moves.service': service("ExecStart=/bin/sh -c '/bin/sleep 1000 & /bin/env -i /bin/sleep 1000 & wait'", 'Slice=one.slice', unit='StartLimitIntervalSec=0')},
              script=r"""
managers() { for p in /proc/[0-9]*; do grep -qsx supd-manager $p/comm && echo ${p#/proc/}; done; }
kill_later() { ( sleep $1; kill -9 $(managers) ) 2>/dev/null & }
oom() { # DELAY
        rm -f /tmp/late; ctl start late.service || return 1
        kill_later $1; touch /tmp/late
        until_true is late.service ActiveState failed && is late.service Result oom-kill && is late.service ExecMainStatus 9; r=$?
        wait; return $r
}
ooms() { for i in 00 02 05 10 20 30 40 60; do oom 0.$i || { echo "after 0.$i s"; return 1; }; done; }
old=one new=two
move() { # DELAY
        ctl start moves.service && same "$(place moves.service)" /supd/$old.slice/moves.service || return 1
        sed -i "s/^Slice=.*/Slice=$new.slice/" /etc/systemd/system/moves.service
        kill_later $1; ctl daemon-reload; wait
        until_true ctl daemon-reload && same "$(place moves.service)" /supd/$old.slice/moves.service || return 1
        kill_later 0; wait
        until_true ctl is-active moves.service && is moves.service TasksCurrent 3 || return 1
        kill_later $1; ctl stop moves.service; wait
        until_true ctl stop moves.service && until_true is moves.service ActiveState inactive && until_true [ ! -e /sys/fs/cgroup/supd/$old.slice/moves.service ] || return 1
        [ ! -e /sys/fs/cgroup/supd/$new.slice/moves.service ] || { echo "it is in both"; return 1; }
        was=$old old=$new new=$was
}
moves() { for i in 00 01 03 08 16 30; do move 0.$i || { echo "after 0.$i s"; return 1; }; done; }
row ooms
row moves
ctl poweroff
""")

# ---- how it ends ----

REBOOT = World('reboot', end='reboot', append='systemd.unit=multi-user.target single systemd.unit=other.target',
               units={'other.target': '[Unit]\nWants=check.service\nDefaultDependencies=no\n'},
               script=r'''
unit_of_kernel() { ctl is-active multi-user.target; same "$(ctl is-active multi-user.target)" inactive; }
row unit_of_kernel
kill -INT 1
''')
HALT = World('halt', end='halt', short=False, script='kill -37 1\n')
FORCED = World('forced', end='poweroff', short=False, after=[says_not('slow stop'), says('killing what did not end')],
               units={'keep.service': service('KillMode=none', 'TimeoutStopSec=1', 'ExecStart=/bin/sh -c "trap : TERM; while :; do /bin/sleep 1; done"'),
                      'slow.service': service(SLEEP, 'StandardOutput=file:/dev/console', 'ExecStop=/bin/sh -c "echo slow stop"')},
               script='ctl start slow.service keep.service\nkill -48 1\n')
KEXEC = World('kexec', end='reboot', short=False, after=[says('no kernel is loaded')], script='ctl kexec\n')
INSIST = World('insist', end='reboot', short=False, after=[says('more than 7 times')],
               script='trap "" TERM\nfor i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do kill -INT 1; sleep 0.02; done\nsleep 100\n')
WORLDS = [INIT, GROUPS, TIMES, FILES, SUSPEND, KILLS, REBOOT, HALT, FORCED, KEXEC, INSIST]
