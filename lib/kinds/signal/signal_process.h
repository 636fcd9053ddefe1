/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes of signals/. Private to lib/kinds/signal.
 *
 * A pid is a number that the kernel gives away again. So a process that somebody has open is held
 * by a pidfd, and one that was only looked up is known by when it began and by the number of its
 * pidfd's inode, which the kernel never uses twice (FEATURE_PIDFS).
 */
#ifndef IPCFS_SIGNAL_PROCESS_H
#define IPCFS_SIGNAL_PROCESS_H

#include <uthash.h>

#include "lib/channel/channel.h"
#include "lib/channel/readiness.h"

/* Which of the processes that had the same pid. */
struct process_identity {
	uint64_t started; /* clock ticks since boot; 0: /proc does not tell */
	uint64_t ino;     /* of the pidfd; 0: that does not tell processes apart */
};

struct process {
	struct channel channel;
	pid_t pid;
	struct process_identity identity;
	uid_t uid; /* the owner, as /proc/PID shows it */
	gid_t gid;
	struct timespec started;
	struct readiness pidfd; /* open while the channel is */
	int64_t died;           /* when the process was found dead, as clock_now(); 0: not yet */
	struct process *prev, *next; /* process_space::dying */
	UT_hash_handle hh;           /* process_space::processes */
};

struct process_space {
	struct space space;
	struct process *processes; /* those that somebody refers to, by pid */
	int proc_fd;               /* /proc */
	/*
	 * Processes that are dead but not reaped, in the order in which that was noticed, and the
	 * timerfd for the first.
	 */
	struct process *dying;
	struct loop_source clock;
};

/* signal.c */
struct process *process_from(struct channel *channel);
struct process_space *process_space_from(struct space *space);

/*
 * signal_process.c. Opens a pidfd, and tells which process it is. Fails with -ENOENT if the number
 * is not that of a process: of a thread, for example.
 */
int process_open(const struct process_space *space, pid_t pid,
		 struct process_identity *ret_identity);

/* Whether the process has not been reaped. */
bool process_is_there(int pidfd);

/* Whether the identity, of a process that has not been reaped, is that of `process`. */
static inline bool process_is(const struct process *process,
			      const struct process_identity *identity)
{
	int pidfd = process->pidfd.source.fd;

	return process->identity.started == identity->started &&
	       process->identity.ino == identity->ino &&
	       (identity->ino || pidfd < 0 || process_is_there(pidfd));
}

/* Whether the name is a number such as processes have. */
bool process_is_name(const char *name);

/*
 * Finds the process of that name. The caller owns the reference. Fails with -ENOENT if /proc does
 * not show it to the caller, and with -EPERM if it does not show more than that (hidepid=1).
 */
int process_find(struct process_space *space, const char *name, struct caller *caller,
		 struct channel **ret_channel);

/* Makes a process, and enters it in the table. Gives a reference. Fails with -ENOMEM. */
int process_new(struct process_space *space, pid_t pid, const struct process_identity *identity,
		struct process **ret_process);

/* Takes the process out of the table, where a later one may have its pid. */
void process_forget(struct process *process);

/* Reads a file of /proc/PID into `text`, whole if it fits, and ends it with a NUL. */
int process_read(const struct process_space *space, pid_t pid, const char *name, char *text,
		 size_t size);

/* space_ops::list: the processes that /proc shows to the caller. May be a job. */
int process_list(struct space *space, struct caller *caller, space_entry_fn *entry, void *data);

/* signal_end.c. The longest text: "killed RTMIN+15 core\n". */
#define PROCESS_END 32

/* That of wait(2) is never negative. */
#define PROCESS_END_UNKNOWN (-1)

/*
 * Finds out how the process has ended: its status as of wait(2), or PROCESS_END_UNKNOWN. Returns 0;
 * or -EAGAIN if it has not, or if the kernel may tell that soon. Then channel_wake() follows.
 */
int process_end(struct process *process, int *ret_status);
/* Writes that as a text, and returns the length. */
size_t process_end_print(int status, char text[static PROCESS_END]);

/* Stops waiting for the end of the process. */
void process_end_forget(struct process *process);

/* Makes and frees the clock. process_end_init() fails with -EMFILE, -ENFILE or -ENOMEM. */
int process_end_init(struct process_space *space);
void process_end_fini(struct process_space *space);

/* signal_adopt.c: for struct channel_ops. */
void process_save(struct channel *channel, struct object_record *record);
int process_adopt(struct space *space, struct object_record *record, struct channel **ret_channel);

/* signal_send.c: channel_ops::write, with the opener's rights. */
ssize_t process_write(struct process *process, struct caller *opener, const char *text,
		      size_t size);

/* signal_status.c: channel_ops::status. */
void process_status(struct channel *channel, struct caller *caller, struct row *row);

#endif
