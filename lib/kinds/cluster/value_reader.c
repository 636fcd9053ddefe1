// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A read asks the stream's leader, so it sees every write that was acknowledged before. What was
 * asked for one read is not given to another much later: if the read is interrupted, the question
 * is dropped. Only who polls, or reads with O_NONBLOCK, has to be content with an answer to an
 * earlier question, and then with one that is not old.
 *
 * After the value comes its end, as in a file. A further read asks again, and gives the end once
 * more if the value is still the same.
 */
#include "lib/kinds/cluster/value_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"

/* How long an answer is good, and how long if a later change is known by then. */
#define GOOD_MOST  (10 * CLOCK_S)
#define GOOD_LEAST (100 * CLOCK_MS)
/* How long the server may take for one answer, and when it is asked again after a failure. */
#define ANSWER_MOST (5 * CLOCK_S)
#define PAUSE_LEAST (50 * CLOCK_MS)
#define PAUSE_MOST  CLOCK_S

static struct user_table *users_of(const struct value_reader *reader)
{
	return &reader->file->channel->space->host->users;
}

static struct cluster_object *object_of(const struct value_reader *reader)
{
	return &reader->value->object;
}

static struct cluster *cluster_of(const struct value_reader *reader)
{
	return object_of(reader)->cluster;
}

static void drop(struct value_reader *reader)
{
	user_uncharge(users_of(reader), reader->file->uid, USER_STORED, reader->charged);
	stored_message_fini(&reader->message);
	reader->message = (struct stored_message){0};
	reader->charged = 0;
}

/* Forgets the question or its answer. */
static void reset(struct value_reader *reader)
{
	nats_ask_forget(&reader->ask);
	alarm_cancel(&reader->again);
	repair_stop(&reader->repair);
	drop(reader);
	reader->phase = VALUE_IDLE;
}

static void fail(struct value_reader *reader, int error)
{
	reset(reader);
	reader->error = error;
	channel_wake(reader->file->channel, EPOLLIN);
}

static void send_question(struct value_reader *reader);

/* Asks again in a while, unless the time is over before that. Without a link, waits for it. */
static void ask_later(struct value_reader *reader)
{
	int64_t at = INT64_MAX;

	if (nats_link_is_up(cluster_of(reader)->link)) {
		at = clock_now() + reader->pause;
		reader->pause = reader->pause < PAUSE_MOST ? 2 * reader->pause : PAUSE_MOST;
	}
	if (reader->until && reader->until < at)
		at = reader->until;
	if (at != INT64_MAX)
		alarm_set(cluster_of(reader)->alarms, &reader->again, at);
}

static void rings(struct alarm *alarm)
{
	struct value_reader *reader = CONTAINER_OF(alarm, struct value_reader, again);

	if (reader->until && clock_now() >= reader->until)
		fail(reader, -ETIMEDOUT);
	else
		send_question(reader);
}

static void repaired(struct repair *repair, int result)
{
	struct value_reader *reader = CONTAINER_OF(repair, struct value_reader, repair);

	if (result == -EIDRM)
		fail(reader, result);
	else
		ask_later(reader);
}

/* Who only polled is not woken for a value that was given already. */
static void found(struct value_reader *reader)
{
	reader->phase = VALUE_THERE;
	reader->came = clock_now();
	if (reader->is_read || !reader->has_given || reader->message.sequence != reader->given)
		channel_wake(reader->file->channel, EPOLLIN);
	else
		reset(reader);
}

static int keep(struct value_reader *reader, const struct nats_message *message)
{
	int r = api_read_stored(message, &reader->message);

	if (r == -ENODATA) /* nothing was ever written */
		return 0;
	if (r < 0)
		return r;
	if (reader->message.is_deleted)
		reader->message.size = 0;
	r = user_charge(users_of(reader), reader->file->uid, USER_STORED, reader->message.size);
	if (r < 0)
		stored_message_fini(&reader->message);
	else
		reader->charged = reader->message.size;
	return r;
}

static void answered(struct nats_ask *ask, const struct nats_message *message, int error)
{
	struct value_reader *reader = CONTAINER_OF(ask, struct value_reader, ask);
	int r = message ? keep(reader, message) : error;

	switch (r) {
	case 0:
		found(reader);
		break;
	case -EIDRM:
		repair_begin(&reader->repair);
		break;
	case -EAGAIN:
	case -ENOTCONN:
	case -ETIMEDOUT:
		ask_later(reader);
		break;
	default:
		fail(reader, r);
	}
}

