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

static const struct {
        const char *file;
        void (*list)(FILE *);
} listings[] = {{"table.txt", list_table}, {"numbers.txt", list_numbers}, {"layout.txt", list_layout}};

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

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_numbers),
                cmocka_unit_test(test_b_layout),
                cmocka_unit_test(test_c_table),
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
