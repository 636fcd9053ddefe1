// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sending signals.
 *
 * The kernel compares the sender's real and effective user with the target's real and saved one
 * (kernel/signal.c, kill_ok_by_cred), so entering the caller's effective ids is not enough, and a
 * thread of the daemon with a user's real id could itself be sent signals. The call is therefore
 * made by a process that is the caller (JOB_PROCESS), and keeps only the pidfd.
 *
 * That process is whose pid the target finds in si_pid, because the kernel lets nobody forge the
 * siginfo of kill(2): it is right about the user, and the pid is one that has ended, as after
 * /bin/kill. Calling it a value of 0 (SI_QUEUE) instead, where si_pid can be the opener's, would
 * change what programs do: some take SI_QUEUE for a command, and a real-time signal too many would
 * fail. A signal with a value is SI_QUEUE anyway, and has the opener's pid and uid.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/number.h"
#include "lib/channel/journal.h"
#include "lib/host/job.h"
#include "lib/kinds/signal/signal_names.h"
#include "lib/kinds/signal/signal_process.h"

/* The most signals that one process sends. */
#define ORDERS_MAX 128

/* One line. */
struct order {
	int number, has_value, value;
	unsigned end; /* where the next line begins */
};

struct sending {
	int fd; /* the pidfd */
	pid_t pid;
	uid_t uid;
	int n;
	/* The write, if these are all its lines: journal_accept(). */
	struct journal *journal;
	uint64_t request;
	struct order orders[ORDERS_MAX];
	/* Results. */
	int n_sent, error;
};

static int send_one(const struct sending *sending, const struct order *order)
{
	siginfo_t info = {.si_signo = order->number, .si_code = SI_QUEUE};

	info.si_pid = sending->pid;
	info.si_uid = sending->uid;
	info.si_value.sival_int = order->value;
	return syscall(SYS_pidfd_send_signal, sending->fd, order->number,
		       order->has_value ? &info : NULL, 0) < 0
		       ? -errno
		       : 0;
}

/* Never fails: the error is a result, so that job_run() does not take EAGAIN for a wait. */
static int send_act(void *data)
{
	struct sending *sending = data;

	while (sending->n_sent < sending->n) {
		sending->error = send_one(sending, &sending->orders[sending->n_sent]);
		if (sending->error < 0)
			break;
		sending->n_sent++;
	}
	if (sending->n_sent == sending->n)
		journal_accept(sending->journal, sending->request);
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Takes the next word off the line. */
static size_t next_word(const char **line, size_t *size, const char **ret_word)
{
	size_t length = 0;

	while (*size && is_blank(**line)) {
		++*line;
		--*size;
	}
	*ret_word = *line;
	while (length < *size && !is_blank((*line)[length]))
		length++;
	*line += length;
	*size -= length;
	return length;
}

/* The int of sigqueue(3), which may be negative. */
static int parse_value(const char *word, size_t length, int *ret_value)
{
	bool is_negative = length > 1 && *word == '-';
	uint64_t number;
	int r;

	r = number_parse(word + is_negative, length - is_negative, (uint64_t)INT_MAX + is_negative,
			 &number);
	if (r < 0)
		return -EINVAL;
	*ret_value = (int)(is_negative ? -(int64_t)number : (int64_t)number);
	return 0;
}

/* Returns 1 if the line is an order, 0 if it is empty, or -EINVAL. */
static int parse_line(const char *line, size_t size, struct order *order)
{
	const char *word;
	size_t length = next_word(&line, &size, &word);

	if (length == 0)
		return 0;
	order->number = signal_number(word, length);
	if (order->number < 0)
		return -EINVAL;
	length = next_word(&line, &size, &word);
	if (length == 0)
		return 1;
	order->has_value = 1;
	if (parse_value(word, length, &order->value) < 0 || next_word(&line, &size, &word) > 0)
		return -EINVAL;
	return 1;
}

/* Parses as many lines as one process may do. Fails with -EINVAL if the first is wrong. */
static int parse(const char *text, size_t size, struct sending *sending, size_t *ret_end)
{
	size_t at = 0;

	while (at < size && sending->n < ORDERS_MAX) {
		const char *newline = memchr(text + at, '\n', size - at);
		size_t end = newline ? (size_t)(newline - text) : size;
		struct order *order = &sending->orders[sending->n];
		int r = parse_line(text + at, end - at, order);

		if (r < 0) {
			memset(order, 0, sizeof(*order));
			return sending->n ? 0 : r;
		}
		at = newline ? end + 1 : end;
		if (r > 0)
			sending->n++;
		order->end = (unsigned)at;
		*ret_end = at;
	}
	return 0;
}

ssize_t process_write(struct process *process, struct caller *opener, const char *text, size_t size)
{
	struct sending sending;
	size_t end = 0;
	int r;

	if (size > NUMBERS_TEXT_MAX)
		return -EMSGSIZE;
	if (number_is_cut(text, size))
		return -EINVAL;
	memset(&sending, 0, sizeof(sending)); /* job_run() compares all of it */
	sending.fd = process->pidfd.source.fd;
	sending.journal = process->channel.space->host->journal;
	sending.pid = opener->pid;
	sending.uid = opener->uid;
	r = parse(text, size, &sending, &end);
	if (r < 0 || sending.n == 0)
		return r < 0 ? r : (ssize_t)end;
	if (end == size)
		sending.request = sending.journal->request;
	r = job_run(process->channel.space->host, opener,
		    &(struct job_call){.place = JOB_PROCESS,
				       .kept_fd = sending.fd,
				       .is_final = true,
				       .act = send_act,
				       .data = &sending,
				       .size = sizeof(sending),
				       .n_key = offsetof(struct sending, n_sent)});
	if (r < 0)
		return r;
	if (sending.n_sent == sending.n)
		return (ssize_t)end;
	if (sending.n_sent > 0)
		return sending.orders[sending.n_sent - 1].end;
	return sending.error == -EAGAIN ? -ENOBUFS : sending.error;
}
