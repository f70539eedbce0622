#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What a second user, or the first one's own shell, lays in root's way: names in shared folders, sockets, a full /run, damaged journals, limits.
# Nothing of the first is read, lost or stopped, and the host comes back.

setup() {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	open=$(mktemp -d); chmod 755 "$open"
	vm=t$BATS_TEST_NUMBER-$$ conf=$open/t.conf
	printf '[vm]\nname = %s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n' "$vm" >"$conf"
	export SUDO_UID SUDO_USER=nobody
	SUDO_UID=$(id -u nobody)
}
teardown() {
	[ -z "${server:-}" ] || kill "$server" 2>/dev/null || true
	[ -z "${open:-}" ] || { "$qlaunch" stop --kill "$vm"; "$qlaunch" restore --forget "$vm"; rm -rf "$open"; } >/dev/null 2>&1 || true
}
as_first() { setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups env -u SUDO_UID "$@"; }
begin() { # [COMMAND...]: a launch in the background, as $pid; false where it ends before its guest runs
	: >"$open/said"
	"$@" "$qlaunch" run "$conf" > >(cat >"$open/said") 2>&1 3>&- </dev/null & pid=$! # by a pipe: a limit of file size is not for what is said
	until grep -q 'running after' "$open/said"; do kill -0 $pid 2>/dev/null || { cat "$open/said"; return 1; }; sleep 0.1; done
}
now() { find "$@" -printf '%p %m %u %s %T@\n' | sort; }
export -f now

@test "Looking Glass's memory: a file or a link that another user has put there is refused and left, and nobody else sees the guest's screen" {
	printf '[display]\nmode = looking-glass\nresolution = 1920x1080\n' >>"$conf"
	cat >"$open/try" <<-'TRY'
		set -eu
		mount -t tmpfs -o mode=1777 shm /dev/shm
		echo precious >"$open/precious"; chown nobody "$open/precious"
		lg=/dev/shm/looking-glass
		install -m 644 -o nobody /dev/null $lg
		for verb in check run; do
			status=0; timeout 30 "$qlaunch" $verb "$conf" >"$open/said" 2>&1 </dev/null || status=$?
			[ $status -eq 4 ]; tr -s "\n " " " <"$open/said" | grep -q "alone: open"; grep -q "chmod 600 $lg" "$open/said"
		done
		rm $lg
		for trap in 'install -m 666 -o daemon /dev/null' "ln -s $open/precious" 'mkdir' 'mkfifo'; do
			$trap $lg; chown -h daemon $lg
			before=$(now /dev/shm "$open/precious")
			for who in env "setpriv --reuid=nobody --regid=$(id -g nobody) --clear-groups env -u SUDO_UID XDG_RUNTIME_DIR=$open/own"; do
				status=0; timeout 30 $who "$qlaunch" run "$conf" >"$open/said" 2>&1 </dev/null || status=$?
				cat "$open/said"
				[ $status -eq 4 ]; grep -q "$lg is there already, and not this user's alone" "$open/said"
			done
			[ "$(now /dev/shm "$open/precious")" = "$before" ]
			rm -r $lg
		done
		timeout 60 "$qlaunch" run "$conf" >"$open/said" 2>&1 </dev/null & pid=$!
		until grep -q 'running after' "$open/said"; do kill -0 $pid || { cat "$open/said"; exit 1; }; sleep 0.1; done
		[ "$(stat -c '%U %a' $lg)" = 'nobody 600' ]
		! setpriv --reuid=daemon --clear-groups head -c 1 $lg || exit 1
		[ "$(stat -c %s $lg)" -gt 1000000 ]
		for verb in check run; do # a second machine of the same user's
			status=0; timeout 30 "$qlaunch" $verb --set "vm.name=$vm-b" "$conf" >"$open/second" 2>&1 </dev/null || status=$?
			cat "$open/second"; [ $status -eq 4 ]; grep -q "$lg belongs to $vm" "$open/second"
		done
		"$qlaunch" stop --now "$vm"
		wait $pid
		[ ! -e $lg ]
	TRY
	mkdir -m 700 "$open/own"; chown nobody "$open/own"
	export open qlaunch conf vm
	run unshare -m --propagation private bash "$open/try"
	echo "$output"; [ "$status" -eq 0 ]
}

