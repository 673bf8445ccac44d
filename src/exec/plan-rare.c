/* SPDX-License-Identifier: MIT
 *
 * The records of a plan that few units need: struct exec_rare. See plan-writer.h.
 *
 * Not here: what becomes of them (programs/supd-exec/rare.c and its neighbours). Invariant: a unit that asks for none
 * of it has none of these records.
 */
#include "exec/plan-writer.h"

static void put_numa(struct writer *w, const struct exec_rare *r)
{
        uint8_t mask[PLAN_MASK_SIZE] = {0};
        size_t n = r->numa_mask ? plan_mask_parse(r->numa_mask, mask) : 0;

        if (r->numa_policy == NUMA_UNSET)
                return;
        writer_begin(w, PLAN_NUMA);
        writer_word(w, (uint32_t)r->numa_policy - NUMA_DEFAULT);
        writer_bytes(w, mask, n);
        writer_end(w);
}

static void put_tty(struct writer *w, const struct exec_rare *r)
{
        uint32_t flags = (r->tty_reset ? PLAN_TTY_RESET : 0) | (r->tty_hangup ? PLAN_TTY_HANGUP : 0) |
                         (r->tty_disallocate ? PLAN_TTY_DISALLOCATE : 0);

        if (!flags && !r->tty_rows && !r->tty_columns)
                return;
        writer_begin(w, PLAN_TTY_SETUP);
        writer_word(w, flags);
        writer_word(w, r->tty_rows);
        writer_word(w, r->tty_columns);
        writer_end(w);
}

void plan_put_rare(struct writer *w, const struct exec_config *e, bool sandbox)
{
        const struct exec_rare *r = e->rare;

        if (r->core_filter_set)
                put_long(w, PLAN_CORE_FILTER, r->core_filter);
        if (r->timer_slack_set)
                put_long(w, PLAN_TIMER_SLACK, r->timer_slack_ns);
        put_numa(w, r);
        if (r->keyring != KEYRING_INHERIT)
                put_word(w, PLAN_KEYRING, r->keyring);
        if (r->secure_bits_set && sandbox)
                put_word(w, PLAN_SECURE_BITS, (uint32_t)r->secure_bits);
        put_tty(w, r);
        if (r->login_environment_set)
                put_word(w, PLAN_LOGIN, r->login_environment);
}

static void put_loaded(struct writer *w, const struct credentials *l, const struct credential *c)
{
        bool optional = c->path[0] != '/'; /* supd's own may be missing; so may one that has a substitute */

        for (unsigned i = 0; i < l->n; i++)
                if (!l->v[i].path && streq(l->v[i].id, c->id))
                        optional = true;
        writer_begin(w, PLAN_CREDENTIAL_FILE);
        writer_word(w, optional);
        writer_string(w, c->id);
        writer_string(w, c->path);
        writer_end(w);
}

void plan_put_credentials(struct writer *w, const struct unit *u, bool make, const struct plan_context *c)
{
        const struct credentials *l = &u->service->exec->rare->credentials;

        if (l->n == 0 || !c->runtime_root)
                return;
        writer_begin(w, PLAN_CREDENTIALS);
        writer_word(w, make);
        writer_bytes(w, c->runtime_root, strlen(c->runtime_root));
        writer_bytes(w, "/credentials/", strlen("/credentials/"));
        writer_string(w, u->id);
        writer_end(w);
        for (unsigned i = 0; i < l->n && make; i++)
                if (l->v[i].path)
                        put_loaded(w, l, &l->v[i]);
        for (unsigned i = 0; i < l->n && make; i++)
                if (!l->v[i].path) {
                        writer_begin(w, PLAN_CREDENTIAL_DATA);
                        writer_word(w, (uint32_t)strlen(l->v[i].id));
                        writer_bytes(w, l->v[i].id, strlen(l->v[i].id));
                        writer_bytes(w, l->v[i].data, l->v[i].size);
                        writer_end(w);
                }
}

void plan_put_open_files(struct writer *w, const struct exec_config *e)
{
        const struct open_files *l = &e->rare->open_files;

        for (unsigned i = 0; i < l->n; i++)
                put_word_string(w, PLAN_OPEN_FILE,
                                (l->v[i].read_only ? PLAN_OPEN_READ_ONLY : 0) |
                                        (l->v[i].append ? PLAN_OPEN_APPEND : 0) |
                                        (l->v[i].truncate ? PLAN_OPEN_TRUNCATE : 0) |
                                        (l->v[i].graceful ? PLAN_OPEN_GRACEFUL : 0),
                                l->v[i].path);
        if (l->n == 0)
                return;
        writer_begin(w, PLAN_OPEN_NAMES);
        for (unsigned i = 0; i < l->n; i++) {
                writer_bytes(w, i > 0 ? ":" : "", i > 0);
                writer_bytes(w, l->v[i].name, strlen(l->v[i].name));
        }
        writer_bytes(w, "", 1);
        writer_end(w);
}
