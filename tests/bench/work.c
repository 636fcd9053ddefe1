// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The loops that are timed: nothing else belongs in them.
 */
#include "tests/bench/work.h"

#include <stdint.h>

#include "tests/bench/ends.h"
#include "tests/bench/must.h"

void work_round_trip(struct ends *ends, size_t n)
{
	ssize_t size = (ssize_t)ends->row->size;

	for (size_t i = 0; i < n; i++) {
		if (ends->send(ends->out, ends->buffer, (size_t)size) != size)
			fail("%s: sending: %s", ends->row->work, strerror(errno));
		/* Receives all of the bytes: a stream may deliver them in pieces. */
		for (ssize_t done = 0, part; done < size; done += part) {
			part = ends->receive(ends->in, ends->buffer, ends_capacity(ends));
			if (part <= 0)
				fail("%s: receiving: %s", ends->row->work, strerror(errno));
		}
	}
}

static void await_report(struct ends *ends)
{
	char word;

	if (!read_all(ends->report, &word, 1))
		fail("%s: the process that helps has ended", ends->row->work);
}

void work_stream(struct ends *ends, size_t n)
{
	uint64_t order = n * ends->row->size;

	if (!write_all(ends->control, &order, sizeof(order)))
		fail("%s: the other end has ended", ends->row->work);
	for (size_t i = 0; i < n; i++)
		if (!write_all(ends->out, ends->buffer, ends->row->size))
			fail("%s: writing: %s", ends->row->work, strerror(errno));
	await_report(ends);
}

void work_write(struct ends *ends, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!write_all(ends->out, ends->buffer, ends->row->size))
			fail("%s: writing: %s", ends->row->work, strerror(errno));
}

void work_copy(struct ends *ends, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		memcpy(ends->map, ends->buffer, ends->row->size);
		__asm__ volatile("" : : "r"(ends->map) : "memory");
	}
}

void work_pread(struct ends *ends, size_t n)
{
	ssize_t size = (ssize_t)ends->row->size;

	for (size_t i = 0; i < n; i++)
		if (pread(ends->out, ends->buffer, (size_t)size, 0) != size)
			fail("%s: reading: %s", ends->row->work, strerror(errno));
}

void work_pwrite(struct ends *ends, size_t n)
{
	ssize_t size = (ssize_t)ends->row->size;

	for (size_t i = 0; i < n; i++)
		if (pwrite(ends->out, ends->buffer, (size_t)size, 0) != size)
			fail("%s: writing: %s", ends->row->work, strerror(errno));
}

void work_shell(struct ends *ends, size_t n)
{
	char order[32];
	int length = snprintf(order, sizeof(order), "%zu\n", n);

	if (!write_all(ends->control, order, (size_t)length))
		fail("%s: the shell has ended", ends->row->work);
	await_report(ends);
}
