#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The command line as a user types it: usage, bad input, status, stop and restore with nothing to do. Needs no guest.

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run HOME=$BATS_TEST_TMPDIR
	mkdir -p "$XDG_RUNTIME_DIR"
}

@test "no argument: the usage, within 80 columns, exit 2" {
	run "$qlaunch"
	[ "$status" -eq 2 ]
	[[ $output == *"qlaunch CONFIG"* ]]
	[ "$(printf '%s\n' "$output" | LC_ALL=C.UTF-8 wc -L)" -le 80 ]
}

@test "--help and --version: exit 0" {
	run "$qlaunch" --help; [ "$status" -eq 0 ]
	run "$qlaunch" --version; [ "$status" -eq 0 ]; [[ $output == "qlaunch "* ]]
}

@test "a machine whose name is nearly a command is found, also by root in its user's home" {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	local home; home=$(mktemp -d); chmod 755 "$home"; mkdir -p "$home/.config/qlaunch"
	printf '[vm]\nwrong = 1\n' >"$home/.config/qlaunch/plan9.conf"
	sed "s|^\(nobody:.*\):[^:]*:\([^:]*\)$|\1:$home:\2|" /etc/passwd >"$home/passwd"
	run unshare --mount bash -c 'mount --bind "$1/passwd" /etc/passwd && SUDO_UID=$(id -u nobody) HOME=/ "$2" plan9' bash "$home" "$qlaunch"
	rm -r "$home"
	[ "$status" -eq 3 ]; [[ $output == *plan9.conf:2* ]]
}

@test "an unknown option is named, with the one that was meant" {
	run "$qlaunch" plan --jsn configs/demo.conf
	[ "$status" -eq 2 ]; [[ $output == *'"--jsn"'* ]]; [[ $output == *"--json"* ]]
}

@test "--help of a command is its own" {
	run "$qlaunch" new --help
	[ "$status" -eq 0 ]; [[ $output == "qlaunch new [--iso VALUE] [--yes] [--gpu VALUE] [--from VALUE] [--output"* ]]
	COLUMNS=80 run "$qlaunch" disk list --help
	[ "$status" -eq 0 ]; [[ $output == "qlaunch disk [--format VALUE]"* ]]
	[ "$(LC_ALL=C.UTF-8 wc -L <<<"$output")" -le 80 ]
}

@test "a command that is mistyped is no machine that is missing; one of that name is run all the same" {
	for words in stauts "plam configs/demo.conf"; do
		run "$qlaunch" $words
		[ "$status" -eq 2 ]; [[ $output == *"neither a command nor a machine \"${words%% *}\""*"did you mean qlaunch "[ps]* ]]
	done
	run "$qlaunch" nosuch configs/demo.conf
	[ "$status" -eq 2 ]; [[ $output == *'machine "nosuch"'*"qlaunch --help"* ]]
	mkdir -p "$HOME/.config/qlaunch"; printf '[vm]\nnonsense = 1\n' >"$HOME/.config/qlaunch/stauts.conf"
	run "$qlaunch" stauts
	[ "$status" -eq 3 ]; [[ $output == *"stauts.conf:2:1"* ]]
}

@test "a word too many is named" {
	run "$qlaunch" plan configs/demo.conf extra
	[ "$status" -eq 2 ]; [[ $output == *'"extra"'* ]]
}

@test "a word that is missing is named, also behind options in brackets" {
	run "$qlaunch" plan
	[ "$status" -eq 2 ] && [[ $output == "error: CONFIG is missing"*"qlaunch plan [--json] CONFIG" ]]
	run "$qlaunch" disk resize a.qcow2
	[ "$status" -eq 2 ] && [[ $output == "error: SIZE is missing"* ]]
}

@test "a machine that does not exist: where it was looked for, exit 3" {
	run "$qlaunch" nosuch
	[ "$status" -eq 3 ]; [[ $output == *nosuch* ]]; [[ $output == *.config/qlaunch* ]]
}

@test "every mistake of a config at once, each with its place, exit 3, nothing changed" {
	printf '[vm]\nname = x\n[memory]\nhugepage = 1G\nsize = 16Q\n[nonsense]\n' >"$BATS_TEST_TMPDIR/bad.conf"
	run "$qlaunch" run "$BATS_TEST_TMPDIR/bad.conf"
	[ "$status" -eq 3 ]
	[[ $output == *"bad.conf:4:1"*'did you mean "hugepages"'* ]]
	[[ $output == *"bad.conf:5:8"* ]]
	[[ $output == *"bad.conf:6:"* ]]
	[ -z "$(ls -A "$XDG_RUNTIME_DIR")" ]
}

