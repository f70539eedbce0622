#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# check: slow
# A machine's whole life as files: list, edit, clone, rename, remove, autostart, log, with a real QEMU and the real qemu-img.

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	load machine
	qlaunch=$(readlink -f "${BUILD:-build}")/qlaunch
	dir=$BATS_TEST_TMPDIR
	export HOME=$dir XDG_RUNTIME_DIR=$dir/run XDG_DATA_HOME=$dir/data TZ=UTC LC_ALL=C.UTF-8
	unset VISUAL EDITOR XDG_CONFIG_HOME
	folder=$HOME/.config/qlaunch
	mkdir -p "$XDG_RUNTIME_DIR" "$folder"
	vm=l$BATS_TEST_NUMBER-$$ two=t$BATS_TEST_NUMBER-$$
	conf=$folder/$vm.conf
	printf '# mine\n[vm]\nname = %s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n' "$vm" >"$conf"
	cd "$dir"
}
teardown() {
	put_away
	cd /
}
names() { "$qlaunch" list --json | jq -r '.[].vm' | sort | xargs; } # as the machines themselves have them
disk() { qemu-img create -q -f qcow2 "$1" 8M; qemu-io -f qcow2 -c "write -q -P $2 0 1M" "$1"; }
holds() { [ "$(qemu-io -f qcow2 -c "read -q -P $2 0 1M" "$1" | grep -c failed)" -eq 0 ]; }
ended() { # a run that its user ended
	start && "$qlaunch" stop --now "$vm" && wait "$pid"; pid=
}

