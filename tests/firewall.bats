#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# check: slow
# What `check` says of a host's firewall is what happens to the guest's packets: the real firewalld and ufw, rules as Docker and people write them, and a
# real DHCP client. Each case has namespaces of its own.

setup() {
	[ "$(id -u)" -eq 0 ] || skip "needs root: namespaces"
	cd "$BATS_TEST_DIRNAME/.." || return
}

behind() { # FIREWALL [LINE of the network…]
	run timeout 120 unshare -n -m -p --fork --kill-child --mount-proc --propagation private tests/firewall/case "${BUILD:-build}" "$@" 3>&-
	echo "$output"
	[ "$status" -eq 0 ]
}
is() { # LEASE DNS OUT HOST: and nothing is left
	[[ $output == *"lease: $1"$'\n'"dns: $2"$'\n'"out: $3"$'\n'"host: $4"$'\n'"after: as before" ]]
}
says() { [[ $output == *"$1"* ]]; }

@test "no firewall: the guest has its network, and check has nothing to say" {
	behind none
	if says check:; then false; fi
	is yes yes yes yes
}

@test "firewalld, no zone for guests: check names what refuses, and so it is; zone = trusted lets all through" {
	behind firewalld
	says 'check: warning: lan: the host'\''s firewall refuses DHCP, DNS: rule'
	says 'refuses what the guest sends beyond the host: rule'
	says 'remedy: zone = trusted in [network lan]'
	is no no no no
	behind firewalld 'zone = trusted'
	says 'check: ok: lan: firewalld'\''s zone trusted lets'
	is yes yes yes yes
}

@test "firewalld, a zone for guests: the bridge is in it for the run, which opens no other port of the host; off leaves it" {
	behind guests
	says 'check: ok: lan: firewalld'\''s zone libvirt lets'
	is yes yes yes no
	behind guests 'zone = off'
	says 'refuses DHCP, DNS'
	is no no no no
	behind guests 'zone = nowhere'
	says 'firewalld has no zone nowhere'
	says 'status: 4'
}

# shellcheck disable=SC2016 # expanded inside
@test "firewalld, meanwhile: what a reload or a restart forgets is in its zone again, a killed launcher's is given back, one that ended has none" {
	local again='for _ in $(seq 100); do firewall-cmd --get-zone-of-interface=$bridge 2>/dev/null && break; sleep 0.2; done'
	THEN="firewall-cmd -q --reload; $again" behind guests
	says $'\nlibvirt\n'
	is yes yes yes no
	THEN='kill $firewalld; wait $firewalld || true; firewall_firewalld;'" $again" behind guests
	says $'\nlibvirt\n'
	is yes yes yes no
	THEN='kill -KILL $launcher' behind guests
	says 'after: as before'
	THEN='kill $firewalld; wait $firewalld || true; before=$(grep -v firewalld <<<"$before")' behind guests
	says 'after: as before'
}

# shellcheck disable=SC2016 # expanded inside
@test "firewalld, one that hangs where a bridge is to be given back to its zone: the launcher goes on, and ends the guest meanwhile" {
	THEN='exec 7< <(dbus-monitor --system "type=signal,interface=org.fedoraproject.FirewallD1,member=Reloaded" "type=method_call,member=getZoneOfInterface")
		await() { while read -r -t 60 -u 7 line; do [[ $line != *member=$1* ]] || return 0; done; return 1; }
		await NameAcquired
		firewall-cmd -q --reload; await Reloaded && kill -STOP $firewalld && await getZoneOfInterface && echo asked
		kill -TERM $launcher; "$qlaunch" stop --now $vm & stop=$!
		for _ in $(seq 50); do kill -0 $(pgrep -f "qemu-system.*$vm") 2>/dev/null || break; sleep 0.2; done
		pgrep -f "qemu-system.*$vm" || echo ended
		kill -CONT $firewalld; wait $stop || true' behind guests
	says $'\nasked\n'
	says $'\nended\n'
	says 'after: as before'
}

@test "ufw: refuses all of it, and lets it through by the words that check gives" {
	behind ufw
	says 'refuses DHCP: rule 1 of chain ufw-skip-to-policy-input'
	says 'refuses DNS: the policy of chain INPUT'
	says 'refuses what the guest sends beyond the host: the policy of chain FORWARD'
	says 'remedy: ufw allow in on qlbr'
	says 'remedy: ufw route allow in on qlbr'
	is no no no no
	behind ufw-allowed
	says 'lets the guest'\''s packets through'
	is yes yes yes yes
}

@test "Docker: the guest has its lease and goes nowhere; DOCKER-USER" {
	behind docker
	says 'refuses what the guest sends beyond the host, what is answered to that: the policy of chain FORWARD'
	says 'remedy: iptables -I DOCKER-USER -i qlbr'
	if says 'refuses DHCP'; then false; fi
	is yes yes no no # Docker publishes that port as a container's
	behind docker-user
	is yes yes yes no
}

@test "nftables.conf: a chain that accepts and ends with a reject; the rules that check gives; an accept before a later drop" {
	behind workstation
	says 'refuses DHCP, DNS: rule 7 of chain input (table inet filter)'
	says 'remedy: nft insert rule inet filter input iifname qlbr'
	is no no no yes # 8000 to 8100 is let in
	behind workstation-allowed
	says 'lets the guest'\''s packets through'
	is yes yes yes yes
	behind later
	says 'refuses DHCP: rule 1 of chain input (table inet late)'
	is no yes yes yes
}

@test "what goes out to the guest is asked, too; legacy iptables" {
	behind output
	says 'refuses DNS: rule 1 of chain output'
	is yes no yes yes
	behind legacy
	says 'refuses DHCP, DNS: rule 3 of chain INPUT (legacy iptables, table filter)'
	says 'the policy of chain FORWARD (legacy iptables, table filter)'
	is no no no no
}
