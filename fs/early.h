/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is asked for before the daemon has all that it takes to answer. It has to ask the mount for
 * some of that itself, and until it has got it, it answers its own threads alone: nobody else sees
 * a mount that can't do everything yet.
 */
#ifndef IPCFS_EARLY_H
#define IPCFS_EARLY_H

#include <stdbool.h>

struct early_request;
struct session;

/* Keeps the request that is in the session's buffer. False: it is one of our own, or no memory. */
bool early_keep(struct session *session);

/* Now they are answered, in their order; or, when the session ends, forgotten. */
void early_answer(struct session *session);
void early_forget(struct session *session);

#endif
