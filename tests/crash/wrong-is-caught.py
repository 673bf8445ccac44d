#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""wrong-is-caught.py CRASH-POINTS WRONG-MANAGER WRONG-SUPCTL: the harness must find the double that wrong-manager makes,
and must find nothing where nobody is killed."""
import os
import subprocess
import sys
import tempfile

harness, manager, supctl = (os.path.abspath(p) for p in sys.argv[1:4])
with tempfile.TemporaryDirectory() as directory:
    os.symlink(manager, os.path.join(directory, "supd-manager"))
    env = dict(os.environ, SUPD_LIBEXEC_DIR=directory, SUPCTL=supctl, CRASH_WITHOUT_CHANGES="1")
    common = [harness, "--scenario=start", "--keep=" + os.path.join(directory, "kept")]

    def run(*args):
        p = subprocess.run(common + list(args), env=env, stdout=subprocess.PIPE, universal_newlines=True)
        print(p.stdout, end="")
        if p.returncode == 77:
            sys.exit(77)
        return p

    quiet = run("--point=0")
    if quiet.returncode != 0:
        sys.exit("nothing was killed, and yet: exit status %d" % quiet.returncode)
    p = run("--limit=20")
    if p.returncode != 1 or "double: a.service" not in p.stdout:
        sys.exit("the wrong manager was not caught: exit status %d" % p.returncode)
    if "FAILED start call" not in p.stdout or "again: crash-points --scenario=start" not in p.stdout:
        sys.exit("a failure does not say how to repeat it")
