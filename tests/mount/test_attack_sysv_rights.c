/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System V objects that were opened while that was still allowed. Also the rights that the kernel
 * grants to an object's maker, whoever owns the object now: the mount must not refuse them.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"
#include "tests/mount/sysv_objects.h"

#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096

START_TEST(test_attack_sysv_private_after_chmod_is_read_no_more)
{
	const char *text = sysv_text(_i);
	char buf[64];
	int id = sysv_get(_i, KEY, IPC_CREAT | 0666);
	int fd;

	become(OTHER);
	fd = channel_open(sysv_names[_i], O_RDWR | O_NONBLOCK);
	become(0);
	must(chmod(ipc_path(sysv_names[_i]), 0600));
	sysv_put_secret(_i, id);
	become(OTHER);
	must_fail(read(fd, buf, sizeof(buf)), EACCES);
	must_fail(write(fd, text, strlen(text)), EACCES);
	if (_i == MSG)
		must_fail(ftruncate(fd, 0), EACCES);
	become(0);
	sysv_must_have_secret(_i, id);
	/* The open file has the rights of its opener, whoever uses it now. */
	must_fail(read(fd, buf, sizeof(buf)), EACCES);
	must(close(fd));
}
END_TEST

static int read_eacces(void *name)
{
	char text[64];
	int fd = open(ipc_path(name), O_RDONLY);

	return read(fd, text, sizeof(text)) == -1 && errno == EACCES ? 0 : EIO;
}

START_TEST(test_attack_sysv_reader_who_waits_gets_nothing_after_chmod)
{
	int id = sysv_get(MSG, KEY, IPC_CREAT | 0666);
	pid_t reader = child_start_as(OTHER, read_eacces, (void *)sysv_names[MSG]);

	task_must_block(reader, SYS_read);
	must(chmod(ipc_path(sysv_names[MSG]), 0600));
	sysv_put_secret(MSG, id);
	ck_assert_int_eq(child_end(reader), 0);
	sysv_must_have_secret(MSG, id);
	ck_assert(wait_until(look_is_at_rest, NULL, 5000));
}
END_TEST

/*
 * The daemon's waiting thread takes an empty message out of the queue, so the message has to go
 * back.
 */
START_TEST(test_attack_sysv_waiting_reader_gets_no_empty_message_after_chmod)
{
	int id = sysv_get(MSG, KEY, IPC_CREAT | 0666);
	const struct message empty = {.type = 1};
	pid_t reader = child_start_as(OTHER, read_eacces, (void *)sysv_names[MSG]);

	task_must_block(reader, SYS_read);
	must(chmod(ipc_path(sysv_names[MSG]), 0600));
	must(msgsnd(id, &empty, 0, 0));
	ck_assert_int_eq(child_end(reader), 0);
	ck_assert(wait_until(look_is_at_rest, NULL, 5000));
	ck_assert_int_eq(look_for(sysv_names[MSG], "messages"), 1);
}
END_TEST

static int write_eacces(void *name)
{
	int fd = open(ipc_path(name), O_WRONLY);

	return write(fd, "forged", 6) == -1 && errno == EACCES ? 0 : EIO;
}

START_TEST(test_attack_sysv_writer_who_waits_sends_nothing_after_chmod)
{
	int id = sysv_get(MSG, KEY, IPC_CREAT | 0666);
	const struct message secret = {1, "secret"};
	struct message message;
	pid_t writer;
	int n = 0;

	while (msgsnd(id, &secret, 6, IPC_NOWAIT) == 0)
		n++;
	writer = child_start_as(OTHER, write_eacces, (void *)sysv_names[MSG]);
	task_must_block(writer, SYS_write);
	must(chmod(ipc_path(sysv_names[MSG]), 0600));
	/* A native waiter, too, learns of the change only when there is room. */
	must(msgrcv(id, &message, sizeof(message.text), 0, IPC_NOWAIT));
	ck_assert_int_eq(child_end(writer), 0);
	while (--n > 0) {
		must(msgrcv(id, &message, sizeof(message.text), 0, IPC_NOWAIT));
		ck_assert_mem_eq(message.text, "secret", 6);
	}
	must_fail(msgrcv(id, &message, sizeof(message.text), 0, IPC_NOWAIT), ENOMSG);
}
END_TEST

/* Makes an object as one user and gives it to another, with a group that is not the maker's. */
static int make_given(enum sort sort, mode_t mode)
{
	union {
		struct ipc_perm perm;
		struct msqid_ds queue;
		struct semid_ds set;
		struct shmid_ds segment;
	} data;
	int id;

	become(OTHER);
	id = sysv_get(sort, KEY, IPC_CREAT | 0600);
	must(sysv_control(sort, id, IPC_STAT, &data));
	data.perm.uid = 1234;
	data.perm.gid = 1234;
	data.perm.mode = mode;
	must(sysv_control(sort, id, IPC_SET, &data));
	become(0);
	sysv_put_secret(sort, id);
	return id;
}

static int open_run(void *name)
{
	int fd = open(ipc_path(name), O_RDWR | O_NONBLOCK);
	char text[64];

	if (fd < 0)
		return errno;
	return read(fd, text, sizeof(text)) > 0 ? 0 : errno;
}