@test "sockets that another user has put where the machine's would be: nobody speaks to them" {
	mkdir -p "$open/trap/qlaunch/$vm"
	cat >"$open/server.py" <<'PY'
import os, socket, sys
os.setuid(int(sys.argv[1]))
socks = []
for name in ("monitor", "agent", "lock", "status.json"):
    s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[2] + "/" + name); os.chmod(sys.argv[2] + "/" + name, 0o666); s.listen(); socks.append(s)
open(sys.argv[2] + "/ready", "w").close()
import select
while True:
    for s in select.select(socks, [], [])[0]:
        open(sys.argv[3], "a").write("somebody came\n"); s.accept()
PY
	chown -R daemon "$open/trap"; chmod -R a+rwX "$open/trap"
	touch "$open/came"; chmod 666 "$open/came"
	python3 "$open/server.py" "$(id -u daemon)" "$open/trap/qlaunch/$vm" "$open/came" 3>&- & server=$!
	until [ -e "$open/trap/qlaunch/$vm/ready" ]; do kill -0 $server; sleep 0.1; done
	before=$(now "$open/trap")
	for verb in status "status $vm" "console $vm" "top --once $vm" "stop $vm" "stop --kill $vm" restore "restore --forget $vm" "run $conf"; do
		# shellcheck disable=SC2086 # words
		XDG_RUNTIME_DIR=$open/trap run as_first timeout 20 "$qlaunch" $verb
		echo "$verb: $status $output"
		[ "$status" -ne 0 ]; [ "$status" -ne 124 ]
	done
	# root takes no part of a path for a machine's name
	for verb in status console "top --once" stop "stop --kill" restore "restore --forget" "restore --wait"; do
		# shellcheck disable=SC2086 # words
		run timeout 20 "$qlaunch" $verb "../..$open/trap/qlaunch/$vm"
		echo "$verb: $status $output"; [ "$status" -ne 124 ]
	done
	[ ! -s "$open/came" ]; [ "$(now "$open/trap")" = "$before" ]; kill -0 $server
}

@test "a folder in /tmp with the name of a bench's is not looked at" {
	printf '[bench]\nrounds = 1\nlimit = 5\nguest = /bin/true\nworkloads = w\n[workload w]\ncommand = /bin/true\nparser = lines\n[variant a]\nnative = yes\n' >"$open/plan"
	mkdir "$open/first"; chown nobody "$open/first"
	for dir in "" "$open/none"; do
		XDG_RUNTIME_DIR=$dir run strace -f -qq -e trace=%file -o "$open/trace" setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups env -u SUDO_UID \
			"$qlaunch" bench --output "$open/first/out.jsonl" "$open/plan"
		echo "$output"
		[ "$(grep -cE '/tmp/qlaunch-|"/tmp/?", \{flags=O_RDONLY' "$open/trace")" -eq 0 ]
	done
}

