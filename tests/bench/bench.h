/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run: the mount that is measured, and how thoroughly it is measured.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* The highest limit of messages with which a queue can be created. */
#define QUEUE_MESSAGES 256

struct bench {
	const char *program; /* the ipcfs program */
	const char *options; /* mount options, or NULL */
	char dir[64];        /* our own tmpfs */
	char mount[80];      /* below `dir` */
	pid_t started;       /* the supervisor, or the daemon if there is none */
	pid_t daemon;
	bool is_quick;
	const char *filter; /* only rows whose group or work contains this; NULL: all */
	FILE *csv;          /* or NULL */
	FILE *attacks_csv;  /* or NULL */
};

/*
 * Return `path` below the mount, or below the tmpfs. The result is valid until the eighth later
 * call of either function.
 */
const char *bench_mount(const struct bench *bench, const char *path);
const char *bench_native(const struct bench *bench, const char *path);

/*
 * Mounts a second time with the same options, for a daemon that has done nothing yet; and ends that
 * daemon.
 */
void bench_fresh(struct bench *ret_fresh, const struct bench *bench);
void bench_end_fresh(struct bench *fresh);

/* Whether the mount has the directory of this kind. True if `kind` is NULL. */
bool bench_has_kind(const struct bench *bench, const char *kind);

/* Whether the mount keeps FIFOs. If not, the daemon serves its pipes. */
bool bench_keeps_fifos(const struct bench *bench);

/* Writes a line to the mount's ctl, such as "create pipes/x". */
void bench_command(const struct bench *bench, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
