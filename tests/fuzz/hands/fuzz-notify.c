/* SPDX-License-Identifier: MIT
 *
 * Datagrams of services: any text, with any number of fds, in any state of the unit they are of. The manager's own code
 * takes them; what it changes stays inside the record, the queue and the lists, and no fd is forgotten.
 *
 * Input: one byte for the unit's state, one for the number of fds, then the text.
 */
#include "programs/supd-manager/notify.c" /* take() is what is asked */

#include <sys/mman.h>

#include "abi/durable-file.h"
#include "fresh-state.h"
#include "fuzz.h"

/* The manager is there for good. What a message leaves behind is looked for by its traces: lists, record, fds. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
        return "detect_leaks=0";
}

static struct manager m;
static struct run *r;
static int keeper_end = -1;

static const char text_of_unit[] = "[Service]\nType=notify-reload\nNotifyAccess=all\nFileDescriptorStoreMax=3\n"
                                   "WatchdogSec=5\nExecStart=/bin/true\n";

static void unit_begin(void)
{
        char directory[] = "/tmp/fuzz-notify.XXXXXX", path[64];
        struct unit_paths paths;
        struct buf blob = {0};
        struct diag diag = {0};
        int fd;

        CLAIM(mkdtemp(directory));
        (void)snprintf(path, sizeof(path), "%s/a.service", directory);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        CLAIM(fd >= 0 && write(fd, text_of_unit, sizeof(text_of_unit) - 1) == (ssize_t)sizeof(text_of_unit) - 1);
        (void)close(fd);
        CLAIM(unit_paths_init(&paths, directory, false, false) == 0);
        CLAIM(unit_gather(&paths, "a.service", &blob, &diag) == 0);
        CLAIM(units_add(&m, "a.service", 0, &r) == 0 && units_parse(&m, r, blob.data, blob.size) == 0);
        CLAIM(r->unit->service && r->unit->service->type == SERVICE_NOTIFY_RELOAD);
        (void)unlink(path);
        (void)rmdir(directory);
        buf_done(&blob);
        unit_paths_done(&paths);
        diag_done(&diag);
}

/* What only epoll points to is found by no leak checker; tests/run asks for one whatever the default above. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static void begin(void)
{
        int pair[2];

        if (r)
                return;
        if (__lsan_disable)
                __lsan_disable();
        m.name = "fuzz";
        m.runtime_dir = "/nonexistent";
        m.notify_fd = m.inotify_fd = m.blob_fd = -1;
        m.keeper_pid = getppid();
        CLAIM(loop_init(&m) == 0 && state_open(fresh_state(), &m.state) == 0);
        m.header = state_header(m.state);
        CLAIM(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
        m.keeper_fd = pair[0];
        keeper_end = pair[1];
        CLAIM(loop_add(&m, m.keeper_fd, 0, NULL, NULL, &m.keeper_source) == 0);
        unit_begin();
        if (__lsan_enable)
                __lsan_enable();
}

static int lowest_fd(void)
{
        int fd = dup(keeper_end);

        CLAIM(fd >= 0);
        (void)close(fd);
        return fd;
}

static void keeper_reads(void)
{
        char bytes[256];

        while (recv(keeper_end, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
                ; /* the fds go with it */
}

/* Everything that a message can have left behind. */
static void end(void)
{
        r->d.state = STATE_DEAD;
        fdstore_settle(&m, r);
        keeper_reads();
        CLAIM(r->d.main.flags == 0 || r->d.main.pid > 1);
        exits_unwatch(&m, r);
        if (r->d.main.generation != 0)
                state_slot_free(m.state, r->d.main.slot);
        for (size_t i = 0; i < m.freed_slots.n; i++)
                state_slot_free(m.state, m.freed_slots.v[i]);
        m.queue_n = m.dirty.n = m.unpublished.n = m.looks.n = m.looks_later.n = m.freed_slots.n = 0;
        m.claims.n = m.fd_drops.n = m.orphans_taken.n = 0;
        r->dirty = r->unpublished = r->look = false;
        for (int i = 0; i < N_DEADLINES; i++)
                timer_set(&m, r, i, 0);
        memset(&r->d, 0, sizeof(r->d));
        free(r->status_text);
        r->status_text = NULL;
        state_rollback(m.state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct sender s = {.pid = getpid()};
        char text[NOTIFY_MAX + 1];
        int first;

        begin();
        loop_beat(&m); /* the manager would come round; its watch over itself ends who does not */
        if (size < 2)
                return 0;
        first = lowest_fd();
        r->d.state = data[0] % STATE_PASSIVE_DEAD;
        if (machine_state_watched(r->d.state))
                r->d.watchdog_us = 5 * USEC_PER_SEC;
        for (s.n_fds = 0; s.n_fds < data[1] % 5u; s.n_fds++)
                s.fds[s.n_fds] = memfd_create("kept", MFD_CLOEXEC);
        s.uid = data[1] & 0x80 ? 1000 : 0;
        size = MIN2(size - 2, (size_t)NOTIFY_MAX);
        memcpy(text, data + 2, size);
        text[size] = 0;
        (void)take(&m, r, text, &s);
        CLAIM(m.queue_n < 64 && fdstore_count(r) <= 3);
        sender_done(&s);
        end();
        CLAIM(lowest_fd() == first);
        return 0;
}
