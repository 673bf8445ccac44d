/* SPDX-License-Identifier: MIT
 * What the text of a unit means, rule by rule (numbers: the dialect's rules).
 */
#include "unit-test.h"

#include <sys/resource.h>

#define SERVICE(body) "[Service]\n" body
#define SIMPLE        SERVICE("ExecStart=/bin/a\n")

static void rule_00_defaults_of_a_service(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u = unit_of("a.service", SIMPLE, &d);
        const struct service_config *s = u->service;

        assert_int_equal(d.n_entries, 0);
        assert_int_equal(u->load_state, LOAD_LOADED);
        assert_null(u->load_error);
        assert_string_equal(u->description, "a.service");
        assert_string_equal(u->fragment_path, "/u/main");
        assert_int_equal(u->start_limit_interval_us, 10 * USEC_PER_SEC);
        assert_int_equal(u->start_limit_burst, 5);
        assert_true(u->default_dependencies);
        assert_true(u->job_timeout_us == USEC_INFINITY && u->job_running_timeout_us == USEC_INFINITY);
        assert_int_equal(s->type, SERVICE_SIMPLE);
        assert_int_equal(s->restart, RESTART_NO);
        assert_int_equal(s->notify_access, NOTIFY_NONE);
        assert_int_equal(s->restart_us, 100 * USEC_PER_MSEC);
        assert_int_equal(s->timeout_start_us, 90 * USEC_PER_SEC);
        assert_int_equal(s->timeout_stop_us, 90 * USEC_PER_SEC);
        assert_int_equal(s->timeout_abort_us, 90 * USEC_PER_SEC);
        assert_true(s->runtime_max_us == USEC_INFINITY && s->watchdog_us == 0);
        assert_true(s->guess_main_pid && !s->remain_after_exit);
        assert_int_equal(s->kill->mode, KILL_CONTROL_GROUP);
        assert_int_equal(s->kill->signal, 15);
        assert_int_equal(s->kill->final_signal, 9);
        assert_int_equal(s->kill->watchdog_signal, 6);
        assert_true(s->kill->send_sigkill && !s->kill->send_sighup);
        assert_int_equal(s->exec->umask, 0022);
        assert_true(s->exec->ignore_sigpipe);
        assert_int_equal(s->exec->output, OUTPUT_JOURNAL);
        assert_int_equal(s->exec->error, OUTPUT_INHERIT);
        assert_int_equal(s->exec->directories[DIRECTORY_STATE].mode, 0755);
        assert_false(s->exec->limits[RLIMIT_NOFILE].set);
        assert_int_equal(s->success_status->signals, 0);
        assert_int_equal(s->oom_policy, OOM_STOP);
}

static void rule_01_unknown_keys_warn_and_load(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u =
                unit_of("a.service",
                        "[Unit]\nX-Ours=1\nAftr=b.service\n[X-More]\nWhat=ever\n[Foo]\nA=1\nB=2\n"
                        "[Service]\nExecStart=/bin/a\nStartLimitIntervalSec=1\n[Socket]\nAccept=yes\n",
                        &d);

        assert_int_equal(u->load_state, LOAD_LOADED);
        assert_string_equal(
                said(&d),
                "/u/main:3: warning: unknown key 'Aftr' in section [Unit] is ignored; did you mean After=?\n"
                "/u/main:7: warning: section [Foo] is unknown and ignored\n"
                "/u/main:11: warning: unknown key 'StartLimitIntervalSec' in section [Service] is ignored; "
                "StartLimitIntervalSec= belongs in [Unit]\n"
                "/u/main:13: warning: section [Socket] does not belong in a unit of this type and is ignored\n");
        assert_int_equal(u->start_limit_interval_us, 10 * USEC_PER_SEC);
}

static void rule_04_empty_resets_lists_but_not_dependencies(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u = unit_of_texts(
                "a.service",
                "[Unit]\nAfter=b.service\nConditionPathExists=/a\nAssertPathExists=/b\n[Service]\nExecStart=/bin/a\n"
                "Environment=A=1\nEnvironmentFile=/e\nCapabilityBoundingSet=CAP_KILL\nSuccessExitStatus=3\n",
                "[Unit]\nAfter=\nConditionPathExists=\n[Service]\nExecStart=\nExecStart=/bin/b\nEnvironment=\n"
                "EnvironmentFile=\nCapabilityBoundingSet=\nSuccessExitStatus=\n",
                NULL, &d);
        const struct service_config *s = u->service;

        assert_int_equal(d.n_entries, 0);
        assert_true(list_contains(&u->dependencies[DEP_AFTER], "b.service"));
        assert_int_equal(u->conditions.n, 1);
        assert_true(u->conditions.v[0].assert);
        assert_int_equal(s->commands[EXEC_START].n, 1);
        assert_string_equal(s->commands[EXEC_START].v[0].path, "/bin/b");
        assert_string_equal(s->commands[EXEC_START].v[0].file, "/u/10.conf");
        assert_int_equal(s->commands[EXEC_START].v[0].line, 6);
        assert_int_equal(s->exec->environment.n, 0);
        assert_int_equal(s->exec->environment_files.n, 0);
        assert_true(s->exec->capability_bounding_set && s->exec->bounding_set == 0);
        assert_int_equal(s->success_status->codes[0], 0);
}

