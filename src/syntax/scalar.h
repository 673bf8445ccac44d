/* SPDX-License-Identifier: MIT
 *
 * Single values: booleans, times, sizes, numbers, modes, signals, exit statuses, limits, scheduling.
 *
 * All parsers take a whole string, return 0, -EINVAL (not of that form) or -ERANGE (of that form, out of range), and
 * leave *ret alone on failure. Messages are the caller's. No locale, no allocation.
 * Sources: rules 6, 7, 41 of the dialect; systemd.exec(5) "Process exit codes"; signal(7); setrlimit(2).
 */
#ifndef SUPD_SYNTAX_SCALAR_H
#define SUPD_SYNTAX_SCALAR_H

#include <sys/types.h>

#include "base/names.h"

int parse_bool(const char *s, bool *ret); /* 1 yes y true t on / 0 no n false f off, any case */

/* Times. Without a unit: seconds (or the unit given). "1h 2min 3s", "1.5h", "infinity" = USEC_INFINITY.
 * A month is 30.4375 days, a year 365.25. 1M is a month, 1m a minute. */
int parse_timespan(const char *s, uint64_t *ret_us);
int parse_timespan_unit(const char *s, uint64_t unit_us, uint64_t *ret_us);
#define TIMESPAN_TEXT_SIZE 96
/* "1h 30min", "500ms", "0", "infinity"; returns buf. What is smaller than accuracy_us is left out (0: nothing is). */
const char *timespan_format_accuracy(uint64_t us, uint64_t accuracy_us, char buf[static TIMESPAN_TEXT_SIZE]);
const char *timespan_format(uint64_t us, char buf[static TIMESPAN_TEXT_SIZE]);

/* Numbers: decimal, 0x…, 0o… (or a leading 0: octal), 0b…; a sign only where the type has one. */
int parse_u64(const char *s, uint64_t *ret);
int parse_i64(const char *s, int64_t *ret);
int parse_uint(const char *s, unsigned *ret);
int parse_int(const char *s, int *ret);
int parse_int_range(const char *s, int min, int max, int *ret);

/* Bytes: "4096", "1.5G", "1G 512M"; B K M G T P E are powers of 1024. No infinity, no percent. */
int parse_size(const char *s, uint64_t *ret);

enum size_kind {
        SIZE_BYTES,     /* value in bytes (or tasks) */
        SIZE_PERMYRIAD, /* value in 1/10000: "12.34%" is 1234 */
        SIZE_INFINITY,
};
struct size_value {
        enum size_kind kind;
        uint64_t value;
};
/* MemoryMax= and its kin; TasksMax=: bytes, percent (0..100) or "infinity". */
int parse_size_value(const char *s, struct size_value *ret);
int parse_permyriad(const char *s, unsigned *ret); /* "50%" = 5000, "1.5%" = 150; at most 100% */

int parse_mode(const char *s, mode_t *ret); /* octal, 0..07777 */

/* Signals: "SIGTERM", "TERM", "15", "SIGRTMIN+3", "RTMAX-1"; case-sensitive. SIGRTMIN counts from 34 whatever libc is
 * underneath, because that is what the programs that receive them were compiled with. */
#define SIGNAL_RTMIN 34
#define SIGNAL_RTMAX 64
int parse_signal(const char *s, int *ret);
const char *signal_name(int sig); /* "TERM", "RTMIN+3"; NULL for what is no signal */

/* Exit statuses by name: "DATAERR" = 65, "CHDIR" = 200, ... or 0..255. */
int parse_exit_status(const char *s, int *ret);
const char *exit_status_name(int status); /* NULL when it has none */
/* One word of SuccessExitStatus= and its kin. Exactly one of the two is set, the other is -1. */
int parse_exit_status_or_signal(const char *s, int *ret_status, int *ret_signal);

/* Limits. Names as in "LimitNOFILE=" without "Limit". Infinity is UINT64_MAX.
 * "4096", "1024:4096", "infinity", "1G", LimitCPU=5min (to seconds, rounded up), LimitRTTIME=1s (to microseconds),
 * LimitNICE=+5, -5 (nice values) or 1..40 (raw). -EILSEQ when soft > hard. */
int rlimit_from_name(const char *name); /* RLIMIT_*, or -EINVAL */
const char *rlimit_name(int resource);  /* "NOFILE"; NULL when out of range */
int parse_rlimit(int resource, const char *s, uint64_t *ret_soft, uint64_t *ret_hard);

int parse_nice(const char *s, int *ret);             /* -20..19 */
int parse_oom_score_adjust(const char *s, int *ret); /* -1000..1000 */
int parse_io_class(const char *s, int *ret);         /* none realtime best-effort idle, or 0..3 */
int parse_io_priority(const char *s, int *ret);      /* 0..7 */
int parse_cpu_policy(const char *s, int *ret);       /* other fifo rr batch idle, or the number: SCHED_* */
int parse_cpu_priority(const char *s, int *ret);     /* 0..99 */
const char *io_class_name(int v);                    /* NULL when unknown */
const char *cpu_policy_name(int v);                  /* NULL when unknown */

extern const struct names signal_names, exit_status_names, rlimit_names, io_class_names, cpu_policy_names;

#endif
