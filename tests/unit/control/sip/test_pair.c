// Two endpoints and a bad network under one virtual clock: packets are lost, doubled, delayed and
// overtaken; callers cancel, both sides hang up and re-INVITE when they like. Whatever the order,
// every call has one outcome, every call ends on both sides, and nothing is left behind.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "sip/endpoint.h"

#define CALLS      24
#define PACKET_MAX 4096
#define AGENDA_MAX 1024
#define DAY_MS     700000 // by then everything is over

enum state { FREE, CALLING, RINGING, UP, HANGING_UP, OVER };
enum chore { ANSWER, REFUSE, CANCEL, HANG_UP, REINVITE };

struct call {
	enum state state;
	struct td_sip_txn_id txn; // the INVITE that opened it
	struct td_sip_dialog_id dialog;
	unsigned outcomes; // final results of that INVITE: exactly one
};

struct side {
	struct world *world;
	struct td_sip_endpoint *ep;
	struct td_endpoint address;
	struct call calls[CALLS];
};

struct packet {
	uint64_t at_ms;
	struct side *to;
	struct td_endpoint from;
	size_t len;
	char bytes[1500];
};

struct chore_at {
	uint64_t at_ms;
	struct side *side;
	unsigned call;
	enum chore what;
};

struct world {
	uint64_t now_ms;
	struct td_token_source random;
	unsigned loss_percent, double_percent;
	struct side a, b; // a calls b
	struct packet packets[PACKET_MAX];
	unsigned packet_count;
	struct chore_at agenda[AGENDA_MAX];
	unsigned agenda_count;
};

static unsigned dice(struct world *w, unsigned bound)
{
	return td_token_below(&w->random, bound);
}

static void later(struct side *side, uint64_t in_ms, unsigned call, enum chore what)
{
	struct world *w = side->world;

	ck_assert_uint_lt(w->agenda_count, AGENDA_MAX);
	w->agenda[w->agenda_count++] = (struct chore_at){ w->now_ms + in_ms, side, call, what };
}

static void enqueue(struct world *w, struct side *from, const void *bytes, size_t len)
{
	struct packet *p = &w->packets[w->packet_count++];

	ck_assert_uint_lt(w->packet_count, PACKET_MAX);
	ck_assert_uint_le(len, sizeof p->bytes);
	p->at_ms = w->now_ms + 1 + dice(w, dice(w, 10) ? 40 : 900);
	p->to = from == &w->a ? &w->b : &w->a;
	p->from = from->address;
	p->len = len;
	memcpy(p->bytes, bytes, len);
}

static void on_send(void *user, const struct td_endpoint *to, const void *bytes, size_t len)
{
	struct side *side = user;
	struct world *w = side->world;

	ck_assert(to->port_be != 0);
	if (dice(w, 100) >= w->loss_percent)
		enqueue(w, side, bytes, len);
	if (dice(w, 100) < w->double_percent)
		enqueue(w, side, bytes, len);
}

static void hang_up(struct side *side, struct call *call)
{
	struct td_sip_request bye = { .method = TD_SIP_BYE, .dialog = call->dialog };
	struct td_sip_txn_id txn;
	int rc;

	if (call->state != UP)
		return;
	rc = td_sip_request_send(side->ep, side->world->now_ms, &bye, &txn, NULL);
	ck_assert_int_eq(rc, 0);
	call->state = HANGING_UP;
}

static void reinvite(struct side *side, struct call *call)
{
	struct td_sip_request invite = { .method = TD_SIP_INVITE, .dialog = call->dialog };
	struct td_sip_txn_id txn;
	int rc;

	if (call->state != UP)
		return;
	rc = td_sip_request_send(side->ep, side->world->now_ms, &invite, &txn, NULL);
	ck_assert(rc == 0 || rc == -TD_EBUSY);
}

static void respond(struct side *side, struct td_sip_txn_id txn, unsigned status)
{
	struct td_sip_response response = { .status = (uint16_t)status };
	int rc = td_sip_respond(side->ep, side->world->now_ms, txn, &response);

	ck_assert_int_eq(rc, 0);
}

static void answered_up(struct side *side, struct call *call, unsigned n)
{
	call->state = UP;
	later(side, 1 + dice(side->world, 60000), n, HANG_UP);
	if (!dice(side->world, 2))
		later(side, 1 + dice(side->world, 20000), n, REINVITE);
	// The peer's BYE may be lost for good: no call lasts for ever.
	later(side, 400000, n, HANG_UP);
}

