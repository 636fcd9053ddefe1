// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The open files are records in host::lock_files, chained from channel::lock_files: one for each
 * owner and sort of lock.
 */
#include "lib/channel/lock_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/slots.h"
#include "lib/channel/backing.h"
#include "lib/channel/channel.h"
#include "lib/host/job.h"

void lock_files_init(struct host *host)
{
	slots_place(&host->lock_files, sizeof(struct lock_file), host->state, STATE_LOCK_FILES);
}

static struct slots *files_of(const struct channel *channel)
{
	return &channel->space->host->lock_files;
}

static struct lock_file *lock_file_of(const struct channel *channel, uint64_t id)
{
	return slots_record(files_of(channel), id);
}

/* Without passthrough, a file that an open(2) has just made is served here, others are links. */
bool lock_files_serve(const struct channel *channel)
{
	return channel->service == CHANNEL_BACKED ||
	       (channel->service == CHANNEL_FILE && channel->backing_fd >= 0);
}

static uint64_t *find(struct channel *channel, uint64_t owner, bool is_flock)
{
	uint64_t *place = &channel->lock_files;

	while (*place) {
		struct lock_file *file = lock_file_of(channel, *place);

		if (file->owner == owner && file->is_flock == is_flock)
			break;
		place = &file->next;
	}
	return place;
}

/*
 * Drops all locks of an open file. If other descriptors keep the file open, it stays open without
 * its locks.
 */
static void unlock_all(int fd, bool is_flock)
{
	struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

	if (is_flock)
		flock(fd, LOCK_UN);
	else
		fcntl(fd, F_OFD_SETLK, &all);
}

/*
 * Drops the locks of an open file and closes it. Returns true if it is gone. A thread that waits
 * keeps it open, because the lock that the thread gets will be the owner's.
 */
static bool lock_file_free(struct channel *channel, uint64_t *place)
{
	struct host *host = channel->space->host;
	uint64_t id = *place;
	struct lock_file *record = lock_file_of(channel, id), file = *record;

	unlock_all(file.fd, file.is_flock);
	if (file.n_waits > 0 && !host->is_ending)
		return false;
	*place = file.next;
	/* From the close on, the number may be that of another descriptor. */
	slots_remove(files_of(channel), id);
	host_close(host, file.uid, file.fd);
	user_uncharge(&host->users, file.uid, USER_DESCRIPTORS, 1);
	return true;
}

/*
 * Adds an open file for the lock's owner. Takes ownership of the descriptor on success. Fails with
 * -ENOLCK.
 */
static int lock_file_add(struct channel *channel, const struct lock *lock, int fd,
			 struct lock_file **ret_file)
{
	struct user_table *users = &channel->space->host->users;
	struct lock_file *file;
	uint64_t id;

