// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A stand-in for libFuzzer. `standalone CORPUS N [SEED]` runs the files of the directory CORPUS,
 * then N random variations of them. It ends after 15 seconds, or when the fuzzed code ends the
 * process.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/cleanup.h"
#include "tests/fuzz/fuzz.h"

enum { INPUTS_MAX = 256, SIZE_MAX_ = 8192, SECONDS = 15 };

struct input {
	size_t size;
	uint8_t data[SIZE_MAX_];
};

static struct input *inputs[INPUTS_MAX];
static size_t n_inputs;
static uint64_t state;

/* splitmix64 */
static size_t chance(size_t n)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (size_t)((z ^ (z >> 31)) % n);
}

static void load(const char *directory)
{
	CLEANUP_DIR DIR *dir = opendir(directory);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) && n_inputs < INPUTS_MAX) {
		struct input *input = calloc(1, sizeof(*input));
		char path[4096];
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
		if (input && file) {
			input->size = fread(input->data, 1, sizeof(input->data), file);
			inputs[n_inputs++] = input;
		} else {
			free(input);
		}
		if (file)
			fclose(file);
	}
}

/* Replaces `n` bytes at `at` with others. */
static void replace(struct input *input, size_t at, size_t n, const uint8_t *with, size_t size)
{
	size_t rest = input->size - at - n;

	if (input->size - n + size > SIZE_MAX_)
		return;
	memmove(input->data + at + size, input->data + at + n, rest);
	memcpy(input->data + at, with, size);
	input->size += size - n;
}

static void mutate(struct input *input)
{
	static const char *const words[] = {
		"create ",
		"set ",
		"remove ",
		"pipes/",
		"shm/",
		"\n",
		" ",
		"=",
		"mode=",
		"owner=",
		"group=",
		"0600",
		"size=",
		"eof=",
		"#",
		"..",
		"never",
		"capacity=",
		"99999999999999999999",
		"K",
		"G",
		"nobody",
		"\r\t",
		"-1",
	};
	const struct input *other = inputs[chance(n_inputs)];
	const char *word = words[chance(sizeof(words) / sizeof(words[0]))];
	size_t at = chance(input->size + 1);
	size_t n = chance((input->size - at < 16 ? input->size - at : 16) + 1);
	size_t from = chance(other->size + 1);
	uint8_t byte = (uint8_t)chance(256);

	switch (chance(6)) {
	case 0:
		replace(input, at, n ? 1 : 0, &byte, 1);
		break;
	case 1:
		replace(input, at, n, &byte, 0);
		break;
	case 2:
		replace(input, at, n, (const uint8_t *)word, strlen(word));
		break;
	case 3:
		replace(input, at, 0, (const uint8_t *)word, strlen(word));
		break;
	case 4:
		replace(input, at, input->size - at, other->data + from, other->size - from);
		break;
	default:
		for (size_t i = chance(400); i > 0; i--)
			replace(input, at, 0, &byte, 1);
	}
}

static void fuzz(long n)
{
	time_t end = time(NULL) + SECONDS;
	long i;

	for (i = 0; i < n && time(NULL) < end; i++) {
		struct input input = *inputs[chance(n_inputs)];

		for (size_t times = 1 + chance(6); times > 0; times--)
			mutate(&input);
		LLVMFuzzerTestOneInput(input.data, input.size);
	}
	printf("# %zu files, %ld inputs\n", n_inputs, i);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: %s CORPUS N [SEED]\n", argv[0]);
		return 2;
	}
	load(argv[1]);
	if (n_inputs == 0) {
		fprintf(stderr, "%s: no inputs\n", argv[1]);
		return 1;
	}
	state = argc > 3 ? strtoull(argv[3], NULL, 10) : (uint64_t)time(NULL);
	printf("1..1\n# seed %llu\n", (unsigned long long)state);
	fflush(stdout);
	for (size_t i = 0; i < n_inputs; i++)
		LLVMFuzzerTestOneInput(inputs[i]->data, inputs[i]->size);
	fuzz(strtol(argv[2], NULL, 10));
	puts("ok 1 every input was survived");
	while (n_inputs > 0)
		free(inputs[--n_inputs]);
	return 0;
}