@test "limits and a umask of the caller's end neither a launch nor its way back" {
	local how lifts=yes
	(ulimit -f 0 && ulimit -f unlimited) 2>/dev/null || lifts=no # a container's root may lack CAP_SYS_RESOURCE: then it is an error, and nothing is left
	for how in 'ulimit -f 0' 'ulimit -t 1' 'ulimit -c unlimited' 'umask 777' 'umask 000'; do
		if [ $lifts = no ] && [[ $how = ulimit* ]]; then
			begin bash -c "$how; exec \"\$@\"" - && "$qlaunch" stop --now "$vm"
			code=0; wait $pid || code=$?
			echo "$how: $code"
			[ $code -lt 5 ]; [ ! -e "/run/qlaunch/$vm" ]
			continue
		fi
		begin bash -c "$how; exec \"\$@\"" -
		[ "$(find "/run/qlaunch/$vm" -perm /022 | wc -l)" -eq 0 ]
		grep -E '^Max (file size|cpu time) +unlimited|^Max core file size +0 ' "/proc/$pid/limits" | wc -l | grep -qx 3
		qemu=$("$qlaunch" status --json | jq -r ".[] | select(.vm == \"$vm\") | .qemu")
		case $how in # the user's programs have the user's
		*-f*) grep -qE '^Max file size +0 ' "/proc/$qemu/limits" ;;
		*-t*) grep -qE '^Max cpu time +1 ' "/proc/$qemu/limits" ;;
		esac
		"$qlaunch" stop --now "$vm" || true # one second of CPU may be over
		code=0; wait $pid || code=$?
		echo "$how: $code"; cat "$open/said"
		[ $code -eq 0 ] || { [[ $how = *-t* ]] && [ $code -eq 1 ]; }
		[ ! -e "/run/qlaunch/$vm" ]
	done
}

@test "an alarm and a limit of memory of the caller's end no launcher half-way" {
	local alarm='import os, signal, sys; signal.setitimer(signal.ITIMER_REAL, 1); signal.setitimer(signal.ITIMER_PROF, 0.1); os.execvp(sys.argv[1], sys.argv[1:])'
	begin python3 -c "$alarm"
	code=0; python3 -c "$alarm" sleep 60 || code=$? # begun later: what ends by it has ended first
	[ $code -eq 142 ]; kill -0 $pid
	"$qlaunch" stop --now "$vm"
	wait $pid
	# QEMU is the user's, and has the user's limit: it does not start, and all is given back
	code=0; begin bash -c 'ulimit -v 100000; exec "$@"' - || { wait $pid || code=$?; }
	[ $code -eq 1 ] || [ $code -eq 4 ]
	[ ! -e "/run/qlaunch/$vm" ]
}

@test "a D-Bus that the caller names is nobody's that root speaks to" {
	cat >"$open/server.py" <<'PY'
import os, socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o666); s.listen()
while True:
    s.accept()[0].close(); open(sys.argv[2], "a").write("somebody came\n")
PY
	python3 "$open/server.py" "$open/bus" "$open/came" 3>&- & server=$!
	until [ -S "$open/bus" ]; do kill -0 $server; sleep 0.1; done
	printf '[host]\nnotify = yes\ninhibit-sleep = yes\n' >>"$conf"
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$open/bus DBUS_SESSION_BUS_ADDRESS=unix:path=$open/bus DBUS_STARTER_ADDRESS=unix:path=$open/bus
	begin env
	"$qlaunch" stop --now "$vm"; wait $pid
	for verb in check "check $conf" "plan $conf" status restore; do
		# shellcheck disable=SC2086 # words
		timeout 60 "$qlaunch" $verb >/dev/null 2>&1 </dev/null || [ $? -ne 124 ]
	done
	[ ! -e "$open/came" ]
	# the user themselves may name one: so it is heard of
	mkdir -m 700 "$open/own"; chown nobody "$open/own"
	HOME=$open/own XDG_RUNTIME_DIR=$open/own begin setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups env -u SUDO_UID
	XDG_RUNTIME_DIR=$open/own as_first "$qlaunch" stop --now "$vm"; wait $pid
	[ -s "$open/came" ]
}

