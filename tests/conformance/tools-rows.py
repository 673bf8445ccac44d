# SPDX-License-Identifier: MIT
"""Rows for tools.py, and the files that both machines get first. Rows are run in order and see what earlier ones did."""
from dataclasses import dataclass


@dataclass
class Row:
    name: str
    command: str
    sort: bool = False     # lines come in any order
    normal: tuple = ()     # more (pattern, replacement)
    always: bool = False   # other rows stand on it


UNITS = '/run/systemd/system/'


def unit(name, text):
    return {UNITS + name: text}


FILES = {
    **unit('tool-keep.target', '[Unit]\nDefaultDependencies=no\nAfter=sleeper.service oneshot.service fails.service '
                   'reloads.service condition.service assert.service dies.service slow.service remains.service masked.service bad.service\n'),
    **unit('sleeper.service', '[Unit]\nDescription=A sleeper\nDocumentation=man:sleep(1)\nDefaultDependencies=no\nStartLimitIntervalSec=0\n'
           '[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n'),
    **unit('sleeper.service.d/10-more.conf', '[Service]\nEnvironment=A=B\n'),
    **unit('oneshot.service', '[Unit]\nDescription=Once\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/true\n'),
    **unit('remains.service', '[Unit]\nDescription=Remains\nDefaultDependencies=no\n[Service]\nType=oneshot\nRemainAfterExit=yes\n'
           'ExecStart=/bin/true\n'),
    **unit('fails.service', '[Unit]\nDescription=Fails\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/false\n'),
    **unit('dies.service', '[Unit]\nDescription=Dies\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sh -c "exit 3"\n'),
    **unit('reloads.service', '[Unit]\nDescription=Reloads\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep 1000\n'
           'ExecReload=/bin/true\n'),
    **unit('needs.service', '[Unit]\nDescription=Needs\nDefaultDependencies=no\nRequires=fails.service\nAfter=fails.service\n'
           '[Service]\nExecStart=/bin/sleep 1000\n'),
    **unit('wants-nothing.service', '[Unit]\nDescription=Requires what is not there\nDefaultDependencies=no\n'
           'Requires=not-there.service\n[Service]\nExecStart=/bin/sleep 1000\n'),
    **unit('refuses.service', '[Unit]\nDescription=Refuses\nDefaultDependencies=no\nRefuseManualStart=yes\nRefuseManualStop=yes\n'
           '[Service]\nExecStart=/bin/sleep 1000\n'),
    **unit('condition.service', '[Unit]\nDescription=Condition\nDefaultDependencies=no\nConditionPathExists=/not/there\n'
           '[Service]\nExecStart=/bin/sleep 1000\n'),
    **unit('assert.service', '[Unit]\nDescription=Assert\nDefaultDependencies=no\nAssertPathExists=/not/there\n'
           '[Service]\nExecStart=/bin/sleep 1000\n'),
    **unit('bad.service', '[Unit]\nDescription=Bad\nDefaultDependencies=no\n[Service]\nType=oneshot\n'),
    **unit('alone.target', '[Unit]\nDescription=Alone\nDefaultDependencies=no\nAllowIsolate=yes\nWants=sleeper.service\n'),
    **unit('instance@.service', '[Unit]\nDescription=Instance %i\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep 1000\n'),
    **unit('slow.service', '[Unit]\nDescription=Slow\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/sleep 1000\n'),
    **unit('after-slow.service', '[Unit]\nDescription=Behind\nDefaultDependencies=no\nAfter=slow.service\n[Service]\n'
           'ExecStart=/bin/sleep 1000\n'),
    **unit('says.service', '[Unit]\nDescription=Says\nDefaultDependencies=no\n[Service]\nType=notify\nNotifyAccess=all\n'
           'ExecStart=/bin/sh -c "exec sleep 1000"\nTimeoutStartSec=500ms\n'),
    **unit('bus-user.service', '[Unit]\nDescription=Uses the bus\nDefaultDependencies=no\n[Service]\nType=oneshot\n'
           'ExecStart=/bin/sh -c "sleep .2; exit 7"\n'),
    **unit('keeps.service', '[Unit]\nDescription=Keeps\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep 1000\n'
           'RuntimeDirectory=keeps\nRuntimeDirectoryPreserve=yes\nStateDirectory=keeps/a keeps\nCacheDirectory=keeps\nLogsDirectory=keeps\n'
           'ConfigurationDirectory=keeps\n'),
    UNITS + 'masked.service': '-> /dev/null',
    UNITS + 'other-name.service': '-> sleeper.service',
}

