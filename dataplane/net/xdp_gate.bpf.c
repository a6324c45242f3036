// Runs in the kernel, on every frame a shared interface receives: media goes to the dataplane,
// everything else on its way through the kernel as if nobody were here.
//
//   UDP, whole, to one of `addresses`, to a port of [port_first, port_last]  -> the queue's socket
//   all else, and those too while there is no socket                         -> XDP_PASS
//
// It changes no byte, drops nothing, has no loop, and looks at 14 + 4 + 60 + 8 bytes at most. A tag
// of a VLAN, an IPv6 extension header and a fragment are the kernel's: the kernel's VLAN interfaces
// have addresses of their own, and whoever reassembles must have all the pieces.
//
// The names of the program, of `xsks_map` and of `xsk_prog_version` are libxdp's convention for a
// program that feeds AF_XDP sockets: a socket that is opened on an interface with a program of that
// name goes into its map, and nothing else is loaded.
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "net/xdp_gate_abi.h"

#define VLAN_ID_MASK 0x0fff
#define IPV4_PIECE   0x3fff // more fragments, or an offset

struct vlan_tag {
	__be16 control;
	__be16 ethertype;
};

struct fragment_header {
	__u8 next;
	__u8 rest[7];
};

// What has been found out about a frame so far.
struct view {
	const void *at, *end;
	struct td_xdp_gate_address destination;
	__be16 ethertype;
	__u8 protocol;
	bool piece;
};

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, TD_XDP_GATE_QUEUE_MAX);
	__type(key, __u32);
	__type(value, __u32);
} xsks_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TD_XDP_GATE_ADDRESS_MAX);
	__type(key, struct td_xdp_gate_address);
	__type(value, __u8);
} addresses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TD_XDP_GATE_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

// Set before the program is loaded; in host order.
const volatile __u16 port_first, port_last;

__uint(xsk_prog_version, 1) SEC("xdp_metadata");

static void count(__u32 counter)
{
	__u64 *word = bpf_map_lookup_elem(&counters, &counter);

	if (word)
		(*word)++;
}

static bool read_ethernet(struct view *view)
{
	const struct ethhdr *ethernet = view->at;
	const struct vlan_tag *tag = (const void *)(ethernet + 1);

	if ((const void *)(ethernet + 1) > view->end)
		return false;
	view->ethertype = ethernet->h_proto;
	view->at = ethernet + 1;
	if (view->ethertype != bpf_htons(ETH_P_8021Q))
		return true;
	// A tag with a priority and no VLAN says nothing about whose frame it is.
	if ((const void *)(tag + 1) > view->end || (tag->control & bpf_htons(VLAN_ID_MASK)))
		return false;
	view->ethertype = tag->ethertype;
	view->at = tag + 1;
	return true;
}

static bool read_ipv4(struct view *view)
{
	const struct iphdr *ip = view->at;
	__u32 header_len;

	if ((const void *)(ip + 1) > view->end || ip->version != 4 || ip->ihl < 5)
		return false;
	header_len = ip->ihl * 4u;
	view->protocol = ip->protocol;
	view->piece = (ip->frag_off & bpf_htons(IPV4_PIECE)) != 0;
	view->destination.version = 4;
	__builtin_memcpy(view->destination.bytes, &ip->daddr, 4);
	view->at = (const char *)view->at + header_len;
	return true;
}

static bool read_ipv6(struct view *view)
{
	const struct ipv6hdr *ip = view->at;
	const struct fragment_header *fragment = (const void *)(ip + 1);

	if ((const void *)(ip + 1) > view->end || ip->version != 6)
		return false;
	view->protocol = ip->nexthdr;
	view->destination.version = 6;
	__builtin_memcpy(view->destination.bytes, &ip->daddr, 16);
	view->at = ip + 1;
	if (view->protocol != IPPROTO_FRAGMENT)
		return true;
	if ((const void *)(fragment + 1) > view->end)
		return false;
	view->protocol = fragment->next;
	view->piece = true;
	return true;
}

static bool is_ours(const struct view *view)
{
	return bpf_map_lookup_elem(&addresses, &view->destination) != NULL;
}

static bool is_media_port(const struct view *view)
{
	const struct udphdr *udp = view->at;
	__u16 port;

	if ((const void *)(udp + 1) > view->end)
		return false;
	port = bpf_ntohs(udp->dest);
	return port >= port_first && port <= port_last;
}

SEC("xdp")
int xsk_def_prog(struct xdp_md *frame)
{
	struct view view = { .at = (const void *)(long)frame->data,
			     .end = (const void *)(long)frame->data_end };
	bool is_ip;
	long verdict;

	if (!read_ethernet(&view))
		return XDP_PASS;
	if (view.ethertype == bpf_htons(ETH_P_IP))
		is_ip = read_ipv4(&view);
	else
		is_ip = view.ethertype == bpf_htons(ETH_P_IPV6) && read_ipv6(&view);
	if (!is_ip || view.protocol != IPPROTO_UDP)
		return XDP_PASS;
	if (view.piece) {
		if (is_ours(&view))
			count(TD_XDP_GATE_FRAGMENT);
		return XDP_PASS;
	}
	if (!is_media_port(&view) || !is_ours(&view))
		return XDP_PASS;
	verdict = bpf_redirect_map(&xsks_map, frame->rx_queue_index, XDP_PASS);
	count(verdict == XDP_REDIRECT ? TD_XDP_GATE_TAKEN : TD_XDP_GATE_NO_QUEUE);
	return (int)verdict;
}

// Nothing here is derived from the kernel's sources; the helpers it calls ask for no licence.
char license_text[] SEC("license") = "Apache-2.0";
