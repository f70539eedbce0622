#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# check: slow
# What SECURITY.md promises: as root on behalf of a user, qlaunch opens, runs, writes, and even looks at, no file that the configuration
# names. Each key names a file in a directory of root's that the user cannot enter. Every system call of every process is watched: one that
# succeeds with such a path was root's.

setup() {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	open=$(mktemp -d -p /var/tmp) # bats' own directories are not the user's to enter, and virtiofsd has the shared folder for its /tmp
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
	[ -z "${made:-}" ] || { rm -f "/etc/sudoers.d/$made"; userdel "$made"; }
	[ -z "${open:-}" ] || rm -rf "$open"
}
# An account, in $made, that may run qlaunch by sudo and nothing else; by_sudo COMMAND...: what it types.
make_user() {
	made=qlsudo$$
	useradd -M -d "$open/home" "$made"
	mkdir "$open/home"; chown "$made" "$open/home"
	printf '%s ALL=(root) NOPASSWD: %s\n' "$made" "$qlaunch" >"/etc/sudoers.d/$made"
	unset SUDO_UID SUDO_USER
	sudo=(setpriv --reuid="$(id -u "$made")" --regid="$(id -g "$made")" --clear-groups env HOME="$open/home" sudo -n)
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

@test "firmware's code" {
	launch firmware.type=uefi "firmware.code=$vault/plain" "firmware.vars=$vault/other"; [ "$status" -ne 0 ]; untouched
}

@test "a card's ROM, a shared folder, an agent's socket" {
	launch "share s.path=$vault"; [ "$status" -ne 0 ]; untouched 0 # refused is what virtiofsd does there: entering it
	launch "share s.path=$vault/plain"; [ "$status" -ne 0 ]; untouched
	launch "console.agent=$vault/plain"; [ "$status" -ne 0 ]; untouched 0 # as it connects to that, which is no call with a path
	launch "pci gpu.address=00:00.0" "pci gpu.rom=$vault/plain"; [ "$status" -ne 0 ]; untouched 0
}

@test "the password and the certificates of viewers" {
	launch display.mode=spice display.port=5999 "display.password=$vault/plain"; [ "$status" -ne 0 ]; untouched
	launch display.mode=spice display.port=5999 "display.tls=$vault"; [ "$status" -ne 0 ]; untouched
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

@test "tables, properties and flags that QEMU is given" {
	launch "acpi.tables=$vault/plain"; [ "$status" -ne 0 ]; untouched
	launch "qemu.set=machine.firmware=$vault/plain"; [ "$status" -ne 0 ]; untouched 0 # as there is another way that QEMU looks first
	launch "cpu.flags=model-id=$vault/plain"; untouched 0 # is a text
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
		run --account | - a name in the guest
		run --edition | - one of a list
		run --password-file | run --install $open/disc.iso --drivers $open/drivers.iso --unattended --password-file @ $open/p.conf
		plan CONFIG | plan @
		check CONFIG | check @
		check CONFIG | check --html @
		new NAME | new --yes @
		new --iso | new --yes --output - --iso @ some
		new --from | new --yes --output - --from @ some
		new --gpu | new --yes --gpu @ some
		new --output | new --yes --output @ some
		import FILE | import --output - @
		import --output | import --output @ $open/domain.xml
		import nvram | domain @
		capture FILE | capture @.tar
		capture CONFIG | capture $open/u/made.tar @
		fetch --from | - an address
		fetch --output | fetch --from http://127.0.0.1:1/ --output @ virtio-win
		fetch --sha256 | - a number
		export CONFIG | export --libvirt @
		export CONFIG | export --sh @
		desktop CONFIG | desktop @
		desktop CONFIG | desktop --remove @
		edit CONFIG | edit @
		clone CONFIG | clone @ other
		clone NAME | clone $open/p.conf @
		clone --tpm | - one of two words
		rename CONFIG | rename @ other
		rename NAME | rename $open/p.conf @
		remove CONFIG | remove --yes @
		autostart CONFIG | autostart @ on
		log CONFIG | log @
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
		monitors --back | - a number
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
		stop VM | stop --agent @
		pause VM | pause @
		resume VM | resume @
		reset VM | reset @
		reboot VM | reboot @
		cdrom VM | cdrom @ $open/disc.iso
		cdrom DRIVE | - a name of the machine's own
		cdrom FILE | cdrom some @
		forward VM | forward @ tcp:1:1
		forward RULE | - numbers
		screenshot VM | screenshot @ $open/u/a.png
		screenshot FILE | screenshot some @.png
		key VM | key @ a
		key KEYS | - names of keys, for QEMU
		exec VM | exec @ -- ls
		exec COMMAND | - runs in the guest
		exec --timeout | - a number
		ssh VM | ssh @
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
	chown -hR "${made:-nobody}": "$open/u"
}

@test "every verb, every argument: a file, a new name, a link and a FIFO of another's are nothing to root, by sudo" {
	local row command name words
	make_user
	users_folder
	"${sudo[@]}" "$qlaunch" status --json # it does start it
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
			timeout 30 strace -f -qq -s 300 -A -e trace=%file,fchown,fchmod -o "$open/trace" "${sudo[@]}" "$qlaunch" "${words[@]}" </dev/null >>"$open/said" 2>&1 3>&- &&
				status=0 || status=$?
			[ "$status" -ne 124 ] || { echo "$row: waits for ever at $name"; false; }
		done
		# reading a link itself is no look at what it leads to
		output=$(grep -E 'vault/[a-z]|u/link"' "$open/trace" | grep -vE 'readlink|AT_SYMLINK_NOFOLLOW|lstat|execve\("/[^"]*/(qlaunch|qemu-img|true|sudo|env|setpriv)",' |
			grep -E '= [0-9]+(<|$| )') || true
		[ -z "$output" ] || { echo "$row: $output"; false; }
		[ ! -s "$open/ran" ] || { echo "$row: ran"; false; }
		[ "$(state)" = "$before" ] || { echo "$row: changed"; diff <(state) - <<<"$before"; false; }
		[ "$(grep -c SECRET "$open/said")" -eq 0 ] || { echo "$row: told"; false; }
		# a name of the user's own folder leads there, too: where nothing was refused, the command has not come as far as the name
		grep -q EACCES "$open/trace" || [[ $row =~ ^((new|clone|rename)\ NAME|desktop|monitors|status|top|console|stop|restore|(pause|resume|reset|reboot|cdrom|forward|screenshot|key|exec|ssh)\ VM|screenshot\ FILE)\  ]] || { echo "$row: did not try"; false; }
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
	printf '#!/bin/sh\nid -u >>%s/ran\nexit 1\n' "$open" >"$open/hook"; chmod 755 "$open/hook"
	mkdir "$open/u"; chown nobody "$open/u"
	printf '[vm]\nname = f-%s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n[hooks]\nbefore = %s\n' \
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

@test "a user's programs have no terminal of root's: while QEMU is asked, in a hook, and as QEMU" {
	unset SUDO_UID SUDO_USER
	mkdir "$open/u"
	cat >"$open/u/program" <<-PROGRAM
		#!/bin/sh
		case \$0 in *qemu) what=qemu ;; *) what=hook ;; esac
		{ echo "\$what \$(id -u)"; find /proc/\$\$/fd -lname '/dev/pts/*' -printf "\$what holds %l\n"; } >>$open/ran
		(: >/dev/tty) 2>/dev/null && echo "\$what has a terminal" >>$open/ran
		[ \$what = hook ] || exec qemu-system-x86_64 "\$@"
	PROGRAM
	cp "$open/u/program" "$open/u/qemu"; chmod 755 "$open"/u/*
	printf '[vm]\nname = t-%s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n[qemu]\nbinary = %s/u/qemu\n[hooks]\nbefore = %s/u/program\n' \
		$$ "$open" "$open" >"$open/u/t.conf"
	chown -R nobody "$open/u"
	run tests/terminal.py "wait:running after" "run:$qlaunch stop --now t-$$" -- "$qlaunch" run "$open/u/t.conf"
	echo "$output"; cat "$open/ran"
	[ "$status" -eq 0 ]; [[ $output == *"exit 0, terminal kept"* ]]
	[ "$(grep -cx "qemu $(id -u nobody)" "$open/ran")" -gt 2 ]; grep -qx "hook $(id -u nobody)" "$open/ran"
	[ "$(grep -cE 'holds|has' "$open/ran")" -eq 0 ]
}

@test "by doas, which says who called by a name: that user, whatever the file, the keys and the environment say" {
	local conf=$open/doas.conf etc=$open/etc first
	make_user
	first=$(id -u nobody)
	mkdir -p "$etc/up" "$etc/work" "$open/u"
	printf 'permit nopass keepenv %s as root cmd %s\n' "$made" "$qlaunch" >"$conf"; chmod 600 "$conf"
	printf '#!/bin/sh\n{ id -u; env; } >>%s/ran\nexit 1\n' "$open" >"$open/hook"; chmod 755 "$open/hook"
	printf '[vm]\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n' | tee "$open/u/theirs.conf" >"$open/roots.conf"
	chown -R nobody "$open/u"
	by_doas() { # COMMAND...: with a doas.conf of this test's own
		unshare -m --propagation private bash -c 'mount -t overlay -o "lowerdir=/etc,upperdir=$1/up,workdir=$1/work" etc /etc
			install -m 600 "$2" /etc/doas.conf; shift 2; exec "$@"' - "$etc" "$conf" \
			setpriv --reuid="$(id -u "$made")" --regid="$(id -g "$made")" --clear-groups env HOME="$open/home" "${variables[@]}" doas -n "$qlaunch" "$@"
	}
	# a root's file, another user's, and names of others let through
	variables=(FOO=bar)
	for file in roots u/theirs; do
		run by_doas run "$open/$file.conf" --set "hooks.before=$open/hook"
		echo "$file: $output"
		[ "$status" -eq 1 ]; [ "$(head -n 1 "$open/ran")" = "$(id -u "$made")" ]
		[ "$(grep -c '^FOO=' "$open/ran")" -eq 0 ]
		: >"$open/ran"
		run by_doas run "$open/$file.conf" --set "hooks.before=$open/hook" --set vm.user=nobody
		echo "$file as nobody: $output"
		[ "$status" -eq 4 ]; [[ $output == *"$made may not start a machine as nobody"* ]]
	done
	for variables in SUDO_UID=0 PKEXEC_UID=0; do
		run by_doas plan --set vm.user=root "$open/roots.conf"
		echo "$variables: $output"
		[ "$status" -eq 4 ]; [[ $output == *"$made may not start a machine as root"* ]]
	done
	for variables in "SUDO_UID=$first" "PKEXEC_UID=$first"; do
		run by_doas run "$open/u/theirs.conf" --set "hooks.before=$open/hook"
		echo "$variables: $output"
		[ "$status" -eq 4 ]; [[ $output == *"DOAS_USER names another user than ${variables%=*}"* ]]
	done
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
	! grep -qs '^State:.[^ZX]' "/proc/$qemu/status" || false # who has it now reaps it when they will
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

# The user's machine with all that can start beside it. Each child is the real one, behind a program of its name that tells what it was given: what
# its descriptors lead to, its environment; what it is then, is asked of the kernel once the guest runs. All in $open/as.
whole_machine() {
	local name=qlid$$ vm=i-$$ pid child program fs
	useradd -M -d "$open/home" "$name"
	mkdir "$open/home" "$open/bin" "$open/real" "$open/as"; chown "$name" "$open/home"; chmod 777 "$open/as"
	ip netns add "$name"; ip -n "$name" link set lo up
	ip -n "$name" link add d0 type veth peer name d1; ip -n "$name" link set d1 up # passt wants a way out
	ip -n "$name" addr add 198.51.100.1/24 dev d0; ip -n "$name" link set d0 up; ip -n "$name" route add default via 198.51.100.2
	for fs in /usr/libexec/virtiofsd /usr/lib/virtiofsd /usr/lib/qemu/virtiofsd; do [ ! -e $fs ] || break; done
	cp "$fs" "$open/real/virtiofsd"; cp /bin/true "$open/real/hook"
	for child in qemu-system-x86_64 swtpm passt virtiofsd dnsmasq hook; do
		program=$open/real/$child; [ -e "$program" ] || program=$(command -v $child)
		cat >"$open/bin/$child" <<-WRAPPER
			#!/bin/sh
			at=$open/as/${child%%-*}
			rm -f \$at.fds \$at.env \$at.status
			find /proc/\$\$/fd -mindepth 1 ! -lname '*/$child' -fprintf \$at.fds '%f %l\n' # neither pipe nor redirection: the shell would hold it
			tr '\\0' '\\n' </proc/\$\$/environ >\$at.env
			cat /proc/\$\$/status >\$at.status
			exec $program "\$@"
		WRAPPER
		chmod 755 "$open/bin/$child"
	done
	printf '[vm]\nname = %s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n[tpm]\nversion = 2.0
		[network lan]\nmode = nat\n[network out]\nmode = user\n[share s]\npath = %s/home\n[console]\nagent = yes\n[hooks]\nbefore = %s/bin/hook\n' \
		$vm "$open" "$open" | tr -d '\t' >"$open/i.conf"
	uid=$(id -u "$name")
	SUDO_UID=$uid FOO=bar LD_LIBRARY_PATH=/nowhere PYTHONPATH=/nowhere XDG_CONFIG_HOME=/nowhere LC_ALL=C.UTF-8 DISPLAY=:7 \
		unshare -m --propagation private bash -c 'mount --bind "$1/bin" /usr/local/bin; mount --bind "$1/bin/virtiofsd" "$2"; shift 2; exec "$@"' - \
		"$open" "$fs" ip netns exec "$name" "$qlaunch" run "$open/i.conf" >"$open/children" 2>&1 3>&- </dev/null & pid=$!
	until grep -qs 'running after' "$open/children"; do kill -0 $pid || break; sleep 0.1; done
	for child in $(pgrep -P $pid); do
		cp "/proc/$child/status" "$open/as/$(basename "$(readlink "/proc/$child/exe")" | sed 's/-system.*//; s/\..*//').status" || true
		ls -l "/proc/$child/fd" >>"$open/held" || true
	done
	env -u SUDO_UID "$qlaunch" stop --now $vm || true; wait $pid || true
	userdel "$name"; ip netns del "$name"
	cat "$open/children"
}

@test "identities of all children, their descriptors and their environment are those of SECURITY.md" {
	local child who caps nnp seccomp fds given user_env
	whole_machine
	rows=$(sed -nE '/^## Who runs as what/,/^## /s/^\| `([a-z]+)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \| ([^|]*) \| ([^|:]*).* \|$/\1|\2|\3|\4|\5|\6/p' SECURITY.md)
	[ "$(cut -d'|' -f1 <<<"$rows" | sort)" = "$(ls "$open/as" | sed 's/\..*//' | sort -u)" ]
	while IFS='|' read -r child who caps nnp seccomp fds; do
		field() { awk -v f="$1:" '$1 == f { print $2 }' "$open/as/$child.status"; }
		echo "$child: $(field Uid) $(field CapEff) $(field NoNewPrivs) $(field Seccomp)"; cat "$open/as/$child.fds"
		[ "$(field Uid)" = "$([ "$who" = user ] && echo "$uid" || id -u "$who")" ]
		case $caps in
		none) [ "$(field CapPrm)" = 0000000000000000 ] ;;
		"NET_ADMIN NET_RAW") [ "$(field CapPrm)" = 0000000000003000 ] ;;
		namespace) [ "$(field CapBnd)" != 000001ffffffffff ] ;;
		*) false ;;
		esac
		[ "$(field NoNewPrivs)" = "$([ "$nnp" = yes ] && echo 1 || echo 0)" ]
		[ "$(field Seccomp)" = "$([ "$seccomp" = yes ] && echo 2 || echo 0)" ]
		# what it was started with: /dev/null, two pipes, and the rest by kind and number
		[ "$(sed -nE 's/^0 //p' "$open/as/$child.fds")" = /dev/null ]
		[ "$(grep -cE '^[12] pipe:' "$open/as/$child.fds")" -eq 2 ]
		given=$(sed -E '/^[012] /d; s/^[0-9]+ //; s/:.*//; s,^/dev/net/,,' "$open/as/$child.fds" | sort | uniq -c | awk '{ printf "%s%s %s", s, $1, $2; s = ", " }')
		[ "${given:-none}" = "$fds" ]
	done <<<"$rows"
	# no child holds what is the launcher's own
	[ "$(grep -cE '/run/qlaunch/i-[0-9]+/(lock|journal|claims)|/run/qlaunch/.claims' "$open/held")" -eq 0 ]
	# the environment: that of the table, and nothing else
	names() { sed -nE "/^## $1/,/^## /s/^\| \`([A-Z_]+)\`.*/\1/p" SECURITY.md | sort; }
	diff <(names 'What is let through') <(sed -nE 's/^	\{ "([A-Z_]+)", (ANY|WORD|NUMBER), .*/\1/p' launcher/base/behalf.c | sort)
	user_env="HOME USER LOGNAME XDG_DATA_HOME PATH XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS WAYLAND_DISPLAY $(sed -nE '/kept\[\] =/,/;/s/[^A-Z_]+/ /gp' launcher/base/user.c | xargs)"
	for child in $(cut -d'|' -f1 <<<"$rows"); do
		echo "$child: $(sed 's/=.*//' "$open/as/$child.env" | xargs)"
		grep -q '^PATH=' "$open/as/$child.env"
		[ -z "$(sed 's/=.*//; /^$/d; /^QLAUNCH_/d' "$open/as/$child.env" | grep -vxFf <(tr ' ' '\n' <<<"$([ $child = dnsmasq ] && echo PATH || echo "$user_env")"))" ]
	done
	grep -qx DISPLAY=:7 "$open/as/qemu.env"
	[ "$(sed -n 's/^PATH=//p' "$open/as/qemu.env")" = /usr/local/bin:/usr/bin:/bin ]
}

