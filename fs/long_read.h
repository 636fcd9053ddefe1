/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads of a stream that the kernel may have cut in pieces.
 *
 * After a request that was served in full the kernel goes on with a read(2) that wants more: at the
 * offset where that one ended, and from the same thread. Nothing may have come by then, and who has
 * bytes already is not to wait for others. A request that is served short ends the read(2); but to
 * serve each long one a page short leaves that page behind, to cost a request of its own. So one is
 * served in full, if the one that goes on will be known: an open file remembers one thread that has
 * read in full. A second one, until the first has come again, is served short.
 *
 * Where nothing has come the answer is EAGAIN, which read(2) turns into the number of bytes it has.
 * Whoever passes such an offset himself (io_uring, on a pipe) is then not told of an end that there
 * is not.
 */
#ifndef IPCFS_LONG_READ_H
#define IPCFS_LONG_READ_H

#include <fuse_lowlevel.h>
#include <stdbool.h>

/* Of an open file; all zeroes: nobody has read in full. */
struct long_read {
	pid_t thread; /* that reads, or has read, in full; 0: none */
	off_t end;    /* where it may go on; 0: it waits */
};

struct read_request {
	pid_t thread;
	size_t size;
	off_t offset;
};

/*
 * A request comes. True: it goes on with a read(2) that has bytes, and must not wait. Cuts
 * request->size to what may be served; `io_max` is the longest that there is, `is_bytes` false if
 * nothing may be served in full.
 */
bool long_read_begin(struct long_read *reader, struct read_request *request, size_t io_max,
		     bool is_bytes);

/* It has been answered with `n` bytes, or an error. */
void long_read_end(struct long_read *reader, const struct read_request *request, ssize_t n);

#endif
