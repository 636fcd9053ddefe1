// SPDX-License-Identifier: GPL-2.0-or-later
/* The text of --help: docs/ipcfs.8.scd in short; and that of --version. */
#include "fs/options.h"

#include <fuse_lowlevel.h>
#include <stdio.h>
#ifdef HAVE_NATS
#include <nats/nats.h>
#endif

void options_print_help(const char *program)
{
	printf("usage: %s [SOURCE] MOUNTPOINT [-o OPTION,...]\n"
	       "\n"
	       "Shows the machine's pipes, sockets, message queues and shared memory as files.\n"
	       "\n"
	       "    -f, -d              stay in the foreground, log to stderr; -d: every request\n"
	       "    -h, --help          print this text; -V, --version: print the version;\n"
	       "                        --status: does it answer? --replace: upgrade in place\n"
	       "    -o cluster=SERVER   add cluster/, of all machines (NATS); cluster_ca=FILE,\n"
	       "                        cluster_creds=FILE, cluster_timeout=TIME: see ipcfs(8)\n"
	       "    -o config=FILE      create the channels in FILE, and again on SIGHUP; root's\n"
	       "                        default: /etc/ipcfs.conf and /etc/ipcfs.d/*.conf\n"
	       "    -o config_strict    do not mount if FILE has an error\n"
	       "    -o exec, -o allow_exec   allow programs in shared memory to be executed\n"
	       "    -o foreign=NAME:... also serve callers from other namespaces: net, ipc, pid\n"
	       "    -o ipcns=PID        show the IPC namespace and /dev/shm of another process\n"
	       "    -o max_channels=N, max_files=N, max_held=N, max_names=N   per user:\n"
	       "                        channels, files (16384), waits (8192), names (32768)\n"
	       "    -o leak_idle=TIME   info/leaks and reap: unused for that long (10m)\n"
	       "    -o pipe_capacity=SIZE, pipe_eof=, pipe_served=   defaults for new pipes\n"
	       "    -o spin=N           poll for N microseconds before sleeping (100)\n"
	       "    -o supervise=no     end the mount if the daemon is killed; -f: usual\n"
	       "    -o without=NAME:... do not use these features of the kernel\n"
	       "More: ipcfs(8), fuse(4), fstab(5). Unmount: umount; if not root, fusermount3 -u\n",
	       program);
}

void options_print_version(void)
{
	printf("ipcfs %s\n", IPCFS_VERSION);
	printf("libfuse: %s, %s\n", fuse_pkgversion(), FUSE_ORIGIN);
#ifdef HAVE_NATS
	printf("cluster: libnats %s\n", nats_GetVersion());
#else
	printf("cluster: no\n");
#endif
#ifdef HAVE_LIBSYSTEMD
	printf("systemd: yes\n");
#else
	printf("systemd: no\n");
#endif
}
