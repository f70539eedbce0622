#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# check: slow
# qlaunch bench: a plan with a real guest, comparisons of made records whose answer is known, the page, mistakes in a plan.

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	build=$PWD/${BUILD:-build} qlaunch=$PWD/${BUILD:-build}/qlaunch dir=$BATS_TEST_TMPDIR
	export HOME=$dir XDG_RUNTIME_DIR=$dir/run XDG_DATA_HOME=$dir/data
	mkdir -p "$dir/run"
}

teardown() {
	if [ -e "$BATS_TEST_TMPDIR/cluster/pids" ]; then tests/slurm stop "$BATS_TEST_TMPDIR/cluster"; fi
}

plan() { # [bench] lines on standard input, of a plan that measures this host
	{ printf '[bench]\noutput = out.jsonl\nrounds = 1\nlimit = %s\nguest = %s\n' "${limit:-200}" "$build/bench-guest"; cat; } >"$dir/plan"
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
	[[ $output == *"bandwidth.stream-copy (GB/s, more is better)"* ]]
	[[ $output == *"too few rounds"* ]]
	[ -z "$(awk 'length > 80' <<<"$output" | grep -v "$dir")" ]
	[ "$(jq -r .variant "$dir/out.jsonl" | sort | xargs)" = "control native one" ]
	jq -es 'map(select(.variant == "one"))[0].metrics["boot.kernel"].v[0] > 0' "$dir/out.jsonl"
	jq -es 'map(select(.variant == "one"))[0].metrics | .["boot.launch"].v[0] > 0 and .["boot.firmware"].v[0] > 0' "$dir/out.jsonl"
	jq -es 'map(select(.variant == "native"))[0].metrics["bandwidth.stream-copy"].v | length == 3' "$dir/out.jsonl"
	# what it really got: one vCPU, its pages; the machine; steal
	jq -es 'map(select(.variant == "one"))[0].run | (.vCPUs | test("^[0-9,-]+$")) and .["memory KiB"] > 0 and .steal >= 0 and .configuration' "$dir/out.jsonl"
	jq -es 'all(.fingerprint.kernel == "'"$(uname -r)"'" and .fingerprint["command line"] and .machine)' "$dir/out.jsonl"
	[ "$("$qlaunch" status --json | jq 'map(select(.vm | test("^bench-[0-9]+$"))) | length')" -eq 0 ]
	left=$(ls "$XDG_DATA_HOME/qlaunch"); [ -z "$left" ]
	run "$qlaunch" bench "$dir/plan"
	[ "$status" -eq 2 ]; [[ $output == *"is there already, with all runs"* ]]
}

