/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run: the mount that is measured, and how thoroughly.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* A queue may hold so many, if it is made for it. */
#define QUEUE_MESSAGES 256

struct bench {
	const char *program; /* ipcfs */
	const char *options; /* of the mount, or NULL */
	char dir[64];        /* a tmpfs of our own */
	char mount[80];      /* below it */
	pid_t daemon;
	bool is_quick;
	const char *filter; /* only rows whose group or work has this in it; NULL: all */
	FILE *csv;          /* or NULL */
	FILE *attacks_csv;  /* or NULL */
};

/* PATH of the mount or of the tmpfs; good until eight later calls of either. */
const char *bench_mount(const struct bench *bench, const char *path);
const char *bench_native(const struct bench *bench, const char *path);

/* A second mount like the first, with a daemon that has done nothing yet; and its end. */
void bench_fresh(struct bench *ret_fresh, const struct bench *bench);
void bench_end_fresh(struct bench *fresh);

/* Is this directory in the mount? */
bool bench_has_kind(const struct bench *bench, const char *kind);

/* Does the mount keep FIFOs? Else its pipes are served by the daemon. */
bool bench_keeps_fifos(const struct bench *bench);

/* Writes a line to the mount's ctl: "create pipes/x". */
void bench_command(const struct bench *bench, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