static void on_request(struct side *side, const struct td_sip_event *e)
{
	struct world *w = side->world;
	struct call *call;
	unsigned n;

	if (e->msg->method == TD_SIP_BYE) {
		call = &side->calls[e->owner - 1];
		respond(side, e->txn, 200);
		call->state = OVER;
		return;
	}
	ck_assert_int_eq(e->msg->method, TD_SIP_INVITE);
	if (e->dialog.v) {
		respond(side, e->txn, dice(w, 4) ? 200 : 488);
		return;
	}
	for (n = 0; n < CALLS && side->calls[n].state != FREE; n++)
		continue;
	ck_assert_uint_lt(n, CALLS); // a repeated INVITE never looks like a new call
	call = &side->calls[n];
	call->state = RINGING;
	call->txn = e->txn;
	ck_assert_int_eq(td_sip_txn_adopt(side->ep, e->txn, n + 1, 0), 0);
	if (dice(w, 3))
		respond(side, e->txn, 180);
	later(side, dice(w, 6000), n, dice(w, 5) ? ANSWER : REFUSE);
}

static void initial_outcome(struct side *side, struct call *call, const struct td_sip_event *e)
{
	unsigned n = (unsigned)e->owner - 1;

	call->outcomes++;
	if (e->kind == TD_SIP_EVENT_RESPONSE && e->msg->status < 300) {
		ck_assert_int_eq(
			td_sip_ack(side->ep, side->world->now_ms, e->txn, TD_STR_NONE, TD_STR_NONE),
			0);
		answered_up(side, call, n);
	} else {
		call->state = OVER;
	}
}

static void on_response(struct side *side, const struct td_sip_event *e)
{
	struct call *call = &side->calls[e->owner - 1];

	if (e->msg->status < 200)
		return;
	if (e->msg->cseq_method == TD_SIP_BYE) {
		call->state = OVER;
	} else if (e->txn.v == call->txn.v) {
		initial_outcome(side, call, e);
	} else if (e->msg->status < 300) {
		int rc =
			td_sip_ack(side->ep, side->world->now_ms, e->txn, TD_STR_NONE, TD_STR_NONE);

		ck_assert(rc == 0 || rc == -TD_ESTALE); // the call may be over by now
	} else if (e->msg->status == 481 || e->msg->status == 408) {
		hang_up(side, call);
	}
}

static void on_event(void *user, const struct td_sip_event *e)
{
	struct side *side = user;
	struct call *call = &side->calls[e->owner ? e->owner - 1 : 0]; // a new INVITE has none

	switch (e->kind) {
	case TD_SIP_EVENT_REQUEST: on_request(side, e); break;
	case TD_SIP_EVENT_CANCELLED:
		if (e->txn.v == call->txn.v)
			call->state = OVER;
		break;
	case TD_SIP_EVENT_ACK: break;
	case TD_SIP_EVENT_ACK_TIMEOUT: hang_up(side, call); break;
	case TD_SIP_EVENT_RESPONSE: on_response(side, e); break;
	case TD_SIP_EVENT_TIMEOUT:
		if (e->txn.v == call->txn.v)
			initial_outcome(side, call, e);
		else if (call->state == HANGING_UP)
			call->state = OVER; // the BYE itself
		else
			hang_up(side, call);
		break;
	case TD_SIP_EVENT_ANSWER_CROSSED: initial_outcome(side, call, e); break;
	}
}

static void do_chore(struct chore_at c)
{
	struct side *side = c.side;
	struct call *call = &side->calls[c.call];
	int rc;

	switch (c.what) {
	case ANSWER:
		if (call->state != RINGING)
			return;
		respond(side, call->txn, 200);
		call->dialog = td_sip_txn_dialog(side->ep, call->txn);
		answered_up(side, call, c.call);
		break;
	case REFUSE:
		if (call->state != RINGING)
			return;
		respond(side, call->txn, 486);
		call->state = OVER;
		break;
	case CANCEL:
		if (call->state != CALLING)
			return;
		rc = td_sip_cancel(side->ep, side->world->now_ms, call->txn);
		ck_assert(rc == 0);
		break;
	case HANG_UP: hang_up(side, call); break;
	case REINVITE: reinvite(side, call); break;
	}
}

static void start_call(struct side *side, unsigned n)
{
	struct call *call = &side->calls[n];
	struct td_sip_request invite = { .method = TD_SIP_INVITE,
					 .owner = n + 1,
					 .dest = side->world->b.address,
					 .uri = TD_STR("sip:b@10.0.0.2"),
					 .from = TD_STR("<sip:a@10.0.0.1>"),
					 .to = TD_STR("<sip:b@10.0.0.2>") };

	ck_assert_int_eq(td_sip_request_send(side->ep, side->world->now_ms, &invite, &call->txn,
					     &call->dialog),
			 0);
	call->state = CALLING;
	if (!dice(side->world, 3))
		later(side, dice(side->world, 7000), n, CANCEL);
}

