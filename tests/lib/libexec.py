#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""libexec.py DIR PROGRAM…: a directory of links to the programs of this build, as an installed libexec would be."""
import os
import sys

directory = sys.argv[1]
os.makedirs(directory, exist_ok=True)
for program in sys.argv[2:]:
    link = os.path.join(directory, os.path.basename(program))
    if os.path.lexists(link):
        os.unlink(link)
    os.symlink(os.path.abspath(program), link)
