// SPDX-License-Identifier: GPL-2.0-or-later
/* The root of the mount is the file. */
#define FUSE_USE_VERSION 317
#include "tests/bench/null.h"

#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "tests/bench/ends.h"
#include "tests/bench/must.h"

static void null_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	const struct stat attr = {.st_ino = ino, .st_mode = S_IFREG | 0600, .st_nlink = 1};

	fuse_reply_attr(req, &attr, 1);
}

static void null_file_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	fi->direct_io = true;
	fuse_reply_open(req, fi);
}

static void null_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
		       struct fuse_file_info *fi)
{
	fuse_reply_write(req, size);
}

static const struct fuse_lowlevel_ops ops = {
	.getattr = null_getattr,
	.open = null_file_open,
	.write = null_write,
};

static const char *null_path(const struct ends *ends)
{
	return bench_native(ends->bench, "null");
}

/* Writes a byte when it is mounted. */
static void serve(struct ends *ends)
{
	char *argv[] = {"null", NULL};
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct fuse_session *session = fuse_session_new(&args, &ops, sizeof(ops), NULL);

	if (!session || fuse_session_mount(session, null_path(ends)) != 0)
		fail("%s: cannot be mounted", null_path(ends));
	must(write(ends->peer_out, "", 1));
	fuse_session_loop(session);
}

int null_open(struct ends *ends)
{
	int words[2];
	char word;

	close(must(open(null_path(ends), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)));
	must(pipe2(words, O_CLOEXEC));
	ends->peer_out = words[1];
	ends_fork(ends, ROLE_DAEMON, serve);
	close(words[1]);
	ends->peer_out = -1;
	if (!read_all(words[0], &word, 1))
		fail("the null file is not served");
	close(words[0]);
	return must(open(null_path(ends), O_WRONLY | O_CLOEXEC));
}

void null_close(struct ends *ends)
{
	umount2(null_path(ends), MNT_DETACH);
	must(unlink(null_path(ends)));
}
