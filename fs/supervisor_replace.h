/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supervisor's part in "ipcfs --replace": it goes on as another executable.
 *
 * The file at the path from which the supervisor was started is run once, with the options of the
 * mount and --adopts=VERSION, to ask whether it can go on with the state of that version. It has to
 * say so in so many words. Then the daemon ends between two requests, and the supervisor executes
 * the same file with --adopt=FD in place of itself: it stays the same process, with the same
 * descriptors, one of which is the state.
 * What else the supervisor knows, it finds out anew. In all other cases nothing has happened.
 *
 * SIGUSR2 asks for this. SIGHUP asks for it where the file is another than the one that runs; the
 * daemon reads its configuration again in any case.
 */
#ifndef IPCFS_SUPERVISOR_REPLACE_H
#define IPCFS_SUPERVISOR_REPLACE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fs/executable.h"
#include "fs/options.h"
#include "fs/supervisor.h"

struct replacing {
	char path[PATH_MAX]; /* of the executable */
	char **argv;         /* for the next executable; owned, as all its strings but `last` */
	char last[32];       /* one of them: what the executable is to do */
	struct executable_id *file; /* the one that was asked, by `asked`, which shares this */
	pid_t daemon;   /* the one that is to end; not the state's word: it gets SIGKILL */
	pid_t asked;    /* the process that asks the executable; 0: none */
	int64_t until;  /* when it, or the daemon's end, takes too long; 0: not awaited */
	bool is_wanted; /* SIGUSR2 has come, and was not answered */
	bool reloads;   /* SIGHUP has come, and was not passed on to the daemon */
	bool is_due;    /* the daemon was told to end, and then the file is executed */
};

/* What an executable prints that can go on. Others know the options, too, or take any. */
#define REPLACE_ADOPTS "ipcfs can go on\n"

/* What becomes of SIGHUP. */
enum replace_next {
	REPLACE_WAIT,   /* nothing yet */
	REPLACE_RELOAD, /* it has to be passed on to the daemon */
};

/* Fails with -errno: nothing can be replaced. */
int replacing_init(struct replacing *replacing, const struct options *options);
/* All zeroes: does nothing. */
void replacing_fini(struct replacing *replacing);

/* Takes SIGUSR2 or SIGHUP. */
enum replace_next replacing_begin(struct replacing *replacing, struct supervisor_area *area,
				  int signal);
/* Takes the end of the process that was asked. `is_ending`: the mount was asked to end. */
enum replace_next replacing_answered(struct replacing *replacing, struct supervisor_area *area,
				     int status, bool is_ending);
/* How long to wait at most, in nanoseconds; -1: without limit. */
int64_t replacing_patience(const struct replacing *replacing);
/* Patience has ended. */
void replacing_late(struct replacing *replacing);

/*
 * Once the daemon has ended: executes the file, and does not return. If that fails, logs it; the
 * caller goes on as it is.
 */
void replacing_execute(struct replacing *replacing, struct supervisor_area *area, int state_fd);
/* For the next executable, once it has the state: all descriptors are as they were. */
void replacing_done(struct supervisor_area *area);

/*
 * An extended attribute of the mount's directories, for its owner and root: "pid=PID answers=N
 * version=VERSION answer=TEXT". How often the supervisor has been asked so far; and why the latest
 * answer was no; "" if it was yes.
 */
#define REPLACE_XATTR "system.ipcfs.supervisor"
#define REPLACE_SIZE  256 /* enough for the text */
void replace_text(const struct supervisor_area *area, char text[static REPLACE_SIZE]);

#endif
