// SPDX-License-Identifier: GPL-2.0-or-later
/* Nobody waits for this process but the supervisor, which reaps all its children. */
#include "fs/aside.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "fs/background.h"
#include "fs/log.h"

bool aside(void)
{
	sigset_t none;

	if (fork() != 0)
		return false;
	close_range(STDERR_FILENO + 1, ~0U, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (background_has_left())
		log_to_syslog(true);
	return true;
}
