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

static const char *span(uint64_t us, uint64_t accuracy_us, char ret[64])
{
        char text[TIMESPAN_TEXT_SIZE];

        (void)snprintf(ret, 64, "%.63s", timespan_format_accuracy(us, accuracy_us, text));
        return ret;
}

const char *format_span(uint64_t us, char ret[64])
{
        return span(us, 0, ret);
}

const char *format_span_ms(uint64_t us, char ret[64])
{
        return span(MAX2(us, USEC_PER_MSEC), USEC_PER_MSEC, ret);
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

static bool is_control(char c)
{
        return (unsigned char)c < ' ' || c == 127;
}

static bool needs_quotes(const char *s)
{
        for (const char *p = s; *p; p++)
                if (is_control(*p) || strchr(" \"\\`$*?['()<>|&;!", *p))
                        return true;
        return *s == 0;
}

/* A control character as C writes it. */
static int put_control(struct buf *out, char c)
{
        static const char letters[] = "abtnvfr"; /* from 7 on */

        if (c >= 7 && c < 7 + (int)strlen(letters))
                return buf_printf(out, "\\%c", letters[c - 7]);
        return buf_printf(out, "\\%03o", (unsigned)(unsigned char)c);
}

int format_word(struct buf *out, const char *s)
{
        int r = out->size > 0 ? buf_append_char(out, ' ') : 0;

        if (!needs_quotes(s))
                return r < 0 ? r : buf_append_str(out, s);
        r = r < 0 ? r : buf_append_char(out, '"');
        for (; *s && r >= 0; s++) {
                if (is_control(*s)) {
                        r = put_control(out, *s);
                        continue;
                }
                r = strchr("\"\\`$", *s) ? buf_append_char(out, '\\') : 0;
                r = r < 0 ? r : buf_append_char(out, *s);
        }
        return r < 0 ? r : buf_append_char(out, '"');
}
