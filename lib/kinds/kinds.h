/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one list of kinds. docs/hacking.md explains how to add one, and what that affects.
 */
#ifndef IPCFS_KINDS_H
#define IPCFS_KINDS_H

#include "lib/channel/channel.h"

/* In the order in which the mount lists their folders (`ls -U`); ends with NULL. */
extern const struct kind *const kinds[];

extern const struct kind pipe_kind;
extern const struct kind topic_kind;
extern const struct kind queue_kind;
extern const struct kind shm_kind;
extern const struct kind sem_kind;
extern const struct kind event_kind;
extern const struct kind signal_kind;
extern const struct kind unix_kind;
extern const struct kind abstract_kind;
extern const struct kind tcp_kind;
extern const struct kind udp_kind;
extern const struct kind server_kind;
extern const struct kind sysv_queue_kind;
extern const struct kind sysv_shm_kind;
extern const struct kind sysv_sem_kind;
/* Only in a build with the feature `cluster`. */
extern const struct kind cluster_queue_kind;
extern const struct kind cluster_topic_kind;
extern const struct kind cluster_value_kind;

#endif