static void rule_05_bad_values_are_dropped(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u =
                unit_of("a.service",
                        SERVICE("ExecStart=/bin/a\nRestart=sometimes\nRemainAfterExit=maybe\nTimeoutStopSec=5x\n"), &d);

        assert_int_equal(u->load_state, LOAD_LOADED);
        assert_int_equal(d.n_warnings, 3);
        assert_int_equal(u->service->restart, RESTART_NO);
        assert_int_equal(u->service->timeout_stop_us, 90 * USEC_PER_SEC);
        assert_non_null(strstr(said(&d), "/u/main:3: warning: Restart=: 'sometimes' is not when to restart"));
}

static void rule_05_what_refuses_a_unit(void **state unused_)
{
        static const struct {
                const char *text, *error;
        } cases[] = {
                {"[Service]\n", "service has no ExecStart= and no ExecStop="},
                {"[Service]\nType=simple\nExecStop=/bin/a\n", "must be of Type=oneshot"},
                {"[Service]\nType=oneshot\nExecStop=/bin/a\n", "RemainAfterExit=yes"},
                {"[Service]\nExecStart=/bin/a\nExecStart=/bin/b\n", "/u/main:3: service has more than one ExecStart="},
                {"[Service]\nExecStart=/bin/a %Q\n", "/u/main:2: ExecStart=: there is no specifier '%Q'"},
                {"[Service]\nExecStart=bin/a\n", "ExecStart="},
                {"[Service]\nExecStart=/bin/a\nUser=a b\n", "User="},
                {"[Service]\nExecStart=/bin/a\nWorkingDirectory=a\n", "WorkingDirectory="},
                {"[Service]\nExecStart=/bin/a\nRootImage=/a\n", "/u/main:3: RootImage= is not supported"},
                {"[Service]\nExecStart=/bin/a\nType=dbus\n", "BusName="},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_diag_ struct diag d = {0};
                cleanup_unit_ struct unit *u = unit_of("a.service", cases[i].text, &d);

                assert_int_equal(u->load_state, LOAD_BAD_SETTING);
                assert_int_equal(d.n_errors, 1);
                if (!strstr(u->load_error, cases[i].error))
                        fail_msg("'%s' is not in '%s'", cases[i].error, u->load_error);
        }
}

static void rule_05_a_drop_in_takes_back_a_refusal(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u = unit_of_texts("a.service", SERVICE("ExecStart=/bin/a\nRootDirectory=/a\n"),
                                                     SERVICE("RootDirectory=\n"), NULL, &d);

        assert_int_equal(u->load_state, LOAD_LOADED);
        assert_int_equal(d.n_entries, 0);
}

static void rule_12_specifiers(void **state unused_)
{
        static const struct unit_context c = {.host_name = "h.example",
                                              .machine_id = "mid",
                                              .boot_id = "bid",
                                              .kernel_release = "6.1",
                                              .user_name = "root",
                                              .user_home = "/root",
                                              .group_name = "wheel",
                                              .user_shell = "/bin/sh",
                                              .runtime_dir_root = "/run"};
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u = unit_of_texts("ab-cd@e-f\\x2dg.service",
                                                     SERVICE("ExecStart=/bin/a %n %N %p %P %i %I %j %J %f %H %l %t %S "
                                                             "%C %L %E %m %b %v %h %u %U %g %G %s %% 5%\n"
                                                             "SyslogIdentifier=x-%i\nEnvironment=\"A=%p %i\"\n"),
                                                     NULL, &c, &d);
        const struct strings *w = &u->service->commands[EXEC_START].v[0].words;

        assert_string_equal(joined(w),
                            "/bin/a ab-cd@e-f\\x2dg.service ab-cd@e-f\\x2dg ab-cd ab/cd e-f\\x2dg e/f-g cd cd "
                            "/e/f-g h.example h /run /var/lib /var/cache /var/log /etc mid bid 6.1 /root root 0 "
                            "wheel 0 /bin/sh % 5%");
        assert_null(w->v[w->n]);
        assert_string_equal(u->service->exec->syslog_identifier, "x-e-f\\x2dg");
        assert_string_equal(u->service->exec->environment.v[0], "A=ab-cd e-f\\x2dg");
        assert_string_equal(u->instance, "e-f\\x2dg");
}

