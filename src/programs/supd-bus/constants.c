/* SPDX-License-Identifier: MIT
 *
 * Properties that are the same for every unit, and always: those of directives that supd does not carry out have the
 * value of a unit without them, and what supd has no notion of is told as not there. So a client that knows systemd
 * reads what is true of the service, whatever its file asks for (which the notices of the unit tell).
 *
 * Not here: what would be a guess (properties.tsv of tests/integration/behaviour lists what is left out, and why).
 * Invariant: names and types are those of systemd 252; a test holds them against its list.
 */
#include "front.h"

struct constant {
        const char *name, *signature; /* one complete type */
        uint64_t number;              /* of basic types; -1 is the largest of its width, or "none" */
        const char *word;             /* of strings; NULL = "" */
};

#define NONE UINT64_MAX

static const struct constant of_units[] = {
        {"AccessSELinuxContext", "s"},
        {"ActivationDetails", "a(ss)"},
        {"SliceOf", "as"},
};

static const struct constant of_services[] = {
        /* security modules, name spaces and filters that are not set up */
        {"AppArmorProfile", "(bs)"},
        {"SELinuxContext", "(bs)"},
        {"SmackProcessLabel", "(bs)"},
        {"IPCNamespacePath", "s"},
        {"NetworkNamespacePath", "s"},
        {"PrivateIPC", "b"},
        {"PrivateNetwork", "b"},
        {"PrivateUsers", "b"},
        {"ProtectHostname", "b"},
        {"ProtectProc", "s", .word = "default"},
        {"ProcSubset", "s", .word = "all"},
        {"LockPersonality", "b"},
        {"MemoryDenyWriteExecute", "b"},
        {"RestrictAddressFamilies", "(bas)"},
        {"RestrictFileSystems", "(bas)"},
        {"RestrictNamespaces", "t", NONE},
        {"RestrictNetworkInterfaces", "(bas)"},
        {"RestrictRealtime", "b"},
        {"RestrictSUIDSGID", "b"},
        {"SystemCallArchitectures", "as"},
        {"SystemCallErrorNumber", "i", INT32_MAX - 1}, /* kill */
        {"SystemCallFilter", "(bas)"},
        {"SystemCallLog", "(bas)"},
        {"MountFlags", "t"},
        /* images: a unit that asks for one is refused */
        {"RootImage", "s"},
        {"RootImageOptions", "a(ss)"},
        {"RootHash", "ay"},
        {"RootHashPath", "s"},
        {"RootHashSignature", "ay"},
        {"RootHashSignaturePath", "s"},
        {"RootVerity", "s"},
        {"ExtensionDirectories", "as"},
        {"ExtensionImages", "a(sba(ss))"},
        {"MountImages", "a(ssba(ss))"},
        /* cgroups: what is not limited, and not counted */
        {"BPFProgram", "a(ss)"},
        {"BlockIODeviceWeight", "a(st)"},
        {"BlockIOReadBandwidth", "a(st)"},
        {"BlockIOWriteBandwidth", "a(st)"},
        {"DefaultMemoryLow", "t"},
        {"DefaultMemoryMin", "t"},
        {"DeviceAllow", "a(ss)"},
        {"DevicePolicy", "s", .word = "auto"},
        {"DisableControllers", "as"},
        {"IODeviceLatencyTargetUSec", "a(st)"},
        {"IODeviceWeight", "a(st)"},
        {"IOReadBandwidthMax", "a(st)"},
        {"IOReadBytes", "t", NONE},
        {"IOReadIOPSMax", "a(st)"},
        {"IOReadOperations", "t", NONE},
        {"IOWriteBandwidthMax", "a(st)"},
        {"IOWriteBytes", "t", NONE},
        {"IOWriteIOPSMax", "a(st)"},
        {"IOWriteOperations", "t", NONE},
        {"IPAccounting", "b"},
        {"IPAddressAllow", "a(iayu)"},
        {"IPAddressDeny", "a(iayu)"},
        {"IPEgressBytes", "t", NONE},
        {"IPEgressFilterPath", "as"},
        {"IPEgressPackets", "t", NONE},
        {"IPIngressBytes", "t", NONE},
        {"IPIngressFilterPath", "as"},
        {"IPIngressPackets", "t", NONE},
        {"ManagedOOMMemoryPressure", "s", .word = "auto"},
        {"ManagedOOMMemoryPressureLimit", "u"},
        {"ManagedOOMPreference", "s", .word = "none"},
        {"ManagedOOMSwap", "s", .word = "auto"},
        {"MemoryAvailable", "t", NONE},
        {"SocketBindAllow", "a(iiqq)"},
        {"SocketBindDeny", "a(iiqq)"},
        {"StartupAllowedCPUs", "ay"},
        {"StartupAllowedMemoryNodes", "ay"},
        {"StartupBlockIOWeight", "t", NONE},
        {"StartupCPUShares", "t", NONE},
        {"StartupCPUWeight", "t", NONE},
        {"StartupIOWeight", "t", NONE},
        /* the log: lines go to a file as they are */
        {"LogExtraFields", "aay"},
        {"LogLevelMax", "i", NONE},
        {"LogNamespace", "s"},
        {"LogRateLimitBurst", "u"},
        {"LogRateLimitIntervalUSec", "t"},
        /* and the rest */
        {"CleanResult", "s", .word = "success"}, /* what cannot be removed is an error at once */
        {"TimeoutCleanUSec", "t", NONE},
        {"CPUAffinityFromNUMA", "b"},
        {"CacheDirectorySymlink", "a(sst)"},
        {"LogsDirectorySymlink", "a(sst)"},
        {"RuntimeDirectorySymlink", "a(sst)"},
        {"StateDirectorySymlink", "a(sst)"},
        {"LoadCredentialEncrypted", "a(ss)"},
        {"SetCredentialEncrypted", "a(say)"},
        {"SameProcessGroup", "b"},
        {"USBFunctionDescriptors", "s"},
        {"USBFunctionStrings", "s"},
};

