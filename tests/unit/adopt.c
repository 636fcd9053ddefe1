/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the former daemon has in its own memory is neither freed nor used any more. It stays
 * reachable, so that LeakSanitizer does not report it.
 */
#include "tests/unit/adopt.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/channel/kind.h"
#include "lib/host/job.h"
#include "tests/unit/fixture.h"

enum { SPACES_MAX = 8, FDS_MAX = 1024, AGAIN_MAX = 64, RESTARTS_MAX = 4096 };

void (*adopt_prepare)(void);
unsigned adopt_n_lost;
int adopt_error;

/* What is left of a daemon. */
struct former {
	struct host host;
	struct space *spaces[SPACES_MAX + 1];
};

static struct former *formers[RESTARTS_MAX];
static int n_formers;

static struct space *spaces[SPACES_MAX + 1]; /* host.spaces */
static int n_spaces;
static bool owns[FDS_MAX]; /* the test's descriptors */
static uint64_t again[AGAIN_MAX];
static int n_again;
static bool has_restarted; /* since they were told */

/* Calls with each open descriptor. */
static void each_fd(void (*call)(int fd))
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int fds[FDS_MAX], n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] == '.' || fd == dirfd(dir))
			continue;
		ck_assert_int_lt(n, FDS_MAX);
		fds[n++] = fd;
	}
	closedir(dir);
	while (n > 0)
		call(fds[--n]);
}

void adopt_own(int fd)
{
	ck_assert_int_lt(fd, FDS_MAX);
	owns[fd] = true;
}

struct space *adopt_open(const struct kind *kind)
{
	ck_assert_int_lt(n_spaces, SPACES_MAX);
	if (n_spaces == 0)
		each_fd(adopt_own);
	host.spaces = spaces;
	spaces[n_spaces] = fixture_open(kind);
	return spaces[n_spaces++];
}

struct space *adopted_space(const struct kind *kind)
{
	for (int i = 0; i < n_spaces; i++)
		if (spaces[i]->kind == kind)
			return spaces[i];
	ck_abort_msg("no space of %s", kind->path);
}

void adopt_again(uint64_t request)
{
	if (has_restarted)
		n_again = 0;
	has_restarted = false;
	ck_assert_int_lt(n_again, AGAIN_MAX);
	again[n_again++] = request;
}

static bool is_again(struct host *host_, uint64_t request)
{
	for (int i = 0; i < n_again; i++)
		if (again[i] == request)
			return true;
	return false;
}

static bool is_named(int fd)
{
	uint64_t id = 0;

	while ((id = slots_next(&host.objects, id)) != 0) {
		const struct object_record *record = slots_record(&host.objects, id);

		for (int i = 0; i < OBJECT_FDS; i++)
			if (record->fds[i] == fd)
				return true;
	}
	while ((id = slots_next(&host.files, id)) != 0)
		if (((const struct file_record *)slots_record(&host.files, id))->fd == fd)
			return true;
	return false;
}

static void close_unnamed(int fd)
{
	if (!owns[fd] && !is_named(fd) && fd != state_fd(host_state))
		close(fd);
}

/* Leaves the former daemon as it would be after its end. */
static void abandon(void)
{
	struct former *former = malloc(sizeof(*former));

	ck_assert_ptr_nonnull(former);
	ck_assert_int_lt(n_formers, RESTARTS_MAX);
	host_stop(&host);
	job_clock_fini(&host);
	loop_free(loop);
	each_fd(close_unnamed);
	former->host = host;
	memcpy(former->spaces, spaces, sizeof(spaces));
	formers[n_formers++] = former;
}

/* Gives the host the settings of another. */
static void set_up(const struct host *from)
{
	host.pipes = from->pipes;
	host.features = from->features;
	host.namespaces.foreign = from->namespaces.foreign;
	memcpy(host.users.limits, from->users.limits, sizeof(host.users.limits));
}

void adopt_share(void)
{
	struct host former = host;

	ck_assert_int_eq(n_spaces, 0);
	host_fini(&host);
	loop_free(loop);
	state_free(host_state);
	must(loop_new(&loop));
	must(state_new(true, &host_state));
	must(host_init(&host, loop, host_state));
	records_init(&host);
	set_up(&former);
}

/* Begins a daemon with the settings of the former one, and the memory that it has left. */
static void begin(const struct host *former)
{
	struct state *next;

	must(state_restart(host_state, &next));
	state_free(host_state);
	host_state = next;
	must(loop_new(&loop));
	must(host_init(&host, loop, host_state));
	records_init(&host);
	must(slots_adopt(&host.objects));
	must(slots_adopt(&host.files));
	must(slots_adopt(&host.writes));
	must(host_claim(&host));
	host.is_again = is_again;
	set_up(former);
	host.spaces = spaces;
	for (int i = 0; i < n_spaces; i++) {
		const struct space *space = spaces[i];

		must(space->kind->open(&spaces[i], &host));
		fixture_replace(space, spaces[i]);
	}
	if (adopt_prepare)
		adopt_prepare();
}

static bool note_lost(struct host *host_, const struct object_record *record, int error)
{
	adopt_n_lost++;
	adopt_error = error;
	return true;
}

void adopt_restart(void)
{
	struct file *file;
	uint64_t id = 0;

	abandon();
	begin(&formers[n_formers - 1]->host);
	adopt_n_lost = 0;
	adopt_error = 0;
	must(objects_adopt(&host, note_lost));
	while ((id = slots_next(&host.files, id)) != 0)
		file_adopt(&host, id, &file);
	state_settle(host_state);
	must(host_allocate(&host));
	journal_adopt(&host);
	objects_adopted(&host);
	has_restarted = true;
}

struct file *adopted_file(const struct file *former)
{
	return slots_object(&host.files, former->id);
}

struct channel *adopted_channel(const struct channel *former)
{
	return slots_object(&host.objects, former->id);
}

long adopt_kill(void (*serve)(void *data), void *data, bool (*has_changed)(void), long most)
{
	pid_t daemon = (pid_t)must_call(fork());
	int status;
	long n = 0;

	if (daemon == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		serve(data);
		_exit(0);
	}
	has_changed();
	must_call(waitpid(daemon, &status, 0));
	while (n < most && WIFSTOPPED(status)) {
		must_call(ptrace(PTRACE_SINGLESTEP, daemon, NULL, NULL));
		must_call(waitpid(daemon, &status, 0));
		n += has_changed();
	}
	if (WIFSTOPPED(status)) {
		must_call(kill(daemon, SIGKILL));
		must_call(waitpid(daemon, &status, 0));
	} else {
		ck_assert_int_eq(status, 0);
	}
	return n;
}
