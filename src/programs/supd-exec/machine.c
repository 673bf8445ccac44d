/* SPDX-License-Identifier: MIT
 *
 * See machine.h. The facts come from /proc, /sys and the CPU; names are those of systemd-detect-virt(1),
 * capabilities(7) and uname(2).
 */
#include "machine.h"

#include "compare.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

enum { FILE_MAX = 1024 * 1024 };

extern char **environ;

/* 1 yes, 0 no, -1 neither */
static int truth(const char *p)
{
        static const char *const yes[] = {"1", "yes", "y", "true", "t", "on"};
        static const char *const no[] = {"0", "no", "n", "false", "f", "off"};

        for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
                if (strcasecmp(p, yes[i]) == 0)
                        return 1;
                if (strcasecmp(p, no[i]) == 0)
                        return 0;
        }
        return -1;
}

static bool exists(const char *path)
{
        return access(path, F_OK) == 0;
}

/* The file's text without blanks at its end; "" when it cannot be read. */
static const char *text_of(const char *path, struct buf *b)
{
        if (file_read(path, FILE_MAX, b) < 0)
                buf_reset(b);
        while (b->size > 0 && strchr(" \t\n", b->data[b->size - 1]))
                b->data[--b->size] = 0;
        return buf_str(b);
}

int machine_is_mount_point(const char *path)
{
        char parent[PATH_MAX];
        struct stat here, above;

        if ((size_t)snprintf(parent, sizeof(parent), "%s/..", path) >= sizeof(parent) || stat(path, &here) < 0)
                return false;
        if (!S_ISDIR(here.st_mode)) {
                char *slash;

                (void)snprintf(parent, sizeof(parent), "%s", path);
                slash = strrchr(parent, '/');
                if (!slash)
                        return false;
                slash[1] = 0;
        }
        if (stat(parent, &above) < 0)
                return false;
        return here.st_dev != above.st_dev || here.st_ino == above.st_ino;
}

int machine_has_host(const char *p)
{
        cleanup_buf_ struct buf b = {0};
        struct utsname u;

        if (strlen(p) == 32 && strspn(p, "0123456789abcdefABCDEF") == 32)
                return strcasecmp(text_of("/etc/machine-id", &b), p) == 0;
        return uname(&u) == 0 && fnmatch(p, u.nodename, FNM_CASEFOLD) == 0;
}

/* The container we are in: what its manager tells PID 1, or the traces it leaves. NULL = none. */
static const char *container_name(struct buf *b)
{
        static const struct {
                const char *path, *name;
        } traces[] = {{"/run/.containerenv", "podman"}, {"/.dockerenv", "docker"}};
        const char *told = getenv("container");

        if (told && *told)
                return streq(told, "oci") ? "container-other" : told;
        for (size_t i = 0; i < ARRAY_SIZE(traces); i++)
                if (exists(traces[i].path))
                        return traces[i].name;
        told = text_of("/run/host/container-manager", b);
        if (*told)
                return told;
        buf_reset(b);
        told = text_of("/run/systemd/container", b);
        return *told ? told : NULL;
}

#if defined(__x86_64__) || defined(__i386__)
static const char *vm_by_cpu(void)
{
        static const struct {
                const char vendor[13], name[12];
        } vendors[] = {{"XenVMMXenVMM", "xen"},   {"KVMKVMKVM", "kvm"},       {"Linux KVM Hv", "kvm"},
                       {"TCGTCGTCGTCG", "qemu"},  {"VMwareVMware", "vmware"}, {"Microsoft Hv", "microsoft"},
                       {"bhyve bhyve ", "bhyve"}, {"QNXQVMBSQG", "qnx"},      {"ACRNACRNACRN", "acrn"},
                       {"SRESRESRESRE", "sre"}};
        unsigned a, b, c, d;
        char id[13] = "";

        if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1u << 31))
                return NULL;
        __cpuid(0x40000000, a, b, c, d);
        memcpy(id, &b, 4);
        memcpy(id + 4, &c, 4);
        memcpy(id + 8, &d, 4);
        for (size_t i = 0; i < ARRAY_SIZE(vendors); i++)
                if (streq(id, vendors[i].vendor))
                        return vendors[i].name;
        return "vm-other";
}
#else
static const char *vm_by_cpu(void)
{
        return exists("/proc/device-tree/hypervisor/compatible") ? "vm-other" : NULL;
}
#endif