@test "--set wins, and its mistakes are named as such" {
	run "$qlaunch" plan --json --set cpu.threads=1 configs/demo.conf
	[ "$status" -eq 0 ]; [ "$(jq '.vcpus | length' <<<"$output")" -eq 1 ]
	run "$qlaunch" plan --set cpu.thread=1 configs/demo.conf
	[ "$status" -eq 3 ]; [[ $output == *"--set"*threads* ]]
}

@test "plan --json has the names that scripts rely on" {
	run "$qlaunch" plan --json configs/demo.conf
	[ "$status" -eq 0 ]
	for key in vm vcpus emulator_cpus iothread_cpus host_cpus steps qemu swtpm; do
		jq -e "has(\"$key\")" <<<"$output" >/dev/null
	done
	jq -e '.steps | all(has("kind") and has("target") and has("now") and has("want") and has("why"))' <<<"$output" >/dev/null
	jq -e '.vcpus[0] | has("vcpu") and has("cpu")' <<<"$output" >/dev/null
}

@test "plan answers for a host that cannot run it, and changes nothing" {
	run "$qlaunch" plan configs/win11.conf
	[ "$status" -eq 0 ]; [[ $output == *"vfio-pci"* ]]
	[ ! -e "$XDG_RUNTIME_DIR/qlaunch" ]
}

@test "check says what is missing and how to mend it, exit 4" {
	run "$qlaunch" check configs/win11.conf
	[ "$status" -eq 4 ]; [[ $output == *"→"* ]]
}

@test "a missing qemu or swtpm is a finding with its remedy; run does not begin" {
	without=(env PATH=/nonexistent) # root looks in a path of its own
	# shellcheck disable=SC2016 # expanded inside
	[ "$(id -u)" -ne 0 ] || without=(unshare -m --propagation private bash -c 'mount -t tmpfs none /usr/bin; exec "$@"' -)
	run "${without[@]}" "$qlaunch" check configs/demo.conf
	[ "$status" -eq 4 ]; [[ $output == *"swtpm"*"not installed"* ]]; [[ $output == *"qemu-system-x86_64 is not installed"* ]]
	run "${without[@]}" "$qlaunch" run configs/demo.conf
	[ "$status" -eq 4 ]
	[ -z "$(ls -A "$XDG_RUNTIME_DIR")" ]
}

@test "a host without firmware, IOMMU or vfio: findings, and still a plan" {
	mkdir -p "$BATS_TEST_TMPDIR/host"/{proc,sys,dev}
	run "$qlaunch" check --root "$BATS_TEST_TMPDIR/host" configs/win11.conf
	[ "$status" -eq 4 ]; [[ $output == *"firmware"* ]]; [[ $output == *"IOMMU is off"* ]]
	run "$qlaunch" plan --root "$BATS_TEST_TMPDIR/host" configs/win11.conf
	[ "$status" -eq 0 ]
}

@test "run of a machine that this host cannot run: exit 4, nothing left" {
	run "$qlaunch" run configs/win11.conf
	[ "$status" -eq 4 ]
	[ -z "$(ls -A "$XDG_RUNTIME_DIR")" ]
}

@test "status, stop and restore when nothing runs" {
	run "$qlaunch" status; [ "$status" -eq 0 ]
	run "$qlaunch" status --json nosuch; [ "$status" -eq 0 ]; [ "$(jq length <<<"$output")" -eq 0 ]
	run "$qlaunch" stop nosuch; [ "$status" -eq 2 ]
	run "$qlaunch" restore; [ "$status" -eq 0 ]
	run "$qlaunch" restore nosuch; [ "$status" -eq 0 ]
}

@test "a closed standard output is no crash" {
	run bash -c "'$qlaunch' plan configs/demo.conf >&-"
	[ "$status" -ne 139 ]; [ "$status" -ne 134 ]
}

@test "after sudo the user's files are made as the user: one who has no home gets none, exit 4" {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	local home; home=$(getent passwd nobody | cut -d: -f6)
	[ ! -e "$home" ] || skip "nobody has a home here"
	local dir; dir=$(mktemp -d) # where that user may read
	chmod 755 "$dir"
	printf '[vm]\nname = homeless\n[cpu]\nisolate = off\n[memory]\nsize = 64M\n' >"$dir/h.conf"
	SUDO_UID=$(id -u nobody) run timeout 60 "$qlaunch" --set vm.accel=tcg --set firmware.type=uefi "$dir/h.conf"
	rm -r "$dir"
	[ "$status" -eq 4 ]; [[ $output == *"UEFI variables cannot be made"*"Permission denied"* ]]
	[ ! -e "$home" ]
}

