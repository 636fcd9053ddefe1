// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The read of a text's first byte may be held. Once that byte is there, the text is read whole.
 */
#include "tests/unit/mirror.h"

#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/tree/root.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

static struct space *tree;
char mirror_text[65536];
bool mirror_was_awaited;

static void tell_missing(const char *path, int error)
{
	ck_abort_msg("no %s: %s", path, error_name(error));
}

struct space *mirror_space(unsigned i)
{
	static const char *const paths[] = {"pipes", "queues", "shm"};
	struct space **space = host.spaces;

	while (*space && strcmp((*space)->kind->path, paths[i]) != 0)
		space++;
	ck_assert_ptr_nonnull(*space);
	return *space;
}

void mirror_make(void)
{
	must(root_new(&host, tell_missing, &tree));
	channel_unref(object_make(mirror_space(0), "p"));
	channel_unref(object_make(mirror_space(1), "q"));
	channel_unref(object_make_set(mirror_space(2), "s", 0, 8192));
}

void mirror_free(void)
{
	must(space_remove(mirror_space(0), "p", &root));
	root_free(&host, tree);
}

int mirror_find_in(struct space *space, const char *name, struct entry *ret_entry)
{
	struct selector selector;

	return space_lookup(space, name, &root, ret_entry, &selector);
}

int mirror_find(const char *path_, struct entry *ret_entry)
{
	CLEANUP_FREE char *path = strdup(path_);
	struct space *space = space_ref(host.info);
	char *rest = NULL;
	int r = 0;

	for (char *name = strtok_r(path, "/", &rest); r == 0 && name;
	     name = strtok_r(NULL, "/", &rest)) {
		ck_assert_ptr_nonnull(space);
		r = mirror_find_in(space, name, ret_entry);
		space_unref(space);
		space = r == 0 && rest && *rest ? ret_entry->space : NULL;
	}
	return r;
}

int mirror_look_as(struct caller *caller, const char *path)
{
	struct entry entry = {0};
	struct held held = {0};
	struct file *file = NULL;
	const void *data = NULL;
	ssize_t n;
	int r;

	must(mirror_find(path, &entry));
	ck_assert_ptr_nonnull(entry.channel);
	r = object_open_as(entry.channel, O_RDONLY, caller, &file);
	channel_unref(entry.channel);
	if (r < 0)
		return r;
	mirror_was_awaited = file_try_read(file, 1) == -EAGAIN;
	if (mirror_was_awaited) {
		held_read(&held, file, 1);
		held_wait(&held);
	}
	n = must(channel_read(file, sizeof(mirror_text) - 1, 0, &data));
	if (n > 0)
		memcpy(mirror_text, data, (size_t)n);
	mirror_text[n] = '\0';
	channel_release(file);
	return 0;
}

void mirror_look(const char *path)
{
	must(mirror_look_as(&root, path));
}

void mirror_expect(const char *line)
{
	const char *found = strstr(mirror_text, line);
	size_t length = strlen(line);

	while (found && ((found != mirror_text && found[-1] != '\n') || found[length] != '\n'))
		found = strstr(found + 1, line);
	ck_assert_msg(found, "no line '%s' in:\n%s", line, mirror_text);
}

void mirror_expect_no(const char *text)
{
	ck_assert_msg(!strstr(mirror_text, text), "'%s' in:\n%s", text, mirror_text);
}
