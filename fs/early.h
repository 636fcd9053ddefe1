/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that come before the daemon has everything that it needs to serve users. To get some of
 * that it has to use its own mount. Until it has everything it answers only its own threads, so
 * nobody else sees a mount that can't do everything yet.
 */
#ifndef IPCFS_EARLY_H
#define IPCFS_EARLY_H

#include <stdbool.h>

struct early_request;
struct session;

/*
 * Keeps a copy of the request in the session's buffer. Returns false if it must be handled now: it
 * comes from one of our own threads, or there is no memory.
 */
bool early_keep(struct session *session);

/*
 * Answers all kept requests in order. If the session ends before that, early_forget() frees them.
 */
void early_answer(struct session *session);
void early_forget(struct session *session);

#endif
