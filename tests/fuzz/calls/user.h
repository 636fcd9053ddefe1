/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process of an unprivileged user. Some threads make random calls on the descriptors and maps
 * that they share, and another thread interrupts those that are blocked.
 */
#ifndef TESTS_FUZZ_CALLS_USER_H
#define TESTS_FUZZ_CALLS_USER_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "tests/fuzz/calls/dice.h"
#include "tests/fuzz/calls/place.h"

enum { N_THREADS = 3, N_DESCRIPTORS = 24, N_MAPS = 6, BUFFER_SIZE = 128 << 10, PATH_SIZE = 6000 };

struct map {
	char *start;
	size_t size;
};

struct thread {
	struct user *user;
	struct dice dice;
	unsigned call; /* index of the call that it makes, for user_call_at() */
	pthread_t pthread;
	atomic_int tid;
	atomic_ulong n_calls;
	char *buffer; /* of BUFFER_SIZE bytes */
	char paths[3][PATH_SIZE];
	unsigned turn; /* index of the next of `paths` */
};

struct user {
	const struct place *place;
	pid_t parent;
	atomic_int descriptors[N_DESCRIPTORS]; /* or -1 */
	struct map maps[N_MAPS];
	pthread_mutex_t maps_lock;
	struct thread threads[N_THREADS];
};

/* A class of calls. Each file of calls has a table of them, ended by a NULL name. */
enum { WEIGHT_MOST = 4 };
struct call {
	const char *name;
	void (*make)(struct thread *thread);
	unsigned weight; /* up to WEIGHT_MOST */
};

extern const struct call open_calls[], data_calls[], name_calls[], memory_calls[], wait_calls[];

/* Turns this process into one of user `uid` that makes random calls until it is killed. */
_Noreturn void user_run(const struct place *place, uint64_t seed, uid_t uid);

/* Returns the class of calls that place->board counts at index `i`; NULL after the last. */
const struct call *user_call_at(size_t i);

/* Makes a system call, and counts it. */
#define make_call(thread, number, ...) \
	thread_count(thread, syscall(number __VA_OPT__(, ) __VA_ARGS__))
long thread_count(struct thread *thread, long result);

/* Returns some descriptor of the process, or -1. */
int thread_descriptor(struct thread *thread);
/* Returns a descriptor that may be of shared memory. The caller owns it. */
int thread_region(struct thread *thread);
/* Takes ownership of `fd`, which replaces another descriptor; that one is closed. Ignores -1. */
void thread_keep(struct thread *thread, int fd);
/* Puts something into the buffer, and returns its length. */
size_t thread_fill(struct thread *thread);
size_t thread_size(struct thread *thread);
off_t thread_offset(struct thread *thread);

#endif
