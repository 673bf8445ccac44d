/* SPDX-License-Identifier: MIT
 *
 * The keeper with a manager: from "it starts" to "it survives everything".
 *
 * Not here: `supd -- COMMAND` (test-command.c). Invariant: everything goes through the real program; the test only
 * plays the manager and looks at the shared state.
 */
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "handover/handover.h"

static int setup(void **state)
{
        static struct fixture f;

        fixture_new(&f);
        *state = &f;
        return 0;
}

static int teardown(void **state)
{
        fixture_done(*state);
        return 0;
}

static uint32_t head(const struct fixture *f)
{
        return atomic_load_explicit(&f->header->ring_head, memory_order_acquire);
}

static const struct durable_exit *entry(const struct fixture *f, uint32_t i)
{
        return &durable_ring(f->map)[i % DURABLE_MAX_SLOTS];
}

static bool gone(pid_t pid)
{
        return kill(pid, 0) < 0 && errno == ESRCH;
}

static void test_01_manager_starts_with_state(void **state)
{
        struct fixture *f = *state;
        const char *info;

        keeper_start(f, "--unit", "a.target", NULL);
        info = manager_ask(f, "info");
        assert_int_equal(strtol(info, NULL, 10), atomic_load(&f->header->manager_pid));
        assert_non_null(strstr(info, " blocked=0 "));
        assert_non_null(strstr(info, "--unit a.target"));
        assert_non_null(strstr(info, "--runtime-dir "));
        assert_int_equal(atomic_load(&f->header->keeper_pid), f->keeper);
        assert_int_equal(atomic_load(&f->header->n_slots), DURABLE_FIRST_SLOTS);
        wait_until(atomic_load(&f->header->manager_starts) == 1); /* counted behind the fork */
        assert_int_equal(atomic_load(&f->header->manager_healthy), 1);
        assert_int_equal(atomic_load(&f->header->keeper_form), 2);
}

static void test_02_done_ends_the_keeper(void **state)
{
        struct fixture *f = *state;
        char path[128];

        keeper_start(f, NULL);
        manager_say(f, "end 7 1");
        assert_int_equal(keeper_wait(f), 7);
        (void)snprintf(path, sizeof(path), "%s/state", f->runtime_dir);
        assert_int_equal(access(path, F_OK), -1);
}

static void test_03_tracked_exit_is_recorded_once_then_reaped(void **state)
{
        struct fixture *f = *state;
        pid_t pid;

        keeper_start(f, NULL);
        pid = (pid_t)manager_number(f, "exit 3 42 9");
        assert_true(manager_number(f, "bell") > 0);
        wait_until(head(f) == 1 && gone(pid));
        assert_int_equal(entry(f, 0)->slot, 3);
        assert_int_equal(entry(f, 0)->generation, 42);
        assert_int_equal(entry(f, 0)->pid, pid);
        assert_int_equal(entry(f, 0)->code, CLD_EXITED);
        assert_int_equal(entry(f, 0)->status, 9);
        assert_int_equal(atomic_load(&durable_slots(f->map)[3].exited), 42);
        assert_int_equal(atomic_load(&durable_slots(f->map)[3].last_pid),
                         pid); /* which the service had no time to say */
        assert_int_equal(atomic_load(&durable_pids(f->map)[3]), 0);
        assert_int_equal(atomic_load(&f->header->exits_recorded), 1);
        assert_int_equal(atomic_load(&f->header->orphans_reaped), 0);
}

static void test_04_untracked_exit_is_reaped_as_orphan(void **state)
{
        struct fixture *f = *state;
        pid_t pid;

        keeper_start(f, NULL);
        pid = (pid_t)manager_number(f, "exit -1 0 5");
        wait_until(gone(pid));
        assert_int_equal(atomic_load(&f->header->orphans_reaped), 1);
        assert_int_equal(atomic_load(&durable_orphans(f->map)[0].pid), pid);
        assert_int_equal(durable_orphans(f->map)[0].status, 5);
        assert_int_equal(head(f), 0);
}

static void test_05_a_signal_is_told_as_such_and_recorded_before_reaping(void **state)
{
        struct fixture *f = *state;
        pid_t pid;

        keeper_start(f, NULL);
        pid = (pid_t)manager_number(f, "sleep 0 1 0");
        assert_int_equal(kill(pid, SIGKILL), 0);
        while (!gone(pid)) /* whenever it is gone, it is in the ring already */
                ;
        assert_int_equal(head(f), 1);
        assert_int_equal(entry(f, 0)->code, CLD_KILLED);
        assert_int_equal(entry(f, 0)->status, SIGKILL);
}

