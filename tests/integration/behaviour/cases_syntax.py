# SPDX-License-Identifier: MIT
"""What the files say: lines, words, command lines, names, environment; a row each, as in cases.py. The numbers are those of the
chapters in the order of systemd.syntax(7), systemd.unit(5) and systemd.exec(5)."""
from cases import RUNS, SLEEP, note, service

ONCE = 'Type=oneshot'


def words(*args, file='log'):
    """A command that writes each of its arguments on a line."""
    return "ExecStart=/bin/sh -c 'for i; do echo \"[$i]\" >> @D@/%s; done' - %s" % (file, ' '.join(args))


def said(*args):
    return 'file log ' + '|'.join('[%s]' % a for a in args)


def prints(line, *expected, more=()):
    """The case of one command line."""
    return ({'a': service(ONCE, *more, words(line))}, ['start a', said(*expected)])


def bad(line, *more):
    return ({'a': service(ONCE, *more, line)}, ['start a = 1', 'prop a LoadState=bad-setting'])


syntax = [
    ('blanks-around-equals', {'a': ' [Unit] \n\t Description \t=\t some text \t\n [Service]\t\n  ExecStart\t=\t /bin/sleep 1000 \n'},
     ['start a', 'is a ' + RUNS, 'prop a Description=some text']),
    ('unknown-sections-and-keys', {'a': service(SLEEP, 'X-Key=1', 'Strange=1') + '[X-Section]\nA=b\n[Strange]\nA=b\nnonsense\n'},
     ['start a', 'is a ' + RUNS]),
    ('key-without-value', {'a': service(SLEEP, 'Restart', '=always')}, ['start a', 'prop a Restart=no']),
    ('assignment-before-sections', {'a': 'Description=early\n' + service(SLEEP)}, ['start a', 'prop a Description=.*-a.service']),
    ('bad-section-header', {'a': service(SLEEP) + '[Service\nRestart=always\n'}, ['start a = 1', 'prop a LoadState=error']),
    ('section-names-have-case', {'a': service(SLEEP) + '[service]\nRestart=always\n'}, ['start a', 'prop a Restart=no']),
    ('keys-have-case', {'a': service(SLEEP, 'restart=always')}, ['start a', 'prop a Restart=no']),
    ('section-twice', {'a': service(SLEEP) + '[Unit]\nDescription=later\n[Service]\nRestart=always\n'},
     ['start a', 'prop a Description=later', 'prop a Restart=always']),
    ('dropin-not-utf8', {'a': service(SLEEP), 'a.service.d/x.conf': '[Service]\nRemainAfterExit=yes\nSyslogIdentifier=\udcff\nRestart=always\n',
                         'a.service.d/y.conf': '[Service]\nType=exec\n'}, ['start a', 'prop a RemainAfterExit=yes', 'prop a Restart=no', 'prop a Type=exec']),
    ('carriage-returns', {'a': service(SLEEP, 'Restart=always').replace('\n', '\r\n')}, ['start a', 'prop a Restart=always']),
    ('byte-order-mark', {'a': '\ufeff' + service(SLEEP)}, ['start a', 'is a ' + RUNS]),
    ('no-newline-at-the-end', {'a': service(SLEEP) + 'Restart=always'}, ['start a', 'prop a Restart=always']),
    ('value-not-utf8', {'a': service(SLEEP, 'SyslogIdentifier=a', unit='Description=first\nDescription=\udcff')},
     ['start a = 1', 'prop a LoadState=error']),
    ('comments', {'a': service('# one', '  ; two', SLEEP, '#Restart=always', unit='; three')}, ['start a', 'prop a Restart=no']),
    ('continuation', {'a': service(ONCE, words('a\\\n  b \\\n\tc'))}, ['start a', said('a', 'b', 'c')]),
    ('continuation-inside-quotes', {'a': service(ONCE, words('"a\\\nb"'))}, ['start a', said('a b')]),
    ('continuation-over-comments', {'a': service(ONCE, words('a\\\n# no\n; no\n  # no \\\nb'))}, ['start a', said('a', 'b')]),
    ('continuation-ends-at-empty-line', {'a': service(ONCE, words('a\\\n\nRestart=no'))}, ['start a', said('a')]),
    ('continuation-at-the-end', {'a': service(ONCE, words('a\\'))[:-1]}, ['start a', said('a')]),
    ('two-backslashes-do-not-continue', {'a': service(ONCE, words('a\\\\\\\\'), 'RemainAfterExit=yes')},
     ['start a', 'prop a RemainAfterExit=yes']),
    ('comment-does-not-continue', {'a': service(SLEEP, '# no \\', 'Restart=always')}, ['start a', 'prop a Restart=always']),
    ('empty-resets-commands', {'a': service(ONCE, 'ExecStart=/bin/false', 'ExecStart=', words('a'))}, ['start a', said('a')]),
    ('empty-resets-environment', {'a': service(ONCE, 'Environment=A=1', 'Environment=', 'Environment=B=2', words('${A}', '${B}'))},
     ['start a', said('', '2')]),
    ('empty-resets-environment-files', {'a': service(ONCE, 'EnvironmentFile=/no/such/file', 'EnvironmentFile=', words('a'))},
     ['start a', said('a')]),
    ('empty-does-not-reset-dependencies', {'a': service(SLEEP, unit='Wants=@b@\nWants=\n'), 'b': service(SLEEP)},
     ['start a', 'is b ' + RUNS]),
    ('empty-resets-strings', {'a': service(SLEEP, 'SyslogIdentifier=x', 'SyslogIdentifier=', unit='Description=x\nDescription=')},
     ['start a', 'prop a Description=.*-a.service']),
    ('documentation-that-is-none', {'a': service(SLEEP, unit='Documentation=man:a(1) b https://c /d man: foo:e file:/f info:g')},
     ['start a', 'prop a Documentation="man:a.1." https://c file:/f info:g']),
    ('spans-with-a-fraction', {'a': service(SLEEP, 'RestartSec=100020us', 'TimeoutStopSec=1h 3s 4ms')},
     ['start a', 'prop a RestartUSec=100.020ms', 'prop a TimeoutStopUSec=1h 3.004000s']),
    ('environment-is-shown', {'a': service(SLEEP, r'Environment="A=x\ty" B=~{} "C=\x01\x7f" D=\\a E=[')},
     ['start a', r'prop a Environment="A=x\\ty" B=~{} "C=\\001\\177" "D=\\\\a" "E=\["']),
    ('empty-resets-documentation', {'a': service(SLEEP, unit='Documentation=man:a(1)\nDocumentation=\nDocumentation=https://example.org/b')},
     ['start a', 'prop a Documentation=https://example.org/b']),
    ('later-wins', {'a': service(SLEEP, 'Restart=always', 'Restart=on-failure')}, ['start a', 'prop a Restart=on-failure']),
    ('percent-at-the-end-is-literal', *prints('a%', 'a%')),
    ('unknown-specifier-elsewhere', {'a': service(SLEEP, unit='Description=%Z x')}, ['start a', 'is a ' + RUNS]),
    ('unknown-specifier-in-environment', {'a': service(ONCE, 'Environment=A=%Z B=1', words('${A}', '${B}'))}, ['start a', said('', '1')]),
    ('unknown-specifier-in-wants', {'a': service(SLEEP, unit='Wants=%Z.service @b@'), 'b': service(SLEEP)}, ['start a', 'is b ' + RUNS]),
    ('bad-unit-names-are-left-out', {'a': service(SLEEP, unit='Wants=no/name no-suffix @b@'), 'b': service(SLEEP)}, ['start a', 'is b ' + RUNS]),
    ('quoted-unit-names', {'a': service(SLEEP, unit='Wants="@b@" \'@c@\''), 'b': service(SLEEP), 'c': service(SLEEP)},
     ['start a', 'is b inactive dead', 'is c inactive dead']),
    ('path-not-absolute', {'a': service(SLEEP, 'WorkingDirectory=relative', 'PIDFile=../x')}, ['start a = 1', 'prop a LoadState=bad-setting']),
    ('exec-relative-path', *bad('ExecStart=./program')),
    ('exec-open-quote', *bad('ExecStart=/bin/echo "open')),
    ('exec-unknown-escapes-stay', {'a': service(ONCE, words('\\q "\\q" \\x00 \\x4 \\8 a\\'))}, ['start a', said('\\q', '\\q', '\\x00', '\\x4', '\\8', 'a')]),
    ('exec-directory', *bad('ExecStart=/bin/')),
    ('exec-empty-after-prefix', *bad('ExecStart=-')),
    ('exec-pre-bad-is-fatal', *bad('ExecStartPre=./x', 'ExecStart=/bin/true')),
]
for _n, (_value, _truth) in enumerate([('1', 'yes'), ('yes', 'yes'), ('Y', 'yes'), ('TRUE', 'yes'), ('t', 'yes'), ('On', 'yes'), ('0', 'no'),
                                       ('no', 'no'), ('N', 'no'), ('False', 'no'), ('f', 'no'), ('OFF', 'no'), ('2', 'no'), ('maybe', 'no'),
                                       ('', 'no')]):
    syntax.append(('boolean-%02d' % _n, {'a': service(SLEEP, 'RemainAfterExit=' + _value)}, ['start a', 'prop a RemainAfterExit=' + _truth]))
