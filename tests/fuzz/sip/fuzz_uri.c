// A URI, and the header values that hold one, from a stranger.
#include <stdint.h>

#include "sip/digest.h"
#include "sip/message.h"
#include "td_assert.h"

static void inside(struct td_str whole, struct td_str s)
{
	TD_ASSERT(!s.len || (s.at >= whole.at && s.at + s.len <= whole.at + whole.len));
}

static void read_uri(struct td_str text)
{
	struct td_sip_uri uri;
	struct td_endpoint address;
	struct td_str value;
	char out[64];

	if (td_sip_uri_parse(text, &uri))
		return;
	inside(text, uri.user);
	inside(text, uri.password);
	inside(text, uri.host);
	inside(text, uri.params);
	inside(text, uri.headers);
	TD_ASSERT(td_sip_uri_equal(&uri, &uri));
	td_sip_uri_param(&uri, TD_STR("transport"), &value);
	if (!td_sip_uri_unescape(uri.user, out, sizeof out))
		TD_ASSERT(strlen(out) <= uri.user.len);
	if (!td_sip_uri_endpoint(&uri, &address))
		TD_ASSERT(address.family != TD_FAMILY_NONE && address.port_be);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct td_str text = td_str_make((const char *)data, size);
	struct td_sip_digest_fields fields;
	struct td_sip_name_addr party;
	struct td_sip_via via;

	read_uri(text);
	if (!td_sip_name_addr_parse(text, &party)) {
		inside(text, party.display);
		inside(text, party.tag);
		inside(text, party.uri.text);
	}
	if (!td_sip_via_parse(text, &via)) {
		inside(text, via.host);
		inside(text, via.branch);
		TD_ASSERT(via.host.len);
	}
	if (!td_sip_digest_fields_parse(text, &fields))
		inside(text, fields.response);
	return 0;
}
