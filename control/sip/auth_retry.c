// 401 and 407 to our own requests, answered once with credentials the configuration gave us (22.2).
#include "sip/core.h"

static bool may_retry(const struct td_sip_endpoint *ep, const struct td_sip_txn *txn,
		      const struct td_sip_message *response)
{
	struct td_sip_digest_fields fields;
	enum td_sip_header_id id = response->status == 407 ? TD_SIP_HEADER_PROXY_AUTHENTICATE
							   : TD_SIP_HEADER_WWW_AUTHENTICATE;

	if (!txn->account || txn->account > ep->account_count || txn->auth_tries > 1)
		return false;
	if (txn->machine == &td_sip_ict
		    ? txn->state != TD_ICT_CALLING && txn->state != TD_ICT_PROCEEDING
		    : txn->state != TD_NCT_TRYING && txn->state != TD_NCT_PROCEEDING)
		return false;
	// Asked again with the same credentials refused, unless only the nonce was too old.
	return !txn->auth_tries ||
	       (!td_sip_digest_fields_parse(td_sip_message_value(response, id), &fields) &&
		fields.stale);
}

static bool make_credentials(struct td_sip_endpoint *ep, const struct td_sip_txn *txn,
			     const struct td_sip_message *response,
			     char out[TD_SIP_CREDENTIALS_MAX], size_t *len)
{
	const struct td_sip_saved_account *saved = &ep->accounts[txn->account - 1];
	struct td_sip_account account = { saved->username, saved->password,
					  saved->realm[0] ? saved->realm : NULL };

	return !td_sip_digest_answer(response, &account, ep->own.method_text,
				     ep->own.request_uri.text, td_token_next(&ep->tokens), out,
				     len);
}

static void put_own_header(struct td_sip_writer *w, const struct td_sip_message *own,
			   const struct td_sip_header *header)
{
	td_sip_put_header(w, td_str_make(own->bytes.at + header->name_at, header->name_len),
			  td_str_make(own->bytes.at + header->value_at, header->value_len));
}

// Our request again, as it was but for branch, CSeq and credentials.
static void rewrite(struct td_sip_writer *w, const struct td_sip_message *own, uint32_t cseq,
		    const struct td_endpoint *local, const char *token, struct td_str credentials)
{
	td_sip_put(w, own->method_text);
	td_sip_puts(w, " ");
	td_sip_put(w, own->request_uri.text);
	td_sip_puts(w, " SIP/2.0\r\nVia: SIP/2.0/UDP ");
	td_sip_put_address(w, local, true);
	td_sip_puts(w, ";branch=z9hG4bK");
	td_sip_put(w, td_str_from(token));
	td_sip_puts(w, ";rport\r\nCSeq: ");
	td_sip_put_number(w, cseq);
	td_sip_puts(w, " ");
	td_sip_put(w, own->method_text);
	td_sip_puts(w, "\r\n");
	td_sip_put(w, credentials);
	for (unsigned i = 0; i < own->header_count; i++) {
		unsigned id = own->headers[i].id;

		if (id != TD_SIP_HEADER_VIA && id != TD_SIP_HEADER_CSEQ &&
		    id != TD_SIP_HEADER_AUTHORIZATION && id != TD_SIP_HEADER_PROXY_AUTHORIZATION &&
		    id != TD_SIP_HEADER_CONTENT_LENGTH && id != TD_SIP_HEADER_CONTENT_TYPE)
			put_own_header(w, own, &own->headers[i]);
	}
	td_sip_put_body(w, td_sip_message_value(own, TD_SIP_HEADER_CONTENT_TYPE), own->body);
}

// The INVITE that was refused lives on beside its successor, to acknowledge repeated refusals.
static bool leave_behind(struct td_sip_endpoint *ep, struct td_sip_txn *txn,
			 const struct td_sip_message *response)
{
	struct td_hash128 key = txn->by_key.key;
	struct td_sip_txn *old;

	td_table_remove(&ep->by_key, &txn->by_key);
	old = td_sip_txn_make(ep, txn->machine, key);
	if (!old || td_sip_txn_keep(ep, old, td_str_make(txn->kept.at, txn->kept.len))) {
		if (old)
			td_sip_txn_abandon(ep, old);
		td_table_add(&ep->by_key, &txn->by_key, key);
		return false;
	}
	old->quiet = true;
	old->method = txn->method;
	old->cseq = txn->cseq;
	old->peer = txn->peer;
	td_sip_txn_step(ep, old, TD_CLIENT_300);
	td_sip_send_ack_300(ep, old, response);
	return true;
}

static void restart(struct td_sip_endpoint *ep, struct td_sip_txn *txn, const char *token)
{
	char branch[7 + TD_SIP_TAG_BYTES] = "z9hG4bK";
	struct td_sip_leg *leg = td_sip_leg_find(ep, txn->dialog);
	struct td_str method = td_str_from(td_sip_method_name(txn->method));

	memcpy(branch + 7, token, TD_SIP_TAG_BYTES);
	td_table_remove(&ep->by_key, &txn->by_key);
	td_table_add(&ep->by_key, &txn->by_key, td_sip_client_key(ep, td_str_from(branch), method));
	txn->cseq++;
	if (leg)
		leg->dialog.local_cseq = txn->cseq;
	txn->auth_tries++;
	txn->state = txn->machine == &td_sip_ict ? TD_ICT_CALLING : TD_NCT_TRYING;
	td_wheel_cancel(&ep->wheel, &txn->expire);
	td_wheel_cancel(&ep->wheel, &txn->retransmit);
	td_list_remove(&txn->lingering);
	td_sip_txn_begin(ep, txn);
	td_sip_count(ep, TD_SIP_COUNT_REQUESTS_OUT);
	td_sip_txn_transmit(ep, txn);
}

bool td_sip_auth_retry(struct td_sip_endpoint *ep, struct td_sip_txn *txn,
		       const struct td_sip_message *response)
{
	struct td_sip_writer w = td_sip_writer_make(ep->again, sizeof ep->again);
	const struct td_endpoint *local = td_sip_local(ep, &txn->peer);
	char credentials[TD_SIP_CREDENTIALS_MAX], token[TD_SIP_TAG_BYTES];
	size_t len;

	if (!may_retry(ep, txn, response) || !local || !txn->kept.len ||
	    td_sip_message_parse(&ep->own, txn->kept.at, txn->kept.len) ||
	    !make_credentials(ep, txn, response, credentials, &len))
		return false;
	td_token_text(&ep->tokens, token);
	rewrite(&w, &ep->own, txn->cseq + 1, local, token, td_str_make(credentials, len));
	ep->body_written |= ep->own.body.len > 0;
	if (w.full)
		return false;
	if (txn->machine == &td_sip_ict && !leave_behind(ep, txn, response))
		return false;
	if (td_sip_txn_keep(ep, txn, td_sip_writer_text(&w))) {
		// The refusal is acknowledged; without room to repeat, the attempt ends by timer B.
		return true;
	}
	restart(ep, txn, token);
	return true;
}
