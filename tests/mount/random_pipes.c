/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk over pipes. A served pipe is compared with a FIFO that the test holds open at both ends,
 * so that the FIFO keeps its data and never ends. The mount's rule for end-of-file is modelled
 * here: an empty pipe without a writer has ended for a reader that has seen data or a writer since
 * its open.
 */
#include "tests/mount/fixture.h"
#include "tests/mount/random.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N_NAMES = 2, N_FILES = 5, BUF = 150000, CAPACITY = 1 << 20 };

/* A FIFO, and the pipe in the mount that must behave like it. */
struct object {
	int holder; /* a descriptor of the FIFO that keeps both its ends open */
	int n_files;
	int n_writers;
	bool is_linked;
};

/*
 * Whether a reader has seen data or a writer since its open. PERHAPS: data waited at its open, and
 * the test cannot know whether the reader saw that.
 */
enum seen { NOTHING, PERHAPS, SOMETHING };

struct pair {
	int native, mount; /* -1 when closed */
	int flags;
	enum seen seen;
	struct object *object;
};

struct pipe_walk {
	struct walk *walk;
	struct pair files[N_FILES];
	struct object *objects[N_NAMES]; /* by name; NULL if there is no such pipe */
	char native[N_NAMES][128], mount[N_NAMES][128];
	unsigned char data[BUF], other[BUF];
};

static unsigned int any_name(struct pipe_walk *w)
{
	return walk_random(w->walk, N_NAMES);
}

static struct pair *any_file(struct pipe_walk *w)
{
	return &w->files[walk_random(w->walk, N_FILES)];
}

static void object_check(struct object *object)
{
	if (object->n_files || object->is_linked)
		return;
	close(object->holder);
	free(object);
}

static void object_unlink(struct pipe_walk *w, unsigned int name)
{
	struct object *object = w->objects[name];

	if (!object)
		return;
	w->objects[name] = NULL;
	object->is_linked = false;
	object_check(object);
}

static void close_pair(struct pair *file)
{
	struct object *object = file->object;
	int is_writer = (file->flags & O_ACCMODE) != O_RDONLY;

	if (file->native >= 0)
		close(file->native);
	if (file->mount >= 0)
		close(file->mount);
	*file = (struct pair){.native = -1, .mount = -1};
	if (!object)
		return;
	object->n_files--;
	object->n_writers -= is_writer;
	object_check(object);
}

/* Like open(2), but O_CREAT makes a FIFO that a holder then keeps open. */
static long native_open(struct pipe_walk *w, unsigned int name, int flags, mode_t mode)
{
	struct object *object;

	if ((flags & O_CREAT) && mkfifo(w->native[name], mode) == 0) {
		object = calloc(1, sizeof(*object));
		ck_assert_ptr_nonnull(object);
		object->holder = (int)must(open(w->native[name], O_RDWR | O_NONBLOCK | O_CLOEXEC));
		object->is_linked = true;
		must(fcntl(object->holder, F_SETPIPE_SZ, CAPACITY));
		w->objects[name] = object;
	} else if ((flags & O_CREAT) && (flags & O_EXCL)) {
		return -1;
	}
	return open(w->native[name], flags & ~(O_CREAT | O_EXCL | O_TRUNC));
}

static void writer_came(struct pipe_walk *w, const struct object *object)
{
	for (int i = 0; i < N_FILES; i++)
		if (w->files[i].object == object)
			w->files[i].seen = SOMETHING;
}

static void file_opened(struct pipe_walk *w, struct pair *file, unsigned int name)
{
	int n_bytes = 0;

	file->object = w->objects[name];
	file->object->n_files++;
	ioctl(file->object->holder, FIONREAD, &n_bytes);
	file->seen = n_bytes ? PERHAPS : NOTHING;
	if ((file->flags & O_ACCMODE) != O_RDONLY) {
		file->object->n_writers++;
		writer_came(w, file->object);
	}
	if (file->object->n_writers)
		file->seen = SOMETHING;
}

