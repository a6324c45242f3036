#include "sip/writer.h"

#include <arpa/inet.h>

void td_sip_put_number(struct td_sip_writer *w, uint64_t number)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	td_sip_put(w, td_str_make(digits + at, sizeof digits - at));
}

void td_sip_put_header(struct td_sip_writer *w, struct td_str name, struct td_str value)
{
	if (!value.len)
		return;
	td_sip_put(w, name);
	td_sip_puts(w, ": ");
	td_sip_put(w, value);
	td_sip_puts(w, "\r\n");
}

static void put_ipv4(struct td_sip_writer *w, const uint8_t addr[4])
{
	for (int i = 0; i < 4; i++) {
		if (i)
			td_sip_puts(w, ".");
		td_sip_put_number(w, addr[i]);
	}
}

void td_sip_put_bare_address(struct td_sip_writer *w, const struct td_endpoint *address)
{
	char text[INET6_ADDRSTRLEN];

	if (address->family == TD_FAMILY_IPV6)
		td_sip_put(w, td_str_from(inet_ntop(AF_INET6, address->addr, text, sizeof text)));
	else
		put_ipv4(w, address->addr);
}

void td_sip_put_address(struct td_sip_writer *w, const struct td_endpoint *address, bool with_port)
{
	bool brackets = address->family == TD_FAMILY_IPV6;

	if (brackets)
		td_sip_puts(w, "[");
	td_sip_put_bare_address(w, address);
	if (brackets)
		td_sip_puts(w, "]");
	if (with_port) {
		td_sip_puts(w, ":");
		td_sip_put_number(w, ntohs(address->port_be));
	}
}

void td_sip_put_body(struct td_sip_writer *w, struct td_str content_type, struct td_str body)
{
	if (body.len)
		td_sip_put_header(w, TD_STR("Content-Type"), content_type);
	td_sip_puts(w, "Content-Length: ");
	td_sip_put_number(w, body.len);
	td_sip_puts(w, "\r\n\r\n");
	td_sip_put(w, body);
}
