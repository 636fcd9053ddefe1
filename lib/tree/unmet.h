/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where an existing object differs from what a line asks for.
 */
#ifndef IPCFS_UNMET_H
#define IPCFS_UNMET_H

#include "lib/channel/space.h"
#include "lib/tree/line.h"

/* Returns the parameters that can't be changed, or not without loss, as bits 1 << index. */
unsigned unmet_fixed(const struct parameter *parameters);
/* Returns the parameters that change with use, such as a count, as bits 1 << index. */
unsigned unmet_passing(const struct parameter *parameters);

/*
 * Sets *ret_text to "with A=1 B=2, not A=3 B=4", for those of the settings `which` that differ:
 * first what `entry` has, as far as the caller may know, and then what the line says. Sets it to
 * NULL if they agree. The caller frees the text. May take a job. Fails with -ENOMEM.
 */
int unmet_tell(const struct line *line, const struct entry *entry, unsigned which,
	       struct caller *caller, char **ret_text);

#endif
