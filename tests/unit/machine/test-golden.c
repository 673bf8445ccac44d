/* SPDX-License-Identifier: MIT
 *
 * Golden listings: what other versions of supd rely on, written down as text and compared line by line. A table that
 * changed is a decision to be looked at; a durable number or offset that changed is a mistake.
 *
 * Not here: whether the table is right (tests/proofs). Invariant: the listing depends on headers and rows only.
 * To accept a wanted change: test-golden --write DIRECTORY, and read the difference before it is committed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "abi/durable.h"
#include "abi/handover.h"
#include "abi/launch.h"
#include "exec/plan.h"
#include "machine/machine.h"
#include "programs/supd-manager/manager.h"
#include "state/state.h"

static const char *directory;

static void list_table(FILE *f)
{
        static const char *const kinds[] = {
                [ROW_HANDLED] = "handled", [ROW_IGNORED] = "ignored", [ROW_IMPOSSIBLE] = "impossible"};

        for (int s = 0; s < N_MACHINE_STATES; s++)
                for (int e = 0; e < N_MACHINE_EVENTS; e++) {
                        const struct machine_row *row = machine_find(s, e, UINT32_MAX);
                        do {
                                fprintf(f, "%s %s %s %s %s", machine_state_name(s), machine_event_name(e),
                                        machine_guard_name(row->guard), kinds[row->kind],
                                        machine_state_name(row->next));
                                for (int i = 0; i < MACHINE_MAX_ACTIONS && row->actions[i] != DO_NONE; i++)
                                        fprintf(f, " %s", machine_action_name(row->actions[i]));
                                fputc('\n', f);
                        } while (row++->guard != GUARD_ALWAYS);
                }
}

#define NUMBER(x)  fprintf(f, "%-32s %llu\n", #x, (unsigned long long)(x))
#define SIZE(type) fprintf(f, "%-32s %zu\n", #type, sizeof(type))
#define FIELD(type, m)                                                                                                 \
        fprintf(f, "%-32s %zu %zu\n", #type "." #m, offsetof(struct type, m), sizeof(((struct type *)0)->m))
#define HEADER(m) FIELD(durable_header, m)
#define SLOT(m)   FIELD(durable_slot, m)

static void list_numbers(FILE *f)
{
        for (int i = 0; i < N_MACHINE_STATES; i++)
                fprintf(f, "state %d %s %s %d\n", i, machine_state_name(i), machine_state_sub(i),
                        machine_state_active(i));
        for (int i = 0; i < N_MACHINE_EVENTS; i++)
                fprintf(f, "event %d %s\n", i, machine_event_name(i)); /* part of durable_header.marker */
        for (int i = 0; i < N_SERVICE_RESULTS; i++)
                fprintf(f, "result %d %s\n", i, machine_result_name(i));
        for (int i = 0; i < N_PLAN_STEPS; i++)
                fprintf(f, "step %d %s\n", i, plan_step_name(i));
        NUMBER(RECORD_NAME);
        NUMBER(RECORD_UNIT);
        NUMBER(RECORD_JOB_DONE);
        NUMBER(RECORD_META);
        NUMBER(RECORD_TEXT);
        NUMBER(RECORD_BLOB);
        NUMBER(RECORD_GROUPS);
        NUMBER(RECORD_FDS);
        NUMBER(EXEC_CONDITION);
        NUMBER(EXEC_START_PRE);
        NUMBER(EXEC_START);
        NUMBER(EXEC_START_POST);
        NUMBER(EXEC_RELOAD);
        NUMBER(EXEC_STOP);
        NUMBER(EXEC_STOP_POST);
        NUMBER(N_EXEC_KINDS); /* the list of the clean-up */
        NUMBER(LAUNCH_FREE);
        NUMBER(LAUNCH_INTENT);
        NUMBER(LAUNCH_EXECED);
        NUMBER(LAUNCH_FAILED);
        NUMBER(LAUNCH_CLAIMED);
        NUMBER(HANDOVER_STORE);
        NUMBER(HANDOVER_DROP);
        NUMBER(HANDOVER_RING);
        NUMBER(LAUNCH_MAGIC);
        NUMBER(LAUNCH_INLINE_MAX);
        NUMBER(PLAN_EXIT_CONDITION);
        NUMBER(PLAN_EXIT_ASSERT);
        NUMBER(DURABLE_REQUEST_STOP);
        NUMBER(DURABLE_REQUEST_RELOAD);
        NUMBER(DURABLE_REQUEST_REBOOT);
        NUMBER(DURABLE_REQUEST_POWER);
        NUMBER(DURABLE_OUTCOME_NONE);
        NUMBER(DURABLE_OUTCOME_DONE);
        NUMBER(DURABLE_OUTCOME_REBOOT);
        NUMBER(DURABLE_OUTCOME_POWER);
        NUMBER(DURABLE_OUTCOME_HALT);
}

