// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * This process is a subreaper, so orphans become its children. Ending its children by pid until
 * none is left therefore ends everything that was started here.
 */
#include "tests/bench/stage.h"

#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/bench/clock.h"
#include "tests/bench/daemon.h"
#include "tests/bench/must.h"

enum { BEGIN_SECONDS = 30, HUNG_SECONDS = 10, END_SECONDS = 10 };

static void pause_shortly(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

static void raise_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	must(ioctl(fd, SIOCSIFFLAGS, &request));
	close(fd);
}

static void furnish(const struct bench *bench, struct scene *scene)
{
	struct bench other = *bench;

	must(unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET));
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	must(mount("bench", scene->dir, "tmpfs", 0, "mode=0755"));
	must(mount("bench", "/dev/shm", "tmpfs", 0, "mode=1777,size=75%"));
	must(mount("bench", "/run", "tmpfs", 0, "mode=0755"));
	if (access("/sys/fs/fuse/connections/0", F_OK) < 0)
		(void)!mount("fusectl", "/sys/fs/fuse/connections", "fusectl", 0, NULL);
	must(mkdir(scene->mount, 0755));
	must(mkdir(scene_path(scene, "sockets"), 0700));
	must(chmod(scene_path(scene, "sockets"), 0777));
	must(mknod(scene_path(scene, "fuse"), S_IFCHR, makedev(10, 229)));
	must(chmod(scene_path(scene, "fuse"), 0666));
	raise_loopback();
	scene->started = daemon_start(&other, scene->mount);
	scene->daemon = daemon_find(scene->started);
}

static unsigned find_minor(const char *dir)
{
	char line[4096], point[1024];
	unsigned found = 0, minor;
	FILE *info = fopen("/proc/self/mountinfo", "re");

	while (info && fgets(line, sizeof(line), info))
		if (sscanf(line, "%*u %*u %*u:%u %*s %1023s", &minor, point) == 2 &&
		    !strcmp(point, dir))
			found = minor;
	if (info)
		fclose(info);
	return found;
}

static void abort_mount(unsigned minor)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/fs/fuse/connections/%u/abort", minor);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		(void)!write(fd, "1", 1);
		close(fd);
	}
}

static void become(uid_t uid)
{
	const struct rlimit files = {65536, 65536};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_NOFILE, &files);
	must(setgroups(0, NULL));
	must(setresgid(uid, uid, uid));
	must(setresuid(uid, uid, uid));
	/* Otherwise root would own its /proc/self. */
	must(prctl(PR_SET_DUMPABLE, 1));
}

static void start(const struct attack *attack, struct scene *scene)
{
	if (!attack->run) {
		scene->has_begun = true;
		return;
	}
	if (attack->prepare)
		attack->prepare(scene);
	if (must(fork()) == 0) {
		become(ATTACKER);
		attack->run(scene);
		for (;;) /* the children of attack_split() may still run */
			pause();
	}
}

/*
 * Kills our children until only `but` is left. Their children then become ours, and are killed too.
 */
static void end_children(pid_t but)
{
	double end = clock_now() + END_SECONDS;
	char path[64];
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	while (clock_now() < end) {
		FILE *children = fopen(path, "re");
		bool is_any = false;

		while (children && fscanf(children, "%d", &pid) == 1) {
			if (pid == but)
				continue;
			is_any = true;
			kill(pid, SIGKILL);
			waitpid(pid, NULL, WNOHANG);
		}
		if (children)
			fclose(children);
		if (!is_any)
			return;
		pause_shortly();
	}
}

static bool has_ended(pid_t pid, double seconds)
{
	double end = clock_now() + seconds;

	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (clock_now() > end)
			return false;
		pause_shortly();
	}
	return true;
}

static void observe(struct scene *scene, double seconds, struct outcome *ret_outcome)
{
	pid_t witness = must(fork());

	if (witness == 0) {
		become(ANOTHER);
		witness_run(scene, seconds);
		_exit(0);
	}
	if (has_ended(witness, seconds + HUNG_SECONDS))
		return;
	ret_outcome->hung = scene->testimony.deed;
	/* The witness is killed before the connection is aborted, which would let it continue. */
	kill(witness, SIGKILL);
}

void stage_run(const struct bench *bench, const struct attack *attack, double seconds,
	       struct scene *scene, struct outcome *ret_outcome)
{
	double end = clock_now() + BEGIN_SECONDS;
	unsigned minor;

	ret_outcome->hung = -1;
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	furnish(bench, scene);
	minor = find_minor(scene->mount);
	start(attack, scene);
	while (!scene->has_begun && clock_now() < end)
		pause_shortly();
	ret_outcome->has_begun = scene->has_begun;
	if (scene->has_begun)
		observe(scene, seconds, ret_outcome);
	ret_outcome->n_blows = scene->n_blows;
	if (ret_outcome->hung >= 0)
		abort_mount(minor);
	end_children(scene->started);
	kill(scene->started, SIGTERM);
	if (!has_ended(scene->started, END_SECONDS)) {
		ret_outcome->is_stuck = true;
		abort_mount(minor);
		kill(scene->started, SIGKILL);
		has_ended(scene->started, END_SECONDS);
	}
	umount2(scene->mount, MNT_DETACH);
	end_children(0);
}
