/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages in a ring of memory, which any number of readers read at their own pace, each at its own
 * position. A message is stored once for all of them.
 *
 * Messages are numbered from 0. A message leaves the ring when all readers have passed it, unless
 * it is kept for later readers, and when it is dropped to make room. A reader that had not read a
 * dropped message has missed it, and goes on with the next one that is left.
 *
 * The ring holds no pointers to messages or readers, only offsets. Its memory grows with what it
 * holds, and is charged to one user as USER_STORED. A user who has used that up still gets 8 KiB.
 *
 * A ring with a record outlives the daemon. It can be killed between any two stores: ring_adopt()
 * understands each state in between.
 */
#ifndef IPCFS_RING_H
#define IPCFS_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "lib/host/user.h"

/* The least and the greatest capacity, bytes. */
#define RING_CAPACITY_LEAST ((size_t)4096)
#define RING_CAPACITY_MOST  ((size_t)64 << 20)
/* A message that is cut by the end of the memory lies in two pieces. */
#define RING_PIECES 2

/* Where a message is. */
struct ring_place {
	uint64_t offset; /* in all bytes that were ever stored; modulo the memory's size, in it */
	uint64_t number;
};

/* What outlives the daemon of a reader. The sum is the number of the message to read next. */
struct ring_reader_record {
	uint64_t joined; /* the number of its first message */
	uint64_t taken;  /* messages that it has taken */
	uint64_t missed; /* messages that it will never get, as far as it has noticed */
};

/* A reader's position. */
struct ring_reader {
	struct ring_place next; /* the message to read next; it may have been dropped */
	struct ring_reader_record *record;
	struct ring_reader_record own; /* the record of a reader that has no other */
};

/* How much is kept for later readers: both limits hold, but a single message may be longer. */
struct ring_keep {
	uint64_t messages;
	uint64_t bytes;
};

/*
 * What outlives the daemon of a ring. A number is written before its offset, so that one may be
 * ahead of the other by one message: how many messages there are tells which.
 */
struct ring_record {
	uint64_t head_number, head_offset;
	uint64_t tail_number, tail_offset;
	uint64_t kept_number;
	/* Messages with a lower number are whole. Only the last one can lack its bytes. */
	uint64_t whole;
	/* The offset of the memory in the state, plus the binary logarithm of its size; 0: none. */
	uint64_t memory;
};

/* Whose a ring is. All is borrowed. */
struct ring_owner {
	struct state *state; /* has the memory */
	struct user_table *users;
	uid_t uid;                  /* the user who is charged */
	struct ring_record *record; /* all zeroes; NULL: the ring ends with the daemon */
};

struct ring {
	struct state *state;
	struct user_table *users;
	uid_t uid;
	struct ring_record *record;
	struct ring_record own; /* the record of a ring that has no other */
	size_t capacity; /* bytes that may be in use; a message takes its size and 8 to 15 more */
	struct ring_keep keep;

	char *memory;   /* owned; NULL: none yet */
	size_t size;    /* of the memory, without `marks`: a power of 2 */
	size_t charged; /* bytes */
	/* The offset of each 64th message, by number / 64 modulo their number; in the memory. */
	uint64_t *marks;

	struct ring_place head; /* the oldest message, or `tail` */
	struct ring_place kept; /* the oldest kept message, or `tail` */
	struct ring_place tail; /* where the next message goes */
	/* No reader stands before this place; or it is before `head`, and says nothing. */
	struct ring_place unawaited;
	struct ring_place last; /* in an adopted ring: the last message, if it lacks its bytes */
	uint64_t bytes;         /* of the messages in the ring, as they were written */
	uint64_t bytes_kept;    /* of the kept ones */
	uint32_t n_readers;
	uint32_t n_at_tail; /* readers that have read all */
};

/* Sets up an empty ring that keeps nothing. */
void ring_init(struct ring *ring, const struct ring_owner *owner, size_t capacity);
/* Frees the memory. There must be no readers. */
void ring_fini(struct ring *ring);

/*
 * Adds a reader, which begins with the last `n_back` kept messages, or all if there are fewer. With
 * `record`, which is borrowed, it outlives the daemon.
 */
void ring_join(struct ring *ring, struct ring_reader *reader, struct ring_reader_record *record,
	       uint64_t n_back);
void ring_leave(struct ring *ring, struct ring_reader *reader);

/* Returns 0 if a message of this size can ever have room, else -EMSGSIZE. */
int ring_check_size(const struct ring *ring, size_t size);
/* Whether ring_make_room() would find room now, without force. */
bool ring_has_room(struct ring *ring, size_t size);

