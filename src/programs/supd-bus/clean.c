/* SPDX-License-Identifier: MIT
 *
 * CleanUnit: the directories of a service that is down are removed. The manager says which, and that it is down; a
 * process of its own renames them beside themselves, which is one step each and takes no time, and only then removes
 * what may be a large tree. Between the two the manager is asked once more: a service that was started meanwhile gets
 * its directories back; one that is started later finds none and makes new ones.
 *
 * Not here: which directories (the manager). Invariant: nobody waits for a disk but that process; what it had renamed
 * when it was killed is removed by the next clean of that directory; no link is followed.
 */
#include "front.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLEANINGS_MAX 8
#define ASIDE         ".supd-clean-" /* behind "." and the name, before a number */
enum { DEPTH_MAX = 512 };

struct cleaning {
        struct front *front;
        unsigned client;         /* number of who asked */
        sd_bus_message *message; /* owned: not answered yet */
        struct buf request;      /* owned: to be asked again */
        int fd;                  /* to the process */
        sd_event_source *heard, *ended;
};

/* ---- in the process ---- */

static int remove_tree(int parent, const char *name, unsigned depth)
{
        struct dirent *e;
        int fd, r = 0;
        DIR *d;

        if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
                return 0;
        if (depth > DEPTH_MAX)
                return -ELOOP;
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        d = fd >= 0 ? fdopendir(fd) : NULL;
        if (!d)
                return -errno;
        while ((e = readdir(d)))
                if (!streq(e->d_name, ".") && !streq(e->d_name, "..")) {
                        int k = remove_tree(dirfd(d), e->d_name, depth + 1);
                        r = r < 0 ? r : k;
                }
        (void)closedir(d);
        return unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT && r == 0 ? -errno : r;
}

struct place {                                        /* one directory */
        int parent;                                   /* fd of what it lies in; -1: there is nothing */
        char name[NAME_MAX + 1], aside[NAME_MAX + 1]; /* ASIDE "": it could not be renamed */
};

