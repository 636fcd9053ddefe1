// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The subscriptions that answers and pulled messages come by.
 *
 * Subjects that are asked again and again keep their slot. Any client that sees the inbox can send
 * to any slot, also to an idle one, so all of them are emptied as often as messages come.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/number.h"
#include "lib/kinds/cluster/nats_state.h"

/* Idle slots that are kept, and the most slots. */
enum { IDLE_MAX = 64, SLOTS_MAX = 8192 };

/* All of JetStream's API is one service: it listens, or it does not. Pulls go there, too. */
#define API "$JS.API"

static const char *key_of(const char *subject)
{
	size_t length = strlen(API);

	return strncmp(subject, API, length) == 0 && subject[length] == '.' ? API : subject;
}

static void unlink_slot(struct nats_connection *connection, struct nats_slot *slot)
{
	if (connection->next_slot == slot)
		connection->next_slot = slot->next;
	if (slot->is_busy) {
		DL_DELETE(connection->busy, slot);
	} else {
		DL_DELETE(connection->idle, slot);
		connection->n_idle--;
	}
}

static void link_slot(struct nats_connection *connection, struct nats_slot *slot, bool is_busy)
{
	slot->is_busy = is_busy;
	if (is_busy) {
		DL_PREPEND(connection->busy, slot);
	} else {
		DL_APPEND(connection->idle, slot);
		connection->n_idle++;
	}
}

static void slot_free(struct nats_connection *connection, struct nats_slot *slot)
{
	unlink_slot(connection, slot);
	HASH_DELETE(hh, connection->slots, slot);
	connection->n_slots--;
	natsSubscription_Destroy(slot->sub);
	free(slot->subject);
	free(slot);
}

void nats_slots_free(struct nats_connection *connection)
{
	while (connection->slots)
		slot_free(connection, connection->slots);
}

static natsStatus subscribe(struct nats_connection *connection, struct nats_slot *slot)
{
	char subject[NATS_REPLY_SIZE];
	natsStatus status;

	/* A relay has one subscription for all, and sees the subjects of all messages. */
	if (connection->relay)
		return NATS_OK;
	snprintf(subject, sizeof(subject), "%s.%u.*", connection->inbox, slot->number);
	status = natsConnection_SubscribeSync(&slot->sub, connection->nc, subject);
	if (status == NATS_OK)
		status = natsSubscription_SetPendingLimits(slot->sub, -1, -1);
	return status;
}

/* Returns NULL if there is no memory. */
static struct nats_slot *slot_new(struct nats_connection *connection, const char *subject)
{
	CLEANUP_FREE char *copy = strdup(subject);
	struct nats_slot *slot = calloc(1, sizeof(*slot));

	if (!slot || !copy) {
		free(slot);
		return NULL;
	}
	slot->number = ++connection->last_slot;
	slot->subject = TAKE_PTR(copy);
	HASH_ADD_KEYPTR(hh, connection->slots, slot->subject, strlen(slot->subject), slot);
	if (!slot->hh.tbl) {
		free(slot->subject);
		free(slot);
		return NULL;
	}
	connection->n_slots++;
	link_slot(connection, slot, false);
	if (subscribe(connection, slot) == NATS_OK)
		return slot;
	slot_free(connection, slot);
	return NULL;
}

static void hold(struct nats_connection *connection, struct nats_slot *slot)
{
	if (slot->n_users++ > 0)
		return;
	unlink_slot(connection, slot);
	link_slot(connection, slot, true);
}

int nats_slot_get(struct nats_link *link, const char *subject, struct nats_slot **ret_slot)
{
	struct nats_connection *connection = link->connection;
	const char *key = key_of(subject);
	struct nats_slot *slot;

	if (!connection)
		return -ENOTCONN;
	HASH_FIND_STR(connection->slots, key, slot);
	if (!slot && connection->n_slots < SLOTS_MAX)
		slot = slot_new(connection, key);
	if (!slot)
		return -ENOMEM;
	hold(connection, slot);
	*ret_slot = slot;
	return 0;
}

