/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes use channels of all kinds at the same time, and the daemon is killed at random moments.
 * No call fails, nothing is lost, and nothing comes twice where that is promised.
 *
 * $IPCFS_TEST_KILLS is the number of kills, by default 100.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"
#include "tests/mount/takeover.h"
#include "tests/mount/takeover_load.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { N_MODELS = 10, N_CHURN = 3, N_EACH = LOAD_WRITERS + LOAD_READERS };

static struct load_model *models; /* of the channels, then of the churn */
static struct load_role *roles;
static pid_t writers[N_MODELS][LOAD_WRITERS], readers[N_MODELS][LOAD_READERS], churn[N_CHURN];
static int n_kills = 100;

static const struct {
	const char *name;
	int (*body)(void *role);
} churns[N_CHURN] = {
	{"looking around", load_look_around},
	{"ctl", load_command},
	{"interrupted reads", load_be_interrupted},
};

/* CK_RUN_CASE cannot choose a model, so this does: a word of the models' names. */
static bool is_chosen(const struct load_model *model)
{
	const char *words = getenv("IPCFS_TEST_MODELS");

	return !words || strstr(words, model->name);
}

static struct load_role *role_of(int model, int which)
{
	struct load_role *role = &roles[model * N_EACH + which];

	*role = (struct load_role){.model = &models[model], .which = which};
	return role;
}

static bool are_open(void *unused)
{
	for (int i = 0; i < N_MODELS; i++)
		if (models[i].seen && models[i].given < LOAD_READERS && !models[i].error)
			return false;
	return true;
}

static void start_readers(void)
{
	size_t size = LOAD_READERS * LOAD_WRITERS * (size_t)LOAD_NUMBERS;

	for (int i = 0; i < N_MODELS; i++) {
		models[i] = load_models[i];
		look_command(models[i].command);
		if (i < 5 && is_chosen(&models[i]))
			models[i].seen = load_share(size);
		for (int k = 0; k < LOAD_READERS && models[i].read && is_chosen(&models[i]); k++) {
			readers[i][k] = child_start(models[i].read, role_of(i, k));
		}
	}
}

static bool is_ready(void *model)
{
	return ((struct load_model *)model)->given > 0;
}

static void start_writers(void)
{
	for (int i = 0; i < N_MODELS; i++)
		for (int k = 0; k < LOAD_WRITERS && is_chosen(&models[i]); k++) {
			struct load_role *role = role_of(i, LOAD_READERS + k);

			role->which = k;
			writers[i][k] = child_start(models[i].write, role);
		}
	ck_assert(wait_until(are_open, NULL, 20000));
	for (int i = 0; i < N_CHURN; i++) {
		models[N_MODELS + i].name = churns[i].name;
		if (is_chosen(&models[N_MODELS + i]))
			churn[i] = child_start(churns[i].body, role_of(N_MODELS + i, i));
	}
	/* Before it is ready, the signal would kill it. */
	if (churn[2])
		ck_assert(wait_until(is_ready, &models[N_MODELS + 2], 20000));
}

/* A model that is broken shows at once, so that the log's last lines are about it. */
static void check_errors(int kill)
{
	for (int i = 0; i < N_MODELS + N_CHURN; i++)
		ck_assert_msg(!models[i].error, "%s, after %d kills: %s: %s", models[i].name, kill,
			      models[i].failed, strerror(models[i].error));
}

static void kill_at_random(void)
{
	for (int i = 0; i < n_kills; i++) {
		struct timespec pause = {.tv_nsec = 2000000 + random() % 18000000};

		nanosleep(&pause, NULL);
		check_errors(i);
		if (churn[2])
			kill(churn[2], SIGUSR1);
		takeover_kill();
	}
	nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	check_errors(n_kills);
}

static bool is_empty(void *model)
{
	const struct load_model *self = model;

	return self->taken >= self->given || self->error;
}