static void list_regions(FILE *f)
{
        fprintf(f, "magic %s\n", DURABLE_MAGIC);
        NUMBER(DURABLE_MAJOR);
        NUMBER(DURABLE_MAX_SLOTS);
        NUMBER(DURABLE_FIRST_SLOTS);
        NUMBER(DURABLE_MAX_FDS);
        NUMBER(DURABLE_MAX_ORPHANS);
        NUMBER(DURABLE_FDS);
        NUMBER(DURABLE_ORPHANS);
        NUMBER(DURABLE_PIDS);
        NUMBER(DURABLE_SLOTS);
        NUMBER(DURABLE_RING);
        NUMBER(DURABLE_LOG_A);
        NUMBER(DURABLE_LOG_B);
        NUMBER(DURABLE_LOG_MAX);
        NUMBER(DURABLE_FILE_SIZE);
        SIZE(struct durable_header);
        SIZE(struct durable_fd);
        SIZE(struct durable_orphan);
        SIZE(struct durable_slot);
        SIZE(struct durable_exit);
        SIZE(struct record);
        SIZE(struct launch_message);
        SIZE(struct handover_message);
}

static void list_header(FILE *f)
{
        HEADER(magic);
        HEADER(major);
        HEADER(minor);
        HEADER(header_size);
        HEADER(slot_size);
        HEADER(boot_id);
        HEADER(n_slots);
        HEADER(n_orphans);
        HEADER(ring_head);
        HEADER(ring_tail);
        HEADER(keeper_pid);
        HEADER(manager_pid);
        HEADER(manager_starts);
        HEADER(requests);
        HEADER(outcome);
        HEADER(outcome_status);
        HEADER(n_fds);
        HEADER(manager_healthy);
        HEADER(commit);
        HEADER(commits);
        HEADER(marker);
        HEADER(marker_last);
        HEADER(marker_deaths);
        HEADER(manager_deaths);
        HEADER(orphans_reaped);
        HEADER(exits_recorded);
        HEADER(manager_started_us);
        HEADER(keeper_form);
        HEADER(user_mode);
        HEADER(bad_messages);
        HEADER(reboot_argument);
}

static void list_layout(FILE *f)
{
        list_regions(f);
        list_header(f);
        FIELD(durable_fd, fd);
        FIELD(durable_fd, name);
        FIELD(durable_orphan, pid);
        FIELD(durable_orphan, code);
        FIELD(durable_orphan, status);
        FIELD(durable_orphan, time_us);
        SLOT(launch);
        SLOT(generation);
        SLOT(unit);
        SLOT(role);
        SLOT(exited);
        SLOT(session);
        SLOT(step);
        SLOT(error);
        SLOT(start_time);
        SLOT(last_pid);
        SLOT(invocation);
        FIELD(durable_exit, slot);
        FIELD(durable_exit, generation);
        FIELD(durable_exit, pid);
        FIELD(durable_exit, code);
        FIELD(durable_exit, status);
        FIELD(durable_exit, time_us);
        FIELD(record, kind);
        FIELD(record, key);
        FIELD(record, size);
        FIELD(launch_message, magic);
        FIELD(launch_message, slot);
        FIELD(launch_message, generation);
        FIELD(launch_message, plan_size);
        FIELD(launch_message, in_memfd);
        FIELD(launch_message, n_extra_fds);
        FIELD(handover_message, kind);
        FIELD(handover_message, name);
}

