/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One row for each kind. The tests of a kind without a row fail, and name the kind.
 */
#include "tests/unit/sample.h"

#include <limits.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

#define WORDS                         \
	{                             \
		"hello", "one", "two" \
	}
#define UNITS                       \
	{                           \
		"1\n", "1\n", "1\n" \
	}

enum { SEGMENT_SIZE = 4096, TOPIC_CAPACITY = 16 * (SAMPLE_PIECE + 8) };

static const struct sample samples[] = {
	{
		.path = "pipes",
		.traits = SAMPLE_RENAMES | SAMPLE_BYTES | SAMPLE_EMPTIED | SAMPLE_TIMES,
		.name_max = NAME_MAX,
		.put = WORDS,
		.got = WORDS,
		.empty = -EAGAIN,
		.again = -EAGAIN,
	},
	{
		/*
		 * With keep=100 later readers find what was written. With full=wait writers wait;
		 * and pieces of SAMPLE_PIECE bytes fill the capacity to the last byte.
		 */
		.path = "topics",
		.traits = SAMPLE_RENAMES | SAMPLE_BYTES | SAMPLE_EMPTIED | SAMPLE_TIMES,
		.name_max = NAME_MAX,
		.settings = {{TOPIC_CAPACITY, 100, 1}, .given = 0x7},
		.message_max = TOPIC_CAPACITY - 8,
		.put = WORDS,
		.got = WORDS,
		.empty = -EAGAIN,
		.again = -EAGAIN,
	},
	{
		.path = "queues",
		.traits = SAMPLE_BYTES | SAMPLE_EMPTIED | SAMPLE_TIMES | SAMPLE_DESCRIPTORS,
		.name_max = NAME_MAX,
		.put = WORDS,
		.got = WORDS,
		.empty = -EAGAIN,
		.again = -EAGAIN,
	},
	{
		.path = "shm",
		.traits = SAMPLE_RENAMES | SAMPLE_BYTES | SAMPLE_EMPTIED | SAMPLE_TIMES |
			  SAMPLE_SIZED,
		.name_max = NAME_MAX,
		.put = WORDS,
		.got = WORDS,
		.again = 5,
	},
	{
		.path = "sems",
		.traits = SAMPLE_EMPTIED | SAMPLE_TIMES | SAMPLE_DESCRIPTORS,
		.name_max = NAME_MAX - 4, /* the rest is for "sem." */
		.put = UNITS,
		.got = UNITS,
		.empty = -EAGAIN,
		.again = -EAGAIN,
		.never_full = "a value that can't grow is an error",
	},
	{
		.path = "events",
		.traits = SAMPLE_RENAMES | SAMPLE_EMPTIED | SAMPLE_TIMES,
		.name_max = NAME_MAX,
		.settings = {{[1] = 1}, .given = 1 << 1}, /* mode=semaphore: a read takes 1 */
		.put = UNITS,
		.got = UNITS,
		.empty = -EAGAIN,
		.again = -EAGAIN,
		.fill = "18446744073709551614\n", /* the greatest value: eventfd(2) */
	},
	{
		.path = "sysv/queues",
		.traits = SAMPLE_KEYED | SAMPLE_BYTES | SAMPLE_EMPTIED | SAMPLE_ENDS,
		.put = WORDS,
		.got = WORDS,
		.empty = -EAGAIN,
		.again = -EAGAIN,
	},
	{
		.path = "sysv/shm",
		.traits = SAMPLE_KEYED | SAMPLE_BYTES,
		.settings = {{[0] = SEGMENT_SIZE}, .given = 1 << 0}, /* size */
		.size = SEGMENT_SIZE,
		.put = WORDS,
		.got = WORDS,
		.empty = 10,
		.again = 10,
	},
	{
		.path = "sysv/sems",
		.traits = SAMPLE_KEYED | SAMPLE_ENDS | SAMPLE_UNTRUNCATED,
		.put = {"0 +1\n", "0 +1\n", "0 +1\n"},
		.got = {"1\n", "2\n", "3\n"},
		.empty = 2,
		.again = 0, /* end-of-file; the read after that gives the values again */
	},
};

static const struct sample *find_sample(const struct kind *kind)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if (strcmp(samples[i].path, kind->path) == 0)
			return &samples[i];
	return NULL;
}

const struct sample *sample_of(const struct kind *kind)
{
	const struct sample *sample = find_sample(kind);

	if (!sample)
		ck_abort_msg("tests/unit/sample.c has nothing on %s", kind->path);
	return sample;
}

bool sample_waits(const struct kind *kind)
{
	return sample_of(kind)->empty == -EAGAIN;
}

bool sample_is_message(const struct kind *kind)
{
	return kind->channel->traits & CHANNEL_MESSAGES;
}

bool sample_is_socket(const struct kind *kind)
{
	return strncmp(kind->path, "sockets/", strlen("sockets/")) == 0;
}

const char *sample_tested_in(const struct kind *kind)
{
	if (sample_is_socket(kind))
		return "test_sockets.c";
	if (kind->is_remote)
		return "tests/shell/cluster.bats";
	return kind->is_uncounted ? "test_signal.c" : NULL;
}

