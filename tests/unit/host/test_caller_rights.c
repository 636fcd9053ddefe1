/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lib itself decides about a caller (ownership, groups, mode bits), and what it reads of the
 * caller's process for that.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <unistd.h>

#include "lib/host/caller.h"
#include "tests/unit/fixture.h"
#include "tests/unit/identity.h"
#include "tests/unit/peer.h"

enum { ANNA = 1001, BERT = 1002, STAFF = 50, GUESTS = 51 };

/* Returns the attributes of an object of Anna and group STAFF. */
static struct stat object(mode_t mode)
{
	return (struct stat){.st_mode = S_IFREG | mode, .st_uid = ANNA, .st_gid = STAFF};
}

static bool may(uid_t uid, gid_t gid, mode_t mode, int want)
{
	struct caller caller = {.uid = uid, .gid = gid, .pid = uid ? 0 : getpid()};
	struct stat attr = object(mode);
	bool result = caller_may(&caller, &attr, want);

	caller_fini(&caller);
	return result;
}

static const struct peer member = {
	.uid = BERT, .n_groups = 2, .groups = {STAFF, STAFF + 10}, .umask = 027};

START_TEST(test_caller_rights_owner_owns)
{
	struct caller anna = {.uid = ANNA};
	struct caller bert = {.uid = BERT};

	ck_assert(caller_owns(&anna, ANNA));
	ck_assert(!caller_owns(&bert, ANNA));
}
END_TEST

START_TEST(test_caller_rights_root_owns_all)
{
	ck_assert(caller_owns(&root, ANNA));
}
END_TEST

START_TEST(test_caller_rights_uid_0_without_capabilities_is_not_root)
{
	struct stat attr = object(0600);
	struct caller self = {.pid = getpid()};

	ck_assert(caller_is_daemon(&self));
	ck_assert(caller_has(&self, CAP_CHOWN));
	caller_fini(&self);
	must(caller_set_capabilities(0));
	ck_assert(!caller_is_daemon(&self));
	ck_assert(!caller_has(&self, CAP_CHOWN));
	ck_assert(caller_owns(&self, 0));
	ck_assert(!caller_owns(&self, ANNA));
	ck_assert(!caller_may(&self, &attr, R_OK));
	caller_fini(&self);
}
END_TEST

/* A capability gives only its own rights. */
START_TEST(test_caller_rights_capability_is_for_itself_alone)
{
	struct caller self = {.pid = getpid()};
	struct stat attr = object(0600);

	must(caller_set_capabilities(1ULL << CAP_CHOWN | 1ULL << CAP_DAC_READ_SEARCH));
	ck_assert(caller_has(&self, CAP_CHOWN));
	ck_assert(!caller_has(&self, CAP_FOWNER));
	ck_assert(!caller_owns(&self, ANNA));
	ck_assert(caller_may(&self, &attr, R_OK));
	ck_assert(!caller_may(&self, &attr, W_OK));
	ck_assert(!caller_may(&self, &attr, R_OK | W_OK));
	caller_fini(&self);
}
END_TEST

START_TEST(test_caller_rights_uid_0_without_process_has_no_capability)
{
	struct caller unseen = {0};

	ck_assert(!caller_has(&unseen, CAP_DAC_OVERRIDE));
	ck_assert(!caller_is_daemon(&unseen));
}
END_TEST

/* In its own user namespace a process has all capabilities, but over nothing here. */
START_TEST(test_caller_rights_capabilities_of_other_user_namespace_do_not_count)
{
	pid_t pid = peer_start(&(struct peer){.uid = BERT, .unshares = CLONE_NEWUSER});
	struct caller caller = {.uid = BERT, .gid = BERT, .pid = pid};

	ck_assert(!caller_has(&caller, CAP_DAC_OVERRIDE));
	ck_assert_uint_eq(caller.capabilities, 0);
	peer_stop(pid);
	caller_fini(&caller);
}
END_TEST

/*
 * While the thread is such a caller, the kernel refuses what the caller has no capability for.
 * Afterwards the kernel allows it again.
 */
START_TEST(test_caller_rights_uid_0_enters_with_its_capabilities_alone)
{
	static const gid_t gids[] = {0, STAFF};

	for (size_t i = 0; i < 2; i++) {
		struct caller limited = {
			.gid = gids[i], .is_loaded = true, .capabilities = 1ULL << CAP_CHOWN};

		must(caller_enter(&limited));
		ck_assert_int_eq(chroot("/"), -1);
		ck_assert_uint_eq(identity_get().capabilities, 1ULL << CAP_CHOWN);
		ck_assert_uint_eq(getegid(), gids[i]);
		caller_leave();
		must_call(chroot("/"));
		ck_assert_uint_eq(identity_get().capabilities, caller_permitted());
		ck_assert_uint_eq(getegid(), 0);
	}
}
END_TEST

