#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The golden listing of the public status table.

abi-listing.py HEADER COMPILER... : writes a program that prints every field and number found in HEADER (status.h) and in
changes.h beside it, compiles it with each COMPILER ("cc", "c++") and compares what it prints with abi.txt beside this file. The fields are found in the header
itself, so none can be forgotten; the offsets come from the compiler. With --update it rewrites abi.txt.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def program(header):
    text = header.read_text() + (header.parent / "changes.h").read_text()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    out = ["#include <stdio.h>", "#include <supd/changes.h>", "int main(void) {"]
    for name, body in re.findall(r"struct (\w+) \{(.*?)\n\};", text, re.S):
        out.append(f'printf("struct {name} size %zu\\n", sizeof(struct {name}));')
        for kind, field, _ in re.findall(r"(\w+) (\w+)(\[\d+\])?;", body):
            out.append(
                f'printf("struct {name} %4zu %4zu {kind} {field}\\n", offsetof(struct {name}, {field}), '
                f"sizeof(((struct {name} *)0)->{field}));"
            )
    for name in re.findall(r"#define (SUPD_[A-Z0-9_]+)\s+(?:\(?[0-9]|UINT32_C)", text):
        out.append(f'printf("number {name} %lu\\n", (unsigned long){name});')
    out.append('printf("text SUPD_STATUS_MAGIC %s\\n", SUPD_STATUS_MAGIC); return 0; }')
    return "\n".join(out) + "\n"


def listing(source, compiler, include):
    with tempfile.TemporaryDirectory() as tmp:
        suffix = ".cc" if "++" in compiler else ".c"
        path = pathlib.Path(tmp) / ("abi" + suffix)
        path.write_text(source)
        standard = "-std=c++11" if "++" in compiler else "-std=c11"
        exe = str(path.with_suffix(""))
        subprocess.run([compiler, standard, "-Wall", "-Wextra", "-pedantic", "-Werror", "-I", include, "-o", exe, str(path)],
                       check=True)
        return subprocess.run([exe], check=True, capture_output=True, text=True).stdout


def main():
    arguments = [a for a in sys.argv[1:] if a != "--update"]
    header = pathlib.Path(arguments[0]).resolve()
    golden = HERE / "abi.txt"
    source = program(header)
    failed = 0
    for compiler in arguments[1:]:
        found = listing(source, compiler, str(header.parent.parent))
        if "--update" in sys.argv:
            golden.write_text(found)
        if found == golden.read_text():
            print(f"ok {compiler}: {len(found.splitlines())} lines as committed")
            continue
        failed = 1
        old, new = set(golden.read_text().splitlines()), set(found.splitlines())
        for line in sorted(old - new):
            print(f"{compiler}: gone:  {line}")
        for line in sorted(new - old):
            print(f"{compiler}: new:   {line}")
    return failed


sys.exit(main())