/* Nothing is listened to, waited for or watched: units of these types are known by name only. */
static const struct constant of_sockets[] = {
        {"Listen", "a(ss)"}, {"Accept", "b"},   {"NConnections", "u"},
        {"NAccepted", "u"},  {"NRefused", "u"}, {"Result", "s", .word = "success"},
};
static const struct constant of_timers[] = {
        {"NextElapseUSecRealtime", "t"},   {"NextElapseUSecMonotonic", "t"},   {"LastTriggerUSec", "t"},
        {"LastTriggerUSecMonotonic", "t"}, {"Result", "s", .word = "success"},
};
static const struct constant of_paths[] = {
        {"Paths", "a(ss)"},
        {"Result", "s", .word = "success"},
};

static const struct constant of_the_manager[] = {
        /* what only an init that came through firmware, loader and initramfs could know */
        {"FirmwareTimestamp", "t"},
        {"FirmwareTimestampMonotonic", "t"},
        {"LoaderTimestamp", "t"},
        {"LoaderTimestampMonotonic", "t"},
        {"InitRDTimestamp", "t"},
        {"InitRDTimestampMonotonic", "t"},
        {"InitRDGeneratorsStartTimestamp", "t"},
        {"InitRDGeneratorsStartTimestampMonotonic", "t"},
        {"InitRDGeneratorsFinishTimestamp", "t"},
        {"InitRDGeneratorsFinishTimestampMonotonic", "t"},
        {"InitRDSecurityStartTimestamp", "t"},
        {"InitRDSecurityStartTimestampMonotonic", "t"},
        {"InitRDSecurityFinishTimestamp", "t"},
        {"InitRDSecurityFinishTimestampMonotonic", "t"},
        {"InitRDUnitsLoadStartTimestamp", "t"},
        {"InitRDUnitsLoadStartTimestampMonotonic", "t"},
        {"InitRDUnitsLoadFinishTimestamp", "t"},
        {"InitRDUnitsLoadFinishTimestampMonotonic", "t"},
        {"SecurityStartTimestamp", "t"},
        {"SecurityStartTimestampMonotonic", "t"},
        {"SecurityFinishTimestamp", "t"},
        {"SecurityFinishTimestampMonotonic", "t"},
        /* no watchdog of the machine is fed */
        {"RuntimeWatchdogUSec", "t"},
        {"RuntimeWatchdogPreUSec", "t"},
        {"RuntimeWatchdogPreGovernor", "s"},
        {"RebootWatchdogUSec", "t"},
        {"KExecWatchdogUSec", "t"},
        {"WatchdogDevice", "s"},
        {"WatchdogLastPingTimestamp", "t", NONE},
        {"WatchdogLastPingTimestampMonotonic", "t", NONE},
        /* what units have that say nothing */
        {"DefaultBlockIOAccounting", "b"},
        {"DefaultCPUAccounting", "b"},
        {"DefaultMemoryAccounting", "b"},
        {"DefaultTasksAccounting", "b"},
        {"DefaultTasksMax", "t", NONE},
        {"DefaultOOMPolicy", "s", .word = "stop"},
        {"ExitCode", "y"},
};

static const struct {
        const char *interface;
        const struct constant *v;
        size_t n;
} tables[] = {
        {"Unit", of_units, ARRAY_SIZE(of_units)},       {"Service", of_services, ARRAY_SIZE(of_services)},
        {"Socket", of_sockets, ARRAY_SIZE(of_sockets)}, {"Timer", of_timers, ARRAY_SIZE(of_timers)},
        {"Path", of_paths, ARRAY_SIZE(of_paths)},       {"Manager", of_the_manager, ARRAY_SIZE(of_the_manager)},
};

/* CONTROL_KIND_ANY: numbers, words, and everything else empty. */
static int write_value(const struct constant *c, const char *signature, struct buf *b)
{
        const char *word = c->word ? c->word : "";
        int r = 0;

        for (size_t n; *signature && r >= 0; signature += n) {
                n = *signature == '(' ? 1 : signature_length(signature);
                if (*signature == 'a')
                        r = buf_append(b, &(uint32_t){0}, sizeof(uint32_t));
                else if (*signature == 's')
                        r = buf_append(b, word, strlen(word) + 1);
                else if (*signature != '(' && *signature != ')')
                        r = buf_append(b, &c->number, sizeof c->number);
        }
        return r;
}

static int write_constant(const struct constant *c, struct buf *b)
{
        ssize_t place = control_write_begin(b, CONTROL_TAG_PROPERTY);
        int r = place < 0 ? (int)place : buf_append_char(b, CONTROL_KIND_ANY);

        if (r >= 0 && (r = buf_append(b, c->name, strlen(c->name) + 1)) >= 0 &&
            (r = buf_append(b, c->signature, strlen(c->signature) + 1)) >= 0 &&
            (r = write_value(c, c->signature, b)) >= 0)
                r = control_write_end(b, place);
        return r;
}

int constants_write(const char *interface, struct buf *b)
{
        int r = 0;

        for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
                for (size_t i = 0; r >= 0 && streq(tables[t].interface, interface) && i < tables[t].n; i++)
                        r = write_constant(&tables[t].v[i], b);
        return r;
}
