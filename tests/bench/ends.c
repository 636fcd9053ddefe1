// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every helper process is killed when its parent ends.
 */
#include "tests/bench/ends.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/bench/must.h"

#define CAPACITY_LEAST ((size_t)8192)

size_t ends_capacity(const struct ends *ends)
{
	return ends->row->size > CAPACITY_LEAST ? ends->row->size : CAPACITY_LEAST;
}

void ends_open(struct ends *ends, const struct bench *bench, const struct row *row, int side)
{
	*ends = (struct ends){
		.bench = bench,
		.row = row,
		.out = -1,
		.in = -1,
		.peer_in = -1,
		.peer_out = -1,
		.control = -1,
		.report = -1,
		.send = write,
		.receive = read,
	};
	ends->buffer = aligned_alloc(4096, (ends_capacity(ends) + 4095) & ~(size_t)4095);
	if (!ends->buffer)
		fail("out of memory");
	memset(ends->buffer, 'x', ends_capacity(ends));
	if (row->sides[side].open)
		row->sides[side].open(ends);
}

static void close_once(int *fds[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int fd = *fds[i];

		if (fd < 0)
			continue;
		close(fd);
		for (size_t k = i; k < n; k++)
			if (*fds[k] == fd)
				*fds[k] = -1;
	}
}

void ends_close(struct ends *ends, int side)
{
	int *fds[] = {&ends->out,      &ends->in,      &ends->peer_in,
		      &ends->peer_out, &ends->control, &ends->report};

	for (size_t i = 0; i < ends->n_processes; i++) {
		if (ends->processes[i].is_borrowed)
			continue;
		kill(ends->processes[i].pid, SIGKILL);
		must(waitpid(ends->processes[i].pid, NULL, 0));
	}
	if (ends->map)
		munmap(ends->map, ends->row->size);
	close_once(fds, sizeof(fds) / sizeof(fds[0]));
	if (ends->row->sides[side].close)
		ends->row->sides[side].close(ends);
	free(ends->buffer);
}

static void ends_add(struct ends *ends, enum role role, pid_t pid)
{
	assert(ends->n_processes < sizeof(ends->processes) / sizeof(ends->processes[0]));
	ends->processes[ends->n_processes++] = (struct process){.pid = pid, .role = role};
}

void ends_borrow(struct ends *ends, enum role role, pid_t pid)
{
	ends_add(ends, role, pid);
	ends->processes[ends->n_processes - 1].is_borrowed = true;
}

void ends_fork(struct ends *ends, enum role role, void (*body)(struct ends *ends))
{
	pid_t pid = must(fork());

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		body(ends);
		_exit(0);
	}
	ends_add(ends, role, pid);
}

void ends_run(struct ends *ends, enum role role, char *const argv[], int in, int out)
{
	pid_t pid = must(fork());

	if (pid == 0) {
		int null = must(open("/dev/null", O_RDWR));

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		must(dup2(in < 0 ? null : in, STDIN_FILENO));
		must(dup2(out < 0 ? null : out, STDOUT_FILENO));
		must(close_range(STDERR_FILENO + 1, ~0U, 0));
		execvp(argv[0], argv);
		fail("%s: %s", argv[0], strerror(errno));
	}
	ends_add(ends, role, pid);
}

static void echo(struct ends *ends)
{
	for (;;) {
		ssize_t n = ends->receive(ends->peer_in, ends->buffer, ends_capacity(ends));

		if (n <= 0 || ends->send(ends->peer_out, ends->buffer, (size_t)n) != n)
			fail("%s: the other end: %s", ends->row->work, strerror(errno));
	}
}

void ends_echo(struct ends *ends)
{
	ends_fork(ends, ROLE_OTHER_END, echo);
}

/* The helper's ends of its two pipes. */
struct helper {
	int orders, words;
};

/*
 * The helper of ends_sink(). It gets orders: numbers of bytes to read. It reports when all bytes of
 * an order have arrived.
 */
static void sink(struct ends *ends)
{
	const struct helper *helper = ends->state;
	uint64_t order;

	while (read(helper->orders, &order, sizeof(order)) == sizeof(order)) {
		for (uint64_t done = 0; done < order;) {
			ssize_t n = read(ends->peer_in, ends->buffer, ends_capacity(ends));

			if (n <= 0)
				fail("%s: the other end: %s", ends->row->work,
				     n ? strerror(errno) : "end of file");
			done += (uint64_t)n;
		}
		must(write(helper->words, "", 1));
	}
}

void ends_sink(struct ends *ends)
{
	int orders[2], words[2];
	struct helper helper;

	must(pipe2(orders, O_CLOEXEC));
	must(pipe2(words, O_CLOEXEC));
	helper = (struct helper){.orders = orders[0], .words = words[1]};
	ends->state = &helper;
	ends_fork(ends, ROLE_OTHER_END, sink);
	ends->state = NULL;
	close(helper.orders);
	close(helper.words);
	ends->control = orders[1];
	ends->report = words[0];
}

void ends_open_there(struct ends *ends, const char *path)
{
	ends->peer_in = must(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
	ends->out = must(open(path, O_WRONLY | O_CLOEXEC));
	must(fcntl(ends->peer_in, F_SETFL, 0));
}

void ends_open_back(struct ends *ends, const char *path)
{
	ends->in = must(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
	ends->peer_out = must(open(path, O_WRONLY | O_CLOEXEC));
	must(fcntl(ends->in, F_SETFL, 0));
}
