/* SPDX-License-Identifier: MIT
 *
 * set-property UNIT NAME=VALUE…: the words of unit files made into the values that SetUnitProperties takes.
 *
 * Not here: what becomes of them. Invariant: a name that is not known, or a value that cannot be, is refused before
 * anything is asked for.
 */
#include "supctl-bus.h"

#include <ctype.h>
#include <stdio.h>

enum form { TEXT, FLAG, NUMBER, BYTES, PERCENT };

static const struct {
        const char *name, *property; /* NULL: the same */
        enum form form;
} settings[] = {
        {"Description", NULL, TEXT},    {"CPUWeight", NULL, NUMBER},
        {"IOWeight", NULL, NUMBER},     {"TasksMax", NULL, NUMBER},
        {"MemoryMin", NULL, BYTES},     {"MemoryLow", NULL, BYTES},
        {"MemoryHigh", NULL, BYTES},    {"MemoryMax", NULL, BYTES},
        {"MemorySwapMax", NULL, BYTES}, {"CPUQuota", "CPUQuotaPerSecUSec", PERCENT},
        {"SendSIGKILL", NULL, FLAG},    {"SendSIGHUP", NULL, FLAG},
};

/* A number with an optional suffix to the base of 1024; "infinity" is the highest there is. */
static int parse_amount(const char *s, bool suffix, uint64_t *ret)
{
        static const char letters[] = "KMGTPE";
        unsigned long long n;
        const char *letter;
        char *end;

        if (streq(s, "infinity")) {
                *ret = UINT64_MAX;
                return 0;
        }
        errno = 0;
        n = strtoull(s, &end, 10);
        if (errno || end == s || !isdigit((unsigned char)*s))
                return -EINVAL;
        letter = *end && suffix ? strchr(letters, *end) : NULL;
        if (letter) {
                unsigned shift = 10 * ((unsigned)(letter - letters) + 1);

                if (n > UINT64_MAX >> shift)
                        return -ERANGE;
                n <<= shift;
                end++;
        }
        *ret = n;
        return *end ? -EINVAL : 0;
}

/* "20%" of one CPU is 200 ms in a second. */
static int parse_percent(const char *s, uint64_t *ret)
{
        unsigned long long n;
        char *end;

        if (!*s) {
                *ret = UINT64_MAX;
                return 0;
        }
        errno = 0;
        n = strtoull(s, &end, 10);
        if (errno || end == s || !streq(end, "%") || n == 0 || n > 1000000)
                return -EINVAL;
        *ret = n * (USEC_PER_SEC / 100);
        return 0;
}

static int parse_flag(const char *s)
{
        static const char *const words[] = {"no", "yes", "false", "true", "0", "1", "off", "on"};

        for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
                if (streq(words[i], s))
                        return (int)(i & 1);
        return -EINVAL;
}

static int append_value(sd_bus_message *m, const char *property, enum form form, const char *value)
{
        uint64_t number = 0;
        int r;

        switch (form) {
        case TEXT:
                return sd_bus_message_append(m, "(sv)", property, "s", value);
        case FLAG:
                r = parse_flag(value);
                return r < 0 ? r : sd_bus_message_append(m, "(sv)", property, "b", r);
        case NUMBER:
        case BYTES:
                r = parse_amount(value, form == BYTES, &number);
                break;
        case PERCENT:
                r = parse_percent(value, &number);
                break;
        default:
                r = -EINVAL;
        }
        return r < 0 ? r : sd_bus_message_append(m, "(sv)", property, "t", number);
}

/* NAME=VALUE. Says what is wrong with it. */
static int append_setting(sd_bus_message *m, const char *word)
{
        const char *value = strchr(word, '=');
        size_t n = value ? (size_t)(value - word) : 0;

        if (!value) {
                (void)fprintf(stderr, "Not an assignment: %s\n", word);
                return -EINVAL;
        }
        for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
                const char *property = settings[i].property ? settings[i].property : settings[i].name;
                int r;

                if (strlen(settings[i].name) != n || memcmp(settings[i].name, word, n) != 0)
                        continue;
                r = append_value(m, property, settings[i].form, value + 1);
                if (r < 0)
                        (void)fprintf(stderr, "Failed to parse %s= value %s: %s\n", settings[i].name, value + 1,
                                      strerror(-r));
                return r;
        }
        (void)fprintf(stderr, "Unknown assignment: %s\n", word);
        return -EINVAL;
}

int run_set_property(struct control *c, const struct verb *v, char **args, int n)
{
        cleanup_free_ char *unit = unit_full(args[0], ".service");
        sd_bus_error e = SD_BUS_ERROR_NULL;
        sd_bus_message *m = NULL;
        int r = !unit ? -ENOMEM : sd_bus_message_new_method_call(c->bus, &m, BUS_NAME, BUS_ROOT, MANAGER_IF, v->method);
        bool said = false;

        if (r >= 0)
                r = sd_bus_message_append(m, "sb", unit, (int)c->options->runtime);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(sv)");
        for (int i = 1; i < n && r >= 0; i++)
                said = (r = append_setting(m, args[i])) < 0;
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r >= 0)
                r = sd_bus_call(c->bus, m, 0, &e, NULL);
        if (r < 0 && !said)
                (void)fprintf(stderr, "Failed to set unit properties on %s: %s\n", args[0],
                              e.message ? e.message : strerror(-r));
        sd_bus_error_free(&e);
        sd_bus_message_unref(m);
        return r < 0 ? 1 : 0;
}
