// SPDX-License-Identifier: GPL-2.0-or-later
/* Threads share descriptors and maps without a plan: a thread may close what another is using. */
#include "tests/fuzz/calls/user.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

static const struct call *const tables[] = {
	open_calls, data_calls, name_calls, memory_calls, wait_calls,
};

const struct call *user_call_at(size_t i)
{
	for (size_t t = 0; t < N_ELEMENTS(tables); t++)
		for (const struct call *call = tables[t]; call->name; call++)
			if (i-- == 0)
				return call;
	return NULL;
}

long thread_count(struct thread *thread, long result)
{
	struct board *board = thread->user->place->board;

	thread->n_calls++;
	board->n_calls[thread->call]++;
	if (result >= 0)
		board->n_good[thread->call]++;
	return result;
}

int thread_descriptor(struct thread *thread)
{
	int fd = -1;

	for (int tries = 0; fd < 0 && tries < 8; tries++)
		fd = thread->user->descriptors[dice_roll(&thread->dice, N_DESCRIPTORS)];
	return fd;
}

void thread_keep(struct thread *thread, int fd)
{
	atomic_int *place = &thread->user->descriptors[dice_roll(&thread->dice, N_DESCRIPTORS)];

	if (fd < 0)
		return;
	fd = atomic_exchange(place, fd);
	if (fd >= 0)
		close(fd);
}

size_t thread_fill(struct thread *thread)
{
	static const char *const texts[] = {
		"1\n",  "0\n", "0 -1\n",  "0 -1 1 +1\n", "0 0\n",    "18446744073709551614\n",
		"-1\n", "x",   "hello\n", "TERM\n",      "0 1 0 -1", "99999999999999999999\n",
		" 2 ",  "\n",  "\0",
	};
	struct dice *dice = &thread->dice;
	const char *text = dice_pick(dice, texts);

	if (!dice_once_in(dice, 3)) {
		strcpy(thread->buffer, text);
		return strlen(text);
	}
	for (size_t i = 0; i < 64; i++)
		thread->buffer[i] = (char)dice_next(dice);
	return thread_size(thread);
}

size_t thread_size(struct thread *thread)
{
	static const size_t sizes[] = {0,    1,    2,    7,    8,    64,    100,
				       4095, 4096, 4097, 8192, 8193, 65536, BUFFER_SIZE};

	return dice_pick(&thread->dice, sizes);
}

off_t thread_offset(struct thread *thread)
{
	static const off_t offsets[] = {
		0,         0,       0,         1,         4095, 4096,  4097,      65536,
		1 << 20,   3 << 20, 1LL << 31, 1LL << 32, -1,   -4096, LLONG_MAX, LLONG_MAX - 4095,
		LLONG_MIN,
	};

	return dice_pick(&thread->dice, offsets);
}

static unsigned pick_call(struct thread *thread, unsigned n_calls)
{
	for (;;) {
		unsigned i = dice_roll(&thread->dice, n_calls);

		if (dice_roll(&thread->dice, WEIGHT_MOST) < user_call_at(i)->weight)
			return i;
	}
}

static void *run_thread(void *data)
{
	struct thread *thread = data;
	unsigned n_calls = 0;

	thread->tid = gettid();
	while (user_call_at(n_calls))
		n_calls++;
	for (;;) {
		thread->call = pick_call(thread, n_calls);
		user_call_at(thread->call)->make(thread);
	}
	return NULL;
}

static void interrupt(int signal)
{
}

static void limit(int resource, rlim_t most)
{
	const struct rlimit limits = {most, most};

	setrlimit(resource, &limits);
}

/* Gives up all of root's descriptors and rights. */
static void become(const struct place *place, uid_t uid)
{
	const struct sigaction interruption = {.sa_handler = interrupt};
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	close_range(3, ~0U, 0);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, 16 << 20);
	sigaction(SIGINT, &interruption, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGIO, SIG_IGN);
	signal(SIGURG, SIG_IGN);
	if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 ||
	    setresuid(uid, uid, uid) < 0 || chdir(place->mount) < 0)
		_exit(NO_MOUNT);
	/* Otherwise root would own its /proc/self. */
	prctl(PR_SET_DUMPABLE, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Sometimes interrupts blocked threads: those that have made no call since the last look. */
static _Noreturn void interrupt_blocked(struct user *user, struct dice *dice)
{
	const struct timespec pause = {.tv_nsec = 3000000};
	unsigned long seen[N_THREADS] = {0};

	for (;;) {
		nanosleep(&pause, NULL);
		for (int i = 0; i < N_THREADS; i++) {
			struct thread *thread = &user->threads[i];
			unsigned long n_calls = thread->n_calls;

			if (n_calls == seen[i] && thread->tid && dice_once_in(dice, 3))
				tgkill(getpid(), thread->tid, SIGINT);
			seen[i] = n_calls;
		}
	}
}

_Noreturn void user_run(const struct place *place, uint64_t seed, uid_t uid)
{
	static const mode_t masks[] = {022, 022, 0, 077, 0777};
	static struct user user;
	struct dice dice = {seed};

	user.place = place;
	become(place, uid);
	umask(dice_pick(&dice, masks));
	pthread_mutex_init(&user.maps_lock, NULL);
	for (int i = 0; i < N_DESCRIPTORS; i++)
		user.descriptors[i] = -1;
	for (int i = 0; i < N_THREADS; i++) {
		struct thread *thread = &user.threads[i];

		thread->user = &user;
		thread->dice.state = dice_next(&dice);
		thread->buffer = calloc(1, BUFFER_SIZE);
		if (!thread->buffer ||
		    pthread_create(&thread->pthread, NULL, run_thread, thread) != 0)
			_exit(101);
	}
	interrupt_blocked(&user, &dice);
}
