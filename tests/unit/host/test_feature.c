/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel can do: which features are probed, which the connection reports, and which are
 * turned off.
 */
#include <errno.h>
#include <string.h>

#include "lib/host/feature.h"
#include "tests/unit/fixture.h"

#define BIT(feature) (1U << (feature))

/* Features that need a right that only root has. */
#define OF_ROOT (BIT(FEATURE_OPEN_TREE) | BIT(FEATURE_MQUEUE_MOUNT) | BIT(FEATURE_MAP_FILES))
/* Features that only INIT reports. */
#define OF_CONNECTION                                                          \
	(BIT(FEATURE_PASSTHROUGH) | BIT(FEATURE_RESEND) | BIT(FEATURE_PRUNE) | \
	 BIT(FEATURE_POSIX_ACL))

START_TEST(test_features_nothing_is_there_before_it_is_asked)
{
	struct features features = {0};

	for (int i = 0; i < N_FEATURES; i++) {
		ck_assert(!features_has(&features, i));
		ck_assert(!features_is_off(&features, i));
	}
}
END_TEST

START_TEST(test_features_host_has_been_asked)
{
	struct features features = {0};

	features_probe(&features);
	ck_assert_uint_eq(host.features.there, features.there);
	ck_assert_uint_eq(host.features.off, 0);
}
END_TEST

/*
 * Every kernel that the daemon runs on has these features (detached mounts, the files behind maps),
 * so root has them.
 */
START_TEST(test_features_root_has_what_takes_rights)
{
	struct features features = {0};

	features_probe(&features);
	ck_assert_uint_eq(features.there & OF_ROOT, OF_ROOT);
}
END_TEST

START_TEST(test_features_others_lack_what_takes_rights)
{
	struct features features = {0};
	unsigned rest;

	features_probe(&features);
	rest = features.there & ~OF_ROOT;
	fixture_drop_privileges();
	features_probe(&features);
	ck_assert_uint_eq(features.there, rest);
}
END_TEST

START_TEST(test_features_probe_leaves_what_the_connection_told)
{
	struct features features = {0};

	features_probe(&features);
	ck_assert_uint_eq(features.there & OF_CONNECTION, 0);
	features_found(&features, FEATURE_RESEND, true);
	features_probe(&features);
	ck_assert(features_has(&features, FEATURE_RESEND));
	features_found(&features, FEATURE_RESEND, false);
	ck_assert(!features_has(&features, FEATURE_RESEND));
}
END_TEST

START_TEST(test_features_turned_off_stays_off)
{
	struct features features = {.off = BIT(FEATURE_PASSTHROUGH)};

	features_found(&features, FEATURE_PASSTHROUGH, true);
	features_found(&features, FEATURE_RESEND, true);
	ck_assert(!features_has(&features, FEATURE_PASSTHROUGH));
	ck_assert(features_is_off(&features, FEATURE_PASSTHROUGH));
	ck_assert(features_has(&features, FEATURE_RESEND));
	ck_assert(!features_is_off(&features, FEATURE_RESEND));
}
END_TEST

START_TEST(test_features_parse_adds_names)
{
	unsigned set = 0;

	must(features_parse("resend", &set));
	ck_assert_uint_eq(set, BIT(FEATURE_RESEND));
	must(features_parse("msg_copy:passthrough,posix_acl", &set));
	ck_assert_uint_eq(set, BIT(FEATURE_RESEND) | BIT(FEATURE_MSG_COPY) |
				       BIT(FEATURE_PASSTHROUGH) | BIT(FEATURE_POSIX_ACL));
}
END_TEST

START_TEST(test_features_parse_of_no_name_fails_and_changes_nothing)
{
	static const char *const texts[] = {
		"",       ":",     "resend:", ":resend",          "resend::posix_acl",
		"RESEND", "resen", "resends", "resend posix_acl", "none",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		unsigned set = BIT(FEATURE_MSG_COPY);

		ck_assert_msg(features_parse(texts[i], &set) == -EINVAL, "%s", texts[i]);
		ck_assert_uint_eq(set, BIT(FEATURE_MSG_COPY));
	}
}
END_TEST

/* Text that was written can be parsed, and none of it is cut off. */
START_TEST(test_features_text_of_all_is_parsed_to_all)
{
	char text[FEATURES_TEXT];
	unsigned set = 0;

	features_text(FEATURES_ALL, ':', text);
	ck_assert_uint_lt(strlen(text), FEATURES_TEXT - 1);
	must(features_parse(text, &set));
	ck_assert_uint_eq(set, FEATURES_ALL);
}
END_TEST

START_TEST(test_features_text_names_what_is_set)
{
	char text[FEATURES_TEXT];

	features_text(0, ' ', text);
	ck_assert_str_eq(text, "none");
	features_text(BIT(FEATURE_RESEND), ' ', text);
	ck_assert_str_eq(text, "resend");
	features_text(BIT(FEATURE_MSG_COPY) | BIT(FEATURE_PASSTHROUGH), ':', text);
	ck_assert_str_eq(text, "passthrough:msg_copy");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("feature");

	suite_add(suite, "asked",
		  (const TTest *const[]){
			  test_features_nothing_is_there_before_it_is_asked,
			  test_features_host_has_been_asked,
			  test_features_root_has_what_takes_rights,
			  test_features_others_lack_what_takes_rights,
			  test_features_probe_leaves_what_the_connection_told,
			  test_features_turned_off_stays_off,
			  NULL,
		  });
	suite_add(suite, "names",
		  (const TTest *const[]){
			  test_features_parse_adds_names,
			  test_features_parse_of_no_name_fails_and_changes_nothing,
			  test_features_text_of_all_is_parsed_to_all,
			  test_features_text_names_what_is_set,
			  NULL,
		  });
	return suite_run(suite);
}
