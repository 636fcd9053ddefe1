#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Whatever a tool reads with (read, splice, sendfile, copy_file_range, mmap; by the size or to the
# end), it gets what is there, and never silently nothing.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031

load helper

setup() {
	ipcfs_setup
	make_directory
	export K="$IPC/sysv/sems/$KEY"
}

teardown() {
	local bad=0
	ipcfs_teardown || bad=1
	ipcrm -S "$KEY" 2>/dev/null || true
	ipcrm -Q "$KEY" 2>/dev/null || true
	return "$bad"
}

# A System V key of the test's own.
printf -v KEY '0x%08x' $((0x49000000 + $$))
export KEY

# Ways to read a file whole: its path is in $1. Some copy it to $D/copy.
WHOLE=('cat $1' 'cat < $1' 'head -n 1000 $1 2> /dev/null' 'tail -n +1 $1' 'tail -n 1000 $1' 'dd if=$1 status=none'
	'grep "" $1' 'awk "{ print }" $1' 'sed -n p < $1'
	'while IFS= read -r line; do printf "%s\n" "$line"; done < $1' 'mapfile -t a < $1; printf "%s\n" "${a[@]}"'
	'printf "%s\n" "$(<$1)"' 'tee < $1'
	'python3 -c "import sys; sys.stdout.write(open(sys.argv[1]).read())" $1'
	'python3 -c "import sys, shutil; shutil.copyfile(*sys.argv[1:])" $1 $D/copy; cat $D/copy'
	'python3 -c "import sys, os; f = os.open(sys.argv[1], os.O_RDONLY)
while part := os.read(f, 7): os.write(1, part)" $1'
	'perl -e "local \$/; print <>" $1' 'perl -MFile::Copy -e "copy(@ARGV)" $1 $D/copy; cat $D/copy'
	'busybox cat $1' 'busybox cp $1 $D/copy; cat $D/copy'
	'cp $1 $D/copy; cat $D/copy' 'cp --sparse=always $1 $D/copy; cat $D/copy' 'cp --reflink=auto $1 $D/copy; cat $D/copy'
	'install $1 $D/copy; cat $D/copy'
	'curl -s file://$1' 'socat -u OPEN:$1 -' 'pv -q $1' 'mawk "{ print }" $1')

# Ways that trust the size, or ask for it again. They don't fit files that have no size of their
# own.
SIZED=('tar cf - -C / .$1 | tar xOf -' 'rsync $1 $D/copy; cat $D/copy' 'mmap_cat $1' 'bsdtar cf - -C / .$1 2> /dev/null | bsdtar xOf -'
	'busybox tar cf - -C / .$1 | busybox tar xOf -')

mmap_cat() {
	python3 -c 'import mmap, sys
f = open(sys.argv[1], "rb")
sys.stdout.buffer.write(mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ, flags=mmap.MAP_PRIVATE)[:])' "$1"
}
export -f mmap_cat

# Whether the program that a command begins with is installed.
has() { # COMMAND
	command -v "${1%% *}" >/dev/null
}

# Filters the part of the output that counts. A test may replace this function.
own() {
	cat
}

# each FILE PREPARE COMMAND...: after PREPARE, each COMMAND prints what `expected` prints.
each() {
	local file=$1 prepare=$2 tool bad=0

	for tool in "${@:3}"; do
		has "$tool" || continue
		rm -f "$D/copy"
		shell "$prepare"
		if ! diff <(expected "$file") <(shell "$tool" "$file" 2>&1 | own) >"$OUT"; then
			echo "$tool: $file"
			head -n 5 "$OUT"
			bad=1
		fi
	done
	((bad == 0))
}

make_objects() {
	shell 'echo "create pipes/$NAME served=daemon" > $IPC/ctl; touch $Q; echo "create events/$NAME value=3" > $IPC/ctl
		echo "create sems/$NAME value=2" > $IPC/ctl; echo "create sysv/sems/$KEY count=3 value=7" > $IPC/ctl'
}

@test "every tool reads README and ctl whole" {
	expected() { cat "$1"; }
	for file in README ctl; do
		each "$IPC/$file" : "${WHOLE[@]}" "${SIZED[@]}"
	done
}

