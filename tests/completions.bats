#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion in bash, zsh and fish: what the real shells offer for a line. bash and zsh have a terminal, and keys are typed there.

setup_file() {
	cd "$BATS_TEST_DIRNAME/.."
	export HOME=$BATS_FILE_TMPDIR/home OFFERED=$BATS_FILE_TMPDIR/offered COMPLETIONS=$PWD/share/completions
	export PATH=$PWD/${BUILD:-build}:$PATH TERMINAL=$PWD/tests/terminal.py
	mkdir -p "$HOME/.config/qlaunch" "$BATS_FILE_TMPDIR/there/folder"
	printf '[pci gpu]\nmatch = class:vga\n' >"$HOME/.config/qlaunch/lounge.conf"
	echo >"$HOME/.config/qlaunch/attic.conf"
	for f in here.conf domain.xml letter.txt windows.iso; do echo >"$BATS_FILE_TMPDIR/there/$f"; done
	# bash: Alt-* puts all that it would offer on the line, and Ctrl-O keeps that line. zsh: what compadd is given is kept.
	cat >"$HOME/.bashrc" <<-'RC'
		PS1='READY> '
		. "$COMPLETIONS/qlaunch.bash"
		bind -x '"\C-o": printf "%s\n" "$READLINE_LINE" >>"$OFFERED"'
	RC
	cat >"$HOME/.zshrc" <<-'RC'
		PS1='READY> '
		LISTMAX=10000
		bindkey -e
		fpath=($COMPLETIONS $fpath)
		autoload -Uz compinit && compinit -u
		compadd() {
			local -a hits
			local word
			if [[ " $* " != *' -'[OAD]' '* ]]; then
				builtin compadd -O hits "$@"
				for word in $hits; do print -r -- "$LBUFFER"$'\t'"$word" >>$OFFERED; done
			fi
			builtin compadd "$@"
		}
	RC
}
setup() {
	cd "$BATS_FILE_TMPDIR/there"
	# machines that run: the journals of this user, whoever that is
	export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR
	mkdir -p "$XDG_RUNTIME_DIR/qlaunch/running"; echo >"$XDG_RUNTIME_DIR/qlaunch/running/journal"
}
# SHELL LINE...: what is offered at the end of each line, as "LINE<tab>WORD"
offers() {
	local shell=$1 line typed= said; shift
	rm -f "$OFFERED"
	case $shell in
	bash)
		for line; do typed+="$line\\x1b*\\x0f\\x15"; done
		"$TERMINAL" 'wait:READY> ' "key:$typed" 'key:exit\n' -- bash --noprofile -i >/dev/null
		for line; do # one line is said for each
			read -r said; said+=" "
			[[ ${said%% } == "$line" ]] || sed 's/\([^\]\) /\1\n/g' <<<"${said#"${line% *} "}" | sed "/^\$/d; s|^|$line\t|"
		done <"$OFFERED" ;;
	zsh)
		for line; do typed+="$line\\t\\x15"; done
		ZDOTDIR=$HOME "$TERMINAL" 'wait:READY> ' "key:$typed" 'key:exit\n' -- zsh -i >/dev/null
		[ ! -e "$OFFERED" ] || cat "$OFFERED" ;;
	fish)
		for line; do
			fish --no-config -c 'source $COMPLETIONS/qlaunch.fish; complete -C $argv[1]' "$line" | cut -f 1 | sed "s|^|$line\t|"
		done ;;
	esac
}
words() { cut -f 2 | sed 's/[ /]*$//' | sort -u; } # as a set
# VERB: "all", or its options by the table of the program
table() {
	sed -n '/^static const struct verb verbs/,/^};/p' "$BATS_TEST_DIRNAME/../launcher/main.c" | tr -d '\n\t' | sed -e 's/N_(\("[^"]*"\))/\1/g' -e 's/},/},\n/g' | sed -n \
		's/.*{ "\([a-z]*\)", "[^"]*", "[^"]*", "\([^"\\]\|\\.\)*", *\("\([^"]*\)"\|NULL\), .*/\1 \4/p' | sed 's/\[=[^ ]*//g; s/=//g'
}
same() { diff <(printf '%s\n' "$1" | sort -u) <(printf '%s\n' "$2" | sort -u); }

