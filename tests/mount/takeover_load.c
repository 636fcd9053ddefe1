/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each body is a loop of one or two system calls. What a reader got is noted before it asks for
 * more.
 */
#include "tests/mount/takeover_load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

struct load_state *load_state;

void *load_share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ck_assert_ptr_ne(memory, MAP_FAILED);
	return memory;
}

int load_fail(struct load_model *model, const char *call)
{
	int error = errno ? errno : EIO, none = 0;

	/* The names of calls are constants, so every process finds them at the same place. */
	if (atomic_compare_exchange_strong(&model->error, &none, error))
		model->failed = call;
	return error;
}

static int open_model(struct load_model *model, int flags)
{
	int fd = open(ipc_path(model->name), flags | O_CLOEXEC);

	if (fd < 0)
		load_fail(model, "open");
	return fd;
}

static int send_numbers(void *arg)
{
	const struct load_role *role = arg;
	struct load_model *model = role->model;
	struct load_message message = {.writer = (unsigned int)role->which};
	int fd = open_model(model, O_WRONLY);

	if (fd < 0)
		return 1;
	while (!load_state->is_over && message.number < LOAD_NUMBERS - 1) {
		message.number++;
		errno = 0;
		if (write(fd, &message, sizeof(message)) != sizeof(message))
			return load_fail(model, "write");
		model->n_sent[role->which]++;
		if (model->is_fast)
			nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
	}
	return 0;
}

/* Whether the message is one that a writer has sent, and the next of this writer's. */
static bool is_right(const struct load_model *model, const struct load_message *message,
		     unsigned int last[LOAD_WRITERS])
{
	unsigned int *previous = &last[message->writer];

	if (!message->number || message->number >= LOAD_NUMBERS ||
	    message->number > model->n_sent[message->writer] + 1)
		return false;
	if (message->number <= *previous && !model->may_double)
		return false;
	if (model->to_all && message->number != *previous + 1)
		return false;
	*previous = message->number;
	return true;
}

static int take_numbers(void *arg)
{
	const struct load_role *role = arg;
	struct load_model *model = role->model;
	unsigned int last[LOAD_WRITERS] = {0};
	struct load_message message;
	int fd = open_model(model, O_RDONLY);

	if (fd < 0)
		return 1;
	model->given++; /* is open */
	for (;;) {
		size_t i;

		errno = 0;
		if (read(fd, &message, sizeof(message)) != sizeof(message))
			return load_fail(model, "read");
		if (message.writer == LOAD_WRITERS)
			return 0;
		errno = EBADMSG;
		if (message.writer > LOAD_WRITERS || !is_right(model, &message, last))
			return load_fail(model, "what was read");
		i = (size_t)message.writer * LOAD_NUMBERS + message.number;
		if (model->to_all)
			i += (size_t)role->which * LOAD_WRITERS * LOAD_NUMBERS;
		model->n_twice += model->seen[i]++ > 0;
		model->n_read++;
	}
}

static int give_units(void *arg)
{
	const struct load_role *role = arg;
	struct load_model *model = role->model;
	int fd = open_model(model, O_RDWR);
	int most = strstr(model->name, "sems") ? 1 : 7; /* a reader takes one unit a time */
	char line[16];

	for (int n = 1; fd >= 0 && !load_state->is_over; n = n % most + 1) {
		snprintf(line, sizeof(line), "%d\n", n);
		errno = 0;
		model->given += n;
		if (write(fd, line, strlen(line)) != (ssize_t)strlen(line))
			return load_fail(model, "write");
	}
	return 0;
}

static int take_units(void *arg)
{
	const struct load_role *role = arg;
	struct load_model *model = role->model;
	int fd = open_model(model, O_RDWR);
	char line[32];
	ssize_t n;

	while (fd >= 0) {
		errno = 0;
		n = read(fd, line, sizeof(line) - 1);
		if (n < 0 && errno == EINTR)
			return 0; /* the test has ended it */
		if (n <= 0)
			return load_fail(model, "read");
		line[n] = '\0';
		model->taken += strtoll(line, NULL, 10);
		model->n_read++;
	}
	return 0;
}

/* Two processes never hold the lock at the same time. */
static int lock_and_look(void *arg)
{
	const struct load_role *role = arg;
	struct load_model *model = role->model;
	int fd = open_model(model, O_RDWR);
	struct flock what = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	bool is_record = strstr(model->name, "events") != NULL;

	while (fd >= 0 && !load_state->is_over) {
		what.l_type = F_WRLCK;
		errno = 0;
		if ((is_record ? fcntl(fd, F_SETLKW, &what) : flock(fd, LOCK_EX)) < 0)
			return load_fail(model, "lock");
		errno = EBUSY;
		if (model->inside++ != 0)
			return load_fail(model, "a lock was granted twice");
		model->n_read++;
		sched_yield();
		model->inside--;
		what.l_type = F_UNLCK;
		errno = 0;
		if ((is_record ? fcntl(fd, F_SETLK, &what) : flock(fd, LOCK_UN)) < 0)
			return load_fail(model, "unlock");
	}
	return 0;
}