void nats_slot_put(struct nats_link *link, struct nats_slot *slot)
{
	struct nats_connection *connection = link->connection;

	/* The slots of a connection that is lost are freed with it. */
	if (--slot->n_users > 0 || !connection)
		return;
	unlink_slot(connection, slot);
	link_slot(connection, slot, false);
	if (connection->n_idle > IDLE_MAX)
		slot_free(connection, connection->idle);
}

uint64_t nats_slot_number(struct nats_link *link, const struct nats_slot *slot,
			  char ret_reply[static NATS_REPLY_SIZE])
{
	snprintf(ret_reply, NATS_REPLY_SIZE, "%s.%u.%" PRIu64, link->connection->inbox,
		 slot->number, ++link->last_number);
	return link->last_number;
}

/* Finds the number at the end of a subject in our inbox. Returns false for any other subject. */
static bool read_inbox(const struct nats_link *link, const char *subject, uint64_t *ret_number)
{
	size_t length = strlen(link->connection->inbox);
	const char *dot = strrchr(subject, '.');

	if (strncmp(subject, link->connection->inbox, length) != 0 || subject[length] != '.')
		return false;
	/* Whatever else is there, is no number of ours. */
	if (number_parse(dot + 1, strlen(dot + 1), UINT64_MAX, ret_number) < 0)
		*ret_number = 0;
	return true;
}

void nats_slots_dispatch_message(struct nats_link *link, natsMsg *msg)
{
	const char *subject = natsMsg_GetSubject(msg);
	struct nats_message message;
	uint64_t number;

	if (!read_inbox(link, subject ? subject : "", &number)) {
		nats_feeds_deliver(link, msg);
		return;
	}
	nats_message_from(msg, &message);
	if (!nats_asks_answer(link, number, &message))
		nats_feeds_end_pull(link, number, &message);
	nats_spend(link, msg);
}

static void dispatch_nobody(struct nats_link *link, const struct nats_slot *slot)
{
	struct nats_message message = {.subject = "", .data = "", .status = 503};
	uint64_t ask = nats_asks_oldest(link, slot);
	uint64_t pull = nats_feeds_oldest(link, slot);

	if (ask && (!pull || ask < pull))
		nats_asks_answer(link, ask, &message);
	else if (pull)
		nats_feeds_end_pull(link, pull, &message);
}

static void dispatch_next(struct nats_link *link, struct nats_slot *slot)
{
	natsMsg *msg = NULL;

	switch (natsSubscription_NextMsg(&msg, slot->sub, 0)) {
	case NATS_OK:
		nats_slots_dispatch_message(link, msg);
		break;
	case NATS_NO_RESPONDERS:
		dispatch_nobody(link, slot);
		break;
	default:
		break;
	}
}

static void dispatch_slot(struct nats_link *link, struct nats_slot *slot)
{
	struct nats_connection *connection = link->connection;
	uint64_t n = 0;

	natsSubscription_QueuedMsgs(slot->sub, &n);
	if (n == 0)
		return;
	connection->n_received += n;
	link->n_received += n;
	hold(connection, slot);
	for (; n > 0; n--) {
		dispatch_next(link, slot);
		if (link->connection != connection)
			return;
	}
	/* First: it is likely to get the next message, too. */
	unlink_slot(connection, slot);
	link_slot(connection, slot, true);
	nats_slot_put(link, slot);
}

/* Looks at slots until all messages that have come are found. */
static void walk(struct nats_link *link, struct nats_slot *slots, uint64_t n_received)
{
	struct nats_connection *connection = link->connection;
	struct nats_slot *slot = slots;

	while (slot && connection->n_received != n_received) {
		connection->next_slot = slot->next;
		dispatch_slot(link, slot);
		if (link->connection != connection)
			return;
		slot = connection->next_slot;
	}
	connection->next_slot = NULL;
}

void nats_slots_dispatch(struct nats_link *link)
{
	struct nats_connection *connection = link->connection;
	uint64_t n_received = 0;

	natsConnection_GetStats(connection->nc, connection->statistics);
	natsStatistics_GetCounts(connection->statistics, &n_received, NULL, NULL, NULL, NULL);
	walk(link, connection->busy, n_received);
	if (link->connection == connection)
		walk(link, connection->idle, n_received);
	/* Some may have come to a slot that is no more. */
	if (link->connection == connection)
		connection->n_received = n_received;
}
