#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What SECURITY.md promises: as root on behalf of a user, qlaunch opens, runs, writes, and even looks at, no file that the configuration
# names. Each key names a file in a directory of root's that the user cannot enter. Every system call of every process is watched: one that
# succeeds with such a path was root's.

setup() {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	open=$(mktemp -d) # bats' own directories are not the user's to enter
	chmod 755 "$open"
	vault=$open/vault
	mkdir -m 700 "$vault"
	touch "$open/ran"; chmod 666 "$open/ran"
	truncate -s 1M "$vault/disk"
	printf 'BIG SECRET\n' | tee "$vault/plain" >"$vault/other"
	printf '#!/bin/sh\necho "$0" >>%s/ran\n' "$open" >"$vault/program"
	chmod 700 "$vault/program"
	before=$(state)
	export SUDO_UID SUDO_USER=nobody
	SUDO_UID=$(id -u nobody)
}
teardown() {
	[ -z "${open:-}" ] || rm -rf "$open"
}
state() { find "$vault" -printf '%p %m %u:%g %s %T@ %C@\n' | sort; sha256sum "$vault"/*; }

# KEY=VALUE...: one launch with them, watched, ended as soon as its guest runs; its exit status in `status`
launch() {
	local vm=p$BATS_TEST_NUMBER-$$ sets=() s
	for s; do sets+=(--set "$s"); done
	printf '[vm]\nname = %s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n' $vm >"$open/p.conf"
	: >"$open/said" # not what an earlier one said: the shell makes it anew in the background only
	timeout 60 strace -f -qq -s 300 -e trace=%file,%process,fchown,fchmod -o "$open/trace" \
		"$qlaunch" run "$open/p.conf" "${sets[@]}" >"$open/said" 2>&1 3>&- </dev/null & local pid=$!
	for _ in $(seq 300); do
		kill -0 $pid 2>/dev/null || break
		if grep -q 'running after' "$open/said"; then "$qlaunch" stop --now $vm >/dev/null 2>&1; break; fi
		sleep 0.1
	done
	status=0; wait $pid || status=$?
	cat "$open/said"
}
# no call with a path in the vault has succeeded, the user has been refused $1 times at least, and nothing there has changed or run
untouched() {
	# (an argument of a program of the system is no path that was opened)
	output=$(grep 'vault/' "$open/trace" | grep -vE 'execve\("/[^"]*/(qlaunch|qemu-system-x86_64)",' | grep -E '= [0-9]+(<|$| )|unfinished') || true
	echo "$output"; [ -z "$output" ]
	[ "$(grep 'vault/' "$open/trace" | grep -c EACCES)" -ge "${1:-1}" ]
	[ ! -s "$open/ran" ]
	[ "$(state)" = "$before" ]
	[ "$(grep -c SECRET "$open/said")" -eq 0 ]
}

@test "disks, of whatever kind" {
	launch "disk d.path=$vault/disk"; [ "$status" -ne 0 ]; untouched
	launch "disk d.path=$vault/disk" "disk d.format=raw" "disk d.bus=nvme"; [ "$status" -ne 0 ]; untouched
	launch "cdrom d.path=$vault/disk"; [ "$status" -ne 0 ]; untouched
}

@test "firmware variables" {
	launch firmware.type=uefi "firmware.vars=$vault/plain"; [ "$status" -eq 4 ]; untouched
}

@test "kernel and initrd" {
	launch "boot.kernel=$vault/plain" "boot.initrd=$vault/other"; [ "$status" -ne 0 ]; untouched
}

@test "the serial console's file" {
	launch "console.serial=$vault/plain"; [ "$status" -ne 0 ]; untouched
	launch "console.serial=$vault/new"; [ "$status" -ne 0 ]; untouched
}

@test "hooks" {
	launch "hooks.before=$vault/program"; [ "$status" -ne 0 ]; untouched
	launch "hooks.ready=$vault/program"; untouched
	launch "hooks.after=$vault/program"; untouched
}

@test "QEMU itself" {
	launch "qemu.binary=$vault/program"; [ "$status" -eq 4 ]; untouched
}

