/* SPDX-License-Identifier: MIT
 *
 * What the manager says to the launcher (supd-exec), and how a start comes to its end.
 *
 * The manager starts one launcher, clone(CLONE_VM)+exec, with the fds named in its argv (supd-exec
 * --fds=STATE,BELL,PLANS,LIFE --protocol=LAUNCH_PROTOCOL) and then writes one SOCK_SEQPACKET message per start into
 * PLANS. Each message gets a process of its own: that child of the launcher (the intermediate) calls setsid, does what
 * may block, vforks the service-to-be, waits for its exec, notes the end in the slot, rings the bell and exits. So the
 * service is orphaned on purpose and adopted by the keeper, and whatever blocks blocks one start only. Two
 * intermediates, the spares, are forked ahead (from the first start on) and take their messages from PLANS themselves,
 * so that a start that comes alone waits for one wake-up and one vfork; while there is no spare the launcher takes the
 * messages, forking for each.
 *
 *   1. intermediate: everything of the plan that needs no identity of its own
 *   2. service-to-be (vforked): first act: durable_pids[slot] and durable_slot.last_pid = getpid()
 *   3. service-to-be: the rest of the plan, exec
 *   4. intermediate: slot.session, slot.start_time, then slot.launch = EXECED or FAILED (+ step, error), bell, exit
 *      (start_time is CLOCK_BOOTTIME before and after the fork, in ticks, where both are the same; else it is read from
 *      /proc/PID/stat: the same number)
 *
 * With PLAN_FLAG_NOTE_LEFT the intermediate gives back BELL, PLANS and LIFE behind 4 and stays, a subreaper, until the
 * service has ended; then it notes in slot.left what that has left behind, and exits.
 *
 * A failed step makes the service-to-be exit with the exit code systemd documents for it (systemd.exec(5), "Process
 * exit codes": 200 CHDIR, 203 EXEC, …), so the exit also arrives through the keeper. A failure before step 2 leaves the
 * pid 0. When an intermediate dies without noting the end, the launcher notes it for it (step LAUNCHER_DIED); the
 * kernel writes the head of what a spare takes into memory of the launcher's, so this holds for spares, too. When PLANS
 * reads end-of-file (the manager is dead) the launcher and the spares exit. A spare also dies with the launcher.
 *
 * Without an exit code and without a pid: steps PLAN, FORK, LAUNCHER_DIED before the fork, ENVIRONMENT_FILE (systemd's
 * Result=resources). EXECED with a step that is not NONE: it runs, but that step was not carried out as written (the
 * unit's own log could not be opened, the bounding set could not be made smaller).
 * Checks and clean-ups have no exec: for them EXECED means that the work has begun; the exit tells the rest.
 *
 * The launcher's end of PLANS and LIFE are held by every process on its way to exec. So when the manager's end of PLANS
 * hangs up (EPOLLHUP), no start sent there can happen any more, and a slot that is still in INTENT then never got a pid
 * that will exec: it can be started again. A launcher that died meanwhile leaves its intermediates to finish.
 */
#ifndef SUPD_ABI_LAUNCH_H
#define SUPD_ABI_LAUNCH_H

#include <stdint.h>

/* What the two have to agree upon: this message, the plan (exec/plan-format.h), the slots (abi/durable.h). A launcher
 * of another protocol exits with LAUNCH_EXIT_PROTOCOL before it takes anything, and `supd-exec --protocol=N` says by 0
 * or that status whether it speaks N. It changes when one of two versions could misread the other. */
#define LAUNCH_PROTOCOL      1
#define LAUNCH_EXIT_PROTOCOL 3

#define LAUNCH_MAGIC      UINT32_C(0x4c505553) /* "SUPL" */
#define LAUNCH_INLINE_MAX 32768u               /* larger plans come in a memfd by SCM_RIGHTS */

struct launch_message {
        uint32_t magic;
        uint32_t slot, generation;
        uint32_t plan_size;   /* bytes that follow, or that the memfd holds */
        uint32_t in_memfd;    /* 1: the first passed fd is a memfd with the plan */
        uint32_t n_extra_fds; /* further passed fds, for the service, in the order of the plan (LISTEN_FDS) */
};

#endif
