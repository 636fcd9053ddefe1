/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line, read once and const from then on.
 */
#ifndef IPCFS_OPTIONS_H
#define IPCFS_OPTIONS_H

#include <fuse_opt.h>

#include "fs/mount_words.h"
#include "lib/host/host.h"

struct options {
	char *mount_point;        /* absolute; owned */
	struct fuse_args session; /* what libfuse and the kernel are to know; owned */
	int is_foreground;
	int is_debug;
	int wants_help;
	int wants_version;
	char *config;         /* path, absolute; NULL: the system's, if it is root's mount; owned */
	int is_config_strict; /* a fault in it fails the mount */
	int is_remount;       /* what is mounted there gets other flags, and that is all */
	int ends_with_daemon; /* the mount, even if the daemon is killed */
	struct mount_flags flags;
	unsigned ipc_pid; /* whose IPC namespace and /dev/shm to show; 0: our own */
	unsigned spin;    /* how long to look for the next request before sleeping, microseconds */
	unsigned without; /* 1 << enum feature: what is not to be used though it may be there */
	unsigned foreign; /* struct namespaces: whose callers are served all the same */
	struct host_pipes pipes;
	/* For each user; 0: as the library has it. */
	unsigned max_channels, max_files, max_held, max_names;
};

/* Reads the command line. -EINVAL or -errno after a line on stderr that says what was wrong. */
int options_parse(struct options *ret_options, int argc, char **argv);
void options_fini(struct options *options);

void options_print_help(const char *program);

#endif
