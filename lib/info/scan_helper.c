// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each message to the helper carries two descriptors, and starts one watcher.
 */
#include "lib/info/scan_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/info/scan_watch.h"

/*
 * The most watchers that the helper has at a time. That is more than the daemon asks for, because a
 * watcher lives until what it has killed has ended, which may take a moment. If watchers never end,
 * no more are started.
 */
#define CHILDREN_MOST 16

/* The two descriptors of a message. */
union rights {
	struct cmsghdr header;
	char space[CMSG_SPACE(2 * sizeof(int))];
};

/* The helper's side. */

static void do_nothing(int signal)
{
}

/* Leaves only the socket open, as descriptor 3: a process that hangs keeps nothing else open. */
static void forget_daemon(int fd)
{
	const struct sigaction on_child = {.sa_handler = do_nothing};
	sigset_t blocked;
	int null;

	/*
	 * A signal to a whole service, or from a terminal, is meant for the daemon, and this ends
	 * when the daemon does.
	 */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigaction(SIGCHLD, &on_child, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	dup2(fd, STDERR_FILENO + 1);
	close_range(STDERR_FILENO + 2, ~0U, 0);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = 0; null >= 0 && i <= STDERR_FILENO; i++)
		dup2(null, i);
	if (null > STDERR_FILENO + 1)
		close(null);
	if (chdir("/") < 0)
		_exit(1);
}

/* Waits for a message, and reaps children meanwhile. Returns false if the daemon is gone. */
static bool receive(int fd, unsigned *n_children, int *ret_fds)
{
	char byte;
	union rights rights = {{0}};
	struct iovec text = {&byte, 1};
	struct msghdr message = {.msg_iov = &text,
				 .msg_iovlen = 1,
				 .msg_control = &rights,
				 .msg_controllen = sizeof(rights)};
	struct pollfd daemon = {.fd = fd, .events = POLLIN};
	sigset_t none;

	sigemptyset(&none);
	do
		while (waitpid(-1, NULL, WNOHANG) > 0)
			--*n_children;
	while (ppoll(&daemon, 1, NULL, &none) < 0 && errno == EINTR);
	if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) <= 0 ||
	    rights.header.cmsg_len != CMSG_LEN(2 * sizeof(int)))
		return false;
	memcpy(ret_fds, CMSG_DATA(&rights.header), 2 * sizeof(int));
	return true;
}

static void run(int fd, pid_t daemon)
{
	unsigned n_children = 0;
	int fds[2];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != daemon)
		_exit(0);
	while (receive(fd, &n_children, fds)) {
		pid_t helper = getpid();
		pid_t pid = n_children < CHILDREN_MOST ? fork() : -1;

		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(fd);
			if (getppid() == helper)
				scan_watch(fds[0], fds[1]);
			_exit(0);
		}
		n_children += pid > 0;
		close(fds[0]);
		close(fds[1]);
	}
	_exit(0);
}

/* The daemon's side. */

int scan_helper_start(struct scan_helper *helper)
{
	pid_t daemon = getpid();
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		forget_daemon(ends[1]);
		run(STDERR_FILENO + 1, daemon);
	}
	close(ends[1]);
	if (pid < 0) {
		int r = -errno;

		close(ends[0]);
		return r;
	}
	*helper = (struct scan_helper){.fd = ends[0], .pid = pid};
	return 0;
}

/* When killed, the helper is gone at once: it never sleeps where signals do not reach. */
void scan_helper_end(struct scan_helper *helper)
{
	if (!helper->pid)
		return;
	close(helper->fd);
	kill(helper->pid, SIGKILL);
	while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	*helper = (struct scan_helper){0};
}

static int send_rights(int fd, int daemon, int memory)
{
	const int fds[2] = {daemon, memory};
	union rights rights = {.header = {.cmsg_len = CMSG_LEN(sizeof(fds)),
					  .cmsg_level = SOL_SOCKET,
					  .cmsg_type = SCM_RIGHTS}};
	struct iovec text = {"", 1};
	const struct msghdr message = {.msg_iov = &text,
				       .msg_iovlen = 1,
				       .msg_control = &rights,
				       .msg_controllen = sizeof(rights)};

	memcpy(CMSG_DATA(&rights.header), fds, sizeof(fds));
	return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int scan_helper_send(struct scan_helper *helper, int daemon, int memory)
{
	int r = helper->pid ? send_rights(helper->fd, daemon, memory) : -EPIPE;

	if (r != -EPIPE && r != -ECONNRESET)
		return r;
	scan_helper_end(helper);
	r = scan_helper_start(helper);
	return r < 0 ? r : send_rights(helper->fd, daemon, memory);
}
