// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finds, lists, makes and removes objects by name, and notices when an identifier has come to mean
 * another object.
 */
#include "lib/kinds/sysv/sysv.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/listed.h"
#include "lib/host/job.h"

#define PRIVATE_PREFIX "id-"

struct sysv *sysv_from(struct channel *channel)
{
	assert(channel->space->ops->list == sysv_list);
	return CONTAINER_OF(channel, struct sysv, channel);
}

struct sysv_space *sysv_space_from(struct space *space)
{
	assert(space->kind && space->ops->list == sysv_list);
	return CONTAINER_OF(space, struct sysv_space, space);
}

static const struct sysv_calls *sysv_calls(const struct sysv *sysv)
{
	return sysv_space_from(sysv->channel.space)->calls;
}

/* Takes the channel off the list. Its users keep it; a lookup of the identifier makes a new one. */
static void sysv_forget(struct sysv *sysv)
{
	if (!sysv->is_gone)
		HASH_DEL(sysv_space_from(sysv->channel.space)->objects, sysv);
	sysv->is_gone = true;
}

/*
 * Whether `data` describes a new object, although its maker, key and size are the same. An object's
 * time, once set, is never unset again: if it is unset now, the object is a new one.
 */
static bool has_begun_anew(struct sysv *sysv, const union sysv_data *data)
{
	struct stat attr = {0};
	bool is_used[2];

	sysv_calls(sysv)->fill(data, &attr);
	is_used[0] = attr.st_atim.tv_sec != 0;
	is_used[1] = attr.st_mtim.tv_sec != 0;
	for (size_t i = 0; i < 2; i++) {
		if (sysv->was_used[i] && !is_used[i])
			return true;
		sysv->was_used[i] = is_used[i];
	}
	return false;
}

int sysv_data(struct sysv *sysv, union sysv_data *ret_data)
{
	int r = sysv->is_gone ? -EIDRM : sysv_verify(sysv_calls(sysv), &sysv->identity, ret_data);

	if (r == 0 && has_begun_anew(sysv, ret_data))
		r = -EIDRM;
	if (r == -EIDRM)
		sysv_forget(sysv);
	return r;
}

int sysv_status(struct sysv *sysv, struct row *row, union sysv_data *ret_data)
{
	int r = sysv_data(sysv, ret_data);

	if (r == 0)
		row_add_signed(row, "id", sysv->id);
	return r;
}

void sysv_fini(struct sysv *sysv)
{
	sysv_forget(sysv);
}

/* Names, and the keys and identifiers in them. */

void sysv_name(int id, const struct ipc_perm *perm, char *ret_name)
{
	if (perm->__key == IPC_PRIVATE)
		snprintf(ret_name, NAME_MAX + 1, PRIVATE_PREFIX "%d", id);
	else
		snprintf(ret_name, NAME_MAX + 1, "0x%08x", (unsigned)perm->__key);
}

bool sysv_parse_key(const char *name, key_t *ret_key)
{
	size_t n = strlen(name);

	if (n < 3 || n > 10 || strncmp(name, "0x", 2) != 0 ||
	    strspn(name + 2, "0123456789abcdefABCDEF") != n - 2)
		return false;
	*ret_key = (key_t)(unsigned)strtoul(name, NULL, 16);
	return *ret_key != IPC_PRIVATE;
}

void sysv_canonical(const char *name, char *ret_name)
{
	struct ipc_perm perm = {0};

	if (sysv_parse_key(name, &perm.__key))
		sysv_name(0, &perm, ret_name);
	else
		snprintf(ret_name, NAME_MAX + 1, "%s", name);
}

const char *sysv_explain_name(const char *name)
{
	key_t key;

	return sysv_parse_key(name, &key)
		       ? NULL
		       : "not a key (0x and up to 8 hexadecimal digits, not all zero)";
}

/* Gets the identifier from a name like "id-5". */
static bool sysv_parse_id(const char *name, int *ret_id)
{
	const char *digits = name + strlen(PRIVATE_PREFIX);
	unsigned long id;

	if (strncmp(name, PRIVATE_PREFIX, strlen(PRIVATE_PREFIX)) != 0 ||
	    strspn(digits, "0123456789") != strlen(digits) || !*digits || strlen(digits) > 10 ||
	    (digits[0] == '0' && digits[1]))
		return false;
	id = strtoul(digits, NULL, 10);
	*ret_id = (int)id;
	return id <= INT_MAX;
}

/* Gets the key from a name, or IPC_PRIVATE and the identifier. Fails with -ENOENT. */
static int parse_name(const char *name, long *ret_key, long *ret_id)
{
	key_t key = IPC_PRIVATE;
	int id = -1;

	if (!sysv_parse_key(name, &key) && !sysv_parse_id(name, &id))
		return -ENOENT;
	*ret_key = key;
	*ret_id = id;
	return 0;
}

/* Returns the identifier of the object that has this name now, or -errno. */
static int find_named(const struct sysv_calls *calls, key_t key, int id, union sysv_data *ret_data)
{
	int r;

	if (key != IPC_PRIVATE)
		id = calls->find(key);
	if (id < 0)
		return id;
	r = sysv_stat_id(calls, id, ret_data);
	if (r < 0)
		return r == -EIDRM ? -ENOENT : r;
	return ret_data->perm.__key == key ? id : -ENOENT;
}

int sysv_pin(struct sysv *sysv, const union sysv_data *data)
{
	struct sysv_space *space = sysv_space_from(sysv->channel.space);

	sysv_identify(space->calls, sysv->id, data, &sysv->identity);
	has_begun_anew(sysv, data);
	HASH_ADD_INT(space->objects, id, sysv);
	sysv->is_gone = !sysv->hh.tbl;
	return sysv->is_gone ? -ENOMEM : 0;
}

