/* SPDX-License-Identifier: MIT
 *
 * supd-bus-wait NAME ADDRESS: ends with 0 once somebody owns NAME on the message bus. It is the control process of a
 * service of Type=dbus that is starting; the time it has is the service's own.
 *
 * As much of the D-Bus wire format as that takes (the specification of D-Bus, "Message protocol" and "Authentication
 * protocol"), since the bus library is a hundred times its size. Not here: any decision. Invariant: what the bus says
 * is looked at within the bytes that were read, and nothing but the answer waited for has any effect.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "base/util.h"

enum { MESSAGE_MAX = 16384 };
enum { TYPE_CALL = 1, TYPE_RETURN = 2, TYPE_SIGNAL = 4 };
enum {
        FIELD_PATH = 1,
        FIELD_INTERFACE = 2,
        FIELD_MEMBER = 3,
        FIELD_REPLY_SERIAL = 5,
        FIELD_DESTINATION = 6,
        FIELD_SIGNATURE = 8
};
enum { SERIAL_HELLO = 1, SERIAL_MATCH = 2, SERIAL_HAS_OWNER = 3 };

#define BUS           "org.freedesktop.DBus"
#define RETRY_EACH_NS 100000000L /* while the bus is not there: somebody else starts it */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE 'l'
#else
#define NATIVE 'B'
#endif

/* ---- writing ---- */

struct message {
        unsigned char bytes[1024];
        size_t size;
};

static void put_bytes(struct message *m, const void *data, size_t n)
{
        if (m->size + n <= sizeof(m->bytes))
                memcpy(m->bytes + m->size, data, n);
        m->size += n; /* too much is found by message_send() */
}

static void put_align(struct message *m, size_t to)
{
        static const char zero[8];

        put_bytes(m, zero, (to - m->size % to) % to);
}

static void put_u32(struct message *m, uint32_t v)
{
        put_align(m, 4);
        put_bytes(m, &v, sizeof(v));
}

static void put_string(struct message *m, const char *s)
{
        put_u32(m, (uint32_t)strlen(s));
        put_bytes(m, s, strlen(s) + 1);
}

static void put_field(struct message *m, unsigned char code, char type, const char *s)
{
        const unsigned char head[4] = {code, 1, (unsigned char)type, 0}, length = (unsigned char)strlen(s);

        put_align(m, 8);
        put_bytes(m, head, sizeof(head));
        if (type != 'g') {
                put_string(m, s);
                return;
        }
        put_bytes(m, &length, 1);
        put_bytes(m, s, strlen(s) + 1);
}

static int bytes_send(int fd, const void *data, size_t n)
{
        const char *at = data;

        while (n > 0) {
                ssize_t k = send(fd, at, n, MSG_NOSIGNAL);
                if (k <= 0)
                        return k < 0 ? -errno : -EPIPE;
                at += k;
                n -= (size_t)k;
        }
        return 0;
}

/* Calls MEMBER of the bus itself; ARGUMENT is its only one, NULL = it has none. */
static int call_bus(int fd, uint32_t serial, const char *member, const char *argument)
{
        const unsigned char head[4] = {NATIVE, TYPE_CALL, 0, 1};
        struct message m = {.size = 0};
        uint32_t body = argument ? (uint32_t)(4 + strlen(argument) + 1) : 0, fields;

        put_bytes(&m, head, sizeof(head));
        put_u32(&m, body);
        put_u32(&m, serial);
        put_u32(&m, 0); /* the size of the fields, below */
        put_field(&m, FIELD_PATH, 'o', "/org/freedesktop/DBus");
        put_field(&m, FIELD_INTERFACE, 's', BUS);
        put_field(&m, FIELD_MEMBER, 's', member);
        put_field(&m, FIELD_DESTINATION, 's', BUS);
        if (argument)
                put_field(&m, FIELD_SIGNATURE, 'g', "s");
        fields = (uint32_t)m.size - 16;
        memcpy(m.bytes + 12, &fields, sizeof(fields));
        put_align(&m, 8);
        if (argument)
                put_string(&m, argument);
        return m.size > sizeof(m.bytes) ? -E2BIG : bytes_send(fd, m.bytes, m.size);
}

