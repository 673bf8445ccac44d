/* SPDX-License-Identifier: MIT
 *
 * A writer of status tables for tests: the real room, driven by words. It stays until end of input (or dies by whatever
 * signal the test sends), so that readers find a live writer.
 *
 *     table-writer INSTANCE UNITS [LOG_DIR]
 *
 * makes UNITS units, of which the first few are in every state worth seeing, publishes, prints "ready", and then obeys
 * lines of standard input: "publish" (changes a unit and publishes, again when told to), "spin N" (N publishes as fast
 * as it goes), "grow N" (N units more), "time" (prints the longest status_publish() in microseconds so far),
 * "counters".
 *
 * Not here: a manager. Invariant: removes the table on end of input, never leaves one behind unless it was killed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/util.h"
#include "../../unit/status/drawn.h"
#include "status/status.h"

static uint64_t longest_us, now_step;

static uint64_t clock_us(clockid_t clock)
{
        struct timespec ts;

        (void)clock_gettime(clock, &ts);
        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000u;
}

/* Publishes, coming back when told to, until done. Each call is timed; the waits between are not its own. */
static void publish(struct status_table *t)
{
        uint64_t again = 1;

        while (again > 0) {
                uint64_t from = clock_us(CLOCK_MONOTONIC), now;

                again = status_publish(t, from);
                now = clock_us(CLOCK_MONOTONIC);
                longest_us = MAX2(longest_us, now - from);
                if (again > from + STATUS_DEFER_US) /* only to look at a held lock: at the next publish */
                        return;
                if (again > now) {
                        struct timespec ts = {.tv_nsec = (long)(again - now) * 1000};
                        (void)nanosleep(&ts, NULL);
                }
        }
}

static const struct {
        const char *name, *description, *path;
        uint8_t active, sub, result, code;
        int status;
        uint32_t restarts, flags;
} shapes[] = {
        {"web.service", "A web server", "/etc/systemd/system/web.service", SUPD_ACTIVE_ACTIVE, SUPD_SUB_RUNNING,
         SUPD_RESULT_SUCCESS, 0, 0, 0, 0},
        {"dead.service", "Never started", "/etc/systemd/system/dead.service", SUPD_ACTIVE_INACTIVE, SUPD_SUB_DEAD,
         SUPD_RESULT_SUCCESS, 0, 0, 0, 0},
        {"bad.service", "Fails at once", "/etc/systemd/system/bad.service", SUPD_ACTIVE_FAILED, SUPD_SUB_FAILED,
         SUPD_RESULT_EXIT_CODE, 1, 1, 5, SUPD_ROW_START_LIMIT_HIT},
        {"crash.service", "Crashes", "/etc/systemd/system/crash.service", SUPD_ACTIVE_ACTIVATING, SUPD_SUB_AUTO_RESTART,
         SUPD_RESULT_SIGNAL, 2, 11, 2, 0},
        {"basic.target", "Basic System", "", SUPD_ACTIVE_ACTIVE, SUPD_SUB_ACTIVE, SUPD_RESULT_SUCCESS, 0, 0, 0,
         SUPD_ROW_BUILT_IN},
        {"gone.service", "gone.service", "", SUPD_ACTIVE_INACTIVE, SUPD_SUB_DEAD, SUPD_RESULT_SUCCESS, 0, 0, 0, 0},
};

static void fill_state(struct supd_status_row *row, uint32_t i, uint64_t real, uint64_t mono)
{
        uint32_t k = i < ARRAY_SIZE(shapes) ? i : 0;
        bool service = !ends_with(shapes[k].name, ".target");

        row->flags = shapes[k].flags | SUPD_ROW_CONDITION_RESULT | SUPD_ROW_ASSERT_RESULT | SUPD_ROW_CAN_START |
                     SUPD_ROW_CAN_STOP;
        row->type = service ? SUPD_TYPE_SERVICE : SUPD_TYPE_TARGET;
        row->load_state = i == 5 ? SUPD_LOAD_NOT_FOUND : SUPD_LOAD_LOADED;
        row->active_state = shapes[k].active;
        row->sub_state = shapes[k].sub;
        row->result = shapes[k].result;
        row->service_type = service ? SUPD_SERVICE_SIMPLE : SUPD_SERVICE_NONE;
        row->restart = service ? SUPD_RESTART_ON_FAILURE : SUPD_RESTART_NONE;
        row->uid = row->gid = SUPD_ID_NONE;
        row->n_restarts = shapes[k].restarts;
        row->exec_main_code = row->last_exit_code = shapes[k].code;
        row->exec_main_status = row->last_exit_status = shapes[k].status;
        row->main_pid = row->exec_main_pid =
                service && row->active_state == SUPD_ACTIVE_ACTIVE ? (uint32_t)getpid() : 0;
        row->exec_main_pid = shapes[k].code ? 4242 : row->exec_main_pid;
        row->active_enter_real_us = row->inactive_exit_real_us = row->inactive_enter_real_us = real;
        row->active_enter_mono_us = row->inactive_exit_mono_us = row->inactive_enter_mono_us = mono;
        row->state_change_real_us = real;
        row->state_change_mono_us = mono;
        if (row->sub_state == SUPD_SUB_AUTO_RESTART)
                row->next_restart_mono_us = mono + 60 * USEC_PER_SEC;
}

