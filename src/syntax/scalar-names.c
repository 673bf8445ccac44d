/* SPDX-License-Identifier: MIT
 *
 * What goes by a name or a number: signals, exit statuses, scheduling; see scalar.h.
 * Invariant: what a *_name() function says, the parser beside it takes back.
 */
#include "syntax/scalar.h"

#include <stdio.h>

static const char *const signal_words[SIGNAL_RTMAX + 1] = {
        [1] = "HUP",       [2] = "INT",       [3] = "QUIT",      [4] = "ILL",       [5] = "TRAP",
        [6] = "ABRT",      [7] = "BUS",       [8] = "FPE",       [9] = "KILL",      [10] = "USR1",
        [11] = "SEGV",     [12] = "USR2",     [13] = "PIPE",     [14] = "ALRM",     [15] = "TERM",
        [16] = "STKFLT",   [17] = "CHLD",     [18] = "CONT",     [19] = "STOP",     [20] = "TSTP",
        [21] = "TTIN",     [22] = "TTOU",     [23] = "URG",      [24] = "XCPU",     [25] = "XFSZ",
        [26] = "VTALRM",   [27] = "PROF",     [28] = "WINCH",    [29] = "IO",       [30] = "PWR",
        [31] = "SYS",      [34] = "RTMIN",    [35] = "RTMIN+1",  [36] = "RTMIN+2",  [37] = "RTMIN+3",
        [38] = "RTMIN+4",  [39] = "RTMIN+5",  [40] = "RTMIN+6",  [41] = "RTMIN+7",  [42] = "RTMIN+8",
        [43] = "RTMIN+9",  [44] = "RTMIN+10", [45] = "RTMIN+11", [46] = "RTMIN+12", [47] = "RTMIN+13",
        [48] = "RTMIN+14", [49] = "RTMIN+15", [50] = "RTMIN+16", [51] = "RTMIN+17", [52] = "RTMIN+18",
        [53] = "RTMIN+19", [54] = "RTMIN+20", [55] = "RTMIN+21", [56] = "RTMIN+22", [57] = "RTMIN+23",
        [58] = "RTMIN+24", [59] = "RTMIN+25", [60] = "RTMIN+26", [61] = "RTMIN+27", [62] = "RTMIN+28",
        [63] = "RTMIN+29", [64] = "RTMAX",
};
const struct names signal_names = {"signal", signal_words, ARRAY_SIZE(signal_words), .sparse = true};

static const char *const exit_status_words[256] = {
        [0] = "SUCCESS",
        [1] = "FAILURE",
        /* LSB, init scripts */
        [2] = "INVALIDARGUMENT",
        [3] = "NOTIMPLEMENTED",
        [4] = "NOPERMISSION",
        [5] = "NOTINSTALLED",
        [6] = "NOTCONFIGURED",
        [7] = "NOTRUNNING",
        /* <sysexits.h> */
        [64] = "USAGE",
        [65] = "DATAERR",
        [66] = "NOINPUT",
        [67] = "NOUSER",
        [68] = "NOHOST",
        [69] = "UNAVAILABLE",
        [70] = "SOFTWARE",
        [71] = "OSERR",
        [72] = "OSFILE",
        [73] = "CANTCREAT",
        [74] = "IOERR",
        [75] = "TEMPFAIL",
        [76] = "PROTOCOL",
        [77] = "NOPERM",
        [78] = "CONFIG",
        /* what a service manager says when it could not start the program */
        [200] = "CHDIR",
        [201] = "NICE",
        [202] = "FDS",
        [203] = "EXEC",
        [204] = "MEMORY",
        [205] = "LIMITS",
        [206] = "OOM_ADJUST",
        [207] = "SIGNAL_MASK",
        [208] = "STDIN",
        [209] = "STDOUT",
        [210] = "CHROOT",
        [211] = "IOPRIO",
        [212] = "TIMERSLACK",
        [213] = "SECUREBITS",
        [214] = "SETSCHEDULER",
        [215] = "CPUAFFINITY",
        [216] = "GROUP",
        [217] = "USER",
        [218] = "CAPABILITIES",
        [219] = "CGROUP",
        [220] = "SETSID",
        [221] = "CONFIRM",
        [222] = "STDERR",
        [224] = "PAM",
        [225] = "NETWORK",
        [226] = "NAMESPACE",
        [227] = "NO_NEW_PRIVILEGES",
        [228] = "SECCOMP",
        [229] = "SELINUX_CONTEXT",
        [230] = "PERSONALITY",
        [231] = "APPARMOR",
        [232] = "ADDRESS_FAMILIES",
        [233] = "RUNTIME_DIRECTORY",
        [235] = "CHOWN",
        [236] = "SMACK_PROCESS_LABEL",
        [237] = "KEYRING",
        [238] = "STATE_DIRECTORY",
        [239] = "CACHE_DIRECTORY",
        [240] = "LOGS_DIRECTORY",
        [241] = "CONFIGURATION_DIRECTORY",
        [242] = "NUMA_POLICY",
        [243] = "CREDENTIALS",
        [244] = "BPF",
        [255] = "EXCEPTION",
};
const struct names exit_status_names = {"exit status", exit_status_words, ARRAY_SIZE(exit_status_words),
                                        .sparse = true};