static const char *vm_name(struct buf *b)
{
        static const struct {
                const char *vendor, *name;
        } vendors[] = {{"KVM", "kvm"},
                       {"OpenStack", "kvm"},
                       {"KubeVirt", "kvm"},
                       {"Amazon EC2", "amazon"},
                       {"QEMU", "qemu"},
                       {"VMware", "vmware"},
                       {"VMW", "vmware"},
                       {"innotek GmbH", "oracle"},
                       {"VirtualBox", "oracle"},
                       {"Xen", "xen"},
                       {"Bochs", "bochs"},
                       {"Parallels", "parallels"},
                       {"BHYVE", "bhyve"},
                       {"Google Compute Engine", "google"},
                       {"Apple Virtualization", "apple"}};
        static const char *const files[] = {"/sys/class/dmi/id/product_name", "/sys/class/dmi/id/sys_vendor",
                                            "/sys/class/dmi/id/board_vendor", "/sys/class/dmi/id/bios_vendor"};

        for (size_t f = 0; f < ARRAY_SIZE(files); f++) {
                const char *text;

                buf_reset(b);
                text = text_of(files[f], b);
                for (size_t i = 0; i < ARRAY_SIZE(vendors); i++)
                        if (starts_with(text, vendors[i].vendor))
                                return vendors[i].name;
        }
        if (exists("/proc/xen/capabilities"))
                return "xen";
        return vm_by_cpu();
}

static bool private_users(void)
{
        cleanup_buf_ struct buf b = {0};
        unsigned inside = 1, outside = 1, count = 0;

        if (sscanf(text_of("/proc/self/uid_map", &b), "%u %u %u", &inside, &outside, &count) != 3)
                return false;
        return inside != 0 || outside != 0 || count != UINT32_MAX;
}

int machine_has_virtualization(const char *p)
{
        cleanup_buf_ struct buf b = {0};
        const char *container, *vm;

        if (streq(p, "private-users"))
                return private_users();
        container = container_name(&b);
        if (container)
                return truth(p) == 1 || streq(p, "container") || streq(p, container);
        vm = vm_name(&b);
        if (truth(p) >= 0)
                return (vm != NULL) == (truth(p) == 1);
        return vm && (streq(p, "vm") || streq(p, vm));
}

int machine_has_capability(const char *p)
{
        static const char *const names[] = {"chown",
                                            "dac_override",
                                            "dac_read_search",
                                            "fowner",
                                            "fsetid",
                                            "kill",
                                            "setgid",
                                            "setuid",
                                            "setpcap",
                                            "linux_immutable",
                                            "net_bind_service",
                                            "net_broadcast",
                                            "net_admin",
                                            "net_raw",
                                            "ipc_lock",
                                            "ipc_owner",
                                            "sys_module",
                                            "sys_rawio",
                                            "sys_chroot",
                                            "sys_ptrace",
                                            "sys_pacct",
                                            "sys_admin",
                                            "sys_boot",
                                            "sys_nice",
                                            "sys_resource",
                                            "sys_time",
                                            "sys_tty_config",
                                            "mknod",
                                            "lease",
                                            "audit_write",
                                            "audit_control",
                                            "setfcap",
                                            "mac_override",
                                            "mac_admin",
                                            "syslog",
                                            "wake_alarm",
                                            "block_suspend",
                                            "audit_read",
                                            "perfmon",
                                            "bpf",
                                            "checkpoint_restore"};
        cleanup_buf_ struct buf b = {0};
        const char *line = strstr(text_of("/proc/self/status", &b), "CapEff:");
        unsigned long long effective = line ? strtoull(line + strlen("CapEff:"), NULL, 16) : 0;

        if (strncasecmp(p, "cap_", 4) != 0)
                return -EINVAL;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (strcasecmp(p + 4, names[i]) == 0)
                        return effective >> i & 1;
        return -EINVAL;
}

