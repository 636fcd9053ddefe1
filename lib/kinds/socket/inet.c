// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A host's directory exists while somebody refers to it. Host names are not resolved before an open
 * connects. Listings come from sock_diag(7).
 */
#include "lib/kinds/socket/inet.h"

#include <assert.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/host/job.h"
#include "lib/kinds/socket/connections.h"
#include "lib/channel/listed.h"
#include "lib/host/sock_diag.h"

/* The longest host name, and the characters of names and of both IPv4 and IPv6 addresses. */
#define INET_HOST_LENGTH     255
#define INET_HOST_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%"
#define PORT_CHARACTERS      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

struct inet_hosts {
	struct space space;
	struct inet_host *seen; /* hosts that somebody refers to */
	int type;
};

struct inet_host {
	struct space space;
	struct inet_hosts *hosts; /* a reference */
	char *name;
	UT_hash_handle hh; /* inet_hosts::seen, by name */
};

static const struct space_ops inet_hosts_ops;

static struct inet_hosts *inet_hosts_from(struct space *space)
{
	assert(space->ops == &inet_hosts_ops);
	return CONTAINER_OF(space, struct inet_hosts, space);
}

static const struct space_ops inet_host_ops;

static struct inet_host *inet_host_from(struct space *space)
{
	assert(space->ops == &inet_host_ops);
	return CONTAINER_OF(space, struct inet_host, space);
}

static int inet_hosts_protocol(const struct inet_hosts *hosts)
{
	return hosts->type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
}

static const void *address_bytes(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET6)
		return &((const struct sockaddr_in6 *)address)->sin6_addr;
	return &((const struct sockaddr_in *)address)->sin_addr;
}

/* The inode number of HOST, and that of HOST/PORT in a listing. */
static ino_t host_ino(const char *kind_path, const char *host)
{
	char path[2 * NI_MAXHOST];

	snprintf(path, sizeof(path), "%s/%s", kind_path, host);
	return space_name_ino(path);
}

static ino_t port_ino(const char *kind_path, const char *host, const char *port)
{
	char path[2 * NI_MAXHOST];

	snprintf(path, sizeof(path), "%s/%s/%s", kind_path, host, port);
	return space_address_ino(path);
}

/*
 * Listings of a host's ports, and of hosts. On a worker: the kernel goes through all sockets there
 * are, however many a user has made.
 */

struct inet_listing {
	struct listed listed;
	const char *kind_path;
	int protocol;
	char host[INET_HOST_LENGTH + 1]; /* whose ports to list; "": list the hosts */
};

/* The state of a listing while it is made. */
struct inet_list {
	struct inet_listing *listing;
	struct seen {
		char name[INET6_ADDRSTRLEN];
		UT_hash_handle hh; /* inet_list::seen */
	} * seen;
	int error;
};

/* Returns false if `name` has been listed before, or can't be listed. */
static bool inet_list_once(struct inet_list *list, const char *name)
{
	struct seen *seen;

	HASH_FIND_STR(list->seen, name, seen);
	if (seen)
		return false;
	list->error = listed_use(&list->listing->listed, sizeof(*seen));
	if (list->error < 0)
		return false;
	seen = calloc(1, sizeof(*seen));
	if (seen) {
		strcpy(seen->name, name);
		HASH_ADD_STR(list->seen, name, seen);
		if (seen->hh.tbl)
			return true;
		free(seen);
	}
	list->error = -ENOMEM;
	return false;
}

static void inet_list_fini(struct inet_list *list)
{
	struct seen *seen, *next;

	HASH_ITER(hh, list->seen, seen, next) {
		HASH_DEL(list->seen, seen);
		free(seen);
	}
}

static bool inet_list_host(void *data, const struct sockaddr *address)
{
	struct inet_list *list = data;
	struct inet_listing *listing = list->listing;
	char name[INET6_ADDRSTRLEN];

	inet_ntop(address->sa_family, address_bytes(address), name, sizeof(name));
	if (inet_list_once(list, name))
		list->error = listed_add(&listing->listed, name, host_ino(listing->kind_path, name),
					 S_IFDIR);
	return list->error == 0;
}

