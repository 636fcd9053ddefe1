/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which features of the kernel (lib/host/feature.h) the mount has.
 */
#ifndef IPCFS_FOUND_H
#define IPCFS_FOUND_H

struct features;
struct session;

/* Finds the features that only a mount shows, when it answers. */
void found_find(struct session *session);
/* Logs which features there are. */
void found_tell(const struct features *features);

#endif
