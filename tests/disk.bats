#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# check: slow
# Disks: `qlaunch disk` with the real qemu-img, real QEMUs, loop devices, a file system that is full; folders by a real virtiofsd.

load machine

setup_file() {
	cd "$BATS_TEST_DIRNAME/.."
	export guest=$BATS_FILE_TMPDIR
	tests/guest/direct "${BUILD:-build}"
	cp "${BUILD:-build}"/guest/{vmlinuz,initrd.gz} "$guest"; chmod -R a+rX "$guest"
	chmod a+x "$BATS_RUN_TMPDIR" # nobody is to come through
}
setup() {
	cd "$BATS_TEST_DIRNAME/.."
	build=$(readlink -f "${BUILD:-build}")
	qlaunch=$build/qlaunch
	dir=$BATS_TEST_TMPDIR
	export HOME=$dir XDG_RUNTIME_DIR=$dir/run XDG_DATA_HOME=$dir/data TZ=UTC
	mkdir -p "$XDG_RUNTIME_DIR"
	vm=d$BATS_TEST_NUMBER-$$
	conf=$dir/$vm.conf
	printf '[vm]\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 192M\nhugepages = off\n[firmware]\ntype = bios\n' >"$conf"
	loops=() mounts=()
	cd "$dir"
}
teardown() {
	put_away
	for m in "${mounts[@]}"; do umount "$m" || true; done
	for l in "${loops[@]}"; do losetup -d "$l" 2>/dev/null || true; done
	cd /
}