by_agent() { # [bench] lines and workloads on standard input, the guest's command line: it is measured, and all went well
	tests/guest/agent "$build"
	make -s BUILD="$build" "$build/bench-guest"
	{
		printf 'config = %s\nvia = agent\n' "$PWD/configs/bench.conf"
		cat
		printf '[variant one]\ncpu.threads = 1\nboot.kernel = %s\nboot.initrd = %s\n' "$build/guest/vmlinuz" "$build/guest/agent.gz"
		printf 'boot.cmdline = %s\n' "console=ttyS0${1:+ $1}"
	} | limit=900 plan
	run "$qlaunch" bench "$dir/plan"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "through the agent: boot by phase, our program and others', files; an end by guest-shutdown" {
	by_agent <<-PLAN
		workloads = boot bandwidth jitter sysbench-cpu cyclictest game
		[workload game]
		parser = presentmon
		file = /samples/presentmon.csv
	PLAN
	jq -es 'all(.metrics | .["boot.launch"].v[0] > 0 and .["boot.firmware"].v[0] > 0 and .["boot.system"].v[0] > 0)' "$dir/out.jsonl"
	jq -es 'all(.metrics | (has("boot.uptime") | not) and (.["jitter.wakeup-same-cpu"].v | length == 1000) and (.["jitter.timer-precise"].v | length == 1000) and (.["bandwidth.stream-triad"].v | length == 3))' "$dir/out.jsonl"
	jq -es 'all(.metrics | (.["sysbench-cpu.events"].v | length == 1 and .[0] - 8434.8 == 0) and (.cyclictest.v | length == 1991) and (.["game.frame"].v | length == 300))' "$dir/out.jsonl"
	[ -z "$(ls "$dir/run")" ] && [ -z "$(ls -d /run/qlaunch-bench-* 2>/dev/null)" ]
}

@test "a Windows guest gets guest.ps1 and is asked by PowerShell" {
	by_agent guest.windows=yes <<<'workloads = boot jitter'
	jq -es 'all(.metrics | .["jitter.sample"].v == [7] and .["boot.system"].v[0] > 0)' "$dir/out.jsonl"
}

@test "guest.ps1's program, run by Mono, says what guest.c says" {
	make -s BUILD="$build" "$build/bench-guest"
	awk "/^'@/ { exit } on { print } /@'\$/ { on = 1 }" share/bench/guest.ps1 >"$dir/bench.cs"
	mcs -langversion:5 -noconfig -r:System -warnaserror -out:"$dir/bench.exe" "$dir/bench.cs" # what PowerShell 5.1 compiles it with
	gcc -Wall -Wextra -Werror -D_GNU_SOURCE -shared -fPIC -o "$dir/windows.so" tests/windows.c
	printf '<configuration><dllmap dll="%s" target="%s"/><dllmap dll="%s" target="%s"/></configuration>' \
		kernel32.dll "$dir/windows.so" winmm.dll "$dir/windows.so" >"$dir/bench.exe.config"
	mono "$dir/bench.exe" >"$dir/windows"
	(cd "$dir" && "$build/bench-guest" >linux)
	diff <(grep -v '\.fio-' "$dir/linux" | cut -d' ' -f1-4) <(cut -d' ' -f1-4 "$dir/windows")
	diff <(awk '!/\.fio-/ { print NF }' "$dir/linux") <(awk '{ print NF }' "$dir/windows")
	grep -qE '^bench: about bandwidth arrays [0-9]+ MiB each, L3 [0-9]+ MiB$' "$dir/linux"
	# one stop is one event, of the timer that it hits: not one of each period that it lasted
	(cd "$dir" && exec "$build/bench-guest" jitter >stopped 3>&-) & pid=$!
	sleep 0.5; kill -STOP $pid; sleep 2; kill -CONT $pid; wait $pid
	[ "$(awk '$4 == "tails" { for (i = 5; i <= NF; i++) n += $i > 1500000 } END { print n + 0 }' "$dir/stopped")" -eq 1 ]
	grep -qE '^bench: about jitter wakeup cpu[0-9]+ cpu[0-9]+$' "$dir/stopped"
	[ -z "$(awk '/^bench: [a-z]+\./ { for (i = 5; i <= NF; i++) if ($i + 0 <= 0) print }' "$dir/windows")" ]
	run mono "$dir/bench.exe" chess
	[ "$status" -eq 2 ]; [ "$output" = "bench: done" ]
	[ -z "$(find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'qlaunch-bench-*.tmp')" ]
}

@test "ended by a signal, bench takes its directory away; what one that was killed has left goes with the next" {
	make -s BUILD="$build" "$build/bench-guest" "$build/guest/bench.gz"
	plan <<-PLAN
		config = $PWD/configs/bench.conf
		via = agent
		workloads = bandwidth
		[variant one]
		cpu.threads = 1
		memory.size = 256M
		boot.kernel = $build/guest/vmlinuz
		boot.initrd = $build/guest/bench.gz
	PLAN
	base=$dir/run; [ "$(id -u)" -ne 0 ] || base=/run
	for signal in INT TERM HUP KILL; do
		# a background job of a script ignores SIGINT, and what nohup runs SIGHUP
		env --default-signal=INT,HUP "$qlaunch" bench "$dir/plan" >"$dir/said" 2>&1 3>&- & pid=$!
		for _ in $(seq 600); do [ -S "$base/qlaunch-bench-$pid/agent" ] && break; sleep 0.1; done
		[ -S "$base/qlaunch-bench-$pid/agent" ]
		kill -"$signal" $pid
		wait $pid && code=0 || code=$?
		[ $code -eq $((128 + $(kill -l $signal))) ] || { echo "$signal: $code"; cat "$dir/said"; false; }
		# its launcher ends as if SIGTERM had come; no guest here listens to a power button
		for _ in $(seq 600); do
			"$qlaunch" status --json | jq -e "all(.vm != \"bench-$pid\")" >/dev/null && break
			"$qlaunch" stop --kill "bench-$pid" >/dev/null 2>&1 || sleep 0.1
		done
		if [ $signal = KILL ]; then [ -S "$base/qlaunch-bench-$pid/agent" ]; else [ ! -e "$base/qlaunch-bench-$pid" ]; fi
	done
	plan <<<$'workloads = bandwidth\n[variant here]\nnative = yes'
	"$qlaunch" bench "$dir/plan"
	[ ! -e "$base/qlaunch-bench-$pid" ]
}

@test "sysbench, cyclictest and fio as they are here, natively; progress on a terminal" {
	plan <<-PLAN
		workloads = disk sysbench-cpu sysbench-memory cyclic fio zip stress gl
		[workload fio]
		command = fio --name=q --filename=$dir/fio.tmp --unlink=1 --size=8M --rw=randread --bs=4k --runtime=1 --time_based --output-format=json+
		[workload zip]
		parser = 7zip
		command = 7z b -mmt1 -md18
		[workload stress]
		parser = stress-ng
		command = stress-ng --stdout --cpu 1 --timeout 1 --metrics
		[workload gl]
		parser = glmark2
		command = xvfb-run -a glmark2-es2 -s 100x100 -b build:duration=0.5
		[workload cyclic]
		parser = cyclictest
		command = cyclictest --quiet --smp --interval=1000 --duration=1 --histogram=500
		[variant here]
		native = yes
	PLAN
	run script -qec "TERM=xterm stty cols 80; TERM=xterm $qlaunch bench $dir/plan" /dev/null
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"warming up"* && $output == *"round 1 of 1"* && $output == *" left"* ]]
	jq -es 'all(.metrics | .["sysbench-cpu.events"].v[0] > 0 and .["sysbench-memory.rate"].v[0] > 0 and (.cyclic.v | length > 100))' "$dir/out.jsonl"
	jq -es 'all(.metrics | .["fio.read.iops"].v[0] > 0 and (.["fio.read.latency"].v | length > 100) and .["zip.total"].v[0] > 0)' "$dir/out.jsonl"
	jq -es 'all(.metrics | .["stress.cpu"].v[0] > 0 and .["gl.score"].v[0] > 0)' "$dir/out.jsonl"
	jq -es 'all(.measured | .fio.tool == "fio" and (.zip.version | test("^[0-9.]+$")) and .["sysbench-cpu"].version and .gl.tool == "glmark2")' "$dir/out.jsonl"
	jq -es 'all(.metrics | .["disk.fio-iops"].v[0] > 0 and .["disk.fio-p99.9"].v[0] > 0 and .["disk.read-4K"].v[0] > 0)' "$dir/out.jsonl"
}