static void do_open(struct pipe_walk *w)
{
	static const int access[] = {O_RDONLY, O_WRONLY, O_RDWR};
	struct pair *file = any_file(w);
	unsigned int name = any_name(w);
	int flags = walk_pick(w->walk, access, 3) | O_NONBLOCK;
	struct result native, mount;

	if (walk_once_in(w->walk, 2))
		flags |= O_CREAT | (walk_once_in(w->walk, 4) ? O_EXCL : 0);
	flags |= walk_once_in(w->walk, 4) ? O_TRUNC : 0;
	walk_step(w->walk, "open file %ld on %u flags %#o", file - w->files, name, flags);
	close_pair(file);
	native = result_of(native_open(w, name, flags, 0640));
	mount = result_of(open(w->mount[name], flags, 0640));
	file->native = (int)native.value;
	file->mount = (int)mount.value;
	file->flags = flags;
	if (native.value >= 0)
		file_opened(w, file, name);
	native.value = native.value < 0 ? -1 : 0;
	mount.value = mount.value < 0 ? -1 : 0;
	walk_compare(w->walk, native, mount);
}

static void do_close(struct pipe_walk *w)
{
	struct pair *file = any_file(w);

	walk_step(w->walk, "close file %ld", file - w->files);
	close_pair(file);
}

static unsigned int any_size(struct pipe_walk *w)
{
	static const int bounds[] = {10, 100, 5000, 4096, BUF};
	unsigned int bound = (unsigned int)walk_pick(w->walk, bounds, 5);

	return bound == 4096 ? 4096 : 1 + walk_random(w->walk, bound);
}

static void do_write(struct pipe_walk *w)
{
	struct pair *file = any_file(w);
	unsigned int size = any_size(w);

	walk_step(w->walk, "write file %ld size %u", file - w->files, size);
	walk_bytes(w->walk, w->data, size);
	walk_compare(w->walk, result_of(write(file->native, w->data, size)),
		     result_of(write(file->mount, w->data, size)));
}

/* Whether the mount must give end-of-file where the FIFO gives EAGAIN. */
static bool has_ended(const struct pair *file, struct result native, struct result mount)
{
	if (native.error != EAGAIN || file->object->n_writers)
		return false;
	return file->seen == SOMETHING || (file->seen == PERHAPS && mount.value == 0);
}

static void do_read(struct pipe_walk *w)
{
	struct pair *file = any_file(w);
	unsigned int size = any_size(w);
	struct result native, mount;

	walk_step(w->walk, "read file %ld size %u writers %d seen %d", file - w->files, size,
		  file->object ? file->object->n_writers : 0, file->seen);
	native = result_of(read(file->native, w->data, size));
	mount = result_of(read(file->mount, w->other, size));
	if (has_ended(file, native, mount))
		native = (struct result){0, 0};
	walk_compare(w->walk, native, mount);
	if (native.value > 0 && memcmp(w->data, w->other, (size_t)native.value))
		walk_fail(w->walk, "the bytes differ");
	if (native.value > 0)
		file->seen = SOMETHING;
}

static void do_poll(struct pipe_walk *w)
{
	struct pair *file = any_file(w);
	struct pollfd native = {.fd = file->native, .events = POLLIN | POLLOUT};
	struct pollfd mount = {.fd = file->mount, .events = POLLIN | POLLOUT};
	bool is_idle;

	walk_step(w->walk, "poll file %ld seen %d", file - w->files, file->seen);
	poll(&native, 1, 0);
	poll(&mount, 1, 0);
	is_idle = file->object && !file->object->n_writers && !(native.revents & POLLIN);
	if (is_idle && file->seen == SOMETHING) {
		native.revents |= POLLHUP;
		mount.revents &= ~POLLIN;
	}
	if (file->object && !file->object->n_writers && !(is_idle && file->seen == SOMETHING)) {
		/*
		 * POLLHUP may show while data is left, or if it is unknown whether the pipe has
		 * ended.
		 */
		if (native.revents & POLLIN || file->seen == PERHAPS)
			mount.revents &= ~POLLHUP;
		if (is_idle && file->seen == PERHAPS)
			mount.revents &= ~POLLIN;
	}
	if (native.revents != mount.revents)
		walk_fail(w->walk, "events %#x, %#x", native.revents, mount.revents);
}

static long native_empty(struct pipe_walk *w, const struct object *object)
{
	while (read(object->holder, w->data, BUF) > 0)
		;
	return 0;
}

