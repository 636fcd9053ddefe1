// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Of the scratch buffer, the bytes from host::scratch_used up to host::scratch_blank are blank.
 */
#include "lib/channel/blank.h"

#include <string.h>

#include "lib/host/host.h"

void blank_make(struct host *host, size_t size)
{
	size_t used = host->scratch_used < size ? host->scratch_used : size;

	memset(host->scratch, BLANK, used);
	if (host->scratch_blank < size)
		memset(host->scratch + host->scratch_blank, BLANK, size - host->scratch_blank);
	if (host->scratch_blank < size || host->scratch_used > size)
		host->scratch_blank = size;
	host->scratch_used = 0;
}

void blank_used(struct host *host, size_t size)
{
	if (size > host->scratch_used)
		host->scratch_used = size;
}

size_t blank_length(const void *data, size_t size)
{
	const unsigned char *bytes = data;

	while (size > 0 && bytes[size - 1] == BLANK)
		size--;
	return size;
}
