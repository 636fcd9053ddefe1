// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Callers who are root of something else: of a user namespace, of a container, or of other
 * namespaces than the mount's. They gain nothing that the native call would not give them.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OWNER = 4321, NOBODY = 65534 };

#define BIT(n) (1ULL << (n))

/* One call on one path, and its expected result. */
struct attempt {
	const char *name; /* in the mount */
	int (*call)(const char *path);
	int error;             /* the expected errno; 0: the call succeeds */
	int unshares;          /* CLONE_NEW*: the namespaces that the caller makes */
	uint64_t capabilities; /* the capabilities of the caller, uid 0, if unshares is 0 */
};

static int call_open(const char *path)
{
	int fd = open(path, O_RDWR | O_NONBLOCK);

	return fd < 0 ? errno : close(fd);
}

static int call_stat(const char *path)
{
	struct stat attr;

	return stat(path, &attr) < 0 ? errno : 0;
}

static int call_list(const char *path)
{
	DIR *dir = opendir(path);

	if (!dir)
		return errno;
	errno = 0;
	return readdir(dir) ? 0 : errno;
}

static int call_unlink(const char *path)
{
	return unlink(path) < 0 ? errno : 0;
}

static int call_chmod(const char *path)
{
	return chmod(path, 0777) < 0 ? errno : 0;
}

static int call_mkdir(const char *path)
{
	return mkdir(path, 0777) < 0 ? errno : 0;
}

static int ctl(const char *line)
{
	int fd = open(ipc_path("ctl"), O_WRONLY);

	if (fd < 0)
		return errno;
	return write(fd, line, strlen(line)) < 0 ? errno : 0;
}

/* Makes a server on a privileged port. */
static int call_listen(const char *path)
{
	return ctl("create sockets/servers/low listen=tcp:127.0.0.1:81");
}

static int call_create_queue(const char *path)
{
	return ctl("create queues/made");
}

static int call_create_pipe(const char *path)
{
	return ctl("create pipes/made");
}

static int set_capabilities(uint64_t capabilities)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i].effective = data[i].permitted = (uint32_t)(capabilities >> 32 * i);
	return syscall(SYS_capset, &header, data) < 0 ? errno : 0;
}

static int attempt_run(void *arg)
{
	const struct attempt *attempt = arg;
	int error = attempt->unshares ? 0 : set_capabilities(attempt->capabilities);

	if (attempt->unshares && unshare(attempt->unshares) < 0)
		error = errno;
	/* ENOTUNIQ: an errno that no test expects. */
	return error ? ENOTUNIQ : attempt->call(ipc_path(attempt->name));
}

static void attempt_must(const struct attempt *attempt)
{
	int error = attempt->unshares ? child_code_as(NOBODY, attempt_run, (void *)attempt)
				      : child_end(child_start(attempt_run, (void *)attempt)) >> 8;

	ck_assert_msg(error == attempt->error, "%s: %s, not %s", attempt->name,
		      error ? strerrorname_np(error) : "success",
		      attempt->error ? strerrorname_np(attempt->error) : "success");
}

/* Makes objects that belong to the caller. Everybody may use them, except "p". */
static int make_run(void *unused)
{
	static const char *const lines[] = {
		"create pipes/p mode=0600",
		"create pipes/shared mode=0666",
		"create queues/q mode=0666",
		"create shm/s mode=0666 size=4096",
		"create sems/m mode=0666 value=1",
		"create sysv/queues/0x4d2 mode=0666",
		"create sysv/shm/0x4d2 mode=0666 size=4096",
		"create sysv/sems/0x4d2 mode=0666 count=1",
		"create sockets/servers/tcp listen=tcp:127.0.0.1:4711 mode=0666",
		"create sockets/servers/abstract listen=abstract:attacked mode=0666",
	};
	int error = 0;

	for (size_t i = 0; error == 0 && i < sizeof(lines) / sizeof(lines[0]); i++)
		error = ctl(lines[i]);
	return error;
}

/* Servers that are left would count as leaked descriptors. */
static void remove_servers(void)
{
	must(rmdir(ipc_path("sockets/servers/tcp")));
	must(rmdir(ipc_path("sockets/servers/abstract")));
}

