#include <string.h>

#include "sip/core.h"
#include "td_assert.h"

#define KEY_TEXT_MAX 1024
#define RESERVE_PART 8 // one part in so many of the pool is kept for requests inside dialogs

const uint16_t td_sip_class_bytes[TD_SIP_CLASS_COUNT] = { 512, 1024, 2048, TD_SIP_OUT_MAX };

void td_sip_buffer_drop(struct td_sip_endpoint *ep, struct td_sip_buffer *buffer)
{
	// A body may have held keys.
	if (buffer->at) {
		explicit_bzero(buffer->at, buffer->len);
		td_pool_put(&ep->buffers[buffer->pool], buffer->at);
	}
	*buffer = (struct td_sip_buffer){ 0 };
}

int td_sip_buffer_set(struct td_sip_endpoint *ep, struct td_sip_buffer *buffer, struct td_str bytes)
{
	char *at = buffer->at;
	unsigned pool = buffer->pool;

	if (!at || bytes.len > td_sip_class_bytes[pool]) {
		for (pool = 0; pool < TD_SIP_CLASS_COUNT; pool++) {
			at = bytes.len <= td_sip_class_bytes[pool]
				     ? td_pool_get_raw(&ep->buffers[pool])
				     : NULL;
			if (at)
				break;
		}
		if (pool == TD_SIP_CLASS_COUNT)
			return -TD_EFULL;
		td_sip_buffer_drop(ep, buffer);
	}
	if (buffer->len > bytes.len)
		explicit_bzero(at, buffer->len);
	memcpy(at, bytes.at, bytes.len);
	*buffer = (struct td_sip_buffer){ at, (uint32_t)bytes.len, (uint8_t)pool };
	return 0;
}

int td_sip_txn_keep(struct td_sip_endpoint *ep, struct td_sip_txn *txn, struct td_str bytes)
{
	return td_sip_buffer_set(ep, &txn->kept, bytes);
}

int td_sip_txn_keep_in(struct td_sip_endpoint *ep, struct td_sip_txn *txn,
		       struct td_sip_buffer *spare, struct td_str bytes)
{
	if (!td_sip_txn_keep(ep, txn, bytes))
		return 0;
	if (!spare->at || bytes.len > td_sip_class_bytes[spare->pool])
		return -TD_EFULL;
	td_sip_buffer_drop(ep, &txn->kept);
	txn->kept = *spare;
	*spare = (struct td_sip_buffer){ 0 };
	memcpy(txn->kept.at, bytes.at, bytes.len);
	txn->kept.len = (uint32_t)bytes.len;
	return 0;
}

void td_sip_txn_transmit(struct td_sip_endpoint *ep, struct td_sip_txn *txn)
{
	if (txn->kept.len)
		td_sip_emit(ep, &txn->peer, td_str_make(txn->kept.at, txn->kept.len));
}

// Keys are hashes of the parts with their lengths between, so that no two lists of parts run together.
struct key_text {
	uint8_t bytes[KEY_TEXT_MAX];
	size_t used;
};

static void key_add(const struct td_sip_endpoint *ep, struct key_text *text, struct td_str part)
{
	uint16_t len = (uint16_t)part.len;

	if (part.len > 255) {
		// A long part is replaced by its own hash; the length still tells it apart.
		struct td_hash128 hash = td_hash128(&ep->key, part.at, part.len);

		memcpy(text->bytes + text->used, &hash, sizeof hash);
		text->used += sizeof hash;
	} else if (part.len) {
		memcpy(text->bytes + text->used, part.at, part.len);
		text->used += part.len;
	}
	memcpy(text->bytes + text->used, &len, sizeof len);
	text->used += sizeof len;
	TD_ASSERT(text->used <= KEY_TEXT_MAX - 260); // at most three parts of full length
}

static struct td_hash128 key_end(const struct td_sip_endpoint *ep, const struct key_text *text)
{
	return td_hash128(&ep->key, text->bytes, text->used);
}

// A long list of parts is folded into a hash as it goes.
static void key_fold(const struct td_sip_endpoint *ep, struct key_text *text)
{
	struct td_hash128 hash = key_end(ep, text);

	memcpy(text->bytes, &hash, sizeof hash);
	text->used = sizeof hash;
}

struct td_hash128 td_sip_client_key(const struct td_sip_endpoint *ep, struct td_str branch,
				    struct td_str method)
{
	struct key_text text = { .used = 0 };

	key_add(ep, &text, TD_STR("client"));
	key_add(ep, &text, branch);
	key_fold(ep, &text);
	key_add(ep, &text, method);
	return key_end(ep, &text);
}

