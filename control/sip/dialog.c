#include "sip/dialog.h"

#define ROUTES_MAX 16

// Appends text to the arena; the field's old text stays behind as waste.
static int append(struct td_sip_dialog *d, struct td_sip_field *field, struct td_str text)
{
	if (text.len + d->text_len > TD_SIP_DIALOG_TEXT_MAX)
		return -TD_EFULL;
	field->at = d->text_len;
	field->len = (uint16_t)text.len;
	if (text.len)
		memcpy(d->text + field->at, text.at, text.len);
	d->text_len = (uint16_t)(d->text_len + text.len);
	return 0;
}

#define FIELD_COUNT 8

static void list_fields(struct td_sip_dialog *d, struct td_sip_field *fields[FIELD_COUNT])
{
	fields[0] = &d->call_id;
	fields[1] = &d->local_tag;
	fields[2] = &d->remote_tag;
	fields[3] = &d->local_uri;
	fields[4] = &d->remote_uri;
	fields[5] = &d->remote_target;
	fields[6] = &d->route_set;
	fields[7] = &d->contact_user;
}

static void compact(struct td_sip_dialog *d)
{
	struct td_sip_field *fields[FIELD_COUNT];
	struct td_sip_dialog old = *d;

	list_fields(d, fields);
	d->text_len = 0;
	for (int i = 0; i < FIELD_COUNT; i++) {
		struct td_str text = td_str_make(old.text + fields[i]->at, fields[i]->len);

		// What came out of one arena fits into an empty one.
		if (append(d, fields[i], text))
			return;
	}
}

// Replaces a field, making room when the arena is full of what was replaced before.
static int replace(struct td_sip_dialog *d, struct td_sip_field *field, struct td_str text)
{
	if (text.len <= field->len) {
		if (text.len)
			memcpy(d->text + field->at, text.at, text.len);
		field->len = (uint16_t)text.len;
		return 0;
	}
	if (text.len + d->text_len > TD_SIP_DIALOG_TEXT_MAX)
		compact(d);
	return append(d, field, text);
}

// `"Display" <uri>` without the header's parameters, so that our tag can follow.
static int append_party(struct td_sip_dialog *d, struct td_sip_field *field,
			const struct td_sip_name_addr *party)
{
	struct td_sip_field part;
	uint16_t begin = d->text_len;
	int rc = 0;

	if (party->display.len) {
		rc = append(d, &part, party->display);
		if (!rc)
			rc = append(d, &part, TD_STR(" "));
	}
	if (!rc)
		rc = append(d, &part, TD_STR("<"));
	if (!rc)
		rc = append(d, &part, party->uri.text);
	if (!rc)
		rc = append(d, &part, TD_STR(">"));
	field->at = begin;
	field->len = (uint16_t)(d->text_len - begin);
	return rc;
}

// The Record-Route values, joined; `reversed` for the client side (12.1.2).
static int append_routes(struct td_sip_dialog *d, const struct td_sip_message *msg, bool reversed)
{
	struct td_str routes[ROUTES_MAX];
	struct td_sip_walk walk = { 0 };
	struct td_sip_name_addr parsed;
	struct td_sip_field part;
	uint16_t begin = d->text_len;
	unsigned count = 0;
	int rc = 0;

	while (count < ROUTES_MAX &&
	       td_sip_message_next(msg, TD_SIP_HEADER_RECORD_ROUTE, &walk, &routes[count])) {
		if (td_sip_name_addr_parse(routes[count], &parsed))
			return -TD_EMALFORMED;
		routes[count++] = parsed.uri.text;
	}
	if (count == ROUTES_MAX)
		return -TD_EFULL;
	for (unsigned i = 0; i < count && !rc; i++) {
		rc = append(d, &part, i ? TD_STR(", <") : TD_STR("<"));
		if (!rc)
			rc = append(d, &part, routes[reversed ? count - 1 - i : i]);
		if (!rc)
			rc = append(d, &part, TD_STR(">"));
	}
	d->route_set = (struct td_sip_field){ begin, (uint16_t)(d->text_len - begin) };
	return rc;
}

// The first Contact's URI; without one (RFC 2543 peers) the fallback.
static struct td_str contact_uri(const struct td_sip_message *msg, struct td_str fallback)
{
	struct td_sip_walk walk = { 0 };
	struct td_sip_name_addr contact;
	struct td_str value;

	if (td_sip_message_next(msg, TD_SIP_HEADER_CONTACT, &walk, &value) &&
	    !td_sip_name_addr_parse(value, &contact))
		return contact.uri.text;
	return fallback;
}

int td_sip_dialog_from_request(struct td_sip_dialog *d, const struct td_sip_message *msg,
			       const struct td_endpoint *from, struct td_str local_tag)
{
	int rc;

	memset(d, 0, offsetof(struct td_sip_dialog, text));
	d->peer = *from;
	d->remote_cseq = msg->cseq;
	d->remote_cseq_set = true;
	rc = append(d, &d->call_id, msg->call_id);
	if (!rc)
		rc = append(d, &d->local_tag, local_tag);
	if (!rc)
		rc = append(d, &d->remote_tag, msg->from.tag);
	if (!rc)
		rc = append_party(d, &d->local_uri, &msg->to);
	if (!rc)
		rc = append_party(d, &d->remote_uri, &msg->from);
	if (!rc)
		rc = append(d, &d->remote_target, contact_uri(msg, msg->from.uri.text));
	if (!rc)
		rc = append_routes(d, msg, false);
	return rc;
}