START_TEST(test_caller_rights_user_enters_with_its_capabilities)
{
	struct identity before = identity_get(), after;
	struct caller anna = {.uid = ANNA, .gid = ANNA, .is_loaded = true};

	must(caller_enter(&anna));
	ck_assert_uint_eq(identity_get().capabilities, 0);
	caller_leave();
	anna.capabilities = 1ULL << CAP_CHOWN;
	must(caller_enter(&anna));
	ck_assert_uint_eq(identity_get().capabilities, 1ULL << CAP_CHOWN);
	ck_assert_uint_eq(geteuid(), ANNA);
	caller_leave();
	after = identity_get();
	ck_assert(identity_equal(&before, &after));
}
END_TEST

START_TEST(test_caller_rights_root_directory_is_the_callers)
{
	struct caller self = {.pid = getpid()};
	struct caller unseen = {.uid = ANNA, .is_loaded = true};
	struct stat entered, own;

	ck_assert_int_eq(caller_root(), -1);
	must_fail(caller_open_root(&unseen), EPERM);
	must(caller_open_root(&self));
	must(caller_enter(&self));
	must_call(fstatat(caller_root(), "", &entered, AT_EMPTY_PATH));
	caller_leave();
	ck_assert_int_eq(caller_root(), -1);
	must_call(stat("/", &own));
	ck_assert_uint_eq(entered.st_ino, own.st_ino);
	caller_fini(&self);
}
END_TEST

/*
 * The kernel reuses pids. The start time that was noted tells a process from the next one with its
 * pid.
 */
START_TEST(test_caller_rights_root_directory_is_not_the_next_processs)
{
	struct caller caller = {.uid = ANNA, .pid = peer_start(&(struct peer){.uid = ANNA})};

	caller_note_start(&caller);
	ck_assert_uint_ne(caller.started, 0);
	must(caller_open_root(&caller));
	caller_fini(&caller);
	caller_note_start(&caller);
	caller.started--;
	must_fail(caller_open_root(&caller), EPERM);
	peer_stop(caller.pid);
	caller_fini(&caller);
}
END_TEST

START_TEST(test_caller_rights_queue_limit_of_unseen_process_is_0)
{
	struct caller unseen = {.uid = ANNA};
	pid_t pid = peer_start(&(struct peer){.uid = ANNA, .queue_limit = 12345});
	struct caller seen = {.uid = ANNA, .pid = pid};

	ck_assert_uint_eq(caller_queue_limit(&unseen), 0);
	ck_assert_uint_eq(caller_queue_limit(&seen), 12345);
	peer_stop(pid);
	ck_assert_uint_eq(caller_queue_limit(&seen), 12345);
	caller_fini(&seen);
}
END_TEST

START_TEST(test_caller_rights_owner_has_owners_bits)
{
	ck_assert(may(ANNA, GUESTS, 0600, R_OK | W_OK));
	ck_assert(may(ANNA, GUESTS, 0400, R_OK));
	ck_assert(!may(ANNA, GUESTS, 0400, W_OK));
	ck_assert(!may(ANNA, GUESTS, 0200, R_OK));
}
END_TEST

START_TEST(test_caller_rights_owner_has_no_other_bits)
{
	ck_assert(!may(ANNA, STAFF, 0077, R_OK));
}
END_TEST

START_TEST(test_caller_rights_group_has_groups_bits)
{
	ck_assert(may(BERT, STAFF, 0060, R_OK | W_OK));
	ck_assert(may(BERT, STAFF, 0040, R_OK));
	ck_assert(!may(BERT, STAFF, 0040, W_OK));
}
END_TEST

START_TEST(test_caller_rights_group_has_no_other_bits)
{
	ck_assert(!may(BERT, STAFF, 0707, R_OK));
	ck_assert(!may(BERT, STAFF, 0707, W_OK));
}
END_TEST

START_TEST(test_caller_rights_others_have_others_bits)
{
	ck_assert(may(BERT, GUESTS, 0004, R_OK));
	ck_assert(!may(BERT, GUESTS, 0004, W_OK));
	ck_assert(!may(BERT, GUESTS, 0770, R_OK));
}
END_TEST

