#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""packages.py BUILD_ROOT SOURCE_ROOT: packages that come and go in a running machine whose PID 1 is supd, Ansible that works
on it, and clients of the bus in several languages.

The machine is a throw-away one over this machine's own root (machine.sh); it has no network, so the packages that are
installed while it runs are fetched before. Each row is a shell command with the exit status and a pattern of what it must
say; rows are run in order and stand on those before them.
Exit status: 0 every row passed, 1 not, 77 skipped, with the reason (no root, no namespaces, no packages to be had)."""
import importlib.util
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = ['systemd', 'dbus', 'ansible-core', 'python3-dbus', 'python3-gi', 'libnet-dbus-perl', 'libglib2.0-bin'] # before supd starts
COMERS = ['nginx-light', 'redis-server', 'cron'] # while it runs
UNITS = 'nginx redis-server cron'
ANSIBLE = 'ANSIBLE_LOCALHOST_WARNING=False ansible localhost -c local -m ansible.builtin.systemd -a '
APT = 'DEBIAN_FRONTEND=noninteractive apt-get -y -o Dpkg::Use-Pty=0 '
OBJECT = '--dest org.freedesktop.systemd1 --object-path /org/freedesktop/systemd1'

PYTHON = r'''
import dbus, dbus.mainloop.glib, sys
from gi.repository import GLib
dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus, S = dbus.SystemBus(), "org.freedesktop.systemd1"
m = dbus.Interface(bus.get_object(S, "/org/freedesktop/systemd1"), S + ".Manager")
p = dbus.Interface(bus.get_object(S, "/org/freedesktop/systemd1"), "org.freedesktop.DBus.Properties")
seen, loop = [], GLib.MainLoop()
assert isinstance(p.Get(S + ".Manager", "Version"), str) and isinstance(p.Get(S + ".Manager", "NNames"), dbus.UInt32)
m.Subscribe()
def note(*a, **k):
    seen.append((k["member"], k["path"], a))
    if k["member"] == "JobRemoved" and a[1] == job:
        loop.quit()
bus.add_signal_receiver(note, bus_name=S, member_keyword="member", path_keyword="path")
job = m.StopUnit("cron.service", "replace"); loop.run()
assert seen[-1][2][3] == "done", seen[-1]
seen.clear()
job = m.StartUnit("cron.service", "replace"); loop.run()
names = [s[0] for s in seen if s[1].endswith("cron_2eservice") or s[0] == "JobNew" and s[2][2] == "cron.service" or s[0] == "JobRemoved"]
first = next(i for i, s in enumerate(seen) if s[0] == "JobNew" and s[2][2] == "cron.service") # before it: what the stop left to be told
seen, names = seen[first:], names[names.index("JobNew"):]
assert names[-1] == "JobRemoved" and "PropertiesChanged" in names, names
changed = [s[2] for s in seen if s[0] == "PropertiesChanged" and s[1].endswith("cron_2eservice")]
assert [c[0] for c in changed[:2]] == [S + ".Service", S + ".Unit"], changed
unit = bus.get_object(S, m.GetUnit("cron.service"))
q = dbus.Interface(unit, "org.freedesktop.DBus.Properties")
types = {"MainPID": (".Service", dbus.UInt32), "Restart": (".Service", dbus.String), "ExecStart": (".Service", dbus.Array),
         "Id": (".Unit", dbus.String), "CanStart": (".Unit", dbus.Boolean), "Names": (".Unit", dbus.Array),
         "ActiveEnterTimestamp": (".Unit", dbus.UInt64), "InvocationID": (".Unit", dbus.Array), "Job": (".Unit", dbus.Struct)}
for name, (interface, kind) in types.items():
    assert type(q.Get(S + interface, name)) is kind, name
rows = {r[0]: r for r in m.ListUnits()}
assert tuple(rows["cron.service"][2:5]) == ("loaded", "active", "running"), rows["cron.service"]
for call, error in ((lambda: m.StartUnit("no-such.service", "replace"), "NoSuchUnit"), (lambda: m.GetUnit("no-such.service"), "NoSuchUnit"),
                    (lambda: m.GetJob(dbus.UInt32(4000000)), "NoSuchJob"), (lambda: m.StartUnit("cron.service", "odd"), "InvalidArgs")):
    try:
        call()
        sys.exit("no " + error)
    except dbus.DBusException as e:
        assert e.get_dbus_name().endswith("." + error), e
seen.clear()
job = ""
bus.add_signal_receiver(lambda b: (seen.append(bool(b)), not b and loop.quit()), "Reloading", S + ".Manager")
GLib.timeout_add_seconds(20, loop.quit)
m.Reload(reply_handler=lambda: None, error_handler=print); loop.run()
assert [s for s in seen if s in (True, False)] == [True, False], seen
print("python says good")
'''
PERL = r'''
use strict; use Net::DBus; use Net::DBus::Reactor;
my $s = Net::DBus->system->get_service("org.freedesktop.systemd1");
my $m = $s->get_object("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager");
my $r = Net::DBus::Reactor->main; my ($job, $result);
$m->Subscribe();
$m->connect_to_signal("JobRemoved", sub { if ($_[1] eq $job) { $result = $_[3]; $r->shutdown; } });
$job = $m->RestartUnit("cron.service", "replace"); $r->run;
die $result unless $result eq "done";
my $u = $s->get_object($m->GetUnit("cron.service"), "org.freedesktop.systemd1.Unit");
die unless $u->ActiveState eq "active" && @{$u->Names} >= 1;
die unless grep { $_->[0] eq "cron.service" && $_->[3] eq "active" } @{$m->ListUnits};
eval { $m->StartUnit("no-such.service", "replace") };
die $@ unless $@ =~ /not found/;
print "perl says good\n";
'''

ROWS = [ # name, command, exit status, what it must say
    ('install', APT + '--no-download --no-install-recommends install ' + ' '.join(COMERS), 0, ''),
    ('started', f'systemctl is-active {UNITS}', 0, r'^active\nactive\nactive$'),
    ('enabled', f'systemctl is-enabled {UNITS}', 0, r'^enabled\nenabled\nenabled$'),
    ('nginx answers', 'python3 -c "import urllib.request; print(urllib.request.urlopen(\'http://127.0.0.1/\').status)"', 0, '200'),
    ('redis answers', 'redis-cli ping', 0, 'PONG'),
    ('invoke-rc.d', 'invoke-rc.d cron restart && systemctl is-active cron', 0, '^active$'),
    ('ansible started', ANSIBLE + '"name=cron state=started enabled=yes"', 0, '"changed": false'),
    ('ansible stops', ANSIBLE + '"name=cron state=stopped"', 0, '"changed": true'),
    ('ansible stops again', ANSIBLE + '"name=cron state=stopped"; systemctl is-active cron', 3, '"changed": false(.|\n)*inactive'),
    ('ansible restarts', ANSIBLE + '"name=cron state=restarted daemon_reload=yes"; systemctl is-active cron', 0, '"changed": true(.|\n)*\nactive'),
    ('ansible disables', ANSIBLE + '"name=cron enabled=no"; systemctl is-enabled cron', 1, '"changed": true(.|\n)*disabled'),
    ('ansible enables', ANSIBLE + '"name=cron enabled=yes"; systemctl is-enabled cron', 0, '"changed": true(.|\n)*\nenabled'),
    ('ansible second run', ANSIBLE + '"name=cron state=started enabled=yes"', 0, '"changed": false'),
    ('ansible reloads', ANSIBLE + '"daemon_reload=yes"', 0, 'SUCCESS'),
    ('ansible unknown', ANSIBLE + '"name=no-such state=started"', 2, 'Could not find the requested service'),
    ('message bus', 'systemctl start dbus; for i in $(seq 100); do busctl --no-pager list --acquired --no-legend | '
     'grep -q org.freedesktop.systemd1 && exit 0; sleep .1; done; exit 1', 0, ''),
    ('python3-dbus', "python3 - <<'END'\n" + PYTHON + '\nEND', 0, 'python says good'),
    ('perl Net::DBus', "perl - <<'END'\n" + PERL + '\nEND', 0, 'perl says good'),
    ('gdbus call', f'gdbus call --system {OBJECT} --method org.freedesktop.systemd1.Manager.GetUnit cron.service', 0,
     r"objectpath '/org/freedesktop/systemd1/unit/cron_2eservice'"),
    ('gdbus types', 'gdbus call --system --dest org.freedesktop.systemd1 --object-path /org/freedesktop/systemd1/unit/cron_2eservice '
     '--method org.freedesktop.DBus.Properties.Get org.freedesktop.systemd1.Service MainPID', 0, r'^\(<uint32 \d+>,\)$'),
    ('gdbus introspect', f'gdbus introspect --system {OBJECT}', 0, r'StartUnit\(in  s '),
    ('gdbus private', 'gdbus call --address unix:path=/run/systemd/private ' + OBJECT +
     ' --method org.freedesktop.systemd1.Manager.StartUnit cron.service replace', 0, 'objectpath .*/job/'),
    ('gdbus error', f'gdbus call --system {OBJECT} --method org.freedesktop.systemd1.Manager.StartUnit no-such.service replace', 1, 'NoSuchUnit'),
    ('busctl private', 'busctl --no-pager --address=unix:path=/run/systemd/private get-property org.freedesktop.systemd1 /org/freedesktop/systemd1 '
     'org.freedesktop.systemd1.Manager SystemState', 0, '^s "'),
    ('busctl monitor', 'timeout 5 busctl --no-pager monitor org.freedesktop.systemd1 >/tmp/seen & sleep 1; busctl call org.freedesktop.systemd1 '
     '/org/freedesktop/systemd1 org.freedesktop.systemd1.Manager StartUnit ss cron.service replace; wait; grep -c "Member=JobRemoved" /tmp/seen', 0, r'\n[1-9]'),
    ('remove', APT + 'remove nginx nginx-common redis-server cron', 0, ''),
    ('stopped', f'systemctl is-active {UNITS}', 3, r'^inactive\ninactive\ninactive$'),
    ('nothing left', "ps -eo comm | grep -E '^(nginx|redis-server|cron)$'", 1, '^$'),
]


def fetch(tree):
    """The packages that come while the machine runs, into its cache. False: they cannot be had."""
    cache = os.path.join(tree, 'var/cache/apt/archives')
    os.makedirs(cache + '/partial')
    how = ['apt-get', '-qq', '-y', '--download-only', '--no-install-recommends', '-o', 'Dir::Cache::archives=' + cache, '-o', 'Debug::NoLocking=1',
           '-o', 'APT::Sandbox::User=root', '-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=20']
    try:
        r = subprocess.run(how + ['install', '--reinstall'] + COMERS, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return r.returncode == 0


DBUS = '''[Unit]
Description=D-Bus System Message Bus
DefaultDependencies=no
[Service]
Type=notify
RuntimeDirectory=dbus
ExecStart=/usr/bin/dbus-daemon --system --nofork --nopidfile --nosyslog
''' # Debian's is handed a socket by its socket unit


def run_rows(m):
    wrong = 0
    for name, command, status, pattern in ROWS:
        code, out = m.run(['sh', '-c', 'LC_ALL=C.UTF-8; export LC_ALL; cd /; ' + command], 120)
        good = code == status and re.search(pattern, out, re.M if '\\n' not in pattern else 0)
        wrong += not good
        print('pass' if good else 'FAIL', name, *[] if good else [f'(exit {code}, expected {status}: {pattern})\n  ' + out[-1500:].replace('\n', '\n  ')], flush=True)
    print(f'{len(ROWS)} rows, {wrong} wrong')
    return wrong


def main():
    build = os.path.abspath(sys.argv[1])
    if os.geteuid() != 0:
        print('skipped: needs root')
        return 77
    sys.dont_write_bytecode = True
    spec = importlib.util.spec_from_file_location('conformance', os.path.join(HERE, 'conformance.py'))
    conformance = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(conformance)
    with tempfile.TemporaryDirectory(prefix='supd-packages.') as work:
        os.chmod(work, 0o755)
        tree = os.path.join(work, 'tree')
        r = subprocess.run(['meson', 'install', '-C', build, '--no-rebuild', '--destdir', tree], capture_output=True, text=True)
        if r.returncode or not os.path.exists(os.path.join(tree, 'usr/sbin/supd')):
            print('cannot install, or the prefix is not /usr:', r.stdout[-500:], r.stderr[-500:])
            return 1
        os.makedirs(tree + '/etc/systemd/system', exist_ok=True)
        with open(tree + '/etc/systemd/system/dbus.service', 'w') as f:
            f.write(DBUS)
        if not fetch(tree):
            print('skipped: the packages cannot be fetched')
            return 77
        m = conformance.Machine(tree, TOOLS)
        try:
            m.wait(250)
            missing = [t for t in ('systemctl', 'ansible', 'gdbus', 'perl', 'busctl') if m.run(['sh', '-c', 'command -v ' + t])[0] != 0]
            if missing:
                print('skipped: these cannot be had:', *missing)
                return 77
            return 1 if run_rows(m) else 0
        except conformance.Skip as e:
            print('skipped:', e)
            return 77
        finally:
            m.end()
            print('\n'.join([l for l in m.said().splitlines() if l.startswith(('supd', 'note'))][-15:]))


if __name__ == '__main__':
    sys.exit(main())
