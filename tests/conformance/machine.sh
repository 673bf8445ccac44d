#!/bin/bash
# SPDX-License-Identifier: MIT
#
# machine.sh TREE PACKAGE…: a throw-away machine over this machine's own root, in which the supd installed below TREE is
# PID 1. Not to be run by hand: conformance.py does.
#
# The root is an overlay whose upper layer is a tmpfs, so nothing that happens inside lasts; pid, mount, net (loopback
# only), uts and ipc namespaces are new. PACKAGEs that are missing are installed into the overlay, with the network of the
# machine, before supd starts; what cannot be had stays missing. Exit status 77: not permitted here.
set -u
tree=$1
shift
skip() { echo "skipped: $*"; exit 77; }

if [ "${MACHINE_STEP-}" = '' ]; then
        [ "$(id -u)" = 0 ] || skip 'needs root'
        unshare --mount --pid --net --uts --ipc --fork true 2>/dev/null || skip 'namespaces are not permitted here'
        exec env MACHINE_STEP=root unshare --mount --propagation private -- "$0" "$tree" "$@"
fi

mount_all() { # over the new root M, seen from inside the new namespaces
        mount -t proc proc "$1/proc" && mount -t tmpfs -o mode=755 tmpfs "$1/dev" || return 1
        mount -t sysfs -o ro sysfs "$1/sys" 2>/dev/null
        mkdir "$1/dev/shm" "$1/dev/pts"
        mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm" && mount -t devpts -o newinstance,ptmxmode=0666 devpts "$1/dev/pts"
        local n minor
        for n in null:3 zero:5 full:7 random:8 urandom:9; do
                minor=${n#*:}
                mknod -m 666 "$1/dev/${n%:*}" c 1 "$minor" || return 1
        done
        mknod -m 666 "$1/dev/tty" c 5 0
        ln -s pts/ptmx "$1/dev/ptmx"
        ln -s /proc/self/fd "$1/dev/fd"
        mount -t tmpfs -o mode=755 tmpfs "$1/run" && mkdir -m 1777 "$1/run/lock" && mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
}

if [ "$MACHINE_STEP" = root ]; then
        w=/mnt
        mount -t tmpfs -o size=75% tmpfs $w && mkdir $w/u $w/w $w/m || skip 'a tmpfs cannot be mounted here'
        mount -t overlay overlay -o lowerdir=/,upperdir=$w/u,workdir=$w/w $w/m 2>/dev/null ||
                skip 'an overlay over / cannot be mounted here'
        m=$w/m
        printf '#!/bin/sh\nexit 101\n' >$m/usr/sbin/policy-rc.d && chmod 755 $m/usr/sbin/policy-rc.d
        missing=()
        for p; do chroot $m dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p"); done
        command -v systemd-tmpfiles >/dev/null || missing+=(systemd-standalone-tmpfiles)
        if [ ${#missing[@]} -gt 0 ] && command -v apt-get >/dev/null; then
                mount --rbind /dev $m/dev && mount -t proc proc $m/proc && mount -t tmpfs -o mode=1777 tmpfs $m/tmp
                mkdir -p $m/run && cp -L /etc/resolv.conf $m/etc/resolv.conf.new 2>/dev/null &&
                        mv -f $m/etc/resolv.conf.new $m/etc/resolv.conf
                export DEBIAN_FRONTEND=noninteractive
                apt() { timeout 150 chroot $m apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 \
                        -o Acquire::Retries=1 -o Acquire::http::Timeout=20 "$@" </dev/null >>$w/apt.log 2>&1; }
                apt install "${missing[@]}" || { apt update && apt install "${missing[@]}"; } ||
                        for p in "${missing[@]}"; do apt install "$p" || echo "note: $p cannot be had"; done
                umount -l $m/dev $m/proc $m/tmp
        fi
        rm -f $m/usr/sbin/policy-rc.d
        cp -a "$tree/." $m/ && rm -rf $m/etc/systemd/system/*.wants
        exec env MACHINE_STEP=inside unshare --pid --mount --net --uts --ipc --fork --kill-child -- "$0" "$tree"
fi

m=/mnt/m
mount_all $m || skip 'the file systems of a machine cannot be mounted here'
ip link set lo up 2>/dev/null
hostname supd-conformance
printf '127.0.0.1 localhost\n' >$m/etc/hosts
: >$m/etc/resolv.conf
chroot $m systemd-tmpfiles --create --remove --boot >/dev/null 2>&1
echo "machine: ready"
cd $m && mkdir -p .old && pivot_root . .old && cd / && umount -l /.old && rmdir /.old
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /usr/sbin/supd --unit=basic.target
