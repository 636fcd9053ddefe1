// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Signals: signals/PID is a process. A line that is written to it is a signal, and a read waits for
 * the end of the process.
 *
 * Everyone may open the file: who may send a signal is for kill(2) to decide, and anyone may learn
 * that a process has ended. An open file holds the process by a pidfd, so it is never about a later
 * process with the same pid. It sends with the rights of its opener: a set-user-ID program that
 * writes into it by mistake lends it nothing.
 */
#include "lib/channel/channel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/opener.h"
#include "lib/channel/record.h"
#include "lib/host/thread.h"
#include "lib/kinds/kinds.h"
#include "lib/kinds/signal/signal_process.h"

/* What an open file has besides. */
struct signal_file {
	struct caller opener; /* of a file that is open for writing */
	bool has_end;
	int status;    /* process_end() */
	size_t offset; /* how much of its text was read */
};

/* The word of the record, after those of the opener: the offset, HAS_END, and the status. */
#define END_WORD     OPENER_WORDS
#define HAS_END      ((uint64_t)1 << 32)
#define OFFSET_SHIFT 33

_Static_assert(END_WORD < FILE_WORDS, "words of a file");

static const struct channel_ops signal_ops;

struct process *process_from(struct channel *channel)
{
	assert(channel->ops == &signal_ops);
	return CONTAINER_OF(channel, struct process, channel);
}

static const struct space_ops signal_space_ops;

struct process_space *process_space_from(struct space *space)
{
	assert(space->ops == &signal_space_ops);
	return CONTAINER_OF(space, struct process_space, space);
}

static void signal_close(struct process *process)
{
	struct readiness *pidfd = &process->pidfd;

	if (pidfd->source.fd < 0)
		return;
	if (process->channel.record)
		process->channel.record->fds[0] = -1;
	STATE_ORDER();
	readiness_unwatch(pidfd);
	close(TAKE_FD(pidfd->source.fd));
	channel_uncharge_descriptors(&process->channel);
	process_end_forget(process);
}

static void signal_destroy(struct channel *channel)
{
	struct process *process = process_from(channel);
	struct space *space = channel->space;

	signal_close(process);
	process_forget(process);
	free(process);
	space_unref(space);
}

static int signal_stat(struct channel *channel, struct stat *ret_attr)
{
	const struct process *process = process_from(channel);

	ret_attr->st_ino = (ino_t)process->pid;
	ret_attr->st_mode = S_IFREG | 0666;
	ret_attr->st_nlink = 1;
	ret_attr->st_uid = process->uid;
	ret_attr->st_gid = process->gid;
	ret_attr->st_atim = ret_attr->st_mtim = ret_attr->st_ctim = process->started;
	return 0;
}

static int signal_change(struct channel *channel, struct file *file, const struct stat *attr,
			 unsigned changes, struct caller *caller)
{
	return -EPERM;
}

/*
 * Opens the pidfd, unless the channel has one. Fails with -ENOENT if the process has ended, and
 * with -ESTALE if another one has its pid: then the kernel looks up the name again.
 */
static int signal_pin(struct process *process, uid_t uid)
{
	struct process_identity identity;
	int fd, r;

	if (process->pidfd.source.fd >= 0)
		return 0;
	r = channel_charge_descriptors(&process->channel, uid, 1);
	if (r < 0)
		return r;
	fd = process_open(process_space_from(process->channel.space), process->pid, &identity);
	r = fd < 0 ? fd : process_is(process, &identity) ? 0 : -ESTALE;
	if (r < 0) {
		if (fd >= 0)
			close(fd);
		channel_uncharge_descriptors(&process->channel);
		return r;
	}
	process->pidfd.source.fd = fd;
	return 0;
}

static void signal_file_free(struct file *file)
{
	struct signal_file *state = file->state;

	opener_forget(file, &state->opener);
	free(state);
	file->state = NULL;
}

/* Keeps the opener, whose process may have ended before the file is used. */
static int keep_opener(struct file *file, struct caller *caller)
{
	struct signal_file *state = file->state;
	struct caller *opener = &state->opener;
	int r = caller_copy(opener, caller);

	if (r < 0)
		return r;
	opener->pid = thread_process(opener->pid, 0);
	/* No queue is made, so job_run() need not look for the limit. */
	opener->has_queue_limit = true;
	return opener_keep(file, opener);
}

static int signal_open(struct file *file, struct caller *caller)
{
	int r;

	file->state = calloc(1, sizeof(struct signal_file));
	if (!file->state)
		return -ENOMEM;
	r = file_writes(file) ? keep_opener(file, caller) : 0;
	if (r == 0)
		r = signal_pin(process_from(file->channel), file->uid);
	if (r < 0)
		signal_file_free(file);
	return r;
}

static void signal_release(struct file *file)
{
	signal_file_free(file);
	if (file->channel->n_files == 0)
		signal_close(process_from(file->channel));
}

static uint64_t end_word(const struct signal_file *state)
{
	return (uint64_t)state->offset << OFFSET_SHIFT | HAS_END | (uint32_t)state->status;
}

static void set_end(struct file *file, uint64_t word)
{
	struct signal_file *state = file->state;

	state->has_end = word & HAS_END;
	state->status = (int)(uint32_t)word;
	state->offset = word >> OFFSET_SHIFT;
	file->record->words[END_WORD] = word;
}

