/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration file: commands of lib/tree/command.h, run as the daemon itself.
 *
 * Existing objects are kept, and adjusted where that loses nothing.
 *
 * A file is refused, which is a fault, unless it is regular (or /dev/null), belongs to root or the
 * daemon's user, and can be written neither by others nor, if the daemon is root, by its group.
 */
#ifndef IPCFS_CONFIG_H
#define IPCFS_CONFIG_H

struct caller;
struct host;

#define CONFIG_FILE      "/etc/ipcfs.conf"
#define CONFIG_DIRECTORY "/etc/ipcfs.d"

/* In tree_record::config_left: the lines that have not all run yet. */
enum config_lines {
	CONFIG_LOCAL = 1 << 0,
	CONFIG_REMOTE = 1 << 1, /* lib/tree/remote_lines.h */
};

/* Called for each fault. `line` 0 means the file itself. */
typedef void config_fault_fn(const char *path, unsigned line, const char *text);

/* Fills in the caller on whose behalf the lines run: the daemon. -ENOMEM */
int config_caller(struct caller *ret_caller);

/*
 * Runs the commands of one file. Returns the number of faults, each of which has been reported to
 * `fault`; all other lines have taken effect. A file that can't be read is one fault. When the
 * mount serves requests, a command may have to wait. Then the lines behind it, and files that are
 * read after this file, follow later, still in order; their faults are reported but not counted.
 * The same holds at any time for lines that name what lies on other machines, for which no other
 * line waits (lib/tree/remote_lines.h).
 */
int config_read(struct host *host, const char *path, config_fault_fn *fault);

/*
 * Runs CONFIG_FILE and then CONFIG_DIRECTORY's *.conf in the order of their names, as far as they
 * exist. The directory may be refused like a file, with all that is in it, which is one fault.
 */
int config_read_system(struct host *host, config_fault_fn *fault);

/*
 * For the next daemon. What has run does not run again: it might bring back what users have removed
 * since. But if the former daemon had not come to the end, reads again, as config_read() does, or
 * with `path` NULL, as config_read_system(). Local lines are passed over if they had all run.
 */
int config_read_left(struct host *host, const char *path, config_fault_fn *fault);

/* For remote_lines.c: all of its lines have run. */
void config_settle(struct host *host);

#endif
