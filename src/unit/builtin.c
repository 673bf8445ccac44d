/* SPDX-License-Identifier: MIT
 * See builtin.h. What orders what follows bootup(7); the words are ours.
 */
#include "unit/builtin.h"

#define TARGET(description)        "[Unit]\nDescription=" description "\n"
#define EARLY                      "DefaultDependencies=no\n"
#define BEFORE_SHUTDOWN            "Conflicts=shutdown.target\nBefore=shutdown.target\n"
#define PASSIVE                    "RefuseManualStart=yes\n"
#define ISOLATABLE                 "AllowIsolate=yes\n"
#define NO_OP(description)         "[Unit]\nDescription=" description "\nDefaultDependencies=no\n"
#define ENDING(description, after) TARGET(description) EARLY "Requires=" after "\nAfter=" after "\n" ISOLATABLE

static const struct {
        const char *name, *text;
} builtins[] = {
        {"default.target", TARGET("Default target") "Requires=multi-user.target\nAfter=multi-user.target\n" ISOLATABLE},
        {"graphical.target",
         TARGET("Graphical interface") "Requires=multi-user.target\nWants=display-manager.service\n"
                                       "After=multi-user.target rescue.target display-manager.service\n"
                                       "Conflicts=rescue.target\n" ISOLATABLE},
        {"multi-user.target", TARGET("Services for many users") "Requires=basic.target\nConflicts=rescue.target\n"
                                                                "After=basic.target rescue.target\n" ISOLATABLE},
        {"basic.target", TARGET("Basic system") "Requires=sysinit.target\n"
                                                "Wants=sockets.target timers.target paths.target slices.target\n"
                                                "After=sysinit.target sockets.target paths.target slices.target\n"},
        {"sysinit.target", TARGET("System initialization") EARLY "Wants=local-fs.target swap.target\n"
                                                                 "After=local-fs.target swap.target emergency.target\n"
                                                                 "Conflicts=shutdown.target emergency.target\n"
                                                                 "Before=shutdown.target\n"},
        {"sockets.target", TARGET("Listening sockets")},
        {"timers.target", TARGET("Timers") EARLY BEFORE_SHUTDOWN},
        {"paths.target", TARGET("Watched paths")},
        {"slices.target", TARGET("Slices") EARLY BEFORE_SHUTDOWN},
        {"swap.target", TARGET("Swap space") EARLY BEFORE_SHUTDOWN},
        {"network.target", TARGET("Network stack") "After=network-pre.target\n" PASSIVE},
        {"network-pre.target", TARGET("Before the network is set up") PASSIVE},
        {"network-online.target", TARGET("Network is online") "After=network.target\n"},
        {"nss-lookup.target", TARGET("Host name lookups") PASSIVE},
        {"nss-user-lookup.target", TARGET("User and group lookups") PASSIVE},
        {"local-fs-pre.target", TARGET("Before local file systems") EARLY BEFORE_SHUTDOWN},
        {"local-fs.target", TARGET("Local file systems") EARLY BEFORE_SHUTDOWN "After=local-fs-pre.target\n"},
        {"remote-fs-pre.target", TARGET("Before remote file systems") PASSIVE},
        {"remote-fs.target", TARGET("Remote file systems") EARLY BEFORE_SHUTDOWN "After=remote-fs-pre.target\n"},
        {"cryptsetup-pre.target", TARGET("Before encrypted volumes") EARLY BEFORE_SHUTDOWN},
        {"cryptsetup.target", TARGET("Encrypted volumes") EARLY BEFORE_SHUTDOWN},
        {"remote-cryptsetup.target", TARGET("Remote encrypted volumes") EARLY BEFORE_SHUTDOWN},
        {"veritysetup.target", TARGET("Verified volumes") EARLY BEFORE_SHUTDOWN},
        {"time-set.target", TARGET("System time is set") EARLY PASSIVE BEFORE_SHUTDOWN},
        {"time-sync.target",
         TARGET("System time is synchronized") "After=time-set.target\nWants=time-set.target\n" PASSIVE},
        {"rpcbind.target", TARGET("RPC port mapper") PASSIVE},
        {"getty-pre.target", TARGET("Before login prompts") PASSIVE},
        {"getty.target", TARGET("Login prompts")},
        {"boot-complete.target", TARGET("Boot is complete") "Requires=sysinit.target\nAfter=sysinit.target\n"},
        {"first-boot-complete.target", TARGET("First boot is complete") EARLY BEFORE_SHUTDOWN},
        {"bluetooth.target", TARGET("Bluetooth devices")},
        {"printer.target", TARGET("Printers")},
        {"smartcard.target", TARGET("Smart card readers")},
        {"sound.target", TARGET("Sound cards")},
        {"usb-gadget.target", TARGET("USB gadgets")},
        {"machines.target", TARGET("Containers and machines")},
        {"rescue.target", TARGET("Rescue mode") "Requires=sysinit.target\nAfter=sysinit.target\n" ISOLATABLE},
        {"emergency.target", TARGET("Emergency mode") EARLY BEFORE_SHUTDOWN ISOLATABLE},
        {"shutdown.target", TARGET("Shutdown") EARLY PASSIVE},
        {"umount.target",
         TARGET("File systems are unmounted") EARLY PASSIVE "Conflicts=local-fs.target remote-fs.target\n"
                                                            "After=local-fs.target remote-fs.target\n"},
        {"final.target", TARGET("Late shutdown") EARLY PASSIVE "After=shutdown.target umount.target\n"},
        {"reboot.target", ENDING("Reboot", "shutdown.target umount.target final.target")},
        {"poweroff.target", ENDING("Power off", "shutdown.target umount.target final.target")},
        {"halt.target", ENDING("Halt", "shutdown.target umount.target final.target")},
        {"kexec.target", ENDING("Reboot by kexec", "shutdown.target umount.target final.target")},
        {"exit.target", ENDING("Exit", "shutdown.target umount.target final.target")},
        {"sigpwr.target", TARGET("Power failure")},
        {"syslog.socket", NO_OP("Syslog socket (nothing to listen on)")},
        {"-.mount", NO_OP("Root file system")},
        {"proc.mount", NO_OP("Kernel interface /proc")},
        {"sys.mount", NO_OP("Kernel interface /sys")},
        {"dev.mount", NO_OP("Devices")},
        {"run.mount", NO_OP("Runtime files")},
        {"tmp.mount", NO_OP("Temporary files")},
};

static const struct {
        const char *name, *id;
} aliases[] = {
        {"ctrl-alt-del.target", "reboot.target"},  {"runlevel0.target", "poweroff.target"},
        {"runlevel1.target", "rescue.target"},     {"runlevel2.target", "multi-user.target"},
        {"runlevel3.target", "multi-user.target"}, {"runlevel4.target", "multi-user.target"},
        {"runlevel5.target", "graphical.target"},  {"runlevel6.target", "reboot.target"},
};

const char *builtin_text(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(builtins); i++)
                if (streq(builtins[i].name, name))
                        return builtins[i].text;
        return ends_with(name, ".slice") ? NO_OP("Slice") : NULL;
}

const char *builtin_alias(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
                if (streq(aliases[i].name, name))
                        return aliases[i].id;
        return NULL;
}

const char *builtin_name(unsigned i)
{
        return i < ARRAY_SIZE(builtins) ? builtins[i].name : NULL;
}

const char *builtin_alias_name(unsigned i)
{
        return i < ARRAY_SIZE(aliases) ? aliases[i].name : NULL;
}
