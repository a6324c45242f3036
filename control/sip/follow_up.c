// What follows from our own requests: CANCEL, both kinds of ACK, and the BYE nobody waits for.
#include "sip/core.h"

// Reads our own request again, to make what must repeat its fields.
static bool read_own(struct td_sip_endpoint *ep, const struct td_sip_txn *txn)
{
	return txn->kept.len && !td_sip_message_parse(&ep->own, txn->kept.at, txn->kept.len) &&
	       ep->own.is_request;
}

// The fields CANCEL and the ACK of a non-2xx share with their INVITE (9.1, 17.1.1.3).
static void from_own(const struct td_sip_endpoint *ep, const struct td_sip_txn *txn,
		     struct td_sip_outgoing *out)
{
	const struct td_sip_message *own = &ep->own;

	out->uri = own->request_uri.text;
	out->routes = td_sip_message_value(own, TD_SIP_HEADER_ROUTE);
	out->from = td_sip_message_value(own, TD_SIP_HEADER_FROM);
	out->to = td_sip_message_value(own, TD_SIP_HEADER_TO);
	out->call_id = own->call_id;
	out->branch = own->via.branch;
	out->cseq = own->cseq;
	out->max_forwards = 70;
	out->local = td_sip_local(ep, &txn->peer);
}

void td_sip_send_cancel(struct td_sip_endpoint *ep, struct td_sip_txn *invite)
{
	struct td_sip_outgoing out = { 0 };
	struct td_sip_txn *txn;

	if (!read_own(ep, invite))
		return;
	from_own(ep, invite, &out);
	txn = td_sip_open_client(ep, &out, &invite->peer, TD_SIP_CANCEL);
	// Without room the INVITE still ends, by timer X.
	if (!txn)
		return;
	txn->quiet = true;
	td_sip_start_client(ep, txn);
}

void td_sip_send_ack_300(struct td_sip_endpoint *ep, struct td_sip_txn *invite,
			 const struct td_sip_message *response)
{
	struct td_sip_writer w = td_sip_writer_make(ep->out, sizeof ep->out);
	struct td_sip_outgoing out = { .method = TD_STR("ACK") };

	if (!read_own(ep, invite))
		return;
	from_own(ep, invite, &out);
	out.to = td_sip_message_value(response, TD_SIP_HEADER_TO);
	td_sip_put_request(ep, &w, &out);
	// When it cannot be kept the peer repeats its response until its own timer H: no harm done.
	if (w.full || td_sip_txn_keep(ep, invite, td_sip_writer_text(&w)))
		return;
	td_sip_count(ep, TD_SIP_COUNT_REQUESTS_OUT);
	td_sip_txn_transmit(ep, invite);
}

// Credentials of the INVITE are those of its ACK (22.1).
static struct td_str own_credentials(struct td_sip_endpoint *ep, const struct td_sip_txn *invite,
				     char *out, size_t size)
{
	struct td_sip_writer w = td_sip_writer_make(out, size);

	if (!invite->auth_tries || !read_own(ep, invite))
		return TD_STR_NONE;
	td_sip_put_header(&w, TD_STR("Authorization"),
			  td_sip_message_value(&ep->own, TD_SIP_HEADER_AUTHORIZATION));
	td_sip_put_header(&w, TD_STR("Proxy-Authorization"),
			  td_sip_message_value(&ep->own, TD_SIP_HEADER_PROXY_AUTHORIZATION));
	return w.full ? TD_STR_NONE : td_sip_writer_text(&w);
}

int td_sip_send_ack_2xx(struct td_sip_endpoint *ep, struct td_sip_txn *invite,
			struct td_sip_leg *leg, struct td_str content_type, struct td_str body)
{
	struct td_sip_writer w = td_sip_writer_make(ep->out, sizeof ep->out);
	struct td_sip_outgoing out = { .method = TD_STR("ACK"), .max_forwards = 70 };
	char credentials[TD_SIP_CREDENTIALS_MAX], branch[TD_SIP_BRANCH_MAX];

	td_sip_from_dialog(ep, &leg->dialog, &out, &invite->peer);
	if (!out.local)
		return -TD_EINVALID;
	out.headers = own_credentials(ep, invite, credentials, sizeof credentials);
	out.branch = td_sip_make_branch(ep, branch);
	out.cseq = invite->cseq;
	out.content_type = content_type;
	out.body = body;
	td_sip_put_request(ep, &w, &out);
	if (w.full || td_sip_txn_keep(ep, invite, td_sip_writer_text(&w)))
		return -TD_EFULL;
	td_sip_count(ep, TD_SIP_COUNT_REQUESTS_OUT);
	td_sip_txn_transmit(ep, invite);
	return 0;
}

int td_sip_ack(struct td_sip_endpoint *ep, uint64_t now_ms, struct td_sip_txn_id id,
	       struct td_str content_type, struct td_str body)
{
	struct td_sip_txn *txn = td_sip_txn_find(ep, id.v);
	struct td_sip_leg *leg = txn ? td_sip_leg_find(ep, txn->dialog) : NULL;
	int rc;

	if (!txn || !leg)
		return -TD_ESTALE;
	if (txn->machine != &td_sip_ict || txn->state != TD_ICT_ACCEPTED || txn->acked)
		return -TD_ESTATE;
	if (!td_sip_one_line(content_type))
		return -TD_EINVALID;
	td_sip_enter(ep, now_ms);
	rc = td_sip_send_ack_2xx(ep, txn, leg, content_type, body);
	txn->acked = !rc;
	td_sip_leave(ep);
	return rc;
}

void td_sip_end_quietly(struct td_sip_endpoint *ep, struct td_sip_leg *leg)
{
	struct td_sip_outgoing out = { .max_forwards = 70 };
	struct td_sip_txn *txn;
	struct td_endpoint hop;

	td_sip_from_dialog(ep, &leg->dialog, &out, &hop);
	out.cseq = leg->dialog.local_cseq + 1;
	txn = out.local ? td_sip_open_client(ep, &out, &hop, TD_SIP_BYE) : NULL;
	// Without room for it the peer's own media timeout has to notice.
	if (txn) {
		txn->quiet = true;
		td_sip_start_client(ep, txn);
	}
	td_sip_leg_free(ep, leg);
}
