#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Clients: sockets that listen on the machine, reached by opening a file. $D is a directory for the
# test's own sockets, $U the same directory below the mount.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2153,SC2154

load helper
load nginx

setup() {
	ipcfs_setup
	make_directory
	export U="$IPC/sockets/unix$D"
}

# native SOCKET COMMAND...: starts the command in the background. It then listens at $D/SOCKET.
native() {
	local socket=$D/$1
	background "${@:2}" </dev/null >/dev/null 2>"$OUT.log"
	wait_until test -S "$socket"
}

port_is_open() { # PORT [tcp|udp]
	grep -qx "$1" <<<"$(ls "$IPC/sockets/${2:-tcp}/127.0.0.1")"
}

@test "a Unix stream is echoed by socat" {
	native s socat "UNIX-LISTEN:$D/s,fork" PIPE
	run -0 shell 'exec 3<>$U/s; echo one >&3; read -r x <&3; echo "got $x"
		echo two three >&3; read -r x <&3; echo "got $x"'
	[[ $output == $'got one\ngot two three' ]]
}

@test "sequenced packets are echoed by socat" {
	native s socat "UNIX-LISTEN:$D/s,type=5,fork" PIPE
	run -0 shell 'exec 3<>$U/s; echo one >&3; dd bs=100 count=1 status=none <&3
		echo two >&3; read -r x <&3; echo "then $x"'
	[[ $output == $'one\nthen two' ]]
}

@test "a datagram to socat is answered" {
	native s socat "UNIX-RECVFROM:$D/s,fork" EXEC:'tr a-z A-Z'
	run -0 shell 'exec 3<>$U/s; echo shout >&3; dd bs=100 count=1 status=none <&3'
	[[ $output == SHOUT ]]
}

@test "abstract sockets are listed and connected to" {
	background socat "ABSTRACT-LISTEN:$NAME,fork" PIPE
	background socat "ABSTRACT-RECVFROM:$NAME.d,fork" EXEC:'tr a-z A-Z'
	wait_until shell 'ls $IPC/sockets/abstract | grep -qx $NAME.d'
	wait_until shell 'ls $IPC/sockets/abstract | grep -qx $NAME'
	run -0 shell 'exec 3<>$IPC/sockets/abstract/$NAME; echo here >&3; read -r x <&3; echo $x
		exec 3<>$IPC/sockets/abstract/$NAME.d; echo there >&3; dd bs=100 count=1 status=none <&3'
	[[ $output == $'here\nTHERE' ]]
	run ! shell 'cat $IPC/sockets/abstract/$NAME.none'
	[[ $output == *"No such file or directory"* ]]
}

@test "TCP by number and by name, IPv4 and IPv6" {
	local host port
	port=$(free_port)
	background socat "TCP4-LISTEN:$port,bind=127.0.0.1,fork,reuseaddr" PIPE
	background socat "TCP6-LISTEN:$port,bind=[::1],fork,reuseaddr,ipv6only" PIPE
	wait_until port_is_open "$port"
	wait_until shell 'ls $IPC/sockets/tcp/::1 | grep -qx $1' "$port"
	for host in 127.0.0.1 localhost ::1; do
		run -0 shell 'exec 3<>$IPC/sockets/tcp/$1/$2; echo $1 >&3; read -r x <&3; echo $x' "$host" "$port"
		[[ $output == "$host" ]]
	done
}

@test "UDP datagrams are answered by socat" {
	local port
	port=$(free_port)
	background socat "UDP4-RECVFROM:$port,bind=127.0.0.1,fork" EXEC:'tr a-z A-Z'
	wait_until port_is_open "$port" udp
	run -0 shell 'exec 3<>$IPC/sockets/udp/127.0.0.1/$1; echo shout >&3; dd bs=100 count=1 status=none <&3' "$port"
	[[ $output == SHOUT ]]
}

# Sends a request and prints the body of the answer.
get() { # FILE PATH
	shell 'exec 3<>$1; printf "GET %s HTTP/1.0\r\n\r\n" "$2" >&3; cat <&3 | sed "1,/^\r\$/d"' "$1" "$2"
}

