/* SPDX-License-Identifier: MIT
 *
 * The table of directives: every key that unit files may carry, a row each. The parser, the defaults, `verify`, the
 * manual, completion and the fuzz dictionary read it.
 *
 * A row names its value type and the field of struct draft that it fills; a type that does not fit the field does not
 * compile. Rows stand by section, sorted by key (byte order) within it.
 * Not here: how values are read (values.c), what follows from several of them (settle.c).
 */
#ifndef SUPD_UNIT_DIRECTIVES_H
#define SUPD_UNIT_DIRECTIVES_H

#include "unit/unit.h"

/* Groups of keys. What stands in [Service] is the union of SERVICE, EXEC, KILL and CGROUP. */
enum directive_section {
        SECTION_UNIT,
        SECTION_INSTALL,
        SECTION_SERVICE,
        SECTION_EXEC,
        SECTION_KILL,
        SECTION_CGROUP,
        SECTION_SOCKET,
        SECTION_TIMER,
        SECTION_PATH,
        SECTION_MOUNT,
        SECTION_AUTOMOUNT,
        SECTION_SWAP,
        SECTION_SCOPE,
        N_DIRECTIVE_SECTIONS,
};

enum directive_support {
        SUPPORT_HONOURED,
        SUPPORT_NOTICE,  /* accepted; the unit says that it is not carried out */
        SUPPORT_REFUSED, /* leaving it out would open a hole or run something else: the unit is not loaded */
        N_DIRECTIVE_SUPPORTS,
};

/* Value types: NAME, the C type of the field, what the value has to be (for messages), a good and a bad example (NULL:
 * everything is good). The function that reads NAME is value_NAME() in values.c. */