static void test_06_last_slot_and_grown_slots_are_found(void **state)
{
        struct fixture *f = *state;

        keeper_start(f, NULL);
        (void)manager_number(f, "exit %u 1 1", DURABLE_FIRST_SLOTS - 1);
        wait_until(head(f) == 1);
        assert_int_equal(entry(f, 0)->slot, DURABLE_FIRST_SLOTS - 1);
        atomic_store(&f->header->n_slots, DURABLE_FIRST_SLOTS + 3); /* the pages are allocated whole */
        (void)manager_number(f, "exit %u 1 1", DURABLE_FIRST_SLOTS + 2);
        wait_until(head(f) == 2);
        assert_int_equal(entry(f, 1)->slot, DURABLE_FIRST_SLOTS + 2);
}

static void test_07_a_stale_claim_takes_nobody_elses_exit(void **state)
{
        struct fixture *f = *state;
        pid_t pid;

        keeper_start(f, NULL);
        pid = (pid_t)manager_number(f, "stale 2 5 3");
        wait_until(gone(pid));
        assert_int_equal(head(f), 1);
        assert_int_equal(entry(f, 0)->slot, 5);
        assert_int_equal(entry(f, 0)->generation, 12);
        pid = (pid_t)manager_number(f, "stale 3 -1 4");
        wait_until(gone(pid));
        assert_int_equal(head(f), 1);
        assert_int_equal(atomic_load(&durable_orphans(f->map)[0].pid), pid);
        assert_int_equal(durable_orphans(f->map)[0].status, 4);
}

static void test_08_a_claim_may_be_made_again(void **state)
{
        struct fixture *f = *state;
        pid_t pid;

        keeper_start(f, NULL);
        pid = (pid_t)manager_number(f, "claim 4 21 6");
        assert_true(pid > 0);
        wait_until(gone(pid));
        assert_int_equal(head(f), 1);
        assert_int_equal(entry(f, 0)->slot, 4);
        assert_int_equal(entry(f, 0)->generation, 21);
        assert_int_equal(entry(f, 0)->status, 6);
        assert_int_equal(atomic_load(&durable_pids(f->map)[4]), 0); /* the last claim has left nothing there */
}

static void test_10_signals_become_requests(void **state)
{
        struct fixture *f = *state;

        keeper_start(f, NULL);
        assert_int_equal(kill(f->keeper, SIGHUP), 0);
        wait_until(atomic_load(&f->header->requests) == DURABLE_REQUEST_RELOAD);
        assert_true(manager_number(f, "bell") > 0);
        atomic_store(&f->header->requests, 0);
        assert_int_equal(kill(f->keeper, SIGPWR), 0); /* not for a supervisor */
        assert_int_equal(kill(f->keeper, SIGUSR1), 0);
        assert_int_equal(kill(f->keeper, SIGQUIT), 0);
        assert_int_equal(kill(f->keeper, SIGTERM), 0);
        wait_until(atomic_load(&f->header->requests) == DURABLE_REQUEST_STOP);
        atomic_store(&f->header->requests, 0);
        assert_int_equal(kill(f->keeper, SIGTERM), 0); /* nothing new */
        assert_int_equal(kill(f->keeper, SIGHUP), 0);
        wait_until(atomic_load(&f->header->requests) == DURABLE_REQUEST_RELOAD);
        atomic_store(&f->header->requests, 0);
        manager_say(f, "end 0 1");
        assert_int_equal(keeper_wait(f), 0);
}

static void test_11_store_keeps_fds_over_manager_deaths(void **state)
{
        struct fixture *f = *state;
        char first[64];
        pid_t dead;

        keeper_start(f, NULL);
        assert_int_equal(manager_number(f, "store one"), 0);
        assert_int_equal(manager_number(f, "store two"), 0);
        assert_int_equal(manager_number(f, "store three"), 0);
        assert_int_equal(manager_number(f, "drop two"), 0);
        wait_until(atomic_load(&durable_fds(f->map)[2].fd) > 0 && atomic_load(&durable_fds(f->map)[1].fd) < 0);
        dead = (pid_t)atomic_load(&f->header->manager_pid);
        assert_int_equal(kill(dead, SIGKILL), 0);
        manager_accept(f);
        (void)snprintf(first, sizeof(first), "%d one", atomic_load(&durable_fds(f->map)[0].fd));
        assert_string_equal(manager_ask(f, "inherited one"), first);
        (void)snprintf(first, sizeof(first), "%d three", atomic_load(&durable_fds(f->map)[2].fd));
        assert_string_equal(manager_ask(f, "inherited three"), first);
        assert_int_equal(manager_number(f, "inherited two"), -ENOENT);
        assert_int_equal(atomic_load(&f->header->n_fds), 3);
        assert_int_equal(manager_number(f, "drop three"), 0);
        wait_until(atomic_load(&f->header->n_fds) == 1);
        assert_int_equal(manager_number(f, "store one"), 0); /* replaces */
        assert_int_equal(manager_number(f, "store four"), 0);
        wait_until(atomic_load(&f->header->n_fds) == 2);
        assert_int_equal(atomic_load(&f->header->bad_messages), 0);
}

