/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Only the files refer to the topic, besides its name.
 */
#include "tests/unit/topics.h"

#include <fcntl.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"

struct file *out, *first, *second;

void topics_make(uint64_t keep)
{
	struct channel *channel = object_make_set(adopt_open(&topic_kind), "t", TOPIC_KEEP, keep);

	out = object_open(channel, O_WRONLY);
	first = object_open(channel, O_RDONLY);
	second = object_open(channel, O_RDONLY);
	object_unref(channel);
}

struct topic *topics_topic(void)
{
	return topic_from(out->channel);
}

void topics_set(unsigned index, uint64_t value)
{
	struct settings settings = {.given = 1U << index};

	settings.values[index] = value;
	must(channel_set(out->channel, &settings, &root));
}

void topics_restart(void)
{
	adopt_restart();
	ck_assert_uint_eq(adopt_n_lost, 0);
	out = adopted_file(out);
	first = first ? adopted_file(first) : NULL;
	second = second ? adopted_file(second) : NULL;
}

void topics_end(void)
{
	must_fail(file_try_read(first, 100), EAGAIN);
	if (second)
		must_fail(file_try_read(second, 100), EAGAIN);
	object_close(first);
	object_close(second);
	object_close(out);
}
