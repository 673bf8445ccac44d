# SPDX-License-Identifier: MIT
"""Directives that no other chapter shows, a row each, so that leaving one out of the table is noticed (tests/mutation). Read as
those of cases.py; held against systemd 252 where it has the directive."""
from cases import RUNS, SLEEP, note, service
from cases_exec import STATUS, once, tells

asserts = []
for _key, _no in [
        ('ACPower', 'false'), ('Architecture', 'mips'), ('CPUs', '<1'), ('Capability', '!CAP_CHOWN'), ('DirectoryNotEmpty', '@D@'),
        ('Environment', 'SURELY_NOT'), ('FileIsExecutable', '/etc/passwd'), ('FileNotEmpty', '/dev/null'), ('FirstBoot', 'yes'),
        ('Group', 'nogroup'), ('Host', 'surely-another'), ('KernelCommandLine', 'surely-not-there'), ('KernelVersion', '<2.6'),
        ('Memory', '<1M'), ('NeedsUpdate', '!/var'), ('PathExistsGlob', '/no*'), ('PathIsDirectory', '/etc/passwd'),
        ('PathIsMountPoint', '/etc/default'), ('PathIsReadWrite', '!/run'), ('PathIsSymbolicLink', '/etc'), ('Security', 'selinux'),
        ('User', 'nobody'), ('Virtualization', 'bochs'), ('CPUFeature', 'strange'), ('ControlGroupController', '!strange'), ('Credential', 'strange'),
        ('Firmware', 'strange'), ('OSRelease', 'ID=strange'), ('PathIsEncrypted', '/no/such'), ('CPUPressure', '!100%'), ('IOPressure', '!100%'),
        ('MemoryPressure', '!100%')]:
    asserts.append(('assert-' + _key.lower(), {'a': service(SLEEP, unit='Assert%s=%s' % (_key, _no))},
                    ['start a = 1', 'is a inactive dead success 0 0 0', 'prop a AssertResult=no']))
for _key, _no in [('NeedsUpdate', '!/var'), ('Virtualization', 'bochs'), ('PathIsReadWrite', '!/run'), ('FileNotEmpty', '/dev/null'),
                  ('Capability', '!CAP_CHOWN'), ('ACPower', 'false'), ('Group', 'nogroup'), ('Memory', '<1M'), ('IOPressure', '!100%')]:
    asserts.append(('condition-' + _key.lower(), {'a': service(SLEEP, unit='Condition%s=%s' % (_key, _no))},
                    ['start a', 'is a inactive dead success 0 0 0', 'prop a ConditionResult=no']))

