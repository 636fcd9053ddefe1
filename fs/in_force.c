// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The options are kept as text in options::lasting, one line KEY=VALUE or WORD for each. Of several
 * lines with the same key, the last one counts.
 */
#include "fs/in_force.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <syslog.h>
#include <unistd.h>

#include "fs/log.h"
#include "lib/base/cleanup.h"
#include "lib/base/quote.h"
#include "lib/channel/xattr.h"
#include "lib/host/feature.h"
#include "lib/host/namespaces.h"

int in_force_note(struct options *options, const char *format, ...)
{
	CLEANUP_FREE char *line = NULL, *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&line, format, args);
	va_end(args);
	if (n < 0) {
		line = NULL;
		return -ENOMEM;
	}
	n = asprintf(&text, "%s%s\n", options->lasting ? options->lasting : "", line);
	if (n < 0) {
		text = NULL;
		return -ENOMEM;
	}
	free(options->lasting);
	options->lasting = TAKE_PTR(text);
	return 0;
}

int in_force_note_word(struct options *options, const char *word)
{
	CLEANUP_FREE char *plain = strdup(word);
	char *end = plain;

	if (!plain)
		return -ENOMEM;
	for (; *word; word++)
		if (*word != '"')
			*end++ = *word;
	*end = '\0';
	return in_force_note(options, "%s", plain);
}

/*
 * Notes the file's absolute path. A remount only compares it, so the file need not exist any more:
 * its path is then noted as given.
 */
static int note_file(struct options *options, const char *key, const char *file)
{
	CLEANUP_FREE char *path = file ? realpath(file, NULL) : NULL;
	CLEANUP_FREE char *quoted = file ? quote_text(path ? path : file) : NULL;

	if (!file)
		return 0;
	return quoted ? in_force_note(options, "%s=%s", key, quoted) : -ENOMEM;
}

static int note_cluster(struct options *options)
{
	const struct cluster_options *cluster = &options->cluster;
	int r = note_file(options, "cluster_creds", cluster->creds);

	if (r == 0)
		r = note_file(options, "cluster_ca", cluster->ca);
	if (r == 0 && cluster->servers)
		r = in_force_note(options, "cluster=%s", cluster->servers);
	return r;
}

/* Notes the names with colons between them, as on the command line, but in an order of our own. */
static int note_without(struct options *options)
{
	char names[FEATURES_TEXT];

	features_text(options->without, ':', names);
	return in_force_note(options, "without=%s", names);
}

static int note_foreign(struct options *options)
{
	const char *net = options->foreign & (1U << NAMESPACE_NET) ? ":net" : "";
	const char *ipc = options->foreign & (1U << NAMESPACE_IPC) ? ":ipc" : "";
	const char *pid = options->foreign & (1U << NAMESPACE_PID) ? ":pid" : "";
	char names[16];

	snprintf(names, sizeof(names), "%s%s%s", net, ipc, pid);
	return in_force_note(options, "foreign=%s", names + 1);
}

int in_force_note_rest(struct options *options)
{
	int r = note_file(options, "config", options->config);

	if (r == 0)
		r = note_cluster(options);
	if (r == 0 && options->without)
		r = note_without(options);
	if (r == 0 && options->foreign)
		r = note_foreign(options);
	if (r == 0 && options->is_config_strict)
		r = in_force_note(options, "config_strict");
	if (r == 0 && options->ends_with_daemon)
		r = in_force_note(options, "auto_unmount");
	return r < 0 ? -ENOMEM : 0;
}

/* Returns the length of the line up to its '='; of the whole line if it has none. */
static size_t key_length(const char *line)
{
	return strcspn(line, "=\n");
}

/* Returns the last line of `text` that has the same key as `line`; NULL if there is none. */
static const char *find_line(const char *text, const char *line)
{
	size_t length = key_length(line);
	const char *found = NULL;

	while (text && *text) {
		if (key_length(text) == length && strncmp(text, line, length) == 0)
			found = text;
		text = strchr(text, '\n');
		text += text ? 1 : 0;
	}
	return found;
}

static bool is_same_line(const char *a, const char *b)
{
	size_t length = strcspn(a, "\n");

	return strcspn(b, "\n") == length && strncmp(a, b, length) == 0;
}

static int complain(const char *line, const char *now)
{
	int length = (int)strcspn(line, "\n");

	if (now)
		log_line(LOG_ERR, "%.*s: cannot be changed by a remount (it is %.*s)", length, line,
			 (int)strcspn(now, "\n"), now);
	else
		log_line(LOG_ERR, "%.*s: cannot be set by a remount, only by the mount", length,
			 line);
	return -EINVAL;
}

int in_force_check(const struct options *options, bool allows_others)
{
	CLEANUP_FREE char *text = NULL;
	const char *line = options->lasting;
	ssize_t n;

	if (options->allows_others && !allows_others)
		return complain("allow_other", NULL);
	if (!line || !*line)
		return 0;
	text = calloc(1, XATTR_MOST + 1);
	n = text ? getxattr(options->mount_point, IN_FORCE_XATTR, text, XATTR_MOST) : -1;
	if (n < 0) {
		int error = errno;

		log_line(LOG_ERR,
			 "%.*s: cannot be changed by a remount; what is in force at %s is unknown: "
			 "%s",
			 (int)strcspn(line, "\n"), line, options->mount_point, strerror(error));
		return -EINVAL;
	}
	for (; line && *line; line = strchr(line, '\n') + 1) {
		const char *wanted = find_line(options->lasting, line);
		const char *now = find_line(text, line);

		if (!now || !is_same_line(wanted, now))
			return complain(wanted, now);
	}
	return 0;
}
