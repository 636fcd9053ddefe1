/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of ctl, run to their end: one that has to wait for a process of the caller is waited for.
 */
#ifndef TESTS_UNIT_COMMANDS_H
#define TESTS_UNIT_COMMANDS_H

#include "lib/tree/command.h"
#include "tests/unit/fixture.h"

/* The spaces that commands know, in the order of host::spaces. */
enum { PIPES, QUEUES, SHM };

/* Why the last line was refused, or "". */
extern char command_fault[COMMAND_ERROR_MAX];

/* Opens the spaces. Call it before any command. */
void commands_open(void);

int command_as(struct caller *caller, enum command_mode mode, const char *line);
/* As root, strictly; command_of() takes a line of this many bytes. */
int command(const char *line);
int command_of(const char *line, size_t length);

/* Expects this refusal, and expects this value in an object's status. */
void command_expect_refused(int r, int expected, const char *text);
void command_expect_status(int space, const char *name, const char *key, const char *value);

/* Returns the attributes of an object. */
struct stat command_stat(int space, const char *name);

#endif
