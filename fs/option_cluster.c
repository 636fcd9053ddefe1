// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Everybody can read a command line in /proc/PID/cmdline, and fstab(5) too. So secrets are only
 * accepted in a file, and a URL with a user in it is refused, without a copy of it in the log.
 *
 * Commas also separate the options themselves. So several servers are given by several cluster=, or
 * with the commas escaped: `\,`, which mount(8) and fuse_opt understand.
 */
#include "fs/option_cluster.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "fs/in_force.h"
#include "fs/log.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/number.h"
#include "lib/host/creds.h"

#define PORT         "4222" /* NATS' own */
#define HOST_CHARS   "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_"
#define IPV6_CHARS   "0123456789abcdefABCDEF:."
#define SERVER_WORDS "nats://HOST:4222 and tls://HOST:4222 are"

static int complain(const char *text, int length, const char *what)
{
	log_line(LOG_ERR, "cluster=%.*s: %s", length, text, what);
	return -1;
}

/* Returns the length of the host at the beginning of the text, 0 if there is none. */
static size_t host_length(const char *text)
{
	size_t length;

	if (*text != '[')
		return strspn(text, HOST_CHARS);
	length = 1 + strspn(text + 1, IPV6_CHARS);
	return length > 1 && text[length] == ']' ? length + 1 : 0;
}

static bool is_port(const char *text, size_t length)
{
	uint64_t port;

	return length && isdigit((unsigned char)*text) &&
	       number_parse(text, length, UINT16_MAX, &port) == 0 && port > 0;
}

/* Writes a server in full, as URL with scheme and port. NULL: it is none, or no memory (errno). */
static char *server_url(const char *text, size_t length)
{
	const char *scheme = strncmp(text, "tls://", 6) == 0 ? "tls" : "nats";
	const char *end = text + length, *host = text, *port;
	size_t host_size;
	char *url;
	int n;

	if (strncmp(text, "tls://", 6) == 0 || strncmp(text, "nats://", 7) == 0)
		host = strstr(text, "//") + 2;
	host_size = host_length(host);
	port = host + host_size;
	errno = EINVAL;
	if (!host_size || port > end || (port < end && *port != ':') ||
	    (port < end && !is_port(port + 1, (size_t)(end - port) - 1)))
		return NULL;
	if (port == end)
		n = asprintf(&url, "%s://%.*s:" PORT, scheme, (int)host_size, host);
	else
		n = asprintf(&url, "%s://%.*s", scheme, (int)(end - host), host);
	return n < 0 ? NULL : url;
}

/* Whether the list has the server already: mount(8) may pass on what fstab(5) says as well. */
static bool is_listed(const char *servers, const char *url)
{
	size_t length = strlen(url);

	while (servers && *servers) {
		size_t next = strcspn(servers, ",");

		if (next == length && strncmp(servers, url, length) == 0)
			return true;
		servers += next + (servers[next] == ',');
	}
	return false;
}

static int add_server(struct cluster_options *cluster, const char *text, size_t length)
{
	CLEANUP_FREE char *url = server_url(text, length);
	char *servers;

	if (!url && errno != EINVAL)
		return -ENOMEM;
	if (!url)
		return complain(text, (int)length, "not a server; " SERVER_WORDS);
	if (is_listed(cluster->servers, url))
		return 0;
	if (asprintf(&servers, "%s%s%s", cluster->servers ? cluster->servers : "",
		     cluster->servers ? "," : "", url) < 0)
		return -ENOMEM;
	free(cluster->servers);
	cluster->servers = servers;
	return 0;
}

int option_cluster_take(struct options *options, const char *arg)
{
	const char *text = strchr(arg, '=') + 1;
	int r = 0;

	if (strchr(text, '@'))
		return complain("", 0,
				"a user or password does not belong here, where everybody "
				"can read it; see cluster_creds= in ipcfs(8)");
	do {
		size_t length = strcspn(text, ",");

		r = add_server(&options->cluster, text, length);
		text += length;
	} while (r == 0 && *text++ == ',');
	return r;
}

int option_cluster_take_timeout(struct options *options, const char *arg)
{
	if (number_parse_duration(strchr(arg, '=') + 1, &options->cluster.timeout) < 0) {
		log_line(LOG_ERR, "%s: not a time; 90, 90s, 10m, 1h and 7d are", arg);
		return -1;
	}
	options->cluster.has_timeout = true;
	return in_force_note(options, "cluster_timeout=%lld", (long long)options->cluster.timeout);
}

/* Returns the first option that was given but means nothing without cluster=. */
static const char *find_alone(const struct cluster_options *cluster)
{
	if (cluster->creds)
		return "cluster_creds";
	if (cluster->ca)
		return "cluster_ca";
	return cluster->has_timeout ? "cluster_timeout" : NULL;
}

#ifdef HAVE_NATS

static int check_creds(const char *path)
{
	char why[PATH_MAX * 2 + 128];

	if (creds_check(path, why, sizeof(why)) == 0)
		return 0;
	log_line(LOG_ERR, "cluster_creds: %s", why);
	return -EINVAL;
}

int option_cluster_check(const struct cluster_options *cluster)
{
	const char *alone = find_alone(cluster);

	if (cluster->servers)
		return cluster->creds ? check_creds(cluster->creds) : 0;
	if (!alone)
		return 0;
	log_line(LOG_ERR, "%s: needs the servers as well: cluster=nats://HOST:4222", alone);
	return -EINVAL;
}

#else

int option_cluster_check(const struct cluster_options *cluster)
{
	const char *alone = find_alone(cluster);

	if (!cluster->servers && !alone)
		return 0;
	log_line(LOG_ERR, "cluster%s%s: this ipcfs was built without NATS",
		 cluster->servers ? "=" : alone + strlen("cluster"),
		 cluster->servers ? cluster->servers : "");
	return -EINVAL;
}

#endif

void option_cluster_set(struct host *host, const struct cluster_options *cluster)
{
	host->remote.servers = cluster->servers;
	host->remote.creds = cluster->creds;
	host->remote.ca = cluster->ca;
	host->remote.timeout = cluster->timeout * CLOCK_S;
}

void option_cluster_fini(struct cluster_options *cluster)
{
	free(TAKE_PTR(cluster->servers));
	free(TAKE_PTR(cluster->creds));
	free(TAKE_PTR(cluster->ca));
}
