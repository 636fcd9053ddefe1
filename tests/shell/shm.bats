#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# POSIX shared memory: the files of shm/ are those of /dev/shm, read, written and mapped. The same
# holds where they are links to those (without passthrough), which is why stat follows links.
# shellcheck shell=bats disable=SC2016

load helper

setup_file() {
	export MAP="$BATS_FILE_TMPDIR/map.py" # map.py A B: does a write through one map show in the other?
	cat >"$MAP" <<-'EOF'
		import mmap, os, sys
		def map_of(path):
		    return mmap.mmap(os.open(path, os.O_RDWR), 0)
		a, b = map_of(sys.argv[1]), map_of(sys.argv[2])
		for left, right in (a, b), (b, a):
		    for offset in 0, 4095, 4096, len(a) - 1:
		        for value in b"xyz":
		            left[offset] = value
		            if right[offset] != value:
		                sys.exit("stale at %d" % offset)
		print("coherent")
	EOF
}

# --- contents -------------------------------------------------------------------------------------

@test "64 MiB written with dd are those in /dev/shm" {
	dd if=/dev/urandom of="$S" bs=1M count=64 status=none
	cmp "$S" "/dev/shm/$NAME"
}

@test "a region made natively is listed and read" {
	run -0 shell 'echo hello > /dev/shm/$NAME; ls $IPC/shm | grep -Fx $NAME; cat $S; stat -Lc %s $S'
	[[ $output == "$NAME"$'\nhello\n6' ]]
}

@test "what is written natively later is read at once" {
	run -0 shell 'echo one > $S; cat $S; echo two >> /dev/shm/$NAME; cat $S; stat -Lc %s $S
		exec 7< $S; echo three >> /dev/shm/$NAME; tail -n1 <&7'
	[[ $output == $'one\none\ntwo\n8\nthree' ]]
}

@test "> truncates and >> appends, as on any file" {
	run -0 shell 'echo a long line > $S; echo short > $S; echo more >> $S; cat /dev/shm/$NAME'
	[[ $output == $'short\nmore' ]]
}

@test "truncate grows and shrinks" {
	run -0 shell 'truncate -s 1M $S; stat -Lc %s $S /dev/shm/$NAME; truncate -s 5 $S; stat -Lc %s $S /dev/shm/$NAME'
	[[ $output == $'1048576\n1048576\n5\n5' ]]
}

@test "a descriptor that was open before sees a native truncate" {
	run -0 shell 'echo hello > $S; exec 7<> $S; truncate -s 2 /dev/shm/$NAME; cat <&7; echo; stat -Lc %s /dev/fd/7'
	[[ $output == $'he\n2' ]]
}

@test "dd writes in the middle" {
	run -0 shell 'echo 0123456789 > $S; printf ab | dd of=$S bs=1 seek=4 conv=notrunc status=none; cat $S'
	[[ $output == 0123ab6789 ]]
}

@test "a sparse region stays sparse, and cp keeps the holes" {
	run -0 shell 'truncate -s 64M $S; echo x | dd of=$S bs=1M seek=32 conv=notrunc status=none
		truncate -s 64M $S; cp --sparse=auto $S $S.2; cmp $S $S.2
		stat -Lc "%s %b" $S /dev/shm/$NAME.2'
	[[ $output == $'67108864 8\n67108864 8' ]]
}

