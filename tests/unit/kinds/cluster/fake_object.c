// SPDX-License-Identifier: GPL-2.0-or-later
/* The server's part is played by hand: each question waits until the test answers it. */
#include "tests/unit/kinds/cluster/fake_object.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "tests/unit/fixture.h"

enum { SECONDS = 20 };

static struct space *space;
static enum cluster_sort sort;
static uint64_t revision;

struct cluster_object *fake_object(const struct kind *kind, enum cluster_sort of_sort)
{
	const struct cluster_entry entry = {
		.owner = "root", .group = "root", .mode = 0666, .created = 1};
	struct cluster_space *objects;

	host.remote.servers = "nats://127.0.0.1:1";
	host.is_serving = true;
	must(kind->open(&space, &host));
	sort = of_sort;
	objects = cluster_space_from(space);
	fake_up();
	cluster_entry_seen(objects->cluster, sort, "news", "news", &entry, ++revision);
	return cluster_find(objects, "news");
}

static void resume(struct waiter *waiter)
{
}

struct file *fake_open_at(struct cluster_object *object, const struct selector *selector,
			  unsigned first, unsigned last)
{
	struct waiter waiter = {.resume = resume};
	struct caller caller = root;
	struct file *file = NULL;
	char text[160];

	caller.waiter = &waiter;
	must_fail(channel_open(&object->channel, O_RDONLY, selector, &caller, &file), EINPROGRESS);
	loop_settle();
	snprintf(text, sizeof(text),
		 "{\"config\":{\"num_replicas\":1},\"state\":"
		 "{\"messages\":%u,\"bytes\":0,\"first_seq\":%u,\"last_seq\":%u}}",
		 last + 1 - first, first, last);
	fake_answer(fake_wait_for("$JS.API.STREAM.INFO.*"), text, 0);
	loop_settle();
	must(channel_open(&object->channel, O_RDONLY, selector, &caller, &file));
	waiter_fini(&waiter);
	return file;
}

struct file *fake_open_plain(struct cluster_object *object, int flags)
{
	const struct selector none = {0};
	struct file *file;

	must(channel_open(&object->channel, flags, &none, &root, &file));
	return file;
}

void fake_close_all(struct file *const files[])
{
	for (; *files; files++)
		channel_release(*files);
	loop_settle();
	cluster_entry_gone(cluster_space_from(space)->cluster, sort, "news", ++revision);
	space_unref(space);
	fake_fini();
}

void fake_remove_object(struct cluster_object *object)
{
	cluster_entry_gone(object->cluster, sort, "news", ++revision);
	loop_settle();
}

struct fake_post *fake_wait_for(const char *subject)
{
	int64_t until = clock_now() + SECONDS * CLOCK_S;

	loop_settle();
	while (!fake_asked(subject) && clock_now() < until) {
		nanosleep(&(struct timespec){.tv_nsec = CLOCK_MS}, NULL);
		loop_settle();
	}
	ck_assert_ptr_nonnull(fake_asked(subject));
	return fake_asked(subject);
}

const char *fake_make_consumer(const char *text)
{
	static char key[256];
	static const char verb[] = "$JS.API.CONSUMER.CREATE.";
	struct fake_post *post = fake_wait_for("$JS.API.CONSUMER.CREATE.*");

	ck_assert_msg(strstr(post->data, text), "%s", post->data);
	snprintf(key, sizeof(key), "%s", post->subject + strlen(verb));
	fake_answer(post, FAKE_DONE, 0);
	return key;
}