@test "a run that fails is recorded, the rest goes on; the same command goes on; --redo=failed" {
	make -s BUILD="$build" "$build/bench-guest"
	chmod 755 "$dir"; install -m 666 /dev/null "$dir/count"
	cat >"$dir/prog" <<-'SH' # the sixth call fails: warm-up of two, then the fourth run of rounds
		#!/bin/sh
		cd "$(dirname "$0")"; echo call >>count
		[ "$(wc -l <count)" -ne 6 ] || { echo "out of luck" >&2; exit 3; }
		echo "bench: t s less 1.0"; echo "bench: done"
	SH
	chmod 755 "$dir/prog"
	plan <<<$'workloads = mine\n[variant a]\nnative = yes\n[workload mine]\nparser = lines\ncommand = '"$dir/prog"
	sed -i 's/rounds = 1/rounds = 3/' "$dir/plan"
	run "$qlaunch" bench "$dir/plan"
	echo "$output"
	[ "$status" -eq 1 ]; [[ $output == *"out of luck"*"1 of 6 runs failed"* ]]
	[ "$(jq -r '.failed // empty' "$dir/out.jsonl" | wc -l)" -eq 1 ]
	cp "$dir/out.jsonl" "$dir/whole"
	run "$qlaunch" bench "$dir/plan" # all is there, if not well
	[ "$status" -eq 2 ]; [[ $output == *"is there already, with all runs of this plan"* ]]
	run "$qlaunch" bench --redo=failed "$dir/plan"
	echo "$output"
	[ "$status" -eq 0 ]; [ "$(wc -l <"$dir/out.jsonl")" -eq 7 ]
	cp "$dir/whole" "$dir/out.jsonl"
	run "$qlaunch" bench --redo failed "$dir/plan" # in two words, too
	[ "$status" -eq 0 ]; [ "$(wc -l <"$dir/out.jsonl")" -eq 7 ]
	# killed after two runs and a half
	head -n 2 "$dir/whole" >"$dir/out.jsonl"; sed -n 3p "$dir/whole" | head -c 40 >>"$dir/out.jsonl"
	run "$qlaunch" bench "$dir/plan"
	echo "$output"
	[ "$status" -eq 0 ]; [[ $output == *"2 of 6 runs are there already"* ]]
	[ "$(jq -r '[.variant, .round] | join(" ")' "$dir/out.jsonl" | sort | xargs)" = "a 0 a 1 a 2 control 0 control 1 control 2" ]
	# another plan's records are left alone
	sed -i 's/variant a/variant b/' "$dir/plan"
	run "$qlaunch" bench "$dir/plan"
	[ "$status" -eq 2 ]; [[ $output == *"is there already, with other variants"* ]]
	# nothing works: the warm-up is the end
	rm "$dir/out.jsonl"; printf '#!/bin/sh\nexit 3\n' >"$dir/prog"
	run "$qlaunch" bench "$dir/plan"
	[ "$status" -eq 1 ]; [[ $output == *"every run of this round failed"* && ! -e $dir/out.jsonl ]]
}

