// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sems: the POSIX named semaphores of the machine, which are files "sem.NAME" in /dev/shm
 * (sem_overview(7)).
 *
 * A read takes a unit and returns "1\n"; it waits until there is one. Writing N adds N units.
 * However many files wait, one thread sleeps for them (sem_wait.h).
 */
#include "lib/channel/channel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/kernel_names.h"
#include "lib/kinds/kinds.h"
#include "lib/kinds/posix/region.h"
#include "lib/kinds/posix/region_xattr.h"
#include "lib/kinds/posix/sem_units.h"
#include "lib/kinds/posix/sem_wait.h"

#define SEM_PREFIX "sem."

enum { SEM_VALUE };

static const struct parameter sem_parameters[] = {
	[SEM_VALUE] = {"value", PARAMETER_NUMBER, .max = SEM_VALUE_MAX, .is_initial = true,
		       .is_passing = true},
	{.name = NULL},
};

static const struct channel_ops sem_ops;

struct sem *sem_from(struct channel *channel)
{
	assert(channel->ops == &sem_ops);
	return CONTAINER_OF(named_from(channel), struct sem, named);
}

static void sem_init_named(struct named *named)
{
	CONTAINER_OF(named, struct sem, named)->fd = -1;
}

static void sem_destroy_channel(struct channel *channel)
{
	struct sem *sem = sem_from(channel);

	sem_wait_close(sem);
	named_fini(&sem->named);
	free(sem);
}

static int sem_stat(struct channel *channel, struct stat *ret_attr)
{
	struct sem *sem = sem_from(channel);
	int r = region_stat(&sem->named, sem->fd, ret_attr);

	ret_attr->st_size = 0;
	return r;
}

/* Sets the value as the caller, who needs the native right to use the semaphore. */
static int sem_put(struct sem *sem, unsigned value, struct caller *caller)
{
	struct semaphore *semaphore = NULL;
	int fd = region_open(&sem->named, sem->fd, O_RDWR, caller);
	int r = fd < 0 ? fd : semaphore_map(fd, &semaphore);

	if (r == 0)
		r = semaphore_set(semaphore, value);
	semaphore_unmap(semaphore);
	if (fd >= 0)
		region_let_go(sem->named.channel.space->host, fd);
	channel_wake(&sem->named.channel, EPOLLIN);
	return r;
}

static int sem_change(struct channel *channel, struct file *file, const struct stat *attr,
		      unsigned changes, struct caller *caller)
{
	struct sem *sem = sem_from(channel);

	return region_change(&sem->named, sem->fd, attr, changes, caller);
}

static ssize_t sem_get_acl(struct channel *channel, void *data, size_t size)
{
	struct sem *sem = sem_from(channel);

	return region_get_acl(&sem->named, sem->fd, data, size);
}

/*
 * A semaphore is shown like an object that the daemon keeps, with no extended attribute but the
 * ACL.
 */
static int sem_set_xattr(struct channel *channel, const struct xattr *xattr, struct caller *caller)
{
	struct sem *sem = sem_from(channel);

	if (strcmp(xattr->name, XATTR_ACL) != 0)
		return -EOPNOTSUPP;
	return region_set_xattr(&sem->named, sem->fd, xattr, caller);
}

static int sem_truncate(struct channel *channel, struct file *file, off_t size,
			struct caller *caller)
{
	return size ? -EINVAL : sem_put(sem_from(channel), 0, caller);
}

/* Takes ownership of the descriptor. */
static int sem_map(struct sem *sem, int fd, uid_t uid)
{
	int r = channel_charge_descriptors(&sem->named.channel, uid, 1);

	sem->fd = fd;
	if (r == 0)
		r = semaphore_map(fd, &sem->semaphore);
	if (r < 0)
		sem_wait_close(sem);
	return r;
}

/* Opens the file for both, as sem_open(3) does: taking a unit writes, and waiting for one reads. */
static int open_both(struct sem *sem, const struct file *file, struct caller *caller)
{
	struct caller self = {.uid = geteuid(), .gid = getegid(), .pid = getpid()};
	int fd = region_open(&sem->named, sem->fd, O_RDWR | (file->flags & O_NONBLOCK), caller);

	/* The maker may open the semaphore whatever its mode. */
	if (fd == -EACCES && (file->flags & O_CREAT))
		fd = region_open_now(&sem->named, sem->fd, O_RDWR, &self);
	caller_fini(&self);
	return fd;
}

