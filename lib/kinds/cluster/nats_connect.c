// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a connection is made.
 *
 * libnats has ways to connect again by itself, but they come with threads that write to the socket
 * and with messages that are kept for later. Here a connection is used once: what was under way
 * when it is lost has failed, and whoever sent it knows.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "lib/base/cleanup.h"
#include "lib/host/creds.h"
#include "lib/kinds/cluster/nats_state.h"

enum {
	CONNECT_MS = 2000,
	SERVERS_MAX = 32,
	SERVER_MAX = 100, /* bytes of a URL that are shown */
	/* The kernel notices within some 12 s that the other machine is gone. */
	KEEPALIVE_IDLE_S = 6,
	KEEPALIVE_INTERVAL_S = 2,
	KEEPALIVE_PROBES = 3,
	UNACKED_MS = 12000,
};

/* What libnats wants of an event loop. It calls these on whichever thread uses the connection. */
static natsStatus on_attach(void **ret_data, void *data, natsConnection *nc, natsSock fd)
{
	struct nats_connection *connection = data;

	connection->attached = nc;
	connection->fd = fd;
	*ret_data = connection;
	return NATS_OK;
}

static natsStatus on_read(void *data, bool is_add)
{
	struct nats_connection *connection = data;

	if (is_add)
		return NATS_OK;
	/* The descriptor is closed next. */
	if (connection->relay)
		nats_relay_forget_fd(connection->relay);
	else if (connection->link)
		loop_remove(connection->link->loop, &connection->link->socket);
#if NATS_VERSION_NUMBER >= 0x030a00
	/* Since libnats 3.10, by us. */
	natsConnection_ProcessCloseEvent(&connection->fd);
#endif
	return NATS_OK;
}

static natsStatus on_write(void *data, bool is_add)
{
	struct nats_connection *connection = data;

	connection->wants_write = is_add;
	if (is_add && !connection->relay && connection->link)
		nats_socket_wants_write(connection->link);
	return NATS_OK;
}

static natsStatus on_detach(void *data)
{
	struct nats_connection *connection = data;

	connection->is_closed = true;
#if NATS_VERSION_NUMBER >= 0x030b00
	/* Since libnats 3.11, the loop has a reference. */
	natsConnection_ProcessDetachedEvent(connection->attached);
#endif
	return NATS_OK;
}

/* Without this, libnats would write what it thinks of errors to the terminal. */
static void on_error(natsConnection *nc, natsSubscription *sub, natsStatus status, void *data)
{
	(void)nc;
	(void)sub;
	(void)status;
	(void)data;
}

static natsStatus set_servers(natsOptions *options, const char *servers)
{
	CLEANUP_FREE char *copy = strdup(servers);
	const char *urls[SERVERS_MAX];
	char *rest = copy;
	char *url;
	int n = 0;

	if (!copy)
		return NATS_NO_MEMORY;
	while ((url = strsep(&rest, ", ")) && n < SERVERS_MAX)
		if (*url)
			urls[n++] = url;
	return natsOptions_SetServers(options, urls, n);
}

static natsStatus set_options(natsOptions *options, const struct nats_thread *thread,
			      struct nats_connection *connection)
{
	natsStatus status = set_servers(options, thread->servers);

	if (status == NATS_OK)
		status = natsOptions_SetName(options, "ipcfs");
	if (status == NATS_OK)
		status = natsOptions_SetTimeout(options, CONNECT_MS);
	if (status == NATS_OK)
		status = natsOptions_SetAllowReconnect(options, false);
	/* With these two, libnats starts neither a timer nor a thread for the connection. */
	if (status == NATS_OK)
		status = natsOptions_SetPingInterval(options, 0);
	if (status == NATS_OK)
		status = natsOptions_SetSendAsap(options, true);
	if (status == NATS_OK)
		status = natsOptions_SetErrorHandler(options, on_error, NULL);
	if (status == NATS_OK && thread->creds)
		status = natsOptions_SetUserCredentialsFromFiles(options, thread->creds, NULL);
	if (status == NATS_OK && thread->ca)
		status = natsOptions_SetSecure(options, true);
	if (status == NATS_OK && thread->ca)
		status = natsOptions_LoadCATrustedCertificates(options, thread->ca);
	if (status == NATS_OK)
		status = natsOptions_SetEventLoop(options, connection, on_attach, on_read, on_write,
						  on_detach);
	return status;
}

