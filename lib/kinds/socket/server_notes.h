/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For server_adopt.c: what is in a block of the state for each server. */
#ifndef IPCFS_SERVER_NOTES_H
#define IPCFS_SERVER_NOTES_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/kinds/socket/listener.h"

/* What outlives the daemon, of a server. The groups are followed by the path, with its NUL. */
struct server_notes {
	uint64_t listener; /* the socket's inode number */
	uint64_t dev, ino; /* of the socket file */
	int32_t type, backlog;
	uint32_t mode;
	uint32_t takes_rights, is_here;
	char address[LISTENER_ADDRESS_MAX];
	/* server::remover */
	uid_t uid;
	gid_t gid;
	uint32_t umask;
	uint64_t capabilities;
	uint64_t n_groups;
	gid_t groups[];
};

#endif
