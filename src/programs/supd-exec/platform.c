/* SPDX-License-Identifier: MIT
 *
 * More of what conditions ask of the machine (machine.h): its firmware, its CPU, its operating system, its control
 * groups, the pressure it is under. Each test reads files or asks the CPU and changes nothing.
 */
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "compare.h"
#include "machine.h"
#include "syntax/environment.h"

enum { FILE_MAX = 1024 * 1024 };
#define CGROUP_ROOT        "/sys/fs/cgroup"
#define CGROUP2_MAGIC      0x63677270
#define DEVICE_TREE        "/sys/firmware/devicetree"
#define DEVICE_COMPATIBLE  "/proc/device-tree/compatible"
#define SMBIOS_FIELDS      "/sys/class/dmi/id"
#define PRESSURE_DIRECTORY "/proc/pressure"

/* ---- the operating system ---- */

static int read_os_release(struct environment *ret)
{
        cleanup_buf_ struct buf b = {0};
        int r = file_read("/etc/os-release", FILE_MAX, &b);

        if (r == -ENOENT)
                r = file_read("/usr/lib/os-release", FILE_MAX, &b);
        return r < 0 ? r : environment_put_file(ret, buf_str(&b), b.size, NULL);
}

/* "NAME=value" without blanks around the operator. Equality is that of texts, order that of versions. */
static int os_release_holds(const struct environment *fields, const char *expression)
{
        size_t n = strcspn(expression, "!<=>$");
        const char *want = expression + n, *have;
        enum comparison c;

        if (n == 0 || !*want || !environment_name_valid(expression, n))
                return -EINVAL;
        c = compare_take(&want);
        if (c == NO_COMPARISON || !*want || isspace((unsigned char)want[-1]))
                return -EINVAL;
        have = environment_lookup(expression, n, (void *)(uintptr_t)fields);
        if (c == EQUAL || c == NOT_EQUAL)
                return (have && streq(have, want)) == (c == EQUAL);
        return compare_texts(c, have ? have : "", want);
}

int machine_has_os_release(const char *p)
{
        cleanup_environment_ struct environment fields = {0};
        cleanup_buf_ struct buf word = {0};
        int r = read_os_release(&fields);

        if (r < 0)
                return r;
        while ((r = word_next(&p, WORDS_UNQUOTE, &word)) > 0) {
                r = os_release_holds(&fields, buf_str(&word));
                if (r <= 0)
                        return r;
        }
        return r < 0 ? r : 1;
}

int machine_has_credential(const char *p)
{
        static const char *const places[] = {"CREDENTIALS_DIRECTORY", "ENCRYPTED_CREDENTIALS_DIRECTORY"};

        if (!*p || strchr(p, '/') || streq(p, ".") || streq(p, "..") || strlen(p) > NAME_MAX)
                return 0;
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                const char *directory = getenv(places[i]);
                char path[PATH_MAX];
                struct stat st;

                if (directory && (size_t)snprintf(path, sizeof(path), "%s/%s", directory, p) < sizeof(path) &&
                    lstat(path, &st) == 0)
                        return 1;
        }
        return 0;
}

/* ---- firmware ---- */

/* The list of /proc/device-tree/compatible is one of NUL-terminated strings. */
static int is_compatible_with(const char *name, size_t size)
{
        cleanup_buf_ struct buf b = {0};

        if (file_read(DEVICE_COMPATIBLE, FILE_MAX, &b) < 0)
                return 0;
        for (const char *s = buf_str(&b), *end = s + b.size; s < end; s += strlen(s) + 1)
                if (strlen(s) == size && memcmp(s, name, size) == 0)
                        return 1;
        return 0;
}

