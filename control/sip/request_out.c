// What we ask: requests, and the ACKs and CANCELs that follow from them.
#include "sip/core.h"

struct td_str td_sip_make_branch(struct td_sip_endpoint *ep, char out[TD_SIP_BRANCH_MAX])
{
	static const char cookie[7] = { 'z', '9', 'h', 'G', '4', 'b', 'K' };

	memcpy(out, cookie, sizeof cookie);
	td_token_text(&ep->tokens, out + sizeof cookie);
	return td_str_make(out, sizeof cookie + 16);
}

static void put_routes(struct td_sip_writer *w, const struct td_sip_outgoing *out)
{
	td_sip_put_header(w, TD_STR("Route"), out->routes);
	if (!out->last_route.len)
		return;
	td_sip_puts(w, "Route: <");
	td_sip_put(w, out->last_route);
	td_sip_puts(w, ">\r\n");
}

static void put_party(struct td_sip_writer *w, struct td_str name, struct td_str party,
		      struct td_str tag)
{
	td_sip_put(w, name);
	td_sip_puts(w, ": ");
	td_sip_put(w, party);
	if (tag.len) {
		td_sip_puts(w, ";tag=");
		td_sip_put(w, tag);
	}
	td_sip_puts(w, "\r\n");
}

static void put_own_contact(struct td_sip_writer *w, const struct td_sip_outgoing *out)
{
	td_sip_puts(w, "Contact: <sip:");
	td_sip_put(w, out->contact_user);
	if (out->contact_user.len)
		td_sip_puts(w, "@");
	td_sip_put_address(w, out->local, true);
	td_sip_puts(w, ">\r\n");
}

void td_sip_put_request(struct td_sip_endpoint *ep, struct td_sip_writer *w,
			const struct td_sip_outgoing *out)
{
	td_sip_put(w, out->method);
	td_sip_puts(w, " ");
	td_sip_put(w, out->uri);
	td_sip_puts(w, " SIP/2.0\r\nVia: SIP/2.0/UDP ");
	td_sip_put_address(w, out->local, true);
	td_sip_puts(w, ";branch=");
	td_sip_put(w, out->branch);
	td_sip_puts(w, ";rport\r\nMax-Forwards: ");
	td_sip_put_number(w, out->max_forwards);
	td_sip_puts(w, "\r\n");
	put_routes(w, out);
	put_party(w, TD_STR("From"), out->from, out->from_tag);
	put_party(w, TD_STR("To"), out->to, out->to_tag);
	td_sip_put_header(w, TD_STR("Call-ID"), out->call_id);
	td_sip_puts(w, "CSeq: ");
	td_sip_put_number(w, out->cseq);
	td_sip_puts(w, " ");
	td_sip_put(w, out->method);
	td_sip_puts(w, "\r\n");
	if (out->with_contact) {
		put_own_contact(w, out);
		td_sip_put_allow(w);
	}
	td_sip_put_header(w, TD_STR("User-Agent"), td_str_from(ep->user_agent));
	td_sip_put(w, out->headers);
	td_sip_put_body(w, out->content_type, out->body);
	ep->body_written |= out->body.len > 0;
}

// What every request inside a dialog says (12.2.1.1).
void td_sip_from_dialog(const struct td_sip_endpoint *ep, const struct td_sip_dialog *d,
			struct td_sip_outgoing *out, struct td_endpoint *hop)
{
	struct td_sip_dialog_path path;

	td_sip_dialog_route(d, &path);
	*hop = path.hop;
	out->uri = path.request_uri;
	out->routes = path.routes;
	out->last_route = path.last_route;
	out->from = td_sip_dialog_text(d, d->local_uri);
	out->from_tag = td_sip_dialog_text(d, d->local_tag);
	out->to = td_sip_dialog_text(d, d->remote_uri);
	out->to_tag = td_sip_dialog_text(d, d->remote_tag);
	out->call_id = td_sip_dialog_text(d, d->call_id);
	out->contact_user = td_sip_dialog_text(d, d->contact_user);
	out->local = td_sip_local(ep, hop);
}

