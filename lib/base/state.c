// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The memory as a whole: how it is made, found again, and reserved. Far more addresses are mapped
 * than will ever have memory, so that no table and no block is ever moved.
 */
#include "lib/base/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/slots.h"
#include "lib/base/state_memory.h"

#define HEADER_SIZE  ((size_t)65536)
#define TABLES_BEGIN (HEADER_SIZE + STATE_N_AREAS * STATE_AREA_SIZE)

#define TABLE_MAX ((uint64_t)1 << 30)
#define HEAP_MAX  ((uint64_t)16 << 30)
#define HALVINGS  8 /* under a limit of addresses */

/* Private memory is reserved in multiples of this, which is a multiple of the kernel's pages. */
#define PRIVATE_STEP HEADER_SIZE

/* A table is reserved in steps that grow with it. */
#define TABLE_STEP_MIN ((size_t)16 << 10)
#define TABLE_STEP_MAX ((size_t)256 << 10)

static uint64_t whole_size(uint64_t table_size, uint64_t heap_size)
{
	return TABLES_BEGIN + STATE_N_TABLES * table_size + heap_size;
}

static struct state_header *header_of(const struct state *state)
{
	return (void *)state->base;
}

/* Of private memory, what is reserved becomes writable: only that counts as promised memory. */
static int reserve_private(const struct state *state, uint64_t offset, uint64_t size)
{
	uint64_t begin = offset - offset % PRIVATE_STEP;
	uint64_t end = (offset + size + PRIVATE_STEP - 1) / PRIVATE_STEP * PRIVATE_STEP;

	return mprotect(state->base + begin, end - begin, PROT_READ | PROT_WRITE) < 0 ? -ENOMEM : 0;
}

int state_reserve(const struct state *state, uint64_t offset, uint64_t size)
{
	int r;

	if (state->fd < 0)
		return reserve_private(state, offset, size);
	do
		r = fallocate(state->fd, 0, (off_t)offset, (off_t)size);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -ENOMEM : 0;
}

void state_unreserve(const struct state *state, uint64_t offset, uint64_t size)
{
	const int punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	if (state->fd < 0)
		madvise(state->base + offset, size, MADV_DONTNEED);
	else
		fallocate(state->fd, punch, (off_t)offset, (off_t)size);
}

static int map(struct state *state, uint64_t size)
{
	bool is_private = state->fd < 0;
	int flags = is_private ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	int protection = is_private ? PROT_READ : PROT_READ | PROT_WRITE;
	void *base;

	if (size > SIZE_MAX / 2)
		return -ENOMEM;
	base = mmap(NULL, size, protection, flags | MAP_NORESERVE, state->fd, 0);
	if (base == MAP_FAILED)
		return errno == ENOMEM ? -ENOMEM : -EINVAL;
	/* A table that has one record is to cost one small page. */
	madvise(base, size, MADV_NOHUGEPAGE);
	state->base = base;
	state->sizes.size = size;
	return 0;
}