@test "how many rounds the noise wants is said before and after three; early = yes ends where nothing is left to tell" {
	make -s BUILD="$build" "$build/bench-guest"
	chmod 755 "$dir"; install -m 666 /dev/null "$dir/count"
	cat >"$dir/prog" <<-'SH' # one metric that is steady, one with noise of 30 %
		#!/bin/sh
		cd "$(dirname "$0")"; echo call >>count
		n=$(wc -l <count)
		echo "bench: steady s less $((1000 + n % 2))"; echo "bench: noisy s less $((1000 + n * 7919 % 600))"; echo "bench: done"
	SH
	chmod 755 "$dir/prog"
	mine=$'[variant a]\nnative = yes\n[workload mine]\nparser = lines\ncommand = '$dir/prog
	plan <<<$'workloads = mine\n'"$mine"
	sed -i 's/rounds = 1/rounds = 7/' "$dir/plan"
	run "$qlaunch" bench "$dir/plan"
	echo "$output"
	[ "$status" -eq 0 ]; [[ $output == *"7 rounds show an effect of 5 % where a run's noise is at most"* ]]
	[[ $output =~ "7 rounds are enough to see 5 % in 1 of 2 metrics; others want more: mine.noisy "[0-9]{3} ]]
	[[ $output == *"fewer than 20 rounds: whether they hang together cannot be seen"* ]]
	# an hour later, five more rounds: what is there tells, before any run
	head -n 8 "$dir/out.jsonl" >"$dir/four"; mv "$dir/four" "$dir/out.jsonl"
	run "$qlaunch" bench "$dir/plan"
	[ "$status" -eq 0 ]; [[ ${output%%warming up*} == *"in 1 of 2 metrics"* && $output == *"warming up"* ]]
	# looks
	plan <<<$'early = yes\nworkloads = mine\n'"$mine"
	run "$qlaunch" bench --output="$dir/early" "$dir/plan"
	[ "$status" -eq 3 ]; [[ $output == *"early = yes with 1 rounds"*"rounds = 18"* ]]
	sed -i 's/rounds = 1/rounds = 18/; s/ echo "bench: noisy[^;]*;//' "$dir/plan" "$dir/prog"
	run "$qlaunch" bench --output="$dir/early" "$dir/plan"
	echo "$output"
	[ "$status" -eq 0 ]; [[ $output == *"after 9 of 18 rounds nothing is left that cannot be told: it ends early"* ]]
	[[ $output == *"this look has 0.5 % of the 5 %"* ]]
	[ "$(wc -l <"$dir/early")" -eq 18 ]; jq -es 'all(.early and .rounds == 18 and .version == 3 and (.id | length == 16))' "$dir/early"
	[ "$(jq -r .id "$dir/early" | sort -u | wc -l)" -eq 1 ]
	# the same command has nothing to do
	calls=$(wc -l <"$dir/count")
	run "$qlaunch" bench --output="$dir/early" "$dir/plan"
	[ "$status" -eq 0 ]; [ "$(wc -l <"$dir/count")" -eq "$calls" ]
	# files that were put together are known
	rm "$dir/out.jsonl"; plan <<<$'workloads = mine\n'"$mine"
	"$qlaunch" bench "$dir/plan"; mv "$dir/out.jsonl" "$dir/a"
	"$qlaunch" bench "$dir/plan"; cp "$dir/out.jsonl" "$dir/b"
	cat "$dir/a" >>"$dir/out.jsonl"
	run "$qlaunch" bench compare "$dir/b" "$dir/out.jsonl"
	echo "$output"
	[[ $output == *"2 runs of bench are in it, each by itself"* && $output == *", run $(jq -r .id "$dir/a" | head -n 1)"* ]]
	run "$qlaunch" bench compare "$dir/out.jsonl" "$dir/early"
	[ "$status" -eq 15 ]; [[ $output == *"which one is meant"* ]]
	sed -i 's/rounds = 1$/rounds = 2/' "$dir/plan"
	run "$qlaunch" bench "$dir/plan"
	[ "$status" -eq 2 ]; [[ $output == *"is of another run than the lines before it"* ]]
	cat "$dir/a" "$dir/a" >"$dir/c"
	run "$qlaunch" bench compare "$dir/a" "$dir/c"
	[[ $output == *"2 runs are in it more than once"* ]]
}

@test "what uploads is asked for twice; what wants the agent says so" {
	plan <<<$'workloads = geekbench\n[variant a]\nnative = yes'
	run "$qlaunch" bench "$dir/plan"
	[ "$status" -eq 3 ]; [[ $output == *"sends its results"*"uploads = yes"* ]]
	plan <<<$'config = x.conf\nworkloads = cyclictest'
	run "$qlaunch" bench "$dir/plan"
	[ "$status" -eq 3 ]; [[ $output == *"wants the guest's agent"*"via = agent"* ]]
	plan <<<$'workloads = cycletest\n[variant a]\nnative = yes'
	run "$qlaunch" bench "$dir/plan"
	[ "$status" -eq 3 ]; [[ $output == *"neither built in nor an adapter"*cyclictest* ]]
	plan <<<$'workloads = tool\n[workload tool]\nparser = lines\ncommand = /no/such\n[variant a]\nnative = yes'
	run "$qlaunch" bench "$dir/plan"
	[ "$status" -eq 1 ]; [[ $output == *"variant a: workload tool: /no/such"* ]]
}

@test "a mistake in the last variant is found before the first is run" {
	plan <<<$"config = $PWD/configs/bench.conf"$'\n[variant a]\n[variant b]\ncpu.threads = 2\n[variant c]\ncpu.thread = 3'
	run "$qlaunch" bench "$dir/plan"
	[ "$status" -eq 3 ]; [[ $output == *"variant c"*"unknown key"* ]]
	# the example has none
	make -s BUILD="$build" "$build/bench-guest"
	records 10 >"$dir/there"
	run "$qlaunch" bench --output="$dir/there" configs/bench.plan
	[ "$status" -eq 2 ]; [[ $output == *"there:1: is there already, with other variants"* ]]
}

slurm_plan() { # MACHINES [LINE...]: of a program that says one number, in a folder whose name has blanks; slow is how long it takes
	mkdir -p "$dir/a plan 100%"; chmod 755 "$dir" "$dir/a plan 100%"
	cat >"$dir/prog" <<-'SH'
		#!/bin/sh
		cd "$(dirname "$0")"; echo "$SLURMD_NODENAME" >>calls
		sleep "$(cat slow)"; echo "bench: t s less 1.0"; echo "bench: done"
	SH
	chmod 755 "$dir/prog"; install -m 666 /dev/null "$dir/calls"; echo 0 >"$dir/slow"
	plan <<-PLAN
		workloads = mine
		[variant here]
		native = yes
		[workload mine]
		parser = lines
		command = $dir/prog
		[slurm]
		machines = $1
		partition = lab
		$(printf '%s\n' "${@:2}")
	PLAN
	mv "$dir/plan" "$dir/a plan 100%/the plan"; dir="$dir/a plan 100%"
}

calls() { wc -l <"$BATS_TEST_TMPDIR/calls"; }

