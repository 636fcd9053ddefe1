/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: read once, const after that.
 */
#ifndef IPCFS_OPTIONS_H
#define IPCFS_OPTIONS_H

#include <fuse_opt.h>
#include <stdbool.h>

#include "fs/mount_words.h"
#include "lib/host/host.h"

/* The servers of cluster/, and how to reach them. */
struct cluster_options {
	char *servers;   /* URLs, separated by commas, owned; NULL: there is no cluster/ */
	char *creds;     /* absolute path, owned; NULL: none */
	char *ca;        /* absolute path, owned; NULL: none */
	int64_t timeout; /* seconds; 0: no limit */
	bool has_timeout;
};

struct options {
	char *mount_point;        /* absolute, owned */
	struct fuse_args session; /* for libfuse and the kernel; owned */
	int is_foreground;
	int is_debug;
	int wants_help;
	int wants_version;
	int wants_status;  /* mount_point is then as given, and may be anything */
	int wants_replace; /* only have the ipcfs that is mounted there replaced */
	unsigned adopts;   /* only tell whether a state of this version can be adopted; 0: no */
	int adopt_fd;      /* the state of a mount to go on with (fs/supervisor_replace.h); 0: no */
	char *mounted;     /* that mount's mount_point; owned */
	int argc;          /* the command line as it was; borrowed */
	char **argv;
	char *config;         /* absolute path, owned; NULL: for root, the system's files */
	int is_config_strict; /* a fault in the file fails the mount */
	int is_remount;       /* only change the flags of the ipcfs that is mounted there */
	int ends_with_daemon; /* unmount even if the daemon is killed */
	/* Whether another daemon follows one that is killed: fs/supervisor.h. */
	enum {
		SUPERVISE_USUAL, /* unless the daemon is in the foreground */
		SUPERVISE_YES,
		SUPERVISE_NO,
	} supervise;
	struct mount_flags flags;
	int allows_others; /* allow_other was given */
	char *lasting;     /* options that no remount can change, as text (fs/in_force.h); owned */
	unsigned ipc_pid;  /* the process whose IPC namespace and /dev/shm are shown; 0: our own */
	unsigned spin;     /* how long to look for the next request before sleeping, microseconds */
	unsigned without;  /* 1 << enum feature: not used even if present */
	unsigned foreign;  /* 1 << NAMESPACE_*: serve callers of other namespaces of this sort */
	int64_t leak_idle; /* how long what is leaked has been unused, seconds */
	struct host_pipes pipes;
	struct cluster_options cluster;
	/* For each user; 0: the library's default. */
	unsigned max_channels, max_files, max_held, max_names;
};

/* Reads the command line. Fails with -EINVAL or -errno after a line on stderr that says why. */
int options_parse(struct options *ret_options, int argc, char **argv);
void options_fini(struct options *options);

void options_print_help(const char *program);
void options_print_version(void);

#endif
