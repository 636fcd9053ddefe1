// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a script pays for one message. A shell runs the command as often as asked. Nobody reads the
 * queue while the clock runs, so a batch is at most what the queue holds.
 */
#include <fcntl.h>
#include <mqueue.h>

#include "tests/bench/ends.h"
#include "tests/bench/must.h"
#include "tests/bench/work.h"

#define QUEUE "/bench-shell"

static const char script[] =
	"work() { %s; }; while read -r n; do for ((i = 0; i < n; i++)); do work; done; echo; done";

static void shell_open(struct ends *ends, const char *command)
{
	int orders[2], words[2];
	char text[512];

	snprintf(text, sizeof(text), script, command);
	must(pipe2(orders, O_CLOEXEC));
	must(pipe2(words, O_CLOEXEC));
	ends_run(ends, ROLE_CLIENT, (char *[]){"bash", "-c", text, NULL}, orders[0], words[1]);
	close(orders[0]);
	close(words[1]);
	ends->control = orders[1];
	ends->report = words[0];
}

static void program_open(struct ends *ends)
{
	shell_open(ends, "/bin/true");
}

static void echo_open(struct ends *ends)
{
	struct mq_attr attr = {.mq_maxmsg = QUEUE_MESSAGES, .mq_msgsize = 64};
	char command[160];

	ends->in = must(mq_open(QUEUE, O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600, &attr));
	snprintf(command, sizeof(command), "echo message >'%s'",
		 bench_mount(ends->bench, "queues" QUEUE));
	shell_open(ends, command);
}

static void echo_rewind(struct ends *ends)
{
	while (mq_receive(ends->in, ends->buffer, ends_capacity(ends), NULL) >= 0)
		;
	if (errno != EAGAIN)
		fail("mq_receive: %s", strerror(errno));
}

static void echo_close(struct ends *ends)
{
	(void)ends;
	mq_unlink(QUEUE);
}

/* The round of rows_pipes.c, done by a shell and cat(1). */
static void round_open(struct ends *ends, const char *path)
{
	char command[400];

	snprintf(command, sizeof(command), "echo message >'%s'; cat '%s' >/dev/null", path, path);
	shell_open(ends, command);
}

static void file_round_open(struct ends *ends)
{
	round_open(ends, bench_native(ends->bench, "file"));
}

static void file_round_close(struct ends *ends)
{
	must(unlink(bench_native(ends->bench, "file")));
}

static void pipe_round_open(struct ends *ends)
{
	bench_command(ends->bench, "create pipes/bench served=kernel");
	round_open(ends, bench_mount(ends->bench, "pipes/bench"));
}

static void pipe_round_close(struct ends *ends)
{
	must(unlink(bench_mount(ends->bench, "pipes/bench")));
}

static const struct row rows[] = {
	{"echo >queue, against starting a program", "queues", .unit = UNIT_MICROSECONDS,
	 .n_max = QUEUE_MESSAGES, .bound = BOUND_SPEED, .targets = {8, 8, 8},
	 .sides = {{"/bin/true", program_open, work_shell},
		   {"ipcfs", echo_open, work_shell, .rewind = echo_rewind, .close = echo_close}}},
	{"echo >pipe; cat pipe", "pipes", .unit = UNIT_MICROSECONDS, .is_kept = true,
	 .sides = {{"file, tmpfs", file_round_open, work_shell, .close = file_round_close},
		   {"ipcfs", pipe_round_open, work_shell, .close = pipe_round_close}}},
	{.work = NULL},
};

const struct group shell_group = {"shell", "One message from a shell", rows};
