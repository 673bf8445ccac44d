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
    short: bool = True
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
WORLDS = [INIT, REBOOT, HALT, FORCED, KEXEC, INSIST]
