/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk over a topic. Nothing native does what a topic does, so a model stands for it: all
 * messages ever sent, where each open file is in them, what is left in the ring, and what is kept.
 */
#include "tests/mount/fixture.h"
#include "tests/mount/look.h"
#include "tests/mount/random.h"
#include "tests/mount/topics.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { N_FILES = 5, N_SENT = N_STEPS, BUF = 5000, MODEL_CAPACITY = 4096 };
enum policy { DROP_OLDEST, WAIT, DROP_NEWEST, N_POLICIES };

static const char *const policy_names[] = {"drop-oldest", "wait", "drop-newest"};

struct file {
	int fd; /* -1: closed */
	int flags;
	unsigned next; /* the message to read next */
	unsigned missed;
	unsigned rest_of, rest_offset; /* a message read in part: number + 1, or 0 */
	unsigned writers_before;       /* writers that there had been when it was opened */
	bool has_seen;                 /* data or a writer */
};

struct topic_walk {
	struct walk *walk;
	struct file files[N_FILES];
	enum policy policy;
	bool ends; /* eof=auto */
	unsigned keep_messages, keep_bytes;
	unsigned head, kept, tail;     /* numbers of messages */
	unsigned n_dropped, n_writers; /* n_writers: opens for writing until now */
	unsigned longest;              /* message ever written */
	unsigned sizes[N_SENT];
	unsigned char data[BUF], other[BUF];
};

static bool reads(const struct file *file)
{
	return file->fd >= 0 && file->flags != O_WRONLY;
}

static bool writes(const struct file *file)
{
	return file->fd >= 0 && file->flags != O_RDONLY;
}

static struct file *any_file(struct topic_walk *w)
{
	return &w->files[walk_random(w->walk, N_FILES)];
}

static unsigned step_of(unsigned size)
{
	return (size + 8 + 7) / 8 * 8;
}

static unsigned used(const struct topic_walk *w)
{
	unsigned sum = 0;

	for (unsigned i = w->head; i < w->tail; i++)
		sum += step_of(w->sizes[i]);
	return sum;
}

static unsigned kept_bytes(const struct topic_walk *w)
{
	unsigned sum = 0;

	for (unsigned i = w->kept; i < w->tail; i++)
		sum += w->sizes[i];
	return sum;
}

static int n_writers_now(const struct topic_walk *w)
{
	int n = 0;

	for (int i = 0; i < N_FILES; i++)
		n += writes(&w->files[i]);
	return n;
}

/* Whether an open file has still to read this message. */
static bool is_awaited(const struct topic_walk *w, unsigned number)
{
	for (int i = 0; i < N_FILES; i++)
		if (reads(&w->files[i]) && w->files[i].next <= number)
			return true;
	return false;
}

static bool is_needed(const struct topic_walk *w)
{
	for (int i = 0; i < N_FILES; i++)
		if (reads(&w->files[i]))
			return true;
	return w->keep_messages > 0;
}

static void drop(struct topic_walk *w)
{
	for (int i = 0; i < N_FILES; i++) {
		struct file *file = &w->files[i];

		if (!reads(file) || file->next > w->head)
			continue;
		file->next++;
		file->missed++;
	}
	w->head++;
	if (w->kept < w->head)
		w->kept = w->head;
}

static void trim(struct topic_walk *w)
{
	while (w->kept < w->tail && (w->tail - w->kept > w->keep_messages ||
				     (w->tail - w->kept > 1 && kept_bytes(w) > w->keep_bytes)))
		w->kept++;
	while (w->head < w->kept && !is_awaited(w, w->head))
		w->head++;
}

static void fill_message(unsigned char *data, unsigned number, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		data[i] = (unsigned char)(number * 37 + i * 7 + i / 256);
}

static void close_file(struct topic_walk *w, struct file *file)
{
	if (file->fd >= 0)
		must(close(file->fd));
	file->fd = -1;
	trim(w);
	mount_settle(&ipc); /* close(2) does not wait for the release */
}

