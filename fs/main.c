// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ipcfs(8): reads the command line, then serves a mount, remounts, replaces the daemon of a mount,
 * or prints help, its version or the status of a mount.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "fs/in_force.h"
#include "fs/log.h"
#include "fs/options.h"
#include "fs/replace.h"
#include "fs/serve.h"
#include "fs/status.h"
#include "fs/supervisor_replace.h"
#include "lib/base/state.h"

static int remount(const struct options *options)
{
	unsigned long now = 0;
	bool allows_others = false;
	int r = mount_words_find(options->mount_point, &now, &allows_others);

	if (r == -EINVAL)
		log_line(LOG_ERR, "%s: no ipcfs is mounted here", options->mount_point);
	if (r == -EINVAL || (r == 0 && in_force_check(options, allows_others) < 0))
		return 1;
	if (r == 0)
		r = mount_words_remount(options->mount_point, now, &options->flags);
	if (r < 0)
		log_line(LOG_ERR, "%s: cannot be remounted: %s", options->mount_point,
			 strerror(-r));
	return r < 0 ? 1 : 0;
}

static int adopts(unsigned version)
{
	if (version != STATE_VERSION)
		return 1;
	fputs(REPLACE_ADOPTS, stdout);
	return 0;
}

/*
 * Opens descriptors 0, 1 and 2 if they are closed: otherwise the mount's own descriptors would take
 * their numbers.
 */
static void open_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	struct options options;
	int status = 0;

	open_standard_files();
	log_init();
	if (options_parse(&options, argc, argv) < 0)
		return 1;
	if (options.wants_help)
		options_print_help("ipcfs");
	else if (options.wants_version)
		options_print_version();
	else if (options.wants_status)
		status = (int)status_print(options.mount_point);
	else if (options.wants_replace)
		status = replace(options.mount_point);
	else if (options.adopts)
		status = adopts(options.adopts);
	else if (options.is_remount)
		status = remount(&options);
	else
		status = serve(&options);
	options_fini(&options);
	return status;
}
