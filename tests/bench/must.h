/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A measurement that can't be made as intended is worthless: any failure ends the program, with a
 * message that says where and why.
 */
#ifndef TESTS_BENCH_MUST_H
#define TESTS_BENCH_MUST_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define fail(...)                             \
	do {                                  \
		fprintf(stderr, __VA_ARGS__); \
		fputc('\n', stderr);          \
		exit(1);                      \
	} while (0)

/* Evaluates an expression that returns -1 and sets errno on failure. A failure ends the program. */
#define must(call)                                                                         \
	({                                                                                 \
		__typeof__(call) must_ret = (call);                                        \
		if (must_ret == (__typeof__(call))-1)                                      \
			fail("%s:%d: %s: %s", __FILE__, __LINE__, #call, strerror(errno)); \
		must_ret;                                                                  \
	})

/* Moves exactly `size` bytes. Returns false on an error or at end-of-file. */
static inline int write_all(int fd, const void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, (const char *)data + done, size - done);

		if (n <= 0)
			return 0;
		done += (size_t)n;
	}
	return 1;
}

static inline int read_all(int fd, void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = read(fd, (char *)data + done, size - done);

		if (n <= 0)
			return 0;
		done += (size_t)n;
	}
	return 1;
}

#endif
