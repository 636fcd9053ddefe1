/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A call that may have to wait is repeated in loop_wait_for(), so a test sees only the result.
 */
#include "tests/unit/objects.h"

#include <sys/stat.h>

#include "lib/info/info_row.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"

static const char zeroes[65536];

int object_create(struct space *space, const char *name, mode_t mode, struct caller *caller,
		  struct channel **ret_channel)
{
	return object_create_set(space, name, mode, NULL, caller, ret_channel);
}

struct creation {
	struct space *space;
	const char *name;
	mode_t mode;
	const struct settings *settings;
	struct caller *caller;
	struct channel **ret_channel;
};

static int try_to_create(void *data)
{
	struct creation *creation = data;
	struct selector selector;
	struct entry entry;
	int r = space_create(creation->space, creation->name, creation->mode, creation->settings,
			     creation->caller, &entry, &selector);

	if (r == 0)
		*creation->ret_channel = entry.channel;
	return r;
}

int object_create_set(struct space *space, const char *name, mode_t mode,
		      const struct settings *settings, struct caller *caller,
		      struct channel **ret_channel)
{
	struct creation creation = {space, name, mode, settings, caller, ret_channel};

	return loop_wait_for(caller, try_to_create, &creation);
}

int object_lookup(struct space *space, const char *name, struct channel **ret_channel)
{
	struct entry entry;
	struct selector selector;
	int r = space_lookup(space, name, &root, &entry, &selector);

	if (r < 0)
		return r;
	ck_assert_ptr_null(entry.space);
	if (ret_channel)
		*ret_channel = entry.channel;
	else
		channel_unref(entry.channel);
	return 0;
}

struct channel *object_make(struct space *space, const char *name)
{
	struct channel *channel = NULL;

	must(object_create(space, name, S_IFREG | 0600, &root, &channel));
	return channel;
}

struct channel *object_make_set(struct space *space, const char *name, unsigned index,
				uint64_t value)
{
	struct settings settings = {.given = 1U << index};
	struct channel *channel = NULL;

	settings.values[index] = value;
	must(object_create_set(space, name, S_IFREG | 0600, &settings, &root, &channel));
	return channel;
}

struct channel *object_find(struct space *space, const char *name)
{
	struct channel *channel = NULL;

	must(object_lookup(space, name, &channel));
	return channel;
}

int object_open_as(struct channel *channel, int flags, struct caller *caller,
		   struct file **ret_file)
{
	const struct selector none = {0};

	return channel_open(channel, flags, &none, caller, ret_file);
}

struct file *object_open(struct channel *channel, int flags)
{
	struct file *file = NULL;

	must(object_open_as(channel, flags, &root, &file));
	return file;
}

struct file *object_open_selected(struct channel *channel, int flags, unsigned long selector)
{
	const struct selector selected = {.is_set = true, .value = selector};
	struct file *file = NULL;

	must(channel_open(channel, flags, &selected, &root, &file));
	return file;
}

struct file *object_make_open(struct space *space, const char *name, int flags)
{
	struct channel *channel = object_make(space, name);
	struct file *file = object_open(channel, flags);

	channel_unref(channel);
	return file;
}

struct stat object_stat(struct channel *channel)
{
	struct stat attr;

	must(channel_stat(channel, &attr));
	return attr;
}

const char *object_status(struct channel *channel, struct caller *caller)
{
	static char text[1024];
	FILE *out = fmemopen(text, sizeof(text), "w");
	struct row row = {0};

	ck_assert_ptr_nonnull(out);
	text[0] = '\0';
	channel_status(channel, caller, &row);
	must(row.error);
	must(info_print_row(&row, out));
	row_fini(&row);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

int object_chmod(struct channel *channel, mode_t mode, struct caller *caller)
{
	const struct stat attr = {.st_mode = mode};

	return channel_change(channel, NULL, &attr, CHANGE_MODE, caller);
}

struct truncation {
	struct channel *channel;
	off_t size;
	struct caller *caller;
};

static int try_to_truncate(void *data)
{
	const struct truncation *truncation = data;
	const struct stat attr = {.st_size = truncation->size};

	return channel_change(truncation->channel, NULL, &attr, CHANGE_SIZE, truncation->caller);
}

int object_truncate(struct channel *channel, off_t size, struct caller *caller)
{
	struct truncation truncation = {channel, size, caller};

	return loop_wait_for(caller, try_to_truncate, &truncation);
}

ssize_t file_try_read(struct file *file, size_t size)
{
	const void *data;

	return channel_read(file, size, 0, &data);
}

void file_put(struct file *file, const char *text)
{
	ck_assert_int_eq(must(channel_write(file, text, strlen(text), 0)), strlen(text));
}

void file_expect(struct file *file, size_t size, const char *text)
{
	const void *data = NULL;
	ssize_t n = must(channel_read(file, size, 0, &data));

	ck_assert_msg((size_t)n == strlen(text), "read %zd bytes, not '%s'", n, text);
	ck_assert_mem_eq(data, text, (size_t)n);
	channel_given(file, true);
}

size_t file_fill(struct file *file, size_t size)
{
	size_t total = 0;
	ssize_t n;

	ck_assert_uint_le(size, sizeof(zeroes));
	while ((n = channel_write(file, zeroes, size, 0)) != -EAGAIN)
		total += (size_t)must(n);
	return total;
}

static bool count_entry(void *data, const char *name, ino_t ino, mode_t mode)
{
	++*(int *)data;
	return true;
}

int space_count(struct space *space)
{
	int n = 0;

	must(space_list(space, &root, count_entry, &n));
	return n;
}

struct search {
	const char *name;
	int n;
	ino_t ino;
	mode_t mode;
};

static bool search_entry(void *data, const char *name, ino_t ino, mode_t mode)
{
	struct search *search = data;

	if (strcmp(name, search->name) == 0) {
		search->n++;
		search->ino = ino;
		search->mode = mode;
	}
	return true;
}

int space_list_find(struct space *space, const char *name, ino_t *ret_ino, mode_t *ret_mode)
{
	struct search search = {.name = name};

	must(space_list(space, &root, search_entry, &search));
	*ret_ino = search.ino;
	*ret_mode = search.mode;
	return search.n;
}
