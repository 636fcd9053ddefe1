/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of the configuration that name what lies on other machines (kind::is_remote). Which objects
 * there are is known only when the servers have answered. That may take any time, and the other
 * lines must not wait for it. So these lines run when it is known, in order, one at a time. A line
 * that fails because of the connection runs again later; what else is wrong is told, and that is
 * its end.
 */
#ifndef IPCFS_REMOTE_LINES_H
#define IPCFS_REMOTE_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/tree/config.h"

struct remote_lines;

/* Where a line stands. The path is copied. */
struct remote_place {
	const char *path;
	unsigned line;
	config_fault_fn *fault; /* called if the line fails */
};

/* Makes ready for such lines, before any kind is opened: host_remote::lines. -ENOMEM or -EMFILE */
int remote_lines_init(struct host *host);
/* Forgets all. Does nothing without remote_lines_init(). */
void remote_lines_fini(struct host *host);

/* Whether the line names an object, or all objects, of a kind that is remote. */
bool remote_lines_wants(const struct host *host, const char *text, size_t length);
/* Fails with -ENOMEM. */
int remote_lines_add(struct host *host, const struct remote_place *place, const char *text,
		     size_t length);
/* Whether there are any that have not run to their end. */
bool remote_lines_are_left(const struct host *host);
/* Forgets the lines that do not run yet: the configuration is read again. */
void remote_lines_forget(struct host *host);

#endif
