/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two of each sort where one is used all the time and the other waited for. All descriptors are
 * O_NONBLOCK but those of the processes that wait.
 */
#include "tests/mount/all_in_use.h"

#include <dirent.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"
#include "tests/mount/sockets.h"

enum { LONG = 10000 }; /* milliseconds */

static const char commands[] = "create pipes/p served=daemon\n"
			       "create pipes/w served=daemon\n"
			       "create pipes/k\n"
			       "create topics/t keep=10 full=wait\n"
			       "create topics/w\n"
			       "create queues/q\n"
			       "create queues/w\n"
			       "create sysv/queues/0x11\n"
			       "create sysv/sems/0x12 count=2 value=1\n"
			       "create sysv/shm/0x13 size=8K\n"
			       "create events/e\n"
			       "create events/w\n"
			       "create sems/s value=3\n"
			       "create shm/r size=8K\n";

/* What is open. */
static const char *const names[] = {
	"pipes/p",  "pipes/w",          "pipes/k",        "topics/t",      "topics/w",
	"queues/q", "queues/w",         "events/e",       "events/w",      "sems/s",
	"shm/r",    "sysv/queues/0x11", "sysv/sems/0x12", "sysv/shm/0x13",
};
enum { N_NAMES = sizeof(names) / sizeof(*names) };

static const char *const texts[] = {
	"README",          "ctl", "info/queues/q/status", "info/summary", "info/queues/q/tap",
	"info/pipes/p/tap"};
enum { N_TEXTS = sizeof(texts) / sizeof(*texts) };

static const char *const dirs[] = {"",     "pipes",  "topics",          "queues", "sysv/queues",
				   "sems", "events", "sockets/servers", "info",   "info/topics"};
enum { N_DIRS = sizeof(dirs) / sizeof(*dirs) };

static const char *const waited_for[] = {"pipes/w", "topics/w", "queues/w", "events/w"};
enum { N_READERS = sizeof(waited_for) / sizeof(*waited_for) };
enum { LOCKER = N_READERS, SERVER, USER, N_CHILDREN };

static int fds[N_NAMES], text_fds[N_TEXTS], connections[2];
static DIR *listings[N_DIRS];
static pid_t children[N_CHILDREN];

static int wait_to_read(void *name)
{
	char byte;
	int fd = open(ipc_path(name), O_RDONLY | O_CLOEXEC);

	return read(fd, &byte, 1) < 0;
}

static int wait_for_client(void *unused)
{
	return open(ipc_path("sockets/servers/s/accept"), O_RDWR | O_CLOEXEC) < 0;
}

static int wait_for_lock(void *unused)
{
	struct flock what = {.l_type = F_WRLCK};
	int fd = open(ipc_path("queues/q"), O_RDWR | O_CLOEXEC);

	return fcntl(fd, F_SETLKW, &what) < 0;
}

/* The results are of interest to nobody. */
static void exchange(int fd, const char *text)
{
	char buf[64];

	if (write(fd, text, strlen(text)) < 0)
		errno = 0;
	if (read(fd, buf, sizeof(buf)) < 0)
		errno = 0;
}

static _Noreturn int use_for_ever(void *unused)
{
	for (;;) {
		for (int i = 0; i < N_NAMES; i++)
			exchange(fds[i], "1\n");
		exchange(connections[0], "some bytes");
		exchange(connections[1], "some bytes");
	}
}

static void connect_to_server(void)
{
	must(mkdir(ipc_path("sockets/servers/s"), 0755));
	connections[0] = channel_open("sockets/servers/s/connect", O_RDWR);
	connections[1] = channel_open("sockets/servers/s/accept", O_RDWR);
	for (int i = 0; i < 2; i++)
		must(fcntl(connections[i], F_SETFL, O_NONBLOCK));
}

static void lock_one(void)
{
	struct flock what = {.l_type = F_WRLCK};

	must(fcntl(fds[5], F_SETLK, &what));
	must(flock(fds[7], LOCK_EX));
}

