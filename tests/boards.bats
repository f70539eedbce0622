#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What is proposed on the boards that people own, and what is said of their groups: tests/captured/boards, each with what is expected of it.

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	export LC_ALL=C.UTF-8 HOME=$BATS_TEST_TMPDIR XDG_DATA_HOME=$BATS_TEST_TMPDIR/data XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR
	unset SUDO_UID PKEXEC_UID
}
value() { # SECTION KEY
	awk -v s="[$1]" -v k="$2" '$0 == s { on = 1; next } /^\[/ { on = 0 } on && $1 == k { sub(/^[^=]*= */, ""); print }' "$conf"
}
# What the board says to one line of its expectations.
answer() { # WORD ARGUMENT…
	case $1 in
	gpu) v=$(value 'pci gpu' address); echo "gpu ${v:-none}" ;;
	sound) echo "sound $(value 'pci gpu-audio' address)" ;;
	release) v=$(value host release-console); echo "release ${v:-no}" ;;
	battery) v=$(value acpi battery); echo "battery ${v:-no}" ;;
	display) echo "display $(value display mode)" ;;
	keyboard | mouse) v=$(value "input $1" device); echo "$1 ${v:-none}" ;;
	also) grep -xqF "device = ${*:2}" "$conf" && echo "$*" || echo "also nothing" ;;
	passes) echo "passes $(jq -r '[.steps[] | select(.kind == "pci-driver") | .target | ltrimstr("0000:")] | join(" ")' "$tree.plan")" ;;
	binds) echo "binds $(sed -n 's/^+take 0000:\([^ ]*\) .*/\1/p' "$tree.setup" | paste -sd' ' | grep . || echo none)" ;;
	verdict) echo "verdict $2 $(jq -r --argjson g "$2" '.groups[] | select(.group == $g) | .verdict' "$tree.groups")" ;;
	why) jq -r --argjson g "$2" '.groups[] | select(.group == $g) | .why | join("; ")' "$tree.groups" | has "${@:3}" && echo "$*" ;;
	check | machine) jq -r --arg v "$2" --arg t "$3" '.findings[] | select(.verdict == $v and .topic == $t) | .text + " → " + (.remedy // "")' \
		"$tree.$1" | has "${@:4}" && echo "$*" ;;
	not) jq -r --arg t "$2" '.findings[] | select(.topic == $t) | .text' "$tree.machine" "$tree.check" | has "${@:3}" || echo "$*" ;;
	esac
}
has() { grep -qF -- "$*"; }
say() { # TREE: what of it more than the proposal is asked for
	"$qlaunch" groups --json --root "$1" >"$1.groups" || true
	"$qlaunch" check --json --root "$1" >"$1.check" || true
	"$qlaunch" check --json --root "$1" "$conf" >"$1.machine" || true
	"$qlaunch" plan --json --root "$1" "$conf" >"$1.plan" || true
	"$qlaunch" setup --root "$1" </dev/null >"$1.setup" 2>&1 || true
}
look() { # FOLDER NAME: one board, all of its expectations; prints what is not as expected
	tree=$BATS_TEST_TMPDIR/$2 conf=$BATS_TEST_TMPDIR/$2.conf
	tests/captured/capture "$1/$2" "$tree"
	"$qlaunch" new --yes --output - --root "$tree" board >"$conf" || return
	grep -qvE '^(keyboard|mouse|also|gpu) ' "$tree.expect" && say "$tree"
	while read -ra words; do
		said=$(answer "${words[@]}" || true)
		[ "$said" = "${words[*]}" ] || echo "$2: expected: ${words[*]}; it says: ${said:-something else}"
	done <"$tree.expect"
}

@test "boards: the card that is proposed, what goes with it, the verdict of each group and its reason" {
	for board in tests/captured/boards/*; do look boards "${board##*/}"; done >"$BATS_TEST_TMPDIR/wrong"
	cat "$BATS_TEST_TMPDIR/wrong"
	[ ! -s "$BATS_TEST_TMPDIR/wrong" ]
}

@test "keyboards and mice: the ones that a person means, with all that is of the same thing" {
	for set in tests/captured/inputs/*; do look inputs "${set##*/}"; done >"$BATS_TEST_TMPDIR/wrong"
	cat "$BATS_TEST_TMPDIR/wrong"
	[ ! -s "$BATS_TEST_TMPDIR/wrong" ]
}
