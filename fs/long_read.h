/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads of a stream that the kernel may have cut into pieces.
 *
 * If a request is served in full and its read(2) wants more, the kernel sends another request: from
 * the same thread, at the offset where the first one ended. By then the stream may be empty, and a
 * reader that already has bytes must not wait for more. A request that is served short ends the
 * read(2). But if every long request were served a page short, that page would take a request of
 * its own. So a request is served in full if its continuation will be recognised: an open file
 * remembers one thread that has read in full. A second thread is served short until the first has
 * come again.
 *
 * If a continuation finds the stream empty, the answer is EAGAIN, and read(2) returns the bytes
 * that it has. A program that passes such an offset itself (io_uring, on a pipe) then gets EAGAIN,
 * and not a false end-of-file.
 */
#ifndef IPCFS_LONG_READ_H
#define IPCFS_LONG_READ_H

#include <fuse_lowlevel.h>
#include <stdbool.h>

/* Belongs to an open file, and is small for that. All zeroes: nobody has read in full. */
struct __attribute__((packed, aligned(4))) long_read {
	off_t end;    /* the offset where it may continue; 0: not answered yet */
	pid_t thread; /* reads in full now, or has done so; 0: none */
};

struct read_request {
	pid_t thread;
	size_t size;
	off_t offset;
};

/*
 * Call it when a request has come. Returns true if the request continues a read(2) that already has
 * bytes, and so must not wait. Cuts request->size to what may be served. `io_max` is the size of
 * the longest request; `is_bytes` false means that nothing may be served in full.
 */
bool long_read_begin(struct long_read *reader, struct read_request *request, size_t io_max,
		     bool is_bytes);

/* Call it when the request has been answered, with `n` bytes or an error. */
void long_read_end(struct long_read *reader, const struct read_request *request, ssize_t n);

#endif
