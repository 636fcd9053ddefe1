/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an ordinary user tries with an identifier that has become someone else's. The kernel reuses
 * an identifier after four million others; with /proc/sys/kernel/…_next_id, it does so at once.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/sysv_objects.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const next_ids[N_SORTS] = {"/proc/sys/kernel/msg_next_id",
					      "/proc/sys/kernel/sem_next_id",
					      "/proc/sys/kernel/shm_next_id"};

static void set_next_id(enum sort sort, int id)
{
	FILE *file = fopen(next_ids[sort], "we");

	ck_assert_msg(file, "%s: %s", next_ids[sort], strerror(errno));
	fprintf(file, "%d", id);
	ck_assert_int_eq(fclose(file), 0);
}

/* Removes the other user's object and makes one of root's with the same identifier. */
static int give_to_root(enum sort sort, int id, key_t key)
{
	int roots;

	must(sysv_control(sort, id, IPC_RMID, NULL));
	become(0);
	set_next_id(sort, id);
	roots = sysv_get(sort, key, IPC_CREAT | IPC_EXCL | 0600);
	ck_assert_int_eq(roots, id);
	sysv_put_secret(sort, roots);
	return roots;
}

/*
 * Checks a file whose identifier now belongs to someone else's set or queue. The file must not lead
 * there.
 */
static void must_be_gone(enum sort sort, int fd)
{
	const char *text = sysv_text(sort);
	char buf[64], path[64];
	struct stat attr;

	must_fail(read(fd, buf, sizeof(buf)), EIDRM);
	must_fail(write(fd, text, strlen(text)), EIDRM);
	must_fail(fchmod(fd, 0666), EIDRM);
	must(fstat(fd, &attr)); /* shows the old object, nothing of the new one */
	ck_assert_uint_eq(attr.st_nlink, 0);
	ck_assert_uint_eq(attr.st_uid, OTHER);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ck_assert_int_eq(open(path, O_RDWR | O_NONBLOCK), -1);
}

START_TEST(test_attack_sysv_identifier_that_came_back_is_another)
{
	int id, roots, fd;

	become(OTHER);
	id = sysv_get(_i, KEY, IPC_CREAT | 0600);
	fd = channel_open(sysv_names[_i], O_RDWR | O_NONBLOCK);
	roots = give_to_root(_i, id, ROOTS_KEY);
	become(OTHER);
	must_be_gone(_i, fd);
	if (_i == MSG)
		must_fail(ftruncate(fd, 0), EIDRM);
	become(0);
	sysv_must_have_secret(_i, roots);
	must(close(fd));
}
END_TEST

START_TEST(test_attack_sysv_identifier_and_key_that_came_back_are_another)
{
	int id, roots, fd;
	char text[16];

	become(OTHER);
	id = sysv_get(_i, KEY, IPC_CREAT | 0600);
	fd = channel_open(sysv_names[_i], O_RDWR | O_NONBLOCK);
	roots = give_to_root(_i, id, KEY);
	must_fail(open(ipc_path(sysv_names[_i]), O_RDONLY | O_EXCL | O_CREAT, 0600), EEXIST);
	become(OTHER);
	must_be_gone(_i, fd);
	must_fail(open(ipc_path(sysv_names[_i]), O_RDWR | O_NONBLOCK), EACCES);
	become(0);
	sysv_must_have_secret(_i, roots);
	sysv_put_secret(_i, roots);
	ck_assert_int_gt(channel_take(sysv_names[_i], text, sizeof(text)), 0);
	must(close(fd));
}
END_TEST

/* As with shmat(2), an opener keeps the memory of the old segment, which nobody else has. */
START_TEST(test_attack_sysv_segment_that_is_gone_stays_apart)
{
	char text[16] = {0};
	struct stat attr;
	int id, roots, fd;

	become(OTHER);
	id = sysv_get(SHM, KEY, IPC_CREAT | 0600);
	sysv_put_secret(SHM, id);
	fd = channel_open(sysv_names[SHM], O_RDWR);
	roots = give_to_root(SHM, id, ROOTS_KEY);
	become(OTHER);
	ck_assert_int_eq(must(pwrite(fd, "forged", 6, 0)), 6);
	ck_assert_int_eq(must(pread(fd, text, sizeof(text), 0)), sizeof(text));
	ck_assert_str_eq(text, "forged");
	must(fstat(fd, &attr));
	ck_assert_uint_eq(attr.st_uid, OTHER);
	ck_assert_uint_eq(attr.st_nlink, 0);
	become(0);
	sysv_must_have_secret(SHM, roots);
	must(close(fd));
}
END_TEST

/*
 * The path is looked up while the object is the attacker's, and used only when its identifier
 * belongs to an object of root's.
 */
START_TEST(test_attack_sysv_path_descriptor_does_not_lead_to_another)
{
	char path[64];
	int id, roots, fd;

	become(OTHER);
	id = sysv_get(_i, KEY, IPC_CREAT | 0600);
	fd = channel_open(sysv_names[_i], O_PATH);
	roots = give_to_root(_i, id, ROOTS_KEY);
	must(chmod(ipc_path(sysv_roots_names[_i]), 0666));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	must_fail(open(path, O_RDWR | O_NONBLOCK), ESTALE);
	must_fail(chmod(path, 0600), EIDRM);
	sysv_must_have_secret(_i, roots);
	must(close(fd));
}
END_TEST

static void add_identity_tests(TCase *tcase)
{
	tcase_add_loop_test(tcase, test_attack_sysv_identifier_that_came_back_is_another, MSG, SHM);
	tcase_add_loop_test(tcase, test_attack_sysv_identifier_and_key_that_came_back_are_another,
			    MSG, SHM);
	/* Without these features the segment stays attached, and so keeps its identifier. */
	case_add_needing(tcase, test_attack_sysv_segment_that_is_gone_stays_apart, 0,
			 "passthrough:map_files");
	tcase_add_loop_test(tcase, test_attack_sysv_path_descriptor_does_not_lead_to_another, 0,
			    N_SORTS);
}

int main(void)
{
	Suite *suite = suite_create("attack");
	TCase *tcase = suite_case(suite, "attack_sysv", 30);

	add_identity_tests(tcase);
	return suite_run(suite);
}
