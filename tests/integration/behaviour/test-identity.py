#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a service finds when it starts: environment, user, directories, limits, streams. Environment as harness.py says."""
import grp
import os
import pwd
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from harness import read, wait, write  # noqa: E402

harness.enter()
NOBODY = pwd.getpwnam('nobody')
NOGROUP = grp.getgrgid(NOBODY.pw_gid).gr_name
ENV = '/usr/bin/env'


class Identity(harness.Case):
    serial = 0

    def oneshot(self, *lines, command, code=0, unit=''):
        """Runs COMMAND to its end as a unit of its own; its output goes to the file that is returned."""
        Identity.serial += 1
        name = 'i%d.service' % Identity.serial
        self.out = '%s/out-%d' % (self.s.dir, Identity.serial)
        write(self.out, '')
        os.chmod(self.out, 0o666)
        text = '[Unit]\n%s\n[Service]\nType=oneshot\nStandardOutput=append:%s\nExecStart=%s\n%s\n' % (
            unit, self.out, command, '\n'.join(lines))
        self.s.unit(name, text)
        self.name = name
        self.s.ctl('start', name, check=code)
        return read(self.out)

    def environment(self, *lines):
        text = self.oneshot(*lines, command=ENV)
        return dict(line.partition('=')[::2] for line in text.splitlines())

    # ---- environment ----

    def test_01_clean_environment(self):
        env = self.environment()
        self.assertEqual(env.pop('PATH'), '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
        self.assertTrue(re.fullmatch('[0-9a-f]{32}', env.pop('INVOCATION_ID')))
        env.pop('LANG', None)
        env.pop('SYSTEMD_EXEC_PID', None)
        self.assertEqual(env, {})

    def test_02_invocation_id_is_that_of_show_and_changes(self):
        first = self.environment()['INVOCATION_ID']
        self.assertEqual(first, self.s.show(self.name, 'InvocationID'))
        self.s.ctl('start', self.name, check=0)
        self.assertNotEqual(first, self.s.show(self.name, 'InvocationID'))

    def test_03_user_variables_only_with_user(self):
        env = self.environment('User=nobody')
        self.assertEqual((env['USER'], env['LOGNAME'], env['HOME']), ('nobody', 'nobody', NOBODY.pw_dir))
        self.assertNotIn('SHELL', env)
        env = self.environment('User=root')
        self.assertEqual((env['USER'], env['HOME'], env['SHELL']), ('root', '/root', pwd.getpwnam('root').pw_shell))

    def test_04_environment_words(self):
        env = self.environment('Environment=A="x y" "B=1 2" C=$A D=%n', "Environment=A=later 'E=quoted' F=")
        self.assertEqual([env[k] for k in 'ABCDEF'], ['later', '1 2', '$A', self.name, 'quoted', ''])

    def test_05_environment_reset(self):
        self.assertNotIn('A', self.environment('Environment=A=1', 'Environment='))

    def test_06_environment_file_wins_whatever_the_order(self):
        write(self.s.dir + '/env', '# comment\n; another\nA=file\nB="two words"\nC=\'single $A\'\nD=joined\\\nup\nexport E=1\n'
              'F="over\nlines"\nG=plain words # not a comment\n')
        env = self.environment('EnvironmentFile=%s/env' % self.s.dir, 'Environment=A=directive')
        self.assertEqual([env.get(k) for k in 'ABCDEG'],
                         ['file', 'two words', 'single $A', 'joinedup', None, 'plain words # not a comment'])
        self.assertEqual(env['F'], 'over')

    def test_07_environment_file_missing(self):
        self.oneshot('EnvironmentFile=/no/such/file', command=ENV, code=1)
        self.s.until(self.name, ActiveState='failed', Result='resources')
        self.oneshot('EnvironmentFile=-/no/such/file', command=ENV)

    def test_08_environment_file_is_read_for_each_command(self):
        path = self.s.dir + '/made'
        env = self.environment('EnvironmentFile=-' + path, "ExecStartPre=/bin/sh -c 'echo A=made > %s'" % path)
        self.assertEqual(env['A'], 'made')

    def test_09_pass_and_unset(self):
        env = self.environment('PassEnvironment=SUPD_TEST_INSIDE NOT_THERE', 'Environment=A=1 B=2', 'UnsetEnvironment=A B=3')
        self.assertEqual((env.get('SUPD_TEST_INSIDE'), env.get('A'), env.get('B')), ('1', None, '2'))
        self.assertNotIn('NOT_THERE', env)

    # ---- user ----

    def test_20_user_and_groups(self):
        out = self.oneshot('User=nobody', command="/bin/sh -c 'id -u; id -g; id -G; id -un'").split('\n')
        self.assertEqual(out[:2] + out[3:4], [str(NOBODY.pw_uid), str(NOBODY.pw_gid), 'nobody'])

    def test_21_group_and_supplementary(self):
        out = self.oneshot('User=nobody', 'Group=daemon', 'SupplementaryGroups=mail', command="/bin/sh -c 'id -g; id -G'")
        gid, groups = out.splitlines()
        self.assertEqual(int(gid), grp.getgrnam('daemon').gr_gid)
        self.assertIn(str(grp.getgrnam('mail').gr_gid), groups.split())

    def test_22_numeric_user(self):
        self.assertEqual(self.oneshot('User=12345', 'Group=23456', command="/bin/sh -c 'id -u; id -g'"), '12345\n23456\n')

    def test_23_unknown_user_and_group(self):
        self.oneshot('User=no-such-user', command=ENV, code=1)
        self.s.until_state(self.name, 'failed failed exit-code 1 217 0')
        self.oneshot('Group=no-such-group', command=ENV, code=1)
        self.s.until_state(self.name, 'failed failed exit-code 1 216 0')

    def test_24_plus_keeps_root(self):
        out = self.oneshot('User=nobody', "ExecStartPre=+/bin/sh -c 'id -u >> %s/plus'" % self.s.dir, command='/usr/bin/id -u')
        self.assertEqual((out, read(self.s.dir + '/plus')), ('%d\n' % NOBODY.pw_uid, '0\n'))

    # ---- place and form ----

    def test_30_working_directory(self):
        self.assertEqual(self.oneshot(command='/bin/pwd'), '/\n')
        self.assertEqual(self.oneshot('WorkingDirectory=/usr', command='/bin/pwd'), '/usr\n')
        self.assertEqual(self.oneshot('WorkingDirectory=~', 'User=root', command='/bin/pwd'), '/root\n')
        self.oneshot('WorkingDirectory=/no/such', command='/bin/pwd', code=1)
        self.s.until_state(self.name, 'failed failed exit-code 1 200 0')
        self.assertEqual(self.oneshot('WorkingDirectory=-/no/such', command='/bin/pwd'), '/\n')

    def test_31_umask(self):
        self.assertEqual(self.oneshot(command="/bin/sh -c umask"), '0022\n')
        self.assertEqual(self.oneshot('UMask=0077', command="/bin/sh -c umask"), '0077\n')

    def test_32_limits(self):
        out = self.oneshot('LimitNOFILE=1000:2000', 'LimitCORE=0', 'LimitNPROC=infinity', 'LimitFSIZE=1G',
                           command="/bin/sh -c 'ulimit -Sn; ulimit -Hn; ulimit -c; ulimit -f'")
        self.assertEqual(out.split(), ['1000', '2000', '0', str(2 ** 30 // 512)])

    def test_33_our_own_limit_is_not_theirs(self):
        ours = re.search(r'Max open files\s+(\d+)', read('/proc/self/limits'))[1]
        self.assertEqual(self.oneshot(command="/bin/sh -c 'ulimit -Sn'").strip(), ours)

    def test_34_nice_and_oom(self):
        out = self.oneshot('Nice=5', 'OOMScoreAdjust=500', command="/bin/sh -c 'cut -d\" \" -f19 /proc/$$$$/stat; cat /proc/$$$$/oom_score_adj'")
        self.assertEqual(out.split(), ['5', '500'])

    def test_35_signals(self):
        text = self.oneshot(command='/bin/cat /proc/self/status')
        sets = dict(re.findall(r'(Sig\w+):\s+(\w+)', text))
        self.assertEqual(int(sets['SigBlk'], 16), 0)
        self.assertEqual(int(sets['SigIgn'], 16), 1 << 12)
        text = self.oneshot('IgnoreSIGPIPE=no', command='/bin/cat /proc/self/status')
        self.assertEqual(int(dict(re.findall(r'(Sig\w+):\s+(\w+)', text))['SigIgn'], 16), 0)

    def test_36_no_descriptor_leaks(self):
        out = self.oneshot(command='/bin/ls -l /proc/self/fd')
        links = dict(re.findall(r'(\d+) -> (\S+)', out))
        self.assertEqual(set(links), {'0', '1', '2', '3'})  # 3: ls reads the directory itself
        self.assertEqual(links['0'], '/dev/null')

    def test_37_the_table_of_descriptors_is_the_smallest(self):
        """A larger one would be allocated for each process of a start and kept by each service: 64 fit into what is there."""
        text = self.oneshot(command='/bin/sh -c \'cat /proc/self/status /proc/self/fdinfo/0\'')
        self.assertEqual(re.search(r'FDSize:\s+(\d+)', text)[1], '64')
        self.assertEqual(int(re.search(r'flags:\s+(\d+)', text)[1], 8) & os.O_ACCMODE, os.O_RDONLY)

    def test_37_process_group_and_parent(self):
        self.s.unit('pg.service', '[Service]\nExecStart=/bin/sleep 1000\n')
        self.s.ctl('start', 'pg.service', check=0)
        pid = self.s.main_pid('pg.service')
        wait(lambda: harness.stat_of(pid)[1] == self.s.process.pid, 'the keeper to be the parent')
        self.assertEqual(os.getpgid(pid), pid)
        self.assertNotEqual(os.getsid(pid), os.getsid(self.s.process.pid))

    def test_38_no_new_privileges_and_capabilities(self):
        text = self.oneshot('NoNewPrivileges=yes', 'CapabilityBoundingSet=CAP_CHOWN', command='/bin/cat /proc/self/status')
        self.assertIn('NoNewPrivs:\t1', text)
        self.assertEqual(int(re.search(r'CapBnd:\s+(\w+)', text)[1], 16), 1)

    # ---- directories ----

    def test_50_runtime_directory(self):
        self.s.unit('rt.service', '[Service]\nUser=nobody\nRuntimeDirectory=rt-a rt-b/deep\nRuntimeDirectoryMode=0750\n'
                    "ExecStart=/bin/sh -c 'echo $RUNTIME_DIRECTORY > /run/rt-a/env; exec sleep 1000'\n")
        self.s.ctl('start', 'rt.service', check=0)
        self.s.until_file('/run/rt-a/env', '/run/rt-a:/run/rt-b/deep\n')
        for d, uid, mode in (('/run/rt-a', NOBODY.pw_uid, 0o750), ('/run/rt-b', 0, 0o755), ('/run/rt-b/deep', NOBODY.pw_uid, 0o750)):
            st = os.stat(d)
            self.assertEqual((st.st_uid, st.st_mode & 0o777), (uid, mode), d)
        self.s.ctl('stop', 'rt.service', check=0)
        self.assertFalse(os.path.exists('/run/rt-a') or os.path.exists('/run/rt-b/deep'))
        self.assertTrue(os.path.exists('/run/rt-b'))

    def test_51_runtime_directory_preserve(self):
        for mode in ('yes', 'restart', 'no'):
            name = 'rp-%s' % mode
            self.s.unit(name + '.service', '[Service]\nRuntimeDirectory=%s\nRuntimeDirectoryPreserve=%s\nExecStart=/bin/sleep 1000\n' % (name, mode))
            self.s.ctl('start', name + '.service', check=0)
            write('/run/%s/x' % name, 'x')
            self.s.ctl('restart', name + '.service', check=0)
            self.assertEqual(os.path.exists('/run/%s/x' % name), mode != 'no', mode)
            self.s.ctl('stop', name + '.service', check=0)
            self.assertEqual(os.path.exists('/run/' + name), mode == 'yes', mode)

    def test_52_other_directories_stay(self):
        out = self.oneshot('User=nobody', 'StateDirectory=sd', 'CacheDirectory=cd', 'LogsDirectory=ld', 'ConfigurationDirectory=cfd',
                           'StateDirectoryMode=0700',
                           command="/bin/sh -c 'echo $STATE_DIRECTORY $CACHE_DIRECTORY $LOGS_DIRECTORY $CONFIGURATION_DIRECTORY; touch $STATE_DIRECTORY/mine'")
        self.assertEqual(out, '/var/lib/sd /var/cache/cd /var/log/ld /etc/cfd\n')
        for d in out.split():
            self.assertTrue(os.path.isdir(d))
        st = os.stat('/var/lib/sd')
        self.assertEqual((st.st_uid, st.st_mode & 0o777), (NOBODY.pw_uid, 0o700))
        self.assertTrue(os.path.exists('/var/lib/sd/mine'))

    # ---- streams ----

    def test_60_output_goes_to_the_log(self):
        self.s.unit('log.service', "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo out; echo err >&2'\n")
        self.s.ctl('start', 'log.service', check=0)
        self.s.ctl('start', 'log.service', check=0)
        self.s.until_file('log/log.service.log', 'out\nerr\nout\nerr\n')

    def test_61_files(self):
        d = self.s.dir
        write(d + '/in', 'input\n')
        write(d + '/trunc', 'a long line that is overwritten\n')
        self.s.unit('f.service', '[Service]\nType=oneshot\nStandardInput=file:%s/in\nStandardOutput=truncate:%s/trunc\n'
                    'StandardError=file:%s/err\nExecStart=/bin/sh -c "cat; echo bad >&2"\n' % (d, d, d))
        self.s.ctl('start', 'f.service', check=0)
        self.assertEqual((read(d + '/trunc'), read(d + '/err')), ('input\n', 'bad\n'))
        self.s.unit('n.service', '[Service]\nType=oneshot\nStandardOutput=null\nExecStart=/bin/echo nothing\n')
        self.s.ctl('start', 'n.service', check=0)
        self.assertEqual(read(self.s.log + '/n.service.log'), '')

    def test_62_append_to_a_missing_directory(self):
        self.s.unit('m.service', '[Service]\nType=exec\nStandardOutput=append:/no/such/file\nExecStart=/bin/sleep 1\n')
        self.s.ctl('start', 'm.service', check=1)
        self.s.until_state('m.service', 'failed failed exit-code 1 209 0')


if __name__ == '__main__':
    unittest.main(verbosity=2)
