/* SPDX-License-Identifier: MIT
 *
 * The named semaphore beside the status table, writer's side: tried, never waited for, and replaced when it is held too
 * long or damaged. Not here: when to try, and for how long it may stay busy (publish.c).
 *
 * Invariant: no call blocks; no call touches a semaphore outside the guard; a semaphore that does not look pristine is
 * never posted (glibc would abort the process); the name is replaced only when it is ours to replace.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "status/guard.h"
#include "status/table.h"

void lock_close(struct status_lock *l)
{
        if (l->sem)
                (void)sem_close(l->sem);
        l->sem = NULL;
        l->busy_since_us = 0;
        l->looked_later = false;
}

/* Whose is the file behind the name? The libc has no call for that; this is where glibc and musl keep it. */
static int lock_owner(const char *name, uint32_t *ret)
{
        char path[STATUS_NAME_MAX + 16];
        struct stat st;

#ifdef __GLIBC__
        (void)snprintf(path, sizeof(path), "/dev/shm/sem.%s", name + 1);
#else
        (void)snprintf(path, sizeof(path), "/dev/shm/%s", name + 1);
#endif
        if (lstat(path, &st) < 0)
                return -errno;
        *ret = (uint32_t)st.st_uid;
        return 0;
}

int lock_create(struct status_lock *l, uint32_t owner)
{
        uint32_t uid;
        int r;

        lock_close(l);
        l->generation++;
        if (l->generation == 0)
                l->generation = 1;
        r = lock_owner(l->name, &uid);
        if (r == 0 && uid != owner)
                return -EPERM; /* somebody squats the name: leave it alone */
        (void)sem_unlink(l->name);
        l->sem = sem_open(l->name, O_CREAT | O_EXCL, 0600, 1);
        if (l->sem == SEM_FAILED) {
                l->sem = NULL;
                return -errno;
        }
        return 0;
}

enum lock_state lock_try(struct status_lock *l)
{
        volatile enum lock_state state = LOCK_BROKEN;
        int value;

        if (!l->sem)
                return LOCK_NONE;
        if (sigsetjmp(guard_enter(l->sem, sizeof(*l->sem), NULL, 0), 0) == 0) {
                if (!status_sem_sane(l->sem))
                        state = LOCK_BROKEN;
                else if (sem_trywait(l->sem) == 0)
                        state = sem_getvalue(l->sem, &value) == 0 && value == 0 ? LOCK_TAKEN : LOCK_BROKEN;
                else
                        state = errno == EAGAIN ? LOCK_BUSY : LOCK_BROKEN;
                guard_leave();
        } else
                state = LOCK_BROKEN;
        return state;
}

enum lock_state lock_look(struct status_lock *l)
{
        volatile enum lock_state state = LOCK_BROKEN;
        int value;

        if (!l->sem)
                return LOCK_NONE;
        if (sigsetjmp(guard_enter(l->sem, sizeof(*l->sem), NULL, 0), 0) == 0) {
                if (status_sem_sane(l->sem) && sem_getvalue(l->sem, &value) == 0)
                        state = value == 0 ? LOCK_BUSY : LOCK_TAKEN;
                guard_leave();
        } else
                state = LOCK_BROKEN;
        return state;
}

bool lock_release(struct status_lock *l)
{
        volatile bool posted = false;
        int value;

        if (sigsetjmp(guard_enter(l->sem, sizeof(*l->sem), NULL, 0), 0) == 0) {
                if (status_sem_sane(l->sem) && sem_getvalue(l->sem, &value) == 0 && value == 0)
                        posted = sem_post(l->sem) == 0;
                guard_leave();
        } else
                posted = false;
        return posted;
}
