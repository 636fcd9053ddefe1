// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The bytes lie in a block of the state, which belongs to the file's record while file_record::rest
 * names it.
 */
#include "lib/channel/file_rest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/channel/attributes.h"
#include "lib/channel/blank.h"
#include "lib/channel/channel.h"
#include "lib/channel/journal.h"
#include "lib/channel/record.h"

/* The rest of a message is in a block of the state, or in malloc()'s memory if there was none. */
static void rest_free(struct host *host, char *data, size_t size)
{
	if (state_offset(host->state, data))
		state_release(host->state, data, size ? size : 1);
	else
		free(data);
}

/* Writes the rest into the file's record. It belongs to the record while `rest` is not 0. */
static void note_rest(struct file *file)
{
	struct file_record *record = file->record;

	record->rest = 0;
	STATE_ORDER();
	record->rest_size = (uint32_t)file->rest.size;
	record->rest_offset = (int64_t)file->rest.offset;
	record->is_frozen = file->is_frozen;
	STATE_ORDER();
	record->rest = state_offset(file->channel->space->host->state, file->rest.data);
}

void rest_drop(struct file *file)
{
	if (!file->rest.data)
		return;
	file->record->rest = 0;
	STATE_ORDER();
	user_uncharge(&file->channel->space->host->users, file->uid, USER_BYTES, file->rest.size);
	rest_free(file->channel->space->host, file->rest.data, file->rest.size);
	file->rest = (struct remainder){0};
}

/* Takes over the rest that the record has. */
void rest_adopt(struct file *file)
{
	struct host *host = file->channel->space->host;
	const struct file_record *record = file->record;
	char *data;

	if (!record->rest ||
	    (!record->is_frozen && (uint64_t)record->rest_offset > record->rest_size))
		return;
	data = state_claim(host->state, record->rest, record->rest_size ? record->rest_size : 1);
	if (!data)
		return;
	user_charge(&host->users, file->uid, USER_BYTES, record->rest_size);
	file->is_frozen = record->is_frozen;
	file->rest = (struct remainder){.data = data, .size = record->rest_size};
	file->rest.made = record->rest_offset; /* or how much of it was read */
}

/* Gives the file a copy of these bytes, which have been charged. */
static int rest_set(struct file *file, const char *data, size_t size)
{
	struct host *host = file->channel->space->host;
	char *block = state_alloc(host->state, size ? size : 1);

	if (!block)
		return -ENOMEM;
	memcpy(block, data, size);
	file->rest = (struct remainder){.data = block, .size = size};
	note_rest(file);
	return 0;
}

int file_keep(struct file *file, char *content, size_t size)
{
	struct user_table *users = &file->channel->space->host->users;
	int r = user_charge(users, file->uid, USER_BYTES, size);

	rest_drop(file);
	if (r == 0 && content)
		r = rest_set(file, content, size);
	if (r == -ENOMEM)
		user_uncharge(users, file->uid, USER_BYTES, size);
	free(content);
	return r;
}

void file_return(struct file *file, const char *data, size_t size)
{
	struct user_table *users = &file->channel->space->host->users;

	/* Of a text that the kind reads itself, the bytes are still there. */
	if (file->keeps_text && file->rest.data && file->rest.offset >= size) {
		file->rest.offset -= size;
		file->record->rest_offset = (int64_t)file->rest.offset;
		return;
	}
	rest_drop(file);
	if (user_charge(users, file->uid, USER_BYTES, size) == 0)
		rest_set(file, data, size);
}

int file_freeze(struct file *file, char *content, size_t size)
{
	int r = file_keep(file, content, size);
	struct timespec now;

	if (r < 0)
		return r;
	attributes_touch(&now);
	file->is_frozen = true;
	file->rest.made = now.tv_sec * CLOCK_S + now.tv_nsec;
	note_rest(file);
	return 0;
}

/* The reader has what it took of the rest of a message, or will never ask for it again. */
void rest_end(struct file *file)
{
	if (!file->rest.data || file->is_frozen || file->keeps_text)
		return;
	file->record->rest_offset = (int64_t)file->rest.offset;
	if (file->is_rest_read)
		rest_drop(file);
	file->is_rest_read = false;
}

void file_take_rest(struct file *file, size_t offset, size_t size)
{
	struct remainder *rest = &file->rest;

	if (!rest->data || file->is_frozen || file->keeps_text || rest->offset != offset ||
	    size > rest->size - offset)
		return;
	rest->offset += size;
	file->is_rest_read = rest->offset == rest->size;
	rest_end(file);
}

/* Gives the next bytes of a message that was longer than the read that took it. */
ssize_t rest_read(struct file *file, size_t size, const void **ret_data)
{
	struct remainder *rest = &file->rest;
	struct host *host = file->channel->space->host;
	size_t n = rest->size - rest->offset;

	if (n > size)
		n = size;
	journal_read(file, host->journal->request, JOURNAL_REST, n, size);
	memcpy(host->scratch, rest->data + rest->offset, n);
	blank_used(host, n);
	*ret_data = host->scratch;
	rest->offset += n;
	file->is_rest_read = rest->offset == rest->size;
	return (ssize_t)n;
}

ssize_t rest_read_frozen(const struct file *file, size_t size, off_t offset, const void **ret_data)
{
	const struct remainder *text = &file->rest;

	if ((uint64_t)offset >= text->size)
		return 0;
	*ret_data = text->data + offset;
	return (ssize_t)(size < text->size - (size_t)offset ? size : text->size - (size_t)offset);
}

/* Keeps what the message has beyond `size` bytes, in memory reserved before it was taken. */
void rest_keep(struct file *file, size_t size, size_t message_size)
{
	struct host *host = file->channel->space->host;
	size_t rest_size = message_size - size;
	char *rest, *fitting;

	if (rest_set(file, host->scratch + size, rest_size) == 0)
		return;
	rest = TAKE_PTR(host->spare);
	memcpy(rest, host->scratch + size, rest_size);
	fitting = realloc(rest, rest_size);
	file->rest = (struct remainder){.data = fitting ? fitting : rest, .size = rest_size};
}