static bool is_any(const struct sockaddr *address)
{
	static const struct in6_addr any;

	return memcmp(address_bytes(address), &any,
		      address->sa_family == AF_INET6 ? sizeof(any) : sizeof(struct in_addr)) == 0;
}

/* Whether a socket bound to this address can be reached as the host. */
static bool is_at(const struct sockaddr *address, const char *host)
{
	const unsigned char *bytes = address_bytes(address);
	char name[INET6_ADDRSTRLEN];
	struct in6_addr here;

	if (is_any(address))
		return true;
	if (strcmp(host, "localhost") == 0)
		return address->sa_family == AF_INET6
			       ? memcmp(bytes, &in6addr_loopback, sizeof(here)) == 0
			       : bytes[0] == IN_LOOPBACKNET;
	inet_ntop(address->sa_family, bytes, name, sizeof(name));
	return strcmp(name, host) == 0;
}

static bool inet_list_port(void *data, const struct sockaddr *address)
{
	struct inet_list *list = data;
	struct inet_listing *listing = list->listing;
	char port[sizeof("65535")];

	if (!is_at(address, listing->host))
		return true;
	/* The port is at the same place in IPv4 and IPv6 addresses. */
	snprintf(port, sizeof(port), "%u", ntohs(((const struct sockaddr_in *)address)->sin_port));
	if (inet_list_once(list, port))
		list->error =
			listed_add(&listing->listed, port,
				   port_ino(listing->kind_path, listing->host, port), S_IFREG);
	return list->error == 0;
}

static int inet_list_act(void *data)
{
	struct inet_list list = {.listing = data};
	struct inet_listing *listing = data;
	int r = sock_diag_inet(listing->protocol, *listing->host ? inet_list_port : inet_list_host,
			       &list);

	inet_list_fini(&list);
	if (r == -ENOENT)
		return 0;
	return listed_end(&listing->listed, r < 0 ? r : list.error);
}

/* Lists the ports of `host`; NULL: lists the hosts. */
static int inet_list_run(const struct inet_hosts *hosts, const char *host, struct caller *caller,
			 const struct listed_reader *reader)
{
	struct inet_listing listing;

	memset(&listing, 0, sizeof(listing)); /* job_run() compares all of it */
	listing.kind_path = hosts->space.kind->path;
	listing.protocol = inet_hosts_protocol(hosts);
	if (host)
		strcpy(listing.host, host);
	return listed_run(hosts->space.host, caller,
			  &(struct job_call){.place = JOB_WORKER,
					     .act = inet_list_act,
					     .undo = listed_drop,
					     .data = &listing,
					     .size = sizeof(listing)},
			  reader);
}

/* The directory of a host. */

static void inet_host_destroy(struct space *space)
{
	struct inet_host *host = inet_host_from(space);

	HASH_DEL(host->hosts->seen, host);
	space_unref(&host->hosts->space);
	free(host->name);
	free(host);
}

static int inet_host_list(struct space *space, struct caller *caller, space_entry_fn *entry,
			  void *data)
{
	struct inet_host *host = inet_host_from(space);

	return inet_list_run(host->hosts, host->name, caller, &(struct listed_reader){entry, data});
}

/* A service to look up, perhaps over the network. */
struct service {
	char name[NAME_MAX + 1];
	int type;
};

static int service_act(void *data)
{
	const struct service *service = data;
	const char *protocol = service->type == SOCK_STREAM ? "tcp" : "udp";
	struct servent entry, *found = NULL;
	char buffer[4096];

	getservbyname_r(service->name, protocol, &entry, buffer, sizeof(buffer), &found);
	return found ? 0 : -ENOENT;
}

