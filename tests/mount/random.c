/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk's random numbers (xorshift64*, so that a seed gives the same walk everywhere), and the
 * report when the two sides differ.
 */
#include "tests/mount/random.h"

#include "tests/mount/fixture.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { N_NOTES = 16 };

void walk_init(struct walk *walk)
{
	const char *seed = getenv("IPCFS_SEED");

	*walk = (struct walk){0};
	walk->seed = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL) * 65537 + getpid();
	walk->state = walk->seed ? walk->seed : 1;
}

unsigned int walk_random(struct walk *walk, unsigned int n)
{
	walk->state ^= walk->state >> 12;
	walk->state ^= walk->state << 25;
	walk->state ^= walk->state >> 27;
	return (unsigned int)((walk->state * UINT64_C(2685821657736338717)) >> 33) % n;
}

int walk_once_in(struct walk *walk, unsigned int n)
{
	return walk_random(walk, n) == 0;
}

int walk_pick(struct walk *walk, const int *values, unsigned int n)
{
	return values[walk_random(walk, n)];
}

void walk_bytes(struct walk *walk, unsigned char *buf, unsigned int size)
{
	unsigned int first = walk_random(walk, 256);

	for (unsigned int i = 0; i < size; i++)
		buf[i] = (unsigned char)(first + i * 7 + i / 256);
}

void walk_step(struct walk *walk, const char *format, ...)
{
	va_list args;

	walk->step++;
	va_start(args, format);
	vsnprintf(walk->notes[walk->step % N_NOTES], sizeof(walk->notes[0]), format, args);
	va_end(args);
}

void walk_fail(const struct walk *walk, const char *format, ...)
{
	long first = walk->step >= N_NOTES ? walk->step - N_NOTES + 1 : 1;
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (long step = first; step <= walk->step; step++)
		fprintf(stderr, "step %ld: %s\n", step, walk->notes[step % N_NOTES]);
	ck_abort_msg("IPCFS_SEED=%llu step %ld: %s: %s", (unsigned long long)walk->seed, walk->step,
		     walk->notes[walk->step % N_NOTES], text);
}

void walk_compare(const struct walk *walk, struct result native, struct result mount)
{
	if (native.value == mount.value && native.error == mount.error)
		return;
	walk_fail(walk, "native %ld %s, mount %ld %s", native.value, strerrorname_np(native.error),
		  mount.value, strerrorname_np(mount.error));
}