/* ---- reading ---- */

struct reader {
        const unsigned char *bytes;
        size_t at, size;
        bool bad;
};

static const unsigned char *get_bytes(struct reader *r, size_t align, size_t n)
{
        size_t at = (r->at + align - 1) / align * align;

        if (r->bad || at > r->size || r->size - at < n) {
                r->bad = true;
                return NULL;
        }
        r->at = at + n;
        return r->bytes + at;
}

static uint32_t get_u32(struct reader *r)
{
        const unsigned char *p = get_bytes(r, 4, 4);
        uint32_t v = 0;

        if (p)
                memcpy(&v, p, sizeof(v));
        return v;
}

/* Inside the message; "" when it is malformed. */
static const char *get_string(struct reader *r)
{
        uint32_t n = get_u32(r);
        const unsigned char *p = n < MESSAGE_MAX ? get_bytes(r, 1, (size_t)n + 1) : NULL;

        if (!p || p[n] != 0 || memchr(p, 0, n)) {
                r->bad = true;
                return "";
        }
        return (const char *)p;
}

struct header {
        unsigned char type;
        uint32_t reply_serial;
        const char *member;
};

/* One field of the header: its code, a variant. */
static void get_field(struct reader *r, struct header *h)
{
        const unsigned char *p = get_bytes(r, 8, 4);
        const unsigned char *length;
        const char *s;

        if (!p || p[1] != 1 || p[3] != 0) {
                r->bad = true;
                return;
        }
        switch (p[2]) {
        case 'u':
                if (p[0] == FIELD_REPLY_SERIAL)
                        h->reply_serial = get_u32(r);
                else
                        (void)get_u32(r);
                break;
        case 's':
        case 'o':
                s = get_string(r);
                if (p[0] == FIELD_MEMBER)
                        h->member = s;
                break;
        case 'g':
                length = get_bytes(r, 1, 1);
                (void)get_bytes(r, 1, length ? (size_t)*length + 1 : 1);
                break;
        default:
                r->bad = true;
        }
}

/* True when the message says that NAME has an owner. */
static bool says_owned(const unsigned char *bytes, size_t size, const char *name)
{
        struct reader r = {.bytes = bytes, .size = size};
        struct header h = {.member = ""};
        uint32_t n_fields;

        (void)get_bytes(&r, 1, 12);
        n_fields = get_u32(&r);
        h.type = bytes[1];
        while (!r.bad && r.at < 16 + (size_t)n_fields)
                get_field(&r, &h);
        (void)get_bytes(&r, 8, 0);
        if (h.type == TYPE_RETURN && h.reply_serial == SERIAL_HAS_OWNER)
                return get_u32(&r) == 1 && !r.bad;
        if (h.type != TYPE_SIGNAL || strcmp(h.member, "NameOwnerChanged") != 0 || strcmp(get_string(&r), name) != 0)
                return false;
        (void)get_string(&r); /* the old owner */
        return get_string(&r)[0] != 0 && !r.bad;
}

static int bytes_read(int fd, unsigned char *to, size_t n)
{
        while (n > 0) {
                ssize_t k = recv(fd, to, n, 0);
                if (k < 0 && errno == EINTR)
                        continue;
                if (k <= 0)
                        return k < 0 ? -errno : -EPIPE;
                to += k;
                n -= (size_t)k;
        }
        return 0;
}

/* The next message as a whole: its size, or negative errno. */
static ssize_t message_read(int fd, unsigned char bytes[MESSAGE_MAX])
{
        uint32_t body, fields;
        uint64_t size;
        int v = bytes_read(fd, bytes, 16);

        if (v < 0)
                return v;
        memcpy(&body, bytes + 4, sizeof(body));
        memcpy(&fields, bytes + 12, sizeof(fields));
        size = 16 + ALIGN8((uint64_t)fields) + body;
        if (bytes[0] != NATIVE || size > MESSAGE_MAX)
                return -EBADMSG;
        v = bytes_read(fd, bytes + 16, (size_t)size - 16);
        return v < 0 ? v : (ssize_t)size;
}

