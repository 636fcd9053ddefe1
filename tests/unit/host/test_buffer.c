/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The buffers that requests are read into: where the next request goes while others are kept, who
 * is charged for kept data, and that there is always room for one more request.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "lib/host/buffer.h"
#include "tests/unit/fixture.h"

enum { PAGE = HOST_PAGE, KIB = 1024, MIB = 1024 * 1024, HEAD = 80, ANNA = 1, BERT = 2 };

static struct buffers *buffers;

static void setup(void)
{
	buffers = &host.buffers;
}

static size_t charged(uid_t uid)
{
	return user_charged(&host.users, uid, USER_STORED);
}

/* Receives a request with `size` bytes, and returns where they are. */
static char *receive(size_t size)
{
	char *data = buffers_next(buffers) + HEAD;

	memset(data, 'x', size);
	return data;
}

static struct buffer *keep(const char *data, size_t size, uid_t uid)
{
	struct buffer *buffer = buffers->current;

	ck_assert(buffer_keep(buffer, data, size, uid));
	return buffer;
}

START_TEST(test_buffer_has_room_for_the_longest_request)
{
	char *place = buffers_next(buffers);

	ck_assert_uint_eq((uintptr_t)(place + HEAD) % PAGE, 0);
	ck_assert_uint_eq((uintptr_t)buffers->current->memory % BUFFER_SIZE, 0);
	memset(place, 'x', HOST_IO_MAX + PAGE);
	ck_assert(place + HOST_IO_MAX + PAGE <= buffers->current->memory + BUFFER_SIZE);
}
END_TEST

START_TEST(test_buffer_of_which_nothing_is_kept_is_used_again)
{
	char *place = buffers_next(buffers);
	struct buffer *buffer;

	ck_assert_ptr_eq(buffers_next(buffers), place);
	buffer = keep(receive(64 * KIB), 64 * KIB, ANNA);
	ck_assert_ptr_ne(buffers_next(buffers), place);
	buffer_release(buffer, ANNA);
	ck_assert_ptr_eq(buffers_next(buffers), place);
}
END_TEST

START_TEST(test_buffer_next_request_comes_behind_what_is_kept)
{
	char *first = receive(64 * KIB);
	struct buffer *buffer = keep(first, 64 * KIB - 5, ANNA);

	ck_assert_ptr_eq(receive(100), first + 64 * KIB + PAGE);
	/* A request that is not kept leaves no gap. */
	ck_assert_ptr_eq(receive(100), first + 64 * KIB + PAGE);
	buffer_release(buffer, ANNA);
}
END_TEST

START_TEST(test_buffer_that_is_full_is_followed_by_another)
{
	struct buffer *first = keep(receive(MIB), MIB, ANNA), *second;

	second = keep(receive(MIB), MIB, ANNA);
	ck_assert_ptr_ne(second, first);
	ck_assert_uint_eq(charged(ANNA), 2 * BUFFER_SIZE);
	buffer_release(first, ANNA);
	ck_assert_uint_eq(charged(ANNA), BUFFER_SIZE);
	buffer_release(second, ANNA);
	ck_assert_uint_eq(charged(ANNA), 0);
}
END_TEST

START_TEST(test_buffer_keeps_its_bytes)
{
	char *data[24];
	struct buffer *kept[24];

	for (int i = 0; i < 24; i++) {
		data[i] = receive(64 * KIB);
		memset(data[i], 'a' + i, 64 * KIB);
		kept[i] = keep(data[i], 64 * KIB, ANNA);
		receive(HOST_IO_MAX);
	}
	for (int i = 0; i < 24; i++) {
		ck_assert_int_eq(data[i][0], 'a' + i);
		ck_assert_mem_eq(data[i], data[i] + 1, 64 * KIB - 1);
		buffer_release(kept[i], ANNA);
	}
	ck_assert_uint_eq(charged(ANNA), 0);
}
END_TEST

/*
 * A buffer stays for as long as any part of it is kept. So each user who keeps a part is charged
 * for the whole buffer, once.
 */
START_TEST(test_buffer_is_charged_whole_to_each_who_keeps)
{
	char *data = receive(MIB);
	struct buffer *buffer = keep(data, 64 * KIB, ANNA);

	keep(data + 64 * KIB, 64 * KIB, ANNA);
	ck_assert_uint_eq(charged(ANNA), BUFFER_SIZE);
	keep(data + 128 * KIB, 64 * KIB, BERT);
	ck_assert_uint_eq(charged(BERT), BUFFER_SIZE);
	buffer_release(buffer, ANNA);
	ck_assert_uint_eq(charged(ANNA), BUFFER_SIZE);
	buffer_release(buffer, ANNA);
	ck_assert_uint_eq(charged(ANNA), 0);
	ck_assert_uint_eq(charged(BERT), BUFFER_SIZE);
	buffer_release(buffer, BERT);
	ck_assert_uint_eq(charged(BERT), 0);
}
END_TEST

START_TEST(test_buffer_with_too_many_users_is_not_kept)
{
	char *data = receive(64 * KIB);
	struct buffer *buffer = buffers->current;

	for (uid_t uid = 1; uid <= BUFFER_USERS; uid++)
		keep(data, 64 * KIB, uid);
	ck_assert(!buffer_keep(buffer, data, 64 * KIB, BUFFER_USERS + 1));
	ck_assert_uint_eq(charged(BUFFER_USERS + 1), 0);
	keep(data, 64 * KIB, 1);
	buffer_release(buffer, 1);
	for (uid_t uid = 1; uid <= BUFFER_USERS; uid++)
		buffer_release(buffer, uid);
}
END_TEST

