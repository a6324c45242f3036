#include "sip/endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "sip/core.h"
#include "td_assert.h"

#define TRANSACTIONS_LIMIT (1u << 24)

static bool printable(const char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			return false;
	}
	return true;
}

static bool config_ok(const struct td_sip_config *config)
{
	return config->transactions_max && config->transactions_max <= TRANSACTIONS_LIMIT &&
	       config->dialogs_max && config->dialogs_max <= TRANSACTIONS_LIMIT &&
	       (config->local4.port_be || config->local6.port_be) &&
	       (!config->local4.port_be || config->local4.family == TD_FAMILY_IPV4) &&
	       (!config->local6.port_be || config->local6.family == TD_FAMILY_IPV6) &&
	       config->user_agent && strlen(config->user_agent) < 128 &&
	       printable(config->user_agent);
}

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
	return value ? value : fallback;
}

// Every transaction can hold a small buffer, and half of them a larger one besides; large messages
// are rare, and a shortage of them is load to shed like any other.
static int make_buffers(struct td_sip_endpoint *ep, uint32_t txns)
{
	const uint32_t counts[TD_SIP_CLASS_COUNT] = { txns, txns / 2 + 8, txns / 2 + 8,
						      txns / 32 + 8 };
	int rc = 0;

	for (int i = 0; i < TD_SIP_CLASS_COUNT && !rc; i++)
		rc = td_pool_init(&ep->buffers[i], counts[i], td_sip_class_bytes[i]);
	return rc;
}

static int make_pools(struct td_sip_endpoint *ep, const struct td_sip_config *config)
{
	uint32_t txns = config->transactions_max;
	int rc = td_pool_init(&ep->txns, txns, sizeof(struct td_sip_txn));

	if (!rc)
		rc = td_pool_init(&ep->legs, config->dialogs_max, sizeof(struct td_sip_leg));
	if (!rc)
		rc = make_buffers(ep, txns);
	if (!rc)
		rc = td_table_init(&ep->by_key, txns);
	if (!rc)
		rc = td_table_init(&ep->by_merge, txns);
	if (!rc)
		rc = td_table_init(&ep->by_id, config->dialogs_max);
	if (rc)
		return rc;
	ep->accounts = calloc(TD_SIP_ACCOUNT_MAX, sizeof *ep->accounts);
	return ep->accounts ? 0 : -TD_EMEMORY;
}

int td_sip_endpoint_create(const struct td_sip_config *config,
			   const struct td_sip_endpoint_ops *ops, void *user, uint64_t now_ms,
			   struct td_sip_endpoint **out)
{
	struct td_sip_endpoint *ep;
	uint8_t other[TD_HASH_KEY_BYTES];
	int rc;

	*out = NULL;
	if (!config_ok(config))
		return -TD_EINVALID;
	ep = calloc(1, sizeof *ep);
	if (!ep)
		return -TD_EMEMORY;
	ep->ops = *ops;
	ep->user = user;
	ep->local4 = config->local4;
	ep->local6 = config->local6;
	memcpy(ep->user_agent, config->user_agent, strlen(config->user_agent));
	ep->times = (struct td_sip_times){ or_default(config->t1_ms, 500),
					   or_default(config->t2_ms, 4000),
					   or_default(config->t4_ms, 5000) };
	ep->now_ms = now_ms;
	ep->key = td_hash_key_from(config->seed);
	// Tokens go out on the wire; the key of the tables must not be theirs.
	for (size_t i = 0; i < sizeof other; i++)
		other[i] = (uint8_t)(config->seed[i] ^ 0x5a);
	td_token_init(&ep->tokens, other);
	td_wheel_init(&ep->wheel, now_ms);
	td_list_init(&ep->graves);
	td_list_init(&ep->lingering);
	rc = make_pools(ep, config);
	if (rc) {
		td_sip_endpoint_destroy(ep);
		return rc;
	}
	*out = ep;
	return 0;
}

