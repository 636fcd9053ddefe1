// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A namespace is known by the text of its link in /proc/PID/ns: reading that costs less than
 * opening the link.
 */
#include "lib/host/namespaces.h"

#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SEPARATORS ":"
/* How long a check of a thread's namespaces stays valid, ns. */
#define LOOK_LASTS 10000000LL

static const struct {
	const char *name;
	enum namespace_type type;
} names[] = {{"net", NAMESPACE_NET}, {"ipc", NAMESPACE_IPC}, {"pid", NAMESPACE_PID}};
#define N_NAMES (sizeof(names) / sizeof(names[0]))

/*
 * Reads a link of /proc/PID/ns. Fails with -EACCES, or with -ENOENT if there is no such process or
 * it has ended.
 */
static int read_link(const char *process, const char *name, char link[static NAMESPACE_LINK])
{
	char path[48];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%s/ns/%s", process, name);
	n = readlink(path, link, NAMESPACE_LINK - 1);
	if (n < 0)
		return -errno;
	link[n] = '\0';
	return 0;
}

static int read_link_of(pid_t pid, const char *name, char link[static NAMESPACE_LINK])
{
	char process[16];

	snprintf(process, sizeof(process), "%d", pid);
	return read_link(process, name, link);
}

bool namespaces_can_see(void)
{
	return caller_permitted() >> CAP_SYS_PTRACE & 1;
}

/* The first namespace has a fixed number (linux/include/linux/proc_ns.h, PROC_PID_INIT_INO). */
bool namespaces_see_all(void)
{
	char link[NAMESPACE_LINK];

	return namespaces_can_see() && read_link("self", "pid", link) == 0 &&
	       strcmp(link, "pid:[4026531836]") == 0;
}

static char own_user[NAMESPACE_LINK];

static void read_own_user(void)
{
	if (read_link("self", "user", own_user) < 0)
		own_user[0] = '\0';
}

bool namespaces_is_own_user(pid_t pid)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	char theirs[NAMESPACE_LINK];

	pthread_once(&once, read_own_user);
	return read_link_of(pid, "user", theirs) == 0 && strcmp(theirs, own_user) == 0;
}

/* A text stays empty without /proc. Then no caller can be seen, and the text is never compared. */
void namespaces_note(struct namespaces *namespaces)
{
	bool is_first = !namespaces->net[0];

	if (is_first && read_link("self", "net", namespaces->net) < 0)
		namespaces->net[0] = '\0';
	if (is_first && read_link("self", "pid", namespaces->pid) < 0)
		namespaces->pid[0] = '\0';
	if (read_link("self", "ipc", namespaces->ipc[1]) < 0)
		namespaces->ipc[1][0] = '\0';
	if (is_first)
		strcpy(namespaces->ipc[0], namespaces->ipc[1]);
}

static enum namespace_type find_type(const char *name, size_t size)
{
	for (size_t i = 0; i < N_NAMES; i++)
		if (strlen(names[i].name) == size && strncmp(names[i].name, name, size) == 0)
			return names[i].type;
	return NAMESPACE_NONE;
}

int namespaces_parse(const char *text, unsigned *ret_foreign)
{
	unsigned foreign = 0;

	for (;; text++) {
		size_t size = strcspn(text, SEPARATORS);
		enum namespace_type type = find_type(text, size);

		if (type == NAMESPACE_NONE)
			return -EINVAL;
		foreign |= 1U << type;
		text += size;
		if (!*text)
			break;
	}
	*ret_foreign = foreign;
	return 0;
}

static bool is_home(const struct namespaces *namespaces, enum namespace_type type, const char *link)
{
	if (type == NAMESPACE_NET)
		return strcmp(link, namespaces->net) == 0;
	if (type == NAMESPACE_PID)
		return strcmp(link, namespaces->pid) == 0;
	return strcmp(link, namespaces->ipc[0]) == 0 || strcmp(link, namespaces->ipc[1]) == 0;
}

static const char *type_name(enum namespace_type type)
{
	for (size_t i = 0; i < N_NAMES; i++)
		if (names[i].type == type)
			return names[i].name;
	return "";
}

int namespaces_check(const struct namespaces *namespaces, struct caller *caller,
		     enum namespace_type type)
{
	char link[NAMESPACE_LINK];
	int r;

	if (type == NAMESPACE_NONE || ((namespaces->foreign | caller->home) >> type & 1) ||
	    caller->pid == getpid())
		return 0;
	if (caller->seen >> type & 1)
		return -EPERM;
	if (!caller_is_visible(caller))
		return namespaces->foreign >> NAMESPACE_PID & 1 ? 0 : -EPERM;
	caller->seen |= 1U << type;
	r = read_link_of(caller->pid, type_name(type), link);
	if (r == -EACCES && !namespaces_can_see()) {
		caller->home |= 1U << type;
		return 0;
	}
	if (r < 0 || !is_home(namespaces, type, link))
		return -EPERM;
	caller->home |= 1U << type;
	return 0;
}

static bool is_recent(const struct timespec *then, const struct timespec *now)
{
	long long ns = (now->tv_sec - then->tv_sec) * 1000000000LL + now->tv_nsec - then->tv_nsec;

	return ns >= 0 && ns < LOOK_LASTS;
}

int namespaces_check_look(struct namespaces *namespaces, struct caller *caller,
			  enum namespace_type type)
{
	unsigned bit = 1U << type;
	struct timespec now;
	int r;

	if (type == NAMESPACE_NONE)
		return 0;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (caller->pid && caller->pid == namespaces->looked_at &&
	    (namespaces->looked_home & bit) && is_recent(&namespaces->looked, &now))
		return 0;
	r = namespaces_check(namespaces, caller, type);
	if (r == 0 && (caller->home & bit)) {
		namespaces->looked_at = caller->pid;
		namespaces->looked_home = bit;
		namespaces->looked = now;
	}
	return r;
}