static void do_open(struct topic_walk *w)
{
	static const int access[] = {O_RDONLY, O_RDONLY, O_WRONLY, O_RDWR};
	struct file *file = any_file(w);
	int flags = walk_pick(w->walk, access, 4);
	unsigned n_back = walk_once_in(w->walk, 3) ? walk_random(w->walk, 40) : UINT32_MAX;
	char path[160];

	close_file(w, file);
	snprintf(path, sizeof(path), n_back == UINT32_MAX ? "%s" : "%s:%u", ipc_path(TOPIC),
		 n_back);
	walk_step(w->walk, "open file %ld flags %#o last %u", file - w->files, flags, n_back);
	if (flags == O_WRONLY && n_back != UINT32_MAX) {
		walk_compare(w->walk, (struct result){-1, EINVAL}, result_of(open(path, flags)));
		return;
	}
	*file = (struct file){.fd = (int)must(open(path, flags | O_NONBLOCK | O_CLOEXEC))};
	file->flags = flags;
	if (flags != O_RDONLY)
		w->n_writers++;
	if (n_back > w->tail - w->kept)
		n_back = w->tail - w->kept;
	file->next = w->tail - n_back;
	file->has_seen = n_writers_now(w) > 0;
	file->writers_before = w->n_writers;
}

static void do_close(struct topic_walk *w)
{
	struct file *file = any_file(w);

	walk_step(w->walk, "close file %ld", file - w->files);
	if (walk_once_in(w->walk, 3))
		close_file(w, file);
}

/* Whether a message of this size has room, without a message lost to a reader. */
static bool has_room(const struct topic_walk *w, unsigned size)
{
	unsigned left = used(w), number = w->head;

	while (number < w->tail && !is_awaited(w, number))
		left -= step_of(w->sizes[number++]);
	return number == w->tail || left + step_of(size) <= MODEL_CAPACITY;
}

/* Makes room for a message in the model. Returns 1 if it was sent, 0 if dropped, or -1. */
static int send(struct topic_walk *w, unsigned size)
{
	w->sizes[w->tail] = size;
	if (w->policy != DROP_OLDEST && !has_room(w, size))
		return w->policy == WAIT ? -1 : 0;
	while (used(w) + step_of(size) > MODEL_CAPACITY)
		drop(w);
	w->tail++;
	return 1;
}

static struct result model_write(struct topic_walk *w, const struct file *file, unsigned size)
{
	if (!writes(file))
		return (struct result){-1, EBADF};
	if (step_of(size) > MODEL_CAPACITY)
		return (struct result){-1, EMSGSIZE};
	if (w->longest < size)
		w->longest = size;
	if (!is_needed(w)) {
		w->sizes[w->tail++] = size;
		w->head = w->kept = w->tail;
		return (struct result){size, 0};
	}
	switch (send(w, size)) {
	case -1:
		return (struct result){-1, EAGAIN};
	case 0:
		w->n_dropped++;
		for (int i = 0; i < N_FILES; i++)
			w->files[i].missed++;
		break;
	default:
		trim(w);
	}
	return (struct result){size, 0};
}

static void do_write(struct topic_walk *w)
{
	struct file *file = any_file(w);
	unsigned size = 1 + walk_random(w->walk, walk_once_in(w->walk, 16)  ? BUF - 1
						 : walk_once_in(w->walk, 4) ? 1000
									    : 60);

	walk_step(w->walk, "write file %ld size %u as message %u", file - w->files, size, w->tail);
	fill_message(w->data, w->tail, size);
	walk_compare(w->walk, model_write(w, file, size),
		     result_of(write(file->fd, w->data, size)));
}

static bool is_at_end(const struct topic_walk *w, const struct file *file)
{
	return w->ends && n_writers_now(w) == 0 &&
	       (file->has_seen || file->writers_before != w->n_writers);
}

/* Finds what a read gives. */
static struct result model_read(struct topic_walk *w, struct file *file, unsigned size)
{
	unsigned number, n;

	if (!reads(file))
		return (struct result){-1, EBADF};
	if (!file->rest_of && file->next == w->tail)
		return is_at_end(w, file) ? (struct result){0, 0} : (struct result){-1, EAGAIN};
	if (!file->rest_of) {
		file->rest_of = ++file->next;
		file->rest_offset = 0;
		file->has_seen = true;
		trim(w);
	}
	number = file->rest_of - 1;
	n = w->sizes[number] - file->rest_offset;
	fill_message(w->data, number, w->sizes[number]);
	memmove(w->data, w->data + file->rest_offset, n);
	n = n < size ? n : size;
	file->rest_offset += n;
	if (file->rest_offset == w->sizes[number])
		file->rest_of = 0;
	return (struct result){n, 0};
}

