// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * info/ of FIFO and socket nodes, which the kernel serves: what their texts say, and what the texts
 * leave out.
 */
#include <errno.h>
#include <stdio.h>

#include "tests/unit/fixture.h"
#include "tests/unit/mirror.h"
#include "tests/unit/objects.h"

/* Enough for texts, but not for a scan of all processes. */
enum { BYTES_WITHOUT_LOOK = 1 << 20 };

static struct channel *make_node(mode_t type)
{
	struct channel *channel = NULL;

	must(object_create(mirror_space(0), "node", type | 0600, &root, &channel));
	return channel;
}

/* Nobody has looked the FIFO up, so nobody can have it open, and no scan is needed. */
START_TEST(test_info_nodes_status_of_a_fifo_node)
{
	mirror_make();
	channel_unref(make_node(S_IFIFO));
	host.users.limits[USER_BYTES] = BYTES_WITHOUT_LOOK;
	mirror_look("pipes/node/status");
	mirror_expect("type fifo");
	mirror_expect("keep no");
	mirror_expect("readers 0");
	mirror_expect("writers 0");
	mirror_expect_no("bytes");
	mirror_expect_no("waiting");
	mirror_expect_no("last-");
	must(space_remove(mirror_space(0), "node", &root));
	mirror_free();
}
END_TEST

START_TEST(test_info_nodes_status_of_a_socket_node)
{
	mirror_make();
	channel_unref(make_node(S_IFSOCK));
	mirror_look("pipes/node/status");
	mirror_expect("type socket");
	mirror_expect_no("readers");
	mirror_expect_no("writers");
	mirror_expect_no("keep");
	must(space_remove(mirror_space(0), "node", &root));
	mirror_free();
}
END_TEST

/* The test's reference to the channel stands for the kernel's, so the FIFO counts as looked up. */
START_TEST(test_info_nodes_status_of_a_fifo_looks_for_users)
{
	struct channel *channel;

	mirror_make();
	channel = make_node(S_IFIFO);
	mirror_look("pipes/node/status");
	ck_assert(mirror_was_awaited);
	mirror_expect("readers 0");
	mirror_expect("writers 0");
	channel_unref(channel);
	must(space_remove(mirror_space(0), "node", &root));
	mirror_free();
}
END_TEST

START_TEST(test_info_nodes_users_of_a_fifo_that_can_not_be_found_are_left_out)
{
	struct channel *channel;

	mirror_make();
	channel = make_node(S_IFIFO);
	host.users.limits[USER_BYTES] = BYTES_WITHOUT_LOOK;
	mirror_look("pipes/node/status");
	mirror_expect("type fifo");
	mirror_expect_no("readers");
	mirror_expect_no("writers");
	mirror_look("metrics");
	mirror_expect_no("ipcfs_readers{kind=\"pipes\",name=\"node\",owner=\"root\"}");
	mirror_expect("ipcfs_readers{kind=\"pipes\",name=\"p\",owner=\"root\"} 0");
	channel_unref(channel);
	must(space_remove(mirror_space(0), "node", &root));
	mirror_free();
}
END_TEST

/* A FIFO takes the pipe's place between the lookup of the pipe's text and the open of that text. */
START_TEST(test_info_nodes_status_of_what_has_become_a_fifo_is_looked_up_again)
{
	struct entry text = {0};
	struct file *file = NULL;

	mirror_make();
	channel_unref(object_make(mirror_space(0), "node"));
	must(mirror_find("pipes/node/status", &text));
	must(space_remove(mirror_space(0), "node", &root));
	channel_unref(make_node(S_IFIFO));
	must_fail(object_open_as(text.channel, O_RDONLY, &root, &file), ESTALE);
	channel_unref(text.channel);
	must(space_remove(mirror_space(0), "node", &root));
	mirror_free();
}
END_TEST

static void expect_texts(const char *directory, int n)
{
	struct entry entry = {0};
	char path[64];

	must(mirror_find(directory, &entry));
	ck_assert_int_eq(space_count(entry.space), n);
	space_unref(entry.space);
	snprintf(path, sizeof(path), "%s/peek", directory);
	must_fail(mirror_find(path, &(struct entry){0}), ENOENT);
}

/* info/ has no text `peek` for an object where reading it could only fail. */
START_TEST(test_info_nodes_peek_without_a_way_is_not_there)
{
	mirror_make();
	expect_texts("queues/q", 2);
	expect_texts("shm/s", 2);
	channel_unref(make_node(S_IFIFO));
	expect_texts("pipes/node", 2);
	must(space_remove(mirror_space(0), "node", &root));
	channel_unref(make_node(S_IFSOCK));
	expect_texts("pipes/node", 2);
	must(space_remove(mirror_space(0), "node", &root));
	mirror_free();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("info_nodes");

	suite_add(suite, "nodes",
		  (const TTest *const[]){
			  test_info_nodes_status_of_a_fifo_node,
			  test_info_nodes_status_of_a_socket_node,
			  test_info_nodes_status_of_a_fifo_looks_for_users,
			  test_info_nodes_users_of_a_fifo_that_can_not_be_found_are_left_out,
			  test_info_nodes_status_of_what_has_become_a_fifo_is_looked_up_again,
			  test_info_nodes_peek_without_a_way_is_not_there,
			  NULL,
		  });
	return suite_run(suite);
}
