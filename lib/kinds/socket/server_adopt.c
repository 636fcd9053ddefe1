// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A server in the next daemon: it listens at the same socket, and has lost no client.
 *
 * Clients that nobody has accepted wait in the kernel. One that was accepted belongs to the server
 * until it is in the record of a connection. If the open was not answered it comes again, perhaps
 * to another connection: then the server takes the client back, and the next open gets it. At most
 * one client is in that state, because a client is accepted just before the answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lib/base/cleanup.h"
#include "lib/base/state.h"
#include "lib/channel/record.h"
#include "lib/kinds/socket/server.h"
#include "lib/kinds/socket/server_notes.h"

/* In object_record::words. */
enum {
	WORD_NOTES, /* the offset of the notes, written last; 0: the server is not complete */
	WORD_SIZE,  /* their size */
};
/* In object_record::fds. */
enum { FD_LISTENER, FD_PATH, FD_CLIENT };

static struct host *server_host(const struct server *server)
{
	return server->kept.channel.space->host;
}

static char *notes_path(struct server_notes *notes)
{
	return (char *)(notes->groups + notes->n_groups);
}

static size_t notes_size(const struct caller *remover, const char *path)
{
	return sizeof(struct server_notes) + caller_groups_size(remover) + strlen(path) + 1;
}

static ino_t fd_ino(int fd)
{
	struct stat attr;

	return fstat(fd, &attr) < 0 ? 0 : attr.st_ino;
}

static void fill(struct server_notes *notes, const struct server *server)
{
	const struct listener *listener = &server->listener;
	const struct caller *remover = &server->remover;

	*notes = (struct server_notes){
		.listener = fd_ino(listener->fd),
		.dev = listener->dev,
		.ino = listener->ino,
		.type = listener->type,
		.backlog = listener->backlog,
		.mode = listener->mode,
		.takes_rights = listener->takes_rights,
		.is_here = listener->is_here,
		.uid = remover->uid,
		.gid = remover->gid,
		.umask = remover->umask,
		.capabilities = remover->capabilities,
		.n_groups = (uint64_t)remover->n_groups,
	};
	strcpy(notes->address, listener->address);
	if (remover->n_groups)
		memcpy(notes->groups, remover->groups, caller_groups_size(remover));
	strcpy(notes_path(notes), listener->path);
}

int server_remember(struct server *server)
{
	struct object_record *record = server->kept.channel.record;
	struct state *state = server_host(server)->state;
	size_t size = notes_size(&server->remover, server->listener.path);

	server->notes = state_alloc(state, size);
	if (!server->notes)
		return -ENOMEM;
	fill(server->notes, server);
	record->words[WORD_SIZE] = size;
	record->fds[FD_LISTENER] = server->listener.fd;
	record->fds[FD_PATH] = server->listener.path_fd;
	STATE_ORDER();
	record->words[WORD_NOTES] = state_offset(state, server->notes);
	return 0;
}

void server_forget_sockets(struct server *server)
{
	struct object_record *record = server->kept.channel.record;
	int client = TAKE_FD(record->fds[FD_CLIENT]);

	record->fds[FD_LISTENER] = record->fds[FD_PATH] = -1;
	STATE_ORDER();
	if (client >= 0)
		host_close(server_host(server), server->remover.uid, client);
}

void server_forget(struct server *server)
{
	struct object_record *record = server->kept.channel.record;

	if (!server->notes)
		return;
	record->words[WORD_NOTES] = 0;
	STATE_ORDER();
	state_release(server_host(server)->state, TAKE_PTR(server->notes),
		      record->words[WORD_SIZE]);
}

/* Whether the notes are in order, of whom only the size is known. */
static bool are_valid(struct server_notes *notes, size_t size)
{
	size_t path;

	if (notes->n_groups > NGROUPS_MAX ||
	    !memchr(notes->address, '\0', sizeof(notes->address)) ||
	    listener_has_path(notes->address) < 0)
		return false;
	path = sizeof(*notes) + notes->n_groups * sizeof(gid_t);
	if (path >= size || size - path > PATH_MAX || ((char *)notes)[size - 1] != '\0')
		return false;
	return strlen(notes_path(notes)) == size - path - 1 &&
	       (!*notes_path(notes) || *notes_path(notes) == '/');
}

static struct server_notes *claim(struct host *host, const struct object_record *record)
{
	size_t size = record->words[WORD_SIZE];
	struct server_notes *notes;

	if (!record->words[WORD_NOTES] || size < sizeof(*notes))
		return NULL;
	notes = state_claim(host->state, record->words[WORD_NOTES], size);
	return notes && are_valid(notes, size) ? notes : NULL;
}

/* Whether `fd` is a socket of this type that listens, or one that does not. */
static bool is_socket(int fd, int type, int listens)
{
	int its_type = 0, its_listens = -1;
	socklen_t size = sizeof(its_type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &its_type, &size) == 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &its_listens, &size) == 0 &&
	       its_type == type && its_listens == listens;
}

/* Whether `fd` was accepted from the listener, as far as one can tell. */
static bool is_accepted(int fd, int listener, int type)
{
	union {
		struct sockaddr_storage storage;
		struct sockaddr_in inet; /* the port is at the same place in IPv6 */
	} ours = {0}, its = {0};
	socklen_t size = sizeof(ours), its_size = sizeof(its);

	if (!is_socket(fd, type, false) ||
	    getsockname(listener, (struct sockaddr *)&ours, &size) < 0 ||
	    getsockname(fd, (struct sockaddr *)&its, &its_size) < 0)
		return false;
	if (ours.storage.ss_family == AF_UNIX)
		return size == its_size && memcmp(&ours, &its, size) == 0;
	return ours.storage.ss_family == its.storage.ss_family &&
	       ours.inet.sin_port == its.inet.sin_port;
}

