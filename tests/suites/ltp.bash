# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# LTP: its programs for inter-process communication, beside a mount that is walked all the time;
# those for files, in a directory of the mount; and fsx, which does what it can think of with a file
# and its mapping.

ltp_ipc='msgctl msgget msgrcv msgsnd semctl semget semop shmat shmctl shmdt shmget mq_notify mq_open
	mq_timedreceive mq_timedsend mq_unlink pipe pipe2 eventfd eventfd2 memfd_create'
ltp_files='access chmod chown close copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl
	epoll_pwait epoll_wait faccessat faccessat2 fadvise fallocate fchmod fchmodat fchmodat2 fchown fchownat
	fcntl fdatasync fgetxattr flistxattr flock fpathconf fremovexattr fsetxattr fstat fstatat fstatfs fsync
	ftruncate futimesat getdents getxattr inotify io_submit lchown lgetxattr link linkat listxattr llistxattr
	llseek lremovexattr lseek lstat madvise mincore mkdir mkdirat mknod mknodat mmap mprotect mremap msync
	munmap nftw open openat openat2 pathconf poll ppoll pread preadv preadv2 pselect pwrite pwritev pwritev2
	read readahead readdir readlink readlinkat readv realpath remap_file_pages removexattr rename renameat
	renameat2 rmdir select sendfile setxattr splice stat statfs statvfs statx symlink symlinkat
	sync_file_range tee truncate umask unlink unlinkat utime utimensat utimes vmsplice write writev'

ltp_places() {
	echo beside shm pipes
}

ltp_has() { # SOURCE
	[[ -d $1/testcases/kernel/syscalls && -f $1/runtest/syscalls ]]
}

ltp_build() {
	local name
	[[ ! -f bin/.done ]] || return 0

	[[ -x configure ]] || make autotools
	[[ -f include/config.h ]] || ./configure
	make -j "$JOBS" -C lib
	make -j "$JOBS" -C libs
	# shellcheck disable=SC2086 # lists of names
	printf '%s\n' $ltp_ipc $ltp_files ../fs/fsx-linux |
		xargs -P "$JOBS" -I{} make -s -k -C testcases/kernel/syscalls/{} || :
	mkdir -p bin
	find testcases/kernel -type f -perm -u+x ! -name '*.*' -exec ln -sf -t bin -r {} +
	ltp_list "$ltp_ipc" >bin/.ipc
	ltp_list "$ltp_files" >bin/.files
	touch bin/.done
}

# ltp_list DIRECTORIES: prints "NAME COMMAND..." for each test in them. Leaves out tests that make
# filesystems of their own, which say nothing about ours.
ltp_list() {
	local name command arguments source directory

	grep -hv '^#' runtest/syscalls runtest/syscalls-ipc | sort -u | while read -r name command arguments; do
		[[ -L bin/$command ]] || continue
		source=$(readlink -f "bin/$command")
		directory=${source%/*}
		[[ " ${1//[$'\n\t']/ } " == *" ${directory##*/syscalls/} "* ]] || continue
		! grep -qsE '\.(all_filesystems|needs_device|mount_device|format_device|needs_overlay|needs_rofs)\b|tst_acquire_device' \
			"${source%_[0-9][0-9]}.c" || continue
		echo "$name $command $arguments"
	done
}

ltp_tests() { # PLACE
	local list=files

	[[ $1 != *beside ]] || list=ipc
	cut -d' ' -f1 "$SCRATCH/ltp/bin/.$list"
	case $1 in
	*shm) printf '%s\n' fsx fsx-pages ;;
	esac
}

ltp_command() { # TEST
	case $1 in
	fsx) echo fsx-linux -N 60000 ;;
	fsx-pages) echo fsx-linux -N 10000 -l 500000 -r 4096 -t 4096 -w 4096 ;;
	*) sed -n "s/^$1 //p" "$SCRATCH"/ltp/bin/.{ipc,files} | head -n 1 ;;
	esac
}

# LTP makes a directory for each test and removes it afterwards. A directory of the mount can't hold
# one, so it serves as that directory itself.
ltp_run() { # TEST
	export PATH=$SCRATCH/ltp/bin:$PATH TMPDIR=$WORK LTP_COLORIZE_OUTPUT=0
	export LTPROOT=$SCRATCH/ltp LTP_SINGLE_FS_TYPE=tmpfs
	if [[ $PLACE != *beside ]]; then
		export LD_PRELOAD=$LIBRARY SUITES_REFUSE=$REFUSED SUITES_DIRECTORY=$WORK
	fi
	# shellcheck disable=SC2046 # words
	exec $(ltp_command "$1")
}

# Prints what failed, broke or was left out, without what differs from run to run.
ltp_read() {
	grep -E 'TFAIL|TBROK|TCONF|^suites:' | sed -E '
		s/^[^ ]+:[0-9]+: (TFAIL|TBROK|TCONF)/\1/
		s/^[^ ]+ +[0-9]+ +(TFAIL|TBROK|TCONF)[^:]*:([^ ]+:[0-9]+:)?/\1:/
		s#/run/(native|work|ipc/[a-z]+)#DIRECTORY#g
		s/0x[0-9a-f]+/ADDRESS/g
		s/[0-9]*_[0-9]+/_N/g
		s/pid = [0-9]+/pid = N/
		s/[0-9]{4,}/NUMBER/g
		s/^suites: status [0-9]+$//; /^$/d'
}
