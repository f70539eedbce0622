#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# fetch: the disc of drivers, from a server on loopback with everything that servers and networks do. Real discs, of xorriso.

setup_file() {
	cd "$BATS_TEST_DIRNAME/.."
	export at=$BATS_FILE_TMPDIR
	mkdir "$at/disc"
	head -c 80M /dev/urandom >"$at/disc/drivers"
	xorriso -as mkisofs -quiet -V virtio-win-0.1.999 -o "$at/virtio-win.iso" "$at/disc" 2>/dev/null
	sum=$(sha256sum <"$at/virtio-win.iso"); export sum=${sum%% *}
}
setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	export LC_ALL=C.UTF-8 HOME=$BATS_TEST_TMPDIR XDG_DATA_HOME=$BATS_TEST_TMPDIR/data XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR
	unset SUDO_UID PKEXEC_UID http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY
	log=$BATS_TEST_TMPDIR/log disc=$XDG_DATA_HOME/qlaunch/virtio-win.iso
}
teardown() { [ -z "${server:-}" ] || kill "$server"; }
serve() { # [CERTIFICATE]
	tests/server.py "$at/virtio-win.iso" "$log" "$@" 3>&- >/dev/null & server=$!
	for _ in $(seq 300); do [ ! -s "$log.port" ] || break; sleep 0.1; done
	port=$(<"$log.port")
}
fetch() { run "$qlaunch" fetch --from "http://127.0.0.1:$port/$1" "${@:2}" virtio-win; echo "$output"; }
whole() { [ "$status" -eq 0 ] && [ "$(sha256sum <"$disc")" = "$sum  -" ] && nothing_else; }
none() { [ "$status" -eq "${1:-4}" ] && [ ! -e "$disc" ]; }
nothing_else() { [ -z "$(find "$XDG_DATA_HOME" -name '*.part*')" ]; }

@test "fetch: it comes whole, also by a redirect; a second call asks nobody, --again does" {
	serve
	fetch redirect; whole
	[[ $output == *"$disc: virtio-win-0.1.999, whole"* ]]
	[ "$(<"$log")" = $'/redirect all\n/whole all' ]
	fetch whole; whole; [[ $output == *"is there already: virtio-win-0.1.999"* ]]
	[ "$(wc -l <"$log")" -eq 2 ]
	fetch whole --again; whole; [ "$(wc -l <"$log")" -eq 3 ]
	fetch html --again; [ "$status" -eq 4 ]; [ "$(sha256sum <"$disc")" = "$sum  -" ] # the one that was there stays
	"$qlaunch" fetch --from "http://127.0.0.1:$port/whole" --output "$HOME/elsewhere.iso" virtio-win
	cmp "$HOME/elsewhere.iso" "$at/virtio-win.iso"
}

@test "fetch: a line that breaks is gone on with; a server that knows no parts, or has another file by then, begins anew" {
	local half=$(($(stat -c %s "$at/virtio-win.iso") / 2))
	serve
	fetch cut; whole; [ "$(<"$log")" = $'/cut all\n/cut bytes='"$half-" ]
	[[ $output == *"it is asked again"* ]]
	fetch stubborn --again; whole; [ "$(tail -n 2 "$log")" = $'/stubborn all\n/stubborn all' ]
	fetch changed --again; whole; [ "$(tail -n 1 "$log")" = "/changed bytes=$half-" ]
	fetch busy --again; whole; [ "$(grep -c busy "$log")" -eq 3 ]
	fetch lies --again; [ "$status" -eq 4 ]; [[ $output == *"another part than it was asked for"* ]]
	[ "$(sha256sum <"$disc")" = "$sum  -" ]
}

@test "fetch: what is not the disc never gets its name, and it is said what came instead" {
	serve
	fetch html; none; [[ $output == *'a web page ("Log in  to the café")'*"a login first"* ]]; nothing_else
	fetch nowhere; none; [[ $output == *"answers 404 (\"Not here\")"* ]]
	fetch other; none; [[ $output == *"is no disc"* ]]; nothing_else
	fetch short; none; [[ $output == *"is not whole"* ]]; nothing_else
	fetch nothing; none; [[ $output == *"is empty"* ]]
	fetch whole --sha256 "${sum//[0-9]/0}"; none; [[ $output == *"SHA-256 $sum, and not"* ]]; nothing_else
	fetch whole --sha256 12; none 2
	fetch whole --sha256 "${sum^^}"; whole
}