/* Over several pages of names, with holes, and down to nothing. */
static void test_13_the_store_grows_and_shrinks(void **state)
{
        enum { MANY = 130 };
        struct fixture *f = *state;

        keeper_start(f, NULL);
        for (int round = 0; round < 2; round++) {
                for (int i = 0; i < MANY; i++) {
                        assert_int_equal(manager_number(f, "store n%d", i), 0);
                }
                wait_until(atomic_load(&f->header->n_fds) == MANY);
                assert_int_equal(kill((pid_t)atomic_load(&f->header->manager_pid), SIGKILL), 0);
                manager_accept(f);
                for (int i = 0; i < MANY; i++) {
                        char wanted[64];
                        (void)snprintf(wanted, sizeof(wanted), "%d n%d", atomic_load(&durable_fds(f->map)[i].fd), i);
                        assert_string_equal(manager_ask(f, "inherited n%d", i), wanted);
                }
                for (int i = 0; i < MANY; i++) {
                        assert_int_equal(manager_number(f, "drop n%d", (i * 7 + 3) % MANY), 0);
                }
                wait_until(atomic_load(&f->header->n_fds) == 0);
        }
        assert_int_equal(atomic_load(&f->header->bad_messages), 0);
}

static void test_12_bad_messages_are_counted(void **state)
{
        struct fixture *f = *state;
        long sent;

        keeper_start(f, NULL);
        sent = manager_number(f, "bad");
        wait_until(atomic_load(&f->header->bad_messages) == (uint64_t)sent);
        assert_int_equal(atomic_load(&f->header->n_fds), 0);
        assert_int_equal(manager_number(f, "store fine"), 0);
        wait_until(atomic_load(&f->header->n_fds) == 1);
}

static void test_20_manager_killed_next_gets_the_same_ring(void **state)
{
        struct fixture *f = *state;
        pid_t dead, service;

        keeper_start(f, NULL);
        service = (pid_t)manager_number(f, "sleep 5 8 0");
        dead = (pid_t)atomic_load(&f->header->manager_pid);
        assert_int_equal(kill(dead, SIGKILL), 0);
        manager_accept(f);
        (void)manager_ask(f, "info");
        assert_int_not_equal(atomic_load(&f->header->manager_pid), dead);
        wait_until(atomic_load(&f->header->manager_starts) == 2); /* counted behind the fork */
        assert_int_equal(atomic_load(&f->header->manager_deaths), 1);
        assert_true(said(f, "was killed by signal 9"));
        assert_int_equal(kill(service, SIGTERM), 0);
        wait_until(head(f) == 1 && gone(service));
        assert_int_equal(entry(f, 0)->slot, 5);
        assert_int_equal(entry(f, 0)->generation, 8);
}

static void test_21_exit_while_no_manager_runs(void **state)
{
        struct fixture *f = *state;
        pid_t service, straggler;

        keeper_start(f, NULL);
        service = (pid_t)manager_number(f, "sleep 5 8 0");
        straggler = (pid_t)manager_number(f, "sleep -1 0 1"); /* holds the life pipe, so no manager comes */
        assert_int_equal(kill((pid_t)atomic_load(&f->header->manager_pid), SIGKILL), 0);
        wait_until(atomic_load(&f->header->manager_pid) == 0);
        assert_int_equal(kill(service, SIGKILL), 0);
        wait_until(gone(service));
        assert_int_equal(head(f), 1);
        wait_until(atomic_load(&f->header->manager_starts) == 1); /* counted behind the fork */
        assert_int_equal(kill(straggler, SIGKILL), 0);
        manager_accept(f);
        wait_until(atomic_load(&f->header->manager_starts) == 2); /* counted behind the fork */
        assert_true(manager_number(f, "bell") > 0);
}

