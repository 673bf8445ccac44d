#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The properties of the manager, a unit and a service over D-Bus: names and types beside those of systemd 252
(properties.tsv), and the values that come of a unit with many directives beside what systemd 252 made of it (properties.json).

usage: test-properties.py                          environment as harness.py says
       test-properties.py --reference PROGRAM      rewrites both files from another manager, through a program as test-cases.py has it
Not here: properties that tell of a run; other tests look at those."""
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as tree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'control')]
import dbus  # noqa: E402
import harness  # noqa: E402

PREFIX = 'org.freedesktop.systemd1.'
TYPES, VALUES = HERE + '/properties.tsv', HERE + '/properties.json'
INTERFACES = {'Unit': dbus.unit_path('rich.service'), 'Service': dbus.unit_path('rich.service'), 'Manager': dbus.ROOT}
RICH = '''[Unit]
Description=A unit with many directives
Documentation=man:a(1)
DefaultDependencies=no
JobTimeoutSec=1h
JobTimeoutAction=reboot
JobTimeoutRebootArgument=one
RebootArgument=two
OnSuccessJobMode=replace
OnFailureJobMode=isolate
ConditionPathExists=/never/there
StartLimitBurst=7
[Service]
Type=exec
ExecStart=/bin/sleep 1000
ExitType=cgroup
SuccessExitStatus=3 TEMPFAIL SIGUSR1
RestartPreventExitStatus=4 SIGHUP SIGRTMAX
RestartForceExitStatus=255
RuntimeDirectory=rich a/b
RuntimeDirectoryMode=0700
StateDirectory=rich
CacheDirectory=rich
CacheDirectoryMode=0711
LogsDirectory=rich
ConfigurationDirectory=rich
ProtectSystem=strict
ProtectHome=read-only
PrivateDevices=yes
PrivateMounts=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ReadWritePaths=/var/tmp -/not/there
ReadOnlyPaths=/etc
InaccessiblePaths=-/srv
NoExecPaths=/
ExecPaths=/usr
BindPaths=/usr:/opt
BindReadOnlyPaths=-/etc/x:/mnt:norbind
TemporaryFileSystem=/media:ro
CPUAffinity=0 1
NUMAPolicy=bind
NUMAMask=0
AllowedCPUs=0-1
AllowedMemoryNodes=0
IOSchedulingClass=idle
IOSchedulingPriority=3
Nice=7
OOMScoreAdjust=100
CPUSchedulingPolicy=batch
CPUSchedulingResetOnFork=yes
SecureBits=noroot
CoredumpFilter=0x13
TimerSlackNSec=1000
KeyringMode=shared
TTYPath=/dev/tty9
TTYReset=yes
TTYVHangup=yes
TTYVTDisallocate=yes
TTYRows=30
TTYColumns=100
StandardInput=data
StandardInputText=hello
StandardError=fd:out
LoadCredential=a:/etc/passwd
SetCredential=b:text
AmbientCapabilities=CAP_KILL
CapabilityBoundingSet=CAP_KILL CAP_CHOWN
CPUWeight=50
CPUQuota=20%
CPUQuotaPeriodSec=50ms
MemoryMax=1G
MemoryLimit=2G
CPUShares=512
BlockIOWeight=300
BlockIOAccounting=yes
IOWeight=200
TasksMax=77
Delegate=cpu pids
RemoveIPC=yes
UMask=0027
Environment=A=1 "B=two words"
EnvironmentFile=-/etc/rich
KillMode=mixed
KillSignal=SIGINT
TimeoutStopSec=7
LimitNOFILE=100:200
'''
# of a run, of the machine, or of the way there
RUN = re.compile('Timestamp|InvocationID|^(Id|Names|FragmentPath|DropInPaths|UnitFile.*|ControlGroup.*|Slice|CPUUsageNSec|.*Current|'
                 'After|Before|Requires|RequiresMountsFor|Limit(?!NOFILE).*|Effective.*|.*Accounting|MemoryAvailable)$')
# what systemctl 252 prints of them
WORDS = '''RestartPreventExitStatus=4 HUP RTMIN+30
SuccessExitStatus=3 75 USR1
AllowedCPUs=0-1
CPUAffinity=0-1
NUMAMask=0
NUMAPolicy=bind
CapabilityBoundingSet=cap_chown cap_kill
AmbientCapabilities=cap_kill
BindPaths=/usr:/opt:rbind
BindReadOnlyPaths=-/etc/x:/mnt
TemporaryFileSystem=/media:ro
StandardInputData=aGVsbG8K
CoredumpFilter=0x13
CPUQuotaPeriodUSec=50ms
MemoryLimit=2147483648
IPIngressBytes=[no data]
RestrictNamespaces=no
CacheDirectoryMode=0711
KeyringMode=shared'''.splitlines()
# other values than systemd's
DIFFERENT = {
    'CanFreeze': 'services are not frozen',
    'DeviceAllow': 'devices are not kept from a service by its cgroup, so PrivateDevices= and ProtectClock= add nothing to it',
    'DevicePolicy': 'likewise',
    'RuntimeDirectory': 'in the order in which they are written',
    'WatchdogUSec': '0 is none, also before the first start',
}


def expected():
    """{(interface, name): (type, reason)} of properties.tsv; those that only supd has under "+" before the interface."""
    rows = [line.split('\t') for line in harness.read(TYPES).splitlines() if not line.startswith('#')]
    return {(r[0], r[1]): (r[2], r[3] if len(r) > 3 else '') for r in rows}


def plain(value):
    """Structures as lists, as JSON has them."""
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else bool(value) if isinstance(value, bool) else value


def types_of(xml):
    return {(i.get('name')[len(PREFIX):], p.get('name')): p.get('type') for i in tree.fromstring(xml).iter('interface')
            if i.get('name').startswith(PREFIX) for p in i.iter('property')}


def reference(program):
    def run(command, data=''):
        return subprocess.run([program, 'run', command], input=data, capture_output=True, text=True, check=True).stdout
    run('cat > /run/systemd/system/rich.service; systemctl daemon-reload', RICH)
    types, values = {}, {}
    for interface, path in INTERFACES.items():
        own = types_of(json.loads(run('busctl --json=short call org.freedesktop.systemd1 %s org.freedesktop.DBus.Introspectable Introspect' % path))['data'][0])
        types.update({k: v for k, v in own.items() if k[0] == interface})
        said = json.loads(run('busctl --json=short call org.freedesktop.systemd1 %s org.freedesktop.DBus.Properties GetAll s %s' % (path, PREFIX + interface)))
        if interface != 'Manager':
            values.update({n: v['data'] for n, v in said['data'][0].items() if not RUN.search(n)})
    old = expected()
    head = [line + '\n' for line in harness.read(TYPES).splitlines() if line.startswith('#')]
    with open(TYPES, 'w') as f:
        f.writelines(head)
        for key, kind in types.items():
            reason = old.get(key, ('', ''))[1]
            f.write('\t'.join([*key, kind] + [reason] * bool(reason)) + '\n')
        for key, (kind, reason) in old.items():
            if key[0].startswith('+'):
                f.write('\t'.join([*key, kind, reason]) + '\n')
    with open(VALUES, 'w') as f:
        json.dump(values, f, indent=1, sort_keys=True)
        f.write('\n')


class Properties(harness.Case):
    @classmethod
    def prepare(cls):
        cls.s.unit('rich.service', RICH)

    def setUp(self):
        self.client = dbus.Client(self.s.runtime + '/control')
        self.addCleanup(self.client.close)

    def call(self, interface, member, path, *args):
        reply = self.client.call(member, 's' * len(args), *args, path=path, interface='org.freedesktop.DBus.' + interface)
        self.assertIsNone(reply.error, reply.args)
        return reply.args[0]

    def test_01_names_and_types(self):
        wanted, found = expected(), {}
        for interface, path in INTERFACES.items():
            own = types_of(self.call('Introspectable', 'Introspect', path))
            found.update({k: v for k, v in own.items() if k[0] == interface})
        for key, (kind, reason) in wanted.items():
            if key[0].startswith('+'):
                self.assertEqual(found.get((key[0][1:], key[1])), kind, key)
            elif reason:
                self.assertNotIn(key, found, 'it is there: take its reason out of properties.tsv')
            else:
                self.assertEqual(found.get(key), kind, key)
        for key in found:
            self.assertTrue(key in wanted or ('+' + key[0], key[1]) in wanted, '%s is no property of systemd' % (key,))

    def test_02_what_is_introspected_can_be_got(self):
        for interface, path in INTERFACES.items():
            own = {n for i, n in types_of(self.call('Introspectable', 'Introspect', path)) if i == interface}
            self.assertEqual(own, {k for k, _ in self.call('Properties', 'GetAll', path, PREFIX + interface)})
            for name in ('LogExtraFields', 'TTYRows', 'RestrictAddressFamilies', 'SetCredential', 'BindPaths', 'Refs', 'ExitCode'):
                if name in own:
                    self.call('Properties', 'Get', path, PREFIX + interface, name)

    def test_03_values(self):
        wanted, found = json.loads(harness.read(VALUES)), {}
        for interface in ('Unit', 'Service'):
            found.update(self.call('Properties', 'GetAll', INTERFACES[interface], PREFIX + interface))
        wrong = {}
        for name, value in wanted.items():
            if name in found and (plain(found[name]) != value) != (name in DIFFERENT):
                wrong[name] = plain(found[name]), value
        self.maxDiff = None
        self.assertEqual({n: v[0] for n, v in wrong.items()}, {n: v[1] for n, v in wrong.items()})
        self.assertGreater(len(set(wanted) & set(found)), 250)

    def test_04_words(self):
        names = ','.join(line.partition('=')[0] for line in WORDS)
        self.assertEqual(sorted(self.s.ctl('show', 'rich', '-p', names, check=0).stdout.splitlines()), sorted(WORDS))


if '--reference' in sys.argv:
    reference(sys.argv[sys.argv.index('--reference') + 1])
else:
    harness.enter()
    harness.main()