@test "/run without an inode or a byte: a launch is refused with nothing left, or its guest goes on" {
	cat >"$open/full" <<-'FULL'
		set -u
		refused=0 silent=0 ran=0
		for size in nr_inodes={2..10} size={4,8,12,16,24}k; do
			umount /run/qlaunch 2>/dev/null; mount -t tmpfs -o "mode=755,$size" full /run/qlaunch || exit 1
			timeout 60 "$qlaunch" run "$conf" >"$open/said" 2>&1 </dev/null & pid=$!
			until grep -q 'running after' "$open/said"; do kill -0 $pid 2>/dev/null || break; sleep 0.1; done
			if grep -q 'running after' "$open/said"; then
				grep -q 'qlaunch status will not know of it' "$open/said" && silent=$((silent + 1)) || ran=$((ran + 1))
				head -c 1M /dev/zero >/run/qlaunch/fill 2>/dev/null # and now it is full for all that follows
				sleep 0.5; kill -0 $pid || { echo "$size: the guest was ended"; cat "$open/said"; exit 1; }
				"$qlaunch" stop --now "$vm"; code=0; wait $pid || code=$?
				[ $code -eq 0 ] || { echo "$size: ended with $code"; cat "$open/said"; exit 1; }
				rm -f /run/qlaunch/fill
			else
				code=0; wait $pid || code=$?
				refused=$((refused + 1))
				[ $code -ne 0 ] && [ $code -ne 124 ] || { echo "$size: $code"; exit 1; }
			fi
			left=$(find /run/qlaunch -mindepth 1 ! -name .claims)
			[ -z "$left" ] || { echo "$size: left: $left"; cat "$open/said"; exit 1; }
		done
		echo "refused $refused, ran without a status $silent, ran $ran"
		[ $refused -gt 1 ] && [ $silent -gt 0 ] && [ $ran -gt 2 ]
	FULL
	mkdir -p /run/qlaunch
	export open qlaunch conf vm
	run unshare -m --propagation private bash "$open/full"
	echo "$output"; [ "$status" -eq 0 ]
}

@test "a damaged journal: what fits is undone, the rest is named with exit 5, run refuses with the remedy, --forget gives it up" {
	local damage line j=/run/qlaunch/$vm/journal
	for damage in '1s/qlaunch/qlaunhc/' '$s/"want"/"wamt"/'; do
		begin env
		qemu=$("$qlaunch" status --json | jq -r ".[] | select(.vm == \"$vm\") | .qemu")
		kill -KILL $pid; wait $pid || true
		line=1; [[ $damage = 1* ]] || line=$(wc -l <$j)
		cp $j "$open/whole"; sed -i "$damage" $j
		! cmp -s $j "$open/whole" || false; [ "$(tail -c 1 $j | od -An -c | tr -d ' ')" = '\n' ]
		for verb in "restore" "restore $vm"; do # again and again the same, to whom root acts for, too
			# shellcheck disable=SC2086 # words
			run "$qlaunch" $verb
			echo "$damage: $verb: $status $output"
			[ "$status" -eq 5 ]; [[ $output == *"$vm: line $line of"*"is damaged: what it did is not undone"*"qlaunch restore --forget $vm"* ]]
		done
		# intact lines have been undone: QEMU's is one of them where the first is damaged
		[ $line -ne 1 ] || ! kill -0 "$qemu" 2>/dev/null
		[ $line -eq 1 ] || kill -0 "$qemu"
		run "$qlaunch" run "$conf"
		echo "$damage: run: $status $output"
		[ "$status" -eq 5 ]; [[ $output == *"line $line of"*"qlaunch restore --forget $vm"* ]]
		[ -e $j ]
		run "$qlaunch" restore --forget "$vm"
		echo "$damage: forget: $status $output"
		[ "$status" -eq 0 ]; [[ $output == *"line $line of"* ]]; [ ! -e "/run/qlaunch/$vm" ]
		[ $line -eq 1 ] || kill -KILL "$qemu"
		begin env # and it starts again
		"$qlaunch" stop --now "$vm"; wait $pid
	done
}