/* Finds out how the process has ended, once for each file. Fails with -EAGAIN if it has not. */
static int find_end(struct file *file)
{
	struct signal_file *state = file->state;
	int r;

	if (state->has_end)
		return 0;
	r = process_end(process_from(file->channel), &state->status);
	if (r == 0)
		set_end(file, end_word(state));
	return r;
}

/* journal::word is what the file's word becomes with the bytes that are in `data`. */
static ssize_t signal_read(struct file *file, void *data, size_t size, off_t offset)
{
	struct journal *journal = file->channel->space->host->journal;
	struct signal_file *state = file->state;
	char text[PROCESS_END];
	size_t length;
	int r = find_end(file);

	if (r < 0)
		return r;
	length = process_end_print(state->status, text);
	if (size > length - state->offset)
		size = length - state->offset;
	memcpy(data, text + state->offset, size);
	state->offset += size;
	journal->size = size;
	STATE_ORDER();
	journal->word = end_word(state);
	STATE_ORDER();
	set_end(file, journal->word);
	return (ssize_t)size;
}

static ssize_t signal_recall(struct file *file, void *data)
{
	const struct journal *journal = file->channel->space->host->journal;

	if (!journal->word)
		return -EAGAIN;
	set_end(file, journal->word);
	return (ssize_t)journal->size;
}

static int signal_adopt_file(struct file *file)
{
	uint64_t word = file->record->words[END_WORD];
	struct signal_file *state = calloc(1, sizeof(*state));
	char text[PROCESS_END];
	int r = state ? 0 : -ENOMEM;

	if (r == 0 && process_from(file->channel)->pidfd.source.fd < 0)
		r = -ESTALE;
	if (r == 0 && (word & HAS_END) &&
	    word >> OFFSET_SHIFT > process_end_print((int)(uint32_t)word, text))
		r = -EPROTO;
	if (r == 0 && file_writes(file))
		r = opener_adopt(file, &state->opener);
	if (r < 0) {
		free(state);
		return r;
	}
	state->opener.has_queue_limit = true;
	file->state = state;
	set_end(file, word);
	return 0;
}

static ssize_t signal_write(struct file *file, const void *data, size_t size, off_t offset)
{
	/* A copy, which shares the groups. */
	struct caller opener = ((const struct signal_file *)file->state)->opener;

	opener.waiter = file->waiter;
	return process_write(process_from(file->channel), &opener, data, size);
}

static uint32_t signal_poll(struct file *file)
{
	uint32_t events = file_writes(file) ? EPOLLOUT | EPOLLWRNORM : 0;
	int r = file_reads(file) ? find_end(file) : -EAGAIN;

	if (r == 0)
		events |= EPOLLIN | EPOLLRDNORM;
	return r < 0 && r != -EAGAIN ? EPOLLERR : events;
}

static void signal_space_destroy(struct space *space_)
{
	struct process_space *space = process_space_from(space_);

	process_end_fini(space);
	close(space->proc_fd);
	free(space);
}

static int signal_lookup(struct space *space, const char *name, struct caller *caller,
			 struct entry *ret_entry)
{
	return process_find(process_space_from(space), name, caller, &ret_entry->channel);
}

/* `echo TERM > signals/PID` creates a name that is missing: it gets the error of kill(2). */
static int signal_create(struct space *space, const char *name, mode_t mode,
			 const struct settings *settings, struct caller *caller,
			 struct entry *ret_entry)
{
	return S_ISREG(mode) && process_is_name(name) ? -ESRCH : -EPERM;
}

static const struct channel_ops signal_ops = {
	.traits = CHANNEL_WRITES_BY_JOB | CHANNEL_WRITES_ARE_SHORT | CHANNEL_HAS_NO_LOCKS,
	.destroy = signal_destroy,
	.stat = signal_stat,
	.change = signal_change,
	.open = signal_open,
	.release = signal_release,
	.read = signal_read,
	.write = signal_write,
	.poll = signal_poll,
	.status = process_status,
	.save = process_save,
	.adopt = process_adopt,
	.adopt_file = signal_adopt_file,
	.recall = signal_recall,
};

static const struct space_ops signal_space_ops = {
	.lists_by_job = true,
	.destroy = signal_space_destroy,
	.list = process_list,
	.lookup = signal_lookup,
	.create = signal_create,
};

static int signal_space_open(struct space **ret_space, struct host *host)
{
	struct process_space *space = calloc(1, sizeof(*space));
	int r;

	if (!space)
		return -ENOMEM;
	space_init(&space->space, &signal_space_ops, host, signal_kind.path);
	space->proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = space->proc_fd < 0 ? -errno : process_end_init(space);
	if (r < 0) {
		if (space->proc_fd >= 0)
			close(space->proc_fd);
		free(space);
		return r;
	}
	space->space.kind = &signal_kind;
	*ret_space = &space->space;
	return 0;
}

const struct kind signal_kind = {
	.path = "signals",
	.home = NAMESPACE_PID,
	.is_uncounted = true,
	.ino_bits = 22,
	.channel = &signal_ops,
	.open = signal_space_open,
};
