// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * info/ mirrors the kinds, so it is made last and freed first.
 */
#include "lib/tree/root.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/channel/channel.h"
#include "lib/channel/folder.h"
#include "lib/host/configured.h"
#include "lib/info/info.h"
#include "lib/kinds/kinds.h"
#include "lib/tree/ctl.h"
#include "lib/tree/readme.h"
#include "lib/tree/reaper.h"
#include "lib/tree/remote_lines.h"

static size_t count_kinds(void)
{
	size_t n = 0;

	while (kinds[n])
		n++;
	return n;
}

static unsigned count_units(const struct kind *kind)
{
	return kind->ino_bits ? 1U << (kind->ino_bits - INO_UNIT_BITS) : 0;
}

/*
 * Reserves units of inode numbers for a kind whose objects are numbered by the kernel: the same
 * units on every machine.
 */
static void give_numbers(struct space *space, size_t i)
{
	unsigned unit = INO_KINDS;

	if (!kinds[i]->ino_bits)
		return;
	for (size_t j = 0; j < i; j++)
		unit += count_units(kinds[j]);
	assert(unit + count_units(kinds[i]) <= INO_UNITS);
	space->ino_unit = unit;
	space->ino_bits = kinds[i]->ino_bits;
	space->ino_is_cut = kinds[i]->ino_is_cut;
}

/* Opens a kind's space and puts it at its path. */
static int add_kind(struct host *host, struct folder *root, size_t i,
		    void (*missing)(const char *path, int error))
{
	const struct kind *kind = kinds[i];
	struct space *space;
	int r;

	if (kind->is_remote && !host->remote.servers)
		return 0;
	r = kind->open(&space, host);
	if (r < 0) {
		missing(kind->path, r);
		return 0;
	}
	give_numbers(space, i);
	space_last(space);
	for (i = 0; host->spaces[i];)
		i++;
	r = folder_add_at(root, "", kind->path, space);
	if (r == 0)
		host->spaces[i] = space;
	return r;
}

/* Adds a file of the root itself. */
static int add_file(struct folder *root, const char *name,
		    int (*make)(struct space *root, struct channel **ret_channel))
{
	struct entry entry = {0};
	int r = make(folder_space(root), &entry.channel);

	return r < 0 ? r : folder_add(root, name, entry);
}

/* Adds info/, after all kinds have been added. */
static int add_info(struct host *host, struct folder *root)
{
	struct entry entry = {0};
	int r = info_new(host, &entry.space);

	if (r < 0)
		return r;
	host->info = entry.space;
	return folder_add(root, "info", entry);
}

int root_new(struct host *host, void (*missing)(const char *path, int error),
	     struct space **ret_root)
{
	size_t n = count_kinds();
	struct folder *root;
	int r = host->remote.servers ? remote_lines_init(host) : 0;

	if (r < 0)
		return r;
	host->spaces = calloc(n + 1, sizeof(*host->spaces));
	if (!host->spaces)
		return -ENOMEM;
	r = folder_new(host, "", &root);
	if (r < 0)
		return r;
	host->top = folder_space(root);
	configured_adopt(host);
	reapers_adopt(host);
	r = add_file(root, "README", readme_new);
	if (r == 0)
		r = add_file(root, "ctl", ctl_new);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_kind(host, root, i, missing);
	if (r == 0)
		r = add_info(host, root);
	*ret_root = folder_space(root);
	if (r < 0)
		root_free(host, TAKE_PTR(*ret_root));
	return r;
}

void root_free(struct host *host, struct space *root)
{
	reapers_end(host);
	remote_lines_fini(host);
	if (host->info)
		folder_clear(host->info);
	host->info = host->top = NULL;
	if (root)
		folder_clear(root);
	space_unref(root);
	info_end(host);
	free(TAKE_PTR(host->spaces));
}
