/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a client's job has ended, the client calls job_run() again, as a held request does, and ends
 * the test's wait.
 */
#include "tests/unit/client.h"

#include <unistd.h>

#include "lib/base/cleanup.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"

unsigned client_n_undone;
_Atomic unsigned client_n_acts;
static unsigned n_done;

static void undo(struct host *host_, struct caller *caller, void *data)
{
	client_n_undone++;
}

int client_act(void *data)
{
	struct client_work *work = data;

	client_n_acts++;
	work->uid = geteuid();
	work->tid = gettid();
	return work->result;
}

int client_act_wait(void *data)
{
	pause();
	return -EINTR;
}

int client_try(struct client *client)
{
	const struct job_call call = {.place = client->place,
				      .walks = client->walks,
				      .most = client->most,
				      .is_single = client->most,
				      .act = client->act ? client->act : client_act,
				      .undo = undo,
				      .data = &client->work,
				      .size = sizeof(client->work)};
	int r;

	client->n++;
	client->caller->waiter = &client->waiter;
	r = job_run(&host, client->caller, &call);
	client->caller->waiter = NULL;
	return r;
}

static void client_resume(struct waiter *waiter)
{
	struct client *client = CONTAINER_OF(waiter, struct client, waiter);

	client->result = client_try(client);
	client->is_done = true;
	client->order = ++n_done;
	loop_end();
}

void client_start(struct client *client)
{
	client->waiter.resume = client_resume;
	must_fail(client_try(client), EINPROGRESS);
}

int client_wait(struct client *client)
{
	loop_wait(&client->is_done);
	ck_assert_ptr_null(client->waiter.job);
	return client->result;
}

int client_run(struct client *client)
{
	client_start(client);
	return client_wait(client);
}