/* On mains: a mains supply that is on line, or no battery that discharges (a machine without either is on mains). */
static bool on_ac_power(void)
{
        DIR *d = opendir("/sys/class/power_supply");
        bool any_mains = false, online = false, discharging = false;
        struct dirent *e;

        while (d && (e = readdir(d))) {
                cleanup_buf_ struct buf type = {0}, value = {0};
                char path[PATH_MAX];

                if (e->d_name[0] == '.')
                        continue;
                (void)snprintf(path, sizeof(path), "/sys/class/power_supply/%s/type", e->d_name);
                (void)text_of(path, &type);
                if (streq(buf_str(&type), "Mains") || starts_with(buf_str(&type), "USB")) {
                        any_mains = any_mains || streq(buf_str(&type), "Mains");
                        (void)snprintf(path, sizeof(path), "/sys/class/power_supply/%s/online", e->d_name);
                        online = online || streq(text_of(path, &value), "1");
                } else if (streq(buf_str(&type), "Battery")) {
                        (void)snprintf(path, sizeof(path), "/sys/class/power_supply/%s/status", e->d_name);
                        discharging = discharging || streq(text_of(path, &value), "Discharging");
                }
        }
        if (d)
                (void)closedir(d);
        return online || (!any_mains && !discharging);
}

int machine_has_ac_power(const char *p)
{
        int want = truth(p);
        return want < 0 ? -EINVAL : on_ac_power() == (want == 1);
}

int machine_has_architecture(const char *p)
{
        static const struct {
                const char *machine, *name;
        } names[] = {{"x86_64", "x86-64"},   {"i686", "x86"},
                     {"i586", "x86"},        {"i486", "x86"},
                     {"i386", "x86"},        {"aarch64", "arm64"},
                     {"armv8l", "arm"},      {"armv7l", "arm"},
                     {"armv6l", "arm"},      {"ppc64le", "ppc64-le"},
                     {"ppc64", "ppc64"},     {"ppcle", "ppc-le"},
                     {"ppc", "ppc"},         {"s390x", "s390x"},
                     {"s390", "s390"},       {"sparc64", "sparc64"},
                     {"sparc", "sparc"},     {"mips64", "mips64"},
                     {"mips", "mips"},       {"riscv64", "riscv64"},
                     {"riscv32", "riscv32"}, {"loongarch64", "loongarch64"},
                     {"m68k", "m68k"},       {"ia64", "ia64"},
                     {"alpha", "alpha"},     {"parisc64", "parisc64"},
                     {"parisc", "parisc"}};
        struct utsname u;

        if (streq(p, "native"))
                return true;
        if (uname(&u) < 0)
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (streq(names[i].machine, u.machine))
                        return streq(names[i].name, p);
        return false;
}

/* The words of /proc/cmdline, quotes taken off. In a container: the arguments of PID 1. */
int machine_has_command_line(const char *p)
{
        cleanup_buf_ struct buf b = {0}, ignored = {0}, word = {0};
        bool in_container = container_name(&ignored) != NULL;
        const char *s;

        if (in_container) {
                if (file_read("/proc/1/cmdline", FILE_MAX, &b) < 0)
                        return false;
                for (size_t i = 0; i + 1 < b.size; i++)
                        if (!b.data[i])
                                b.data[i] = ' ';
        } else if (file_read("/proc/cmdline", FILE_MAX, &b) < 0) {
                return false;
        }
        s = buf_str(&b);
        while (word_next(&s, WORDS_UNQUOTE | WORDS_RELAX, &word) > 0) {
                size_t n = strcspn(buf_str(&word), "=");

                if (streq(buf_str(&word), p))
                        return true;
                if (!strchr(p, '=') && strlen(p) == n && strncmp(buf_str(&word), p, n) == 0)
                        return true;
        }
        return false;
}

/* One expression of ConditionKernelVersion=: a glob, or an operator and a version. For the first one the version may be
 * the next word of *REST. */
