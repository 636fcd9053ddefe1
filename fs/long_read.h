/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads of a stream that the kernel may have cut into pieces.
 *
 * After a request that was served in full, the kernel continues a read(2) that wants more: at the
 * offset where the request ended, and from the same thread. Perhaps nothing more has come, and a
 * reader that already has bytes must not wait for more. A request that is served short ends the
 * read(2). But serving every long request a page short would leave that page for a request of its
 * own. So a request is served in full if its continuation will be recognised: an open file
 * remembers one thread that has read in full. A second thread is served short, until the first has
 * come again.
 *
 * If nothing has come the answer is EAGAIN, which read(2) turns into the number of bytes it has.
 * That way a program that passes such an offset itself (io_uring, on a pipe) sees no end-of-file
 * where there is none.
 */
#ifndef IPCFS_LONG_READ_H
#define IPCFS_LONG_READ_H

#include <fuse_lowlevel.h>
#include <stdbool.h>

/* Belongs to an open file. All zeroes: nobody has read in full. */
struct long_read {
	pid_t thread; /* reads in full now, or has done so; 0: none */
	off_t end;    /* where it may continue; 0: not answered yet */
};

struct read_request {
	pid_t thread;
	size_t size;
	off_t offset;
};

/*
 * A request has come. Returns true if it continues a read(2) that has bytes, and must not wait.
 * Cuts request->size to what may be served. `io_max` is the size of the longest request; `is_bytes`
 * false means that nothing may be served in full.
 */
bool long_read_begin(struct long_read *reader, struct read_request *request, size_t io_max,
		     bool is_bytes);

/* The request has been answered, with `n` bytes or an error. */
void long_read_end(struct long_read *reader, const struct read_request *request, ssize_t n);

#endif
