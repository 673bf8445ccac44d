/* SPDX-License-Identifier: MIT
 *
 * The verbs of supctl, a row each: what they are called, what they take, what completes them, what they are for. Help,
 * completions for shells and the way into each verb are made of it.
 *
 *     LOOK(name, arguments, min, max, exit status without a table, function, completed by, what for)
 *     FILES(…the same without an exit status…)    needs no supd
 *     BUS(name, arguments, completed by, what for)    done by supctl-bus
 *
 * "Completed by" is an enum complete (print-completions.c). Not here: code. Invariant: a verb of supctl-bus that is not
 * listed works all the same, and is merely not offered.
 */
/* clang-format off */
LOOK("status", "[UNIT|PATTERN|PID…]", 0, UINT32_MAX, EXIT_UNKNOWN, verb_status, UNITS, "What units are doing (without a unit: supd itself)")
LOOK("list-units", "[PATTERN…]", 0, UINT32_MAX, EXIT_ERROR, verb_list_units, UNITS, "One line per loaded unit")
LOOK("is-active", "UNIT…", 1, UINT32_MAX, EXIT_ERROR, verb_is_active, UNITS, "Exit with 0 if any of them is active")
LOOK("is-failed", "UNIT…", 1, UINT32_MAX, EXIT_ERROR, verb_is_failed, UNITS, "Exit with 0 if any of them has failed")
LOOK("is-system-running", "", 0, 0, EXIT_ERROR, verb_is_system_running, NOTHING, "Exit with 0 if all is well")
LOOK("show", "[UNIT…]", 0, UINT32_MAX, EXIT_ERROR, verb_show, UNITS, "Properties, for programs: -p NAME,…  --value")
LOOK("wait", "UNIT…", 1, UINT32_MAX, EXIT_ERROR, verb_wait, UNITS, "Sleep until they are --state=active,… (--timeout=SPAN)")
LOOK("events", "[UNIT|PATTERN…]", 0, UINT32_MAX, EXIT_ERROR, verb_events, UNITS, "Changes as they come (-n N: the last ones first; --no-follow)")
LOOK("history", "UNIT|PATTERN…", 1, UINT32_MAX, EXIT_ERROR, verb_history, UNITS, "Their last activations: when, who asked, how they ended (-n N)")
BUS("start", "UNIT…", STARTABLE, "Start them, with what they need")
BUS("stop", "UNIT…", ACTIVE, "Stop them, with what needs them")
BUS("restart", "UNIT…", UNITS, "Stop and start them")
BUS("try-restart", "UNIT…", ACTIVE, "Likewise, those that are up")
BUS("reload", "UNIT…", ACTIVE, "Have them read their configuration again")
BUS("reload-or-restart", "UNIT…", UNITS, "Reload those that can, restart the others")
BUS("try-reload-or-restart", "UNIT…", ACTIVE, "Likewise, those that are up")
BUS("isolate", "TARGET", TARGETS, "Start it, and stop what it does not need")
BUS("kill", "UNIT…", ACTIVE, "Send a signal to their processes (-s SIGNAL, --kill-whom=, --kill-value=)")
BUS("set-property", "UNIT NAME=VALUE…", UNITS, "Change its limits and weights now, and for good (--runtime: until the next boot)")
BUS("reset-failed", "[UNIT…]", FAILED, "Forget failures and start counts")
BUS("tree", "[UNIT…]", UNITS, "What they need, as a tree (--reverse, --after, --before, --all)")
BUS("list-dependencies", "[UNIT…]", UNITS, "Likewise, as systemctl prints it")
BUS("why", "UNIT…", UNITS, "Why they are in their state, and what would help")
BUS("plan", "VERB UNIT…", PLANS, "What start, stop, …, daemon-reload would do; nothing is done")
BUS("list-jobs", "", NOTHING, "What is under way or waits")
BUS("cancel", "[JOB…]", JOBS, "Give jobs up")
BUS("daemon-reload", "", NOTHING, "Read unit files and settings again")
BUS("daemon-reexec", "", NOTHING, "Go on with the supd that is installed now")
BUS("show-environment", "", NOTHING, "What services get besides their own")
BUS("set-environment", "NAME=VALUE…", NOTHING, "Change that")
BUS("unset-environment", "NAME…", NOTHING, "Undo that")
BUS("import-environment", "[NAME…]", NOTHING, "Take it from the caller's")
BUS("service-watchdogs", "", NOTHING, "Are watchdogs of services heeded?")
BUS("log-level", "[LEVEL]", LEVELS, "How much supd says")
BUS("log-target", "[TARGET]", NOTHING, "Where to")
FILES("enable", "UNIT|PATH…", 1, UINT32_MAX, verb_change_files, UNIT_FILES, "Make the links that [Install] asks for (--now: and start)")
FILES("disable", "UNIT…", 1, UINT32_MAX, verb_change_files, UNIT_FILES, "Remove them (--now: and stop)")
FILES("reenable", "UNIT|PATH…", 1, UINT32_MAX, verb_change_files, UNIT_FILES, "Remove them and make them anew")
FILES("preset", "UNIT…", 1, UINT32_MAX, verb_change_files, UNIT_FILES, "Enable or disable as the presets say")
FILES("preset-all", "", 0, 0, verb_preset_all, NOTHING, "Likewise, all there are")
FILES("mask", "UNIT…", 1, UINT32_MAX, verb_change_files, UNIT_FILES, "Make it impossible to start them")
FILES("unmask", "UNIT…", 1, UINT32_MAX, verb_change_files, UNIT_FILES, "Undo that")
FILES("link", "PATH…", 1, UINT32_MAX, verb_change_files, PATHS, "Make unit files elsewhere known")
FILES("revert", "UNIT…", 1, UINT32_MAX, verb_change_files, UNIT_FILES, "Back to what the vendor ships")
FILES("add-wants", "TARGET UNIT…", 2, UINT32_MAX, verb_add_dependency, UNIT_FILES, "Make TARGET want them")
FILES("add-requires", "TARGET UNIT…", 2, UINT32_MAX, verb_add_dependency, UNIT_FILES, "Make TARGET require them")
FILES("is-enabled", "UNIT…", 1, UINT32_MAX, verb_is_enabled, UNIT_FILES, "Exit with 0 if any of them is enabled")
FILES("list-unit-files", "[PATTERN…]", 0, UINT32_MAX, verb_list_unit_files, UNIT_FILES, "All unit files")
FILES("cat", "UNIT…", 1, UINT32_MAX, verb_cat, UNIT_FILES, "The files of a unit")
FILES("verify", "UNIT|FILE…", 1, UINT32_MAX, verb_verify, UNIT_FILES, "What becomes of each line, and what is wrong (--strict, --json)")
FILES("get-default", "", 0, 0, verb_get_default, NOTHING, "What default.target is")
FILES("set-default", "TARGET", 1, 1, verb_set_default, TARGETS, "Make it TARGET")
/* clang-format on */
