# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What building and testing need, and how to get what is missing. To be sourced; used by packaging/quickstart and
# tests/run. Nothing is fetched when nothing is missing, so both work without a network.

# need PACKAGE COMMAND...: COMMAND succeeds when PACKAGE (or its equal from elsewhere) is there.
need() {
        local package=$1
        shift
        "$@" >/dev/null 2>&1 || missing+=("$package")
}

# wish PACKAGE COMMAND...: nice to have; fetched along with what is needed, never a reason to fetch.
wish() {
        local package=$1
        shift
        "$@" >/dev/null 2>&1 || wished+=("$package")
}

have() { command -v "$1"; }
any() { for c; do command -v "$c" && return; done; return 1; }
has_static() { echo 'int main(void){return 0;}' | "${CC:-gcc}" -x c - -o /dev/null -static "$@"; }

need_build() {
        need gcc any gcc clang
        need libc6-dev has_static
        need meson have meson
        need ninja-build have ninja
        need pkg-config have pkg-config
        need libinih-dev pkg-config --exists inih
        if ! pkg-config --exists libelogind 2>/dev/null; then
                need libsystemd-dev pkg-config --exists libsystemd
        fi
        [ "$(uname -m)" != x86_64 ] || need musl-tools have musl-gcc
}

need_test() {
        need gcc have gcc
        need clang have clang
        need libclang-rt-14-dev clang_has_sanitizers
        need clang-format any clang-format-14 clang-format
        need libcmocka-dev pkg-config --exists cmocka
        need python3 have python3
        need strace have strace
        need util-linux have unshare
        need iproute2 have ip
        need procps have ps
        need spin have spin
        wish mandoc have mandoc
        [ "$(uname -m)" != x86_64 ] || wish qemu-system-x86 have qemu-system-x86_64
        wish dbus-bin have dbus-send
        wish libglib2.0-bin have gdbus
}

# Other releases of the distribution name the package otherwise; without clang itself there is nothing to ask.
clang_has_sanitizers() {
        ! command -v clang || echo 'int main(void){return 0;}' | clang -x c - -o /dev/null -fsanitize=address,undefined
}

# install_missing NEED...: asks each NEED function, then installs. Returns 1 when something could not be had.
install_missing() {
        local missing=() wished=() sudo=() what
        for what; do "$what"; done
        [ ${#missing[@]} -gt 0 ] || return 0
        if ! command -v apt-get >/dev/null; then
                echo "missing: ${missing[*]} (names as in Debian); please install them, there is no apt-get here" >&2
                return 1
        fi
        if [ "$(id -u)" != 0 ]; then
                if ! command -v sudo >/dev/null; then
                        echo "missing: ${missing[*]}; please install them as root, there is no sudo here" >&2
                        return 1
                fi
                sudo=(sudo)
        fi
        echo "installing ${missing[*]}"
        "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq update </dev/null ||
                echo "apt-get update failed; trying with what is known" >&2
        "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install \
                "${missing[@]}" </dev/null >/dev/null || return 1
        [ ${#wished[@]} = 0 ] || "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
                --no-install-recommends install "${wished[@]}" </dev/null >/dev/null 2>&1 || :
}
