// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Callers who would signal, or look at, processes that they natively may not.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"
#include "tests/mount/signals.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OWNER = 4321, OTHER = 65534 };

/* A signal that a caller sends to a process, natively or through the mount. */
struct attempt {
	pid_t pid;
	const char *text;
	int signal;
};

static int send_by_mount(void *arg)
{
	const struct attempt *attempt = arg;

	return process_send(attempt->pid, attempt->text);
}

static int send_natively(void *arg)
{
	const struct attempt *attempt = arg;

	return kill(attempt->pid, attempt->signal) < 0 ? errno : 0;
}

static bool lives(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) == 0;
}

static void end(pid_t pid)
{
	must(kill(pid, SIGKILL));
	child_end(pid);
}

START_TEST(test_attack_signals_to_strangers_are_not_sent)
{
	static const char *const texts[] = {"KILL\n", "TERM 1\n", "CONT\n",
					    "0\n",    "9",        "RTMIN 1\n"};
	pid_t of_root = child_start(pause_for_ever, NULL);
	pid_t of_owner = child_start_as(OWNER, pause_for_ever, NULL);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct attempt attempt = {of_root, texts[i], 0};

		ck_assert_int_eq(child_code_as(OTHER, send_by_mount, &attempt), EPERM);
		attempt.pid = of_owner;
		ck_assert_int_eq(child_code_as(OTHER, send_by_mount, &attempt), EPERM);
		attempt.pid = ipc.daemon;
		ck_assert_int_eq(child_code_as(OTHER, send_by_mount, &attempt), EPERM);
	}
	ck_assert(lives(of_root) && lives(of_owner));
	end(of_root);
	end(of_owner);
}
END_TEST

/* The ids of a target: real, effective, saved. */
struct ids {
	uid_t ruid, euid, suid;
};

static int become_and_pause(void *arg)
{
	const struct ids *ids = arg;

	if (setresuid(ids->ruid, ids->euid, ids->suid) < 0)
		return errno;
	return pause_for_ever(NULL);
}

/* Only the target's real and saved id count, as for kill(2) by the same caller. By _i. */
START_TEST(test_attack_signals_set_uid_targets_as_natively)
{
	static const struct ids targets[] = {
		{OWNER, 0, 0},     {0, OWNER, 0},         {0, 0, OWNER},     {OWNER, 0, OWNER},
		{0, OWNER, OWNER}, {OWNER, OWNER, OWNER}, {OTHER, OWNER, 0}, {OTHER, 0, OWNER},
	};
	struct ids ids = targets[_i];
	pid_t pid = child_start(become_and_pause, &ids);
	struct attempt attempt = {pid, "0\n", 0};
	int natively;

	task_must_block(pid, SYS_pause);
	natively = child_code_as(OWNER, send_natively, &attempt);
	ck_assert_int_eq(natively, ids.ruid == OWNER || ids.suid == OWNER ? 0 : EPERM);
	ck_assert_int_eq(child_code_as(OWNER, send_by_mount, &attempt), natively);
	end(pid);
}
END_TEST

static int set_capabilities(uint64_t capabilities)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i].effective = data[i].permitted = (uint32_t)(capabilities >> 32 * i);
	return syscall(SYS_capset, &header, data) < 0 ? errno : 0;
}

static int send_as_root_without_capabilities(void *arg)
{
	int error = set_capabilities(0);

	return error ? ENOTUNIQ : send_by_mount(arg);
}

static int send_as_root_with_kill(void *arg)
{
	int error = set_capabilities(1ULL << CAP_KILL);

	return error ? ENOTUNIQ : send_by_mount(arg);
}

START_TEST(test_attack_signals_take_the_capability_and_not_the_uid)
{
	struct attempt attempt = {child_start_as(OWNER, pause_for_ever, NULL), "0\n", 0};

	task_must_block(attempt.pid, SYS_pause); /* by then it is the owner's */
	ck_assert_int_eq(child_end(child_start(send_as_root_without_capabilities, &attempt)) >> 8,
			 EPERM);
	ck_assert_int_eq(child_end(child_start(send_as_root_with_kill, &attempt)), 0);
	end(attempt.pid);
}
END_TEST

static int write_as_root(void *arg)
{
	int fd = *(int *)arg;

	/* As sudo(8) would: whatever it prints goes to where the user's file leads. */
	return write(fd, "KILL\n", 5) < 0 ? errno : 0;
}

/* A set-user-ID program that is made to write into the file lends it no rights. */
START_TEST(test_attack_signals_have_the_openers_rights)
{
	pid_t pid = child_start(pause_for_ever, NULL);
	int fd;

	must(seteuid(OTHER));
	fd = (int)must(open(process_path(pid), O_WRONLY));
	must(seteuid(0));
	ck_assert_int_eq(child_end(child_start(write_as_root, &fd)) >> 8, EPERM);
	must(close(fd));
	ck_assert(lives(pid));
	end(pid);
}
END_TEST