START_TEST(test_caller_rights_both_wanted_takes_both_bits)
{
	ck_assert(!may(BERT, GUESTS, 0004, R_OK | W_OK));
	ck_assert(!may(BERT, GUESTS, 0002, R_OK | W_OK));
	ck_assert(may(BERT, GUESTS, 0006, R_OK | W_OK));
}
END_TEST

START_TEST(test_caller_rights_root_may_all)
{
	ck_assert(may(0, 0, 0, R_OK | W_OK));
}
END_TEST

START_TEST(test_caller_rights_supplementary_group_counts)
{
	struct caller caller = {.uid = BERT, .gid = BERT, .pid = peer_start(&member)};
	struct stat attr = object(0640);

	ck_assert(caller_in_group(&caller, STAFF));
	ck_assert(caller_in_group(&caller, STAFF + 10));
	ck_assert(!caller_in_group(&caller, GUESTS));
	ck_assert(caller_may(&caller, &attr, R_OK));
	peer_stop(caller.pid);
	caller_fini(&caller);
}
END_TEST

START_TEST(test_caller_rights_load_reads_groups_and_umask)
{
	struct caller caller = {.uid = BERT, .gid = BERT, .pid = peer_start(&member)};

	must(caller_load(&caller));
	peer_stop(caller.pid);
	ck_assert_uint_eq(caller.umask, 027);
	ck_assert_int_eq(caller.n_groups, 2);
	ck_assert_uint_eq(caller.groups[0], STAFF);
	ck_assert_uint_eq(caller.groups[1], STAFF + 10);
	caller_fini(&caller);
}
END_TEST

START_TEST(test_caller_rights_load_reads_once)
{
	struct caller caller = {.uid = BERT, .gid = BERT, .pid = peer_start(&member)};

	must(caller_load(&caller));
	peer_stop(caller.pid);
	must(caller_load(&caller));
	ck_assert_int_eq(caller.n_groups, 2);
	ck_assert(caller_in_group(&caller, STAFF));
	caller_fini(&caller);
}
END_TEST

START_TEST(test_caller_rights_load_of_unseen_process_has_no_groups)
{
	struct caller gone = {.uid = BERT, .gid = BERT, .pid = peer_start(&member)};

	peer_stop(gone.pid);
	must(caller_load(&gone));
	must(caller_load(&stranger));
	ck_assert_int_eq(gone.n_groups, 0);
	ck_assert_uint_eq(gone.umask, 022);
	ck_assert_int_eq(stranger.n_groups, 0);
	ck_assert_uint_eq(stranger.umask, 022);
}
END_TEST

START_TEST(test_caller_rights_fini_forgets)
{
	struct caller caller = {.uid = BERT, .gid = BERT, .pid = peer_start(&member)};

	must(caller_load(&caller));
	peer_stop(caller.pid);
	caller_fini(&caller);
	ck_assert(!caller_in_group(&caller, STAFF));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("caller_rights");

	suite_add(suite, "mode",
		  (const TTest *const[]){
			  test_caller_rights_owner_owns,
			  test_caller_rights_root_owns_all,
			  test_caller_rights_uid_0_without_capabilities_is_not_root,
			  test_caller_rights_capability_is_for_itself_alone,
			  test_caller_rights_uid_0_without_process_has_no_capability,
			  test_caller_rights_capabilities_of_other_user_namespace_do_not_count,
			  test_caller_rights_uid_0_enters_with_its_capabilities_alone,
			  test_caller_rights_user_enters_with_its_capabilities,
			  test_caller_rights_root_directory_is_the_callers,
			  test_caller_rights_root_directory_is_not_the_next_processs,
			  test_caller_rights_queue_limit_of_unseen_process_is_0,
			  test_caller_rights_owner_has_owners_bits,
			  test_caller_rights_owner_has_no_other_bits,
			  test_caller_rights_group_has_groups_bits,
			  test_caller_rights_group_has_no_other_bits,
			  test_caller_rights_others_have_others_bits,
			  test_caller_rights_both_wanted_takes_both_bits,
			  test_caller_rights_root_may_all,
			  NULL,
		  });
	suite_add(suite, "load",
		  (const TTest *const[]){
			  test_caller_rights_supplementary_group_counts,
			  test_caller_rights_load_reads_groups_and_umask,
			  test_caller_rights_load_reads_once,
			  test_caller_rights_load_of_unseen_process_has_no_groups,
			  test_caller_rights_fini_forgets,
			  NULL,
		  });
	return suite_run(suite);
}
