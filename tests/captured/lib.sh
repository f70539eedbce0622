# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the machines beside it: builds what the kernel of such a machine shows below a folder, for --root. A
# machine is a file NAME with a list of calls; `capture NAME DIR` makes its tree.

put() { # PATH TEXT: a file with the text and a newline
	[ -d "$T${1%/*}" ] || mkdir -p "$T${1%/*}"
	printf '%s\n' "$2" >"$T$1"
}
link() { # PATH TARGET
	mkdir -p "$T${1%/*}" && ln -sfn "$2" "$T$1"
}

# pci [UP/]ADDRESS ID CLASS DRIVER GROUP [ATTRIBUTE=VALUE…]: a function, UP the bridges above it (00:01.0/03:00.0); "-" for no driver or no
# group
pci() {
	local at=(${1//\// }) id=$2 class=$3 driver=$4 group=$5; shift 5
	local d=/sys/devices/pci0000:00 a; for a in "${at[@]}"; do a=0000:$a d=$d/$a; done
	put "$d/vendor" "0x${id%:*}"; put "$d/device" "0x${id#*:}"; put "$d/class" "0x$class"
	put "$d/subsystem_vendor" 0x1458; put "$d/subsystem_device" 0x0001; put "$d/numa_node" -1
	put "$d/power/control" auto; put "$d/d3cold_allowed" 1; put "$d/driver_override" "(null)"
	if [ "$driver" != - ]; then mkdir -p "$T/sys/bus/pci/drivers/$driver"; link "$d/driver" "/sys/bus/pci/drivers/$driver"; fi
	if [ "$group" != - ]; then
		mkdir -p "$T/sys/kernel/iommu_groups/$group/devices"; link "$d/iommu_group" "/sys/kernel/iommu_groups/$group"
		link "/sys/kernel/iommu_groups/$group/devices/$a" "$d"
	fi
	local each; for each; do put "$d/${each%%=*}" "${each#*=}"; done
	link "/sys/bus/pci/devices/$a" "$d"
}
nvme() { # ADDRESS NAME MAJOR:MINOR [MOUNTPOINT]: a drive behind a function
	local d=/sys/devices/pci0000:00/0000:$1/nvme/nvme${2:4:1}/$2
	put "$d/dev" "$3"; put "$d/size" 3907029168; put "$d/queue/logical_block_size" 512
	link "/sys/block/$2" "../devices/pci0000:00/0000:$1/nvme/nvme${2:4:1}/$2"
	link "/sys/class/block/$2" "../../devices/pci0000:00/0000:$1/nvme/nvme${2:4:1}/$2"
	[ -z "${4:-}" ] || put /proc/self/mountinfo "29 1 $3 / $4 rw,relatime shared:1 - ext4 /dev/$2 rw"
}
ethernet() { # ADDRESS NAME [default]: an interface; with a default route over it
	mkdir -p "$T/sys/devices/pci0000:00/0000:$1/net/$2"
	link "/sys/class/net/$2" "../../devices/pci0000:00/0000:$1/net/$2"
	[ -z "${3:-}" ] || put /proc/net/route "Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
$2	00000000	0101A8C0	0003	0	0	100	00000000	0	0	0"
}
event() { # ADDRESS N NAME [BY-ID]: an input device on a USB port of a function
	local d=/sys/devices/pci0000:00/0000:$1/usb1/1-1/1-1:1.0/input/input$2
	put "$d/name" "$3"; mkdir -p "$T$d/event$2"; link "$d/event$2/device" ..
	link "/sys/class/input/event$2" "../../devices/pci0000:00/0000:$1/usb1/1-1/1-1:1.0/input/input$2/event$2"
	put "/dev/input/event$2" ""; put "$d/phys" "usb-0000:$1-$2/input0"
	case ${4:-kbd} in *-mouse) sends "$d" mouse wheel ;; *) sends "$d" letters leds ;; esac
	[ -z "${4:-}" ] || link "/dev/input/by-id/$4" "../event$2"
}
sends() { # FOLDER WHAT…: the capabilities of an input device (linux/input-event-codes.h): letters, leds, few, media, mouse, wheel, pad, touch
	local d=$1 key=0 rel=0 abs=0 led=0 each; shift
	for each; do
		case $each in
		letters) key="1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe" ;;
		leds) led=7 ;;
		few) key="10000000 0" ;;
		media) key="1000000000 e000000000000 0" ;;
		mouse) key="1f0000 0 0 0 0" rel=3 ;;
		wheel) rel=103 ;;
		both) key="1f0000 0 1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe" rel=103 ;;
		pad) key="7cdb000000000000 0 0 0 0" abs=3001b ;;
		touch) key="e520 10000 0 0 0 0" abs=3 ;;
		esac
	done
	put "$d/capabilities/key" "$key"; put "$d/capabilities/rel" "$rel"; put "$d/capabilities/abs" "$abs"; put "$d/capabilities/led" "$led"
}
# node N NAME VENDOR:PRODUCT PHYS UNIQ LINK WHAT…: an event device; "-" for no uniq, no link in by-id, no phys
node() {
	local n=$1 name=$2 id=$3 phys=$4 uniq=$5 link=$6; shift 6
	local d=/sys/devices/virtual/input/input$n
	put "$d/name" "$name"; put "$d/id/vendor" "${id%:*}"; put "$d/id/product" "${id#*:}"; put "$d/phys" "${phys#-}"; put "$d/uniq" "${uniq#-}"
	mkdir -p "$T$d/event$n"; link "$d/event$n/device" ..
	link "/sys/class/input/event$n" "../../devices/virtual/input/input$n/event$n"; put "/dev/input/event$n" ""
	[ "$link" = - ] || link "/dev/input/by-id/$link" "../event$n"
	sends "$d" "$@"
}
cpus() { # VENDOR FLAGS MODEL CORES THREADS L3S: numbered as Linux does, siblings CORES apart
	local l3s=$6 i j each=$(($4 / $6)) c
	cores=$4 threads=$5
	put /proc/cpuinfo "processor	: 0
vendor_id	: $1
model name	: $3
flags		: fpu $2"
	put /sys/devices/system/cpu/online "0-$((cores * threads - 1))"; put /sys/devices/system/cpu/possible "0-$((cores * threads - 1))"
	put /sys/devices/system/cpu/present "0-$((cores * threads - 1))"
	for ((i = 0; i < cores * threads; i++)); do
		c=/sys/devices/system/cpu/cpu$i j=$((i % cores))
		put $c/online 1
		put $c/topology/core_id $j; put $c/topology/physical_package_id 0
		put $c/topology/core_cpus "$(mask "$j" 1)"; put $c/topology/thread_siblings "$(mask "$j" 1)"
		put $c/topology/package_cpus "$(mask 0 "$cores")"; put $c/topology/core_siblings "$(mask 0 "$cores")"
		put $c/cache/index3/level 3; put $c/cache/index3/type Unified; put $c/cache/index3/size 32768K
		put $c/cache/index3/id $((j / each)); put $c/cache/index3/shared_cpu_map "$(mask $((j / each * each)) "$each")"
	done
}
mask() { # FIRST N: hexadecimal mask of N cores and their siblings (at most 32 CPUs)
	local m=0 t i; for ((t = 0; t < threads; t++)); do for ((i = 0; i < $2; i++)); do m=$((m | 1 << ($1 + i + t * cores))); done; done
	printf '%08x' $m
}
memory() { # GIB AVAILABLE-GIB [1G]: and whether there are pages of 1 GiB
	put /proc/meminfo "MemTotal:       $(($1 << 20)) kB
MemFree:        $(($2 << 20)) kB
MemAvailable:   $(($2 << 20)) kB"
	local n=/sys/devices/system/node/node0 s
	put $n/cpulist "$(cat "$T/sys/devices/system/cpu/online")"; put $n/cpumap "$(mask 0 "$cores")"
	put $n/meminfo "Node 0 MemTotal:       $(($1 << 20)) kB
Node 0 MemFree:        $(($2 << 20)) kB"
	put /sys/devices/system/node/online 0
	for s in 2048kB ${3:+1048576kB}; do
		put $n/hugepages/hugepages-$s/nr_hugepages 0; put $n/hugepages/hugepages-$s/free_hugepages 0
		put /sys/kernel/mm/hugepages/hugepages-$s/nr_hugepages 0
	done
	put /sys/kernel/mm/transparent_hugepage/enabled "always [madvise] never"
}
cgroup2() { # the unified hierarchy under systemd
	put /sys/fs/cgroup/cgroup.controllers "cpuset cpu io memory hugetlb pids"
	put /sys/fs/cgroup/cgroup.subtree_control "cpuset cpu io memory pids"
	put /proc/sys/kernel/seccomp/actions_avail "kill_process kill_thread trap errno user_notif trace log allow"
	put /proc/self/mounts "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime 0 0"
	mkdir -p "$T/run/systemd/system"
}
ovmf() { # descriptors as the package ovmf has them
	local d=/usr/share/qemu/firmware name
	for name in OVMF_CODE_4M.secboot OVMF_CODE_4M OVMF_VARS_4M.ms OVMF_VARS_4M; do put /usr/share/OVMF/$name.fd ""; done
	put $d/40-secure.json '{"description": "Secure Boot", "interface-types": ["uefi"], "mapping": {"device": "flash",
 "executable": {"filename": "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "format": "raw"},
 "nvram-template": {"filename": "/usr/share/OVMF/OVMF_VARS_4M.ms.fd", "format": "raw"}},
 "targets": [{"architecture": "x86_64", "machines": ["pc-q35-*"]}],
 "features": ["acpi-s3", "enrolled-keys", "requires-smm", "secure-boot", "verbose-dynamic"], "tags": []}'
}
# The way out of the host's network through what is stacked: stacked NAME BELOW…: a bridge, bond or VLAN of other interfaces
stacked() {
	local name=$1 each; shift
	mkdir -p "$T/sys/devices/virtual/net/$name"; link "/sys/class/net/$name" "../../devices/virtual/net/$name"
	for each; do link "/sys/devices/virtual/net/$name/lower_$each" "../$each"; done
}
way_out() { # NAME [6]: the default route, of IPv4, or of IPv6 alone
	if [ -z "${2:-}" ]; then
		put /proc/net/route "Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
$1	00000000	0101A8C0	0003	0	0	100	00000000	0	0	0"
	else
		put /proc/net/route "Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT"
		put /proc/net/ipv6_route "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003 $1"
	fi
}
