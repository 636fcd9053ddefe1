/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk over shared memory: files made directly in /dev/shm against files made through the
 * mount. Both are regular files, so nothing may differ.
 */
#include "tests/mount/fixture.h"
#include "tests/mount/random.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N_NAMES = 2, N_FILES = 4, SIZE_MAX_STEP = 20000 };

struct pair {
	int native, mount; /* -1 when closed */
};

struct shm_walk {
	struct walk *walk;
	struct pair files[N_FILES];
	char native[N_NAMES][128], mount[N_NAMES][128];
	char behind[N_NAMES][128]; /* the path in /dev/shm of the file behind a name in the mount */
	unsigned char data[SIZE_MAX_STEP], other[SIZE_MAX_STEP];
};

static const int modes[] = {0600, 0644, 0666, 0000, 0755};

static unsigned int any_name(struct shm_walk *w)
{
	return walk_random(w->walk, N_NAMES);
}

static struct pair *any_file(struct shm_walk *w)
{
	return &w->files[walk_random(w->walk, N_FILES)];
}

static long any_offset(struct shm_walk *w)
{
	return walk_once_in(w->walk, 20) ? -5 : (long)walk_random(w->walk, 60000);
}

static int any_mode(struct shm_walk *w)
{
	return walk_pick(w->walk, modes, sizeof(modes) / sizeof(modes[0]));
}

static void close_pair(struct pair *file)
{
	if (file->native >= 0)
		close(file->native);
	if (file->mount >= 0)
		close(file->mount);
	file->native = file->mount = -1;
}

static void do_open(struct shm_walk *w)
{
	static const int access[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR};
	struct pair *file = any_file(w);
	unsigned int name = any_name(w);
	int flags = walk_pick(w->walk, access, 4) | O_NONBLOCK;
	int mode = any_mode(w);
	struct result native, mount;

	flags |= walk_once_in(w->walk, 2) ? O_CREAT : 0;
	flags |= walk_once_in(w->walk, 5) ? O_EXCL : 0;
	flags |= walk_once_in(w->walk, 4) ? O_TRUNC : 0;
	flags |= walk_once_in(w->walk, 4) ? O_APPEND : 0;
	if (!(flags & O_CREAT))
		flags &= ~O_EXCL;
	walk_step(w->walk, "open file %ld on %u flags %#o mode %#o", file - w->files, name, flags,
		  mode);
	close_pair(file);
	native = result_of(open(w->native[name], flags, mode));
	mount = result_of(open(w->mount[name], flags, mode));
	file->native = (int)native.value;
	file->mount = (int)mount.value;
	native.value = native.value < 0 ? -1 : 0;
	mount.value = mount.value < 0 ? -1 : 0;
	walk_compare(w->walk, native, mount);
}

static void do_write(struct shm_walk *w)
{
	struct pair *file = any_file(w);
	unsigned int size = walk_random(w->walk, SIZE_MAX_STEP);
	long offset = walk_once_in(w->walk, 2) ? any_offset(w) : 0;

	walk_step(w->walk, "write file %ld size %u offset %ld", file - w->files, size, offset);
	walk_bytes(w->walk, w->data, size);
	if (offset)
		walk_compare(w->walk, result_of(pwrite(file->native, w->data, size, offset)),
			     result_of(pwrite(file->mount, w->data, size, offset)));
	else
		walk_compare(w->walk, result_of(write(file->native, w->data, size)),
			     result_of(write(file->mount, w->data, size)));
}

static void do_read(struct shm_walk *w)
{
	struct pair *file = any_file(w);
	unsigned int size = walk_random(w->walk, SIZE_MAX_STEP);
	long offset = walk_once_in(w->walk, 2) ? any_offset(w) : 0;
	struct result native, mount;

	walk_step(w->walk, "read file %ld size %u offset %ld", file - w->files, size, offset);
	if (offset) {
		native = result_of(pread(file->native, w->data, size, offset));
		mount = result_of(pread(file->mount, w->other, size, offset));
	} else {
		native = result_of(read(file->native, w->data, size));
		mount = result_of(read(file->mount, w->other, size));
	}
	walk_compare(w->walk, native, mount);
	if (native.value > 0 && memcmp(w->data, w->other, (size_t)native.value))
		walk_fail(w->walk, "the bytes differ");
}

static void do_lseek(struct shm_walk *w)
{
	static const int whences[] = {SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE, 99};
	struct pair *file = any_file(w);
	int whence = walk_pick(w->walk, whences, 6);
	long offset = any_offset(w);

	walk_step(w->walk, "lseek file %ld to %ld from %d", file - w->files, offset, whence);
	walk_compare(w->walk, result_of(lseek(file->native, offset, whence)),
		     result_of(lseek(file->mount, offset, whence)));
}

static void do_truncate(struct shm_walk *w)
{
	struct pair *file = any_file(w);
	unsigned int name = any_name(w);
	long size = any_offset(w);

	if (walk_once_in(w->walk, 2)) {
		walk_step(w->walk, "ftruncate file %ld to %ld", file - w->files, size);
		walk_compare(w->walk, result_of(ftruncate(file->native, size)),
			     result_of(ftruncate(file->mount, size)));
	} else {
		walk_step(w->walk, "truncate %u to %ld", name, size);
		walk_compare(w->walk, result_of(truncate(w->native[name], size)),
			     result_of(truncate(w->mount[name], size)));
	}
}

/* Sets the same size on both files, by native calls alone. */
static void do_native_truncate(struct shm_walk *w)
{
	unsigned int name = any_name(w);
	long size = any_offset(w);

	walk_step(w->walk, "natively truncate %u to %ld", name, size);
	walk_compare(w->walk, result_of(truncate(w->native[name], size)),
		     result_of(truncate(w->behind[name], size)));
}

