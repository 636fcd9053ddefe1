/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random calls on a ring, beside a model that remembers all messages ever sent: where each reader
 * is, what it has missed, what is kept and what must have been dropped. Also with a user who has
 * little memory left, where the ring may drop or refuse more; but nothing else may change.
 */
#include "lib/channel/ring.h"

#include <stdlib.h>

#include "tests/unit/fixture.h"

enum { N_STEPS = 20000, N_READERS = 6, N_SIZES = 1 << 15 };

struct model_reader {
	bool is_in;
	struct ring_reader reader;
	uint64_t next, missed;
};

static struct ring ring;
static struct model_reader readers[N_READERS];
static uint32_t sizes[N_SIZES]; /* by number */
static uint64_t head, kept, tail;
static bool is_poor; /* the user has no memory to spare */

static uint64_t step_of(uint64_t number)
{
	return (8 + sizes[number] + 7) / 8 * 8;
}

static uint64_t total(uint64_t from, bool is_used)
{
	uint64_t sum = 0;

	for (; from < tail; from++)
		sum += is_used ? step_of(from) : sizes[from];
	return sum;
}

static unsigned char byte_of(uint64_t number, size_t i)
{
	return (unsigned char)(number * 37 + i * 7 + i / 256);
}

/* Whether a reader has still to read this message. */
static bool is_awaited(uint64_t number)
{
	for (int i = 0; i < N_READERS; i++)
		if (readers[i].is_in && readers[i].next <= number)
			return true;
	return false;
}

static void model_drop(void)
{
	for (int i = 0; i < N_READERS; i++) {
		if (!readers[i].is_in || readers[i].next > head)
			continue;
		readers[i].next++;
		readers[i].missed++;
	}
	head++;
	if (kept < head)
		kept = head;
}

static void model_trim(void)
{
	while (kept < tail && (tail - kept > ring.keep.messages ||
			       (tail - kept > 1 && total(kept, false) > ring.keep.bytes)))
		kept++;
	while (head < kept && !is_awaited(head))
		head++;
}

static void check_reader(const struct model_reader *reader)
{
	ck_assert_uint_eq(ring_behind(&ring, &reader->reader), tail - reader->next);
	ck_assert_uint_eq(ring_missed(&ring, &reader->reader), reader->missed);
}

static void check_message(uint64_t number, ssize_t size, const struct iovec *iov, int n)
{
	size_t at = 0;

	ck_assert_int_eq(size, sizes[number]);
	ck_assert_int_le(n, RING_PIECES);
	for (int i = 0; i < n; i++)
		for (size_t k = 0; k < iov[i].iov_len; k++, at++)
			if (((unsigned char *)iov[i].iov_base)[k] != byte_of(number, at))
				ck_abort_msg("message %lu differs at byte %zu", number, at);
	ck_assert_uint_eq(at, sizes[number]);
}

static void check_ring(void)
{
	ck_assert_uint_eq(ring.tail.number, tail);
	ck_assert_uint_eq(ring.head.number, head);
	ck_assert_uint_eq(ring_messages(&ring), tail - head);
	ck_assert_uint_eq(ring_n_kept(&ring), tail - kept);
	ck_assert_uint_eq(ring_used(&ring), total(head, true));
	ck_assert_uint_eq(ring.bytes, total(head, false));
	ck_assert_uint_eq(ring.bytes_kept, total(kept, false));
	ck_assert_uint_le(ring_used(&ring), ring.capacity);
	for (int i = 0; i < N_READERS; i++)
		if (readers[i].is_in)
			check_reader(&readers[i]);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_STORED), ring.charged);
}

static uint32_t choose_size(void)
{
	switch (random() % 8) {
	case 0:
		return 1 + (uint32_t)random() % (uint32_t)ring.capacity;
	case 1:
		return 1 + (uint32_t)random() % 2000;
	default:
		return 1 + (uint32_t)random() % 40;
	}
}

/* Expects what has been done to make room to be what the model does. */
static void expect_room(int r, bool is_forced)
{
	uint64_t step = step_of(tail), used = total(head, true);

	ck_assert(r == 0 || r == -EAGAIN || r == (is_poor ? -ENOBUFS : 0));
	if (r == -ENOBUFS) {
		ck_assert_uint_eq(ring.head.number, head);
		return;
	}
	if (r == -EAGAIN) {
		ck_assert(!is_forced);
		ck_assert_uint_eq(ring.head.number, head);
		return;
	}
	while (is_poor ? head < ring.head.number : used + step > ring.capacity) {
		ck_assert(is_forced || !is_awaited(head));
		used -= step_of(head);
		model_drop();
	}
}

/* Some readers, which have read all else, get the message before it is stored. */
static void give_directly(void)
{
	for (int i = 0; i < N_READERS; i++) {
		if (!readers[i].is_in || readers[i].next != tail - 1 || random() % 2)
			continue;
		ck_assert_uint_eq(ring_behind(&ring, &readers[i].reader), 1);
		ring_advance(&ring, &readers[i].reader);
		readers[i].next++;
	}
}