relations = [
    ('bind-to', {'a': service(SLEEP, unit='BindTo=@b@\nAfter=@b@'), 'b': service(SLEEP)},
     ['start a', 'is b ' + RUNS, 'kill -sKILL b', 'is a inactive dead success 2 15 0']),
    ('propagate-reload-to', {'a': service(SLEEP, 'ExecReload=' + note('a'), unit='PropagateReloadTo=@b@'), 'b': service(SLEEP, 'ExecReload=' + note('b'))},
     ['start a', 'start b', 'reload a', 'until grep -q a log && grep -q b log']),
    ('propagate-reload-from', {'a': service(SLEEP, 'ExecReload=' + note('a'), unit='PropagateReloadFrom=@b@'), 'b': service(SLEEP, 'ExecReload=' + note('b'))},
     ['start a', 'start b', 'reload b', 'until grep -q a log && grep -q b log']),
    ('reload-propagated-from', {'a': service(SLEEP, 'ExecReload=' + note('a'), unit='ReloadPropagatedFrom=@b@'), 'b': service(SLEEP, 'ExecReload=' + note('b'))},
     ['start a', 'start b', 'reload b', 'until grep -q a log && grep -q b log']),
    ('propagates-stop-to', {'a': service(SLEEP, unit='PropagatesStopTo=@b@'), 'b': service(SLEEP)},
     ['start a', 'start b', 'stop a', 'is b inactive dead success 2 15 0']),
    ('stop-propagated-from', {'a': service(SLEEP, unit='StopPropagatedFrom=@b@'), 'b': service(SLEEP)},
     ['start a', 'start b', 'stop b', 'is a inactive dead success 2 15 0']),
    ('upholds', {'a': service(SLEEP, unit='Upholds=@b@'), 'b': service(SLEEP)},
     ['start a', 'is b ' + RUNS, 'kill -sKILL b', 'is b ' + RUNS]),
    ('start-limit-interval', {'a': service('ExecStart=/bin/true', unit='StartLimitInterval=0\nStartLimitBurst=1')},
     ['start a', 'is a inactive dead', 'start a', 'is a inactive dead', 'start a', 'is a inactive dead success']),
    ('requires-overridable', {'a': service(SLEEP, unit='RequiresOverridable=@b@\nAfter=@b@'), 'b': service(SLEEP)}, ['start a', 'is b ' + RUNS]),
    ('requisite-overridable', {'a': service(SLEEP, unit='RequisiteOverridable=@b@\nAfter=@b@'), 'b': service(SLEEP)},
     ['start a = 1', 'is b inactive dead', 'start b', 'start a', 'is a ' + RUNS]),
    ('start-limit-interval-old-place', {'a': service('Type=oneshot', 'ExecStart=/bin/true', 'StartLimitInterval=0', 'StartLimitBurst=1')},
     ['start a', 'start a', 'start a', 'is a inactive dead success']),
    ('restart-sec', {'a': service('Restart=on-failure', 'RestartSec=1h', 'ExecStart=/bin/false')},
     ['start a', 'is a activating auto-restart exit-code', 'sh sleep 0.7', 'is a activating auto-restart exit-code 1 1 0']),
    ('documentation', {'a': service(SLEEP, unit='Documentation=man:true(1)')}, ['start a', 'prop a Documentation="?man:true.1."?']),
    ('description', {'a': service(SLEEP, unit='Description=What it is')}, ['start a', 'prop a Description=What it is']),
    ('source-path', {'a': service(SLEEP, unit='SourcePath=/etc/passwd')}, ['start a', 'prop a SourcePath=/etc/passwd']),
    ('default-dependencies', {'t.target': '[Unit]\nWants=@a@\n', 'a': service('Type=oneshot', "ExecStart=/bin/sh -c 'while ! test -e @D@/go; do sleep 0.05; done'",
                                                                                unit='DefaultDependencies=no')},
     ['start --no-block t.target', 'is t.target active active', 'is a activating start', 'sh touch go', 'is a inactive dead']),
    ('timeout-sec', {'a': service('Type=notify', 'TimeoutSec=1', SLEEP)}, ['start a = 1', 'is a failed failed timeout 2 15 0']),
    ('permissions-start-only', {'a': service('Type=oneshot', 'User=daemon', 'PermissionsStartOnly=yes', "ExecStartPre=/bin/sh -c 'id -un > @D@/out'",
                                             'ExecStart=/bin/true')}, ['start a', 'file out root']),
]

MAY_RAISE = any(line.startswith('CapEff') and int(line.split()[1], 16) >> 24 & 1 for line in open('/proc/self/status'))
LIMITS = [('AS', 'address space', '1073741824'), ('CPU', 'cpu time', '5000'), ('DATA', 'data size', '1073741824'), ('LOCKS', 'file locks', '77'),
          ('MEMLOCK', 'locked memory', '65536'), ('MSGQUEUE', 'msgqueue size', '4096'), ('NICE', 'nice priority', '11'),
          ('RSS', 'resident set', '1073741824'), ('RTPRIO', 'realtime priority', '3'), ('RTTIME', 'realtime timeout', '400000'),
          ('SIGPENDING', 'pending signals', '78'), ('STACK', 'stack size', '4194304'), ('CORE', 'core file size', '4096'),
          ('FSIZE', 'file size', '1048576'), ('NOFILE', 'open files', '79'), ('NPROC', 'processes', '4444')]

context = [('limit-' + k.lower(), *tells('Limit%s=%s' % (k, v), command='grep "^Max %s" /proc/self/limits | grep -cw %s' % (words, v), out='1'))
           for k, words, v in LIMITS
           if MAY_RAISE or k not in ('NICE', 'RTPRIO')]
