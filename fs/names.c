// SPDX-License-Identifier: GPL-2.0-or-later
/* A user's names are a list, oldest to newest, threaded through the inodes' records by nodeid. */
#include "fs/names.h"

#include <errno.h>
#include <stdlib.h>

#include "fs/inode.h"
#include "fs/prune.h"
#include "fs/session.h"
#include "fs/shrink.h"

/*
 * When only this part (one in 8, one in 2) of a user's allowed names is left, the oldest names are
 * dropped. SPARE_PART_SHRINK is for a kernel where a thread has to drop them: many more are looked
 * up meanwhile.
 */
#define SPARE_PART        8
#define SPARE_PART_SHRINK 2

static struct user_names *names_of(const struct session *session, uid_t uid)
{
	struct user_names *names;

	HASH_FIND(hh, session->names, &uid, sizeof(uid), names);
	return names;
}

static struct user_names *names_new(struct session *session, uid_t uid)
{
	struct user_names *names = calloc(1, sizeof(*names));

	if (!names)
		return NULL;
	names->uid = uid;
	HASH_ADD(hh, session->names, uid, sizeof(names->uid), names);
	if (names->hh.tbl)
		return names;
	free(names);
	return NULL;
}

static struct inode_record *record_of(const struct session *session, uint64_t nodeid)
{
	return slots_record(&session->inodes, nodeid);
}

/* Links the inode as the user's newest. */
static void names_link(const struct session *session, struct user_names *names,
		       struct inode_record *record)
{
	record->older = names->newest;
	record->newer = 0;
	if (names->newest)
		record_of(session, names->newest)->newer = record->nodeid;
	else
		names->oldest = record->nodeid;
	names->newest = record->nodeid;
}

static void names_unlink(const struct session *session, struct user_names *names,
			 const struct inode_record *record)
{
	if (record->older)
		record_of(session, record->older)->newer = record->newer;
	else
		names->oldest = record->newer;
	if (record->newer)
		record_of(session, record->newer)->older = record->older;
	else
		names->newest = record->older;
}

/*
 * Has the kernel drop the oldest names. Those that it keeps become the newest, so that the next
 * attempt tries others.
 */
static void names_prune(struct session *session, struct user_names *names)
{
	uint64_t nodeids[PRUNE_MOST];
	uint64_t last = names->newest, nodeid = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < PRUNE_MOST && nodeid != last; i++) {
		struct inode_record *record = record_of(session, names->oldest);

		nodeid = record->nodeid;
		if (record->n_handles == 0)
			nodeids[n++] = nodeid;
		names_unlink(session, names, record);
		names_link(session, names, record);
	}
	if (n > 0)
		prune_send(session->device.fd, nodeids, n);
}

static void names_drop(struct session *session, struct user_names *names)
{
	if (features_has(&session->host.features, FEATURE_PRUNE))
		names_prune(session, names);
	else
		shrink_begin(session, names->uid);
}

static bool is_nearly_full(struct session *session, uid_t uid)
{
	size_t most = session->host.users.limits[USER_NAMES];
	size_t part = features_has(&session->host.features, FEATURE_PRUNE) ? SPARE_PART
									   : SPARE_PART_SHRINK;

	return user_charged(&session->host.users, uid, USER_NAMES) >= most - most / part;
}

int names_check(struct session *session, uid_t uid)
{
	struct user_names *names = names_of(session, uid);

	/* The kernel knows them already, and what has them open is not counted yet. */
	if (session->host.users.is_adopting)
		return 0;
	if (names && is_nearly_full(session, uid))
		names_drop(session, names);
	return user_has_room(&session->host.users, uid, USER_NAMES, 1) ? 0 : -ENOBUFS;
}

int names_add(struct session *session, struct inode_record *record, uid_t uid)
{
	struct user_names *names = names_of(session, uid);
	int r = names_check(session, uid);

	if (r == 0)
		r = user_charge(&session->host.users, uid, USER_NAMES, 1);
	if (r < 0)
		return r;
	if (!names)
		names = names_new(session, uid);
	if (!names) {
		user_uncharge(&session->host.users, uid, USER_NAMES, 1);
		return -ENOMEM;
	}
	record->uid = uid;
	record->is_charged = true;
	names_link(session, names, record);
	return 0;
}

void names_renew(struct session *session, struct inode_record *record)
{
	struct user_names *names = record->is_charged ? names_of(session, record->uid) : NULL;

	if (!names || !record->newer)
		return;
	names_unlink(session, names, record);
	names_link(session, names, record);
}

void names_remove(struct session *session, struct inode_record *record)
{
	struct user_names *names = record->is_charged ? names_of(session, record->uid) : NULL;

	if (!names)
		return;
	names_unlink(session, names, record);
	user_uncharge(&session->host.users, record->uid, USER_NAMES, 1);
	record->is_charged = false;
	if (names->oldest)
		return;
	HASH_DEL(session->names, names);
	free(names);
}
