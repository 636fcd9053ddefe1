// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The directory of a server: accept, connect and address. Each lookup of the first two gives a
 * connection of its own.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/cleanup.h"
#include "lib/base/quote.h"
#include "lib/channel/text.h"
#include "lib/kinds/socket/server.h"

struct server_directory {
	struct space space;
	struct server *server; /* a reference to its channel */
};

static const char *const names[] = {"accept", "connect", "address"};
enum { ACCEPT, CONNECT, ADDRESS, N_NAMES };

static const struct space_ops server_directory_ops;

static struct server_directory *server_directory_from(struct space *space)
{
	assert(space->ops == &server_directory_ops);
	return CONTAINER_OF(space, struct server_directory, space);
}

static void server_directory_destroy(struct space *space)
{
	struct server_directory *directory = server_directory_from(space);

	directory->server->directory = NULL;
	channel_unref(&directory->server->kept.channel);
	free(directory);
}

static void server_directory_stat(const struct space *space, struct stat *attr)
{
	attributes_stat(
		CONTAINER_OF(space, const struct server_directory, space)->server->kept.attributes,
		attr);
	if (!CONTAINER_OF(space, const struct server_directory, space)->server->kept.name)
		attr->st_nlink = 0;
}

static int server_directory_change(struct space *space, const struct stat *attr, unsigned changes,
				   struct caller *caller)
{
	return channel_change(&server_directory_from(space)->server->kept.channel, NULL, attr,
			      changes, caller);
}

/* For accept and connect a stand-in: stat(2) shows the number of a connection. */
static ino_t name_ino(const struct server *server, size_t i)
{
	const struct kept *kept = &server->kept;

	if (i == ADDRESS)
		return space_part_ino(kept->channel.space, kept->attributes->ino, INO_ADDRESS);
	return space_address_ino(names[i]);
}

static int server_directory_list(struct space *space, struct caller *caller, space_entry_fn *entry,
				 void *data)
{
	for (size_t i = 0; i < N_NAMES; i++)
		if (!entry(data, names[i], name_ino(server_directory_from(space)->server, i),
			   S_IFREG))
			break;
	return 0;
}

/* The text `address`. */

static int address_print(void *data, struct caller *reader, FILE *out)
{
	struct server *server = data;
	CLEANUP_FREE char *address = quote_text(server->listener.address);

	if (!address)
		return -ENOMEM;
	fprintf(out, "%s\n", address);
	return 0;
}

static void address_release(void *data)
{
	struct server *server = data;

	channel_unref(&server->kept.channel);
}

static const struct text_ops address_ops = {
	.print = address_print, .release = address_release, .has_size = true};

static int make_end(struct server *server, const char *name, bool is_client,
		    struct channel **ret_channel)
{
	struct connections *list = connections_from(server->kept.channel.space->shown);
	const struct attributes *own = server->kept.attributes;
	char label[2 * NAME_MAX], address[LISTENER_ADDRESS_MAX];
	struct connection *connection;
	struct dial_target target;
	int r = is_client ? listener_target(&server->listener, address, &target) : 0;

	snprintf(label, sizeof(label), "%s:%s", server->kept.name ? server->kept.name : "", name);
	if (r == 0)
		r = connection_new(&server_connection_ops, list, label, is_client ? &target : NULL,
				   &connection);
	if (r < 0)
		return r;
	connection->origin = channel_ref(&server->kept.channel);
	connection->own.uid = own->uid;
	connection->own.gid = own->gid;
	connection->own.atime = own->atime;
	connection->own.mtime = own->mtime;
	connection->own.ctime = own->ctime;
	/* Accepting is serving, which is for the server's owner; its mode says who may connect. */
	connection->own.mode = S_IFREG | (is_client ? own->mode & 0666 : 0600);
	*ret_channel = &connection->channel;
	return 0;
}

static int server_directory_lookup(struct space *space, const char *name, struct caller *caller,
				   struct entry *ret_entry)
{
	struct server *server = server_directory_from(space)->server;
	int r;

	if (strcmp(name, names[ADDRESS]) == 0) {
		channel_ref(&server->kept.channel);
		r = text_new(space, name, &address_ops, server, &ret_entry->channel);
		if (r == 0)
			text_set_ino(ret_entry->channel, name_ino(server, ADDRESS));
		return r;
	}
	if (strcmp(name, names[ACCEPT]) != 0 && strcmp(name, names[CONNECT]) != 0)
		return -ENOENT;
	return make_end(server, name, strcmp(name, names[CONNECT]) == 0, &ret_entry->channel);
}

static const struct space_ops server_directory_ops = {
	.destroy = server_directory_destroy,
	.list = server_directory_list,
	.lookup = server_directory_lookup,
	.stat = server_directory_stat,
	.change = server_directory_change,
};

int server_directory_get(struct server *server, struct space **ret_space)
{
	struct server_directory *directory = server->directory;

	if (directory) {
		*ret_space = space_ref(&directory->space);
		return 0;
	}
	directory = calloc(1, sizeof(*directory));
	if (!directory)
		return -ENOMEM;
	space_init(&directory->space, &server_directory_ops, server->kept.channel.space->host, "");
	directory->space.home = NAMESPACE_NET;
	directory->space.ino = space_ino(server->kept.channel.space, server->kept.attributes->ino);
	directory->server = server;
	channel_ref(&server->kept.channel);
	server->directory = directory;
	*ret_space = &directory->space;
	return 0;
}
