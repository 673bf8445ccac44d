/* SPDX-License-Identifier: MIT
 *
 * The runtime directory and the durable state in it: created or taken over, locked, backed with memory.
 *
 * Not here: what slots and records mean. Invariant: the state file is locked (OFD lock) as long as the keeper, or a
 * manager or launcher it started, has it open, so two generations never work on one state. This is the only file that
 * may wait outside the loop: at start, for the manager of a keeper that died.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "abi/durable-file.h"
#include "keeper.h"

#define STATE_NAME    "state"
#define STATE_OLD     "state.old"
#define KEEPER_MAP    DURABLE_LOG_A /* the logs are the manager's */
#define TAKEOVER_WAIT (5 * USEC_PER_SEC)
#define RING_SLACK    128u /* entries of memory beyond the need, so that not each exit has to ask */

static int hex_value(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* All zero where /proc does not tell: then a state is never taken over. */
static void boot_id_read(uint8_t ret_id[16])
{
        cleanup_close_ int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
        char text[64];
        uint8_t id[16] = {0};
        unsigned digits = 0;
        ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text));

        memset(ret_id, 0, 16);
        for (ssize_t i = 0; i < n && digits < 32; i++) {
                int v = hex_value(text[i]);
                if (v < 0)
                        continue;
                id[digits / 2] = (uint8_t)(id[digits / 2] << 4 | v);
                digits++;
        }
        if (digits == 32)
                memcpy(ret_id, id, 16);
}

/* Opens the runtime directory. 0; 1 = not usable for files, take a memfd; negative errno = refused (said). */
static int dir_open(const char *path, int *ret_fd)
{
        cleanup_close_ int fd = -1;
        struct stat st;

        if (mkdir(path, 0755) == 0)
                (void)chmod(path, 0755);
        else if (errno != EEXIST) {
                say("cannot create runtime directory %s: %s; keeping the state in memory only", path, strerror(errno));
                return 1;
        }
        fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0) {
                int e = errno;
                if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
                        say("runtime directory %s is a symbolic link; remove it or use --runtime-dir", path);
                else
                        say("cannot open runtime directory %s: %s; fix it or use --runtime-dir", path, strerror(e));
                return -e;
        }
        if (st.st_uid != geteuid()) {
                say("runtime directory %s belongs to uid %lu, not to us (%lu); remove it or use --runtime-dir", path,
                    (unsigned long)st.st_uid, (unsigned long)geteuid());
                return -EPERM;
        }
        if (st.st_mode & S_IWOTH) {
                say("everybody may write to runtime directory %s; chmod o-w it or use --runtime-dir", path);
                return -EPERM;
        }
        *ret_fd = take_fd(&fd);
        return 0;
}

static uint32_t keeper_pid_of(int fd)
{
        uint32_t pid = 0;

        if (pread(fd, &pid, sizeof(pid), offsetof(struct durable_header, keeper_pid)) != (ssize_t)sizeof(pid))
                return 0;
        return pid;
}

static int lock_once(int fd)
{
        struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

        return fcntl(fd, F_OFD_SETLK, &l) < 0 ? -errno : 0;
}

/* Locks the state. When its keeper is dead but the lock is held, the manager of that keeper is on its way out. */
static int state_lock(int fd, const char *dir)
{
        const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
        uint64_t end = now_us() + TAKEOVER_WAIT;
        uint32_t pid;
        int r = lock_once(fd);

        while (r == -EAGAIN || r == -EACCES) {
                pid = keeper_pid_of(fd);
                if (pid > 0 && pid != (uint32_t)getpid() && (kill((pid_t)pid, 0) == 0 || errno == EPERM)) {
                        say("already running as pid %u in %s; stop it, or use another --name or --runtime-dir", pid,
                            dir);
                        return -EBUSY;
                }
                if (now_us() >= end) {
                        say("the state in %s is still in use by the manager of a dead supd; end that process", dir);
                        return -EBUSY;
                }
                (void)nanosleep(&pause, NULL);
                r = lock_once(fd);
        }
        if (r < 0)
                say("cannot lock %s/" STATE_NAME ": %s", dir, strerror(-r));
        return r;
}

