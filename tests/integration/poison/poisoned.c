/* SPDX-License-Identifier: MIT
 *
 * The real manager with something wrong in it: linked in front of it (see meson.build), so that certain input kills it,
 * or holds it up.
 *
 *     a unit named poison-HOW-EVENT.service     HOW happens in the step of that EVENT
 *                                               (machine_event_name(), '_' for '-')
 *     a unit whose text holds PoisonText=HOW    HOW happens when it is read
 *     a file named by POISON_CURED              then nothing of all this happens
 *     a file named by POISON_START              the manager that comes to it takes it away and falls
 *                                               asleep in its first steps
 *
 * HOW: abort; spin (works and never comes back); sleep (waits and never comes back). What watches for a turn without an
 * end waits for one second of work instead of ten. Not here: anything else; all other input meets the real manager.
 */
#include "programs/supd-manager/manager.h"

#include <signal.h>
#include <stdio.h>
#include <sys/time.h>

uint32_t __real_service_facts(struct manager *m, struct run *r);
uint32_t __wrap_service_facts(struct manager *m, struct run *r);
int __real_unit_parse(const void *blob, size_t size, const struct unit_context *context, struct unit **ret,
                      struct diag *diag);
int __wrap_unit_parse(const void *blob, size_t size, const struct unit_context *context, struct unit **ret,
                      struct diag *diag);
int __real_setitimer(int which, const struct itimerval *new, struct itimerval *old);
int __wrap_setitimer(int which, const struct itimerval *new, struct itimerval *old);

static void happen(const char *how)
{
        const char *cured = getenv("POISON_CURED");

        if (cured && access(cured, F_OK) == 0)
                return;
        if (starts_with(how, "abort"))
                abort();
        if (starts_with(how, "spin"))
                for (volatile unsigned i = 0;; i++)
                        ;
        if (starts_with(how, "sleep"))
                for (;;)
                        (void)pause();
}

uint32_t __wrap_service_facts(struct manager *m, struct run *r)
{
        uint64_t marker = atomic_load(&m->header->marker);
        const char *how = r->name + strlen("poison-"), *event;
        char wanted[64];

        if (starts_with(r->name, "poison-") && marker >> 32 == (uint64_t)r->id + 1 && (event = strchr(how, '-'))) {
                (void)snprintf(wanted, sizeof(wanted), "%s", event + 1);
                wanted[strcspn(wanted, ".")] = 0;
                if (streq(wanted, machine_event_name((enum machine_event)(marker & 0xff))))
                        happen(how);
        }
        return __real_service_facts(m, r);
}

int __wrap_unit_parse(const void *blob, size_t size, const struct unit_context *context, struct unit **ret,
                      struct diag *diag)
{
        static const char word[] = "PoisonText=";
        const char *at = memmem(blob, size, word, sizeof(word) - 1);

        if (at)
                happen(at + sizeof(word) - 1);
        return __real_unit_parse(blob, size, context, ret, diag);
}

int __wrap_setitimer(int which, const struct itimerval *new, struct itimerval *old)
{
        struct itimerval t = *new;
        const char *start = getenv("POISON_START");

        if (start && unlink(start) == 0)
                happen("sleep"); /* before anybody watches */
        t.it_interval.tv_sec = t.it_value.tv_sec = 1;
        return __real_setitimer(which, &t, old);
}
