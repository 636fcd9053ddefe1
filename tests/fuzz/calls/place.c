// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls that may hang are made in a child or have a time limit: the fuzzer must outlive a dead
 * mount.
 */
#include "tests/fuzz/calls/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_MS = 30000, END_MS = 60000, ANSWER_MS = 30000, BUSY_MS = 10000 };

bool await_end(pid_t pid, int milliseconds, int *ret_status)
{
	const struct timespec pause = {.tv_nsec = 2000000};

	for (int waited = 0; waited <= milliseconds; waited += 2) {
		pid_t ended = waitpid(pid, ret_status, WNOHANG);

		if (ended == pid)
			return true;
		if (ended < 0 && errno != EINTR)
			return false;
		nanosleep(&pause, NULL);
	}
	return false;
}

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool is_put = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return is_put;
}

void place_abort(const struct board *board)
{
	unsigned minor = atomic_load(&board->minor);
	char path[64];

	snprintf(path, sizeof(path), "/sys/fs/fuse/connections/%u/abort", minor);
	if (minor)
		put(path, "1");
}

static bool raise_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool is_up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;

	if (fd >= 0)
		close(fd);
	return is_up;
}

static bool make_directory(const struct place *place, const char *name, mode_t mode)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", place->dir, name);
	return mkdir(path, 0700) == 0 && chmod(path, mode) == 0;
}

/*
 * Makes the directories and limits of the new namespaces: after this, nothing here belongs to the
 * machine.
 */
static bool furnish(const struct place *place)
{
	while (umount2("/dev/mqueue", MNT_DETACH) == 0)
		;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("proc", "/proc", "proc", 0, NULL) == 0 &&
	       mount("fuzz", place->dir, "tmpfs", 0, "mode=0755,size=64M") == 0 &&
	       mount("fuzz", "/dev/shm", "tmpfs", 0, "mode=1777,size=64M") == 0 &&
	       mount("fuzz", "/run", "tmpfs", 0, "mode=0755,size=64M") == 0 &&
	       (mkdir("/dev/mqueue", 0755) == 0 || errno == EEXIST) &&
	       mount("mqueue", "/dev/mqueue", "mqueue", 0, NULL) == 0 &&
	       (access("/sys/fs/fuse/connections", F_OK) < 0 ||
		mount("fusectl", "/sys/fs/fuse/connections", "fusectl", 0, NULL) == 0 ||
		errno == EBUSY) &&
	       make_directory(place, "ipc", 0755) && make_directory(place, "sockets", 0777) &&
	       put("/proc/sys/kernel/shmall", "16384") && raise_loopback();
}

static unsigned find_minor(const char *dir)
{
	char line[4096], point[1024];
	unsigned found = 0, major, minor;
	FILE *info = fopen("/proc/self/mountinfo", "re");

	while (info && fgets(line, sizeof(line), info))
		if (sscanf(line, "%*u %*u %u:%u %*s %1023s", &major, &minor, point) == 3 &&
		    !strcmp(point, dir))
			found = minor;
	if (info)
		fclose(info);
	return found;
}

static _Noreturn void run_daemon(const struct place *place)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setenv("ASAN_OPTIONS", "halt_on_error=1:detect_leaks=1", 0);
	setenv("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1", 0);
	dup2(place->log, STDOUT_FILENO);
	dup2(place->log, STDERR_FILENO);
	execl(place->program, place->program, place->mount, "-f", "-o",
	      place->options ? place->options : "allow_other", NULL);
	perror(place->program);
	_exit(127);
}

