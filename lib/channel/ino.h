/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inode numbers.
 *
 * Everything in the mount has the same device number, so no two things may have the same inode
 * number: to cp(1), diff(1) and find(1) they would be one file. And a 32-bit program without
 * large-file support can neither list nor stat a file whose number exceeds 32 bits. The native
 * numbers come from several filesystems and tables, and some have 64 bits.
 *
 * So the 32 bits are divided, without a table that someone would have to keep:
 *
 *     3 bits: the part    29 bits: units of 4 million for each kind, and the native number
 *
 * Part 0 is the object; the others are what info/ and a directory show of it. A native number too
 * large for its kind's units becomes a 64-bit number that nothing else can have. Native numbers
 * start small, but those of queues are shared with all sockets and pipes of the machine.
 *
 * Names made up at will by the daemon or others, such as paths and addresses, have no number but a
 * hash, and two 32-bit hashes would soon collide: these have 48 bits.
 */
#ifndef IPCFS_INO_H
#define IPCFS_INO_H

#include <stdint.h>
#include <sys/types.h>

struct space;

#define INO_UNIT_BITS 22
#define INO_UNITS     128

/* The first units. The kinds' units follow, in the order of kinds[]. */
enum {
	INO_PATHS,     /* fixed paths; all parts */
	INO_OWN,       /* what the daemon keeps: host::numbers */
	INO_ADDRESSES, /* space_address_ino() */
	INO_KINDS,
};

enum ino_part {
	INO_OBJECT,
	INO_MIRROR, /* the object's directory in info/ */
	INO_TEXTS,  /* the first file in that directory */
	INO_ADDRESS = 7,
};

/*
 * Returns the number under which the mount shows the space's object with number `ino`. If the space
 * has no units, the mount shows the number as it is.
 */
ino_t space_ino(const struct space *space, ino_t ino);
/* Returns the number of a part of that object (enum ino_part). */
ino_t space_part_ino(const struct space *space, ino_t ino, unsigned part);

/*
 * For things without a number of their own, by the path where they are shown. space_path_ino() is
 * for the mount's fixed paths, no two of which collide (a test checks); space_name_ino() is for any
 * name at all, and lies above 32 bits.
 */
ino_t space_path_ino(const char *path);
ino_t space_inner_ino(const struct space *space, const char *name); /* a name in a fixed space */
ino_t space_name_ino(const char *path);

/*
 * For entries in a list of addresses. stat(2) gives another number: that of the connection that it
 * makes. Two addresses may have the same number.
 */
ino_t space_address_ino(const char *path);

#endif
