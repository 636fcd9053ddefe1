// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages that have come: what their sender and the server say about them.
 *
 * Any client may send anything to anybody, so nothing here is believed before it is checked.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/number.h"
#include "lib/kinds/cluster/nats_state.h"

enum { TOKENS = 9, TOKENS_WITH_DOMAIN = 11, TOKENS_MAX = 13 };

static int read_status(natsMsg *msg)
{
	const char *text = NULL;
	int status = 0;

	if (natsMsgHeader_Get(msg, "Status", &text) != NATS_OK || !text)
		return 0;
	for (int i = 0; i < 3; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		status = status * 10 + (text[i] - '0');
	}
	return status;
}

void nats_message_from(natsMsg *msg, struct nats_message *ret_message)
{
	const char *subject = natsMsg_GetSubject(msg);
	const char *data = natsMsg_GetData(msg);
	int size = natsMsg_GetDataLength(msg);

	*ret_message = (struct nats_message){
		.subject = subject ? subject : "",
		.reply = natsMsg_GetReply(msg),
		.data = data ? data : "",
		.size = data && size > 0 ? (size_t)size : 0,
		.status = read_status(msg),
		.raw = msg,
	};
}

static const char *header(void *raw, const char *name)
{
	const char *value = NULL;

	if (!raw || natsMsgHeader_Get(raw, name, &value) != NATS_OK)
		return NULL;
	return value;
}

const char *nats_message_header(const struct nats_message *message, const char *name)
{
	return header(message->raw, name);
}

const char *nats_delivery_header(const struct nats_delivery *delivery, const char *name)
{
	return header(delivery->raw, name);
}

/* Splits "a.b.c", which is changed. Returns the number of tokens; 0: too many, or an empty one. */
static int split(char *text, char *ret_tokens[static TOKENS_MAX])
{
	int n = 0;
	char *token;

	while ((token = strsep(&text, "."))) {
		if (n == TOKENS_MAX || !*token)
			return 0;
		ret_tokens[n++] = token;
	}
	return n;
}

static int read_number(const char *text, uint64_t *ret_number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*ret_number = strtoull(text, &end, 10);
	return errno || *end ? -EINVAL : 0;
}

/*
 * "$JS.ACK.STREAM.CONSUMER.DELIVERED.SEQUENCE.CONSUMER-SEQUENCE.TIME.PENDING", or with the domain
 * and the account before the stream's name, and then maybe another token at the end
 * (nats-server, ADR-15).
 */
int nats_delivery_parse(const char *reply, struct nats_delivery *ret_delivery,
			char ret_key[static NATS_KEY_SIZE])
{
	char copy[2 * NATS_KEY_SIZE];
	char *tokens[TOKENS_MAX];
	uint64_t numbers[5];
	int first = 2;
	int n;

	if (strncmp(reply, "$JS.ACK.", 8) != 0 || strlen(reply) >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, reply, strlen(reply) + 1);
	n = split(copy, tokens);
	if (n >= TOKENS_WITH_DOMAIN)
		first = 4;
	else if (n != TOKENS)
		return -EINVAL;
	for (int i = 0; i < 5; i++)
		if (read_number(tokens[first + 2 + i], &numbers[i]) < 0)
			return -EINVAL;
	if (snprintf(ret_key, NATS_KEY_SIZE, "%s.%s", tokens[first], tokens[first + 1]) >=
	    NATS_KEY_SIZE)
		return -EINVAL;
	ret_delivery->n_delivered = numbers[0];
	ret_delivery->sequence = numbers[1];
	ret_delivery->consumer_sequence = n == TOKENS ? numbers[2] : 0;
	ret_delivery->time = (int64_t)numbers[3];
	ret_delivery->n_pending = numbers[4];
	return 0;
}

void nats_delivery_tell(const struct nats_delivery *delivery, enum nats_verdict verdict)
{
	static const char *const words[] = {
		[NATS_ACK] = "+ACK", [NATS_NAK] = "-NAK", [NATS_PROGRESS] = "+WPI"};
	struct nats_post post = {
		.subject = delivery->reply, .data = words[verdict], .size = strlen(words[verdict])};

	if (delivery->is_adopted || delivery->link->epoch == delivery->link_epoch)
		nats_link_post(delivery->link, &post, NULL);
}

void nats_delivery_free(struct nats_delivery *delivery)
{
	if (!delivery)
		return;
	if (delivery->raw)
		nats_spend(delivery->link, delivery->raw);
	free(delivery);
}

/* The server needs neither the time nor how many follow. */
struct nats_delivery *nats_delivery_adopt(struct nats_link *link, const char *stream,
					  const char *consumer, const struct nats_delivery *former)
{
	struct nats_delivery *delivery = calloc(1, sizeof(*delivery) + 2 * NATS_KEY_SIZE);
	char *reply = (char *)(delivery + 1);

	if (!delivery)
		return NULL;
	delivery->link = link;
	delivery->is_adopted = true;
	delivery->sequence = former->sequence;
	delivery->consumer_sequence = former->consumer_sequence;
	delivery->n_delivered = former->n_delivered;
	delivery->reply = reply;
	snprintf(reply, 2 * NATS_KEY_SIZE, "$JS.ACK.%s.%s.%" PRIu64 ".%" PRIu64 ".%" PRIu64 ".0.0",
		 stream, consumer, former->n_delivered, former->sequence,
		 former->consumer_sequence);
	return delivery;
}
