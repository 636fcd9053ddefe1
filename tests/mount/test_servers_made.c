/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Servers made through ctl: where they listen, with what type, mode and rights. Also socket files,
 * which a new server replaces if nobody listens there any more, and not otherwise.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"
#include "tests/mount/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVER "sockets/servers/s"

enum { OTHER = 65534 };

static void setup(void)
{
	fixture_setup();
	must(mount("tmpfs", "/run", "tmpfs", 0, "mode=0755"));
}

static void teardown(void)
{
	if (ipc.daemon && access(ipc_path(SERVER), F_OK) == 0)
		must(rmdir(ipc_path(SERVER)));
	fixture_teardown();
}

static void setup_two(void)
{
	fixture_namespaces();
	must(mount("tmpfs", "/run", "tmpfs", 0, "mode=0755"));
	mount_start(&ipc, "ipc", "allow_other");
}

/* Creates the server with these words. Returns 0, or the errno of the write to ctl. */
static int create_run(void *words)
{
	char line[5000];
	int fd = open(ipc_path("ctl"), O_WRONLY | O_CLOEXEC);
	int size = snprintf(line, sizeof(line), "create " SERVER " %s\n", (char *)words);

	if (fd < 0)
		return errno;
	return write(fd, line, (size_t)size) < 0 ? errno : 0;
}

static const char *words(const char *format, const char *argument)
{
	static char text[4600];

	snprintf(text, sizeof(text), format, argument);
	return text;
}

static void create(const char *text)
{
	int error = create_run((void *)text);

	ck_assert_msg(!error, "%s: %s", text, strerror(error));
}

static int create_error(const char *text)
{
	return create_run((void *)text);
}

static const char *address(void)
{
	static char text[512];
	int fd = channel_open(SERVER "/address", O_RDONLY);
	ssize_t n = must(read(fd, text, sizeof(text) - 1));

	must(close(fd));
	text[n ? n - 1 : 0] = 0;
	return text;
}

static void must_serve(int client)
{
	int fd = channel_open(SERVER "/accept", O_RDWR);

	ck_assert_int_eq(must(write(client, "question", 8)), 8);
	must_read(fd, "question");
	must(write(fd, "answer", 6));
	must_read(client, "answer");
	must(close(fd));
	must(close(client));
}

static void must_serve_both(int client)
{
	must_serve(client);
	must_serve(channel_open(SERVER "/connect", O_RDWR));
}

static bool is_gone(void *path)
{
	return access(path, F_OK) < 0 && errno == ENOENT;
}

START_TEST(test_made_unix_path_mode_and_owner)
{
	struct stat st;

	create(words("listen=unix:%s mode=0640 owner=65534 group=1234", scratch_path("s")));
	must(stat(scratch_path("s"), &st));
	ck_assert_uint_eq(st.st_mode, S_IFSOCK | 0640);
	ck_assert_uint_eq(st.st_uid, OTHER);
	ck_assert_uint_eq(st.st_gid, 1234);
	must_serve_both(socket_connect(scratch_path("s"), SOCK_STREAM));
	must(rmdir(ipc_path(SERVER)));
	ck_assert(wait_until(is_gone, (void *)scratch_path("s"), 5000));
}
END_TEST

START_TEST(test_made_seqpacket_keeps_boundaries)
{
	char buf[16];
	int client, fd;

	create(words("listen=unix:%s type=seqpacket", scratch_path("s")));
	client = socket_connect(scratch_path("s"), SOCK_SEQPACKET);
	fd = channel_open(SERVER "/accept", O_RDWR);
	must(write(client, "one", 3));
	must(write(client, "two", 3));
	ck_assert_int_eq(must(read(fd, buf, sizeof(buf))), 3);
	ck_assert_int_eq(must(read(fd, buf, 1)), 1);
	ck_assert_int_eq(must(read(fd, buf, sizeof(buf))), 2);
	must(close(client));
	must_serve(channel_open(SERVER "/connect", O_RDWR));
}
END_TEST

START_TEST(test_made_abstract)
{
	create("listen=abstract:ipcfs-test-made");
	ck_assert_str_eq(address(), "abstract:ipcfs-test-made");
	ck_assert(channel_is_listed("sockets/abstract", "ipcfs-test-made"));
	must_serve_both(socket_connect("@ipcfs-test-made", SOCK_STREAM));
	must_serve(channel_open("sockets/abstract/ipcfs-test-made", O_RDWR));
	must(rmdir(ipc_path(SERVER)));
	ck_assert(!channel_is_listed("sockets/abstract", "ipcfs-test-made"));
}
END_TEST

static const char *const tcp_words[] = {"listen=tcp:127.0.0.1:0", "listen=tcp:localhost:0",
					"listen=tcp:*:0", "listen=tcp:[::1]:0"};

START_TEST(test_made_tcp_port_zero_tells_port)
{
	int port;

	create(tcp_words[_i]);
	port = atoi(strrchr(address(), ':') + 1);
	ck_assert_int_gt(port, 0);
	must_serve_both(
		channel_open(inet_name("tcp", _i == 3 ? "::1" : "127.0.0.1", port), O_RDWR));
}
END_TEST