static void attempt_all(const struct attempt *attempts, size_t n, unsigned owner)
{
	child_must_as(owner, make_run, NULL);
	for (size_t i = 0; i < n; i++)
		attempt_must(&attempts[i]);
	remove_servers();
}
#define ATTEMPT_ALL(attempts, owner) \
	attempt_all(attempts, sizeof(attempts) / sizeof((attempts)[0]), owner)

/* The capabilities that some containers leave to root: only those for files. */
#define OF_FILES (BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER))

static const struct attempt by_container_root[] = {
	{"sysv/queues/0x000004d2", call_unlink, EPERM, 0, OF_FILES},
	{"sysv/shm/0x000004d2", call_unlink, EPERM, 0, OF_FILES},
	{"sysv/sems/0x000004d2", call_unlink, EPERM, 0, OF_FILES},
	{"ctl", call_listen, EACCES, 0, OF_FILES},
	{"pipes/p", call_open, EACCES, 0, BIT(CAP_CHOWN)},
	{"pipes/p", call_chmod, EPERM, 0, BIT(CAP_DAC_OVERRIDE)},
	{"pipes/p", call_unlink, EPERM, 0, BIT(CAP_DAC_OVERRIDE)},
	/* Root owns the sticky directories of these two, so natively it may remove them too. */
	{"queues/q", call_unlink, 0, 0, 0},
	{"shm/s", call_unlink, 0, 0, 0},
	{"pipes/p", call_chmod, 0, 0, OF_FILES},
};

/* The objects belong to someone else: uid 0 owns none of them. */
START_TEST(test_attack_container_root_has_its_capabilities_alone)
{
	ATTEMPT_ALL(by_container_root, OWNER);
}
END_TEST

static const struct attempt in_user_namespace[] = {
	{"pipes/p", call_open, EACCES, CLONE_NEWUSER, 0},
	{"pipes/p", call_chmod, EPERM, CLONE_NEWUSER, 0},
	{"pipes/p", call_unlink, EPERM, CLONE_NEWUSER, 0},
	{"queues/q", call_chmod, EPERM, CLONE_NEWUSER, 0},
	{"queues/q", call_unlink, EPERM, CLONE_NEWUSER, 0},
	{"shm/s", call_unlink, EPERM, CLONE_NEWUSER, 0},
	{"sysv/queues/0x000004d2", call_unlink, EPERM, CLONE_NEWUSER, 0},
	{"ctl", call_listen, EACCES, CLONE_NEWUSER, 0},
	{"sockets/servers/tcp", call_chmod, EPERM, CLONE_NEWUSER, 0},
	{"pipes/shared", call_open, 0, CLONE_NEWUSER, 0},
	{"queues/q", call_open, 0, CLONE_NEWUSER, 0},
};

START_TEST(test_attack_root_of_own_user_namespace_is_nobody)
{
	ATTEMPT_ALL(in_user_namespace, 0);
}
END_TEST

#define NET  (CLONE_NEWUSER | CLONE_NEWNET)
#define IPC  (CLONE_NEWUSER | CLONE_NEWIPC)
#define BOTH (CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC)

static const struct attempt in_foreign_namespaces[] = {
	{"sockets/tcp/127.0.0.1/4711", call_open, EPERM, NET, 0},
	{"sockets/tcp/127.0.0.1/4711", call_stat, EPERM, NET, 0},
	{"sockets/tcp", call_list, EPERM, NET, 0},
	{"sockets/udp/127.0.0.1/4711", call_open, EPERM, NET, 0},
	{"sockets/abstract/attacked", call_open, EPERM, NET, 0},
	{"sockets/abstract", call_list, EPERM, NET, 0},
	{"sockets/servers/tcp/connect", call_open, EPERM, NET, 0},
	{"sockets/servers", call_list, EPERM, NET, 0},
	{"sockets/servers/mine", call_mkdir, EPERM, NET, 0},
	{"info/sockets/servers/tcp/status", call_open, EPERM, NET, 0},
	{"queues/q", call_open, 0, NET, 0},
	{"queues/q", call_open, EPERM, IPC, 0},
	{"queues/q", call_stat, EPERM, IPC, 0},
	{"queues", call_list, EPERM, IPC, 0},
	{"ctl", call_create_queue, EPERM, IPC, 0},
	{"shm/s", call_open, EPERM, IPC, 0},
	{"shm", call_list, EPERM, IPC, 0},
	{"sems/m", call_open, EPERM, IPC, 0},
	{"sems", call_list, EPERM, IPC, 0},
	{"sysv/queues/0x000004d2", call_open, EPERM, IPC, 0},
	{"sysv/queues", call_list, EPERM, IPC, 0},
	{"sysv/shm/0x000004d2", call_open, EPERM, IPC, 0},
	{"sysv/sems/0x000004d2", call_open, EPERM, IPC, 0},
	{"info/queues/q/status", call_open, EPERM, IPC, 0},
	{"pipes/shared", call_open, 0, BOTH, 0},
	{"pipes", call_list, 0, BOTH, 0},
	{"ctl", call_create_pipe, 0, BOTH, 0},
};