@test "each test that SECURITY.md names is there" {
	local file name n=0
	while IFS='|' read -r file name; do
		n=$((n + 1))
		grep -qE "^@test \".*${name}" "$file" || { echo "$file has no test \"$name\""; return 1; }
	done < <(tr -s '\n ' ' ' <SECURITY.md | grep -oE '\*\([^*]*\)\*' | awk '{
		of = "tests/privilege.bats"; text = $0
		while (match(text, /"[^"]*"( of `tests\/[a-z]+\.bats`)?/)) {
			word = substr(text, RSTART, RLENGTH); text = substr(text, RSTART + RLENGTH)
			if (match(word, /`.*`/)) of = substr(word, RSTART + 1, RLENGTH - 2)
			sub(/^"/, "", word); sub(/".*/, "", word); sub(/,$/, "", word)
			print of "|" word
		}
	}')
	[ $n -gt 14 ]
	for file in $(grep -oE '`(tests/[a-z/]+\.(bats|c)|tests/[a-z]+|test_[a-z]+\.c)`' SECURITY.md | tr -d '\`' | sort -u); do
		[ -e "$file" ] || [ -e "tests/unit/$file" ] || { echo "no $file"; return 1; }
	done
	for file in $(grep -oE '`tests/lab`: [a-z-]+' SECURITY.md | sed 's/.*: //'); do [ -e "tests/lab/jobs/$file.sh" ]; done
	# and each promise names one
	run awk '/^## / { on = /administrator|user|host$/ } /^(- |#|$)/ { if (said && said !~ /\*\(["`]/) print said; said = "" } on && /^- / { said = $0 } said && /^  / { said = said $0 }' SECURITY.md
	echo "without a test: $output"; [ -z "$output" ]
	[ "$(grep -c '^- ' SECURITY.md)" -gt 12 ]
}

