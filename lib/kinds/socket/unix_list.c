// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/kinds/socket/unix_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/host/job.h"
#include "lib/kinds/socket/unix_look.h"

static void list_forget(void *memory)
{
	unix_list_free(memory);
}

void unix_list_free(struct unix_list *list)
{
	if (!list)
		return;
	user_uncharge(&list->host->users, list->uid, USER_BYTES, list->room);
	free(list->entries);
	free(list);
}

static struct unix_list *list_new(struct host *host, const struct caller *caller)
{
	struct unix_list *list = calloc(1, sizeof(*list));

	if (list)
		*list = (struct unix_list){.host = host, .uid = caller->uid};
	return list;
}

static int list_grow(struct unix_list *list, size_t size)
{
	size_t more = list->room + size;
	char *grown;
	int r;

	if (list->room - list->size >= size)
		return 0;
	r = user_charge(&list->host->users, list->uid, USER_BYTES, more);
	if (r < 0)
		return r;
	grown = realloc(list->entries, list->room + more);
	if (!grown) {
		user_uncharge(&list->host->users, list->uid, USER_BYTES, more);
		return -ENOMEM;
	}
	list->entries = grown;
	list->room += more;
	return 0;
}

/* Gets the next piece: 1 if there is another, 0 if not. */
static int list_piece(struct unix_list *list, struct caller *caller, const char *path)
{
	CLEANUP_FREE struct unix_piece *piece = calloc(1, sizeof(*piece));
	int r;

	if (!piece)
		return -ENOMEM;
	strcpy(piece->path, path);
	piece->offset = list->offset;
	r = job_run(list->host, caller,
		    &(struct job_call){.place = JOB_THREAD,
				       .act = unix_list_act,
				       .data = piece,
				       .size = sizeof(*piece)});
	if (r == 0)
		r = list_grow(list, piece->size);
	if (r < 0)
		return r;
	memcpy(list->entries + list->size, piece->entries, piece->size);
	list->size += piece->size;
	list->offset = piece->offset;
	return !piece->is_last;
}

int unix_list_get(struct host *host, struct caller *caller, const char *path,
		  struct unix_list **ret_list)
{
	struct waiter *waiter = caller->waiter;
	struct unix_list *list =
		waiter && waiter->memory ? TAKE_PTR(waiter->memory) : list_new(host, caller);
	int r;

	if (!list)
		return -ENOMEM;
	do
		r = list_piece(list, caller, path);
	while (r > 0);
	if (r == 0) {
		*ret_list = list;
	} else if (r == -EINPROGRESS) {
		waiter->memory = list;
		waiter->forget = list_forget;
	} else {
		unix_list_free(list);
	}
	return r;
}

bool unix_list_next(const struct unix_list *list, size_t *position, struct unix_listed *ret_listed)
{
	struct unix_entry entry;
	const char *at = list->entries + *position;

	if (*position >= list->size)
		return false;
	memcpy(&entry, at, sizeof(entry));
	*ret_listed = (struct unix_listed){
		.ino = entry.ino, .mode = entry.mode, .name = at + sizeof(entry)};
	*position += sizeof(entry) + strlen(ret_listed->name) + 1;
	return true;
}