static void do_fallocate(struct shm_walk *w)
{
	static const int falloc_modes[] = {0,
					   FALLOC_FL_KEEP_SIZE,
					   FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					   FALLOC_FL_PUNCH_HOLE,
					   FALLOC_FL_ZERO_RANGE,
					   FALLOC_FL_COLLAPSE_RANGE};
	struct pair *file = any_file(w);
	int mode = walk_pick(w->walk, falloc_modes, 6);
	long offset = any_offset(w);
	long size = any_offset(w);

	walk_step(w->walk, "fallocate file %ld mode %d from %ld for %ld", file - w->files, mode,
		  offset, size);
	walk_compare(w->walk, result_of(fallocate(file->native, mode, offset, size)),
		     result_of(fallocate(file->mount, mode, offset, size)));
}

static void do_chmod(struct shm_walk *w)
{
	struct pair *file = any_file(w);
	unsigned int name = any_name(w);
	mode_t mode = (mode_t)any_mode(w);

	if (walk_once_in(w->walk, 2)) {
		walk_step(w->walk, "fchmod file %ld to %#o", file - w->files, mode);
		walk_compare(w->walk, result_of(fchmod(file->native, mode)),
			     result_of(fchmod(file->mount, mode)));
	} else {
		walk_step(w->walk, "chmod %u to %#o", name, mode);
		walk_compare(w->walk, result_of(chmod(w->native[name], mode)),
			     result_of(chmod(w->mount[name], mode)));
	}
}

static void do_unlink(struct shm_walk *w)
{
	unsigned int name = any_name(w);

	walk_step(w->walk, "unlink %u", name);
	walk_compare(w->walk, result_of(unlink(w->native[name])),
		     result_of(unlink(w->mount[name])));
}

static void do_rename(struct shm_walk *w)
{
	static const int rename_flags[] = {0, RENAME_NOREPLACE, RENAME_EXCHANGE};
	unsigned int from = any_name(w), to = any_name(w);
	unsigned int flags = (unsigned int)walk_pick(w->walk, rename_flags, 3);

	walk_step(w->walk, "rename %u to %u flags %u", from, to, flags);
	walk_compare(
		w->walk,
		result_of(renameat2(AT_FDCWD, w->native[from], AT_FDCWD, w->native[to], flags)),
		result_of(renameat2(AT_FDCWD, w->mount[from], AT_FDCWD, w->mount[to], flags)));
}

static void compare_stat(struct shm_walk *w, const struct stat *native, const struct stat *mount)
{
	if (native->st_mode != mount->st_mode || native->st_size != mount->st_size ||
	    native->st_blocks != mount->st_blocks || native->st_uid != mount->st_uid ||
	    native->st_gid != mount->st_gid || native->st_nlink != mount->st_nlink)
		walk_fail(w->walk, "mode %#o %#o, size %ld %ld, blocks %ld %ld, links %lu %lu",
			  native->st_mode, mount->st_mode, native->st_size, mount->st_size,
			  native->st_blocks, mount->st_blocks, (unsigned long)native->st_nlink,
			  (unsigned long)mount->st_nlink);
}

static void do_stat(struct shm_walk *w)
{
	struct pair *file = any_file(w);
	unsigned int name = any_name(w);
	struct stat native = {0}, mount = {0};

	if (walk_once_in(w->walk, 2)) {
		walk_step(w->walk, "fstat file %ld", file - w->files);
		walk_compare(w->walk, result_of(fstat(file->native, &native)),
			     result_of(fstat(file->mount, &mount)));
	} else {
		walk_step(w->walk, "stat %u", name);
		walk_compare(w->walk, result_of(stat(w->native[name], &native)),
			     result_of(stat(w->mount[name], &mount)));
	}
	compare_stat(w, &native, &mount);
}

static void do_poll(struct shm_walk *w)
{
	struct pair *file = any_file(w);
	struct pollfd native = {.fd = file->native, .events = POLLIN | POLLOUT};
	struct pollfd mount = {.fd = file->mount, .events = POLLIN | POLLOUT};

	walk_step(w->walk, "poll file %ld", file - w->files);
	walk_compare(w->walk, result_of(poll(&native, 1, 0)), result_of(poll(&mount, 1, 0)));
	if (native.revents != mount.revents)
		walk_fail(w->walk, "events %#x, %#x", native.revents, mount.revents);
}

static void (*const operations[])(struct shm_walk *) = {
	do_open, do_open,     do_open,      do_write, do_write,  do_write,  do_read,
	do_read, do_read,     do_lseek,     do_lseek, do_stat,   do_stat,   do_stat,
	do_poll, do_truncate, do_fallocate, do_chmod, do_unlink, do_rename, do_native_truncate,
};

void random_shm(struct walk *walk)
{
	struct shm_walk *w = calloc(1, sizeof(*w));

	ck_assert_ptr_nonnull(w);
	w->walk = walk;
	umask(022);
	for (unsigned int i = 0; i < N_NAMES; i++) {
		snprintf(w->native[i], sizeof(w->native[i]), "/dev/shm/native-%u", i);
		snprintf(w->mount[i], sizeof(w->mount[i]), "%s/shm/mount-%u", ipc.dir, i);
		snprintf(w->behind[i], sizeof(w->behind[i]), "/dev/shm/mount-%u", i);
	}
	for (int i = 0; i < N_FILES; i++)
		w->files[i] = (struct pair){-1, -1};
	while (walk->step < N_STEPS)
		operations[walk_random(walk, sizeof(operations) / sizeof(operations[0]))](w);
	for (int i = 0; i < N_FILES; i++)
		close_pair(&w->files[i]);
	free(w);
}
