/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a mount tells about itself to "ipcfs --status": words KEY=VALUE on one line, in an extended
 * attribute of its directories, which listxattr(2) does not list. Whoever can reach the mount may
 * ask. It takes the same short time however many channels there are.
 */
#ifndef IPCFS_VITALS_H
#define IPCFS_VITALS_H

struct caller;
struct session;

#define VITALS_XATTR "system.ipcfs.status"
#define VITALS_SIZE  512 /* enough for the text */

/* Writes the attribute's value. Counts the channels that the caller can list. */
void vitals_text(const struct session *session, struct caller *caller,
		 char text[static VITALS_SIZE]);

#endif
