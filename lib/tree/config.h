/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration file: commands of lib/tree/command.h, run as the daemon itself.
 *
 * Objects that exist already are kept, and adjusted as far as they lose nothing by it.
 *
 * A file is refused, which is a fault, unless it is a regular one (or /dev/null), belongs to root
 * or the daemon's user, and can't be written by others, nor, where the daemon is root, its group.
 */
#ifndef IPCFS_CONFIG_H
#define IPCFS_CONFIG_H

struct host;

#define CONFIG_FILE      "/etc/ipcfs.conf"
#define CONFIG_DIRECTORY "/etc/ipcfs.d"

/* Told of each fault; `line` 0 is the file itself. */
typedef void config_fault_fn(const char *path, unsigned line, const char *text);

/*
 * Runs the commands of one file. Returns the number of faults, each of which `fault` has been
 * told; the other lines have taken effect. A file that can't be read is one fault. Once the mount
 * serves a command may have to wait: what stands behind it, and what is read after this file, is
 * done later then, still in order, and those faults are told but not counted.
 */
int config_read(struct host *host, const char *path, config_fault_fn *fault);

/*
 * Runs CONFIG_FILE and then CONFIG_DIRECTORY's *.conf by name, as far as they exist. The directory
 * is refused as a file would be, with all that is in it: one fault.
 */
int config_read_system(struct host *host, config_fault_fn *fault);

#endif
