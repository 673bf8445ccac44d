# SPDX-License-Identifier: MIT
"""What a service finds when it starts: rows as in cases.py, of the chapter systemd.exec(5). Each was held against systemd 252
where that has the directive; those that later versions brought say so."""
from cases import RUNS, SLEEP, note, service  # noqa: F401



def once(*lines, command):
    """A oneshot that leaves what COMMAND prints in "out"."""
    return {'a': service('Type=oneshot', 'StandardOutput=truncate:@D@/out', "ExecStart=/bin/sh -c '%s'" % command, *lines)}


def tells(*lines, command, out):
    return once(*lines, command=command), ['start a', 'file out ' + out]


STATUS = 'grep %s: /proc/self/status | cut -f2'

execution = [
    ('cpu-reset-on-fork', *tells('CPUSchedulingPolicy=batch', 'CPUSchedulingResetOnFork=yes', command='chrt -p $$$$ | head -1 | cut -d: -f2 | tr "|" "+"',
                                 out=' SCHED_BATCH+SCHED_RESET_ON_FORK')),
    ('cpu-scheduling', *tells('CPUSchedulingPolicy=batch', command='chrt -p $$$$ | head -1 | cut -d: -f2 | tr -d " "', out='SCHED_BATCH')),
    ('core-filter', *tells('CoredumpFilter=private-anonymous shared-dax 4', command='cat /proc/self/coredump_filter', out='00000105')),
    ('core-filter-all', *tells('CoredumpFilter=all', command='cat /proc/self/coredump_filter', out='000001ff')),
    ('timer-slack', *tells('TimerSlackNSec=123us', command='cat /proc/$$$$/timerslack_ns', out='123000')),
    ('timer-slack-plain', *tells('TimerSlackNSec=4711', command='cat /proc/$$$$/timerslack_ns', out='4711')),
    ('secure-bits', *tells('SecureBits=noroot noroot-locked', command=STATUS % 'CapEff', out='0000000000000000')),
    ('secure-bits-as-user', *tells('SecureBits=no-setuid-fixup', 'User=daemon', 'AmbientCapabilities=CAP_CHOWN', command='true', out='')),
    ('numa-local', {'a': service('Type=oneshot', 'NUMAPolicy=local', 'ExecStart=/bin/true')}, ['start a', 'is a inactive dead success 1 0 0']),
    ('login-environment', *tells('User=daemon', command='echo $USER $LOGNAME $HOME', out='daemon daemon /usr/sbin')),
    ('bounding', *tells('CapabilityBoundingSet=CAP_CHOWN', command=STATUS % 'CapBnd', out='0000000000000001')),
    ('bounding-merge', *tells('CapabilityBoundingSet=CAP_CHOWN', 'CapabilityBoundingSet=CAP_KILL', command=STATUS % 'CapBnd', out='0000000000000021')),
    ('bounding-empty', *tells('CapabilityBoundingSet=', command=STATUS % 'CapBnd', out='0000000000000000')),
    ('ambient-beyond-the-bounding-set', *tells('User=daemon', 'CapabilityBoundingSet=~CAP_NET_RAW', 'AmbientCapabilities=CAP_CHOWN CAP_NET_RAW', command=STATUS % 'CapAmb', out='0000000000000001')),
    ('ambient', *tells('User=daemon', 'AmbientCapabilities=CAP_CHOWN CAP_NET_RAW', command=STATUS % 'CapAmb', out='0000000000002001')),
    ('ambient-as-root', *tells('AmbientCapabilities=CAP_NET_RAW', command=STATUS % 'CapAmb', out='0000000000002000')),
    ('no-new-privileges', *tells('NoNewPrivileges=yes', command=STATUS % 'NoNewPrivs', out='1')),
    ('io-class-none', *tells('IOSchedulingClass=none', command='ionice', out='best-effort: prio 4')),
    ('io-class-idle', *tells('IOSchedulingClass=idle', command='ionice', out='idle')),
    ('io-priority-alone', *tells('IOSchedulingPriority=2', command='ionice', out='best-effort: prio 2')),
    ('unknown-escape', {'a': service('Type=oneshot', "ExecStart=/bin/sh -c 'echo \"a\\-b\" | tr - + > @D@/out'")}, ['start a', 'file out a\\+b']),
    ('runtime-directory-tidied', *tells('RuntimeDirectory=./@a@.d///./sub/.', command='echo $RUNTIME_DIRECTORY', out='/run/@a@.d/sub')),
    ('condition-kernel-blanks', {'a': service(SLEEP, unit='ConditionKernelVersion=" >= 2.0" " * " "*.*"')}, ['start a', 'is a ' + RUNS]),
]

