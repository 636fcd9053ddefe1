// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a process does with signals, from /proc/PID/status. The kernel writes that file without
 * waiting for the process: it takes no lock that a user can hold (unlike maps or cmdline).
 *
 * The lookup has found that the caller may read it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/signal/signal_names.h"
#include "lib/kinds/signal/signal_process.h"

/* Enough for all but the longest lists of groups and processors, which come after the signals. */
#define STATUS_SIZE (1 << 20)

/* Returns what follows "\nKEY:" and the blanks in `text`, or "". */
static const char *value_of(const char *text, const char *key)
{
	const char *found = strstr(text, key);

	if (!found)
		return "";
	found += strlen(key);
	return found + strspn(found, " \t");
}

/* Undoes the kernel's escapes: "\n" as a backslash and an n, and two backslashes. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from == '\\' && from[1])
			*to++ = *++from == 'n' ? '\n' : *from;
		else
			*to++ = *from;
	}
	*to = '\0';
}

static void add_command(struct row *row, const char *text)
{
	const char *name = value_of(text, "Name:");
	char command[64];
	size_t length = strcspn(name, "\n");

	if (length >= sizeof(command))
		length = sizeof(command) - 1;
	memcpy(command, name, length);
	command[length] = '\0';
	unescape(command);
	row_add_text(row, "command", command);
}

/* The kernel's words: "S (sleeping)". */
static const char *state_word(char letter)
{
	static const char *const words[] = {"R running", "S sleeping", "D blocked",
					    "T stopped", "t traced",   "Z zombie",
					    "X dead",    "I idle",     "P parked"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i][0] == letter)
			return words[i] + 2;
	return "unknown";
}

static uint64_t set_of(const char *text, const char *key)
{
	return strtoull(value_of(text, key), NULL, 16);
}

static void add_set(struct row *row, const char *key, uint64_t set)
{
	char list[SIGNAL_LIST];

	row_add_text(row, key, signal_list(set, list));
}

/* Reads the status of this very process, and not of a later one with its pid. */
static int read_status(struct process *process, char text[static STATUS_SIZE])
{
	const struct process_space *space = process_space_from(process->channel.space);
	struct process_identity identity;
	CLEANUP_FD int fd = process_open(space, process->pid, &identity);
	int r = fd < 0 ? fd : process_read(space, process->pid, "status", text, STATUS_SIZE);

	if (r == 0 && (!process_is(process, &identity) || !process_is_there(fd)))
		r = -ESRCH;
	return r;
}

void process_status(struct channel *channel, struct caller *caller, struct row *row)
{
	struct process *process = process_from(channel);
	CLEANUP_FREE char *text = malloc(STATUS_SIZE);

	if (!text || read_status(process, text) < 0)
		return;
	add_command(row, text);
	row_add_number(row, "pid", (uint64_t)process->pid);
	row_add_word(row, "state", state_word(*value_of(text, "\nState:")));
	row_add_number(row, "threads", strtoul(value_of(text, "\nThreads:"), NULL, 10));
	row_add_time(row, "started", &process->started);
	add_set(row, "pending", set_of(text, "\nSigPnd:") | set_of(text, "\nShdPnd:"));
	add_set(row, "blocked", set_of(text, "\nSigBlk:"));
	add_set(row, "ignored", set_of(text, "\nSigIgn:"));
	add_set(row, "caught", set_of(text, "\nSigCgt:"));
}
