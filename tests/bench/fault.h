/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attacker's own filesystem: one file, FAULT_FILE, whose server never answers one kind of
 * request. A process that needs the answer waits for it, in whatever call and with whatever lock,
 * until the server is killed.
 */
#ifndef TESTS_BENCH_FAULT_H
#define TESTS_BENCH_FAULT_H

#include <stdint.h>

#include "tests/bench/attack.h"

enum { FAULT_PAGE = 4096, FAULT_BYTES = 3 * FAULT_PAGE };

#define FAULT_FILE "f"

/*
 * Mounts the filesystem, after moving this process to its own user and mount namespaces, and
 * returns the descriptor of the device. The device node is the scene's, because the machine's
 * /dev/fuse may be for root only. Processes forked after this have to close the descriptor at once.
 */
int fault_mount(struct scene *scene, const char *dir);

/* Answers all requests except those with opcode `deaf_to` (linux/fuse.h). Does not return. */
void fault_serve(int device, uint32_t deaf_to);

#endif
