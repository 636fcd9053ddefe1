// SPDX-License-Identifier: GPL-2.0-or-later
/* As a held request does, a call repeats its step each time its job is done. */
#include "tests/unit/kinds/cluster/fake_call.h"

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

bool fake_was_sent(const char *subject)
{
	const struct fake_post *post;

	for (post = fake_posts; post; post = post->next)
		if (strcmp(post->subject, subject) == 0)
			return true;
	return false;
}