@test "Slurm: a task that is put back goes on; a lost node's task is run again by submit --redo, the status tells" {
	cluster=$dir/cluster
	slurm_plan 1 'requeue = yes' 'nodelist = one'
	tests/slurm start "$cluster"
	export SLURM_CONF=$cluster/slurm.conf
	sed -i 's/rounds = 1/rounds = 3/' "$dir/the plan"; echo 1 >"$BATS_TEST_TMPDIR/slow"
	"$qlaunch" bench submit "$dir/the plan" >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- & pid=$!
	for _ in $(seq 600); do [ "$(cat "$dir"/out.jsonl.jobs/0.one.jsonl 2>/dev/null | wc -l)" -ge 2 ] && break; sleep 0.1; done
	scontrol requeue 1_0
	# Slurm lets one that was put back wait for two minutes; its node refuses it within the second in which it was ended (22.05: "already killed")
	until [ "$(squeue --noheader --format=%T)" = PENDING ] || ! kill -0 $pid; do sleep 0.1; done
	echo 0 >"$BATS_TEST_TMPDIR/slow"
	sleep 2
	for _ in $(seq 100); do scontrol update jobid=1_0 starttime=now 2>/dev/null || true; kill -0 $pid 2>/dev/null || break; sleep 0.3; done
	wait $pid || { cat "$BATS_TEST_TMPDIR/said"; false; }
	[ "$(jq -r '[.variant, .round] | join(" ")' "$dir/out.jsonl" | sort -u | wc -l)" -eq 6 ]
	# each run once, in one file of one run; beside two warm-ups of two no more than the call that was cut off
	[ "$(wc -l <"$dir/out.jsonl.jobs/0.one.jsonl")" -eq 6 ]; [ "$(jq -r .id "$dir/out.jsonl.jobs/0.one.jsonl" | sort -u | wc -l)" -eq 1 ]
	[ "$(calls)" -ge 10 ]; [ "$(calls)" -le 11 ]
	# two's task is lost with it, and nobody puts it back
	rm -r "$dir"/out.jsonl*; sed -i 's/^requeue/no-requeue/; /^nodelist/d; s/^machines = 1/machines = 2/' "$dir/the plan"; echo 1 >"$BATS_TEST_TMPDIR/slow"
	"$qlaunch" bench submit "$dir/the plan" >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- & pid=$!
	for _ in $(seq 600); do [ "$(cat "$dir"/out.jsonl.jobs/*.two.jsonl 2>/dev/null | wc -l)" -ge 1 ] && break; sleep 0.1; done
	tests/slurm lose "$cluster" two
	wait $pid && status=0 || status=$?
	cat "$BATS_TEST_TMPDIR/said"
	[ $status -eq 1 ]; grep -q '1 of 2 tasks are not complete' "$BATS_TEST_TMPDIR/said"; grep -q 'submit --redo' "$BATS_TEST_TMPDIR/said"
	echo 0 >"$BATS_TEST_TMPDIR/slow"; before=$(calls)
	run "$qlaunch" bench submit --redo "$dir/the plan"
	echo "$output"
	[ "$status" -eq 0 ]; [ $(($(calls) - before)) -eq 8 ] # one warm-up and three rounds, of two variants, on the node that is left
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/calls")" = one ]
	[ "$(wc -l <"$dir/out.jsonl")" -eq 12 ]
	run "$qlaunch" bench submit --redo "$dir/the plan"
	[ "$status" -eq 0 ]; [[ $output == *"all 2 tasks are complete"* ]]
}

