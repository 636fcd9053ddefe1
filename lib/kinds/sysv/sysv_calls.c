// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An object is looked at by its identifier or, without the right to read it, by its index.
 */
#include "lib/kinds/sysv/sysv_calls.h"

#include <errno.h>

/*
 * An object's index in the kernel's table is the low bits of its identifier. How many depends on
 * how the kernel was booted (ipc/util.h, ipcmni_extend).
 */
static const int index_masks[] = {0x7fff, 0xffffff};

int sysv_error(int error)
{
	return error == -EINVAL ? -EIDRM : error;
}

/* IPC_INFO, unlike SHM_INFO, does not look at the objects. */
int sysv_last_index(const struct sysv_calls *calls)
{
	union sysv_data data;

	return calls->control(0, IPC_INFO, &data);
}

/* Only *_STAT_ANY answers everybody, and it takes an index. */
static int stat_any(const struct sysv_calls *calls, int id, union sysv_data *ret_data)
{
	for (size_t i = 0; i < sizeof(index_masks) / sizeof(index_masks[0]); i++)
		if (calls->control(id & index_masks[i], calls->stat_any, ret_data) == id)
			return 0;
	return -EIDRM;
}

int sysv_stat_id(const struct sysv_calls *calls, int id, union sysv_data *ret_data)
{
	int r = calls->control(id, IPC_STAT, ret_data);

	return r == -EACCES ? stat_any(calls, id, ret_data) : sysv_error(r);
}

void sysv_identify(const struct sysv_calls *calls, int id, const union sysv_data *data,
		   struct sysv_identity *ret_identity)
{
	*ret_identity = (struct sysv_identity){
		.id = id,
		.key = data->perm.__key,
		.cuid = data->perm.cuid,
		.cgid = data->perm.cgid,
	};
	if (calls->constants)
		calls->constants(data, ret_identity);
}

/* A segment that is removed while attached loses its key (ipc/shm.c, do_shm_rmid). */
static bool has_key(const struct sysv_identity *known, const union sysv_data *data)
{
	return known->key == data->perm.__key ||
	       (data->perm.__key == IPC_PRIVATE && (data->perm.mode & SHM_DEST));
}

bool sysv_is_identical(const struct sysv_calls *calls, const struct sysv_identity *known,
		       const union sysv_data *data)
{
	struct sysv_identity now;

	sysv_identify(calls, (int)known->id, data, &now);
	return now.cuid == known->cuid && now.cgid == known->cgid && now.size == known->size &&
	       now.maker == known->maker && has_key(known, data);
}

int sysv_verify(const struct sysv_calls *calls, const struct sysv_identity *known,
		union sysv_data *ret_data)
{
	int r = sysv_stat_id(calls, (int)known->id, ret_data);

	return r < 0 || sysv_is_identical(calls, known, ret_data) ? r : -EIDRM;
}

int sysv_sem_sleepers(int id, int number)
{
	int up = semctl(id, number, GETNCNT);
	int zero = up < 0 ? -1 : semctl(id, number, GETZCNT);

	return zero < 0 ? -errno : up + zero;
}