@test "what QEMU's own arguments name" {
	launch "qemu.args=-fw_cfg name=opt/x,file=$vault/plain"; [ "$status" -ne 0 ]; untouched
}

@test "an input device that is none" {
	launch "input k.device=$vault/plain"; [ "$status" -ne 0 ]; untouched
	launch "input k.device=$vault/plain" "input k.persistent=yes"; [ "$status" -ne 0 ]; untouched
}

@test "the configuration itself" {
	cp configs/direct.conf "$vault/c.conf"; before=$(state)
	run timeout 60 strace -f -qq -s 300 -e trace=%file -o "$open/trace" "$qlaunch" run "$vault/c.conf"
	echo "$output" >"$open/said"
	[ "$status" -eq 3 ]
	untouched
}

@test "a program of the user's runs as the user, without a capability, and cannot become root" {
	cat >"$open/hook" <<-HOOK
		#!/bin/sh
		{ id -u; grep -E '^(Cap(Eff|Prm|Inh|Amb)|NoNewPrivs)' /proc/self/status; } >>$open/ran
	HOOK
	chmod 755 "$open/hook"
	launch "hooks.before=$open/hook"
	[ "$status" -eq 0 ]
	[ "$(head -n 1 "$open/ran")" = "$SUDO_UID" ]
	[ "$(grep -c '^Cap.*0000000000000000$' "$open/ran")" -eq 4 ]
	grep -qx 'NoNewPrivs:	1' "$open/ran"
}

# What each command can be given that could name a file: VERB ARGUMENT | the command, @ where the name goes. An argument is a word of the usage in
# capitals, or an option with a value. "-": names no file whatever it is, and why. In a plan for bench the name stands in the plan.
arguments() {
	cat <<-TABLE
		run CONFIG | run @
		run --install | run --install @ $open/p.conf
		run --drivers | run --install $open/disc.iso --drivers @ $open/p.conf
		plan CONFIG | plan @
		check CONFIG | check @
		check CONFIG | check --html @
		new NAME | new --yes @
		new --from | new --yes --output - --from @ some
		new --output | new --yes --output @ some
		import FILE | import --output - @
		import --output | import --output @ $open/domain.xml
		import nvram | domain @
		export CONFIG | export --libvirt @
		export CONFIG | export --sh @
		desktop CONFIG | desktop @
		desktop CONFIG | desktop --remove @
		disk create IMAGE | disk create --format qcow2 @ 1M
		disk create SIZE | - a number
		disk create F | - one of two words
		disk list DISK | disk list --format raw @
		disk snapshot DISK | disk snapshot --format qcow2 @ one
		disk snapshot NAME | disk snapshot --format qcow2 $open/u/own.qcow2 @
		disk revert DISK | disk revert --format qcow2 @ one
		disk revert NAME | disk revert --format qcow2 $open/u/own.qcow2 @
		disk delete DISK | disk delete --format qcow2 @ one
		disk delete NAME | disk delete --format qcow2 $open/u/own.qcow2 @
		disk resize DISK | disk resize --format raw @ +1M
		disk resize SIZE | - a number
		disk convert DISK | disk convert --from raw --format raw @ $open/u/converted
		disk convert IMAGE | disk convert --from qcow2 --format raw $open/u/own.qcow2 @
		disk convert F | - one of two words
		disk write IMAGE | disk write --yes --format raw @ /dev/null
		disk write DEVICE | disk write --yes --format raw $open/u/own.qcow2 @
		disk --format | - one of two words
		disk --from | - one of two words
		disk --backing | disk create --format qcow2 --backing @ $open/u/made 1M
		setup --gpu | setup --gpu @
		topology CONFIG | topology @
		topology CONFIG | topology --svg @
		input --seconds | - a number
		monitors MONITOR | monitors @
		monitors --try | - a number
		bench PLAN | bench @
		bench PLAN | bench submit @
		bench PLAN | bench gather @
		bench FILE | bench report @
		bench A | bench compare @ $open/u/own.jsonl
		bench B | bench compare $open/u/own.jsonl @
		bench --redo | - one word
		bench --output | bench --output @ $open/u/plan
		bench output | plan output = @
		bench guest | plan guest = @
		bench config | plan config = @
		bench command | plan workloads = w|[workload w]|command = @|parser = lines
		bench file | plan workloads = w|[workload w]|file = @|parser = lines
		status VM | status @
		top VM | top --once @
		top --interval | - a number
		console VM | console @
		switch CONFIG | switch @
		stop VM | stop @
		restore VM | restore @
		restore VM | restore --wait @
		restore VM | restore --forget @
		_keys | _keys names @
		--root | plan --root @ $open/p.conf
		--root | check --root @
		--root | setup --root @
		--set | - a key: each has its own test above
	TABLE
}