@test "autostart: who may run qlaunch as root has no machine of another's started with the host, nor kept from it" {
	mkdir -p "$open/etc/up" "$open/etc/work" "$open/bin"
	printf '#!/bin/sh\necho "$*" >>%s/asked\n' "$open" >"$open/bin/systemctl"; chmod 755 "$open/bin/systemctl"
	cat >"$open/try" <<-'TRY'
		set -u
		mount -t overlay -o "lowerdir=/etc,upperdir=$open/etc/up,workdir=$open/etc/work" etc /etc
		mount --bind "$open/bin" /usr/local/bin
		mkdir -p /etc/qlaunch
		for user in '' daemon nobody; do
			{ echo '[vm]'; [ -z "$user" ] || echo "user = $user"; sed '/^name/d; /^\[vm\]/d' "$conf"; } >"/etc/qlaunch/as-${user:-root}.conf"
		done
		for vm in as-root as-daemon as-nobody; do
			for word in on off; do
				for name in $vm /etc/qlaunch/$vm.conf; do
					status=0; "$qlaunch" autostart --set vm.user=nobody $name $word || status=$?
					echo "$name $word: $status"
				done
			done
		done
		env -u SUDO_UID "$qlaunch" autostart as-root on # root's own are root's
	TRY
	export open qlaunch conf vm
	run unshare -m --propagation private bash "$open/try"
	echo "$output"; cat "$open/asked"
	[ "$(grep -cE '^/?.*as-(root|daemon).*: 4$' <<<"$output")" -eq 8 ]; [ "$(grep -c 'as-nobody.*: 0$' <<<"$output")" -eq 4 ]
	[ "$(sort "$open/asked" | uniq -c | awk '{ print $1, $3, $4 }' | xargs)" = "2 disable qlaunch@as-nobody.service 2 enable qlaunch@as-nobody.service 1 enable qlaunch@as-root.service" ]
}

@test "console: a terminal that is not the user's own is not opened, whatever QEMU calls it" {
	printf '[console]\nserial = pty\n' >>"$conf"
	begin env
	own=$("$qlaunch" status --json | jq -r ".[] | select(.vm == \"$vm\") | .console")
	[ "$(stat -c %U "$own")" = nobody ]
	cat >"$open/try" <<-'TRY'
		other=$(tty)
		chmod 666 "$other"; chown daemon "$other"; chmod 600 "$other" # what another one types into
		sed -i "s,$own,$other," "/run/qlaunch/$vm/status.json"
		for by in "env" "env -u SUDO_UID"; do
			timeout 20 $by strace -f -qq -e trace=openat,openat2 -o "$open/trace" "$qlaunch" console "$vm" </dev/null; echo "exit $?"
			grep "\"\(/\|\)\(dev/\)*${other#/dev/}\"" "$open/trace" | grep -v EACCES | grep -E '= [0-9]+$'
		done
		sed -i "s,$other,$own," "/run/qlaunch/$vm/status.json"
	TRY
	export open qlaunch vm own
	run script -qefc "bash $open/try" /dev/null </dev/null
	echo "$output"
	[ "$(grep -c 'exit [1-9]' <<<"$output")" -eq 2 ]; [[ $output == *"Permission denied"* ]]; [ "$(grep -c '= [0-9]*.$' <<<"$output")" -eq 0 ]
	"$qlaunch" stop --now "$vm"; wait $pid
}

