/* SPDX-License-Identifier: MIT
 * Answers under construction: what ops say through control_put_*() becomes records (see control-format.h).
 */
#include "control/answer.h"

#include <stdarg.h>
#include <stdio.h>

void control_error_set(struct control_error *e, const char *name, const char *format, ...)
{
        va_list ap;

        if (!e)
                return;
        e->name = name;
        va_start(ap, format);
        (void)vsnprintf(e->message, sizeof e->message, format, ap);
        va_end(ap);
}

static void note(struct control_answer *a, int r)
{
        if (r < 0 && a->error == 0)
                a->error = r;
}

static ssize_t property_begin(struct control_answer *a, enum control_kind kind, const char *name)
{
        ssize_t place = control_write_begin(&a->body, CONTROL_TAG_PROPERTY);

        if (place < 0 || buf_append_char(&a->body, (char)kind) < 0 || buf_append(&a->body, name, strlen(name) + 1) < 0)
                return -ENOMEM;
        return place;
}

static void put(struct control_answer *a, enum control_kind kind, const char *name, const void *data, size_t size)
{
        ssize_t place = property_begin(a, kind, name);
        int r = place < 0 ? (int)place : buf_append(&a->body, data, size);

        note(a, r < 0 ? r : control_write_end(&a->body, place));
}

void control_put_string(struct control_answer *a, const char *name, const char *value)
{
        const char *s = value ? value : "";
        put(a, CONTROL_KIND_STRING, name, s, strlen(s) + 1);
}

void control_put_u32(struct control_answer *a, const char *name, uint32_t value)
{
        put(a, CONTROL_KIND_U32, name, &value, sizeof value);
}

void control_put_i32(struct control_answer *a, const char *name, int32_t value)
{
        put(a, CONTROL_KIND_I32, name, &value, sizeof value);
}

void control_put_u64(struct control_answer *a, const char *name, uint64_t value)
{
        put(a, CONTROL_KIND_U64, name, &value, sizeof value);
}

void control_put_bool(struct control_answer *a, const char *name, bool value)
{
        uint32_t v = value;
        put(a, CONTROL_KIND_BOOL, name, &v, sizeof v);
}

static int append_strings(struct buf *b, const char *const *v, unsigned n)
{
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < n; i++)
                r = buf_append(b, v[i], strlen(v[i]) + 1);
        return r;
}

void control_put_strings(struct control_answer *a, const char *name, const char *const *v, unsigned n)
{
        ssize_t place = property_begin(a, CONTROL_KIND_STRINGS, name);
        int r = place < 0 ? (int)place : append_strings(&a->body, v, n);

        note(a, r < 0 ? r : control_write_end(&a->body, place));
}

void control_put_bytes(struct control_answer *a, const char *name, const void *data, size_t size)
{
        put(a, CONTROL_KIND_BYTES, name, data, size);
}

void control_put_interface(struct control_answer *a, const char *interface)
{
        note(a, control_write_string(&a->body, CONTROL_TAG_INTERFACE, interface));
}

void control_put_job(struct control_answer *a, uint32_t id)
{
        put(a, CONTROL_KIND_JOB, "Job", &id, sizeof id);
}

void control_put_load_error(struct control_answer *a, const char *name, const char *message)
{
        const char *const pair[] = {name ? name : "", message ? message : ""};
        ssize_t place = property_begin(a, CONTROL_KIND_LOAD_ERROR, "LoadError");
        int r = place < 0 ? (int)place : append_strings(&a->body, pair, 2);

        note(a, r < 0 ? r : control_write_end(&a->body, place));
}

static int append_exec(struct buf *b, const struct control_exec *e)
{
        struct control_exec_wire w = {
                .start_real_us = e->start_real_us,
                .start_mono_us = e->start_mono_us,
                .exit_real_us = e->exit_real_us,
                .exit_mono_us = e->exit_mono_us,
                .pid = e->pid,
                .code = e->code,
                .status = e->status,
                .flags = e->flags,
                .n_argv = e->n_argv,
        };
        size_t size = strlen(e->path) + 1;
        int r;

        for (unsigned i = 0; i < e->n_argv; i++)
                size += strlen(e->argv[i]) + 1;
        if (size > CONTROL_MESSAGE_MAX)
                return -ENOMEM;
        w.size = (uint32_t)size;
        r = buf_append(b, &w, sizeof w);
        if (r >= 0)
                r = buf_append(b, e->path, strlen(e->path) + 1);
        return r < 0 ? r : append_strings(b, e->argv, e->n_argv);
}

