/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be set on an object besides its owner and mode: `capacity=1M`, `maxmsg=100`.
 *
 * A kind lists its parameters in a table. Settings are values for some of them, by index there.
 */
#ifndef IPCFS_SETTINGS_H
#define IPCFS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETTINGS_MAX 8

enum parameter_type {
	PARAMETER_SIZE,   /* bytes: a number, with K, M or G after it for powers of 1024 */
	PARAMETER_NUMBER, /* a number */
	PARAMETER_AMOUNT, /* a number; or a size if K, M or G follows: PARAMETER_IS_SIZE */
	PARAMETER_WORD,   /* one of parameter::words, as its index */
	PARAMETER_TEXT,   /* any non-empty text, in settings::texts */
};

/* In a value of PARAMETER_AMOUNT: the rest is a size in bytes. */
#define PARAMETER_IS_SIZE ((uint64_t)1 << 63)

struct parameter {
	const char *name; /* NULL ends the table */
	enum parameter_type type;
	bool is_fixed;   /* can be given only when the object is made */
	bool is_initial; /* changing it may lose data: a configuration does not change it */
	bool is_passing; /* changes with use: an object that is not new may well differ */
	uint64_t min, max;
	const char *const *words; /* NULL at the end */
	const char *told_as;      /* its key in a status; NULL: its name */
	/* Of a status that is a text: whether what was asked for means the same. */
	bool (*is_same)(const char *asked, const char *told); /* NULL: only if they are equal */
};

struct settings {
	uint64_t values[SETTINGS_MAX];
	const char *texts[SETTINGS_MAX]; /* borrowed */
	unsigned given;                  /* bit N: values[N], or texts[N] */
};

/* Whether parameter `index` is given. `settings` may be NULL. */
static inline bool settings_has(const struct settings *settings, unsigned index)
{
	return settings && (settings->given & (1U << index));
}

/* Returns the parameter of that name, or NULL. `parameters` may be NULL. */
const struct parameter *parameter_find(const struct parameter *parameters, const char *name);

/*
 * Reads a value. Fails with -EINVAL if the text is not of the parameter's form, or with -ERANGE if
 * the value is out of the parameter's bounds.
 */
int parameter_parse(const struct parameter *parameter, const char *text, uint64_t *ret_value);

/* Writes why parameter_parse() refused a value with `error`. */
void parameter_complain(const struct parameter *parameter, int error, char *ret_text, size_t size);

#endif