static void rule_12_a_template_needs_an_instance(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u = unit_of("a@.service", "[Unit]\nAfter=b@%i.service\n" SIMPLE, &d);

        assert_int_equal(u->load_state, LOAD_ERROR);
        assert_non_null(strstr(u->load_error, "a@NAME.service"));
        assert_int_equal(d.n_entries, 0);
}

static void rule_13_legacy_names(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u =
                unit_of("a.service",
                        SERVICE("ExecStart=/bin/a\nStartLimitInterval=1min\nStartLimitBurst=7\nTimeoutSec=5\n"
                                "PermissionsStartOnly=yes\nBusName=org.a.B\nReadOnlyDirectories=/a\n"
                                "InaccessibleDirectories=/b\n"),
                        &d);

        assert_int_equal(d.n_entries, 0);
        assert_int_equal(u->start_limit_interval_us, 60 * USEC_PER_SEC);
        assert_int_equal(u->start_limit_burst, 7);
        assert_int_equal(u->service->timeout_start_us, 5 * USEC_PER_SEC);
        assert_int_equal(u->service->timeout_stop_us, 5 * USEC_PER_SEC);
        assert_true(u->service->permissions_start_only);
        assert_string_equal(u->service->bus_name, "org.a.B");
        assert_int_equal(u->notices.n, 0);
        assert_int_equal(u->service->exec->rare->sandbox.n, 2);
        assert_int_equal(u->service->exec->rare->sandbox.v[0].kind, SANDBOX_READ_ONLY);
        assert_string_equal(u->service->exec->rare->sandbox.v[1].path, "/b");
}

static void rule_14_commands(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u =
                unit_of("a.service",
                        SERVICE("Type=oneshot\nExecStart=-@/bin/a b 'c d' ; :/bin/e $F \\; g\nExecStartPre=!!h\n"), &d);
        const struct exec_commands *c = &u->service->commands[EXEC_START];

        assert_int_equal(d.n_entries, 0);
        assert_int_equal(c->n, 2);
        assert_int_equal(c->v[0].flags, EXEC_IGNORE_FAILURE | EXEC_ARGV0);
        assert_string_equal(c->v[0].path, "/bin/a");
        assert_string_equal(joined(&c->v[0].words), "b c d");
        assert_int_equal(c->v[0].words.n, 2);
        assert_int_equal(c->v[1].flags, EXEC_NO_EXPAND);
        assert_string_equal(joined(&c->v[1].words), "/bin/e $F ; g");
        assert_int_equal(u->service->commands[EXEC_START_PRE].v[0].flags, EXEC_AMBIENT);
        assert_string_equal(u->service->commands[EXEC_START_PRE].v[0].path, "h");
}

static void rule_25_environment_later_wins(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u = unit_of(
                "a.service",
                SERVICE("ExecStart=/bin/a\nEnvironment=A=1 B=2 \"C=x y\"\nEnvironment=A=3 AB=4\nEnvironment=bad\n"),
                &d);

        assert_int_equal(d.n_warnings, 1);
        assert_string_equal(joined(&u->service->exec->environment), "B=2 C=x y A=3 AB=4");
}

static void rule_31_default_types(void **state unused_)
{
        static const struct {
                const char *text;
                enum service_type type;
        } cases[] = {{"ExecStart=/bin/a\n", SERVICE_SIMPLE},
                     {"ExecStart=/bin/a\nBusName=org.a.B\n", SERVICE_DBUS},
                     {"ExecStop=/bin/a\nRemainAfterExit=yes\n", SERVICE_ONESHOT}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char text[128];
                cleanup_diag_ struct diag d = {0};
                cleanup_unit_ struct unit *u = NULL;

                (void)snprintf(text, sizeof(text), "[Service]\n%s", cases[i].text);
                u = unit_of("a.service", text, &d);
                assert_int_equal(u->load_state, LOAD_LOADED);
                assert_int_equal(u->service->type, cases[i].type);
                assert_int_equal(list_contains(&u->dependencies[DEP_REQUIRES], "dbus.socket"),
                                 cases[i].type == SERVICE_DBUS);
        }
}

