// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owner and mode of a server: a change reaches the server's socket as well.
 */
#include <sys/stat.h>

#include "lib/channel/channel.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/peer.h"
#include "tests/unit/sockets.h"

static struct space *space, *directory;

static int make_once(void *data)
{
	const struct settings settings = {.given = 1, .texts = {"unix:" SOCKET_PATH}}; /* listen= */
	struct selector selector;
	struct entry entry;
	int r = space_create(space, "s", S_IFDIR | 0660, &settings, &stranger, &entry, &selector);

	if (r == 0)
		directory = entry.space;
	return r;
}

struct changing {
	struct stat attr;
	unsigned changes;
	struct caller *caller;
};

static int change_once(void *data)
{
	const struct changing *changing = data;

	return space_change(directory, &changing->attr, changing->changes, changing->caller);
}

/*
 * Expects the first try to fail with -EAGAIN: the change may wait for a disk, so the loop must not
 * make it.
 */
static int change(struct changing changing)
{
	must_fail(change_once(&changing), EAGAIN);
	return loop_wait_for(changing.caller, change_once, &changing);
}

static void expect(mode_t mode, mode_t directory_mode, uid_t uid)
{
	struct stat attr;

	must_call(stat(SOCKET_PATH, &attr));
	ck_assert_uint_eq(attr.st_mode, S_IFSOCK | mode);
	ck_assert_uint_eq(attr.st_uid, uid);
	space_stat(directory, &attr);
	ck_assert_uint_eq(attr.st_mode, S_IFDIR | directory_mode);
	ck_assert_uint_eq(attr.st_uid, uid);
}

START_TEST(test_server_change_reaches_socket)
{
	space = fixture_open(&server_kind);
	stranger.pid = peer_start(&(struct peer){.uid = STRANGER});
	must(loop_wait_for(&stranger, make_once, NULL));
	expect(0660, 0770, STRANGER);
	host.is_serving = true;
	must(change((struct changing){{.st_mode = 0600}, CHANGE_MODE, &stranger}));
	expect(0600, 0700, STRANGER);
	must_fail(change((struct changing){{.st_uid = 0}, CHANGE_UID, &stranger}), EPERM);
	expect(0600, 0700, STRANGER);
	must(change((struct changing){{.st_uid = 1}, CHANGE_UID, &root}));
	expect(0600, 0700, 1);
	space_unref(directory);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("server_change");

	suite_add(suite, "rights", (const TTest *const[]){test_server_change_reaches_socket, NULL});
	return suite_run(suite);
}