static void fill(struct status_table *t, uint32_t i)
{
        char name[64], path[128];
        uint32_t k = i < ARRAY_SIZE(shapes) ? i : 0;

        if (i < ARRAY_SIZE(shapes))
                (void)snprintf(name, sizeof(name), "%s", shapes[k].name);
        else
                (void)snprintf(name, sizeof(name), "worker-%05u.service", (unsigned)i);
        (void)snprintf(path, sizeof(path), "/etc/systemd/system/%s", name);
        drawn_set_text(t, i, SUPD_TEXT_NAME, name);
        drawn_set_text(t, i, SUPD_TEXT_DESCRIPTION,
                       i < ARRAY_SIZE(shapes) ? shapes[k].description : "One of many workers");
        drawn_set_text(t, i, SUPD_TEXT_FRAGMENT_PATH, i < ARRAY_SIZE(shapes) ? shapes[k].path : path);
        if (i == 0) {
                drawn_set_text(t, i, SUPD_TEXT_ALIASES, "www.service httpd.service");
                drawn_set_text(t, i, SUPD_TEXT_STATUS, "Serving");
                drawn_set_text(t, i, SUPD_TEXT_NOTICE, "web.service:7: ProtectSystem= is not carried out here");
                drawn_row(t, i)->n_notices = 2;
        }
        fill_state(drawn_row(t, i), i, clock_us(CLOCK_REALTIME), clock_us(CLOCK_MONOTONIC));
        status_mark(t, i);
}

/* Every publish gives the same number to all of a handful of rows: a reader sees at once when they are of two moments.
 */
static void change(struct status_table *t, uint32_t n)
{
        now_step++;
        for (uint32_t i = 0; i < n && i < 64; i++) {
                char text[32];

                (void)snprintf(text, sizeof(text), "step %020" PRIu64, now_step);
                drawn_row(t, i)->watchdog_mono_us = now_step;
                drawn_set_text(t, i, SUPD_TEXT_SOURCE_PATH, text);
                status_mark(t, i);
        }
}

static void grow(struct status_table *t, uint32_t *n, uint32_t more)
{
        uint32_t from = *n;

        *n += more;
        if (status_reserve(t, *n) < 0)
                puts("no room");
        for (uint32_t i = from; i < *n; i++)
                fill(t, i);
        status_header(t)->n_units = *n;
        publish(t);
}

static void obey(struct status_table *t, const char *line, uint32_t *n)
{
        const struct supd_status_header *h = status_header(t);
        unsigned long count = strchr(line, ' ') ? strtoul(strchr(line, ' '), NULL, 10) : 1;

        if (starts_with(line, "publish") || starts_with(line, "spin")) {
                for (unsigned long i = 0; i < count; i++) {
                        change(t, *n);
                        publish(t);
                }
                printf("published %" PRIu64 "\n", now_step);
        } else if (starts_with(line, "grow")) {
                grow(t, n, (uint32_t)count);
                printf("grown %u\n", (unsigned)*n);
        } else if (starts_with(line, "time")) {
                printf("longest %" PRIu64 "\n", longest_us);
                longest_us = 0;
        } else if (starts_with(line, "counters"))
                printf("on %d deferred %" PRIu64 " avoided %" PRIu64 " broken %u recreated %u flags %u reason %s\n",
                       status_is_on(t), h->n_deferred, h->n_torn_avoided, h->n_broken_locks, h->n_recreated, h->flags,
                       status_reason(t));
        else
                printf("what?\n");
        (void)fflush(stdout);
}

int main(int argc, char **argv)
{
        cleanup_diag_ struct diag diag = {0};
        struct status_table *t;
        char line[256];
        uint32_t n = 0;

        if (argc < 3 || status_open(argv[1], &t, &diag) < 0)
                return 2;
        drawn_begin(t);
        for (size_t i = 0; i < diag.n_entries; i++)
                printf("diag %s\n", diag.entries[i].message);
        (void)snprintf(status_header(t)->log_dir, sizeof(status_header(t)->log_dir), "%s", argc > 3 ? argv[3] : "");
        status_header(t)->writer_pid = (uint32_t)getpid();
        status_header(t)->system_state = SUPD_SYSTEM_RUNNING;
        status_header(t)->started_real_us = clock_us(CLOCK_REALTIME);
        grow(t, &n, (uint32_t)strtoul(argv[2], NULL, 10));
        printf("%s\n", status_is_on(t) ? "ready" : "off");
        (void)fflush(stdout);
        while (fgets(line, sizeof(line), stdin))
                obey(t, line, &n);
        status_close(t, true);
        drawn_begin(NULL);
        return 0;
}