static int kernel_version_holds(const char *release, struct buf *word, const char **rest, bool first)
{
        const char *w = compare_trim(word);
        enum comparison c = compare_take(&w);

        if (c == NO_COMPARISON)
                return fnmatch(w, release, 0) == 0;
        if (!*w) {
                int r = first ? word_next(rest, WORDS_RELAX, word) : 0;

                if (r <= 0)
                        return r < 0 ? r : -EINVAL;
                w = buf_str(word);
        }
        return compare_texts(c, release, w);
}

int machine_has_kernel_version(const char *p)
{
        cleanup_buf_ struct buf word = {0};
        struct utsname u;
        int r;

        if (uname(&u) < 0)
                return -errno;
        for (bool first = true; (r = word_next(&p, WORDS_UNQUOTE | WORDS_RELAX, &word)) > 0; first = false) {
                int v = kernel_version_holds(u.release, &word, &p, first);

                if (v <= 0)
                        return v;
        }
        return r < 0 ? r : 1;
}

int machine_has_environment(const char *p)
{
        for (char **e = environ; e && *e; e++)
                if (strchr(p, '=') ? streq(*e, p) : strlen(p) == strcspn(*e, "=") && starts_with(*e, p))
                        return true;
        return false;
}

int machine_has_first_boot(const char *p)
{
        int want = truth(p);
        return want < 0 ? -EINVAL : exists("/run/systemd/first-boot") == (want == 1);
}

/* Where nothing can be known, rather once too often. */
int machine_needs_update(const char *p)
{
        char path[PATH_MAX];
        struct stat usr, here;
        struct statvfs v;

        if (statvfs(p, &v) == 0 && (v.f_flag & ST_RDONLY))
                return false;
        if ((size_t)snprintf(path, sizeof(path), "%s/.updated", p) >= sizeof(path) || lstat(path, &here) < 0 ||
            lstat("/usr", &usr) < 0)
                return true;
        return usr.st_mtim.tv_sec > here.st_mtim.tv_sec ||
               (usr.st_mtim.tv_sec == here.st_mtim.tv_sec && usr.st_mtim.tv_nsec > here.st_mtim.tv_nsec);
}

static bool has_apparmor(void)
{
        cleanup_buf_ struct buf b = {0};
        return text_of("/sys/module/apparmor/parameters/enabled", &b)[0] == 'Y';
}

static bool has_secure_boot(void)
{
        cleanup_buf_ struct buf b = {0};

        return file_read("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", FILE_MAX, &b) ==
                       0 &&
               b.size == 5 && b.data[4] == 1;
}

int machine_has_security(const char *p)
{
        static const struct {
                const char *name, *path;
        } traces[] = {{"selinux", "/sys/fs/selinux/enforce"},
                      {"smack", "/sys/fs/smackfs"},
                      {"ima", "/sys/kernel/security/ima"},
                      {"tomoyo", "/sys/kernel/security/tomoyo/version"},
                      {"tpm2", "/sys/class/tpmrm/tpmrm0"}};

        for (size_t i = 0; i < ARRAY_SIZE(traces); i++)
                if (streq(p, traces[i].name))
                        return exists(traces[i].path);
        if (streq(p, "apparmor"))
                return has_apparmor();
        if (streq(p, "uefi-secureboot"))
                return has_secure_boot();
        if (streq(p, "audit"))
                return exists("/proc/self/loginuid") && exists("/proc/self/sessionid");
        return false;
}

int machine_has_cpus(const char *p)
{
        unsigned long mask[128] = {0};
        long n = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);
        uint64_t cpus = 0;

        for (long i = 0; i < n / (long)sizeof(mask[0]); i++)
                cpus += (unsigned)__builtin_popcountl(mask[i]);
        return n > 0 ? compare_amount(p, cpus, false) : -EINVAL;
}

int machine_has_memory(const char *p)
{
        struct sysinfo s;
        return sysinfo(&s) == 0 ? compare_amount(p, (uint64_t)s.totalram * s.mem_unit, true) : -errno;
}