/* Without a request: the socket may be in the mount itself, which does not answer yet. */
static bool is_socket_file(int fd, const struct server_notes *notes)
{
	struct statx attr;

	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &attr) ==
		       0 &&
	       S_ISSOCK(attr.stx_mode) && attr.stx_ino == notes->ino &&
	       makedev(attr.stx_dev_major, attr.stx_dev_minor) == notes->dev;
}

/*
 * Returns 0 if the descriptors are those of the notes, or if the server has ended. A descriptor
 * that is something else belongs to somebody else, and is left alone.
 */
static int check_sockets(struct object_record *record, struct server_notes *notes)
{
	int *fds = record->fds;
	bool has_path = *notes_path(notes);

	if (fds[FD_CLIENT] >= 0 && !is_accepted(fds[FD_CLIENT], fds[FD_LISTENER], notes->type))
		fds[FD_CLIENT] = -1;
	if (fds[FD_LISTENER] < 0 && fds[FD_PATH] < 0)
		return 0;
	if (!is_socket(fds[FD_LISTENER], notes->type, true) ||
	    fd_ino(fds[FD_LISTENER]) != notes->listener)
		fds[FD_LISTENER] = -1;
	if (!has_path || !is_socket_file(fds[FD_PATH], notes))
		fds[FD_PATH] = -1;
	return fds[FD_LISTENER] >= 0 && (fds[FD_PATH] >= 0) == has_path ? 0 : -EPROTO;
}

/* The caller as caller_copy() has made it, with no more rights than the daemon has now. */
static int take_remover(struct caller *remover, const struct server_notes *notes)
{
	size_t size = notes->n_groups * sizeof(gid_t);

	*remover = (struct caller){
		.uid = notes->uid,
		.gid = notes->gid,
		.is_loaded = true,
		.umask = notes->umask,
		.capabilities = notes->capabilities & caller_permitted(),
	};
	if (!size)
		return 0;
	remover->groups = malloc(size);
	if (!remover->groups)
		return -ENOMEM;
	memcpy(remover->groups, notes->groups, size);
	remover->n_groups = (int)notes->n_groups;
	return 0;
}

static void take_listener(struct listener *listener, const struct object_record *record,
			  struct server_notes *notes)
{
	*listener = (struct listener){
		.type = notes->type,
		.backlog = notes->backlog,
		.mode = notes->mode,
		.takes_rights = notes->takes_rights,
		.fd = record->fds[FD_LISTENER],
		.path_fd = record->fds[FD_PATH],
		.is_here = notes->is_here,
		.dev = notes->dev,
		.ino = notes->ino,
	};
	strcpy(listener->address, notes->address);
	strcpy(listener->path, notes_path(notes));
}

static int adopt_server(struct space *space, struct object_record *record,
			struct channel **ret_channel)
{
	struct server_notes *notes = claim(space->host, record);
	struct server *server = notes ? calloc(1, sizeof(*server)) : NULL;
	int r = notes ? -ENOMEM : -EPROTO;

	if (server)
		r = check_sockets(record, notes);
	if (r == 0)
		r = take_remover(&server->remover, notes);
	if (r == 0)
		r = kept_adopt(&server->kept, space, CHANNEL_STREAM, record);
	if (r < 0) {
		if (server)
			caller_fini(&server->remover);
		free(server);
		return r;
	}
	take_listener(&server->listener, record, notes);
	server->notes = notes;
	server->source =
		(struct loop_source){.fd = server->listener.fd, .dispatch = server_dispatch};
	if (server->listener.fd >= 0)
		channel_charge_descriptors(&server->kept.channel, record->charged, 2);
	*ret_channel = &server->kept.channel;
	return 0;
}

/*
 * A connection that has the client already is the one that keeps it, though the server's record may
 * still name it, too.
 */
static int adopt_connection(struct space *space, struct object_record *record,
			    struct channel **ret_channel)
{
	int r = connection_adopt_as(&server_connection_ops, space, record, ret_channel);
	const struct connection *connection = r == 0 ? connection_from(*ret_channel) : NULL;
	struct object_record *server =
		r == 0 ? slots_record(&space->host->objects, connection->accepted_by) : NULL;

	if (server && server->is_kept && server->space == record->space &&
	    server->fds[FD_CLIENT] == connection_fd(connection))
		server->fds[FD_CLIENT] = -1;
	return r;
}

int server_adopt(struct space *space, struct object_record *record, struct channel **ret_channel)
{
	return record->is_kept ? adopt_server(space, record, ret_channel)
			       : adopt_connection(space, record, ret_channel);
}

int *server_client(struct server *server)
{
	return &server->kept.channel.record->fds[FD_CLIENT];
}

/* Returns the server that has accepted the connection, if it still accepts. */
static struct server *find_server(const struct connection *connection)
{
	const struct space *space = connection->channel.space;
	struct channel *channel = slots_object(&space->host->objects, connection->accepted_by);

	if (!channel || channel->space->kind != space->kind || !channel->record->is_kept)
		return NULL;
	return server_from(channel)->listener.fd < 0 ? NULL : server_from(channel);
}

void server_take_back(struct connection *connection)
{
	struct server *server = find_server(connection);

	if (!server || connection_fd(connection) < 0 || *server_client(server) >= 0)
		return;
	*server_client(server) = connection_fd(connection);
	STATE_ORDER();
	connection_forget(connection);
	connection->ready.source.fd = -1;
	server_look(server);
}
