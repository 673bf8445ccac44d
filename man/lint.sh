#!/bin/sh
# SPDX-License-Identifier: MIT
#
# lint.sh PAGE…: do the manual pages read well to a formatter? With mandoc, else with groff, else skipped (77).
status=0
if command -v mandoc >/dev/null; then
        # STYLE and below are taste; an external reference that is not installed on this machine is no mistake
        for page; do
                said=$(mandoc -T lint -W warning "$page" 2>&1 | grep -v 'referenced manual not found')
                [ -z "$said" ] || { printf '%s\n' "$said"; status=1; }
        done
elif command -v groff >/dev/null && [ -e /usr/share/groff/current/tmac/mdoc.tmac ]; then
        for page; do
                said=$(groff -mdoc -ww -b -z -T utf8 "$page" 2>&1)
                [ -z "$said" ] || { printf '%s\n' "$said"; status=1; }
        done
else
        echo 'skipped: neither mandoc nor groff with its mdoc macros is installed'
        exit 77
fi
exit $status
