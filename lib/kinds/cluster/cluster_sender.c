// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whatever waits must have something that gets it going again: an answer that is expected, a time
 * to try again, the link, or a repair. rouse() looks after that, and runs after everything that
 * happens here.
 */
#include "lib/kinds/cluster/cluster_sender.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/channel/record.h"
#include "lib/host/host.h"
#include "lib/kinds/cluster/cluster_alarm.h"
#include "lib/kinds/cluster/cluster_repair.h"
#include "lib/kinds/cluster/cluster_sweep.h"

/*
 * How long the server may take to answer: at the first try, at most, and in addition for each byte
 * that is on its way to it. If a server of a cluster fails, nobody tells that an answer will not
 * come.
 */
#define PATIENCE_FIRST CLOCK_S
#define PATIENCE_MOST  (4 * CLOCK_S)
#define PATIENCE_BYTE  CLOCK_US
/* When to try again what was refused: after this long, and at most. */
#define DELAY_FIRST (5 * CLOCK_MS)
#define DELAY_MOST  CLOCK_S
/* How many messages go out together when the link is up again. */
#define BURST 256

struct sender {
	struct cluster_object *object; /* borrowed; owns the sender */
	struct outgoing *asked;        /* an answer is expected */
	struct outgoing *waiting;      /* by number */
	uint64_t n_sent;
	size_t n_bytes;   /* of what is asked */
	int64_t delay;    /* the last one; 0: nothing was refused lately */
	int64_t retry_at; /* 0: no such time is set */
	struct alarm alarm;
	struct repair repair;
	struct sweep sweep;
	struct nats_listener listener;
};

static struct nats_link *link_of(const struct sender *sender)
{
	return sender->object->cluster->link;
}

static bool is_held_up(const struct sender *sender)
{
	return sender->repair.is_active || !nats_link_is_up(link_of(sender));
}

static void set_alarm(struct sender *sender)
{
	const struct outgoing *first = sender->waiting;
	int64_t at = first ? sender->retry_at : 0;

	if (first && first->until && (!at || first->until < at))
		at = first->until;
	if (!at)
		alarm_cancel(&sender->alarm);
	else if (!alarm_is_set(&sender->alarm) || sender->alarm.at != at)
		alarm_set(sender->object->cluster->alarms, &sender->alarm, at);
}

static void take_off_asked(struct sender *sender, struct outgoing *outgoing)
{
	DL_DELETE(sender->asked, outgoing);
	outgoing->is_asked = false;
	sender->n_bytes -= outgoing->size;
}

/* Puts the message among those that wait, in order. */
static void queue(struct sender *sender, struct outgoing *outgoing)
{
	struct outgoing *before = sender->waiting ? sender->waiting->prev : NULL;

	while (before && before->number > outgoing->number)
		before = before == sender->waiting ? NULL : before->prev;
	if (before)
		DL_APPEND_ELEM(sender->waiting, before, outgoing);
	else
		DL_PREPEND(sender->waiting, outgoing);
}

/* Takes the message off all lists. */
static void take_off(struct outgoing *outgoing)
{
	struct sender *sender = outgoing->sender;

	nats_ask_forget(&outgoing->ask);
	if (outgoing->is_asked)
		take_off_asked(sender, outgoing);
	else
		DL_DELETE(sender->waiting, outgoing);
	outgoing->sender = NULL;
}

static void finish(struct outgoing *outgoing, int result)
{
	take_off(outgoing);
	outgoing->done(outgoing, result);
}

/*
 * Sets the time to try again. Half of the delay is by chance, so that the daemons of many machines
 * do not come all at once.
 */
static void back_off(struct sender *sender)
{
	int64_t now = clock_now();

	if (sender->retry_at)
		return;
	sender->delay = sender->delay ? 2 * sender->delay : DELAY_FIRST;
	if (sender->delay > DELAY_MOST)
		sender->delay = DELAY_MOST;
	sender->retry_at = now + sender->delay / 2 + now % (sender->delay / 2);
}

