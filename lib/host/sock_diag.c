// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each question gets a netlink socket of its own. The kernel answers a question about one socket in
 * one message, and a listing (NLM_F_DUMP) in as many datagrams as it takes.
 */
#include "lib/host/sock_diag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

#define ANSWER_MAX 32768 /* the kernel's NLMSG_GOODSIZE is less */
#define BIT(n)     (1U << (n))
#define NO_COOKIE                                      \
	{                                              \
		INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE \
	}

struct sock_diag_question {
	struct nlmsghdr header;
	union {
		struct unix_diag_req unix_;
		struct inet_diag_req_v2 inet;
	};
};

/* Called with each answer; false ends the listing. */
typedef bool answer_fn(void *data, const struct nlmsghdr *answer);

/* Takes the answers in one datagram. Returns 1 if more follow, 0 if these were all, or -errno. */
static int take_answers(char *buffer, size_t size, answer_fn *each, void *data)
{
	struct nlmsghdr *answer = (struct nlmsghdr *)buffer;
	bool is_one_of_many = false;

	for (; NLMSG_OK(answer, size); answer = NLMSG_NEXT(answer, size)) {
		if (answer->nlmsg_type == NLMSG_DONE)
			return 0;
		if (answer->nlmsg_type == NLMSG_ERROR)
			return ((struct nlmsgerr *)NLMSG_DATA(answer))->error;
		is_one_of_many = answer->nlmsg_flags & NLM_F_MULTI;
		if (!each(data, answer))
			return 0;
	}
	return is_one_of_many;
}

static int sock_diag_ask(struct sock_diag_question *question, size_t size, answer_fn *each,
			 void *data)
{
	CLEANUP_FD int fd =
		socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
	CLEANUP_FREE char *buffer = malloc(ANSWER_MAX);
	int r = 1;

	if (fd < 0)
		return -errno;
	if (!buffer)
		return -ENOMEM;
	question->header.nlmsg_len = (unsigned)(NLMSG_HDRLEN + size);
	question->header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	question->header.nlmsg_flags |= NLM_F_REQUEST;
	if (send(fd, question, question->header.nlmsg_len, 0) < 0)
		return -errno;
	while (r > 0) {
		ssize_t n = recv(fd, buffer, ANSWER_MAX, 0);

		if (n < 0)
			return -errno;
		r = take_answers(buffer, (size_t)n, each, data);
	}
	return r;
}

static const struct rtattr *find_attribute(const struct nlmsghdr *answer, size_t header_size,
					   unsigned type)
{
	const struct rtattr *attribute =
		(const void *)((const char *)NLMSG_DATA(answer) + NLMSG_ALIGN(header_size));
	size_t size = answer->nlmsg_len - NLMSG_LENGTH(header_size);

	for (; RTA_OK(attribute, size); attribute = RTA_NEXT(attribute, size))
		if (attribute->rta_type == type)
			return attribute;
	return NULL;
}

struct names {
	sock_diag_name_fn *each;
	void *data;
};

static bool take_name(void *data, const struct nlmsghdr *answer)
{
	const struct unix_diag_msg *msg = NLMSG_DATA(answer);
	const struct rtattr *name = find_attribute(answer, sizeof(*msg), UNIX_DIAG_NAME);
	const struct names *names = data;
	bool is_open = msg->udiag_state == TCP_LISTEN || msg->udiag_type == SOCK_DGRAM;

	/* An abstract name begins with a NUL, a path does not. */
	if (!is_open || !name || RTA_PAYLOAD(name) < 2 || *(char *)RTA_DATA(name))
		return true;
	return names->each(names->data, (char *)RTA_DATA(name) + 1, RTA_PAYLOAD(name) - 1);
}

int sock_diag_abstract(sock_diag_name_fn *each, void *data)
{
	struct sock_diag_question question = {
		.header.nlmsg_flags = NLM_F_DUMP,
		.unix_ = {.sdiag_family = AF_UNIX,
			  .udiag_states = BIT(TCP_LISTEN) | BIT(TCP_CLOSE),
			  .udiag_show = UDIAG_SHOW_NAME},
	};
	struct names names = {each, data};

	return sock_diag_ask(&question, sizeof(question.unix_), take_name, &names);
}

struct addresses {
	sock_diag_address_fn *each;
	void *data;
	bool is_ended;
};

static bool take_address(void *data, const struct nlmsghdr *answer)
{
	const struct inet_diag_msg *msg = NLMSG_DATA(answer);
	struct addresses *addresses = data;
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = msg->id.idiag_sport};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = msg->id.idiag_sport};
	bool is_v6 = msg->idiag_family == AF_INET6;

	memcpy(&v6.sin6_addr, msg->id.idiag_src, sizeof(v6.sin6_addr));
	memcpy(&v4.sin_addr, msg->id.idiag_src, sizeof(v4.sin_addr));
	addresses->is_ended = !addresses->each(addresses->data, is_v6 ? (struct sockaddr *)&v6
								      : (struct sockaddr *)&v4);
	return !addresses->is_ended;
}