credentials = [
    ('set', *tells('SetCredential=one:a\\x20b', command='cat $CREDENTIALS_DIRECTORY/one; echo; stat -c "%%a %%U" $CREDENTIALS_DIRECTORY/one',
                   out='a b|400 root')),
    ('load', {**once('LoadCredential=two:@D@/secret', command='cat $CREDENTIALS_DIRECTORY/two'), '/secret': 'of a file\n'},
     ['start a', 'file out of a file']),
    ('load-wins', {**once('SetCredential=two:set', 'LoadCredential=two:@D@/secret', command='cat $CREDENTIALS_DIRECTORY/two'), '/secret': 'loaded\n'},
     ['start a', 'file out loaded']),
    ('load-substitute', *tells('SetCredential=two:set', 'LoadCredential=two:@D@/no', command='cat $CREDENTIALS_DIRECTORY/two; echo', out='set')),
    ('load-missing', once('LoadCredential=two:@D@/no', command='true'), ['start a = 1', 'is a failed failed exit-code 1 243 0']),
    ('load-missing-opens-nothing', once('LoadCredential=two:@D@/no', command='true'), ['start a = 1', 'lacks out']),
    ('load-name-missing', *tells('LoadCredential=surely-not', command='ls $CREDENTIALS_DIRECTORY', out='')),
    ('load-directory', {**once('LoadCredential=d:@D@/dir', 'ExecStartPre=/bin/true', command='cat $CREDENTIALS_DIRECTORY/d_x'),
                        '/dir-x': 'below\n'},
     ['sh mkdir -p dir; cp dir-x dir/x', 'start a', 'file out below']),
    ('of-the-user', {'a': service('Type=oneshot', 'User=daemon', 'SetCredential=one:secret', 'StandardOutput=truncate:@D@/out',
                                  "ExecStart=/bin/sh -c 'cat $CREDENTIALS_DIRECTORY/one; echo; stat -c %%U $CREDENTIALS_DIRECTORY'")},
     ['start a', 'file out secret|daemon']),
    ('credentials-removed', {'a': service('SetCredential=one:secret', "ExecStart=/bin/sh -c 'echo $CREDENTIALS_DIRECTORY > @D@/out; exec sleep 1000'")},
     ['start a', 'until test -e "$(cat out)/one"', 'stop a', 'until ! test -e "$(cat out)"']),
    ('credential-specifier', *tells('SetCredential=one:x', command='test %d = $CREDENTIALS_DIRECTORY && echo same', out='same')),
]

terminals = [
    ('rows-and-columns', {'a': service('Type=oneshot', 'StandardInput=tty', 'TTYPath=@D@/tty', 'TTYRows=33', 'TTYColumns=44',
                                       "ExecStart=/bin/sh -c 'stty size > @D@/out'"),
                          '/pty.py': 'import os, sys, time\nm, s = os.openpty()\nos.symlink(os.ttyname(s), "@D@/tty")\n'
                                     'os.system("stty -F @D@/tty -echo -icanon")\n'
                                     'while not os.path.exists("@D@/end"):\n    time.sleep(0.02)\n'},
     ['sh python3 pty.py > /dev/null 2>&1 &', 'until test -e tty', 'start a', 'file out 33 44', 'sh touch end']),
    ('reset', {'a': service('Type=oneshot', 'StandardInput=tty', 'TTYPath=@D@/tty', 'TTYReset=yes',
                            "ExecStart=/bin/sh -c '(stty -a | grep -q -e -icanon && echo raw || echo cooked) > @D@/out'"),
               '/pty.py': 'import os, sys, time\nm, s = os.openpty()\nos.symlink(os.ttyname(s), "@D@/tty")\n'
                          'os.system("stty -F @D@/tty -echo -icanon; touch @D@/raw")\n'
                          'while not os.path.exists("@D@/end"):\n    time.sleep(0.02)\n'},
     ['sh python3 pty.py > /dev/null 2>&1 &', 'until test -e raw', 'start a', 'file out cooked', 'sh touch end']),
    ('no-reset', {'a': service('Type=oneshot', 'StandardInput=tty', 'TTYPath=@D@/tty',
                               "ExecStart=/bin/sh -c '(stty -a | grep -q -e -icanon && echo raw || echo cooked) > @D@/out'"),
                  '/pty.py': 'import os, sys, time\nm, s = os.openpty()\nos.symlink(os.ttyname(s), "@D@/tty")\n'
                             'os.system("stty -F @D@/tty -echo -icanon; touch @D@/raw")\n'
                             'while not os.path.exists("@D@/end"):\n    time.sleep(0.02)\n'},
     ['sh python3 pty.py > /dev/null 2>&1 &', 'until test -e raw', 'start a', 'file out raw', 'sh touch end']),
    ('hangup', {'a': service('Type=oneshot', 'TTYPath=@D@/tty', 'TTYVHangup=yes', 'ExecStart=/bin/true'),
                '/pty.py': 'import os, sys, time\nm, s = os.openpty()\nos.symlink(os.ttyname(s), "@D@/tty")\n'
                           'end = time.time() + 15\n'
                           'while time.time() < end and os.isatty(s):\n    time.sleep(0.02)\n'
                           'open("@D@/out", "w").write("hung up\\n" if not os.isatty(s) else "still there\\n")\n'},
     ['sh python3 pty.py > /dev/null 2>&1 &', 'until test -e tty', 'start a', 'file out hung up']),
    ('disallocate-clears', {'a': service('Type=oneshot', 'TTYPath=/dev/shm/disallocate-clears', 'TTYVTDisallocate=yes', 'ExecStart=/bin/true'),
                            '/pty.py': 'import os, sys, time\nm, s = os.openpty()\nos.symlink(os.ttyname(s), "/dev/shm/disallocate-clears")\n'
                                       'got = os.read(m, 100)\nopen("@D@/out", "w").write("cleared\\n" if b"\\033[3J" in got else "%r\\n" % got)\n'},
     ['sh python3 pty.py > /dev/null 2>&1 &', 'until test -e /dev/shm/disallocate-clears', 'start a', 'file out cleared', 'sh rm /dev/shm/disallocate-clears']),
]