static void start_children(void)
{
	for (int i = 0; i < N_READERS; i++)
		children[i] = child_start(wait_to_read, (void *)waited_for[i]);
	children[LOCKER] = child_start(wait_for_lock, NULL);
	children[SERVER] = child_start(wait_for_client, NULL);
	for (int i = 0; i < N_READERS; i++)
		task_must_block(children[i], SYS_read);
	task_must_block(children[LOCKER], SYS_fcntl);
	task_must_block(children[SERVER], SYS_openat);
	children[USER] = child_start(use_for_ever, NULL);
}

void all_begin(void)
{
	look_command(commands);
	connect_to_server();
	for (int i = 0; i < N_NAMES; i++)
		fds[i] = channel_open(names[i], O_RDWR | O_NONBLOCK);
	for (int i = 0; i < N_TEXTS; i++)
		text_fds[i] = channel_open(texts[i], O_RDONLY | O_NONBLOCK);
	for (int i = 0; i < N_DIRS; i++) {
		listings[i] = opendir(ipc_path(dirs[i]));
		ck_assert_ptr_nonnull(listings[i]);
		ck_assert_ptr_nonnull(readdir(listings[i]));
	}
	for (int i = 0; i < 3; i++)
		must(write(fds[3], "message", 7));
	lock_one();
	start_children();
}

static void use_open(void)
{
	struct flock what = {.l_type = F_WRLCK};
	struct pollfd polled = {.events = POLLIN | POLLOUT};
	struct stat st;
	char buf[256];

	for (int i = 0; i < N_NAMES; i++) {
		exchange(fds[i], "1\n");
		polled.fd = fds[i];
		poll(&polled, 1, 0);
		fcntl(fds[i], F_GETLK, &what);
		flock(fds[i], LOCK_SH | LOCK_NB);
		(void)(fstat(fds[i], &st) < 0 || fchmod(fds[i], 0640) < 0);
	}
	exchange(connections[0], "some bytes");
	exchange(connections[1], "some bytes");
	for (int i = 0; i < N_TEXTS; i++)
		(void)!read(text_fds[i], buf, sizeof(buf));
	for (int i = 0; i < N_DIRS; i++)
		while (readdir(listings[i]))
			;
}

static void use_names(void)
{
	struct stat st;
	char buf[4096];

	for (int i = 0; i < N_NAMES + N_TEXTS; i++) {
		const char *name = i < N_NAMES ? names[i] : texts[i - N_NAMES];
		int fd = open(ipc_path(name), (i < N_NAMES ? O_RDWR : O_RDONLY) | O_NONBLOCK);

		(void)!lstat(ipc_path(name), &st);
		if (fd < 0)
			continue;
		if (i < N_NAMES)
			exchange(fd, "1\n");
		else
			(void)!read(fd, buf, sizeof(buf));
		close(fd);
	}
	for (int i = 0; i < N_DIRS; i++) {
		DIR *dir = opendir(ipc_path(dirs[i]));

		while (dir && readdir(dir))
			;
		if (dir)
			closedir(dir);
	}
}

static void change(void)
{
	static const char lines[] = "create queues/new\nset topics/t keep=5\n";
	int fd = open(ipc_path("ctl"), O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, lines, strlen(lines)) < 0)
		errno = 0;
	close(fd);
	(void)!rename(ipc_path("topics/t"), ipc_path("topics/moved"));
	(void)!rename(ipc_path("topics/moved"), ipc_path("topics/t"));
	(void)!unlink(ipc_path("queues/new"));
}

static int use(void *unused)
{
	use_open();
	use_names();
	change();
	return 0;
}

static bool ends(pid_t pid)
{
	return child_has_ended(pid, LONG);
}

bool all_use(void)
{
	pid_t pid = child_start(use, NULL);

	if (!ends(pid))
		return false;
	child_end(pid);
	return true;
}

bool all_end(void)
{
	static const char *const queues[] = {"/q", "/w", "/new"};
	bool have_ended = true;

	kill(children[USER], SIGKILL);
	for (int i = 0; i < N_CHILDREN; i++)
		have_ended = ends(children[i]) && have_ended;
	/* With its namespace a queue would go, too, but late: the user would run out of queues. */
	for (size_t i = 0; i < sizeof(queues) / sizeof(*queues); i++)
		mq_unlink(queues[i]);
	return have_ended;
}