int sock_diag_inet(int protocol, sock_diag_address_fn *each, void *data)
{
	static const unsigned char families[] = {AF_INET, AF_INET6};
	struct addresses addresses = {.each = each, .data = data};
	int r = 0;

	for (size_t i = 0; i < sizeof(families) && r == 0 && !addresses.is_ended; i++) {
		struct sock_diag_question question = {
			.header.nlmsg_flags = NLM_F_DUMP,
			.inet = {.sdiag_family = families[i],
				 .sdiag_protocol = (unsigned char)protocol,
				 .idiag_states = protocol == IPPROTO_TCP ? BIT(TCP_LISTEN)
									 : BIT(TCP_CLOSE)},
		};

		r = sock_diag_ask(&question, sizeof(question.inet), take_address, &addresses);
	}
	return r;
}

static bool take_unix_peer(void *data, const struct nlmsghdr *answer)
{
	const struct rtattr *peer =
		find_attribute(answer, sizeof(struct unix_diag_msg), UNIX_DIAG_PEER);

	if (peer && RTA_PAYLOAD(peer) >= sizeof(unsigned))
		*(ino_t *)data = *(unsigned *)RTA_DATA(peer);
	return false;
}

static int find_unix_peer(const struct sock_diag_ends *ends, ino_t *ret_ino)
{
	struct sock_diag_question question = {
		.unix_ = {.sdiag_family = AF_UNIX,
			  .udiag_states = ~0U,
			  .udiag_show = UDIAG_SHOW_PEER,
			  .udiag_ino = (unsigned)ends->ino,
			  .udiag_cookie = NO_COOKIE},
	};

	return sock_diag_ask(&question, sizeof(question.unix_), take_unix_peer, ret_ino);
}

static bool take_file(void *data, const struct nlmsghdr *answer)
{
	const struct rtattr *file =
		find_attribute(answer, sizeof(struct unix_diag_msg), UNIX_DIAG_VFS);

	if (file && RTA_PAYLOAD(file) >= sizeof(struct unix_diag_vfs))
		*(ino_t *)data = ((struct unix_diag_vfs *)RTA_DATA(file))->udiag_vfs_ino;
	return false;
}

/* Returns the kernel's own inode number, which may differ from that of stat(2), or 0 if unknown. */
static ino_t inode_number(int fd)
{
	CLEANUP_FREE char *line = NULL;
	unsigned long number = 0;
	size_t size = 0;
	char path[48];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (number == 0 && getline(&line, &size, file) > 0)
		sscanf(line, "ino: %lu", &number);
	fclose(file);
	return number;
}

int sock_diag_is_bound_to(int fd, int file_fd)
{
	struct sock_diag_question question = {
		.unix_ = {.sdiag_family = AF_UNIX,
			  .udiag_states = ~0U,
			  .udiag_show = UDIAG_SHOW_VFS,
			  .udiag_cookie = NO_COOKIE},
	};
	ino_t bound = 0, number = inode_number(file_fd);
	struct stat attr;
	int r;

	if (fstat(fd, &attr) < 0)
		return -errno;
	question.unix_.udiag_ino = (unsigned)attr.st_ino;
	r = sock_diag_ask(&question, sizeof(question.unix_), take_file, &bound);
	if (r == -ENOENT || number == 0)
		return 0;
	/* The kernel gives only 32 bits of the inode number. */
	return r < 0 ? r : (unsigned)bound == (unsigned)number ? 0 : -ESTALE;
}

/* The sockets that belong to a socket file. */
struct bound {
	unsigned dev, ino; /* of the file, in the form of sock_diag */
	ino_t *inos;
	size_t n, most;
	size_t n_own; /* the first n_own are bound to the file itself */
};

