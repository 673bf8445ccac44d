/* SPDX-License-Identifier: MIT
 * See control-format.h. Reading is done through control_reader alone, so bounds are checked in three functions.
 */
#include "control/control-format.h"

struct record_head {
        uint16_t tag, reserved;
        uint32_t size;
};

int control_take_bytes(struct control_reader *r, void *ret, size_t n)
{
        if (n > r->size - r->at)
                return -EBADMSG;
        memcpy(ret, r->data + r->at, n);
        r->at += n;
        return 0;
}

int control_take_u32(struct control_reader *r, uint32_t *ret)
{
        return control_take_bytes(r, ret, sizeof *ret);
}

int control_take_string(struct control_reader *r, const char **ret)
{
        const char *s = r->data + r->at, *end;

        if (r->at >= r->size)
                return -EBADMSG;
        end = memchr(s, 0, r->size - r->at);
        if (!end)
                return -EBADMSG;
        r->at += (size_t)(end - s) + 1;
        *ret = s;
        return 0;
}

int control_reader_next(struct control_reader *r, struct control_record *ret)
{
        struct record_head head;

        if (r->at == r->size)
                return 0;
        if (control_take_bytes(r, &head, sizeof head) < 0 || head.reserved != 0 ||
            ALIGN8((size_t)head.size) > r->size - r->at)
                return -EBADMSG;
        *ret = (struct control_record){.tag = head.tag, .size = head.size, .data = r->data + r->at};
        r->at += ALIGN8((size_t)head.size);
        return 1;
}

int control_record_u32(const struct control_record *rec, uint32_t *ret)
{
        if (rec->size != sizeof *ret)
                return -EBADMSG;
        memcpy(ret, rec->data, sizeof *ret);
        return 0;
}

int control_record_string(const struct control_record *rec, const char **ret)
{
        struct control_reader r = control_reader_of(rec->data, rec->size);
        const char *s;

        if (control_take_string(&r, &s) < 0 || r.at != r.size)
                return -EBADMSG;
        *ret = s;
        return 0;
}

int control_header_check(const void *packet, size_t n, struct control_header *ret)
{
        struct control_header h;

        if (n < sizeof h || n > CONTROL_PACKET_MAX)
                return -EBADMSG;
        memcpy(&h, packet, sizeof h);
        if (h.magic != CONTROL_MAGIC)
                return -EBADMSG;
        if (h.version != CONTROL_VERSION)
                return -EPROTONOSUPPORT;
        if ((h.flags & ~CONTROL_MORE) != 0 || h.size != n - sizeof h)
                return -EBADMSG;
        *ret = h;
        return 0;
}

static int body_find(const void *body, size_t size, uint16_t tag, struct control_record *ret)
{
        struct control_reader r = control_reader_of(body, size);
        struct control_record rec;
        int k;

        while ((k = control_reader_next(&r, &rec)) > 0)
                if (rec.tag == tag) {
                        *ret = rec;
                        return 0;
                }
        return k < 0 ? k : -ENODATA;
}

int control_body_string(const void *body, size_t size, uint16_t tag, const char **ret)
{
        struct control_record rec;
        int r = body_find(body, size, tag, &rec);

        return r < 0 ? r : control_record_string(&rec, ret);
}

int control_body_u32(const void *body, size_t size, uint16_t tag, uint32_t *ret)
{
        struct control_record rec;
        int r = body_find(body, size, tag, &rec);

        return r < 0 ? r : control_record_u32(&rec, ret);
}

ssize_t control_write_begin(struct buf *b, uint16_t tag)
{
        struct record_head head = {.tag = tag};
        size_t place = b->size;
        int r = buf_append(b, &head, sizeof head);

        return r < 0 ? r : (ssize_t)place;
}

int control_write_end(struct buf *b, ssize_t place)
{
        static const char zeroes[8];
        size_t payload;
        uint32_t size;
        int r;

        if (place < 0)
                return (int)place;
        payload = b->size - (size_t)place - sizeof(struct record_head);
        if (payload > CONTROL_MESSAGE_MAX)
                return -ENOMEM;
        size = (uint32_t)payload;
        r = buf_append(b, zeroes, ALIGN8(payload) - payload);
        if (r < 0)
                return r;
        memcpy(b->data + place + offsetof(struct record_head, size), &size, sizeof size);
        return 0;
}

int control_write(struct buf *b, uint16_t tag, const void *data, size_t size)
{
        ssize_t place = control_write_begin(b, tag);
        int r = place < 0 ? (int)place : buf_append(b, data, size);

        return r < 0 ? r : control_write_end(b, place);
}

int control_write_string(struct buf *b, uint16_t tag, const char *s)
{
        return control_write(b, tag, s, strlen(s) + 1);
}

int control_write_u32(struct buf *b, uint16_t tag, uint32_t v)
{
        return control_write(b, tag, &v, sizeof v);
}

/* NUMBERS, then STRINGS with their NULs; NULL counts as "". */
static int write_tuple(struct buf *b, uint16_t tag, const uint32_t *numbers, size_t n_numbers,
                       const char *const *strings, size_t n_strings)
{
        ssize_t place = control_write_begin(b, tag);
        int r = place < 0 ? (int)place : buf_append(b, numbers, n_numbers * sizeof *numbers);

        for (size_t i = 0; r >= 0 && i < n_strings; i++)
                r = buf_append(b, strings[i] ? strings[i] : "", strlen(strings[i] ? strings[i] : "") + 1);
        return r < 0 ? r : control_write_end(b, place);
}