// Makes the client transaction that carries `out`, with the bytes kept; nothing is sent yet.
struct td_sip_txn *td_sip_open_client(struct td_sip_endpoint *ep,
				      const struct td_sip_outgoing *what,
				      const struct td_endpoint *hop, enum td_sip_method method)
{
	struct td_sip_writer w = td_sip_writer_make(ep->out, sizeof ep->out);
	const struct td_sip_machine *machine = method == TD_SIP_INVITE ? &td_sip_ict : &td_sip_nct;
	struct td_sip_outgoing out = *what;
	char branch[TD_SIP_BRANCH_MAX];
	struct td_sip_txn *txn;

	out.method = td_str_from(td_sip_method_name(method));
	if (!out.branch.len)
		out.branch = td_sip_make_branch(ep, branch);
	td_sip_put_request(ep, &w, &out);
	if (w.full)
		return NULL;
	txn = td_sip_txn_make(ep, machine, td_sip_client_key(ep, out.branch, out.method));
	if (!txn)
		return NULL;
	txn->method = (uint8_t)method;
	txn->cseq = out.cseq;
	txn->peer = *hop;
	if (td_sip_txn_keep(ep, txn, td_sip_writer_text(&w))) {
		td_sip_txn_abandon(ep, txn);
		return NULL;
	}
	return txn;
}

void td_sip_start_client(struct td_sip_endpoint *ep, struct td_sip_txn *txn)
{
	td_sip_count(ep, TD_SIP_COUNT_REQUESTS_OUT);
	if (td_sip_txn_step(ep, txn, TD_CLIENT_START) < 0)
		return;
	td_sip_txn_begin(ep, txn);
	td_sip_txn_transmit(ep, txn);
}

// Header lines of the caller's: whole lines, and no empty one that would end the headers.
static bool lines_ok(struct td_str text)
{
	if (!text.len)
		return true;
	if (text.len < 4 || text.at[0] == '\r' || text.at[0] == '\n')
		return false;
	return memcmp(text.at + text.len - 2, "\r\n", 2) == 0 &&
	       !memmem(text.at, text.len, "\r\n\r\n", 4);
}

static bool request_ok(const struct td_sip_request *r)
{
	struct td_sip_name_addr party;
	struct td_sip_uri uri;

	if (r->method != TD_SIP_INVITE && r->method != TD_SIP_BYE && r->method != TD_SIP_OPTIONS &&
	    r->method != TD_SIP_REGISTER)
		return false;
	if (!td_sip_one_line(r->contact_user) || !td_sip_one_line(r->content_type) ||
	    !lines_ok(r->headers))
		return false;
	if (r->dialog.v)
		return true;
	return r->method != TD_SIP_BYE && td_sip_one_line(r->from) && td_sip_one_line(r->to) &&
	       !td_sip_uri_parse(r->uri, &uri) && !td_sip_name_addr_parse(r->from, &party) &&
	       !td_sip_name_addr_parse(r->to, &party);
}

static int open_leg(struct td_sip_endpoint *ep, const struct td_sip_request *r,
		    const struct td_sip_outgoing *out, struct td_sip_leg **leg)
{
	struct td_sip_dialog_seed seed = { .call_id = out->call_id,
					   .local_tag = out->from_tag,
					   .local = r->from,
					   .remote = r->to,
					   .target = r->uri,
					   .contact_user = r->contact_user,
					   .peer = r->dest,
					   .symmetric = r->flags & TD_SIP_SYMMETRIC };

	*leg = td_sip_leg_make(ep);
	if (!*leg)
		return -TD_EFULL;
	if (td_sip_dialog_from_seed(&(*leg)->dialog, &seed)) {
		td_sip_leg_free(ep, *leg);
		return -TD_EFULL;
	}
	(*leg)->owner = r->owner;
	(*leg)->dialog.local_cseq = out->cseq;
	(*leg)->dialog.local_cseq_set = true;
	return 0;
}

static void copy_request(const struct td_sip_request *r, struct td_sip_outgoing *out)
{
	out->headers = r->headers;
	out->content_type = r->content_type;
	out->body = r->body;
	out->max_forwards = r->max_forwards ? r->max_forwards : 70;
	out->with_contact = r->method == TD_SIP_INVITE;
}

static int send_outside(struct td_sip_endpoint *ep, const struct td_sip_request *r,
			struct td_sip_txn **made)
{
	char tag[TD_SIP_TAG_BYTES], call_id[TD_SIP_TAG_BYTES];
	struct td_sip_outgoing out = { .uri = r->uri, .from = r->from, .to = r->to, .cseq = 1 };
	struct td_sip_leg *leg = NULL;
	struct td_sip_txn *txn;
	int rc;

