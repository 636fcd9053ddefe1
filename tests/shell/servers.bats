#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Servers, made by mkdir in sockets/servers or by a line in ctl or in the configuration file, and
# clients that know nothing of the mount. $V is a server that does not exist yet, $D a directory for
# the test's own sockets.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2153,SC2154

load helper

setup() {
	ipcfs_setup
	make_directory
	export V="$IPC/sockets/servers/$NAME" SOCKET="/run/ipcfs/$NAME"
}

teardown() {
	local bad=0
	ipcfs_teardown || bad=1
	rm -f "/run/ipcfs/${NAME:?}"*
	return "$bad"
}

# serve [DIRECTORY]: sends each client back what it sends, as README.md shows.
serve() {
	background bash -c 'while exec 3<>$1/accept; do tee <&3 >&3; done' bash "${1:-$V}" >/dev/null 2>"$OUT.serve"
}

# echo_by TEXT SOCAT-ADDRESS: prints the line that comes back. socat goes on: the server's loop
# closes a connection only when the next one is there.
echo_by() {
	local from socat line

	exec {from}< <(exec timeout 10 socat -t 10 - "$2" <<<"$1" 3>&- 2>/dev/null) # 1.8 tells of the signal
	socat=$!
	read -r line <&"$from" || return
	kill "$socat"
	exec {from}<&-
	echo "$line"
}

# Answers each request with its path.
serve_http() {
	cat >"$D/http" <<-'END'
		while exec 3<>"$1/accept"; do
			read -r method path version <&3
			while read -r header <&3 && [[ $header != $'\r' ]]; do :; done
			body="you asked for $path"
			printf 'HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s' "${#body}" "$body" >&3
			exec 3>&-
		done
	END
	background bash "$D/http" "$V" 2>/dev/null
}

@test "a server in one line of shell serves socat, one client after the other" {
	mkdir "$V"
	[[ $(cat "$V/address") == "unix:$SOCKET" ]]
	serve
	for each in 1 2 3; do
		run -0 echo_by "number $each" "UNIX-CONNECT:$SOCKET"
		[[ $output == "number $each" ]]
	done
	run -0 shell 'exec 3<>$V/connect; echo mount >&3; read -r x <&3; echo $x'
	[[ $output == mount ]]
}

@test "curl --unix-socket gets a page from a server in shell" {
	mkdir "$V"
	serve_http
	run -0 timeout 20 curl -sS --unix-socket "$SOCKET" http://localhost/first http://localhost/second
	[[ $output == "you asked for /firstyou asked for /second" ]]
}

