/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A gibibyte both ways at once, on one descriptor of the mount: nothing is lost, doubled or out of
 * order. And writers that share a connection do not mix within a write.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"
#include "tests/mount/sockets.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define VOLUME (1LL << 30)

/* One direction, at one end. */
struct flow {
	pthread_t thread;
	uint64_t seed, sum;
	long long size; /* bytes moved so far */
	int fd, error;
};

/* Adds data to a checksum that depends on the position of each byte. */
static uint64_t sum_add(uint64_t sum, const unsigned char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		sum = (sum ^ data[i]) * 0x100000001b3;
	return sum;
}

static void *flow_send(void *arg)
{
	static const size_t sizes[] = {1 << 16, 1000003, 4096, 65537, 777777};
	struct flow *flow = arg;
	uint64_t *data = malloc((1 << 20) + sizeof(*data)), x = flow->seed;

	for (int turn = 0; flow->size < VOLUME; turn++) {
		size_t size = sizes[turn % 5];
		ssize_t n = 1;

		if (flow->size + (long long)size > VOLUME)
			size = (size_t)(VOLUME - flow->size);
		for (size_t i = 0; i <= size / 8; i++)
			data[i] = x = x * 6364136223846793005 + 1442695040888963407;
		flow->sum = sum_add(flow->sum, (unsigned char *)data, size);
		for (size_t done = 0; done < size; done += (size_t)n) {
			n = write(flow->fd, (char *)data + done, size - done);
			if (n <= 0)
				break;
		}
		flow->size += (long long)size;
		if (n <= 0) {
			flow->error = errno;
			break;
		}
	}
	free(data);
	return NULL;
}

static void *flow_receive(void *arg)
{
	static const size_t sizes[] = {1 << 20, 99999, 4096, 1 << 17};
	struct flow *flow = arg;
	unsigned char *data = malloc(1 << 20);

	for (int turn = 0; flow->size < VOLUME; turn++) {
		ssize_t n = read(flow->fd, data, sizes[turn % 4]);

		if (n <= 0) {
			flow->error = n < 0 ? errno : ENODATA;
			break;
		}
		flow->sum = sum_add(flow->sum, data, (size_t)n);
		flow->size += n;
	}
	free(data);
	return NULL;
}

static void flow_start(struct flow *flow, int fd, void *(*run)(void *))
{
	*flow = (struct flow){.fd = fd, .seed = (uint64_t)fd};
	ck_assert_int_eq(pthread_create(&flow->thread, NULL, run, flow), 0);
}

static void flow_end(struct flow *flow)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 150;
	ck_assert_int_eq(pthread_timedjoin_np(flow->thread, NULL, &end), 0);
	ck_assert_msg(!flow->error, "%s", strerror(flow->error));
	ck_assert_int_eq(flow->size, VOLUME);
}

/* Sends both ways at once between the two ends of a connection. */
static void exchange(int a, int b)
{
	struct flow flows[4];

	flow_start(&flows[0], a, flow_send);
	flow_start(&flows[1], b, flow_receive);
	flow_start(&flows[2], b, flow_send);
	flow_start(&flows[3], a, flow_receive);
	for (int i = 0; i < 4; i++)
		flow_end(&flows[i]);
	ck_assert_uint_eq(flows[0].sum, flows[1].sum);
	ck_assert_uint_eq(flows[2].sum, flows[3].sum);
	ck_assert_uint_ne(flows[0].sum, flows[2].sum);
}

START_TEST(test_volume_unix_both_ways_at_once)
{
	int listener = socket_unix(scratch_path("s"), SOCK_STREAM, 5);
	int fd = channel_open(unix_name("s"), O_RDWR);

	exchange(fd, socket_accept(listener));
}
END_TEST

START_TEST(test_volume_tcp_both_ways_at_once)
{
	int port, listener = socket_inet(AF_INET, SOCK_STREAM, 5, &port);
	int fd = channel_open(inet_name("tcp", "localhost", port), O_RDWR);

	exchange(fd, socket_accept(listener));
}
END_TEST

START_TEST(test_volume_both_ends_in_mount)
{
	int client;

	must(mount("tmpfs", "/run", "tmpfs", 0, "mode=0755"));
	must(mkdir(ipc_path("sockets/servers/s"), 0755));
	client = channel_open("sockets/servers/s/connect", O_RDWR);
	exchange(client, channel_open("sockets/servers/s/accept", O_RDWR));
	must(rmdir(ipc_path("sockets/servers/s")));
}
END_TEST

enum { N_WRITERS = 4, N_BLOCKS = 40, BLOCK = 700000 };

static int write_blocks(void *arg)
{
	static char block[BLOCK];
	const int *ends = arg;

	memset(block, getpid() & 127, BLOCK);
	close(ends[1]);
	for (int i = 0; i < N_BLOCKS; i++)
		if (write(ends[0], block, BLOCK) != BLOCK)
			return errno ? errno : 99;
	return 0;
}

START_TEST(test_volume_writes_of_several_are_not_mixed)
{
	static char block[BLOCK];
	int listener = socket_unix(scratch_path("s"), SOCK_STREAM, 5);
	int ends[2] = {channel_open(unix_name("s"), O_RDWR)};
	pid_t pids[N_WRITERS];

	ends[1] = socket_accept(listener);
	for (int i = 0; i < N_WRITERS; i++)
		pids[i] = child_start(write_blocks, ends);
	for (int i = 0; i < N_WRITERS * N_BLOCKS; i++) {
		ck_assert_int_eq(must(recv(ends[1], block, BLOCK, MSG_WAITALL)), BLOCK);
		for (int j = 1; j < BLOCK; j++)
			if (block[j] != block[0])
				ck_abort_msg("block %d is mixed at %d", i, j);
	}
	for (int i = 0; i < N_WRITERS; i++)
		ck_assert_int_eq(child_end(pids[i]), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sockets_volume");
	TCase *tcase = suite_case(suite, "volume", 170);

	tcase_add_test(tcase, test_volume_unix_both_ways_at_once);
	tcase_add_test(tcase, test_volume_tcp_both_ways_at_once);
	tcase_add_test(tcase, test_volume_both_ends_in_mount);
	tcase_add_test(tcase, test_volume_writes_of_several_are_not_mixed);
	return suite_run(suite);
}
