/* SPDX-License-Identifier: MIT
 *
 * What makes a manager a mutant: linked with --wrap, it leaves out one row of the table of directives or of the state
 * machine, or takes one guard of the machine for its opposite. Which one, the environment says:
 *
 *     SUPD_MUTANT=directive 3.ExecStart      group and key (list-rows): its values are accepted and left out
 *     SUPD_MUTANT=negate 0.ConditionHost     a condition or an assertion: its opposite
 *     SUPD_MUTANT=guard HAS_JOB              holds when it does not, and the other way round
 *     SUPD_MUTANT=row 17                     that row of the state machine: its event is ignored
 *
 * Not here: which test has to find that out (mutate.py). Invariant: without the variable it is the manager as shipped;
 * none of this is in the shipped one.
 */
#include <stdio.h>

#include "machine/machine.h"
#include "unit/draft.h"

int __real_value_read(struct setting *s);
int __wrap_value_read(struct setting *s);
const struct machine_row *__real_machine_find(enum machine_state state, enum machine_event event, uint32_t facts);
const struct machine_row *__wrap_machine_find(enum machine_state state, enum machine_event event, uint32_t facts);

/* What SUPD_MUTANT says behind WHAT; "" when it says something else. */
static const char *mutant_of(const char *what)
{
        const char *s = getenv("SUPD_MUTANT");
        size_t n = strlen(what);

        return s && strncmp(s, what, n) == 0 && s[n] == ' ' ? s + n + 1 : "";
}

static bool is_mutated(const struct directive *row, const char *name)
{
        char text[96];

        if (!*name)
                return false;
        (void)snprintf(text, sizeof(text), "%u.%s", (unsigned)row->section, row->key);
        return streq(text, name);
}

/* "|!X" for "|X", and the other way round; nothing stays nothing. */
static int read_negated(struct setting *s)
{
        const char *value = s->value, *v = value + (*value == '|');
        char text[4096];
        int r;

        v += strspn(v, " \t");
        (void)snprintf(text, sizeof(text), "%s%s%s", *value == '|' ? "|" : "", *v == '!' || !*v ? "" : "!",
                       v + (*v == '!'));
        s->value = text;
        r = __real_value_read(s);
        s->value = value;
        return r;
}

/* Presets (they have no file) are read as ever, so the field keeps its default. */
int __wrap_value_read(struct setting *s)
{
        static const char *left, *negated;

        if (!left) {
                left = mutant_of("directive");
                negated = mutant_of("negate");
        }
        if (s->file && is_mutated(s->row, left))
                return 0;
        return s->file && is_mutated(s->row, negated) ? read_negated(s) : __real_value_read(s);
}

/* The bit of the guard that is turned round; 0 = none. */
static uint32_t turned_guard(void)
{
        static uint32_t bit;
        static bool known;
        const char *name;

        if (known)
                return bit;
        known = true;
        name = mutant_of("guard");
        for (unsigned g = 0; *name && g < N_MACHINE_GUARDS; g++)
                if (machine_guard_name((enum machine_guard)g) && streq(machine_guard_name((enum machine_guard)g), name))
                        bit = UINT32_C(1) << g;
        return bit;
}

/* The row that is ignored; NULL = none. */
static const struct machine_row *left_row(void)
{
        static const struct machine_row *row;
        static bool known;
        const char *number = mutant_of("row");
        size_t n;

        if (!known && *number)
                row = machine_rows(&n) + strtoul(number, NULL, 10);
        known = true;
        return row;
}

const struct machine_row *__wrap_machine_find(enum machine_state state, enum machine_event event, uint32_t facts)
{
        static struct machine_row ignored;
        const struct machine_row *row = __real_machine_find(state, event, facts ^ turned_guard());

        if (row != left_row())
                return row;
        ignored = (struct machine_row){row->state, row->event, row->guard, row->state, ROW_IGNORED, {DO_NONE}};
        return &ignored;
}
