#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# qlaunch bench: a plan with a real guest, comparisons of made records whose answer is known, the page, mistakes in a plan.

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	build=$PWD/${BUILD:-build} qlaunch=$PWD/${BUILD:-build}/qlaunch dir=$BATS_TEST_TMPDIR
	export HOME=$dir XDG_RUNTIME_DIR=$dir/run
	mkdir -p "$dir/run"
}

records() { # VALUE [MODEL]: 10 rounds around VALUE, of base and of its control
	for round in $(seq 0 9); do
		for order in 0 1; do
			jq -nc --argjson o $order --argjson r "$round" --argjson v "$1" --arg m "${2:-one}" '{variant: (["base", "control"][$o]), order: $o,
				round: $r, fingerprint: {"model name": $m}, metrics: {"<script>": {unit: "ns", better: "less", v: [$v + ($r % 3) / 100]}}}'
		done
	done
}

@test "a guest measures itself: every variant, every round, the warm-up not kept, nothing left" {
	printf '[bench]\nconfig = %s\nguest = %s\noutput = out.jsonl\nworkloads = boot bandwidth\nrounds = 1\nlimit = 200\n' \
		"$PWD/configs/bench.conf" "$build/bench-guest" >"$dir/plan"
	printf '[variant one]\ncpu.threads = 1\nmemory.size = 256M\nboot.initrd = %s\nboot.kernel = %s\n[variant native]\nnative = yes\n' \
		"$build/guest/bench.gz" "$build/guest/vmlinuz" >>"$dir/plan"
	make -s BUILD="$build" "$build/bench-guest" "$build/guest/bench.gz"
	run "$qlaunch" bench "$dir/plan"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"bandwidth.copy (GB/s, more is better)"* ]]
	[[ $output == *"too few rounds"* ]]
	[ "$(jq -r .variant "$dir/out.jsonl" | sort | xargs)" = "control native one" ]
	jq -es 'map(select(.variant == "one"))[0].metrics["boot.kernel"].v[0] > 0' "$dir/out.jsonl"
	jq -es 'map(select(.variant == "native"))[0].metrics["bandwidth.copy"].v | length == 3' "$dir/out.jsonl"
	[ "$("$qlaunch" status --json | jq 'map(select(.vm | test("^bench-[0-9]+$"))) | length')" -eq 0 ]
	run "$qlaunch" bench "$dir/plan"
	[ "$status" -eq 2 ]; [[ $output == *"is there already"* ]]
}

@test "compare: the exit status says better, worse, same" {
	records 10 >"$dir/a"; records 12 >"$dir/b"
	run "$qlaunch" bench compare "$dir/a" "$dir/a"
	[ "$status" -eq 0 ]; [[ $output == *same* ]]
	run "$qlaunch" bench compare "$dir/a" "$dir/b"
	[ "$status" -eq 11 ]; [[ $output == *worse* ]]
	run "$qlaunch" bench compare "$dir/b" "$dir/a"
	[ "$status" -eq 10 ]; [[ $output == *better* ]]
}

@test "compare: another machine is refused unless told to" {
	records 10 >"$dir/a"; records 12 other >"$dir/b"
	run "$qlaunch" bench compare "$dir/a" "$dir/b"
	[ "$status" -eq 4 ]; [[ $output == *"model name differs"* ]]
	run "$qlaunch" bench compare --force "$dir/a" "$dir/b"
	[ "$status" -eq 11 ]
}

@test "a control that differs makes the result not to be trusted" {
	records 10 | jq -c 'if .variant == "control" then .metrics["<script>"].v[0] *= 1.2 else . end' >"$dir/a"; records 12 >"$dir/b"
	run "$qlaunch" bench compare "$dir/a" "$dir/b"
	[ "$status" -eq 13 ]; [[ $output == *"not to be trusted"* ]]
}

@test "report: one page, pictures inside, names escaped" {
	records 10 >"$dir/a"
	"$qlaunch" bench report "$dir/a" >"$dir/page.html"
	[ "$(grep -o '<circle' "$dir/page.html" | wc -l)" -eq 20 ]
	grep -q '&lt;script&gt;' "$dir/page.html"
	! grep -qi '<script\|src=\|href=' "$dir/page.html"
}

@test "mistakes in a plan and in records: the line, exit 3" {
	printf '[bench]\nconfig = x.conf\nround = 3\n' >"$dir/plan"
	run "$qlaunch" bench "$dir/plan"
	[ "$status" -eq 3 ]; [[ $output == *"plan:3: unknown key \"round\""* ]]
	printf '[bench]\nconfig = x.conf\n[variant a]\nnative = yes\n' >"$dir/plan"
	run "$qlaunch" bench "$dir/plan"
	[ "$status" -eq 3 ]; [[ $output == *"has no guest"* ]]
	echo '{"variant": 3}' >"$dir/a"
	run "$qlaunch" bench report "$dir/a"
	[ "$status" -eq 3 ]; [[ $output == *"a:1: not a record"* ]]
}