# "VERB ARGUMENT" lines, of what the sources say that there is
there_is() {
	local name args options word command usage
	while IFS='	' read -r name args options; do
		[ "$name" != _keys ] || echo _keys
		for word in $(grep -oE '[A-Z]+' <<<"$args"); do [ "$word" = COMMAND ] || echo "$name $word"; done
		for word in $options; do [[ $word != *= ]] || echo "$name --${word%=}"; done
	done < <(sed -nE '/^static const struct verb verbs/,/^};/p' launcher/main.c | tr '\n' ' ' | grep -oE '\{ "[^}]*\}' |
		sed -E 's/N_\(("[^"]*")\)/\1/g; s/^\{ "([^"]*)", ("[^"]*"|NULL), "([^"]*)", ("[^"]*"),[ 	]*("([^"]*)"|NULL).*/\1	\3	\6/')
	while IFS='	' read -r command usage; do
		for word in $(sed 's/--[a-z]*//g' <<<"$usage" | grep -oE '[A-Z]+' | sort -u); do echo "disk $command $word"; done
	done < <(sed -nE 's/^	\{ "([a-z]+)", "([^"]*)", [0-9]+.*/\1	\2/p' launcher/verbs/verb_disk.c)
	for word in $(sed -nE 's/^#define USAGE "(bench.*)"/\1/p' launcher/verbs/verb_bench.c | grep -oE '\b[A-Z]+\b'); do echo "bench $word"; done
	grep -oE '\{ "[a-z]+", required_argument' launcher/main.c | sed -E 's/.*"([a-z]+)".*/--\1/'
}

@test "the table of arguments has every verb and every argument that there is" {
	sed -E 's/ *\|.*//' < <(arguments) | sort -u >"$open/table"
	there_is | sort -u >"$open/there"
	[ "$(wc -l <"$open/there")" -gt 40 ]
	run comm -13 "$open/table" "$open/there"
	echo "not in the table: $output"; [ -z "$output" ]
	# and one that is not in it would be seen
	run comm -13 <(grep -v '^import FILE' "$open/table") "$open/there"
	[ "$output" = "import FILE" ]
}

# A folder of the user's, with a link to a file of root's, a FIFO, and good files for the other arguments of a row.
users_folder() {
	mkdir "$open/u"
	ln -s "$vault/plain" "$open/u/link"
	mkfifo "$open/u/fifo"
	qemu-img create -q -f qcow2 "$open/u/own.qcow2" 1M
	echo '{"variant":"base","order":0,"round":0,"metrics":{}}' >"$open/u/own.jsonl"
	printf '[bench]\nrounds = 1\nlimit = 5\nguest = /bin/true\n[variant a]\nnative = yes\n' >"$open/u/plan"
	cat "$open/u/plan" >"$open/u/plan.begin"
	truncate -s 64K "$open/disc.iso"; printf '\001CD001' | dd of="$open/disc.iso" bs=2048 seek=16 conv=notrunc status=none
	printf '<domain type="kvm"><name>some</name><memory>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>\n' >"$open/domain.xml"
	printf '[vm]\nname = %s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n' "a-$$" >"$open/p.conf"
	chown -hR nobody: "$open/u"
}

