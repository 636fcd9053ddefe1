/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What there is to tell of one object: values by key, in order, each with its type.
 *
 * Kinds fill a row (channel_ops::status); lib/info writes it as text, JSON or metrics. Nobody takes
 * text apart to find a value, so no name or address can pass for one. A key is there once.
 *
 * Adding does not fail: without memory row::error says so at the end, and the rest is left out.
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
	ROW_BYTES, /* a number of them */
	ROW_TIME,
	ROW_MODE, /* permissions */
	ROW_WORD, /* one of a fixed set of ours */
	ROW_TEXT, /* what a user chose: any bytes, to be quoted wherever it is written */
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
			unsigned short *numbers; /* owned */
			size_t n;
		} list;
	};
};

struct row {
	struct row_value *values;
	size_t n, n_allocated;
	size_t size;         /* of all this, bytes of memory */
	int error;           /* 0, or -ENOMEM */
	bool is_brief;       /* one of many: only what the kernel tells in one call */
	int64_t most;        /* how long channel_measure() may take, nanoseconds; 0: for ever */
	bool has_no_measure; /* that has failed: without what it would have found */
};

/* Empties the row; one that is all zeroes is empty. */
void row_fini(struct row *row);

/* Keys and words have to outlive the row; texts, times and lists are copied. */
void row_add_number(struct row *row, const char *key, uint64_t number);
void row_add_signed(struct row *row, const char *key, int64_t number);
void row_add_bytes(struct row *row, const char *key, uint64_t n);
void row_add_time(struct row *row, const char *key, const struct timespec *time);
void row_add_mode(struct row *row, const char *key, mode_t mode); /* without its type */
void row_add_word(struct row *row, const char *key, const char *word);
void row_add_text(struct row *row, const char *key, const char *text);
void row_add_list(struct row *row, const char *key, const unsigned short *numbers, size_t n);

/* Of a number that is there: another one; and takes a value out. */
void row_set_number(struct row *row, const char *key, uint64_t number);
void row_remove(struct row *row, const char *key);

/* NULL: the row has no such key. */
const struct row_value *row_find(const struct row *row, const char *key);

#endif
