// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Servers whose names change.
 */
#include "lib/channel/channel.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/sockets.h"

#define ADDRESS "abstract:ipcfs-test-names"

static struct space *space;

/* Makes a server that listens at the address, and returns the server's directory. */
static struct space *make(const char *name, const char *address)
{
	const struct settings settings = {.given = 1, .texts = {address}}; /* listen= */
	struct selector selector;
	struct entry entry;

	space = space ? space : fixture_open(&server_kind);
	must(space_create(space, name, S_IFDIR | 0700, &settings, &root, &entry, &selector));
	return entry.space;
}

START_TEST(test_server_names_renamed_to_itself_goes_on)
{
	struct space *directory = make("s", ADDRESS);

	must(space_rename(space, "s", "s", 0, &root));
	must(object_lookup(directory, "connect", NULL));
	space_unref(directory);
}
END_TEST

START_TEST(test_server_names_replaced_ends_however_it_is_in_use)
{
	struct space *replaced = make("old", ADDRESS "1"), *directory = make("new", ADDRESS "2");
	struct channel *accept = object_find(replaced, "accept");
	struct file *file = object_open(accept, O_RDWR);
	struct held held = {0};

	held_open(&held, file);
	must_fail(space_rename(space, "new", "old", RENAME_NOREPLACE, &root), EEXIST);
	must_fail(space_rename(space, "new", "old", 0, &stranger), EPERM);
	loop_settle();
	ck_assert_uint_eq(held.n, 0);
	must(space_rename(space, "new", "old", 0, &root));
	held_wait(&held);
	held_expect_result(&held, -EINVAL);
	must(object_lookup(directory, "connect", NULL));
	object_close(file);
	/*
	 * The test still refers to the replaced directory, as the kernel may for a long time. But
	 * only the two descriptors of the other server are charged.
	 */
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_DESCRIPTORS), 2);
	channel_unref(accept);
	space_unref(replaced);
	space_unref(directory);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("server_names");

	suite_add(suite, "rename",
		  (const TTest *const[]){
			  test_server_names_renamed_to_itself_goes_on,
			  test_server_names_replaced_ends_however_it_is_in_use,
			  NULL,
		  });
	return suite_run(suite);
}
