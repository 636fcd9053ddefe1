/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entering and leaving a caller: which ids, groups and capabilities this thread has in between, and
 * that it gets all its own back.
 */
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/host/caller.h"
#include "tests/unit/fixture.h"
#include "tests/unit/identity.h"
#include "tests/unit/peer.h"

static const gid_t two_groups[] = {1001, 1002};

/* Returns a caller whose groups are already loaded. */
static struct caller caller_with_groups(uid_t uid, gid_t gid)
{
	struct caller caller = {.uid = uid, .gid = gid, .is_loaded = true, .n_groups = 2};

	caller.groups = malloc(sizeof(two_groups));
	memcpy(caller.groups, two_groups, sizeof(two_groups));
	return caller;
}

static struct identity identity_as(struct caller *caller)
{
	struct identity identity;

	must(caller_enter(caller));
	identity = identity_get();
	caller_leave();
	return identity;
}

START_TEST(test_caller_entered_has_effective_ids_of_caller)
{
	struct identity in = identity_as(&stranger);

	ck_assert_uint_eq(in.euid, STRANGER);
	ck_assert_uint_eq(in.egid, STRANGER);
	ck_assert_uint_eq(in.fsuid, STRANGER);
	ck_assert_uint_eq(in.fsgid, STRANGER);
}
END_TEST

START_TEST(test_caller_entered_keeps_real_and_saved_user)
{
	struct identity in = identity_as(&stranger);

	ck_assert_uint_eq(in.ruid, 0);
	ck_assert_uint_eq(in.suid, 0);
}
END_TEST

START_TEST(test_caller_entered_has_no_capabilities)
{
	ck_assert_uint_ne(identity_get().capabilities, 0);
	ck_assert_uint_eq(identity_as(&stranger).capabilities, 0);
}
END_TEST

START_TEST(test_caller_entered_has_groups_of_caller)
{
	struct caller caller = caller_with_groups(STRANGER, STRANGER);
	struct identity in = identity_as(&caller);

	ck_assert(identity_has_groups(&in, 2, two_groups));
	caller_fini(&caller);
}
END_TEST

START_TEST(test_caller_entered_without_groups_loses_the_daemons)
{
	struct identity in;

	must_call(setgroups(2, two_groups));
	in = identity_as(&stranger);
	ck_assert_int_eq(in.n_groups, 0);
}
END_TEST

START_TEST(test_caller_entered_is_checked_by_the_kernel)
{
	int fd = (int)must_call(open("/dev/shm/secret", O_CREAT | O_RDONLY | O_CLOEXEC, 0600));
	int error;

	close(fd);
	must(caller_enter(&stranger));
	fd = open("/dev/shm/secret", O_RDONLY | O_CLOEXEC);
	error = errno;
	caller_leave();
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(error, EACCES);
}
END_TEST

START_TEST(test_caller_enter_of_root_changes_nothing)
{
	struct identity before = identity_get();
	struct identity in = identity_as(&root);

	ck_assert(identity_equal(&in, &before));
}
END_TEST

START_TEST(test_caller_enter_of_root_in_another_group_keeps_capabilities)
{
	struct caller caller = {.gid = 50, .pid = getpid()};
	struct identity before = identity_get();
	struct identity in = identity_as(&caller);

	caller_fini(&caller);
	ck_assert_uint_eq(in.egid, 50);
	ck_assert_uint_eq(in.euid, 0);
	ck_assert_uint_eq(in.capabilities, before.capabilities);
}
END_TEST

/* By _i, the caller is another user, the same user with groups, or root in another group. */
START_TEST(test_caller_leave_restores_everything)
{
	struct caller callers[] = {
		{.uid = STRANGER, .gid = STRANGER},
		caller_with_groups(STRANGER, STRANGER),
		{.gid = 50},
	};
	struct identity before = identity_get();
	struct identity after;

	must(caller_enter(&callers[_i]));
	caller_leave();
	after = identity_get();
	ck_assert(identity_equal(&before, &after));
	caller_fini(&callers[1]);
}
END_TEST

/*
 * Leaving a caller with groups drops all groups, even those that root had before: root needs none.
 */
