// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The text is the same for every reader, and for as long as the mount lives.
 */
#include "lib/tree/readme.h"

#include <stdio.h>

#include "lib/channel/text.h"
#include "lib/host/host.h"

static const char tree[] =
	"This is ipcfs: the machine's inter-process communication as files.\n"
	"\n"
	"  pipes/NAME   kept FIFOs: what was written stays until it is read\n"
	"  topics/NAME  publish and subscribe: every reader gets every message\n"
	"  queues/NAME  POSIX message queues, all of the machine's\n"
	"  shm/NAME     POSIX shared memory, all of the machine's (/dev/shm)\n"
	"  sems/NAME    POSIX named semaphores: a read waits for one unit, writing N posts N\n"
	"  events/NAME  counters: a read waits, returns the sum and clears it; writing N adds N\n"
	"  signals/PID  processes: write a signal, by name or number; a read waits for the end\n"
	"  sockets/     unix/PATH, abstract/NAME, tcp/HOST/PORT, udp/HOST/PORT: open to connect;\n"
	"               servers/NAME/: mkdir listens, rmdir ends it; accept opens the next client\n"
	"  sysv/        System V queues, shm and sems, named by their keys (0x4d2)\n";

/* Only where there are servers. */
static const char cluster[] =
	"  cluster/     queues, topics and values that all machines of the cluster share, by "
	"NATS:\n"
	"               a message goes to one reader, or to all; a value is the last one written\n";

static const char rest[] =
	"  ctl          one command per line: create, set, empty, remove, reap; 'cat ctl' shows "
	"the\n"
	"               grammar and, at its end, what was wrong with your last line\n"
	"  info/        the same tree to inspect, consuming nothing: status, peers, and (not of\n"
	"               queues/) peek, which shows what waits\n"
	"\n"
	"Every open, read, write, mmap, poll, ls, rm, chmod and chown is the IPC call underneath.\n"
	"Examples for a shell in this directory:\n"
	"\n"
	"  echo hello > queues/jobs           create a queue and send it a message\n"
	"  read -r line < queues/jobs         receive one message\n"
	"  echo now > queues/jobs:9           send with priority 9\n"
	"  dmesg > pipes/log                  fill a pipe before anyone reads it\n"
	"  wc -l < pipes/log                  read it later, up to its end\n"
	"  cat topics/log                     follow a log, in as many terminals as you like\n"
	"  make 2> topics/log                 write it, whether anybody reads or not\n"
	"  echo create topics/news keep=10 > ctl   a reader begins with the last 10 messages\n"
	"  cat topics/news:3                  begin with the last 3 of them\n"
	"  exec 3<>pipes/p; echo both ways >&3; read -r line <&3\n"
	"  echo create pipes/whole served=daemon > ctl   writes of up to 1 MiB do not mix\n"
	"  cp image shm/frame                 share memory with all who map /frame\n"
	"  exec 4<>sockets/tcp/localhost/80 && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&4 && cat <&4\n"
	"  mkdir sockets/servers/echo         listen; the file address in it says where\n"
	"  while exec 3<>sockets/servers/echo/accept; do tee <&3 >&3; done\n"
	"  echo create queues/big maxmsg=5 msgsize=1K > ctl\n"
	"  echo \"create 'queues/a b'\" > ctl    a name with a blank\n"
	"  cat info/summary                   show all channels in a table\n"
	"  xdg-open info/index.html           the same in a browser, and who writes to whom\n"
	"  cat info/leaks                     show what dead programs left behind\n"
	"  echo reap sysv/shm > ctl           remove what it shows of a kind\n"
	"  cat info/queues/jobs/peers         show who has it open\n"
	"  cat info/queues/jobs/tap           watch what passes (ls does not list this file)\n"
	"  echo empty pipes/log > ctl         discard waiting data\n"
	"  echo create sems/lock value=1 > ctl\n"
	"  read -r _ < sems/lock; make; echo 1 > sems/lock   run one make at a time\n"
	"  flock sems/build make              another lock, freed even if make is killed\n"
	"  chgrp users queues/jobs; chmod 660 queues/jobs    let a group use it\n"
	"  echo hello > sysv/queues/0x4d2:7   send with type 7 (msgsnd)\n"
	"  truncate -s 1M sysv/shm/0x4d2      create a segment (shmget)\n"
	"  echo 0 -1 1 +1 > sysv/sems/0x4d2   do a list of operations atomically (semop)\n"
	"  echo TERM > signals/4711           send a signal (kill); USR1 5 comes with a value\n"
	"  read -r end < signals/4711         wait for the end of any process, and learn how\n"
	"  cat info/signals/4711/status       show which signals it blocks, ignores and catches\n"
	"  rm queues/jobs                     remove the queue itself\n"
	"\n"
	"A read waits for data and a write waits for room; Ctrl-C interrupts both.\n"
	"A read from a queue takes one message. A queue has no end: cat runs until Ctrl-C.\n"
	"A read from a topic is one message, too, but each reader gets all that is written while\n"
	"it has the topic open, and no reader stops the writer (unless made with full=wait).\n"
	"A pipe is a FIFO that keeps what was written; its writers wait only while it is full.\n"
	"Opening an empty pipe to read waits for a writer; a reader sees the end once it is empty\n"
	"and has no writer. Writes of more than 4096 bytes may mix with those of other writers.\n"
	"Reading consumes, except from topics: point 'grep -r' and backups at info/, not at the\n"
	"channels. Whoever may read may take what waits: for a channel of your own, chmod 600.\n";

static int readme_print(void *data, struct caller *reader, FILE *out)
{
	const struct host *host = data;

	fputs(tree, out);
	if (host->remote.servers)
		fputs(cluster, out);
	fputs(rest, out);
	return 0;
}

static const struct text_ops readme_ops = {.print = readme_print, .has_size = true};

int readme_new(struct space *root, struct channel **ret_channel)
{
	return text_new(root, "README", &readme_ops, root->host, ret_channel);
}
