// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A thread that is killed in a call that does not wait is killed when the call is over: the kernel
 * has then written how much was moved, if anything was.
 */
#include "lib/kinds/socket/tally.h"

#include <errno.h>

#include "lib/base/state.h"
#include "lib/channel/journal.h"

/* Tells one request's receive from all others. It is never 0. */
static uint64_t receive_word(const struct journal *journal)
{
	return journal->reader + 1;
}

ssize_t tally_receive(struct tally *tally, struct journal *journal, int fd,
		      const struct iovec *room)
{
	tally->receive = (struct mmsghdr){
		.msg_hdr = {.msg_iov = (struct iovec *)room, .msg_iovlen = 1},
		.msg_len = TALLY_NOTHING,
	};
	STATE_ORDER();
	journal->word = receive_word(journal);
	STATE_ORDER();
	if (recvmmsg(fd, &tally->receive, 1, MSG_DONTWAIT, NULL) < 0)
		return -errno;
	return (ssize_t)tally->receive.msg_len;
}

ssize_t tally_receive_stream(struct tally *tally, struct journal *journal, int fd,
			     const struct iovec *room)
{
	ssize_t n = tally_receive(tally, journal, fd, room);

	if (n < 0 && n != -EAGAIN && n != -EINTR && !tally->error) {
		tally->error = n;
		n = tally_receive(tally, journal, fd, room);
	}
	if (n > 0 || !tally->error)
		return n;
	n = (ssize_t)tally->error;
	tally->error = 0;
	return n;
}

ssize_t tally_recall(const struct tally *tally, const struct journal *journal)
{
	if (journal->word != receive_word(journal) || tally->receive.msg_len == TALLY_NOTHING)
		return -EAGAIN;
	return (ssize_t)tally->receive.msg_len;
}

/* The stores are in an order in which tally_sent() is right after each of them. */
ssize_t tally_send(struct tally *tally, int fd, const struct msghdr *message)
{
	tally->send.msg_len = 0;
	STATE_ORDER();
	tally->sent_before = tally->sent;
	STATE_ORDER();
	tally->send.msg_hdr = *message;
	if (sendmmsg(fd, &tally->send, 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	STATE_ORDER();
	tally->sent = tally->sent_before + tally->send.msg_len;
	return (ssize_t)tally->send.msg_len;
}

uint64_t tally_sent(const struct tally *tally)
{
	uint64_t sent = tally->sent_before + tally->send.msg_len;

	return sent > tally->sent ? sent : tally->sent;
}