static void test_22_straggler_delays_the_next_manager_and_is_killed(void **state)
{
        struct fixture *f = *state;
        pid_t straggler, service;
        uint64_t begin;

        keeper_start(f, NULL);
        service = (pid_t)manager_number(f, "sleep 1 1 0");
        straggler = (pid_t)manager_number(f, "sleep -1 0 1");
        begin = test_now_ms();
        assert_int_equal(kill((pid_t)atomic_load(&f->header->manager_pid), SIGKILL), 0);
        manager_accept(f);
        assert_true(test_now_ms() - begin >= 1900);
        wait_until(gone(straggler)); /* reaped as any orphan, in its turn */
        assert_int_equal(kill(service, 0), 0);
        assert_true(said(f, "left over from a start"));
}

static void test_23_a_running_service_with_the_life_pipe_is_spared(void **state)
{
        struct fixture *f = *state;
        pid_t service;

        keeper_start(f, NULL);
        service = (pid_t)manager_number(f, "sleep 1 1 1");
        assert_int_equal(kill((pid_t)atomic_load(&f->header->manager_pid), SIGKILL), 0);
        manager_accept(f);
        assert_int_equal(kill(service, 0), 0);
        assert_true(said(f, "going on without waiting"));
}

static void test_24_a_manager_that_ignores_an_exit_is_aborted(void **state)
{
        struct fixture *f = *state;
        pid_t dead;

        keeper_start(f, NULL);
        dead = (pid_t)atomic_load(&f->header->manager_pid);
        (void)manager_number(f, "exit 0 1 0"); /* the fake manager never moves ring_tail */
        wait_until(head(f) == 1);
        assert_int_equal(kill(dead, SIGSTOP), 0); /* SIGABRT does not get through, SIGKILL does */
        manager_accept(f);
        assert_true(gone(dead));
        assert_true(said(f, "aborting it"));
        atomic_store(&f->header->ring_tail, 1);
        manager_say(f, "end 0 1");
        assert_int_equal(keeper_wait(f), 0);
}

static void test_25_an_unhealthy_manager_is_started_over_and_over(void **state)
{
        struct fixture *f = *state;
        uint64_t begin = test_now_ms();

        assert_int_equal(setenv("FAKE_MANAGER_SICK", "1", 1), 0);
        keeper_start(f, NULL);
        for (int i = 0; i < 6; i++) {
                manager_say(f, "end 3 0");
                manager_accept(f);
        }
        assert_true(test_now_ms() - begin >= 10 + 20 + 40 + 80 + 160);
        assert_int_equal(atomic_load(&f->header->manager_deaths), 6);
        assert_true(said(f, "exited with status 3"));
}

/* Nothing wakes the keeper meanwhile but its own deadline. */
static void test_28_a_manager_that_falls_asleep_as_it_starts_is_replaced(void **state)
{
        struct fixture *f = *state;
        char asleep[128];

        (void)snprintf(asleep, sizeof(asleep), "%s/asleep", f->dir);
        assert_int_equal(setenv("FAKE_MANAGER_ASLEEP", asleep, 1), 0);
        keeper_start(f, NULL); /* the one that answers is the second */
        wait_until(atomic_load(&f->header->manager_starts) == 2);
        assert_true(said(f, "has not got on with its start for 10 s; aborting it"));
        assert_int_equal(atomic_load(&f->header->manager_deaths), 1);
}

/* The third argument of the system call that a process waits in; -1 = not to be known. */
static long long waits_until(pid_t pid)
{
        long long number, args[3] = {0, 0, -1};
        char path[64];
        FILE *file;

        (void)snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
        file = fopen(path, "re");
        if (!file || fscanf(file, "%lld %llx %llx %llx", &number, (unsigned long long *)&args[0],
                            (unsigned long long *)&args[1], (unsigned long long *)&args[2]) != 4)
                args[2] = -1;
        if (file)
                (void)fclose(file);
        return args[2];
}

static void test_29_with_a_healthy_manager_nothing_wakes_the_keeper(void **state)
{
        struct fixture *f = *state;

        keeper_start(f, NULL);
        (void)manager_ask(f, "info");
        if (access("/proc/self/syscall", R_OK) < 0)
                skip();
        wait_until(waits_until(f->keeper) == 0); /* ppoll(…, NULL, …): for ever */
        assert_int_equal(kill((pid_t)atomic_load(&f->header->manager_pid), SIGKILL), 0);
        manager_accept(f);
        (void)manager_ask(f, "info");
        wait_until(waits_until(f->keeper) == 0);
}

