/* SPDX-License-Identifier: MIT
 *
 * Which file the next manager is: the installed one, or, when that does not work, the last one that did.
 *
 * A file that a package replaces is still there for whoever has it open, so the keeper keeps open what has proved
 * itself: no copy, no memory. The installed one is judged by its deaths: one that is at its end four times in a row
 * without having lived for long (three are what a poisoned unit needs to be found by its marker), that hangs before it
 * supervises, or that cannot be executed, is left aside until another file lies in its place, or until somebody asks
 * for it (daemon-reexec). When an older one does no better, the installed one has its turn again: nobody gives up.
 *
 * Not here: starting, and how a death is seen (manager.c). Invariant: an fd kept here is the keeper's own (O_PATH,
 * close-on-exec), so the inode of a file that was judged cannot become another's.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "keeper.h"

#define DEATHS_BAD 4
#define LIVED_LONG (10 * USEC_PER_SEC)
#define NO_BINARY  ((struct binary){.fd = -1})

static struct binary binary_open(const char *path)
{
        struct binary b = {.fd = open(path, O_PATH | O_CLOEXEC)};
        struct stat st;

        if (b.fd < 0)
                return NO_BINARY;
        if (fstat(b.fd, &st) < 0) {
                (void)close(b.fd);
                return NO_BINARY;
        }
        b.dev = st.st_dev;
        b.ino = st.st_ino;
        b.size = st.st_size;
        b.mtime_s = st.st_mtim.tv_sec;
        b.mtime_ns = st.st_mtim.tv_nsec;
        return b;
}

static bool binary_same(const struct binary *a, const struct binary *b)
{
        return a->fd >= 0 && b->fd >= 0 && a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
               a->mtime_s == b->mtime_s && a->mtime_ns == b->mtime_ns;
}

static void binary_set(struct binary *b, struct binary value)
{
        close_fd_p(&b->fd);
        *b = value;
}

static struct binary binary_copy(const struct binary *b)
{
        struct binary copy = *b;

        copy.fd = b->fd < 0 ? -1 : fcntl(b->fd, F_DUPFD_CLOEXEC, 0);
        return copy;
}

void binaries_init(struct manager *m)
{
        m->binaries.running = m->binaries.healthy = m->binaries.before = m->binaries.bad = NO_BINARY;
}

/* What worked, and is not what does not. */
static const struct binary *older(const struct binaries *b)
{
        if (b->healthy.fd >= 0 && !binary_same(&b->healthy, &b->bad))
                return &b->healthy;
        if (b->before.fd >= 0 && !binary_same(&b->before, &b->bad))
                return &b->before;
        return NULL;
}

static void take_installed(struct binaries *b, struct binary installed)
{
        if (!binary_same(&installed, &b->running))
                b->deaths = 0;
        binary_set(&b->running, installed);
        b->older = false;
}

static void take_older(struct keeper *k, const struct binary *other, const struct binary *installed)
{
        struct binaries *b = &k->manager.binaries;

        if (!b->older) {
                b->deaths = 0;
                atomic_fetch_add(&k->header->manager_fallbacks, 1);
                if (installed->fd < 0)
                        say("cannot run %s: it is not there; falling back to the last manager that worked",
                            k->manager.path);
                else
                        say("the installed manager keeps dying; running the last one that worked, until %s is "
                            "another file or 'supctl daemon-reexec' asks for it",
                            k->manager.path);
        }
        binary_set(&b->running, binary_copy(other));
        b->older = true;
}

void binary_choose(struct keeper *k)
{
        struct binaries *b = &k->manager.binaries;
        struct binary installed = binary_open(k->manager.path);
        bool usable = installed.fd >= 0 && !binary_same(&installed, &b->bad);
        const struct binary *other = usable ? NULL : older(b);

        if (other) {
                take_older(k, other, &installed);
                close_fd_p(&installed.fd);
        } else {
                take_installed(b, installed);
        }
        atomic_store(&k->header->manager_binary, b->older ? DURABLE_BINARY_OLDER : DURABLE_BINARY_INSTALLED);
}

int binary_older_fd(const struct manager *m)
{
        const struct binary *b = m->binaries.older ? &m->binaries.running : older(&m->binaries);

        return b ? b->fd : -1;
}

static void promote(struct binaries *b)
{
        if (b->running.fd < 0 || binary_same(&b->running, &b->healthy))
                return;
        binary_set(&b->before, b->healthy);
        b->healthy = binary_copy(&b->running);
}

/* It has had its chances: what is left aside from now on. */
static void judge(struct binaries *b)
{
        b->deaths = 0;
        if (b->older) {
                binary_set(&b->bad, NO_BINARY);
                say("the older manager does no better; taking the installed one again");
                return;
        }
        binary_set(&b->bad, binary_copy(&b->running));
        if (!older(b))
                binary_set(&b->bad, NO_BINARY); /* there is no other */
}

void binary_died(struct keeper *k, bool healthy, bool asked, uint64_t lived_us)
{
        struct binaries *b = &k->manager.binaries;
        bool proven = healthy && lived_us >= LIVED_LONG;
        bool could_not_run = !b->older && atomic_load(&k->header->manager_binary) == DURABLE_BINARY_OLDER;

        if (could_not_run) { /* its exec failed, and the child took the older one at once */
                binary_set(&b->bad, binary_copy(&b->running));
                atomic_fetch_add(&k->header->manager_fallbacks, 1);
                b->older = true;
                binary_set(&b->running, NO_BINARY);
                b->deaths = 0;
        }
        if (healthy && !b->older && (proven || asked || b->healthy.fd < 0))
                promote(b);
        if (asked)
                binary_set(&b->bad, NO_BINARY);
        b->deaths = proven || asked ? 0 : b->deaths + 1;
        if (b->deaths >= DEATHS_BAD || (k->manager.aborted && !healthy))
                judge(b);
}
