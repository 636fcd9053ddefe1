// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The thread that connects, again and again, and destroys connections that are of no more use.
 *
 * libnats has ways to connect again by itself, but they come with threads that write to the socket
 * and with messages that are kept for later. Here a connection is used once: what was under way
 * when it is lost has failed, and whoever sent it knows.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/kinds/cluster/creds.h"
#include "lib/kinds/cluster/nats_state.h"

enum {
	CONNECT_MS = 2000,
	SERVERS_MAX = 32,
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

	(void)nc;
	connection->fd = fd;
	*ret_data = connection;
	return NATS_OK;
}

static natsStatus on_read(void *data, bool is_add)
{
	struct nats_connection *connection = data;

	/* libnats closes the descriptor next. */
	if (!is_add && connection->link)
		loop_remove(connection->link->loop, &connection->link->socket);
	return NATS_OK;
}

static natsStatus on_write(void *data, bool is_add)
{
	struct nats_connection *connection = data;

	connection->wants_write = is_add;
	if (is_add && connection->link)
		nats_link_wants_write(connection->link);
	return NATS_OK;
}

static natsStatus on_detach(void *data)
{
	struct nats_connection *connection = data;

	connection->is_closed = true;
	return NATS_OK;
}

/* Without this, libnats would write to stderr. */
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

static natsStatus make_inbox(struct nats_connection *connection)
{
	unsigned char random[14];
	char subject[NATS_REPLY_SIZE];
	size_t length = (size_t)snprintf(connection->inbox, NATS_INBOX_SIZE, "_INBOX.");
	natsStatus status;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return NATS_SYS_ERROR;
	for (size_t i = 0; i < sizeof(random); i++, length += 2)
		snprintf(connection->inbox + length, NATS_INBOX_SIZE - length, "%02x", random[i]);
	snprintf(subject, sizeof(subject), "%s.*", connection->inbox);
	status = natsConnection_SubscribeSync(&connection->sub, connection->nc, subject);
	if (status == NATS_OK)
		status = natsSubscription_SetPendingLimits(connection->sub, -1, -1);
	return status;
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

static void connection_free(struct nats_connection *connection)
{
	natsConnection_Destroy(connection->nc);
	natsSubscription_Destroy(connection->sub);
	free(connection);
}

static natsStatus connect_with(natsOptions *options, const struct nats_thread *thread,
			       struct nats_connection *connection)
{
	natsStatus status = set_options(options, thread, connection);

	if (status == NATS_OK)
		status = natsConnection_Connect(&connection->nc, options);
	if (status != NATS_OK)
		return status;
	set_keepalive(connection->fd);
	connection->payload_max = (size_t)natsConnection_GetMaxPayload(connection->nc);
	natsConnection_GetConnectedUrl(connection->nc, connection->server,
				       sizeof(connection->server));
	natsConnection_GetConnectedServerId(connection->nc, connection->server_id,
					    sizeof(connection->server_id));
	return make_inbox(connection);
}

static void set_failure(struct nats_thread *thread, natsStatus status)
{
	const char *text = nats_GetLastError(NULL);

	nats_thread_set_error(thread, text && *text ? text : natsStatus_GetText(status));
}

/* Returns NULL and sets nats_thread::error if it can't connect. */
static struct nats_connection *connect_once(struct nats_thread *thread)
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
		connection_free(connection);
	return NULL;
}

static void let_go(struct nats_thread *thread)
{
	bool is_last;

	pthread_mutex_lock(&thread->lock);
	is_last = --thread->n_refs == 0;
	pthread_mutex_unlock(&thread->lock);
	if (!is_last)
		return;
	pthread_mutex_destroy(&thread->lock);
	pthread_cond_destroy(&thread->changed);
	if (thread->event_fd >= 0)
		close(thread->event_fd);
	free(thread->servers);
	free(thread->creds);
	free(thread->ca);
	free(thread);
}

/* Sleeps until the thread has to end or the time is over. Under the lock. */
static void sleep_for(struct nats_thread *thread, int64_t pause)
{
	int64_t until = clock_now() + pause;
	struct timespec time = {.tv_sec = until / CLOCK_S, .tv_nsec = until % CLOCK_S};

	while (!thread->is_ending &&
	       pthread_cond_timedwait(&thread->changed, &thread->lock, &time) != ETIMEDOUT)
		continue;
}