START_TEST(test_caller_leave_keeps_no_group_of_the_callers)
{
	struct caller caller = caller_with_groups(STRANGER, STRANGER);

	must_call(setgroups(2, two_groups));
	must(caller_enter(&caller));
	caller_leave();
	ck_assert_int_eq(identity_get().n_groups, 0);
	caller_fini(&caller);
}
END_TEST

START_TEST(test_caller_leave_without_enter_changes_nothing)
{
	struct identity before = identity_get();
	struct identity after;

	caller_leave();
	after = identity_get();
	ck_assert(identity_equal(&before, &after));
}
END_TEST

START_TEST(test_caller_leave_twice_changes_nothing)
{
	struct identity before = identity_get();
	struct identity after;

	must(caller_enter(&stranger));
	caller_leave();
	caller_leave();
	after = identity_get();
	ck_assert(identity_equal(&before, &after));
}
END_TEST

struct onlooker {
	int go, done; /* eventfds */
	uid_t euid;
};

static void *onlooker_run(void *data)
{
	struct onlooker *onlooker = data;
	eventfd_t value;

	eventfd_read(onlooker->go, &value);
	onlooker->euid = identity_get().euid;
	eventfd_write(onlooker->done, 1);
	return NULL;
}

START_TEST(test_caller_entered_is_this_thread_alone)
{
	struct onlooker onlooker = {.euid = STRANGER};
	eventfd_t value;
	pthread_t thread;

	onlooker.go = (int)must_call(eventfd(0, EFD_CLOEXEC));
	onlooker.done = (int)must_call(eventfd(0, EFD_CLOEXEC));
	ck_assert_int_eq(pthread_create(&thread, NULL, onlooker_run, &onlooker), 0);
	must(caller_enter(&stranger));
	eventfd_write(onlooker.go, 1);
	eventfd_read(onlooker.done, &value);
	caller_leave();
	pthread_join(thread, NULL);
	close(onlooker.go);
	close(onlooker.done);
	ck_assert_uint_eq(onlooker.euid, 0);
}
END_TEST

/* Enters a caller and leaves it, in a process of the stranger. Returns 0 or errno. */
static int enter_run(void *data)
{
	int r = caller_enter(data);

	caller_leave();
	return -r;
}

START_TEST(test_caller_enter_of_another_user_without_privilege_eperm)
{
	struct caller other = {.uid = 1001, .gid = 1001};

	ck_assert_int_eq(peer_run(STRANGER, enter_run, &other), EPERM);
	ck_assert_int_eq(peer_run(STRANGER, enter_run, &root), EPERM);
}
END_TEST

START_TEST(test_caller_enter_of_itself_without_privilege_succeeds)
{
	struct caller in_other_group = {.uid = STRANGER, .gid = 50};

	ck_assert_int_eq(peer_run(STRANGER, enter_run, &stranger), 0);
	ck_assert_int_eq(peer_run(STRANGER, enter_run, &in_other_group), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("caller");

	suite_add(suite, "enter",
		  (const TTest *const[]){
			  test_caller_entered_has_effective_ids_of_caller,
			  test_caller_entered_keeps_real_and_saved_user,
			  test_caller_entered_has_no_capabilities,
			  test_caller_entered_has_groups_of_caller,
			  test_caller_entered_without_groups_loses_the_daemons,
			  test_caller_entered_is_checked_by_the_kernel,
			  test_caller_entered_is_this_thread_alone,
			  test_caller_enter_of_root_changes_nothing,
			  test_caller_enter_of_root_in_another_group_keeps_capabilities,
			  test_caller_enter_of_another_user_without_privilege_eperm,
			  test_caller_enter_of_itself_without_privilege_succeeds,
			  NULL,
		  });
	suite_add(suite, "leave",
		  (const TTest *const[]){
			  test_caller_leave_keeps_no_group_of_the_callers,
			  test_caller_leave_without_enter_changes_nothing,
			  test_caller_leave_twice_changes_nothing,
			  NULL,
		  });
	suite_add_loop(suite, "restore",
		       (const TTest *const[]){test_caller_leave_restores_everything, NULL}, 3);
	return suite_run(suite);
}
