/* SPDX-License-Identifier: MIT
 *
 * epoll and one timerfd. Units with deadlines are a heap, by the earliest of each; the timerfd is armed for the first
 * one only, so an idle manager never wakes. Own code rather than sd-event: the manager links no libsystemd (see
 * src/README.md).
 *
 * Invariant: a source that was removed is freed only when its turn is over, since the turn may still hold events for
 * it.
 */
#include "manager.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>

#include "base/spare.h"

enum { STOP_CROWD = 64, STOP_MOMENT_NS = 2000000 }; /* units that are ending; what they are given, ns */

#ifndef LOOP_SPIN_S
#define LOOP_SPIN_S 10 /* of processor time, spent by a manager that does not come round */
#endif

/* ---- a turn without an end ---- */

static volatile sig_atomic_t turn, turn_seen;

static void still_here(int signal unused_)
{
        static const char words[] = "supd: the manager has worked on one thing for too long; starting over\n";

        if (turn == turn_seen) {
                (void)!write(STDERR_FILENO, words, sizeof(words) - 1);
                abort();
        }
        turn_seen = turn;
}

/* The keeper sees a manager that leaves exits and requests lying; what spins while there is none nobody would see. The
 * clock is processor time, so it stands still while the manager waits: an idle one is never woken. */
static void spin_watch(void)
{
        const struct sigaction a = {.sa_handler = still_here, .sa_flags = SA_RESTART};
        const struct itimerval t = {.it_interval.tv_sec = LOOP_SPIN_S, .it_value.tv_sec = LOOP_SPIN_S};

        if (sigaction(SIGPROF, &a, NULL) == 0)
                (void)setitimer(ITIMER_PROF, &t, NULL);
}

void loop_beat(struct manager *m)
{
        turn++;
        atomic_fetch_add_explicit(&m->header->beat, 1, memory_order_relaxed);
}

static void timer_ready(struct manager *m, struct source *s unused_, uint32_t events unused_)
{
        uint64_t n;

        (void)!read(m->timer_fd, &n, sizeof(n));
        m->timer_armed_us = 0;
}