@test "fetch: https alone, and no way from it to http; a server that nobody vouches for is not believed" {
	serve
	fetch out; none 2; [[ $output == *"http://mirror.invalid/virtio-win.iso is not asked"* ]]
	fetch loop; none; [[ $output == *"without an end"* ]]; [ "$(wc -l <"$log")" -le 15 ]
	for url in http://mirror.invalid/x ftp://127.0.0.1/x file:///etc/passwd "http://127.0.0.1@mirror.invalid/" "http://localhost.mirror.invalid/" mirror ""; do
		run "$qlaunch" fetch --from "$url" virtio-win
		echo "$url: $output"; none 2
	done
	run "$qlaunch" fetch windows; none 2; [[ $output == *"fetch virtio-win"* ]]
	kill "$server"; wait "$server" || true; rm "$log.port"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$HOME/key" -out "$HOME/cert" -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
	cat "$HOME/key" "$HOME/cert" >"$HOME/both"
	serve "$HOME/both"
	run "$qlaunch" fetch --from "https://localhost:$port/whole" virtio-win
	echo "$output"; none; [[ $output == *certificate* ]]
	export CURL_CA_BUNDLE=$HOME/cert
	run "$qlaunch" fetch --from "https://localhost:$port/down" virtio-win
	echo "$output"; none 2; [[ $output == *"is not asked"* ]]
	run "$qlaunch" fetch --from "https://localhost:$port/redirect" virtio-win
	echo "$output"; whole
}

@test "fetch: Ctrl-C keeps what has come, and the next one goes on from there; two at once do not mix" {
	local got
	serve
	"$qlaunch" fetch --from "http://127.0.0.1:$port/slow" virtio-win >"$HOME/said" 2>&1 3>&- & pid=$!
	for _ in $(seq 300); do [ ! -s "$disc.part" ] || break; sleep 0.1; done
	[ -s "$disc.part" ]
	fetch whole; none; [[ $output == *"another qlaunch is fetching"* ]]
	kill -INT "$pid"
	status=0; wait "$pid" || status=$?
	cat "$HOME/said"
	[ "$status" -ne 0 ]; grep -q "interrupted" "$HOME/said"; grep -q "goes on from there" "$HOME/said"
	[ ! -e "$disc" ]; got=$(stat -c %s "$disc.part"); [ "$got" -gt 0 ]
	fetch slow; whole; [ "$(tail -n 1 "$log")" = "/slow bytes=$got-" ]
}

@test "fetch: in a terminal the bar; where there is no room, it is said before anything comes; no network, and how it goes on" {
	serve
	script -qec "'$qlaunch' fetch --from http://127.0.0.1:$port/slow virtio-win" /dev/null >"$HOME/said" & pid=$!
	for _ in $(seq 300); do ! grep -q "fetching virtio-win.iso .* of 80" "$HOME/said" || break; sleep 0.1; done
	grep -q "fetching virtio-win.iso .*%" "$HOME/said"
	kill "$pid"; wait "$pid" || true # the terminal goes
	for _ in $(seq 300); do flock -n "$disc.part" true && break; sleep 0.1; done
	rm -f "$disc".part*
	run "$qlaunch" fetch --from http://127.0.0.1:1/x virtio-win
	echo "$output"; none; [[ $output == *"is this host online"* ]]
	if [ "$(id -u)" -eq 0 ]; then
		mkdir "$HOME/small"; mount -t tmpfs -o size=8M "qlaunch-$$" "$HOME/small"
		fetch whole --output "$HOME/small/x.iso"; umount "$HOME/small"
		[ "$status" -eq 4 ]; [[ $output == *"there is room for 8.0M"* ]]
	fi
}

@test "fetch after sudo: all of it as the user" {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	local dir; dir=$(mktemp -d); chmod 755 "$dir"; mkdir "$dir/theirs"; chown nobody "$dir/theirs"
	serve
	SUDO_UID=$(id -u nobody) fetch whole --output "$dir/theirs/x.iso"
	[ "$status" -eq 0 ]; [ "$(stat -c %U "$dir/theirs/x.iso")" = nobody ]
	SUDO_UID=$(id -u nobody) fetch whole --output "$dir/x.iso"
	[ "$status" -eq 4 ]; [ ! -e "$dir/x.iso" ]
	rm -r "$dir"
}