START_TEST(test_made_tcp_any_serves_both_families)
{
	int port;

	create("listen=tcp:*:0");
	ck_assert(!strncmp(address(), "tcp:*:", 6));
	port = atoi(strrchr(address(), ':') + 1);
	must_serve(channel_open(inet_name("tcp", "127.0.0.1", port), O_RDWR));
	must_serve_both(channel_open(inet_name("tcp", "::1", port), O_RDWR));
}
END_TEST

START_TEST(test_made_bad_words_refused)
{
	ck_assert_int_eq(create_error("listen=nonsense"), EINVAL);
	ck_assert_int_eq(create_error("listen=unix:relative"), EINVAL);
	ck_assert_int_eq(create_error("listen=tcp:127.0.0.1"), EINVAL);
	ck_assert_int_eq(create_error("listen=tcp:127.0.0.1:70000"), EINVAL);
	ck_assert_int_eq(create_error("listen=tcp:127.0.0.1:-1"), EINVAL);
	ck_assert_int_eq(create_error("listen=tcp:127.0.0.1:0 type=seqpacket"), EINVAL);
	ck_assert_int_eq(create_error("listen=tcp:192.0.2.1:0"), EADDRNOTAVAIL);
	ck_assert_int_eq(create_error("type=dgram"), EINVAL);
	ck_assert_int_eq(create_error("backlog=-1"), EINVAL);
	ck_assert_int_eq(create_error(words("listen=unix:%s/none/s", scratch_path(""))), ENOENT);
	must_fail(access(ipc_path(SERVER), F_OK), ENOENT);
}
END_TEST

START_TEST(test_made_other_user_has_callers_rights)
{
	struct stat st;

	ck_assert_int_eq(child_code_as(OTHER, create_run, "listen=tcp:127.0.0.1:1023"), EACCES);
	must(mkdir(scratch_path("closed"), 0700));
	must(mkdir(scratch_path("open"), 0777));
	must(chmod(scratch_path("open"), 0777));
	ck_assert_int_eq(child_code_as(OTHER, create_run,
				       (void *)words("listen=unix:%s", scratch_path("closed/s"))),
			 EACCES);
	ck_assert_int_eq(child_code_as(OTHER, create_run,
				       (void *)words("listen=unix:%s", scratch_path("s"))),
			 EACCES);
	ck_assert_int_ne(child_code_as(OTHER, create_run, "listen=unix:/proc/self/cwd/tmp/s"), 0);
	child_must_as(OTHER, create_run, (void *)words("listen=unix:%s", scratch_path("open/s")));
	must(stat(scratch_path("open/s"), &st));
	ck_assert_uint_eq(st.st_uid, OTHER);
	must_serve_both(socket_connect(scratch_path("open/s"), SOCK_STREAM));
}
END_TEST

/*
 * A backlog of 1 has room for one client, and a listener always lets one more wait. The third
 * client is not let in.
 */
START_TEST(test_made_backlog_full_native_client_waits)
{
	int fds[3];

	create(words("listen=unix:%s backlog=1", scratch_path("s")));
	for (int i = 0; i < 2; i++)
		fds[i] = socket_connect(scratch_path("s"), SOCK_STREAM);
	fds[2] = channel_open(SERVER "/connect", O_RDWR | O_NONBLOCK);
	must_fail(write(fds[2], "x", 1), EAGAIN);
	ck_assert_int_eq(poll(&(struct pollfd){.fd = fds[2], .events = POLLOUT}, 1, 100), 0);
	channel_open(SERVER "/accept", O_RDWR);
	ck_assert_int_eq(poll(&(struct pollfd){.fd = fds[2], .events = POLLOUT}, 1, 5000), 1);
	ck_assert_int_eq(must(write(fds[2], "x", 1)), 1);
}
END_TEST

START_TEST(test_made_stale_socket_is_replaced)
{
	must(close(socket_unix(scratch_path("s"), SOCK_STREAM, 5)));
	create(words("listen=unix:%s", scratch_path("s")));
	must_serve_both(socket_connect(scratch_path("s"), SOCK_STREAM));
}
END_TEST

START_TEST(test_made_live_socket_eaddrinuse)
{
	int listener = socket_unix(scratch_path("s"), SOCK_STREAM, 5);

	ck_assert_int_eq(create_error(words("listen=unix:%s", scratch_path("s"))), EADDRINUSE);
	must(close(socket_connect(scratch_path("s"), SOCK_STREAM)));
	must(close(socket_accept(listener)));
}
END_TEST