static void copy_manager(const struct fixture *f, char *ret_bin, size_t size)
{
        char program[256], to[256];

        (void)snprintf(ret_bin, size, "%s/bin", f->dir);
        assert_int_equal(mkdir(ret_bin, 0700), 0);
        (void)snprintf(program, sizeof(program), "%s/supd-manager", FAKE_LIBEXEC_DIR);
        (void)snprintf(to, sizeof(to), "%s/supd-manager", ret_bin);
        assert_int_equal(run((const char *[]){"cp", program, to, NULL}, NULL), 0);
}

static void test_26_the_last_binary_that_worked_is_the_fallback(void **state)
{
        struct fixture *f = *state;
        char bin[128], path[160];

        copy_manager(f, bin, sizeof(bin));
        assert_int_equal(setenv("SUPD_LIBEXEC_DIR", bin, 1), 0);
        keeper_start(f, NULL);
        (void)manager_ask(f, "info");
        (void)snprintf(path, sizeof(path), "%s/supd-manager", bin);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(kill((pid_t)atomic_load(&f->header->manager_pid), SIGKILL), 0);
        manager_accept(f);
        (void)manager_ask(f, "info");
        assert_true(said(f, "falling back to the last manager that worked"));
        /* an upgrade to one that runs but never gets healthy */
        assert_int_equal(run((const char *[]){"cp", "/bin/false", path, NULL}, NULL), 0);
        assert_int_equal(kill((pid_t)atomic_load(&f->header->manager_pid), SIGKILL), 0);
        manager_accept(f);
        assert_string_not_equal(manager_ask(f, "info"), "");
        assert_true(said(f, "running the last one that worked"));
        assert_int_equal(setenv("SUPD_LIBEXEC_DIR", FAKE_LIBEXEC_DIR, 1), 0);
}

static void test_27_no_manager_can_stop_so_the_keeper_does(void **state)
{
        struct fixture *f = *state;
        pid_t service;

        keeper_start(f, NULL);
        service = (pid_t)manager_number(f, "sleep 4 1 0");
        assert_int_equal(kill(f->keeper, SIGTERM), 0);
        wait_until(atomic_load(&f->header->requests) == DURABLE_REQUEST_STOP);
        for (int i = 0; i < 5; i++) {
                manager_say(f, "end 3 0");
                if (i < 4)
                        manager_accept(f);
        }
        assert_int_equal(keeper_wait(f), 1);
        assert_true(gone(service) || waitpid(service, NULL, 0) == service);
}

static void test_30_second_instance_is_refused(void **state)
{
        struct fixture *f = *state;
        struct fixture second;
        char text[64];
        pid_t first;

        keeper_start(f, NULL);
        first = f->keeper;
        second = *f;
        keeper_start_at(&second, f->runtime_dir, NULL);
        assert_int_equal(keeper_wait(&second), 1);
        (void)snprintf(text, sizeof(text), "already running as pid %d", (int)first);
        assert_true(said(f, text));
        assert_int_equal(kill(first, 0), 0);
}

static void test_31_keeper_killed_its_state_is_taken_over(void **state)
{
        struct fixture *f = *state;
        pid_t service;

        keeper_start(f, NULL);
        service = (pid_t)manager_number(f, "sleep 6 77 0");
        assert_int_equal(manager_number(f, "store lost"), 0);
        wait_until(atomic_load(&f->header->n_fds) == 1);
        atomic_store(&f->header->commits, 1234);
        assert_int_equal(kill(f->keeper, SIGKILL), 0);
        assert_int_equal(keeper_wait(f), 128 + SIGKILL);
        keeper_start(f, NULL); /* waits for the old manager, which notices by itself */
        assert_int_equal(atomic_load(&f->header->commits), 1234);
        assert_int_equal(atomic_load(&durable_pids(f->map)[6]), service);
        assert_int_equal(atomic_load(&f->header->n_fds), 0);
        wait_until(atomic_load(&f->header->manager_starts) == 2); /* counted behind the fork */
        assert_int_equal(atomic_load(&f->header->keeper_pid), f->keeper);
        assert_true(said(f, "taking over"));
}

static void test_32_a_state_of_another_boot_is_set_aside(void **state)
{
        struct fixture *f = *state;
        char path[128];

        keeper_start(f, NULL);
        atomic_store(&f->header->commits, 1234);
        assert_int_equal(kill(f->keeper, SIGKILL), 0);
        (void)keeper_wait(f);
        f->header->boot_id[0] ^= 1;
        keeper_start(f, NULL);
        assert_int_equal(atomic_load(&f->header->commits), 0);
        (void)snprintf(path, sizeof(path), "%s/state.old", f->runtime_dir);
        assert_int_equal(access(path, F_OK), 0);
}