static void rule_32_timeouts(void **state unused_)
{
        static const struct unit_context c = {
                .default_timeout_start_us = 7, .default_timeout_stop_us = 8, .default_restart_us = 9};
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *oneshot = unit_of("a.service", SERVICE("Type=oneshot\nExecStart=/bin/a\n"), &d);
        cleanup_unit_ struct unit *given =
                unit_of("a.service", SERVICE("Type=oneshot\nExecStart=/bin/a\nTimeoutStartSec=3\n"), &d);
        cleanup_unit_ struct unit *none =
                unit_of("a.service", SERVICE("ExecStart=/bin/a\nTimeoutStartSec=0\nTimeoutStopSec=0\n"), &d);
        cleanup_unit_ struct unit *configured = unit_of_texts("a.service", SIMPLE, NULL, &c, &d);

        assert_true(oneshot->service->timeout_start_us == USEC_INFINITY);
        assert_int_equal(oneshot->service->timeout_stop_us, 90 * USEC_PER_SEC);
        assert_int_equal(given->service->timeout_start_us, 3 * USEC_PER_SEC);
        assert_true(none->service->timeout_start_us == USEC_INFINITY &&
                    none->service->timeout_stop_us == USEC_INFINITY);
        assert_int_equal(configured->service->timeout_start_us, 7);
        assert_int_equal(configured->service->timeout_stop_us, 8);
        assert_int_equal(configured->service->restart_us, 9);
}

static void rule_34_notify_access(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *notify = unit_of("a.service", SERVICE("Type=notify\nExecStart=/bin/a\n"), &d);
        cleanup_unit_ struct unit *all =
                unit_of("a.service", SERVICE("Type=notify\nNotifyAccess=all\nExecStart=/bin/a\n"), &d);
        cleanup_unit_ struct unit *dog = unit_of("a.service", SERVICE("WatchdogSec=1\nExecStart=/bin/a\n"), &d);

        assert_int_equal(notify->service->notify_access, NOTIFY_MAIN);
        assert_int_equal(all->service->notify_access, NOTIFY_ALL);
        assert_int_equal(dog->service->notify_access, NOTIFY_MAIN);
}

static void rule_35_pid_file_paths(void **state unused_)
{
        static const struct {
                const char *written, *read;
        } cases[] = {{"a.pid", "/run/a.pid"}, {"/var/run/a/b.pid", "/run/a/b.pid"}, {"/a//b.pid", "/a/b.pid"}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char text[128];
                cleanup_unit_ struct unit *u = NULL;

                (void)snprintf(text, sizeof(text), SERVICE("ExecStart=/bin/a\nPIDFile=%s\n"), cases[i].written);
                u = unit_of("a.service", text, NULL);
                assert_string_equal(u->service->pid_file, cases[i].read);
        }
}

static void rule_41_status_sets(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u = unit_of("a.service",
                                               SERVICE("ExecStart=/bin/a\nSuccessExitStatus=143 SIGUSR1 DATAERR "
                                                       "nonsense\nRestartPreventExitStatus=255\n"),
                                               &d);
        const struct exit_status_set *s = u->service->success_status;

        assert_int_equal(d.n_warnings, 1);
        assert_true(s->codes[143 / 32] >> (143 % 32) & 1);
        assert_true(s->codes[65 / 32] >> (65 % 32) & 1);
        assert_true(s->signals == UINT64_C(1) << (10 - 1));
        assert_true(u->service->restart_prevent_status->codes[7] == UINT32_C(1) << 31);
}

static void oom_policy_of_who_manages_cgroups_himself(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *by_itself = unit_of("a.service", SIMPLE "Delegate=yes\n", &d);
        cleanup_unit_ struct unit *written = unit_of("a.service", SIMPLE "OOMPolicy=stop\nDelegate=yes\n", &d);

        assert_int_equal(by_itself->service->oom_policy, OOM_CONTINUE);
        assert_int_equal(written->service->oom_policy, OOM_STOP);
}

static void rule_42_oneshot_refuses_to_restart_after_success(void **state unused_)
{
        static const char *const words[] = {"always", "on-success", "on-failure", "no"};

        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
                char text[128];
                cleanup_diag_ struct diag d = {0};
                cleanup_unit_ struct unit *u = NULL;

                (void)snprintf(text, sizeof(text), SERVICE("Type=oneshot\nExecStart=/bin/a\nRestart=%s\n"), words[i]);
                u = unit_of("a.service", text, &d);
                assert_int_equal(u->load_state, i < 2 ? LOAD_BAD_SETTING : LOAD_LOADED);
        }
}

