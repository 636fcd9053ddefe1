/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers as a shell writes them into a file: `echo 3 > NAME`.
 */
#ifndef IPCFS_NUMBER_H
#define IPCFS_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* Reads a decimal number with blanks around it, without a NUL behind. -EINVAL, -ERANGE */
int number_parse(const char *text, size_t size, uint64_t max, uint64_t *ret_number);

#endif
