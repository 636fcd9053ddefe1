/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server speaks the protocol itself, because libfuse answers requests that must stay
 * unanswered. A file opened with O_NONBLOCK bypasses the page cache. A private mapping of such an
 * open file waits, under mmap_lock, for every page that another process is reading
 * (linux/fs/fuse/file.c, fuse_file_mmap; invalidate_inode_pages2), and no signal ends that wait.
 */
#include "tests/mount/hung.h"

#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILE_NODE = 2, FILE_SIZE = 1 << 20, FOREVER = 1000 };

static void answer(int device, const struct fuse_in_header *in, int error, void *data, size_t size)
{
	struct fuse_out_header out = {
		.len = (unsigned)(sizeof(out) + size), .error = error, .unique = in->unique};
	const struct iovec parts[] = {{&out, sizeof(out)}, {data, size}};

	if (writev(device, parts, size ? 2 : 1) < 0 && errno != ENOENT)
		_exit(1);
}

static struct fuse_attr attr_of(const struct fuse_in_header *in, uint64_t node)
{
	return (struct fuse_attr){
		.ino = node,
		.nlink = 1,
		.uid = in->uid,
		.gid = in->gid,
		.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0777 : S_IFREG | 0666,
		.size = node == FUSE_ROOT_ID ? 0 : FILE_SIZE,
	};
}

static void answer_init(int device, const struct fuse_in_header *in)
{
	struct fuse_init_out out = {
		.major = 7, .minor = 31, .max_write = 4096, .max_background = 64};

	answer(device, in, 0, &out, sizeof(out));
}

static void answer_attr(int device, const struct fuse_in_header *in)
{
	struct fuse_attr_out out = {.attr_valid = FOREVER, .attr = attr_of(in, in->nodeid)};

	answer(device, in, 0, &out, sizeof(out));
}

static void answer_lookup(int device, const struct fuse_in_header *in)
{
	struct fuse_entry_out out = {.nodeid = FILE_NODE,
				     .entry_valid = FOREVER,
				     .attr_valid = FOREVER,
				     .attr = attr_of(in, FILE_NODE)};

	answer(device, in, 0, &out, sizeof(out));
}

static void answer_open(int device, const struct fuse_in_header *in)
{
	const struct fuse_open_in *open = (const void *)(in + 1);
	struct fuse_open_out out = {.open_flags = FOPEN_KEEP_CACHE};

	if (open->flags & O_NONBLOCK)
		out.open_flags |= FOPEN_DIRECT_IO;
	answer(device, in, 0, &out, sizeof(out));
}

static void serve(int device)
{
	static char buffer[1 << 17];
	const struct fuse_in_header *in = (const void *)buffer;

	while (read(device, buffer, sizeof(buffer)) > 0 || errno == EINTR) {
		switch (in->opcode) {
		case FUSE_INIT:
			answer_init(device, in);
			break;
		case FUSE_GETATTR:
			answer_attr(device, in);
			break;
		case FUSE_LOOKUP:
			answer_lookup(device, in);
			break;
		case FUSE_OPEN:
			answer_open(device, in);
			break;
		case FUSE_FLUSH:
		case FUSE_RELEASE:
			answer(device, in, 0, NULL, 0);
			break;
		case FUSE_READ:
		case FUSE_GETXATTR:
		case FUSE_FORGET:
		case FUSE_BATCH_FORGET:
		case FUSE_INTERRUPT:
			break;
		default:
			answer(device, in, -ENOSYS, NULL, 0);
		}
	}
	_exit(0);
}

void hung_start(struct hung *hung)
{
	int device = (int)must(open("/dev/fuse", O_RDWR | O_CLOEXEC));
	pid_t parent = getpid();
	struct stat attr;
	char options[128];

	snprintf(hung->dir, sizeof(hung->dir), "%s", scratch_path("hung"));
	must(mkdir(hung->dir, 0755));
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other",
		 device);
	must(mount("hung", hung->dir, "fuse.ipcfs", MS_NOSUID | MS_NODEV, options));
	hung->server = (pid_t)must(fork());
	if (!hung->server) {
		/*
		 * When the server ends, the device's last descriptor is closed, which releases all
		 * waiting processes.
		 */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
		serve(device);
	}
	close(device);
	must(stat(hung->dir, &attr));
	hung->minor = minor(attr.st_dev);
}

void hung_end(struct hung *hung)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/fs/fuse/connections/%u/abort", hung->minor);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "1", 1) < 0)
		perror("abort");
	if (fd >= 0)
		close(fd);
	must(kill(hung->server, SIGKILL));
	must(waitpid(hung->server, NULL, 0));
	must(umount2(hung->dir, MNT_DETACH));
}

struct victim {
	const struct hung *hung;
	int (*before)(void *arg);
	void *arg;
};

/* Starts a process that reads a page and never gets it, so that the page stays locked. */
static void lock_page(int fd)
{
	pid_t pid = fork();
	char byte;

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(pread(fd, &byte, 1, 0) != 1);
	}
	if (pid < 0)
		_exit(1);
	/* The child sleeps once its READ has reached the server. Until then it may be running. */
	while (task_state(pid) == 'R')
		usleep(1000);
}

static int victim_run(void *arg)
{
	const struct victim *victim = arg;
	char path[128];
	int cached, direct;
	void *own;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(path, sizeof(path), "%s/file", victim->hung->dir);
	cached = open(path, O_RDONLY);
	direct = open(path, O_RDONLY | O_NONBLOCK);
	own = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (cached < 0 || direct < 0 || own == MAP_FAILED)
		return errno;
	*(volatile char *)own = 1;
	if (victim->before(victim->arg) != 0)
		return 1;
	lock_page(cached);
	own = mmap(own, FILE_SIZE, PROT_READ, MAP_PRIVATE | MAP_FIXED, direct, 0);
	return own == MAP_FAILED ? errno : 0;
}

static bool is_held(void *arg)
{
	return task_state(*(pid_t *)arg) == 'D';
}

pid_t hung_victim(const struct hung *hung, unsigned int id, int (*before)(void *arg), void *arg)
{
	struct victim victim = {hung, before, arg};
	pid_t pid = child_start_as(id, victim_run, &victim);

	ck_assert_msg(wait_until(is_held, &pid, 5000), "process %d holds no lock: state %c", pid,
		      task_state(pid));
	return pid;
}