/* "field operator value" */
static int smbios_field_holds(const char *expression, size_t size)
{
        cleanup_buf_ struct buf text = {0}, word = {0}, value = {0};
        size_t n = strcspn(expression, "!<=>$");
        char path[PATH_MAX];
        enum comparison c;
        const char *want;
        int r;

        if (n >= size || buf_append(&text, expression, size) < 0)
                return -EINVAL;
        want = text.data + n;
        c = compare_take(&want);
        if (c == NO_COMPARISON || word_next(&want, WORDS_UNQUOTE, &word) <= 0 || *want)
                return -EINVAL;
        while (n > 0 && isspace((unsigned char)text.data[n - 1]))
                n--;
        text.data[n] = 0;
        if (n == 0 || strchr(text.data, '/') || streq(text.data, ".") || streq(text.data, ".."))
                return -EINVAL;
        if ((size_t)snprintf(path, sizeof(path), SMBIOS_FIELDS "/%s", text.data) >= sizeof(path))
                return -EINVAL;
        r = file_read(path, FILE_MAX, &value);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        (void)compare_trim(&value);
        if (c == EQUAL || c == NOT_EQUAL)
                return streq(buf_str(&value), buf_str(&word)) == (c == EQUAL);
        return compare_texts(c, buf_str(&value), buf_str(&word));
}

int machine_has_firmware(const char *p)
{
        static const struct {
                const char *call;
                int (*holds)(const char *argument, size_t size);
        } calls[] = {{"device-tree-compatible(", is_compatible_with}, {"smbios-field(", smbios_field_holds}};

        if (streq(p, "uefi"))
                return access("/sys/firmware/efi", F_OK) == 0;
        if (streq(p, "device-tree"))
                return access(DEVICE_TREE, F_OK) == 0;
        for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
                size_t n = strlen(calls[i].call), size = strlen(p);

                if (starts_with(p, calls[i].call))
                        return p[size - 1] == ')' ? calls[i].holds(p + n, size - n - 1) : 0;
        }
        return 0;
}

/* ---- the CPU ---- */

