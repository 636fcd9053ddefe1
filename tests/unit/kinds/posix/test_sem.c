/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Semaphores whose file is larger than a semaphore.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/workers.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

enum { N_TASKS = 64, SIZE = 4 << 20 };

static pthread_mutex_t stopped = PTHREAD_MUTEX_INITIALIZER;

static void stop(struct worker_task *task)
{
	pthread_mutex_lock(&stopped);
	pthread_mutex_unlock(&stopped);
}

static void stopped_done(struct worker_task *task)
{
}

static int count_large(void)
{
	struct stat attr;
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fstat(fd, &attr) == 0 && S_ISREG(attr.st_mode) && attr.st_size == SIZE;
	return n;
}

/*
 * Closing the last descriptor of a removed file frees all its memory. A worker does that, not the
 * loop.
 */
START_TEST(test_sem_made_large_and_removed_is_closed_by_a_worker)
{
	struct worker_task tasks[N_TASKS];
	struct file *file = object_make_open(fixture_open(&sem_kind), "big", O_RDWR);
	int fd = (int)must_call(open("/dev/shm/sem.big", O_RDWR | O_CLOEXEC));

	must_call(fallocate(fd, 0, 0, SIZE));
	must_call(unlink("/dev/shm/sem.big"));
	close(fd);
	pthread_mutex_lock(&stopped);
	for (int i = 0; i < N_TASKS; i++) {
		tasks[i] = (struct worker_task){.work = stop, .done = stopped_done};
		must(workers_submit(host.workers, &tasks[i]));
	}
	object_close(file);
	ck_assert_int_eq(count_large(), 1);
	pthread_mutex_unlock(&stopped);
	host_stop(&host);
	ck_assert_int_eq(count_large(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sem");

	suite_add(suite, "sem",
		  (const TTest *const[]){
			  test_sem_made_large_and_removed_is_closed_by_a_worker,
			  NULL,
		  });
	return suite_run(suite);
}