START_TEST(test_buffer_with_little_is_not_kept)
{
	char *data = receive(64 * KIB);

	ck_assert(!buffer_keep(buffers->current, data, 16 * KIB, ANNA));
	ck_assert(!buffer_keep(buffers->current, data, BUFFER_KEEP_LEAST - 1, ANNA));
	ck_assert_uint_eq(charged(ANNA), 0);
}
END_TEST

START_TEST(test_buffer_does_not_keep_what_lies_elsewhere)
{
	char *elsewhere = calloc(1, MIB);

	ck_assert(!buffer_keep(buffers->current, elsewhere, MIB, ANNA));
	ck_assert(!buffer_keep(buffers->current, receive(1) + MIB, MIB, ANNA));
	ck_assert_uint_eq(charged(ANNA), 0);
	free(elsewhere);
}
END_TEST

START_TEST(test_buffer_leaves_half_of_the_quota)
{
	struct buffer *first;

	host.users.limits[USER_STORED] = 3 * BUFFER_SIZE;
	first = keep(receive(MIB), MIB, ANNA);
	ck_assert(!buffer_keep(buffers->current, receive(MIB), MIB, ANNA));
	ck_assert_uint_eq(charged(ANNA), BUFFER_SIZE);
	/*
	 * Keeping more of the same buffer costs nothing more, and what another user keeps is
	 * charged to that user.
	 */
	ck_assert(buffer_keep(first, first->memory + PAGE, MIB, ANNA));
	buffer_release(first, ANNA);
	buffer_release(keep(receive(MIB), MIB, BERT), BERT);
	buffer_release(first, ANNA);
}
END_TEST

/* A former daemon's buffers and the next one's, over the same memory. */
START_TEST(test_buffer_is_read_into_by_the_next_daemon)
{
	struct buffers former, next;
	struct state *state, *again;
	struct buffer *buffer;
	uint64_t noted = 0, place;
	char *data;

	ck_assert_int_eq(state_new(true, &state), 0);
	buffers_init(&former, &host.users, state, &noted);
	ck_assert_int_eq(buffers_begin(&former), 0);
	buffers = &former;
	data = receive(64 * KIB);
	keep(data, 64 * KIB, ANNA);
	place = buffers_place(&former, data);
	ck_assert_int_eq(state_restart(state, &again), 0);
	buffers_init(&next, &host.users, again, &noted);
	buffers_claim(&next);
	ck_assert_ptr_nonnull(next.current);
	buffer = buffers_adopt(&next, noted, place, 64 * KIB, BERT);
	state_settle(again);
	ck_assert_int_eq(buffers_begin(&next), 0);
	ck_assert_ptr_eq(buffer, next.current);
	ck_assert_uint_eq(noted, former.current->place);
	data = buffers_data(&next, place);
	ck_assert_int_eq(data[64 * KIB - 1], 'x');
	ck_assert(buffers_next(&next) >= data + 64 * KIB);
	buffer_release(buffer, BERT);
	ck_assert_ptr_eq(buffers_next(&next) + HEAD, data);
	buffer_release(former.current, ANNA);
	buffers_fini(&next);
	buffers_fini(&former);
	state_free(again);
	state_free(state);
}
END_TEST

START_TEST(test_buffer_spares_are_few)
{
	struct buffer *kept[2 * BUFFERS_SPARE];

	for (int i = 0; i < 2 * BUFFERS_SPARE; i++)
		kept[i] = keep(receive(MIB), MIB, ANNA);
	for (int i = 0; i < 2 * BUFFERS_SPARE; i++)
		buffer_release(kept[i], ANNA);
	ck_assert_uint_eq(buffers->n_spares, BUFFERS_SPARE);
	receive(MIB);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* AddressSanitizer needs memory itself */
/*
 * If there is no memory for the next request, nothing is kept: otherwise not even a request that
 * makes room could be read.
 */
START_TEST(test_buffer_without_memory_is_not_kept)
{
	struct rlimit before, none;
	char *place = buffers_next(buffers);
	char *data = receive(MIB);
	bool is_kept;

	must_call(getrlimit(RLIMIT_DATA, &before));
	none = before;
	none.rlim_cur = 1; /* 0 would mean no limit: linux/mm/mmap.c */
	must_call(setrlimit(RLIMIT_DATA, &none));
	is_kept = buffer_keep(buffers->current, data, MIB, ANNA);
	must_call(setrlimit(RLIMIT_DATA, &before));
	ck_assert(!is_kept);
	ck_assert_uint_eq(charged(ANNA), 0);
	ck_assert_ptr_eq(buffers_next(buffers), place);
}
END_TEST
#endif

int main(void)
{
	Suite *suite = suite_create("buffer");
	TCase *places, *charges;

	places = suite_add(suite, "places",
			   (const TTest *const[]){
				   test_buffer_has_room_for_the_longest_request,
				   test_buffer_of_which_nothing_is_kept_is_used_again,
				   test_buffer_next_request_comes_behind_what_is_kept,
				   test_buffer_that_is_full_is_followed_by_another,
				   test_buffer_keeps_its_bytes,
				   test_buffer_is_read_into_by_the_next_daemon,
				   test_buffer_spares_are_few,
#ifndef __SANITIZE_ADDRESS__
				   test_buffer_without_memory_is_not_kept,
#endif
				   NULL,
			   });
	charges = suite_add(suite, "charges",
			    (const TTest *const[]){
				    test_buffer_is_charged_whole_to_each_who_keeps,
				    test_buffer_with_too_many_users_is_not_kept,
				    test_buffer_with_little_is_not_kept,
				    test_buffer_does_not_keep_what_lies_elsewhere,
				    test_buffer_leaves_half_of_the_quota,
				    NULL,
			    });
	tcase_add_checked_fixture(places, setup, NULL);
	tcase_add_checked_fixture(charges, setup, NULL);
	return suite_run(suite);
}