/* Returns 0 if `name` is a port's number or a service's name, else -ENOENT. May be a job. */
static int check_port(struct inet_hosts *hosts, const char *name, struct caller *caller)
{
	struct service service = {.type = hosts->type};
	struct job_call call = {
		.place = JOB_THREAD, .act = service_act, .data = &service, .size = sizeof(service)};
	char *end;
	unsigned long port = strtoul(name, &end, 10);

	if (strspn(name, PORT_CHARACTERS) != strlen(name))
		return -ENOENT;
	if (!*end)
		return port > 0 && port <= UINT16_MAX ? 0 : -ENOENT;
	strcpy(service.name, name);
	return job_run(hosts->space.host, caller, &call);
}

static int inet_host_lookup(struct space *space, const char *name, struct caller *caller,
			    struct entry *ret_entry)
{
	struct inet_host *host = inet_host_from(space);
	struct connections *list = connections_from(host->hosts->space.shown);
	char address[INET_HOST_LENGTH + NAME_MAX + 2], label[sizeof(address)];
	struct dial_target target = {
		.connect = dial_inet, .address = address, .type = host->hosts->type};
	struct connection *connection;
	int r;

	r = check_port(host->hosts, name, caller);
	if (r < 0)
		return r;
	target.size = (size_t)snprintf(address, sizeof(address), "%s/%s", host->name, name);
	snprintf(label, sizeof(label), "%s:%s", host->name, name);
	r = connection_new(&connection_ops, list, label, &target, &connection);
	if (r < 0)
		return r;
	ret_entry->channel = &connection->channel;
	return 0;
}

static const struct space_ops inet_host_ops = {
	.destroy = inet_host_destroy,
	.list = inet_host_list,
	.lookup = inet_host_lookup,
};

/* The directory of the hosts. */

static void inet_hosts_destroy(struct space *space)
{
	free(inet_hosts_from(space));
}

static int inet_hosts_list(struct space *space, struct caller *caller, space_entry_fn *entry,
			   void *data)
{
	return inet_list_run(inet_hosts_from(space), NULL, caller,
			     &(struct listed_reader){entry, data});
}

static int inet_host_new(struct inet_hosts *hosts, const char *name, struct space **ret_space)
{
	CLEANUP_FREE struct inet_host *host = calloc(1, sizeof(*host));

	if (!host)
		return -ENOMEM;
	host->name = strdup(name);
	if (!host->name)
		return -ENOMEM;
	HASH_ADD_KEYPTR(hh, hosts->seen, host->name, strlen(host->name), host);
	if (!host->hh.tbl) {
		free(host->name);
		return -ENOMEM;
	}
	space_init(&host->space, &inet_host_ops, hosts->space.host, "");
	host->space.ino = host_ino(hosts->space.kind->path, name);
	host->space.home = NAMESPACE_NET;
	host->hosts = hosts;
	space_ref(&hosts->space);
	*ret_space = &TAKE_PTR(host)->space;
	return 0;
}

static int inet_hosts_lookup(struct space *space, const char *name, struct caller *caller,
			     struct entry *ret_entry)
{
	struct inet_hosts *hosts = inet_hosts_from(space);
	struct inet_host *host;

	if (strspn(name, INET_HOST_CHARACTERS) != strlen(name))
		return -ENOENT;
	HASH_FIND_STR(hosts->seen, name, host);
	if (!host)
		return inet_host_new(hosts, name, &ret_entry->space);
	ret_entry->space = space_ref(&host->space);
	return 0;
}

static const struct space_ops inet_hosts_ops = {
	.holds_directories = true,
	.destroy = inet_hosts_destroy,
	.list = inet_hosts_list,
	.lookup = inet_hosts_lookup,
};

int inet_space_open(struct space **ret_space, struct host *host, const struct kind *kind, int type)
{
	struct inet_hosts *hosts = calloc(1, sizeof(*hosts));
	struct connections *list;
	int r = hosts ? connections_new(host, kind, NULL, &list) : -ENOMEM;

	if (r < 0) {
		free(hosts);
		return r;
	}
	space_init(&hosts->space, &inet_hosts_ops, host, kind->path);
	hosts->space.kind = kind;
	hosts->space.shown = &list->space;
	hosts->type = type;
	*ret_space = &hosts->space;
	return 0;
}
