/* SPDX-License-Identifier: MIT
 *
 * The manager's side of the control socket for fuzz targets: operations that check what they are given, and answer
 * something. Included once by each target. Not here: the server. Invariant: what an operation may rely on is claimed.
 */
#ifndef TESTS_FUZZ_HANDS_MANAGER_OPS_H
#define TESTS_FUZZ_HANDS_MANAGER_OPS_H

#include <string.h>

#include "control/control-format.h"
#include "control/control.h"
#include "fuzz.h"

static struct control_server *ops_server; /* set by the target */

static void good_unit(const char *unit)
{
        CLAIM(unit && strlen(unit) < CONTROL_NAME_MAX);
}

static int op_enqueue(void *u unused_, const char *unit, enum job_request request, enum job_mode mode,
                      uint32_t *ret_job, struct control_error *e)
{
        const struct control_job job = {.id = 5, .unit = unit, .type = JOB_START, .result = RESULT_DONE};

        good_unit(unit);
        CLAIM((unsigned)request < 64 && (unsigned)mode < 64);
        if (unit[0] == 'n') {
                control_error_set(e, "org.freedesktop.systemd1.NoSuchUnit", "Unit %s not found.", unit);
                return -ENOENT;
        }
        control_job_new(ops_server, &job);
        control_unit_changed(ops_server, unit);
        control_job_removed(ops_server, &job);
        *ret_job = 5;
        return 0;
}

static int op_kill(void *u unused_, const char *unit, const char *whom, int signal unused_,
                   struct control_error *e unused_)
{
        good_unit(unit);
        CLAIM(whom && strlen(whom) < CONTROL_PACKET_MAX);
        return 0;
}

static int op_reset(void *u unused_, const char *unit, struct control_error *e unused_)
{
        if (unit)
                good_unit(unit);
        return 0;
}

static int op_nothing(void *u unused_, struct control_error *e unused_)
{
        return 0;
}

static int op_number(void *u unused_, uint32_t id, struct control_error *e unused_)
{
        return id % 2 ? -ENOENT : 0;
}

static int op_load(void *u unused_, const char *unit, bool only unused_, char ret_id[256],
                   struct control_error *e unused_)
{
        good_unit(unit);
        (void)snprintf(ret_id, 256, "%s", unit);
        return 0;
}

static int op_by_pid(void *u unused_, uint32_t pid unused_, char ret_id[256], struct control_error *e unused_)
{
        (void)snprintf(ret_id, 256, "a.service");
        return 0;
}

static int op_unit(void *u unused_, const char *unit, bool brief unused_, struct control_answer *a,
                   struct control_error *e unused_)
{
        good_unit(unit);
        control_put_interface(a, "Unit");
        control_put_string(a, "Id", unit);
        control_put_u64(a, "N", 7);
        return 0;
}

static int op_manager(void *u unused_, struct control_answer *a, struct control_error *e unused_)
{
        control_put_interface(a, "Manager");
        control_put_bool(a, "Yes", true);
        return 0;
}

static int op_units(void *u unused_, struct control_answer *a, struct control_error *e unused_)
{
        for (unsigned i = 0; i < 3; i++)
                control_put_unit(a, "a.service", "b", "loaded", "active", "running", i, JOB_START);
        return 0;
}

static int op_jobs(void *u unused_, int (*each)(void *, const struct control_job *), void *userdata)
{
        return each(userdata, &(struct control_job){.id = 1, .unit = "a.service"});
}

static int op_job(void *u unused_, uint32_t id, struct control_job *ret, bool *ret_ended)
{
        *ret = (struct control_job){.id = id, .unit = "a.service"};
        *ret_ended = id % 2;
        return id % 3 ? 0 : -ENOENT;
}

static int op_find(void *u unused_, const uint8_t id[16], uint32_t *ret_job)
{
        *ret_job = 77;
        return id[0] % 2 ? 0 : -ENOENT;
}

static int op_queue(void *u unused_, const char *unit, const char *whom, int signal unused_, int value unused_,
                    struct control_error *e unused_)
{
        good_unit(unit);
        CLAIM(whom);
        return 0;
}

static int op_processes(void *u unused_, const char *unit, struct control_answer *a, struct control_error *e unused_)
{
        good_unit(unit);
        control_put_group(a, "/a");
        control_put_pid(a, 5);
        return 0;
}

static int op_environment(void *u unused_, const char *const *unset, unsigned n_unset, const char *const *set,
                          unsigned n_set, struct control_error *e unused_)
{
        for (unsigned i = 0; i < n_unset; i++)
                CLAIM(unset[i] && strlen(unset[i]) < CONTROL_PACKET_MAX);
        for (unsigned i = 0; i < n_set; i++)
                CLAIM(set[i] && strlen(set[i]) < CONTROL_PACKET_MAX); /* whoever carries it out looks for the '=' */
        return 0;
}

static int op_property(void *u unused_, const char *name, const char *value, struct control_error *e unused_)
{
        CLAIM(name && value);
        return 0;
}

static int op_by_invocation(void *u unused_, const uint8_t id[16], char ret_id[256], struct control_error *e unused_)
{
        (void)snprintf(ret_id, 256, "%u.service", id[15]);
        return 0;
}

static int op_shutdown(void *u unused_, const char *what, struct control_error *e unused_)
{
        CLAIM(what);
        return 0;
}

static int op_neighbours(void *u unused_, uint32_t id unused_, bool waiting unused_,
                         int (*each)(void *, const struct control_job *), void *userdata,
                         struct control_error *e unused_)
{
        return op_jobs(NULL, each, userdata);
}

static const struct control_ops ops = {
        .enqueue = op_enqueue,
        .kill = op_kill,
        .reset_failed = op_reset,
        .reload = op_nothing,
        .cancel_job = op_number,
        .load_unit = op_load,
        .unit_by_pid = op_by_pid,
        .unit_properties = op_unit,
        .manager_properties = op_manager,
        .list_units = op_units,
        .list_jobs = op_jobs,
        .job_state = op_job,
        .find_request = op_find,
        .transaction = op_jobs,
        .queue_signal = op_queue,
        .unit_processes = op_processes,
        .environment = op_environment,
        .set_property = op_property,
        .unit_by_invocation = op_by_invocation,
        .shutdown = op_shutdown,
        .job_neighbours = op_neighbours,
};

#endif