	if (user_charge(users, lock->uid, USER_DESCRIPTORS, 1) < 0)
		return -ENOLCK;
	if (slots_add(files_of(channel), channel, &id) < 0) {
		user_uncharge(users, lock->uid, USER_DESCRIPTORS, 1);
		return -ENOLCK;
	}
	file = lock_file_of(channel, id);
	*file = (struct lock_file){
		.owner = lock->owner,
		.file = lock->file,
		.next = channel->lock_files,
		.fd = fd,
		.uid = lock->uid,
		.is_flock = lock->is_flock,
		.writes = (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR,
	};
	STATE_ORDER();
	file->object = channel->id;
	channel->lock_files = id;
	*ret_file = file;
	return 0;
}

static int lock_file_open(struct file *opener, const struct lock *lock, struct lock_file **ret_file)
{
	bool writes = !lock->is_flock && file_writes(opener);
	CLEANUP_FD int fd = backing_use(opener->channel->backing_fd,
					(writes ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC);
	int r = fd < 0 ? -ENOLCK : lock_file_add(opener->channel, lock, fd, ret_file);

	if (r == 0)
		TAKE_FD(fd);
	return r;
}

/*
 * Gives the owner's open file, or a new one. An owner that has locked through a file open only for
 * reading keeps that file, and can't get write locks through another file: the kernel would take
 * the two files for different owners.
 */
static int lock_file_get(struct file *opener, const struct lock *lock, struct lock_file **ret_file)
{
	uint64_t *place = find(opener->channel, lock->owner, lock->is_flock);

	if (!*place)
		return lock_file_open(opener, lock, ret_file);
	*ret_file = lock_file_of(opener->channel, *place);
	return lock->type == F_WRLCK && !lock->is_flock && !(*ret_file)->writes ? -ENOLCK : 0;
}

static void describe(const struct lock *lock, struct flock *ret_flock)
{
	*ret_flock = (struct flock){
		.l_type = lock->type,
		.l_whence = SEEK_SET,
		.l_start = lock->first,
		.l_len = lock->last == LOCK_END ? 0 : lock->last - lock->first + 1,
	};
}

static int flock_operation(short type)
{
	return type == F_UNLCK ? LOCK_UN : type == F_RDLCK ? LOCK_SH : LOCK_EX;
}

static int apply(int fd, const struct lock *lock, bool waits)
{
	struct flock what;
	int r;

	describe(lock, &what);
	if (lock->is_flock)
		r = flock(fd, flock_operation(lock->type) | (waits ? 0 : LOCK_NB));
	else
		r = fcntl(fd, waits ? F_OFD_SETLKW : F_OFD_SETLK, &what);
	if (r == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

int lock_files_set(struct file *file, const struct lock *lock)
{
	struct lock_file *locks;
	int r;

	if (lock->type == F_UNLCK && !*find(file->channel, lock->owner, lock->is_flock))
		return 0;
	r = lock_file_get(file, lock, &locks);
	return r < 0 ? r : apply(locks->fd, lock, false);
}

int lock_files_test(struct file *file, struct lock *lock)
{
	uint64_t *place = find(file->channel, lock->owner, false);
	CLEANUP_FD int opened = -1;
	struct flock what;
	int fd;

	if (!*place) {
		opened = backing_use(file->channel->backing_fd, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (opened < 0)
			return -ENOLCK;
	}
	fd = *place ? lock_file_of(file->channel, *place)->fd : opened;
	describe(lock, &what);
	if (fcntl(fd, F_OFD_GETLK, &what) < 0)
		return -errno;
	lock->type = what.l_type;
	if (what.l_type == F_UNLCK)
		return 0;
	lock->first = what.l_start;
	lock->last = what.l_len ? what.l_start + what.l_len - 1 : LOCK_END;
	lock->pid = what.l_pid > 0 ? what.l_pid : 0;
	return 0;
}

/* A wait on a thread, through a descriptor of its own that lasts until the thread has ended. */
struct sleeping {
	struct lock lock;
	int fd;
};

static int sleeping_act(void *data)
{
	const struct sleeping *sleeping = data;

	return apply(sleeping->fd, &sleeping->lock, true);
}

static void sleeping_undo(struct host *host, struct caller *caller, void *data)
{
	const struct sleeping *sleeping = data;

	unlock_all(sleeping->fd, sleeping->lock.is_flock);
	close(sleeping->fd);
}

static int sleeping_begin(struct file *file, struct sleeping *sleeping)
{
	struct lock_file *locks;
	int r = lock_file_get(file, &sleeping->lock, &locks);

	if (r < 0)
		return r;
	sleeping->fd = fcntl(locks->fd, F_DUPFD_CLOEXEC, 0);
	if (sleeping->fd < 0)
		return -ENOLCK;
	locks->n_waits++;
	return 0;
}

/*
 * Ends a wait. From now on the lock goes with the open file that the wait came through. That file
 * still exists; the owner's other open files may be gone.
 */
static void sleeping_end(struct channel *channel, const struct sleeping *sleeping)
{
	const struct lock *lock = &sleeping->lock;
	struct lock_file *locks =
		lock_file_of(channel, *find(channel, lock->owner, lock->is_flock));

	locks->n_waits--;
	locks->file = lock->file;
	close(sleeping->fd);
}

int lock_files_wait(struct file *file, const struct lock *lock, struct caller *caller)
{
	struct sleeping sleeping;
	struct job_call call = {.place = JOB_SLEEPER,
				.act = sleeping_act,
				.undo = sleeping_undo,
				.data = &sleeping,
				.size = sizeof(sleeping),
				.n_key = sizeof(sleeping.lock)};
	int r = caller->waiter ? 0 : -EAGAIN;

	memset(&sleeping, 0, sizeof(sleeping)); /* job_run() compares the lock, byte for byte */
	memcpy(&sleeping.lock, lock, sizeof(*lock));
	sleeping.fd = -1;
	if (r == 0 && !caller->waiter->job)
		r = sleeping_begin(file, &sleeping);
	if (r == 0)
		r = job_run(file->channel->space->host, caller, &call);
	/* While a job is under way, the descriptor belongs to the job. */
	if (r != -EINPROGRESS && sleeping.fd >= 0)
		sleeping_end(file->channel, &sleeping);
	return r == -ENOBUFS ? -ENOLCK : r;
}

void lock_files_close_unused(struct channel *channel, uint64_t owner, bool is_flock)
{
	uint64_t *place = find(channel, owner, is_flock);

	/* A thread may have got a lock that has not been noted yet. */
	if (*place && lock_file_of(channel, *place)->n_waits == 0)
		lock_file_free(channel, place);
}

void lock_files_drop_owner(struct channel *channel, uint64_t owner)
{
	uint64_t *place = find(channel, owner, false);

	if (*place)
		lock_file_free(channel, place);
}

void lock_files_drop_file(struct channel *channel, uint64_t file)
{
	uint64_t *place = &channel->lock_files;

	while (*place) {
		struct lock_file *next = lock_file_of(channel, *place);

		if (next->file != file || !lock_file_free(channel, place))
			place = &next->next;
	}
}

/* Whether the descriptor is of the file behind the channel. */
static bool is_behind(const struct channel *channel, int fd)
{
	struct stat attr, behind;

	return lock_files_serve(channel) && fstat(fd, &attr) == 0 &&
	       fstat(channel->backing_fd, &behind) == 0 && attr.st_ino == behind.st_ino &&
	       attr.st_dev == behind.st_dev;
}

/*
 * Takes over an open file. Threads that waited for a lock of it are gone, and the requests that
 * they waited for come again: if the kernel has given the lock, it gives it again.
 */
static bool lock_file_adopt(struct host *host, uint64_t id, lock_file_fn *is_open)
{
	struct lock_file *file = slots_record(&host->lock_files, id);
	struct channel *channel = slots_object(&host->objects, file->object);

	if (!channel || !is_open(host, file->file) || !is_behind(channel, file->fd) ||
	    user_charge(&host->users, file->uid, USER_DESCRIPTORS, 1) < 0)
		return false;
	state_mend(&file->is_flock);
	state_mend(&file->writes);
	file->n_waits = 0;
	file->next = channel->lock_files;
	channel->lock_files = id;
	slots_set_object(&host->lock_files, id, channel);
	return true;
}

int lock_files_adopt(struct host *host, lock_file_fn *is_open)
{
	int r = slots_adopt(&host->lock_files);
	uint64_t id = 0;

	while (r == 0 && (id = slots_next(&host->lock_files, id)) != 0) {
		struct lock_file *file = slots_record(&host->lock_files, id);
		int fd = file->object ? file->fd : -1;
		uid_t uid = file->uid;

		if (lock_file_adopt(host, id, is_open))
			continue;
		slots_remove(&host->lock_files, id);
		if (fd >= 0)
			host_close(host, uid, fd);
	}
	return r;
}

int lock_files_find(struct state *state, void (*found)(void *data, int fd), void *data)
{
	struct slots files;
	uint64_t id = 0;
	int r;

	slots_place(&files, sizeof(struct lock_file), state, STATE_LOCK_FILES);
	r = slots_adopt(&files);
	while (r == 0 && (id = slots_next(&files, id)) != 0) {
		const struct lock_file *file = slots_record(&files, id);

		if (file->object)
			found(data, file->fd);
	}
	slots_fini(&files);
	return r;
}
