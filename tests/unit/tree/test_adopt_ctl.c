// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is left of ctl when the daemon has been killed: the lines that were done are done, the line
 * that was under way begins again, and whoever has the file open goes on.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/channel/folder.h"
#include "lib/kinds/kinds.h"
#include "lib/tree/ctl.h"
#include "lib/tree/ctl_opener.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"

enum { REQUEST = 7, PIECE = 4096 };

static struct folder *tree;

/* Makes the root, in this daemon and in the next ones. */
static void begin(void)
{
	struct entry ctl = {0};

	must(folder_new(&host, "", &tree));
	host.top = folder_space(tree);
	must(ctl_new(host.top, &ctl.channel));
	must(folder_add(tree, "ctl", ctl));
}

static void end(struct file *file)
{
	channel_release(file);
	folder_clear(folder_space(tree));
	space_unref(folder_space(tree));
}

static struct file *open_as(int flags, struct caller *caller)
{
	struct entry entry = {0};
	struct file *file = NULL;

	must(space_find(folder_space(tree), "ctl", &root, &entry));
	must(object_open_as(entry.channel, flags, caller, &file));
	entry_unref(&entry);
	return file;
}

static struct file *open_ctl(int flags)
{
	adopt_open(&event_kind);
	adopt_prepare = begin;
	begin();
	return open_as(flags, &root);
}

static uint64_t request = REQUEST;

