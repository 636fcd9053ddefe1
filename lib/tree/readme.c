// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One text for every mount and every reader.
 */
#include "lib/tree/readme.h"

#include <stdio.h>

#include "lib/channel/text.h"

static const char text[] =
	"This is ipcfs: the machine's inter-process communication as files.\n"
	"\n"
	"  pipes/NAME   FIFOs that are kept: what was written stays until it is read\n"
	"  queues/NAME  POSIX message queues, all of the machine's\n"
	"  shm/NAME     POSIX shared memory, all of the machine's (/dev/shm)\n"
	"  sems/NAME    POSIX named semaphores: read waits for one unit, write N posts N\n"
	"  events/NAME  counters: read waits, gives the sum and clears it; write N adds N\n"
	"  sockets/     unix/PATH, abstract/NAME, tcp/HOST/PORT, udp/HOST/PORT: opening connects;\n"
	"               servers/NAME/: mkdir listens, opening accept takes the next client\n"
	"  sysv/        queues, shm and sems of System V, named by their keys (0x4d2)\n"
	"  ctl          one command a line: create, set, empty, remove; 'cat ctl' has the grammar\n"
	"  info/        the same tree to look at: status, peers and what waits, consuming nothing\n"
	"\n"
	"Every open, read, write, mmap, poll, ls, rm, chmod and chown is the IPC call underneath.\n"
	"Here is how to use it, in a shell, in the directory that this file is in:\n"
	"\n"
	"  echo hello > queues/jobs           make a queue and send it a message\n"
	"  read -r line < queues/jobs         receive one\n"
	"  echo now > queues/jobs:9           send with priority 9\n"
	"  dmesg > pipes/log                  fill a pipe; nobody need be reading yet\n"
	"  wc -l < pipes/log                  read it, later, up to its end\n"
	"  exec 3<>pipes/p; cat <&3 & echo both ways >&3\n"
	"  echo create pipes/whole served=daemon > ctl   writes of up to 1 MiB do not mix\n"
	"  cp image shm/frame                 share memory with whoever maps /frame\n"
	"  exec 3<>sockets/tcp/localhost/80; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3\n"
	"  mkdir sockets/servers/echo         listen; address in there says where\n"
	"  while exec 3<>sockets/servers/echo/accept; do tee <&3 >&3; done\n"
	"  echo create queues/big maxmsg=5 msgsize=1K > ctl\n"
	"  echo \"create 'queues/a b'\" > ctl    a name with a blank\n"
	"  cat info/summary                   all channels in a table\n"
	"  cat info/queues/jobs/peers         who has it open\n"
	"  echo empty pipes/log > ctl         throw away what waits\n"
	"  echo create sems/lock value=1 > ctl\n"
	"  read -r _ < sems/lock; make; echo 1 > sems/lock   one at a time\n"
	"  echo hello > sysv/queues/0x4d2:7   send with type 7 (msgsnd)\n"
	"  truncate -s 1M sysv/shm/0x4d2      make a segment (shmget)\n"
	"  echo 0 -1 1 +1 > sysv/sems/0x4d2   a list of operations, all at once (semop)\n"
	"  rm queues/jobs                     remove the queue itself\n"
	"\n"
	"A read waits until there is something, a write until there is room; Ctrl-C ends both.\n"
	"A read of a queue takes one message, and a queue has no end: cat goes on until Ctrl-C.\n"
	"A pipe is a FIFO whose writers wait only while it is full, and what they wrote stays.\n"
	"Opening an empty one to read waits for a writer, and the end comes when it is empty and\n"
	"nobody writes. Writes of more than 4096 bytes may mix with those of other writers.\n"
	"Reading consumes: let 'grep -r' or a backup look at info/, not at the channels.\n";

static int readme_print(void *data, struct caller *reader, FILE *out)
{
	fputs(text, out);
	return 0;
}

static const struct text_ops readme_ops = {.print = readme_print, .has_size = true};

int readme_new(struct space *root, struct channel **ret_channel)
{
	return text_new(root, "README", &readme_ops, NULL, ret_channel);
}