// RFC 3261 section 17.2.3; without the cookie, the fields RFC 2543 has.
struct td_hash128 td_sip_server_key(const struct td_sip_endpoint *ep,
				    const struct td_sip_message *msg, struct td_str method)
{
	uint16_t port = msg->via.port ? msg->via.port : 5060;
	struct key_text text = { .used = 0 };

	if (msg->via.magic) {
		key_add(ep, &text, TD_STR("server"));
		key_add(ep, &text, msg->via.branch);
		key_fold(ep, &text);
		key_add(ep, &text, msg->via.host);
		key_add(ep, &text, td_str_make((const char *)&port, sizeof port));
	} else {
		key_add(ep, &text, TD_STR("2543"));
		key_add(ep, &text, msg->request_uri.text);
		key_fold(ep, &text);
		key_add(ep, &text, msg->from.tag);
		key_fold(ep, &text);
		key_add(ep, &text, msg->call_id);
		key_fold(ep, &text);
		key_add(ep, &text, td_str_make((const char *)&msg->cseq, sizeof msg->cseq));
		key_add(ep, &text, msg->via.text);
	}
	key_fold(ep, &text);
	key_add(ep, &text, method);
	return key_end(ep, &text);
}

struct td_hash128 td_sip_merge_key(const struct td_sip_endpoint *ep,
				   const struct td_sip_message *msg)
{
	struct key_text text = { .used = 0 };

	key_add(ep, &text, TD_STR("merge"));
	key_add(ep, &text, msg->call_id);
	key_fold(ep, &text);
	key_add(ep, &text, msg->from.tag);
	key_fold(ep, &text);
	key_add(ep, &text, td_str_make((const char *)&msg->cseq, sizeof msg->cseq));
	key_add(ep, &text, msg->method_text);
	return key_end(ep, &text);
}

struct td_sip_txn *td_sip_txn_make(struct td_sip_endpoint *ep, const struct td_sip_machine *machine,
				   struct td_hash128 key)
{
	uint64_t handle;
	struct td_sip_txn *txn = td_pool_get(&ep->txns, &handle);

	if (!txn)
		return NULL;
	txn->handle = handle;
	txn->machine = machine;
	txn->state = machine->fsm.initial;
	td_timer_init(&txn->expire);
	td_timer_init(&txn->retransmit);
	txn->retransmit.mark = TD_SIP_MARK_RETRANSMIT;
	td_list_init(&txn->grave);
	td_list_init(&txn->lingering);
	td_table_add(&ep->by_key, &txn->by_key, key);
	return txn;
}

static bool is_over(const struct td_sip_txn *txn)
{
	return txn->machine->fsm.states[txn->state].final;
}

struct td_sip_txn *td_sip_txn_find(const struct td_sip_endpoint *ep, uint64_t handle)
{
	struct td_sip_txn *txn = td_pool_find(&ep->txns, handle);

	return txn && td_list_empty(&txn->grave) ? txn : NULL;
}

struct td_sip_txn *td_sip_txn_lookup(const struct td_sip_endpoint *ep, struct td_hash128 key)
{
	struct td_table_node *node = td_table_find(&ep->by_key, key);

	return node ? TD_LIST_ENTRY(node, struct td_sip_txn, by_key) : NULL;
}

// First step of an end: unlinked from everything that could find it. The second clears the graves.
static void bury(struct td_sip_endpoint *ep, struct td_sip_txn *txn)
{
	td_wheel_cancel(&ep->wheel, &txn->expire);
	td_wheel_cancel(&ep->wheel, &txn->retransmit);
	td_table_remove(&ep->by_key, &txn->by_key);
	td_table_remove(&ep->by_merge, &txn->by_merge);
	td_list_remove(&txn->lingering);
	td_sip_buffer_drop(ep, &txn->kept);
	td_sip_buffer_drop(ep, &txn->head.buffer);
	if (td_list_empty(&txn->grave))
		td_list_push_back(&ep->graves, &txn->grave);
}

void td_sip_txn_abandon(struct td_sip_endpoint *ep, struct td_sip_txn *txn)
{
	bury(ep, txn);
}

void td_sip_txn_clear_graves(struct td_sip_endpoint *ep)
{
	while (!td_list_empty(&ep->graves)) {
		struct td_sip_txn *txn = TD_LIST_ENTRY(ep->graves.next, struct td_sip_txn, grave);

		td_list_remove(&txn->grave);
		td_pool_put(&ep->txns, txn);
	}
}

static void arm_expire(struct td_sip_endpoint *ep, struct td_sip_txn *txn)
{
	enum td_sip_timer timer = txn->machine->expire[txn->state];
	bool restarts = timer == TD_TIMER_C || timer == TD_TIMER_P;

	if (timer == txn->expire_timer && td_timer_armed(&txn->expire) && !restarts)
		return;
	txn->expire_timer = (uint8_t)timer;
	td_wheel_cancel(&ep->wheel, &txn->expire);
	if (timer != TD_TIMER_NONE)
		td_wheel_arm(&ep->wheel, &txn->expire,
			     ep->now_ms + td_sip_timer_ms(timer, &ep->times));
}

static void arm_retransmit(struct td_sip_endpoint *ep, struct td_sip_txn *txn)
{
	enum td_sip_timer timer = txn->machine->retransmit[txn->state];

	if (timer == txn->retransmit_timer && td_timer_armed(&txn->retransmit))
		return;
	txn->retransmit_timer = (uint8_t)timer;
	td_wheel_cancel(&ep->wheel, &txn->retransmit);
	txn->interval_ms = td_sip_retransmit_first_ms(timer, &ep->times);
	if (timer != TD_TIMER_NONE)
		td_wheel_arm(&ep->wheel, &txn->retransmit, ep->now_ms + txn->interval_ms);
}

