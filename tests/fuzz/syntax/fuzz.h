/* SPDX-License-Identifier: MIT
 *
 * What every fuzz target of this folder has: the entry point, and a claim that ends the run when it is false.
 *
 * The same targets are built twice: with libFuzzer (-Dfuzzers=true, clang), and with replay.c, which runs the committed
 * corpus through them in every `meson test`.
 */
#ifndef TESTS_FUZZ_SYNTAX_FUZZ_H
#define TESTS_FUZZ_SYNTAX_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CLAIM(x)                                                                                                       \
        do {                                                                                                           \
                if (!(x)) {                                                                                            \
                        (void)fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #x);                        \
                        abort();                                                                                       \
                }                                                                                                      \
        } while (0)

#endif