static int new_channel(struct sysv_space *space, int id, const union sysv_data *data,
		       struct channel **ret_channel)
{
	struct sysv *sysv = calloc(1, space->object_size);
	int r;

	if (!sysv)
		return -ENOMEM;
	channel_init(&sysv->channel, space->space.kind->channel, &space->space, space->service);
	sysv->id = id;
	r = sysv_pin(sysv, data);
	if (r < 0) {
		free(sysv);
		return r;
	}
	if (space->init)
		space->init(sysv);
	*ret_channel = &sysv->channel;
	return 0;
}

/* Gives the channel of the object that was just seen under this identifier. */
static int find_channel(struct sysv_space *space, int id, const union sysv_data *data,
			struct channel **ret_channel)
{
	struct sysv *sysv;

	HASH_FIND_INT(space->objects, &id, sysv);
	if (sysv && sysv_is_identical(space->calls, &sysv->identity, data) &&
	    !has_begun_anew(sysv, data)) {
		*ret_channel = channel_ref(&sysv->channel);
		return 0;
	}
	if (sysv)
		sysv_forget(sysv);
	return new_channel(space, id, data, ret_channel);
}

int sysv_channel(struct sysv_space *space, int id, struct channel **ret_channel)
{
	union sysv_data data;
	int r = sysv_stat_id(space->calls, id, &data);

	return r < 0 ? r : find_channel(space, id, &data, ret_channel);
}

int sysv_lookup(struct space *space_, const char *name, struct caller *caller,
		struct entry *ret_entry)
{
	struct sysv_space *space = sysv_space_from(space_);
	union sysv_data data;
	long key, id;
	int r = parse_name(name, &key, &id);

	if (r == 0)
		r = find_named(space->calls, (key_t)key, (int)id, &data);
	return r < 0 ? r : find_channel(space, r, &data, &ret_entry->channel);
}

/*
 * Objects are listed in pieces, on a worker: for each set the kernel goes through all its
 * semaphores, and anybody can make the largest sets. A piece with such sets takes some
 * milliseconds.
 */
#define PIECE 256 /* indexes */

struct sysv_listing {
	struct listed listed;
	const struct sysv_calls *calls;
};

/* An object that has gone meanwhile leaves a gap, or lowers the last index. */
static int list_piece(struct sysv_listing *listing)
{
	int i = (int)listing->listed.next, last = sysv_last_index(listing->calls);
	int end = last - i < PIECE ? last + 1 : i + PIECE;
	char name[NAME_MAX + 1];
	int r = 0;

	if (last < 0)
		return last;
	for (; r == 0 && i < end; i++) {
		union sysv_data found;
		int id = listing->calls->control(i, listing->calls->stat_any, &found);

		if (id < 0)
			continue;
		sysv_name(id, &found.perm, name);
		r = listed_add(&listing->listed, name, (ino_t)id, S_IFREG);
	}
	listing->listed.next = end <= last ? end : 0;
	return r;
}

static int list_act(void *data)
{
	struct sysv_listing *listing = data;

	return listed_end(&listing->listed, list_piece(listing));
}

int sysv_list(struct space *space, struct caller *caller, space_entry_fn *entry, void *data)
{
	struct sysv_listing listing = {.calls = sysv_space_from(space)->calls};

	return listed_run(space->host, caller,
			  &(struct job_call){.place = JOB_WORKER,
					     .act = list_act,
					     .undo = listed_drop,
					     .data = &listing,
					     .size = sizeof(listing)},
			  &(struct listed_reader){entry, data});
}

/*
 * Removes whichever object a name stands for when the job runs. The name is a key, or the id of an
 * object without a key.
 */
struct sysv_removal {
	const struct sysv_calls *calls;
	long key, id;
	struct journal_note note;
};

static int removal_act(void *data)
{
	const struct sysv_removal *removal = data;
	const struct sysv_calls *calls = removal->calls;
	union sysv_data found;
	int id = find_named(calls, (key_t)removal->key, (int)removal->id, &found);

	/* The former daemon has removed another for the same request. */
	if (journal_has_noted(&removal->note, 0) &&
	    (id == -ENOENT || (id >= 0 && !journal_has_noted(&removal->note, (uint64_t)id + 1))))
		return 0;
	if (id < 0)
		return id;
	journal_note(&removal->note, (uint64_t)id + 1);
	return sysv_error(calls->control(id, IPC_RMID, &found));
}

/* The kernel allows the owner, the creator and root, which is the rule of a sticky directory. */
int sysv_remove(struct space *space, const char *name, struct caller *caller)
{
	struct sysv_removal removal = {.calls = sysv_space_from(space)->calls,
				       .note = journal_note_of(space->host)};
	int r = parse_name(name, &removal.key, &removal.id);

	return r < 0 ? r
		     : job_run(space->host, caller,
			       &(struct job_call){.place = JOB_THREAD,
						  .act = removal_act,
						  .data = &removal,
						  .size = sizeof(removal)});
}

/* -ENOSYS: the kernel is built without System V IPC, so this machine has no such objects. */
int sysv_space_init(struct sysv_space *space, const struct space_ops *ops, struct host *host,
		    const struct kind *kind)
{
	int last = sysv_last_index(space->calls);

	if (last < 0)
		return last;
	space_init(&space->space, ops, host, kind->path);
	space->space.kind = kind;
	return 0;
}

void sysv_space_destroy(struct space *space)
{
	assert(!sysv_space_from(space)->objects);
	free(sysv_space_from(space));
}