all_shells() { # FUNCTION: for each shell, with its name
	local shell
	for shell in bash zsh fish; do echo "in $shell"; "$1" "$shell"; done
}

@test "the verbs, all of them, the machines and the files of this folder" {
	one() {
		local said; said=$(offers "$1" "qlaunch " | words)
		same "$said" "$(table | cut -d ' ' -f 1; printf '%s\n' lounge attic here.conf folder)"
		said=$(offers "$1" "qlaunch r" | words)
		same "$said" "$(printf '%s\n' run restore rename remove resume reset reboot)"
	}
	[ "$(table | wc -l)" -ge 19 ]
	all_shells one
}

@test "the options of each verb, and no others" {
	one() {
		local verb own line lines=() said common="--set --json --root --quiet --verbose --help --version"
		while read -r verb own; do lines+=("qlaunch $verb --"); done < <(table)
		said=$(offers "$1" "${lines[@]}")
		while read -r verb own; do
			echo "of $verb"
			same "$(grep -- "^qlaunch $verb --"$'\t' <<<"$said" | words | grep -v '^-[a-z]$')" \
				"$(tr ' ' '\n' <<<"$common${own:+ $(sed 's/[^ ]*/--&/g' <<<"$own")}")"
		done < <(table)
	}
	all_shells one
}

@test "--set: keys first, then the words of a key; the sections of the configuration that stands on the line" {
	one() {
		local said; said=$(offers "$1" "qlaunch run --set vm." | words)
		same "$said" "$(qlaunch _keys names | grep '^vm\..*=$')"
		said=$(offers "$1" "qlaunch run --set vm.accel=" | words | sed 's/^vm.accel=//' | sed '/^$/d')
		same "$said" "$(printf '%s\n' auto kvm tcg)"
		said=$(offers "$1" "qlaunch --set=vm.acc" | words | sed 's/^--set=//')
		[ "$said" = vm.accel= ]
		said=$(offers "$1" "qlaunch plan lounge --set pci" | words | tr -d '\\')
		grep -qx 'pci gpu.rom=' <<<"$said"
		[ "$(grep -c NAME <<<"$said")" -eq 0 ]
	}
	all_shells one
}

@test "what a verb takes: machines, configurations, running machines, subcommands, files" {
	one() {
		local said; said=$(offers "$1" "qlaunch plan " "qlaunch stop " "qlaunch top r" "qlaunch console " "qlaunch disk " "qlaunch disk list " \
			"qlaunch switch lounge " "qlaunch import " "qlaunch bench " "qlaunch groups " "qlaunch lounge " "qlaunch run --install " \
			"qlaunch setup --gpu n" "qlaunch disk list --format ")
		echo "$said"
		of() { grep -- "^$1"$'\t' <<<"$said" | words; }
		same "$(of 'qlaunch plan ')" "$(printf '%s\n' lounge attic here.conf folder)"
		same "$(of 'qlaunch import ')" "$(printf '%s\n' domain.xml here.conf folder)"
		same "$(of 'qlaunch run --install ')" "$(printf '%s\n' windows.iso folder)"
		same "$(of 'qlaunch disk list ')" "$(printf '%s\n' lounge attic here.conf folder domain.xml letter.txt windows.iso)"
		same "$(of 'qlaunch bench ')" "$(printf '%s\n' report compare submit gather here.conf folder domain.xml letter.txt windows.iso)"
		of 'qlaunch stop ' | grep -qx running
		of 'qlaunch console ' | grep -qx running
		same "$(of 'qlaunch disk ')" "$(sed -n 's/^\t{ "\([a-z]*\)", ".*disk_.* },/\1/p' "$BATS_TEST_DIRNAME/../launcher/verbs/verb_disk.c")"
		same "$(of 'qlaunch switch lounge ')" "$(printf '%s\n' guest host)"
		same "$(of 'qlaunch disk list --format ')" "$(printf '%s\n' qcow2 raw)"
		[ -z "$(of 'qlaunch groups ')" ]
		[ -z "$(of 'qlaunch lounge ')" ]
		of 'qlaunch top r' | grep -qx running
		of 'qlaunch setup --gpu n' | grep -qx none
	}
	all_shells one
}

@test "the examples of new: those beside this qlaunch" {
	one() {
		local said; said=$(offers "$1" "qlaunch new --from u" | words)
		same "$said" ubuntu
	}
	all_shells one
}
