/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names that the daemon itself keeps, because the kernel has none for these objects: pipes, events,
 * servers.
 *
 * Each object belongs to the user who made it, and is charged to that user for as long as it lives.
 * The directory acts as if sticky: only an object's owner and root can remove or rename it.
 */
#ifndef IPCFS_KEPT_NAMES_H
#define IPCFS_KEPT_NAMES_H

#include <uthash.h>

#include "lib/channel/attributes.h"
#include "lib/channel/channel.h"
#include "lib/channel/record.h"

/* One object. A kind's own struct begins with it. */
struct kept {
	struct channel channel;
	char *name;        /* NULL once removed */
	UT_hash_handle hh; /* kept_space::kept, by name */
	/* In its record, which also says who made it, and who is charged for it. */
	struct attributes *attributes;
};

struct kept_space {
	struct space space;
	struct kept *kept;
	void (*unnamed)(struct kept *kept); /* called when the name is gone; NULL: nothing to do */
	void *state;                        /* the kind's own */
};

struct kept *kept_from(struct channel *channel);

/*
 * Makes `kept`, which is all zeroes except for the kind's own part, an object of `caller` with this
 * name. On success the space has one reference to the object and this function's caller another.
 * Fails with -EEXIST, with -EMFILE if the user has too many objects, or with -ENOMEM, and then
 * `kept` is as before.
 */
int kept_init(struct kept *kept, struct space *space, enum channel_service service,
	      const char *name, mode_t mode, struct caller *caller);
/*
 * For channel_ops::adopt, in place of kept_init(): the object of a record, with its name unless it
 * has lost that. Its caller owns one reference. Fails with -EPROTO, -EEXIST or -ENOMEM.
 */
int kept_adopt(struct kept *kept, struct space *space, enum channel_service service,
	       struct object_record *record);
void kept_fini(struct kept *kept);

void kept_stat(const struct kept *kept, struct stat *ret_attr);

/* For channel_ops::disuse, of an object that is empty: whether the process that made it lives. */
void kept_disuse(const struct kept *kept, struct disuse *disuse);

/* Opens a space of such objects. Fails with -ENOMEM. */
int kept_space_open(struct space **ret_space, struct host *host, const struct kind *kind,
		    const struct space_ops *ops);

/* For struct space_ops. */
void kept_space_destroy(struct space *space);
int kept_list(struct space *space, struct caller *caller, space_entry_fn *entry, void *data);
int kept_lookup(struct space *space, const char *name, struct caller *caller,
		struct entry *ret_entry);
/* Counts the objects that the user has made, of all kinds together. */
void kept_room(const struct space *space, const struct caller *caller, struct statvfs *room);
uint64_t kept_count(const struct space *space);
/* For kind::explain. */
const char *kept_explain(struct channel *channel, const char *name, const struct settings *settings,
			 int error);
int kept_remove(struct space *space, const char *name, struct caller *caller);
int kept_rename(struct space *space, const char *from, const char *to, unsigned flags,
		struct caller *caller);

#endif
