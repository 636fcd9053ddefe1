// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programs that make, use and remove objects while somebody else reaps, again and again, whatever
 * has been unused for a second. What a program has open must keep its name. Who opens an
 * object in the moment of its removal may get one without a name, as with any unlink(2); so the
 * promise begins with the first look that finds the name after the open; with a queue, a moment
 * later.
 */
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { N_USERS = 3, N_LIVES = 2, OBJECT_SIZE = 4096, KEY = 0x4d20 };

/* Of a queue, opening and losing can overlap for so long, us: lib/channel/lease.c. */
#define MOMENT 100000
/* How long an open may take that meets the reaper, us; the kernel would wait 45 seconds. */
#define OPEN_MOST 2000000
/* How long an unused object may stay, us. */
#define REAPED_WITHIN 30000000
/* The longest pause between two opens, us. */
#define PAUSE_MOST 2000000

/* Writes the lines, and looks at the list, until it is killed. */
static int reap_run(void *unused)
{
	static const char *const lines[] = {"reap shm idle=0\n", "reap queues idle=0\n",
					    "reap sysv/shm idle=0\n"};
	char text[4096];

	for (unsigned i = 0;; i++) {
		int fd = open(ipc_path(i % 8 ? "ctl" : "info/leaks"), i % 8 ? O_WRONLY : O_RDONLY);
		const char *line = lines[i % 3];

		if (fd < 0)
			return errno;
		if (i % 8 && write(fd, line, strlen(line)) != (ssize_t)strlen(line))
			return errno;
		while (i % 8 == 0 && read(fd, text, sizeof(text)) > 0)
			;
		close(fd);
	}
}

struct user {
	pthread_t thread;
	bool is_queue;
	char name[32];
	char path[64]; /* of the same object in a directory */
	long n_opens, n_late;
};

static int object_open(const struct user *user, int flags)
{
	struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};
	long long start = now_us();
	int fd = user->is_queue ? mq_open(user->name, flags, 0600, &attr)
				: shm_open(user->name, flags, 0600);

	ck_assert_int_lt(now_us() - start, OPEN_MOST);
	return fd;
}

static bool has_name(const struct user *user, const struct stat *object)
{
	struct stat named;

	return stat(user->path, &named) == 0 && named.st_ino == object->st_ino;
}

/* Whether the object is so old that it would be reaped if it were not in use. */
static bool is_old(const struct stat *object)
{
	return time(NULL) > object->st_ctim.tv_sec + 2;
}