static void rule_58_conditions(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u =
                unit_of("a.target",
                        "[Unit]\nConditionPathExists=|!/a b\nAssertACPower=yes\nConditionHost=| ! x\nConditionFancy=1\n"
                        "ConditionPathExists=| /a\nAssertPathExists=a\nConditionHost=!!x\n",
                        &d);
        const struct condition *c = u->conditions.v;

        assert_int_equal(u->conditions.n, 4);
        assert_int_equal(c[0].kind, COND_PATH_EXISTS);
        assert_true(c[0].trigger && c[0].negate && !c[0].assert);
        assert_string_equal(c[0].parameter, "/a b");
        assert_string_equal(c[0].name, "ConditionPathExists");
        assert_true(c[1].kind == COND_AC_POWER && c[1].assert);
        assert_true(c[2].kind == COND_HOST && c[2].trigger && c[2].negate);
        assert_string_equal(c[2].parameter, "x");
        assert_string_equal(c[3].parameter, "!x");
        assert_int_equal(u->notices.n, 0);
        assert_int_equal(d.n_warnings, 3); /* no such condition; two paths that are not absolute */
}

static void rule_60_default_dependencies(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u = unit_of("a.service", "[Unit]\nAfter=b.service b.service\n" SIMPLE, &d);
        cleanup_unit_ struct unit *bare = unit_of("a.service", "[Unit]\nDefaultDependencies=no\n" SIMPLE, &d);
        cleanup_unit_ struct unit *timer = unit_of("a.timer", "[Timer]\nOnBootSec=1\n", &d);
        cleanup_unit_ struct unit *socket = unit_of("a.socket", "[Socket]\nService=b.service\n", &d);
        cleanup_unit_ struct unit *each = unit_of("a.socket", "[Socket]\nAccept=yes\n", &d);

        assert_string_equal(joined(&u->dependencies[DEP_REQUIRES]), "sysinit.target");
        assert_string_equal(joined(&u->dependencies[DEP_AFTER]), "b.service sysinit.target basic.target");
        assert_string_equal(joined(&u->dependencies[DEP_CONFLICTS]), "shutdown.target");
        assert_string_equal(joined(&u->dependencies[DEP_BEFORE]), "shutdown.target");
        for (int i = 0; i < N_UNIT_DEPENDENCIES; i++)
                assert_int_equal(bare->dependencies[i].n, 0);
        assert_string_equal(timer->trigger, "a.service");
        assert_string_equal(joined(&timer->dependencies[DEP_BEFORE]), "a.service timers.target shutdown.target");
        assert_string_equal(joined(&socket->dependencies[DEP_BEFORE]), "b.service sockets.target shutdown.target");
        assert_string_equal(each->trigger, "a@.service");
}

static void rule_60_targets_come_after_what_they_pull_in(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u = unit_of(
                "a.target",
                "[Unit]\nAfter=x.service\nRequires=b.service c.service\nWants=d.service x.service\nBefore=c.service\n",
                &d);
        cleanup_unit_ struct unit *empty = unit_of("b.target", "[Unit]\n", &d);

        assert_string_equal(joined(&u->dependencies[DEP_AFTER]), "x.service b.service d.service");
        assert_int_equal(u->n_default_after, 2);
        assert_false(u->is_empty_target);
        assert_true(empty->is_empty_target);
        assert_null(u->service);
}

static void rule_64_further_dependencies(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u = unit_of(
                "a@i.service",
                "[Unit]\nPropagateReloadTo=b.service\nReloadPropagatedFrom=c.service\nUpholds=d@.service\nBindTo=e."
                "service\n"
                "RequiresMountsFor=/m /n/\nOnFailure=f@%n.service\nWants=a@i.service\nStopWhenUnneeded=yes\n" SIMPLE,
                &d);

        assert_string_equal(joined(&u->dependencies[DEP_PROPAGATES_RELOAD_TO]), "b.service");
        assert_string_equal(joined(&u->dependencies[DEP_RELOAD_PROPAGATED_FROM]), "c.service");
        assert_string_equal(joined(&u->dependencies[DEP_UPHOLDS]), "d@i.service");
        assert_string_equal(joined(&u->dependencies[DEP_BINDS_TO]), "e.service");
        assert_string_equal(joined(&u->dependencies[DEP_REQUIRES_MOUNTS_FOR]), "/m /n");
        assert_string_equal(joined(&u->dependencies[DEP_ON_FAILURE]), "f@a@i.service.service");
        assert_int_equal(u->dependencies[DEP_WANTS].n, 0);
        assert_true(u->stop_when_unneeded);
        assert_int_equal(d.n_warnings, 1);
}