static void answered(struct nats_ask *ask, const struct nats_message *message, int error);

/* Asks the server to store the message. */
static int ask(struct sender *sender, struct outgoing *outgoing)
{
	char id[64];
	const struct nats_header header = {"Nats-Msg-Id", id};
	const struct nats_post post = {.subject = sender->object->subject,
				       .headers = &header,
				       .n_headers = 1,
				       .data = outgoing->data,
				       .size = outgoing->size};
	int64_t wait = outgoing->patience + (int64_t)sender->n_bytes * PATIENCE_BYTE;
	int64_t now = outgoing->until ? clock_now() : 0;
	int r;

	if (outgoing->until && outgoing->until - now < wait)
		wait = outgoing->until > now ? outgoing->until - now : 1;
	snprintf(id, sizeof(id), "%016" PRIx64 "-%s%" PRIu64, sender->object->prefix,
		 outgoing->request ? "r" : "", outgoing->request ?: outgoing->number);
	outgoing->ask.answered = answered;
	r = nats_link_ask(link_of(sender), &outgoing->ask, &post, wait);
	if (r == 0) {
		DL_APPEND(sender->asked, outgoing);
		outgoing->is_asked = true;
		sender->n_bytes += outgoing->size;
	}
	return r;
}

/* Sends up to `n` of the messages that wait. */
static void release(struct sender *sender, unsigned n)
{
	while (n-- && sender->waiting && !is_held_up(sender)) {
		struct outgoing *outgoing = sender->waiting;
		int r;

		DL_DELETE(sender->waiting, outgoing);
		r = ask(sender, outgoing);
		if (r == 0)
			continue;
		queue(sender, outgoing);
		if (r == -EMSGSIZE) {
			finish(outgoing, r);
			continue;
		}
		back_off(sender);
		break;
	}
}

static void rouse(struct sender *sender)
{
	if (sender->waiting && !sender->asked && !sender->retry_at)
		release(sender, 1);
	set_alarm(sender);
}

/* Ends what has waited for too long. */
static void expire(struct sender *sender, int64_t now)
{
	while (sender->waiting && sender->waiting->until && sender->waiting->until <= now)
		finish(sender->waiting, -ETIMEDOUT);
}

static void rang(struct alarm *alarm)
{
	struct sender *sender = CONTAINER_OF(alarm, struct sender, alarm);
	int64_t now = clock_now();

	expire(sender, now);
	if (sender->retry_at && sender->retry_at <= now) {
		sender->retry_at = 0;
		release(sender, 1);
	}
	rouse(sender);
}

/* What the answer, or the lack of one, means for a message that was not stored. */
static void not_stored(struct sender *sender, struct outgoing *outgoing, bool has_answer, int error)
{
	switch (error) {
	case -ETIMEDOUT:
		outgoing->patience = outgoing->patience < PATIENCE_MOST / 2 ? 2 * outgoing->patience
									    : PATIENCE_MOST;
		release(sender, 1);
		break;
	case -ENOTCONN: /* nobody listens to the subject, if that is the answer */
	case -EIDRM:
		if (has_answer)
			repair_begin(&sender->repair);
		break;
	case -EMSGSIZE:
	case -EINVAL:
	case -EACCES:
	case -EPERM:
	case -EROFS:  /* sealed */
	case -ENOSPC: /* the servers have no room left */
	case -EDQUOT: /* or give this account none */
		finish(outgoing, error);
		break;
	default:
		back_off(sender);
		if (sender->delay == DELAY_MOST)
			sweep_begin(&sender->sweep);
	}
}

static void stored(struct sender *sender, struct outgoing *outgoing)
{
	sender->delay = 0;
	release(sender, 2);
	set_alarm(sender);
	finish(outgoing, 0);
}

