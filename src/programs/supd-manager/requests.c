/* SPDX-License-Identifier: MIT
 *
 * What is begun, and what the keeper asks for: signals are bits in the durable header (abi/durable.h).
 *
 * Not here: which signal asks for what (supd/signals.c), requests over D-Bus (api-change.c). Invariant: a bit is
 * cleared only when what it asks for is committed, so a death on the way asks again.
 */
#include "manager.h"

#include <stdio.h>

#define BOOT_TRIES 10 /* the default unit waits so often for what cannot be read now */

static const uint8_t nobody[16];

/* 0, or said. MODE_ISOLATE: everything else is stopped. */
static void begin(struct manager *m, const char *name, enum job_mode mode, uint8_t cause)
{
        cleanup_diag_ struct diag diag = {0};
        uint32_t job, culprit = 0;
        enum graph_error why = GRAPH_NO_SUCH_UNIT;
        struct run *r;
        int v = units_get(m, name, &r);

        if (v == 0)
                why = jobs_enqueue(m, r, REQUEST_START, mode, (struct cause_durable){.what = cause}, false, nobody,
                                   &job, &culprit, &diag);
        log_diag(m, &diag);
        if (why != GRAPH_OK)
                log_line(m, name, "cannot be started: %s%s%s; supd goes on without it",
                         v < 0 ? strerror(-v) : graph_error_name(why), v == 0 && culprit != r->id ? " " : "",
                         v == 0 && culprit != r->id ? m->runs[culprit]->name : "");
}

/* ---- the first unit ---- */

/* Words of the kernel's command line (kernel-command-line(7)); the last one counts. */
static const struct {
        const char *word, *unit;
} boot_words[] = {
        {"emergency", "emergency.target"},
        {"-b", "emergency.target"},
        {"rescue", "rescue.target"},
        {"single", "rescue.target"},
        {"s", "rescue.target"},
        {"S", "rescue.target"},
        {"1", "rescue.target"},
        {"2", "multi-user.target"},
        {"3", "multi-user.target"},
        {"4", "multi-user.target"},
        {"5", "graphical.target"},
};

/* RET or NULL. */
static const char *unit_of_kernel(char *ret, size_t size)
{
        static const char key[] = "systemd.unit=";
        const char *unit = NULL;
        char text[4096], *save = NULL;

        if (sys_read_file("/proc/cmdline", text, sizeof(text), NULL) < 0)
                return NULL;
        for (char *w = strtok_r(text, " \n", &save); w; w = strtok_r(NULL, " \n", &save)) {
                if (streq(w, "--"))
                        break;
                if (starts_with(w, key)) {
                        (void)snprintf(ret, size, "%s", w + strlen(key));
                        unit = ret;
                }
                for (size_t i = 0; i < ARRAY_SIZE(boot_words); i++)
                        if (streq(boot_words[i].word, w))
                                unit = boot_words[i].unit;
        }
        return unit;
}

void begin_default(struct manager *m)
{
        const char *name = m->default_unit;
        struct run *r;
        char text[256];

        if (m->meta.flags & (META_BOOTED | META_STOPPING))
                return;
        if (!name && atomic_load(&m->header->keeper_form) == DURABLE_FORM_MACHINE)
                name = unit_of_kernel(text, sizeof(text));
        name = name ? name : "default.target";
        if (units_get(m, name, &r) == 0 && m->to_load_again.n > 0 && m->boot_tries++ < BOOT_TRIES)
                return; /* a part of it could not be read: units_turn() comes back */
        begin(m, name, MODE_REPLACE, SUPD_CAUSE_BOOT);
        m->meta.flags |= META_BOOTED;
        m->meta_dirty = true;
}

/* ---- requests ---- */

static const struct {
        uint32_t request, flag;
} ends[] = {
        {DURABLE_REQUEST_REBOOT, META_REBOOT}, {DURABLE_REQUEST_POWER, META_POWER}, {DURABLE_REQUEST_HALT, META_HALT},
        {DURABLE_REQUEST_KEXEC, META_KEXEC},   {DURABLE_REQUEST_FORCE, META_FORCE},
};

static const struct {
        uint32_t request;
        const char *unit;
} isolates[] = {
        {DURABLE_REQUEST_ISOLATE_DEFAULT, "default.target"},
        {DURABLE_REQUEST_ISOLATE_RESCUE, "rescue.target"},
        {DURABLE_REQUEST_ISOLATE_EMERGENCY, "emergency.target"},
};

static void stop_begin(struct manager *m)
{
        if (m->meta.flags & META_STOPPING)
                return;
        log_line(m, NULL, "stopping all services");
        notify_self("STOPPING=1");
        (void)jobs_shutdown(m);
}

void requests_take(struct manager *m)
{
        uint32_t bits = atomic_load(&m->header->requests) & ~m->requests_taken;

        if (bits == 0)
                return;
        /* what is to follow the end must be committed with it */
        for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
                if (bits & ends[i].request)
                        m->meta.flags |= ends[i].flag;
        if (bits & DURABLE_REQUESTS_ENDING) {
                stop_begin(m);
        } else {
                if (bits & DURABLE_REQUEST_RELOAD) {
                        m->meta.flags |= META_RELOAD;
                        (void)generators_reload(m);
                } else if (bits & DURABLE_REQUEST_REEXEC) {
                        (void)upgrade_begin(m);
                }
                for (size_t i = 0; i < ARRAY_SIZE(isolates); i++)
                        if ((bits & isolates[i].request) && !(m->meta.flags & META_STOPPING))
                                begin(m, isolates[i].unit, MODE_ISOLATE, SUPD_CAUSE_UNKNOWN);
        }
        m->meta_dirty = true;
        m->requests_taken |= bits;
        engine_settle(m); /* with the commit the request is taken */
}

/* The end was committed, so the keeper need not ask again. What came up since is stopped too. */
void stop_go_on(struct manager *m)
{
        if (atomic_load(&m->header->requests) & DURABLE_REQUESTS_ENDING)
                requests_take(m);
        if (m->meta.flags & META_AT_ONCE) {
                m->ending = true;
                return;
        }
        while (jobs_shutdown(m) > 0)
                engine_settle(m);
        m->ending = jobs_shutdown_done(m);
}
