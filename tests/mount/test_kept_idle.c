/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kept FIFOs that nobody uses. After a few seconds they cost the daemon no descriptor. They work
 * again at once when someone opens them, and they are never let go while they hold data.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/kept.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PIPE_NAME "pipes/p"

/* EACH: the most bytes of memory that an unused FIFO may cost. */
enum { N_PIPES = 200, MANY = 10000, EACH = 1536, STRANGER = 65534 };

static int n_idle; /* the number of descriptors of a daemon that holds no FIFO */

static bool holds_no_more(void *arg)
{
	(void)arg;
	return mount_descriptors(&ipc) <= n_idle;
}

static void await_let_go(void)
{
	ck_assert_msg(wait_until(holds_no_more, NULL, KEPT_LETS_GO), "%d descriptors, idle %d",
		      mount_descriptors(&ipc), n_idle);
}

static void use_all(void)
{
	char name[32];

	for (int i = 0; i < N_PIPES; i++) {
		snprintf(name, sizeof(name), "pipes/%d", i);
		channel_put(name, "a", 1);
		ck_assert_uint_eq(kept_take_to_end(ipc_path(name), 'a'), 1);
	}
}

/* Lists pipes/ as ls -l does. Returns 0 if it has *arg entries, else an errno. */
static int list_run(void *arg)
{
	DIR *dir = opendir(ipc_path("pipes"));
	struct dirent *entry;
	struct stat st;
	int n = 0;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' &&
		    (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !++n))
			return errno;
	return n == *(int *)arg ? 0 : ENOENT;
}

START_TEST(test_idle_unused_ones_cost_no_descriptor_and_work_again)
{
	int n = N_PIPES;

	n_idle = mount_descriptors(&ipc);
	kept_make_many(n);
	use_all();
	await_let_go();
	child_must_as(STRANGER, list_run, &n);
	await_let_go();
	use_all();
}
END_TEST

/* There are more FIFOs than the daemon may have descriptors, or nearly as many. */
START_TEST(test_idle_ten_thousand_are_made_and_looked_at)
{
	long memory = mount_memory(&ipc);
	int n = MANY;

	n_idle = mount_descriptors(&ipc);
	kept_make_many(n);
	child_must_as(STRANGER, list_run, &n);
	await_let_go();
	if (!program_is_sanitized())
		ck_assert_int_le((mount_memory(&ipc) - memory) * 1024, (long)MANY * EACH);
	channel_put("pipes/9999", "a", 1);
	ck_assert_uint_eq(kept_take_to_end(ipc_path("pipes/9999"), 'a'), 1);
}
END_TEST

/*
 * One way to leave a FIFO unused. before() makes the FIFO and prepares it. The daemon then lets go
 * of all FIFOs that it may, and after() checks what is true of this one.
 */
struct idler {
	const char *name;
	void (*before)(struct idler *idler);
	void (*after)(struct idler *idler);
	int fd;
	pid_t pid;
};

static void put(const struct idler *idler)
{
	channel_put(idler->name, "aaa", 3);
}

static void must_have_end(const struct idler *idler)
{
	ck_assert_uint_eq(kept_take_to_end(ipc_path(idler->name), 'a'), 3);
}

static void data_before(struct idler *idler)
{
	kept_make(idler->name);
	put(idler);
}

static void data_after(struct idler *idler)
{
	kept_await_held(idler->name, "both");
	must_have_end(idler);
}

/* A writer that keeps the FIFO open still needs no reader. */
static void writer_before(struct idler *idler)
{
	kept_make(idler->name);
	idler->fd = kept_writer(ipc_path(idler->name));
}

static void writer_after(struct idler *idler)
{
	ck_assert_int_eq(must(write(idler->fd, "aaa", 3)), 3);
	must(close(idler->fd));
	must_have_end(idler);
}