# What only supd's machine gets: its root has the message bus, but no socket unit is started there.
FILES_SUPD = {
    '/usr/sbin/init': '-> supd',
    '/etc/systemd/system/dbus.service': '[Unit]\nDescription=D-Bus System Message Bus\nDefaultDependencies=no\n[Service]\nType=notify\n'
    'RuntimeDirectory=dbus\nExecStart=/usr/bin/dbus-daemon --system --nofork --nopidfile --nosyslog\n',
}

S = 'systemctl '
NOBODY = 'setpriv --reuid=65534 --regid=65534 --clear-groups '
BUSCTL = 'busctl --no-pager '
OBJECT = 'org.freedesktop.systemd1 /org/freedesktop/systemd1'
ROWS = [
    Row('start', S + 'start sleeper', always=True),
    Row('start-again', S + 'start sleeper'),
    Row('start-no-suffix-unknown', S + 'start nothing-here'),
    Row('start-masked', S + 'start masked'),
    Row('start-bad', S + 'start bad'),
    Row('start-oneshot', S + 'start oneshot'),
    Row('start-fails', S + 'start fails'),
    Row('start-needs', S + 'start needs'),
    Row('start-wants-nothing', S + 'start wants-nothing'),
    Row('start-refuses', S + 'start refuses'),
    Row('stop-refuses', S + 'stop refuses'),
    Row('start-condition', S + 'start condition'),
    Row('start-assert', S + 'start assert'),
    Row('start-two', S + 'start nothing-here remains'),
    Row('start-protocol', S + 'start says'),
    Row('start-template', S + 'start instance@'),
    Row('start-instance', S + 'start instance@one'),
    Row('start-mode-bad', S + '--job-mode=sometimes start sleeper'),
    Row('start-mode-fail', S + '--job-mode=fail start sleeper'),
    Row('start-isolate-no', S + 'isolate sleeper'),
    Row('start-verbose', S + 'start -T reloads'),
    Row('start-glob', S + "start 'sleep*'"),
    Row('start-quiet', S + '-q start fails'),
    Row('dies', S + 'start dies; sleep .5; systemctl is-active dies; systemctl is-failed dies'),
    Row('reload', S + 'reload reloads'),
    Row('reload-cannot', S + 'reload sleeper'),
    Row('reload-inactive', S + 'start reloads; systemctl stop reloads; systemctl reload reloads'),
    Row('restart', S + 'restart sleeper; systemctl is-active sleeper'),
    Row('restart-inactive', S + 'restart reloads; systemctl is-active reloads'),
    Row('try-restart-active', S + 'try-restart reloads; systemctl is-active reloads'),
    Row('try-restart-inactive', S + 'stop reloads; systemctl try-restart reloads; systemctl is-active reloads'),
    Row('condrestart', S + 'condrestart reloads; systemctl is-active reloads'),
    Row('reload-or-restart', S + 'reload-or-restart reloads; systemctl is-active reloads'),
    Row('try-reload-or-restart', S + 'try-reload-or-restart reloads; systemctl is-active reloads'),
    Row('force-reload', S + 'force-reload sleeper; systemctl is-active sleeper'),
    Row('no-block', S + '--no-block start slow; systemctl is-active slow'),
    Row('list-jobs', S + '--no-block start after-slow; systemctl --no-legend list-jobs',
        normal=((r'^ *\d+', 'N'),), sort=True),
    Row('list-jobs-one', S + "--no-legend list-jobs 'after*'", normal=((r'^ *\d+', 'N'),)),
    Row('status-starting', S + 'status slow'),
    Row('show-job', S + "show $(systemctl --no-legend list-jobs slow.service | awk '{print $1}')", sort=True,
        normal=((r'^Id=\d+', 'Id=N'),)),
    Row('cancel', S + "cancel $(systemctl --no-legend list-jobs after-slow.service | awk '{print $1}'); systemctl --no-legend list-jobs | grep -c after"),
    Row('cancel-unknown', S + 'cancel 4000000'),
    Row('cancel-all', S + 'cancel; systemctl --no-legend list-jobs; systemctl stop slow; systemctl is-active slow'),
    Row('stop', S + 'stop reloads'),
    Row('stop-again', S + 'stop reloads'),
    Row('stop-unknown', S + 'stop nothing-here'),
    Row('stop-glob-nothing', S + "stop 'nothing-*'"),
    Row('isolate-unknown', S + 'isolate nothing'),
    Row('kill', S + 'start reloads; systemctl kill --signal=KILL reloads; sleep .3; systemctl is-failed reloads'),
    Row('kill-main', S + 'start reloads; systemctl kill --kill-who=main --signal=TERM reloads; sleep .3; systemctl is-active reloads'),
    Row('kill-control-none', S + 'kill --kill-who=control sleeper'),
    Row('kill-unknown', S + 'kill nothing-here'),
    Row('kill-inactive', S + 'kill oneshot'),
    Row('is-active', S + 'is-active sleeper remains oneshot nothing-here'),
    Row('is-active-none', S + 'is-active oneshot nothing-here'),
    Row('is-failed', S + 'is-failed fails sleeper'),
    Row('is-failed-none', S + 'is-failed sleeper'),
    Row('status', S + 'status sleeper'),
    Row('status-inactive', S + 'status oneshot'),
    Row('status-failed', S + 'status fails'),
    Row('status-dies', S + 'status dies'),
    Row('status-unknown', S + 'status nothing-here'),
    Row('status-masked', S + 'status masked'),
    Row('status-condition', S + 'status condition'),
    Row('status-assert', S + 'status assert'),
    Row('status-bad', S + 'status bad'),
    Row('status-target', S + 'status alone.target'),
    Row('status-several', S + 'status oneshot sleeper nothing-here'),
    Row('status-pid', S + 'status $(systemctl show -P MainPID sleeper)'),
    Row('status-pid-unknown', S + 'status 4000000'),
    Row('cat', S + 'cat sleeper'),
    Row('cat-unknown', S + 'cat nothing-here'),
    Row('cat-masked', S + 'cat masked'),
    Row('show-names', S + 'show sleeper -p Id,Names,Description,LoadState,ActiveState,SubState,FragmentPath,DropInPaths'),
    Row('show-alias', S + 'show other-name -p Id,Names', normal=((r'Names=.*', 'Names=N'),)),
    Row('show-main', S + 'show sleeper -p Type,Restart,MainPID,ControlPID,ExecMainPID,ExecMainCode,ExecMainStatus,NRestarts,Result,UID,GID,'
        'RemainAfterExit,StatusText,NotifyAccess,PIDFile,GuessMainPID'),
    Row('show-exec', S + 'show sleeper -p ExecStart,ExecReload', normal=((r'(start|stop)_time=\[.*?\]', r'\1_time=T'), (r'pid=\d+', 'pid=N'))),
    Row('show-exec-failed', S + 'show fails -p ExecStart', normal=((r'(start|stop)_time=\[.*?\]', r'\1_time=T'), (r'pid=\d+', 'pid=N'))),
    Row('show-exec-ex', S + 'show sleeper -p ExecStartEx', normal=((r'(start|stop)_time=\[.*?\]', r'\1_time=T'), (r'pid=\d+', 'pid=N'))),
    Row('show-failed', S + 'show fails -p ActiveState,SubState,Result,ExecMainCode,ExecMainStatus,LoadError'),
    Row('show-unknown', S + 'show nothing-here -p Id,LoadState,ActiveState,SubState,LoadError,FragmentPath,UnitFileState'),
    Row('show-masked', S + 'show masked -p Id,LoadState,LoadError,FragmentPath,UnitFileState'),
    Row('show-bad', S + 'show bad -p Id,LoadState,LoadError,FragmentPath,UnitFileState'),
    Row('show-can', S + 'show reloads sleeper refuses -p CanStart,CanStop,CanReload,CanIsolate,RefuseManualStart,RefuseManualStop'),
    Row('show-times', S + 'show sleeper -p ActiveEnterTimestamp,ActiveExitTimestamp,InactiveEnterTimestamp,InactiveExitTimestamp,'
        'ConditionTimestamp,AssertTimestamp,StateChangeTimestamp,ExecMainStartTimestamp,ExecMainExitTimestamp'),
    Row('show-limits', S + 'show sleeper -p TimeoutStartUSec,TimeoutStopUSec,TimeoutAbortUSec,RestartUSec,RuntimeMaxUSec,WatchdogUSec,KillMode,'
        'KillSignal,FinalKillSignal,SendSIGHUP,SendSIGKILL,RestartKillSignal'),
    Row('show-limits-2', S + 'show sleeper -p StartLimitBurst,StartLimitAction,FailureAction,SuccessAction,'
        'JobTimeoutUSec,JobRunningTimeoutUSec,CollectMode,OnFailureJobMode'),
    Row('show-flags', S + 'show sleeper -p ConditionResult,AssertResult,NeedDaemonReload,Transient,StopWhenUnneeded,AllowIsolate,'
        'DefaultDependencies,IgnoreOnIsolate,FreezerState,Perpetual,Following'),
    Row('show-conditions', S + 'show condition -p ConditionResult,Conditions,AssertResult,Asserts'),
    Row('show-dependencies', S + 'show needs -p Requires,Wants,After,Before,Conflicts,BindsTo,PartOf,WantedBy,RequiredBy'),
    Row('show-reverse', S + 'show fails -p RequiredBy,Before'),
    Row('show-environment-of', S + 'show sleeper -p Environment,User,Group,WorkingDirectory,StandardOutput,StandardInput,UMask,Nice'),
    Row('show-value', S + 'show --value -p ActiveState,SubState sleeper'),
    Row('show-bad-property', S + 'show -p NoSuchProperty sleeper'),
    Row('show-two', S + 'show -p Id,ActiveState sleeper oneshot'),
    Row('show-target', S + 'show alone.target -p Id,ActiveState,CanIsolate,AllowIsolate,Wants'),
    Row('show-manager', S + 'show -p SystemState,Virtualization,Architecture,Tainted,ConfirmSpawn,ShowStatus,DefaultStandardOutput'),
    Row('show-manager-defaults', S + 'show -p DefaultTimeoutStartUSec,DefaultTimeoutStopUSec,DefaultTimeoutAbortUSec,DefaultRestartUSec,'
        'DefaultStartLimitIntervalUSec,DefaultStartLimitBurst'),
    Row('need-reload', 'echo "[Unit]" > /run/systemd/system/remains.service.d.tmp; touch -d "now + 1 min" /run/systemd/system/remains.service; '
        'systemctl show -p NeedDaemonReload remains; systemctl status remains | head -1; systemctl daemon-reload; '
        'systemctl show -p NeedDaemonReload remains'),
    Row('list-units', S + "list-units --no-legend --plain 'sleeper*' 'oneshot*' 'fails*' 'masked*'", sort=True),
    Row('list-units-all', S + "list-units --all --no-legend --plain 'sleeper*' 'oneshot*' 'fails*' 'masked*' 'other-name*'", sort=True),
    Row('list-units-state', S + "list-units --state=failed --no-legend --plain 'fails*' 'sleeper*'", sort=True),
    Row('list-units-failed', S + "--failed --no-legend --plain list-units 'd*.service' 'f*.service'", sort=True),
    Row('list-units-type', S + "list-units --type=service --no-legend --plain 'alone*' 'sleep*'"),
    Row('list-units-table', S + "list-units 'sleeper*'"),
    Row('list-timers', S + "list-timers 'nothing*'; systemctl list-timers --all 'nothing*'; systemctl list-timers --no-legend 'nothing*'"),
    Row('list-sockets', S + "list-sockets 'nothing*'; systemctl list-sockets -o json 'nothing*'; systemctl list-sockets --all --plain 'nothing*'"),
    Row('list-automounts', S + "list-automounts 'nothing*'"),
    Row('list-dependencies', S + 'list-dependencies needs'),
    Row('list-dependencies-reverse', S + 'list-dependencies --reverse fails'),
    Row('list-dependencies-after', S + 'list-dependencies --after needs'),
    Row('reset-failed-one', S + 'reset-failed fails; systemctl is-failed fails'),
    Row('reset-failed-unknown', S + 'reset-failed nothing-here'),
    Row('reset-failed', S + "reset-failed; systemctl --failed --no-legend --plain list-units 'd*.service' 'f*.service'"),
    Row('show-environment', S + 'show-environment | grep "^PATH="'),
    Row('set-environment', S + 'set-environment TOOL_A=1 TOOL_B=two; systemctl show-environment | grep TOOL_', sort=True),
    Row('unset-environment', S + 'unset-environment TOOL_A; systemctl show-environment | grep TOOL_'),
    Row('import-environment', 'TOOL_C=3 systemctl import-environment TOOL_C; systemctl show-environment | grep TOOL_', sort=True),
    Row('environment-reaches', 'systemctl restart sleeper; tr "\\0" "\\n" < /proc/$(systemctl show -P MainPID sleeper)/environ | grep -E "TOOL_|^A="',
        sort=True),
    Row('set-environment-bad', S + 'set-environment 1A=x'),
    Row('unset-all', S + 'unset-environment TOOL_B TOOL_C; systemctl show-environment | grep TOOL_'),
    Row('daemon-reload', S + 'daemon-reload'),
    Row('daemon-reexec', S + 'daemon-reexec; systemctl is-active sleeper'),
    Row('service-watchdogs', S + 'service-watchdogs'),
    Row('is-system-running', S + 'is-system-running'),
    Row('version', S + 'show -P Version | cut -c1-3'),
    Row('default-target', S + 'get-default'),
    Row('preset-mode', S + 'edit sleeper </dev/null'),
    Row('dir', 'test -d /run/systemd/system && stat -c "%F %a %U" /run/systemd/system /run/systemd/private'),
    Row('offline', 'SYSTEMD_OFFLINE=1 systemctl start sleeper'),
    # the message bus: unprivileged callers, and what systemctl does there even as root
    Row('bus-up', 'systemctl start dbus.service; for i in $(seq 50); do busctl --no-pager list --acquired --no-legend | '
        'grep -q org.freedesktop.systemd1 && break; sleep .1; done; systemctl is-active dbus.service', always=True),
    Row('bus-user-is-active', NOBODY + 'systemctl is-active sleeper oneshot'),
    Row('bus-user-status', NOBODY + 'systemctl status sleeper'),
    Row('bus-user-show', NOBODY + 'systemctl show -p Id,ActiveState,MainPID sleeper', sort=True),
    Row('bus-user-list', NOBODY + "systemctl list-units --no-legend --plain 'sleeper*'"),
    Row('bus-user-start', NOBODY + 'systemctl start oneshot'),
    Row('bus-user-stop', NOBODY + 'systemctl stop sleeper; systemctl is-active sleeper'),
    Row('bus-user-kill', NOBODY + 'systemctl kill sleeper; systemctl is-active sleeper'),
    Row('bus-user-reload', NOBODY + 'systemctl daemon-reload'),
    Row('bus-user-environment', NOBODY + 'systemctl set-environment A=b; systemctl show-environment | grep ^A='),
    Row('bus-user-cancel', NOBODY + 'systemctl cancel 4000000'),
    Row('bus-user-log-level', NOBODY + 'systemctl log-level debug; systemctl log-level'),
    Row('bus-user-poweroff', NOBODY + 'busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 '
        'org.freedesktop.systemd1.Manager PowerOff'),
    Row('bus-wait', S + 'start --wait oneshot; echo $?; systemctl start --wait bus-user'),
    Row('bus-wait-fails', S + 'start --wait dies'),
    Row('bus-restart-wait', S + 'restart --wait oneshot'),
    Row('bus-freeze', S + 'freeze alone.target; systemctl thaw alone.target; systemctl freeze nothing-here'),
    Row('bus-clean-active', S + 'start keeps; systemctl clean keeps; echo $?; systemctl show -p CanClean,CleanResult,TimeoutCleanUSec keeps'),
    Row('bus-clean', 'systemctl stop keeps; touch /var/lib/keeps/a/b; ' + S + 'clean keeps; echo $?; ls -dA /run/keeps /var/*/keeps /etc/keeps 2>&1; '
        'systemctl clean --what=state,logs keeps; echo $?; ls -dA /run/keeps /var/*/keeps /etc/keeps 2>&1', sort=True),
    Row('bus-clean-all', S + 'start keeps; systemctl stop keeps; systemctl clean --what=all keeps; echo $?; ls -dA /run/keeps /var/*/keeps /etc/keeps 2>&1', sort=True),
    Row('bus-clean-wrong', S + 'clean --what=foo keeps; systemctl clean sleeper; systemctl clean alone.target; systemctl clean nothing-here; systemctl clean'),
    Row('bus-log-level', S + 'log-level; systemctl log-level debug; systemctl log-level; systemctl log-level info; systemctl log-level loud'),
    Row('bus-log-target', S + 'log-target'),
    Row('busctl-get', BUSCTL + 'get-property ' + OBJECT + ' org.freedesktop.systemd1.Manager SystemState NFailedUnits',
        normal=((r'u \d+', 'u N'),)),
    Row('busctl-call', BUSCTL + 'call ' + OBJECT + ' org.freedesktop.systemd1.Manager GetUnit s sleeper.service'),
    Row('busctl-start', BUSCTL + 'call ' + OBJECT + ' org.freedesktop.systemd1.Manager StartUnit ss sleeper.service replace'),
    Row('busctl-wrong-types', BUSCTL + 'call ' + OBJECT + ' org.freedesktop.systemd1.Manager StartUnit s sleeper.service'),
    Row('busctl-no-method', BUSCTL + 'call ' + OBJECT + ' org.freedesktop.systemd1.Manager NoSuchMethod'),
    Row('busctl-no-interface', BUSCTL + 'call ' + OBJECT + ' org.example.Nothing NoSuchMethod'),
    Row('busctl-no-suffix', BUSCTL + 'call ' + OBJECT + ' org.freedesktop.systemd1.Manager StartUnit ss sleeper replace'),
    Row('busctl-bad-object', BUSCTL + 'get-property org.freedesktop.systemd1 /org/freedesktop/systemd1/unit/a '
        'org.freedesktop.systemd1.Unit ActiveState'),
    Row('busctl-by-pid', BUSCTL + 'call ' + OBJECT + ' org.freedesktop.systemd1.Manager GetUnitByPID u '
        '$(systemctl show -P MainPID sleeper)'),
    Row('busctl-enqueue', BUSCTL + 'call ' + OBJECT + ' org.freedesktop.systemd1.Manager EnqueueUnitJob sss sleeper.service restart replace',
        normal=((r' \d+ ', ' N '),)),
    Row('busctl-enqueue-bad', BUSCTL + 'call ' + OBJECT + ' org.freedesktop.systemd1.Manager EnqueueUnitJob sss sleeper.service dance replace'),
    Row('busctl-marked', BUSCTL + 'call ' + OBJECT + ' org.freedesktop.systemd1.Manager EnqueueMarkedJobs'),
    Row('busctl-unref', BUSCTL + 'call ' + OBJECT + ' org.freedesktop.systemd1.Manager UnrefUnit s sleeper.service'),
    Row('busctl-unsubscribe', BUSCTL + 'call ' + OBJECT + ' org.freedesktop.systemd1.Manager Unsubscribe'),
    Row('busctl-job', BUSCTL + 'call ' + OBJECT + ' org.freedesktop.systemd1.Manager GetJob u 4000000'),
    Row('busctl-unit-object', BUSCTL + 'call org.freedesktop.systemd1 /org/freedesktop/systemd1/unit/sleeper_2eservice '
        'org.freedesktop.systemd1.Unit Restart s replace'),
    Row('busctl-read-only', BUSCTL + 'set-property ' + OBJECT + ' org.freedesktop.systemd1.Manager Version s x'),
    Row('busctl-types', BUSCTL + '--list introspect org.freedesktop.systemd1 /org/freedesktop/systemd1/unit/sleeper_2eservice '
        'org.freedesktop.systemd1.Unit | awk \'$2 == "property" && $1 ~ /^\\.(Id|Names|ActiveState|Conditions|LoadError|Job|InvocationID|'
        'JobTimeoutUSec|StartLimitBurst|CanStart|Documentation|Markers)$/ {print $1, $3}\'', sort=True),
    # units for one run
    Row('run', "systemd-run --unit=ran sh -c 'exit 0'; sleep .5; systemctl show -p LoadState,ActiveState ran; systemctl status ran", sort=True),
    Row('run-wait', "systemd-run --wait --unit=ran -p Environment=RAN=yes sh -c 'test $RAN = yes && exit 3'; echo $?; "
        'systemctl show -p Result,ExecMainStatus,LoadState,Transient,CollectMode ran; systemctl reset-failed ran; sleep .3; systemctl show -p LoadState ran', sort=True,
        normal=((r'runtime: .*', 'runtime: N'), (r'CPU time consumed: .*\n', ''),)),
    Row('run-properties', 'systemd-run --unit=ran2 --description="It % runs" -p Nice=5 -p TimeoutStopSec=7 -p KillSignal=INT -p UMask=0077 -p User=nobody '
        '--setenv=A="x y" --working-directory=/tmp sleep 1000; systemctl show -p Description,Nice,TimeoutStopUSec,KillSignal,UMask,User,Environment,'
        'WorkingDirectory,Transient,ActiveState ran2', sort=True),
    Row('run-exists', 'systemd-run --unit=ran2 sleep 1000; systemd-run --unit=sleeper sleep 1000'),
    Row('run-reexec', 'systemctl daemon-reexec; systemctl daemon-reload; systemctl is-active ran2; systemctl show -p Transient ran2'),
    Row('run-stop', 'systemctl stop ran2; sleep .3; systemctl show -p LoadState,ActiveState ran2; ls /run/systemd/transient /run/supd/transient 2>/dev/null | grep ran2', sort=True),
    Row('run-collect', "systemd-run --collect --unit=ran3 sh -c 'exit 1'; sleep .5; systemctl show -p LoadState,ActiveState ran3", sort=True),
    Row('run-fails-stays', "systemd-run --unit=ran4 sh -c 'exit 1'; sleep .5; systemctl show -p LoadState,ActiveState,Result ran4; systemctl reset-failed ran4", sort=True),
    Row('run-bad', 'systemd-run --unit=ran5 -p ExecMainPID=5 true; systemd-run --unit=ran5 -p Nice=x true'),
    Row('run-scope', 'systemd-run --scope true'),
    Row('set-property', 'systemctl set-property --runtime sleeper CPUWeight=50 TasksMax=100; systemctl cat sleeper | grep -E "^(CPUWeight|TasksMax)"', sort=True),
    # maintainer scripts
    Row('deb-helper-new', 'cd /tmp; export DPKG_MAINTSCRIPT_PACKAGE=x; deb-systemd-helper enable sleeper.service; echo $?; '
        'deb-systemd-helper was-enabled sleeper.service; echo $?; deb-systemd-helper update-state sleeper.service; echo $?'),
    Row('deb-invoke-start', 'systemctl stop remains; deb-systemd-invoke start remains.service; systemctl is-active remains'),
    Row('deb-invoke-stop', 'deb-systemd-invoke stop sleeper.service; systemctl is-active sleeper'),
    Row('deb-invoke-restart', 'deb-systemd-invoke restart sleeper.service; systemctl is-active sleeper'),
    Row('deb-maintainer', 'if [ -d /run/systemd/system ]; then systemctl --system daemon-reload >/dev/null || true; '
        'deb-systemd-invoke restart sleeper.service >/dev/null || true; fi; systemctl is-active sleeper'),
    Row('invoke-rc.d', 'printf "#!/bin/sh\\nexit 0\\n" > /etc/init.d/sleeper; chmod 755 /etc/init.d/sleeper; invoke-rc.d sleeper restart; echo $?; '
        'invoke-rc.d sleeper stop; systemctl is-active sleeper; invoke-rc.d sleeper start; systemctl is-active sleeper'),
    Row('service', 'service sleeper restart; echo $?; service sleeper status | head -1; service sleeper stop; service sleeper status >/dev/null; echo $?; '
        'service sleeper start; systemctl is-active sleeper'),
    Row('bus-restart', S + 'kill --signal=KILL dbus.service; sleep .5; systemctl start dbus.service; sleep 1; systemctl start --wait oneshot'),
    Row('bus-stop', S + 'start sleeper; systemctl is-active sleeper'),
    Row('isolate', S + 'start slow --no-block; systemctl isolate alone.target; while systemctl -q is-active slow || test $(systemctl show -P ActiveState slow) = deactivating; do sleep .1; done; '
        'systemctl is-active sleeper slow alone.target'),
]