int td_sip_dialog_from_seed(struct td_sip_dialog *d, const struct td_sip_dialog_seed *seed)
{
	struct td_sip_name_addr party;
	int rc;

	memset(d, 0, offsetof(struct td_sip_dialog, text));
	d->state = TD_SIP_DIALOG_CALLING;
	d->initiator = true;
	d->symmetric = seed->symmetric;
	d->peer = seed->peer;
	rc = append(d, &d->call_id, seed->call_id);
	if (!rc)
		rc = append(d, &d->local_tag, seed->local_tag);
	if (!rc)
		rc = td_sip_name_addr_parse(seed->local, &party);
	if (!rc)
		rc = append_party(d, &d->local_uri, &party);
	if (!rc)
		rc = td_sip_name_addr_parse(seed->remote, &party);
	if (!rc)
		rc = append_party(d, &d->remote_uri, &party);
	if (!rc)
		rc = append(d, &d->remote_target, seed->target);
	if (!rc)
		rc = append(d, &d->contact_user, seed->contact_user);
	return rc;
}

int td_sip_dialog_confirm(struct td_sip_dialog *d, const struct td_sip_message *msg,
			  const struct td_endpoint *from)
{
	struct td_str target = td_sip_dialog_text(d, d->remote_target);
	int rc = replace(d, &d->remote_tag, msg->to.tag);

	d->peer = *from;
	if (!rc)
		rc = append_routes(d, msg, true);
	if (!rc)
		rc = td_sip_dialog_retarget(d, contact_uri(msg, target));
	return rc;
}

int td_sip_dialog_retarget(struct td_sip_dialog *d, struct td_str uri)
{
	struct td_sip_uri parsed;

	if (td_str_equal(uri, td_sip_dialog_text(d, d->remote_target)))
		return 0;
	if (td_sip_uri_parse(uri, &parsed) ||
	    (parsed.scheme != TD_SIP_SCHEME_SIP && parsed.scheme != TD_SIP_SCHEME_SIPS))
		return -TD_EMALFORMED;
	return replace(d, &d->remote_target, uri);
}

// Splits "<a>, <b>" after its first value. The set was made by append_routes, so ", " separates and
// no '>' occurs inside a URI.
static struct td_str first_route(struct td_str set, struct td_str *rest)
{
	size_t close = td_str_find(set, '>');
	struct td_str tail = td_str_after(set, close < set.len ? close : 0);
	size_t comma = td_str_find(tail, ',');

	*rest = td_str_trim(td_str_after(tail, comma + 1));
	return td_str_make(set.at, (size_t)(tail.at + comma - set.at));
}

void td_sip_dialog_route(const struct td_sip_dialog *d, struct td_sip_dialog_path *out)
{
	struct td_str set = td_sip_dialog_text(d, d->route_set), rest, ignored;
	struct td_sip_name_addr first;
	struct td_sip_uri hop;

	*out = (struct td_sip_dialog_path){ .request_uri = td_sip_dialog_text(d, d->remote_target),
					    .routes = set,
					    .hop = d->peer };
	if (set.len && !td_sip_name_addr_parse(first_route(set, &rest), &first)) {
		hop = first.uri;
		if (!td_sip_uri_param(&first.uri, TD_STR("lr"), &ignored)) {
			out->last_route = out->request_uri;
			out->request_uri = first.uri.text;
			out->routes = rest;
		}
	} else if (td_sip_uri_parse(out->request_uri, &hop)) {
		return;
	}
	// A name would need a resolver; the peer's own address has proved to work.
	if (!d->symmetric && td_sip_uri_endpoint(&hop, &out->hop))
		out->hop = d->peer;
}

static bool field_inside(const struct td_sip_dialog *d, struct td_sip_field field)
{
	return (size_t)field.at + field.len <= d->text_len;
}

bool td_sip_dialog_valid(const struct td_sip_dialog *d)
{
	struct td_sip_dialog *writable = (struct td_sip_dialog *)(uintptr_t)d;
	struct td_sip_field *fields[FIELD_COUNT];
	struct td_sip_name_addr party;
	struct td_sip_uri uri;

	if (d->text_len > TD_SIP_DIALOG_TEXT_MAX || d->state != TD_SIP_DIALOG_CONFIRMED)
		return false;
	list_fields(writable, fields);
	for (int i = 0; i < FIELD_COUNT; i++) {
		struct td_str text = td_str_make(d->text + fields[i]->at, fields[i]->len);

		if (!field_inside(d, *fields[i]) || td_str_find(text, '\n') < text.len)
			return false;
	}
	return d->call_id.len && d->local_tag.len && d->peer.family != TD_FAMILY_NONE &&
	       !td_sip_uri_parse(td_sip_dialog_text(d, d->remote_target), &uri) &&
	       !td_sip_name_addr_parse(td_sip_dialog_text(d, d->local_uri), &party) &&
	       !td_sip_name_addr_parse(td_sip_dialog_text(d, d->remote_uri), &party);
}
