// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/kinds/sysv/sysv_sem_list.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/channel/sleeper.h"
#include "lib/channel/transfer.h"

#define BLANKS " \t\r\n"

/* A list that a thread does. */
struct operation {
	struct sleeper sleeper;
	struct transfer_work work;
	int id;
	size_t size; /* of its text, bytes */
	size_t n;
	struct sembuf list[];
};

/* One whole number within bounds, and nothing else. */
static bool parse_number(const char *word, long min, long max, short *ret_number)
{
	const char *digits = word + (*word == '-' || *word == '+');
	long number;
	char *end;

	if (*digits < '0' || *digits > '9')
		return false;
	errno = 0;
	number = strtol(word, &end, 10);
	*ret_number = (short)number;
	return !errno && !*end && number >= min && number <= max;
}

int sysv_sem_list_parse(const char *data, size_t size, struct sembuf *list)
{
	CLEANUP_FREE char *text = strndup(data, size);
	char *rest, *word;
	short number;
	int n = 0;

	if (!text)
		return -ENOMEM;
	if (strlen(text) != size)
		return -EINVAL;
	for (word = strtok_r(text, BLANKS, &rest); word; word = strtok_r(NULL, BLANKS, &rest)) {
		if (n == SYSV_SEM_LIST_MAX)
			return -E2BIG;
		if (*word == '-' || *word == '+' || !parse_number(word, 0, SHRT_MAX, &number))
			return -EINVAL;
		word = strtok_r(NULL, BLANKS, &rest);
		list[n].sem_num = (unsigned short)number;
		list[n].sem_flg = 0;
		if (!word || !parse_number(word, SHRT_MIN, SHRT_MAX, &list[n].sem_op))
			return -EINVAL;
		n++;
	}
	return n ? n : -EINVAL;
}

static int operate(struct sleeper *sleeper)
{
	struct operation *operation = CONTAINER_OF(sleeper, struct operation, sleeper);

	if (semop(operation->id, operation->list, operation->n) < 0)
		return sysv_error(-errno);
	return 0;
}

static void operation_ended(struct sleeper *sleeper)
{
	struct operation *operation = CONTAINER_OF(sleeper, struct operation, sleeper);
	struct transfer *transfer = operation->work.transfer;

	if (transfer)
		transfer_finish(transfer,
				sleeper->result < 0 ? sleeper->result : (ssize_t)operation->size);
	free(operation);
}

static void operation_stop(struct transfer_work *work)
{
	sleeper_stop(&CONTAINER_OF(work, struct operation, work)->sleeper);
}

static int start_operation(struct sysv *set, struct transfer *writer)
{
	struct sembuf list[SYSV_SEM_LIST_MAX];
	struct operation *operation;
	int n = sysv_sem_list_parse(writer->data, writer->size, list);
	int r;

	if (n < 0)
		return n;
	operation = calloc(1, sizeof(*operation) + (size_t)n * sizeof(*list));
	if (!operation)
		return -ENOMEM;
	operation->sleeper.call = operate;
	operation->sleeper.ended = operation_ended;
	operation->work.stop = operation_stop;
	operation->id = set->id;
	operation->size = writer->size;
	operation->n = (size_t)n;
	memcpy(operation->list, list, (size_t)n * sizeof(*list));
	r = sleeper_start(&operation->sleeper, &set->channel, writer->file->uid);
	if (r < 0) {
		free(operation);
		return r;
	}
	operation->work.transfer = writer;
	writer->work = &operation->work;
	return 0;
}

void sysv_sem_list_attend(struct channel *channel)
{
	struct transfer *writer, *next;

	DL_FOREACH_SAFE(channel->writers, writer, next) {
		int r = writer->work ? 0 : start_operation(sysv_from(channel), writer);

		if (r < 0)
			transfer_finish(writer, r);
	}
}