/*
 * Makes room for a message. Drops messages that are only kept, and with `is_forced` also those that
 * readers have not read yet; oldest first. Fails with -EMSGSIZE if the message is longer than the
 * capacity allows, with -EAGAIN if a reader must read first, or with -ENOBUFS or -ENOMEM if there
 * is no memory for it even in an empty ring.
 */
int ring_make_room(struct ring *ring, size_t size, bool is_forced);

/*
 * Appends a message of at least one byte, for which there must be room, but does not store its
 * bytes yet: readers can be given them directly, and then be advanced. ring_fill() must follow,
 * before any other message.
 */
void ring_append(struct ring *ring, size_t size);
/* Stores the bytes of the last message, if a reader still needs them or they are kept. */
void ring_fill(struct ring *ring, const struct iovec *iov, int n_iov);
/* Counts a message that nobody needs: there are no readers, and nothing is kept. */
void ring_pass(struct ring *ring);

/* How many messages the reader has still to read; those it has missed don't count. */
uint64_t ring_behind(const struct ring *ring, const struct ring_reader *reader);
/* How many messages the reader has missed until now. */
uint64_t ring_missed(const struct ring *ring, const struct ring_reader *reader);

/*
 * Finds the reader's next message, which stays where it is until ring_advance() or a call that
 * drops messages. Returns its size and sets *ret_iov (RING_PIECES) and *ret_n, or fails with
 * -EAGAIN if the reader has read all.
 */
ssize_t ring_next(struct ring *ring, struct ring_reader *reader, struct iovec *ret_iov, int *ret_n);
/* Takes the reader's next message, which must exist. */
void ring_advance(struct ring *ring, struct ring_reader *reader);

/* Changes the capacity, which must be enough for what is in the ring: ring_used(). */
void ring_set_capacity(struct ring *ring, size_t capacity);
/* Changes what is kept. Does not bring back what is no longer there. */
void ring_set_keep(struct ring *ring, const struct ring_keep *keep);
/* Drops all messages, and frees the memory. */
void ring_empty(struct ring *ring);

/*
 * For the next daemon, after ring_init() and with ring::keep set: takes over what the record tells
 * of. *ret_longest is the size of the longest message. Fails with -EPROTO if the record or what is
 * in the memory can't be right, or with -ENOMEM; there is nothing to free then.
 */
int ring_adopt(struct ring *ring, size_t *ret_longest);
/* Ends the charge for a ring that was adopted, and is not needed after all. */
void ring_abandon(struct ring *ring);
/* Takes over a reader of such a ring, in place of ring_join(). Fails with -EPROTO. */
int ring_rejoin(struct ring *ring, struct ring_reader *reader, struct ring_reader_record *record);
/*
 * Whether the last message lacks its bytes, because the daemon was killed before ring_fill(). No
 * reader is given it. Some readers may have it already.
 */
static inline bool ring_is_unfinished(const struct ring *ring)
{
	return ring->record->whole != ring->tail.number;
}
/* Whether this message may be the unfinished one: then ring_append() is not to be repeated. */
bool ring_is_last(const struct ring *ring, size_t size);
/*
 * Takes the unfinished message back: it will never be whole. ring_step_back() has to be called for
 * each reader after that: those that have the message already wait for the next one.
 */
void ring_take_back(struct ring *ring);
void ring_step_back(struct ring *ring, struct ring_reader *reader);

/* Returns where the last `n_back` kept messages begin, or all if there are fewer. */
struct ring_place ring_kept(const struct ring *ring, uint64_t n_back);
/* Finds the message at *place, as ring_next() does, and moves *place on to the one after it. */
ssize_t ring_at(const struct ring *ring, struct ring_place *place, struct iovec *ret_iov,
		int *ret_n);

/* Whether a message would be read or kept at all. If not, ring_pass() is for it. */
static inline bool ring_is_needed(const struct ring *ring)
{
	return ring->n_readers || ring->keep.messages;
}

/* How much of the capacity is in use, bytes. */
static inline uint64_t ring_used(const struct ring *ring)
{
	return ring->tail.offset - ring->head.offset;
}

/* How many messages are in the ring, and how many of them are kept. */
static inline uint64_t ring_messages(const struct ring *ring)
{
	return ring->tail.number - ring->head.number;
}

static inline uint64_t ring_n_kept(const struct ring *ring)
{
	return ring->tail.number - ring->kept.number;
}

#endif