/* What the manager keeps of a unit, a job and itself: fields are only added at the end. */
static void list_records(FILE *f)
{
        SIZE(struct process_durable);
        FIELD(process_durable, slot);
        FIELD(process_durable, generation);
        FIELD(process_durable, pid);
        FIELD(process_durable, session);
        FIELD(process_durable, flags);
        FIELD(process_durable, command_flags);
        FIELD(process_durable, code);
        FIELD(process_durable, status);
        FIELD(process_durable, last_pid);
        FIELD(process_durable, reserved);
        FIELD(process_durable, start_time);
        FIELD(process_durable, start_real_us);
        FIELD(process_durable, start_mono_us);
        FIELD(process_durable, exit_real_us);
        FIELD(process_durable, exit_mono_us);
        SIZE(struct job_durable);
        FIELD(job_durable, id);
        FIELD(job_durable, type);
        FIELD(job_durable, running);
        FIELD(job_durable, irreversible);
        FIELD(job_durable, ignore_order);
        FIELD(job_durable, request);
        SIZE(struct unit_durable);
        FIELD(unit_durable, size);
        FIELD(unit_durable, state);
        FIELD(unit_durable, result);
        FIELD(unit_durable, list);
        FIELD(unit_durable, reload_bad);
        FIELD(unit_durable, command);
        FIELD(unit_durable, reserved0);
        FIELD(unit_durable, flags);
        FIELD(unit_durable, main);
        FIELD(unit_durable, control);
        FIELD(unit_durable, job);
        FIELD(unit_durable, deadline_us);
        FIELD(unit_durable, active_enter_real);
        FIELD(unit_durable, active_enter_mono);
        FIELD(unit_durable, active_exit_real);
        FIELD(unit_durable, active_exit_mono);
        FIELD(unit_durable, inactive_enter_real);
        FIELD(unit_durable, inactive_enter_mono);
        FIELD(unit_durable, inactive_exit_real);
        FIELD(unit_durable, inactive_exit_mono);
        FIELD(unit_durable, change_real);
        FIELD(unit_durable, change_mono);
        FIELD(unit_durable, limit_begin_us);
        FIELD(unit_durable, limit_count);
        FIELD(unit_durable, n_restarts);
        FIELD(unit_durable, invocation);
        FIELD(unit_durable, status_errno);
        FIELD(unit_durable, oom_kills);
        FIELD(unit_durable, watchdog_us);
        FIELD(unit_durable, past);
        FIELD(unit_durable, job_deadline_us);
        FIELD(unit_durable, reload_begin_us);
        SIZE(struct job_done);
        FIELD(job_done, id);
        FIELD(job_done, unit);
        FIELD(job_done, type);
        FIELD(job_done, result);
        FIELD(job_done, reserved);
        FIELD(job_done, request);
        SIZE(struct meta_durable);
        FIELD(meta_durable, next_job);
        FIELD(meta_durable, blob_generation);
        FIELD(meta_durable, blob_size);
        FIELD(meta_durable, keeper_pid);
        FIELD(meta_durable, flags);
        FIELD(meta_durable, keeper_start);
        FIELD(meta_durable, started_real_us);
        FIELD(meta_durable, started_mono_us);
        FIELD(meta_durable, exit_status);
        FIELD(meta_durable, log_level);
        FIELD(meta_durable, reboot_argument);
        SIZE(struct blob_durable);
        FIELD(blob_durable, offset);
        FIELD(blob_durable, size);
        FIELD(blob_durable, generation);
        FIELD(blob_durable, read_us);
}

