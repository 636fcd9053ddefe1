// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Abstract Unix sockets: opening sockets/abstract/NAME connects. `ls` lists the names at which a
 * socket can be reached, and asks the kernel each time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "lib/base/cleanup.h"
#include "lib/base/escape.h"
#include "lib/kinds/kinds.h"
#include "lib/kinds/socket/connections.h"
#include "lib/channel/listed.h"
#include "lib/host/sock_diag.h"

#define NAME_SIZE (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)
#define AUTOBOUND 5 /* hexadecimal digits of a name that the kernel has chosen (unix(7)) */

static void abstract_destroy(struct space *space)
{
	free(space);
}

/* Such a name is a client's own, where it gets answers: nobody would connect to it. */
static bool is_autobound(const char *name, size_t size)
{
	return size == AUTOBOUND && strspn(name, "0123456789abcdef") >= AUTOBOUND;
}

/* On a worker: the kernel goes through all sockets there are, however many a user has made. */

struct abstract_list {
	struct listed *listed;
	int error;
};

static bool list_name(void *data, const char *name, size_t size)
{
	struct abstract_list *list = data;
	CLEANUP_FREE char *copy = strndup(name, size);
	CLEANUP_FREE char *escaped = NULL;

	if (copy && is_autobound(copy, size))
		return true;
	escaped = escape_name(name, size);
	list->error = copy && escaped ? listed_add(list->listed, escaped,
						   space_address_ino(escaped), S_IFREG)
				      : -ENOMEM;
	return list->error == 0;
}

static int list_act(void *data)
{
	struct abstract_list list = {.listed = data};
	int r = sock_diag_abstract(list_name, &list);

	/* A kernel that can't tell who listens has nothing to list, which is not an error. */
	if (r == -ENOENT)
		return 0;
	return listed_end(list.listed, r < 0 ? r : list.error);
}

static int abstract_list(struct space *space, struct caller *caller, space_entry_fn *entry,
			 void *data)
{
	struct listed listed = {0};

	return listed_run(space->host, caller,
			  &(struct job_call){.place = JOB_WORKER,
					     .act = list_act,
					     .undo = listed_drop,
					     .data = &listed,
					     .size = sizeof(listed)},
			  &(struct listed_reader){entry, data});
}

/* A name to search for, with the NUL before it. */
struct abstract_search {
	char address[NAME_SIZE + 1];
	bool is_found;
	size_t size;
};

static bool search_name(void *data, const char *name, size_t size)
{
	struct abstract_search *search = data;

	search->is_found = size == search->size - 1 && memcmp(name, search->address + 1, size) == 0;
	return !search->is_found;
}

static int search_act(void *data)
{
	struct abstract_search *search = data;
	int r = sock_diag_abstract(search_name, search);

	/* A kernel without unix_diag can't tell who listens, but still connects. */
	if (r == -ENOENT)
		return 0;
	return r < 0 || search->is_found ? r : -ENOENT;
}

static int abstract_find(struct space *space, struct caller *caller, const char *name,
			 struct abstract_search *search)
{
	int r;

	memset(search, 0, sizeof(*search)); /* job_run() compares all of it */
	r = unescape_name(name, search->address + 1, NAME_SIZE, &search->size);
	search->size++;
	if (r < 0)
		return r;
	return job_run(space->host, caller,
		       &(struct job_call){.place = JOB_WORKER,
					  .act = search_act,
					  .data = search,
					  .size = sizeof(*search)});
}

static int abstract_lookup(struct space *space, const char *name, struct caller *caller,
			   struct entry *ret_entry)
{
	struct connections *list = connections_from(space->shown);
	struct abstract_search search = {0};
	struct connection *connection;
	int r = abstract_find(space, caller, name, &search);

	if (r < 0)
		return r;
	r = connection_new(&connection_ops, list, name,
			   &(struct dial_target){.connect = dial_unix,
						 .address = search.address,
						 .size = search.size},
			   &connection);
	if (r < 0)
		return r;
	ret_entry->channel = &connection->channel;
	return 0;
}

/* bash's <> tries to create a name that is missing: it gets the error of connect(2). */
static int abstract_create(struct space *space, const char *name, mode_t mode,
			   const struct settings *settings, struct caller *caller,
			   struct entry *ret_entry)
{
	return S_ISREG(mode) ? -ECONNREFUSED : -EPERM;
}

static const struct space_ops abstract_ops = {
	.destroy = abstract_destroy,
	.list = abstract_list,
	.lookup = abstract_lookup,
	.create = abstract_create,
};

static int abstract_space_open(struct space **ret_space, struct host *host)
{
	struct space *space = calloc(1, sizeof(*space));
	struct connections *list;
	int r = space ? connections_new(host, &abstract_kind, NULL, &list) : -ENOMEM;

	if (r < 0) {
		free(space);
		return r;
	}
	space_init(space, &abstract_ops, host, abstract_kind.path);
	space->kind = &abstract_kind;
	space->shown = &list->space;
	*ret_space = space;
	return 0;
}

const struct kind abstract_kind = {
	.path = "sockets/abstract",
	.home = NAMESPACE_NET,
	.channel = &connection_ops,
	.open = abstract_space_open,
};
