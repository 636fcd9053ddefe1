// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * There is always a place for the next request: before the last place in the current buffer is
 * given away, the next buffer exists. Otherwise no request could be served any more, not even the
 * read that would make room.
 */
#include "lib/host/buffer.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "lib/base/cleanup.h"
#include "lib/host/host.h"

/*
 * What comes before the bytes of a WRITE: struct fuse_in_header and struct fuse_write_in
 * (linux/fuse.h).
 */
#define HEAD ((size_t)80)
/*
 * What a request may need: a page for the head, the data, and a page for the rest of the longest
 * request.
 */
#define ROOM ((size_t)HOST_IO_MAX + 2 * HOST_PAGE)

/* Maps enough address space to hold an aligned buffer, and gives the rest back. */
char *buffer_map(void)
{
	const size_t size = 2 * BUFFER_SIZE;
	char *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;

	if (start == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)start % BUFFER_SIZE;
	if (before)
		munmap(start, before);
	munmap(start + before + BUFFER_SIZE, size - before - BUFFER_SIZE);
	/* Without huge pages the buffer works too, but more slowly. */
	madvise(start + before, BUFFER_SIZE, MADV_HUGEPAGE);
	/*
	 * Without this, a forked process would have other users' data in its memory, and we would
	 * have to copy the pages before the next request could be read.
	 */
	madvise(start + before, BUFFER_SIZE, MADV_DONTFORK);
	return start + before;
}

/*
 * Has all pages of a buffer of the state in this process. If a daemon is killed while the kernel
 * copies a request into a page that is not there, the kernel can't get the page any more; it then
 * ends the request with EIO (linux/fs/fuse/dev.c, fuse_dev_do_read) instead of keeping it for the
 * next daemon. A page that the system has swapped out is not there either, so they are locked, if
 * the daemon may.
 */
static void hold_pages(char *memory)
{
	mlock(memory, BUFFER_SIZE);
	madvise(memory, BUFFER_SIZE, MADV_POPULATE_WRITE);
}

static bool is_own(const struct buffers *buffers)
{
	return state_fd(buffers->state) < 0;
}

static char *memory_new(const struct buffers *buffers)
{
	char *memory = is_own(buffers) ? buffer_map() : state_alloc(buffers->state, BUFFER_SIZE);

	if (!memory || is_own(buffers))
		return memory;
	madvise(memory, BUFFER_SIZE, MADV_DONTFORK);
	hold_pages(memory);
	return memory;
}

static void memory_free(const struct buffers *buffers, char *memory)
{
	if (is_own(buffers)) {
		munmap(memory, BUFFER_SIZE);
		return;
	}
	munlock(memory, BUFFER_SIZE);
	madvise(memory, BUFFER_SIZE, MADV_DOFORK);
	state_release(buffers->state, memory, BUFFER_SIZE);
}

uint64_t buffers_place(const struct buffers *buffers, const char *data)
{
	return is_own(buffers) ? (uintptr_t)data : state_offset(buffers->state, data);
}

char *buffers_data(const struct buffers *buffers, uint64_t place)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr) */
	return is_own(buffers) ? (char *)(uintptr_t)place : state_block(buffers->state, place, 1);
}

struct buffer *buffers_find(struct buffers *buffers, uint64_t place)
{
	struct buffer *buffer;

	HASH_FIND(hh, buffers->all, &place, sizeof(place), buffer);
	return buffer;
}

/* Adds a buffer with this memory. Returns NULL without memory for that. */
static struct buffer *buffers_add(struct buffers *buffers, char *memory)
{
	struct buffer *buffer = calloc(1, sizeof(*buffer));

	if (!buffer)
		return NULL;
	buffer->buffers = buffers;
	buffer->memory = memory;
	buffer->place = buffers_place(buffers, memory);
	HASH_ADD(hh, buffers->all, place, sizeof(buffer->place), buffer);
	if (buffer->hh.tbl)
		return buffer;
	free(buffer);
	return NULL;
}

static struct buffer *buffer_new(struct buffers *buffers)
{
	char *memory = memory_new(buffers);
	struct buffer *buffer = memory ? buffers_add(buffers, memory) : NULL;

	if (memory && !buffer)
		memory_free(buffers, memory);
	return buffer;
}

static void buffer_free(struct buffer *buffer)
{
	struct buffers *buffers = buffer->buffers;

	assert(buffer->n_kept == 0);
	HASH_DEL(buffers->all, buffer);
	memory_free(buffers, buffer->memory);
	free(buffer);
}

static void add_spare(struct buffers *buffers, struct buffer *buffer)
{
	buffer->next = buffers->spares;
	buffers->spares = buffer;
	buffers->n_spares++;
}

static struct buffer *take_spare(struct buffers *buffers)
{
	struct buffer *buffer = buffers->spares;

	assert(buffer);
	buffers->spares = TAKE_PTR(buffer->next);
	buffers->n_spares--;
	return buffer;
}

void buffers_init(struct buffers *buffers, struct user_table *users, struct state *state,
		  uint64_t *noted)
{
	*buffers = (struct buffers){.users = users, .state = state, .noted = noted};
}

/* A buffer is noted before the former one can be freed. */
static void set_current(struct buffers *buffers, struct buffer *buffer)
{
	buffers->current = buffer;
	if (!is_own(buffers))
		*buffers->noted = buffer->place;
}

