// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A FUSE server in the raw protocol (linux/fuse.h). It has a single thread, because it serves only
 * one file.
 */
#include "tests/bench/fault.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "tests/bench/must.h"

enum { FILE_NODE = 2, REQUEST_MAX = 1 << 17 };

static void answer(int device, const struct fuse_in_header *request, const void *body, size_t size)
{
	static char buffer[sizeof(struct fuse_out_header) + FAULT_BYTES];
	struct fuse_out_header *header = (struct fuse_out_header *)buffer;

	*header = (struct fuse_out_header){
		.len = (uint32_t)(sizeof(*header) + size),
		.error = body ? 0 : -ENOSYS,
		.unique = request->unique,
	};
	if (body)
		memcpy(buffer + sizeof(*header), body, size);
	(void)!write(device, buffer, header->len);
}

static struct fuse_attr attributes(uint64_t node)
{
	return (struct fuse_attr){
		.ino = node,
		.size = FAULT_BYTES,
		.blocks = 8,
		.mode = node == FILE_NODE ? S_IFREG | 0666 : S_IFDIR | 0777,
		.nlink = 1,
	};
}

static void answer_one(int device, const struct fuse_in_header *request)
{
	static const char zeros[FAULT_BYTES];
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = FAULT_BYTES};
	struct fuse_entry_out entry = {.nodeid = FILE_NODE,
				       .entry_valid = 1000,
				       .attr_valid = 1000,
				       .attr = attributes(FILE_NODE)};
	struct fuse_attr_out attr = {.attr_valid = 1000, .attr = attributes(request->nodeid)};
	const struct fuse_read_in *asked = (const struct fuse_read_in *)(request + 1);
	struct fuse_open_out opened = {.fh = 1};

	switch (request->opcode) {
	case FUSE_INIT:
		answer(device, request, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		answer(device, request, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
		answer(device, request, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		answer(device, request, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		answer(device, request, zeros,
		       asked->size < FAULT_BYTES ? asked->size : FAULT_BYTES);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		answer(device, request, NULL, 0);
	}
}

void fault_serve(int device, uint32_t deaf_to)
{
	static char buffer[REQUEST_MAX] __attribute__((aligned(8)));
	const struct fuse_in_header *request = (const struct fuse_in_header *)buffer;

	while (read(device, buffer, sizeof(buffer)) > 0 || errno == EINTR || errno == ENOENT)
		if (request->opcode != deaf_to)
			answer_one(device, request);
	fail("the FUSE server: %s", strerror(errno));
}

static void put(const char *path, const char *text)
{
	int fd = must(open(path, O_WRONLY | O_CLOEXEC));

	must(write(fd, text, strlen(text)));
	close(fd);
}

int fault_mount(struct scene *scene, const char *dir)
{
	char options[128], map[32];
	int device;

	must(unshare(CLONE_NEWUSER | CLONE_NEWNS));
	snprintf(map, sizeof(map), "0 %d 1", ATTACKER);
	put("/proc/self/setgroups", "deny");
	put("/proc/self/uid_map", map);
	put("/proc/self/gid_map", map);
	device = must(open(scene_path(scene, "fuse"), O_RDWR));
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	must(mount("fault", dir, "fuse", MS_NOSUID | MS_NODEV, options));
	return device;
}
