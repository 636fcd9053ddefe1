/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Short calls, as the tests of topics consist of little else.
 */
#include "tests/mount/topics.h"

#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/look.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

void topic_make(const char *settings)
{
	char line[128];

	snprintf(line, sizeof(line), "create " TOPIC " mode=0666 %s\n", settings);
	look_command(line);
}

int topic_reader(void)
{
	return channel_open(TOPIC, O_RDONLY | O_NONBLOCK);
}

void topic_fill(int fd)
{
	static const char data[TOPIC_QUARTER];

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(must(write(fd, data, sizeof(data))), sizeof(data));
}

void topic_put(int fd, const char *text)
{
	ck_assert_int_eq(must(write(fd, text, strlen(text))), strlen(text));
}

void topic_expect(int fd, const char *text)
{
	char got[64] = "";

	ck_assert_int_eq(must(read(fd, got, sizeof(got) - 1)), strlen(text));
	ck_assert_str_eq(got, text);
}

void topic_expect_nothing(int fd)
{
	char byte;

	must_fail(read(fd, &byte, 1), EAGAIN);
}
