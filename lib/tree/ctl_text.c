// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For an open that also writes, file::rest holds the text until all of it has been read.
 */
#include "lib/tree/ctl_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/tree/command.h"

static int print(const struct host *host, const struct complaints *complaints, uid_t uid,
		 struct remainder *ret_text)
{
	FILE *out;

	*ret_text = (struct remainder){0};
	out = open_memstream(&ret_text->data, &ret_text->size);
	if (!out)
		return -ENOMEM;
	command_help(host, out);
	complaints_print(complaints, uid, out);
	if (fclose(out) != EOF)
		return 0;
	free(TAKE_PTR(ret_text->data));
	return -ENOMEM;
}

size_t ctl_text_size(const struct host *host)
{
	const struct complaints none = {0};
	struct remainder text;

	if (print(host, &none, 0, &text) < 0)
		return 0;
	free(text.data);
	return text.size;
}

int ctl_text_freeze(struct file *file, const struct complaints *complaints, size_t *ret_size)
{
	struct remainder text;
	int r = print(file->channel->space->host, complaints, file->uid, &text);

	if (r == 0)
		r = file_freeze(file, text.data, text.size);
	if (r == 0)
		*ret_size = text.size;
	return r;
}

ssize_t ctl_text_read(struct file *file, const struct complaints *complaints, void *data,
		      size_t size)
{
	struct remainder *rest = &file->rest, text;
	int r = 0;

	if (file->mark)
		return 0;
	if (!rest->data)
		r = print(file->channel->space->host, complaints, file->uid, &text);
	file->keeps_text = true;
	if (r == 0 && !rest->data)
		r = file_keep(file, text.data, text.size);
	if (r < 0)
		return r;
	if (size > rest->size - rest->offset)
		size = rest->size - rest->offset;
	memcpy(data, rest->data + rest->offset, size);
	rest->offset += size;
	if (size == 0) {
		file->mark = 1;
		file_keep(file, NULL, 0);
	}
	return (ssize_t)size;
}

void ctl_text_forget(struct file *file)
{
	file->mark = 0;
	if (file->rest.data)
		file_keep(file, NULL, 0);
}
