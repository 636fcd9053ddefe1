// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The real-time signals are counted from SIGRTMIN and SIGRTMAX as libc has them: it keeps the
 * kernel's first two for itself, which therefore have no names.
 */
#include "lib/kinds/signal/signal_names.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/number.h"

static const struct {
	int number;
	const char *name;
} names[] = {
	{SIGHUP, "HUP"},
	{SIGINT, "INT"},
	{SIGQUIT, "QUIT"},
	{SIGILL, "ILL"},
	{SIGTRAP, "TRAP"},
	{SIGABRT, "ABRT"},
	{SIGBUS, "BUS"},
	{SIGFPE, "FPE"},
	{SIGKILL, "KILL"},
	{SIGUSR1, "USR1"},
	{SIGSEGV, "SEGV"},
	{SIGUSR2, "USR2"},
	{SIGPIPE, "PIPE"},
	{SIGALRM, "ALRM"},
	{SIGTERM, "TERM"},
	{SIGCHLD, "CHLD"},
	{SIGCONT, "CONT"},
	{SIGSTOP, "STOP"},
	{SIGTSTP, "TSTP"},
	{SIGTTIN, "TTIN"},
	{SIGTTOU, "TTOU"},
	{SIGURG, "URG"},
	{SIGXCPU, "XCPU"},
	{SIGXFSZ, "XFSZ"},
	{SIGVTALRM, "VTALRM"},
	{SIGPROF, "PROF"},
	{SIGWINCH, "WINCH"},
	{SIGPOLL, "POLL"},
	{SIGPWR, "PWR"},
	{SIGSYS, "SYS"},
#ifdef SIGSTKFLT
	{SIGSTKFLT, "STKFLT"},
#endif
	/* Other names of the same signals: read, never written. */
	{SIGABRT, "IOT"},
	{SIGCHLD, "CLD"},
	{SIGPOLL, "IO"},
};
#define N_NAMES (sizeof(names) / sizeof(names[0]))

/* Whether the text begins with the word. If so, moves past it. */
static int skip(const char **text, size_t *size, const char *word)
{
	size_t length = strlen(word);

	if (*size < length || strncasecmp(*text, word, length) != 0)
		return 0;
	*text += length;
	*size -= length;
	return 1;
}

/* Reads the digits of a small number, without a sign or blanks. */
static int read_digits(const char *text, size_t size, int max)
{
	uint64_t number;

	if (size == 0 || text[0] < '0' || text[0] > '9' || text[size - 1] < '0' ||
	    number_parse(text, size, (uint64_t)max, &number) < 0)
		return -EINVAL;
	return (int)number;
}

/* Reads what follows RTMIN or RTMAX, the signal `from`: nothing, or the sign and a number. */
static int real_time(const char *text, size_t size, int from, char sign)
{
	int n;

	if (size == 0)
		return from;
	n = *text == sign ? read_digits(text + 1, size - 1, SIGRTMAX - SIGRTMIN) : -EINVAL;
	if (n < 0)
		return n;
	return sign == '+' ? from + n : from - n;
}

int signal_number(const char *text, size_t size)
{
	if (size && text[0] >= '0' && text[0] <= '9')
		return read_digits(text, size, SIGNAL_MAX);
	skip(&text, &size, "SIG");
	if (skip(&text, &size, "RTMIN"))
		return real_time(text, size, SIGRTMIN, '+');
	if (skip(&text, &size, "RTMAX"))
		return real_time(text, size, SIGRTMAX, '-');
	for (size_t i = 0; i < N_NAMES; i++)
		if (strlen(names[i].name) == size && strncasecmp(names[i].name, text, size) == 0)
			return names[i].number;
	return -EINVAL;
}

const char *signal_name(int number, char name[static SIGNAL_NAME])
{
	for (size_t i = 0; i < N_NAMES; i++)
		if (names[i].number == number)
			return strcpy(name, names[i].name);
	if (number < SIGRTMIN || number > SIGRTMAX)
		snprintf(name, SIGNAL_NAME, "%d", number);
	else if (number == SIGRTMIN || number == SIGRTMAX)
		strcpy(name, number == SIGRTMIN ? "RTMIN" : "RTMAX");
	else if (number <= (SIGRTMIN + SIGRTMAX) / 2)
		snprintf(name, SIGNAL_NAME, "RTMIN+%d", number - SIGRTMIN);
	else
		snprintf(name, SIGNAL_NAME, "RTMAX-%d", SIGRTMAX - number);
	return name;
}

const char *signal_list(uint64_t set, char list[static SIGNAL_LIST])
{
	char name[SIGNAL_NAME];
	char *end = list;

	for (int number = 1; number <= SIGNAL_MAX; number++) {
		if (!(set >> (number - 1) & 1))
			continue;
		if (end > list)
			*end++ = ',';
		end = stpcpy(end, signal_name(number, name));
	}
	return end > list ? list : strcpy(list, "none");
}
