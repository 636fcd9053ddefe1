// SPDX-License-Identifier: GPL-2.0-or-later
/* Attacks through sockets/: a socket whose last close waits, and endless lookups and listings. */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "tests/bench/attack.h"
#include "tests/bench/clock.h"
#include "tests/bench/must.h"

enum {
	N_KEPT = 200,
	N_NAMES = 60000,
	N_LISTINGS = 120,
	N_STATS = 1000000,
	N_ASKERS = 4,
	STATS_SECONDS = 10
};

/*
 * Makes a connection whose close waits for ten hours, because nobody reads the bytes that it holds.
 */
static int make_lingering(int listener, const struct sockaddr_in *address, int *ret_peer)
{
	const struct linger linger = {1, 36000};
	static char bytes[65536];
	int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	must(connect(fd, (const struct sockaddr *)address, sizeof(*address)));
	*ret_peer = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	return fd;
}

static bool send_descriptor(int socket, int fd)
{
	char byte = 'x', control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec part = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	return sendmsg(socket, &message, MSG_NOSIGNAL) >= 0;
}

static int listen_inet(struct sockaddr_in *ret_address)
{
	int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	socklen_t size = sizeof(*ret_address);

	*ret_address = (struct sockaddr_in){.sin_family = AF_INET,
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	must(bind(fd, (struct sockaddr *)ret_address, size));
	must(listen(fd, 16));
	must(getsockname(fd, (struct sockaddr *)ret_address, &size));
	return fd;
}

/*
 * The attacker's server sends such a socket to the daemon's end of a connection and closes its own
 * descriptor. The daemon then has the socket's last descriptor, which is closed when the daemon
 * reads the message or closes its end.
 */
void attack_linger(struct scene *scene)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	const struct linger none = {1, 0};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct sockaddr_in inet;
	int server = must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
	    listener = listen_inet(&inet);
	int kept[N_KEPT];
	char byte;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		 scene_path(scene, "sockets/evil"));
	must(bind(server, (struct sockaddr *)&address, sizeof(address)));
	must(listen(server, 16));
	memset(kept, -1, sizeof(kept));
	for (unsigned i = 0;; i++) {
		int *peer = &kept[i % N_KEPT], fd, ours, theirs;
		bool is_sent;

		if (*peer >= 0)
			close(*peer);
		ours = must(open(scene_mount(scene, "sockets/unix%s", address.sun_path),
				 O_RDWR | O_CLOEXEC));
		theirs = must(accept4(server, NULL, NULL, SOCK_CLOEXEC));
		fd = make_lingering(listener, &inet, peer);
		/* If the send was refused, the socket is closed here, without lingering. */
		is_sent = send_descriptor(theirs, fd);
		if (!is_sent)
			must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)));
		close(fd);
		attack_strike(scene);
		if (is_sent && i % 2 == 0 && read(ours, &byte, 1) < 0)
			nanosleep(&pause, NULL);
		close(ours);
		close(theirs);
		nanosleep(&pause, NULL);
	}
}

/*
 * Looks up names that need not exist. Measuring starts after a fifth of the lookups, or after
 * STATS_SECONDS.
 */
void attack_stats(struct scene *scene)
{
	double start = clock_now();
	struct stat attr;
	int asker;

	if (!attack_split(N_ASKERS, &asker))
		return;
	for (int i = 0; i < N_STATS / N_ASKERS; i++) {
		stat(scene_mount(scene, "sockets/tcp/h%d-%d/%d", asker, i, 1 + i % 65535), &attr);
		scene->n_blows++;
		if (scene->n_blows >= N_STATS / 5 || clock_now() - start > STATS_SECONDS)
			scene->has_begun = true;
	}
}

void attack_listings(struct scene *scene)
{
	char name[201];
	int i;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	must(mkdir(scene_path(scene, "sockets/many"), 0755));
	for (i = 0; i < N_NAMES; i++)
		must(mkdir(scene_path(scene, "sockets/many/%s-%05d", name, i), 0755));
	if (!attack_split(N_LISTINGS, &i))
		return;
	for (;;) {
		DIR *dir = opendir(scene_mount(scene, "sockets/unix%s/sockets/many", scene->dir));

		attack_strike(scene);
		if (!dir)
			continue;
		for (int n = 0; n < 100 && readdir(dir); n++)
			;
		sleep(1); /* an open listing takes memory */
		closedir(dir);
	}
}