/* An ending keeper unlinks or renames the file that we opened before it was locked. */
static bool still_there(int dir_fd, int fd)
{
        struct stat a, b;

        return fstat(fd, &a) == 0 && fstatat(dir_fd, STATE_NAME, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
               a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* Opens and locks RUNTIME_DIR/state. 0; 1 = take a memfd; negative errno = refused (said). */
static int file_open(int dir_fd, const char *dir, int *ret_fd)
{
        for (unsigned i = 0; i < 8; i++) {
                cleanup_close_ int fd = openat(dir_fd, STATE_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
                struct stat st;
                int r;

                if (fd < 0 && (errno == EROFS || errno == EACCES || errno == ENOSPC || errno == EDQUOT)) {
                        say("cannot write to %s: %s; keeping the state in memory only", dir, strerror(errno));
                        return 1;
                }
                if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid()) {
                        say("%s/" STATE_NAME " is not a file of ours; remove it", dir);
                        return -EPERM;
                }
                r = state_lock(fd, dir);
                if (r < 0)
                        return r;
                if (still_there(dir_fd, fd)) {
                        *ret_fd = take_fd(&fd);
                        return 0;
                }
        }
        say("%s/" STATE_NAME " keeps being replaced; is another supd starting there?", dir);
        return -EBUSY;
}

/* Of a layout that we know, and with numbers that lead nowhere else. */
static bool header_readable(const struct durable_header *h)
{
        return memcmp(h->magic, DURABLE_MAGIC, sizeof(h->magic)) == 0 && h->major == DURABLE_MAJOR &&
               h->header_size == sizeof(*h) && h->slot_size == sizeof(struct durable_slot) &&
               h->n_slots >= DURABLE_FIRST_SLOTS && h->n_slots <= DURABLE_MAX_SLOTS;
}

/* Is this the state of a keeper that died in this boot? As PID 1 there cannot have been one. */
static bool state_valid(int fd, const uint8_t boot_id[16])
{
        static const uint8_t unknown[16];
        struct durable_header h;
        struct stat st;

        if (getpid() == 1 || pread(fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h) || fstat(fd, &st) < 0)
                return false;
        return header_readable(&h) && memcmp(h.boot_id, boot_id, 16) == 0 && memcmp(boot_id, unknown, 16) != 0 &&
               (uint64_t)st.st_size == DURABLE_FILE_SIZE;
}

/* Memory for everything that n_slots slots need, the ring apart. */
static int file_allocate(int fd, uint32_t n_slots)
{
        int r;

        if (ftruncate(fd, (off_t)DURABLE_FILE_SIZE) < 0)
                return -errno;
        r = durable_allocate(fd, 0, DURABLE_FDS + DURABLE_MAX_FDS * sizeof(struct durable_fd));
        if (r < 0)
                return r;
        r = durable_allocate(fd, DURABLE_ORPHANS, DURABLE_MAX_ORPHANS * sizeof(struct durable_orphan));
        if (r < 0)
                return r;
        r = durable_allocate(fd, DURABLE_RING, (uint64_t)(n_slots + RING_SLACK) * sizeof(struct durable_exit));
        if (r < 0)
                return r;
        return durable_allocate_slots(fd, 0, n_slots);
}

static int map_state(struct keeper *k)
{
        void *map = mmap(NULL, KEEPER_MAP, PROT_READ | PROT_WRITE, MAP_SHARED, k->state_fd, 0);

        if (map == MAP_FAILED) {
                say("cannot map the state: %s; is the address space limited (ulimit -v)?", strerror(errno));
                return -errno;
        }
        k->map = map;
        k->header = durable_header_of(map);
        return 0;
}

static int memfd_open(struct keeper *k)
{
        int r;

        close_fd_p(&k->state_fd);
        close_fd_p(&k->dir_fd);
        k->state_fd = memfd_create("supd-state", MFD_CLOEXEC);
        r = k->state_fd < 0 ? -errno : file_allocate(k->state_fd, DURABLE_FIRST_SLOTS);
        if (r < 0)
                say("cannot allocate memory for the state: %s", strerror(-r));
        return r;
}

/* The state of a dead keeper is set aside, an empty file takes its place. The old lock is kept until then. */
static int file_renew(struct keeper *k)
{
        cleanup_close_ int old = take_fd(&k->state_fd);
        struct stat st;

        if (fstat(old, &st) == 0 && st.st_size == 0) {
                k->state_fd = take_fd(&old);
                return 0;
        }
        if (renameat(k->dir_fd, STATE_NAME, k->dir_fd, STATE_OLD) < 0)
                return -errno;
        return file_open(k->dir_fd, k->options.runtime_dir, &k->state_fd);
}

/* Fills k->state_fd with a locked file; *ret_kept tells whether its contents count. */
static int state_obtain(struct keeper *k, const uint8_t boot_id[16], bool *ret_kept)
{
        int r = dir_open(k->options.runtime_dir, &k->dir_fd);

        if (r == 0)
                r = file_open(k->dir_fd, k->options.runtime_dir, &k->state_fd);
        if (r < 0)
                return r;
        if (r > 0)
                return memfd_open(k);
        if (state_valid(k->state_fd, boot_id)) {
                *ret_kept = true;
                return 0;
        }
        r = file_renew(k);
        if (r < 0)
                return r;
        if (r == 0)
                r = file_allocate(k->state_fd, DURABLE_FIRST_SLOTS);
        if (r == 0)
                return 0;
        say("cannot allocate the state in %s: %s; keeping it in memory only", k->options.runtime_dir, strerror(-r));
        (void)unlinkat(k->dir_fd, STATE_NAME, 0);
        return memfd_open(k);
}

static void header_create(struct durable_header *h, const uint8_t boot_id[16])
{
        memset((void *)h, 0, sizeof(*h));
        h->major = DURABLE_MAJOR;
        h->minor = DURABLE_MINOR;
        h->header_size = sizeof(struct durable_header);
        h->slot_size = sizeof(struct durable_slot);
        memcpy(h->boot_id, boot_id, 16);
        atomic_store(&h->n_slots, DURABLE_FIRST_SLOTS);
        memcpy(h->magic, DURABLE_MAGIC, sizeof(h->magic)); /* last: from here on the file is valid */
}

/* What of a taken-over state cannot be true any more: the fds of the dead keeper, the end it was asked for. */
static void header_take_over(struct keeper *k)
{
        for (uint32_t i = 0; i < store_entries(k); i++)
                atomic_store(&durable_fds(k->map)[i].fd, -1);
        atomic_store(&k->header->n_fds, 0);
        atomic_fetch_and(&k->header->requests, DURABLE_REQUEST_RELOAD); /* an end was asked of the other, not of us */
        atomic_store(&k->header->outcome, DURABLE_OUTCOME_NONE);
        atomic_store(&k->header->manager_pid, 0);
        say("taking over the services of an earlier supd (pid %u)", atomic_load(&k->header->keeper_pid));
        manager_take_over(k);
}

int state_open(struct keeper *k)
{
        uint8_t boot_id[16];
        bool kept = false;
        int r;

        boot_id_read(boot_id);
        r = state_obtain(k, boot_id, &kept);
        if (r >= 0)
                r = map_state(k);
        if (r < 0)
                return r;
        if (kept)
                header_take_over(k);
        else
                header_create(k->header, boot_id);
        atomic_store(&k->header->keeper_pid, (uint32_t)getpid());
        atomic_store(&k->header->keeper_form, k->form == FORM_SUPERVISOR ? DURABLE_FORM_SUPERVISOR
                                              : k->form == FORM_MACHINE  ? DURABLE_FORM_MACHINE
                                                                         : DURABLE_FORM_CONTAINER);
        atomic_store(&k->header->user_mode, k->options.user);
        k->ring_ready = k->ring_released = atomic_load(&k->header->ring_tail);
        return ring_reserve(k);
}

int state_take_up(struct keeper *k, int fd)
{
        struct stat st;
        int r;

        if (fstat(fd, &st) < 0)
                return -errno;
        if ((uint64_t)st.st_size != DURABLE_FILE_SIZE)
                return -EBADMSG;
        k->state_fd = fd;
        r = map_state(k);
        return r < 0 ? r : header_readable(k->header) ? 0 : -EPROTONOSUPPORT;
}

void state_unlink(struct keeper *k)
{
        if (k->dir_fd >= 0)
                (void)unlinkat(k->dir_fd, STATE_NAME, 0);
}

static int ring_allocate(struct keeper *k, uint32_t from, uint32_t n)
{
        int r = 0;

        while (n > 0 && r >= 0) { /* at most two pieces: the ring wraps once */
                uint32_t i = from % DURABLE_MAX_SLOTS, piece = MIN2(n, DURABLE_MAX_SLOTS - i);

                r = durable_allocate(k->state_fd, DURABLE_RING + (uint64_t)i * sizeof(struct durable_exit),
                                     (uint64_t)piece * sizeof(struct durable_exit));
                from += piece;
                n -= piece;
        }
        return r;
}

/* Gives back the whole pages that lie behind the manager's tail. A wrap is given back in the next lap. */
static void ring_release(struct keeper *k, uint32_t tail)
{
        const uint64_t page = 4096;
        uint64_t from = (uint64_t)(k->ring_released % DURABLE_MAX_SLOTS) * sizeof(struct durable_exit) / page * page;
        uint64_t to = (uint64_t)(tail % DURABLE_MAX_SLOTS) * sizeof(struct durable_exit) / page * page;

        if (to > from)
                (void)fallocate(k->state_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(DURABLE_RING + from),
                                (off_t)(to - from));
        k->ring_released = tail;
}

/*
 * The ring walks through all its 2.6 MB whatever n_slots is, so memory walks along: always for the n_slots entries to
 * come (more cannot be outstanding), given back behind the tail. Above a quarter of the ring it simply stays whole.
 */
int ring_reserve(struct keeper *k)
{
        uint32_t n_slots = MIN2(atomic_load(&k->header->n_slots), DURABLE_MAX_SLOTS);
        uint32_t head = atomic_load_explicit(&k->header->ring_head, memory_order_relaxed);
        uint32_t tail = atomic_load(&k->header->ring_tail);
        uint32_t ready = k->ring_ready - head; /* entries of memory before us */
        int r = 0;

        if (k->ring_whole || ready >= n_slots)
                return 0;
        if (head - tail > DURABLE_MAX_SLOTS) /* nonsense in the header: nothing is given back on its word */
                tail = k->ring_released;
        if (n_slots > DURABLE_MAX_SLOTS / 4) {
                r = ring_allocate(k, 0, DURABLE_MAX_SLOTS);
                k->ring_whole = r >= 0;
        } else {
                ring_release(k, tail);
                r = ring_allocate(k, k->ring_ready, n_slots - ready + RING_SLACK);
                if (r >= 0)
                        k->ring_ready += n_slots - ready + RING_SLACK;
        }
        if (r >= 0 || ready > 0) {
                k->ring_short = false;
                return 0;
        }
        if (!k->ring_short)
                say("no memory for the exit ring: %s; exits wait until %s has room", strerror(-r),
                    k->options.runtime_dir);
        k->ring_short = true;
        k->ring_retry_us = now_us() + 100 * USEC_PER_MSEC;
        return -ENOSPC;
}
