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

static void set_clock(struct nats_link *link, int64_t until)
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

bool nats_asks_answer_oldest(struct nats_link *link, const struct nats_message *message)
{
	if (!link->asks)
		return false;
	end(link->asks, message, 0);
	return true;
}

void nats_asks_lose(struct nats_link *link)
{
	while (link->asks)
		end(link->asks, NULL, -ENOTCONN);
}

int nats_link_ask(struct nats_link *link, struct nats_ask *ask, const struct nats_post *post,
		  int64_t timeout)
{
	char reply[NATS_REPLY_SIZE];
	int error;

	ask->number = nats_link_number(link, reply);
	HASH_ADD(hh, link->asks_by_number, number, sizeof(ask->number), ask);
	if (!ask->hh.tbl)
		return -ENOMEM;
	error = nats_link_post(link, post, reply);
	if (error) {
		HASH_DELETE(hh, link->asks_by_number, ask);
		return error;
	}
	ask->link = link;
	ask->until = clock_now() + timeout;
	DL_APPEND(link->asks, ask);
	set_clock(link, ask->until);
	if (ask != &link->probe)
		set_clock(link, clock_now() + SILENCE_BUSY);
	return 0;
}

static void on_probe(struct nats_ask *ask, const struct nats_message *message, int error)
{
	struct nats_link *link = CONTAINER_OF(ask, struct nats_link, probe);

	if (message)
		link->rtt = clock_now() - link->probed;
	else if (error == -ETIMEDOUT)
		nats_link_lose(link, "the server does not answer");
}

static void send_probe(struct nats_link *link)
{
	char subject[NATS_REPLY_SIZE];
	struct nats_post post = {.subject = subject, .data = ""};

	/* The question is its own answer: the number that the ask will get. */
	nats_link_number(link, subject);
	link->last_number--;
	link->probed = clock_now();
	nats_link_ask(link, &link->probe, &post, PROBE_MAX);
}

void nats_asks_watch(struct nats_link *link)
{
	link->heard = clock_now();
	link->rtt = 0;
	send_probe(link);
	set_clock(link, clock_now() + SILENCE_IDLE);
}

/* Asks the server if it has been silent for long, and returns when to look again. */
static int64_t watch(struct nats_link *link)
{
	bool is_busy = link->asks && (link->asks != &link->probe || link->asks->next);
	int64_t limit = is_busy ? SILENCE_BUSY : SILENCE_IDLE;
	int64_t now = clock_now();

	if (now - link->heard < limit)
		return link->heard + limit;
	if (!link->probe.link)
		send_probe(link);
	return now + limit;
}

static void on_clock(struct loop_source *source, uint32_t events)
{
	struct nats_link *link = CONTAINER_OF(source, struct nats_link, clock);
	int64_t now = clock_now();
	uint64_t n;

	(void)events;
	if (read(source->fd, &n, sizeof(n)) < 0)
		return;
	link->clock_until = 0;
	for (struct nats_ask *ask = link->asks; ask; ask = link->next_ask) {
		link->next_ask = ask->next;
		if (ask->until <= now)
			end(ask, NULL, -ETIMEDOUT);
		else
			set_clock(link, ask->until);
	}
	if (link->connection)
		set_clock(link, watch(link));
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
