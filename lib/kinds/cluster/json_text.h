/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON that is written for a server, or that may come from anybody. Reading costs no more memory
 * than a small multiple of the text, whatever it says.
 */
#ifndef IPCFS_JSON_TEXT_H
#define IPCFS_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

/* An object that is being written. A failure to get memory shows at the end. */
struct json_text {
	json_object *root; /* NULL: no memory */
};

void json_text_init(struct json_text *text);
/* Each takes what it is given into the object `in`, and does nothing if memory has run out. */
void json_text_add_string(struct json_text *text, json_object *in, const char *key,
			  const char *value);
void json_text_add_number(struct json_text *text, json_object *in, const char *key, int64_t value);
void json_text_add_truth(struct json_text *text, json_object *in, const char *key, bool value);
/* Adds an object and returns it, borrowed. */
json_object *json_text_add_object(struct json_text *text, json_object *in, const char *key);
/* Adds an array with one string. */
void json_text_add_strings(struct json_text *text, json_object *in, const char *key,
			   const char *value);
/* Frees the object, and returns its text: the same for the same calls. NULL: no memory. */
char *json_text_end(struct json_text *text);

/* Reads an object. Fails with -EINVAL if the text is anything else, or with -ENOMEM. */
int json_text_parse(const char *text, size_t size, json_object **ret_object);
/* Returns the member if it is of this type, or NULL. `object` may be NULL. */
json_object *json_text_get(json_object *object, const char *key, enum json_type type);
/*
 * Reads a member that is a number from 0 to `max`, or that is missing: *ret_number is then 0. Fails
 * with -EINVAL.
 */
int json_text_number(json_object *object, const char *key, uint64_t max, uint64_t *ret_number);
/* Returns a string, borrowed, which has no NUL within. NULL: it is missing, or no such string. */
const char *json_text_string(json_object *object, const char *key);

#endif