static natsStatus name_inbox(struct nats_connection *connection)
{
	unsigned char random[14];
	size_t length = (size_t)snprintf(connection->inbox, NATS_INBOX_SIZE, "_INBOX.");

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return NATS_SYS_ERROR;
	for (size_t i = 0; i < sizeof(random); i++, length += 2)
		snprintf(connection->inbox + length, NATS_INBOX_SIZE - length, "%02x", random[i]);
	return NATS_OK;
}

static void set_keepalive(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S},
		{IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S},
		{IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKED_MS},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			   sizeof(options[i].value));
	fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void nats_connection_free(struct nats_connection *connection)
{
	/* First, so that libnats need not tell the server of each subscription that ends. */
	natsConnection_Destroy(connection->nc);
	nats_relay_free(connection->relay);
	nats_slots_free(connection);
	natsStatistics_Destroy(connection->statistics);
	free(connection);
}

/* Copies the URL without user and password. */
static void copy_server(const char *url, char *ret_server, size_t size)
{
	const char *at = strrchr(url, '@');
	const char *scheme_end = strstr(url, "://");
	int length = scheme_end && at ? (int)(scheme_end + strlen("://") - url) : 0;

	snprintf(ret_server, size, "%.*s%.*s", length, url, SERVER_MAX, at ? at + 1 : url);
}

static bool has_tls(const struct nats_thread *thread)
{
	return thread->ca || strcasestr(thread->servers, "tls://");
}

static natsStatus connect_with(natsOptions *options, const struct nats_thread *thread,
			       struct nats_connection *connection)
{
	char url[512];
	natsStatus status = set_options(options, thread, connection);

	if (status == NATS_OK)
		status = name_inbox(connection);
	if (status == NATS_OK)
		status = natsStatistics_Create(&connection->statistics);
	if (status == NATS_OK)
		status = natsConnection_Connect(&connection->nc, options);
	if (status != NATS_OK)
		return status;
	set_keepalive(connection->fd);
	connection->payload_max = (size_t)natsConnection_GetMaxPayload(connection->nc);
	if (natsConnection_GetConnectedUrl(connection->nc, url, sizeof(url)) == NATS_OK)
		copy_server(url, connection->server, sizeof(connection->server));
	return has_tls(thread) ? nats_relay_new(connection) : NATS_OK;
}

/* libnats tells where in its source an error occurred: "(conn.c:1905): Authorization Violation". */
static const char *without_place(const char *text)
{
	const char *end = text && *text == '(' ? strstr(text, "): ") : NULL;

	return end ? end + 3 : text;
}

static void set_failure(struct nats_thread *thread, natsStatus status)
{
	const char *text = without_place(nats_GetLastError(NULL));

	nats_thread_set_error(thread, text && *text ? text : natsStatus_GetText(status));
}

struct nats_connection *nats_connect(struct nats_thread *thread)
{
	struct nats_connection *connection = calloc(1, sizeof(*connection));
	natsOptions *options = NULL;
	natsStatus status = NATS_NO_MEMORY;
	char why[sizeof(thread->error)];

	if (thread->creds && creds_check(thread->creds, why, sizeof(why)) < 0) {
		nats_thread_set_error(thread, why);
		free(connection);
		return NULL;
	}
	if (connection)
		status = natsOptions_Create(&options);
	if (status == NATS_OK)
		status = connect_with(options, thread, connection);
	if (status == NATS_OK) {
		natsOptions_Destroy(options);
		return connection;
	}
	set_failure(thread, status);
	natsOptions_Destroy(options);
	if (connection)
		nats_connection_free(connection);
	return NULL;
}
