/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Message queues shared with programs that know nothing of ipcfs: both directions, each blocked
 * side woken by the other, priorities, and a queue that either side makes, changes or removes.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/native.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <mqueue.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int get_run(void *name)
{
	char buf[MESSAGE_MAX];
	int fd = open(ipc_path(name), O_RDONLY);

	return fd < 0 || read(fd, buf, sizeof(buf)) < 0 ? errno : 0;
}

static int put_run(void *name)
{
	int fd = open(ipc_path(name), O_WRONLY);

	return fd < 0 || write(fd, "mount", 5) < 0 ? errno : 0;
}

START_TEST(test_native_queues_message_sent_natively_is_read)
{
	char buf[64];

	native_make("/q");
	native_send("/q", "from native", 0);
	ck_assert_int_eq(must(channel_take("queues/q", buf, sizeof(buf))), 11);
	ck_assert_mem_eq(buf, "from native", 11);
}
END_TEST

START_TEST(test_native_queues_message_written_is_received)
{
	char buf[MESSAGE_MAX];

	channel_make("queues/q");
	channel_put("queues/q", "from mount", 10);
	ck_assert_int_eq(native_messages("/q"), 1);
	ck_assert_int_eq(must(native_receive("/q", buf, sizeof(buf), NULL)), 10);
	ck_assert_mem_eq(buf, "from mount", 10);
}
END_TEST

START_TEST(test_native_queues_blocked_native_receiver_wakes_on_write)
{
	pid_t pid;

	native_make("/q");
	pid = child_start(native_receive_run, "/q");
	task_must_block(pid, SYS_mq_timedreceive);
	channel_put("queues/q", "wake", 4);
	ck_assert_int_eq(child_end(pid), 0);
}
END_TEST

START_TEST(test_native_queues_blocked_reader_wakes_on_native_send)
{
	pid_t pid;

	channel_make("queues/q");
	pid = child_start(get_run, "queues/q");
	task_must_block(pid, SYS_read);
	native_send("/q", "wake", 0);
	ck_assert_int_eq(child_end(pid), 0);
}
END_TEST

START_TEST(test_native_queues_blocked_native_sender_wakes_on_read)
{
	char buf[MESSAGE_MAX];
	pid_t pid;

	channel_make("queues/q");
	channel_fill("queues/q");
	pid = child_start(native_send_run, "/q");
	task_must_block(pid, SYS_mq_timedsend);
	must(channel_take("queues/q", buf, sizeof(buf)));
	ck_assert_int_eq(child_end(pid), 0);
}
END_TEST

START_TEST(test_native_queues_blocked_writer_wakes_on_native_receive)
{
	char buf[MESSAGE_MAX];
	pid_t pid;

	channel_make("queues/q");
	channel_fill("queues/q");
	pid = child_start(put_run, "queues/q");
	task_must_block(pid, SYS_write);
	must(native_receive("/q", buf, sizeof(buf), NULL));
	ck_assert_int_eq(child_end(pid), 0);
}
END_TEST

START_TEST(test_native_queues_suffix_is_the_priority)
{
	char buf[MESSAGE_MAX];
	unsigned int priority;

	channel_make("queues/q");
	channel_put("queues/q", "low", 3);
	channel_put("queues/q:9", "high", 4);
	ck_assert_int_eq(must(native_receive("/q", buf, sizeof(buf), &priority)), 4);
	ck_assert_uint_eq(priority, 9);
	ck_assert_int_eq(must(native_receive("/q", buf, sizeof(buf), &priority)), 3);
	ck_assert_uint_eq(priority, 0);
}
END_TEST

START_TEST(test_native_queues_own_name_wins_over_suffix)
{
	native_make("/q");
	native_make("/q:9");
	channel_put("queues/q:9", "mine", 4);
	ck_assert_int_eq(native_messages("/q:9"), 1);
	ck_assert_int_eq(native_messages("/q"), 0);
}
END_TEST