/* Writes as op_write() does. Returns what was accepted, or the error. */
static ssize_t write_from(struct file *file, const char *text, size_t done)
{
	size_t size = strlen(text);
	ssize_t n = 0;

	journal_take_up(&host, request);
	journal_write(file, done);
	while (done < size) {
		n = channel_write(file, text + done, size - done, (off_t)done);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done ? (ssize_t)done : n;
}

static void answer(void)
{
	journal_write_end(&host);
	journal_take_up(&host, 0);
}

static void write_all(struct file *file, const char *text)
{
	ck_assert_int_eq(write_from(file, text, 0), (ssize_t)strlen(text));
	answer();
}

/* The same write comes again, and is answered. */
static ssize_t write_again(struct file *file, const char *text, size_t expected)
{
	size_t done;
	ssize_t n;

	host.journal->request = REQUEST;
	adopt_again(REQUEST);
	done = journal_done(&host, REQUEST);
	ck_assert_uint_eq(done, expected);
	n = write_from(file, text, done);
	answer();
	return n;
}

static struct file *restart(struct file *file)
{
	host.journal->request = 0;
	adopt_restart();
	ck_assert_uint_eq(adopt_n_lost, 0);
	file = adopted_file(file);
	ck_assert_ptr_nonnull(file);
	return file;
}

static bool is_there(const char *name)
{
	struct channel *channel = NULL;
	int r = object_lookup(adopted_space(&event_kind), name, &channel);

	channel_unref(channel);
	return r == 0;
}

static void expect_text(struct file *file, const char *words, bool is_in)
{
	const void *data = NULL;
	char text[16384];
	ssize_t n, size = 0;

	while ((n = must(channel_read(file, 1000, size, &data))) > 0) {
		memcpy(text + size, data, (size_t)n);
		channel_given(file, true);
		size += n;
	}
	text[size] = '\0';
	ck_assert_msg(!strstr(text, words) == !is_in, "%s", text);
}

/* A line that was not begun is not taken for the one that was done. */
START_TEST(test_ctl_goes_on_behind_the_lines_that_are_done)
{
	static const char text[] = "remove queues/a\nremove queues/b\n";
	struct space *space = adopt_open(&queue_kind);
	struct file *file = open_ctl(O_WRONLY);
	char first[sizeof(text)];

	object_unref(object_make(space, "a"));
	object_unref(object_make(space, "b"));
	snprintf(first, sizeof(first), "%.16s", text);
	ck_assert_int_eq(write_from(file, first, 0), 16);
	adopt_again(REQUEST);
	file = restart(file);
	ck_assert_int_eq(write_again(file, text, 16), 32);
	must_fail(object_lookup(adopted_space(&queue_kind), "b", NULL), ENOENT);
	end(file);
}
END_TEST

START_TEST(test_ctl_counts_each_line_once_in_whatever_daemon)
{
	struct file *file = open_ctl(O_WRONLY);

	write_all(file, "create events/a\n");
	file = restart(file);
	ck_assert(is_there("a"));
	ck_assert_uint_eq(journal_done(&host, REQUEST), 0);
	write_all(file, "remove events/a\n");
	file = restart(file);
	ck_assert(!is_there("a"));
	must_fail(write_from(file, "remove events/a\n", 0), ENOENT);
	answer();
	channel_release(file);
	file = open_as(O_RDONLY, &root);
	expect_text(file, "line 3: ", true);
	end(file);
}
END_TEST

/* Runs the line, and leaves the records as they are when its object was made, but no more. */
static void half_run(struct file *file, const char *line, bool is_noted)
{
	struct ctl_record *record = ((struct ctl_opener *)file->state)->record;
	struct ctl_progress before = record->progress;
	uint64_t accepted = file->channel->record->words[0];

	ck_assert_int_eq(write_from(file, line, 0), (ssize_t)strlen(line));
	file->channel->record->words[0] = accepted;
	record->progress = before;
	record->progress.has_made = is_noted;
	adopt_again(REQUEST);
}

START_TEST(test_ctl_completes_what_it_has_made)
{
	static const char line[] = "create events/a mode=640\n";
	struct file *file = open_ctl(O_WRONLY);

	half_run(file, line, true);
	file = restart(file);
	ck_assert_int_eq(write_again(file, line, 0), (ssize_t)strlen(line));
	ck_assert(is_there("a"));
	/* The next line is not the one that was begun, even if it is in the same write. */
	must_fail(write_from(file, line, 0), EEXIST);
	answer();
	write_all(file, "remove events/a\n");
	end(file);
}
END_TEST

START_TEST(test_ctl_makes_what_has_gone_again)
{
	static const char line[] = "create events/a\n";
	struct file *file = open_ctl(O_WRONLY);

	half_run(file, line, true);
	must(space_remove(adopted_space(&event_kind), "a", &root));
	file = restart(file);
	ck_assert_int_eq(write_again(file, line, 0), (ssize_t)strlen(line));
	ck_assert(is_there("a"));
	write_all(file, "remove events/a\n");
	end(file);
}
END_TEST

/* The daemon was killed before the object was complete: it is not there, and is made again. */
START_TEST(test_ctl_makes_what_was_not_complete_again)
{
	static const char line[] = "create events/a\n";
	struct file *file = open_ctl(O_WRONLY);
	struct channel *made;

	half_run(file, line, true);
	made = object_find(adopted_space(&event_kind), "a");
	made->record->made = REQUEST;
	channel_unref(made);
	file = restart(file);
	ck_assert(!is_there("a"));
	ck_assert_int_eq(write_again(file, line, 0), (ssize_t)strlen(line));
	ck_assert(is_there("a"));
	write_all(file, "remove events/a\n");
	end(file);
}
END_TEST

START_TEST(test_ctl_is_interrupted_if_it_may_find_its_own_work)
{
	static const char line[] = "create events/a\n";
	struct file *file = open_ctl(O_RDWR);

	half_run(file, line, false);
	file = restart(file);
	must_fail(write_again(file, line, 0), EINTR);
	expect_text(file, "create events/a: interrupted", true);
	half_run(file, "remove events/a\n", false);
	file = restart(file);
	ck_assert_int_eq(write_again(file, "remove events/a\n", 0), 16); /* the journal knows */
	/* What was not begun before gets the error as it is. */
	request = REQUEST + 1;
	must_fail(write_from(file, "remove events/a\n", 0), ENOENT);
	answer();
	end(file);
}
END_TEST

/* The count says that the line is done, but the file's own part is not written yet. */
START_TEST(test_ctl_accepts_a_line_in_one_step)
{
	static const char line[] = "create events/a\n";
	struct file *file = open_ctl(O_WRONLY);
	struct ctl_record *record = ((struct ctl_opener *)file->state)->record;
	struct ctl_progress before = record->progress;

	ck_assert_int_eq(write_from(file, line, 0), (ssize_t)strlen(line));
	record->progress = before;
	record->progress.has_made = true;
	adopt_again(REQUEST);
	file = restart(file);
	record = ((struct ctl_opener *)file->state)->record;
	ck_assert_uint_eq(record->progress.n_lines, 1);
	ck_assert_uint_eq(record->progress.n_taken, strlen(line));
	ck_assert_uint_eq(record->progress.has_made, 0);
	ck_assert_int_eq(write_again(file, line, strlen(line)), (ssize_t)strlen(line));
	write_all(file, "remove events/a\n");
	end(file);
}
END_TEST

START_TEST(test_ctl_keeps_the_beginning_of_a_line)
{
	struct file *file = open_ctl(O_WRONLY);
	char text[PIECE + 1];

	/* stdio's first piece ends within the line. */
	memset(text, '#', PIECE);
	memcpy(text + PIECE - 16, "\ncreate events/l", 16);
	text[PIECE] = '\0';
	write_all(file, text);
	file = restart(file);
	write_all(file, "ong\n");
	ck_assert(is_there("long"));
	write_all(file, "remove events/long\n");
	end(file);
}
END_TEST

START_TEST(test_ctl_acts_for_whoever_has_opened_it)
{
	struct file *file;
	struct caller *opener;
	struct channel *made;

	channel_release(open_ctl(O_WRONLY));
	file = open_as(O_WRONLY, &stranger);
	opener = &((struct ctl_opener *)file->state)->caller;
	opener->umask = 027;
	((struct ctl_opener *)file->state)->record->umask = 027;
	file = restart(file);
	opener = &((struct ctl_opener *)file->state)->caller;
	ck_assert_uint_eq(opener->uid, STRANGER);
	ck_assert_uint_eq(opener->gid, STRANGER);
	ck_assert_uint_eq(opener->umask, 027);
	ck_assert_uint_eq(opener->capabilities, 0);
	write_all(file, "create events/a\n");
	made = object_find(adopted_space(&event_kind), "a");
	ck_assert_uint_eq(object_stat(made).st_mode & 0777, 0640);
	ck_assert_uint_eq(object_stat(made).st_uid, STRANGER);
	channel_unref(made);
	write_all(file, "remove events/a\n");
	end(file);
}
END_TEST

START_TEST(test_ctl_is_read_on_where_the_reader_was)
{
	const void *data = NULL;
	struct file *file = open_ctl(O_RDWR);
	char first[17] = "", *again = first + 8;

	ck_assert_int_eq(must(channel_read(file, 8, 0, &data)), 8);
	memcpy(first, data, 8);
	channel_given(file, true);
	ck_assert_int_eq(must(channel_read(file, 8, 0, &data)), 8);
	memcpy(again, data, 8);
	/* This one was not answered: it comes again. */
	host.journal->reader = REQUEST;
	adopt_again(REQUEST);
	file = restart(file);
	ck_assert(file->is_stream);
	ck_assert_int_eq(must(channel_read(file, 8, 0, &data)), 8);
	ck_assert_mem_eq(data, again, 8);
	channel_given(file, true);
	expect_text(file, first, false);
	ck_assert_int_eq(channel_read(file, 8, 0, &data), 0);
	file = restart(file);
	ck_assert_int_eq(channel_read(file, 8, 0, &data), 0);
	end(file);
}
END_TEST

START_TEST(test_ctl_shows_its_text_and_the_last_error_after_that)
{
	struct file *file = open_ctl(O_WRONLY), *text;

	must_fail(write_from(file, "create nonsense\n", 0), EINVAL);
	answer();
	text = open_as(O_RDONLY, &root);
	file = restart(file);
	text = adopted_file(text);
	expect_text(text, "nonsense: not of the form KIND/NAME", true);
	channel_release(text);
	text = open_as(O_RDONLY, &root);
	expect_text(text, "nonsense: not of the form KIND/NAME", true);
	channel_release(text);
	text = open_as(O_RDONLY, &stranger);
	expect_text(text, "nonsense", false);
	channel_release(text);
	end(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt_ctl");

	suite_add(suite, "ctl",
		  (const TTest *const[]){
			  test_ctl_goes_on_behind_the_lines_that_are_done,
			  test_ctl_counts_each_line_once_in_whatever_daemon,
			  test_ctl_completes_what_it_has_made,
			  test_ctl_makes_what_has_gone_again,
			  test_ctl_makes_what_was_not_complete_again,
			  test_ctl_is_interrupted_if_it_may_find_its_own_work,
			  test_ctl_accepts_a_line_in_one_step,
			  test_ctl_keeps_the_beginning_of_a_line,
			  test_ctl_acts_for_whoever_has_opened_it,
			  test_ctl_is_read_on_where_the_reader_was,
			  test_ctl_shows_its_text_and_the_last_error_after_that,
			  NULL,
		  });
	return suite_run(suite);
}