@test "every verb, every argument: a file, a new name, a link and a FIFO of another's are nothing to root" {
	local row command name words
	users_folder
	before=$(state)
	while IFS= read -r row; do
		command=${row#*| }
		[[ $command != -* ]] || continue
		: >"$open/trace"; : >"$open/said"
		for name in "$vault/plain" "$vault/new" "$open/u/link" "$open/u/fifo"; do
			read -ra words <<<"${command//@/$name}"
			if [ "${words[0]}" = plan ] && [[ $command == plan\ *=* ]]; then
				{ sed '/^guest/d' "$open/u/plan.begin" | sed '/variant a/,$d'; tr '|' '\n' <<<"${command#plan }" | sed "s,@,$name,"; } >"$open/u/tried"
				[[ $command == *guest* ]] || sed -i '1a guest = /bin/true' "$open/u/tried"
				sed -n '/variant a/,$p' "$open/u/plan.begin" >>"$open/u/tried"
				sed -i '/^\[bench\]/!b' "$open/u/tried"
				words=(bench "$open/u/tried")
			fi
			if [ "${words[0]}" = domain ]; then
				sed "s,</os>,<nvram>$name</nvram></os>," "$open/domain.xml" >"$open/other.xml"
				words=(import --copy-state --output - "$open/other.xml")
			fi
			rm -f "$open"/u/{made,converted,bench.jsonl}
			timeout 30 strace -f -qq -s 300 -A -e trace=%file,fchown,fchmod -o "$open/trace" "$qlaunch" "${words[@]}" </dev/null >>"$open/said" 2>&1 3>&- &&
				status=0 || status=$?
			[ "$status" -ne 124 ] || { echo "$row: waits for ever at $name"; false; }
		done
		# reading a link itself is no look at what it leads to
		output=$(grep -E 'vault/[a-z]|u/link"' "$open/trace" | grep -vE 'readlink|AT_SYMLINK_NOFOLLOW|lstat|execve\("/[^"]*/(qlaunch|qemu-img|true)",' |
			grep -E '= [0-9]+(<|$| )') || true
		[ -z "$output" ] || { echo "$row: $output"; false; }
		[ ! -s "$open/ran" ] || { echo "$row: ran"; false; }
		[ "$(state)" = "$before" ] || { echo "$row: changed"; diff <(state) - <<<"$before"; false; }
		[ "$(grep -c SECRET "$open/said")" -eq 0 ] || { echo "$row: told"; false; }
		# a name of the user's own folder leads there, too: where nothing was refused, the command has not come as far as the name
		grep -q EACCES "$open/trace" || [[ $row =~ ^(new\ NAME|desktop|monitors|status|top|console|stop|restore)\  ]] || { echo "$row: did not try"; false; }
	done < <(arguments)
}

@test "a plan's programs, and qlaunch's own records, are the user's" {
	users_folder
	printf '#!/bin/sh\n{ id -u; grep -E "^(Cap(Eff|Prm|Inh|Amb)|NoNewPrivs)" /proc/self/status; } >%s/ran\nprintf "bench: x.y ns less 1\\nbench: done\\n"\n' "$open" >"$open/program"
	chmod 755 "$open/program"
	printf '[bench]\nrounds = 1\nlimit = 20\nguest = /bin/true\nworkloads = w\n[workload w]\ncommand = %s\nparser = lines\n[variant a]\nnative = yes\n' \
		"$open/program" >"$open/u/plan"
	run "$qlaunch" bench --output "$open/u/out.jsonl" "$open/u/plan"
	echo "$output"; [ "$status" -eq 0 ]
	[ "$(head -n 1 "$open/ran")" = "$SUDO_UID" ]
	[ "$(grep -c '^Cap.*0000000000000000$' "$open/ran")" -eq 4 ]
	grep -qx 'NoNewPrivs:	1' "$open/ran"
	[ "$(stat -c %u "$open/u/out.jsonl")" = "$SUDO_UID" ]
}

@test "a file says on whose behalf root acts that nobody has named: its owner, and a file of root's must be root's alone" {
	unset SUDO_UID SUDO_USER
	printf '#!/bin/sh\nid -u >>%s/ran\n' "$open" >"$open/hook"; chmod 755 "$open/hook"
	mkdir "$open/u"; chown nobody "$open/u"
	printf '[vm]\nname = f-%s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n[boot]\nkernel = /nonexistent\n[hooks]\nbefore = %s\n' \
		$$ "$open/hook" >"$open/u/f.conf"
	chown nobody "$open/u/f.conf"
	run "$qlaunch" run "$open/u/f.conf"
	[ "$(cat "$open/ran")" = "$(id -u nobody)" ]
	: >"$open/ran"
	# root's, in a folder that another can put a file of his own into
	cp "$open/u/f.conf" "$open/u/g.conf"
	chown root:root "$open/u/g.conf"
	run "$qlaunch" run "$open/u/g.conf"
	[ "$status" -eq 4 ]; [[ $output == *"$open/u/g.conf is root's, but not root's alone"*"$open/u belongs to uid"* ]]
	chmod 666 "$open/p.conf" 2>/dev/null || install -m 666 "$open/u/f.conf" "$open/p.conf"
	run "$qlaunch" run "$open/p.conf"
	[ "$status" -eq 4 ]; [[ $output == *"others may write to $open/p.conf"* ]]
	# and through a link that its owner can turn elsewhere
	ln -s "$PWD/configs/direct.conf" "$open/u/l.conf"
	run "$qlaunch" plan "$open/u/l.conf"
	[ "$status" -eq 4 ]
	[ ! -s "$open/ran" ]
}

@test "root's programs are not found by the caller's PATH, and its environment is made" {
	mkdir "$open/bin"
	for program in nft modprobe dnsmasq swtpm passt qemu-img qemu-system-x86_64; do
		printf '#!/bin/sh\necho "$0" >>%s/ran\nexit 1\n' "$open" >"$open/bin/$program"
	done
	chmod 755 "$open"/bin/*
	printf '#!/bin/sh\nenv >>%s/ran\n' "$open" >"$open/hook"; chmod 755 "$open/hook"
	PATH=$open/bin:$PATH run "$qlaunch" check configs/demo.conf
	PATH=$open/bin:$PATH run "$qlaunch" disk list --format raw "$vault/disk"
	[ ! -s "$open/ran" ]
	HWLOC_XMLFILE=$vault/plain LD_BIND_NOW=1 FOO=bar TZ=:$vault/plain XDG_CACHE_HOME=$vault run \
		strace -f -qq -s 300 -e trace=%file -o "$open/trace" "$qlaunch" topology
	[ "$(grep -c "$vault" <(grep -v 'execve(' "$open/trace"))" -eq 0 ]
}

@test "a second user who may run qlaunch neither reads, stops nor undoes the first one's machine" {
	local vm=first-$$ verb
	printf '[vm]\nname = %s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n[console]\nserial = pty\n' $vm >"$open/first.conf"
	"$qlaunch" run "$open/first.conf" >"$open/said" 2>&1 3>&- </dev/null & local pid=$!
	until grep -q 'running after' "$open/said"; do kill -0 $pid || { cat "$open/said"; return 1; }; sleep 0.1; done
	# the first one, without root: it is named, with the command that works
	run setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups env -u SUDO_UID XDG_RUNTIME_DIR="$open" "$qlaunch" status
	named=$output
	run setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups env -u SUDO_UID XDG_RUNTIME_DIR="$open" "$qlaunch" stop $vm
	echo "$named; $output"
	for verb in "stop" "stop --kill" "restore" "restore --forget" "console" "top --once"; do
		# shellcheck disable=SC2086 # words
		SUDO_UID=$(id -u daemon) run "$qlaunch" $verb $vm
		echo "$verb: $status $output"
		[ "$status" -ne 0 ] && kill -0 $pid || { "$qlaunch" stop --kill $vm; false; }
		[[ $verb == restore* || $output == *"another user"* ]]
	done
	qemu=$("$qlaunch" status --json | jq -r ".[] | select(.vm == \"$vm\") | .qemu")
	kill -KILL $pid; wait $pid || true # now it is a dead launcher's
	SUDO_UID=$(id -u daemon) run "$qlaunch" restore $vm
	echo "$output"
	[ "$status" -eq 4 ]; [[ $output == *"another user"* ]]; kill -0 "$qemu"
	SUDO_UID=$(id -u daemon) run "$qlaunch" run --set vm.name=$vm configs/direct.conf
	echo "$output"
	[ "$status" -ne 0 ]; kill -0 "$qemu"
	"$qlaunch" restore $vm
	! kill -0 "$qemu" 2>/dev/null
	[[ $named == *"$vm"*"started by root: sudo qlaunch stop $vm"* ]]
	[[ $output == *"another user"* ]]
}

@test "what another user has put where the first one's things would be is not followed, read, filled or removed" {
	local folder
	as_first() { setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups env -u SUDO_UID "$@"; }
	mkdir -p "$open/trap/qlaunch/vm" "$open/own"
	echo '00000000 {}' >"$open/trap/qlaunch/vm/journal"; touch "$open/trap/qlaunch/vm/lock"
	mkfifo "$open/trap/qlaunch/vm/status.json"
	chown -R daemon "$open/trap"; chmod -R a+rwX "$open/trap"
	chown nobody "$open/own"; ln -s "$open/trap/qlaunch" "$open/own/qlaunch"
	find "$open/trap" -printf '%p %m %u %s %T@\n' | sort >"$open/before"
	for folder in "$open/trap" "$open/own"; do
		for verb in status restore "restore --forget vm" "stop vm" "top --once vm" "run $PWD/configs/direct.conf"; do
			# shellcheck disable=SC2086 # words
			XDG_RUNTIME_DIR=$folder run as_first timeout 20 "$qlaunch" $verb
			echo "$folder: $verb: $status $output"
			[ "$status" -ne 0 ] && [ "$status" -ne 124 ]
		done
		XDG_RUNTIME_DIR=$folder run as_first timeout 20 "$qlaunch" status
		[[ $output == *"is not safe to use"* ]]
	done
	# a shared folder stands for no session's
	XDG_RUNTIME_DIR='' run strace -f -qq -e trace=%file -o "$open/trace" setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups \
		env -u SUDO_UID "$qlaunch" status
	[ "$(grep -c '"/tmp/qlaunch' "$open/trace")" -eq 0 ]
	find "$open/trap" -printf '%p %m %u %s %T@\n' | sort | diff "$open/before" -
}

@test "no code asks access(2), which answers for the real user id" {
	run grep -rnE '\baccess\(' launcher ovmf qmp --include=*.c
	echo "$output"; [ -z "$output" ]
}

@test "identities of all children are those of SECURITY.md" {
	local name=qlid$$ vm=i-$$ pid child
	useradd -M -d "$open/home" "$name"
	mkdir "$open/home"; chown "$name" "$open/home"
	ip netns add "$name"; ip -n "$name" link set lo up
	ip -n "$name" link add d0 type veth peer name d1; ip -n "$name" link set d1 up # passt wants a way out
	ip -n "$name" addr add 198.51.100.1/24 dev d0; ip -n "$name" link set d0 up; ip -n "$name" route add default via 198.51.100.2
	printf '#!/bin/sh\ngrep -E "^(Uid|Cap|NoNew|Seccomp:)" /proc/self/status >%s/ran\n' "$open" >"$open/hook"; chmod 755 "$open/hook"
	printf '[vm]\nname = %s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n[tpm]\nversion = 2.0
		[network lan]\nmode = nat\n[network out]\nmode = user\n[share s]\npath = %s/home\n[hooks]\nbefore = %s/hook\n' $vm "$open" "$open" | tr -d '\t' >"$open/i.conf"
	SUDO_UID=$(id -u "$name") ip netns exec "$name" "$qlaunch" run "$open/i.conf" >"$open/children" 2>&1 3>&- </dev/null & pid=$!
	until grep -qs 'running after' "$open/children"; do kill -0 $pid || break; sleep 0.1; done
	mkdir "$open/as"; cp "$open/ran" "$open/as/hook"
	for child in $(pgrep -P $pid); do cp "/proc/$child/status" "$open/as/$(basename "$(readlink "/proc/$child/exe")" | sed 's/-system.*//; s/\..*//')"; done
	env -u SUDO_UID "$qlaunch" stop --now $vm || true; wait $pid || true
	uid=$(id -u "$name"); userdel "$name"; ip netns del "$name"
	cat "$open/children"
	rows=$(sed -nE '/^## Who runs as what/,/^## Cap/s/^\| `([a-z]+)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|.*/\1|\2|\3|\4|\5/p' SECURITY.md)
	[ "$(cut -d'|' -f1 <<<"$rows" | sort)" = "$(ls "$open/as")" ]
	while IFS='|' read -r child who caps nnp seccomp; do
		field() { awk -v f="$1:" '$1 == f { print $2 }' "$open/as/$child"; }
		echo "$child: $(field Uid) $(field CapEff) $(field NoNewPrivs) $(field Seccomp)"
		[ "$(field Uid)" = "$([ "$who" = user ] && echo "$uid" || id -u "$who")" ]
		case $caps in
		none) [ "$(field CapPrm)" = 0000000000000000 ] ;;
		"NET_ADMIN NET_RAW") [ "$(field CapPrm)" = 0000000000003000 ] ;;
		namespace) [ "$(field CapBnd)" != 000001ffffffffff ] ;;
		*) false ;;
		esac
		[ "$(field NoNewPrivs)" = "$([ "$nnp" = yes ] && echo 1 || echo 0)" ]
		[ "$(field Seccomp)" = "$([ "$seccomp" = yes ] && echo 2 || echo 0)" ]
	done <<<"$rows"
}