START_TEST(test_attack_sysv_maker_is_granted_what_the_owner_is)
{
	make_given(_i, 0600);
	ck_assert_int_eq(child_code_as(THIRD, open_run, (void *)sysv_names[_i]), EACCES);
	ck_assert_int_eq(child_code_as(OTHER, open_run, (void *)sysv_names[_i]), 0);
	become(OTHER);
	must(unlink(ipc_path(sysv_names[_i])));
	become(0);
}
END_TEST

static int open_in_makers_group(void *name)
{
	const gid_t group = OTHER;

	if (setgroups(1, &group) < 0 || setresgid(THIRD, THIRD, THIRD) < 0 ||
	    setresuid(THIRD, THIRD, THIRD) < 0)
		return errno;
	return open_run(name);
}

START_TEST(test_attack_sysv_makers_group_is_granted_what_the_group_is)
{
	make_given(_i, 0660);
	ck_assert_int_eq(child_code_as(THIRD, open_run, (void *)sysv_names[_i]), EACCES);
	child_must(open_in_makers_group, (void *)sysv_names[_i]);
}
END_TEST

/*
 * The maker's entry in the access control list has the owner's bits: here none, whatever the list's
 * mask allows.
 */
START_TEST(test_attack_sysv_maker_is_not_granted_more_than_the_owner)
{
	make_given(_i, 0066);
	ck_assert_int_eq(child_code_as(OTHER, open_run, (void *)sysv_names[_i]), EACCES);
	ck_assert_int_eq(child_code_as(THIRD, open_run, (void *)sysv_names[_i]), 0);
}
END_TEST

START_TEST(test_attack_sysv_mode_of_what_was_given_is_what_chmod_says)
{
	static const mode_t modes[] = {0640, 0600, 0644, 0664, 0666, 0000, 0460};
	int id = make_given(MSG, 0600);
	struct msqid_ds data;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		must(chmod(ipc_path(sysv_names[MSG]), modes[i]));
		must(msgctl(id, IPC_STAT, &data));
		ck_assert_uint_eq(data.msg_perm.mode & 0777, modes[i]);
	}
}
END_TEST

/*
 * The mode shows the mask as the group's bits. When others' bits are changed, the mask must not be
 * stored as the group's.
 */
START_TEST(test_attack_sysv_mask_does_not_become_the_groups)
{
	int id = make_given(MSG, 0600);
	struct msqid_ds data;
	struct stat attr;

	must(stat(ipc_path(sysv_names[MSG]), &attr));
	must(chmod(ipc_path(sysv_names[MSG]), (attr.st_mode & 0777) | 04));
	must(msgctl(id, IPC_STAT, &data));
	ck_assert_uint_eq(data.msg_perm.mode & 0777, 0604);
}
END_TEST

static int list_run(void *stop)
{
	while (!*(_Atomic bool *)stop)
		if (!channel_is_listed("sysv/shm", "0x000004d3"))
			return ENOENT;
	return 0;
}

START_TEST(test_attack_sysv_large_segment_goes_while_others_list)
{
	_Atomic bool *stop =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const size_t size = 64 << 20;
	int id = (int)must(shmget(KEY, size, IPC_CREAT | 0600));
	char *memory = shmat(id, NULL, 0);
	pid_t lister;

	sysv_get(SHM, ROOTS_KEY, IPC_CREAT | 0600);
	memset(memory, 1, size);
	must(shmdt(memory));
	lister = child_start_as(OTHER, list_run, (void *)stop);
	must(unlink(ipc_path(sysv_names[SHM])));
	must_fail(access(ipc_path(sysv_names[SHM]), F_OK), ENOENT);
	must_fail(shmget(KEY, 0, 0), ENOENT);
	*stop = true;
	ck_assert_int_eq(child_end(lister), 0);
}
END_TEST

static void add_rights_tests(TCase *tcase)
{
	tcase_add_loop_test(tcase, test_attack_sysv_private_after_chmod_is_read_no_more, MSG, SHM);
	tcase_add_test(tcase, test_attack_sysv_reader_who_waits_gets_nothing_after_chmod);
	tcase_add_test(tcase, test_attack_sysv_waiting_reader_gets_no_empty_message_after_chmod);
	tcase_add_test(tcase, test_attack_sysv_writer_who_waits_sends_nothing_after_chmod);
	tcase_add_loop_test(tcase, test_attack_sysv_maker_is_granted_what_the_owner_is, 0, N_SORTS);
	tcase_add_loop_test(tcase, test_attack_sysv_makers_group_is_granted_what_the_group_is, 0,
			    N_SORTS);
	tcase_add_loop_test(tcase, test_attack_sysv_maker_is_not_granted_more_than_the_owner, 0,
			    N_SORTS);
	case_add_needing(tcase, test_attack_sysv_mode_of_what_was_given_is_what_chmod_says, 0,
			 "posix_acl");
	case_add_needing(tcase, test_attack_sysv_mask_does_not_become_the_groups, 0, "posix_acl");
	tcase_add_test(tcase, test_attack_sysv_large_segment_goes_while_others_list);
}

int main(void)
{
	Suite *suite = suite_create("attack");
	TCase *tcase = suite_case(suite, "attack_sysv_rights", 30);

	add_rights_tests(tcase);
	return suite_run(suite);
}
