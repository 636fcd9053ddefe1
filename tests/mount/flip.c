/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Far more is mapped than has memory, so only what has memory is read. The places of the parts
 * follow from the header as lib/base/state.c has it.
 */
#include "tests/mount/flip.h"

#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/state_memory.h"
#include "lib/channel/journal.h"
#include "tests/mount/fixture.h"

enum { PIECE = 4096, JOURNAL_STEPS = offsetof(struct journal, accepted_whole) + 64 };

/* Where a region begins in the file, and how many bytes of it are looked at. */
struct part {
	uint64_t begin, size;
};

static int state_file(pid_t daemon)
{
	char path[64], target[64] = "";
	struct dirent *entry;
	int fd = -1;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", daemon);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while (fd < 0 && (entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		target[n > 0 ? n : 0] = '\0';
		if (strstr(target, "memfd:ipcfs-state"))
			fd = openat(dirfd(dir), entry->d_name, O_RDWR | O_CLOEXEC);
	}
	closedir(dir);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static struct part part_of(const struct state_header *header, int region)
{
	uint64_t tables = (1 + STATE_N_AREAS) * STATE_AREA_SIZE, table = header->table_size;

	if (region == FLIP_HEADER)
		return (struct part){0, sizeof(*header)};
	if (region < FLIP_TABLES) {
		uint64_t area = (uint64_t)(region - FLIP_AREAS);
		uint64_t size = area == STATE_JOURNAL ? JOURNAL_STEPS : STATE_AREA_SIZE;

		return (struct part){(1 + area) * STATE_AREA_SIZE, size};
	}
	if (region < FLIP_HEAP)
		return (struct part){tables + (uint64_t)(region - FLIP_TABLES) * table, table};
	return (struct part){header->size - header->heap_size, header->heap_size};
}

/* Calls with each byte of the part that is not 0. */
static void each_byte(int fd, struct part part, void (*call)(void *data, uint64_t offset),
		      void *data)
{
	off_t at = lseek(fd, (off_t)part.begin, SEEK_DATA);
	uint64_t end = part.begin + part.size;
	unsigned char piece[PIECE];

	while (at >= 0 && (uint64_t)at < end) {
		ssize_t n = must(pread(fd, piece, sizeof(piece), at));

		for (ssize_t i = 0; i < n && (uint64_t)(at + i) < end; i++)
			if (piece[i])
				call(data, (uint64_t)(at + i) - part.begin);
		at = n > 0 ? lseek(fd, at + n, SEEK_DATA) : -1;
	}
}

static void note_last(void *last, uint64_t offset)
{
	*(uint64_t *)last = offset + 1;
}

struct chosen {
	uint64_t offset;
	long n; /* how many there were to choose from */
};

static void choose(void *data, uint64_t offset)
{
	struct chosen *chosen = data;

	if (random() % ++chosen->n == 0)
		chosen->offset = offset;
}

/* Returns whether the region has something. */
static bool find(int fd, struct part part, struct flip *flip)
{
	struct chosen chosen = {0};
	uint64_t last = 0;

	if (flip->region == FLIP_HEAP) {
		each_byte(fd, part, choose, &chosen);
		flip->offset = chosen.offset;
		return chosen.n > 0;
	}
	if (part.size == JOURNAL_STEPS)
		last = part.size; /* it is all zeroes between two requests */
	else
		each_byte(fd, part, note_last, &last);
	if (last > 0)
		flip->offset = (uint64_t)random() % last;
	return last > 0;
}

struct flip flip_one(pid_t daemon)
{
	int fd = state_file(daemon);
	struct state_header header;
	struct flip flip = {.bit = (int)(random() % 8)};
	unsigned char byte;
	off_t place;

	ck_assert_int_eq(must(pread(fd, &header, sizeof(header), 0)), sizeof(header));
	do
		flip.region = (int)(random() % FLIP_REGIONS);
	while (!find(fd, part_of(&header, flip.region), &flip));
	place = (off_t)(part_of(&header, flip.region).begin + flip.offset);
	ck_assert_int_eq(must(pread(fd, &byte, 1, place)), 1);
	byte ^= (unsigned char)(1 << flip.bit);
	ck_assert_int_eq(must(pwrite(fd, &byte, 1, place)), 1);
	close(fd);
	return flip;
}
