/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a daemon that is killed, and the next daemon, both in the test's process.
 *
 * A test opens its kinds with adopt_open() before it makes objects, uses them, and calls
 * adopt_restart(). What it had from before is the former daemon's then: it may be looked at, but
 * not used, nor released. adopted_file() and adopted_channel() give what the next daemon has.
 */
#ifndef TESTS_UNIT_ADOPT_H
#define TESTS_UNIT_ADOPT_H

#include "lib/channel/channel.h"
#include "lib/channel/journal.h"
#include "lib/channel/record.h"

/* Opens the kind's space as fixture_open() does, and enters it in host.spaces. */
struct space *adopt_open(const struct kind *kind);
/* The same space, in the next daemon. */
struct space *adopted_space(const struct kind *kind);

/*
 * Tells that a descriptor is the test's own. Any other descriptor that was opened after the first
 * adopt_open(), and that no record names, is closed when the daemon has been killed.
 */
void adopt_own(int fd);

/*
 * Has the state outlive processes, so that a forked one can change it, and be killed. To be called
 * before anything is opened.
 */
void adopt_share(void);

/* The kernel sends this request again to the next daemon. */
void adopt_again(uint64_t request);

/*
 * The daemon has been killed, and the next one has adopted what it left. `loop`, `host_state` and
 * `host` are the next one's. Ends the threads of the former one first.
 */
void adopt_restart(void);

/* Called in the next daemon before it adopts any object. NULL: nothing to do. */
extern void (*adopt_prepare)(void);

/*
 * Forks a daemon that calls serve(data), and kills it when has_changed() has been true `most`
 * times: it is asked after each instruction. Returns how often it was. After adopt_share().
 */
long adopt_kill(void (*serve)(void *data), void *data, bool (*has_changed)(void), long most);

/* How many objects could not be adopted the last time, and why the last of them could not. */
extern unsigned adopt_n_lost;
extern int adopt_error;

/* The file in the next daemon, which the test has to close; NULL: it is lost. */
struct file *adopted_file(const struct file *former);
/* The channel in the next daemon, borrowed; NULL: it is lost, or has gone. */
struct channel *adopted_channel(const struct channel *former);

#endif