/* Readers of messages end by a last message; the others when they are interrupted. */
static void end_readers(int i)
{
	static const struct load_message last = {.writer = LOAD_WRITERS};

	if (models[i].seen) {
		int n = models[i].to_all ? 1 : LOAD_READERS;
		int fd = channel_open(models[i].name, O_WRONLY);

		for (int k = 0; k < n; k++)
			ck_assert_int_eq(must(write(fd, &last, sizeof(last))), sizeof(last));
		must(close(fd));
	} else if (models[i].given) {
		ck_assert_msg(wait_until(is_empty, &models[i], 20000),
			      "%s: %lld were given, %lld taken", models[i].name, models[i].given,
			      models[i].taken);
	}
	for (int k = 0; k < LOAD_READERS; k++) {
		if (readers[i][k] && models[i].given && !models[i].seen)
			must(kill(readers[i][k], SIGKILL));
		if (readers[i][k])
			child_end(readers[i][k]);
	}
}

static void end(void)
{
	load_state->is_over = true;
	for (int i = 0; i < N_MODELS; i++) {
		for (int k = 0; k < LOAD_WRITERS; k++) {
			if (!writers[i][k])
				continue;
			ck_assert_msg(child_has_ended(writers[i][k], 20000), "%s: a writer hangs",
				      models[i].name);
			ck_assert_int_eq(child_end(writers[i][k]), 0);
		}
	}
	check_errors(n_kills);
	for (int i = 0; i < N_MODELS; i++)
		if (is_chosen(&models[i]))
			end_readers(i);
	for (int i = 0; i < N_CHURN; i++) {
		for (int n = 0; churn[i] && n < 2000 && !child_has_ended(churn[i], 10); n++)
			kill(churn[i], i == 2 ? SIGUSR1 : 0);
		if (churn[i])
			ck_assert_int_eq(child_end(churn[i]), 0);
	}
	check_errors(n_kills);
}

/* Everything that was sent has come. */
static void check_messages(const struct load_model *model)
{
	int n_places = model->to_all ? LOAD_READERS : 1;

	for (int reader = 0; reader < n_places; reader++)
		for (int writer = 0; writer < LOAD_WRITERS; writer++)
			for (unsigned int i = 1; i <= model->n_sent[writer]; i++) {
				size_t place = (size_t)reader * LOAD_WRITERS + (size_t)writer;

				ck_assert_msg(model->seen[place * LOAD_NUMBERS + i],
					      "%s: message %u of %u of writer %d is lost",
					      model->name, i, model->n_sent[writer], writer);
			}
	ck_assert_msg(model->n_twice <= (model->may_double ? (unsigned int)n_kills : 0),
		      "%s: %u messages of %u came twice", model->name, model->n_twice,
		      model->n_read);
}

START_TEST(test_takeover_load)
{
	unsigned int seed = (unsigned int)getpid();

	srandom(seed);
	models = load_share((N_MODELS + N_CHURN) * sizeof(*models));
	roles = load_share((N_MODELS + N_CHURN) * N_EACH * sizeof(*roles));
	load_state = load_share(sizeof(*load_state));
	start_readers();
	start_writers();
	kill_at_random();
	end();
	for (int i = 0; i < N_MODELS + N_CHURN; i++) {
		if (is_chosen(&models[i]))
			printf("# %s: %u\n", models[i].name, models[i].n_read);
		if (models[i].seen)
			check_messages(&models[i]);
		else
			ck_assert_msg(models[i].taken == models[i].given || i >= N_MODELS,
				      "%s: %lld were given, %lld taken", models[i].name,
				      models[i].given, models[i].taken);
	}
	fflush(stdout);
}
END_TEST

int main(void)
{
	const char *kills = getenv("IPCFS_TEST_KILLS");
	Suite *suite = suite_create("takeover_load");
	TCase *tcase;

	if (kills && atoi(kills) > 0)
		n_kills = atoi(kills);
	tcase = takeover_case(suite, "load", 60 + n_kills / 2);
	tcase_add_test(tcase, test_takeover_load);
	return suite_run(suite);
}
