// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mappings of what is in the mount. A touch beyond the end raises SIGBUS, and a touch without the
 * right raises SIGSEGV. Both signals lead back to the call that touched. Anywhere else they are the
 * fuzzer's own fault.
 */
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "tests/fuzz/calls/user.h"

static _Thread_local sigjmp_buf way_back;
static _Thread_local volatile sig_atomic_t is_touching;

static void on_fault(int number)
{
	if (is_touching)
		siglongjmp(way_back, 1);
	signal(number, SIG_DFL);
	raise(number);
}

/* Takes a random map out of the table. The caller may unmap it, and so may other threads. */
static struct map take_map(struct thread *thread)
{
	struct user *user = thread->user;
	struct map *map = &user->maps[dice_roll(&thread->dice, N_MAPS)], taken;

	pthread_mutex_lock(&user->maps_lock);
	taken = *map;
	*map = (struct map){NULL, 0};
	pthread_mutex_unlock(&user->maps_lock);
	return taken;
}

static void put_map(struct thread *thread, struct map map)
{
	struct user *user = thread->user;
	struct map *place = &user->maps[dice_roll(&thread->dice, N_MAPS)], former;

	pthread_mutex_lock(&user->maps_lock);
	former = *place;
	*place = map;
	pthread_mutex_unlock(&user->maps_lock);
	if (former.start)
		munmap(former.start, former.size);
}

static void map_one(struct thread *thread)
{
	static const int flags[] = {MAP_SHARED, MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE};
	static const int more[] = {MAP_POPULATE, MAP_LOCKED, MAP_NORESERVE, MAP_NONBLOCK};
	static const size_t sizes[] = {1, 4096, 8192, 65536, 1 << 20};
	struct dice *dice = &thread->dice;
	struct map map = {.size = dice_pick(dice, sizes)};
	int fd = dice_once_in(dice, 4) ? thread_descriptor(thread) : thread_region(thread);
	off_t offset = dice_once_in(dice, 4) ? thread_offset(thread) & ~4095L : 0;
	long start;

	start = make_call(thread, SYS_mmap, NULL, map.size, dice_roll(dice, 8),
			  dice_pick(dice, flags) | dice_flags(dice, more, N_ELEMENTS(more), 6), fd,
			  offset);
	thread_keep(thread, fd);
	if (start == -1)
		return;
	map.start = (char *)start;
	put_map(thread, map);
}

static void unmap_one(struct thread *thread)
{
	struct map map = take_map(thread);

	if (map.start)
		make_call(thread, SYS_munmap, map.start, map.size);
}

/* Touches a map. No sanitizer checks these accesses: only the kernel judges them. */
__attribute__((no_sanitize("address", "undefined"))) static void touch(struct thread *thread)
{
	struct map map = take_map(thread);
	volatile char *start = map.start;
	volatile bool has_touched = false;
	size_t at;

	if (!map.start)
		return;
	signal(SIGBUS, on_fault);
	signal(SIGSEGV, on_fault);
	at = dice_next(&thread->dice) % map.size;
	if (sigsetjmp(way_back, 1) == 0) {
		is_touching = 1;
		if (dice_once_in(&thread->dice, 2))
			start[at] = start[at / 2];
		else
			thread->buffer[0] = start[at];
		has_touched = true;
	}
	is_touching = 0;
	thread_count(thread, has_touched ? 0 : -1);
	put_map(thread, map);
}

static void protect(struct thread *thread)
{
	struct map map = take_map(thread);

	if (!map.start)
		return;
	make_call(thread, SYS_mprotect, map.start, map.size, dice_roll(&thread->dice, 8));
	put_map(thread, map);
}

static void advise(struct thread *thread)
{
	struct map map = take_map(thread);

	if (!map.start)
		return;
	make_call(thread, SYS_madvise, map.start, map.size, dice_roll(&thread->dice, 26));
	make_call(thread, SYS_msync, map.start, map.size, dice_roll(&thread->dice, 8));
	make_call(thread, SYS_mincore, map.start, map.size, thread->buffer);
	make_call(thread, SYS_mlock2, map.start, map.size, dice_roll(&thread->dice, 2));
	put_map(thread, map);
}

static void move(struct thread *thread)
{
	struct map map = take_map(thread);
	long start;

	if (!map.start)
		return;
	start = make_call(thread, SYS_mremap, map.start, map.size, 65536, MREMAP_MAYMOVE);
	if (start != -1)
		map = (struct map){(char *)start, 65536};
	put_map(thread, map);
}

/* Reads into a mapping or writes from it, perhaps with the file that is mapped there. */
static void use_as_buffer(struct thread *thread)
{
	static const long numbers[] = {SYS_read, SYS_write};
	struct map map = take_map(thread);

	if (!map.start)
		return;
	make_call(thread, dice_pick(&thread->dice, numbers), thread_descriptor(thread), map.start,
		  map.size);
	put_map(thread, map);
}

const struct call memory_calls[] = {
	{"mmap", map_one, 3},
	{"munmap", unmap_one, 1},
	{"touch", touch, 2},
	{"mprotect", protect, 1},
	{"madvise", advise, 1},
	{"mremap", move, 1},
	{"read, write of a map", use_as_buffer, 1},
	{NULL, NULL, 0},
};
