// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pieces grow with the number of bytes that wait, so that a full store has few pieces. A store
 * whose user can't be charged any more still holds BYTES_LEAST.
 */
#include "lib/kinds/pipe/store.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"

#define CAPACITY_DEFAULT ((size_t)1 << 20)
#define BYTES_LEAST      ((size_t)8192) /* PIPE_MIN_DEF_BUFFERS, linux/fs/pipe.c */
/* The memory of pieces for copied bytes. */
#define MEMORY_FIRST ((size_t)4096)  /* of the first piece */
#define MEMORY_MOST  ((size_t)65536) /* of the largest piece */
#define MEMORY_LEFT  ((size_t)16384) /* of the largest piece that stays when it is empty */

struct store_piece {
	struct store_piece *prev, *next; /* store::pieces */
	struct buffer *buffer;           /* where the bytes are; NULL: in `own` */
	char *data;                      /* the first waiting byte */
	size_t size;                     /* waiting bytes; 0 only if this is the only piece */
	size_t charged;                  /* memory of the piece, with `own` */
	size_t room;                     /* size of `own` */
	char own[];
};

void store_init(struct store *store, struct user_table *users, uid_t uid)
{
	*store = (struct store){.users = users, .uid = uid, .capacity = CAPACITY_DEFAULT};
}

static void remove_piece(struct store *store, struct store_piece *piece)
{
	DL_DELETE(store->pieces, piece);
	if (piece->buffer)
		buffer_release(piece->buffer, store->uid);
	user_uncharge(store->users, store->uid, USER_STORED, piece->charged);
	free(piece);
}

void store_empty(struct store *store)
{
	while (store->pieces)
		remove_piece(store, store->pieces);
	store->bytes = 0;
}

static ssize_t put_kept(struct store *store, const char *data, size_t size, struct buffer *buffer)
{
	struct store_piece *piece = malloc(sizeof(*piece));

	if (!piece) {
		buffer_release(buffer, store->uid);
		return -ENOMEM;
	}
	if (store->bytes == 0)
		store_empty(store);
	*piece = (struct store_piece){.buffer = buffer, .data = (char *)data, .size = size};
	DL_APPEND(store->pieces, piece);
	store->bytes += size;
	return (ssize_t)size;
}

/*
 * Returns how much memory a new piece gets: enough for `size` bytes, which fit into the store, and
 * for the waiting bytes to double, but at most MEMORY_MOST.
 */
static size_t choose_memory(const struct store *store, size_t size)
{
	size_t fits = store->capacity - store->bytes;
	size_t want = store->bytes < fits ? store->bytes : fits;
	size_t memory = MEMORY_FIRST;

	if (want < size)
		want = size;
	while (memory < want + sizeof(struct store_piece) && memory < MEMORY_MOST)
		memory *= 2;
	return memory;
}

/* Charges `memory` bytes, or fewer if the user has less left. Returns how many, which may be 0. */
static size_t charge_memory(struct store *store, size_t memory)
{
	while (user_charge(store->users, store->uid, USER_STORED, memory) < 0) {
		if (memory == MEMORY_FIRST)
			return 0;
		memory /= 2;
	}
	return memory;
}

/* Adds a piece for bytes that are copied. */
static int add_piece(struct store *store, size_t size)
{
	size_t charged = charge_memory(store, choose_memory(store, size));
	size_t memory = charged ? charged : MEMORY_FIRST;
	struct store_piece *piece;

	if (!charged && store->bytes >= BYTES_LEAST)
		return -EAGAIN;
	piece = malloc(memory);
	if (!piece) {
		user_uncharge(store->users, store->uid, USER_STORED, charged);
		return -ENOMEM;
	}
	*piece = (struct store_piece){.charged = charged, .room = memory - sizeof(*piece)};
	piece->data = piece->own;
	DL_APPEND(store->pieces, piece);
	return 0;
}

/* Returns the room in the last piece. */
static size_t room_left(const struct store *store)
{
	const struct store_piece *last = store->pieces ? store->pieces->prev : NULL;
	size_t room;

	if (!last || last->buffer)
		return 0;
	room = (size_t)(last->own + last->room - last->data) - last->size;
	/* Uncharged pieces fill the store up to BYTES_LEAST only, so there are few. */
	if (!last->charged && room + store->bytes > BYTES_LEAST)
		room = store->bytes < BYTES_LEAST ? BYTES_LEAST - store->bytes : 0;
	return room;
}