# A monitor: a libddcutil of this test's own, whose only display shows what the file $open/input says.
make_monitor() {
	cat >"$open/ddc.c" <<'C'
#include <ddcutil_c_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static int put(int value, const char *mode)
{
	FILE *f = fopen(INPUT, mode);
	if (!f || (value ? fprintf(f, "%d\n", value) : fscanf(f, "%d", &value)) < 1)
		abort();
	fclose(f);
	return value;
}
DDCA_Status ddca_get_display_info_list2(bool all, DDCA_Display_Info_List **list)
{
	(void)all;
	*list = calloc(1, sizeof(**list) + sizeof(DDCA_Display_Info));
	(*list)->ct = 1;
	DDCA_Display_Info *d = &(*list)->info[0];
	d->dispno = 1;
	d->path.io_mode = DDCA_IO_I2C;
	d->path.path.i2c_busno = 99;
	strcpy(d->mfg_id, "LAB");
	strcpy(d->model_name, "stand-in");
	return 0;
}
DDCA_Status ddca_open_display2(DDCA_Display_Ref ref, bool wait, DDCA_Display_Handle *h) { (void)ref, (void)wait; *h = (DDCA_Display_Handle)INPUT; return 0; }
DDCA_Status ddca_close_display(DDCA_Display_Handle h) { (void)h; return 0; }
DDCA_Status ddca_get_non_table_vcp_value(DDCA_Display_Handle h, DDCA_Vcp_Feature_Code code, DDCA_Non_Table_Vcp_Value *value)
{
	(void)h, (void)code;
	*value = (DDCA_Non_Table_Vcp_Value){ .sl = (unsigned char)put(0, "r") };
	return 0;
}
DDCA_Status ddca_set_non_table_vcp_value(DDCA_Display_Handle h, DDCA_Vcp_Feature_Code code, uint8_t high, uint8_t low) { (void)h, (void)code, (void)high; put(low, "w"); return 0; }
DDCA_Status ddca_get_capabilities_string(DDCA_Display_Handle h, char **caps) { (void)h; *caps = strdup(""); return 0; }
DDCA_Status ddca_redetect_displays(void) { return 0; }
const char *ddca_rc_name(DDCA_Status status) { (void)status; return "none"; }
C
	gcc -Wno-deprecated-declarations -shared -fPIC -DINPUT="\"$open/input\"" -o "$open/ddc.so" "$open/ddc.c"
}

@test "switch: which input shows the host is read in the caller's own journal, not in another user's of the same name" {
	make_monitor
	printf '[monitor main]\nmatch = LAB\nguest-input = 0x12\nswitch = start\n' >>"$conf"
	printf '[vm]\nname = %s\n[monitor main]\nmatch = LAB\nguest-input = 0x13\n' "$vm" >"$open/second.conf"
	echo 17 >"$open/input"
	cat >"$open/try" <<-'TRY'
		set -eu
		mkdir "$open/dev"; mount --rbind /dev "$open/dev"
		mount -t tmpfs dev /dev; mkdir /dev/shm
		for node in null zero urandom random; do touch /dev/$node; mount --bind "$open/dev/$node" /dev/$node; done
		touch /dev/i2c-99 # there is a bus
		mount --bind "$open/ddc.so" "$(readlink -f "$(ldconfig -p | awk '/libddcutil.so.[45] / { print $NF; exit }')")"
		timeout 60 "$qlaunch" run "$conf" >"$open/said" 2>&1 </dev/null & pid=$!
		until [ "$(cat "$open/input")" = 18 ]; do kill -0 $pid || { cat "$open/said"; exit 1; }; sleep 0.1; done
		second="env SUDO_UID=$(id -u daemon) SUDO_USER=daemon"
		status=0; $second "$qlaunch" switch "$open/second.conf" host || status=$?
		[ $status -eq 4 ]; [ "$(cat "$open/input")" = 18 ]
		$second "$qlaunch" switch "$open/second.conf" guest; [ "$(cat "$open/input")" = 19 ]; echo 18 >"$open/input" # it is no fault of the monitor's
		"$qlaunch" switch "$conf" host; [ "$(cat "$open/input")" = 17 ]
		"$qlaunch" switch "$conf" guest; [ "$(cat "$open/input")" = 18 ]
		"$qlaunch" stop --now "$vm"; wait $pid
		[ "$(cat "$open/input")" = 17 ]
		umount -R "$open/dev"
	TRY
	export open qlaunch conf vm
	run timeout 100 unshare -m --propagation private bash "$open/try"
	echo "$output"; [ "$status" -eq 0 ]; [[ $output == *"nobody knows which input shows the host"* ]]
}