/* PATH is "BASE//NAME": links on the way to the base are the administrator's, those behind it may be the service's. */
static int place_open(const char *path, unsigned number, struct place *p)
{
        const char *middle = strstr(path, "//"), *name, *slash;
        char dir[PATH_MAX];
        int n;

        *p = (struct place){.parent = -1};
        if (!middle || (size_t)(middle - path) >= sizeof dir)
                return -EINVAL;
        (void)snprintf(dir, sizeof dir, "%.*s", (int)(middle - path), path);
        p->parent = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (name = middle + 2; p->parent >= 0 && (slash = strchr(name, '/')); name = slash + 1) {
                int next;

                (void)snprintf(dir, sizeof dir, "%.*s", (int)(slash - name), name);
                next = openat(p->parent, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                n = errno;
                (void)close(p->parent);
                p->parent = next;
                errno = n;
        }
        if (p->parent < 0)
                return errno == ENOENT ? 0 : -errno;
        (void)snprintf(p->name, sizeof p->name, "%s", name);
        n = snprintf(p->aside, sizeof p->aside, ".%s" ASIDE "%d-%u", p->name, (int)getpid(), number);
        return n < 0 || (size_t)n >= sizeof p->aside ? -ENAMETOOLONG : 0;
}

static int place_rename(struct place *p)
{
        if (p->parent < 0 || renameat(p->parent, p->name, p->parent, p->aside) == 0)
                return 0;
        p->aside[0] = 0;
        return errno == ENOENT || errno == EBUSY ? 0 : -errno; /* busy: something is mounted there */
}

/* The start that came in between may have made a new one: it gives way while it is empty. With files in it, it stays,
 * and the old one lies aside. */
static void place_back(const struct place *p)
{
        if (p->parent >= 0 && p->aside[0] && renameat2(p->parent, p->aside, p->parent, p->name, RENAME_NOREPLACE) < 0 &&
            errno == EEXIST)
                (void)renameat(p->parent, p->aside, p->parent, p->name);
}

/* With what earlier ones left. */
static void place_remove(const struct place *p)
{
        size_t n = strlen(p->name);
        int fd = p->parent >= 0 ? openat(p->parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
        DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
        struct dirent *e;

        if (p->parent >= 0 && !p->aside[0])
                (void)remove_tree(p->parent, p->name, 0);
        while (d && (e = readdir(d)))
                if (e->d_name[0] == '.' && strncmp(e->d_name + 1, p->name, n) == 0 &&
                    starts_with(e->d_name + 1 + n, ASIDE))
                        (void)remove_tree(p->parent, e->d_name, 0);
        if (d)
                (void)closedir(d);
}

/* Says over FD how renaming went, and hears there whether to go on; silence is no. */
static void work(int fd, char *const *paths, unsigned n)
{
        struct place *v = calloc(n, sizeof *v);
        int32_t result = v ? 0 : -ENOMEM;
        char go = 0;

        for (unsigned i = 0; i < n && result >= 0; i++)
                result = place_open(paths[i], i, &v[i]);
        for (unsigned i = 0; i < n && result >= 0; i++)
                result = place_rename(&v[i]);
        if (send(fd, &result, sizeof result, MSG_NOSIGNAL) != sizeof result || recv(fd, &go, 1, 0) != 1)
                go = 0;
        (void)close(fd);
        for (unsigned i = v ? n : 0; i-- > 0;)
                if (go && result >= 0)
                        place_remove(&v[i]);
                else
                        place_back(&v[i]);
        _exit(0);
}

static int spawn(char *const *paths, unsigned n, int *ret_fd, pid_t *ret_pid)
{
        sigset_t none;
        int fds[2];
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
                return -errno;
        pid = fork();
        if (pid == 0) {
                int fd = dup2(fds[1], 3);

                (void)close_range(4, ~0U, 0); /* connections end with us, not with this */
                (void)sigemptyset(&none);
                (void)sigprocmask(SIG_SETMASK, &none, NULL);
                work(fd, paths, n);
        }
        (void)close(fds[1]);
        if (pid < 0) {
                (void)close(fds[0]);
                return -errno;
        }
        *ret_fd = fds[0];
        *ret_pid = pid;
        return 0;
}

/* ---- here ---- */

static struct client *client_of(const struct cleaning *g)
{
        struct client *c = g->front->clients;

        while (c && c->number != g->client)
                c = c->next;
        return c && !c->closing ? c : NULL;
}

static void answer(struct cleaning *g, const char *error, const char *text)
{
        struct client *c = client_of(g);
        sd_bus_error e = SD_BUS_ERROR_NULL;

        if (c && g->message && !error)
                (void)client_reply(c, g->message, NULL);
        if (c && g->message && error && sd_bus_error_set(&e, error, text) < 0)
                client_reply_error(c, g->message, &e);
        sd_bus_error_free(&e);
        g->message = sd_bus_message_unref(g->message);
}

/* Once the process is over and who asked has his answer. */
static void cleaning_done(struct cleaning *g)
{
        if (g->ended || g->message)
                return;
        buf_done(&g->request);
        free(g);
}

static void tell(struct cleaning *g, bool go)
{
        if (g->fd >= 0 && go)
                (void)send(g->fd, "g", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        close_fd_p(&g->fd);
}

static void on_second(void *userdata, const struct link_reply *reply)
{
        struct cleaning *g = userdata;

        tell(g, !reply->error_name);
        answer(g, reply->error_name, reply->error_message);
        cleaning_done(g);
}

static int on_heard(sd_event_source *source unused_, int fd, uint32_t events unused_, void *userdata)
{
        struct cleaning *g = userdata;
        int32_t result = -EPIPE;
        ssize_t n = recv(fd, &result, sizeof result, MSG_DONTWAIT);

        g->heard = sd_event_source_disable_unref(g->heard);
        if (n == sizeof result && result >= 0 &&
            (result = link_request(g->front->link, CONTROL_CLEAN, &g->request, on_second, g)) >= 0)
                return 0;
        tell(g, false);
        answer(g, SD_BUS_ERROR_FAILED, strerror(result < 0 ? -result : EIO));
        return 0;
}

static int on_ended(sd_event_source *source unused_, const siginfo_t *si unused_, void *userdata)
{
        struct cleaning *g = userdata;

        g->ended = sd_event_source_disable_unref(g->ended);
        g->front->n_cleanings--;
        if (g->heard) { /* killed before it said a word */
                g->heard = sd_event_source_disable_unref(g->heard);
                tell(g, false);
                answer(g, SD_BUS_ERROR_FAILED, "The process that removes them was killed");
        }
        cleaning_done(g);
        return 0;
}

/* The unit, and what of it: the last argument of either method. */
static int request_of(sd_bus_message *m, const char *unit, struct buf *ret)
{
        const char *word;
        int k, r = sd_bus_message_rewind(m, 1);

        if (r >= 0 && sd_bus_message_is_method_call(m, NULL, "CleanUnit"))
                r = sd_bus_message_skip(m, "s");
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "s");
        if (r >= 0)
                r = control_write_string(ret, CONTROL_TAG_UNIT, unit);
        while (r >= 0 && (k = sd_bus_message_read_basic(m, 's', &word)) != 0)
                r = k < 0 ? k : control_write_string(ret, CONTROL_TAG_NAME, word);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int cleaning_begin(struct call *c, char *const *paths, unsigned n)
{
        struct front *f = c->client->front;
        struct cleaning *g = calloc(1, sizeof *g);
        pid_t pid = 0;
        int r;

        if (!g)
                return -ENOMEM;
        *g = (struct cleaning){.front = f, .client = c->client->number, .fd = -1};
        r = request_of(c->message, c->unit, &g->request);
        if (r >= 0)
                r = spawn(paths, n, &g->fd, &pid);
        if (r >= 0)
                r = sd_event_add_io(f->event, &g->heard, g->fd, EPOLLIN, on_heard, g);
        if (r >= 0)
                r = sd_event_add_child(f->event, &g->ended, pid, WEXITED, on_ended, g);
        if (r < 0) { /* a process that hears nothing undoes what it did */
                sd_event_source_disable_unref(g->heard);
                close_fd_p(&g->fd);
                buf_done(&g->request);
                free(g);
                return r;
        }
        f->n_cleanings++;
        g->message = sd_bus_message_ref(c->message);
        return 1;
}

static int finish_clean(struct call *c, const struct link_reply *reply, sd_bus_error *e)
{
        struct control_reader in = control_reader_of(reply->body, reply->size);
        struct control_record rec;
        char **paths = NULL;
        unsigned n = 0;
        int k, r = 0;

        if (c->client->front->n_cleanings >= CLEANINGS_MAX)
                return sd_bus_error_set(e, ERROR_LIMITS, "Too many units are being cleaned");
        while (r >= 0 && (k = control_reader_next(&in, &rec)) != 0) {
                char **more = reallocarray(paths, n + 1, sizeof *paths);
                const char *path;

                if (!more || k < 0 || control_record_string(&rec, &path) < 0) {
                        paths = more ? more : paths;
                        r = more ? -EBADMSG : -ENOMEM;
                        break;
                }
                paths = more;
                paths[n++] = (char *)(uintptr_t)path; /* lies in the reply */
        }
        if (r >= 0)
                r = cleaning_begin(c, paths, n);
        free(paths);
        return r;
}

int do_clean(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e)
{
        cleanup_buf_ struct buf b = {0};
        char unit[CONTROL_NAME_MAX];
        int r = meant_unit(m, method, unit, e);

        if (r >= 0)
                r = request_of(m, unit, &b);
        return r < 0 ? r : call_begin(c, m, CONTROL_CLEAN, &b, finish_clean, unit, 0, e);
}
