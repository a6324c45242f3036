#include "transport/address.h"

#include <netinet/in.h>
#include <string.h>

static int to_ipv4(const struct td_endpoint *ep, struct sockaddr_storage *out, socklen_t *len)
{
	struct sockaddr_in *in = (struct sockaddr_in *)out;

	if (ep->family != TD_FAMILY_IPV4)
		return -TD_EINVALID;
	in->sin_family = AF_INET;
	in->sin_port = ep->port_be;
	memcpy(&in->sin_addr, ep->addr, sizeof in->sin_addr);
	*len = sizeof *in;
	return 0;
}

static int to_ipv6(const struct td_endpoint *ep, struct sockaddr_storage *out, socklen_t *len)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = ep->port_be;
	if (ep->family == TD_FAMILY_IPV6) {
		memcpy(&in6->sin6_addr, ep->addr, sizeof in6->sin6_addr);
	} else if (ep->family == TD_FAMILY_IPV4) {
		in6->sin6_addr.s6_addr[10] = in6->sin6_addr.s6_addr[11] = 0xff;
		memcpy(&in6->sin6_addr.s6_addr[12], ep->addr, 4);
	} else {
		return -TD_EINVALID;
	}
	*len = sizeof *in6;
	return 0;
}

int td_address_to_sockaddr(const struct td_endpoint *ep, int socket_family,
			   struct sockaddr_storage *out, socklen_t *len)
{
	memset(out, 0, sizeof *out);
	return socket_family == AF_INET ? to_ipv4(ep, out, len) : to_ipv6(ep, out, len);
}

int td_address_from_sockaddr(const struct sockaddr_storage *in, struct td_endpoint *out)
{
	memset(out, 0, sizeof *out);
	if (in->ss_family == AF_INET) {
		const struct sockaddr_in *in4 = (const struct sockaddr_in *)in;

		out->family = TD_FAMILY_IPV4;
		out->port_be = in4->sin_port;
		memcpy(out->addr, &in4->sin_addr, sizeof in4->sin_addr);
		return 0;
	}
	if (in->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)in;
		bool mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);

		out->family = mapped ? TD_FAMILY_IPV4 : TD_FAMILY_IPV6;
		out->port_be = in6->sin6_port;
		if (mapped)
			memcpy(out->addr, &in6->sin6_addr.s6_addr[12], 4);
		else
			memcpy(out->addr, &in6->sin6_addr, sizeof in6->sin6_addr);
		return 0;
	}
	return -TD_EMALFORMED;
}