/* A listener is alive even if it has no room for the daemon's probe, or is of another type. */
START_TEST(test_made_live_socket_full_or_of_other_type_eaddrinuse)
{
	socket_unix(scratch_path("full"), SOCK_STREAM, 0);
	socket_connect(scratch_path("full"), SOCK_STREAM);
	ck_assert_int_eq(create_error(words("listen=unix:%s", scratch_path("full"))), EADDRINUSE);
	socket_unix(scratch_path("dgram"), SOCK_DGRAM, 0);
	ck_assert_int_eq(create_error(words("listen=unix:%s", scratch_path("dgram"))), EADDRINUSE);
	socket_unix(scratch_path("packets"), SOCK_SEQPACKET, 5);
	ck_assert_int_eq(create_error(words("listen=unix:%s", scratch_path("packets"))),
			 EADDRINUSE);
}
END_TEST

START_TEST(test_made_other_files_are_not_replaced)
{
	struct stat st;

	must(close(open(scratch_path("file"), O_CREAT | O_WRONLY, 0600)));
	must(close(socket_unix(scratch_path("dead"), SOCK_STREAM, 5)));
	must(symlink("dead", scratch_path("link")));
	ck_assert_int_eq(create_error(words("listen=unix:%s", scratch_path("file"))), EADDRINUSE);
	ck_assert_int_eq(create_error(words("listen=unix:%s", scratch_path("link"))), EADDRINUSE);
	must(lstat(scratch_path("file"), &st));
	ck_assert(S_ISREG(st.st_mode));
	must(lstat(scratch_path("link"), &st));
	ck_assert(S_ISLNK(st.st_mode));
}
END_TEST

START_TEST(test_made_tcp_in_use_eaddrinuse)
{
	char text[64];
	int port;

	socket_inet(AF_INET, SOCK_STREAM, 5, &port);
	snprintf(text, sizeof(text), "listen=tcp:127.0.0.1:%d", port);
	ck_assert_int_eq(create_error(text), EADDRINUSE);
}
END_TEST

START_TEST(test_made_replaced_path_is_not_removed)
{
	create(words("listen=unix:%s", scratch_path("s")));
	must(unlink(scratch_path("s")));
	must(close(socket_unix(scratch_path("s"), SOCK_STREAM, 5)));
	must(rmdir(ipc_path(SERVER)));
	must(access(scratch_path("s"), F_OK));
}
END_TEST

START_TEST(test_made_sigterm_removes_sockets)
{
	create(words("listen=unix:%s", scratch_path("s")));
	must(mkdir(ipc_path("sockets/servers/here"), 0755));
	must(kill(ipc.daemon, SIGTERM));
	ck_assert_int_eq(mount_wait(&ipc), 0);
	must_fail(access(scratch_path("s"), F_OK), ENOENT);
	must_fail(access("/run/ipcfs/here", F_OK), ENOENT);
}
END_TEST

START_TEST(test_made_after_sigkill_replaced_by_next_daemon)
{
	create(words("listen=unix:%s", scratch_path("s")));
	must(mkdir(ipc_path("sockets/servers/here"), 0755));
	must(kill(ipc.daemon, SIGKILL));
	mount_wait(&ipc);
	must(umount2(ipc.dir, MNT_DETACH));
	must(access(scratch_path("s"), F_OK));
	must(access("/run/ipcfs/here", F_OK));
	mount_start(&ipc, "ipc2", "allow_other");
	create(words("listen=unix:%s", scratch_path("s")));
	must(mkdir(ipc_path("sockets/servers/here"), 0755));
	must_serve_both(socket_connect(scratch_path("s"), SOCK_STREAM));
	must(kill(ipc.daemon, SIGTERM));
	ck_assert_int_eq(mount_wait(&ipc), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("servers_made");
	TCase *tcase = tcase_create("made");
	TCase *ends = tcase_create("ends");

	tcase_set_timeout(tcase, 20);
	tcase_add_checked_fixture(tcase, setup, teardown);
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_made_unix_path_mode_and_owner);
	tcase_add_test(tcase, test_made_seqpacket_keeps_boundaries);
	tcase_add_test(tcase, test_made_abstract);
	tcase_add_loop_test(tcase, test_made_tcp_port_zero_tells_port, 0, 4);
	tcase_add_test(tcase, test_made_tcp_any_serves_both_families);
	tcase_add_test(tcase, test_made_bad_words_refused);
	tcase_add_test(tcase, test_made_other_user_has_callers_rights);
	tcase_add_test(tcase, test_made_backlog_full_native_client_waits);
	tcase_add_test(tcase, test_made_stale_socket_is_replaced);
	tcase_add_test(tcase, test_made_live_socket_eaddrinuse);
	tcase_add_test(tcase, test_made_live_socket_full_or_of_other_type_eaddrinuse);
	tcase_add_test(tcase, test_made_other_files_are_not_replaced);
	tcase_add_test(tcase, test_made_tcp_in_use_eaddrinuse);
	tcase_add_test(tcase, test_made_replaced_path_is_not_removed);
	tcase_add_checked_fixture(ends, setup_two, NULL);
	suite_add_tcase(suite, ends);
	tcase_add_test(ends, test_made_sigterm_removes_sockets);
	tcase_add_test(ends, test_made_after_sigkill_replaced_by_next_daemon);
	return suite_run(suite);
}