static void put_execs(struct control_answer *a, enum control_kind kind, const char *name, const struct control_exec *v,
                      unsigned n)
{
        ssize_t place = property_begin(a, kind, name);
        int r = place < 0 ? (int)place : 0;

        for (unsigned i = 0; r >= 0 && i < n; i++)
                r = append_exec(&a->body, &v[i]);
        note(a, r < 0 ? r : control_write_end(&a->body, place));
}

void control_put_execs(struct control_answer *a, const char *name, const struct control_exec *v, unsigned n)
{
        put_execs(a, CONTROL_KIND_EXECS, name, v, n);
}

void control_put_execs_ex(struct control_answer *a, const char *name, const struct control_exec *v, unsigned n)
{
        put_execs(a, CONTROL_KIND_EXECS_EX, name, v, n);
}

void control_put_files(struct control_answer *a, const char *name, const struct control_file *v, unsigned n)
{
        ssize_t place = property_begin(a, CONTROL_KIND_FILES, name);
        int r = place < 0 ? (int)place : 0;

        for (unsigned i = 0; r >= 0 && i < n; i++) {
                uint32_t optional = v[i].optional;

                r = buf_append(&a->body, &optional, sizeof optional);
                if (r >= 0)
                        r = append_strings(&a->body, &v[i].path, 1);
        }
        note(a, r < 0 ? r : control_write_end(&a->body, place));
}

void control_put_conditions(struct control_answer *a, const char *name, const struct control_condition *v, unsigned n)
{
        ssize_t place = property_begin(a, CONTROL_KIND_CONDITIONS, name);
        int r = place < 0 ? (int)place : 0;

        for (unsigned i = 0; r >= 0 && i < n; i++) {
                const char *const pair[] = {v[i].name, v[i].parameter};
                uint32_t flags = (v[i].trigger ? 1u : 0) | (v[i].negate ? 2u : 0);
                int32_t state = v[i].state;

                r = buf_append(&a->body, &flags, sizeof flags);
                if (r >= 0)
                        r = buf_append(&a->body, &state, sizeof state);
                if (r >= 0)
                        r = append_strings(&a->body, pair, 2);
        }
        note(a, r < 0 ? r : control_write_end(&a->body, place));
}

struct control_value control_value_begin(struct control_answer *a, const char *name, const char *signature)
{
        ssize_t place = property_begin(a, CONTROL_KIND_ANY, name);

        note(a, place < 0 ? (int)place : buf_append(&a->body, signature, strlen(signature) + 1));
        return (struct control_value){a, place};
}

void control_value_number(const struct control_value *v, uint64_t number)
{
        note(v->answer, buf_append(&v->answer->body, &number, sizeof number));
}

void control_value_string(const struct control_value *v, const char *s)
{
        note(v->answer, buf_append(&v->answer->body, s ? s : "", strlen(s ? s : "") + 1));
}

void control_value_count(const struct control_value *v, uint32_t n)
{
        note(v->answer, buf_append(&v->answer->body, &n, sizeof n));
}

void control_value_bytes(const struct control_value *v, const void *data, uint32_t size)
{
        control_value_count(v, size);
        note(v->answer, buf_append(&v->answer->body, data, size));
}

void control_value_end(const struct control_value *v)
{
        note(v->answer, control_write_end(&v->answer->body, v->place));
}

void control_put_group(struct control_answer *a, const char *path)
{
        note(a, control_write_string(&a->body, CONTROL_TAG_TEXT, path));
}

void control_put_pid(struct control_answer *a, uint32_t pid)
{
        note(a, control_write_u32(&a->body, CONTROL_TAG_NUMBER, pid));
}

void control_put_unit(struct control_answer *a, const char *id, const char *description, const char *load,
                      const char *active, const char *sub, uint32_t job_id, enum job_type job_type)
{
        const struct control_row_wire row = {
                .job_id = job_id,
                .id = id,
                .description = description,
                .load = load,
                .active = active,
                .sub = sub,
                .job_type = control_type_word(job_type),
        };
        note(a, control_write_row(&a->body, &row));
}
