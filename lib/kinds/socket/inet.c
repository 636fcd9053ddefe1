// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/kinds/socket/inet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/socket/connections.h"
#include "lib/host/job.h"
#include "lib/kinds/socket/sock_diag.h"

/* The longest that a host name can be, and what it can have in it, with addresses of both sorts. */
#define HOST_LENGTH     255
#define HOST_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%"
#define PORT_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

struct hosts {
	struct space space;
	struct inet_host *seen; /* those that somebody refers to */
	int type;
};

struct inet_host {
	struct space space;
	struct hosts *hosts; /* a reference */
	char *name;
	UT_hash_handle hh; /* hosts::seen, by name */
};

static struct hosts *hosts_from(struct space *space)
{
	return CONTAINER_OF(space, struct hosts, space);
}

static struct inet_host *host_from(struct space *space)
{
	return CONTAINER_OF(space, struct inet_host, space);
}

static int hosts_protocol(const struct hosts *hosts)
{
	return hosts->type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
}

static const void *address_bytes(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET6)
		return &((const struct sockaddr_in6 *)address)->sin6_addr;
	return &((const struct sockaddr_in *)address)->sin_addr;
}

/* The inode number of HOST, or of HOST/PORT. */
static ino_t path_ino(const struct hosts *hosts, const char *host, const char *port)
{
	char path[2 * NI_MAXHOST];

	snprintf(path, sizeof(path), "%s/%s/%s", hosts->space.kind->path, host, port);
	return space_path_ino(path);
}

/* The ports of a host, and the hosts. */

struct list {
	struct hosts *hosts;
	const char *host; /* whose ports are listed; NULL: the hosts are */
	space_entry_fn *entry;
	void *data;
	struct seen {
		char name[INET6_ADDRSTRLEN];
		UT_hash_handle hh; /* list::seen */
	} * seen;
	int error;
};

/* False if `name` has been listed before, or can't be. */
static bool list_once(struct list *list, const char *name)
{
	struct seen *seen;

	HASH_FIND_STR(list->seen, name, seen);
	if (seen)
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

static void list_fini(struct list *list)
{
	struct seen *seen, *next;

	HASH_ITER(hh, list->seen, seen, next) {
		HASH_DEL(list->seen, seen);
		free(seen);
	}
}

static bool list_host(void *data, const struct sockaddr *address)
{
	struct list *list = data;
	char name[INET6_ADDRSTRLEN];

	inet_ntop(address->sa_family, address_bytes(address), name, sizeof(name));
	if (!list_once(list, name))
		return list->error == 0;
	return list->entry(list->data, name, path_ino(list->hosts, name, ""), S_IFDIR);
}

static bool is_any(const struct sockaddr *address)
{
	static const struct in6_addr any;

	return memcmp(address_bytes(address), &any,
		      address->sa_family == AF_INET6 ? sizeof(any) : sizeof(struct in_addr)) == 0;
}

/* Can what is bound to this address be reached as the host? */
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

static bool list_port(void *data, const struct sockaddr *address)
{
	struct list *list = data;
	char port[sizeof("65535")];

	if (!is_at(address, list->host))
		return true;
	/* At the same place in both sorts. */
	snprintf(port, sizeof(port), "%u", ntohs(((const struct sockaddr_in *)address)->sin_port));
	if (!list_once(list, port))
		return list->error == 0;
	return list->entry(list->data, port, path_ino(list->hosts, list->host, port), S_IFREG);
}

static int list_run(struct list *list, sock_diag_address_fn *each)
{
	int r = sock_diag_inet(hosts_protocol(list->hosts), each, list);

	list_fini(list);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : list->error;
}

/* The directory of a host. */

static void host_destroy(struct space *space)
{
	struct inet_host *host = host_from(space);

	HASH_DEL(host->hosts->seen, host);
	space_unref(&host->hosts->space);
	free(host->name);
	free(host);
}

static int host_list(struct space *space, struct caller *caller, space_entry_fn *entry, void *data)
{
	struct inet_host *host = host_from(space);
	struct list list = {.hosts = host->hosts, .host = host->name, .entry = entry, .data = data};

	return list_run(&list, list_port);
}

/* A service that is looked for, perhaps in the network. */
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

/* Is it a number that can be a port's, or the name of a service? 0, -ENOENT, -EAGAIN. */
static int check_port(struct hosts *hosts, const char *name, struct caller *caller)
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

static int host_lookup(struct space *space, const char *name, struct caller *caller,
		       struct entry *ret_entry)
{
	struct inet_host *host = host_from(space);
	struct connections *list =
		CONTAINER_OF(host->hosts->space.shown, struct connections, space);
	char address[HOST_LENGTH + NAME_MAX + 2], label[sizeof(address)];
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

static const struct space_ops host_ops = {
	.destroy = host_destroy,
	.list = host_list,
	.lookup = host_lookup,
};

/* The directory of the hosts. */

static void hosts_destroy(struct space *space)
{
	free(hosts_from(space));
}

static int hosts_list(struct space *space, struct caller *caller, space_entry_fn *entry, void *data)
{
	struct list list = {.hosts = hosts_from(space), .entry = entry, .data = data};

	return list_run(&list, list_host);
}

static int host_new(struct hosts *hosts, const char *name, struct space **ret_space)
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
	space_init(&host->space, &host_ops, hosts->space.host, "");
	host->space.ino = path_ino(hosts, name, "");
	host->hosts = hosts;
	space_ref(&hosts->space);
	*ret_space = &TAKE_PTR(host)->space;
	return 0;
}

static int hosts_lookup(struct space *space, const char *name, struct caller *caller,
			struct entry *ret_entry)
{
	struct hosts *hosts = hosts_from(space);
	struct inet_host *host;

	if (strspn(name, HOST_CHARACTERS) != strlen(name))
		return -ENOENT;
	HASH_FIND_STR(hosts->seen, name, host);
	if (!host)
		return host_new(hosts, name, &ret_entry->space);
	ret_entry->space = space_ref(&host->space);
	return 0;
}

static const struct space_ops hosts_ops = {
	.destroy = hosts_destroy,
	.list = hosts_list,
	.lookup = hosts_lookup,
};

int inet_space_open(struct space **ret_space, struct host *host, const struct kind *kind, int type)
{
	struct hosts *hosts = calloc(1, sizeof(*hosts));
	struct connections *list;
	int r = hosts ? connections_new(host, kind, NULL, &list) : -ENOMEM;

	if (r < 0) {
		free(hosts);
		return r;
	}
	space_init(&hosts->space, &hosts_ops, host, kind->path);
	hosts->space.kind = kind;
	hosts->space.shown = &list->space;
	hosts->type = type;
	*ret_space = &hosts->space;
	return 0;
}