static const char *const io_class_words[] = {"none", "realtime", "best-effort", "idle"};
const struct names io_class_names = {"IO class", io_class_words, ARRAY_SIZE(io_class_words), .sparse = false};

/* 4 was never used by the kernel. */
static const char *const cpu_policy_words[] = {"other", "fifo", "rr", "batch", [5] = "idle"};
const struct names cpu_policy_names = {"CPU policy", cpu_policy_words, ARRAY_SIZE(cpu_policy_words), .sparse = true};

const char *signal_name(int sig)
{
        return names_get(&signal_names, sig);
}

const char *exit_status_name(int status)
{
        return names_get(&exit_status_names, status);
}

const char *io_class_name(int v)
{
        return names_get(&io_class_names, v);
}

const char *cpu_policy_name(int v)
{
        return names_get(&cpu_policy_names, v);
}

/* "RTMIN+3", "RTMAX-1", counted from either end. */
static int parse_realtime_signal(const char *s, int *ret)
{
        bool from_min = starts_with(s, "RTMIN");
        unsigned offset = 0;
        int r;

        if (!from_min && !starts_with(s, "RTMAX"))
                return -EINVAL;
        s += 5;
        if (*s) {
                if (*s != (from_min ? '+' : '-') || s[1] < '0' || s[1] > '9')
                        return -EINVAL;
                r = parse_uint(s + 1, &offset);
                if (r < 0)
                        return r;
        }
        if (offset > SIGNAL_RTMAX - SIGNAL_RTMIN)
                return -ERANGE;
        *ret = from_min ? SIGNAL_RTMIN + (int)offset : SIGNAL_RTMAX - (int)offset;
        return 0;
}

int parse_signal(const char *s, int *ret)
{
        int v;

        if (*s >= '0' && *s <= '9')
                return parse_int_range(s, 1, SIGNAL_RTMAX, ret);
        if (starts_with(s, "SIG"))
                s += 3;
        v = names_find(&signal_names, s);
        if (v < 0)
                return parse_realtime_signal(s, ret);
        *ret = v;
        return 0;
}

static int parse_name_or_number(const struct names *names, const char *s, int max, int *ret)
{
        int v = names_find(names, s);

        if (v < 0)
                return parse_int_range(s, 0, max, ret);
        *ret = v;
        return 0;
}

int parse_exit_status(const char *s, int *ret)
{
        return parse_name_or_number(&exit_status_names, s, 255, ret);
}

int parse_exit_status_or_signal(const char *s, int *ret_status, int *ret_signal)
{
        int v = 0, r = parse_exit_status(s, &v);
        bool is_status = r >= 0;

        if (r == -EINVAL)
                r = parse_signal(s, &v);
        if (r < 0)
                return r;
        *ret_status = is_status ? v : -1;
        *ret_signal = is_status ? -1 : v;
        return 0;
}

int parse_nice(const char *s, int *ret)
{
        return parse_int_range(s, -20, 19, ret);
}

int parse_oom_score_adjust(const char *s, int *ret)
{
        return parse_int_range(s, -1000, 1000, ret);
}

int parse_io_class(const char *s, int *ret)
{
        return parse_name_or_number(&io_class_names, s, 3, ret);
}

int parse_io_priority(const char *s, int *ret)
{
        return parse_int_range(s, 0, 7, ret);
}

int parse_cpu_policy(const char *s, int *ret)
{
        int v = 0, r = parse_name_or_number(&cpu_policy_names, s, 5, &v);

        if (r < 0)
                return r;
        if (!cpu_policy_name(v))
                return -EINVAL;
        *ret = v;
        return 0;
}

int parse_cpu_priority(const char *s, int *ret)
{
        return parse_int_range(s, 0, 99, ret);
}
