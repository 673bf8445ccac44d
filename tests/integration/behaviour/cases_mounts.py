# SPDX-License-Identifier: MIT
"""What a service sees of the file system: rows as in cases.py, of the sandboxing in systemd.exec(5); held against systemd 252."""
from cases import SLEEP, note, service
from cases_exec import STATUS, once, tells

mounts = [
    ('private-tmp', *tells('PrivateTmp=yes', 'ExecStartPre=/bin/touch /tmp/@a@ /var/tmp/@a@', command='ls /tmp /var/tmp | grep -c @a@; stat -c %%a /tmp',
                           out='2|1777')),
    ('private-tmp-is-private', {'a': service('Type=oneshot', 'PrivateTmp=yes', 'RemainAfterExit=yes', 'ExecStart=/bin/touch /tmp/@a@')},
     ['sh rm -f /tmp/@a@', 'start a', 'sh test ! -e /tmp/@a@', 'until ls -d /tmp/*private*@a@*', 'stop a', 'until ! ls -d /tmp/*private*@a@* 2>/dev/null']),
    ('private-tmp-not-with-plus', {'a': service('Type=oneshot', 'PrivateTmp=yes', 'ExecStart=+/bin/touch /tmp/@a@')},
     ['start a', 'until test -e /tmp/@a@', 'sh rm /tmp/@a@']),
    ('bind', {**once('BindPaths=@D@/from:@D@/to', command='cat to/x; echo y > to/y', *['WorkingDirectory=@D@']), '/x': 'of from\n'},
     ['sh mkdir -p from to; cp x from/x', 'start a', 'file out of from', 'until test -e from/y', 'sh test ! -e to/y']),
    ('bind-read-only', {**once('BindReadOnlyPaths=@D@/from:@D@/to', command='touch @D@/to/y 2>/dev/null || echo read-only')},
     ['sh mkdir -p from to', 'start a', 'file out read-only', 'sh test ! -e from/y']),
    ('bind-missing', once('BindPaths=@D@/no:@D@/to', command='true'), ['start a = 1', 'is a failed failed exit-code 1 226 0']),
    ('bind-missing-ignored', *tells('BindPaths=-@D@/no:@D@/to', command='echo runs', out='runs')),
    ('temporary', *tells('TemporaryFileSystem=/opt:mode=0711', command='stat -f -c %%T /opt; stat -c %%a /opt; touch /opt/x && echo writable',
                         out='tmpfs|711|writable')),
    ('temporary-read-only', *tells('TemporaryFileSystem=/opt:ro', command='touch /opt/x 2>/dev/null || echo read-only', out='read-only')),
    ('temporary-with-bind', *tells('TemporaryFileSystem=/var:ro', 'BindReadOnlyPaths=/var/lib', command='ls /var', out='lib')),
    ('read-only', *tells('ReadOnlyPaths=@D@/d', command='touch @D@/d/x 2>/dev/null || echo read-only', out='read-only')),
    ('read-only-legacy', *tells('ReadOnlyDirectories=@D@/d', command='touch @D@/d/x 2>/dev/null || echo read-only', out='read-only')),
    ('read-write-below', *tells('ReadOnlyPaths=@D@/d', 'ReadWritePaths=@D@/d/rw', command='touch @D@/d/rw/x && echo writable', out='writable')),
    ('read-write-below-legacy', *tells('ReadOnlyPaths=@D@/d', 'ReadWriteDirectories=@D@/d/rw', command='touch @D@/d/rw/x && echo writable', out='writable')),
    ('read-only-missing', once('ReadOnlyPaths=@D@/no', command='true'), ['start a = 1', 'is a failed failed exit-code 1 226 0']),
    ('read-only-missing-ignored', *tells('ReadOnlyPaths=-@D@/no', command='echo runs', out='runs')),
    ('inaccessible', *tells('InaccessiblePaths=@D@/d', command='stat -c %%a @D@/d; ls @D@/d', out='0')),
    ('inaccessible-file', *tells('InaccessiblePaths=/etc/passwd', command='stat -c %%a /etc/passwd; wc -c < /etc/passwd', out='0|0')),
    ('inaccessible-legacy', *tells('InaccessibleDirectories=@D@/d', command='stat -c %%a @D@/d', out='0')),
    ('no-exec', *tells('NoExecPaths=@D@', command='@D@/script 2>/dev/null || echo refused', out='refused')),
    ('exec-below', *tells('NoExecPaths=/', 'ExecPaths=/bin /usr /lib /lib64 @D@/script', command='@D@/script', out='ran')),
    ('protect-system', *tells('ProtectSystem=yes', command='touch /usr/x 2>/dev/null || echo read-only; touch /etc/@a@ && rm /etc/@a@ && echo writable',
                              out='read-only|writable')),
    ('protect-system-full', *tells('ProtectSystem=full', command='touch /etc/@a@ 2>/dev/null || echo read-only', out='read-only')),
    ('protect-system-strict', *tells('ProtectSystem=strict', 'ReadWritePaths=@D@', 'StateDirectory=@a@.x',
                                     command='touch /var/@a@ 2>/dev/null || echo read-only; touch @D@/w /var/lib/@a@.x/w && echo writable', out='read-only|writable')),
    ('protect-home', *tells('ProtectHome=yes', command='stat -c %%a /root', out='0')),
    ('protect-home-read-only', *tells('ProtectHome=read-only', command='touch /root/@a@ 2>/dev/null || echo read-only', out='read-only')),
    ('protect-home-tmpfs', *tells('ProtectHome=tmpfs', command='stat -f -c %%T /root; ls -A /root', out='tmpfs')),
    ('private-devices', *tells('PrivateDevices=yes', command='echo x > /dev/null; test -c /dev/zero && test ! -e /dev/kmsg && echo few; ' +
                               STATUS % 'CapBnd' + ' | tail -c 9 | cut -c1', out='few|f')),
    ('private-mounts', once('PrivateMounts=yes', command='mount -t tmpfs tmpfs /opt && echo mounted'), ['start a', 'file out mounted', 'sh ! mountpoint -q /opt']),
    ('kernel-tunables', *tells('ProtectKernelTunables=yes', command='(echo 1 > /proc/sys/kernel/domainname) 2>/dev/null || echo read-only', out='read-only')),
    ('kernel-modules', *tells('ProtectKernelModules=yes', command='capsh --has-b=cap_sys_module >/dev/null 2>&1 || echo dropped', out='dropped')),
    ('kernel-logs', *tells('ProtectKernelLogs=yes', command='capsh --has-b=cap_syslog >/dev/null 2>&1 || echo dropped', out='dropped')),
    ('clock', *tells('ProtectClock=yes', command='capsh --has-b=cap_sys_time >/dev/null 2>&1 || echo dropped', out='dropped')),
    ('control-groups', *tells('ProtectControlGroups=yes', command='mkdir -p /sys/fs/cgroup/@a@ 2>/dev/null && rmdir /sys/fs/cgroup/@a@ || echo read-only', out='read-only')),
    ('root-directory', {**once('RootDirectory=@D@/root', 'BindReadOnlyPaths=/bin /usr /lib -/lib64 /etc', command='ls /x /proc/self/status'), },
     ['sh mkdir -p root; touch root/x', 'start a', 'file out /proc/self/status|/x']),
    ('root-directory-start-only', {'a': service('Type=oneshot', 'RootDirectory=@D@/root', 'RootDirectoryStartOnly=yes',
                                                'BindReadOnlyPaths=/bin /usr /lib -/lib64', 'ExecStartPre=' + note('pre'), 'ExecStart=/bin/true')},
     ['sh mkdir -p root', 'start a', 'file log pre']),
    ('no-apivfs', {**once('RootDirectory=@D@/root', 'MountAPIVFS=no', 'BindReadOnlyPaths=/bin /usr /lib -/lib64', command='test -e /proc/self || echo none')},
     ['sh mkdir -p root', 'start a', 'file out none']),
    ('namespace-not-without', *tells(command='readlink /proc/self/ns/mnt > @D@/own; readlink /proc/1/ns/mnt | cmp - @D@/own && echo same', out='same')),
]
for _name, _units, _steps in mounts:
    if 'script' in _units['a']:
        _units['/script'] = '#!/bin/sh\necho ran\n'
        _steps.insert(0, 'sh chmod 755 script')
    if '@D@/d' in _units['a']:
        _steps.insert(0, 'sh mkdir -p d/rw')

GROUPS = {'mounts': mounts}
