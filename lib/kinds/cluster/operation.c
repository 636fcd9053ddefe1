// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The life of an operation. It begins in the turn after its job, so a job never ends while it
 * begins. Then each answer leads to the next step. What an operation waits for is always one of
 * three: the link (link_changed() gives it a turn then), the end of a pause, or an answer.
 */
#include "lib/kinds/cluster/operation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/kinds/cluster/operation_state.h"

/* How long the servers may take for an answer. Then the question may have been lost. */
#define ANSWER_MOST (5 * CLOCK_S)
/* The first pause and the longest, after an error that passes. */
#define PAUSE_LEAST (20 * CLOCK_MS)
#define PAUSE_MOST  CLOCK_S
/* How long such errors are taken to pass: electing a leader takes a few seconds. */
#define PATIENCE (10 * CLOCK_S)
/* How long an operation may go on when nobody waits for it any more. */
#define ALONE_MOST (300 * CLOCK_S)

void operation_free(struct cluster_operation *operation)
{
	struct operations *operations = operation->cluster->operations;

	nats_ask_forget(&operation->ask);
	if (operation->is_stored)
		bucket_forget(&operation->put);
	alarm_cancel(&operation->late);
	alarm_cancel(&operation->again);
	loop_cancel(operation->cluster->host->loop, &operation->turn);
	DL_DELETE(operations->all, operation);
	if (operation->kind->fini)
		operation->kind->fini(operation);
	free(operation);
}

/* Answers the request. What was begun goes on without it. */
static void end(struct cluster_operation *operation, int result)
{
	struct job *job = TAKE_PTR(operation->job);

	operation->result = NULL;
	operation_free(operation);
	if (job)
		job_end(job, result);
}

static void finish(struct cluster_operation *operation)
{
	int r = operation->error;

	if (r == 0 && operation->kind->finish)
		r = operation->kind->finish(operation, operation->result);
	end(operation, r);
}

/* Ends the operation, or begins to undo it. Returns false if it has ended. */
static bool fail(struct cluster_operation *operation, int error)
{
	if (operation->error || !operation->has_begun || !operation->kind->undo) {
		end(operation, operation->error ? operation->error : error);
		return false;
	}
	operation->error = error;
	operation->step = operation->kind->undo;
	operation->is_unsure = false;
	operation->pause = operation->patience = 0;
	return true;
}

/* Pauses, or fails with `error` if it does not pass. Returns false if the operation has ended. */
static bool pause_for(struct cluster_operation *operation, int error)
{
	int64_t now = clock_now();

	if (!operation->patience)
		operation->patience = now + PATIENCE;
	if (operation->job && now >= operation->patience)
		return fail(operation, error);
	operation->pause = operation->pause ? operation->pause * 2 : PAUSE_LEAST;
	if (operation->pause > PAUSE_MOST)
		operation->pause = PAUSE_MOST;
	alarm_set(operation->cluster->alarms, &operation->again, now + operation->pause);
	return true;
}

/* Goes where a step says. Returns false if the operation has ended or has to wait. */
static bool follow(struct cluster_operation *operation, int result)
{
	switch (result) {
	case OPERATION_ASKED:
		operation->is_asked = true;
		return false;
	case OPERATION_LATER:
		return pause_for(operation, -EBUSY) && !alarm_is_set(&operation->again);
	case OPERATION_DONE:
		finish(operation);
		return false;
	case OPERATION_AGAIN:
		operation->pause = operation->patience = 0;
		return true;
	default:
		break;
	}
	if (result < 0)
		return fail(operation, result);
	operation->step++;
	operation->is_unsure = false;
	operation->pause = operation->patience = 0;
	return true;
}

/* Takes steps until the operation has to wait or has ended. */
static void take_turn(struct loop_task *task)
{
	struct cluster_operation *operation = CONTAINER_OF(task, struct cluster_operation, turn);
	int r;

	do {
		if (!operation->step->begin) {
			finish(operation);
			return;
		}
		if (!nats_link_is_up(operation->cluster->link))
			return;
		r = operation->step->begin(operation);
		if (r == -ENOTCONN) /* the link has just gone down */
			r = OPERATION_LATER;
	} while (follow(operation, r));
}

void operation_turn(struct cluster_operation *operation)
{
	loop_defer(operation->cluster->host->loop, &operation->turn);
}