static void answered(struct nats_ask *ask_, const struct nats_message *message, int error)
{
	struct outgoing *outgoing = CONTAINER_OF(ask_, struct outgoing, ask);
	struct sender *sender = outgoing->sender;
	uint64_t sequence;
	bool is_duplicate;
	int r = message ? api_read_ack(message, &sequence, &is_duplicate, NULL) : error;

	if (r == 0) {
		stored(sender, outgoing);
		return;
	}
	if (!message && outgoing->until && outgoing->until <= clock_now()) {
		set_alarm(sender);
		finish(outgoing, -ETIMEDOUT);
		return;
	}
	take_off_asked(sender, outgoing);
	queue(sender, outgoing);
	not_stored(sender, outgoing, message, r);
	rouse(sender);
}

static void repaired(struct repair *repair, int result)
{
	struct sender *sender = CONTAINER_OF(repair, struct sender, repair);

	if (result == -EIDRM) {
		sender_end_all(sender->object, result);
		return;
	}
	/* The server may well refuse again: a stream can be there and have no leader. */
	back_off(sender);
	rouse(sender);
}

static void link_changed(struct nats_listener *listener, bool is_up)
{
	struct sender *sender = CONTAINER_OF(listener, struct sender, listener);

	if (!is_up)
		return;
	sender->delay = 0;
	sender->retry_at = 0;
	release(sender, BURST);
	rouse(sender);
}

static int sender_new(struct cluster_object *object, struct sender **ret_sender)
{
	struct sender *sender = calloc(1, sizeof(*sender));

	if (!sender)
		return -ENOMEM;
	sender->object = object;
	sender->alarm.ring = rang;
	sender->repair.object = sender->sweep.object = object;
	sender->repair.done = repaired;
	sender->listener.changed = link_changed;
	if (!object->prefix) {
		if (getrandom(&object->prefix, sizeof(object->prefix), GRND_NONBLOCK) < 0)
			object->prefix = (uint64_t)clock_now();
		channel_save(&object->channel);
	}
	nats_link_listen(object->cluster->link, &sender->listener);
	*ret_sender = sender;
	return 0;
}

int sender_send(struct cluster_object *object, struct outgoing *outgoing)
{
	int64_t most = object->cluster->host->remote.timeout;
	struct sender *sender;
	int r = object->sender ? 0 : sender_new(object, &object->sender);

	if (r < 0)
		return r;
	sender = object->sender;
	outgoing->number = sender->n_sent++;
	outgoing->until = most ? clock_now() + most : 0;
	outgoing->patience = PATIENCE_FIRST;
	/* Those that wait come first. */
	if (!sender->waiting && !is_held_up(sender)) {
		r = ask(sender, outgoing);
		if (r == -EMSGSIZE)
			return r;
	} else {
		r = -EAGAIN;
	}
	outgoing->sender = sender;
	if (r < 0) {
		queue(sender, outgoing);
		if (r != -EAGAIN)
			back_off(sender);
	}
	rouse(sender);
	return 0;
}

void sender_forget(struct outgoing *outgoing)
{
	struct sender *sender = outgoing->sender;

	if (!sender)
		return;
	take_off(outgoing);
	rouse(sender);
}

void sender_has_room(struct cluster_object *object)
{
	struct sender *sender = object->sender;

	if (!sender || !sender->waiting)
		return;
	sender->delay = 0;
	sender->retry_at = 0;
	release(sender, 1);
	/* Should that one be refused, too, it comes again soon. */
	rouse(sender);
}

void sender_end_all(struct cluster_object *object, int error)
{
	struct sender *sender = object->sender;

	if (!sender)
		return;
	repair_stop(&sender->repair);
	sweep_stop(&sender->sweep);
	while (sender->asked)
		finish(sender->asked, error);
	while (sender->waiting)
		finish(sender->waiting, error);
	sender->retry_at = 0;
	set_alarm(sender);
}

void sender_free(struct sender *sender)
{
	if (!sender)
		return;
	repair_stop(&sender->repair);
	sweep_stop(&sender->sweep);
	alarm_cancel(&sender->alarm);
	nats_link_unlisten(link_of(sender), &sender->listener);
	free(sender);
}
