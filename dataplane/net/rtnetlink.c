#include <errno.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "net/rtnetlink.h"

#define MESSAGE_BYTES 8192
#define NEWS_BYTES    (1 << 20)

#define USABLE_STATES                                                                              \
	(NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP)

static int address_bytes(const struct td_endpoint *addr)
{
	return addr->family == TD_FAMILY_IPV6 ? 16 : 4;
}

static uint8_t kernel_family(const struct td_endpoint *addr)
{
	return addr->family == TD_FAMILY_IPV6 ? AF_INET6 : AF_INET;
}

// An address of the kernel's, `bytes` long as it came. False when it is none.
static bool read_address(unsigned family, const void *data, size_t bytes, struct td_endpoint *out)
{
	size_t wanted = family == AF_INET6 ? 16 : 4;

	if ((family != AF_INET && family != AF_INET6) || bytes != wanted)
		return false;
	*out = (struct td_endpoint){
		.family = family == AF_INET6 ? TD_FAMILY_IPV6 : TD_FAMILY_IPV4,
	};
	memcpy(out->addr, data, wanted);
	return true;
}

static struct mnl_socket *open_socket(void)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (socket && mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(socket);
		return NULL;
	}
	return socket;
}

int td_rtnetlink_open(struct td_rtnetlink *netlink)
{
	static const int groups[] = { RTNLGRP_NEIGH,      RTNLGRP_LINK,        RTNLGRP_IPV4_ROUTE,
				      RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
				      RTNLGRP_IPV4_RULE,  RTNLGRP_IPV6_RULE,   RTNLGRP_NEXTHOP };
	// The kernel answers at once; this is for the day when it does not.
	struct timeval patience = { .tv_usec = 200000 };
	int bytes = NEWS_BYTES, failed = 0;

	*netlink = (struct td_rtnetlink){ .ask = open_socket(), .news = open_socket() };
	if (!netlink->ask || !netlink->news) {
		td_rtnetlink_close(netlink);
		return -TD_EIO;
	}
	for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
		failed |= mnl_socket_setsockopt(netlink->news, NETLINK_ADD_MEMBERSHIP,
						(void *)&groups[i], sizeof groups[i]);
	failed |= setsockopt(mnl_socket_get_fd(netlink->ask), SOL_SOCKET, SO_RCVTIMEO, &patience,
			     sizeof patience);
	if (failed) {
		td_rtnetlink_close(netlink);
		return -TD_EIO;
	}
	// Best effort: without the right to a larger one, news may get lost, which is seen.
	(void)!setsockopt(mnl_socket_get_fd(netlink->news), SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
			  sizeof bytes);
	return 0;
}

void td_rtnetlink_close(struct td_rtnetlink *netlink)
{
	if (netlink->ask)
		mnl_socket_close(netlink->ask);
	if (netlink->news)
		mnl_socket_close(netlink->news);
	*netlink = (struct td_rtnetlink){ 0 };
}

int td_rtnetlink_news_fd(const struct td_rtnetlink *netlink)
{
	return mnl_socket_get_fd(netlink->news);
}

// Sends the request and hands the one message that answers it to `parse`. 0, or what the kernel
// answered.
static int ask(struct td_rtnetlink *netlink, struct nlmsghdr *request, mnl_cb_t parse, void *out)
{
	alignas(NLMSG_ALIGNTO) char answer[MESSAGE_BYTES];
	uint32_t sequence = ++netlink->sequence;
	uint32_t port = mnl_socket_get_portid(netlink->ask);
	ssize_t len;

	request->nlmsg_seq = sequence;
	if (mnl_socket_sendto(netlink->ask, request, request->nlmsg_len) < 0)
		return -TD_EIO;
	do {
		len = mnl_socket_recvfrom(netlink->ask, answer, sizeof answer);
		if (len < 0)
			return -TD_EIO;
		// An answer that came after its time is none to this question.
	} while (((const struct nlmsghdr *)(const void *)answer)->nlmsg_seq != sequence);
	if (mnl_cb_run(answer, (size_t)len, sequence, port, parse, out) >= 0)
		return 0;
	return errno == ENOENT || errno == ENETUNREACH || errno == EHOSTUNREACH || errno == EACCES
		       ? -TD_ENOT_FOUND
		       : -TD_EINVALID;
}