/* A counter in mapped memory, which pread(2) must see at once. */
static int count_in_memory(void *arg)
{
	const struct load_role *role = arg;
	struct load_model *model = role->model;
	size_t place = (size_t)role->which * 64;

	while (!load_state->is_over) {
		int fd = open_model(model, O_RDWR);
		unsigned int *memory, found;

		if (fd < 0)
			return 1;
		errno = 0;
		memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (memory == MAP_FAILED)
			return load_fail(model, "mmap");
		memory[place]++;
		if (pread(fd, &found, sizeof(found), (off_t)(place * sizeof(found))) !=
		    sizeof(found))
			return load_fail(model, "pread");
		errno = EBADMSG;
		if (found != memory[place])
			return load_fail(model, "memory and file differ");
		model->n_read++;
		munmap(memory, 4096);
		close(fd);
	}
	return 0;
}

#define MESSAGES .write = send_numbers, .read = take_numbers
#define UNITS    .write = give_units, .read = take_units
#define LOCKS    .write = lock_and_look, .read = lock_and_look

const struct load_model load_models[] = {
	{.name = "pipes/p",
	 .command = "create pipes/p served=daemon eof=never capacity=64K\n",
	 MESSAGES},
	{.name = "pipes/k",
	 .command = "create pipes/k eof=never capacity=64K\n",
	 MESSAGES,
	 .is_fast = true},
	{.name = "topics/t",
	 .command = "create topics/t full=wait capacity=4K\n",
	 MESSAGES,
	 .to_all = true},
	{.name = "queues/q", .command = "create queues/q\n", MESSAGES, .may_double = true},
	{.name = "sysv/queues/0x11",
	 .command = "create sysv/queues/0x11\n",
	 MESSAGES,
	 .may_double = true},
	{.name = "events/e", .command = "create events/e\n", UNITS},
	{.name = "sems/s", .command = "create sems/s\n", UNITS},
	{.name = "queues/l", .command = "create queues/l\n", LOCKS},
	{.name = "events/l", .command = "create events/l\n", LOCKS},
	{.name = "shm/r", .command = "create shm/r size=4K\n", .write = count_in_memory},
	{.name = NULL},
};

static int list(struct load_model *model, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return load_fail(model, "opendir");
	do
		errno = 0;
	while ((entry = readdir(dir)));
	if (errno)
		load_fail(model, "readdir");
	closedir(dir);
	return 0;
}

static int read_text(struct load_model *model, const char *name)
{
	char text[4096];
	ssize_t n = 1;
	int fd = open(ipc_path(name), O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && n > 0)
		n = read(fd, text, sizeof(text));
	if (fd < 0 || n < 0)
		load_fail(model, fd < 0 ? "open of a text" : "read of a text");
	if (fd >= 0)
		close(fd);
	return model->error;
}

int load_look_around(void *arg)
{
	const struct load_role *role = arg;
	struct load_model *model = role->model;
	struct stat st;

	for (unsigned int i = 0; !load_state->is_over && !model->error; i++) {
		const char *name = load_models[i % 10].name;
		int fd;

		errno = 0;
		if (stat(ipc_path(name), &st) < 0)
			return load_fail(model, "stat");
		if (list(model, ipc_path(i % 2 ? "queues" : "info/topics")) || model->error)
			return model->error;
		fd = open(ipc_path(name), O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			return load_fail(model, "open");
		if (poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 1) < 0)
			return load_fail(model, "poll");
		close(fd);
		if (read_text(model, i % 2 ? "info/queues/q/status" : "README"))
			return model->error;
		model->n_read++;
	}
	return 0;
}

/* A line during which the daemon is killed may end with EINTR: the object is complete, or gone. */
int load_command(void *arg)
{
	const struct load_role *role = arg;
	struct load_model *model = role->model;
	char create[64], name[32];
	bool is_cut;
	int fd;

	while (!load_state->is_over) {
		snprintf(name, sizeof(name), "queues/made%d", role->which);
		snprintf(create, sizeof(create), "create %s maxmsg=2\n", name);
		fd = open(ipc_path("ctl"), O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			return load_fail(model, "open of ctl");
		errno = 0;
		if (write(fd, create, strlen(create)) != (ssize_t)strlen(create) && errno != EINTR)
			return load_fail(model, "create");
		is_cut = errno == EINTR;
		close(fd);
		if (unlink(ipc_path(name)) < 0 && !(is_cut && errno == ENOENT))
			return load_fail(model, "unlink");
		model->n_read++;
	}
	return 0;
}

/* Reads what nobody writes. The test interrupts it. */
int load_be_interrupted(void *arg)
{
	const struct load_role *role = arg;
	struct load_model *model = role->model;
	int fd = open(ipc_path("queues/l"), O_RDONLY | O_CLOEXEC);
	char byte;

	signal_interrupts(SIGUSR1);
	model->given++;
	while (!load_state->is_over) {
		errno = EBADMSG;
		if (read(fd, &byte, 1) >= 0 || errno != EINTR)
			return load_fail(model, "interrupted read");
		model->n_read++;
	}
	return 0;
}