static void rule_74_identity_and_limits(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u = unit_of(
                "a.service",
                SERVICE("ExecStart=/bin/a\nUser=u\nGroup=5\nSupplementaryGroups=x "
                        "y\nUMask=007\nLimitNOFILE=10:20\nNice=-3\n"
                        "OOMScoreAdjust=-900\nIOSchedulingClass=idle\nCPUSchedulingPolicy=batch\nNoNewPrivileges=yes\n"
                        "WorkingDirectory=-/w\nRuntimeDirectory=r r/s\nRuntimeDirectoryMode=2755\nStateDirectory=st\n"
                        "StandardOutput=append:/"
                        "l\nStandardError=null\nStandardInputText=hi\\n\nStandardInputData=YWI=\n"),
                &d);
        const struct exec_config *e = u->service->exec;

        assert_string_equal(said(&d), "");
        assert_string_equal(e->user, "u");
        assert_string_equal(e->group, "5");
        assert_string_equal(joined(&e->supplementary_groups), "x y");
        assert_int_equal(e->umask, 007);
        assert_true(e->limits[RLIMIT_NOFILE].set && e->limits[RLIMIT_NOFILE].soft == 10 &&
                    e->limits[RLIMIT_NOFILE].hard == 20);
        assert_false(e->limits[RLIMIT_CORE].set);
        assert_true(e->nice_set && e->nice == -3 && e->oom_score_set && e->oom_score_adjust == -900);
        assert_true(e->io_set && e->io_class == 3 && e->cpu_policy_set && e->cpu_policy == 3);
        assert_true(e->no_new_privileges && e->working_directory_optional);
        assert_string_equal(e->working_directory, "/w");
        assert_string_equal(joined(&e->directories[DIRECTORY_RUNTIME].names), "r r/s");
        assert_int_equal(e->directories[DIRECTORY_RUNTIME].mode, 02755);
        assert_string_equal(joined(&e->directories[DIRECTORY_STATE].names), "st");
        assert_int_equal(e->output, OUTPUT_APPEND);
        assert_string_equal(e->output_file, "/l");
        assert_int_equal(e->error, OUTPUT_NULL);
        assert_int_equal(e->input, INPUT_DATA);
        assert_int_equal(e->input_data_size, 6);
        assert_memory_equal(e->input_data, "hi\n\nab", 6);
}

static void rule_74_dynamic_user_is_an_existing_one(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *own = unit_of("a@b.service", SERVICE("ExecStart=/bin/a\nDynamicUser=yes\n"), &d);
        cleanup_unit_ struct unit *named =
                unit_of("a.service", SERVICE("ExecStart=/bin/a\nDynamicUser=yes\nUser=u\n"), &d);

        assert_string_equal(own->service->exec->user, "a");
        assert_string_equal(named->service->exec->user, "u");
        assert_true(own->service->exec->no_new_privileges && own->notices.n == 1);
}

static void rule_75_capabilities(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u = unit_of(
                "a.service",
                SERVICE("ExecStart=/bin/a\nCapabilityBoundingSet=CAP_CHOWN CAP_KILL\nCapabilityBoundingSet=~CAP_KILL\n"
                        "CapabilityBoundingSet=cap_setuid CAP_NONE\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n"),
                &d);
        cleanup_unit_ struct unit *without =
                unit_of("a.service", SERVICE("ExecStart=/bin/a\nCapabilityBoundingSet=~CAP_CHOWN\n"), &d);

        assert_int_equal(d.n_warnings, 1);
        assert_int_equal(u->service->exec->bounding_set, 1 << 0 | 1 << 7);
        assert_int_equal(u->service->exec->ambient_set, 1 << 10);
        assert_true(without->service->exec->bounding_set == ((UINT64_C(1) << 41) - 1) - 1);
}

static void rule_78_hardening_stops_nothing(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u = unit_of_texts(
                "a.service",
                SERVICE("ExecStart=/bin/"
                        "a\nPrivateTmp=yes\nPrivateTmp=true\nProtectSystem=strict\nProtectHome=no\nPrivateUsers=yes\n"
                        "SystemCallFilter=@system-service\nIPAddressAllow=\nIPAddressDeny=any\n"),
                SERVICE("PrivateUsers=no\n"), NULL, &d);

        assert_int_equal(u->load_state, LOAD_LOADED);
        assert_int_equal(d.n_entries, 0);
        assert_int_equal(u->notices.n, 2);
        assert_true(u->service->exec->private_tmp);
        assert_int_equal(u->service->exec->rare->protect_system, PROTECT_SYSTEM_STRICT);
        assert_true(list_contains(&u->notices, "accepted, not carried out: SystemCallFilter="));
        assert_true(list_contains(&u->notices, "accepted, not carried out: IPAddressDeny="));
        assert_true(u->service->exec->private_tmp);
}

static const struct resource_value *resource_of(const struct unit *u, enum resource r)
{
        return &u->group->resources[r];
}