START_TEST(test_attack_foreign_namespace_is_not_left_through_the_mount)
{
	ATTEMPT_ALL(in_foreign_namespaces, 0);
}
END_TEST

/* With foreign=, a mount serves callers of other namespaces. */
START_TEST(test_attack_foreign_namespace_is_served_where_allowed)
{
	static const struct attempt allowed[] = {
		{"sockets/tcp/127.0.0.1/4711", call_open, 0, NET, 0},
		{"sockets/abstract", call_list, 0, NET, 0},
		{"queues/q", call_open, 0, IPC, 0},
		{"queues", call_list, 0, IPC, 0},
	};

	mount_start(&ipc, "shared", "foreign=net:ipc");
	ATTEMPT_ALL(allowed, 0);
	must(kill(ipc.daemon, SIGTERM));
	ck_assert_int_eq(mount_wait(&ipc), 0);
}
END_TEST

/*
 * Opens ctl with a limit of no queues, and ends. Its child then writes to the open file, for which
 * that limit still applies.
 */
static int limited_run(void *arg)
{
	const struct rlimit none = {0};
	const char line[] = "create queues/made";
	int *ready = arg;
	char byte;
	int fd;

	if (setrlimit(RLIMIT_MSGQUEUE, &none) < 0)
		return errno;
	fd = open(ipc_path("ctl"), O_WRONLY);
	if (fd < 0)
		return errno;
	if (fork() > 0)
		return 0;
	/* The pipe gives end-of-file when the test has waited for the opener to end. */
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 0)
		_exit(1);
	byte = write(fd, line, strlen(line)) < 0 ? (char)errno : 0;
	if (write(ready[2], &byte, 1) < 0)
		_exit(1);
	_exit(0);
}

START_TEST(test_attack_limit_of_opener_holds_when_it_has_gone)
{
	int ready[2], answer[2], ends[3];
	char byte = 0;

	must(pipe(ready));
	must(pipe(answer));
	ends[0] = ready[0];
	ends[1] = ready[1];
	ends[2] = answer[1];
	child_must_as(NOBODY, limited_run, ends);
	close(ready[1]);
	close(answer[1]);
	ck_assert_int_eq(read(answer[0], &byte, 1), 1);
	ck_assert_int_eq(byte, EMFILE);
	must_fail(access(ipc_path("queues/made"), F_OK), ENOENT);
	close(ready[0]);
	close(answer[0]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attack_rights");
	TCase *tcase = suite_case(suite, "rights", 30);
	TCase *own = tcase_create("mounts");

	tcase_add_test(tcase, test_attack_container_root_has_its_capabilities_alone);
	tcase_add_test(tcase, test_attack_root_of_own_user_namespace_is_nobody);
	tcase_add_test(tcase, test_attack_foreign_namespace_is_not_left_through_the_mount);
	tcase_add_test(tcase, test_attack_limit_of_opener_holds_when_it_has_gone);
	tcase_add_checked_fixture(own, fixture_namespaces, NULL);
	tcase_set_timeout(own, 30);
	tcase_add_test(own, test_attack_foreign_namespace_is_served_where_allowed);
	suite_add_tcase(suite, own);
	return suite_run(suite);
}
