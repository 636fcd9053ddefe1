/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a line asks for of an object that exists already, and that it does not have.
 */
#ifndef IPCFS_UNMET_H
#define IPCFS_UNMET_H

#include "lib/channel/space.h"
#include "lib/tree/line.h"

/* Those that can't be changed, or not without loss; and those that use changes, as a count. */
unsigned unmet_fixed(const struct parameter *parameters);
unsigned unmet_passing(const struct parameter *parameters);

/*
 * Gives "with A=1 B=2, not A=3 B=4" for the settings `which` of the line, as far as the caller may
 * know what `entry` has; or NULL, if that is what the line says. The caller frees it. May be a job.
 * -ENOMEM
 */
int unmet_tell(const struct line *line, const struct entry *entry, unsigned which,
	       struct caller *caller, char **ret_text);

#endif