/* ---- the connection ---- */

/* "unix:path=…" or "unix:abstract=…", the first of several; what stands behind a comma does not matter. */
static int address_parse(const char *address, struct sockaddr_un *ret, socklen_t *ret_size)
{
        static const struct {
                const char *key;
                bool abstract;
        } kinds[] = {{"unix:path=", false}, {"unix:abstract=", true}};

        *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
        for (const char *at = address; at; at = strchr(at, ';') ? strchr(at, ';') + 1 : NULL)
                for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                        size_t key = strlen(kinds[i].key), n = strcspn(at, ",;");
                        if (strncmp(at, kinds[i].key, key) != 0 || n - key >= sizeof(ret->sun_path) - 1)
                                continue;
                        memcpy(ret->sun_path + kinds[i].abstract, at + key, n - key);
                        *ret_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n - key + 1);
                        return 0;
                }
        return -EINVAL;
}

/* Says who we are; the bus sees it for itself. */
static int authenticate(int fd)
{
        char text[64], uid[24], hex[48] = "", answer;
        size_t n = 0;
        int v;

        (void)snprintf(uid, sizeof(uid), "%u", (unsigned)getuid());
        for (size_t i = 0; uid[i]; i++)
                (void)snprintf(hex + 2 * i, 3, "%02x", (unsigned char)uid[i]);
        (void)snprintf(text + 1, sizeof(text) - 1, "AUTH EXTERNAL %s\r\n", hex);
        text[0] = 0;
        v = bytes_send(fd, text, 1 + strlen(text + 1));
        do {
                if (v == 0)
                        v = bytes_read(fd, (unsigned char *)&answer, 1);
                if (v == 0 && n < 2)
                        text[n] = answer;
                n++;
        } while (v == 0 && answer != '\n' && n < 512);
        if (v == 0 && (n < 3 || text[0] != 'O' || text[1] != 'K'))
                return -EACCES;
        return v < 0 ? v : bytes_send(fd, "BEGIN\r\n", 7);
}

/* 0 once NAME has an owner. */
static int watch(int fd, const char *name)
{
        static unsigned char bytes[MESSAGE_MAX];
        char rule[512];
        ssize_t n;
        int v = authenticate(fd);

        (void)snprintf(rule, sizeof(rule), "type='signal',sender='" BUS "',member='NameOwnerChanged',arg0='%s'", name);
        if (v == 0)
                v = call_bus(fd, SERIAL_HELLO, "Hello", NULL);
        if (v == 0)
                v = call_bus(fd, SERIAL_MATCH, "AddMatch", rule);
        if (v == 0) /* behind the match: whoever takes the name in between is seen by one of the two */
                v = call_bus(fd, SERIAL_HAS_OWNER, "NameHasOwner", name);
        while (v == 0) {
                n = message_read(fd, bytes);
                if (n < 0)
                        return (int)n;
                if (says_owned(bytes, (size_t)n, name))
                        return 0;
        }
        return v;
}

/* NAME goes into a rule: nothing but what a bus name is made of. */
static bool name_is_good(const char *name)
{
        return *name && strlen(name) <= 255 &&
               name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")] == 0;
}

int main(int argc, char **argv)
{
        struct sockaddr_un a;
        socklen_t size;

        if (argc != 3 || !name_is_good(argv[1]) || address_parse(argv[2], &a, &size) < 0) {
                (void)fprintf(stderr, "supd-bus-wait is started by supd: supd-bus-wait NAME unix:path=PATH\n");
                return 2;
        }
        for (;;) {
                cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

                if (fd < 0)
                        return 1;
                if (connect(fd, (struct sockaddr *)&a, size) == 0 && watch(fd, argv[1]) == 0)
                        return 0;
                (void)nanosleep(&(struct timespec){.tv_nsec = RETRY_EACH_NS}, NULL);
        }
}
