// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The groups are a block of the state, which belongs to the record while that names its offset.
 */
#include "lib/channel/opener.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/channel/record.h"

/* The words of the record. */
enum {
	CAPABILITIES,
	GROUPS, /* the offset of the block; 0: no groups */
	PROCESS /* the process, and above it, COMPLETE and the number of groups */
};

#define N_GROUPS_SHIFT 33
#define COMPLETE       ((uint64_t)1 << 32)

_Static_assert(PROCESS + 1 == OPENER_WORDS && OPENER_WORDS <= FILE_WORDS, "words of a file");

static int move_groups(struct file *file, struct caller *opener)
{
	struct host *host = file->channel->space->host;
	size_t size = caller_groups_size(opener);
	gid_t *block;
	int r;

	if (size == 0)
		return 0;
	r = user_charge(&host->users, file->uid, USER_BYTES, size);
	if (r < 0)
		return r;
	block = state_alloc(host->state, size);
	if (!block) {
		user_uncharge(&host->users, file->uid, USER_BYTES, size);
		return -ENOMEM;
	}
	memcpy(block, opener->groups, size);
	free(opener->groups);
	opener->groups = block;
	return 0;
}

int opener_keep(struct file *file, struct caller *opener)
{
	uint64_t *words = file->record->words;
	int r = move_groups(file, opener);

	if (r < 0) {
		caller_fini(opener);
		return r;
	}
	words[CAPABILITIES] = opener->capabilities;
	words[GROUPS] = opener->n_groups
				? state_offset(file->channel->space->host->state, opener->groups)
				: 0;
	STATE_ORDER();
	words[PROCESS] =
		(uint64_t)opener->n_groups << N_GROUPS_SHIFT | COMPLETE | (uint32_t)opener->pid;
	return 0;
}

int opener_adopt(struct file *file, struct caller *ret_opener)
{
	struct host *host = file->channel->space->host;
	const uint64_t *words = file->record->words;
	uint64_t n_groups = words[PROCESS] >> N_GROUPS_SHIFT;

	if (!(words[PROCESS] & COMPLETE) || n_groups > NGROUPS_MAX || !words[GROUPS] != !n_groups)
		return -EPROTO;
	*ret_opener = (struct caller){
		.uid = file->uid,
		.gid = file->gid,
		.pid = (pid_t)(uint32_t)words[PROCESS],
		.is_loaded = true,
		.umask = CALLER_UMASK,
		.n_groups = (int)n_groups,
		.capabilities = words[CAPABILITIES] & caller_permitted(),
	};
	if (n_groups == 0)
		return 0;
	ret_opener->groups =
		state_claim(host->state, words[GROUPS], caller_groups_size(ret_opener));
	if (!ret_opener->groups)
		return -EPROTO;
	user_charge(&host->users, file->uid, USER_BYTES, caller_groups_size(ret_opener));
	return 0;
}

void opener_forget(struct file *file, struct caller *opener)
{
	struct host *host = file->channel->space->host;
	size_t size = caller_groups_size(opener);

	if (size > 0) {
		file->record->words[GROUPS] = 0;
		STATE_ORDER();
		state_release(host->state, opener->groups, size);
		user_uncharge(&host->users, file->uid, USER_BYTES, size);
	}
	opener->groups = NULL;
	opener->n_groups = 0;
	caller_fini(opener);
}
