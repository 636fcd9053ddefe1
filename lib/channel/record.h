/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What outlives the daemon of an object and of an open file, so that the next daemon can go on.
 *
 * The records have no pointers in them: other records are named by their ids, memory by its offset
 * (lib/base/state.h), descriptors by their numbers, which stay valid because the daemons share one
 * table of descriptors. A descriptor that no record names is closed when the next daemon begins.
 *
 * A daemon can be killed between any two instructions. So a kind writes the record in an order in
 * which each state in between is one that adopt() understands.
 */
#ifndef IPCFS_RECORD_H
#define IPCFS_RECORD_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/channel/attributes.h"
#include "lib/channel/file.h"

struct channel;
struct file;
struct host;

#define OBJECT_FDS   4
#define OBJECT_WORDS 14
#define FILE_WORDS   5

#define RECORD_NO_NUMBER UINT64_MAX /* no selector_max is this large */

/*
 * Values of object_record::space for what is in no kind's directory. Where the kind says nothing
 * else, it is OBJECT_RELIC.
 */
#define OBJECT_LASTING (UINT32_MAX - 2) /* is in host::top for good; `name` is its name there */
#define OBJECT_TAP     (UINT32_MAX - 1) /* host::adopt_tap makes it */
#define OBJECT_RELIC   UINT32_MAX       /* only its content is left: lib/channel/relic.h */

/* A channel: in host::objects, by channel::id. */
struct object_record {
	uint32_t space;      /* the index of its kind's directory in host::spaces; or as above */
	uint32_t is_kept;    /* the daemon keeps it for its name; else only for its open files */
	int fds[OBJECT_FDS]; /* the kind's descriptors; -1: none */
	uint64_t message_max;
	uint64_t made; /* the request that made it: if that comes again, it is not there yet */
	uint64_t words[OBJECT_WORDS]; /* the kind's own */
	uint64_t tapped;              /* how much its taps have noted: lib/channel/tap.c */
	/* Of an object with a kept name (lib/channel/kept_names.h). */
	struct attributes attributes;
	uid_t charged;
	pid_t maker;
	char name[NAME_MAX + 1]; /* as far as it is known; "": none, or no longer */
};

/* An open file: in host::files, by file::id. */
struct file_record {
	uint64_t object; /* the id of its channel */
	uid_t uid;
	gid_t gid;
	int flags;                  /* of open(2) */
	int fd;                     /* the kind's descriptor of this file; -1: none */
	uint64_t number;            /* selector::value; RECORD_NO_NUMBER: it is not set */
	uint64_t mark;              /* the kind's own */
	uint64_t words[FILE_WORDS]; /* the kind's own */
	/* file::rest, in a block of the state; `rest` 0: none. */
	uint64_t rest;
	uint32_t rest_size, is_frozen;
	int64_t rest_offset; /* or when it was made, if it is frozen */
};

/* The number with which the file was opened: NAME:N. */
static inline struct selector file_selector(const struct file *file)
{
	uint64_t number = file->record->number;

	return number == RECORD_NO_NUMBER ? (struct selector){0} : (struct selector){true, number};
}

/* Sets up host::objects, files and writes in host::state. */
void records_init(struct host *host);

/* Gives the channel a record, unless it has one. Fails with -ENOMEM. */
int channel_remember(struct channel *channel);

/*
 * For kinds: has channel_ops::save write the record again, because something in it has changed.
 * channel.c itself calls this after each open() and release(). Does nothing without a record.
 */
void channel_save(struct channel *channel);

/*
 * What the request in hand has made stays, even if the request comes again: the object, or with
 * NULL, all of its objects.
 */
void objects_settle(struct host *host, struct channel *channel);

/* For channel.c: destroys a channel, and after that its record. */
void object_destroy(struct channel *channel);

/* Whether an object that can't be adopted, because of an error (-errno), is to be lost. */
typedef bool objects_lose_fn(struct host *host, const struct object_record *record, int error);

/*
 * For the next daemon: makes the objects that the records tell of. One that can't be adopted is
 * lost, if `may_lose` agrees: nothing has its id any more. If it doesn't, fails with the object's
 * error, and all records are as a killed daemon leaves them: yet another daemon can adopt them.
 */
int objects_adopt(struct host *host, objects_lose_fn *may_lose);
/*
 * Takes over an open file. The caller owns it, as after channel_open(). Fails with -ENOMEM, with
 * -EPROTO if there is no such file, or as the kind does.
 */
int file_adopt(struct host *host, uint64_t id, struct file **ret_file);
/*
 * Ends adoption: drops the records of files that nobody has taken over, and the references to
 * objects that objects_adopt() has kept until now.
 */
void objects_adopted(struct host *host);

#endif
