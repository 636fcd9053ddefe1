// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The stream is stored in memory that the tmpfs has, so that no disk is measured.
 */
#include "tests/bench/nats_native.h"

#include <ftw.h>
#include <nats/nats.h>
#include <time.h>

#include "tests/bench/ends.h"
#include "tests/bench/local.h"
#include "tests/bench/must.h"

#define CONSUMER    "readers"
#define N_TRIES     1000 /* one per ten milliseconds */
#define PATIENCE_MS 10000
#define MESSAGES    65536
#define BYTES       (64 << 20)

struct nats {
	natsConnection *connection;
	jsCtx *js;
	natsSubscription *subscription;
	char stream[64], subject[64];
};

static void check(natsStatus status, const char *call)
{
	if (status != NATS_OK)
		fail("%s: %s", call, nats_GetLastError(NULL));
}
#define CHECK(call) check(call, #call)

static int remove_path(const char *path, const struct stat *attr, int type, struct FTW *walk)
{
	(void)attr, (void)type, (void)walk;
	return remove(path);
}

void nats_clear(const struct ends *ends)
{
	must(nftw(bench_native(ends->bench, "nats"), remove_path, 16, FTW_DEPTH | FTW_PHYS));
}

uint16_t nats_start(struct ends *ends)
{
	const char *store = bench_native(ends->bench, "nats");
	const char *log = bench_native(ends->bench, "nats.log");
	char port[8];
	uint16_t number;

	close(local_listen_tcp(&number));
	snprintf(port, sizeof(port), "%u", (unsigned)number);
	ends_run(ends, ROLE_OTHER_END,
		 (char *[]){"nats-server", "-a", "127.0.0.1", "-p", port, "-js", "-sd",
			    (char *)store, "-l", (char *)log, NULL},
		 -1, -1);
	return number;
}

/*
 * Otherwise libnats sends what it has a millisecond later, in case there is more: that is what one
 * message would wait for.
 */
static natsStatus connect_to(natsConnection **ret_connection, const char *url, bool is_prompt)
{
	natsOptions *options;
	natsStatus status;

	CHECK(natsOptions_Create(&options));
	CHECK(natsOptions_SetURL(options, url));
	CHECK(natsOptions_SetSendAsap(options, is_prompt));
	status = natsConnection_Connect(ret_connection, options);
	natsOptions_Destroy(options);
	return status;
}

struct nats *nats_open(uint16_t port, bool is_prompt)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	struct nats *nats = calloc(1, sizeof(*nats));
	natsStatus status = NATS_ERR;
	jsOptions options;
	char url[64];

	if (!nats)
		fail("out of memory");
	snprintf(url, sizeof(url), "nats://127.0.0.1:%u", (unsigned)port);
	for (int i = 0; i < N_TRIES && status != NATS_OK; i++) {
		status = connect_to(&nats->connection, url, is_prompt);
		if (status != NATS_OK)
			nanosleep(&pause, NULL);
	}
	if (status != NATS_OK)
		fail("nats-server: %s", natsStatus_GetText(status));
	jsOptions_Init(&options);
	options.PublishAsync.MaxPending = NATS_WINDOW;
	options.PublishAsync.StallWait = PATIENCE_MS;
	CHECK(natsConnection_JetStream(&nats->js, nats->connection, &options));
	return nats;
}

void nats_close(struct nats *nats)
{
	natsSubscription_Destroy(nats->subscription);
	jsCtx_Destroy(nats->js);
	natsConnection_Destroy(nats->connection);
	free(nats);
}

static void set_names(struct nats *nats, const char *name)
{
	snprintf(nats->stream, sizeof(nats->stream), "ipcfs-queues-%s", name);
	snprintf(nats->subject, sizeof(nats->subject), "ipcfs.queues.%s", name);
}

void nats_make_queue(struct nats *nats, const char *name)
{
	jsConsumerConfig consumer;
	jsStreamConfig stream;

	set_names(nats, name);
	jsStreamConfig_Init(&stream);
	stream.Name = nats->stream;
	stream.Subjects = (const char *[]){nats->subject};
	stream.SubjectsLen = 1;
	stream.Retention = js_WorkQueuePolicy;
	stream.Discard = js_DiscardNew;
	stream.MaxMsgs = MESSAGES;
	stream.MaxBytes = BYTES;
	CHECK(js_AddStream(NULL, nats->js, &stream, NULL, NULL));
	jsConsumerConfig_Init(&consumer);
	consumer.Durable = CONSUMER;
	consumer.AckPolicy = js_AckExplicit;
	consumer.MaxAckPending = -1;
	CHECK(js_AddConsumer(NULL, nats->js, nats->stream, &consumer, NULL, NULL));
}

void nats_use_queue(struct nats *nats, const char *name)
{
	jsSubOptions options;

	set_names(nats, name);
	jsSubOptions_Init(&options);
	options.Stream = nats->stream;
	options.Consumer = CONSUMER;
	CHECK(js_PullSubscribe(&nats->subscription, nats->js, NULL, NULL, NULL, &options, NULL));
}

void nats_purge(struct nats *nats)
{
	CHECK(js_PurgeStream(nats->js, nats->stream, NULL, NULL));
}

void nats_publish_each(struct nats *nats, const void *data, size_t size, size_t n)
{
	while (n--)
		CHECK(js_Publish(NULL, nats->js, nats->subject, data, (int)size, NULL, NULL));
}

void nats_publish_window(struct nats *nats, const void *data, size_t size, size_t n)
{
	natsMsgList unacknowledged = {NULL, 0};

	while (n--)
		CHECK(js_PublishAsync(nats->js, nats->subject, data, (int)size, NULL));
	CHECK(js_PublishAsyncComplete(nats->js, NULL));
	if (js_PublishAsyncGetPendingList(&unacknowledged, nats->js) != NATS_NOT_FOUND)
		fail("js_PublishAsync: messages were not acknowledged");
}

void nats_consume(struct nats *nats, size_t window, size_t n)
{
	while (n) {
		size_t wanted = n < window ? n : window;
		natsMsgList list = {NULL, 0};

		CHECK(natsSubscription_Fetch(&list, nats->subscription, (int)wanted, PATIENCE_MS,
					     NULL));
		for (int i = 0; i < list.Count; i++)
			CHECK(natsMsg_Ack(list.Msgs[i], NULL));
		n -= (size_t)list.Count;
		natsMsgList_Destroy(&list);
	}
}
