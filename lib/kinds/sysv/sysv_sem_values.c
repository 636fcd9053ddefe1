// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All values of a set are got and set in one call.
 */
#include "lib/kinds/sysv/sysv_sem_values.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/sysv/sysv_calls.h"

int sysv_sem_get(int id, size_t n, unsigned short **ret_values)
{
	CLEANUP_FREE unsigned short *values = calloc(n, sizeof(*values));
	union sysv_sem_argument argument = {.array = values};

	if (!values)
		return -ENOMEM;
	if (semctl(id, 0, GETALL, argument) < 0)
		return sysv_error(-errno);
	*ret_values = TAKE_PTR(values);
	return 0;
}

int sysv_sem_set(int id, size_t n, unsigned short value)
{
	CLEANUP_FREE unsigned short *values = calloc(n, sizeof(*values));
	union sysv_sem_argument argument = {.array = values};

	if (!values)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		values[i] = value;
	return semctl(id, 0, SETALL, argument) < 0 ? sysv_error(-errno) : 0;
}

/* For a large set sprintf(3) takes ten times as long. */
size_t sysv_sem_print(unsigned short value, char *data)
{
	char digits[SYSV_SEM_LINE];
	size_t n = 0, length = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	while (n > 0)
		data[length++] = digits[--n];
	data[length++] = '\n';
	return length;
}

size_t sysv_sem_print_all(const unsigned short *values, size_t n, char *data, size_t size)
{
	size_t length = 0;

	for (size_t i = 0; i < n && size - length >= SYSV_SEM_LINE; i++)
		length += sysv_sem_print(values[i], data + length);
	return length;
}
