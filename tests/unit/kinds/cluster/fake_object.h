/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An object `news` of a cluster that is no more than a fake link, and the consumers that read it.
 */
#ifndef TESTS_UNIT_FAKE_OBJECT_H
#define TESTS_UNIT_FAKE_OBJECT_H

#include "lib/kinds/cluster/cluster.h"
#include "tests/unit/held.h"
#include "tests/unit/kinds/cluster/fake_link.h"

/* What the server says. */
#define FAKE_DONE "{\"config\":{},\"state\":{}}"
#define FAKE_NO_STREAM                                                 \
	"{\"error\":{\"code\":404,\"err_code\":10059,\"description\":" \
	"\"stream not found\"}}"

/* Opens the space of the kind, with the link up, and makes the object known. */
struct cluster_object *fake_object(const struct kind *kind, enum cluster_sort of_sort);
/* Opens the object; the server says that its stream has messages from `first` to `last`. */
struct file *fake_open_at(struct cluster_object *object, const struct selector *selector,
			  unsigned first, unsigned last);
/* Opens the object, which asks nothing. */
struct file *fake_open_plain(struct cluster_object *object, int flags);
/* Closes the files, up to NULL, and ends the cluster. */
void fake_close_all(struct file *const files[]);
/* Removes the object, as another machine would. */
void fake_remove_object(struct cluster_object *object);

/*
 * Lets the server make the consumer that is asked for, and returns the key of its feed, valid until
 * the next call. The question has to have this text in it.
 */
const char *fake_make_consumer(const char *text);
/* Runs the loop until a question to this subject is open. */
struct fake_post *fake_wait_for(const char *subject);

#endif
