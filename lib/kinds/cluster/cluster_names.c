// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One name has one key and one key one name: a key with another escape than ours is refused, or two
 * entries of the bucket would claim the same name.
 */
#include "lib/kinds/cluster/cluster_names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ENTRY_PREFIX "$KV." CLUSTER_BUCKET "."

const char *const cluster_words[CLUSTER_N_SORTS] = {
	[CLUSTER_QUEUES] = "queues",
	[CLUSTER_TOPICS] = "topics",
	[CLUSTER_VALUES] = "values",
};

/* Whether a byte stands for itself. isalnum(3) would ask the locale. */
static bool is_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/* Returns the value of a hex digit as we write it, or -1. */
static int digit_of(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int cluster_key_from_name(const char *name, char ret_key[static CLUSTER_KEY_SIZE])
{
	char key[CLUSTER_KEY_SIZE];
	size_t used = 0;

	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;

		if (used + (is_plain(c) ? 1 : 3) >= sizeof(key))
			return -ENAMETOOLONG;
		if (is_plain(c))
			key[used++] = (char)c;
		else
			used += (size_t)sprintf(key + used, "=%02X", c);
	}
	key[used] = '\0';
	strcpy(ret_key, key);
	return 0;
}

/* Whether a directory can have an entry of this name. */
static bool is_name(const char *name)
{
	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !strchr(name, '/');
}

int cluster_name_from_key(const char *key, char ret_name[static NAME_MAX + 1])
{
	char name[NAME_MAX + 1];
	size_t used = 0;

	if (strlen(key) >= CLUSTER_KEY_SIZE)
		return -EINVAL;
	/* A key is shorter than NAME_MAX, and its name no longer than it. */
	while (*key) {
		unsigned char c = (unsigned char)*key++;

		if (c == '=') {
			int high = digit_of((unsigned char)key[0]);
			int low = high < 0 ? -1 : digit_of((unsigned char)key[1]);

			if (low < 0)
				return -EINVAL;
			c = (unsigned char)(16 * high + low);
			if (!c || is_plain(c))
				return -EINVAL;
			key += 2;
		} else if (!is_plain(c)) {
			return -EINVAL;
		}
		name[used++] = (char)c;
	}
	name[used] = '\0';
	if (!is_name(name))
		return -EINVAL;
	strcpy(ret_name, name);
	return 0;
}

void cluster_stream_name(enum cluster_sort sort, const char *key,
			 char ret_name[static CLUSTER_STREAM_SIZE])
{
	snprintf(ret_name, CLUSTER_STREAM_SIZE, "%sipcfs-%s-%s",
		 sort == CLUSTER_VALUES ? "KV_" : "", cluster_words[sort], key);
}

void cluster_subject(enum cluster_sort sort, const char *key,
		     char ret_subject[static CLUSTER_SUBJECT_SIZE])
{
	if (sort == CLUSTER_VALUES)
		snprintf(ret_subject, CLUSTER_SUBJECT_SIZE, "$KV.ipcfs-values-%s.value", key);
	else
		snprintf(ret_subject, CLUSTER_SUBJECT_SIZE, "ipcfs.%s.%s", cluster_words[sort],
			 key);
}

void cluster_entry_subject(enum cluster_sort sort, const char *key,
			   char ret_subject[static CLUSTER_SUBJECT_SIZE])
{
	snprintf(ret_subject, CLUSTER_SUBJECT_SIZE, ENTRY_PREFIX "%s.%s", cluster_words[sort], key);
}

int cluster_parse_entry_subject(const char *subject, enum cluster_sort *ret_sort,
				char ret_key[static CLUSTER_KEY_SIZE],
				char ret_name[static NAME_MAX + 1])
{
	const char *word, *dot;

	if (strncmp(subject, ENTRY_PREFIX, strlen(ENTRY_PREFIX)) != 0)
		return -EINVAL;
	word = subject + strlen(ENTRY_PREFIX);
	dot = strchr(word, '.');
	for (int sort = 0; dot && sort < CLUSTER_N_SORTS; sort++) {
		size_t n = strlen(cluster_words[sort]);

		if ((size_t)(dot - word) != n || memcmp(word, cluster_words[sort], n) != 0)
			continue;
		if (cluster_name_from_key(dot + 1, ret_name) < 0)
			return -EINVAL;
		strcpy(ret_key, dot + 1);
		*ret_sort = (enum cluster_sort)sort;
		return 0;
	}
	return -EINVAL;
}