static void test_33_bad_runtime_directories(void **state)
{
        struct fixture *f = *state;
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/link", f->dir);
        assert_int_equal(symlink(f->dir, path), 0);
        keeper_start_at(f, path, NULL);
        assert_int_equal(keeper_wait(f), 1);
        assert_true(said(f, "is a symbolic link"));
        keeper_start_at(f, f->errors, NULL);
        assert_int_equal(keeper_wait(f), 1);
        assert_true(said(f, "Not a directory"));
        assert_int_equal(mkdir(f->runtime_dir, 0700), 0);
        assert_int_equal(chmod(f->runtime_dir, 0777), 0);
        keeper_start_at(f, f->runtime_dir, NULL);
        assert_int_equal(keeper_wait(f), 1);
        assert_true(said(f, "everybody may write"));
        if (geteuid() != 0)
                skip();
        assert_int_equal(chmod(f->runtime_dir, 0755), 0);
        assert_int_equal(chown(f->runtime_dir, 12345, 12345), 0);
        keeper_start_at(f, f->runtime_dir, NULL);
        assert_int_equal(keeper_wait(f), 1);
        assert_true(said(f, "belongs to uid 12345"));
}

static void test_34_without_a_directory_the_state_is_a_memfd(void **state)
{
        struct fixture *f = *state;

        keeper_start_at(f, "/proc/none/supd", NULL);
        manager_accept(f);
        assert_true(said(f, "keeping the state in memory only"));
        assert_non_null(strstr(manager_ask(f, "info"), "--runtime-dir /proc/none/supd"));
        manager_say(f, "end 4 1");
        assert_int_equal(keeper_wait(f), 4);
}

static void test_35_on_a_full_tmpfs_the_state_is_a_memfd(void **state)
{
        struct fixture *f = *state;
        char script[512];

        if (geteuid() != 0 || run((const char *[]){"unshare", "-m", "true", NULL}, "/dev/null") != 0) {
                print_message("cannot unshare mounts here\n");
                skip();
        }
        /* 64 KiB is less than the regions need */
        (void)snprintf(script, sizeof(script),
                       "mkdir -p %s && mount -t tmpfs -o size=64k,mode=0755 none %s && exec " SUPD " --runtime-dir %s",
                       f->runtime_dir, f->runtime_dir, f->runtime_dir);
        f->keeper = fork();
        if (f->keeper == 0) {
                int fd = open(f->errors, O_WRONLY | O_CREAT | O_APPEND, 0600);
                (void)dup2(fd, STDERR_FILENO);
                (void)execlp("unshare", "unshare", "-m", "sh", "-c", script, (char *)NULL);
                _exit(121);
        }
        manager_accept(f);
        assert_true(said(f, "No space left on device"));
        manager_say(f, "end 4 1");
        assert_int_equal(keeper_wait(f), 4);
}

static void test_36_wrong_command_lines(void **state)
{
        static const struct {
                const char *words[3], *said;
        } rows[] = {
                {{"--nonsense", NULL}, "unknown option '--nonsense'"},
                {{"--user=1", NULL}, "takes no value"},
                {{"--unit", NULL}, "needs a value"},
                {{"--unit=", NULL}, "empty value"},
                {{"stray", NULL}, "unexpected argument 'stray'"},
                {{"--name", "a/b", NULL}, "is not usable"},
                {{"--", NULL}, "no command"},
        };
        struct fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                keeper_start_at(f, f->runtime_dir, rows[i].words[0], rows[i].words[1], NULL);
                assert_int_equal(keeper_wait(f), 2);
                assert_true(said(f, rows[i].said));
        }
        keeper_start_at(f, f->runtime_dir, "--version", NULL);
        assert_int_equal(keeper_wait(f), 0);
}

static void test_37_a_missing_manager_is_said_at_start(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(setenv("SUPD_LIBEXEC_DIR", "/nonexistent", 1), 0);
        keeper_start_at(f, f->runtime_dir, NULL);
        assert_int_equal(keeper_wait(f), 1);
        assert_true(said(f, "SUPD_LIBEXEC_DIR"));
        assert_int_equal(setenv("SUPD_LIBEXEC_DIR", FAKE_LIBEXEC_DIR, 1), 0);
}