static void send_question(struct value_reader *reader)
{
	struct cluster *cluster = cluster_of(reader);
	CLEANUP_FREE char *text = api_get_last(object_of(reader)->subject);
	char subject[API_SUBJECT_SIZE];
	struct nats_post post = {.subject = subject};
	int64_t most = ANSWER_MOST;
	int r = -ENOMEM;

	if (reader->until && reader->until - clock_now() < most)
		most = reader->until - clock_now();
	reader->ask.answered = answered;
	api_subject("STREAM.MSG.GET", object_of(reader)->stream, NULL, subject);
	if (text) {
		post.data = text;
		post.size = strlen(text);
		r = nats_link_ask(cluster->link, &reader->ask, &post, most > 0 ? most : 1);
	}
	if (r == -ENOTCONN)
		ask_later(reader);
	else if (r < 0)
		fail(reader, r);
}

static void begin(struct value_reader *reader)
{
	int64_t timeout = cluster_of(reader)->host->remote.timeout;

	reset(reader);
	reader->phase = VALUE_ASKING;
	reader->seen = reader->value->newest;
	reader->until = timeout ? clock_now() + timeout : 0;
	reader->pause = PAUSE_LEAST;
	send_question(reader);
}

static bool is_old(const struct value_reader *reader)
{
	int64_t age = clock_now() - reader->came;

	return age > GOOD_MOST ||
	       (age > GOOD_LEAST && reader->value->newest > reader->message.sequence);
}

static void note_given(struct value_reader *reader)
{
	reader->has_given = true;
	reader->given = reader->message.sequence;
}

/* The answer has come. Returns whether it is a value to give, and not only an end. */
static bool has_value(struct value_reader *reader)
{
	value_note_next(reader->file, reader->message.sequence);
	if (reader->message.size &&
	    (!reader->has_given || reader->message.sequence != reader->given))
		return true;
	value_note_take(reader->file);
	value_note_end(reader->file);
	note_given(reader);
	reset(reader);
	return false;
}

static int ask(struct value_reader *reader)
{
	int r = reader->error;

	reader->error = 0;
	if (!object_of(reader)->is_named)
		r = -EIDRM;
	if (r < 0)
		return r;
	begin(reader);
	reader->is_read = true;
	return -EAGAIN;
}

int value_reader_next(struct value_reader *reader, const struct stored_message **ret_message)
{
	*ret_message = NULL;
	switch (reader->phase) {
	case VALUE_IDLE:
		return ask(reader);
	case VALUE_ASKING:
		reader->is_read = true;
		return -EAGAIN;
	case VALUE_THERE:
		if (is_old(reader))
			return ask(reader);
		if (has_value(reader))
			*ret_message = &reader->message;
		return 0;
	default:
		value_note_end(reader->file);
		reader->phase = VALUE_IDLE;
		return 0;
	}
}

void value_reader_take(struct value_reader *reader)
{
	value_note_take(reader->file);
	note_given(reader);
	drop(reader);
	reader->phase = VALUE_END;
}

void value_reader_untake(struct value_reader *reader)
{
	value_note_untake(reader->file);
	reader->has_given = false;
	reset(reader);
}

bool value_reader_poll(struct value_reader *reader)
{
	if (reader->error || !object_of(reader)->is_named)
		return true;
	switch (reader->phase) {
	case VALUE_END:
		return true;
	case VALUE_ASKING:
		return false;
	case VALUE_THERE:
		if (!is_old(reader))
			return true;
		break;
	default:
		if (reader->has_given && reader->seen == reader->value->newest)
			return false;
	}
	begin(reader);
	reader->is_read = false;
	return false;
}

/* The read that asked was interrupted: the answer would be given to a later one. */
void value_reader_attend(struct value_reader *reader, bool is_held)
{
	if (reader->phase == VALUE_ASKING && reader->is_held && !is_held)
		reset(reader);
	reader->is_held = is_held;
}

void value_reader_link_changed(struct value_reader *reader, bool is_up)
{
	if (reader->phase != VALUE_ASKING || !is_up || reader->ask.link)
		return;
	alarm_cancel(&reader->again);
	repair_stop(&reader->repair);
	send_question(reader);
}

void value_reader_end(struct value_reader *reader)
{
	if (reader->phase == VALUE_ASKING)
		fail(reader, -EIDRM);
}

int value_reader_new(struct file *file, struct value_reader **ret_reader)
{
	struct value_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return -ENOMEM;
	reader->file = file;
	reader->value = cluster_value_from(file->channel);
	reader->again.ring = rings;
	reader->repair.object = object_of(reader);
	reader->repair.done = repaired;
	*ret_reader = reader;
	return 0;
}

void value_reader_free(struct value_reader *reader)
{
	if (!reader)
		return;
	reset(reader);
	free(reader);
}
