/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What outlives the daemon of a pipe, besides the ends of a FIFO (object_record::fds).
 */
#ifndef IPCFS_PIPE_RECORD_H
#define IPCFS_PIPE_RECORD_H

#include "lib/channel/ending.h"
#include "lib/channel/record.h"
#include "lib/kinds/pipe/store.h"

/* The words of a pipe's record. */
struct pipe_record {
	uint64_t capacity; /* pipe::capacity; 0: the record is not complete */
	uint64_t has_no_end;
	struct store_record store;
	struct ending_record ending; /* of a served pipe */
	uint64_t is_kept, node;      /* of a FIFO */
	uint64_t charged;            /* fifo_hold::charged */
};
_Static_assert(sizeof(struct pipe_record) <= OBJECT_WORDS * sizeof(uint64_t), "OBJECT_WORDS");

struct pipe_record *pipe_record(struct object_record *record);

#endif
