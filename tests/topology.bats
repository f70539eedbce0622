#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The map of cores and caches, in its three forms, and the plan that is made for a described machine.

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR HOME=$BATS_TEST_TMPDIR LC_ALL=C.UTF-8
	ryzen='pack:1 [numa] l3:2(size=33554432) core:8 pu:2(indexes=2*16:1*2)'
}

@test "topology: this host, every CPU that is online" {
	run "$qlaunch" topology --json
	[ "$status" -eq 0 ]
	[ "$(jq '[.l3s[].cores[].cpus[]] | length' <<<"$output")" -eq "$(getconf _NPROCESSORS_ONLN)" ]
	[ "$(jq '[.l3s[].cores[].cpus[].role // empty] | length' <<<"$output")" -eq 0 ]
}

@test "topology CONFIG: the vCPUs, QEMU and the host drawn into two caches, within 80 columns" {
	HWLOC_SYNTHETIC=$ryzen run "$qlaunch" topology configs/win11.conf
	[ "$status" -eq 0 ]
	[ "$(wc -L <<<"$output")" -eq 80 ]
	[[ $output == *"│  8  24││"*"│ 15  31│"* ]]
	[[ $output == *"│ G0  G1││ G2  G3│"*"││G14 G15│"* ]]
	[[ $output == *"││ EI  EI│"* ]]
	[[ $output != *$'\033'* ]]
}

@test "topology --json: each CPU's part in the plan" {
	HWLOC_SYNTHETIC=$ryzen run "$qlaunch" topology --json configs/win11.conf
	[ "$status" -eq 0 ]
	[ "$(jq -c '[.l3s[1].cores[0].cpus[] | [.cpu, .role, .vcpus[0]]]' <<<"$output")" = '[[8,"guest",0],[24,"guest",1]]' ]
	[ "$(jq -c '[.l3s[].cores[].cpus[] | select(.role == "emulator,iothread") | .cpu]' <<<"$output")" = '[7,23]' ]
	[ "$(jq '[.l3s[].cores[].cpus[] | select(.role == "host")] | length' <<<"$output")" -eq 14 ]
}

@test "topology --svg: a well-formed picture with a box for each CPU" {
	HWLOC_XMLFILE=tests/golden/cpu/12900k.xml run "$qlaunch" topology --svg configs/win11.conf
	[ "$status" -eq 0 ]
	xmllint --noout - <<<"$output"
	[ "$(grep -c '<title>CPU ' <<<"$output")" -eq 24 ]
	[ "$(grep -c 'E core' <<<"$output")" -eq 8 ]
}

@test "topology: P and E cores are told apart" {
	HWLOC_XMLFILE=tests/golden/cpu/12900k.xml run "$qlaunch" topology
	[ "$(grep -o '┌E──┐' <<<"$output" | wc -l)" -eq 8 ]
}

@test "topology: Core Ultra 7 155H, by its kernel's files: P and E cores below the L3, two LP-E cores outside of it" {
	local T=$BATS_TEST_TMPDIR/host cpu core
	. tests/captured/lib.sh
	put /sys/devices/system/cpu/online 0-21
	put /sys/devices/cpu_core/cpus 0-11
	put /sys/devices/cpu_atom/cpus 12-21
	for cpu in {0..21}; do
		core=$((1 << cpu))
		[ $cpu -gt 11 ] || core=$((3 << cpu / 2 * 2))
		put "/sys/devices/system/cpu/cpu$cpu/topology/core_cpus" "$(printf %x $core)"
		put "/sys/devices/system/cpu/cpu$cpu/topology/physical_package_id" 0
		[ $cpu -gt 19 ] || for word in level:3 type:Unified size:24576K shared_cpu_map:fffff; do
			put "/sys/devices/system/cpu/cpu$cpu/cache/index3/${word%:*}" "${word#*:}"
		done
	done
	run "$qlaunch" topology --root "$T"
	[ "$status" -eq 0 ]
	[ "$(grep -o '┌E──┐' <<<"$output" | wc -l)" -eq 8 ]
	[ "$(grep -o '┌LP─┐' <<<"$output" | wc -l)" -eq 2 ]
	[[ $output == *"L3 0, 24M, NUMA node 0"*"no L3"*"LP-E cores"* ]]
}

@test "topology: an L3 that spans two NUMA nodes is drawn for each of them, under one number" {
	nodes='pack:2 l3:1(size=31457280) group:2 [numa] core:4 pu:2'
	HWLOC_SYNTHETIC=$nodes run "$qlaunch" topology
	[ "$(grep -c 'L3 0, 30M, NUMA node [01]' <<<"$output")" -eq 2 ]
	[ "$(grep -c 'L3 1, 30M, NUMA node [23]' <<<"$output")" -eq 2 ]
	HWLOC_SYNTHETIC=$nodes run "$qlaunch" plan --json --set cpu.threads=16 --set memory.size=1G configs/demo.conf
	[ "$status" -eq 0 ]
	jq -e '.qemu | index("16,sockets=1,dies=2,cores=4,threads=2")' <<<"$output"
}

@test "a description that hwloc cannot read: an error that names it, exit 4" {
	HWLOC_XMLFILE=/nowhere.xml run "$qlaunch" topology
	[ "$status" -eq 4 ]; [[ $output == *"/nowhere.xml"* ]]
	HWLOC_SYNTHETIC="pack:two" run "$qlaunch" plan configs/demo.conf
	[ "$status" -eq 4 ]; [[ $output == *"pack:two"* ]]
}

@test "plan --json for a described 5950X: the vCPUs on the second cache, siblings side by side" {
	HWLOC_SYNTHETIC=$ryzen run "$qlaunch" plan --json --set cpu.threads=16 --set cpu.place=auto configs/demo.conf
	[ "$status" -eq 0 ]
	[ "$(jq -c '[.vcpus[].cpu]' <<<"$output")" = '[8,24,9,25,10,26,11,27,12,28,13,29,14,30,15,31]' ]
	[ "$(jq -r '.emulator_cpus + " " + .host_cpus' <<<"$output")" = "7,23 0-6,16-22" ]
	jq -e '.qemu | index("16,sockets=1,dies=1,cores=8,threads=2")' <<<"$output"
}

@test "a place that this host does not have is named, with the line of the configuration" {
	HWLOC_SYNTHETIC=$ryzen run "$qlaunch" check --set 'cpu.place=l3 2' configs/demo.conf
	[ "$status" -eq 4 ]; [[ $output == *"--set cpu.place: place = l3 2: this host has 2 L3"* ]]
}