void td_sip_endpoint_destroy(struct td_sip_endpoint *ep)
{
	if (!ep)
		return;
	td_pool_fini(&ep->txns);
	td_pool_fini(&ep->legs);
	for (int i = 0; i < TD_SIP_CLASS_COUNT; i++)
		td_pool_fini(&ep->buffers[i]);
	td_table_fini(&ep->by_key);
	td_table_fini(&ep->by_merge);
	td_table_fini(&ep->by_id);
	if (ep->accounts)
		explicit_bzero(ep->accounts, TD_SIP_ACCOUNT_MAX * sizeof *ep->accounts);
	free(ep->accounts);
	free(ep);
}

void td_sip_enter(struct td_sip_endpoint *ep, uint64_t now_ms)
{
	if (now_ms > ep->now_ms)
		ep->now_ms = now_ms;
	ep->depth++;
}

void td_sip_leave(struct td_sip_endpoint *ep)
{
	TD_ASSERT(ep->depth > 0);
	if (--ep->depth > 0)
		return;
	td_sip_txn_clear_graves(ep);
	td_sip_txn_make_room(ep);
	if (!ep->body_written)
		return;
	ep->body_written = false;
	explicit_bzero(ep->out, sizeof ep->out);
	explicit_bzero(ep->again, sizeof ep->again);
}

const struct td_endpoint *td_sip_local(const struct td_sip_endpoint *ep,
				       const struct td_endpoint *peer)
{
	const struct td_endpoint *local =
		peer->family == TD_FAMILY_IPV6 ? &ep->local6 : &ep->local4;

	return local->port_be && peer->port_be && local->family == peer->family ? local : NULL;
}

void td_sip_emit(struct td_sip_endpoint *ep, const struct td_endpoint *to, struct td_str bytes)
{
	td_sip_count(ep, TD_SIP_COUNT_DATAGRAMS_OUT);
	ep->ops.send(ep->user, to, bytes.at, bytes.len);
}

void td_sip_tell(struct td_sip_endpoint *ep, enum td_sip_event_kind kind,
		 const struct td_sip_txn *txn, const struct td_sip_message *msg,
		 const struct td_endpoint *from)
{
	struct td_sip_event event = { .kind = kind,
				      .owner = txn->owner,
				      .txn = { txn->handle },
				      .dialog = { txn->dialog },
				      .msg = msg };

	if (txn->quiet)
		return;
	if (from)
		event.from = *from;
	ep->ops.on_event(ep->user, &event);
}

// RFC 5626 section 3.5.1 and what NAT keepalives look like in practice: CRLFs, or nothing.
static bool is_keepalive(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != '\r' && bytes[i] != '\n' && bytes[i] != 0)
			return false;
	}
	return len <= 4;
}

static void malformed(struct td_sip_endpoint *ep, const struct td_endpoint *from)
{
	struct td_endpoint to;

	if (!ep->in.reject_status || !td_sip_answer_to(&ep->in, from, &to)) {
		td_sip_count(ep, TD_SIP_COUNT_MALFORMED_DROPPED);
		return;
	}
	td_sip_count(ep, TD_SIP_COUNT_MALFORMED_ANSWERED);
	td_sip_reply(ep, &ep->in, from, ep->in.reject_status, TD_STR_NONE);
}

void td_sip_endpoint_receive(struct td_sip_endpoint *ep, uint64_t now_ms, const void *bytes,
			     size_t len, const struct td_endpoint *from)
{
	// The message under parse belongs to the outermost call.
	TD_ASSERT(ep->depth == 0);
	td_sip_count(ep, TD_SIP_COUNT_DATAGRAMS_IN);
	if (is_keepalive(bytes, len)) {
		td_sip_count(ep, TD_SIP_COUNT_KEEPALIVES);
		return;
	}
	if (!td_sip_local(ep, from)) {
		td_sip_count(ep, TD_SIP_COUNT_MALFORMED_DROPPED); // port 0, or a family we have not
		return;
	}
	td_sip_enter(ep, now_ms);
	if (td_sip_message_parse(&ep->in, bytes, len))
		malformed(ep, from);
	else if (ep->in.is_request)
		td_sip_request_in(ep, &ep->in, from);
	else
		td_sip_response_in(ep, &ep->in, from);
	td_sip_leave(ep);
}

static void fire(void *user, struct td_timer *timer)
{
	td_sip_timer_expired(user, timer);
}