/* Hands the connection to the loop, and waits until it comes back. Under the lock. */
static struct nats_connection *lend(struct nats_thread *thread, struct nats_connection *connection)
{
	thread->fresh = connection;
	eventfd_write(thread->event_fd, 1);
	while (!thread->spent && !(thread->is_ending && thread->fresh))
		pthread_cond_wait(&thread->changed, &thread->lock);
	if (!thread->spent)
		return TAKE_PTR(thread->fresh);
	return TAKE_PTR(thread->spent);
}

static void *run(void *data)
{
	static const int64_t pauses[] = {0, CLOCK_S / 4, CLOCK_S / 2, CLOCK_S, 2 * CLOCK_S};
	struct nats_thread *thread = data;
	size_t n_failures = 0;

	pthread_mutex_lock(&thread->lock);
	while (!thread->is_ending) {
		struct nats_connection *connection;
		int64_t begun = clock_now();

		pthread_mutex_unlock(&thread->lock);
		connection = connect_once(thread);
		pthread_mutex_lock(&thread->lock);
		if (connection) {
			connection = lend(thread, connection);
			pthread_mutex_unlock(&thread->lock);
			connection_free(connection);
			pthread_mutex_lock(&thread->lock);
			/* A server that accepts and then closes is no reason to hurry. */
			n_failures = clock_now() - begun < CLOCK_S ? n_failures + 1 : 0;
		} else {
			n_failures++;
		}
		if (n_failures >= sizeof(pauses) / sizeof(pauses[0]))
			n_failures = sizeof(pauses) / sizeof(pauses[0]) - 1;
		sleep_for(thread, pauses[n_failures]);
	}
	pthread_mutex_unlock(&thread->lock);
	nats_ReleaseThreadMemory();
	let_go(thread);
	return NULL;
}

static int copy_text(const char *text, char **ret_copy)
{
	if (!text)
		return 0;
	*ret_copy = strdup(text);
	return *ret_copy ? 0 : -ENOMEM;
}

static int start(struct nats_thread *thread)
{
	sigset_t all;
	sigset_t before;
	int error;

	/* libnats' own threads, which this one starts, inherit the mask. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	thread->n_refs++;
	error = pthread_create(&thread->thread, NULL, run, thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		thread->n_refs--;
	return -error;
}

int nats_thread_new(const struct host_remote *remote, struct nats_thread **ret_thread)
{
	struct nats_thread *thread = calloc(1, sizeof(*thread));
	pthread_condattr_t attributes;
	int error;

	if (!thread)
		return -ENOMEM;
	thread->n_refs = 1;
	pthread_mutex_init(&thread->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&thread->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	thread->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = thread->event_fd < 0 ? -errno : 0;
	if (!error)
		error = copy_text(remote->servers, &thread->servers);
	if (!error)
		error = copy_text(remote->creds, &thread->creds);
	if (!error)
		error = copy_text(remote->ca, &thread->ca);
	if (!error)
		error = start(thread);
	if (error) {
		let_go(thread);
		return error;
	}
	*ret_thread = thread;
	return 0;
}

struct nats_connection *nats_thread_take(struct nats_thread *thread)
{
	struct nats_connection *connection;
	eventfd_t n;

	eventfd_read(thread->event_fd, &n);
	pthread_mutex_lock(&thread->lock);
	connection = TAKE_PTR(thread->fresh);
	if (connection)
		thread->error[0] = '\0';
	pthread_mutex_unlock(&thread->lock);
	return connection;
}

void nats_thread_return(struct nats_thread *thread, struct nats_connection *connection)
{
	pthread_mutex_lock(&thread->lock);
	thread->spent = connection;
	pthread_cond_broadcast(&thread->changed);
	pthread_mutex_unlock(&thread->lock);
}

void nats_thread_set_error(struct nats_thread *thread, const char *text)
{
	pthread_mutex_lock(&thread->lock);
	snprintf(thread->error, sizeof(thread->error), "%s", text);
	pthread_mutex_unlock(&thread->lock);
}

void nats_thread_end(struct nats_thread *thread)
{
	struct timespec until;

	pthread_mutex_lock(&thread->lock);
	thread->is_ending = true;
	pthread_cond_broadcast(&thread->changed);
	pthread_mutex_unlock(&thread->lock);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 2;
	if (pthread_timedjoin_np(thread->thread, NULL, &until) == 0) {
		nats_ReleaseThreadMemory();
		nats_Close();
	} else {
		pthread_detach(thread->thread);
	}
	let_go(thread);
}
