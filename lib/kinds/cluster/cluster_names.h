/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an object is called in NATS. A name is escaped into one token of a subject, which may also
 * be part of a stream's name: letters, digits, `-` and `_` stand for themselves, any other byte is
 * `=` and two hex digits, in capitals. So `a.b c` is `a=2Eb=20c`.
 *
 *            stream                   subject                          entry in the bucket ipcfs
 *   queues   ipcfs-queues-KEY         ipcfs.queues.KEY                 queues.KEY
 *   topics   ipcfs-topics-KEY         ipcfs.topics.KEY                 topics.KEY
 *   values   KV_ipcfs-values-KEY      $KV.ipcfs-values-KEY.value       values.KEY
 */
#ifndef IPCFS_CLUSTER_NAMES_H
#define IPCFS_CLUSTER_NAMES_H

#include <limits.h>
#include <stddef.h>

/* A stream's name has at most 255 bytes (nats-server, JSMaxNameLen). */
#define CLUSTER_STREAM_SIZE 256
/* Room for a key: what the longest prefix leaves of that. */
#define CLUSTER_KEY_SIZE     (CLUSTER_STREAM_SIZE - 16)
#define CLUSTER_SUBJECT_SIZE (CLUSTER_STREAM_SIZE + 16)

#define CLUSTER_BUCKET        "ipcfs"
#define CLUSTER_BUCKET_STREAM "KV_" CLUSTER_BUCKET

enum cluster_sort { CLUSTER_QUEUES, CLUSTER_TOPICS, CLUSTER_VALUES, CLUSTER_N_SORTS };
/* "queues", "topics", "values" */
extern const char *const cluster_words[CLUSTER_N_SORTS];

/* Escapes a name. Fails with -ENAMETOOLONG. */
int cluster_key_from_name(const char *name, char ret_key[static CLUSTER_KEY_SIZE]);
/* Undoes that. Fails with -EINVAL if no name gives this key: somebody else's. */
int cluster_name_from_key(const char *key, char ret_name[static NAME_MAX + 1]);

void cluster_stream_name(enum cluster_sort sort, const char *key,
			 char ret_name[static CLUSTER_STREAM_SIZE]);
void cluster_subject(enum cluster_sort sort, const char *key,
		     char ret_subject[static CLUSTER_SUBJECT_SIZE]);
/* "$KV.ipcfs.SORT.KEY": where the entry of an object is stored. */
void cluster_entry_subject(enum cluster_sort sort, const char *key,
			   char ret_subject[static CLUSTER_SUBJECT_SIZE]);
/* Finds sort and name of the object whose entry has this subject. Fails with -EINVAL. */
int cluster_parse_entry_subject(const char *subject, enum cluster_sort *ret_sort,
				char ret_key[static CLUSTER_KEY_SIZE],
				char ret_name[static NAME_MAX + 1]);

#endif