@test "every tool reads the tables of info/ whole" {
	make_objects
	expected() { own <"$1"; }
	own() { grep -v 'sysv/\|^ipcfs_channels'; } # the machine's objects come and go, and pv(1) makes some
	each "$IPC/info/metrics" : "${WHOLE[@]}"
	# Of the summary the columns depend on all objects, and so on what pv(1) makes.
	local tools=() tool
	for tool in "${WHOLE[@]}"; do [[ $tool == pv* ]] || tools+=("$tool"); done
	each "$IPC/info/summary" : "${tools[@]}"
	each "$IPC/info/inventory.json" : "${SIZED[@]}" 'cat $1' 'busybox cat $1' 'cp $1 $D/copy; cat $D/copy'
}

@test "every tool reads the texts of an object whole" {
	make_objects
	expected() { cat "$1"; }
	each "$IPC/info/queues/$NAME/status" : "${WHOLE[@]}" "${SIZED[@]}"
	each "$IPC/info/events/$NAME/peek" : "${WHOLE[@]}"
	background bash -c 'exec sleep infinity < "$Q"'
	wait_until grep -q sleep "$IPC/info/queues/$NAME/peers"
	own() { grep -v ^unseen; } # on a busy machine
	expected() { own <"$1"; }
	each "$IPC/info/queues/$NAME/peers" : 'cat $1' 'busybox cat $1' 'cp $1 $D/copy; cat $D/copy' 'rsync $1 $D/copy; cat $D/copy'
}

@test "rsync and tar take all of info/ of an object" {
	make_objects
	shell 'cd $IPC/info; for object in queues/$NAME sysv/sems/$KEY events/$NAME; do # the number of unseen processes changes
		rsync -r --exclude=peers $object/ $D/copy && diff -r -x peers $object $D/copy && rm -r $D/copy &&
			tar cf $D/tar --exclude=peers $object && mkdir $D/copy && tar xf $D/tar -C $D/copy &&
			diff -r -x peers $object $D/copy/$object && rm -r $D/copy || exit
	done'
}

@test "install, mv and cp -a of the mount's README" {
	shell 'cp -a $IPC/README $D/a; install -m 600 $IPC/README $D/b; cat $IPC/README | cmp - $D/a && cmp $D/a $D/b'
	[[ $(stat -c %a "$D/b") == 600 ]]
	run -1 shell 'mv $IPC/README $D/c'
	cmp "$IPC/README" "$D/c"
}

@test "every tool reads a semaphore set whole" {
	make_objects
	expected() { printf '7\n7\n7\n'; }
	each "$K" : "${WHOLE[@]}"
}

@test "every tool reads a served pipe whole" {
	make_objects
	expected() { seq 1000; }
	each "$P" 'seq 1000 > $P' "${WHOLE[@]}"
}

@test "every tool reads a connection whole" {
	command -v socat >/dev/null || skip "no socat"
	background socat UNIX-LISTEN:"$D/socket",fork SYSTEM:'seq 1000'
	wait_until test -S "$D/socket"
	expected() { seq 1000; }
	tools=()
	for tool in "${WHOLE[@]}"; do # each lookup is another connection, so cp and install find the file replaced
		[[ $tool == @(cp|install)* ]] || tools+=("$tool")
	done
	each "$IPC/sockets/unix$D/socket" : "${tools[@]}"
}

@test "a script is read from a queue and a pipe" {
	shell 'touch $Q; echo "create pipes/$NAME served=daemon" > $IPC/ctl; echo "x=sourced" > $Q; echo "y=too" > $P
		. $Q; . $P; echo $x $y > $OUT'
	[[ $(<"$OUT") == "sourced too" ]]
}

@test "wc counts what is there" {
	make_objects
	run -0 shell 'wc -c < $K; echo hello > $P; wc -c < $P; echo hello > $P; wc -c $P'
	[[ $output == $'6\n6\n6 '$P ]]
	[[ $(wc -c <"$IPC/README") == $(stat -c %s "$IPC/README") ]]
}

@test "du and find take nothing for empty or sparse" {
	make_objects
	run -0 shell 'find $IPC/README $IPC/ctl $Q $P $K $IPC/events/$NAME $IPC/info/summary $IPC/info/queues/$NAME -empty'
	[[ -z $output ]]
	run -0 shell 'find $IPC -ignore_readdir_race \( -path $IPC/sockets -o -name shm \) -prune -o -type f -size +0 -printf "%S %s %b %p\n" | awk "\$2 && ! \$3"'
	[[ -z $output ]]
}
