// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The region is always prepared natively: only the call under test goes through the mount.
 */
#include "tests/mount/regions.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

const unsigned char region_caps[REGION_CAPS_SIZE] = {1, 0, 0, 2, 0, 32, 0, 0, 0, 0,
						     0, 0, 0, 0, 0, 0,  0, 0, 0, 0};

const char *region_path(int way)
{
	return way ? ipc_path("shm/x") : "/dev/shm/x";
}

void region_make(mode_t mode)
{
	int fd = (int)must(open("/dev/shm/x", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));

	must(ftruncate(fd, 4096));
	must(fchown(fd, OWNER, OWNER));
	must(fchmod(fd, mode));
	close(fd);
}

static int call_run(void *call_)
{
	const struct region_call *call = call_;

	return call->make(region_path(call->way)) < 0 ? errno : 0;
}

int region_errno(unsigned id, int (*make_call)(const char *path), int way)
{
	return child_code_as(id, call_run, &(struct region_call){make_call, way});
}
