/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The README of the mount is the first thing that a user reads, so it names every kind.
 */
#include <fcntl.h>

#include "lib/kinds/kinds.h"
#include "lib/tree/readme.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"

START_TEST(test_readme_names_every_kind)
{
	static const struct space_ops ops = {.holds_directories = true};
	struct space root_space = {0};
	struct channel *readme;
	struct file *file;
	const void *text = NULL;
	size_t size;

	space_init(&root_space, &ops, &host, "");
	must(readme_new(&root_space, &readme));
	size = (size_t)object_stat(readme).st_size;
	file = object_open(readme, O_RDONLY);
	ck_assert_int_eq(must(channel_read(file, size, 0, &text)), size);
	for (size_t i = 0; kinds[i]; i++) {
		const char *slash = strrchr(kinds[i]->path, '/');
		const char *name = slash ? slash + 1 : kinds[i]->path;

		ck_assert_msg(memmem(text, size, name, strlen(name)),
			      "lib/tree/readme.c has nothing on %s", kinds[i]->path);
	}
	object_close(file);
	object_unref(readme);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("readme");

	suite_add(suite, "text", (const TTest *const[]){test_readme_names_every_kind, NULL});
	return suite_run(suite);
}
