/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first step of reading any answer of JetStream's API.
 */
#ifndef IPCFS_API_ANSWER_H
#define IPCFS_API_ANSWER_H

#include "lib/kinds/cluster/cluster_api.h"
#include "lib/kinds/cluster/json_text.h"

/* As api_check(), and gives the object that the answer is. */
int api_answer_parse(const struct nats_message *answer, unsigned *ret_code,
		     json_object **ret_object);

#define CLEANUP_JSON __attribute__((cleanup(cleanup_json)))

static inline void cleanup_json(json_object **object)
{
	json_object_put(*object);
}

/* Reads a time as RFC 3339 has it, in UTC: 2026-11-28T16:13:52.5Z. Fails with -EPROTO. */
int api_time_parse(const char *text, int64_t *ret_time);

#endif