static bool is_in_daemons_session(pid_t pid)
{
	return getsid(pid) == getsid(ipc.daemon);
}

/* Natively SIGCONT needs no right within a session. The daemon's session is nobody else's. */
START_TEST(test_attack_signals_cont_gets_nothing_from_the_daemons_session)
{
	struct attempt attempt = {child_start(pause_for_ever, NULL), "CONT\n", SIGCONT};

	ck_assert(is_in_daemons_session(attempt.pid));
	ck_assert_int_eq(child_code_as(OTHER, send_natively, &attempt), 0);
	ck_assert_int_eq(child_code_as(OTHER, send_by_mount, &attempt), EPERM);
	end(attempt.pid);
}
END_TEST

static int look_from_inside(void *arg)
{
	pid_t pid;
	int status;

	if (unshare(CLONE_NEWPID) < 0)
		return ENOTUNIQ;
	pid = fork();
	if (pid == 0) {
		struct stat attr;

		if (stat(process_path(*(pid_t *)arg), &attr) == 0 || errno != EPERM)
			_exit(1);
		errno = 0;
		if (readdir(opendir(ipc_path("signals"))) || errno != EPERM)
			_exit(2);
		_exit(stat(ipc_path("pipes"), &attr) < 0 ? 3 : 0);
	}
	return waitpid(pid, &status, 0) < 0 ? errno : status >> 8;
}

START_TEST(test_attack_signals_pid_namespaces_below_are_refused)
{
	pid_t pid = child_start(pause_for_ever, NULL);

	child_must(look_from_inside, &pid);
	end(pid);
}
END_TEST

static bool is_listed(pid_t pid)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", pid);
	return channel_is_listed("signals", name);
}

static int look_for(void *arg)
{
	pid_t pid = *(pid_t *)arg;
	struct stat attr;
	char name[48];

	prctl(PR_SET_DUMPABLE, 1); /* else /proc would hide the caller, too */
	if (is_listed(pid))
		return EEXIST;
	if (stat(process_path(pid), &attr) == 0 || errno != ENOENT)
		return EBUSY;
	snprintf(name, sizeof(name), "info/signals/%d/status", pid);
	if (access(ipc_path(name), F_OK) == 0 || errno != ENOENT)
		return EBADF;
	return is_listed(getpid()) && stat(process_path(getpid()), &attr) == 0 ? 0 : ESRCH;
}

/* With hidepid=1 the processes of others are listed, but nothing is told of them. */
static int look_without_seeing(void *arg)
{
	pid_t pid = *(pid_t *)arg;
	struct stat attr;

	if (!is_listed(pid))
		return ENOENT;
	return stat(process_path(pid), &attr) < 0 ? errno : 0;
}

static void start_with_proc(const char *options)
{
	fixture_namespaces();
	must(mount("proc", "/proc", "proc", 0, options));
	mount_start(&ipc, "ipc", "allow_other");
}

static void end_mount(void)
{
	must(kill(ipc.daemon, SIGTERM));
	ck_assert_int_eq(mount_wait(&ipc), 0);
}

START_TEST(test_attack_signals_hidepid_hides_here_too)
{
	pid_t pid;

	start_with_proc("hidepid=2");
	pid = child_start(pause_for_ever, NULL);
	child_must_as(OTHER, look_for, &pid);
	ck_assert(is_listed(pid));
	end(pid);
	end_mount();
}
END_TEST

START_TEST(test_attack_signals_hidepid_1_tells_only_the_number)
{
	pid_t pid;

	start_with_proc("hidepid=1");
	pid = child_start(pause_for_ever, NULL);
	ck_assert_int_eq(child_code_as(OTHER, look_without_seeing, &pid), EPERM);
	end(pid);
	end_mount();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attack_signals");
	TCase *tcase = suite_case(suite, "attack_signals", 30), *alone = tcase_create("alone");

	tcase_add_test(tcase, test_attack_signals_to_strangers_are_not_sent);
	tcase_add_loop_test(tcase, test_attack_signals_set_uid_targets_as_natively, 0, 8);
	tcase_add_test(tcase, test_attack_signals_take_the_capability_and_not_the_uid);
	tcase_add_test(tcase, test_attack_signals_have_the_openers_rights);
	tcase_add_test(tcase, test_attack_signals_cont_gets_nothing_from_the_daemons_session);
	tcase_add_test(tcase, test_attack_signals_pid_namespaces_below_are_refused);
	tcase_set_timeout(alone, 30);
	tcase_add_test(alone, test_attack_signals_hidepid_hides_here_too);
	tcase_add_test(alone, test_attack_signals_hidepid_1_tells_only_the_number);
	suite_add_tcase(suite, alone);
	return suite_run(suite);
}
