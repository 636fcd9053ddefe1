// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Open connections, by number for info/, and by socket (host::connected) to find out whether the
 * other end of a connection is in this mount too.
 */
#include "lib/kinds/socket/connections.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/cleanup.h"

static const struct space_ops connections_ops;

struct connections *connections_from(struct space *space)
{
	assert(space->ops == &connections_ops);
	return CONTAINER_OF(space, struct connections, space);
}

static void connections_destroy(struct space *space)
{
	space_unref(connections_from(space)->others);
	free(connections_from(space));
}

static int connections_list(struct space *space, struct caller *caller, space_entry_fn *entry,
			    void *data)
{
	struct connections *list = connections_from(space);
	struct connection *connection, *next;

	HASH_ITER(hh, list->open, connection, next) {
		CLEANUP_FREE char *name = NULL;

		if (asprintf(&name, "%s#%u", connection->label, connection->number) < 0) {
			name = NULL;
			return -ENOMEM;
		}
		if (!entry(data, name, connection->attributes->ino, S_IFREG))
			return 0;
	}
	return list->others ? space_list(list->others, caller, entry, data) : 0;
}

/* Finds exactly LABEL#NUMBER, or NULL: one of `others` may have nearly the same name. */
static struct connection *connections_find(struct connections *list, const char *name)
{
	const char *mark = strrchr(name, '#');
	unsigned number = mark ? (unsigned)strtoul(mark + 1, NULL, 10) : 0;
	CLEANUP_FREE char *exact = NULL;
	struct connection *connection;

	HASH_FIND(hh, list->open, &number, sizeof(number), connection);
	if (connection && asprintf(&exact, "%s#%u", connection->label, number) < 0)
		exact = NULL;
	return exact && strcmp(exact, name) == 0 ? connection : NULL;
}

static int connections_lookup(struct space *space, const char *name, struct caller *caller,
			      struct entry *ret_entry)
{
	struct connections *list = connections_from(space);
	struct connection *connection = connections_find(list, name);

	if (!connection)
		return list->others ? space_find(list->others, name, caller, ret_entry) : -ENOENT;
	ret_entry->channel = channel_ref(&connection->channel);
	return 0;
}

static const struct space_ops connections_ops = {
	.destroy = connections_destroy,
	.list = connections_list,
	.lookup = connections_lookup,
};

int connections_new(struct host *host, const struct kind *kind, struct space *others,
		    struct connections **ret_list)
{
	struct connections *list = calloc(1, sizeof(*list));

	if (!list) {
		space_unref(others);
		return -ENOMEM;
	}
	space_init(&list->space, &connections_ops, host, kind->path);
	list->space.kind = kind;
	list->space.ino_unit = INO_OWN;
	list->space.ino_bits = INO_UNIT_BITS;
	list->others = others;
	*ret_list = list;
	return 0;
}

/* A number that no connection has. 0 stands for none, and the count wraps in time. */
static unsigned next_number(struct connections *list)
{
	struct connection *other;

	do {
		list->last_number++;
		HASH_FIND(hh, list->open, &list->last_number, sizeof(list->last_number), other);
	} while (!list->last_number || other);
	return list->last_number;
}

/* Shows a connection under its number, which no other has. */
static int add_numbered(struct connection *connection)
{
	struct connections *list = connection->list;

	HASH_ADD(hh, list->open, number, sizeof(connection->number), connection);
	if (connection->hh.tbl)
		return 0;
	connection->number = 0;
	return -ENOMEM;
}

int connections_add(struct connection *connection)
{
	connection->number = next_number(connection->list);
	return add_numbered(connection);
}

int connections_adopt(struct connection *connection, unsigned number)
{
	struct connections *list = connection->list;
	struct connection *other;

	HASH_FIND(hh, list->open, &number, sizeof(number), other);
	if (!number || other)
		return -EPROTO;
	if (list->last_number < number)
		list->last_number = number;
	connection->number = number;
	return add_numbered(connection);
}

static void forget_socket(struct connection *connection)
{
	if (!connection->by_socket.tbl)
		return;
	HASH_DELETE(by_socket, connection->list->space.host->connected, connection);
	connection->by_socket.tbl = NULL;
}

void connections_remove(struct connection *connection)
{
	if (!connection->number)
		return;
	forget_socket(connection);
	HASH_DEL(connection->list->open, connection);
	connection->number = 0;
}

/* Without memory for the entry, connections_at_socket() won't find it. */
void connections_note_socket(struct connection *connection)
{
	struct host *host = connection->list->space.host;
	struct stat attr;

	forget_socket(connection);
	connection->peer = 0;
	if (connection_fd(connection) < 0 || fstat(connection_fd(connection), &attr) < 0)
		return;
	connection->socket = attr.st_ino;
	HASH_ADD(by_socket, host->connected, socket, sizeof(connection->socket), connection);
}

struct connection *connections_at_socket(struct host *host, ino_t socket)
{
	struct connection *connection;

	HASH_FIND(by_socket, host->connected, &socket, sizeof(socket), connection);
	return connection;
}
