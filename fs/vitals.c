// SPDX-License-Identifier: GPL-2.0-or-later
/* Each kind knows how many objects it has without listing them. */
#include "fs/vitals.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "fs/session.h"

static uint64_t count_channels(const struct host *host, struct caller *caller)
{
	uint64_t n = 0;

	for (struct space *const *space = host->spaces; *space; space++)
		n += space_count_objects(*space, caller);
	return n;
}

void vitals_text(const struct session *session, struct caller *caller,
		 char text[static VITALS_SIZE])
{
	const struct features *features = &session->host.features;
	char names[FEATURES_TEXT];

	features_text(features->there & ~features->off, ':', names);
	snprintf(text, VITALS_SIZE, "version=%s pid=%d channels=%" PRIu64 " features=%s",
		 IPCFS_VERSION, getpid(), count_channels(&session->host, caller), names);
}