commandline = [
    ('prefix-order-1', {'a': service('Type=simple', "ExecStart=-@/bin/sh other -c 'echo $0 > @D@/log; exit 1'")}, ['start a', 'file log other', 'is a inactive dead success 1 1 0']),
    ('prefix-order-2', {'a': service('Type=simple', "ExecStart=@-/bin/sh other -c 'echo $0 > @D@/log; exit 1'")}, ['start a', 'file log other', 'is a inactive dead success 1 1 0']),
    ('prefix-all', {'a': service(ONCE, 'Environment=A=1', "ExecStart=-:@+/bin/sh other -c 'echo $0 [${A}] > @D@/log; exit 1'")}, ['start a', 'file log other [1]']),
    ('prefix-after-semicolon', {'a': service(ONCE, "ExecStart=-/bin/false ; -@/bin/sh x -c 'echo $0 > @D@/log'")}, ['start a', 'file log x']),
    ('prefix-colon', {'a': service(ONCE, 'Environment=A=1', words('a').replace('=/', '=:/') + ' $A ${A} $$')}, ['start a', said('a', '$A', '${A}', '$$')]),
    ('prefix-twice', *bad('ExecStart=--/bin/true')),
    ('prefix-plus-and-bang', *bad('ExecStart=+!/bin/true')),
    ('argv0-without-word', *bad('ExecStart=@/bin/sh')),
    ('semicolon-is-a-word', *prints('a;b c; d', 'a;b', 'c;', 'd')),
    ('semicolon-escaped', *prints('a \\; b', 'a', ';', 'b')),
    ('semicolon-quoted', *prints('a ";" b', 'a', ';', 'b')),
    ('semicolon-last', {'a': service(ONCE, words('a') + ' ;')}, ['start a', said('a')]),
    ('semicolon-simple-is-two', {'a': service('Type=simple', 'ExecStart=/bin/true ; /bin/true')}, ['start a = 1', 'prop a LoadState=bad-setting']),
    ('quotes-join', *prints('"a b"c\'d e\'f', 'a bcd ef')),
    ('quotes-start-inside', *prints('a"b c"', 'ab c')),
    ('quotes-empty', *prints('a "" \'\' b', 'a', '', '', 'b')),
    ('quotes-nest', *prints('"a \'b\'" \'c "d"\'', "a 'b'", 'c "d"')),
    ('escapes', *prints(r'a\tb \s \x41 \101 \u00e4 \U0001F600 "\x42\ny" \\ \"', 'a\tb', ' ', 'A', 'A', '\u00e4', '\U0001F600', 'B\ny', '\\', '"')),
    ('escapes-in-single-quotes', *prints(r"'a\tb' '\x41'", 'a\tb', 'A')),
    ('hash-is-no-comment', *prints('a # b', 'a', '#', 'b')),
    ('no-shell', *prints('*.gz > & && ~ $(x) `y` {a,b} !', '*.gz', '>', '&', '&&', '~', '`y`', '{a,b}', '!')),
    ('variable-alone-splits', *prints('$A', 'x', 'y', more=('Environment="A=x  y"',))),
    ('variable-alone-splits-quotes', *prints('$A', 'x y', 'z', more=('Environment=\'A="x y" z\'',))),
    ('variable-alone-in-quotes-splits', *prints('"$A"', 'x', 'y', more=('Environment="A=x  y"',))),
    ('variable-alone-unset', *prints('a $NONE b', 'a', 'b')),
    ('variable-alone-empty', *prints('a $E b', 'a', 'b', more=('Environment=E=',))),
    ('variable-braced', *prints('a${A}b ${A}${A} "${A}"', 'ax yb', 'x yx y', 'x y', more=('Environment="A=x y"',))),
    ('variable-braced-unset', *prints('a${N}b ${N} c', 'ab', '', 'c')),
    ('variable-glued-before', *prints('pre$A', 'pre$A', more=('Environment=A=1',))),
    ('variable-glued-after', *prints('$A.x b', 'b', more=('Environment=A=1',))),
    ('variable-glued-slash', *prints('$A/x b', 'b', more=('Environment=A=1',))),
    ('variable-two-in-a-word', *prints('$A$B c', 'c', more=('Environment=A=1 B=2',))),
    ('variable-in-option', *prints('--x=$A -o$A', '--x=$A', '-o$A', more=('Environment=A=1',))),
    ('variable-middle', *prints('a${A}b$A', 'a1b$A', more=('Environment=A=1',))),
    ('variable-glued-to-braces', *prints('$A${B} c', 'c', more=('Environment=A=1 B=2',))),
    ('dollar-twice', *prints('$$ a$$b $$A $${A} $$$$', '$', 'a$b', '$A', '${A}', '$$', more=('Environment=A=1',))),
    ('dollar-three', *prints('$$$A a$$$A', '$$A', 'a$$A', more=('Environment=A=1',))),
    ('dollar-alone', *prints('a$ $ b', 'a$', 'b')),
    ('dollar-odd-names', *prints('$1 x ${1} $A-B y', 'x', '', 'y', more=('Environment=A=1',))),
    ('brace-open', *prints('${A x', '${A', 'x', more=('Environment=A=1',))),
    ('brace-empty', *prints('${} a${}b', '', 'ab')),
    ('brace-default', *prints('${A:-x} ${B:+y} z', '${A:-x}', '${B:+y}', 'z', more=('Environment=B=1',))),
    ('brace-odd', *prints('${A-B} ${A.B} ${1A} z', '', '', '', 'z', more=('Environment=A=1',))),
    ('brace-nested', *prints('${A${B}} z', '}', 'z', more=('Environment=A=1 B=2',))),
    ('specifier-before-variable', *prints('%% %%A $A %n', '%', '%A', '%p', '@a@', more=('Environment=A=%%p',))),
    ('values-are-not-looked-at-again', *prints('${A} $A', '$B', '$B', more=('Environment=A=$B B=2',))),
    ('variables-in-the-program', {'a': service(ONCE, 'Environment=P=/bin/echo', 'ExecStart=${P} x')}, ['start a = 1', 'is a failed failed exit-code 1 203 0']),
    ('program-without-slash', {'a': service(ONCE, words('a').replace('/bin/sh', 'sh'))}, ['start a', said('a')]),
    ('program-search-path', {'a': service(ONCE, 'ExecSearchPath=@D@', 'ExecStart=program a'), '/program': '#!/bin/sh\necho "[$1]" >> @D@/log\n'},
     ['sh chmod 755 program', 'start a', said('a')]),
    ('program-not-found', {'a': service('Type=exec', 'ExecStart=surely-no-such-program')}, ['start a = 1', 'is a failed failed exit-code 1 203 0']),
    ('program-quoted-path', {'a': service(ONCE, 'ExecStart="@D@/a program" x'), '/a program': '#!/bin/sh\necho "[$1]" >> @D@/log\n'},
     ['sh chmod 755 "a program"', 'start a', said('x')]),
    ('many-arguments', *prints(' '.join(str(i) for i in range(300)), *[str(i) for i in range(300)])),
]
for _name, _line, _code in [('chdir', 'WorkingDirectory=/no/such', 200), ('exec', 'ExecStartPre=/no/such', 203), ('user', 'User=no-such-user', 217),
                            ('group', 'Group=no-such-group', 216), ('stdout', 'StandardOutput=append:/no/such/dir/file', 209),
                            ('stdin', 'StandardInput=file:/no/such', 208)]:
    commandline.append(('exit-code-' + _name, {'a': service(ONCE, _line, "ExecStart=/bin/true", "ExecStopPost=+/bin/sh -c 'echo $EXIT_STATUS > @D@/log'")},
                        ['start a = 1', 'is a failed failed exit-code'] + ([] if _name == 'exec' else ['prop a ExecMainStatus=%d' % _code])))

