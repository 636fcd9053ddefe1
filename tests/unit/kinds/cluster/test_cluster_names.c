// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What objects of cluster/ are called in NATS, both ways.
 */
#include "lib/kinds/cluster/cluster_names.h"

#include "tests/unit/fixture.h"

static const struct {
	const char *name, *key;
} names[] = {
	{"jobs", "jobs"},         {"a.b c", "a=2Eb=20c"},
	{"A-Z_0-9", "A-Z_0-9"},   {"=", "=3D"},
	{"*>", "=2A=3E"},         {"...", "=2E=2E=2E"},
	{".hidden", "=2Ehidden"}, {"\n\x7f\\", "=0A=7F=5C"},
	{"ü", "=C3=BC"},          {"\xff", "=FF"},
};

static const char *const strange_keys[] = {
	"",                                                     /* no name at all */
	"a.b",                                                  /* two tokens */
	"a b", "a*",  "a/b", "=2e",                             /* small letters */
	"=61",                                                  /* stands for itself */
	"=2D", "=5F", "=00", "=2Fetc", "a=2F", "=2E", "=2E=2E", /* . and .. */
	"=",   "=2",  "a=",  "a=2",    "==3D", "=G0", "=0G",    "=-1", "= 1", "\xc3\xbc",
};

START_TEST(test_cluster_key_from_name_and_back)
{
	char key[CLUSTER_KEY_SIZE], name[NAME_MAX + 1];

	must(cluster_key_from_name(names[_i].name, key));
	ck_assert_str_eq(key, names[_i].key);
	must(cluster_name_from_key(key, name));
	ck_assert_str_eq(name, names[_i].name);
}
END_TEST

START_TEST(test_cluster_name_from_key_refuses_what_no_name_gives)
{
	char name[NAME_MAX + 1] = "untouched";

	must_fail(cluster_name_from_key(strange_keys[_i], name), EINVAL);
	ck_assert_str_eq(name, "untouched");
}
END_TEST

/* Tries every byte, alone and behind another, so that "." is no special case. */
START_TEST(test_cluster_names_of_every_byte_come_back)
{
	for (int byte = 1; byte < 256; byte++) {
		char name[] = {'x', (char)byte, '\0'}, key[CLUSTER_KEY_SIZE], back[NAME_MAX + 1];

		if (byte == '/')
			continue;
		must(cluster_key_from_name(name, key));
		ck_assert_uint_eq(strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					      "0123456789-_="),
				  strlen(key));
		must(cluster_name_from_key(key, back));
		ck_assert_str_eq(back, name);
	}
}
END_TEST

START_TEST(test_cluster_key_from_name_has_a_limit)
{
	char name[NAME_MAX + 1] = "", key[CLUSTER_KEY_SIZE] = "untouched", back[NAME_MAX + 1];

	memset(name, 'n', CLUSTER_KEY_SIZE);
	must_fail(cluster_key_from_name(name, key), ENAMETOOLONG);
	ck_assert_str_eq(key, "untouched");
	name[CLUSTER_KEY_SIZE - 1] = '\0';
	must(cluster_key_from_name(name, key));
	must(cluster_name_from_key(key, back));
	ck_assert_str_eq(back, name);
	/* The last byte needs three, of which there is one. */
	name[CLUSTER_KEY_SIZE - 2] = '.';
	must_fail(cluster_key_from_name(name, key), ENAMETOOLONG);
	memset(name, '.', NAME_MAX);
	must_fail(cluster_key_from_name(name, key), ENAMETOOLONG);
}
END_TEST

START_TEST(test_cluster_name_from_key_refuses_long_keys)
{
	char key[4 * NAME_MAX], name[NAME_MAX + 1];

	memset(key, 'k', sizeof(key));
	key[sizeof(key) - 1] = '\0';
	must_fail(cluster_name_from_key(key, name), EINVAL);
	key[CLUSTER_KEY_SIZE] = '\0';
	must_fail(cluster_name_from_key(key, name), EINVAL);
	key[CLUSTER_KEY_SIZE - 1] = '\0';
	must(cluster_name_from_key(key, name));
}
END_TEST

