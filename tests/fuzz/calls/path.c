// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * There are few names, so that all calls meet on the same objects. Some of the names are odd ones
 * that nobody would think of.
 *
 * sockets/unix is the machine's own tree: only paths below the fuzzer's directory are used there,
 * and ".." only where it leads back into the mount.
 */
#include "tests/fuzz/calls/path.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {
	"pipes", "queues", "shm", "sems", "events", "sysv/queues", "sysv/shm", "sysv/sems",
};

static void name_of_bytes(struct dice *dice, char *name, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char c = (char)dice_next(dice);

		name[i] = c == '/' || c == '\0' ? '\n' : c;
	}
	name[length] = '\0';
	if (name[0] == '.') /* never "..", which would lead out */
		name[0] = '-';
}

/* Writes at most 300 bytes. */
static void pick_name(struct dice *dice, char *name)
{
	static const char *const odd[] = {
		"a:1",   "b:32768", "c:-1", "a:1:2",     ":",          ":9",
		"sem.a", "-",       " ",    "a b",       "q\nowner 0", "\\x41",
		"%2Fa",  "%00",     "\"",   "a\x1b[31m", "\xff\xfe",   "\xc3\xa9",
		"0x1",   "id-0",    "id-1", "id--1",     "0x1:7",      "0x00000002:3",
		"{}",    "a,b",     "a=b",  "#a",        "~a",         "README",
	};

	switch (dice_roll(dice, 12)) {
	case 0:
		strcpy(name, dice_pick(dice, odd));
		break;
	case 1:
		name_of_bytes(dice, name, 1 + dice_roll(dice, 20));
		break;
	case 2:
		if (dice_once_in(dice, 4))
			name_of_bytes(dice, name, 240 + dice_roll(dice, 20));
		else
			sprintf(name, "%c:%u", 'a' + (int)dice_roll(dice, 6), dice_roll(dice, 10));
		break;
	default:
		sprintf(name, "%c", 'a' + (int)dice_roll(dice, 6));
	}
}

static void pick_key(struct dice *dice, char *name)
{
	if (dice_once_in(dice, 8))
		sprintf(name, "id-%u", dice_roll(dice, 40));
	else if (dice_once_in(dice, 6))
		pick_name(dice, name);
	else
		sprintf(name, dice_once_in(dice, 4) ? "0x%08x:%u" : "0x%08x",
			1 + dice_roll(dice, 6), dice_roll(dice, 4));
}

static void pick_in_kind(struct dice *dice, const char *kind, char *name)
{
	if (!strncmp(kind, "sysv/", 5))
		pick_key(dice, name);
	else
		pick_name(dice, name);
}

static void pick_socket(struct thread *thread, char *path)
{
	static const char *const hosts[] = {
		"127.0.0.1",  "localhost",    "::1",       "0.0.0.0", "[::1]",    "127.0.0.2",
		"*",          "no.such.host", "1.2.3.4.5", "\xff",    "10.0.0.1", "255.255.255.255",
		"ffff::1%lo",
	};
	static const char *const ports[] = {"5000",  "5001", "5002", "5003", "0",
					    "65536", "-1",   "http", "x"};
	static const char *const ends[] = {"", "/accept", "/connect", "/address", "/accept", "/x"};
	struct dice *dice = &thread->dice;
	char name[304];

	pick_name(dice, name);
	switch (dice_roll(dice, 5)) {
	case 0:
		sprintf(path, "sockets/unix%s/sockets/%s", thread->user->place->dir, name);
		break;
	case 1:
		sprintf(path, "sockets/abstract/%s", name);
		break;
	case 2:
		sprintf(path, "sockets/%s/%s/%s", dice_once_in(dice, 3) ? "udp" : "tcp",
			dice_once_in(dice, 9) ? name : dice_pick(dice, hosts),
			dice_pick(dice, ports));
		break;
	default:
		sprintf(path, "sockets/servers/%s%s", name, dice_pick(dice, ends));
	}
}