static int compare_inos(const void *a, const void *b)
{
	const ino_t *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

/* Adds a socket, unless it was added before: each of two connected sockets names the other. */
static void bound_add(struct bound *bound, ino_t ino)
{
	for (size_t i = 0; i < bound->n; i++)
		if (bound->inos[i] == ino)
			return;
	if (ino && bound->n < bound->most)
		bound->inos[bound->n++] = ino;
}

/* Adds the sockets that an attribute lists: the peer, or the sockets that wait to be accepted. */
static void bound_add_all(struct bound *bound, const struct nlmsghdr *answer, unsigned type)
{
	const struct rtattr *list = find_attribute(answer, sizeof(struct unix_diag_msg), type);
	size_t n = list ? RTA_PAYLOAD(list) / sizeof(unsigned) : 0;

	for (size_t i = 0; i < n; i++)
		bound_add(bound, ((unsigned *)RTA_DATA(list))[i]);
}

static bool is_bound(const struct bound *bound, const struct nlmsghdr *answer)
{
	const struct rtattr *file =
		find_attribute(answer, sizeof(struct unix_diag_msg), UNIX_DIAG_VFS);
	const struct unix_diag_vfs *vfs = file ? RTA_DATA(file) : NULL;

	return vfs && RTA_PAYLOAD(file) >= sizeof(*vfs) && vfs->udiag_vfs_dev == bound->dev &&
	       vfs->udiag_vfs_ino == bound->ino;
}

static bool take_bound(void *data, const struct nlmsghdr *answer)
{
	struct bound *bound = data;

	if (is_bound(bound, answer))
		bound_add(bound, ((struct unix_diag_msg *)NLMSG_DATA(answer))->udiag_ino);
	return true;
}

/* Adds the other ends of the sockets found so far, whichever of the two ends has connected. */
static bool take_ends(void *data, const struct nlmsghdr *answer)
{
	const struct unix_diag_msg *msg = NLMSG_DATA(answer);
	struct bound *bound = data;
	ino_t peer = 0;

	take_unix_peer(&peer, answer);
	if (is_bound(bound, answer)) {
		bound_add(bound, peer);
		bound_add_all(bound, answer, UNIX_DIAG_ICONS);
	} else if (peer && bsearch(&peer, bound->inos, bound->n_own, sizeof(peer), compare_inos)) {
		bound_add(bound, msg->udiag_ino);
	}
	return true;
}

static int ask_bound(struct bound *bound, answer_fn *each, unsigned show)
{
	struct sock_diag_question question = {
		.header.nlmsg_flags = NLM_F_DUMP,
		.unix_ = {.sdiag_family = AF_UNIX,
			  .udiag_states = ~0U,
			  .udiag_show = UDIAG_SHOW_VFS | show},
	};

	return sock_diag_ask(&question, sizeof(question.unix_), each, bound);
}

ssize_t sock_diag_bound(dev_t dev, ino_t ino, ino_t *ret_inos, size_t most)
{
	/* The kernel's own form of a device: 20 bits of minor number below the major number. */
	struct bound bound = {.dev = major(dev) << 20 | minor(dev),
			      .ino = (unsigned)ino,
			      .inos = ret_inos,
			      .most = most};
	int r = ask_bound(&bound, take_bound, 0);

	qsort(bound.inos, bound.n, sizeof(*bound.inos), compare_inos);
	bound.n_own = bound.n;
	if (r == 0 && bound.n > 0)
		r = ask_bound(&bound, take_ends, UDIAG_SHOW_PEER | UDIAG_SHOW_ICONS);
	return r < 0 ? r : (ssize_t)bound.n;
}

static bool take_inet_peer(void *data, const struct nlmsghdr *answer)
{
	*(ino_t *)data = ((struct inet_diag_msg *)NLMSG_DATA(answer))->idiag_inode;
	return false;
}

/* Fills in the address and port of an end, in the form of sock_diag. */
static void fill_end(const union sock_diag_address *address, void *ret_address, __be16 *ret_port)
{
	if (address->any.sa_family == AF_INET6) {
		memcpy(ret_address, &address->v6.sin6_addr, sizeof(address->v6.sin6_addr));
		*ret_port = address->v6.sin6_port;
	} else {
		memcpy(ret_address, &address->v4.sin_addr, sizeof(address->v4.sin_addr));
		*ret_port = address->v4.sin_port;
	}
}

static int find_inet_peer(const struct sock_diag_ends *ends, ino_t *ret_ino)
{
	struct sock_diag_question question = {
		.inet = {.sdiag_family = (unsigned char)ends->here.any.sa_family,
			 .sdiag_protocol = (unsigned char)ends->protocol,
			 .idiag_states = ~0U,
			 .id.idiag_cookie = NO_COOKIE}};

	fill_end(&ends->there, question.inet.id.idiag_src, &question.inet.id.idiag_sport);
	fill_end(&ends->here, question.inet.id.idiag_dst, &question.inet.id.idiag_dport);
	return sock_diag_ask(&question, sizeof(question.inet), take_inet_peer, ret_ino);
}

int sock_diag_ends(int fd, struct sock_diag_ends *ret_ends)
{
	socklen_t size = sizeof(int), here_size = sizeof(ret_ends->here), there_size = here_size;
	struct stat attr;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &ret_ends->family, &size) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &ret_ends->protocol, &size) < 0 ||
	    fstat(fd, &attr) < 0)
		return -errno;
	ret_ends->ino = attr.st_ino;
	if (ret_ends->family != AF_UNIX && (getsockname(fd, &ret_ends->here.any, &here_size) < 0 ||
					    getpeername(fd, &ret_ends->there.any, &there_size) < 0))
		return -errno;
	return 0;
}

int sock_diag_peer(const struct sock_diag_ends *ends, ino_t *ret_ino)
{
	int r;

	*ret_ino = 0;
	r = ends->family == AF_UNIX ? find_unix_peer(ends, ret_ino) : find_inet_peer(ends, ret_ino);
	return r < 0 ? r : *ret_ino ? 0 : -ENOENT;
}