@test "nginx serves through its Unix socket and its TCP port" {
	local port
	port=$(free_port)
	mkdir -p "$D/www" "$D/tmp"
	head -c 5000000 /dev/urandom >"$D/www/data"
	chmod 755 "$D/www"
	nginx_config "$D/www" "unix:$D/s" "127.0.0.1:$port" >"$D/nginx.conf"
	PATH=$PATH:/usr/sbin native s nginx -p "$D" -c "$D/nginx.conf"
	wait_until port_is_open "$port"
	get "$U/s" /data | cmp - "$D/www/data"
	get "$IPC/sockets/tcp/localhost/$port" /data | cmp - "$D/www/data"
	run -0 shell 'exec 3<>$U/s; printf "GET /none HTTP/1.0\r\n\r\n" >&3; head -n1 <&3 2>/dev/null'
	[[ $output == "HTTP/1.1 404"* ]]
}

@test "python3's http.server serves through its TCP port" {
	local port
	port=$(free_port)
	seq 100000 >"$D/numbers"
	background python3 -m http.server "$port" --bind 127.0.0.1 --directory "$D" 2>/dev/null >/dev/null
	wait_until port_is_open "$port"
	get "$IPC/sockets/tcp/127.0.0.1/$port" /numbers | cmp - "$D/numbers"
}

@test "Redis answers PING, SET and GET through files" {
	local port way
	port=$(free_port)
	native s redis-server --save '' --appendonly no --dir "$D" --port "$port" --bind 127.0.0.1 --unixsocket "$D/s"
	for way in "$U/s" "$IPC/sockets/tcp/127.0.0.1/$port"; do
		run -0 shell 'exec 3<>$1; printf "PING\r\n" >&3; read -r x <&3; echo "$x"
			printf "SET key value\r\nGET key\r\n" >&3
			for i in 1 2 3; do read -r x <&3; echo "$x"; done' "$way"
		[[ $output == $'+PONG\r\n+OK\r\n$5\r\nvalue\r' ]]
	done
}

as_postgres() {
	setpriv --reuid=postgres --regid=postgres --clear-groups "$@" 3>&-
}

start_postgres() {
	local bin
	bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin | tail -n1)
	install -d -o postgres -g postgres -m 700 "$D/data"
	install -d -o postgres -g postgres -m 755 "$D/run"
	cd "$D/data" || return
	timeout 60 setpriv --reuid=postgres --regid=postgres --clear-groups "$bin/initdb" -D "$D/data" -N -A trust >/dev/null 2>&1 3>&-
	background setpriv --reuid=postgres --regid=postgres --clear-groups "$bin/postgres" -D "$D/data" \
		-c listen_addresses= -c "unix_socket_directories=$D/run" 2>"$OUT"
	POSTGRES=$JOB
	WITHIN=60 wait_until contains "$OUT" "ready to accept connections"
	cd / || return
}

@test "PostgreSQL is queried through its socket's file" {
	start_postgres
	# An SSLRequest, which is answered with one letter.
	run -0 shell 'exec 3<>$U/run/.s.PGSQL.5432; printf "\0\0\0\10\4\322\26\57" >&3; dd bs=1 count=1 status=none <&3'
	[[ $output == [NS] ]]
	mkdir "$D/bridge"
	native bridge/.s.PGSQL.5432 socat "UNIX-LISTEN:$D/bridge/.s.PGSQL.5432,fork" \
		"OPEN:$U/run/.s.PGSQL.5432,rdwr"
	run -0 timeout 20 psql -h "$D/bridge" -U postgres -Atc 'select sum(i), count(*) from generate_series(1, 100000) as i'
	[[ $output == "5000050000|100000" ]]
	kill -INT "$POSTGRES"
	wait_until ended "$POSTGRES"
}

@test "the peer sees end-of-file while we still read" {
	native s socat "UNIX-LISTEN:$D/s" EXEC:sort
	run -0 shell 'exec 3<>$U/s; exec 4</dev/fd/3
		printf "%s\n" pear apple orange >&3; exec 3>&-; cat <&4'
	[[ $output == $'apple\norange\npear' ]]
}

