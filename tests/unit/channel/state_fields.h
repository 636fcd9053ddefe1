/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All fields of the records that lie in the state. */
#ifndef IPCFS_STATE_FIELDS_H
#define IPCFS_STATE_FIELDS_H

#include <stddef.h>

struct field {
	const char *record, *name; /* `name` NULL: the record as a whole */
	size_t offset, size, align;
};

/* Each record is followed by its fields, in their order. */
extern const struct field state_fields[];
extern const int n_state_fields;

#endif
