// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shared memory, POSIX and System V. Both sides work on the same pages.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "tests/bench/ends.h"
#include "tests/bench/must.h"
#include "tests/bench/work.h"

#define SYSV_KEY 0x49504342

static void open_region(struct ends *ends, const char *path)
{
	ends->out = must(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
	must(ftruncate(ends->out, (off_t)ends->row->size));
}

static void map_region(struct ends *ends)
{
	ends->map = must(mmap(NULL, ends->row->size, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_POPULATE, ends->out, 0));
}

static void native_open(struct ends *ends)
{
	open_region(ends, "/dev/shm/bench");
	map_region(ends);
}

static void ipcfs_open(struct ends *ends)
{
	open_region(ends, bench_mount(ends->bench, "shm/bench"));
	map_region(ends);
}

static void region_remove(struct ends *ends)
{
	(void)ends;
	unlink("/dev/shm/bench");
}

static int find_segment(const struct ends *ends)
{
	return must(shmget(SYSV_KEY, ends->row->size, IPC_CREAT | 0600));
}

static void sysv_native_open(struct ends *ends)
{
	ends->state = must(shmat(find_segment(ends), NULL, 0));
	ends->map = ends->state;
	memset(ends->map, 0, ends->row->size);
}

static void sysv_native_close(struct ends *ends)
{
	shmctl(find_segment(ends), IPC_RMID, NULL);
}

static void sysv_ipcfs_open(struct ends *ends)
{
	char name[32];

	find_segment(ends);
	snprintf(name, sizeof(name), "sysv/shm/0x%08x", SYSV_KEY);
	ends->out = must(open(bench_mount(ends->bench, name), O_RDWR | O_CLOEXEC));
	map_region(ends);
}

#define REGION_SIDES(do_work)                                               \
	{                                                                   \
		{"/dev/shm", native_open, do_work, .close = region_remove}, \
		{                                                           \
			"ipcfs", ipcfs_open, do_work                        \
		}                                                           \
	}

static const struct row rows[] = {
	{"mmap, copy 64 B", "shm", 64, UNIT_RATE, .sides = REGION_SIDES(work_copy)},
	{"mmap, copy 4 KiB", "shm", 4096, UNIT_RATE, .sides = REGION_SIDES(work_copy)},
	{"mmap, copy 64 KiB", "shm", 65536, UNIT_RATE, .bound = BOUND_SPEED,
	 .targets = {0.95, 0.95, 0.95}, .sides = REGION_SIDES(work_copy)},
	{"mmap, copy 1 MiB", "shm", 1 << 20, UNIT_RATE, .bound = BOUND_SPEED,
	 .targets = {0.95, 0.95, 0.95}, .sides = REGION_SIDES(work_copy)},
	{"pread 64 KiB", "shm", 65536, UNIT_RATE, .bound = BOUND_SPEED,
	 .targets = {0.85, 0.85, 0.85}, .sides = REGION_SIDES(work_pread)},
	{"pwrite 64 KiB", "shm", 65536, UNIT_RATE, .bound = BOUND_SPEED,
	 .targets = {0.85, 0.85, 0.85}, .sides = REGION_SIDES(work_pwrite)},
	{"System V, mmap, copy 64 KiB", "sysv/shm", 65536, UNIT_RATE, .bound = BOUND_SPEED,
	 .targets = {0.95, 0.95, 0.95},
	 .sides = {{"shmat", sysv_native_open, work_copy, .close = sysv_native_close},
		   {"ipcfs", sysv_ipcfs_open, work_copy}}},
	{"System V, mmap, copy 1 MiB", "sysv/shm", 1 << 20, UNIT_RATE, .bound = BOUND_SPEED,
	 .targets = {0.95, 0.95, 0.95},
	 .sides = {{"shmat", sysv_native_open, work_copy, .close = sysv_native_close},
		   {"ipcfs", sysv_ipcfs_open, work_copy}}},
	{.work = NULL},
};

const struct group shm_group = {"shm", "Shared memory", rows};
