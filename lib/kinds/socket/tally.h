/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Receiving and sending so that the next daemon knows what has passed, if this one is killed.
 *
 * recv(2) and send(2) say in a register how much they have moved, and that is lost with the
 * process. recvmmsg(2) and sendmmsg(2) write it into memory as well, before they return. Here that
 * memory outlives the daemon. So for sockets of all types it is known exactly what was taken from
 * the other end, and what it was given.
 */
#ifndef IPCFS_TALLY_H
#define IPCFS_TALLY_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

struct journal;

/* In a block of the state. The pointers in the headers are for the call alone. */
struct tally {
	struct mmsghdr receive; /* msg_len: what the last call has received, or TALLY_NOTHING */
	struct mmsghdr send;    /* msg_len: what the last call has sent */
	uint64_t sent_before;   /* bytes that were sent before that call */
	uint64_t sent;          /* bytes */
	int64_t error;          /* of the socket, not told yet, negative; 0: none */
};

#define TALLY_NOTHING UINT32_MAX

/* Receives without waiting, in journal_step JOURNAL_RECEIVE. Returns bytes or -errno. */
ssize_t tally_receive(struct tally *tally, struct journal *journal, int fd,
		      const struct iovec *room);
/*
 * The same for a stream. An error of the socket comes after all that has arrived, as from recv(2);
 * recvmmsg(2) would tell it first.
 */
ssize_t tally_receive_stream(struct tally *tally, struct journal *journal, int fd,
			     const struct iovec *room);
/*
 * For channel_ops::recall: what was received by the call that was under way when the former daemon
 * was killed. -EAGAIN: nothing.
 */
ssize_t tally_recall(const struct tally *tally, const struct journal *journal);

/* Sends without waiting. Returns bytes or -errno. */
ssize_t tally_send(struct tally *tally, int fd, const struct msghdr *message);
/* Bytes that were ever sent, those of a call included that was under way when it was killed. */
uint64_t tally_sent(const struct tally *tally);

#endif