void buffers_fini(struct buffers *buffers)
{
	while (buffers->spares)
		buffer_free(take_spare(buffers));
	if (buffers->current)
		buffer_free(TAKE_PTR(buffers->current));
}

/* The place for a request behind `end`: from the next page on. */
static size_t place_behind(size_t end)
{
	return (end + HOST_PAGE - 1) / HOST_PAGE * HOST_PAGE;
}

static bool is_place(size_t place)
{
	return place + ROOM <= BUFFER_SIZE;
}

char *buffers_next(struct buffers *buffers)
{
	/*
	 * Nothing is kept, so start over: the place that was used last is still in the processor's
	 * cache.
	 */
	if (buffers->current->n_kept == 0)
		buffers->end = 0;
	if (!is_place(place_behind(buffers->end))) {
		set_current(buffers, take_spare(buffers));
		buffers->end = 0;
	}
	return buffers->current->memory + place_behind(buffers->end) + HOST_PAGE - HEAD;
}

/* Makes sure that there is a place behind `end`, in this buffer or the next. */
static bool has_next(struct buffers *buffers, size_t end)
{
	struct buffer *next;

	if (is_place(place_behind(end)) || buffers->spares)
		return true;
	next = buffer_new(buffers);
	if (next)
		add_spare(buffers, next);
	return next;
}

int buffers_begin(struct buffers *buffers)
{
	struct buffer *buffer = buffers->current ? buffers->current : buffer_new(buffers);

	if (!buffer)
		return -ENOMEM;
	set_current(buffers, buffer);
	return has_next(buffers, buffers->end) ? 0 : -ENOMEM;
}

static struct buffer_user *find_user(struct buffer *buffer, uid_t uid)
{
	struct buffer_user *unused = NULL;

	for (int i = 0; i < BUFFER_USERS; i++) {
		struct buffer_user *user = &buffer->users[i];

		if (user->n && user->uid == uid)
			return user;
		if (!user->n && !unused)
			unused = user;
	}
	if (unused)
		unused->uid = uid;
	return unused;
}

static bool charge(struct user_table *users, uid_t uid)
{
	size_t half = users->limits[USER_STORED] / 2;

	return user_charged(users, uid, USER_STORED) + BUFFER_SIZE <= half &&
	       user_charge(users, uid, USER_STORED, BUFFER_SIZE) == 0;
}

bool buffer_keep(struct buffer *buffer, const char *data, size_t size, uid_t uid)
{
	struct buffers *buffers = buffer->buffers;
	size_t begin = (uintptr_t)data - (uintptr_t)buffer->memory;
	size_t end = begin + size;
	struct buffer_user *user;

	if (size < BUFFER_KEEP_LEAST || begin >= BUFFER_SIZE || size > BUFFER_SIZE - begin)
		return false;
	if (buffer == buffers->current && !has_next(buffers, end))
		return false;
	user = find_user(buffer, uid);
	if (!user || (!user->n && !charge(buffers->users, uid)))
		return false;
	user->n++;
	buffer->n_kept++;
	if (buffer == buffers->current && buffers->end < end)
		buffers->end = end;
	return true;
}

void buffer_release(struct buffer *buffer, uid_t uid)
{
	struct buffers *buffers = buffer->buffers;
	struct buffer_user *user = find_user(buffer, uid);

	assert(user && user->n && buffer->n_kept);
	if (--user->n == 0)
		user_uncharge(buffers->users, uid, USER_STORED, BUFFER_SIZE);
	if (--buffer->n_kept > 0 || buffer == buffers->current)
		return;
	if (buffers->n_spares < BUFFERS_SPARE)
		add_spare(buffers, buffer);
	else
		buffer_free(buffer);
}

/* Takes over the buffer that has this place, unless that is done. */
static struct buffer *claim(struct buffers *buffers, uint64_t place)
{
	struct buffer *buffer = buffers_find(buffers, place);
	char *memory;

	if (buffer || is_own(buffers))
		return buffer;
	memory = state_claim(buffers->state, place, BUFFER_SIZE);
	buffer = memory ? buffers_add(buffers, memory) : NULL;
	if (buffer)
		madvise(memory, BUFFER_SIZE, MADV_DONTFORK);
	return buffer;
}

void buffers_claim(struct buffers *buffers)
{
	if (!is_own(buffers) && *buffers->noted)
		buffers->current = claim(buffers, *buffers->noted);
}

void buffers_hold(const struct buffers *buffers)
{
	if (!is_own(buffers))
		for (const struct buffer *buffer = buffers->all; buffer; buffer = buffer->hh.next)
			hold_pages(buffer->memory);
}

struct buffer *buffers_adopt(struct buffers *buffers, uint64_t memory, uint64_t place, size_t size,
			     uid_t uid)
{
	size_t end = place - memory + size;
	struct buffer *buffer;
	struct buffer_user *user;

	if (place < memory || size > BUFFER_SIZE || place - memory > BUFFER_SIZE - size)
		return NULL;
	buffer = claim(buffers, memory);
	user = buffer ? find_user(buffer, uid) : NULL;
	if (user && (user->n || user_charge(buffers->users, uid, USER_STORED, BUFFER_SIZE) == 0)) {
		user->n++;
		buffer->n_kept++;
		if (buffer == buffers->current && buffers->end < end)
			buffers->end = end;
		return buffer;
	}
	if (buffer && buffer->n_kept == 0 && buffer != buffers->current)
		buffer_free(buffer);
	return NULL;
}