static void test_40_daemon_returns_when_healthy(void **state)
{
        struct fixture *f = *state;

        keeper_start(f, "--daemon", NULL);
        assert_int_equal(keeper_wait(f), 0); /* the caller's process; the keeper is ours by subreaping */
        f->keeper = (pid_t)atomic_load(&f->header->keeper_pid);
        assert_int_equal(kill(f->keeper, 0), 0);
        assert_int_equal(getsid(f->keeper), f->keeper);
        manager_say(f, "end 0 1");
        assert_int_equal(keeper_wait(f), 0);
}

static void test_41_daemon_fails_when_no_manager_gets_healthy(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(setenv("FAKE_MANAGER_EXIT", "3", 1), 0);
        keeper_start_at(f, f->runtime_dir, "--daemon", NULL);
        assert_int_equal(keeper_wait(f), 1);
}

static bool orphans_are(const struct fixture *f, uint64_t n)
{
        return atomic_load(&f->header->orphans_reaped) >= n;
}

#define STORM 8000 /* at once: there are 32768 pids by default, and others need some */

/* SUPD_TEST_ORPHANS=100000 for more of them, one storm behind the other. */
static void test_50_storm_of_orphans(void **state)
{
        struct fixture *f = *state;
        const char *more = getenv("SUPD_TEST_ORPHANS");
        unsigned n = more ? (unsigned)strtoul(more, NULL, 10) : STORM;
        uint64_t begin, told = 0;

        keeper_start(f, NULL);
        begin = test_now_ms();
        for (unsigned i = 0; i < n; i += STORM)
                assert_int_equal(manager_number(f, "storm %u", MIN2(n - i, STORM)), 1);
        (void)manager_number(f, "exit 9 1 3"); /* in the middle of it */
        while (!orphans_are(f, n) && test_now_ms() < begin + PATIENCE_MS) {
                if (told == 0 && head(f) == 1)
                        told = test_now_ms();
                (void)usleep(500);
        }
        assert_true(orphans_are(f, n));
        print_message("%u orphans: forked and reaped in %llu ms; the exit that came with them told after %llu ms\n", n,
                      (unsigned long long)(test_now_ms() - begin),
                      (unsigned long long)((told ? told : test_now_ms()) - begin));
        wait_until(head(f) == 1);
        assert_int_equal(entry(f, 0)->slot, 9);
}

static void test_51_the_ring_goes_round(void **state)
{
        struct fixture *f = *state;

        const uint32_t first = DURABLE_MAX_SLOTS - 236, n = 400;
        const off_t page = (off_t)((DURABLE_RING + (uint64_t)first * sizeof(struct durable_exit)) & ~UINT64_C(4095));

        /* A lap takes long: pretend that a keeper has died near the end of its first one. */
        keeper_start(f, NULL);
        atomic_store(&f->header->ring_tail, first);
        atomic_store(&f->header->ring_head, first);
        assert_int_equal(kill(f->keeper, SIGKILL), 0);
        (void)keeper_wait(f);
        keeper_start(f, NULL);
        for (uint32_t i = 0; i < n; i++) {
                (void)manager_number(f, "exit %u %u 1", i % 7, i + 1);
                wait_until(head(f) == first + i + 1);
                assert_int_equal(entry(f, first + i)->generation, i + 1);
                if (i == 0)
                        assert_int_equal(lseek(f->state_fd, page, SEEK_DATA), page);
                atomic_store(&f->header->ring_tail, first + i + 1);
        }
        assert_int_equal(lseek(f->state_fd, page, SEEK_HOLE), page); /* given back */
}

static void test_52_claim_race(void **state)
{
        struct fixture *f = *state;

        keeper_start(f, NULL);
        assert_int_equal(manager_number(f, "race 20000"), 0);
}

