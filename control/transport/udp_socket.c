#include "transport/udp_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport/address.h"

static int bind_failed(const struct td_endpoint *listen, int error, char *reason)
{
	char text[TD_ENDPOINT_TEXT_MAX];
	unsigned port = ntohs(listen->port_be);

	td_endpoint_text(listen, text);
	switch (error) {
	case EADDRINUSE:
		snprintf(reason, TD_UDP_REASON_MAX,
			 "UDP %s is in use by another program: stop it (\"ss -ulpn 'sport = :%u'\" "
			 "names it) or change sip.listen",
			 text, port);
		return -TD_EBUSY;
	case EADDRNOTAVAIL:
		snprintf(
			reason, TD_UDP_REASON_MAX,
			"cannot listen on UDP %s: that is not an address of this host; add it to an "
			"interface or change sip.listen (\"ip address\" lists them)",
			text);
		return -TD_ENOT_FOUND;
	case EACCES:
	case EPERM:
		snprintf(
			reason, TD_UDP_REASON_MAX,
			"not allowed to listen on UDP %s: choose a port above 1023 in sip.listen, or "
			"run as root",
			text);
		return -TD_EDENIED;
	default:
		snprintf(reason, TD_UDP_REASON_MAX, "cannot listen on UDP %s: %s", text,
			 strerror(error));
		return -TD_EIO;
	}
}

static void enlarge_buffer(int fd)
{
	int bytes = TD_UDP_RECEIVE_BYTES;

	// FORCE goes past net.core.rmem_max but needs CAP_NET_ADMIN.
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

static int set_options(int fd, const struct td_endpoint *listen)
{
	static const struct in6_addr any = IN6ADDR_ANY_INIT;
	int on = 1, discover = IP_PMTUDISC_DONT;

	enlarge_buffer(fd);
	if (setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on) != 0)
		return -1;
	if (listen->family == TD_FAMILY_IPV6) {
		int only = memcmp(listen->addr, &any, sizeof any) != 0;

		return setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
	}
	return setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &discover, sizeof discover);
}

static int bound_to(int fd, struct td_endpoint *local)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof address;

	if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		return -TD_EIO;
	return td_address_from_sockaddr(&address, local);
}

int td_udp_socket_open(const struct td_endpoint *listen, int *fd, struct td_endpoint *local,
		       char reason[TD_UDP_REASON_MAX])
{
	int family = listen->family == TD_FAMILY_IPV6 ? AF_INET6 : AF_INET;
	struct sockaddr_storage address;
	socklen_t len;
	int error;

	if (td_address_to_sockaddr(listen, family, &address, &len) != 0) {
		snprintf(reason, TD_UDP_REASON_MAX, "sip.listen names no address");
		return -TD_EINVALID;
	}
	*fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd >= 0 && set_options(*fd, listen) == 0 &&
	    bind(*fd, (struct sockaddr *)&address, len) == 0 && bound_to(*fd, local) == 0)
		return 0;
	error = bind_failed(listen, errno, reason);
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return error;
}

int td_udp_socket_route(const struct td_endpoint *to, struct td_endpoint *from)
{
	int family = to->family == TD_FAMILY_IPV6 ? AF_INET6 : AF_INET;
	struct sockaddr_storage address;
	socklen_t len;
	int error = -TD_ENOT_FOUND;
	int fd;

	if (td_address_to_sockaddr(to, family, &address, &len) != 0)
		return -TD_EINVALID;
	fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -TD_EIO;
	// Connecting a UDP socket sends nothing; it makes the kernel choose the route.
	if (connect(fd, (struct sockaddr *)&address, len) == 0)
		error = bound_to(fd, from);
	from->port_be = 0;
	close(fd);
	return error;
}
