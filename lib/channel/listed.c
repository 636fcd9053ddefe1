// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A stranger decides how many names there are. So a job gets room for some of the names, charged to
 * the user who lists the directory (USER_BYTES), and stops when the room is full. A listing that
 * can continue from where it stopped does so in another job: if a signal ends the listing and
 * leaves a thread behind, that thread never has more than one piece. A listing that must be asked
 * for as a whole starts again with more room.
 *
 * Between the jobs, what the listing has found belongs to the request (waiter::memory), and so does
 * the charge for it.
 */
#include "lib/channel/listed.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"

/*
 * The room that the first job gets, bytes. If a listing can continue, its pieces are never larger.
 */
#define ROOM_FIRST 65536

struct name {
	ino_t ino;
	mode_t mode;
	char text[]; /* with its NUL; the next name follows directly */
};

/* A listing under way. */
struct progress {
	struct host *host;
	uid_t uid;
	size_t charged;
	size_t room;
	off_t next;
	char *names;
	size_t size, allocated;
};

int listed_use(struct listed *listed, size_t size)
{
	if (size > listed->room)
		return -E2BIG;
	listed->room -= size;
	return 0;
}

int listed_add(struct listed *listed, const char *name, ino_t ino, mode_t mode)
{
	const struct name head = {.ino = ino, .mode = mode};
	size_t length = strlen(name) + 1, size = offsetof(struct name, text) + length;
	char *end;

	if (!listed->names) {
		listed->names = malloc(listed->room);
		if (!listed->names)
			return -ENOMEM;
	}
	if (listed_use(listed, size) < 0)
		return -E2BIG;
	end = mempcpy(listed->names + listed->size, &head, offsetof(struct name, text));
	memcpy(end, name, length);
	listed->size += size;
	return 0;
}

int listed_end(struct listed *listed, int result)
{
	if (result < 0)
		free(TAKE_PTR(listed->names));
	return result;
}

void listed_drop(struct host *host, struct caller *caller, void *data)
{
	free(((struct listed *)data)->names);
}

static struct progress *progress_new(struct host *host, uid_t uid)
{
	struct progress *progress = calloc(1, sizeof(*progress));

	if (progress)
		*progress = (struct progress){.host = host, .uid = uid, .room = ROOM_FIRST};
	return progress;
}

static void progress_free(void *memory)
{
	struct progress *progress = memory;

	user_uncharge(&progress->host->users, progress->uid, USER_BYTES, progress->charged);
	free(progress->names);
	free(progress);
}

static int progress_charge(struct progress *progress, size_t size)
{
	int r = 0;

	if (size > progress->charged)
		r = user_charge(&progress->host->users, progress->uid, USER_BYTES,
				size - progress->charged);
	if (r == 0 && size > progress->charged)
		progress->charged = size;
	return r;
}

/*
 * Makes room for `size` more bytes. Doubles the memory, so that thousands of pieces are not all
 * copied again for each new piece.
 */
static int progress_grow(struct progress *progress, size_t size)
{
	size_t allocated = progress->allocated ? progress->allocated : ROOM_FIRST;
	char *grown;
	int r;

	while (allocated < progress->size + size)
		allocated *= 2;
	if (allocated == progress->allocated)
		return 0;
	r = progress_charge(progress, allocated + progress->room);
	if (r < 0)
		return r;
	grown = realloc(progress->names, allocated);
	if (!grown)
		return -ENOMEM;
	progress->names = grown;
	progress->allocated = allocated;
	return 0;
}

/* Takes what the piece has found. */
static int progress_add(struct progress *progress, struct listed *piece)
{
	CLEANUP_FREE char *names = TAKE_PTR(piece->names);
	int r;

	progress->next = piece->next;
	if (piece->size == 0)
		return 0;
	r = progress_grow(progress, piece->size);
	if (r < 0)
		return r;
	memcpy(progress->names + progress->size, names, piece->size);
	progress->size += piece->size;
	return 0;
}

/* Runs the job until there are no more names, and then returns 0. */
static int progress_run(struct progress *progress, struct caller *caller,
			const struct job_call *call)
{
	struct listed *piece = call->data;
	int r;

	do {
		r = progress_charge(progress, progress->allocated + progress->room);
		if (r < 0)
			return r;
		piece->room = progress->room;
		piece->next = progress->next;
		piece->names = NULL;
		piece->size = 0;
		r = job_run(progress->host, caller, call);
		if (r == -E2BIG)
			progress->room *= 4;
		else if (r == 0)
			r = progress_add(progress, piece);
	} while (r == -E2BIG || (r == 0 && progress->next));
	return r;
}

static void progress_tell(const struct progress *progress, const struct listed_reader *reader)
{
	const char *next = progress->names, *end = next + progress->size;

	while (next < end) {
		const char *text = next + offsetof(struct name, text);
		struct name head;

		memcpy(&head, next, offsetof(struct name, text));
		if (!reader->entry(reader->data, text, head.ino, head.mode))
			break;
		next = text + strlen(text) + 1;
	}
}

int listed_run(struct host *host, struct caller *caller, const struct job_call *call,
	       const struct listed_reader *reader)
{
	struct waiter *waiter = caller->waiter;
	struct progress *progress = waiter ? TAKE_PTR(waiter->memory) : NULL;
	int r;

	if (!progress)
		progress = progress_new(host, caller->uid);
	if (!progress)
		return -ENOMEM;
	r = progress_run(progress, caller, call);
	if (r == -EINPROGRESS) {
		waiter->memory = progress;
		waiter->forget = progress_free;
		return r;
	}
	if (r == 0)
		progress_tell(progress, reader);
	progress_free(progress);
	return r;
}