/* The steps go on in a turn of their own: the caller is within the link. */
void operation_go_on(struct cluster_operation *operation, int result)
{
	operation->is_asked = false;
	if (follow(operation, result))
		operation_turn(operation);
}

/*
 * An answer did not come. Whether the link is down or the server was silent: the question is asked
 * again, when the link is up.
 */
static void not_answered(struct cluster_operation *operation)
{
	operation->is_unsure = true;
	operation_turn(operation);
}

/* An error that means that the same may succeed soon. */
static bool is_passing(int error)
{
	return error == -EAGAIN || error == -ENOTCONN;
}

static void passing(struct cluster_operation *operation, int error)
{
	if (pause_for(operation, error == -EAGAIN ? -EBUSY : -EHOSTDOWN) &&
	    !alarm_is_set(&operation->again))
		operation_turn(operation); /* to undo it */
}

static void answered(struct nats_ask *ask, const struct nats_message *message, int error)
{
	struct cluster_operation *operation = CONTAINER_OF(ask, struct cluster_operation, ask);
	int r;

	operation->is_asked = false;
	if (!message) {
		not_answered(operation);
		return;
	}
	r = api_check(message, &operation->code);
	if (is_passing(r))
		passing(operation, r);
	else
		operation_go_on(operation, operation->step->answered(operation, message, r));
}

static void stored(struct bucket_put *put, int error, uint64_t revision)
{
	struct cluster_operation *operation = CONTAINER_OF(put, struct cluster_operation, put);

	operation->is_stored = operation->is_asked = false;
	operation->is_unsure |= error == -ENOTCONN;
	if (error == -ETIMEDOUT)
		not_answered(operation);
	else if (is_passing(error))
		passing(operation, error);
	else if (error < 0 && error != -EEXIST)
		operation_go_on(operation, error);
	else
		operation_go_on(operation, operation->step->stored(operation, error, revision));
}

int operation_ask(struct cluster_operation *operation, const char *subject, const char *text)
{
	struct nats_post post = {.subject = subject, .data = text};
	int r;

	if (!text)
		return -ENOMEM;
	post.size = strlen(text);
	operation->ask.answered = answered;
	r = nats_link_ask(operation->cluster->link, &operation->ask, &post, ANSWER_MOST);
	return r < 0 ? r : OPERATION_ASKED;
}

int operation_store(struct cluster_operation *operation, const struct operation_entry *entry)
{
	CLEANUP_FREE char *text = entry->entry ? api_entry_text(entry->entry) : NULL;
	int r;

	if (entry->entry && !text)
		return -ENOMEM;
	operation->put.done = stored;
	r = bucket_put(operation->cluster->bucket, &operation->put, entry->sort, entry->key, text,
		       entry->revision);
	operation->is_stored = r == 0;
	return r < 0 ? r : OPERATION_ASKED;
}

/* Alarms. */

/*
 * Gives up what nobody waits for, unless the link is down: then it costs nothing to wait for it.
 * What stays half made is mended when it is used (cluster_look()), or made anew.
 */
static void ring_alone(struct cluster_operation *operation)
{
	if (nats_link_is_up(operation->cluster->link))
		operation_free(operation);
	else
		operation_leave_alone(operation);
}

void operation_leave_alone(struct cluster_operation *operation)
{
	alarm_set(operation->cluster->alarms, &operation->late, clock_now() + ALONE_MOST);
}

/* Answers the request, which has waited for long enough, and goes on only if that is needed. */
static void ring_late(struct alarm *alarm)
{
	struct cluster_operation *operation = CONTAINER_OF(alarm, struct cluster_operation, late);
	struct job *job;

	if (!operation->job) {
		ring_alone(operation);
		return;
	}

	if (!operation->has_begun) {
		end(operation, -ETIMEDOUT);
		return;
	}
	job = TAKE_PTR(operation->job);
	operation->result = NULL;
	operation_leave_alone(operation);
	job_end(job, operation->error ? operation->error : -ETIMEDOUT);
}

static void ring_again(struct alarm *alarm)
{
	operation_turn(CONTAINER_OF(alarm, struct cluster_operation, again));
}

void operation_init(struct cluster_operation *operation)
{
	operation->step = operation->kind->steps;
	operation->turn.run = take_turn;
	operation->late.ring = ring_late;
	operation->again.ring = ring_again;
	DL_APPEND(operation->cluster->operations->all, operation);
}
