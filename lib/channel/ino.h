/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The numbers of inodes.
 *
 * All that the mount shows has one device number, so no two things may have the same inode number:
 * to cp(1), diff(1) and find(1) they would be one file. And a program of 32 bits that knows nothing
 * of large files can neither list nor stat what has a number of more than 32 bits. The numbers that
 * there are natively come from several filesystems and tables, and of some there are 64 bits.
 *
 * So the 32 bits are divided, without a table that somebody would have to keep:
 *
 *     3 bits: the part    29 bits: units of 4 million for each kind, and the native number
 *
 * Part 0 is the object, the others are what info/ and a directory have of it. A native number that
 * is too large for its kind's units becomes one of 64 bits that no other can be. Natively they
 * begin small, but those of queues are shared with all sockets and pipes of the machine.
 *
 * Names that the daemon or others make up at will, as paths and addresses, have no numbers but a
 * hash, and two of 32 bits would meet soon: those have 48 bits.
 */
#ifndef IPCFS_INO_H
#define IPCFS_INO_H

#include <stdint.h>
#include <sys/types.h>

struct space;

#define INO_UNIT_BITS 22
#define INO_UNITS     128

/* The first units; those that kinds ask for follow, in the order of their list. */
enum {
	INO_PATHS,     /* fixed paths; all parts */
	INO_OWN,       /* what the daemon keeps: host_number() */
	INO_ADDRESSES, /* space_address_ino() */
	INO_KINDS,
};

enum ino_part {
	INO_OBJECT,
	INO_MIRROR, /* its directory in info/ */
	INO_TEXTS,  /* the first of what is in that */
	INO_ADDRESS = 7,
};

/*
 * The number under which the mount shows a part of the object with number `ino` of this space.
 * Where the space has no units, numbers are what the mount shows.
 */
ino_t space_ino(const struct space *space, ino_t ino);
ino_t space_part_ino(const struct space *space, ino_t ino, unsigned part);

/*
 * For what has no number of its own, by the path where it is shown: one of the mount's fixed paths,
 * of which no two meet (a test looks); and any name at all, above 32 bits.
 */
ino_t space_path_ino(const char *path);
ino_t space_inner_ino(const struct space *space, const char *name); /* of a fixed one */
ino_t space_name_ino(const char *path);

/*
 * In a list of addresses; stat(2) has the number of the connection that it makes. Two may have the
 * same one.
 */
ino_t space_address_ino(const char *path);

#endif