context += [
    ('cpu-affinity', *tells('CPUAffinity=0', command=STATUS % 'Cpus_allowed_list', out='0')),
    ('cpu-priority', *tells('CPUSchedulingPolicy=rr', 'CPUSchedulingPriority=7', command='chrt -p $$$$ | tail -1 | cut -d: -f2', out=' 7')),
    ('nice', *tells('Nice=5', command='nice', out='5')),
    ('oom-score', *tells('OOMScoreAdjust=123', command='cat /proc/self/oom_score_adj', out='123')),
    ('dynamic-user', *tells('DynamicUser=yes', 'User=daemon', command=STATUS % 'NoNewPrivs', out='1')),
    ('exec-search-path', {**once('ExecSearchPath=@D@/bin:/usr/bin', 'ExecStartPost=hello', command='true'), '/hello': '#!/bin/sh\necho hello > @D@/said\n'},
     ['sh mkdir -p bin; cp hello bin/hello; chmod 755 bin/hello', 'start a', 'file said hello']),
    ('keyring', {'a': service('Type=oneshot', 'KeyringMode=private', *['ExecStart=/bin/sh -c \'python3 @D@/id.py >> @D@/out\''] * 2),
                 '/id.py': 'import ctypes, platform\nprint(ctypes.CDLL(None).syscall(219 if platform.machine() == "aarch64" else 250, 0, -3, 0))\n'},
     ['start a', 'until test $(sort -u out | wc -l) = 2']),
    ('numa-mask', *tells('NUMAPolicy=bind', 'NUMAMask=0', command='head -1 /proc/self/numa_maps | cut -d" " -f2', out='bind:0')),
    ('personality', *tells('Personality=x86', command='uname -m', out='i686')),
    ('input-text', *tells('StandardInput=data', 'StandardInputText=some text', command='cat', out='some text')),
    ('input-data', *tells('StandardInput=data', 'StandardInputData=YWJjCg==', command='cat', out='abc')),
    ('umask', *tells('UMask=0137', command='umask', out='0137')),
    ('working-directory', *tells('WorkingDirectory=/usr', command='pwd', out='/usr')),
    ('working-directory-missing', *tells('WorkingDirectory=-/no', command='pwd', out='/')),
    ('unset-a-variable', *tells('Environment=A=1', 'UnsetEnvironment=A', command='echo "[$A]"', out='[]')),
    ('groups', *tells('Group=daemon', 'SupplementaryGroups=mail', command='id -gn; id -Gn | tr " " "\\\\n" | grep -x mail', out='daemon|mail')),
    ('ignore-sigpipe', *tells('IgnoreSIGPIPE=no', command=STATUS % 'SigIgn', out='0000000000000000')),
    ('standard-error', {'a': service('Type=oneshot', 'StandardError=truncate:@D@/out', "ExecStart=/bin/sh -c 'echo x >&2'")}, ['start a', 'file out x']),
    ('environment-file', {**once('EnvironmentFile=@D@/env', command='echo $A'), '/env': 'A=of the file\n'}, ['start a', 'file out of the file']),
]
for _key, _base in [('Runtime', '/run'), ('State', '/var/lib'), ('Cache', '/var/cache'), ('Logs', '/var/log'), ('Configuration', '/etc')]:
    context.append(('directory-' + _key.lower(), *tells('%sDirectory=@a@.x' % _key, command='test -d %s/@a@.x && echo $%s_DIRECTORY' % (_base, _key.upper()),
                                                        out='%s/@a@.x' % _base)))
    context.append(('directory-mode-' + _key.lower(), *tells('%sDirectory=@a@.x' % _key, '%sDirectoryMode=0710' % _key,
                                                             command='stat -c %%%%a %s/@a@.x' % _base, out='710')))
context += [
    ('directory-preserve', {'a': service('Type=oneshot', 'RuntimeDirectory=@a@.x', 'RuntimeDirectoryPreserve=yes', 'ExecStart=/bin/true')},
     ['start a', 'is a inactive dead', 'sh test -d /run/@a@.x', 'sh rmdir /run/@a@.x']),
    ('directory-removed', {'a': service('Type=oneshot', 'RuntimeDirectory=@a@.x', 'ExecStart=/bin/true')},
     ['start a', 'until test ! -e /run/@a@.x']),
]

# systemd 253 and later
rows_since_253 = [
    ('non-blocking', {'a': service('Type=oneshot', 'NonBlocking=yes', 'OpenFile=@D@/in', "ExecStart=/bin/sh -c 'grep ^flags /proc/self/fdinfo/3 > @D@/out'"),
                      '/in': ''}, ['start a', 'until grep -q 4002 out']),
]

GROUPS = {'asserts': asserts, 'relations': relations, 'context': context, 'rows-since-253': rows_since_253}