static uint64_t next_ms(const struct world *w)
{
	uint64_t next = td_sip_endpoint_next_ms(w->a.ep), other = td_sip_endpoint_next_ms(w->b.ep);

	next = other < next ? other : next;
	for (unsigned i = 0; i < w->packet_count; i++)
		next = w->packets[i].at_ms < next ? w->packets[i].at_ms : next;
	for (unsigned i = 0; i < w->agenda_count; i++)
		next = w->agenda[i].at_ms < next ? w->agenda[i].at_ms : next;
	return next;
}

static void deliver(struct world *w)
{
	static struct packet packet;

	for (unsigned i = 0; i < w->packet_count;) {
		if (w->packets[i].at_ms > w->now_ms) {
			i++;
			continue;
		}
		packet = w->packets[i];
		w->packets[i] = w->packets[--w->packet_count];
		td_sip_endpoint_receive(packet.to->ep, w->now_ms, packet.bytes, packet.len,
					&packet.from);
	}
	for (unsigned i = 0; i < w->agenda_count;) {
		struct chore_at chore = w->agenda[i];

		if (chore.at_ms > w->now_ms) {
			i++;
			continue;
		}
		w->agenda[i] = w->agenda[--w->agenda_count];
		do_chore(chore);
	}
}

static void run(struct world *w, uint64_t until_ms)
{
	for (;;) {
		uint64_t next = next_ms(w);

		if (next > until_ms)
			break;
		w->now_ms = next > w->now_ms ? next : w->now_ms;
		td_sip_endpoint_advance(w->a.ep, w->now_ms);
		td_sip_endpoint_advance(w->b.ep, w->now_ms);
		deliver(w);
	}
	w->now_ms = until_ms;
}

static void make_side(struct world *w, struct side *side, uint8_t last_byte)
{
	const struct td_sip_endpoint_ops ops = { on_send, on_event };
	struct td_sip_config config = { .user_agent = "pair",
					.transactions_max = 2048,
					.dialogs_max = 64,
					.seed = { last_byte } };

	side->world = w;
	side->address = (struct td_endpoint){ .addr = { 10, 0, 0, last_byte },
					      .port_be = 0xc413,
					      .family = TD_FAMILY_IPV4 };
	config.local4 = side->address;
	ck_assert_int_eq(td_sip_endpoint_create(&config, &ops, side, w->now_ms, &side->ep), 0);
}

static void check_side(struct side *side, unsigned seed)
{
	struct td_sip_figures figures;

	td_sip_endpoint_figures(side->ep, &figures);
	ck_assert_msg(figures.transactions == 0, "seed %u: %u transactions left", seed,
		      figures.transactions);
	ck_assert_msg(figures.dialogs == 0, "seed %u: %u dialogs left", seed, figures.dialogs);
	for (unsigned n = 0; n < CALLS; n++)
		ck_assert_msg(side->calls[n].state == OVER || side->calls[n].state == FREE,
			      "seed %u: call %u in state %d", seed, n, side->calls[n].state);
}

static unsigned one_day(unsigned seed, unsigned loss_percent)
{
	struct world *w = calloc(1, sizeof *w);
	uint8_t random[16] = { (uint8_t)seed, (uint8_t)(seed >> 8), (uint8_t)loss_percent };
	unsigned up = 0;

	w->now_ms = 5000;
	w->loss_percent = loss_percent;
	w->double_percent = 10;
	td_token_init(&w->random, random);
	make_side(w, &w->a, 1);
	make_side(w, &w->b, 2);
	for (unsigned n = 0; n < CALLS; n++) {
		start_call(&w->a, n);
		run(w, w->now_ms + dice(w, 300));
	}
	run(w, w->now_ms + DAY_MS);
	check_side(&w->a, seed);
	check_side(&w->b, seed);
	for (unsigned n = 0; n < CALLS; n++) {
		ck_assert_msg(w->a.calls[n].outcomes == 1, "seed %u: call %u had %u outcomes", seed,
			      n, w->a.calls[n].outcomes);
		up += w->b.calls[n].dialog.v != 0;
	}
	td_sip_endpoint_destroy(w->a.ep);
	td_sip_endpoint_destroy(w->b.ep);
	free(w);
	return up;
}

START_TEST(calls_end_whatever_the_network_does)
{
	static const unsigned losses[] = { 0, 5, 20, 40 };
	unsigned up = 0;

	for (unsigned seed = 1; seed <= 60; seed++)
		up += one_day(seed, losses[_i]);
	ck_assert_uint_gt(up, 300); // most calls did come up: the test tests something
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sip/pair");
	TCase *tc = tcase_create("pair");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 120);
	suite_add_tcase(suite, tc);
	tcase_add_loop_test(tc, calls_end_whatever_the_network_does, 0, 4);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
