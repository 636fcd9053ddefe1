/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs lines of ctl. If a line has to wait, say for a process of the caller, the call waits for it.
 */
#ifndef TESTS_UNIT_COMMANDS_H
#define TESTS_UNIT_COMMANDS_H

#include "lib/tree/command.h"
#include "tests/unit/fixture.h"

/* The spaces that commands know, in the order of host::spaces. */
enum { PIPES, QUEUES, SHM };

/* Why the last line was refused, or "". */
extern char command_fault[COMMAND_ERROR_MAX];

/* What the last line had to report, or "". */
extern char command_told[4096];

/* Opens the spaces. Call it before any command. */
void commands_open(void);

/* Runs a line as the caller. Returns 0 or -errno. */
int command_as(struct caller *caller, enum command_mode mode, const char *line);
/* The same as root, with COMMAND_STRICT. */
int command(const char *line);
/* The same for a line of `length` bytes. */
int command_of(const char *line, size_t length);

/* Expects the result `r` of a line to be -expected, and the line to be refused with this text. */
void command_expect_refused(int r, int expected, const char *text);
/* Expects the status of an object to have this value for the key. */
void command_expect_status(int space, const char *name, const char *key, const char *value);

/* Returns the attributes of an object. */
struct stat command_stat(int space, const char *name);

#endif
