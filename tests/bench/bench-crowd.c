/* SPDX-License-Identifier: MIT
 *
 * bench-crowd SOCKET N: N clients of supd-bus with bad manners, a thread each: they never read, stop in the middle of
 * the handshake, send garbage, begin messages of 100 MB, or ask as fast as they are answered; whoever is thrown out
 * comes back at once. Prints how much each of these managed each time standard input says a line, and ends with it.
 *
 * Not here: any judgement. Invariant: a thread waits only in the kernel, for supd-bus: what it costs is what supd-bus
 * lets it do.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HELLO "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n"

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static _Atomic unsigned long n_connects, n_messages, n_answers;

static int enter(void)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
                (void)close(fd);
                return -1;
        }
        (void)atomic_fetch_add(&n_connects, 1);
        return fd;
}

static bool say(int fd, const void *data, size_t size)
{
        return send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* The handshake to its end. What the server says comes in one piece or in several; its last word is a line. */
static bool handshake(int fd)
{
        char text[512];
        size_t n = 0;

        if (!say(fd, HELLO, sizeof HELLO - 1))
                return false;
        while (n < sizeof text - 1) {
                ssize_t k = recv(fd, text + n, sizeof text - 1 - n, 0);

                if (k <= 0)
                        return false;
                n += (size_t)k;
                text[n] = 0;
                if (strstr(text, "OK ") && text[n - 1] == '\n')
                        return true;
        }
        return false;
}

/* ---- messages ---- */

struct message {
        uint8_t data[512];
        size_t size;
};

static void put(struct message *m, const void *data, size_t size)
{
        memcpy(m->data + m->size, data, size);
        m->size += size;
}

static void put_u32(struct message *m, uint32_t v)
{
        put(m, &v, sizeof v);
}

static void align(struct message *m, size_t to)
{
        while (m->size % to != 0)
                m->data[m->size++] = 0;
}

static void put_field(struct message *m, uint8_t code, char type, const char *value)
{
        const uint8_t head[] = {code, 1, (uint8_t)type, 0};

        align(m, 8);
        put(m, head, sizeof head);
        if (type == 'g') {
                m->data[m->size++] = (uint8_t)strlen(value);
        } else {
                put_u32(m, (uint32_t)strlen(value));
        }
        put(m, value, strlen(value) + 1);
}

/* A method call of the manager; STRINGS are its arguments. BODY of 0 is the real one, else what the header claims. */
static struct message call(const char *member, const char *const *strings, uint32_t body)
{
        struct message m = {.size = 0}, b = {.size = 0};
        char signature[8] = "";
        uint32_t n;

        for (; *strings; strings++) {
                align(&b, 4);
                put_u32(&b, (uint32_t)strlen(*strings));
                put(&b, *strings, strlen(*strings) + 1);
                (void)strcat(signature, "s");
        }
        put(&m, (const uint8_t[]){'l', 1, 0, 1}, 4);
        put_u32(&m, body ? body : (uint32_t)b.size);
        put_u32(&m, 7);
        put_u32(&m, 0);
        put_field(&m, 1, 'o', "/org/freedesktop/systemd1");
        put_field(&m, 2, 's', "org.freedesktop.systemd1.Manager");
        put_field(&m, 3, 's', member);
        if (signature[0])
                put_field(&m, 8, 'g', signature);
        n = (uint32_t)m.size - 16;
        memcpy(m.data + 12, &n, sizeof n);
        align(&m, 8);
        put(&m, b.data, b.size);
        return m;
}

static const char *const none[] = {NULL}, *const unit[] = {"no-such-thing.service", "replace", NULL};

/* ---- manners ---- */

static void never_reads(int fd)
{
        struct message m = call("ListUnits", none, 0);

        while (say(fd, m.data, m.size))
                (void)atomic_fetch_add(&n_messages, 1);
}

static void waits_for_the_end(int fd)
{
        char byte;

        while (recv(fd, &byte, 1, 0) > 0)
                ;
}

static void half(int fd)
{
        (void)say(fd, "\0AUTH EXTERNAL\r\n", 16);
        waits_for_the_end(fd);
}

static void garbage(int fd)
{
        uint8_t noise[4096];

        for (size_t i = 0; i < sizeof noise; i++)
                noise[i] = (uint8_t)rand();
        while (say(fd, noise, sizeof noise))
                (void)atomic_fetch_add(&n_messages, 1);
}

static void large(int fd)
{
        struct message m = call("ListUnits", none, 100u << 20);
        static const uint8_t nothing[65536];

        if (!say(fd, m.data, m.size))
                return;
        while (say(fd, nothing, sizeof nothing))
                (void)atomic_fetch_add(&n_messages, 1);
}

static void flood(int fd)
{
        struct message m =
                rand() % 2 ? call("LoadUnit", (const char *const[]){unit[0], NULL}, 0) : call("StartUnit", unit, 0);
        char answer[65536];

        while (say(fd, m.data, m.size)) {
                (void)atomic_fetch_add(&n_messages, 1);
                if (recv(fd, answer, sizeof answer, 0) <= 0)
                        return;
                (void)atomic_fetch_add(&n_answers, 1);
        }
}

static struct {
        void (*run)(int fd);
        bool first_shakes;
        _Atomic unsigned long n_times; /* that one of these began */
} manners[] = {{never_reads, true}, {half, false}, {garbage, false}, {garbage, true}, {large, true}, {flood, true}};
#define N_MANNERS (sizeof manners / sizeof *manners)

static void *client(void *which)
{
        size_t i = (size_t)(uintptr_t)which % N_MANNERS;

        for (;;) {
                int fd = enter();

                if (fd < 0) {
                        (void)usleep(1000); /* nobody is at home */
                        continue;
                }
                if (!manners[i].first_shakes || handshake(fd)) {
                        (void)atomic_fetch_add(&manners[i].n_times, 1);
                        manners[i].run(fd);
                }
                (void)close(fd);
        }
        return NULL;
}

int main(int argc, char **argv)
{
        unsigned n = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
        pthread_attr_t attributes;
        char line[64];

        if (n == 0 || strlen(argv[1]) >= sizeof address.sun_path)
                return 2;
        memcpy(address.sun_path, argv[1], strlen(argv[1]) + 1);
        (void)pthread_attr_init(&attributes);
        (void)pthread_attr_setstacksize(&attributes, 128 * 1024);
        for (unsigned i = 0; i < n; i++) {
                pthread_t t;

                if (pthread_create(&t, &attributes, client, (void *)(uintptr_t)i) != 0)
                        return 1;
        }
        while (fgets(line, sizeof line, stdin)) {
                (void)printf("%lu %lu %lu", atomic_load(&n_connects), atomic_load(&n_messages),
                             atomic_load(&n_answers));
                for (size_t i = 0; i < N_MANNERS; i++)
                        (void)printf(" %lu", atomic_load(&manners[i].n_times));
                (void)putchar('\n');
                (void)fflush(stdout);
        }
        return 0;
}
