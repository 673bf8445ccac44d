#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints a C table of system call names, as the compiler's headers have them: syscall-names.py COMPILER…"""
import re
import subprocess
import sys

text = subprocess.run(sys.argv[1:] + ["-E", "-dM", "-include", "sys/syscall.h", "-x", "c", "/dev/null"],
                      check=True, stdout=subprocess.PIPE, universal_newlines=True).stdout
print("/* SPDX-License-Identifier: MIT - made by syscall-names.py */")
print("static const char *const syscall_names[] = {")
for name, number in sorted(re.findall(r"^#define __NR_(\w+) (\d+)$", text, re.M), key=lambda m: int(m[1])):
    print('        [%s] = "%s",' % (number, name))
print("};")
