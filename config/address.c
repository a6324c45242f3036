// Parsing and classifying numeric addresses.
#include "config/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Decimal, no sign, no leading zero, in [min, max]; -1 otherwise.
static long parse_number(const char *text, long min, long max)
{
	size_t length = strlen(text);
	long value;

	if (length == 0 || length > 5 || strspn(text, "0123456789") != length ||
	    (*text == '0' && length > 1))
		return -1;
	value = strtol(text, NULL, 10);
	return value >= min && value <= max ? value : -1;
}

int td_address_parse_endpoint(const char *text, struct td_endpoint *out)
{
	char host[64];
	const char *colon = strrchr(text, ':');
	size_t length;
	long port;

	if (!colon || (size_t)(colon - text) >= sizeof host)
		return -TD_EMALFORMED;
	port = parse_number(colon + 1, 1, 65535);
	length = (size_t)(colon - text);
	memcpy(host, text, length);
	host[length] = '\0';
	if (port < 0)
		return -TD_EMALFORMED;
	if (*host == '[' && length > 2 && host[length - 1] == ']') {
		host[length - 1] = '\0';
		if (td_endpoint_parse_addr(host + 1, out) != 0 || out->family != TD_FAMILY_IPV6)
			return -TD_EMALFORMED;
	} else if (td_endpoint_parse_addr(host, out) != 0 || out->family != TD_FAMILY_IPV4) {
		return -TD_EMALFORMED;
	}
	out->port_be = htons((uint16_t)port);
	return 0;
}

int td_address_parse_prefix(const char *text, struct td_endpoint *out, uint8_t *prefix_bits)
{
	char host[64];
	const char *slash = strchr(text, '/');
	long bits;

	if (!slash || (size_t)(slash - text) >= sizeof host)
		return -TD_EMALFORMED;
	snprintf(host, sizeof host, "%.*s", (int)(slash - text), text);
	if (td_endpoint_parse_addr(host, out) != 0)
		return -TD_EMALFORMED;
	bits = parse_number(slash + 1, 1, out->family == TD_FAMILY_IPV4 ? 32 : 128);
	if (bits < 0)
		return -TD_EMALFORMED;
	*prefix_bits = (uint8_t)bits;
	return 0;
}

bool td_address_in_prefix(const struct td_endpoint *addr, const struct td_endpoint *local,
			  uint8_t prefix_bits)
{
	unsigned whole = prefix_bits / 8, rest = prefix_bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	if (addr->family != local->family || memcmp(addr->addr, local->addr, whole) != 0)
		return false;
	return rest == 0 || ((addr->addr[whole] ^ local->addr[whole]) & mask) == 0;
}

bool td_address_is_loopback(const struct td_endpoint *addr)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (addr->family == TD_FAMILY_IPV4)
		return addr->addr[0] == 127;
	return addr->family == TD_FAMILY_IPV6 && memcmp(addr->addr, one, sizeof one) == 0;
}

bool td_address_is_host(const struct td_endpoint *addr)
{
	static const uint8_t zero[16];

	if (addr->family == TD_FAMILY_IPV4)
		return addr->addr[0] != 0 && addr->addr[0] < 224;
	return addr->family == TD_FAMILY_IPV6 && addr->addr[0] != 0xff &&
	       memcmp(addr->addr, zero, sizeof zero) != 0;
}