static void do_truncate(struct pipe_walk *w)
{
	struct pair *file = any_file(w);
	unsigned int name = any_name(w);
	struct result expected = {0, 0}, mount;

	if (walk_once_in(w->walk, 2)) {
		walk_step(w->walk, "ftruncate file %ld", file - w->files);
		mount = result_of(ftruncate(file->mount, 0));
		if (!file->object)
			expected = (struct result){-1, EBADF};
		else if ((file->flags & O_ACCMODE) == O_RDONLY)
			expected = (struct result){-1, EINVAL};
		else
			native_empty(w, file->object);
	} else {
		walk_step(w->walk, "truncate %u", name);
		mount = result_of(truncate(w->mount[name], 0));
		if (!w->objects[name])
			expected = (struct result){-1, ENOENT};
		else
			native_empty(w, w->objects[name]);
	}
	walk_compare(w->walk, expected, mount);
}

static void do_stat(struct pipe_walk *w)
{
	unsigned int name = any_name(w);
	struct stat native = {0}, mount = {0};

	walk_step(w->walk, "stat %u", name);
	walk_compare(w->walk, result_of(stat(w->native[name], &native)),
		     result_of(stat(w->mount[name], &mount)));
	if ((native.st_mode & 07777) != (mount.st_mode & 07777) || native.st_uid != mount.st_uid ||
	    mount.st_size != (S_ISREG(mount.st_mode) ? 4096 : 0))
		walk_fail(w->walk, "mode %#o, %#o, size %ld", native.st_mode, mount.st_mode,
			  mount.st_size);
}

static void do_chmod(struct pipe_walk *w)
{
	static const int modes[] = {0600, 0644, 0000, 0222};
	unsigned int name = any_name(w);
	mode_t mode = (mode_t)walk_pick(w->walk, modes, 4);

	walk_step(w->walk, "chmod %u to %#o", name, mode);
	walk_compare(w->walk, result_of(chmod(w->native[name], mode)),
		     result_of(chmod(w->mount[name], mode)));
}

static void do_unlink(struct pipe_walk *w)
{
	unsigned int name = any_name(w);

	walk_step(w->walk, "unlink %u", name);
	walk_compare(w->walk, result_of(unlink(w->native[name])),
		     result_of(unlink(w->mount[name])));
	object_unlink(w, name);
}

static void do_rename(struct pipe_walk *w)
{
	unsigned int from = any_name(w), to = any_name(w);
	unsigned int flags = walk_once_in(w->walk, 2) ? RENAME_NOREPLACE : 0;
	struct result native, mount;

	walk_step(w->walk, "rename %u to %u flags %u", from, to, flags);
	native = result_of(renameat2(AT_FDCWD, w->native[from], AT_FDCWD, w->native[to], flags));
	mount = result_of(renameat2(AT_FDCWD, w->mount[from], AT_FDCWD, w->mount[to], flags));
	walk_compare(w->walk, native, mount);
	if (native.value < 0 || from == to)
		return;
	object_unlink(w, to);
	w->objects[to] = w->objects[from];
	w->objects[from] = NULL;
}

static void do_lseek(struct pipe_walk *w)
{
	struct pair *file = any_file(w);

	walk_step(w->walk, "lseek file %ld", file - w->files);
	walk_compare(w->walk, result_of(lseek(file->native, 0, SEEK_SET)),
		     result_of(lseek(file->mount, 0, SEEK_SET)));
}

static void (*const operations[])(struct pipe_walk *) = {
	do_open,  do_open,  do_open,  do_close, do_write,    do_write, do_write,  do_write,
	do_write, do_write, do_read,  do_read,  do_read,     do_read,  do_read,   do_poll,
	do_poll,  do_poll,  do_lseek, do_stat,  do_truncate, do_chmod, do_unlink, do_rename,
};

void random_pipes(struct walk *walk)
{
	struct pipe_walk *w = calloc(1, sizeof(*w));

	ck_assert_ptr_nonnull(w);
	w->walk = walk;
	umask(022);
	for (unsigned int i = 0; i < N_NAMES; i++) {
		snprintf(w->native[i], sizeof(w->native[i]), "%s-%u", scratch_path("fifo"), i);
		snprintf(w->mount[i], sizeof(w->mount[i]), "%s/pipes/mount-%u", ipc.dir, i);
	}
	for (int i = 0; i < N_FILES; i++)
		w->files[i] = (struct pair){.native = -1, .mount = -1};
	while (walk->step < N_STEPS)
		operations[walk_random(walk, sizeof(operations) / sizeof(operations[0]))](w);
	for (int i = 0; i < N_FILES; i++)
		close_pair(&w->files[i]);
	for (unsigned int i = 0; i < N_NAMES; i++)
		object_unlink(w, i);
	free(w);
}
