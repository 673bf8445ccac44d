/* SPDX-License-Identifier: MIT
 *
 * Prints the honoured rows of the table of directives (number of the group, section as it is written, key), and guards
 * and rows (those that do something: number, state, event, guard) of the state machine. For mutate.py. Not here:
 * anything that decides. Invariant: what is printed is the table that the manager is linked with.
 */
#include <stdio.h>

#include "machine/machine.h"
#include "unit/directives.h"

int main(void)
{
        for (unsigned i = 0; i < n_directives; i++)
                if (directives[i].support == SUPPORT_HONOURED)
                        (void)printf("directive %u %s %s\n", (unsigned)directives[i].section,
                                     directive_section_name((enum directive_section)directives[i].section),
                                     directives[i].key);
        for (unsigned g = 0; g < N_MACHINE_GUARDS; g++)
                if (g != GUARD_ALWAYS && machine_guard_name((enum machine_guard)g))
                        (void)printf("guard %s\n", machine_guard_name((enum machine_guard)g));
        for (size_t i = 0, n = 0; i < (machine_rows(&n), n); i++) {
                const struct machine_row *r = &machine_rows(&n)[i];
                if (r->kind == ROW_HANDLED && (r->next != r->state || r->actions[0] != DO_NONE))
                        (void)printf("row %zu %s %s %s\n", i, machine_state_name(r->state),
                                     machine_event_name(r->event), machine_guard_name(r->guard));
        }
        return 0;
}
