// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The directory of the servers, sockets/servers, and what info/ shows of it.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/host/job.h"
#include "lib/kinds/socket/server.h"

enum { SERVER_LISTEN, SERVER_TYPE, SERVER_BACKLOG };

static const char *const type_words[] = {"stream", "seqpacket", NULL};
static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET};

const struct parameter server_parameters[] = {
	[SERVER_LISTEN] = {"listen", PARAMETER_TEXT, .is_fixed = true, .is_same = listener_is_same},
	[SERVER_TYPE] = {"type", PARAMETER_WORD, .words = type_words, .is_fixed = true},
	[SERVER_BACKLOG] = {"backlog", PARAMETER_NUMBER, .max = 65535, .is_fixed = true},
	{.name = NULL},
};

const char *server_explain(struct channel *channel, const char *name,
			   const struct settings *settings, int error)
{
	if (!settings_has(settings, SERVER_LISTEN))
		return kept_explain(channel, name, settings, error);
	switch (error) {
	case -EINVAL:
		if (settings_has(settings, SERVER_TYPE) &&
		    types[settings->values[SERVER_TYPE]] != SOCK_STREAM &&
		    strncmp(settings->texts[SERVER_LISTEN], "tcp:", 4) == 0)
			return "type=seqpacket is for Unix sockets, not for tcp:";
		return "listen= is not of the form unix:/PATH, abstract:NAME or tcp:HOST:PORT, "
		       "where HOST is an IP address, localhost or *, and PORT a number";
	case -EACCES:
		return "no permission to create a socket at the address in listen=";
	case -ENAMETOOLONG:
		return "the address in listen= is too long";
	case -ENOENT:
		return "the directory in listen= does not exist";
	case -EADDRINUSE:
		return "the address in listen= is in use, or another file is there";
	case -EADDRNOTAVAIL:
		return "the address in listen= is not one of this machine's";
	default:
		return kept_explain(channel, name, settings, error);
	}
}

static int servers_lookup(struct space *space, const char *name, struct caller *caller,
			  struct entry *ret_entry)
{
	struct entry kept = {0};
	int r = kept_lookup(space, name, caller, &kept);

	if (r < 0)
		return r;
	r = server_directory_get(server_from(kept.channel), &ret_entry->space);
	entry_unref(&kept);
	return r;
}

static int listen_act(void *data)
{
	return listener_open(data);
}

static void listen_drop(struct host *host, struct caller *caller, void *data)
{
	server_close(host, data, caller);
}