struct route_answer {
	unsigned type;
	struct td_host_route route;
};

static int read_route_attribute(const struct nlattr *attribute, void *user)
{
	struct route_answer *out = user;
	uint16_t type = mnl_attr_get_type(attribute), len = mnl_attr_get_payload_len(attribute);

	if (type == RTA_OIF && len == sizeof(uint32_t))
		out->route.interface = mnl_attr_get_u32(attribute);
	if (type == RTA_GATEWAY)
		(void)read_address(len == 16 ? AF_INET6 : AF_INET, mnl_attr_get_payload(attribute),
				   len, &out->route.hop);
	// An IPv4 route over an IPv6 gateway.
	if (type == RTA_VIA && len > sizeof(struct rtvia)) {
		const struct rtvia *via = mnl_attr_get_payload(attribute);

		(void)read_address(via->rtvia_family, via->rtvia_addr, len - sizeof *via,
				   &out->route.hop);
	}
	return MNL_CB_OK;
}

static int parse_route(const struct nlmsghdr *message, void *user)
{
	struct route_answer *out = user;
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	out->type = route->rtm_type;
	return mnl_attr_parse(message, sizeof *route, read_route_attribute, out);
}

static bool is_link_local6(const struct td_endpoint *addr)
{
	return addr->family == TD_FAMILY_IPV6 && addr->addr[0] == 0xfe &&
	       (addr->addr[1] & 0xc0) == 0x80;
}

int td_rtnetlink_route(struct td_rtnetlink *netlink, unsigned interface,
		       const struct td_endpoint *source, const struct td_endpoint *destination,
		       struct td_host_route *route)
{
	alignas(NLMSG_ALIGNTO) char buffer[256] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct rtmsg *body;
	struct route_answer answer = { .route.hop = *destination };
	int error;

	request->nlmsg_type = RTM_GETROUTE;
	request->nlmsg_flags = NLM_F_REQUEST;
	body = mnl_nlmsg_put_extra_header(request, sizeof *body);
	body->rtm_family = kernel_family(destination);
	body->rtm_dst_len = body->rtm_src_len = (uint8_t)(address_bytes(destination) * 8);
	mnl_attr_put(request, RTA_DST, (size_t)address_bytes(destination), destination->addr);
	mnl_attr_put(request, RTA_SRC, (size_t)address_bytes(source), source->addr);
	if (is_link_local6(destination))
		mnl_attr_put_u32(request, RTA_OIF, interface);
	error = ask(netlink, request, parse_route, &answer);
	if (error)
		return error;
	if (answer.type == RTN_LOCAL || answer.type == RTN_BROADCAST ||
	    answer.type == RTN_MULTICAST || answer.type == RTN_ANYCAST)
		return -TD_EINVALID;
	if (answer.type != RTN_UNICAST || answer.route.interface == 0)
		return -TD_ENOT_FOUND;
	*route = answer.route;
	route->hop.port_be = 0;
	return 0;
}

static struct nlmsghdr *neighbour_request(char *buffer, uint16_t type, uint16_t flags,
					  unsigned interface, const struct td_endpoint *addr)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ndmsg *body;

	request->nlmsg_type = type;
	request->nlmsg_flags = flags;
	body = mnl_nlmsg_put_extra_header(request, sizeof *body);
	body->ndm_family = kernel_family(addr);
	body->ndm_ifindex = (int)interface;
	mnl_attr_put(request, NDA_DST, (size_t)address_bytes(addr), addr->addr);
	return request;
}