int loop_add(struct manager *m, int fd, uint32_t events, void (*ready)(struct manager *, struct source *, uint32_t),
             void *userdata, struct source **ret)
{
        struct source *s = calloc(1, sizeof(*s));
        struct epoll_event e = {.events = events, .data.ptr = s};

        if (!s)
                return -ENOMEM;
        *s = (struct source){.fd = fd, .ready = ready, .userdata = userdata};
        if (epoll_ctl(m->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0) {
                int r = -errno;
                free(s);
                return r;
        }
        if (ret)
                *ret = s;
        return 0;
}

int loop_change(struct manager *m, struct source *s, uint32_t events)
{
        struct epoll_event e = {.events = events, .data.ptr = s};

        return epoll_ctl(m->epoll_fd, EPOLL_CTL_MOD, s->fd, &e) < 0 ? -errno : 0;
}

void loop_remove(struct manager *m, struct source *s)
{
        if (!s)
                return;
        (void)epoll_ctl(m->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
        s->dead = true;
        s->next_dead = m->dead_sources;
        m->dead_sources = s;
}

int loop_init(struct manager *m)
{
        spin_watch();
        m->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        m->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        if (m->epoll_fd < 0 || m->timer_fd < 0)
                return -errno;
        return loop_add(m, m->timer_fd, EPOLLIN, timer_ready, NULL, NULL);
}

/* ---- the heap of deadlines ---- */

static void heap_place(struct manager *m, unsigned i, struct run *r)
{
        m->heap[i] = r;
        r->heap_at = i + 1;
}

static void heap_up(struct manager *m, unsigned i)
{
        struct run *r = m->heap[i];

        while (i > 0 && m->heap[(i - 1) / 2]->due_us > r->due_us) {
                heap_place(m, i, m->heap[(i - 1) / 2]);
                i = (i - 1) / 2;
        }
        heap_place(m, i, r);
}

static void heap_down(struct manager *m, unsigned i)
{
        struct run *r = m->heap[i];

        for (;;) {
                unsigned c = 2 * i + 1;
                if (c >= m->heap_n)
                        break;
                if (c + 1 < m->heap_n && m->heap[c + 1]->due_us < m->heap[c]->due_us)
                        c++;
                if (m->heap[c]->due_us >= r->due_us)
                        break;
                heap_place(m, i, m->heap[c]);
                i = c;
        }
        heap_place(m, i, r);
}

static void heap_remove(struct manager *m, struct run *r)
{
        unsigned i = r->heap_at - 1;
        struct run *last = m->heap[--m->heap_n];

        r->heap_at = 0;
        if (last == r)
                return;
        heap_place(m, i, last);
        heap_up(m, i);
        heap_down(m, last->heap_at - 1);
}

static uint64_t *deadline_of(struct run *r, enum deadline which)
{
        uint64_t *places[N_DEADLINES] = {
                [DEADLINE_STATE] = &r->d.deadline_us,
                [DEADLINE_WATCHDOG] = &r->watchdog_deadline_us,
                [DEADLINE_JOB] = &r->d.job_deadline_us,
        };

        return places[which];
}

static uint64_t earliest(struct run *r)
{
        uint64_t due = 0;

        for (int i = 0; i < N_DEADLINES; i++) {
                uint64_t at = *deadline_of(r, i);
                if (at > 0 && (due == 0 || at < due))
                        due = at;
        }
        return due;
}

void timer_restore(struct manager *m, struct run *r)
{
        if (r->heap_at > 0)
                heap_remove(m, r);
        r->due_us = earliest(r);
        if (r->due_us == 0 || m->heap_n >= m->heap_allocated)
                return; /* units_add() keeps the heap as large as there are units */
        m->heap[m->heap_n++] = r;
        heap_up(m, m->heap_n - 1);
}

void timer_set(struct manager *m, struct run *r, enum deadline which, uint64_t deadline_us)
{
        *deadline_of(r, which) = deadline_us == USEC_INFINITY ? 0 : deadline_us;
        timer_restore(m, r);
}

uint64_t timer_get(const struct run *r, enum deadline which)
{
        return *deadline_of((struct run *)r, which); /* not written through */
}

static bool timers_due(const struct manager *m)
{
        return m->heap_n > 0 && m->heap[0]->due_us <= sys_mono_us();
}

static void state_timed_out(struct manager *m, struct run *r)
{
        engine_touch(m, r);
        engine_post(m, r, EVENT_TIMEOUT, 0, 0);
}

static void watchdog_timed_out(struct manager *m, struct run *r)
{
        log_line(m, r->name, "no watchdog ping within %.3f s", (double)r->d.watchdog_us / 1e6);
        engine_post(m, r, EVENT_WATCHDOG, 0, 0);
}

static void (*const timed_out[N_DEADLINES])(struct manager *, struct run *) = {
        [DEADLINE_STATE] = state_timed_out,
        [DEADLINE_WATCHDOG] = watchdog_timed_out,
        [DEADLINE_JOB] = jobs_timed_out,
};

static void fire(struct manager *m, struct run *r, uint64_t now)
{
        for (int i = 0; i < N_DEADLINES; i++) {
                uint64_t at = timer_get(r, i);
                if (at == 0 || at > now)
                        continue;
                timer_set(m, r, i, 0);
                timed_out[i](m, r);
        }
}

/* What has happened goes first: a manager that was held up finds exits and expired deadlines at once, and an exit may
 * disarm or replace the deadline. */
static void timers_fire(struct manager *m)
{
        uint64_t now;

        if (!timers_due(m))
                return;
        exits_take(m);
        engine_settle(m);
        now = sys_mono_us();
        while (m->heap_n > 0 && m->heap[0]->due_us <= now)
                fire(m, m->heap[0], now);
}

static void timer_arm(struct manager *m)
{
        uint64_t next = m->heap_n > 0 ? m->heap[0]->due_us : 0;
        struct itimerspec t = {0};

        if (m->publish_retry_us > 0 && (next == 0 || m->publish_retry_us < next))
                next = m->publish_retry_us;
        if (m->table_retry_us > 0 && (next == 0 || m->table_retry_us < next))
                next = m->table_retry_us;
        if (m->idle_until_us > 0 && (next == 0 || m->idle_until_us < next))
                next = m->idle_until_us;
        if (m->file_states.due_us > 0 && m->file_states.pid == 0 && (next == 0 || m->file_states.due_us < next))
                next = m->file_states.due_us;
        if (m->front_retry_us > 0 && (next == 0 || m->front_retry_us < next))
                next = m->front_retry_us;
        if (m->doors_retry_us > 0 && (next == 0 || m->doors_retry_us < next))
                next = m->doors_retry_us;
        if (m->load_retry_us > 0 && (next == 0 || m->load_retry_us < next))
                next = m->load_retry_us;
        if (m->commit_retry_us > 0 && (next == 0 || m->commit_retry_us < next))
                next = m->commit_retry_us;
        if (m->upgrade.until_us > 0 && (next == 0 || m->upgrade.until_us < next))
                next = m->upgrade.until_us;
        /* A timer that fires too early is cheaper than a system call at each change: only earlier ones are set anew. */
        if (next == 0 || (m->timer_armed_us > 0 && m->timer_armed_us <= next))
                return;
        t.it_value.tv_sec = (time_t)(next / USEC_PER_SEC);
        t.it_value.tv_nsec = (long)(next % USEC_PER_SEC * 1000);
        if (timerfd_settime(m->timer_fd, TFD_TIMER_ABSTIME, &t, NULL) == 0)
                m->timer_armed_us = next;
}

static void sources_free(struct manager *m)
{
        while (m->dead_sources) {
                struct source *s = m->dead_sources;
                m->dead_sources = s->next_dead;
                free(s);
        }
}

/* 50 ms where pidfds are not to be had, 2 ms for looks and signals that were only put off. */
static int look_wait_ms(const struct manager *m)
{
        if (m->continues.n > 0)
                return 2;
        if (m->looks_later.n == 0)
                return -1;
        return m->looks_soon ? 2 : 50;
}

static void looks_due(struct manager *m)
{
        m->looks_soon = false;
        for (size_t i = 0; i < m->looks_later.n; i++)
                (void)list_add(&m->looks, m->looks_later.v[i]);
        m->looks_later.n = 0;
}

bool loop_crowd_ends(const struct manager *m)
{
        return (m->meta.flags & META_STOPPING) && m->heap_n > STOP_CROWD;
}

/* While very many units end, each exit would wake us for a commit of its own, on the processors that they need for
 * ending: what comes within a moment is taken together. A chain of units that end one by one never waits. */
static void stop_breathe(const struct manager *m)
{
        const struct timespec moment = {.tv_nsec = STOP_MOMENT_NS};

        if (loop_crowd_ends(m))
                (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
}

int loop_run(struct manager *m)
{
        while (!m->ending) {
                struct epoll_event events[32];
                int n;

                turn++;
                spare_keep();
                timers_fire(m);
                upgrade_timeout(m);
                units_turn(m);
                front_turn(m);
                doors_turn(m);
                engine_settle(m);
                if (m->notify_uncommitted && m->commit_retry_us == 0)
                        notify_take(m);
                if (m->meta.flags & META_STOPPING)
                        stop_go_on(m);
                if (m->idle.n > 0) {
                        launch_idle(m);
                        engine_settle(m);
                }
                publish_when_due(m);
                notify_started(m);
                transient_tidy(m);
                units_rest(m);
                file_states_turn(m);
                if (m->ending)
                        break;
                timer_arm(m);
                stop_breathe(m);
                n = epoll_wait(m->epoll_fd, events, (int)ARRAY_SIZE(events), look_wait_ms(m));
                if (n < 0 && errno != EINTR)
                        return -errno;
                procs_new_turn(m);
                looks_due(m);
                for (int i = 0; i < n; i++) {
                        struct source *s = events[i].data.ptr;
                        if (!s->dead)
                                s->ready(m, s, events[i].events);
                }
                sources_free(m);
                service_continue(m);
        }
        return 0;
}