#define VALUE_TYPES(X)                                                                                                 \
        X(boolean, bool, "yes or no", "yes", "maybe")                                                                  \
        X(text, char *, "text", "some text", NULL)                                                                     \
        X(documentation, struct strings, "URIs of http, https, file, info or man", "man:a(1) https://b", "a")          \
        X(units, struct strings, "names of units", "a.service b@c.target", "a/b.service")                              \
        X(mounts, struct strings, "absolute paths", "/a /b", "a")                                                      \
        X(condition, struct conditions, "a condition", "!/a", NULL)                                                    \
        X(timespan, uint64_t, "a time, such as 90, 1min 30s or infinity", "1min 30s", "5x")                            \
        X(timeout, uint64_t, "a time, such as 90, 1min 30s or infinity (0 is infinity)", "90", "-5")                   \
        X(timeout_both, uint64_t, "a time, such as 90, 1min 30s or infinity (0 is infinity)", "90", "soon")            \
        X(job_timeout, uint64_t, "a time, such as 90, 1min 30s or infinity", "90", "soon")                             \
        X(unsigned, unsigned, "a number from 0", "3", "-3")                                                            \
        X(exit_number, int, "a number from 0 to 255", "3", "256")                                                      \
        X(mode, mode_t, "an octal mode, such as 0755", "0750", "0999")                                                 \
        X(signal, int, "a signal, such as SIGTERM", "SIGUSR1", "SIGNONE")                                              \
        X(service_type, enum service_type, "a service type", "notify", "simpel")                                       \
        X(service_restart, enum service_restart, "when to restart", "on-failure", "sometimes")                         \
        X(kill_mode, enum kill_mode, "control-group, process, mixed or none", "mixed", "all")                          \
        X(notify_access, enum notify_access, "none, main, exec or all", "all", "some")                                 \
        X(preserve_mode, enum preserve_mode, "no, yes or restart", "restart", "maybe")                                 \
        X(oom_policy, enum oom_policy, "continue, stop or kill", "kill", "never")                                      \
        X(emergency_action, enum emergency_action, "none, reboot, poweroff, exit or one of their kin", "reboot-force", \
          "restart")                                                                                                   \
        X(job_mode, char *, "a job mode, such as replace, fail or isolate", "isolate", "strange")                      \
        X(job_isolate, char *, "yes or no", "yes", "maybe")                                                            \
        X(failure_mode, enum timeout_failure_mode, "terminate, abort or kill", "abort", "stop")                        \
        X(exit_type, bool, "main or cgroup", "cgroup", "both")                                                         \
        X(commands, struct exec_commands, "a command line", "/bin/true", "\"/bin/true")                                \
        X(status_set, struct exit_status_set, "exit statuses and signals", "3 SIGUSR1 DATAERR", "SIGNONE")             \
        X(environment, struct strings, "assignments NAME=value", "A=1 \"B=x y\"", "1A=2")                              \
        X(environment_file, struct environment_files, "an absolute path", "-/etc/default/a", "default/a")              \
        X(variables, struct strings, "names of variables", "A B", "1A")                                                \
        X(unset_list, struct strings, "names of variables or assignments", "A B=c", "=x")                              \
        X(account, char *, "a name or number of a user or group", "daemon", "a:b")                                     \
        X(accounts, struct strings, "names or numbers of groups", "daemon 7", "a:b")                                   \
        X(path, char *, "an absolute path", "/a/b", "a/b")                                                             \
        X(path_list, struct strings, "absolute paths, separated by colons", "/a:/b", "a")                              \
        X(working_directory, char *, "an absolute path, or ~", "-/a", "a")                                             \
        X(pid_file, char *, "a path", "a.pid", "../a")                                                                 \
        X(bus_name, char *, "a bus name, such as org.example.Name", "org.example.Name", ".name")                       \
        X(limit, struct limit_value, "a limit, such as 4096, 1024:4096 or infinity", "10:20", "many")                  \
        X(nice, int, "a number from -20 to 19", "-5", "20")                                                            \
        X(oom_score, int, "a number from -1000 to 1000", "-900", "2000")                                               \
        X(io_class, int, "none, realtime, best-effort or idle", "idle", "slow")                                        \
        X(io_priority, int, "a number from 0 to 7", "3", "8")                                                          \
        X(cpu_policy, int, "other, batch, idle, fifo or rr", "batch", "slow")                                          \
        X(cpu_priority, int, "a number from 0 to 99", "10", "100")                                                     \
        X(cpu_affinity, char *, "numbers and ranges of CPUs", "0-3 7", "a")                                            \
        X(directory_names, struct strings, "relative paths", "a b/c", "/a")                                            \
        X(input, enum exec_input, "null, tty, socket, fd, data or file:PATH", "file:/a", "keyboard")                   \
        X(output, enum exec_output,                                                                                    \
          "inherit, null, tty, journal, socket, fd, file:PATH, append:PATH or truncate:PATH", "append:/a", "printer")  \
        X(input_text, char *, "text", "a\\tb", NULL)                                                                   \
        X(input_base64, char *, "base64", "YWJj", "?")                                                                 \
        X(capabilities, uint64_t, "names of capabilities", "~CAP_CHOWN CAP_KILL", NULL)                                \
        X(dynamic_user, bool, "yes or no", "yes", "maybe")                                                             \
        X(core_filter, uint64_t, "kinds of memory, or a mask in base 16", "private-anonymous elf-headers 4", "some")   \
        X(nanoseconds, uint64_t, "a time, such as 50000 or 50us", "1ms 20us", "soon")                                  \
        X(secure_bits, int, "secure bits", "keep-caps noroot-locked", "noroots")                                       \
        X(flagged_boolean, bool, "yes or no", "yes", "maybe")                                                          \
        X(keyring_mode, enum keyring_mode, "inherit, private or shared", "private", "own")                             \
        X(numa_policy, enum numa_policy, "default, preferred, bind, interleave or local", "local", "far")              \
        X(load_credential, struct credentials, "NAME:PATH", "a:/b", "a/b:/c")                                          \
        X(set_credential, struct credentials, "NAME:VALUE", "a:b\\n", "a")                                             \
        X(open_file, struct open_files, "PATH:NAME:OPTIONS", "/a:b:read-only,graceful", "a")                           \
        X(sandbox_paths, struct sandbox_paths, "absolute paths", "/a -/b", "a")                                        \
        X(bind_paths, struct sandbox_paths, "absolute paths, as SOURCE:PLACE", "/a:/b -/c", "a:b")                     \
        X(temporary_paths, struct sandbox_paths, "absolute paths, as PLACE:OPTIONS", "/a:ro,mode=0700 /b", "a")        \
        X(protect_system, enum protect_system, "yes, no, full or strict", "full", "most")                              \
        X(protect_home, enum protect_home, "yes, no, read-only or tmpfs", "tmpfs", "most")                             \
        X(mount_apivfs, bool, "yes or no", "no", "maybe")                                                              \
        X(resource, struct resource_value, "a size, such as 512M, a percentage or infinity", "50%", "-1")              \
        X(tasks, struct resource_value, "a number from 1, a percentage or infinity", "50%", "0")                       \
        X(weight, struct resource_value, "a number within the limits of the kernel", "200", "0")                       \
        X(cpu_weight, struct resource_value, "a number from 1 to 10000, or idle", "idle", "0")                         \
        X(quota, struct resource_value, "a percentage", "150%", "1")                                                   \
        X(quota_period, struct resource_value, "a time", "50ms", "soon")                                               \
        X(slice, char *, "the name of a slice", "a-b.slice", "a.service")                                              \
        X(delegate, bool, "yes, no or names of controllers", "cpu memory", NULL)                                       \
        X(trigger, char *, "the name of a unit", "a.service", "a")                                                     \
        X(accept, bool, "yes or no", "yes", "maybe")                                                                   \
        X(any, char, "text", "x", NULL)

enum value_type {
#define VALUE_ENUM(name, ctype, expects, good, bad) VALUE_##name,
        VALUE_TYPES(VALUE_ENUM)
#undef VALUE_ENUM
                N_VALUE_TYPES,
};

struct directive {
        const char *key;
        const char *preset; /* default, as it would be written; "(…)" in words; NULL = nothing */
        const char *doc;    /* one line, for the manual */
        const char *notice; /* for SUPPORT_NOTICE: what unit.notices says; NULL otherwise */
        uint8_t section, type, support;
        uint16_t offset, extra; /* of the field in struct draft; what else the value type needs to know */
};

extern const struct directive directives[];
extern const unsigned n_directives;

/* The row of KEY in the group SECTION, or NULL. */
const struct directive *directive_find(enum directive_section section, const char *key);
/* The groups that make up the section called NAME ("Service"), as bits; 0 = no such section. */
unsigned section_groups(const char *name);
/* Whether units of type T may have the section called NAME. */
bool section_fits(const char *name, enum unit_type t, const char *unit_name);
const char *section_name(unsigned i); /* the I-th; NULL behind the last */
/* "Unit", "Install", "Service", … : where rows of SECTION are written, for messages and the manual. */
const char *directive_section_name(enum directive_section section);
const char *directive_support_name(enum directive_support s); /* "honoured", "notice", "refused" */
const char *value_type_expects(enum value_type t);
/* The known key nearest to KEY among GROUPS (bits), or NULL when none is near. */
const char *directive_nearest(unsigned groups, const char *key);

#endif