@test "a peer that dies causes an error, not a signal" {
	native s socat "UNIX-LISTEN:$D/s" PIPE
	local peer=$JOB
	export peer
	run -0 shell 'exec 3<>$U/s; echo x >&3; read -r x <&3; kill -KILL $peer
		while echo lost >&3; do :; done; echo "status $?"'
	[[ $output == *"Broken pipe"*"status 0" ]]
	native t socat "UNIX-LISTEN:$D/t" EXEC:true
	run -0 shell 'exec 3<>$U/t; cat <&3; echo "end $?"'
	[[ $output == "end 0" ]]
}

@test "where nobody listens, the error is connect(2)'s" {
	native s socat "UNIX-LISTEN:$D/s" PIPE
	kill -KILL "$JOB"
	wait_until ended "$JOB"
	run ! shell 'echo x <>$U/s >&0'
	[[ $output == *"Connection refused"* ]]
	run ! shell 'echo x >$U/none'
	[[ $output == *"No such file or directory"* ]]
	run ! shell 'echo x >$IPC/sockets/tcp/127.0.0.1/$1' "$(free_port)"
	[[ $output == *"Connection refused"* ]]
}

# Backlog 0: one client is let in and waits; the others wait to be let in.
@test "Ctrl-C ends a connect that finds no room" {
	cat >"$D/full.py" <<-'END'
		import socket, sys, signal
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1])
		s.listen(0)
		c = socket.socket(socket.AF_UNIX)
		c.connect(sys.argv[1])
		open(sys.argv[1] + ".ready", "w").close()
		signal.pause()
	END
	background python3 "$D/full.py" "$D/s"
	wait_until test -e "$D/s.ready"
	background cat "$U/s" >/dev/null
	wait_until held 1
	[[ $(state_of "$JOB") == S ]]
	kill -INT "$JOB"
	WITHIN=2 wait_until ended "$JOB"
}

@test "a socket's owner and mode are shown and enforced" {
	native s socat "UNIX-LISTEN:$D/s,mode=0600,fork" PIPE
	mkdir -m 700 "$D/private"
	native private/s socat "UNIX-LISTEN:$D/private/s,mode=0666,fork" PIPE
	ln -s "$D/private/s" "$D/link"
	ln -s private "$D/dir"
	run -0 stat -c '%A %U' "$U/s"
	[[ $output == "-rw------- root" ]]
	run -0 ls "$U"
	[[ $output == $'dir\nlink\nprivate\ns' ]]
	chmod 755 "$D"
	for way in s private/s link dir/s ../"${D##*/}"/private/s; do
		run ! as_user "$OTHER" bash -c 'exec 3<>$U/$1' bash "$way"
		[[ $output == *"Permission denied"* ]]
		run -0 shell 'exec 3<>$U/$1; echo x >&3; read -r x <&3; echo $x' "$way"
		[[ $output == x ]]
	done
	chmod 666 "$D/s"
	run -0 as_user "$OTHER" bash -c 'exec 3<>$U/s; echo other >&3; read -r x <&3; echo $x'
	[[ $output == other ]]
}

@test "info shows who is at the other end" {
	native s socat "UNIX-LISTEN:$D/s" PIPE
	run -0 shell 'exec 3<>$U/s; echo waits >&3; read -rN1 x <&3
		cd $IPC/info/sockets/unix/*; cat status peek peers; echo me $$' 
	[[ $output == *"state connected"*"type stream"*"peer-pid $JOB"*"aits"*"$JOB 0 rw socat"* ]]
	[[ $output =~ me\ ([0-9]+) && $output == *"${BASH_REMATCH[1]} 0 rw bash"* ]]
	run ! shell 'ls -d $IPC/info/sockets/unix/*'
}

@test "the mount can be seen through itself" {
	run -0 timeout 20 find "$IPC/sockets/unix$IPC" -maxdepth 3
	[[ $output == *"$IPC/sockets/unix$IPC/sockets"* ]]
	ln -s "$U/b" "$D/a"
	ln -s "$U/a" "$D/b"
	run ! timeout 20 cat "$U/a"
	run -0 timeout 20 ls "$U"
}

@test "the connections of a shell show in the summary" {
	native s socat "UNIX-LISTEN:$D/s" PIPE
	run -0 shell 'exec 3<>$U/s; cat $IPC/info/summary'
	grep -q "^sockets/unix .*${D##*/}%2Fs#" <<<"$output"
}