@test "list: each machine once, its state, its disks, how its last run ended; a broken one with its line" {
	q list; says 0 "$vm" off 'never run'
	disk "$vm.qcow2" 1
	printf '[disk main]\npath = %s\n' "$dir/$vm.qcow2" >>"$conf"
	printf '[vm]\nnam = x\n' >"$folder/bad.conf"
	start
	q list; says 0 running 'of 8M' bad broken 'bad.conf:2'; [[ $output != *'never run'* ]]
	"$qlaunch" stop --now "$vm"; wait "$pid"; pid=
	q list --json; says 0
	jq -e --arg vm "$vm" '.[] | select(.vm == $vm) | .state == "off" and .last.status == 0 and .disks.size == 8388608' <<<"$output"
	[ "$(COLUMNS=80 "$qlaunch" list | wc -L)" -le 80 ]
	q list extra; says 2 extra
	rm "$folder"/*; q list; says 0 'no machine'
}

@test "log: plan, warnings and why it ended, of ten runs; also of one that was refused, and of a launcher that was killed" {
	q log "$vm"; says 0 'not run yet'
	mkdir -p "$XDG_DATA_HOME/qlaunch/$two"; q log; says 0 'nothing was run yet'
	q run "$vm" --set memory.size=9000G; says 4
	start; says 4
	q log "$vm"; says 0 'exit status 4' '9000G' 'it runs'
	q log; says 0 "$vm" 'it runs'; [[ $output != *"$two"* ]]
	kill -KILL "$pid"; wait "$pid" || true; pid=
	q restore "$vm"; says 0
	q log "$vm"; says 0 'its launcher died' 'start qemu'
	launch "$conf" "$dir/err" --set 'qemu.args=-device nonsense' && false
	q log "$vm"; says 0 'exit status 1' nonsense
	pid=
	for _ in $(seq 12); do q run "$vm" --set memory.size=9000G; done
	[ "$(ls "$XDG_DATA_HOME/qlaunch/$vm/log" | wc -l)" -eq 10 ]
	q log --json "$vm"; says 0; jq -e 'length == 10 and .[9][-1].status == 4' <<<"$output"
	q log; says 0 "$vm"
	q log nothing; says 3 nothing
}

@test "edit: saved only without a mistake, and never half" {
	before=$(cat "$conf")
	EDITOR='sed -i s/threads/thread/' q edit "$vm"; says 3 "$vm.conf:6:1" 'nothing was changed'
	[ "$(cat "$conf")" = "$before" ]
	EDITOR='sed -i s/64M/65M/' q edit "$vm"; says 0 saved
	grep -q 'size = 65M' "$conf"
	grep -q '# mine' "$conf"
	EDITOR=true q edit "$vm"; says 0 'as it was'
	EDITOR=false q edit "$vm"; says 1 'nothing was changed'
	EDITOR=/nonexistent/editor q edit "$vm"; says 1
	q edit nothing; says 3 nothing
	# a broken one can be mended, and who else wrote meanwhile is heard
	printf '[vm]\nnam = x\n' >"$conf"
	EDITOR='sed -i s/nam/name/' q edit "$vm"; says 0 saved
	printf '#!/bin/sh\necho "# other" >>%s; echo "# own" >>"$1"\n' "$conf" >my-editor; chmod +x my-editor
	EDITOR=$dir/my-editor q edit "$vm"; says 4 'somebody else'
	grep -q '# other' "$conf"; [ "$(grep -c '# own' "$conf")" -eq 0 ]
	[ "$(ls "$folder")" = "$vm.conf" ]
	# a link leads to the file, and stays one
	mv "$conf" "$dir/real"; ln -s "$dir/real" "$conf"
	EDITOR='sed -i s/other/else/' q edit "$vm"; says 0
	[ -L "$conf" ]; grep -q else "$dir/real"
}

@test "edit on a terminal: again until it is right, or away with it" {
	printf '#!/bin/sh\nif grep -q thread= "$1"; then sed -i s/thread=/threads=/ "$1"; else sed -i "s/threads = /thread=/" "$1"; fi\n' >my-editor; chmod +x my-editor
	EDITOR=$dir/my-editor "$BATS_TEST_DIRNAME/terminal.py" wait:'[e]' 'key:\n' -- "$qlaunch" edit "$vm" >said || true
	cat said
	grep -q 'threads=1' "$conf"
	EDITOR=$dir/my-editor "$BATS_TEST_DIRNAME/terminal.py" wait:'[e]' 'key:x\n' -- "$qlaunch" edit "$vm" >said || true
	printf '#!/bin/sh\necho nonsense >>"$1"\n' >my-editor
	EDITOR=$dir/my-editor "$BATS_TEST_DIRNAME/terminal.py" wait:'[e]' 'key:x\n' -- "$qlaunch" edit "$vm" >said || true
	[ "$(grep -c nonsense "$conf")" -eq 0 ]
	[ "$(ls "$folder")" = "$vm.conf" ]
}

@test "clone: disks, variables and board copied, addresses and UUID its own; the first one is as it was" {
	disk "$vm.qcow2" 1; disk base.qcow2 7; disk ro.qcow2 3
	qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 other.qcow2
	printf '[disk main]\npath = %s\n[disk more]\npath = %s\n[disk fixed]\npath = %s\nreadonly = yes\n' "$dir/$vm.qcow2" "$dir/other.qcow2" "$dir/ro.qcow2" >>"$conf"
	printf '[network lan]\nmode = user\nmac = 52:54:00:11:22:33\n[smbios]\nuuid = 11111111-2222-4333-8444-555555555555\n' >>"$conf"
	ended
	mkdir -p "$XDG_DATA_HOME/qlaunch/$vm"; echo variables >"$XDG_DATA_HOME/qlaunch/$vm/VARS.fd"
	first() { cat "$conf"; sha256sum "$vm.qcow2" base.qcow2 other.qcow2 ro.qcow2; }
	before=$(first)
	q clone "$vm" "$two"; says 0 "a clone of $vm" 'read only' base.qcow2
	[ "$(first)" = "$before" ]; [ "$(names)" = "$vm $two" ]
	holds "$two.qcow2" 1; holds "$two-other.qcow2" 7
	qemu-img info --output=json "$two-other.qcow2" | jq -e 'has("backing-filename") | not'
	grep -q '# mine' "$folder/$two.conf"
	[ "$(grep -c -e 11:22:33 -e 11111111 "$folder/$two.conf")" -eq 0 ]
	grep -q "path = $dir/ro.qcow2" "$folder/$two.conf"
	cmp "$XDG_DATA_HOME/qlaunch/$vm/VARS.fd" "$XDG_DATA_HOME/qlaunch/$two/VARS.fd"
	cmp "$XDG_DATA_HOME/qlaunch/$vm/machine" "$XDG_DATA_HOME/qlaunch/$two/machine"
	q check "$two"
	[ ! -e "$XDG_DATA_HOME/qlaunch/$two/log" ]
	q clone "$vm" "$two"; says 2 'there already'
	q clone "$vm" a/b; says 2 'cannot be a name'
	q clone nothing new; says 3 nothing
}

@test "clone: the TPM's state by the user's word" {
	printf '[tpm]\nversion = 2.0\n' >>"$conf"
	mkdir -p "$XDG_DATA_HOME/qlaunch/$vm/tpm"; echo state >"$XDG_DATA_HOME/qlaunch/$vm/tpm/tpm2-00.permall"
	q clone "$vm" "$two"; says 2 BitLocker -- '--tpm copy'
	[ ! -e "$folder/$two.conf" ]
	q clone --tpm both "$vm" "$two"; says 2 both
	q clone --tpm new "$vm" "$two"; says 0 'recovery key'
	[ ! -e "$XDG_DATA_HOME/qlaunch/$two/tpm" ]
	q clone --tpm copy "$vm" "$two-b"; says 0
	cmp "$XDG_DATA_HOME/qlaunch/$vm/tpm/tpm2-00.permall" "$XDG_DATA_HOME/qlaunch/$two-b/tpm/tpm2-00.permall"
	[ "$(stat -c %a "$XDG_DATA_HOME/qlaunch/$two-b/tpm/tpm2-00.permall")" = 600 ]
}

@test "clone: what is in the way is said before anything is copied; nothing of half a clone stays" {
	disk "$vm.qcow2" 1; printf '[disk main]\npath = %s\n' "$dir/$vm.qcow2" >>"$conf"
	start
	cp "$conf" "$folder/alias.conf" # a file whose name is not the machine's
	EDITOR='sed -i s/64M/65M/' q edit alias; says 0 saved "$vm runs"; rm "$folder/alias.conf"
	for verb in "clone $vm $two" "rename $vm $two" "remove --yes $vm"; do q $verb; says 2 "$vm runs" "qlaunch stop $vm"; done
	kill -KILL "$pid"; wait "$pid" || true; pid=
	q clone "$vm" "$two"; says 2 'left behind' "qlaunch restore $vm"
	q restore "$vm"; says 0
	touch "$two.qcow2"; q clone "$vm" "$two"; says 2 "$two.qcow2 is there already"; rm "$two.qcow2"
	mkdir -p "$XDG_DATA_HOME/qlaunch/$two"; q clone "$vm" "$two"; says 2 'another machine of that name'; rmdir "$XDG_DATA_HOME/qlaunch/$two"
	printf '[disk dev]\npath = /dev/null\n' >>"$conf"; q clone "$vm" "$two"; says 4; sed -i '/disk dev/,$d' "$conf"
	# a full disk: qemu-img is stopped by a limit of file size
	run bash -c 'ulimit -f 100; exec "$@"' - "$qlaunch" clone "$vm" "$two" </dev/null
	[ "$status" -ne 0 ]; echo "$output"
	[ "$(ls "$folder")" = "$vm.conf" ]; [ ! -e "$two.qcow2" ]; [ -z "$(ls ./*.part 2>/dev/null)" ]; [ ! -e "$XDG_DATA_HOME/qlaunch/$two" ]
	# two at once: one of them, whole
	"$qlaunch" clone "$vm" "$two" >a 2>&1 </dev/null & local a=$!
	"$qlaunch" clone "$vm" "$two" >b 2>&1 </dev/null & local b=$!
	local ok=0; wait $a && ok=$((ok + 1)); wait $b && ok=$((ok + 1))
	cat a b; [ $ok -ge 1 ]
	holds "$two.qcow2" 1; q check "$two"; [ -z "$(ls ./*.part 2>/dev/null)" ]
}

@test "rename: all that has the name, and the guest sees the same card" {
	mkdir -p "$XDG_DATA_HOME/qlaunch/$vm" "$XDG_DATA_HOME/applications"
	disk "$XDG_DATA_HOME/qlaunch/$vm/disk.qcow2" 5
	printf '[disk main]\npath = %s\n[network lan]\nmode = user\n' "$XDG_DATA_HOME/qlaunch/$vm/disk.qcow2" >>"$conf"
	printf '[pci card]\naddress = 01:00.0\nrom = %s\n[console]\nserial = %s\n' "$XDG_DATA_HOME/qlaunch/$vm/card.rom" "$dir/serial" >>"$conf"
	mac=$("$qlaunch" plan --json "$vm" | grep -o '52:54:00:[0-9a-f:]*' | head -n 1); [ -n "$mac" ]
	printf '[Desktop Entry]\nX-Qlaunch-Config=%s\n' "$conf" >"$XDG_DATA_HOME/applications/qlaunch-$vm.desktop"
	q rename "$vm" "$two"; says 0 "$two now"
	[ "$(names)" = "$two" ]
	[ "$(ls "$folder")" = "$two.conf" ]
	[ "$("$qlaunch" plan --json "$two" | grep -o '52:54:00:[0-9a-f:]*' | head -n 1)" = "$mac" ]
	holds "$XDG_DATA_HOME/qlaunch/$two/disk.qcow2" 5
	grep -q "path = $XDG_DATA_HOME/qlaunch/$two/disk.qcow2" "$folder/$two.conf"
	grep -q "rom = $XDG_DATA_HOME/qlaunch/$two/card.rom" "$folder/$two.conf"; grep -q "serial = $dir/serial" "$folder/$two.conf"
	[ ! -e "$XDG_DATA_HOME/qlaunch/$vm" ]
	q rename "$vm" x; says 3
	cp "$folder/$two.conf" "$folder/third.conf"
	q rename "$two" third; says 2 'there already'
	q rename "$two" '../x'; says 2 'cannot be a name'
	# a file that is kept elsewhere and linked to: the link is by which a machine is found
	mkdir dots; mv "$folder/third.conf" dots/; ln -s "$dir/dots/third.conf" "$folder/third.conf"
	q rename third fourth; says 0
	[ "$(readlink "$folder/fourth.conf")" = "$dir/dots/fourth.conf" ]; [ ! -e dots/third.conf ]; [ ! -L "$folder/third.conf" ]
	q clone fourth fifth; says 0; [ "$(readlink "$folder/fifth.conf")" = "$dir/dots/fifth.conf" ]
	q remove --yes fourth; says 0; [ ! -e dots/fourth.conf ]; [ ! -L "$folder/fourth.conf" ]
	q list; says 0 "$two" fifth
	q rename "$two"; says 2 'NAME is missing'
}

@test "remove: shows all that goes, asks, and leaves what is another's" {
	disk mine.qcow2 1; disk shared.qcow2 2; disk base.qcow2 3; disk ro.qcow2 4; disk typo.qcow2 5
	qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 middle.qcow2; qemu-img create -q -f qcow2 -b middle.qcow2 -F qcow2 top.qcow2
	printf '[disk d]\npath = %s\npat = x\n' "$dir/typo.qcow2" >"$folder/wrong.conf"
	for d in mine shared base typo; do printf '[disk %s]\npath = %s\n' $d "$dir/$d.qcow2" >>"$conf"; done
	printf '[disk ro]\npath = %s\nreadonly = yes\n' "$dir/ro.qcow2" >>"$conf"
	printf '[vm]\nname = o\n[disk s]\npath = %s\n[disk t]\npath = %s\n' "$dir/shared.qcow2" "$dir/top.qcow2" >"$folder/o.conf"
	mkdir -p "$XDG_DATA_HOME/qlaunch/$vm/VARS.fd.copies"; echo v >"$XDG_DATA_HOME/qlaunch/$vm/VARS.fd.copies/VARS.fd.000001"
	ln -s "$dir/ro.qcow2" "$XDG_DATA_HOME/qlaunch/$vm/VARS.fd.copies/link"
	q remove "$vm"; says 2 mine.qcow2 'What stays' "shared.qcow2: o has it" "base.qcow2: o has it" "typo.qcow2: wrong has it" -- '--yes'
	[ -e mine.qcow2 ]
	"$BATS_TEST_DIRNAME/terminal.py" wait:'to go on' 'key:no\n' -- "$qlaunch" remove "$vm" >said || true
	cat said; [ -e mine.qcow2 ]; [ -e "$conf" ]
	"$BATS_TEST_DIRNAME/terminal.py" wait:'to go on' "key:$vm\\n" -- "$qlaunch" remove "$vm" >said || true
	cat said
	[ ! -e mine.qcow2 ]; [ ! -e "$conf" ]; [ ! -e "$XDG_DATA_HOME/qlaunch/$vm" ]
	[ -e shared.qcow2 ]; [ -e base.qcow2 ]; [ -e ro.qcow2 ]; [ -e typo.qcow2 ]; rm "$folder/wrong.conf"
	q remove --yes --keep-disks o; says 0 'o is gone'
	[ -e shared.qcow2 ]; [ -z "$(ls "$folder")" ]
	q remove --yes o; says 3
}

@test "autostart: systemd's own link, at login; what needs root is told where it belongs" {
	type -P systemctl >/dev/null || skip "no systemd"
	export SYSTEMD_OFFLINE=1
	q autostart "$vm"; says 0 "$vm: off"
	q autostart "$vm" perhaps; says 2 perhaps
	mkdir -p "$HOME/.config/systemd/user"
	sed "s|@BINDIR@|${qlaunch%/*}|" "$BATS_TEST_DIRNAME/../share/units/user/qlaunch@.service" >"$HOME/.config/systemd/user/qlaunch@.service"
	q autostart "$vm" on; says 0 'log in'
	[ -L "$HOME/.config/systemd/user/default.target.wants/qlaunch@$vm.service" ]
	q autostart "$vm"; says 0 "$vm: on"
	q remove --yes "$vm"; says 2 'autostart'
	q rename "$vm" "$two"; says 0 'systemctl --user disable'
	q autostart "$two"; says 0 off
	cp "$folder/$two.conf" here.conf
	q autostart ./here.conf on; says 2 '~/.config/qlaunch'
	q autostart /etc/qlaunch/nosuch-$$.conf on; says 3 'sudo install'
	q autostart nosuch-$$ on; says 3
}

@test "as root on behalf of a user all of it is theirs" {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	home=$(mktemp -d -p /var/tmp); chmod 755 "$home"; mkdir -p "$home/.config/qlaunch"
	cp "$conf" "$home/.config/qlaunch/$vm.conf"; printf '[disk main]\npath = %s\n' "$home/$vm.qcow2" >>"$home/.config/qlaunch/$vm.conf"
	qemu-img create -q -f qcow2 "$home/$vm.qcow2" 1M
	sed "s|^\(nobody:.*\):[^:]*:\([^:]*\)$|\1:$home:\2|" /etc/passwd >"$home/passwd"; chown -R nobody "$home"; chmod a+r "$home/passwd"
	unset XDG_DATA_HOME
	as() { unshare --mount bash -c 'mount --bind "$1/passwd" /etc/passwd; shift; SUDO_UID=$(id -u nobody) exec "$@"' - "$home" "$qlaunch" "$@" </dev/null; }
	as clone "$vm" "$two"; as list; as rename "$two" third
	ls -lR "$home/.config" "$home"/*.qcow2
	[ -z "$(find "$home" -user root ! -name passwd)" ]
	as remove --yes third
	[ ! -e "$home/.config/qlaunch/third.conf" ] && [ ! -e "$home/$two.qcow2" ]
	rm -r "$home"
}
