/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The objects that the configuration names. They are meant to stay, however little they are used.
 */
#ifndef IPCFS_CONFIGURED_H
#define IPCFS_CONFIGURED_H

#include <stdbool.h>

struct host;

/* Notes the object of that kind and name. Fails with -ENOMEM. */
int configured_add(struct host *host, const char *kind, const char *name);
bool configured_has(const struct host *host, const char *kind, const char *name);
/* For the next daemon: takes over what the former one has noted. */
void configured_adopt(struct host *host);
/* For host_fini(): forgets them all. */
void configured_forget(struct host *host);

#endif