static ssize_t put_copy(struct store *store, const char *data, size_t size)
{
	struct store_piece *last;
	size_t room = room_left(store);
	int r;

	if (store->bytes == 0 && room < size) {
		store_empty(store);
		room = 0;
	}
	r = room ? 0 : add_piece(store, size);
	if (r < 0)
		return r;
	room = room_left(store);
	if (size > room)
		size = room;
	last = store->pieces->prev;
	memcpy(last->data + last->size, data, size);
	last->size += size;
	store->bytes += size;
	return (ssize_t)size;
}

ssize_t store_put(struct store *store, const char *data, size_t size, struct buffer *buffer)
{
	size_t done = 0;
	ssize_t n = 0;

	while (done < size) {
		size_t fits = store->bytes < store->capacity ? store->capacity - store->bytes : 0;

		if (fits > size - done)
			fits = size - done;
		if (fits == 0)
			n = -EAGAIN;
		else if (buffer && buffer_keep(buffer, data + done, fits, store->uid))
			n = put_kept(store, data + done, fits, buffer);
		else
			n = put_copy(store, data + done, fits);
		if (n < 0)
			break;
		done += (size_t)n;
	}
	return done ? (ssize_t)done : n;
}

size_t store_lend(const struct store *store, size_t size, struct pieces *pieces)
{
	const struct store_piece *piece;
	size_t lent = 0;

	pieces->n = 0;
	DL_FOREACH(store->pieces, piece) {
		size_t n = piece->size < size - lent ? piece->size : size - lent;

		if (n == 0 || pieces->n == CHANNEL_PIECES)
			break;
		pieces->iov[pieces->n++] = (struct iovec){piece->data, n};
		lent += n;
	}
	return lent;
}

void store_drop(struct store *store, size_t size)
{
	while (size) {
		struct store_piece *first = store->pieces;
		size_t n = first->size < size ? first->size : size;

		first->data += n;
		first->size -= n;
		store->bytes -= n;
		size -= n;
		if (first->size)
			break;
		/*
		 * The piece stays, so that small writes that are read straight away need no new
		 * memory.
		 */
		if (store->bytes == 0 && !first->buffer && first->charged <= MEMORY_LEFT)
			first->data = first->own;
		else
			remove_piece(store, first);
	}
}

ssize_t store_take(struct store *store, char *data, size_t size)
{
	struct pieces pieces;
	size_t done = 0;

	while (done < size && store->bytes) {
		size_t lent = store_lend(store, size - done, &pieces);

		for (int i = 0; i < pieces.n; i++) {
			memcpy(data + done, pieces.iov[i].iov_base, pieces.iov[i].iov_len);
			done += pieces.iov[i].iov_len;
		}
		store_drop(store, lent);
	}
	return done ? (ssize_t)done : -EAGAIN;
}

bool store_has_room(const struct store *store)
{
	if (store->bytes >= store->capacity)
		return false;
	return store->bytes < BYTES_LEAST || room_left(store) ||
	       user_has_room(store->users, store->uid, USER_STORED, MEMORY_FIRST);
}

int store_shrink(const struct store *store, size_t capacity)
{
	return store->bytes > capacity ? -EBUSY : 0;
}

/* Tries the capacity on a new pipe: the kernel has its own rules for what it refuses. */
static int try_pipe(size_t capacity)
{
	int fds[2];
	int r;

	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0)
		return errno == EMFILE ? -ENFILE : -errno;
	r = fcntl(fds[1], F_SETPIPE_SZ, (int)capacity) < 0 ? -errno : 0;
	close(fds[0]);
	close(fds[1]);
	return r;
}

size_t store_max(void)
{
	unsigned long most = CAPACITY_DEFAULT;
	FILE *file = fopen("/proc/sys/fs/pipe-max-size", "re");

	if (file && fscanf(file, "%lu", &most) != 1)
		most = CAPACITY_DEFAULT;
	if (file)
		fclose(file);
	return most;
}

int store_check(size_t capacity, struct caller *caller)
{
	if (caller_has(caller, CAP_SYS_RESOURCE))
		return try_pipe(capacity);
	return capacity <= store_max() ? 0 : -EPERM;
}

int store_peek(const struct store *store, FILE *out)
{
	const struct store_piece *piece;

	DL_FOREACH(store->pieces, piece) {
		fwrite(piece->data, 1, piece->size, out);
	}
	return 0;
}