ENVIRONMENT = "ExecStart=/bin/sh -c 'env | sort > @D@/env'"


def has(*lines):
    return ['until ' + ' && '.join("grep -qx -- '%s' env" % line for line in lines)]


def lacks(*names):
    return ['until test -s env', 'until ! grep -Eq "^(%s)=" env' % '|'.join(names)]


environment = [
    ('clean', {'a': service(ONCE, "ExecStart=/bin/sh -c 'env | grep -v JOURNAL_STREAM | cut -d= -f1 | sort > @D@/log'")},
     ['start a', 'file log INVOCATION_ID|LANG|PATH|PWD|SYSTEMD_EXEC_PID']),
    ('path', {'a': service(ONCE, ENVIRONMENT)}, ['start a'] + has('PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin.*')),
    ('user', {'a': service(ONCE, 'User=daemon', "ExecStart=/usr/bin/env", 'StandardOutput=file:@D@/env')},
     ['start a'] + has('USER=daemon', 'LOGNAME=daemon', 'HOME=/usr/sbin') + lacks('SHELL')),
    ('user-root', {'a': service(ONCE, 'User=root', ENVIRONMENT)}, ['start a'] + has('USER=root', 'HOME=/root', 'SHELL=.*')),
    ('quotes', {'a': service(ONCE, 'Environment="A=x y" B="1 2" C=\'3 4\' \'D=5 6\' E=a"b c"d F=', ENVIRONMENT)},
     ['start a'] + has('A=x y', 'B=1 2', 'C=3 4', 'D=5 6', 'E=ab cd', 'F=')),
    ('dollar-is-literal', {'a': service(ONCE, 'Environment=A=1 B=$A C=${A} D=$$', ENVIRONMENT)}, ['start a'] + has('B=[$]A', 'C=[$]{A}', 'D=[$][$]')),
    ('environment-specifiers', {'a': service(ONCE, 'Environment=A=%p-%%', ENVIRONMENT)}, ['start a'] + has('A=environment-specifiers-a-%')),
    ('environment-later-wins', {'a': service(ONCE, 'Environment=A=1 A=2', 'Environment=A=3', ENVIRONMENT)}, ['start a'] + has('A=3')),
    ('bad-names-are-left-out', {'a': service(ONCE, 'Environment=1A=1 =x B A-B=2 C=3', ENVIRONMENT)}, ['start a'] + has('C=3') + lacks('1A', 'B', 'A-B')),
    ('environment-escapes', {'a': service(ONCE, r'Environment=A=x\ty "B=\x41" C=a\\b', ENVIRONMENT)}, ['start a'] + has('A=x\ty', 'B=A', r'C=a\\b')),
    ('file-wins', {'a': service(ONCE, 'EnvironmentFile=@D@/file', 'Environment=A=unit', ENVIRONMENT), '/file': 'A=file\n'}, ['start a'] + has('A=file')),
    ('file-order', {'a': service(ONCE, 'EnvironmentFile=@D@/one', 'EnvironmentFile=@D@/two', ENVIRONMENT), '/one': 'A=1\nB=1\n', '/two': 'A=2\n'},
     ['start a'] + has('A=2', 'B=1')),
    ('file-missing', {'a': service(ONCE, 'EnvironmentFile=/no/such', ENVIRONMENT)}, ['start a = 1', 'prop a Result=resources']),
    ('file-missing-dash', {'a': service(ONCE, 'EnvironmentFile=-/no/such', ENVIRONMENT)}, ['start a'] + has('LANG=.*')),
    ('file-glob', {'a': service(ONCE, 'EnvironmentFile=@D@/*.env', ENVIRONMENT), '/1.env': 'A=1\n', '/2.env': 'A=2\nB=2\n'}, ['start a'] + has('A=2', 'B=2')),
    ('file-read-afresh', {'a': service(ONCE, 'EnvironmentFile=-@D@/file', "ExecStartPre=/bin/sh -c 'echo A=made > @D@/file'", ENVIRONMENT)},
     ['start a'] + has('A=made')),
    ('file-relative', {'a': service(ONCE, 'EnvironmentFile=file', ENVIRONMENT)}, ['start a'] + has('LANG=.*')),
    ('file-language', {'a': service(ONCE, 'EnvironmentFile=@D@/file', ENVIRONMENT),
                       '/file': '# no\n; no\n  A = 1 2  \nB="x y"\nC=\'x "y"\'\nD=a\\\nb\nE="1\n2"\nexport F=1\nG=$A ${A} `x`\nH="a\\"b" \nI=a#b ; c\nJ=\nK="a"b\'c\'\n'
                                'no assignment\n1L=1\nM=a\\tb\nN=\'a\\tb\'\nO="a\\tb"\nP=  "  x  "  \n'},
     ['start a'] + has('A=1 2', 'B=x y', 'C=x "y"', 'D=ab', 'G=[$]A [$]{A} `x`', 'H=a"b', 'I=a#b ; c', 'J=', "K=ab.c.", 'M=atb', r'N=a\\tb', r'O=a\\tb', 'P=  x  ') +
     lacks('F', '1L')),
    ('pass', {'a': service(ONCE, 'PassEnvironment=SURELY_NOT_SET PATH', ENVIRONMENT)}, ['start a'] + lacks('SURELY_NOT_SET')),
    ('unset', {'a': service(ONCE, 'Environment=A=1 B=2 C=3', 'UnsetEnvironment=A B=2 C=4', ENVIRONMENT)}, ['start a'] + has('C=3') + lacks('A', 'B')),
    ('stdin-and-cwd', {'a': service(ONCE, "ExecStart=/bin/sh -c 'readlink /proc/self/fd/0 > @D@/log; pwd >> @D@/log; umask >> @D@/log'")},
     ['start a', 'file log /dev/null|/|0022']),
    ('signals', {'a': service(ONCE, "ExecStart=/bin/sh -c 'grep -E \"Sig(Blk|Ign)\" /proc/self/status | tr -d \"\\t\" > @D@/log'")},
     ['start a', 'file log SigBlk:0000000000000000|SigIgn:0000000000001000']),
    ('signals-pipe', {'a': service(ONCE, 'IgnoreSIGPIPE=no', "ExecStart=/bin/sh -c 'grep SigIgn /proc/self/status | tr -d \"\\t\" > @D@/log'")},
     ['start a', 'file log SigIgn:0000000000000000']),
    ('home', {'a': service(ONCE, 'WorkingDirectory=~', 'User=root', "ExecStart=/bin/sh -c 'pwd > @D@/log'")}, ['start a', 'file log /root']),
    ('fds', {'a': service(ONCE, 'StandardOutput=file:@D@/log', 'ExecStart=/bin/ls /proc/self/fd')}, ['start a', 'file log 0|1|2|3']),  # 3 is the directory
    ('limits-above-the-hard-limit', {'a': service(ONCE, 'User=daemon', 'LimitNOFILE=1024:2048', 'StandardOutput=file:@D@/log',
                                                  "ExecStart=/bin/sh -c 'ulimit -Sn; ulimit -Hn'")}, ['start a', 'file log 1024|2048']),
    ('runtime-directory', {'a': service('RuntimeDirectory=@x@ @x@/y/z', 'RuntimeDirectoryMode=0750', 'User=daemon', "ExecStart=/bin/sh -c 'exec sleep 1000'",
                                        "ExecStartPre=+/bin/sh -c 'echo $RUNTIME_DIRECTORY > @D@/log; stat -c \"%%U %%a\" /run/@x@ /run/@x@/y /run/@x@/y/z >> @D@/log'")},
     ['start a', 'file log /run/@x@:/run/@x@/y/z|daemon 750|root 755|daemon 750', 'stop a', 'until test ! -e /run/@x@']),
    ('runtime-directory-preserved', {'a': service('RuntimeDirectory=@x@', 'RuntimeDirectoryPreserve=yes', SLEEP)}, ['start a', 'stop a', 'until test -d /run/@x@']),
    ('runtime-directory-preserved-at-restart', {'a': service('RuntimeDirectory=@x@', 'RuntimeDirectoryPreserve=restart', SLEEP)},
     ['start a', 'sh touch /run/@x@/f', 'restart a', 'until test -e /run/@x@/f', 'stop a', 'until test ! -e /run/@x@']),
    ('configuration-directory', {'a': service(ONCE, 'ConfigurationDirectory=@x@', 'User=daemon', 'StandardOutput=file:@D@/log',
                                              "ExecStart=/bin/sh -c 'echo $CONFIGURATION_DIRECTORY; stat -c \"%%U %%a\" /etc/@x@'")},
     ['start a', 'file log /etc/@x@|daemon 755', 'sh rm -r /etc/@x@']),
]

