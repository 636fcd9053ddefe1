/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The README of the mount is the first thing that a user reads, so it names every kind.
 */
#include <fcntl.h>

#include "lib/kinds/kinds.h"
#include "lib/tree/readme.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"

static const struct space_ops ops = {.holds_directories = true};
static struct space root_space;
static char text[16384];

static void read_text(void)
{
	struct channel *readme;
	struct file *file;
	const void *data = NULL;
	size_t size;

	space_init(&root_space, &ops, &host, "");
	must(readme_new(&root_space, &readme));
	size = (size_t)object_stat(readme).st_size;
	ck_assert_uint_lt(size, sizeof(text));
	file = object_open(readme, O_RDONLY);
	ck_assert_int_eq(must(channel_read(file, size, 0, &data)), size);
	memcpy(text, data, size);
	text[size] = '\0';
	object_close(file);
	object_unref(readme);
}

START_TEST(test_readme_names_every_kind)
{
	host.remote.servers = "nats://localhost:4222";
	read_text();
	for (size_t i = 0; kinds[i]; i++) {
		const char *slash = strrchr(kinds[i]->path, '/');
		const char *name = slash ? slash + 1 : kinds[i]->path;

		ck_assert_msg(strstr(text, name), "lib/tree/readme.c has nothing on %s",
			      kinds[i]->path);
	}
	ck_assert(strstr(text, "\n  cluster/ "));
}
END_TEST

START_TEST(test_readme_without_servers_does_not_name_the_cluster)
{
	read_text();
	ck_assert(!strstr(text, "cluster"));
	ck_assert(strstr(text, "\n  ctl "));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("readme");

	suite_add(suite, "text",
		  (const TTest *const[]){
			  test_readme_names_every_kind,
			  test_readme_without_servers_does_not_name_the_cluster,
			  NULL,
		  });
	return suite_run(suite);
}
