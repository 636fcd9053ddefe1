/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes use channels of all kinds at the same time, and the daemon is killed at random moments,
 * or replaced by another executable. No call fails, nothing is lost, and nothing comes twice where
 * that is promised.
 *
 * $IPCFS_TEST_KILLS is the number of kills, by default 100; $IPCFS_TEST_UPGRADES the number of
 * replacements.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"
#include "tests/mount/takeover.h"
#include "tests/mount/takeover_load.h"
#include "tests/mount/takeover_program.h"

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
static int n_kills, n_upgrades; /* so far */

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

/* Whoever opens a topic gets what is written from then on. (A FIFO's reader waits for a writer.) */
static bool have_joined(void *unused)
{
	for (int i = 0; i < N_MODELS; i++)
		if (models[i].seen && models[i].to_all && models[i].given < LOAD_READERS)
			return false;
	return true;
}

static void start_writers(void)
{
	ck_assert(wait_until(have_joined, NULL, 20000));
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
static void check_errors(void)
{
	for (int i = 0; i < N_MODELS + N_CHURN; i++)
		ck_assert_msg(!models[i].error, "%s, after %d kills and %d upgrades: %s: %s",
			      models[i].name, n_kills, n_upgrades, models[i].failed,
			      strerror(models[i].error));
}

static void pause_below(int milliseconds)
{
	nanosleep(&(struct timespec){.tv_nsec = random() % (milliseconds * 1000000L)}, NULL);
}

/* Lets the load run for a while. */
static void go_on(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	pause_below(18);
	check_errors();
	if (churn[2])
		kill(churn[2], SIGUSR1);
}

/* $NAME, or the usual number. */
static int wanted(const char *name, int usual)
{
	const char *text = getenv(name);

	return text && atoi(text) > 0 ? atoi(text) : usual;
}

static int wanted_kills(void)
{
	return wanted("IPCFS_TEST_KILLS", 100);
}

static int wanted_upgrades(void)
{
	return wanted("IPCFS_TEST_UPGRADES", 20);
}

static void kill_at_random(void)
{
	while (n_kills < wanted_kills()) {
		go_on();
		takeover_kill();
		n_kills++;
	}
}

static void upgrade(void)
{
	program_install();
	program_replace_begin();
	ck_assert_msg(program_replace_end(), "refused after %d upgrades", n_upgrades);
	ck_assert(program_is_installed());
	n_upgrades++;
}

static void upgrade_at_random(void)
{
	while (n_upgrades < wanted_upgrades()) {
		go_on();
		upgrade();
	}
}

/* The daemon that serves at first, or the next, or the one after that is killed. */
static void upgrade_and_kill(void)
{
	while (n_upgrades < wanted_upgrades()) {
		pid_t daemon = takeover_daemon(&ipc);

		go_on();
		program_install();
		program_replace_begin();
		pause_below(30);
		n_kills += kill(daemon, SIGKILL) == 0;
		ck_assert_msg(program_replace_end(), "refused after %d upgrades", n_upgrades);
		ck_assert(program_is_installed());
		n_upgrades++;
	}
}

static void be_refused(void)
{
	pid_t daemon = takeover_daemon(&ipc);

	for (int i = 0; i < wanted_upgrades(); i++) {
		go_on();
		program_install_other();
		program_replace_begin();
		ck_assert(!program_replace_end());
		ck_assert(!program_is_installed());
		ck_assert_int_eq(takeover_daemon(&ipc), daemon);
	}
	upgrade();
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
	check_errors();
	for (int i = 0; i < N_MODELS; i++)
		if (is_chosen(&models[i]))
			end_readers(i);
	for (int i = 0; i < N_CHURN; i++) {
		for (int n = 0; churn[i] && n < 2000 && !child_has_ended(churn[i], 10); n++)
			kill(churn[i], i == 2 ? SIGUSR1 : 0);
		if (churn[i])
			ck_assert_int_eq(child_end(churn[i]), 0);
	}
	check_errors();
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

static void run_load(void (*disturb)(void))
{
	srandom((unsigned int)getpid());
	models = load_share((N_MODELS + N_CHURN) * sizeof(*models));
	roles = load_share((N_MODELS + N_CHURN) * N_EACH * sizeof(*roles));
	load_state = load_share(sizeof(*load_state));
	start_readers();
	start_writers();
	disturb();
	nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	check_errors();
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
	printf("# kills: %d, upgrades: %d\n", n_kills, n_upgrades);
	fflush(stdout);
}

START_TEST(test_takeover_load_is_killed)
{
	run_load(kill_at_random);
}
END_TEST

START_TEST(test_takeover_load_is_upgraded)
{
	run_load(upgrade_at_random);
}
END_TEST

START_TEST(test_takeover_load_is_killed_in_an_upgrade)
{
	run_load(upgrade_and_kill);
}
END_TEST

START_TEST(test_takeover_load_is_not_harmed_by_another_version)
{
	run_load(be_refused);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("takeover_load");
	TCase *tcase = takeover_case(suite, "load", 60 + wanted_kills() / 2);

	tcase_add_test(tcase, test_takeover_load_is_killed);
	tcase = suite_case_set_up(suite, "upgrades", 60 + wanted_upgrades(), program_setup);
	tcase_add_test(tcase, test_takeover_load_is_upgraded);
	tcase_add_test(tcase, test_takeover_load_is_killed_in_an_upgrade);
	tcase_add_test(tcase, test_takeover_load_is_not_harmed_by_another_version);
	return suite_run(suite);
}
