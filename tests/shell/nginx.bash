#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# nginx as a test starts it: in the foreground, as the test's own user, with all its files in $D.
# shellcheck shell=bash

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# nginx_config ROOT ADDRESS...: prints a configuration for nginx to serve a directory there. What is
# asked for is in $D/access.log.
nginx_config() {
	cat <<-END
		daemon off; master_process off; pid $D/pid; error_log $D/error.log;
		events { }
		http {
			log_format asked '\$request_uri'; access_log $D/access.log asked;
			types { text/html html; }
			client_body_temp_path $D/tmp; proxy_temp_path $D/tmp;
			fastcgi_temp_path $D/tmp; uwsgi_temp_path $D/tmp; scgi_temp_path $D/tmp;
			server { $(printf 'listen %s; ' "${@:2}") root $1; }
		}
	END
}
