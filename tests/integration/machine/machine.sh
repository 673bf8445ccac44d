# SPDX-License-Identifier: MIT
#
# What the checking unit of each world (test-machine.py) runs as /bin/sh in the machine. A function per row is called by row
# NAME: it says why it is not satisfied and returns 1.
cg=/sys/fs/cgroup/supd
ctl() { /usr/bin/supctl "$@"; }
row() {
        name=$1
        why=$("$@" 2>&1) && echo "ok $name" || echo "not ok $name: $(echo "$why" | tail -n 3 | tr '\n' '|')"
}
until_true() { # COMMAND…: 30 s at most, under emulation
        n=0
        until "$@" >/dev/null 2>&1; do
                n=$((n + 1))
                [ $n -le 300 ] || { echo "never: $*"; return 1; }
                sleep 0.1
        done
}
same() { [ "$1" = "$2" ] || { echo "is '$1', not '$2'"; return 1; }; }
property() { ctl show -p "$2" --value "$1"; }
is() { same "$(property "$1" "$2")" "$3" || { echo "$1 $2"; return 1; }; } # UNIT PROPERTY VALUE
place() { cat /proc/"$(property "$1" MainPID)"/cgroup | sed 's/^0:://'; }
holds() { same "$(cat "/sys/fs/cgroup$1")" "$2" || { echo "$1"; return 1; }; } # FILE VALUE