/* Makes the daemon's own directory: the system's, or its user's where it can't make that. */
static int make_directory(char *ret_path, size_t size)
{
	const char *own = getenv("XDG_RUNTIME_DIR");
	int r = mkdir(SERVER_DIRECTORY, 0755) < 0 ? -errno : 0;

	snprintf(ret_path, size, "%s", SERVER_DIRECTORY);
	if (geteuid() == 0 && r == -EEXIST)
		return 0;
	if (r == 0 || !own)
		return r;
	if (snprintf(ret_path, size, "%s/ipcfs", own) >= (int)size)
		return -ENAMETOOLONG;
	return mkdir(ret_path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* Listens at the default address, for a server that is made without one. */
static int listen_here(struct listener *listener, const char *name, struct caller *caller)
{
	char directory[LISTENER_ADDRESS_MAX];
	int r = make_directory(directory, sizeof(directory));

	if (r < 0)
		return r;
	if (snprintf(listener->address, sizeof(listener->address), "unix:%s/%s", directory, name) >=
	    (int)sizeof(listener->address))
		return -ENAMETOOLONG;
	return listener_open_for(listener, caller);
}

static int listen_as(struct host *host, struct listener *listener, const char *name,
		     struct caller *caller)
{
	struct job_call call = {.place = JOB_THREAD,
				.walks = true,
				.act = listen_act,
				.undo = listen_drop,
				.data = listener,
				.size = sizeof(*listener)};
	int r;

	if (!*listener->address)
		return listen_here(listener, name, caller);
	r = listener_has_path(listener->address);
	if (r < 0)
		return r;
	if (r > 0)
		return job_run(host, caller, &call);
	r = caller_enter(caller);
	if (r < 0)
		return r;
	r = listener_open(listener);
	caller_leave();
	return r;
}

/* Takes what the settings ask for. Fails with -ENAMETOOLONG if the address is too long. */
static int take_settings(const struct settings *settings, struct listener *listener)
{
	memset(listener, 0, sizeof(*listener)); /* job_run() compares all of it */
	listener->type = SOCK_STREAM;
	listener->backlog = SOMAXCONN;
	if (settings_has(settings, SERVER_TYPE))
		listener->type = types[settings->values[SERVER_TYPE]];
	if (settings_has(settings, SERVER_BACKLOG))
		listener->backlog = (int)settings->values[SERVER_BACKLOG];
	if (!settings_has(settings, SERVER_LISTEN))
		return 0;
	if (strlen(settings->texts[SERVER_LISTEN]) >= sizeof(listener->address))
		return -ENAMETOOLONG;
	strcpy(listener->address, settings->texts[SERVER_LISTEN]);
	return 0;
}

/* A server to be made. */
struct server_creation {
	const char *name;
	mode_t mode;
	struct caller *caller;
	struct caller *remover; /* the socket's path is removed with their rights */
};

/* Makes the server of a listener, which it takes over. */
static int server_new(struct space *space, const struct server_creation *creation,
		      struct listener *listener)
{
	struct server *server = calloc(1, sizeof(*server));
	int r = server ? caller_copy(&server->remover, creation->remover) : -ENOMEM;

	if (r == 0)
		r = kept_init(&server->kept, space, CHANNEL_STREAM, creation->name, creation->mode,
			      creation->caller);
	if (r < 0) {
		if (server)
			caller_fini(&server->remover);
		free(server);
		server_close(space->host, listener, creation->remover);
		return r;
	}
	server->listener = *listener;
	server->source = (struct loop_source){.fd = listener->fd, .dispatch = server_dispatch};
	r = channel_charge_descriptors(&server->kept.channel, creation->caller->uid, 2);
	if (r == 0)
		r = server_remember(server);
	if (r < 0)
		kept_remove(space, creation->name, creation->caller);
	channel_unref(&server->kept.channel);
	return r;
}

/*
 * Returns where the '#'s begin in a name that ends like a connection's, in :accept#N or :connect#N,
 * however many they are; NULL if the name has another form.
 */
static const char *find_marks(const char *name)
{
	static const char *const ends[] = {":accept", ":connect"};
	const char *end = name + strlen(name), *digits = end, *marks;

	while (digits > name && isdigit((unsigned char)digits[-1]))
		digits--;
	marks = digits;
	while (marks > name && marks[-1] == '#')
		marks--;
	if (digits == end || marks == digits)
		return NULL;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t length = strlen(ends[i]);

		if ((size_t)(marks - name) >= length &&
		    strncmp(marks - length, ends[i], length) == 0)
			return marks;
	}
	return NULL;
}

/* With the '#' that info/ adds, the name would be longer than NAME_MAX. */
static bool is_too_long(const char *name)
{
	return find_marks(name) && strlen(name) == NAME_MAX;
}

static int servers_create(struct space *space, const char *name, mode_t mode,
			  const struct settings *settings, struct caller *caller,
			  struct entry *ret_entry)
{
	struct caller self = {.uid = geteuid(), .gid = getegid(), .is_loaded = true};
	struct server_creation creation = {.name = name, .caller = caller, .remover = caller};
	struct entry kept = {0};
	struct listener listener;
	int r;

	if (!S_ISDIR(mode))
		return -EPERM;
	if (is_too_long(name))
		return -ENAMETOOLONG;
	if (kept_lookup(space, name, caller, &kept) == 0) {
		entry_unref(&kept);
		return -EEXIST;
	}
	r = take_settings(settings, &listener);
	creation.mode = server_mode(mode);
	listener.mode = mode & 0777;
	listener.takes_rights = !features_has(&space->host->features, FEATURE_PASSRIGHTS);
	listener.is_here = !*listener.address;
	if (listener.is_here)
		creation.remover = &self;
	if (r == 0)
		r = listen_as(space->host, &listener, name, caller);
	if (r == 0)
		r = server_new(space, &creation, &listener);
	return r < 0 ? r : servers_lookup(space, name, caller, ret_entry);
}

static int servers_remove(struct space *space, const char *name, struct caller *caller)
{
	struct entry kept = {0};
	int r;

	kept_lookup(space, name, caller, &kept);
	r = kept_remove(space, name, caller);
	if (r == 0 && kept.channel)
		server_end(server_from(kept.channel));
	entry_unref(&kept);
	return r;
}

static int servers_rename(struct space *space, const char *from, const char *to, unsigned flags,
			  struct caller *caller)
{
	struct entry replaced = {0};
	int r;

	if (is_too_long(to))
		return -ENAMETOOLONG;
	if (strcmp(from, to) != 0)
		kept_lookup(space, to, caller, &replaced);
	r = kept_rename(space, from, to, flags, caller);
	if (r == 0 && replaced.channel && !kept_from(replaced.channel)->name)
		server_end(server_from(replaced.channel));
	entry_unref(&replaced);
	return r;
}

static const struct space_ops servers_ops = {
	.holds_directories = true,
	.destroy = kept_space_destroy,
	.list = kept_list,
	.lookup = servers_lookup,
	.create = servers_create,
	.remove = servers_remove,
	.rename = servers_rename,
	.room = kept_room,
	.count = kept_count,
};

/*
 * What info/ shows: each server itself, in place of its directory, and beside them the connections,
 * NAME:accept#N and NAME:connect#N. A server may be named like a connection. It is then shown with
 * one '#' more, and so is a server whose name already has several: no two entries share a name.
 */
struct servers_shown {
	struct space space;
	struct space *servers;
};

struct shown_listing {
	space_entry_fn *entry;
	void *data;
};

static bool shown_entry(void *data, const char *name, ino_t ino, mode_t mode)
{
	const struct shown_listing *listing = data;
	const char *marks = find_marks(name);
	char shown[NAME_MAX + 2];

	if (marks)
		snprintf(shown, sizeof(shown), "%.*s#%s", (int)(marks - name), name, marks);
	return listing->entry(listing->data, marks ? shown : name, ino, mode);
}

static void shown_destroy(struct space *space)
{
	free(CONTAINER_OF(space, struct servers_shown, space));
}

static int shown_list(struct space *space, struct caller *caller, space_entry_fn *entry, void *data)
{
	struct shown_listing listing = {entry, data};

	return space_list(CONTAINER_OF(space, struct servers_shown, space)->servers, caller,
			  shown_entry, &listing);
}

static int shown_lookup(struct space *space, const char *name, struct caller *caller,
			struct entry *ret_entry)
{
	struct space *servers = CONTAINER_OF(space, struct servers_shown, space)->servers;
	const char *marks = find_marks(name);
	char own[NAME_MAX + 2];
	int r;

	if (marks && marks[1] != '#')
		return -ENOENT; /* a connection that has ended */
	if (marks)
		snprintf(own, sizeof(own), "%.*s%s", (int)(marks - name), name, marks + 1);
	r = space_check_access(servers, caller, X_OK);
	return r < 0 ? r : kept_lookup(servers, marks ? own : name, caller, ret_entry);
}

static const struct space_ops shown_ops = {
	.destroy = shown_destroy,
	.list = shown_list,
	.lookup = shown_lookup,
};

static int shown_new(struct space *servers)
{
	struct servers_shown *shown = calloc(1, sizeof(*shown));
	struct connections *list;
	int r;

	if (!shown)
		return -ENOMEM;
	space_init(&shown->space, &shown_ops, servers->host, servers->kind->path);
	shown->servers = servers;
	r = connections_new(servers->host, servers->kind, &shown->space, &list);
	if (r == 0)
		servers->shown = &list->space;
	return r;
}

int server_space_open(struct space **ret_space, struct host *host, const struct kind *kind)
{
	int r = kept_space_open(ret_space, host, kind, &servers_ops);

	if (r < 0)
		return r;
	r = shown_new(*ret_space);
	if (r < 0)
		space_unref(*ret_space);
	return r;
}