/* systemd.resource-control(5): each line is one value, what it becomes, and how many mistakes it is. */
static void resources_of_cgroups(void **state unused_)
{
        static const struct {
                const char *line;
                enum resource resource;
                enum resource_kind kind;
                uint64_t value;
                unsigned warnings;
        } rows[] = {
                {"MemoryMax=1G", RESOURCE_MEMORY_MAX, RESOURCE_NUMBER, UINT64_C(1) << 30, 0},
                {"MemoryMax=50%", RESOURCE_MEMORY_MAX, RESOURCE_SHARE, 5000, 0},
                {"MemoryMax=infinity", RESOURCE_MEMORY_MAX, RESOURCE_INFINITY, 0, 0},
                {"MemoryMax=1G\nMemoryMax=", RESOURCE_MEMORY_MAX, RESOURCE_UNSET, 0, 0},
                {"MemoryMax=0", RESOURCE_MEMORY_MAX, RESOURCE_UNSET, 0, 1},
                {"MemoryMax=101%", RESOURCE_MEMORY_MAX, RESOURCE_UNSET, 0, 1},
                {"MemoryMax=1G\nMemoryMax=-1", RESOURCE_MEMORY_MAX, RESOURCE_NUMBER, UINT64_C(1) << 30, 1},
                {"MemoryHigh=1.5%", RESOURCE_MEMORY_HIGH, RESOURCE_SHARE, 150, 0},
                {"MemorySwapMax=0", RESOURCE_MEMORY_SWAP_MAX, RESOURCE_NUMBER, 0, 0},
                {"MemoryLow=0", RESOURCE_MEMORY_LOW, RESOURCE_NUMBER, 0, 0},
                {"MemoryLimit=2M", RESOURCE_MEMORY_LIMIT, RESOURCE_NUMBER, 2 << 20, 0},
                {"TasksMax=10", RESOURCE_TASKS_MAX, RESOURCE_NUMBER, 10, 0},
                {"TasksMax=10K", RESOURCE_TASKS_MAX, RESOURCE_UNSET, 0, 1},
                {"TasksMax=0", RESOURCE_TASKS_MAX, RESOURCE_UNSET, 0, 1},
                {"TasksMax=10%", RESOURCE_TASKS_MAX, RESOURCE_SHARE, 1000, 0},
                {"CPUWeight=10000", RESOURCE_CPU_WEIGHT, RESOURCE_NUMBER, 10000, 0},
                {"CPUWeight=10001", RESOURCE_CPU_WEIGHT, RESOURCE_UNSET, 0, 1},
                {"CPUWeight=idle", RESOURCE_CPU_WEIGHT, RESOURCE_IDLE, 0, 0},
                {"IOWeight=idle", RESOURCE_IO_WEIGHT, RESOURCE_UNSET, 0, 1},
                {"CPUShares=2", RESOURCE_CPU_SHARES, RESOURCE_NUMBER, 2, 0},
                {"CPUShares=1", RESOURCE_CPU_SHARES, RESOURCE_UNSET, 0, 1},
                {"BlockIOWeight=9", RESOURCE_BLOCK_IO_WEIGHT, RESOURCE_UNSET, 0, 1},
                {"CPUQuota=250%", RESOURCE_CPU_QUOTA, RESOURCE_SHARE, 25000, 0},
                {"CPUQuota=0.07%", RESOURCE_CPU_QUOTA, RESOURCE_SHARE, 7, 0},
                {"CPUQuota=0%", RESOURCE_CPU_QUOTA, RESOURCE_UNSET, 0, 1},
                {"CPUQuota=50", RESOURCE_CPU_QUOTA, RESOURCE_UNSET, 0, 1},
                {"CPUQuota=infinity", RESOURCE_CPU_QUOTA, RESOURCE_UNSET, 0, 1},
                {"CPUQuotaPeriodSec=10ms", RESOURCE_CPU_PERIOD, RESOURCE_NUMBER, 10000, 0},
                {"CPUQuotaPeriodSec=1us", RESOURCE_CPU_PERIOD, RESOURCE_NUMBER, 1000, 0},
                {"CPUQuotaPeriodSec=1min", RESOURCE_CPU_PERIOD, RESOURCE_NUMBER, USEC_PER_SEC, 0},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                cleanup_diag_ struct diag d = {0};
                char text[128];
                cleanup_unit_ struct unit *u = NULL;

                (void)snprintf(text, sizeof(text), SERVICE("ExecStart=/bin/a\n%s\n"), rows[i].line);
                u = unit_of("a.service", text, &d);
                if (resource_of(u, rows[i].resource)->kind != rows[i].kind ||
                    resource_of(u, rows[i].resource)->value != rows[i].value || d.n_warnings != rows[i].warnings)
                        fail_msg("%s: kind %u, value %llu, %u warnings", rows[i].line,
                                 (unsigned)resource_of(u, rows[i].resource)->kind,
                                 (unsigned long long)resource_of(u, rows[i].resource)->value, (unsigned)d.n_warnings);
        }
}

