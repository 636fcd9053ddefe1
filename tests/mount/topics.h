/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The topic of a test, and what programs do with it. Every failure fails the test.
 */
#ifndef TESTS_MOUNT_TOPICS_H
#define TESTS_MOUNT_TOPICS_H

#include <stddef.h>

#define TOPIC "topics/t"

enum {
	TOPIC_CAPACITY = 4096,
	/* Four of these fill a topic of TOPIC_CAPACITY bytes. */
	TOPIC_QUARTER = TOPIC_CAPACITY / 4 - 8,
};

/* Makes the topic with these settings and mode 0666. */
void topic_make(const char *settings);
/* Opens the topic for reading, with O_NONBLOCK. */
int topic_reader(void);
/* Writes four messages that fill a topic of TOPIC_CAPACITY bytes. */
void topic_fill(int fd);

void topic_put(int fd, const char *text);
/* Expects the next read to give this message. */
void topic_expect(int fd, const char *text);
/* Expects the next read to fail with EAGAIN. */
void topic_expect_nothing(int fd);

#endif