/* Kilobytes of /proc/PID/status: what a process has of its own, its stack aside. */
static unsigned long data_of(pid_t pid)
{
        char path[64], line[256];
        unsigned long kb = 0;
        FILE *file;

        (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
        file = fopen(path, "re");
        while (file && fgets(line, sizeof(line), file))
                if (sscanf(line, "VmData: %lu kB", &kb) == 1)
                        break;
        if (file)
                (void)fclose(file);
        return kb;
}

static void test_60_its_memory_does_not_grow(void **state)
{
        struct fixture *f = *state;
        unsigned long before;
        uint32_t n = 0;

        keeper_start(f, NULL);
        before = data_of(f->keeper);
        assert_true(before > 0);
        for (unsigned round = 0; round < 3; round++) {
                for (unsigned i = 0; i < 20; i++) {
                        (void)manager_number(f, "exit %u %u 1", i, ++n);
                        (void)manager_number(f, "exit -1 0 0");
                        wait_until(head(f) == n);
                        atomic_store(&f->header->ring_tail, n);
                }
                assert_int_equal(manager_number(f, "store fd-%u", round), 0);
                assert_int_equal(kill((pid_t)atomic_load(&f->header->manager_pid), SIGKILL), 0);
                manager_accept(f);
        }
        assert_int_equal(data_of(f->keeper), before);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        /* One of everything that a keeper lives through: for the one whose allocator has nothing. */
        const struct CMUnitTest life[] = {
                TEST(test_02_done_ends_the_keeper),
                TEST(test_03_tracked_exit_is_recorded_once_then_reaped),
                TEST(test_04_untracked_exit_is_reaped_as_orphan),
                TEST(test_07_a_stale_claim_takes_nobody_elses_exit),
                TEST(test_10_signals_become_requests),
                TEST(test_11_store_keeps_fds_over_manager_deaths),
                TEST(test_12_bad_messages_are_counted),
                TEST(test_21_exit_while_no_manager_runs),
                TEST(test_22_straggler_delays_the_next_manager_and_is_killed),
                TEST(test_24_a_manager_that_ignores_an_exit_is_aborted),
                TEST(test_26_the_last_binary_that_worked_is_the_fallback),
                TEST(test_27_no_manager_can_stop_so_the_keeper_does),
                TEST(test_29_with_a_healthy_manager_nothing_wakes_the_keeper),
                TEST(test_31_keeper_killed_its_state_is_taken_over),
                TEST(test_35_on_a_full_tmpfs_the_state_is_a_memfd),
                TEST(test_40_daemon_returns_when_healthy),
                TEST(test_50_storm_of_orphans),
                TEST(test_51_the_ring_goes_round),
                TEST(test_60_its_memory_does_not_grow),
        };
        const struct CMUnitTest tests[] = {
                TEST(test_01_manager_starts_with_state),
                TEST(test_02_done_ends_the_keeper),
                TEST(test_03_tracked_exit_is_recorded_once_then_reaped),
                TEST(test_04_untracked_exit_is_reaped_as_orphan),
                TEST(test_05_a_signal_is_told_as_such_and_recorded_before_reaping),
                TEST(test_06_last_slot_and_grown_slots_are_found),
                TEST(test_07_a_stale_claim_takes_nobody_elses_exit),
                TEST(test_08_a_claim_may_be_made_again),
                TEST(test_10_signals_become_requests),
                TEST(test_11_store_keeps_fds_over_manager_deaths),
                TEST(test_12_bad_messages_are_counted),
                TEST(test_13_the_store_grows_and_shrinks),
                TEST(test_20_manager_killed_next_gets_the_same_ring),
                TEST(test_21_exit_while_no_manager_runs),
                TEST(test_22_straggler_delays_the_next_manager_and_is_killed),
                TEST(test_23_a_running_service_with_the_life_pipe_is_spared),
                TEST(test_24_a_manager_that_ignores_an_exit_is_aborted),
                TEST(test_25_an_unhealthy_manager_is_started_over_and_over),
                TEST(test_26_the_last_binary_that_worked_is_the_fallback),
                TEST(test_27_no_manager_can_stop_so_the_keeper_does),
                TEST(test_28_a_manager_that_falls_asleep_as_it_starts_is_replaced),
                TEST(test_29_with_a_healthy_manager_nothing_wakes_the_keeper),
                TEST(test_30_second_instance_is_refused),
                TEST(test_31_keeper_killed_its_state_is_taken_over),
                TEST(test_32_a_state_of_another_boot_is_set_aside),
                TEST(test_33_bad_runtime_directories),
                TEST(test_34_without_a_directory_the_state_is_a_memfd),
                TEST(test_35_on_a_full_tmpfs_the_state_is_a_memfd),
                TEST(test_36_wrong_command_lines),
                TEST(test_37_a_missing_manager_is_said_at_start),
                TEST(test_40_daemon_returns_when_healthy),
                TEST(test_41_daemon_fails_when_no_manager_gets_healthy),
                TEST(test_50_storm_of_orphans),
                TEST(test_51_the_ring_goes_round),
                TEST(test_52_claim_race),
                TEST(test_60_its_memory_does_not_grow),
        };

        (void)setenv("SUPD_LIBEXEC_DIR", FAKE_LIBEXEC_DIR, 1);
        if (argc > 1 && streq(argv[1], "--life"))
                return cmocka_run_group_tests_name("keeper without memory", life, NULL, NULL);
        if (argc > 1)
                cmocka_set_test_filter(argv[1]);
        return cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}