static void fill_last(void)
{
	static unsigned char data[1 << 18];
	size_t size = sizes[tail - 1], first = (size_t)random() % (size + 1);
	const struct iovec iov[2] = {{data, first}, {data + first, size - first}};

	for (size_t i = 0; i < size; i++)
		data[i] = byte_of(tail - 1, i);
	ring_fill(&ring, iov, 2);
}

static void do_send(void)
{
	bool is_forced = random() % 2, had_room;
	int r;

	sizes[tail] = choose_size();
	if (!ring_is_needed(&ring)) {
		ring_pass(&ring);
		head = kept = ++tail;
		return;
	}
	had_room = ring_has_room(&ring, sizes[tail]);
	r = ring_make_room(&ring, sizes[tail], is_forced);
	if (step_of(tail) > ring.capacity) {
		ck_assert_int_eq(r, -EMSGSIZE);
		return;
	}
	if (!is_poor && !is_forced)
		ck_assert_int_eq(r, had_room ? 0 : -EAGAIN);
	expect_room(r, is_forced);
	if (r < 0)
		return;
	ring_append(&ring, sizes[tail]);
	tail++;
	give_directly();
	fill_last();
	model_trim();
}

static void do_read(void)
{
	struct model_reader *reader = &readers[random() % N_READERS];
	struct iovec iov[RING_PIECES];
	ssize_t size;
	int n = 0;

	if (!reader->is_in)
		return;
	size = ring_next(&ring, &reader->reader, iov, &n);
	if (reader->next == tail) {
		ck_assert_int_eq(size, -EAGAIN);
		return;
	}
	check_message(reader->next, size, iov, n);
	if (random() % 8 == 0)
		return;
	ring_advance(&ring, &reader->reader);
	reader->next++;
	model_trim();
}

static void do_join_or_leave(void)
{
	struct model_reader *reader = &readers[random() % N_READERS];
	uint64_t n_back = random() % 2 ? UINT64_MAX : (uint64_t)random() % 300;

	if (random() % 4)
		return;
	if (reader->is_in) {
		ring_leave(&ring, &reader->reader);
		reader->is_in = false;
		model_trim();
		return;
	}
	ring_join(&ring, &reader->reader, NULL, n_back);
	*reader = (struct model_reader){true, reader->reader, tail - kept, 0};
	reader->next = tail - (n_back < tail - kept ? n_back : tail - kept);
}

static void do_keep(void)
{
	struct ring_keep keep = {(uint64_t)random() % 600, UINT64_MAX};

	if (random() % 16)
		return;
	if (random() % 3 == 0)
		keep = (struct ring_keep){UINT64_MAX, 1 + (uint64_t)random() % ring.capacity};
	else if (random() % 4 == 0)
		keep = (struct ring_keep){0};
	ring_set_keep(&ring, &keep);
	model_trim();
}

static void do_empty(void)
{
	if (random() % 64)
		return;
	ring_empty(&ring);
	while (head < tail)
		model_drop();
}

static void do_capacity(void)
{
	size_t capacity = (size_t)RING_CAPACITY_LEAST << random() % 5;

	if (random() % 32 == 0 && capacity >= ring_used(&ring))
		ring.capacity = capacity;
}

/* Goes through what is kept, or the end of it. */
static void do_look(void)
{
	uint64_t n_back = random() % 2 ? UINT64_MAX : (uint64_t)random() % 300;
	struct ring_place place = ring_kept(&ring, n_back);
	uint64_t number = tail - (n_back < tail - kept ? n_back : tail - kept);
	struct iovec iov[RING_PIECES];
	int n = 0;

	for (; number < tail; number++) {
		ssize_t size;

		ck_assert_uint_eq(place.number, number);
		size = ring_at(&ring, &place, iov, &n);
		check_message(number, size, iov, n);
	}
	must_fail(ring_at(&ring, &place, iov, &n), EAGAIN);
}

static void do_limit(void)
{
	if (is_poor && random() % 64 == 0)
		host.users.limits[USER_STORED] = (size_t)random() % (128 << 10);
}

static void (*const operations[])(void) = {do_send, do_send,  do_send,          do_read,
					   do_read, do_read,  do_join_or_leave, do_keep,
					   do_look, do_empty, do_capacity,      do_limit};

static void run(int seed)
{
	const size_t n = sizeof(operations) / sizeof(operations[0]);

	srandom((unsigned)seed + 1);
	ring_init(&ring, &(struct ring_owner){.state = host_state, .users = &host.users},
		  (size_t)4096 << seed % 5);
	for (int i = 0; i < N_STEPS; i++) {
		operations[(size_t)random() % n]();
		check_ring();
	}
	for (int i = 0; i < N_READERS; i++)
		if (readers[i].is_in)
			ring_leave(&ring, &readers[i].reader);
	ring_empty(&ring);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_STORED), 0);
	ring_fini(&ring);
}

START_TEST(test_ring_random_is_as_the_model)
{
	run(_i);
}
END_TEST

START_TEST(test_ring_random_of_a_poor_user_loses_nothing_unseen)
{
	is_poor = true;
	run(_i);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ring_random");

	suite_add_loop(suite, "random",
		       (const TTest *const[]){
			       test_ring_random_is_as_the_model,
			       test_ring_random_of_a_poor_user_loses_nothing_unseen,
			       NULL,
		       },
		       10);
	return suite_run(suite);
}
