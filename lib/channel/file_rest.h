/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For file.c and file_open.c alone: what of a message a reader has still to get, or the text of a
 * frozen file (file::rest).
 */
#ifndef IPCFS_FILE_REST_H
#define IPCFS_FILE_REST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct file;

/*
 * Gives the next bytes of the rest, at most `size`, in host::scratch. They count as read when
 * rest_end() is called.
 */
ssize_t rest_read(struct file *file, size_t size, const void **ret_data);
/* Gives the bytes of a frozen text at `offset`, where they lie. */
ssize_t rest_read_frozen(const struct file *file, size_t size, off_t offset, const void **ret_data);

/*
 * Keeps what a message in host::scratch has beyond `size` bytes, in memory that was reserved and
 * charged before it was taken.
 */
void rest_keep(struct file *file, size_t size, size_t message_size);

/* The reader has what it took of the rest, or will never ask for it again. */
void rest_end(struct file *file);
/* Frees the rest. */
void rest_drop(struct file *file);
/* For the next daemon: takes over the rest that the file's record names. */
void rest_adopt(struct file *file);

/* Tells the kind what became of the message that the file read last: channel_ops::finished. */
void file_finish(struct file *file, bool is_given);

#endif
