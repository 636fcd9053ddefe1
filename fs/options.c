// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuse_opt splits the command line; option_values.c parses what stands behind a '=';
 * mount_words.c judges the options that are not ours.
 */
#include "fs/options.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "fs/in_force.h"
#include "fs/log.h"
#include "fs/option_cluster.h"
#include "fs/option_files.h"
#include "fs/option_values.h"
#include "lib/base/cleanup.h"

#define OPTION(template, member)                              \
	{                                                     \
		template, offsetof(struct options, member), 1 \
	}

#define SPIN_DEFAULT 100 /* microseconds; waking up on another CPU takes half of that */

static const struct fuse_opt table[] = {
	OPTION("-h", wants_help),
	OPTION("--help", wants_help),
	OPTION("-V", wants_version),
	OPTION("--version", wants_version),
	OPTION("--status", wants_status),
	OPTION("--replace", wants_replace),
	{"--adopts=%u", offsetof(struct options, adopts), 0},
	{"--adopt=%d", offsetof(struct options, adopt_fd), 0},
	{"--mounted=%s", offsetof(struct options, mounted), 0},
	OPTION("-f", is_foreground),
	OPTION("-d", is_debug),
	OPTION("debug", is_debug),
	OPTION("--debug", is_debug),
	{"config=%s", offsetof(struct options, config), 0},
	OPTION("config_strict", is_config_strict),
	OPTION("remount", is_remount),
	OPTION("auto_unmount", ends_with_daemon),
	FUSE_OPT_KEY("ipcns=", KEY_NUMBER),
	FUSE_OPT_KEY("max_channels=", KEY_NUMBER),
	FUSE_OPT_KEY("max_files=", KEY_NUMBER),
	FUSE_OPT_KEY("max_held=", KEY_NUMBER),
	FUSE_OPT_KEY("max_names=", KEY_NUMBER),
	FUSE_OPT_KEY("spin=", KEY_NUMBER),
	FUSE_OPT_KEY("leak_idle=", KEY_IDLE),
	FUSE_OPT_KEY("supervise=", KEY_SUPERVISE),
	FUSE_OPT_KEY("cluster=", KEY_CLUSTER),
	FUSE_OPT_KEY("cluster_timeout=", KEY_CLUSTER_TIMEOUT),
	{"cluster_creds=%s", offsetof(struct options, cluster.creds), 0},
	{"cluster_ca=%s", offsetof(struct options, cluster.ca), 0},
	FUSE_OPT_KEY("without=", KEY_WITHOUT),
	FUSE_OPT_KEY("foreign=", KEY_FOREIGN),
	FUSE_OPT_KEY("pipe_capacity=", KEY_PIPE),
	FUSE_OPT_KEY("pipe_eof=", KEY_PIPE),
	FUSE_OPT_KEY("pipe_served=", KEY_PIPE),
	FUSE_OPT_KEY("-s", FUSE_OPT_KEY_DISCARD),
	FUSE_OPT_END,
};

/* Arguments that are not options: [SOURCE] MOUNTPOINT, as mount(8) gives them. */
struct words {
	struct options options; /* first: the table's offsets are into it */
	const char *words[2];
	int n_words;
	char unknown[64]; /* the last option that is neither ours nor a known word; or "" */
	char shown[64];   /* the last word that only a remount may have; or "" */
};

/* Takes an option that is not ours. Returns 1 to leave it to libfuse, 0 to drop it, or -1. */
static int take_mount_word(struct words *words, const char *arg)
{
	struct options *options = &words->options;
	const char *reason;
	int r;

	switch (mount_word_take(arg, &options->flags, &reason)) {
	case MOUNT_WORD_IGNORED:
		return 0;
	case MOUNT_WORD_REFUSED:
		log_line(LOG_ERR, "%s: %s", arg, reason);
		return -1;
	case MOUNT_WORD_FLAG:
		return strcmp(arg, "allow_exec") != 0;
	case MOUNT_WORD_LASTING:
		if (strcmp(arg, "allow_other") == 0) {
			options->allows_others = true;
			return 1;
		}
		r = in_force_note_word(options, arg);
		return r < 0 ? r : 1;
	case MOUNT_WORD_SHOWN:
		snprintf(words->shown, sizeof(words->shown), "%s", arg);
		return 0;
	default:
		snprintf(words->unknown, sizeof(words->unknown), "%s", arg);
		return 1;
	}
}

static int take_any(struct words *words, const char *arg, int key)
{
	if (key == FUSE_OPT_KEY_OPT)
		return take_mount_word(words, arg);
	if (key >= 0)
		return option_value_take(&words->options, (enum option_key)key, arg);
	if (words->n_words == 2) {
		log_line(LOG_ERR, "%s: one mount point too many; see ipcfs --help", arg);
		return -1;
	}
	words->words[words->n_words++] = arg;
	return 0;
}

/* libfuse's parser knows no error but -1. */
static int take_word(void *data, const char *arg, int key, struct fuse_args *out)
{
	int r = take_any(data, arg, key);

	if (r == -ENOMEM)
		log_line(LOG_ERR, "%s: %s", arg, strerror(ENOMEM));
	return r < 0 ? -1 : r;
}