int control_write_job(struct buf *b, const struct control_job_wire *job)
{
        return write_tuple(b, CONTROL_TAG_JOB, (const uint32_t[]){job->id, job->flags}, 2,
                           (const char *const[]){job->unit, job->type, job->result}, 3);
}

int control_record_job(const struct control_record *rec, struct control_job_wire *ret)
{
        struct control_reader r = control_reader_of(rec->data, rec->size);
        struct control_job_wire j;

        if (control_take_u32(&r, &j.id) < 0 || control_take_u32(&r, &j.flags) < 0 ||
            control_take_string(&r, &j.unit) < 0 || control_take_string(&r, &j.type) < 0 ||
            control_take_string(&r, &j.result) < 0)
                return -EBADMSG;
        *ret = j;
        return 0;
}

int control_write_row(struct buf *b, const struct control_row_wire *w)
{
        return write_tuple(b, CONTROL_TAG_UNIT_ROW, &w->job_id, 1,
                           (const char *const[]){w->id, w->description, w->load, w->active, w->sub, w->job_type}, 6);
}

int control_record_row(const struct control_record *rec, struct control_row_wire *ret)
{
        struct control_reader r = control_reader_of(rec->data, rec->size);
        struct control_row_wire w;

        if (control_take_u32(&r, &w.job_id) < 0 || control_take_string(&r, &w.id) < 0 ||
            control_take_string(&r, &w.description) < 0 || control_take_string(&r, &w.load) < 0 ||
            control_take_string(&r, &w.active) < 0 || control_take_string(&r, &w.sub) < 0 ||
            control_take_string(&r, &w.job_type) < 0)
                return -EBADMSG;
        *ret = w;
        return 0;
}

static const char *const request_words[N_JOB_REQUESTS] = {
        [REQUEST_START] = "start",
        [REQUEST_STOP] = "stop",
        [REQUEST_RELOAD] = "reload",
        [REQUEST_RESTART] = "restart",
        [REQUEST_TRY_RESTART] = "try-restart",
        [REQUEST_RELOAD_OR_RESTART] = "reload-or-restart",
        [REQUEST_TRY_RELOAD_OR_RESTART] = "try-reload-or-restart",
};
static const char *const mode_words[N_JOB_MODES] = {
        [MODE_FAIL] = "fail",
        [MODE_REPLACE] = "replace",
        [MODE_REPLACE_IRREVERSIBLY] = "replace-irreversibly",
        [MODE_ISOLATE] = "isolate",
        [MODE_FLUSH] = "flush",
        [MODE_IGNORE_DEPENDENCIES] = "ignore-dependencies",
        [MODE_IGNORE_REQUIREMENTS] = "ignore-requirements",
        [MODE_TRIGGERING] = "triggering",
};
static const char *const type_words[N_JOB_TYPES] = {
        [JOB_NONE] = "",     [JOB_START] = "start",   [JOB_VERIFY_ACTIVE] = "verify-active",
        [JOB_STOP] = "stop", [JOB_RELOAD] = "reload", [JOB_RESTART] = "restart",
        [JOB_NOP] = "nop",
};
static const char *const result_words[N_JOB_RESULTS] = {
        [RESULT_DONE] = "done",
        [RESULT_CANCELED] = "canceled",
        [RESULT_TIMEOUT] = "timeout",
        [RESULT_FAILED] = "failed",
        [RESULT_DEPENDENCY] = "dependency",
        [RESULT_SKIPPED] = "skipped",
        [RESULT_INVALID] = "invalid",
        [RESULT_ASSERT] = "assert",
        [RESULT_UNSUPPORTED] = "unsupported",
        [RESULT_COLLECTED] = "collected",
        [RESULT_ONCE] = "once",
};

static const char *word_at(const char *const *words, size_t n, unsigned i)
{
        return i < n && words[i] ? words[i] : "";
}

static int word_find(const char *const *words, unsigned n, const char *word, unsigned *ret)
{
        for (unsigned i = 0; i < n; i++)
                if (words[i] && streq(words[i], word)) {
                        *ret = i;
                        return 0;
                }
        return -EINVAL;
}

int control_request_from_word(const char *word, enum job_request *ret)
{
        unsigned i;
        int r = word_find(request_words, N_JOB_REQUESTS, word, &i);

        if (r >= 0)
                *ret = (enum job_request)i;
        return r;
}

int control_mode_from_word(const char *word, enum job_mode *ret)
{
        unsigned i;
        int r = word_find(mode_words, N_JOB_MODES, word, &i);

        if (r >= 0)
                *ret = (enum job_mode)i;
        return r;
}

const char *control_request_word(enum job_request r)
{
        return word_at(request_words, N_JOB_REQUESTS, r);
}

const char *control_mode_word(enum job_mode m)
{
        return word_at(mode_words, N_JOB_MODES, m);
}

const char *control_type_word(enum job_type t)
{
        return word_at(type_words, N_JOB_TYPES, t);
}

const char *control_result_word(enum job_result r)
{
        return word_at(result_words, N_JOB_RESULTS, r);
}