static bool needs(const struct unit *u, const char *name)
{
        return list_contains(&u->dependencies[DEP_REQUIRES], name) && list_contains(&u->dependencies[DEP_AFTER], name);
}

static void slices_and_delegation(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u = unit_of(
                "a.service", SERVICE("ExecStart=/bin/a\nSlice=a-b.slice\nDelegate=cpu memory\nDelegate=pids\n"), &d);
        cleanup_unit_ struct unit *bad =
                unit_of("a.service",
                        SERVICE("ExecStart=/bin/a\nSlice=a--b.slice\nSlice=-a.slice\nSlice=a-.slice\nSlice=a\n"), &d);
        cleanup_unit_ struct unit *s = unit_of("a-b.slice", "[Slice]\nTasksMax=5\nSlice=c.slice\n", &d);
        cleanup_unit_ struct unit *no =
                unit_of("a.service", SERVICE("ExecStart=/bin/a\nDelegate=yes\nDelegate=no\n"), &d);
        cleanup_unit_ struct unit *none = unit_of("a.service", SERVICE("ExecStart=/bin/a\nDelegate=\n"), &d);

        assert_string_equal(u->group->slice, "a-b.slice");
        assert_true(needs(u, "a-b.slice"));
        assert_int_equal(u->group->delegated, GROUP_CPU | GROUP_MEMORY | GROUP_PIDS);
        assert_true(u->group->delegate);
        assert_null(bad->group->slice);
        assert_int_equal(d.n_warnings, 4);
        assert_int_equal(s->group->resources[RESOURCE_TASKS_MAX].value, 5);
        assert_null(s->group->slice);
        assert_true(needs(s, "a.slice"));
        assert_false(no->group->delegate || no->group->delegated != 0);
        assert_true(none->group->delegate && none->group->delegated == 0);
}

static void broken_blobs_are_told_apart(void **state unused_)
{
        static const char *const blobs[] = {"",
                                            "supd-unit 2\n",
                                            "supd-unit 1\n",
                                            "supd-unit 1\nid 9 0\na.service\n",
                                            "supd-unit 1\nid 99999999999999999999 0\n",
                                            "supd-unit 1\nid x\n",
                                            "supd-unit 1\nstate 6 0\nloaded\n\n",
                                            "supd-unit 1\nid 3 0\na/b\n\n"};
        static const char later[] = "supd-unit 1\nid 9 0\na.service\n\nfuture 1 1\nx\ny\nstate 9 0\nnot-found\n\n";
        struct unit *u = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(blobs); i++) {
                assert_int_equal(unit_parse(blobs[i], strlen(blobs[i]), NULL, &u, NULL), -EBADMSG);
                assert_null(u);
        }
        assert_int_equal(unit_parse(later, strlen(later), NULL, &u, NULL), 0);
        assert_int_equal(u->load_state, LOAD_NOT_FOUND);
        assert_string_equal(u->load_error, "Unit a.service not found.");
        assert_non_null(u->service);
        unit_free(u);
}

#define T(f) cmocka_unit_test(f)
int main(void)
{
        const struct CMUnitTest tests[] = {
                T(rule_00_defaults_of_a_service),
                T(rule_01_unknown_keys_warn_and_load),
                T(rule_04_empty_resets_lists_but_not_dependencies),
                T(rule_05_bad_values_are_dropped),
                T(rule_05_what_refuses_a_unit),
                T(rule_05_a_drop_in_takes_back_a_refusal),
                T(rule_12_specifiers),
                T(rule_12_a_template_needs_an_instance),
                T(rule_13_legacy_names),
                T(rule_14_commands),
                T(rule_25_environment_later_wins),
                T(rule_31_default_types),
                T(rule_32_timeouts),
                T(rule_34_notify_access),
                T(rule_35_pid_file_paths),
                T(rule_41_status_sets),
                T(oom_policy_of_who_manages_cgroups_himself),
                T(rule_42_oneshot_refuses_to_restart_after_success),
                T(rule_58_conditions),
                T(rule_60_default_dependencies),
                T(rule_60_targets_come_after_what_they_pull_in),
                T(rule_64_further_dependencies),
                T(rule_74_identity_and_limits),
                T(rule_74_dynamic_user_is_an_existing_one),
                T(rule_75_capabilities),
                T(rule_78_hardening_stops_nothing),
                T(resources_of_cgroups),
                T(slices_and_delegation),
                T(broken_blobs_are_told_apart),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