@test "SEEK_DATA and SEEK_HOLE find the data" {
	run -0 shell 'truncate -s 1M $S; printf x | dd of=$S bs=64k seek=4 conv=notrunc status=none; python3 -c "
import os
f = os.open(os.environ[\"S\"], os.O_RDONLY)
print(os.lseek(f, 0, os.SEEK_DATA), os.lseek(f, 262144, os.SEEK_HOLE), os.lseek(f, 0, os.SEEK_END))"'
	[[ $output == "262144 266240 1048576" ]]
}

@test "fallocate takes memory and punches holes" {
	run -0 shell 'fallocate -l 1M $S; stat -Lc "%s %b" $S /dev/shm/$NAME
		fallocate -p -o 0 -l 512k $S; stat -Lc "%s %b" $S /dev/shm/$NAME'
	[[ $output == $'1048576 2048\n1048576 2048\n1048576 1024\n1048576 1024' ]]
}

# --- maps -----------------------------------------------------------------------------------------

@test "a map of the mount and one of /dev/shm are the same memory" {
	run -0 shell 'truncate -s 1M $S; python3 "$MAP" $S /dev/shm/$NAME'
	[[ $output == coherent ]]
}

@test "two maps of the mount are the same memory" {
	run -0 shell 'truncate -s 1M $S; python3 "$MAP" $S $S'
	[[ $output == coherent ]]
}

@test "maps of two mounts are the same memory" {
	local second
	second=$(new_directory)
	mount_ipcfs "$second"
	run -0 shell 'truncate -s 1M $S; python3 "$MAP" $S $1/shm/$NAME' "$second"
	[[ $output == coherent ]]
}

@test "a map sees what write writes, and read what the map holds" {
	run -0 shell 'truncate -s 8k $S; python3 -c "
import mmap, os
paths = os.environ[\"S\"], \"/dev/shm/\" + os.environ[\"NAME\"]
map = mmap.mmap(os.open(paths[0], os.O_RDWR), 0)
for n, path in enumerate(paths):
    f = os.open(path, os.O_RDWR)
    os.pwrite(f, b\"w%d\" % n, 4096)
    print(map[4096:4098].decode())
    map[0:2] = b\"m%d\" % n
    print(os.pread(f, 2, 0).decode())"'
	[[ $output == $'w0\nm0\nw1\nm1' ]]
}

@test "a map survives rm, and a new region of that name is another" {
	run -0 shell 'truncate -s 4k $S; python3 -c "
import mmap, os
path = os.environ[\"S\"]
old = mmap.mmap(os.open(path, os.O_RDWR), 0)
old[0:3] = b\"old\"
os.unlink(path)
os.truncate(os.open(path, os.O_RDWR | os.O_CREAT), 4096)
new = mmap.mmap(os.open(path, os.O_RDWR), 0)
new[0:3] = b\"new\"
print(old[0:3].decode(), new[0:3].decode(), open(\"/dev/shm/\" + os.environ[\"NAME\"]).read(3))"'
	[[ $output == "old new new" ]]
}

@test "after removal and creation outside, the name is the new region at once" {
	run -0 shell 'echo old > $S; exec 7< $S; rm /dev/shm/$NAME; echo newer > /dev/shm/$NAME
		cat $S; cat <&7; stat -Lc %s $S'
	[[ $output == $'newer\nold\n6' ]]
}

# --- the object -----------------------------------------------------------------------------------

@test "rm removes the region itself" {
	run -0 shell 'echo x > $S; rm $S; ls $IPC/shm /dev/shm | grep -F $NAME || echo gone'
	[[ $output == gone ]]
}

@test "a region removed natively is gone at once" {
	run -1 shell 'echo x > $S; stat $S > "$OUT"; rm /dev/shm/$NAME; cat $S'
	[[ $output == *"No such file or directory"* ]]
}

@test "mv renames the region itself, and replaces" {
	run -0 shell 'echo a > $S; echo b > $S.2; mv $S $S.2; cat $S.2 /dev/shm/$NAME.2; ls $IPC/shm | grep -cF $NAME'
	[[ $output == $'a\na\n1' ]]
}

@test "mv -n does not replace a region" {
	run -0 shell 'echo a > $S; echo b > $S.2; mv -n $S $S.2 || true; cat /dev/shm/$NAME /dev/shm/$NAME.2'
	[[ $output == $'a\nb' ]]
}

@test "chmod and chown change the real region; ls shows native changes" {
	run -0 shell 'touch $S; chmod 620 $S; chown 65534:12345 $S; stat -c "%A %u %g" /dev/shm/$NAME
		chmod 604 /dev/shm/$NAME; chown 12345 /dev/shm/$NAME; stat -Lc "%A %u %g" $S'
	[[ $output == $'-rw--w---- 65534 12345\n-rw----r-- 12345 12345' ]]
}

@test "access control lists and extended attributes are the file's" {
	needs passthrough posix_acl
	run -0 shell 'touch $S; setfacl -m u:12345:rw $S; getfacl -pnc /dev/shm/$NAME
		setfacl -m g:12345:r /dev/shm/$NAME; getfacl -pnc $S | grep 12345; setfacl -b $S; getfacl -pnc $S | wc -l'
	[[ $output == *"user:12345:rw-"*"mask::rw-"*$'\nuser:12345:rw-\ngroup:12345:r--\n4' ]]
	run -0 shell 'setfattr -n user.note -v hello $S; setfattr -n trusted.note -v secret /dev/shm/$NAME
		getfattr --absolute-names -dm - $S | grep -v ^#; cp --preserve=xattr $S $S.2; getfattr --absolute-names -n user.note --only-values $S.2'
	[[ $output == $'trusted.note="secret"\nuser.note="hello"\n\nhello' ]]
}

@test "rsync -a and tar x of a whole directory succeed" {
	needs passthrough
	mkdir "$OUT.d"
	run -0 shell 'umask 027; echo a > $OUT.d/$NAME; chmod 750 $OUT.d; touch -d @1000000000 $OUT.d
		for dir in $IPC/shm $IPC/pipes; do
			rsync -a $OUT.d/ $dir/ && stat -c "%a %Y" $dir && timeout 10 cat $dir/$NAME
			rm $dir/$NAME; chmod 777 $dir
			tar c -C $OUT.d . | tar x -C $dir && stat -c "%a %Y" $dir && timeout 10 cat $dir/$NAME
		done'
	[[ $output == $'750 1000000000\na\n750 1000000000\na\n750 1000000000\na\n750 1000000000\na' ]]
}

@test "the umask is respected" {
	run -0 shell '(umask 077; touch $S); (umask 022; echo > $S.2); stat -c %a /dev/shm/$NAME{,.2}'
	[[ $output == $'600\n644' ]]
}

@test "touch sets the times" {
	run -0 shell 'touch $S; touch -m -d @1000000000 $S; touch -a -d @1100000000 $S
		stat -c "%Y %X" $S /dev/shm/$NAME'
	[[ $output == $'1000000000 1100000000\n1000000000 1100000000' ]]
}

@test "noclobber refuses to write what exists" {
	run -1 shell 'echo kept > $S; set -C; echo more > $S'
	[[ $(cat "/dev/shm/$NAME") == kept ]]
}

@test "sem.* files are not listed here" {
	run -0 shell 'touch /dev/shm/sem.$NAME; ls -a $IPC/shm | grep -F $NAME || echo none'
	[[ $output == none ]]
}

@test "mkdir, mkfifo, ln and ln -s are refused" {
	run -0 shell 'touch $S; mkdir $S.d || mkfifo $S.f || ln $S $S.l || ln -s x $S.s || echo all refused'
	[[ $output == *"all refused" ]]
	[[ $(grep -c "Operation not permitted" <<<"$output") == 4 ]]
}

@test "a name of 255 bytes is good, one of 256 is too long" {
	local fill
	fill=$(printf "%-255s" "$NAME" | tr ' ' 0)
	run -0 shell 'echo hello > "$IPC/shm/$1"; cat "/dev/shm/$1"' "$fill"
	[[ $output == hello ]]
	run -1 shell 'echo hello > "$IPC/shm/$1"' "${fill}0"
	[[ $output == *"File name too long"* ]]
}

@test "a full /dev/shm gives ENOSPC, and what fitted is there" {
	# in a mount namespace with its own /dev/shm, of 1 MiB
	local dir
	dir=$(new_directory)
	run -0 unshare --mount --propagation private timeout -k 1 20 bash -c '
		mount -t tmpfs -o size=1m none /dev/shm
		"$IPCFS" -f "$1" ${IPCFS_TEST_OPTIONS:+-o "$IPCFS_TEST_OPTIONS"} 2>/dev/null & daemon=$!
		until [[ -e $1/README ]]; do sleep 0.02; done
		dd if=/dev/zero of="$1/shm/x" bs=64k count=32 2>&1 | grep -o "No space left on device"
		fallocate -l 2M "$1/shm/y" 2>&1 | grep -o "No space left on device"
		stat -Lc %s "$1/shm/x" /dev/shm/x
		kill $daemon; wait $daemon' bash "$dir" 3>&-
	rmdir "$dir"
	[[ $output == $'No space left on device\nNo space left on device\n1048576\n1048576' ]]
}
