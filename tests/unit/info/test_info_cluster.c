// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What info/ says of the connection to a cluster, and that tables ask it for nothing.
 */
#include "lib/channel/folder.h"
#include "lib/channel/row.h"
#include "lib/info/info.h"
#include "tests/unit/fixture.h"
#include "tests/unit/mirror.h"
#include "tests/unit/toy.h"

static bool is_up;

static void tell_status(const struct host *of, struct row *row)
{
	row_add_word(row, "state", is_up ? "connected" : "connecting");
	if (is_up) {
		row_add_text(row, "server", "nats://one\n:4222");
		row_add_number(row, "rtt", 1500);
		row_add_time(row, "since", &(struct timespec){.tv_sec = 7});
	}
	row_add_number(row, "reconnects", 3);
	row_add_number(row, "sent", 5);
	row_add_number(row, "received", 4);
}

static void make(bool is_connected)
{
	is_up = is_connected;
	host.remote.status = tell_status;
	mirror_make();
	host.remote.servers = "nats://one:4222,nats://two:4222";
}

START_TEST(test_info_cluster_status_quotes_what_others_chose)
{
	make(true);
	mirror_look("cluster/status");
	mirror_expect("servers nats://one:4222,nats://two:4222");
	mirror_expect("state connected");
	mirror_expect("server nats://one\\x0a:4222");
	mirror_expect("rtt 1500");
	mirror_free();
}
END_TEST

START_TEST(test_info_cluster_metrics_of_a_connection)
{
	make(true);
	mirror_look("metrics");
	mirror_expect("# TYPE ipcfs_cluster_up gauge");
	mirror_expect("ipcfs_cluster_up 1");
	mirror_expect("# UNIT ipcfs_cluster_round_trip_seconds seconds");
	mirror_expect("ipcfs_cluster_round_trip_seconds 0.001500");
	mirror_expect("# TYPE ipcfs_cluster_reconnects counter");
	mirror_expect("ipcfs_cluster_reconnects_total 3");
	mirror_expect("ipcfs_cluster_sent_messages_total 5");
	mirror_expect("ipcfs_cluster_received_messages_total 4");
	mirror_expect("ipcfs_cluster_since_seconds 7.000000000");
	mirror_free();
}
END_TEST

START_TEST(test_info_cluster_metrics_without_a_connection_have_no_round_trip)
{
	make(false);
	mirror_look("metrics");
	mirror_expect("ipcfs_cluster_up 0");
	mirror_expect("ipcfs_cluster_reconnects_total 3");
	mirror_expect_no("round_trip");
	mirror_free();
}
END_TEST

START_TEST(test_info_cluster_is_not_there_without_servers)
{
	struct entry entry = {0};

	mirror_make();
	must_fail(mirror_find("cluster", &entry), ENOENT);
	mirror_look("metrics");
	mirror_expect_no("cluster");
	mirror_free();
}
END_TEST

static int n_measured;

static int count_measure(struct channel *channel, struct caller *caller, const struct row *row)
{
	n_measured++;
	return 0;
}

static struct toy *toy;

static int list_error;

static int list(struct space *space, struct caller *caller, space_entry_fn *entry, void *data)
{
	if (list_error)
		return list_error;
	entry(data, "toy", 1, S_IFREG);
	return 0;
}

static int lookup(struct space *space, const char *name, struct caller *caller,
		  struct entry *ret_entry)
{
	ret_entry->channel = channel_ref(&toy->channel);
	return 0;
}

static const struct space_ops toys_ops = {.list = list, .lookup = lookup};
static const struct kind toys_kind = {.path = "cluster/toys", .is_remote = true};
static struct channel_ops toy_ops;
static struct space *spaces[2];

/* Makes info/ of a tree with cluster/toys, in which there is one. */
static void make_toys(void)
{
	toy_ops = *toy_message.ops;
	toy_ops.measure = count_measure;
	toy = toy_new(&toy_message);
	toy->channel.ops = &toy_ops;
	toy->space.ops = &toys_ops;
	toy->space.kind = &toys_kind;
	spaces[0] = &toy->space;
	host.spaces = spaces;
	must(info_new(&host, &host.info));
}

static void free_toys(void)
{
	folder_clear(host.info);
	space_unref(host.info);
	host.info = NULL;
	info_end(&host);
	host.spaces = NULL;
	toy_close(toy, (struct file *const[]){NULL});
}

START_TEST(test_info_cluster_tables_do_not_measure_what_is_remote)
{
	make_toys();
	mirror_look("summary");
	ck_assert(strstr(mirror_text, "cluster/toys"));
	mirror_look("metrics");
	mirror_look("inventory.json");
	ck_assert_int_eq(n_measured, 0);
	mirror_look("cluster/toys/toy/status");
	ck_assert_int_eq(n_measured, 1);
	free_toys();
}
END_TEST

static bool count_entry(void *data, const char *name, ino_t ino, mode_t mode)
{
	(*(int *)data)++;
	return true;
}

START_TEST(test_info_cluster_is_empty_while_nothing_is_known)
{
	struct entry entry = {0};
	int n = 0;

	make_toys();
	list_error = -EHOSTDOWN;
	mirror_look("inventory.json");
	ck_assert_str_eq(mirror_text, "[\n]\n");
	must(mirror_find("cluster/toys", &entry));
	must(space_list(entry.space, &root, count_entry, &n));
	ck_assert_int_eq(n, 0);
	entry_unref(&entry);
	free_toys();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("info_cluster");

	suite_add(suite, "connection",
		  (const TTest *const[]){
			  test_info_cluster_status_quotes_what_others_chose,
			  test_info_cluster_metrics_of_a_connection,
			  test_info_cluster_metrics_without_a_connection_have_no_round_trip,
			  test_info_cluster_is_not_there_without_servers,
			  NULL,
		  });
	suite_add(suite, "objects",
		  (const TTest *const[]){
			  test_info_cluster_tables_do_not_measure_what_is_remote,
			  test_info_cluster_is_empty_while_nothing_is_known,
			  NULL,
		  });
	return suite_run(suite);
}