@test "50 curls at once are all answered" {
	mkdir "$V"
	serve_http
	run -0 shell 'for i in {1..50}; do curl -sS --max-time 15 --unix-socket $SOCKET http://localhost/$i & done; wait'
	for i in {1..50}; do
		[[ $output == *"you asked for /$i"* ]]
	done
	[[ ${output//[^y]/} == "$(printf 'y%.0s' {1..50})" ]]
}

@test "curl gets a page through TCP, at a port that the kernel chose" {
	local address
	echo "create sockets/servers/$NAME listen=tcp:127.0.0.1:0" >"$IPC/ctl"
	address=$(cat "$V/address")
	[[ $address =~ ^tcp:127\.0\.0\.1:[1-9][0-9]*$ ]]
	serve_http
	run -0 timeout 20 curl -sS "http://${address#tcp:}/page"
	[[ $output == "you asked for /page" ]]
}

@test "abstract, sequenced packet and IPv6 servers serve socat" {
	local address
	echo "create sockets/servers/$NAME listen=abstract:$NAME" >"$IPC/ctl"
	serve
	run -0 echo_by abstract "ABSTRACT-CONNECT:$NAME"
	[[ $output == abstract ]]
	echo "create sockets/servers/$NAME.q listen=unix:$D/q type=seqpacket" >"$IPC/ctl"
	background bash -c 'exec 3<>$1/accept; dd bs=100 count=1 status=none <&3 >&3' bash "$V.q" >/dev/null
	run -0 echo_by packet "UNIX-CONNECT:$D/q,type=5"
	[[ $output == packet ]]
	echo "create sockets/servers/$NAME.6 listen=tcp:[::1]:0" >"$IPC/ctl"
	address=$(cat "$V.6/address")
	serve "$V.6"
	run -0 echo_by six "TCP6:${address#tcp:}"
	[[ $output == six ]]
}

@test "rmdir ends a loop that waits, and removes the socket" {
	mkdir "$V"
	[[ -S $SOCKET ]]
	serve
	wait_until held 1
	rmdir "$V"
	wait_until ended "$JOB"
	contains "$OUT.serve" "Invalid argument"
	[[ ! -e $SOCKET && ! -e $V ]]
	run ! timeout 5 socat - "UNIX-CONNECT:$SOCKET" </dev/null
}

@test "Ctrl-C ends an accept" {
	mkdir "$V"
	background cat "$V/accept"
	wait_until held 1
	kill -INT "$JOB"
	WITHIN=2 wait_until ended "$JOB"
}

@test "ctl says what is wrong with a server's address" {
	run ! shell 'echo "create sockets/servers/$NAME listen=here" >$IPC/ctl'
	[[ $output == *"Invalid argument"* ]]
	run ! shell 'echo "create sockets/servers/$NAME listen=unix:$D/none/s" >$IPC/ctl'
	[[ $output == *"No such file"* ]]
	background socat "UNIX-LISTEN:$D/s,fork" PIPE
	wait_until test -S "$D/s"
	run ! shell 'echo "create sockets/servers/$NAME listen=unix:$D/s" >$IPC/ctl'
	[[ $output == *"Address already in use"* ]]
	run -0 tail -n1 "$IPC/ctl"
	[[ $output == "line 1: create sockets/servers/$NAME: the address in listen= is in use, or another file is there" ]]
	[[ ! -e $V ]]
	kill -KILL "$JOB"
	wait_until ended "$JOB"
	run -0 shell 'echo "create sockets/servers/$NAME listen=unix:$D/s" >$IPC/ctl'
	serve
	run -0 echo_by replaced "UNIX-CONNECT:$D/s"
	[[ $output == replaced ]]
}

@test "another user serves as that user, and below port 1024 not at all" {
	run -0 as_user "$OTHER" mkdir -m 750 "$V"
	run -0 stat -c '%u %a' "$V" "$SOCKET"
	[[ $output == "$OTHER 750"$'\n'"$OTHER 750" ]]
	background setpriv --reuid="$OTHER" --regid="$OTHER" --clear-groups \
		bash -c 'while exec 3<>$V/accept; do tee <&3 >&3; done' >/dev/null 2>&1
	run -0 python3 -c '
import socket, struct, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
print(struct.unpack("iII", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1:])' "$SOCKET"
	[[ $output == "($OTHER, $OTHER)" ]]
	run ! as_user 1234 rmdir "$V"
	run ! as_user 1234 bash -c 'exec 3<>$V/accept'
	[[ $output == *"Permission denied"* ]]
	run ! as_user 1234 bash -c 'exec 3<>$V/connect'
	[[ $output == *"Permission denied"* ]]
	run ! as_user "$OTHER" bash -c 'echo "create sockets/servers/$NAME.80 listen=tcp:127.0.0.1:80" >$IPC/ctl'
	[[ $output == *"Permission denied"* ]]
	run -0 as_user "$OTHER" rmdir "$V"
	[[ ! -e $SOCKET ]]
}

@test "a client sees the caller's uid, not the daemon's" {
	cat >"$D/who.py" <<-'END'
		import socket, struct, sys
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1])
		s.listen()
		c, _ = s.accept()
		c.sendall(b"%d %d\n" % struct.unpack("iII", c.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1:])
	END
	background python3 "$D/who.py" "$D/s"
	wait_until test -S "$D/s"
	chmod 777 "$D/s"
	run -0 as_user "$OTHER" bash -c 'cat <>"$IPC/sockets/unix$D/s"'
	[[ $output == "$OTHER $OTHER" ]]
}

@test "info shows a server, its connections and who has them" {
	mkdir "$V"
	serve
	run -0 shell 'exec 3<>$V/connect; echo x >&3; read -r x <&3; ls $IPC/info/sockets/servers
		cat $IPC/info/sockets/servers/$NAME/status $IPC/info/sockets/servers/$NAME:accept*/{status,peers}'
	[[ $output == *"$NAME:accept#"*"$NAME:connect#"* ]]
	[[ $output == *"state listening"*"listen unix:$SOCKET"*"type stream"* ]]
	[[ $output == *"state connected"*"$JOB 0 rw bash"* ]]
	mkfifo "$D/never"
	socat - "UNIX-CONNECT:$SOCKET" <>"$D/never" >/dev/null 3>&- &
	local client=$!
	JOBS+=("$client")
	wait_until shell 'grep -q "^$1 0 rw socat" $IPC/info/sockets/servers/$NAME:accept*/peers' "$client"
	run -0 as_user "$OTHER" bash -c 'cat $IPC/info/sockets/servers/$NAME:accept*/{status,peers}'
	[[ $output != *" rw "* && $output != *peer-pid* ]]
}

@test "the configuration file makes servers, and more on SIGHUP" {
	local m
	m=$(new_directory)
	cat >"$D/conf" <<-END
		create sockets/servers/$NAME.a listen=unix:$D/a mode=0600
		create sockets/servers/$NAME.b listen=abstract:$NAME.b
		create sockets/servers/$NAME.c
	END
	mount_ipcfs "$m" -o "config=$D/conf" 2>"$OUT"
	[[ -S $D/a && $(stat -c %a "$D/a") == 600 && -S /run/ipcfs/$NAME.c ]]
	serve "$m/sockets/servers/$NAME.a"
	run -0 echo_by "from a" "UNIX-CONNECT:$D/a"
	[[ $output == "from a" ]]
	serve "$m/sockets/servers/$NAME.b"
	run -0 echo_by "from b" "ABSTRACT-CONNECT:$NAME.b"
	[[ $output == "from b" ]]
	echo "create sockets/servers/$NAME.d listen=unix:$D/d" >>"$D/conf"
	kill -HUP "${DAEMON[$m]}"
	wait_until test -S "$D/d"
	serve "$m/sockets/servers/$NAME.d"
	run -0 echo_by "from d" "UNIX-CONNECT:$D/d"
	[[ $output == "from d" ]]
	run -0 echo_by "a again" "UNIX-CONNECT:$D/a"
	[[ $output == "a again" ]]
	[[ ! -s $OUT ]] || ! grep conf "$OUT"
}

@test "after kill -9 of the daemon the next one serves at the same address" {
	local m
	m=$(new_directory)
	echo "create sockets/servers/$NAME listen=unix:$D/s" >"$D/conf"
	mount_ipcfs "$m" -o "config=$D/conf" 2>"$OUT"
	[[ -S $D/s ]]
	kill -KILL "${DAEMON[$m]}"
	wait_until ended "${DAEMON[$m]}"
	umount -l "$m"
	[[ -S $D/s ]]
	mount_ipcfs "$m" -o "config=$D/conf" 2>"$OUT"
	serve "$m/sockets/servers/$NAME"
	run -0 echo_by again "UNIX-CONNECT:$D/s"
	[[ $output == again ]]
}