E = "ExecStart=/bin/sh -c 'echo %s > @D@/log'"
files = [
    ('dropin', {'a': service(SLEEP), 'a.service.d/x.conf': '[Service]\nRestart=always\n'}, ['start a', 'prop a Restart=always']),
    ('dropin-not-conf', {'a': service(SLEEP), 'a.service.d/x.txt': '[Service]\nRestart=always\n', 'a.service.d/.h.conf': '[Service]\nRestart=always\n'},
     ['start a', 'prop a Restart=no']),
    ('dropin-order', {'a': service(SLEEP), 'a.service.d/20.conf': '[Service]\nRestart=always\n', 'a.service.d/10.conf': '[Service]\nRestart=on-failure\n'},
     ['start a', 'prop a Restart=always']),
    ('dropin-order-over-directories', {'a': service(SLEEP), 'a.service.d/20.conf': '[Service]\nRestart=always\n',
                                       '^a.service.d/10.conf': '[Service]\nRestart=on-failure\n'}, ['start a', 'prop a Restart=always']),
    ('dropin-higher-hides', {'a': service(SLEEP), 'a.service.d/10.conf': '[Service]\nRestart=always\n',
                             '^a.service.d/10.conf': '[Service]\nRemainAfterExit=yes\n'}, ['start a', 'prop a Restart=no', 'prop a RemainAfterExit=yes']),
    ('dropin-masked', {'a': service(SLEEP), 'a.service.d/10.conf': '[Service]\nRestart=always\n', '^a.service.d/10.conf': '-> /dev/null'},
     ['start a', 'prop a Restart=no']),
    ('dropin-link', {'a': service(SLEEP), '/elsewhere': '[Service]\nRestart=always\n', 'a.service.d/10.conf': '-> @D@/elsewhere'}, ['start a', 'prop a Restart=always']),
    ('dropin-appends', {'a': service(ONCE, E % 1), 'a.service.d/x.conf': '[Service]\n' + (E % 2).replace('>', '>>') + '\n'}, ['start a', 'file log 1|2']),
    ('dropin-resets', {'a': service(SLEEP), 'a.service.d/x.conf': '[Service]\nType=oneshot\nExecStart=\n' + E % 2 + '\n'}, ['start a', 'file log 2']),
    ('dropin-of-prefix', {'a-b': service(SLEEP), 'a-.service.d/x.conf': '[Service]\nRestart=always\n'}, ['start a-b', 'prop a-b Restart=always']),
    ('dropin-specific-wins', {'a-b': service(SLEEP), 'a-.service.d/x.conf': '[Service]\nRestart=always\n', 'a-b.service.d/x.conf': '[Service]\nRemainAfterExit=yes\n'},
     ['start a-b', 'prop a-b Restart=no', 'prop a-b RemainAfterExit=yes']),
    ('dropin-higher-prefix-or-lower-exact', {'a-b': service(SLEEP), '^a-.service.d/x.conf': '[Service]\nRestart=always\n',
                                             'a-b.service.d/x.conf': '[Service]\nRemainAfterExit=yes\n'}, ['start a-b', 'prop a-b Restart=always']),
    ('dropin-of-template', {'a@.service': service(SLEEP), 'a@.service.d/x.conf': '[Service]\nRestart=always\nRemainAfterExit=yes\n',
                            'a@i.service.d/y.conf': '[Service]\nRestart=on-failure\n'},
     ['start a@i.service', 'prop a@i.service Restart=on-failure', 'prop a@i.service RemainAfterExit=yes', 'stop a@i.service']),
    ('dropin-of-instance-hides-template', {'a@.service': service(SLEEP), 'a@.service.d/x.conf': '[Service]\nRestart=always\n',
                                           'a@i.service.d/x.conf': '[Service]\nRemainAfterExit=yes\n'},
     ['start a@i.service', 'prop a@i.service Restart=no', 'stop a@i.service']),
    ('dropin-without-a-file', {'a.service.d/x.conf': '[Service]\n' + SLEEP + '\n'}, ['start a = 5', 'prop a LoadState=not-found']),
    ('dropin-of-alias', {'a': service(SLEEP), 'b': '-> @a@', 'b.service.d/x.conf': '[Service]\nRestart=always\n'}, ['start a', 'prop a Restart=always']),
    ('dropin-bad-section-header', {'a': service(SLEEP), 'a.service.d/x.conf': '[Service\nRestart=always\n', 'a.service.d/y.conf': '[Service]\nRemainAfterExit=yes\n'},
     ['start a', 'prop a Restart=no', 'prop a RemainAfterExit=yes']),
    ('dropin-dependencies', {'a': service(SLEEP), 'a.service.d/x.conf': '[Unit]\nWants=@b@\n', 'b': service(SLEEP)}, ['start a', 'is b ' + RUNS]),
    ('higher-file-replaces-whole', {'a': service(SLEEP, 'Restart=always'), '^a': service(SLEEP)}, ['start a', 'prop a Restart=no']),
    ('higher-mask', {'a': service(SLEEP), '^a': '-> /dev/null'}, ['start a = 1', 'prop a LoadState=masked']),
    ('higher-empty-masks', {'a': service(SLEEP), '^a': ''}, ['start a = 1', 'prop a LoadState=masked']),
    ('masked-with-dropin', {'a': '-> /dev/null', 'a.service.d/x.conf': '[Service]\n' + SLEEP + '\n'}, ['start a = 1', 'prop a LoadState=masked']),
    ('wants-directory', {'a': service(SLEEP), 'b': service(SLEEP), 'a.service.wants/@b@': '-> ../@b@'}, ['start a', 'is b ' + RUNS]),
    ('requires-directory', {'a': service(SLEEP, unit='After=@b@'), 'b': service('ExecStart=/bin/false', ONCE), 'a.service.requires/@b@': '-> ../@b@'}, ['start a = 1']),
    # since systemd 254
    ('upholds-directory', {'a': service(SLEEP), 'b': service(SLEEP), 'a.service.upholds/@b@': '-> ../@b@'},
     ['start a', 'is b ' + RUNS, 'kill -sKILL b', 'prop b ActiveState=active', 'is a ' + RUNS]),
    ('wants-directory-of-missing', {'a': service(SLEEP), 'a.service.wants/no-such.service': '-> ../no-such.service'}, ['start a', 'is a ' + RUNS]),
    ('wants-directory-dangling', {'a': service(SLEEP), 'b': service(SLEEP), 'a.service.wants/@b@': '-> /no/such/file'}, ['start a', 'is b ' + RUNS]),
    ('wants-directory-template', {'t.target': '[Unit]\n', 'a@.service': service(SLEEP), 't.target.wants/wants-directory-template-a@i.service': '-> ../wants-directory-template-a@.service'},
     ['start t.target', 'is a@i.service ' + RUNS, 'stop a@i.service']),
    ('alias', {'a': service(SLEEP), 'b': '-> @a@'}, ['start b', 'is a ' + RUNS, 'is b ' + RUNS, 'prop b Id=@a@', 'stop b', 'is a inactive dead']),
    ('alias-in-wants', {'a': service(SLEEP), 'b': '-> @a@', 'c': service(SLEEP, unit='Wants=@b@')}, ['start c', 'is a ' + RUNS]),
    ('alias-of-missing', {'b': '-> no-such.service'}, ['start b = 5']),
    ('alias-of-another-type', {'a': service(SLEEP), 'b.target': '-> @a@'}, ['start b.target = 5', 'prop b.target LoadState=not-found']),
    ('alias-chain', {'a': service(SLEEP), 'b': '-> @a@', 'c': '-> @b@'}, ['start c', 'is a ' + RUNS]),
    ('alias-to-elsewhere', {'/x.service': service(SLEEP), 'b': '-> @D@/x.service'}, ['start b', 'is b ' + RUNS]),
    ('alias-circle', {'a': '-> @b@', 'b': '-> @a@'}, ['start a = 5', 'prop a LoadState=not-found']),
    ('template-without-instance', {'a@.service': service(SLEEP)}, ['start a@.service = 1']),
    ('template-instance-file-wins', {'a@.service': service('ExecStart=/bin/false'), 'a@x.service': service(SLEEP)},
     ['start a@x.service', 'is a@x.service ' + RUNS]),
    ('template-instances', {'a@.service': service(ONCE, "ExecStart=/bin/sh -c 'echo %%i >> @D@/log'".replace('%%', '%'), 'RemainAfterExit=yes')},
     ['start a@1.service', 'start a@2.service', 'file log 1|2', 'stop a@1.service', 'is a@1.service inactive dead', 'is a@2.service active exited',
      'stop a@2.service']),
    ('template-alias-of-instance', {'a@.service': service(SLEEP), 'b': '-> template-alias-of-instance-a@x.service'},
     ['start b = 5', 'prop b LoadState=not-found']),
    ('template-masked-instance', {'a@.service': service(SLEEP), 'a@x.service': '-> /dev/null'}, ['start a@x.service = 1']),
    ('specifiers', {'a-b@.service': service(ONCE, 'StandardOutput=file:@D@/log',
                    "ExecStart=/bin/sh -c 'for i; do echo \"[$i]\"; done' - %i %I %j %J %f %n %N %p %P %t %S %C %L %E %h %u %U %g %G %T %V %% %y %Y")},
     ['start a-b@x-y\\x2dz.service',
      said('x-y\\x2dz', 'x/y-z', 'b', 'b', '/x/y-z', 'specifiers-a-b@x-y\\x2dz.service', 'specifiers-a-b@x-y\\x2dz', 'specifiers-a-b', 'specifiers/a/b', '/run',
           '/var/lib', '/var/cache', '/var/log', '/etc', '/root', 'root', '0', 'root', '0', '/tmp', '/var/tmp', '%', '@U@/specifiers-a-b@.service', '@U@')]),
]

GROUPS = {'syntax': syntax, 'commandline': commandline, 'environment': environment, 'files': files}
