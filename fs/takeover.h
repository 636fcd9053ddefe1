/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes a mount over from a daemon that has died, so that no client notices.
 *
 * The kernel keeps the mount and the requests for as long as somebody has /dev/fuse open: the
 * supervisor does. Asked to, it sends all requests again that were read and not answered, since
 * Linux 6.9. They come in no order, and are put into that of their numbers. libfuse needs an INIT
 * request before anything else, and the kernel sends that only once: it gets the recorded one, and
 * its answer goes to /dev/null.
 */
#ifndef IPCFS_TAKEOVER_H
#define IPCFS_TAKEOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct host;
struct options;
struct session;
struct state;

/* In STATE_SESSION: what the next daemon needs to know of the mount itself. */
struct takeover_area {
	int device;          /* /dev/fuse; valid once init_size is not 0 */
	int tree_fd, dir_fd; /* struct host_nodes; -1: none */
	uint32_t init_size;  /* bytes of `init`, written last */
	dev_t dev;           /* of the mount */
	int ipc_fd;          /* the IPC namespace that home_enter() has entered; 0: none */
	uint32_t n_lacking;  /* daemons in a row that lacked something in takeover_adopt() */
	char init[1024];     /* the INIT request */
};

/* A request that was read before others were answered. */
struct takeover_request {
	uint64_t key; /* their order */
	size_t size;  /* bytes */
	char *data;
	bool is_cut; /* there was memory only for the first bytes */
};

/* The key of an INTERRUPT: it comes after the request that it is about. */
#define TAKEOVER_KEY_LAST UINT64_MAX

/* All zeroes: nothing is to be taken over. */
struct takeover {
	struct takeover_request *requests; /* owned */
	size_t n_requests, n_room;
	uint64_t *again; /* the numbers of those that came again, in order; owned */
	size_t n_again;
};

/* The number of a request, from its header's `unique`: the kernel marks those that come again. */
uint64_t takeover_number(uint64_t unique);

/* Records the INIT request in session::buffer, which has not been answered yet. */
void takeover_note_init(struct session *session);
/* Where home_enter() notes the IPC namespace that the mount shows. */
int *takeover_ipc_fd(const struct session *session);
/* Records the clone of the mount (fs/tree.h), or that there is none any more. */
void takeover_note_tree(struct session *session);

/*
 * Closes the descriptors of the former daemon that no record names. To be called before the next
 * daemon opens anything. `keep` are the supervisor's.
 */
void takeover_sweep(struct state *state, const int *keep, size_t n_keep);

/* Takes over the tables of records before one gets any more. Fails with -EPROTO or -ENOMEM. */
int takeover_tables(struct session *session);

/* In place of mounting_mount(). Fails with -errno after a line in the log. */
int takeover_mount(struct session *session);

/* Unmounts, whether takeover_mount() has been called or not. */
void takeover_unmount(const struct session *session);

/*
 * Has the kernel send again what was not answered, and makes everything that the records tell of.
 * Fails with -errno after a line in the log, if the state can't be right, or if the next daemon may
 * have what this one lacks: nothing was answered.
 */
int takeover_adopt(struct session *session);

/*
 * Of takeover_adopt(): whether what can't be made, because of an error (-errno), is to be lost. It
 * is kept for the next daemon, if that may have the memory or the descriptors that this one lacks.
 */
bool takeover_may_lose(struct session *session, int error);
/*
 * Of takeover_adopt(): has the kernel send again what was not answered, and reads it. Fails with
 * -ENOMEM, or as the read does.
 */
int takeover_receive(struct session *session);
/*
 * Answers a request of which there is only the beginning: with the number of bytes that the former
 * daemon has accepted of a write, else with -ENOMEM.
 */
void takeover_answer_cut(struct session *session, const struct takeover_request *request);

/* Answers what has come meanwhile, in order. */
void takeover_answer(struct session *session);

void takeover_free(struct takeover *takeover);

#endif
