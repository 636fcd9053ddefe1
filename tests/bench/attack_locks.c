// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A writer to a FIFO holds the FIFO's lock while the kernel copies the bytes, and here the bytes
 * are in a page that never arrives. Half of the FIFOs are the attacker's, half are root's and open
 * to all. When they are locked, the daemon holds half of them open; it has let go of the other
 * half, so the next lookup has to open those. The attacker then looks at all of them in every way
 * there is.
 */
#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "tests/bench/fault.h"
#include "tests/bench/must.h"

enum { N_FIFOS = 12, N_LOOKERS = 8, PAUSE = 10000, LONG_ENOUGH = 200000 };

/* Shared by all processes of the attack. */
struct progress {
	atomic_int n_opened, n_writing;
};

static void make(struct scene *scene, int i, mode_t mode)
{
	const char *path = scene_mount(scene, "pipes/locked-%d", i);

	close(must(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
	must(chmod(path, mode));
}

/* Runs as root. */
void attack_locks_prepare(struct scene *scene)
{
	for (int i = 0; i < N_FIFOS; i += 2)
		make(scene, i, 0666);
}

static bool is_let_go(struct scene *scene, int i)
{
	FILE *status = fopen(scene_mount(scene, "info/pipes/locked-%d/status", i), "re");
	bool is_held = true;
	char line[256];

	if (!status)
		fail("status: %s", strerror(errno));
	while (fgets(line, sizeof(line), status))
		if (!strcmp(line, "held no\n"))
			is_held = false;
	fclose(status);
	return !is_held;
}

/* Reopens the FIFO behind `fd` without asking the daemon. */
static int open_again(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return must(open(path, flags | O_NONBLOCK | O_CLOEXEC));
}

static void await_all(const atomic_int *n)
{
	while (*n < N_FIFOS)
		usleep(PAUSE);
}

/*
 * No process may block before all have opened the fault file: opening it would wait for the page,
 * too.
 */
static void hold(int fifo, const char *dir, struct progress *progress)
{
	char path[300];
	void *page;
	int fd;

	snprintf(path, sizeof(path), "%s/" FAULT_FILE, dir);
	fd = must(open(path, O_RDONLY | O_CLOEXEC));
	page = must(mmap(NULL, FAULT_PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
	fd = open_again(fifo, O_RDWR);
	progress->n_opened++;
	await_all(&progress->n_opened);
	progress->n_writing++;
	(void)!write(fd, page, 1);
	sleep(1); /* at the end the server is killed just before this process */
	fail("write: it has not got stuck");
}

/* Checks that the FIFO is locked: then opening it never returns. */
static void probe(int fifo, const struct progress *progress)
{
	await_all(&progress->n_writing);
	usleep(LONG_ENOUGH);
	open_again(fifo, O_RDONLY);
	sleep(1);
	fail("open: a FIFO is not locked");
}

static void look(struct scene *scene, const struct progress *progress, unsigned i)
{
	struct stat attr;

	await_all(&progress->n_writing);
	usleep(2 * LONG_ENOUGH);
	for (;; i++) {
		const char *name = scene_mount(scene, "pipes/locked-%u", i % N_FIFOS);

		attack_strike(scene);
		stat(name, &attr);
		attack_read(scene_mount(scene, "info/pipes/locked-%u/status", i % N_FIFOS));
		attack_read(scene_mount(scene, "info/pipes/locked-%u/peek", i % N_FIFOS));
		if (i % N_FIFOS == 0)
			attack_read(scene_mount(scene, "info/summary"));
	}
}

void attack_locks(struct scene *scene)
{
	struct progress *progress = must(mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
					      MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	int fifos[N_FIFOS], i, device;
	char dir[256];

	snprintf(dir, sizeof(dir), "%s", scene_path(scene, "sockets/fault"));
	must(mkdir(dir, 0700));
	for (i = 1; i < N_FIFOS; i += 2)
		make(scene, i, 0600);
	if (attack_split(N_LOOKERS, &i))
		look(scene, progress, (unsigned)i);
	for (i = 0; i < N_FIFOS; i++)
		fifos[i] = must(open(scene_mount(scene, "pipes/locked-%d", i), O_PATH | O_CLOEXEC));
	while (!is_let_go(scene, N_FIFOS - 1))
		usleep(PAUSE);
	for (i = 0; i < N_FIFOS / 2; i++)
		close(must(open(scene_mount(scene, "pipes/locked-%d", i), O_PATH | O_CLOEXEC)));
	device = fault_mount(scene, dir);
	if (attack_split(2 * N_FIFOS, &i)) {
		close(device);
		if (i < N_FIFOS)
			hold(fifos[i], dir, progress);
		probe(fifos[i - N_FIFOS], progress);
	}
	fault_serve(device, FUSE_READ);
}
