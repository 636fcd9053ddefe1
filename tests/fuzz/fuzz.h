/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interface between a fuzzer and the program that feeds it.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* The fuzzer. It takes any bytes, from libFuzzer or from standalone.c, and always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