START_TEST(test_cluster_stream_and_subject_are_told_by_the_sort)
{
	static const struct {
		const char *stream, *subject, *entry;
	} expected[CLUSTER_N_SORTS] = {
		[CLUSTER_QUEUES] = {"ipcfs-queues-a=2Eb", "ipcfs.queues.a=2Eb",
				    "$KV.ipcfs.queues.a=2Eb"},
		[CLUSTER_TOPICS] = {"ipcfs-topics-a=2Eb", "ipcfs.topics.a=2Eb",
				    "$KV.ipcfs.topics.a=2Eb"},
		[CLUSTER_VALUES] = {"KV_ipcfs-values-a=2Eb", "$KV.ipcfs-values-a=2Eb.value",
				    "$KV.ipcfs.values.a=2Eb"},
	};
	char stream[CLUSTER_STREAM_SIZE], subject[CLUSTER_SUBJECT_SIZE];
	char entry[CLUSTER_SUBJECT_SIZE];
	enum cluster_sort sort = (enum cluster_sort)_i;

	cluster_stream_name(sort, "a=2Eb", stream);
	ck_assert_str_eq(stream, expected[sort].stream);
	cluster_subject(sort, "a=2Eb", subject);
	ck_assert_str_eq(subject, expected[sort].subject);
	cluster_entry_subject(sort, "a=2Eb", entry);
	ck_assert_str_eq(entry, expected[sort].entry);
}
END_TEST

/* Two long names that differ in the last byte have different streams and subjects. */
START_TEST(test_cluster_names_are_never_cut)
{
	char key[CLUSTER_KEY_SIZE], text[CLUSTER_SUBJECT_SIZE], stream[CLUSTER_STREAM_SIZE];

	memset(key, 'k', sizeof(key));
	key[sizeof(key) - 2] = 'Z';
	key[sizeof(key) - 1] = '\0';
	cluster_stream_name((enum cluster_sort)_i, key, stream);
	ck_assert_int_eq(stream[strlen(stream) - 1], 'Z');
	cluster_entry_subject((enum cluster_sort)_i, key, text);
	ck_assert_int_eq(text[strlen(text) - 1], 'Z');
	cluster_subject((enum cluster_sort)_i, key, text);
	ck_assert_ptr_nonnull(strchr(text, 'Z'));
	if (_i == CLUSTER_VALUES)
		ck_assert_str_eq(strrchr(text, '.'), ".value");
}
END_TEST

START_TEST(test_cluster_parse_entry_subject_finds_the_object)
{
	char subject[CLUSTER_SUBJECT_SIZE], key[CLUSTER_KEY_SIZE], name[NAME_MAX + 1];
	enum cluster_sort sort = CLUSTER_N_SORTS;

	cluster_entry_subject((enum cluster_sort)_i, "a=2Eb", subject);
	must(cluster_parse_entry_subject(subject, &sort, key, name));
	ck_assert_int_eq(sort, _i);
	ck_assert_str_eq(key, "a=2Eb");
	ck_assert_str_eq(name, "a.b");
}
END_TEST

static const char *const strange_subjects[] = {
	"",
	"$KV.ipcfs",
	"$KV.ipcfs.",
	"$KV.ipcfs.queues",
	"$KV.ipcfs.queues.",
	"$KV.ipcfs.queue.a",
	"$KV.ipcfs.queuess.a",
	"$KV.ipcfs..a",
	"$KV.ipcfs.queues.a.b",
	"$KV.ipcfs.queues.=2E",
	"$KV.ipcfs2.queues.a",
	"$KV.other.queues.a",
	"KV.ipcfs.queues.a",
};

START_TEST(test_cluster_parse_entry_subject_refuses_others)
{
	char key[CLUSTER_KEY_SIZE], name[NAME_MAX + 1];
	enum cluster_sort sort;

	must_fail(cluster_parse_entry_subject(strange_subjects[_i], &sort, key, name), EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cluster_names");

	suite_add_loop(suite, "names",
		       (const TTest *const[]){test_cluster_key_from_name_and_back, NULL},
		       sizeof(names) / sizeof(*names));
	suite_add_loop(
		suite, "strange keys",
		(const TTest *const[]){test_cluster_name_from_key_refuses_what_no_name_gives, NULL},
		sizeof(strange_keys) / sizeof(*strange_keys));
	suite_add(suite, "limits",
		  (const TTest *const[]){
			  test_cluster_names_of_every_byte_come_back,
			  test_cluster_key_from_name_has_a_limit,
			  test_cluster_name_from_key_refuses_long_keys,
			  NULL,
		  });
	suite_add_loop(suite, "sorts",
		       (const TTest *const[]){
			       test_cluster_stream_and_subject_are_told_by_the_sort,
			       test_cluster_names_are_never_cut,
			       test_cluster_parse_entry_subject_finds_the_object,
			       NULL,
		       },
		       CLUSTER_N_SORTS);
	suite_add_loop(
		suite, "strange subjects",
		(const TTest *const[]){test_cluster_parse_entry_subject_refuses_others, NULL},
		sizeof(strange_subjects) / sizeof(*strange_subjects));
	return suite_run(suite);
}
