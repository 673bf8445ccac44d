/* SPDX-License-Identifier: MIT
 *
 * Numbers, times and exits as people read them, in the forms that systemctl's users know. Not here: colour, columns.
 * Invariant: pure functions of their arguments and the clock; a result always is a string.
 */
#include <signal.h>
#include <time.h>

#include "report/report.h"
#include "syntax/scalar.h"

static uint64_t clock_us(clockid_t clock)
{
        struct timespec ts = {0};

        (void)clock_gettime(clock, &ts);
        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000u;
}

uint64_t now_real_us(void)
{
        return clock_us(CLOCK_REALTIME);
}

uint64_t now_mono_us(void)
{
        return clock_us(CLOCK_MONOTONIC);
}

const char *format_real(uint64_t us, char ret[64])
{
        time_t seconds = (time_t)(us / USEC_PER_SEC);
        struct tm tm;

        ret[0] = 0;
        if (us > 0 && us != UINT64_MAX && localtime_r(&seconds, &tm))
                (void)strftime(ret, 64, "%a %Y-%m-%d %H:%M:%S %Z", &tm);
        return ret;
}

const char *format_day(uint64_t us, char ret[64])
{
        time_t seconds = (time_t)(us / USEC_PER_SEC);
        struct tm tm;

        ret[0] = 0;
        if (us > 0 && us != UINT64_MAX && localtime_r(&seconds, &tm))
                (void)strftime(ret, 64, "%Y-%m-%d %H:%M:%S", &tm);
        return ret;
}

#define MINUTE UINT64_C(60)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define WEEK   (7 * DAY)
#define MONTH  UINT64_C(2629800) /* 30.4375 days */
#define YEAR   UINT64_C(31557600)

static const char *plural(uint64_t n)
{
        return n == 1 ? "" : "s";
}

/* The two largest units that matter, as systemctl gives an age. */
const char *format_ago(uint64_t us, char ret[64])
{
        uint64_t s = us / USEC_PER_SEC;
        const size_t n = 64;

#define U(x) ((unsigned long long)(x))
        if (s >= YEAR)
                (void)snprintf(ret, n, "%llu year%s %llu month%s ago", U(s / YEAR), plural(s / YEAR),
                               U(s % YEAR / MONTH), plural(s % YEAR / MONTH));
        else if (s >= MONTH)
                (void)snprintf(ret, n, "%llu month%s %llu day%s ago", U(s / MONTH), plural(s / MONTH),
                               U(s % MONTH / DAY), plural(s % MONTH / DAY));
        else if (s >= WEEK)
                (void)snprintf(ret, n, "%llu week%s %llu day%s ago", U(s / WEEK), plural(s / WEEK), U(s % WEEK / DAY),
                               plural(s % WEEK / DAY));
        else if (s >= 2 * DAY)
                (void)snprintf(ret, n, "%llu days ago", U(s / DAY));
        else if (s >= DAY)
                (void)snprintf(ret, n, "1 day %lluh ago", U(s % DAY / HOUR));
        else if (s >= 6 * HOUR)
                (void)snprintf(ret, n, "%lluh ago", U(s / HOUR));
        else if (s >= HOUR)
                (void)snprintf(ret, n, "%lluh %llumin ago", U(s / HOUR), U(s % HOUR / MINUTE));
        else if (s >= 5 * MINUTE)
                (void)snprintf(ret, n, "%llumin ago", U(s / MINUTE));
        else if (s >= MINUTE)
                (void)snprintf(ret, n, "%llumin %llus ago", U(s / MINUTE), U(s % MINUTE));
        else if (s > 0)
                (void)snprintf(ret, n, "%llus ago", U(s));
        else if (us >= 1000)
                (void)snprintf(ret, n, "%llums ago", U(us / 1000));
        else
                (void)snprintf(ret, n, us > 0 ? "%lluus ago" : "now", U(us));
        return ret;
}

const char *format_span(uint64_t us, char ret[64])
{
        static const struct {
                const char *word;
                uint64_t us;
        } units[] = {{"y", YEAR * USEC_PER_SEC},
                     {"month", MONTH * USEC_PER_SEC},
                     {"w", WEEK * USEC_PER_SEC},
                     {"d", DAY * USEC_PER_SEC},
                     {"h", HOUR * USEC_PER_SEC},
                     {"min", MINUTE * USEC_PER_SEC},
                     {"s", USEC_PER_SEC},
                     {"ms", 1000},
                     {"us", 1}};
        size_t n = 0;

        if (us == UINT64_MAX || us == 0) {
                (void)snprintf(ret, 64, "%s", us ? "infinity" : "0");
                return ret;
        }
        ret[0] = 0;
        for (size_t i = 0; i < ARRAY_SIZE(units) && us > 0 && n < 48; i++) {
                unsigned long long k = us / units[i].us;

                /* months and years do not divide into the units below them without a remainder: as systemd shows them
                 */
                if (k > 0)
                        n += (size_t)snprintf(ret + n, 64 - n, "%s%llu%s", n > 0 ? " " : "", k, units[i].word);
                us %= units[i].us;
        }
        return ret;
}

const char *format_bytes(uint64_t n, char ret[32])
{
        static const char suffixes[] = "BKMGTPE";
        uint64_t scale = 1;
        size_t i = 0;

        for (; n / scale >= 1024 && i + 2 < sizeof(suffixes); i++)
                scale *= 1024;
        if (i == 0)
                (void)snprintf(ret, 32, "%lluB", U(n));
        else
                (void)snprintf(ret, 32, "%llu.%llu%c", U(n / scale), U(n % scale * 10 / scale), suffixes[i]);
        return ret;
}

const char *exit_code_word(unsigned code)
{
        static const char *const words[] = {[CLD_EXITED] = "exited", [CLD_KILLED] = "killed", [CLD_DUMPED] = "dumped"};

        return code < ARRAY_SIZE(words) && words[code] ? words[code] : "";
}

/* What an init script or a mail program means by its numbers, a service need not mean: those are only numbers here, as
 * with systemctl. */
static bool is_telling(int status)
{
        return status < 2 || status >= 200;
}

const char *format_exit(unsigned code, int status, char ret[64])
{
        const char *word = exit_code_word(code), *name = code != CLD_EXITED   ? signal_name(status)
                                                         : is_telling(status) ? exit_status_name(status)
                                                                              : NULL;

        if (code != CLD_EXITED && name)
                (void)snprintf(ret, 64, "%s, signal=%s", word, name);
        else if (code != CLD_EXITED)
                (void)snprintf(ret, 64, "%s, signal=%d", word, status);
        else
                (void)snprintf(ret, 64, "%s, status=%d%s%s", word, status, name ? "/" : "", name ? name : "");
        return ret;
}
