// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The entry of an object: JSON, so that a person can read it too: nats kv get ipcfs queues.jobs.
 * Members that nobody knows here are passed over, as a newer daemon may have written them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/kinds/cluster/api_answer.h"

#define PERMISSIONS 0777U

static const struct {
	const char *key;
	size_t offset;
	uint64_t max;
} members[] = {
	{"maxmsg", offsetof(struct cluster_settings, maxmsg), INT64_MAX},
	{"maxbytes", offsetof(struct cluster_settings, maxbytes), INT64_MAX},
	{"msgsize", offsetof(struct cluster_settings, msgsize), INT32_MAX},
	{"replicas", offsetof(struct cluster_settings, replicas), CLUSTER_REPLICAS_MAX},
	{"ack_wait", offsetof(struct cluster_settings, ack_wait), INT64_MAX},
	{"history", offsetof(struct cluster_settings, history), CLUSTER_HISTORY_MAX},
	{"keep", offsetof(struct cluster_settings, keep), INT64_MAX},
	{"keep_bytes", offsetof(struct cluster_settings, keep_bytes), INT64_MAX},
};
#define N_MEMBERS (sizeof(members) / sizeof(*members))

static uint64_t *setting_at(struct cluster_settings *settings, size_t i)
{
	return (uint64_t *)(void *)((char *)settings + members[i].offset);
}

char *api_entry_text(const struct cluster_entry *entry)
{
	struct cluster_settings settings = entry->settings;
	struct json_text text;
	char mode[8];

	snprintf(mode, sizeof(mode), "%04o", entry->mode & PERMISSIONS);
	json_text_init(&text);
	json_text_add_string(&text, text.root, "owner", entry->owner);
	json_text_add_string(&text, text.root, "group", entry->group);
	json_text_add_string(&text, text.root, "mode", mode);
	json_text_add_number(&text, text.root, "created", entry->created);
	if (entry->is_removing)
		json_text_add_number(&text, text.root, "removing", 1);
	for (size_t i = 0; i < N_MEMBERS; i++) {
		uint64_t setting = *setting_at(&settings, i);

		if (setting)
			json_text_add_number(&text, text.root, members[i].key, (int64_t)setting);
	}
	return json_text_end(&text);
}

/* A name that the accounts of a machine can have: no colon, no control characters. */
static int account_read(json_object *object, const char *key, char ret_name[static 64])
{
	const char *name = json_text_string(object, key);
	size_t n = name ? strlen(name) : 0;

	if (n == 0 || n >= 64)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)name[i] <= ' ' || name[i] == 0x7f || name[i] == ':')
			return -EINVAL;
	memcpy(ret_name, name, n + 1);
	return 0;
}

/* Octal digits, as chmod(1) takes them. */
static int mode_read(json_object *object, unsigned *ret_mode)
{
	const char *text = json_text_string(object, "mode");
	size_t n = text ? strlen(text) : 0;
	unsigned mode = 0;

	if (n == 0 || n > 4 || strspn(text, "01234567") != n)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		mode = 8 * mode + (unsigned)(text[i] - '0');
	if (mode > PERMISSIONS)
		return -EINVAL;
	*ret_mode = mode;
	return 0;
}

static int entry_read(json_object *object, struct cluster_entry *entry)
{
	uint64_t created, removing = 0;

	if (account_read(object, "owner", entry->owner) < 0 ||
	    account_read(object, "group", entry->group) < 0 ||
	    mode_read(object, &entry->mode) < 0 ||
	    json_text_number(object, "created", INT64_MAX, &created) < 0 ||
	    json_text_number(object, "removing", 1, &removing) < 0)
		return -EINVAL;
	entry->created = (int64_t)created;
	entry->is_removing = removing;
	for (size_t i = 0; i < N_MEMBERS; i++)
		if (json_text_number(object, members[i].key, members[i].max,
				     setting_at(&entry->settings, i)) < 0)
			return -EINVAL;
	return 0;
}

int api_read_entry(const char *text, size_t size, struct cluster_entry *ret_entry)
{
	CLEANUP_JSON json_object *object = NULL;
	struct cluster_entry entry = {0};
	int r = json_text_parse(text, size, &object);

	if (r == 0)
		r = entry_read(object, &entry);
	if (r == 0)
		*ret_entry = entry;
	return r;
}