static bool await_mount(const struct place *place)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	struct statfs fs;

	for (int waited = 0; waited < START_MS; waited += 2) {
		if (waitpid(place->daemon, NULL, WNOHANG) != 0)
			return false;
		if (!place->board->minor)
			place->board->minor = find_minor(place->mount);
		if (place->board->minor && statfs(place->mount, &fs) == 0 &&
		    fs.f_type == FUSE_SUPER_MAGIC)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

bool place_open(struct place *place)
{
	if (!furnish(place)) {
		printf("# no place of its own: %s\n", strerror(errno));
		return false;
	}
	snprintf(place->mount, sizeof(place->mount), "%s/ipc", place->dir);
	place->daemon = fork();
	if (place->daemon == 0)
		run_daemon(place);
	if (place->daemon > 0 && await_mount(place))
		return true;
	puts("# the mount does not answer");
	return false;
}

/* Makes the calls that `ls -l` makes on the mount, or reads a file. */
static bool look(const char *dir, const char *name, const char **ret_call)
{
	static char entries[65536];
	char path[128];
	struct stat attr;
	bool is_good;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	*ret_call = "stat";
	if (stat(path, &attr) < 0)
		return false;
	*ret_call = "open";
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	*ret_call = "read";
	n = S_ISDIR(attr.st_mode) ? getdents64(fd, entries, sizeof(entries))
				  : read(fd, entries, sizeof(entries));
	/* ENOBUFS is no fault: by now there may be more objects than fit into one table. */
	is_good = n > 0 || (n < 0 && errno == ENOBUFS);
	close(fd);
	return is_good;
}

static _Noreturn void be_witness(const struct place *place)
{
	static const char *const names[] = {".",         "queues",      "shm", "sockets/abstract",
					    "sysv/sems", "info/summary"};

	const char *call;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (setresgid(WITNESS, WITNESS, WITNESS) < 0 || setresuid(WITNESS, WITNESS, WITNESS) < 0)
		_exit(100);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!look(place->mount, names[i], &call)) {
			printf("# another user's %s of %s: %s\n", call, names[i], strerror(errno));
			fflush(stdout);
			_exit(1);
		}
	_exit(0);
}

bool place_is_well(struct place *place)
{
	pid_t witness;
	int status;

	fflush(stdout);
	if (waitpid(place->daemon, &status, WNOHANG) != 0) {
		printf("# the daemon has ended, wait status %#x\n", (unsigned)status);
		place->daemon = -1;
		return false;
	}
	witness = fork();
	if (witness == 0)
		be_witness(place);
	if (!await_end(witness, ANSWER_MS, &status)) {
		printf("# another user has no answer in %d s\n", ANSWER_MS / 1000);
		place_print_processes();
		place_abort(place->board);
		kill(witness, SIGKILL);
		return false;
	}
	if (status == 0)
		return true;
	/* The daemon may have ended just now. */
	if (await_end(place->daemon, 2000, &status)) {
		printf("# the daemon has ended, wait status %#x\n", (unsigned)status);
		place->daemon = -1;
	}
	place_print_processes();
	return false;
}

/*
 * Unmounts, and retries while the mount is busy: the kernel may only now close the files of the
 * killed processes.
 */
static _Noreturn void unmount(const struct place *place)
{
	const struct timespec pause = {.tv_nsec = 50000000};

	for (int waited = 0; waited < BUSY_MS; waited += 50) {
		if (umount2(place->mount, 0) == 0)
			_exit(0);
		if (errno != EBUSY)
			break;
		nanosleep(&pause, NULL);
	}
	printf("# umount: %s\n", strerror(errno));
	fflush(stdout);
	_exit(1);
}

/*
 * Ends the mount, by a signal if an unmount fails: a user can keep the mount busy with a descriptor
 * that waits in a socket of the daemon.
 */
static bool end_mount(const struct place *place, bool by_signal)
{
	pid_t pid;
	int status;

	if (!by_signal) {
		fflush(stdout);
		pid = fork();
		if (pid == 0)
			unmount(place);
		/* If the daemon does not answer, the unmount does not end. */
		if (!await_end(pid, END_MS, &status))
			return false;
		by_signal = status != 0;
	}
	return !by_signal || kill(place->daemon, SIGTERM) == 0;
}

bool place_close(struct place *place, bool by_signal)
{
	int status = 0;

	if (place->daemon <= 0)
		return false;
	if (!end_mount(place, by_signal)) {
		puts("# it can't be unmounted");
	} else if (!await_end(place->daemon, END_MS, &status)) {
		puts("# the daemon does not end");
	} else {
		if (status != 0)
			printf("# the daemon ended with wait status %#x\n", (unsigned)status);
		return status == 0;
	}
	place_print_processes();
	place_abort(place->board);
	return false;
}
