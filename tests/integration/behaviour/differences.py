# SPDX-License-Identifier: MIT
"""The cases in which systemd 252 does something else. Not here: a case. Invariant: test-cases.py --reference counts a case that is
here and does not differ, as it counts one that is not here and does."""

# Cases of directives and words that are younger than systemd 252: it does not know them. The expectations are those of the manuals
# of the version that brought them, which the cases tell.
YOUNGER = set('''login-environment-off non-blocking notify-reload notify-reload-at-once notify-reload-dies notify-reload-no-answer notify-reload-signal
notify-reload-stale-answer notify-reload-waits notify-reload-with-command ready-wins-over-reloading open-file open-file-append open-file-missing
restart-steps upholds-directory'''.split())

# What supd does otherwise on purpose: DIFFERENCES of supd.unit(5) has each.
DELIBERATE = {
    'start-while-waiting': 'whoever asks for a start gets it, and not what is left of RestartSec=',
    'load-missing-opens-nothing': 'without its credentials nothing of the service is done, not even its files are opened',
    'assert-firmware': 'it is to ConditionFirmware= what each other of the kind is to its own; systemd 252 has forgotten it',
}
