// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A program that knows NATS and nothing of ipcfs: libnats alone, as its documents show it. The
 * tests let it exchange messages with echo and cat.
 *
 *   nats_client URL pub SUBJECT             publishes each line of stdin, and waits for each ack
 *   nats_client URL sub STREAM N            prints the first N messages of a stream
 *   nats_client URL take STREAM CONSUMER N  takes N messages from a consumer, and acknowledges them
 *   nats_client URL get BUCKET KEY          prints a value
 *   nats_client URL put BUCKET KEY VALUE
 *   nats_client URL create BUCKET KEY VALUE   fails if there is one
 *   nats_client URL history BUCKET KEY        prints all values that are kept, oldest first
 *   nats_client URL watch BUCKET KEY N        prints N values as they come, the present one first
 */
#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE 20000 /* milliseconds */

static jsCtx *js;

/* Ends the program if the call has failed. */
static void must(natsStatus status, const char *call)
{
	const char *why = nats_GetLastError(NULL);

	if (status == NATS_OK)
		return;
	fprintf(stderr, "nats_client: %s: %s%s%s\n", call, natsStatus_GetText(status),
		why ? ": " : "", why ? why : "");
	exit(1);
}
#define MUST(call) must(call, #call)

static void print(const char *data, int size)
{
	fwrite(data, 1, (size_t)size, stdout);
	if (size == 0 || data[size - 1] != '\n')
		putchar('\n');
	fflush(stdout);
}

static void publish(char **words)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, stdin)) > 0)
		MUST(js_Publish(NULL, js, words[0], line, (int)n, NULL, NULL));
	free(line);
}

/* Fetches `n` messages, and acknowledges each when it has been printed. */
static void fetch(natsSubscription *subscription, int n)
{
	while (n > 0) {
		natsMsgList list = {NULL, 0};

		MUST(natsSubscription_Fetch(&list, subscription, n, PATIENCE, NULL));
		for (int i = 0; i < list.Count; i++) {
			print(natsMsg_GetData(list.Msgs[i]), natsMsg_GetDataLength(list.Msgs[i]));
			MUST(natsMsg_AckSync(list.Msgs[i], NULL, NULL));
		}
		n -= list.Count;
		natsMsgList_Destroy(&list);
	}
	natsSubscription_Destroy(subscription);
}

static void subscribe(char **words)
{
	natsSubscription *subscription;
	jsStreamInfo *info;
	jsSubOptions options;

	jsSubOptions_Init(&options);
	options.Stream = words[0];
	MUST(js_GetStreamInfo(&info, js, words[0], NULL, NULL));
	MUST(js_PullSubscribe(&subscription, js, info->Config->Subjects[0], NULL, NULL, &options,
			      NULL));
	jsStreamInfo_Destroy(info);
	fetch(subscription, atoi(words[1]));
}

static void take(char **words)
{
	natsSubscription *subscription;
	jsSubOptions options;

	jsSubOptions_Init(&options);
	options.Stream = words[0];
	options.Consumer = words[1];
	MUST(js_PullSubscribe(&subscription, js, NULL, NULL, NULL, &options, NULL));
	fetch(subscription, atoi(words[2]));
}

static kvStore *bucket_of(char **words)
{
	kvStore *bucket;

	MUST(js_KeyValue(&bucket, js, words[0]));
	return bucket;
}

/* Prints an entry and frees it. */
static void print_entry(kvEntry *entry)
{
	if (kvEntry_Operation(entry) == kvOp_Put)
		print(kvEntry_Value(entry), kvEntry_ValueLen(entry));
	else
		puts("(none)");
	fflush(stdout);
	kvEntry_Destroy(entry);
}

static void get(char **words)
{
	kvStore *bucket = bucket_of(words);
	kvEntry *entry;

	MUST(kvStore_Get(&entry, bucket, words[1]));
	print_entry(entry);
	kvStore_Destroy(bucket);
}

static void put(char **words)
{
	kvStore *bucket = bucket_of(words);

	MUST(kvStore_PutString(NULL, bucket, words[1], words[2]));
	kvStore_Destroy(bucket);
}

static void create(char **words)
{
	kvStore *bucket = bucket_of(words);

	MUST(kvStore_CreateString(NULL, bucket, words[1], words[2]));
	kvStore_Destroy(bucket);
}

static void history(char **words)
{
	kvStore *bucket = bucket_of(words);
	kvEntryList list = {NULL, 0};

	MUST(kvStore_History(&list, bucket, words[1], NULL));
	for (int i = 0; i < list.Count; i++) {
		print_entry(list.Entries[i]);
		list.Entries[i] = NULL;
	}
	kvEntryList_Destroy(&list);
	kvStore_Destroy(bucket);
}

static void watch(char **words)
{
	kvStore *bucket = bucket_of(words);
	kvWatcher *watcher;
	int n = atoi(words[2]);

	MUST(kvStore_Watch(&watcher, bucket, words[1], NULL));
	while (n > 0) {
		kvEntry *entry = NULL;

		/* NULL: these were the present ones. */
		MUST(kvWatcher_Next(&entry, watcher, PATIENCE));
		if (!entry)
			continue;
		print_entry(entry);
		n--;
	}
	kvWatcher_Destroy(watcher);
	kvStore_Destroy(bucket);
}

static const struct {
	const char *name;
	int n_words;
	void (*run)(char **words);
} commands[] = {
	{"pub", 1, publish}, {"sub", 2, subscribe}, {"take", 3, take},       {"get", 2, get},
	{"put", 3, put},     {"create", 3, create}, {"history", 2, history}, {"watch", 3, watch},
};

int main(int argc, char **argv)
{
	natsConnection *connection;

	for (size_t i = 0; argc > 2 && i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(argv[2], commands[i].name) != 0 || argc != 3 + commands[i].n_words)
			continue;
		MUST(natsConnection_ConnectTo(&connection, argv[1]));
		MUST(natsConnection_JetStream(&js, connection, NULL));
		commands[i].run(argv + 3);
		jsCtx_Destroy(js);
		natsConnection_Destroy(connection);
		nats_Close();
		return 0;
	}
	fputs("usage: nats_client URL COMMAND ...\n", stderr);
	return 2;
}