bool sample_setting(const struct kind *kind, struct settings *ret_settings)
{
	for (unsigned i = 0; kind->parameters && kind->parameters[i].name; i++) {
		if (kind->parameters[i].is_fixed || kind->parameters[i].type == PARAMETER_TEXT)
			continue;
		*ret_settings = (struct settings){.given = 1U << i};
		ret_settings->values[i] = kind->parameters[i].min;
		return true;
	}
	return false;
}

const char *sample_lacks(const struct kind *kind, unsigned needs)
{
	const struct sample *sample = find_sample(kind);

	if (!sample)
		return NULL; /* so that its tests run, and report the missing sample */
	if ((needs & NEED_WRITES) && !sample->put[0])
		return "nothing can be written";
	if ((needs & NEED_WAITS) && !sample_waits(kind))
		return "a read never waits";
	if ((needs & NEED_ORDER) && (sample->traits & SAMPLE_REPLACED))
		return "a write takes the place of the one before";
	if ((needs & NEED_FULL) && sample->never_full)
		return sample->never_full;
	if ((needs & NEED_BYTES) && !(sample->traits & SAMPLE_BYTES))
		return "only text of a form can be written";
	if ((needs & NEED_MESSAGES) && !sample_is_message(kind))
		return "a write is no message";
	if ((needs & NEED_EMPTIED) && !(sample->traits & SAMPLE_EMPTIED))
		return "nothing empties it";
	if ((needs & NEED_SETTING) && !sample_setting(kind, &(struct settings){0}))
		return "nothing of it can be set";
	if ((needs & NEED_RENAMES) && !(sample->traits & SAMPLE_RENAMES))
		return "nothing renames it";
	return NULL;
}

/*
 * Returns what stands for `name` in this space: a key if its names are keys, else `name` itself.
 * Valid until the fourth call after this.
 */
static const char *name_in(const struct space *space, const char *name)
{
	static char keys[4][16];
	static unsigned next;
	char *key = keys[next++ % 4];

	if (!(sample_of(space->kind)->traits & SAMPLE_KEYED))
		return name;
	snprintf(key, sizeof(keys[0]), "0x%08x", (unsigned)space_path_ino(name));
	return key;
}

int sample_create(struct space *space, const char *name, mode_t mode, struct caller *caller,
		  struct channel **ret_channel)
{
	return object_create_set(space, name_in(space, name), mode,
				 &sample_of(space->kind)->settings, caller, ret_channel);
}

int sample_lookup(struct space *space, const char *name, struct channel **ret_channel)
{
	return object_lookup(space, name_in(space, name), ret_channel);
}

struct channel *sample_make(struct space *space, const char *name)
{
	struct channel *channel = NULL;

	must(sample_create(space, name, S_IFREG | 0600, &root, &channel));
	return channel;
}

struct channel *sample_find(struct space *space, const char *name)
{
	return object_find(space, name_in(space, name));
}

struct file *sample_make_open(struct space *space, const char *name, int flags)
{
	struct channel *channel = sample_make(space, name);
	struct file *file = object_open(channel, flags);

	channel_unref(channel);
	return file;
}

struct removal {
	struct space *space;
	const char *name;
	struct caller *caller;
};

static int try_to_remove(void *data)
{
	const struct removal *removal = data;

	return space_remove(removal->space, removal->name, removal->caller);
}

int sample_remove(struct space *space, const char *name, struct caller *caller)
{
	struct removal removal = {space, name_in(space, name), caller};

	return loop_wait_for(caller, try_to_remove, &removal);
}

int sample_rename(struct space *space, const char *from, const char *to, unsigned flags,
		  struct caller *caller)
{
	return space_rename(space, name_in(space, from), name_in(space, to), flags, caller);
}

int sample_list_find(struct space *space, const char *name, ino_t *ret_ino, mode_t *ret_mode)
{
	return space_list_find(space, name_in(space, name), ret_ino, ret_mode);
}

void sample_put(struct file *file, int i)
{
	file_put(file, sample_of(file->channel->space->kind)->put[i]);
}

ssize_t sample_try_put(struct file *file, int i)
{
	const char *text = sample_of(file->channel->space->kind)->put[i];

	return channel_write(file, text, strlen(text), 0);
}

size_t sample_fill(struct file *file)
{
	const char *fill = sample_of(file->channel->space->kind)->fill;

	if (!fill)
		return file_fill(file, SAMPLE_PIECE);
	file_put(file, fill);
	return strlen(fill);
}

void sample_await(struct file *file)
{
	if (!(sample_of(file->channel->space->kind)->traits & SAMPLE_LATER))
		return;
	for (;;) {
		struct watch watch = {0};

		watch_start(&watch, file);
		if (channel_poll(file) & EPOLLIN)
			break;
		watch_wait(&watch, 1);
	}
	channel_watch(file, NULL, NULL);
}

void sample_expect(struct file *file, int i)
{
	const char *text = sample_of(file->channel->space->kind)->got[i];

	sample_await(file);
	file_expect(file, strlen(text), text);
}