SHM = "ExecStart=/bin/sh -c 'ipcmk -M 4096 > /dev/null; ipcmk -Q > /dev/null; ipcmk -S 1 > /dev/null; touch /dev/shm/%n; exec sleep 1000'"
DROP = "for t in m q s; do for i in $(ipcs -$t | awk '$3 == \"%s\" { print $2 }'); do ipcrm -$t $i; done; done"
COUNT = 'ipcs -mqs | grep -c " %s "'

leftovers = [
    ('ipc-removed', {'a': service('User=games', 'RemoveIPC=yes', SHM)},
     ['start a', 'until test "$(%s)" = 3' % (COUNT % 'games'), 'until test -e /dev/shm/@a@', 'stop a', 'until test "$(%s)" = 0' % (COUNT % 'games'),
      'until test ! -e /dev/shm/@a@']),
    ('kept', {'a': service('User=lp', SHM)},
     ['start a', 'until test "$(%s)" = 3' % (COUNT % 'lp'), 'until test -e /dev/shm/@a@', 'stop a', 'is a inactive dead', 'sh test "$(%s)" = 3' % (COUNT % 'lp'),
      'sh test -e /dev/shm/@a@', 'sh rm /dev/shm/@a@; ' + DROP % 'lp']),
    ('kept-while-others-run', {'a': service('User=uucp', 'RemoveIPC=yes', SHM), 'b': service('User=uucp', SLEEP)},
     ['start b', 'start a', 'until test "$(%s)" = 3' % (COUNT % 'uucp'), 'until test -e /dev/shm/@a@', 'stop a', 'is a inactive dead',
      'sh test "$(%s)" = 3' % (COUNT % 'uucp'), 'sh test -e /dev/shm/@a@', 'sh rm /dev/shm/@a@; ' + DROP % 'uucp']),
]

# systemd 253 and later
since_253 = [
    ('open-file', {'a': service('Type=oneshot', 'OpenFile=@D@/in:given:read-only', "ExecStart=/bin/sh -c 'echo $LISTEN_FDS $LISTEN_FDNAMES > @D@/out; cat <&3 >> @D@/out'"),
                   '/in': 'text\n'},
     ['start a', 'file out 1 given|text']),
    ('open-file-append', {'a': service('Type=oneshot', 'OpenFile=@D@/in::append', "ExecStart=/bin/sh -c 'echo $LISTEN_FDNAMES >&3'"), '/in': 'text\n'},
     ['start a', 'file in text|in']),
    ('open-file-missing', {'a': service('Type=oneshot', 'OpenFile=@D@/no:given:read-only', 'ExecStart=/bin/true')},
     ['start a = 1', 'is a failed failed exit-code 1 202 0']),
    ('open-file-graceful', {'a': service('Type=oneshot', 'OpenFile=@D@/no:given:graceful', "ExecStart=/bin/sh -c 'echo \"[$LISTEN_FDS]\" > @D@/out'")},
     ['start a', 'file out []']),
    ('login-environment-off', *tells('User=daemon', 'SetLoginEnvironment=no', command='echo "[$HOME]"', out='[]')),
    ('credentials-in-stop-post', {'a': service('SetCredential=one:x', SLEEP, "ExecStopPost=/bin/sh -c 'cat $CREDENTIALS_DIRECTORY/one > @D@/out; echo >> @D@/out'")},
     ['start a', 'stop a', 'file out x']),
]

GROUPS = {'execution': execution, 'credentials': credentials, 'terminals': terminals, 'leftovers': leftovers, 'since-253': since_253}