/* Makes the object, and uses it until it is old: a region mapped without a descriptor. */
static void user_make(struct user *user)
{
	int fd = object_open(user, O_CREAT | O_EXCL | O_RDWR);
	volatile char *memory = NULL;
	struct stat object;

	must(fd);
	if (!user->is_queue) {
		must(ftruncate(fd, OBJECT_SIZE));
		memory = mmap(NULL, OBJECT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		ck_assert_ptr_ne((void *)memory, MAP_FAILED);
		*memory = 'x';
	}
	must(fstat(fd, &object));
	if (memory)
		close(fd);
	while (!is_old(&object)) {
		ck_assert_msg(has_name(user, &object), "%s: made, and lost", user->name);
		usleep(1000);
	}
	for (int i = 0; i < 200; i++) {
		ck_assert_msg(has_name(user, &object), "%s: in use, and lost", user->name);
		usleep(1000);
	}
	if (memory)
		must(munmap((void *)memory, OBJECT_SIZE));
	else
		close(fd);
}

/* Whether the object, which has just been opened, has lost its name in the same moment. */
static bool is_lost(const struct user *user, const struct stat *object)
{
	long long opened = now_us();

	if (!has_name(user, object))
		return true;
	for (int i = 0; i < 20; i++)
		if (!has_name(user, object)) {
			ck_assert_msg(user->is_queue && now_us() - opened < MOMENT,
				      "%s: open, and lost", user->name);
			return true;
		}
	return false;
}

/*
 * Opens and closes the object until it has been reaped in between. The pauses grow, so that a slow
 * reaper meets one, too.
 */
static void user_lose(struct user *user)
{
	long long begin = now_us(), so_far, pause;
	struct stat object;
	int fd;

	while ((fd = object_open(user, O_RDWR)) >= 0) {
		so_far = now_us() - begin;
		ck_assert_msg(so_far < REAPED_WITHIN, "%s: never reaped", user->name);
		must(fstat(fd, &object));
		user->n_opens++;
		user->n_late += is_lost(user, &object);
		close(fd);
		pause = 100 + so_far * so_far / 20000000;
		usleep((useconds_t)(pause < PAUSE_MOST ? pause : PAUSE_MOST));
	}
	ck_assert_int_eq(errno, ENOENT);
}

static void *use(void *user_)
{
	for (int i = 0; i < N_LIVES; i++) {
		user_make(user_);
		user_lose(user_);
	}
	return NULL;
}

START_TEST(test_leaks_races_what_is_open_keeps_its_name)
{
	struct user users[2 * N_USERS] = {0};
	pid_t reaper = child_start(reap_run, NULL);

	must(mkdir(scratch_path("mq"), 0700));
	must(mount("mqueue", scratch_path("mq"), "mqueue", 0, NULL));
	for (int i = 0; i < 2 * N_USERS; i++) {
		struct user *user = &users[i];

		user->is_queue = i % 2;
		snprintf(user->name, sizeof(user->name), "/race.%d", i);
		snprintf(user->path, sizeof(user->path), "%s%s",
			 user->is_queue ? scratch_path("mq") : "/dev/shm", user->name);
		ck_assert_int_eq(pthread_create(&user->thread, NULL, use, user), 0);
	}
	for (int i = 0; i < 2 * N_USERS; i++) {
		pthread_join(users[i].thread, NULL);
		printf("# %s: %ld opens, %ld too late\n", users[i].name, users[i].n_opens,
		       users[i].n_late);
	}
	ck_assert_msg(!child_has_ended(reaper, 0), "nobody reaped any more");
	must(kill(reaper, SIGKILL));
	must(waitpid(reaper, NULL, 0));
	must(umount(scratch_path("mq")));
}
END_TEST

static int make_segment(void *key)
{
	return shmget((key_t)(intptr_t)key, OBJECT_SIZE, IPC_CREAT | IPC_EXCL | 0600) < 0 ? errno
											  : 0;
}

static bool is_old_segment(int id)
{
	struct shmid_ds data;
	time_t last;

	must(shmctl(id, IPC_STAT, &data));
	last = data.shm_atime > data.shm_ctime ? data.shm_atime : data.shm_ctime;
	return time(NULL) > last + 2;
}

/* Attaches, too, and ends: the kernel remembers only the last that did. */
static int attach_run(void *key)
{
	int id = shmget((key_t)(intptr_t)key, 0, 0);

	return shmat(id, NULL, 0) == (void *)-1 ? errno : 0;
}

/* Attaches a segment whose maker has ended, and watches its key. */
static int segment_run(void *key_)
{
	key_t key = (key_t)(intptr_t)key_;
	void *memory;
	int id;

	child_must(make_segment, key_);
	id = (int)must(shmget(key, 0, 0));
	memory = shmat(id, NULL, 0);
	ck_assert_ptr_ne(memory, (void *)-1);
	child_must(attach_run, key_);
	for (int i = 0; i < 200 || !is_old_segment(id); i++) {
		ck_assert_msg(shmget(key, 0, 0) == id, "%x: attached, and lost", (unsigned)key);
		usleep(1000);
	}
	must(shmdt(memory));
	return 0;
}

static bool has_gone(void *key)
{
	return shmget((key_t)(intptr_t)key, 0, 0) < 0 && errno == ENOENT;
}

START_TEST(test_leaks_races_what_is_attached_keeps_its_key)
{
	pid_t reaper = child_start(reap_run, NULL), users[N_USERS];

	for (int i = 0; i < N_USERS; i++)
		users[i] = child_start(segment_run, (void *)(intptr_t)(KEY + i));
	for (int i = 0; i < N_USERS; i++)
		ck_assert_int_eq(child_end(users[i]), 0);
	for (int i = 0; i < N_USERS; i++)
		ck_assert(wait_until(has_gone, (void *)(intptr_t)(KEY + i), REAPED_WITHIN / 1000));
	ck_assert_msg(!child_has_ended(reaper, 0), "nobody reaped any more");
	must(kill(reaper, SIGKILL));
	must(waitpid(reaper, NULL, 0));
}
END_TEST

/* Programs of the same name in quick succession: nothing is older than a second. */
START_TEST(test_leaks_races_what_has_just_been_made_keeps_its_name)
{
	pid_t reaper = child_start(reap_run, NULL);
	struct stat object, named;

	for (int i = 0; i < 2000; i++) {
		int fd = (int)must(shm_open("/brief", O_CREAT | O_EXCL | O_RDWR, 0600));

		must(fstat(fd, &object));
		close(fd);
		must(stat("/dev/shm/brief", &named));
		ck_assert_int_eq(named.st_ino, object.st_ino);
		must(shm_unlink("/brief"));
	}
	ck_assert_msg(!child_has_ended(reaper, 0), "nobody reaped any more");
	must(kill(reaper, SIGKILL));
	must(waitpid(reaper, NULL, 0));
}
END_TEST

/* By which the kernel says that somebody waits for a lease. */
START_TEST(test_leaks_races_sigio_does_not_end_the_daemon)
{
	for (int i = 0; i < 10; i++)
		must(kill(ipc.daemon, SIGIO));
	mount_settle(&ipc);
	ck_assert_int_eq(waitpid(ipc.daemon, NULL, WNOHANG), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("leaks_races");
	TCase *races = suite_case(suite, "races", 40);

	case_add_needing(races, test_leaks_races_what_is_open_keeps_its_name, 0, "mqueue_mount");
	tcase_add_test(races, test_leaks_races_what_is_attached_keeps_its_key);
	tcase_add_test(races, test_leaks_races_what_has_just_been_made_keeps_its_name);
	tcase_add_test(races, test_leaks_races_sigio_does_not_end_the_daemon);
	return suite_run(suite);
}