static int sem_open_channel(struct file *file, struct caller *caller)
{
	struct sem *sem = sem_from(file->channel);
	int fd;

	file->channel->message_max = strlen(SEM_UNIT_TEXT);
	fd = open_both(sem, file, caller);
	if (fd < 0)
		return fd;
	if (!sem->semaphore)
		return sem_map(sem, fd, caller->uid);
	close(fd); /* not the last: sem->fd is open */
	return semaphore_check(sem->fd);
}

static void sem_release(struct file *file)
{
	sem_wait_close_unused(sem_from(file->channel));
}

static uint32_t sem_poll(struct file *file)
{
	struct sem *sem = sem_from(file->channel);
	uint32_t events = 0;

	if (file_reads(file) && (sem_n_units(sem) || semaphore_value(sem->semaphore) > 0))
		events |= EPOLLIN | EPOLLRDNORM;
	if (file_writes(file))
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

/* Reads the semaphore from the file itself, as the caller and without a mapping. */
static int sem_look(struct sem *sem, struct caller *caller, unsigned *ret_value,
		    unsigned *ret_n_waiting)
{
	unsigned char bytes[SEMAPHORE_BYTES];
	/* Looking must not count as use: only who may not ask for that leaves a time of reading. */
	int fd = region_open_now(&sem->named, sem->fd, O_RDONLY | O_NOATIME, caller);
	int r;

	if (fd == -EPERM)
		fd = region_open_now(&sem->named, sem->fd, O_RDONLY, caller);
	if (fd < 0)
		return fd;
	r = semaphore_check(fd);
	if (r == 0 && pread(fd, bytes, sizeof(bytes), 0) != sizeof(bytes))
		r = -EINVAL;
	region_let_go(sem->named.channel.space->host, fd);
	if (r == 0)
		semaphore_read(bytes, ret_value, ret_n_waiting);
	return r;
}

static void sem_status(struct channel *channel, struct caller *caller, struct row *row)
{
	unsigned value, n_waiting;

	if (sem_look(sem_from(channel), caller, &value, &n_waiting) < 0)
		return;
	row_add_number(row, "value", value);
	row_add_number(row, "sleeping", n_waiting);
}

static int sem_peek(struct channel *channel, struct caller *caller, FILE *out)
{
	unsigned value, n_waiting;
	struct caller self = {.uid = geteuid(), .gid = getegid(), .pid = getpid()};
	int r = sem_look(sem_from(channel), &self, &value, &n_waiting);

	caller_fini(&self);
	if (r == -EINVAL || r == -EIO) /* not a semaphore, or no longer: nothing waits there */
		return 0;
	if (r == 0 && value)
		fprintf(out, "%u\n", value);
	return r;
}

static int sem_set(struct channel *channel, const struct settings *settings, struct caller *caller)
{
	return sem_put(sem_from(channel), (unsigned)settings->values[SEM_VALUE], caller);
}

struct sem_making {
	int dir_fd;
	mode_t mode;
	unsigned value;
	ino_t ino; /* result: of the file */
	int fd;    /* result: its descriptor */
	struct journal_note note;
	char name[NAMED_PATH_SIZE];
};

/* The name is taken. Finds what the former daemon has made for the same request. */
static int find_made(struct sem_making *making)
{
	CLEANUP_FD int fd = openat(making->dir_fd, making->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat attr;

	if (fd < 0 || fstat(fd, &attr) < 0 || !journal_has_noted(&making->note, attr.st_ino))
		return -EEXIST;
	making->ino = attr.st_ino;
	making->fd = TAKE_FD(fd);
	return 0;
}

/*
 * Makes the semaphore in a nameless file and then links it, so that nobody finds the name before
 * there is a semaphore, as with sem_open(3).
 */
static int make(void *data)
{
	struct sem_making *making = data;
	CLEANUP_FD int fd =
		openat(making->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, making->mode);
	char path[40];
	struct stat attr;
	sem_t sem;

	if (fd < 0)
		return -errno;
	memset(&sem, 0, sizeof(sem));
	if (sem_init(&sem, 1, making->value) < 0 || fstat(fd, &attr) < 0)
		return -errno;
	if (write(fd, &sem, sizeof(sem)) != sizeof(sem))
		return -ENOSPC;
	making->ino = attr.st_ino;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (making->note.is_again && find_made(making) == 0)
		return 0;
	journal_note(&making->note, attr.st_ino);
	if (linkat(AT_FDCWD, path, making->dir_fd, making->name, AT_SYMLINK_FOLLOW) < 0)
		return -errno;
	making->fd = TAKE_FD(fd);
	return 0;
}

static void unmake(struct host *host, struct caller *caller, void *data)
{
	const struct sem_making *making = data;
	struct region_made made = {.dir_fd = making->dir_fd, .fd = making->fd};

	strcpy(made.name, making->name);
	region_unmake(host, caller, &made);
}

static int sem_create(struct space *space, const char *name, mode_t mode,
		      const struct settings *settings, struct caller *caller,
		      struct entry *ret_entry)
{
	struct sem_making making;
	int r;

	if (!S_ISREG(mode))
		return -EPERM;
	memset(&making, 0, sizeof(making)); /* job_run() compares all of it */
	making.dir_fd = space->dir_fd;
	making.mode = mode & 07777;
	if (settings_has(settings, SEM_VALUE))
		making.value = (unsigned)settings->values[SEM_VALUE];
	making.note = journal_note_of(space->host);
	named_path(named_space_from(space), name, making.name);
	r = region_run(space, caller,
		       &(struct job_call){.place = JOB_THREAD,
					  .act = make,
					  .undo = unmake,
					  .data = &making,
					  .size = sizeof(making)});
	if (r < 0)
		return r;
	region_let_go(space->host, making.fd);
	return named_get(named_space_from(space), name, making.ino, &ret_entry->channel);
}

static int sem_disuse(struct channel *channel, struct caller *caller, struct disuse *disuse)
{
	return region_disuse(&sem_from(channel)->named, disuse);
}

static const struct channel_ops sem_ops = {
	.traits = CHANNEL_MESSAGES,
	.destroy = sem_destroy_channel,
	.stat = sem_stat,
	.change = sem_change,
	.get_acl = sem_get_acl,
	.set_xattr = sem_set_xattr,
	.truncate = sem_truncate,
	.open = sem_open_channel,
	.release = sem_release,
	.read = sem_read,
	.write = sem_write,
	.poll = sem_poll,
	.attend = sem_wait_attend,
	.status = sem_status,
	.peek = sem_peek,
	.set = sem_set,
	.disuse = sem_disuse,
	.reap = named_reap,
	.save = sem_save,
	.adopt = sem_adopt,
	.adopt_file = sem_adopt_file,
	.accepted = sem_accepted,
	.recall = sem_recall,
};

static const struct space_ops sem_space_ops = {
	.destroy = named_space_destroy,
	.list = region_list,
	.lookup = region_lookup,
	.create = sem_create,
	.remove = region_remove,
	.room = region_room,
};

static int sem_space_open(struct space **ret_space, struct host *host)
{
	int dir_fd = named_open_directory(host, "/dev/shm");
	struct named_space *space;

	if (dir_fd < 0)
		return dir_fd;
	space = calloc(1, sizeof(*space));
	if (!space) {
		close(dir_fd);
		return -ENOMEM;
	}
	*space = (struct named_space){
		.named_size = sizeof(struct sem),
		.open_name = named_open_at,
		.unlink_name = named_unlink_at,
		.prefix = SEM_PREFIX,
		.init = sem_init_named,
		.is_in_memory = region_is_in_memory(dir_fd),
	};
	named_space_init(space, &sem_space_ops, host, &sem_kind, dir_fd);
	*ret_space = &space->space;
	return 0;
}

const struct kind sem_kind = {
	.path = "sems",
	.home = NAMESPACE_IPC,
	.parameters = sem_parameters,
	.ino_bits = 26,
	.channel = &sem_ops,
	.open = sem_space_open,
};