static void do_read(struct topic_walk *w)
{
	struct file *file = any_file(w);
	unsigned size = 1 + walk_random(w->walk, walk_once_in(w->walk, 2) ? BUF - 1 : 40);
	struct result model, mount;

	walk_step(w->walk, "read file %ld size %u", file - w->files, size);
	model = model_read(w, file, size);
	mount = result_of(read(file->fd, w->other, size));
	walk_compare(w->walk, model, mount);
	if (model.value > 0 && memcmp(w->data, w->other, (size_t)model.value) != 0)
		walk_fail(w->walk, "the bytes differ");
}

static void do_poll(struct topic_walk *w)
{
	struct file *file = any_file(w);
	struct pollfd mount = {.fd = file->fd, .events = POLLIN | POLLOUT};
	short model = 0;

	walk_step(w->walk, "poll file %ld", file - w->files);
	if (file->fd < 0)
		return;
	poll(&mount, 1, 0);
	if (reads(file) && (file->rest_of || file->next < w->tail))
		model |= POLLIN;
	if (reads(file) && file->next == w->tail && is_at_end(w, file))
		model |= POLLHUP;
	if (writes(file) && (w->policy != WAIT || has_room(w, w->longest)))
		model |= POLLOUT;
	if (model != mount.revents)
		walk_fail(w->walk, "events %#x, %#x", model, mount.revents);
}

static void do_empty(struct topic_walk *w)
{
	walk_step(w->walk, "empty");
	if (!walk_once_in(w->walk, 4))
		return;
	if (walk_once_in(w->walk, 2))
		must(truncate(ipc_path(TOPIC), 0));
	else
		look_command("empty " TOPIC "\n");
	while (w->head < w->tail)
		drop(w);
}

static void do_set(struct topic_walk *w)
{
	char line[128];
	unsigned n = walk_random(w->walk, 30), kind = walk_random(w->walk, 4);

	if (kind == 0) {
		w->policy = n % N_POLICIES;
		snprintf(line, sizeof(line), "full=%s", policy_names[w->policy]);
	} else if (kind == 1) {
		w->ends = n % 2;
		snprintf(line, sizeof(line), "eof=%s", w->ends ? "auto" : "never");
	} else if (kind == 2) {
		w->keep_messages = n;
		w->keep_bytes = UINT32_MAX;
		snprintf(line, sizeof(line), "keep=%u", n);
	} else {
		w->keep_messages = n % 5 ? UINT32_MAX : 0;
		w->keep_bytes = n % 5 * 1024;
		snprintf(line, sizeof(line), "keep=%uK", n % 5);
	}
	trim(w);
	walk_step(w->walk, "set %s", line);
	look_command(strcat(strcpy((char *)w->data, "set " TOPIC " "), strcat(line, "\n")));
}

/* Compares a number in the status, of which the last look is the text. */
static void compare(struct topic_walk *w, const char *key, unsigned model)
{
	long mount = look_for(TOPIC, key);

	if (mount != (long)model)
		walk_fail(w->walk, "%s %u, %ld", key, model, mount);
}

static void do_status(struct topic_walk *w)
{
	unsigned bytes = 0, behind = 0;

	walk_step(w->walk, "status");
	for (unsigned i = w->head; i < w->tail; i++)
		bytes += w->sizes[i];
	for (int i = 0; i < N_FILES; i++)
		if (reads(&w->files[i]) && behind < w->tail - w->files[i].next)
			behind = w->tail - w->files[i].next;
	compare(w, "messages", w->tail - w->head);
	compare(w, "bytes", bytes);
	compare(w, "kept", w->tail - w->kept);
	compare(w, "sent", w->tail + w->n_dropped);
	compare(w, "dropped", w->n_dropped);
	compare(w, "behind", behind);
}

static void (*const operations[])(struct topic_walk *) = {
	do_open,  do_close, do_write, do_write, do_write, do_write, do_write,  do_write, do_read,
	do_read,  do_read,  do_read,  do_read,  do_read,  do_read,  do_poll,   do_poll,  do_empty,
	do_write, do_write, do_read,  do_read,  do_poll,  do_set,   do_status,
};

void random_topics(struct walk *walk)
{
	struct topic_walk *w = calloc(1, sizeof(*w));

	ck_assert_ptr_nonnull(w);
	w->walk = walk;
	topic_make("capacity=4K");
	for (int i = 0; i < N_FILES; i++)
		w->files[i].fd = -1;
	while (walk->step < N_STEPS)
		operations[walk_random(walk, sizeof(operations) / sizeof(operations[0]))](w);
	for (int i = 0; i < N_FILES; i++)
		close_file(w, &w->files[i]);
	free(w);
}
