/* SPDX-License-Identifier: MIT
 * What was done and what went wrong, and the sentences for it: those that systemctl's users and their scripts know.
 */
#include "install/internal.h"

#include "base/names.h"

static const char *const change_words[N_INSTALL_CHANGE_TYPES] = {
        [INSTALL_ERROR] = "error",
        [INSTALL_SYMLINK] = "symlink",
        [INSTALL_UNLINK] = "unlink",
        [INSTALL_IS_MASKED] = "masked",
        [INSTALL_IS_DANGLING] = "dangling",
        [INSTALL_TARGET_NOT_PRESENT] = "destination not present",
        [INSTALL_AUXILIARY_FAILED] = "auxiliary unit failed",
};

const char *install_change_name(enum install_change_type t)
{
        return (size_t)t < ARRAY_SIZE(change_words) ? change_words[t] : NULL;
}

void install_changes_done(struct install_changes *d)
{
        for (unsigned i = 0; i < d->n; i++) {
                free(d->v[i].path);
                free(d->v[i].source);
        }
        free(d->v);
        *d = (struct install_changes){0};
}

int change_add(struct install_changes *d, enum install_change_type t, int error, const char *path, const char *source)
{
        struct install_change c = {.type = t, .error = error};

        if (!d)
                return 0;
        if (d->n == d->allocated) {
                unsigned n = d->allocated ? d->allocated * 2 : 8;
                struct install_change *v = reallocarray(d->v, n, sizeof(*v));

                if (!v)
                        return -ENOMEM;
                d->v = v;
                d->allocated = n;
        }
        c.path = strdup(path ? path : "");
        c.source = source ? strdup(source) : NULL;
        if (!c.path || (source && !c.source)) {
                free(c.path);
                free(c.source);
                return -ENOMEM;
        }
        d->v[d->n++] = c;
        return 0;
}

int change_error(struct install_changes *d, int error, const char *path, const char *source)
{
        int r = change_add(d, INSTALL_ERROR, error, path, source);

        return r < 0 ? r : error;
}

/* V: the verb, P: path, S: source. */
static const struct {
        int error;
        bool with_source; /* only when there is one */
        const char *text;
} error_texts[] = {
        {-EEXIST, true, "Failed to V unit, file \"P\" already exists and is a symlink to \"S\"."},
        {-EEXIST, false, "Failed to V unit, file \"P\" already exists."},
        {-ERFKILL, false, "Failed to V unit, unit P is masked."},
        {-EADDRNOTAVAIL, false, "Failed to V unit, unit P is transient or generated."},
        {-ETXTBSY, false, "Failed to V unit, file P is under the systemd unit hierarchy already."},
        {-EBADSLT, false, "Failed to V unit, invalid specifier in \"P\"."},
        {-EIDRM, true, "Failed to V S, destination unit P is a non-template unit."},
        {-EUCLEAN, false, "Failed to V unit, \"P\" is not a valid unit name."},
        {-ELOOP, false, "Failed to V unit, refusing to operate on linked unit file P."},
        {-EXDEV, true, "Failed to V unit, cannot alias S as P."},
        {-EXDEV, false, "Failed to V unit, invalid unit reference \"P\"."},
        {-ENOENT, false, "Failed to V unit, unit P does not exist."},
        {-ENOLINK, false, "Failed to V unit, file \"P\": Link has been severed"},
        {-EUNATCH, false, "Failed to V unit, cannot resolve specifiers in \"P\"."},
};

static const char *const change_texts[N_INSTALL_CHANGE_TYPES] = {
        [INSTALL_SYMLINK] = "Created symlink P A S.",
        [INSTALL_UNLINK] = "Removed \"P\".",
        [INSTALL_IS_MASKED] = "Unit P is masked, ignoring.",
        [INSTALL_IS_DANGLING] = "Unit P is an alias to a unit that is not present, ignoring.",
        [INSTALL_TARGET_NOT_PRESENT] = "Unit S is added as a dependency to a non-existent unit P.",
        [INSTALL_AUXILIARY_FAILED] = "Failed to enable auxiliary unit P, ignoring.",
};

/* A capital letter that stands alone is a part of the change. */
static int fill(const struct install_change *c, const char *text, const char *verb, const char *arrow, struct buf *out)
{
        int r = 0;

        for (const char *p = text; *p && r >= 0; p++) {
                bool alone = (p == text || p[-1] == ' ' || p[-1] == '"') && strchr(" .\",:", p[1]);

                if (alone && *p == 'V')
                        r = buf_append_str(out, verb);
                else if (alone && *p == 'P')
                        r = buf_append_str(out, c->path);
                else if (alone && *p == 'S')
                        r = buf_append_str(out, c->source ? c->source : "");
                else if (alone && *p == 'A')
                        r = buf_append_str(out, arrow);
                else
                        r = buf_append_char(out, *p);
        }
        return r;
}

int install_change_text(const struct install_change *c, const char *verb, const char *arrow, struct buf *out)
{
        if (c->type != INSTALL_ERROR)
                return fill(c, change_texts[c->type], verb, arrow, out);
        for (size_t i = 0; i < ARRAY_SIZE(error_texts); i++)
                if (error_texts[i].error == c->error && (!error_texts[i].with_source || c->source))
                        return fill(c, error_texts[i].text, verb, arrow, out);
        return buf_printf(out, "Failed to %s unit, file \"%s\": %s", verb, c->path, strerror(-c->error));
}
