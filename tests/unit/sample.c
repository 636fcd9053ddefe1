/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/sample.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"

#define WORDS                         \
	{                             \
		"hello", "one", "two" \
	}
#define UNITS                       \
	{                           \
		"1\n", "1\n", "1\n" \
	}

enum { SEGMENT_SIZE = 4096 };

static const struct sample samples[] = {
	{
		.path = "pipes",
		.traits = SAMPLE_BYTES | SAMPLE_EMPTIED | SAMPLE_TIMES | SAMPLE_DESCRIPTORS,
		.name_max = NAME_MAX,
		.parameter = -1,
		.put = WORDS,
		.got = WORDS,
		.empty = -EAGAIN,
		.again = -EAGAIN,
	},
	{
		.path = "queues",
		.traits = SAMPLE_BYTES | SAMPLE_EMPTIED | SAMPLE_TIMES | SAMPLE_DESCRIPTORS,
		.name_max = NAME_MAX,
		.parameter = -1,
		.put = WORDS,
		.got = WORDS,
		.empty = -EAGAIN,
		.again = -EAGAIN,
	},
	{
		.path = "shm",
		.traits =
			SAMPLE_BYTES | SAMPLE_EMPTIED | SAMPLE_TIMES | SAMPLE_KEEPS | SAMPLE_SIZED,
		.name_max = NAME_MAX,
		.parameter = -1,
		.put = WORDS,
		.got = WORDS,
		.again = 5,
	},
	{
		.path = "sems",
		.traits = SAMPLE_EMPTIED | SAMPLE_TIMES | SAMPLE_DESCRIPTORS,
		.name_max = NAME_MAX - 4, /* "sem." */
		.parameter = -1,
		.put = UNITS,
		.got = UNITS,
		.empty = -EAGAIN,
		.again = -EAGAIN,
	},
	{
		.path = "events",
		.traits = SAMPLE_EMPTIED | SAMPLE_TIMES,
		.name_max = NAME_MAX,
		.parameter = 1, /* mode=semaphore: a read takes 1 */
		.value = 1,
		.put = UNITS,
		.got = UNITS,
		.empty = -EAGAIN,
		.again = -EAGAIN,
	},
	{
		.path = "sysv/queues",
		.traits = SAMPLE_KEYED | SAMPLE_BYTES | SAMPLE_EMPTIED | SAMPLE_ENDS,
		.parameter = -1,
		.put = WORDS,
		.got = WORDS,
		.empty = -EAGAIN,
		.again = -EAGAIN,
	},
	{
		.path = "sysv/shm",
		.traits = SAMPLE_KEYED | SAMPLE_BYTES | SAMPLE_KEEPS,
		.parameter = 0, /* size */
		.value = SEGMENT_SIZE,
		.size = SEGMENT_SIZE,
		.put = WORDS,
		.got = WORDS,
		.empty = 10,
		.again = 10,
	},
	{
		.path = "sysv/sems",
		.traits = SAMPLE_KEYED | SAMPLE_KEEPS | SAMPLE_ENDS,
		.parameter = -1,
		.put = {"0 +1\n", "0 +1\n", "0 +1\n"},
		.got = {"1\n", "2\n", "3\n"},
		.empty = 2,
		.again = 0, /* the end; then the values again */
	},
};

const struct sample *sample_of(const struct kind *kind)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if (strcmp(samples[i].path, kind->path) == 0)
			return &samples[i];
	ck_abort_msg("tests/unit/sample.c has nothing on %s", kind->path);
}

/* Valid until the fourth call after this. */
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
	const struct sample *sample = sample_of(space->kind);
	struct settings settings = {0};

	if (sample->parameter >= 0) {
		settings.given = 1U << sample->parameter;
		settings.values[sample->parameter] = sample->value;
	}
	return object_create_set(space, name_in(space, name), mode, &settings, caller, ret_channel);
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

int sample_remove(struct space *space, const char *name, struct caller *caller)
{
	return space_remove(space, name_in(space, name), caller);
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
	file_put(file, sample_of(file->channel->kind)->put[i]);
}

void sample_expect(struct file *file, int i)
{
	const char *text = sample_of(file->channel->kind)->got[i];

	file_expect(file, strlen(text), text);
}