static void pick_info(struct dice *dice, char *path)
{
	static const char *const tables[] = {
		"summary", "inventory.json", "metrics", "graph.dot", "leaks", "index.html",
	};
	static const char *const looks[] = {"status", "peers", "peek", "tap", "", "x"};
	const char *kind = dice_pick(dice, kinds);
	char name[304];

	pick_in_kind(dice, kind, name);
	if (dice_once_in(dice, 3))
		sprintf(path, "info/%s", dice_pick(dice, tables));
	else if (dice_once_in(dice, 4))
		sprintf(path, "info/sockets/servers/%s/%s", name, dice_pick(dice, looks));
	else
		sprintf(path, "info/%s/%s/%s", kind, name, dice_pick(dice, looks));
}

static void pick_directory(struct thread *thread, char *path)
{
	static const char *const others[] = {
		".",
		"sockets",
		"sockets/servers",
		"sockets/abstract",
		"sockets/tcp",
		"sockets/udp",
		"sockets/tcp/127.0.0.1",
		"sysv",
		"info",
		"info/pipes",
		"info/queues",
		"info/sysv/shm",
		"info/sockets/servers",
		"info/sockets/tcp",
		"info/sockets",
	};
	struct dice *dice = &thread->dice;

	if (dice_once_in(dice, 8))
		sprintf(path, "sockets/unix%s/sockets", thread->user->place->dir);
	else if (dice_once_in(dice, 3))
		strcpy(path, dice_pick(dice, others));
	else
		strcpy(path, dice_pick(dice, kinds));
}

/* Picks a name that exists. */
static void pick_listed(struct thread *thread, char *path)
{
	struct dirent *entry;
	unsigned n = dice_roll(&thread->dice, 12);
	DIR *dir;

	pick_directory(thread, path);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && n-- == 0) {
			size_t length = strlen(path);

			snprintf(path + length, PATH_SIZE - length, "/%s", entry->d_name);
			break;
		}
	if (dir)
		closedir(dir);
}

static void pick_plain(struct thread *thread, char *path)
{
	static const char *const rest[] = {"ctl",       "README",   ".",       "x",
					   "pipes/a/b", "pipes/..", "sysv/x/y"};
	struct dice *dice = &thread->dice;
	const char *kind = dice_pick(dice, kinds);
	char name[304];

	switch (dice_roll(dice, 20)) {
	case 0:
		strcpy(path, dice_pick(dice, rest));
		break;
	case 1:
		pick_directory(thread, path);
		break;
	case 2:
	case 3:
		pick_listed(thread, path);
		break;
	case 4:
	case 5:
		pick_info(dice, path);
		break;
	case 6:
	case 7:
	case 8:
	case 9:
		pick_socket(thread, path);
		break;
	default:
		pick_in_kind(dice, kind, name);
		sprintf(path, "%s/%s", kind, name);
	}
}

const char *path_pick(struct thread *thread)
{
	static const char *const before[] = {"./", "pipes/../", "sysv/shm/../../", "info/.//../"};
	static const char *const after[] = {"/", "/.", "//", "/a"};
	char *path = thread->paths[thread->turn++ % N_ELEMENTS(thread->paths)];
	const char *prefix =
		dice_once_in(&thread->dice, 40) ? dice_pick(&thread->dice, before) : "";

	strcpy(path, prefix);
	pick_plain(thread, path + strlen(prefix));
	if (dice_once_in(&thread->dice, 40))
		strcat(path, dice_pick(&thread->dice, after));
	return path;
}

const char *path_in(struct thread *thread, const char *directory)
{
	char *path = thread->paths[thread->turn++ % N_ELEMENTS(thread->paths)];
	char name[304];

	pick_in_kind(&thread->dice, directory, name);
	sprintf(path, "%s/%s", directory, name);
	return path;
}

void path_channel(struct thread *thread, char *buffer, size_t size)
{
	struct dice *dice = &thread->dice;
	const char *kind = dice_once_in(dice, 5) ? "sockets/servers" : dice_pick(dice, kinds);
	char name[304];

	pick_in_kind(dice, kind, name);
	snprintf(buffer, size, "%s/%s", kind, name);
}