	out.local = td_sip_local(ep, &r->dest);
	if (!out.local)
		return -TD_EINVALID;
	td_token_text(&ep->tokens, tag);
	td_token_text(&ep->tokens, call_id);
	out.from_tag = td_str_from(tag);
	out.call_id = td_str_from(call_id);
	out.contact_user = r->contact_user;
	copy_request(r, &out);
	if (r->method == TD_SIP_INVITE) {
		rc = open_leg(ep, r, &out, &leg);
		if (rc)
			return rc;
	}
	txn = td_sip_open_client(ep, &out, &r->dest, r->method);
	if (!txn) {
		if (leg)
			td_sip_leg_free(ep, leg);
		return -TD_EFULL;
	}
	txn->owner = r->owner;
	txn->account = r->account;
	if (leg) {
		txn->opens_dialog = true;
		txn->dialog = leg->handle;
		leg->client_invite = txn->handle;
		td_sip_leg_register(ep, leg);
	}
	td_sip_start_client(ep, txn);
	*made = txn;
	return 0;
}

// 0 when this request may go out in this dialog now.
static int dialog_allows(const struct td_sip_endpoint *ep, const struct td_sip_leg *leg,
			 enum td_sip_method method)
{
	// An early dialog is ended by CANCEL or by a final response, never by our BYE (section 15).
	if (leg->dialog.state != TD_SIP_DIALOG_CONFIRMED)
		return -TD_ESTATE;
	if (method == TD_SIP_INVITE &&
	    (td_sip_txn_find(ep, leg->client_invite) || td_sip_txn_find(ep, leg->server_invite)))
		return -TD_EBUSY;
	return 0;
}

static int send_inside(struct td_sip_endpoint *ep, const struct td_sip_request *r,
		       struct td_sip_leg *leg, struct td_sip_txn **made)
{
	struct td_sip_outgoing out = { 0 };
	struct td_sip_txn *txn, *theirs;
	struct td_endpoint hop;
	int rc = dialog_allows(ep, leg, r->method);

	if (rc)
		return rc;
	td_sip_from_dialog(ep, &leg->dialog, &out, &hop);
	if (!out.local)
		return -TD_EINVALID;
	copy_request(r, &out);
	out.cseq = leg->dialog.local_cseq + 1;
	txn = td_sip_open_client(ep, &out, &hop, r->method);
	if (!txn)
		return -TD_EFULL;
	leg->dialog.local_cseq = out.cseq;
	leg->dialog.local_cseq_set = true;
	txn->owner = leg->owner;
	txn->dialog = leg->handle;
	txn->account = leg->dialog.initiator ? r->account : 0;
	*made = txn;
	if (r->method == TD_SIP_INVITE)
		leg->client_invite = txn->handle;
	if (r->method == TD_SIP_BYE) {
		leg->dialog.state = TD_SIP_DIALOG_ENDED;
		theirs = td_sip_txn_find(ep, leg->server_invite);
		if (theirs && theirs->state == TD_IST_ACCEPTED) {
			leg->held_bye = txn->handle; // section 15: not before the ACK
			return 0;
		}
	}
	td_sip_start_client(ep, txn);
	return 0;
}

int td_sip_request_send(struct td_sip_endpoint *ep, uint64_t now_ms,
			const struct td_sip_request *request, struct td_sip_txn_id *id,
			struct td_sip_dialog_id *dialog)
{
	struct td_sip_txn *txn = NULL;
	struct td_sip_leg *leg = NULL;
	int rc;

	if (!request_ok(request) || request->account > ep->account_count)
		return -TD_EINVALID;
	if (request->dialog.v) {
		leg = td_sip_leg_find(ep, request->dialog.v);
		if (!leg)
			return -TD_ESTALE;
	}
	td_sip_enter(ep, now_ms);
	rc = leg ? send_inside(ep, request, leg, &txn) : send_outside(ep, request, &txn);
	if (!rc) {
		id->v = txn->handle;
		if (dialog)
			dialog->v = txn->dialog;
	}
	td_sip_leave(ep);
	return rc;
}

int td_sip_cancel(struct td_sip_endpoint *ep, uint64_t now_ms, struct td_sip_txn_id id)
{
	struct td_sip_txn *txn = td_sip_txn_find(ep, id.v);
	int actions;

	if (!txn)
		return -TD_ESTALE;
	if (txn->machine != &td_sip_ict)
		return -TD_ESTATE;
	td_sip_enter(ep, now_ms);
	actions = td_sip_txn_step(ep, txn, TD_CLIENT_CANCEL);
	td_sip_client_act(ep, txn, actions, NULL, NULL);
	td_sip_leave(ep);
	return actions < 0 ? -TD_ESTATE : 0;
}