static uint64_t limit_of(int resource)
{
	struct rlimit limit;

	return getrlimit(resource, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX
										  : limit.rlim_cur;
}

/* Maps as many addresses as the process can have, and still have as many for all else. */
static int map_most(struct state *state)
{
	uint64_t most = limit_of(RLIMIT_AS) / 2;

	if (state->fd >= 0 && limit_of(RLIMIT_FSIZE) < most)
		most = limit_of(RLIMIT_FSIZE);
	for (int i = 0; i <= HALVINGS; i++) {
		uint64_t table_size = TABLE_MAX >> i;
		uint64_t heap_size = HEAP_MAX >> i;
		uint64_t size = whole_size(table_size, heap_size);

		if (size > most || map(state, size) < 0)
			continue;
		state->sizes.magic = STATE_MAGIC;
		state->sizes.version = STATE_VERSION;
		state->sizes.n_tables = STATE_N_TABLES;
		state->sizes.table_size = table_size;
		state->sizes.heap_size = heap_size;
		return 0;
	}
	return -ENOMEM;
}

/* Makes the descriptor, whose file nothing can make smaller. */
static int file_make(struct state *state)
{
	state->fd = memfd_create("ipcfs-state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return state->fd < 0 ? -errno : 0;
}

static int file_fill(const struct state *state)
{
	if (ftruncate(state->fd, (off_t)state->sizes.size) < 0 ||
	    fcntl(state->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return -ENOMEM;
	return 0;
}

static int handle_new(struct state **ret_state)
{
	struct state *state = calloc(1, sizeof(*state));

	if (!state)
		return -ENOMEM;
	state->fd = -1;
	*ret_state = state;
	return 0;
}

static int handle_fill(struct state *state)
{
	state->heap = state->base + state->sizes.size - state->sizes.heap_size;
	return state_heap_init(state);
}

static void handle_free(struct state *state)
{
	if (!state)
		return;
	state_heap_fini(state);
	if (state->n_handles && --*state->n_handles > 0)
		state->base = NULL;
	else
		free(state->n_handles);
	if (state->base)
		munmap(state->base, state->sizes.size);
	if (state->fd >= 0)
		close(state->fd);
	free(state);
}

static int new_fill(struct state *state, bool outlives)
{
	int r = outlives ? file_make(state) : 0;

	if (r == 0)
		r = map_most(state);
	if (r == 0 && outlives)
		r = file_fill(state);
	if (r == 0)
		r = state_reserve(state, 0, TABLES_BEGIN);
	if (r == 0)
		r = handle_fill(state);
	if (r == 0 && !outlives) {
		state->n_handles = malloc(sizeof(*state->n_handles));
		r = state->n_handles ? 0 : -ENOMEM;
	}
	if (r < 0)
		return r;
	if (!outlives)
		*state->n_handles = 1;
	*header_of(state) = state->sizes;
	state->is_settled = true;
	return 0;
}

int state_new(bool outlives, struct state **ret_state)
{
	struct state *state;
	int r = handle_new(&state);

	if (r < 0)
		return r;
	r = new_fill(state, outlives);
	if (r < 0)
		handle_free(state);
	else
		*ret_state = state;
	return r;
}

/* Whether the sizes are those of a memory that has as many bytes as the file. */
static bool header_is_sound(const struct state_header *header, uint64_t file_size)
{
	if (header->size != file_size || header->n_tables != STATE_N_TABLES ||
	    header->table_size > TABLE_MAX || header->heap_size > HEAP_MAX ||
	    header->table_size % HEADER_SIZE != 0 || header->heap_size % HEADER_SIZE != 0 ||
	    header->heap_size == 0 ||
	    header->size != whole_size(header->table_size, header->heap_size))
		return false;
	for (int i = 0; i < STATE_N_TABLES; i++) {
		if (header->used[i] > header->table_size / sizeof(struct slot))
			return false;
	}
	return true;
}

static int header_read(int fd, struct state_header *ret_header)
{
	struct state_header header;
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(fd, &st) < 0 ||
	    pread(fd, &header, sizeof(header), 0) != sizeof(header) || header.magic != STATE_MAGIC)
		return -EINVAL;
	if (header.version != STATE_VERSION)
		return -EPROTO;
	if (!header_is_sound(&header, (uint64_t)st.st_size))
		return -EINVAL;
	*ret_header = header;
	return 0;
}

static int open_fill(struct state *state, int fd)
{
	int r = header_read(fd, &state->sizes);

	if (r < 0)
		return r;
	state->fd = fd;
	r = map(state, state->sizes.size);
	return r < 0 ? r : handle_fill(state);
}

int state_open(int fd, struct state **ret_state)
{
	struct state *state;
	int r = handle_new(&state);

	if (r < 0)
		return r;
	r = open_fill(state, fd);
	if (r == 0) {
		*ret_state = state;
		return 0;
	}
	state->fd = -1;
	handle_free(state);
	return r;
}

/* Private memory can't be mapped twice, so the handles share one mapping. */
static int restart_private(const struct state *former, struct state **ret_state)
{
	struct state *state;
	int r = handle_new(&state);

	if (r < 0)
		return r;
	state->base = former->base;
	state->sizes = former->sizes;
	state->n_handles = former->n_handles;
	++*state->n_handles;
	r = handle_fill(state);
	if (r < 0)
		handle_free(state);
	else
		*ret_state = state;
	return r;
}

int state_restart(const struct state *state, struct state **ret_state)
{
	CLEANUP_FD int fd = -1;
	int r;

	if (state->fd < 0)
		return restart_private(state, ret_state);
	fd = fcntl(state->fd, F_DUPFD_CLOEXEC, 0);
	r = fd < 0 ? -ENOMEM : state_open(fd, ret_state);
	if (r == 0)
		(void)TAKE_FD(fd);
	return r;
}

void state_hide(const struct state *state)
{
	madvise(state->base + TABLES_BEGIN, state->sizes.size - TABLES_BEGIN, MADV_DONTFORK);
}

void state_free(struct state *state)
{
	handle_free(state);
}

int state_fd(const struct state *state)
{
	return state->fd;
}

void *state_area(const struct state *state, enum state_area area)
{
	return state->base + HEADER_SIZE + area * STATE_AREA_SIZE;
}

static uint64_t table_offset(const struct state *state, enum state_table table)
{
	return TABLES_BEGIN + table * state->sizes.table_size;
}

void *state_table(const struct state *state, enum state_table table, size_t *ret_size)
{
	*ret_size = state->sizes.table_size;
	return state->base + table_offset(state, table);
}

int state_table_reserve(struct state *state, enum state_table table, size_t size)
{
	size_t reserved = state->reserved[table];
	size_t step = reserved;
	int r;

	if (size <= reserved)
		return 0;
	if (size > state->sizes.table_size)
		return -ENOMEM;
	if (step < TABLE_STEP_MIN)
		step = TABLE_STEP_MIN;
	if (step > TABLE_STEP_MAX)
		step = TABLE_STEP_MAX;
	if (step < size - reserved)
		step = size - reserved;
	if (step > state->sizes.table_size - reserved)
		step = state->sizes.table_size - reserved;
	r = state_reserve(state, table_offset(state, table) + reserved, step);
	if (r == 0)
		state->reserved[table] = reserved + step;
	return r;
}

uint32_t *state_table_used(const struct state *state, enum state_table table)
{
	return &header_of(state)->used[table];
}