@test "Slurm: more tasks than an array takes, gathered; no sbatch is said" {
	cluster=$dir/cluster
	slurm_plan 5
	PATH=/no/where run "$qlaunch" bench submit "$dir/the plan"
	[ "$status" -eq 4 ]; [[ $output == *sbatch* ]] # as root PATH is not the caller's: then Slurm has no configuration
	tests/slurm start "$cluster" MaxArraySize=3
	export SLURM_CONF=$cluster/slurm.conf
	run "$qlaunch" bench submit "$dir/the plan"
	echo "$output"; cat "$dir"/out.jsonl.jobs/*.log
	[ "$status" -eq 0 ]; [ "$(grep -c 'of Slurm; whatever happens' <<<"$output")" -eq 3 ]
	[ "$(jq -r .task "$dir/out.jsonl" | sort -u | xargs)" = "0 1 2 3 4" ]
	[ "$(jq -r '[.variant, .round] | join(" ")' "$dir/out.jsonl" | sort -u | wc -l)" -eq 10 ]
	# one task's records are lost: the others count, and the status tells
	rm "$dir"/out.jsonl.jobs/1.*.jsonl
	run "$qlaunch" bench gather "$dir/the plan"
	[ "$status" -eq 1 ]; [[ $output == *"task 1 has no records"* && $output == *"1 of 5 tasks are not complete"* ]]
	before=$(calls)
	run "$qlaunch" bench submit --redo "$dir/the plan"
	[ "$status" -eq 0 ]; [ $(($(calls) - before)) -eq 4 ]
	run "$qlaunch" bench submit "$dir/the plan"
	[ "$status" -eq 2 ]; [[ $output == *"is there already"*"--redo"* ]]
	jq -c 'del(.task)' "$dir/out.jsonl" >"$dir/mine"; cp "$dir/mine" "$dir/out.jsonl"
	run "$qlaunch" bench gather "$dir/the plan"
	[ "$status" -eq 2 ]; [[ $output == *"was not gathered"* ]]; cmp "$dir/mine" "$dir/out.jsonl"
	# what the cluster refuses
	rm -r "$dir"/out.jsonl*
	sed -i 's/= lab/= nowhere/' "$dir/the plan"
	run "$qlaunch" bench submit "$dir/the plan"
	[ "$status" -eq 4 ]; [[ $output == *"Invalid partition"* && ! -e $dir/out.jsonl.jobs ]]
}

@test "compare: the exit status says equivalent, better, worse, cannot be told, missing" {
	records 10 >"$dir/a"; records 12 >"$dir/b"
	run "$qlaunch" bench compare "$dir/a" "$dir/a"
	[ "$status" -eq 0 ]; [ "${lines[0]}" = "1 equivalent" ]
	run "$qlaunch" bench compare "$dir/a" "$dir/b"
	[ "$status" -eq 11 ]; [ "${lines[0]}" = "1 worse" ]
	run "$qlaunch" bench compare "$dir/b" "$dir/a"
	[ "$status" -eq 10 ]; [ "${lines[0]}" = "1 better" ]
	# noise of 20 %: the smallest effect to be seen is said
	jq -c '.metrics["<script>"].v[0] *= ([0.8, 1.2, 1.1, 0.9][.round % 4])' "$dir/a" >"$dir/c"
	run "$qlaunch" bench compare "$dir/a" "$dir/c"
	[ "$status" -eq 13 ]; [ "${lines[0]}" = "1 cannot be told" ]; [[ $output =~ "cannot be told "[0-9.]+" %" ]]
	[ -z "$(awk 'length > 80' <<<"$output" | grep -v "$dir")" ]
	# too few rounds
	head -n 10 "$dir/a" >"$dir/five"
	run "$qlaunch" bench compare "$dir/five" "$dir/five"
	[ "$status" -eq 13 ]; [[ $output == *"too few rounds"* ]]
	# a metric that is gone, one with another unit or direction: not compared
	jq -c '.metrics = {other: .metrics["<script>"]}' "$dir/a" >"$dir/c"
	run "$qlaunch" bench compare "$dir/a" "$dir/c"
	[ "$status" -eq 14 ]; [ "${lines[0]}" = "2 missing" ]
	for other in '.unit = "us"' '.better = "more"'; do
		jq -c ".metrics[\"<script>\"] |= ($other)" "$dir/b" >"$dir/c"
		run "$qlaunch" bench compare "$dir/a" "$dir/c"
		[ "$status" -eq 14 ]; [[ $output == *"another unit or direction"* ]]
	done
}

@test "compare: 0 and negative numbers are values; the plan's margin is in the records" {
	jq_metric() { records 10 | jq -c ".metrics = {stutters: {unit: \"n\", better: \"less\", v: [$1]}}"; }
	jq_metric 0 >"$dir/a"; jq_metric '12 + .round % 3' >"$dir/b"; jq_metric '-3 - .round % 3' >"$dir/c"
	run "$qlaunch" bench compare "$dir/a" "$dir/b"
	[ "$status" -eq 11 ]; [[ $output == *"+13.00 [12"* ]]
	run "$qlaunch" bench compare "$dir/a" "$dir/c"
	[ "$status" -eq 10 ]
	run "$qlaunch" bench compare "$dir/a" "$dir/a"
	[ "$status" -eq 0 ]
	records 10 >"$dir/a"; records 10.3 >"$dir/b"
	run "$qlaunch" bench compare "$dir/a" "$dir/b"
	[ "$status" -eq 11 ]
	jq -c '.margin = 0.05' "$dir/b" >"$dir/c"
	run "$qlaunch" bench compare "$dir/a" "$dir/c"
	[ "$status" -eq 0 ]; [[ $output == *"within 5 %"* ]]
}

@test "compare: another machine is refused unless told to; what could not be read is no difference" {
	records 10 >"$dir/a"; records 12 other >"$dir/b"
	run "$qlaunch" bench compare "$dir/a" "$dir/b"
	[ "$status" -eq 15 ]; [[ $output == *"model name differs"* ]]
	run "$qlaunch" bench compare --force "$dir/a" "$dir/b"
	[ "$status" -eq 11 ]
	records 12 '?' >"$dir/b"
	run "$qlaunch" bench compare "$dir/a" "$dir/b"
	[ "$status" -eq 11 ]
	# the same machine, but a variant that got something else
	jq -c '.run = {"huge pages": "all"}' "$dir/a" >"$dir/c"; jq -c '.run = {"huge pages": "none", steal: 3}' "$dir/a" >"$dir/d"
	run "$qlaunch" bench compare "$dir/c" "$dir/d"
	[ "$status" -eq 15 ]; [[ $output == *"huge pages of variant base differs"* ]]
}

@test "compare: steal, heat and drift of both files are told" {
	records 10 | jq -c '.run = {steal: 3}' >"$dir/a"; records 10 | jq -c '.run = {throttled: 2} | .metrics["<script>"].v[0] += .round' >"$dir/b"
	run "$qlaunch" bench compare "$dir/a" "$dir/b"
	[[ $output == *"a: up to 3.0 % of the time was stolen"* && $output == *"b: a processor was too hot in 20 of 20 runs"* ]]
	[[ $output == *" rises from round to round"* && $output != *"before: rises"* ]]
	run "$qlaunch" bench compare "$dir/b" "$dir/a"
	[[ $output == *"before: rises from round to round"* ]]
}

@test "a control that differs makes the result not to be trusted" {
	records 10 | jq -c 'if .variant == "control" then .metrics["<script>"].v[0] *= 1.2 else . end' >"$dir/a"; records 12 >"$dir/b"
	run "$qlaunch" bench compare "$dir/a" "$dir/b"
	[ "$status" -eq 13 ]; [ "${lines[0]}" = "1 cannot be told" ]; [[ $output == *"the control differs, too"* ]]
}

@test "records of any size, of two machines, cut off, of another version" {
	# 6 variants, 40 rounds, 8640 frames each
	python3 - "$dir/big" <<-'PY'
		import random, sys
		random.seed(1)
		with open(sys.argv[1], "w") as f:
		    for r in range(40):
		        for o in range(6):
		            v = ",".join("%.4f" % random.lognormvariate(1.9 + (0.1 if o == 5 else 0), 0.2) for _ in range(8640))
		            f.write('{"version": 2, "variant": "v%d", "order": %d, "round": %d, "machine": "m", "metrics": {"frame": {"unit": "ms", '
		                    '"better": "less", "tails": true, "v": [%s]}}}\n' % (o, o, r, v))
	PY
	(ulimit -v 120000; "$qlaunch" bench report "$dir/big" >"$dir/page")
	run bash -c 'ulimit -v 120000; "$0" bench compare "$1" "$1"' "$qlaunch" "$dir/big"
	echo "$output"
	[ "$status" -eq 0 ]; [ "${lines[0]}" = "24 equivalent" ]
	# the last record was being written: left out, and said; anywhere else it is a mistake
	records 10 >"$dir/a"; printf '{"variant": "ba' >>"$dir/a"
	run "$qlaunch" bench compare "$dir/a" "$dir/a"
	[ "$status" -eq 0 ]; [[ $output == *"its last record was cut off"* ]]
	printf '\n{}\n' >>"$dir/a"
	run "$qlaunch" bench compare "$dir/a" "$dir/a"
	[ "$status" -eq 3 ]; [[ $output == *"a:21: not a record"* ]]
	records 10 | jq -c '.version = 9' >"$dir/a"
	run "$qlaunch" bench compare "$dir/a" "$dir/a"
	[ "$status" -eq 3 ]; [[ $output == *"a:1: a record of version 9; this qlaunch knows 1 to 3"* ]]
	: >"$dir/a"
	run "$qlaunch" bench compare "$dir/a" "$dir/a"
	[ "$status" -eq 3 ]; [[ $output == *"no record in it"* ]]
	# each machine with its own
	records 10 | jq -c '.machine = "one"' >"$dir/a"; records 12 | jq -c '.machine = "two"' >>"$dir/a"
	run "$qlaunch" bench compare "$dir/a" "$dir/a"
	[ "$status" -eq 0 ]; [[ $output == *"machine one"*"10.01"*"machine two"*"12.01"* ]]
	run "$qlaunch" bench compare "$dir/b" "$dir/a"
	[ "$status" -ne 0 ]
}

@test "report: one page in a browser: everything drawn, nothing asked of anybody, no complaint, narrow and wide" {
	records 10 | jq -c '.metrics.jitter = {unit: "us", better: "less", tails: true, v: [range(200) | 10 + . % 7 + (if . == 9 then 80 else 0 end)]}' >"$dir/a"
	"$qlaunch" bench report "$dir/a" >"$dir/page.html"
	[ "$(grep -c '&lt;script&gt;' "$dir/page.html")" -gt 0 ]
	if grep -qiE '<script|src=|href=|url\(|@import' "$dir/page.html"; then false; fi
	# each state in a word and a class of its own; times in the unit that needs no zeros; what made it
	for better in 8 12 10 mixed; do
		jq -c --arg b $better '.plan = "my plan" | .metrics = {boot: {unit: "ms", better: "less", v: [32020 + .round % 3]}} |
			if .variant == "base" then . else .variant = "other" | if $b == "mixed" then .metrics = {} else
			.metrics.boot.v[0] *= ($b | tonumber) / 10 end end' <(records 10) >"$dir/state"
		"$qlaunch" bench report "$dir/state"
	done >"$dir/states"
	grep -o 'class="verdict [a-z]*">[a-z ]*' "$dir/states"
	[ "$(grep -o 'class="verdict [a-z]*">[a-z ]*' "$dir/states" | sort -u | sed 's/.*verdict //; s/"//' | xargs)" = \
		"better>better equivalent>equivalent missing>missing worse>worse" ]
	grep -q '<dd>qlaunch bench my plan' "$dir/states"; grep -q 'boot <small>s, less is better' "$dir/states"; grep -q '>32.02<' "$dir/states"
	if grep -qE '[0-9]e[+-][0-9]' "$dir/states"; then false; fi
	grep -q 'class="note' "$dir/page.html"; if grep -q 'class="note' "$dir/states"; then false; fi # a box only where there is something to say
	# in Portuguese the words of it and none of its numbers; what is in both are names and what the field calls so in any language
	localedef -i pt_BR -f UTF-8 "$dir/pt_BR.UTF-8"
	LOCPATH=$dir LC_ALL=pt_BR.UTF-8 "$qlaunch" bench report "$dir/a" >"$dir/pt"
	inside() { sed 's/<style>.*//; s/^.*<\/style>//' "$1"; }
	texts() { { inside "$1" | sed 's/<[^>]*>/\n/g'; inside "$1" | grep -oP 'aria-label="\K[^"]*'; } | sed 's/ *$//' | grep -E '[a-z]{3}' | sort -u; }
	grep -q '<html lang="pt-BR">' "$dir/pt"
	comm -12 <(texts "$dir/page.html") <(texts "$dir/pt") | tee "$dir/both"
	if grep -vxE 'base|control|other|jitter(\.[a-z0-9.]+)?|&lt;script&gt;|cpuset|governor|host|huge pages|model name|one|vCPUs|qlaunch bench.*' "$dir/both"; then false; fi
	diff <(inside "$dir/page.html" | grep -oE '[>"][0-9.]+[<"]') <(inside "$dir/pt" | grep -oE '[>"][0-9.]+[<"]')
	# a copy that says how it came out
	cat "$dir/page.html" - >"$dir/asked.html" <<-'SCRIPT'
		<script>
		const svgs = [...document.querySelectorAll('svg')], size = e => e.getBoundingClientRect();
		const bad = svgs.filter(e => size(e).width < 100 || size(e).height < 30 || e.innerHTML.includes('NaN') || e.innerHTML.includes('inf'));
		document.body.dataset.said = JSON.stringify({svgs: svgs.length, bad: bad.length, asked: performance.getEntriesByType('resource').length,
			wide: document.documentElement.scrollWidth > innerWidth, circles: document.querySelectorAll('circle').length,
			ground: getComputedStyle(document.body).backgroundColor});
		</script>
	SCRIPT
	for width in 1360 500; do
		timeout 120 chromium --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$dir/chromium" --enable-logging=stderr \
			--window-size=$width,900 --dump-dom "file://$dir/asked.html" >"$dir/dom" 2>"$dir/log"
		if grep CONSOLE "$dir/log"; then false; fi
		said=$(grep -o 'data-said="[^"]*"' "$dir/dom" | sed 's/data-said="//; s/"$//; s/&quot;/"/g')
		echo "$width: $said"
		# "<script>" and four percentiles, three pictures each, and the curve of all samples
		jq -e '.svgs == 16 and .bad == 0 and .asked == 0 and .wide == false and .circles > 100 and .ground == "rgb(255, 255, 255)"' <<<"$said"
	done
}

