// SPDX-License-Identifier: GPL-2.0-or-later
/* As a held request does, a call repeats its step each time its job is done. */
#include "tests/unit/kinds/cluster/fake_call.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "tests/unit/fixture.h"

static void take_step(struct fake_call *call)
{
	struct caller *caller = call->caller ? call->caller : &root;

	caller->waiter = &call->waiter;
	call->result = call->step(call, caller);
	caller->waiter = NULL;
	call->is_done = call->result != -EINPROGRESS;
}

static void resume(struct waiter *waiter)
{
	take_step(CONTAINER_OF(waiter, struct fake_call, waiter));
}

void fake_call(struct fake_call *call)
{
	call->waiter.resume = resume;
	take_step(call);
	loop_settle();
}

int fake_called(const struct fake_call *call)
{
	loop_settle();
	ck_assert(call->is_done);
	ck_assert_ptr_null(call->waiter.job);
	return call->result;
}

void fake_interrupt(struct fake_call *call)
{
	ck_assert(!call->is_done);
	ck_assert(!job_stop(&call->waiter));
	waiter_fini(&call->waiter);
	loop_settle();
}

void fake_reply(const char *subject, const char *part, const char *text)
{
	struct fake_post *post = fake_wait_for(subject);

	ck_assert_msg(!part || strstr(post->data, part), "%s: %s", subject, post->data);
	fake_answer(post, text, text ? 0 : 503);
	loop_settle();
}

/* Writes the text in base64. */
static void encode(const char *text, char *ret_data)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t size = strlen(text);

	for (size_t i = 0; i < size; i += 3) {
		unsigned n = (unsigned char)text[i] << 16;

		n |= i + 1 < size ? (unsigned)(unsigned char)text[i + 1] << 8 : 0;
		n |= i + 2 < size ? (unsigned)(unsigned char)text[i + 2] : 0;
		*ret_data++ = letters[n >> 18];
		*ret_data++ = letters[n >> 12 & 63];
		*ret_data++ = i + 1 < size ? letters[n >> 6 & 63] : '=';
		*ret_data++ = i + 2 < size ? letters[n & 63] : '=';
	}
	*ret_data = '\0';
}

void fake_give(const char *subject, const char *text)
{
	char data[1024], answer[1200];

	ck_assert_uint_lt(strlen(text), sizeof(data) / 4 * 3 - 3);
	encode(text, data);
	snprintf(answer, sizeof(answer),
		 "{\"message\":{\"subject\":\"x\",\"seq\":9,\"time\":"
		 "\"2026-11-28T16:00:00Z\",\"data\":\"%s\"}}",
		 data);
	fake_reply(subject, NULL, answer);
}

bool fake_was_sent(const char *subject)
{
	const struct fake_post *post;

	for (post = fake_posts; post; post = post->next)
		if (strcmp(post->subject, subject) == 0)
			return true;
	return false;
}

void fake_encode(const char *text, char *ret_data)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t size = strlen(text);

	for (size_t i = 0; i < size; i += 3) {
		unsigned n = (unsigned char)text[i] << 16;

		n |= i + 1 < size ? (unsigned)(unsigned char)text[i + 1] << 8 : 0;
		n |= i + 2 < size ? (unsigned)(unsigned char)text[i + 2] : 0;
		*ret_data++ = letters[n >> 18];
		*ret_data++ = letters[n >> 12 & 63];
		*ret_data++ = i + 1 < size ? letters[n >> 6 & 63] : '=';
		*ret_data++ = i + 2 < size ? letters[n & 63] : '=';
	}
	*ret_data = '\0';
}
