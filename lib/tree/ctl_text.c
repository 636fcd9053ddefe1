// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For an open that also writes, file::rest holds the text until all of it has been read.
 */
#include "lib/tree/ctl_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/record.h"
#include "lib/tree/command.h"
#include "lib/tree/complaints.h"

/* `uid` NULL: without a complaint. */
static int print(const struct host *host, const uid_t *uid, struct remainder *ret_text)
{
	FILE *out;

	*ret_text = (struct remainder){0};
	out = open_memstream(&ret_text->data, &ret_text->size);
	if (!out)
		return -ENOMEM;
	command_help(host, out);
	if (uid)
		complaints_print(host, *uid, out);
	if (fclose(out) != EOF)
		return 0;
	free(TAKE_PTR(ret_text->data));
	return -ENOMEM;
}

size_t ctl_text_size(const struct host *host)
{
	struct remainder text;

	if (print(host, NULL, &text) < 0)
		return 0;
	free(text.data);
	return text.size;
}

int ctl_text_freeze(struct file *file, size_t *ret_size)
{
	struct remainder text;
	int r = print(file->channel->space->host, &file->uid, &text);

	if (r == 0)
		r = file_freeze(file, text.data, text.size);
	if (r == 0)
		*ret_size = text.size;
	return r;
}

ssize_t ctl_text_read(struct file *file, void *data, size_t size)
{
	struct host *host = file->channel->space->host;
	struct remainder *rest = &file->rest, text;
	int r = 0;

	if (file->record->mark)
		return 0;
	if (!rest->data)
		r = print(host, &file->uid, &text);
	file->keeps_text = true;
	if (r == 0 && !rest->data)
		r = file_keep(file, text.data, text.size);
	if (r < 0)
		return r;
	if (size > rest->size - rest->offset)
		size = rest->size - rest->offset;
	memcpy(data, rest->data + rest->offset, size);
	host->journal->size = size;
	STATE_ORDER();
	rest->offset += size;
	file->record->rest_offset = (int64_t)rest->offset;
	if (size == 0) {
		file->record->mark = 1;
		file_keep(file, NULL, 0);
	}
	return (ssize_t)size;
}

void ctl_text_forget(struct file *file)
{
	file->record->mark = 0;
	if (file->rest.data)
		file_keep(file, NULL, 0);
}

uint64_t ctl_text_position(struct file *file)
{
	return (uint64_t)file->record->rest_offset;
}