/*
 * Logs why the mount point can't be used. If a daemon has died there, its mount has to be removed
 * first.
 */
static void tell_mount_point(const char *path, int error)
{
	if (error == ENOTCONN)
		log_line(LOG_ERR, "%s: dead mount; unmount it with '%s %s': %s", path,
			 mount_words_undo(), path, strerror(error));
	else
		log_line(LOG_ERR, "%s: %s", path, strerror(error));
}

static int find_mount_point(struct options *options, const char *word)
{
	char path[PATH_MAX];
	struct stat attr;
	int error = 0;

	if (options->mounted) {
		options->mount_point = TAKE_PTR(options->mounted);
		return 0;
	}
	if (!word) {
		log_line(LOG_ERR, "the mount point is missing; see ipcfs --help");
		return -EINVAL;
	}
	if (options->wants_status) {
		options->mount_point = strdup(word);
		return options->mount_point ? 0 : -ENOMEM;
	}
	if (!realpath(word, path) || stat(path, &attr) < 0)
		error = errno;
	else if (!S_ISDIR(attr.st_mode))
		error = ENOTDIR;
	if (error) {
		tell_mount_point(word, error);
		return -error;
	}
	options->mount_point = strdup(path);
	return options->mount_point ? 0 : -ENOMEM;
}

/*
 * Refuses an option that libfuse or the kernel would refuse, before they see it, in words of our
 * own.
 */
static int check_words(const struct words *words)
{
	const char *word = words->unknown;

	if (!*word && !words->options.is_remount)
		word = words->shown;
	if (!*word)
		return 0;
	log_line(LOG_ERR, "%s: no such option; see ipcfs --help", word);
	return -EINVAL;
}

/*
 * Passes the source on as fsname: by the source and the mount point, mount(8) tells whether a line
 * of fstab(5) is mounted.
 */
static int add_source(struct fuse_args *args, const char *source)
{
	char *name = NULL, *option = NULL;
	int r = asprintf(&name, "fsname=%s", *source ? source : "ipcfs");

	if (r < 0)
		return r;
	r = fuse_opt_add_opt_escaped(&option, name);
	free(name);
	if (r == 0)
		r = fuse_opt_add_arg(args, "-o");
	if (r == 0)
		r = fuse_opt_add_arg(args, option);
	free(option);
	return r;
}

/*
 * A mount by root serves everybody, any other only its user; the kernel checks permissions. libfuse
 * adds nosuid and nodev itself. The default is noexec, because most machines mount /dev/shm that
 * way, and its files are shown here.
 */
static int add_defaults(struct options *options, const char *source)
{
	struct fuse_args *args = &options->session;
	int r = fuse_opt_add_arg(args, "-odefault_permissions,subtype=ipcfs");

	if (r == 0)
		r = fuse_opt_add_arg(args, options->flags.off & MS_NOEXEC ? "-oexec" : "-onoexec");
	if (r == 0)
		r = add_source(args, source);
	if (r == 0 && geteuid() == 0)
		r = fuse_opt_add_arg(args, "-oallow_other");
	if (r == 0 && options->is_debug)
		r = fuse_opt_add_arg(args, "-d");
	return r < 0 ? -ENOMEM : 0;
}

/* Whether a mount begins. One that is there already may have lost files since it began. */
static bool mounts(const struct options *options)
{
	return !options->is_remount && !options->wants_status && !options->wants_replace &&
	       options->adopt_fd <= 0;
}

int options_parse(struct options *ret_options, int argc, char **argv)
{
	struct words words = {
		.options = {.session = FUSE_ARGS_INIT(argc, argv),
			    .spin = SPIN_DEFAULT,
			    .leak_idle = HOST_IDLE},
	};
	int r = 0;

	words.options.argc = argc;
	words.options.argv = argv;
	if (fuse_opt_parse(&words.options.session, &words, table, take_word) < 0)
		r = -EINVAL;
	else if (!words.options.wants_help && !words.options.wants_version)
		r = check_words(&words);
	if (r == 0 && !words.options.wants_help && !words.options.wants_version)
		r = find_mount_point(&words.options,
				     words.n_words ? words.words[words.n_words - 1] : NULL);
	if (r == 0 && mounts(&words.options) && !words.options.adopts)
		r = option_files_find(&words.options);
	if (r == 0 && mounts(&words.options))
		r = option_cluster_check(&words.options.cluster);
	if (r == 0)
		r = in_force_note_rest(&words.options);
	if (r == 0)
		r = add_defaults(&words.options, words.n_words == 2 ? words.words[0] : "");
	*ret_options = words.options;
	if (r < 0)
		options_fini(ret_options);
	return r;
}

void options_fini(struct options *options)
{
	free(options->mount_point);
	free(options->mounted);
	free(options->config);
	free(options->lasting);
	option_cluster_fini(&options->cluster);
	options->mount_point = options->mounted = options->config = options->lasting = NULL;
	fuse_opt_free_args(&options->session);
}
