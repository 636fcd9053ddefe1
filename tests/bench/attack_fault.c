// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A process that holds its own mmap_lock for ever: it maps something else over the middle of a
 * dirty file of a FUSE filesystem of its own, whose server never answers a WRITE. The kernel waits
 * for that with the lock held and the parts beside it locked, too (munmap(2) alone would let
 * readers by), and so does whoever reads /proc/PID/maps. It ends with the server, which is killed
 * like the rest.
 */
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "tests/bench/attack.h"
#include "tests/bench/must.h"

enum { FILE_NODE = 2, PAGE = 4096, FILE_BYTES = 3 * PAGE, N_LOOKERS = 8, REQUEST_MAX = 1 << 17 };

static void answer(int device, const struct fuse_in_header *request, const void *body, size_t size)
{
	static char buffer[sizeof(struct fuse_out_header) + FILE_BYTES];
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
		.size = FILE_BYTES,
		.blocks = 8,
		.mode = node == FILE_NODE ? S_IFREG | 0666 : S_IFDIR | 0777,
		.nlink = 1,
	};
}

static void serve_one(int device, const struct fuse_in_header *request)
{
	static const char zeros[FILE_BYTES];
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = FILE_BYTES};
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
		answer(device, request, zeros, asked->size < FILE_BYTES ? asked->size : FILE_BYTES);
		break;
	case FUSE_WRITE:
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		answer(device, request, NULL, 0);
	}
}

static void serve(int device)
{
	static char request[REQUEST_MAX] __attribute__((aligned(8)));

	while (read(device, request, sizeof(request)) > 0 || errno == EINTR || errno == ENOENT)
		serve_one(device, (struct fuse_in_header *)request);
	fail("the FUSE server: %s", strerror(errno));
}

static void put(const char *path, const char *text)
{
	int fd = must(open(path, O_WRONLY | O_CLOEXEC));

	must(write(fd, text, strlen(text)));
	close(fd);
}

/* In a user namespace, where he may mount; the machine's /dev/fuse may be root's alone. */
static int mount_own(struct scene *scene, const char *dir)
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

static void get_stuck(struct scene *scene, const char *dir)
{
	char path[300], *start;
	int fd;

	snprintf(path, sizeof(path), "%s/f", dir);
	fd = must(open(path, O_RDWR | O_CLOEXEC));
	start = must(mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	start[0] = 'x';
	attack_strike(scene);
	(void)mmap(start + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	sleep(1); /* at the end its server is killed just before it */
	fail("mmap: it has not got stuck");
}

void attack_fault(struct scene *scene)
{
	char dir[256];
	int i, device;

	snprintf(dir, sizeof(dir), "%s", scene_path(scene, "sockets/fault"));
	must(mkdir(dir, 0700));
	close(must(open("/dev/shm/looked-at", O_RDWR | O_CREAT | O_CLOEXEC, 0666)));
	if (attack_split(N_LOOKERS, &i))
		for (;;) {
			usleep(10000);
			if (scene->n_blows > 0)
				attack_read(scene_mount(scene, "info/shm/looked-at/peers"));
			if (scene->n_blows > 0)
				attack_strike(scene);
		}
	device = mount_own(scene, dir);
	if (attack_split(1, &i)) {
		close(device);
		get_stuck(scene, dir);
	}
	serve(device);
}
