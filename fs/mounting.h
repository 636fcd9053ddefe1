/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mounts by libfuse. If that fails, logs the reason in ipcfs's own words.
 */
#ifndef IPCFS_MOUNTING_H
#define IPCFS_MOUNTING_H

#include <sys/types.h>

struct fuse_session;
struct options;
struct session;

/* Returns the mounted session, or NULL after a line in the log. */
struct fuse_session *mounting_mount(struct session *session, const struct options *options);
/* The same at `place`: a mount point, or /dev/fd/N for a descriptor that is mounted already. */
struct fuse_session *mounting_mount_at(struct session *session, const struct options *options,
				       const char *place);
/*
 * Before unmounting, which is done by path: ends the connection if another filesystem than that of
 * number `dev` is on top at the mount point, so that nothing is unmounted. `device` is /dev/fuse,
 * and is something else then.
 */
void mounting_spare_others(const char *mount_point, dev_t dev, int device);
/*
 * Unmounts what another daemon has mounted, unless that is over or covered: what is on top there
 * then is not ours. Ends the connection, on which threads of ours may wait. Arguments as above.
 */
void mounting_unmount(const char *mount_point, dev_t dev, int device);

#endif