int td_rtnetlink_use(struct td_rtnetlink *netlink, unsigned interface,
		     const struct td_endpoint *addr)
{
	alignas(NLMSG_ALIGNTO) char buffer[256] = { 0 };
	struct nlmsghdr *request = neighbour_request(
		buffer, RTM_NEWNEIGH, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, interface, addr);
	struct ndmsg *body = mnl_nlmsg_get_payload(request);

	body->ndm_flags = NTF_USE;
	return ask(netlink, request, NULL, NULL);
}

struct neighbour_message {
	const struct ndmsg *body;
	struct td_host_neighbour *out;
	bool named, has_mac;
};

static int read_neighbour_attribute(const struct nlattr *attribute, void *user)
{
	struct neighbour_message *message = user;
	const void *data = mnl_attr_get_payload(attribute);
	uint16_t len = mnl_attr_get_payload_len(attribute);

	if (mnl_attr_get_type(attribute) == NDA_DST)
		message->named =
			read_address(message->body->ndm_family, data, len, &message->out->addr);
	if (mnl_attr_get_type(attribute) == NDA_LLADDR && len == sizeof message->out->mac) {
		memcpy(message->out->mac, data, sizeof message->out->mac);
		message->has_mac = true;
	}
	return MNL_CB_OK;
}

// False when the message says nothing about an IP neighbour.
static bool read_neighbour(const struct nlmsghdr *header, struct td_host_neighbour *out)
{
	const struct ndmsg *body = mnl_nlmsg_get_payload(header);
	struct neighbour_message message = { .body = body, .out = out };

	*out = (struct td_host_neighbour){ .interface = (unsigned)body->ndm_ifindex };
	if (mnl_attr_parse(header, sizeof *body, read_neighbour_attribute, &message) < 0)
		return false;
	out->forgotten = header->nlmsg_type == RTM_DELNEIGH;
	out->failed = !out->forgotten && (body->ndm_state & NUD_FAILED) != 0;
	out->usable = !out->forgotten && message.has_mac && (body->ndm_state & USABLE_STATES) != 0;
	out->fixed = out->usable && (body->ndm_state & (NUD_PERMANENT | NUD_NOARP)) != 0;
	return message.named;
}

static int parse_neighbour(const struct nlmsghdr *message, void *user)
{
	if (message->nlmsg_type == RTM_NEWNEIGH)
		(void)read_neighbour(message, user);
	return MNL_CB_OK;
}

int td_rtnetlink_neighbour(struct td_rtnetlink *netlink, unsigned interface,
			   const struct td_endpoint *addr, struct td_host_neighbour *neighbour)
{
	alignas(NLMSG_ALIGNTO) char buffer[256] = { 0 };
	struct nlmsghdr *request =
		neighbour_request(buffer, RTM_GETNEIGH, NLM_F_REQUEST, interface, addr);

	*neighbour = (struct td_host_neighbour){ .interface = interface, .addr = *addr };
	return ask(netlink, request, parse_neighbour, neighbour);
}

static int parse_news(const struct nlmsghdr *message, void *user)
{
	const struct td_rtnetlink_handler *handler = user;
	struct td_host_neighbour neighbour;

	if (message->nlmsg_type != RTM_NEWNEIGH && message->nlmsg_type != RTM_DELNEIGH)
		handler->on_change(handler->user);
	else if (read_neighbour(message, &neighbour))
		handler->on_neighbour(handler->user, &neighbour);
	return MNL_CB_OK;
}

void td_rtnetlink_read_news(struct td_rtnetlink *netlink,
			    const struct td_rtnetlink_handler *handler)
{
	alignas(NLMSG_ALIGNTO) char buffer[MESSAGE_BYTES];
	int fd = mnl_socket_get_fd(netlink->news);
	ssize_t len;

	while ((len = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0 ||
	       (len < 0 && errno == ENOBUFS)) {
		if (len < 0)
			handler->on_change(handler->user);
		else
			(void)mnl_cb_run(buffer, (size_t)len, 0, 0, parse_news, (void *)handler);
	}
}