disk() { run "$qlaunch" disk "$@"; }
image_of() { printf '[disk %s]\npath = %s\n' "$1" "$2" >>"$conf"; shift 2; [ $# -eq 0 ] || printf '%s\n' "$@" >>"$conf"; }
boots() { printf '[console]\nserial = stdio\n[boot]\nkernel = %s/vmlinuz\ninitrd = %s/initrd.gz\ncmdline = console=ttyS0 quiet %s\n' "$guest" "$guest" "$*" >>"$conf"; }
start() { # until the guest runs
	: >"$dir/out" # not what an earlier one said: the shell makes it anew in the background only
	"$qlaunch" run "$@" "$conf" >"$dir/out" 2>&1 3>&- </dev/null & pid=$!
	said 'running after'
}
said() { # PATTERN: waits until it was said
	for _ in $(seq 600); do
		grep -q -- "$1" "$dir/out" && return
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	grep -q -- "$1" "$dir/out" || { grep -v 'guest: pci' "$dir/out"; return 1; }
}
nothing_runs() { [ "$("$qlaunch" status --json "$vm" | jq length)" -eq 0 ]; }
put() { qemu-io -f "${3:-qcow2}" -c "write -q -P $2 0 1M" "$1"; } # FILE BYTE
has() { qemu-io -f "${3:-qcow2}" -c "read -q -P $2 0 1M" "$1" | grep -q failed && return 1 || return 0; }
loop() { # FILE: $device
	[ "$(id -u)" -eq 0 ] || skip "not root"
	device=$(losetup -f --show "$1") || skip "no loop devices here"
	loops+=("$device")
}

@test "create on btrfs: the image is not copied at each write; a raw one, one with all its space, a copy, a clone's, and new's" {
	truncate -s 200M btrfs.img; mkfs.btrfs -q btrfs.img; loop btrfs.img
	mkdir m; mount "$device" m; mounts+=("$PWD/m")
	disk create m/a.qcow2 1G; says 0; disk create m/b.img 16M; says 0; disk create --full m/c.img 16M; says 0
	XDG_DATA_HOME=$PWD/m run "$qlaunch" new n --yes --output "$PWD/n.conf"; [ "$status" -eq 0 ]
	disk convert m/a.qcow2 m/d.img; says 0; disk convert m/b.img m/e.qcow2; says 0
	printf '[disk main]\npath = %s\n' "$PWD/m/a.qcow2" >>"$conf"; XDG_DATA_HOME=$PWD/m run "$qlaunch" clone "$conf" b; says 0
	for f in m/a.qcow2 m/b.img m/c.img m/d.img m/e.qcow2 m/b-a.qcow2 m/qlaunch/n/disk.qcow2; do [[ $(lsattr "$f") == *C*\ * ]] || { lsattr "$f"; return 1; }; done
}

@test "create: formats by name or by word, backing files, no file overwritten, no format guessed" {
	disk create a.qcow2 1G; says 0 'a.qcow2: qcow2, 1G'
	disk create a.qcow2 1G; says 2 'there already'
	disk create b.img 64M; says 0 raw
	[ "$(stat -c %s b.img)" -eq $((64 << 20)) ]
	disk create ./plain 1G; says 2 '--format'
	disk create ./plain 1G --format qcow2; says 0
	disk create c.qcow2 --backing a.qcow2; says 0 1G
	qemu-img info --output=json c.qcow2 | jq -e '."backing-filename-format" == "qcow2"'
	disk create d.img 1G --backing a.qcow2; says 2 'no backing file'
	disk create d.img; says 2 'how large'
	disk create d.img 12Q; says 2 12Q
	disk create full.img 8M --full; says 0
	[ "$(stat -c %b full.img)" -ge $((8 << 11)) ]
	disk create nowhere/x.qcow2 1G; says 4 nowhere
	disk make; says 2 'no "make"'
	[ ! -e d.img ]
}

@test "MACHINE:DISK is the section's disk; what is neither file nor machine is said" {
	image_of system "$dir/s.qcow2"; image_of data "$dir/d.qcow2"
	disk create "$conf:system" 1G; says 0 s.qcow2
	disk list "$conf:system"; says 0 "$vm:system" '1G for the guest'
	disk list "$conf:sytem"; says 2 'no [disk sytem]' 'system, data'
	disk resize "$conf" 2G; says 2 '2 disks' "$conf:data"
	disk list "$conf"; says 4 'there is no'
	disk list nothing; says 2 'neither an image here nor a machine'
	mkdir -p .config/qlaunch; cp "$conf" .config/qlaunch/mine.conf
	disk list mine:system; says 0 s.qcow2
}

@test "snapshot, revert and delete: what was there comes back, and what was there until then is kept" {
	disk create a.qcow2 64M
	put a.qcow2 1
	disk snapshot a.qcow2 one; says 0 'snapshot one'
	disk snapshot a.qcow2 one; says 2 already
	disk snapshot a.qcow2 12; says 2 '"12"'
	put a.qcow2 2
	disk revert a.qcow2 two; says 2 'no snapshot "two"' 'it has: one'
	disk revert a.qcow2 one; says 0 'as it was at one' before-revert-
	has a.qcow2 1
	if has a.qcow2 2; then false; fi
	kept=$("$qlaunch" disk list --json a.qcow2 | jq -r '.[0].snapshots[] | select(.name | startswith("before-revert-")).name')
	disk revert a.qcow2 "$kept" --drop; says 0
	has a.qcow2 2
	disk delete a.qcow2 one; says 0 gone
	[ "$("$qlaunch" disk list --json a.qcow2 | jq '.[0].snapshots | length')" -eq 1 ]
	disk create r.img 64M
	disk snapshot r.img; says 2 'is raw' 'convert'
	qemu-img check -q a.qcow2
}

@test "resize: larger at once, smaller only where it is asked for" {
	disk create a.qcow2 64M
	disk resize a.qcow2 +64M; says 0 '64M → 128M'
	disk resize a.qcow2 64M; says 2 lost
	disk resize a.qcow2 64M --shrink; says 0 '128M → 64M'
	disk create r.img 1M
	disk resize r.img 3M; says 0
	[ "$(stat -c %s r.img)" -eq $((3 << 20)) ]
}

@test "convert: to raw and back the same; a copy that is broken off leaves nothing" {
	head -c 40M /dev/urandom >r.img
	disk convert r.img a.qcow2; says 0 'a copy of'
	disk convert a.qcow2 b.img; says 0
	cmp r.img b.img
	disk convert r.img a.qcow2; says 2 'there already'
	disk convert r.img missing/x.qcow2; says 4
	disk convert absent.img x.qcow2; says 4 'there is no'
	truncate -s 8G big.img; head -c 200M /dev/urandom | dd of=big.img conv=notrunc status=none
	"$qlaunch" disk convert big.img c.qcow2 --compress 2>err 3>&- & copy=$!
	for _ in $(seq 200); do compgen -G 'c.qcow2.*.part' >/dev/null && break; sleep 0.05; done
	compgen -G 'c.qcow2.*.part'; [ ! -e c.qcow2 ]
	kill -INT $copy
	status=0; wait $copy || status=$?
	[ "$status" -eq 1 ]; grep -q interrupted err
	if compgen -G 'c.qcow2.*.part'; then false; fi; [ ! -e c.qcow2 ]
}

@test "a bar on a terminal; plain lines into a pipe, and nothing with --quiet" {
	head -c 60M /dev/urandom >r.img
	run env TERM=xterm NO_COLOR=1 script -qec "'$qlaunch' disk convert r.img t.qcow2 --compress" /dev/null
	says 0 'copying r.img' '%' 'of 60M' 'a copy of'
	run "$qlaunch" disk convert r.img p.qcow2; says 0
	[[ $output != *$'\r'* ]]; [ "${#lines[@]}" -eq 1 ]
	run "$qlaunch" disk convert r.img q.qcow2 --quiet; says 0
	[ -z "$output" ]
}

@test "a header that does not fit the format is never taken for it" {
	disk create a.qcow2 64M
	cp a.qcow2 evil.img
	disk list evil.img; says 4 'begins as a qcow2 image'
	disk convert evil.img out.qcow2; says 4 'begins as a qcow2 image'
	disk convert evil.img out.qcow2 --from raw; says 0
	head -c 1M /dev/zero >zero.qcow2
	disk list zero.qcow2; says 4 'does not begin as a qcow2'
	image_of d "$dir/evil.img"
	run "$qlaunch" check "$conf"; says 4 'begins as a'
	run "$qlaunch" run "$conf"; says 4 'begins as a qcow2'; nothing_runs
	run "$qlaunch" check --set "disk d.format=raw" "$conf"; says 0
}

@test "an image that is cut off, marked corrupt, or without its backing file starts nothing" {
	disk create base.qcow2 64M; disk create a.qcow2 --backing base.qcow2
	image_of d "$dir/a.qcow2"
	run "$qlaunch" check "$conf"; says 0
	mv base.qcow2 gone.qcow2
	run "$qlaunch" check "$conf"; says 4 'no backing file'
	run "$qlaunch" run "$conf"; says 4 'no backing file' "$dir/base.qcow2" 'rebase'; nothing_runs
	disk snapshot a.qcow2; says 4 'no backing file'
	mv gone.qcow2 base.qcow2
	head -c 100000 a.qcow2 >cut.qcow2
	run "$qlaunch" run --set "disk d.path=cut.qcow2" "$conf"; says 4 'cut off'; nothing_runs
	printf '\002' | dd of=a.qcow2 bs=1 seek=79 conv=notrunc status=none # incompatible feature bit 1
	run "$qlaunch" run "$conf"; says 4 'marked it as corrupt'; nothing_runs
	disk list a.qcow2; says 4 corrupt
}

@test "what is no disk of ours is refused, with what makes one of it; a drive takes discs only" {
	local f
	for f in vmdk vdi vhdx vpc qed; do qemu-img create -q -f $f a.$f 8M; done
	qemu-img create -q -f vpc -o subformat=fixed fixed.vhd 8M
	printf 'LUKS\xba\xbe\0\2' >a.luks; truncate -s 4M a.luks # by hand: the real one times its key, which a loaded host fails
	gzip -c a.qed >a.img.gz; head -c 64K /dev/urandom >broken.iso
	base=$(cat "$conf")
	refused() { # SECTION FILE WORDS...: by check and by run, and the file stays as it is
		local sum file=$2; sum=$(cksum "$2")
		printf '%s\n[%s]\npath = %s\n' "$base" "$1" "$dir/$2" >"$conf"; shift 2
		run "$qlaunch" check "$conf"; says 4 "$@"
		run "$qlaunch" run "$conf"; says 4 "$@"
		[ "$(cksum "$file")" = "$sum" ]
	}
	export NO_COLOR=1 COLUMNS=200
	refused 'disk d' a.vmdk vmdk "disk convert '$dir/a.vmdk'"
	for f in vdi vhdx vpc qed; do refused 'disk d' a.$f "disk convert '$dir/a.$f'"; done
	refused 'disk d' fixed.vhd vhd 'disk convert'
	refused 'disk d' a.luks LUKS
	refused 'disk d' a.img.gz "gunzip -k"
	refused 'cdrom d' broken.iso 'is no disc'
	refused 'cdrom d' a.img.gz "gunzip -k"
	disk convert a.vmdk a.qcow2; says 0
	printf '%s\n[disk d]\npath = %s\n' "$base" "$dir/a.qcow2" >"$conf"
	run "$qlaunch" check "$conf"; says 0
	: >mine.qcow2.part; echo mine >b.img.part # the user's own
	disk convert a.vmdk b.img; says 0
	[ "$(cat b.img.part)" = mine ]
}

@test "what is absent has a remedy by what it is to be" {
	base=$(cat "$conf")
	absent() { printf '%s\n[%s]\npath = %s\n' "$base" "$1" "$2" >"$conf"; run "$qlaunch" check "$conf"; says 4; }
	absent 'disk d' "$dir/new.img"; says 4 'disk create'
	absent 'cdrom d' "$dir/win11.iso"; says 4 'download it'; [[ $output != *'disk create'* ]]
	absent 'disk d' /dev/sdq9; says 4 '/dev/disk/by-id'
	absent 'disk d' '$HOME/new.img'; says 4 'as it is written'
	absent 'disk d' '"/images/new.img"'; says 4 'as it is written'; absent 'disk d' '~joe/new.img'; says 4 'as it is written'
	disk create a.qcow2 8M
	disk write a.qcow2 /dev/sdq9; says 2 '/dev/disk/by-id'; [[ $output != *'disk create'* ]]
}

@test "check looks through an image's tables" {
	disk create a.qcow2 64M
	put a.qcow2 1
	image_of d "$dir/a.qcow2"
	run "$qlaunch" check "$conf"; says 0
	dd if=/dev/zero of=a.qcow2 bs=64K seek=2 count=1 conv=notrunc status=none # the counts of all clusters
	run "$qlaunch" check "$conf"; says 4 'is damaged'
}

@test "a device is the guest's alone: the host cannot mount it, also when the launcher is dead; its node stays as it is" {
	truncate -s 32M disk.img; mkfs.ext4 -q -F disk.img; loop disk.img
	mkdir mnt; node=$(stat -c '%u:%g %a' "$device")
	image_of d "$device"
	export SUDO_UID=65534; chmod 755 . # QEMU has no right to the node itself
	start
	run mount "$device" mnt; says 32 busy
	[ "$(stat -c '%u:%g %a' "$device")" = "$node" ]
	kill -KILL "$pid"; wait "$pid" || true
	run mount "$device" mnt; says 32 busy
	unset SUDO_UID
	"$qlaunch" restore "$vm"
	mounts+=("$dir/mnt"); mount "$device" mnt
}

@test "a device in use that no mount shows is refused, and who has it is named" {
	truncate -s 32M disk.img; mkfs.ext4 -q -F disk.img; loop disk.img
	mkdir mnt
	image_of d "$device"
	unshare -m --propagation private sh -c "mount $device mnt && echo there >ready; exec sleep 60" 3>&- & holder=$!
	for _ in $(seq 100); do [ ! -s ready ] || break; sleep 0.1; done
	run "$qlaunch" check "$conf"; says 4 'mounted for'
	run "$qlaunch" run "$conf"; says 4 'mounted for sleep'
	kill "$holder"; wait "$holder" || true
	mount "$device" mnt; exec 7>mnt/open; umount -l mnt
	run "$qlaunch" check "$conf"; says 4 'not yet let go'
	run "$qlaunch" run "$conf"; says 4 'not yet let go'
	exec 7>&-
	for _ in $(seq 50); do "$qlaunch" check "$conf" >/dev/null || { sleep 0.1; continue; }; break; done
	run "$qlaunch" check "$conf"; says 0 'not in use'
}

@test "write: an image to a device and back, nothing of the device's node changed" {
	head -c 20M /dev/urandom >r.img
	disk convert r.img a.qcow2
	truncate -s 32M disk.img; loop disk.img
	node=$(stat -c '%u:%g %a' "$device")
	disk write a.qcow2 "$device"; says 2 '--yes'
	disk write a.qcow2 "$device" --yes; says 0 '20M of' '12M behind it'
	cmp -n $((20 << 20)) r.img disk.img
	disk convert "$device" back.qcow2; says 0
	qemu-img compare -q -f raw -F qcow2 disk.img back.qcow2
	[ "$(stat -c '%u:%g %a' "$device")" = "$node" ]
	chmod 777 . ; chmod 644 a.qcow2
	SUDO_UID=65534 disk convert "$device" nobodys.qcow2; says 0
	[ "$(stat -c %u nobodys.qcow2)" -eq 65534 ]
	head -c 20M /dev/zero | dd of="$device" conv=notrunc status=none
	SUDO_UID=65534 disk write a.qcow2 "$device" --yes; says 0
	cmp -n $((20 << 20)) r.img disk.img
	[ "$(stat -c '%u:%g %a' "$device")" = "$node" ]
}

@test "write asks for the device's name, and takes no other" {
	disk create a.qcow2 4M; put a.qcow2 7
	truncate -s 8M disk.img; loop disk.img
	run env TERM=dumb script -qec "'$qlaunch' disk write a.qcow2 $device" /dev/null <<<yes
	says 2 "Type ${device#/dev/}" 'nothing was written'
	cmp -n $((8 << 20)) disk.img /dev/zero
	run env TERM=dumb script -qec "'$qlaunch' disk write a.qcow2 $device" /dev/null <<<"${device#/dev/}"
	says 0
	has disk.img 7 raw
}

@test "write refuses a device that is mounted, too small, read-only, or another machine's" {
	disk create a.qcow2 8M
	truncate -s 4M small.img; loop small.img
	disk write a.qcow2 "$device" --yes; says 4 'too small'
	truncate -s 16M disk.img; loop disk.img
	busybox mke2fs "$device" >/dev/null 2>&1 || mkfs.ext4 -q "$device"
	mkdir m
	if mount "$device" m; then
		mounts+=("$PWD/m")
		disk write a.qcow2 "$device" --yes; says 4 'is mounted on'
		disk convert "$device" x.qcow2; says 4 'is mounted on'
		umount m; mounts=()
	fi
	image_of d "$device"
	start
	disk write a.qcow2 "$device" --yes; says 4 "belongs to $vm, which runs"
	"$qlaunch" stop --now "$vm"; wait "$pid"; pid=
	disk write a.qcow2 r.img --yes; says 4 'there is no'
	disk write a.qcow2 small.img --yes; says 2 'no block device'
	losetup -d "$device"; device=$(losetup -r -f --show disk.img); loops+=("$device")
	disk write a.qcow2 "$device" --yes; says 4 'read-only'
}

@test "a machine that runs: all its disks at one instant, larger disks, and nothing else done to them" {
	disk create a.qcow2 64M; disk create b.qcow2 64M; disk create r.img 8M
	put a.qcow2 1; put b.qcow2 1
	image_of a "$dir/a.qcow2"; image_of b "$dir/b.qcow2" 'bus = sata'; image_of r "$dir/r.img" 'readonly = yes'
	start
	disk snapshot "$conf" live; says 0 'a.qcow2: snapshot live' 'b.qcow2: snapshot live' "runs in $vm"
	disk snapshot "$conf:a" live; says 2 already
	disk list "$conf"; says 0 "$vm runs with it" 'snapshot live'
	disk revert a.qcow2 live; says 4 "belongs to $vm" "qlaunch stop $vm"
	disk convert a.qcow2 x.qcow2; says 4 "belongs to $vm"
	disk resize a.qcow2 +64M; says 0 '64M → 128M' 'the guest sees it now'
	disk resize a.qcow2 64M --shrink; says 2
	disk snapshot "$conf:b" two; says 0; disk delete "$conf:b" two; says 0
	"$qlaunch" stop --now "$vm"; wait "$pid"; pid=
	put a.qcow2 2; put b.qcow2 2
	disk revert a.qcow2 live; says 0; disk revert b.qcow2 live; says 0
	has a.qcow2 1; has b.qcow2 1
	qemu-img check -q a.qcow2; qemu-img check -q b.qcow2
}

# A machine whose guest's agent is the real one, with an ext4 in s.qcow2 that the guest has mounted; [kernel parameters].
agent_boots() {
	"$BATS_TEST_DIRNAME/guest/agent" "$build"
	cp "$build/guest/agent.gz" "$guest/"; chmod a+r "$guest/agent.gz"
	truncate -s 64M raw.img; mkfs.ext4 -q raw.img
	disk convert raw.img s.qcow2; says 0
	image_of s "$dir/s.qcow2"
	boots guest.forever "$@"
	sed -i "s|^initrd = .*|initrd = $guest/agent.gz|; s|^serial = .*|&\nagent = yes|" "$conf"
	printf '[tpm]\nversion = 2.0\n' >>"$conf" # its descriptor comes before the line's
	start
	said 'guest: mounted vda'; said 'guest: agent'
	base=$XDG_RUNTIME_DIR; [ "$(id -u)" -ne 0 ] || base=/run
	line=$base/qlaunch/$vm/agent
	ask guest-ping
}
ask() { # COMMAND [ARGUMENTS]: what the agent returns, at the machine's socket
	python3 - "$line" "$@" <<-'ASK'
		import json, socket, sys
		s = socket.socket(socket.AF_UNIX); s.settimeout(120); s.connect(sys.argv[1])
		f = s.makefile("rwb", 0)
		f.write(b'\xff{"execute": "guest-sync-delimited", "arguments": {"id": 4711}}\n')
		while b"4711" not in f.readline(): pass
		f.write(json.dumps({"execute": sys.argv[2], **({"arguments": json.loads(sys.argv[3])} if len(sys.argv) > 3 else {})}).encode() + b"\n")
		print(json.dumps(json.loads(f.readline())["return"]))
	ASK
}
put_in_guest() { # FILE TEXT: in the mounted file system; not written out
	local handle
	handle=$(ask guest-file-open "{\"path\": \"/mnt/$1\", \"mode\": \"wb\"}")
	ask guest-file-write "{\"handle\": $handle, \"buf-b64\": \"$(base64 <<<"$2")\"}"
	ask guest-file-close "{\"handle\": $handle}"
}
at_rest() { # SNAPSHOT: whether the journal of the ext4 in it has nothing to replay
	qemu-img convert -U -f qcow2 -l "$1" -O raw s.qcow2 "$1.raw"
	if dumpe2fs -h "$1.raw" 2>/dev/null | grep '^Filesystem features' | grep -q needs_recovery; then return 1; fi
	e2fsck -fn "$1.raw" >/dev/null
}

@test "a snapshot with the guest's agent: its file systems at rest in it, and in use again after it" {
	agent_boots
	[ "$(stat -c '%a %u' "$line")" = "600 $(id -u)" ]
	put_in_guest hello "written before"
	disk snapshot "$conf" still; says 0 's.qcow2: snapshot still' "runs in $vm, its file systems at rest"
	[ "$(ask guest-fsfreeze-status)" = '"thawed"' ]
	at_rest still
	[ "$(debugfs -R 'cat hello' still.raw 2>/dev/null)" = "written before" ]
	put_in_guest later "written after"

	# somebody else who is at the line: nothing waits for him for long, and the snapshot is taken
	python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print("here", flush=True); time.sleep(300)' "$line" >there 3>&- & other=$!
	for _ in $(seq 100); do [ -s there ] && break; sleep 0.1; done
	disk snapshot "$conf" moving; says 0 'snapshot moving' 'as after a power cut: no agent answered'
	kill $other; wait $other || true
	[[ $output != *"at rest"* ]]
	if at_rest moving; then false; fi

	# left frozen by one that was killed: not for ever
	[ "$(ask guest-fsfreeze-freeze)" -eq 1 ]
	disk snapshot "$conf" again; says 0 'left frozen' 'at rest'
	[ "$(ask guest-fsfreeze-status)" = '"thawed"' ]
	at_rest again

	# a transaction that fails: a job of QEMU's has the disk
	python3 - "${line%agent}monitor" <<-'JOB'
		import json, socket, sys
		s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); f = s.makefile("rwb", 0); f.readline()
		def do(command, **args):
		    f.write(json.dumps({"execute": command, "arguments": args}).encode() + b"\n")
		    while "event" in (said := json.loads(f.readline())): pass
		    return said["return"]
		do("qmp_capabilities")
		node = [b["inserted"]["node-name"] for b in do("query-block") if b.get("inserted", {}).get("drv") == "qcow2"][0]
		do("blockdev-add", **{"node-name": "nowhere", "driver": "null-co", "size": 64 << 20})
		do("blockdev-backup", **{"job-id": "slow", "device": node, "target": "nowhere", "sync": "full", "speed": 1})
	JOB
	disk snapshot "$conf" none; says 4 transaction
	[[ $output != *"snapshot none"* ]]
	[ "$(ask guest-fsfreeze-status)" = '"thawed"' ]
	put_in_guest last "still in use"
	"$qlaunch" stop --now "$vm"; wait "$pid"; pid=
	[ ! -e "$line" ]
	nothing_runs
}

@test "a snapshot with an agent that refuses to freeze, and with none: as after a power cut, and that is said" {
	agent_boots guest.block=guest-fsfreeze-freeze
	put_in_guest hello "written before"
	disk snapshot "$conf" refused; says 0 'snapshot refused' 'as after a power cut: guest-fsfreeze-freeze'
	[[ $output != *"at rest"* ]]
	[ "$(ask guest-fsfreeze-status)" = '"thawed"' ]
	"$qlaunch" stop --now "$vm"; wait "$pid"; pid=
	start --set "boot.initrd=$guest/initrd.gz"
	disk snapshot "$conf" silent; says 0 'snapshot silent' 'as after a power cut: no agent answered'
	"$qlaunch" stop --now "$vm"; wait "$pid"; pid=
	start --set console.agent=no
	disk snapshot "$conf" without; says 0 'snapshot without' 'as after a power cut' 'console] agent = yes'
	[ "$(qemu-img snapshot -U -l s.qcow2 | grep -c 'refused\|silent\|without')" -eq 3 ]
}

@test "an image under a running machine's overlay is not touched" {
	disk create base.qcow2 64M; disk create a.qcow2 --backing base.qcow2
	image_of a "$dir/a.qcow2"
	start
	disk snapshot base.qcow2; says 4
	disk resize base.qcow2 1G; says 4
	[ "$("$qlaunch" disk list --json base.qcow2 | jq '.[0].size')" -eq $((64 << 20)) ]
}

@test "a full file system: the guest is paused and told, and goes on when there is room" {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	mkdir full; mount -t tmpfs -o size=24M none full; mounts+=("$PWD/full")
	disk create full/d.qcow2 200M
	head -c 14M /dev/zero >full/ballast
	image_of d "$dir/full/d.qcow2" 'cache = writeback'
	boots guest.forever guest.write=vda:16
	run "$qlaunch" check "$conf"; says 0 'may grow by 200M'
	start
	said 'no space left on its file system; the guest is paused'
	said 'paused: its disk'
	for _ in $(seq 100); do "$qlaunch" status --json "$vm" | jq -e '.[0]["run-state"] == "io-error"' && break; sleep 0.1; done
	sleep 5
	[ "$(grep -c 'there is room again' out)" -eq 0 ]
	rm full/ballast
	said 'there is room again'
	said 'guest: wrote vda:16'
	"$qlaunch" stop --now "$vm"; wait "$pid"; pid=
	[ "$(qemu-io -r -f qcow2 -c 'read -q -P 0x78 0 16M' full/d.qcow2 | grep -c failed)" -eq 0 ]
	nothing_runs
}

@test "shared folders: the guest reads and writes as the user, and only reads what is read-only" {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	mkdir -p 'fo,ld=er' ro; echo first >'fo,ld=er/hello'; echo second >ro/hello
	chown 65534 'fo,ld=er' ro; chmod 755 .
	boots guest.share=one guest.share=two
	printf '[share one]\npath = %s/fo,ld=er\n[share other]\npath = %s/ro\ntag = two\nreadonly = yes\n' "$dir" "$dir" >>"$conf"
	run "$qlaunch" check "$conf"; says 4 "the guest's root"
	sed -i 's/^accel.*/&\nuser = nobody/' "$conf"
	run "$qlaunch" check "$conf"; says 0 'as "one"' 'as "two", read-only'
	start
	helpers=$(pgrep -P "$pid" -x virtiofsd)
	[ "$(wc -w <<<"$helpers")" -eq 2 ]
	for h in $helpers; do grep -q '^Uid:.65534' "/proc/$h/status"; done
	said 'guest: ready'
	grep -q 'guest: share one first' out; grep -q 'guest: share one made' out
	grep -q 'guest: share two second' out; grep -q 'guest: share two read-only' out
	wait "$pid"; pid=
	[ "$(stat -c %u 'fo,ld=er/made')" -eq 65534 ]; [ ! -e ro/made ]
	nothing_runs
	for h in $helpers; do [ ! -e "/proc/$h" ]; done
}

@test "shared folders: an absent one, a file, two of one tag" {
	printf '[share one]\npath = %s/absent\n' "$dir" >>"$conf"
	sed -i 's/^accel.*/&\nuser = nobody/' "$conf"
	[ "$(id -u)" -eq 0 ] || sed -i '/^user/d' "$conf"
	chmod 755 .
	run "$qlaunch" run "$conf"; says 4 absent; nothing_runs
	touch absent
	run "$qlaunch" run "$conf"; says 4 'is no folder'
	printf '[share two]\npath = %s\ntag = one\n' "$dir" >>"$conf"
	run "$qlaunch" check "$conf"; says 3 '[share one] has the same'
	run "$qlaunch" check --set "share two.tag=a-name-of-more-than-thirty-six-bytes-xx" "$conf"; says 3 'at most 36'
}

@test "as root for a user: an image of root's is neither read nor shown" {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	disk create secret.qcow2 1M; chmod 600 secret.qcow2; chmod 777 .
	export SUDO_UID=65534
	disk list secret.qcow2; says 4 'Permission denied'
	disk snapshot secret.qcow2; says 4 'Permission denied'
	disk convert secret.qcow2 mine.img; says 4 'Permission denied'
	[ ! -e mine.img ]
}