@test "every example plans" {
	for conf in configs/*.conf; do
		run "$qlaunch" plan --json "$conf"
		[ "$status" -eq 0 ] || { echo "$conf: $output"; return 1; }
	done
}

@test "the words of other tools lead to the command here; help is the usage, unless a machine is called so" {
	while read -r word ours; do
		run "$qlaunch" "$word" some
		[ "$status" -eq 2 ] || { echo "$word: $status $output"; false; }
		[[ $output == *"here it is: qlaunch $ours"* ]] || { echo "$word: $output"; false; }
		"$qlaunch" "${ours%% *}" --help >/dev/null
	done < <(printf '%s\n' 'start run' 'shutdown stop' 'destroy stop --now' 'undefine remove' 'suspend pause' 'eject cdrom VM eject' 'ls list')
	run "$qlaunch" help; [ "$status" -eq 0 ]; [[ $output == *"qlaunch CONFIG"* ]]
	run "$qlaunch" help stop; [ "$status" -eq 0 ]; [[ $output == "qlaunch stop"* ]]
	run "$qlaunch" help blah; [ "$status" -eq 2 ]; [[ $output == *'no command "blah"'* ]]
	mkdir -p "$HOME/.config/qlaunch"; printf '[vm]\nnonsense = 1\n' | tee "$HOME/.config/qlaunch/start.conf" >"$HOME/.config/qlaunch/help.conf"
	run "$qlaunch" help; [ "$status" -eq 3 ]
	run "$qlaunch" start; [ "$status" -eq 3 ]
}

@test "a number that was counted as bytes is said to be; a check with --set and no machine says nothing of the host" {
	run "$qlaunch" plan --set memory.size=1024 configs/demo.conf
	[ "$status" -eq 3 ]; [[ $output == *"1024 are bytes"*"1024M"* ]]
	run "$qlaunch" --set cpu.threads=1 check
	[ "$status" -eq 2 ]; [[ $output == *"CONFIG is missing"* ]]; [[ $output != *"This host"* ]]
	run "$qlaunch" topology --set cpu.threads=1
	[ "$status" -eq 2 ]; [[ $output == *"CONFIG is missing"*"qlaunch topology --set"* ]]
}

@test "what a terminal shows is broken at its width, in either language, wide characters counted as two; a pipe gets lines whole" {
	printf '[vm]\nname = wide\ndescription = %s\n[memory]\nsize = 64M\n' "$(printf '電腦遊戲 %.0s' {1..30})" >"$BATS_TEST_TMPDIR/plan.conf"
	for language in C.UTF-8 pt_BR.UTF-8; do
		for columns in 60 80 132; do
			for words in "check configs/win11.conf" "plan $BATS_TEST_TMPDIR/plan.conf" "run configs/win11.conf"; do
				tests/terminal.py "size:${columns}x24" -- bash -c 'until [ "$(stty size | cut -d" " -f2)" = "$1" ]; do sleep 0.05; done; shift; exec "$@"' x "$columns" env LC_ALL=$language "$qlaunch" $words >"$BATS_TEST_TMPDIR/said" || true
				python3 - "$columns" "$BATS_TEST_TMPDIR/said" <<-'PYTHON'
					import re, sys, unicodedata
					columns, broken = int(sys.argv[1]), 0
					for line in open(sys.argv[2], encoding="utf-8", newline="\n").read().replace("\r", "").split("\n"):
					    line = re.sub("\033\\[[0-9;]*[mK]", "", line)
					    width = sum(2 if unicodedata.east_asian_width(c) == "W" else 1 for c in line)
					    broken += width > columns // 2
					    # what has no blank to be broken at: a path, an argument of QEMU's; and a command that is to be copied
					    if width > columns and len(line.split()) > 2 and "→ sudo" not in line and "→ qlaunch" not in line:
					        sys.exit(f"{width} columns of {columns}: {line}")
					sys.exit(0 if broken > 2 else "nothing was filled")
				PYTHON
			done
		done
	done
	LC_ALL=C.UTF-8 "$qlaunch" check configs/win11.conf >"$BATS_TEST_TMPDIR/piped" || true
	grep -qE '^.{120}' "$BATS_TEST_TMPDIR/piped"
	if grep -qE '^ {13}[^ →]' "$BATS_TEST_TMPDIR/piped"; then false; fi # no line that goes on with the one before
}