void td_sip_txn_begin(struct td_sip_endpoint *ep, struct td_sip_txn *txn)
{
	arm_expire(ep, txn);
	arm_retransmit(ep, txn);
}

static void note_lingering(struct td_sip_endpoint *ep, struct td_sip_txn *txn)
{
	if (!(txn->machine->lingers >> txn->state & 1u) || !td_list_empty(&txn->lingering))
		return;
	txn->lingers_ms = ep->now_ms;
	td_list_push_back(&ep->lingering, &txn->lingering);
}

int td_sip_txn_step(struct td_sip_endpoint *ep, struct td_sip_txn *txn, unsigned event)
{
	const struct td_fsm_cell *cell = td_fsm_step(&txn->machine->fsm, &txn->state, event);

	if (cell->kind == TD_FSM_REJECT)
		return -1;
	if (cell->action & TD_SIP_ACT_RESEND) {
		td_sip_count(ep, TD_SIP_COUNT_RETRANSMITS_OUT);
		td_sip_txn_transmit(ep, txn);
	}
	if (cell->kind == TD_FSM_MOVE) {
		if (is_over(txn))
			bury(ep, txn);
		else
			td_sip_txn_begin(ep, txn);
		note_lingering(ep, txn);
	}
	return cell->action & ~TD_SIP_ACT_RESEND;
}

static bool is_client(const struct td_sip_txn *txn)
{
	return txn->machine == &td_sip_ict || txn->machine == &td_sip_nct;
}

static void retransmit_expired(struct td_sip_endpoint *ep, struct td_sip_txn *txn)
{
	td_sip_txn_step(ep, txn, is_client(txn) ? TD_CLIENT_RETRANSMIT : TD_SERVER_RETRANSMIT);
	txn->interval_ms =
		td_sip_retransmit_next_ms(txn->retransmit_timer, txn->interval_ms, &ep->times);
	td_wheel_arm(&ep->wheel, &txn->retransmit, ep->now_ms + txn->interval_ms);
}

static void ack_missed(struct td_sip_endpoint *ep, struct td_sip_txn *txn)
{
	struct td_sip_leg *leg = td_sip_leg_find(ep, txn->dialog);

	td_sip_count(ep, TD_SIP_COUNT_ACK_TIMEOUTS);
	if (!leg || leg->server_invite != txn->handle)
		return;
	leg->server_invite = 0;
	// A BYE that waited for this goes out, and says all there is to say.
	if (leg->held_bye)
		td_sip_leg_release(ep, leg);
	else
		td_sip_tell(ep, TD_SIP_EVENT_ACK_TIMEOUT, txn, NULL, NULL);
}

void td_sip_server_act(struct td_sip_endpoint *ep, struct td_sip_txn *txn, int actions)
{
	if (actions < 0)
		return;
	if (actions & TD_SIP_ACT_TRYING)
		td_sip_answer_status(ep, txn, 100, TD_STR_NONE);
	if (actions & TD_SIP_ACT_KEEPALIVE && txn->last_status > 100)
		td_sip_txn_transmit(ep, txn);
	if (actions & TD_SIP_ACT_ACK_TIMEOUT)
		ack_missed(ep, txn);
}

void td_sip_timer_expired(struct td_sip_endpoint *ep, struct td_timer *timer)
{
	struct td_sip_txn *txn;

	if (timer->mark == TD_SIP_MARK_RETRANSMIT) {
		retransmit_expired(ep, TD_LIST_ENTRY(timer, struct td_sip_txn, retransmit));
		return;
	}
	txn = TD_LIST_ENTRY(timer, struct td_sip_txn, expire);
	if (!is_client(txn)) {
		td_sip_server_act(ep, txn, td_sip_txn_step(ep, txn, TD_SERVER_EXPIRE));
		return;
	}
	td_sip_client_act(ep, txn, td_sip_txn_step(ep, txn, TD_CLIENT_EXPIRE), NULL, NULL);
}

bool td_sip_txn_nearly_full(const struct td_sip_endpoint *ep)
{
	return ep->txns.count - ep->txns.used <= ep->txns.count / RESERVE_PART;
}

void td_sip_txn_make_room(struct td_sip_endpoint *ep)
{
	while (td_sip_txn_nearly_full(ep) && !td_list_empty(&ep->lingering)) {
		struct td_sip_txn *oldest =
			TD_LIST_ENTRY(ep->lingering.next, struct td_sip_txn, lingering);

		if (ep->now_ms - oldest->lingers_ms < ep->times.t4_ms)
			return;
		td_sip_count(ep, TD_SIP_COUNT_LINGERING_SPARED);
		td_sip_timer_expired(ep, &oldest->expire);
		td_sip_txn_clear_graves(ep);
	}
}
