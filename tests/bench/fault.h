/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A filesystem of the attacker's own: one file, FAULT_FILE, whose server is deaf to requests of one
 * sort. Whoever needs the answer waits for it, in whatever call and with whatever lock, until the
 * server is killed.
 */
#ifndef TESTS_BENCH_FAULT_H
#define TESTS_BENCH_FAULT_H

#include <stdint.h>

#include "tests/bench/attack.h"

enum { FAULT_PAGE = 4096, FAULT_BYTES = 3 * FAULT_PAGE };

#define FAULT_FILE "f"

/*
 * Mounts it in a user and a mount namespace of this process's own: the machine's /dev/fuse may be
 * root's alone. What is forked then closes the device, which this returns, at once.
 */
int fault_mount(struct scene *scene, const char *dir);

/* Answers all but requests with this number (linux/fuse.h); does not return. */
void fault_serve(int device, uint32_t deaf_to);

#endif
