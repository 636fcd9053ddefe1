/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queues and regions, used as native programs use them: mq_overview(7), shm_overview(7).
 */
#ifndef TESTS_UNIT_NATIVE_H
#define TESTS_UNIT_NATIVE_H

#include <mqueue.h>

/*
 * Makes a queue of this many messages of this many bytes, and opens it for reading and writing,
 * non-blocking.
 */
mqd_t native_queue_make(const char *path, long maxmsg, long msgsize);
/* Opens an existing queue in the same way. */
mqd_t native_queue_open(const char *path);
void native_queue_close(mqd_t queue);

void native_send(mqd_t queue, const char *text, unsigned priority);
/* Expects the next message to be this text with this priority. */
void native_expect(mqd_t queue, const char *text, unsigned priority);
struct mq_attr native_attributes(mqd_t queue);

/* Makes /dev/shm/NAME with this text in it. */
void native_file_make(const char *name, const char *text);
/* Expects the file at this path to contain this text and no more. */
void native_file_expect(const char *path, const char *text);

#endif