@test "a plan is read as a configuration is: indented, long, with ; and #, long names, sections without keys" {
	make -s BUILD="$build" "$build/bench-guest"
	cat >"$dir/prog" <<-'SH'
		#!/bin/sh
		echo "$# $*" >>"$(dirname "$0")/args"
		echo "bench: t s less 1.0"; echo "bench: done"
	SH
	chmod 755 "$dir" "$dir/prog"; install -m 666 /dev/null "$dir/args"
	long=$(printf 'x%.0s' $(seq 300))
	plan <<-PLAN
		# $(printf 'word %.0s' $(seq 100))
		  workloads = mine
		[variant  $(printf 'a%.0s' $(seq 45))-one ]
		  native = yes
		[variant $(printf 'a%.0s' $(seq 45))-two]
		native = yes
		[workload mine]
		parser = lines
		    command = $dir/prog $long ; true #1
	PLAN
	run "$qlaunch" bench "$dir/plan"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(sort -u "$dir/args")" = "4 $long ; true #1" ]
	[ "$(jq -r .variant "$dir/out.jsonl" | sort | sed 's/^aa*-//' | xargs)" = "one two control" ]
	# a section without a key is a variant
	plan <<<$'config = x.conf\nworkloads = boot\n[variant base]\n[variant b]\ncpu.threads = 2'
	run "$qlaunch" bench "$dir/plan"
	[ "$status" -eq 3 ]; [[ $output == *"variant base: "*"x.conf"* ]]
	mistake() { # TEXT LINES…: refused by TEXT
		printf '[bench]\n%b' "$2" >"$dir/plan"
		run "$qlaunch" bench "$dir/plan"
		echo "$output"
		[ "$status" -eq 3 ]; [[ $output == *"$1"* ]]
	}
	mistake 'plan:4: "rounds" stands at line 2 already' 'rounds = 3\n\nrounds = 4\n'
	mistake 'plan:3: [variant a] stands at line 2 already' '[variant a]\n[variant a ]\n'
	mistake 'plan:2: neither [section] nor key = value' 'rounds: 3\n'
	mistake 'plan:2: [variant] needs a name' '[variant]\n'
	mistake 'plan:3: unknown section [varian a]' '\n[varian a]\n'
	mistake 'plan:2: rounds: the value is missing' 'rounds =\n'
	mistake 'plan:2: a control character' 'rounds = 3\x01\n'
	mistake 'plan:2: margin' 'margin = lots\n'
}

@test "mistakes in a plan and in records: the line, exit 3" {
	printf '[bench]\nconfig = x.conf\nround = 3\n' >"$dir/plan"
	run "$qlaunch" bench "$dir/plan"
	[ "$status" -eq 3 ]; [[ $output == *"plan:3: unknown key \"round\""* ]]
	plan <<<$'[slurm]\nwrap = rm'
	run "$qlaunch" bench "$dir/plan"
	[ "$status" -eq 3 ]; [[ $output == *"\"wrap\" in [slurm] is set by qlaunch"* ]]
	echo '{"variant": 3}' >"$dir/a"
	run "$qlaunch" bench report "$dir/a"
	[ "$status" -eq 3 ]; [[ $output == *"a:1: not a record"* ]]
}