static int read_to_end_run(void *arg)
{
	char buf[16];
	int fd = open(ipc_path(arg), O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return errno;
	n = read(fd, buf, sizeof(buf));
	return n == 3 && read(fd, buf, sizeof(buf)) == 0 ? 0 : EBADMSG;
}

/* A reader that waits in open(2) meets the next writer, and then finds the end-of-file. */
static void waiting_before(struct idler *idler)
{
	kept_make(idler->name);
	idler->pid = child_start(read_to_end_run, (void *)idler->name);
	task_must_wait_for_partner(idler->pid);
}

static void waiting_after(struct idler *idler)
{
	kept_await_held(idler->name, "no");
	task_must_wait_for_partner(idler->pid);
	put(idler);
	ck_assert_int_eq(child_end(idler->pid), 0);
}

static void reader_before(struct idler *idler)
{
	kept_make(idler->name);
	idler->fd = channel_open(idler->name, O_RDONLY | O_NONBLOCK);
}

static void reader_after(struct idler *idler)
{
	char buf[16];

	ck_assert_int_eq(must(read(idler->fd, buf, sizeof(buf))), 0);
	put(idler);
	ck_assert_int_eq(must(read(idler->fd, buf, sizeof(buf))), 3);
	must(close(idler->fd));
	put(idler);
	must_have_end(idler);
}

/* The daemon is not asked when an O_PATH descriptor is reopened. */
static void path_before(struct idler *idler)
{
	kept_make(idler->name);
	idler->fd = channel_open(idler->name, O_PATH);
}

static void path_after(struct idler *idler)
{
	char path[64];
	int writer;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", idler->fd);
	writer = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	/*
	 * The open may fail as it does natively where nobody reads. But bytes that are accepted are
	 * kept.
	 */
	if (writer < 0) {
		ck_assert_int_eq(errno, ENXIO);
		return;
	}
	ck_assert_int_eq(must(write(writer, "aaa", 3)), 3);
	must(close(writer));
	must_have_end(idler);
}

static void never_before(struct idler *idler)
{
	char line[64];

	snprintf(line, sizeof(line), "create %s eof=never", idler->name);
	look_command(line);
}

/* An open for reading does not wait, whether the daemon held the FIFO all the time or not. */
static void never_after(struct idler *idler)
{
	must(close(channel_open(idler->name, O_RDONLY)));
	kept_await_held(idler->name, "both");
}

static void empty_before(struct idler *idler)
{
	kept_make(idler->name);
	kept_await_held(idler->name, "read");
}

static void empty_after(struct idler *idler)
{
	kept_await_held(idler->name, "no");
}

/*
 * The idler with a child process comes first: a later child would inherit the other idlers'
 * descriptors.
 */
static struct idler idlers[] = {
	{.name = "pipes/waiting", .before = waiting_before, .after = waiting_after},
	{.name = "pipes/data", .before = data_before, .after = data_after},
	{.name = "pipes/writer", .before = writer_before, .after = writer_after},
	{.name = "pipes/reader", .before = reader_before, .after = reader_after},
	{.name = "pipes/path", .before = path_before, .after = path_after},
	{.name = "pipes/never", .before = never_before, .after = never_after},
	{.name = "pipes/empty", .before = empty_before, .after = empty_after},
};
enum { N_IDLERS = sizeof(idlers) / sizeof(idlers[0]) };

START_TEST(test_idle_what_is_in_use_stays_and_the_rest_goes)
{
	for (int i = 0; i < N_IDLERS; i++)
		idlers[i].before(&idlers[i]);
	kept_await_held(idlers[N_IDLERS - 1].name, "no");
	for (int i = 0; i < N_IDLERS; i++)
		idlers[i].after(&idlers[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kept_idle");
	TCase *tcase = suite_case(suite, "idle", 120);

	kept_add(tcase, test_idle_unused_ones_cost_no_descriptor_and_work_again);
	kept_add(tcase, test_idle_ten_thousand_are_made_and_looked_at);
	kept_add(tcase, test_idle_what_is_in_use_stays_and_the_rest_goes);
	return suite_run(suite);
}
