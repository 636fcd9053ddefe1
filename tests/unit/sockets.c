/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A native end that waits longer than DEADLINE fails the test.
 */
#include "tests/unit/sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

enum { BACKLOG = 64, DEADLINE = 20000 /* milliseconds */ };

static int listen_at(int family, int type, const void *address, size_t size)
{
	int fd = (int)must_call(socket(family, type | SOCK_CLOEXEC, 0));

	must_call(bind(fd, address, (socklen_t)size));
	if (type != SOCK_DGRAM)
		must_call(listen(fd, BACKLOG));
	return fd;
}

int native_unix(int type)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SOCKET_PATH};

	return listen_at(AF_UNIX, type, &address, sizeof(address));
}

/* Makes the address of an abstract name, and returns its size. */
static size_t abstract_address(const char *name, struct sockaddr_un *ret_address)
{
	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	strcpy(ret_address->sun_path + 1, name);
	return offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name);
}

int native_abstract(const char *name, int type)
{
	struct sockaddr_un address;
	size_t size = abstract_address(name, &address);

	return listen_at(AF_UNIX, type, &address, size);
}

int native_connect_path(void)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SOCKET_PATH};
	int fd = (int)must_call(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

	must_call(connect(fd, (const struct sockaddr *)&address, sizeof(address)));
	return fd;
}

int native_connect(const char *name)
{
	int fd = (int)must_call(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	struct sockaddr_un address;
	size_t size = abstract_address(name, &address);

	must_call(connect(fd, (const struct sockaddr *)&address, (socklen_t)size));
	return fd;
}

int native_inet(int type, unsigned short *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = listen_at(AF_INET, type, &address, sizeof(address));

	must_call(getsockname(fd, (struct sockaddr *)&address, &size));
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static void wait_readable(int fd)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};

	ck_assert_int_eq(must_call(poll(&readable, 1, DEADLINE)), 1);
}

int native_accept(int fd)
{
	wait_readable(fd);
	return (int)must_call(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
}

void native_put(int fd, const void *data, size_t size)
{
	ck_assert_uint_eq(must_call(send(fd, data, size, MSG_NOSIGNAL)), size);
}

void native_get(int fd, const char *text)
{
	char data[256];
	ssize_t n;

	wait_readable(fd);
	n = must_call(recv(fd, data, sizeof(data), 0));
	ck_assert_msg((size_t)n == strlen(text), "got %zd bytes, not '%s'", n, text);
	ck_assert_mem_eq(data, text, (size_t)n);
}

int socket_open(struct channel *channel, int flags, struct caller *caller, struct file **ret_file)
{
	struct held held = {0};
	int r = object_open_as(channel, flags, caller, ret_file);

	if (r < 0)
		return r;
	r = channel_opened(*ret_file);
	if (r == -EAGAIN) {
		held_open(&held, *ret_file);
		held_wait(&held);
		r = (int)held.result;
	}
	if (r < 0)
		object_close(*ret_file);
	return r;
}

void socket_expect(struct file *file, const char *text)
{
	struct held held = {0};
	const void *data;
	ssize_t n = channel_read(file, sizeof(held.data), 0, &data);

	if (n == -EAGAIN) {
		held_read(&held, file, sizeof(held.data));
		held_wait(&held);
		held_expect(&held, text);
		return;
	}
	ck_assert_uint_eq(must(n), strlen(text));
	ck_assert_mem_eq(data, text, (size_t)n);
}

struct search {
	struct space *space;
	const char *name;
	struct caller *caller;
	struct entry *ret_entry;
};

static int search_once(void *data)
{
	struct search *search = data;
	struct selector selector;

	return space_lookup(search->space, search->name, search->caller, search->ret_entry,
			    &selector);
}

int socket_find(struct space *space, const char *name, struct caller *caller,
		struct entry *ret_entry)
{
	struct search search = {space, name, caller, ret_entry};

	return loop_wait_for(caller, search_once, &search);
}
