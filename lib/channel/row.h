/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What there is to say about one object: values by key, in order, each with its type.
 *
 * Kinds fill in a row (channel_ops::status); lib/info writes it as text, JSON or metrics. No one
 * takes text apart to find a value, so no name or address can be mistaken for a value. Each key
 * occurs once.
 *
 * Adding never fails. If memory runs out, row::error is set, and the rest is left out.
 */
#ifndef IPCFS_ROW_H
#define IPCFS_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum row_type {
	ROW_NUMBER,
	ROW_SIGNED,
	ROW_BYTES, /* how many bytes */
	ROW_TIME,
	ROW_MODE, /* permissions */
	ROW_WORD, /* a word from a fixed set of our own */
	ROW_TEXT, /* chosen by a user: any bytes, quoted wherever they are written */
	ROW_LIST, /* of numbers */
};

struct row_value {
	const char *key; /* a literal */
	enum row_type type;
	union {
		uint64_t number; /* ROW_NUMBER, ROW_BYTES */
		int64_t signed_number;
		struct timespec time;
		mode_t mode;
		const char *word;
		char *text; /* owned */
		struct {
			uint64_t *numbers; /* owned */
			size_t n;
		} list;
	};
};

struct row {
	struct row_value *values;
	size_t n, n_allocated;
	size_t size;   /* memory that the row takes, bytes */
	int error;     /* 0, or -ENOMEM */
	bool is_brief; /* the row is one of many: only what the kernel tells in one call */
	int64_t most;  /* how long channel_measure() may take, nanoseconds; 0: no limit */
	/* channel_measure() has failed: leave out what it would have found. */
	bool has_no_measure;
};

/* Empties the row. A row of all zeroes is empty. */
void row_fini(struct row *row);

/* Keys and words must outlive the row; texts, times and lists are copied. */
void row_add_number(struct row *row, const char *key, uint64_t number);
void row_add_signed(struct row *row, const char *key, int64_t number);
void row_add_bytes(struct row *row, const char *key, uint64_t n);
void row_add_time(struct row *row, const char *key, const struct timespec *time);
void row_add_mode(struct row *row, const char *key, mode_t mode); /* without the file type */
void row_add_word(struct row *row, const char *key, const char *word);
void row_add_text(struct row *row, const char *key, const char *text);
void row_add_list(struct row *row, const char *key, const uint64_t *numbers, size_t n);

/* Replaces the number under the key, which must exist. */
void row_set_number(struct row *row, const char *key, uint64_t number);
/* Removes the value under the key, which must exist. */
void row_remove(struct row *row, const char *key);

/* Returns the value under the key, or NULL if the row has no such key. */
const struct row_value *row_find(const struct row *row, const char *key);

#endif
