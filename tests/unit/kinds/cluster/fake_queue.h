/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The queue `jobs` of a cluster that is no more than a fake link.
 */
#ifndef TESTS_UNIT_FAKE_QUEUE_H
#define TESTS_UNIT_FAKE_QUEUE_H

#include "lib/kinds/cluster/cluster.h"
#include "tests/unit/held.h"
#include "tests/unit/kinds/cluster/fake_link.h"

#define JOBS_SUBJECT "ipcfs.queues.jobs"
#define JOBS_STREAM  "ipcfs-queues-jobs"
#define JOBS_READERS JOBS_STREAM ".readers"

/* What the server says. */
#define ACK "{\"stream\":\"" JOBS_STREAM "\",\"seq\":1}"
#define OK  "{\"config\":{},\"state\":{}}"
#define FULL                                                           \
	"{\"error\":{\"code\":503,\"err_code\":10077,\"description\":" \
	"\"maximum messages exceeded\"}}"
#define NO_STREAM                                                      \
	"{\"error\":{\"code\":404,\"err_code\":10059,\"description\":" \
	"\"stream not found\"}}"

/* Opens the space, with the link up, and makes the queue known. */
struct cluster_object *fake_queue(void);
struct file *fake_open(struct cluster_object *queue, int flags);
/* Closes the files, up to NULL, and ends the cluster. */
void fake_close(struct file *const files[]);

/* Removes the queue, as another machine would. */
void fake_remove(struct cluster_object *queue);

/* Runs the loop until so many questions to the subject are open. */
void fake_wait_asked(const char *subject, unsigned n);
/* Runs the loop until so many messages have been given back. */
void fake_wait_naks(unsigned n);

#endif
