// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * info/index.html: a page that needs nothing but itself. Its table and picture are made by its
 * script, from data in a script element: a JSON object with
 *
 *     made      when, in seconds since 1970
 *     host      the name of the machine
 *     reader    the user who reads it
 *     users     names by number, as far as they are known; groups likewise
 *     channels  as in inventory.json; fill is what info_fill() says
 *     processes those that the reader may see; uses has pairs of a channel (its index) and access
 *     others    for each further process and each channel that it uses, the channel
 *     nOthers   how many such processes there are
 *     nUnseen   how many could not be looked at
 *     failed    whether the processes could not be looked for
 */
#include <errno.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/quote.h"
#include "lib/host/account_names.h"
#include "lib/info/info_json.h"
#include "lib/info/info_names.h"
#include "lib/info/info_page.h"
#include "lib/info/info_row.h"
#include "lib/info/info_rows.h"
#include "lib/info/info_text.h"

/* Enough for some 150 channels. */
#define PAGE_SIZE_LEAST ((size_t)128 << 10)

/* Frees the object, which is NULL if there was no memory. */
static int print_object(json_object *object, FILE *out)
{
	const char *text = NULL;

	if (object)
		text = json_object_to_json_string_ext(
			object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		info_json_print_in_script(text, out);
	json_object_put(object);
	return text ? 0 : -ENOMEM;
}

/* Prints what others have chosen. */
static int print_text(const char *text, FILE *out)
{
	CLEANUP_FREE char *quoted = quote_text(text);

	return quoted ? print_object(json_object_new_string(quoted), out) : -ENOMEM;
}

static int print_names(const struct account_table *table, enum account_sort sort, FILE *out)
{
	const char *separator = "";
	int r = 0;

	for (size_t i = 0; r == 0 && i < table->n; i++) {
		const struct account *account = &table->accounts[i];

		if (account->sort != sort || !*account->name)
			continue;
		fprintf(out, "%s\"%u\":", separator, account->id);
		r = print_text(account->name, out);
		separator = ",";
	}
	return r;
}

static int print_accounts(const struct info_rows *rows, FILE *out)
{
	int r;

	fputs(",\n\"users\":{", out);
	r = print_names(&rows->names->table, ACCOUNT_USER, out);
	fputs("},\"groups\":{", out);
	if (r == 0)
		r = print_names(&rows->names->table, ACCOUNT_GROUP, out);
	fputs("}", out);
	return r;
}

static int print_channel(const struct row *row, FILE *out)
{
	json_object *object = info_json_row(row);
	double fill = info_fill(row);
	char text[16];

	if (object && fill >= 0) {
		snprintf(text, sizeof(text), "%.4f", fill < 9999 ? fill : 9999);
		if (json_object_object_add(object, "fill", json_object_new_double_s(fill, text)))
			return json_object_put(object), -ENOMEM;
	}
	return print_object(object, out);
}

static int print_channels(const struct info_rows *rows, FILE *out)
{
	int r = 0;

	fputs(",\n\"channels\":[", out);
	for (size_t i = 0; r == 0 && i < rows->n; i++) {
		fputs(i ? ",\n" : "\n", out);
		r = print_channel(&rows->rows[i], out);
	}
	fputs("]", out);
	return r;
}

static int print_process(const struct peer *peer, FILE *out)
{
	int r;

	fprintf(out, "\n{\"pid\":%d,\"uid\":%u,\"command\":", peer->pid, peer->uid);
	r = print_text(peer->command, out);
	fputs(",\"uses\":[", out);
	return r;
}

/* Peers are sorted by process. */
static int print_processes(const struct info_rows *rows, const struct peers *found,
			   struct caller *reader, FILE *out)
{
	pid_t last = 0;
	int r = 0;

	fputs(",\n\"processes\":[", out);
	for (size_t i = 0; r == 0 && i < found->n_peers; i++) {
		const struct peer *peer = &found->peers[i];

		if (!info_shows(reader, peer))
			continue;
		if (last && peer->pid != last)
			fputs("]},", out);
		if (peer->pid != last)
			r = print_process(peer, out);
		fprintf(out, "%s[%zu,\"%s\"]", peer->pid == last ? "," : "",
			rows->users.used[peer->target].row, peer_access_name(peer->access));
		last = peer->pid;
	}
	fputs(last ? "]}]" : "]", out);
	return r;
}

/*
 * By channel, not by process: which channels a stranger's process uses together is nobody's
 * business. -ENOMEM
 */
static int print_others(const struct info_rows *rows, const struct peers *found,
			struct caller *reader, FILE *out)
{
	CLEANUP_FREE size_t *n_users = calloc(rows->n + 1, sizeof(*n_users));
	size_t n_uses = 0, n_others = 0;
	pid_t last = 0;

	if (!n_users)
		return -ENOMEM;
	for (size_t i = 0; i < found->n_peers; i++) {
		const struct peer *peer = &found->peers[i];

		if (info_shows(reader, peer))
			continue;
		n_users[rows->users.used[peer->target].row]++;
		n_others += peer->pid != last;
		last = peer->pid;
	}
	fputs(",\n\"others\":[", out);
	for (size_t row = 0; row < rows->n; row++)
		for (size_t i = 0; i < n_users[row]; i++)
			fprintf(out, "%s%zu", n_uses++ ? "," : "", row);
	fprintf(out, "],\n\"nOthers\":%zu", n_others);
	return 0;
}

static int print_data(const struct info_rows *rows, struct caller *reader, FILE *out)
{
	struct peers found = info_users_found(&rows->users);
	char host[HOST_NAME_MAX + 1] = "";
	int r;

	gethostname(host, sizeof(host) - 1);
	fprintf(out, "{\"made\":%lld,\"reader\":%u,\"host\":", (long long)time(NULL), reader->uid);
	r = print_text(host, out);
	if (r == 0)
		r = print_accounts(rows, out);
	if (r == 0)
		r = print_channels(rows, out);
	if (r == 0)
		r = print_processes(rows, &found, reader, out);
	if (r == 0)
		r = print_others(rows, &found, reader, out);
	fprintf(out, ",\n\"nUnseen\":%u,\"failed\":%s}\n", found.n_unseen,
		rows->users.error < 0 ? "true" : "false");
	return r;
}

/*
 * A browser that opens the file reads no more than stat(2) has promised it before: the size of the
 * page before this one. So pages come in few sizes, and the next one will most often have the same.
 * (If not, its script notices, and loads it again.)
 */
static void print_padding(FILE *out)
{
	size_t size = PAGE_SIZE_LEAST, n = (size_t)ftell(out);

	while (size <= n)
		size *= 2;
	fprintf(out, "%*s", (int)(size - n), "\n");
}

static int index_print(void *prepared, struct caller *reader, FILE *out)
{
	struct info_rows *rows = prepared;
	int r;

	info_rows_complete(rows);
	fputs(info_page_head, out);
	r = print_data(rows, reader, out);
	fputs(info_page_tail, out);
	print_padding(out);
	return r;
}

const struct text_ops info_index_ops = {
	.print = index_print,
	.prepare = info_rows_prepare_with_users,
	.gather = info_names_gather,
	.discard = info_rows_discard,
	.finish = info_rows_finish,
	.first_size = PAGE_SIZE_LEAST,
};