static void list_record_numbers(FILE *f)
{
        NUMBER(PROCESS_LAUNCHING);
        NUMBER(PROCESS_RUNNING);
        NUMBER(PROCESS_CHECK);
        NUMBER(PROCESS_CLEANUP);
        NUMBER(PROCESS_CLAIMED);
        NUMBER(PROCESS_FOREIGN);
        NUMBER(PROCESS_SPAWN_BAD);
        NUMBER(PROCESS_IDLE);
        NUMBER(UNIT_STOP_REQUESTED);
        NUMBER(UNIT_CONDITION_FAILED);
        NUMBER(UNIT_ASSERT_FAILED);
        NUMBER(UNIT_MAIN_UNKNOWN);
        NUMBER(UNIT_FROZEN);
        NUMBER(UNIT_WAIT_PIDFILE);
        NUMBER(UNIT_AUTO_RESTART);
        NUMBER(UNIT_LIMIT_HIT);
        NUMBER(UNIT_SAYS_RELOADING);
        NUMBER(UNIT_SAYS_STOPPING);
        NUMBER(UNIT_PIDFILE_READ);
        NUMBER(META_STOPPING);
        NUMBER(META_BOOTED);
        NUMBER(META_REBOOT);
        NUMBER(META_POWER);
        NUMBER(META_FORCE);
        NUMBER(META_AT_ONCE);
        NUMBER(JOB_NONE);
        NUMBER(JOB_START);
        NUMBER(JOB_VERIFY_ACTIVE);
        NUMBER(JOB_STOP);
        NUMBER(JOB_RELOAD);
        NUMBER(JOB_RESTART);
        NUMBER(JOB_NOP);
        NUMBER(RESULT_DONE);
        NUMBER(RESULT_CANCELED);
        NUMBER(RESULT_TIMEOUT);
        NUMBER(RESULT_FAILED);
        NUMBER(RESULT_DEPENDENCY);
        NUMBER(RESULT_SKIPPED);
        NUMBER(RESULT_INVALID);
        NUMBER(RESULT_ASSERT);
        NUMBER(RESULT_UNSUPPORTED);
        NUMBER(RESULT_COLLECTED);
        NUMBER(RESULT_ONCE);
}

static void list_manager(FILE *f)
{
        list_record_numbers(f);
        list_records(f);
}

static const struct {
        const char *file;
        void (*list)(FILE *);
} listings[] = {{"table.txt", list_table},
                {"numbers.txt", list_numbers},
                {"layout.txt", list_layout},
                {"records.txt", list_manager}};

static FILE *golden_open(const char *file, const char *mode)
{
        char path[4096];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/%s", directory, file);
        f = fopen(path, mode);
        if (!f)
                fail_msg("%s: %s", path, strerror(errno));
        return f;
}

static void compare(const char *file, void (*list)(FILE *))
{
        char *text = NULL, *save = NULL, wanted[512];
        size_t size = 0;
        FILE *out = open_memstream(&text, &size), *golden = golden_open(file, "r");

        assert_non_null(out);
        list(out);
        assert_int_equal(fclose(out), 0);
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                if (!fgets(wanted, sizeof(wanted), golden))
                        fail_msg("%s ends; now there is also: %s", file, line);
                wanted[strcspn(wanted, "\n")] = 0;
                if (!streq(wanted, line))
                        fail_msg("%s\n  golden: %s\n  now:    %s", file, wanted, line);
        }
        if (fgets(wanted, sizeof(wanted), golden))
                fail_msg("%s goes on; no longer there: %s", file, wanted);
        (void)fclose(golden);
        free(text);
}

static void test_a_numbers(void **state unused_)
{
        compare(listings[1].file, listings[1].list);
}

static void test_b_layout(void **state unused_)
{
        compare(listings[2].file, listings[2].list);
}

static void test_c_table(void **state unused_)
{
        compare(listings[0].file, listings[0].list);
}

static void test_d_records(void **state unused_)
{
        compare(listings[3].file, listings[3].list);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_numbers),
                cmocka_unit_test(test_b_layout),
                cmocka_unit_test(test_c_table),
                cmocka_unit_test(test_d_records),
        };

        if (argc == 3 && streq(argv[1], "--write")) {
                directory = argv[2];
                for (size_t i = 0; i < ARRAY_SIZE(listings); i++) {
                        FILE *f = golden_open(listings[i].file, "w");
                        listings[i].list(f);
                        (void)fclose(f);
                }
                return 0;
        }
        if (argc != 2)
                return 2;
        directory = argv[1];
        return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
