// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What owners of kept FIFOs are charged for: the daemon's descriptors and watches, and the capacity
 * of the pipes, as the kernel would count it against them (pipe(7), pipe-user-pages-soft).
 */
#include "lib/kinds/pipe/hold.h"

#include <errno.h>
#include <utlist.h>

#include "lib/kinds/pipe/keeper.h"

#define SIZE_NATIVE 65536 /* capacity that pipe(2) gives, bytes */
#define SIZE_LEAST  8192  /* PIPE_MIN_DEF_BUFFERS, linux/fs/pipe.c */

#define N_DESCRIPTORS 2
#define MANY          256 /* holds of a user; with more, they rest only briefly */

static struct user_table *users_of(const struct fifo_hold *hold)
{
	return &hold->keeper->host->users;
}

static bool has_one_of(struct fifo_hold *list, uid_t uid)
{
	struct fifo_hold *hold;

	DL_FOREACH(list, hold) {
		if (hold->uid == uid)
			return true;
	}
	return false;
}

int hold_room(struct fifo_hold *hold)
{
	struct keeper *keeper = hold->keeper;

	if (user_has_room(users_of(hold), hold->uid, USER_DESCRIPTORS, N_DESCRIPTORS) &&
	    user_has_room(users_of(hold), hold->uid, USER_WATCHES, 1))
		return 0;
	keeper_press(keeper, hold->uid);
	if (has_one_of(keeper->resting, hold->uid) || has_one_of(keeper->brief, hold->uid) ||
	    has_one_of(keeper->doomed, hold->uid) || has_one_of(keeper->leaving, hold->uid) ||
	    has_one_of(keeper->waiting, hold->uid))
		return -EBUSY;
	return -ENFILE;
}

bool hold_has_many(const struct fifo_hold *hold)
{
	return user_charged(users_of(hold), hold->uid, USER_WATCHES) > MANY;
}

size_t hold_size(const struct fifo_hold *hold, size_t wanted)
{
	struct user_table *users = users_of(hold);
	size_t most = hold->keeper->size_soft / 2;

	if (wanted > SIZE_NATIVE && user_charged(users, hold->uid, USER_STORED) + wanted > most &&
	    most)
		wanted = SIZE_NATIVE;
	return user_has_room(users, hold->uid, USER_STORED, wanted) ? wanted : SIZE_LEAST;
}

bool hold_may_resize(const struct fifo_hold *hold, size_t size)
{
	struct user_table *users = users_of(hold);
	size_t others = user_charged(users, hold->uid, USER_STORED) - hold->charged;
	size_t most = hold->keeper->size_soft / 2;

	if (size <= hold->charged)
		return true;
	return (size <= SIZE_NATIVE || !most || others + size <= most) &&
	       user_has_room(users, hold->uid, USER_STORED, size - hold->charged);
}

void hold_resized(struct fifo_hold *hold, size_t size)
{
	user_uncharge(users_of(hold), hold->uid, USER_STORED, hold->charged);
	hold->charged = user_charge(users_of(hold), hold->uid, USER_STORED, size) == 0 ? size : 0;
}

int hold_charge(struct fifo_hold *hold, size_t size)
{
	struct user_table *users = users_of(hold);
	int r = user_charge(users, hold->uid, USER_DESCRIPTORS, N_DESCRIPTORS);

	if (r < 0)
		return r;
	r = user_charge(users, hold->uid, USER_WATCHES, 1);
	if (r < 0)
		user_uncharge(users, hold->uid, USER_DESCRIPTORS, N_DESCRIPTORS);
	else
		hold_resized(hold, size);
	return r;
}

void hold_uncharge(struct fifo_hold *hold)
{
	user_uncharge(users_of(hold), hold->uid, USER_DESCRIPTORS, N_DESCRIPTORS);
	user_uncharge(users_of(hold), hold->uid, USER_WATCHES, 1);
}

/*
 * A pipe that was let go while it was in use may still hold as many bytes as before, so its owner
 * stays charged until the kernel has forgotten the FIFO. A pipe that nobody used has been shrunk.
 */
void hold_ask_gone(struct fifo_hold *hold)
{
	if (hold->is_ended && hold->channel->inode) {
		keeper_place(hold, HOLD_GONE);
		return;
	}
	hold_resized(hold, 0);
	keeper_place(hold, HOLD_NOWHERE);
}