# "KEY<tab>NAMED<tab>FORM" of every key, as the program itself says what there is
keys() {
	"$qlaunch" _keys man | awk '/^## \[/ { named = /NAME/; section = $2; gsub(/[][]/, "", section) }
		/^\*/ { key = $1; gsub(/\*/, "", key); sub(/^\*[^*]*\* = /, ""); print section "." key "\t" named "\t" $0 }'
}

@test "each key that takes a path, a program or arguments has its test above" {
	local key form n=0
	while IFS='	' read -r key _ form; do
		[[ $form =~ PATH|PROGRAM|ARGUMENT ]] || continue
		n=$((n + 1))
		grep -qE "\"?(${key/./( [a-z]+)?.})=" "$BATS_TEST_FILENAME" || { echo "$key = $form is not tried"; return 1; }
	done < <(keys)
	[ $n -gt 17 ]
	# and one that is not there would be seen
	! grep -qE '"?(hooks( [a-z]+)?.behind)=' "$BATS_TEST_FILENAME"
}

@test "what any other key is given is no path to root: a file's name, and a way there" {
	local key named form section words value n=0
	while IFS='	' read -r key named form; do
		# no word of a table, and nothing with a form of its own
		[[ $form =~ [A-Z] && ! $form =~ ^(NUMBER|SIZE)$ ]] || continue
		section=${key%%.*} words=() n=$((n + 1))
		case $section in
		disk | cdrom | share) words=(--set "$section x.path=$open") ;;
		input) words=(--set "input x.device=name:Nobody's") ;;
		monitor) words=(--set "monitor x.match=Nobody's" --set "monitor x.guest-input=15") ;;
		network) words=(--set "network x.mode=bridge") ;;
		esac
		[ "$named" = 0 ] || key="${key/./ x.}"
		for value in "$vault/plain" "../../../../../../$vault/plain"; do
			timeout 30 strace -f -qq -s 300 -e trace=%file,fchown,fchmod -o "$open/trace" "$qlaunch" plan "${words[@]}" --set "$key=$value" "$open/p.conf" \
				</dev/null >"$open/said" 2>&1 3>&- && status=0 || status=$?
			[ "$status" -ne 124 ]
			untouched 0 || { echo "$key=$value"; return 1; }
		done
	done < <(printf '[vm]\nname = p\naccel = tcg\n[cpu]\nthreads = 1\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n' >"$open/p.conf"; keys)
	[ $n -gt 50 ]
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

@test "what a user writes stops no services; what is root's own does" {
	make_user
	mkdir "$open/roots"
	for file in "$open/roots/r.conf" "$open/home/u.conf"; do printf '[host]\nstop = fancontrol.service\n' >"$file"; done
	chown "$made" "$open/home/u.conf"
	stops() { "${sudo[@]}" "$qlaunch" check "$@" 2>&1 | tr -s ' \n' ' ' | grep -o '\[host\] stop: on behalf of a user only a file that root alone can write'; }
	run stops "$open/home/u.conf"; [ "$status" -eq 0 ]
	run stops "$open/roots/r.conf"; [ "$status" -eq 1 ]
	for set in host.stop ' host.stop' 'host .stop'; do
		run stops --set "$set=sshd.service" "$open/roots/r.conf"; [ "$status" -eq 0 ]
	done
	chown "$made" "$open/roots" # who can exchange it
	run stops "$open/roots/r.conf"; [ "$status" -eq 0 ]
}