#if defined(__x86_64__) || defined(__i386__)
/* The names of systemd.unit(5), the bits of the CPU's manual. */
int machine_has_cpu_feature(const char *p)
{
        enum { A, B, C, D };
        static const struct {
                unsigned leaf;
                uint8_t reg, bit;
                const char *name;
        } bits[] = {
                {1, D, 0, "fpu"},
                {1, D, 1, "vme"},
                {1, D, 2, "de"},
                {1, D, 3, "pse"},
                {1, D, 4, "tsc"},
                {1, D, 5, "msr"},
                {1, D, 6, "pae"},
                {1, D, 7, "mce"},
                {1, D, 8, "cx8"},
                {1, D, 9, "apic"},
                {1, D, 11, "sep"},
                {1, D, 12, "mtrr"},
                {1, D, 13, "pge"},
                {1, D, 14, "mca"},
                {1, D, 15, "cmov"},
                {1, D, 16, "pat"},
                {1, D, 17, "pse36"},
                {1, D, 19, "clflush"},
                {1, D, 23, "mmx"},
                {1, D, 24, "fxsr"},
                {1, D, 25, "sse"},
                {1, D, 26, "sse2"},
                {1, D, 28, "ht"},
                {1, C, 0, "pni"},
                {1, C, 1, "pclmul"},
                {1, C, 3, "monitor"},
                {1, C, 9, "ssse3"},
                {1, C, 12, "fma3"},
                {1, C, 13, "cx16"},
                {1, C, 19, "sse4_1"},
                {1, C, 20, "sse4_2"},
                {1, C, 22, "movbe"},
                {1, C, 23, "popcnt"},
                {1, C, 25, "aes"},
                {1, C, 26, "xsave"},
                {1, C, 27, "osxsave"},
                {1, C, 28, "avx"},
                {1, C, 29, "f16c"},
                {1, C, 30, "rdrand"},
                {7, B, 3, "bmi1"},
                {7, B, 5, "avx2"},
                {7, B, 8, "bmi2"},
                {7, B, 18, "rdseed"},
                {7, B, 19, "adx"},
                {7, B, 29, "sha_ni"},
                {0x80000001, D, 11, "syscall"},
                {0x80000001, D, 27, "rdtscp"},
                {0x80000001, D, 29, "lm"},
                {0x80000001, C, 0, "lahf_lm"},
                {0x80000001, C, 5, "abm"},
                {0x80000007, D, 8, "constant_tsc"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
                unsigned regs[4];

                if (strcasecmp(bits[i].name, p) == 0)
                        return __get_cpuid_count(bits[i].leaf, 0, &regs[A], &regs[B], &regs[C], &regs[D]) &&
                               (regs[bits[i].reg] >> bits[i].bit & 1);
        }
        return 0;
}
#else
int machine_has_cpu_feature(unused_ const char *p)
{
        return 0;
}
#endif

/* ---- control groups and pressure ---- */

static bool is_unified(void)
{
        struct statfs st;

        return statfs(CGROUP_ROOT, &st) == 0 && st.f_type == CGROUP2_MAGIC;
}

static bool list_has(const char *list, const char *name)
{
        size_t n = strlen(name);

        for (const char *s = list + strspn(list, " \n"); *s; s += strcspn(s, " \n"), s += strspn(s, " \n"))
                if (strcspn(s, " \n") == n && memcmp(s, name, n) == 0)
                        return true;
        return false;
}

/* /proc/cgroups: name, hierarchy, number of groups, enabled. */
static bool kernel_has_controller(const char *table, const char *name)
{
        size_t n = strlen(name);

        for (const char *line = table; line && *line; line = strchr(line, '\n'), line += line != NULL) {
                unsigned hierarchy, groups, enabled;

                if (strcspn(line, "\t") == n && memcmp(line, name, n) == 0)
                        return sscanf(line + n, "%u %u %u", &hierarchy, &groups, &enabled) == 3 && enabled;
        }
        return false;
}

/* A name that no kernel has asks for nothing. */
static bool is_controller(const char *name)
{
        static const char *const names[] = {"cpu", "cpuacct", "cpuset", "io", "blkio", "memory", "devices", "pids"};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (streq(names[i], name))
                        return true;
        return false;
}

int machine_has_controller(const char *p)
{
        cleanup_buf_ struct buf have = {0}, word = {0};
        bool unified = is_unified();
        int r;

        if (streq(p, "v1") || streq(p, "v2"))
                return unified == streq(p, "v2");
        if (file_read(unified ? CGROUP_ROOT "/cgroup.controllers" : "/proc/cgroups", FILE_MAX, &have) < 0)
                buf_reset(&have);
        while ((r = word_next(&p, 0, &word)) > 0) {
                const char *name = buf_str(&word);

                if (is_controller(name) &&
                    !(unified ? list_has(buf_str(&have), name) : kernel_has_controller(buf_str(&have), name)))
                        return 0;
        }
        return r < 0 ? r : 1;
}

/* "12.34" as 1234. Returns what follows, or NULL. */
static const char *take_hundredths(const char *s, unsigned long *ret)
{
        char *end;
        unsigned long v;

        if (!isdigit((unsigned char)*s))
                return NULL;
        v = strtoul(s, &end, 10) * 100;
        if (*end == '.') {
                if (!isdigit((unsigned char)end[1]))
                        return NULL;
                v += (unsigned long)(end[1] - '0') * 10;
                end += 2;
                if (isdigit((unsigned char)*end))
                        v += (unsigned long)(*end++ - '0');
        }
        *ret = v;
        return end;
}

/* "PERCENT%[/SPAN]": the limit, and the name of the average that it is held against. */
static int parse_limit(const char *s, unsigned long *ret_limit, const char **ret_average)
{
        static const struct {
                const char *span, *average;
        } spans[] = {{"10sec", "avg10="}, {"1min", "avg60="}, {"5min", "avg300="}};

        s += strspn(s, " \t");
        s = take_hundredths(s, ret_limit);
        if (!s || *s != '%' || *ret_limit > 10000)
                return -EINVAL;
        s++;
        s += strspn(s, " \t");
        *ret_average = "avg300=";
        if (!*s)
                return 0;
        if (*s != '/')
                return -EINVAL;
        s++;
        s += strspn(s, " \t");
        for (size_t i = 0; i < ARRAY_SIZE(spans); i++)
                if (starts_with(s, spans[i].span)) {
                        *ret_average = spans[i].average;
                        return 0;
                }
        return -EINVAL;
}

/* "a-b.slice" lies in a.slice/a-b.slice. */
static int slice_file(const char *slice, size_t size, const char *kind, char *ret, size_t room)
{
        cleanup_buf_ struct buf b = {0};
        size_t prefix = size > 6 && memcmp(slice + size - 6, ".slice", 6) == 0 ? size - 6 : 0;
        int r = prefix == 0 || memchr(slice, '/', size) ? -EINVAL : buf_append_str(&b, CGROUP_ROOT);

        for (size_t i = 1; r == 0 && i <= prefix; i++)
                if (i == prefix || slice[i] == '-')
                        r = buf_printf(&b, "/%.*s.slice", (int)i, slice);
        if (r == 0 && (size_t)snprintf(ret, room, "%s/%s.pressure", buf_str(&b), kind) >= room)
                r = -EINVAL;
        return r;
}

/* Where nothing measures pressure, there is none. */
static int pressure_holds(const char *p, const char *kind)
{
        cleanup_buf_ struct buf text = {0};
        char path[PATH_MAX] = PRESSURE_DIRECTORY "/";
        const char *colon = strchr(p, ':'), *line, *average;
        unsigned long limit, now;

        if (access(PRESSURE_DIRECTORY, F_OK) < 0)
                return 1;
        if (colon && colon > p) {
                if (!is_unified() || machine_has_controller(kind) <= 0)
                        return 1;
                if (slice_file(p, (size_t)(colon - p), kind, path, sizeof(path)) < 0)
                        return -EINVAL;
        } else {
                (void)snprintf(path, sizeof(path), PRESSURE_DIRECTORY "/%s", kind);
        }
        if (parse_limit(colon ? colon + 1 : p, &limit, &average) < 0)
                return -EINVAL;
        if (file_read(path, FILE_MAX, &text) < 0)
                return 1;
        line = strstr(buf_str(&text), "full ");
        line = strstr(line ? line : buf_str(&text), average);
        return line && take_hundredths(line + strlen(average), &now) ? now <= limit : 1;
}

int machine_has_cpu_pressure(const char *p)
{
        return pressure_holds(p, "cpu");
}

int machine_has_memory_pressure(const char *p)
{
        return pressure_holds(p, "memory");
}

int machine_has_io_pressure(const char *p)
{
        return pressure_holds(p, "io");
}

/* ---- encrypted devices ---- */

/* DEVICE is a directory of sysfs. Encrypted by itself, or on top of devices all of which are. */
static bool device_is_encrypted(const char *device, unsigned depth)
{
        cleanup_buf_ struct buf id = {0};
        char path[PATH_MAX];
        bool any = false, all = true;
        struct dirent *e;
        DIR *d;

        if ((size_t)snprintf(path, sizeof(path), "%s/dm/uuid", device) >= sizeof(path) || depth == 0)
                return false;
        if (file_read(path, FILE_MAX, &id) == 0 && starts_with(buf_str(&id), "CRYPT-"))
                return true;
        if ((size_t)snprintf(path, sizeof(path), "%s/slaves", device) >= sizeof(path))
                return false;
        d = opendir(path);
        while (d && all && (e = readdir(d))) {
                char slave[PATH_MAX];

                if (e->d_name[0] == '.')
                        continue;
                any = true;
                all = (size_t)snprintf(slave, sizeof(slave), "%s/%s", path, e->d_name) < sizeof(slave) &&
                      device_is_encrypted(slave, depth - 1);
        }
        if (d)
                (void)closedir(d);
        return any && all;
}

int machine_is_encrypted(const char *path)
{
        enum { DEPTH_MAX = 10 };
        char device[64];
        struct stat st;

        if (stat(path, &st) < 0 || major(st.st_dev) == 0)
                return 0;
        (void)snprintf(device, sizeof(device), "/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
        return device_is_encrypted(device, DEPTH_MAX);
}
