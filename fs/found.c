// SPDX-License-Identifier: GPL-2.0-or-later
/* Probes that need the mount, as /dev/fuse has to be asked. */
#include "fs/found.h"

#include <linux/types.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <syslog.h>
#include <unistd.h>

#include "fs/log.h"
#include "fs/prune.h"
#include "fs/session.h"
#include "lib/base/cleanup.h"

/* <linux/fuse.h> has these since 6.9. */
struct backing_map {
	__s32 fd;
	__u32 flags;
	__u64 padding;
};
#define BACKING_OPEN  _IOW(229, 1, struct backing_map)
#define BACKING_CLOSE _IOW(229, 2, __u32)

/* Whether the kernel accepts backing files from us. That shows only when it is given one. */
static bool can_back(struct session *session)
{
	CLEANUP_FD int fd = memfd_create("ipcfs", MFD_CLOEXEC);
	struct backing_map map = {.fd = fd};
	int id = fd < 0 ? -1 : ioctl(session->device.fd, BACKING_OPEN, &map);

	if (id <= 0)
		return false;
	ioctl(session->device.fd, BACKING_CLOSE, &id);
	return true;
}

/*
 * Lifts the limit on names where the daemon can't have names dropped: it then serves only its own
 * user, as fuse(8) describes.
 */
static void allow_names(struct session *session)
{
	if (!features_has(&session->host.features, FEATURE_PRUNE) && geteuid() != 0 &&
	    !session->options->max_names)
		session->host.users.limits[USER_NAMES] = SIZE_MAX;
}

void found_find(struct session *session)
{
	features_found(&session->host.features, FEATURE_PASSTHROUGH, can_back(session));
	features_found(&session->host.features, FEATURE_PRUNE, prune_probe(session->device.fd));
	allow_names(session);
}

void found_tell(const struct features *features)
{
	char there[FEATURES_TEXT], missing[FEATURES_TEXT], off[FEATURES_TEXT];

	features_text(features->there & ~features->off, ' ', there);
	features_text(FEATURES_ALL & ~features->there & ~features->off, ' ', missing);
	features_text(features->off, ' ', off);
	log_line(LOG_INFO, "features available: %s; missing: %s; turned off: %s", there, missing,
		 off);
}