START_TEST(test_native_queues_highest_priority_is_read_first)
{
	char buf[64];

	native_make("/q");
	native_send("/q", "low", 1);
	native_send("/q", "high", 2);
	ck_assert_int_eq(must(channel_take("queues/q", buf, sizeof(buf))), 4);
	ck_assert_int_eq(must(channel_take("queues/q", buf, sizeof(buf))), 3);
}
END_TEST

START_TEST(test_native_queues_made_natively_appears)
{
	ck_assert(!channel_is_listed("queues", "q"));
	must_fail(access(ipc_path("queues/q"), F_OK), ENOENT);
	native_make("/q");
	ck_assert(channel_is_listed("queues", "q"));
	must(access(ipc_path("queues/q"), F_OK));
}
END_TEST

START_TEST(test_native_queues_removed_natively_disappears)
{
	native_make("/q");
	must(access(ipc_path("queues/q"), F_OK));
	must(mq_unlink("/q"));
	ck_assert(!channel_is_listed("queues", "q"));
	must_fail(access(ipc_path("queues/q"), F_OK), ENOENT);
}
END_TEST

START_TEST(test_native_queues_removed_in_mount_is_gone_natively)
{
	native_make("/q");
	must(unlink(ipc_path("queues/q")));
	must_fail(mq_open("/q", O_RDWR), ENOENT);
}
END_TEST

START_TEST(test_native_queues_removed_open_file_keeps_it)
{
	char buf[64];
	int fd;

	channel_make("queues/q");
	channel_put("queues/q", "kept", 4);
	fd = channel_open("queues/q", O_RDONLY);
	must(unlink(ipc_path("queues/q")));
	ck_assert_int_eq(must(read(fd, buf, sizeof(buf))), 4);
}
END_TEST

START_TEST(test_native_queues_owner_mode_times_as_native)
{
	mqd_t queue = native_make("/q");

	native_must_match("queues/q", queue);
	native_send("/q", "changes the times", 0);
	must(fchmod(queue, 0620));
	must(fchown(queue, 1234, 2345));
	native_must_match("queues/q", queue);
}
END_TEST

START_TEST(test_native_queues_chmod_chown_in_mount_change_it)
{
	mqd_t queue = native_make("/q");
	struct stat st;

	must(chmod(ipc_path("queues/q"), 0604));
	must(chown(ipc_path("queues/q"), 1234, 2345));
	must(fstat(queue, &st));
	ck_assert_uint_eq(st.st_mode, S_IFREG | 0604);
	ck_assert_uint_eq(st.st_uid, 1234);
	ck_assert_uint_eq(st.st_gid, 2345);
	native_must_match("queues/q", queue);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("native_queues");
	TCase *tcase = suite_case(suite, "queues", 20);

	tcase_add_test(tcase, test_native_queues_message_sent_natively_is_read);
	tcase_add_test(tcase, test_native_queues_message_written_is_received);
	tcase_add_test(tcase, test_native_queues_blocked_native_receiver_wakes_on_write);
	tcase_add_test(tcase, test_native_queues_blocked_reader_wakes_on_native_send);
	tcase_add_test(tcase, test_native_queues_blocked_native_sender_wakes_on_read);
	tcase_add_test(tcase, test_native_queues_blocked_writer_wakes_on_native_receive);
	tcase_add_test(tcase, test_native_queues_suffix_is_the_priority);
	tcase_add_test(tcase, test_native_queues_own_name_wins_over_suffix);
	tcase_add_test(tcase, test_native_queues_highest_priority_is_read_first);
	case_add_needing(tcase, test_native_queues_made_natively_appears, 0, "mqueue_mount");
	tcase_add_test(tcase, test_native_queues_removed_natively_disappears);
	tcase_add_test(tcase, test_native_queues_removed_in_mount_is_gone_natively);
	tcase_add_test(tcase, test_native_queues_removed_open_file_keeps_it);
	tcase_add_test(tcase, test_native_queues_owner_mode_times_as_native);
	tcase_add_test(tcase, test_native_queues_chmod_chown_in_mount_change_it);
	return suite_run(suite);
}
