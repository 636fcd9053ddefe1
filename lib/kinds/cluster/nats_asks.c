// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Questions under way, and the clock that ends them.
 *
 * The clock also watches over the connection: a server that is gone without a word, or a network
 * that swallows everything, looks like one that has nothing to say. So a question is put to
 * ourselves, by way of the server, when it has been silent for a while.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <utlist.h>

#include "lib/base/clock.h"
#include "lib/base/cleanup.h"
#include "lib/kinds/cluster/nats_state.h"

/* How long a silent server is not asked, while questions are under way and while there are none. */
#define SILENCE_BUSY CLOCK_S
#define SILENCE_IDLE (20 * CLOCK_S)
#define PROBE_MAX    (4 * CLOCK_S)

void nats_asks_set_clock(struct nats_link *link, int64_t until)
{
	struct itimerspec time = {
		.it_value = {.tv_sec = until / CLOCK_S, .tv_nsec = until % CLOCK_S}};

	if (link->clock_until && link->clock_until <= until)
		return;
	link->clock_until = until;
	timerfd_settime(link->clock.fd, TFD_TIMER_ABSTIME, &time, NULL);
}

static void forget(struct nats_ask *ask)
{
	struct nats_link *link = TAKE_PTR(ask->link);

	if (link->next_ask == ask)
		link->next_ask = ask->next;
	HASH_DELETE(hh, link->asks_by_number, ask);
	DL_DELETE(link->asks, ask);
	nats_slot_put(link, ask->slot);
}

void nats_ask_forget(struct nats_ask *ask)
{
	if (ask->link)
		forget(ask);
}

static void end(struct nats_ask *ask, const struct nats_message *message, int error)
{
	forget(ask);
	ask->answered(ask, message, error);
}

bool nats_asks_answer(struct nats_link *link, uint64_t number, const struct nats_message *message)
{
	struct nats_ask *ask;

	HASH_FIND(hh, link->asks_by_number, &number, sizeof(number), ask);
	if (!ask)
		return false;
	end(ask, message, 0);
	return true;
}

uint64_t nats_asks_oldest(struct nats_link *link, const struct nats_slot *slot)
{
	for (struct nats_ask *ask = link->asks; ask; ask = ask->next)
		if (ask->slot == slot)
			return ask->number;
	return 0;
}

void nats_asks_lose(struct nats_link *link)
{
	while (link->asks)
		end(link->asks, NULL, -ENOTCONN);
}

/* Sends, and adds the ask to the others. `slot` belongs to the ask then. */
static int ask_by(struct nats_link *link, struct nats_ask *ask, const struct nats_post *post,
		  struct nats_slot *slot)
{
	char reply[NATS_REPLY_SIZE];
	int error;

	ask->number = nats_slot_number(link, slot, reply);
	HASH_ADD(hh, link->asks_by_number, number, sizeof(ask->number), ask);
	if (!ask->hh.tbl)
		return -ENOMEM;
	/* The probe goes to where its answer is expected. */
	if (ask == &link->probe)
		error = nats_link_post(link, &(struct nats_post){.subject = reply}, NULL);
	else
		error = nats_link_post(link, post, reply);
	if (error) {
		HASH_DELETE(hh, link->asks_by_number, ask);
		return error;
	}
	ask->link = link;
	ask->slot = slot;
	DL_APPEND(link->asks, ask);
	return 0;
}

int nats_link_ask(struct nats_link *link, struct nats_ask *ask, const struct nats_post *post,
		  int64_t timeout)
{
	int64_t now = clock_now();
	struct nats_slot *slot;
	int error = nats_slot_get(link, post->subject, &slot);

	if (error)
		return error;
	ask->until = timeout < INT64_MAX - now ? now + timeout : INT64_MAX;
	error = ask_by(link, ask, post, slot);
	if (error) {
		nats_slot_put(link, slot);
		return error;
	}
	nats_asks_set_clock(link, ask->until);
	if (ask != &link->probe)
		nats_asks_set_clock(link, now + SILENCE_BUSY);
	return 0;
}

/*
 * Over a slow line, the probe waits behind what was sent before it. But then something moves.
 */
static void lose_if_dead(struct nats_link *link)
{
	bool moves = nats_socket_moves(link);

	if (!moves && clock_now() - link->heard >= PROBE_MAX)
		nats_link_lose(link, "the server does not answer");
}

static void send_probe(struct nats_link *link)
{
	static const struct nats_post post = {.subject = "$JS.API.probe"};

	if (nats_link_ask(link, &link->probe, &post, PROBE_MAX) < 0)
		return;
	link->probed = clock_now();
	nats_socket_moves(link);
}

static void on_probe(struct nats_ask *ask, const struct nats_message *message, int error)
{
	struct nats_link *link = CONTAINER_OF(ask, struct nats_link, probe);

	if (message)
		link->rtt = clock_now() - link->probed;
	else if (error == -ETIMEDOUT)
		lose_if_dead(link);
}

void nats_asks_watch(struct nats_link *link)
{
	link->heard = clock_now();
	link->rtt = 0;
	link->acked = 0;
	send_probe(link);
	nats_asks_set_clock(link, clock_now() + SILENCE_IDLE);
}

/* Asks the server if it has been silent for long. The clock looks again. */
static void watch(struct nats_link *link)
{
	bool is_busy = link->asks && (link->asks != &link->probe || link->asks->next);
	int64_t limit = is_busy ? SILENCE_BUSY : SILENCE_IDLE;
	int64_t now = clock_now();

	if (now - link->heard < limit) {
		nats_asks_set_clock(link, link->heard + limit);
		return;
	}
	if (!link->probe.link)
		send_probe(link);
	/* Too much waits to be sent. */
	if (!link->probe.link)
		lose_if_dead(link);
	if (link->connection)
		nats_asks_set_clock(link, now + limit);
}

static void on_clock(struct loop_source *source, uint32_t events)
{
	struct nats_link *link = CONTAINER_OF(source, struct nats_link, clock);
	int64_t now = clock_now();
	int64_t until;
	uint64_t n;

	(void)events;
	if (read(source->fd, &n, sizeof(n)) < 0)
		return;
	link->clock_until = 0;
	until = nats_feeds_expire(link, now);
	if (until)
		nats_asks_set_clock(link, until);
	for (struct nats_ask *ask = link->asks; ask; ask = link->next_ask) {
		link->next_ask = ask->next;
		if (ask->until <= now)
			end(ask, NULL, -ETIMEDOUT);
		else
			nats_asks_set_clock(link, ask->until);
	}
	if (link->connection)
		watch(link);
}

int nats_asks_init(struct nats_link *link)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int error;

	if (fd < 0)
		return -errno;
	link->clock = (struct loop_source){.fd = fd, .dispatch = on_clock};
	link->probe.answered = on_probe;
	error = loop_add(link->loop, &link->clock, EPOLLIN);
	if (error)
		close(fd);
	return error;
}

void nats_asks_fini(struct nats_link *link)
{
	while (link->asks)
		forget(link->asks);
	loop_remove(link->loop, &link->clock);
	close(link->clock.fd);
}
