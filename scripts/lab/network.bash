# shellcheck shell=bash
# Namespaces, the bridge and the veth pairs.

LAB_HOSTS=()
LAB_BRIDGE_HOST=switch # whose bridge the others are on
LAB_SWITCH_IS_HOST=0   # 1: the switch runs on this machine itself, in no namespace

# lab_enter HOST: the words before a command that make it run on that host, in LAB_ENTER.
lab_enter() {
	LAB_ENTER=(ip netns exec "$LAB_ID-$1")
	[ "$1" != switch ] || [ "$LAB_SWITCH_IS_HOST" = 0 ] || LAB_ENTER=()
}

# lab_in HOST COMMAND...: runs a command on one of the lab's hosts.
lab_in() {
	local LAB_ENTER
	lab_enter "$1"
	shift
	"${LAB_ENTER[@]}" "$@"
}

lab_host_address() {
	case $1 in
	switch) echo 10.77.0.1 ;;
	caller) echo 10.77.0.10 ;;
	caller2) echo 10.77.0.11 ;;
	agent) echo 10.77.0.20 ;;
	agent2) echo 10.77.0.21 ;;
	third) echo 10.77.0.30 ;;
	supervisor) echo 10.77.0.31 ;;
	*) echo "unknown lab host $1" >&2 && return 1 ;;
	esac
}

lab_host_address6() {
	local v4
	v4=$(lab_host_address "$1") && echo "fd77::${v4##*.}"
}

# lab_network HOST...: the switch with its bridge and dataplane port, and these hosts around it.
lab_network() {
	lab_root
	lab_bridge_add switch || exit 1
	lab_in switch ip link add dp0 type veth peer name dp0-br
	lab_in switch ip link set dp0-br master br0
	lab_in switch sysctl -qw net.ipv6.conf.dp0.disable_ipv6=1 net.ipv6.conf.dp0-br.disable_ipv6=1
	lab_interface_up switch br0 10.77.0.1/24 fd77::1/64
	# With txvlan the tag would travel beside the frame and be lost at the XDP program.
	lab_in switch ethtool -K dp0-br tx off txvlan off >/dev/null 2>&1
	lab_in switch ethtool -K dp0 tx off >/dev/null 2>&1
	lab_in switch ip link set dp0 up
	lab_in switch ip link set dp0-br up
	local host
	for host in "$@"; do
		lab_network_join "$host" || exit 1
	done
}

# lab_network_shared HOST...: the switch is a host like the others, with one interface, eth0, and
# the bridge is the network's: what the dataplane takes of eth0 it has to share with the kernel.
lab_network_shared() {
	local host
	lab_root
	lab_bridge_add lan || exit 1
	lab_in lan ip link set br0 up
	LAB_BRIDGE_HOST=lan
	for host in switch "$@"; do
		lab_network_join "$host" || exit 1
	done
}

lab_root() {
	[ "$(id -u)" -eq 0 ] && return
	echo "the lab makes network namespaces and needs root: run it with sudo" >&2
	exit 1
}

# lab_bridge_add HOST: a new host with a bridge.
lab_bridge_add() {
	lab_host_add "$1" || return 1
	lab_in "$1" ip link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0 || return 1
	# A host with br_netfilter would swallow broken packets in the bridge and leave none for us.
	lab_in "$1" sysctl -qw net.bridge.bridge-nf-call-iptables=0 \
		net.bridge.bridge-nf-call-ip6tables=0 net.bridge.bridge-nf-call-arptables=0 2>/dev/null
	return 0
}

lab_host_add() {
	local ns="$LAB_ID-$1"
	ip netns add "$ns" || return 1
	LAB_HOSTS+=("$ns")
	ip -n "$ns" link set lo up
	ip netns exec "$ns" sysctl -qw net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.default.router_solicitations=0
}

# lab_network_join HOST: a namespace of its own with one link into the bridge.
lab_network_join() {
	local host=$1 v4 v6
	v4=$(lab_host_address "$host") && v6=$(lab_host_address6 "$host") || return 1
	lab_host_add "$host" || return 1
	lab_in "$LAB_BRIDGE_HOST" ip link add "p-$host" type veth peer name eth0 netns "$LAB_ID-$host" ||
		return 1
	lab_in "$LAB_BRIDGE_HOST" sysctl -qw "net.ipv6.conf.p-$host.disable_ipv6=1"
	lab_in "$LAB_BRIDGE_HOST" ip link set "p-$host" master br0 up
	lab_in "$LAB_BRIDGE_HOST" ethtool -K "p-$host" tx off >/dev/null 2>&1
	lab_interface_up "$host" eth0 "$v4/24" "$v6/64"
}

# lab_interface_up HOST INTERFACE ADDRESS4 ADDRESS6. Without transmit offload a veth carries
# finished checksums: the peer is no kernel and has to see what a wire would show.
lab_interface_up() {
	lab_in "$1" ethtool -K "$2" tx off >/dev/null 2>&1
	lab_in "$1" ip addr add "$3" dev "$2" || return 1
	lab_in "$1" ip -6 addr add "$4" dev "$2" nodad 2>/dev/null
	lab_in "$1" ip link set "$2" up
}

lab_network_close() {
	local ns
	for ns in "${LAB_HOSTS[@]}"; do
		ip netns pids "$ns" 2>/dev/null | xargs -r kill -KILL 2>/dev/null
		ip netns del "$ns" 2>/dev/null
	done
	LAB_HOSTS=()
}