# caps_drop_to() is for good: what the launcher kept in its bounding set is what a program that it runs as root could get back.
@test "the launcher itself keeps the capabilities of its steps and no others, also where root runs its own" {
	printf '[vm]\nname = k-%s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n' $$ >"$open/k.conf"
	for who in nobody root; do
		[ "$who" = nobody ] || unset SUDO_UID SUDO_USER
		"$qlaunch" run "$open/k.conf" >"$open/said" 2>&1 3>&- </dev/null & local pid=$!
		until grep -q 'running after' "$open/said"; do kill -0 $pid || { cat "$open/said"; return 1; }; sleep 0.1; done
		has=$(awk '/^Cap/ { print $1 $2 }' "/proc/$pid/status" | xargs)
		"$qlaunch" stop --now "k-$$"; wait $pid
		# those of `process`: KILL is bit 5, SETGID 6, SETUID 7, SETPCAP 8, SYS_NICE 23 (linux/capability.h)
		echo "$who: $has"
		[ "$has" = "CapInh:0000000000000000 CapPrm:00000000008001e0 CapEff:00000000008001e0 CapBnd:00000000008001e0 CapAmb:0000000000000000" ]
	done
}

@test "SECURITY.md has every kind of step, with the capabilities that it keeps" {
	kinds=$(grep -hoE '^	\.name = "[a-z-]+"' launcher/host/*/*.c | cut -d'"' -f2)
	[ "$(wc -l <<<"$kinds")" -eq "$(grep -o '&[a-z_]*_kind' launcher/plan/kinds.c | wc -l)" ]
	for kind in $kinds; do
		row=$(grep -E "^\\|[^|]*\`$kind\`" SECURITY.md) || { echo "$kind is not there"; return 1; }
		keeps=$(cut -d'|' -f4 <<<"$row" | xargs -n 1 | sort | xargs)
		needs=$(grep -E "^	\{ \"$kind\"," launcher/host/kind/caps.c | grep -oE 'CAP\([A-Z_]+' | cut -c 5- | sort | xargs)
		[ "$keeps" = "${needs:-none}" ] || { echo "$kind: $keeps, but ${needs:-none}"; return 1; }
	done
}

@test "the monitor's socket is its owner's alone, whatever the umask" {
	unset SUDO_UID SUDO_USER
	printf '[vm]\nname = m-%s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n' $$ >"$open/m.conf"
	umask 000 # not sooner: root runs no file of its own that others may write to
	"$qlaunch" run "$open/m.conf" >"$open/said" 2>&1 3>&- </dev/null & local pid=$!
	until grep -q 'running after' "$open/said"; do kill -0 $pid || { cat "$open/said"; return 1; }; sleep 0.1; done
	mode=$(stat -c %a "/run/qlaunch/m-$$/monitor")
	"$qlaunch" stop --now "m-$$"
	wait $pid
	[ "$mode" = 600 ]
}