void td_sip_endpoint_advance(struct td_sip_endpoint *ep, uint64_t now_ms)
{
	TD_ASSERT(ep->depth == 0);
	td_sip_enter(ep, now_ms);
	td_wheel_advance(&ep->wheel, now_ms, fire, ep);
	td_sip_leave(ep);
}

uint64_t td_sip_endpoint_next_ms(const struct td_sip_endpoint *ep)
{
	return td_wheel_next_ms(&ep->wheel);
}

void td_sip_endpoint_shed(struct td_sip_endpoint *ep, bool shed)
{
	ep->shed = shed;
}

static bool save_text(char out[128], const char *text)
{
	return !td_str_copy(td_str_from(text), out, 128);
}

int td_sip_endpoint_account(struct td_sip_endpoint *ep, const struct td_sip_account *credentials,
			    uint16_t *account)
{
	struct td_sip_saved_account *saved;

	if (ep->account_count >= TD_SIP_ACCOUNT_MAX)
		return -TD_EFULL;
	if (!credentials->username || !credentials->password)
		return -TD_EINVALID;
	saved = &ep->accounts[ep->account_count];
	if (!save_text(saved->username, credentials->username) ||
	    !save_text(saved->password, credentials->password) ||
	    !save_text(saved->realm, credentials->realm ? credentials->realm : ""))
		return -TD_EINVALID;
	*account = ++ep->account_count;
	return 0;
}

const struct td_sip_dialog *td_sip_dialog_get(const struct td_sip_endpoint *ep,
					      struct td_sip_dialog_id dialog)
{
	const struct td_sip_leg *leg = td_sip_leg_find(ep, dialog.v);

	return leg ? &leg->dialog : NULL;
}

uint32_t td_sip_dialog_glare_ms(struct td_sip_endpoint *ep, struct td_sip_dialog_id dialog)
{
	const struct td_sip_leg *leg = td_sip_leg_find(ep, dialog.v);

	// RFC 3261 section 14.1: 2.1 to 4 s for the one who made the Call-ID, else 0 to 2 s, in 10 ms.
	if (leg && leg->dialog.initiator)
		return 2100 + 10 * td_token_below(&ep->tokens, 191);
	return 10 * td_token_below(&ep->tokens, 201);
}

void td_sip_dialog_drop(struct td_sip_endpoint *ep, struct td_sip_dialog_id dialog)
{
	struct td_sip_leg *leg = td_sip_leg_find(ep, dialog.v);

	if (!leg)
		return;
	ep->depth++;
	td_sip_leg_free(ep, leg);
	td_sip_leave(ep);
}

int td_sip_dialog_restore(struct td_sip_endpoint *ep, const struct td_sip_dialog *saved,
			  uint64_t owner, struct td_sip_dialog_id *out)
{
	struct td_sip_leg *leg;

	if (!td_sip_dialog_valid(saved))
		return -TD_ECORRUPT;
	if (td_sip_leg_lookup(ep, td_sip_dialog_text(saved, saved->call_id),
			      td_sip_dialog_text(saved, saved->local_tag),
			      td_sip_dialog_text(saved, saved->remote_tag)))
		return -TD_EEXISTS;
	leg = td_sip_leg_make(ep);
	if (!leg)
		return -TD_EFULL;
	leg->dialog = *saved;
	leg->owner = owner;
	td_sip_leg_register(ep, leg);
	out->v = leg->handle;
	return 0;
}

void td_sip_endpoint_figures(const struct td_sip_endpoint *ep, struct td_sip_figures *out)
{
	memcpy(out->counters, ep->counters, sizeof out->counters);
	out->transactions = ep->txns.used;
	out->transactions_max = ep->txns.count;
	out->dialogs = ep->legs.used;
	out->dialogs_max = ep->legs.count;
}

const char *td_sip_counter_name(enum td_sip_counter counter)
{
	static const char *const names[TD_SIP_COUNTER_COUNT] = {
#define COUNTER_NAME(symbol, name) [TD_SIP_COUNT_##symbol] = name,
		TD_SIP_COUNTERS(COUNTER_NAME)
#undef COUNTER_NAME
	};

	return counter < TD_SIP_COUNTER_COUNT ? names[counter] : "?";
}
