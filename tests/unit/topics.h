/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A topic with a writer and two readers, for tests in which its daemon is killed.
 */
#ifndef TESTS_UNIT_TOPICS_H
#define TESTS_UNIT_TOPICS_H

#include "lib/kinds/topic/topic.h"

/* NULL: closed. */
extern struct file *out, *first, *second;

/* Makes the topic and opens it. It keeps this many messages. */
void topics_make(uint64_t keep);
struct topic *topics_topic(void);
/* Sets one of enum topic_parameter. */
void topics_set(unsigned index, uint64_t value);

/* Kills the daemon. The three files are those of the next one, which must have lost nothing. */
void topics_restart(void);

/* Expects the readers to have read all, and closes the files. */
void topics_end(void);

#endif
