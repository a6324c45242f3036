// Not a gate: what a whole call costs this room, both legs, for whoever reads the log. Two endpoints
// hand each other their datagrams; together they do what a switch between trunk and agent does.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sip/endpoint.h"

#define CALLS     4000
#define QUEUE_MAX 16

struct side {
	struct td_sip_endpoint *ep;
	struct side *other;
	struct td_endpoint address;
	unsigned waiting;
	size_t len[QUEUE_MAX];
	char bytes[QUEUE_MAX][2048];
	unsigned done;
};

static uint64_t now_ms = 1000;

// Check's own assertions write to a file; here they would be most of what is measured.
static void must(int ok)
{
	if (!ok)
		abort();
}

#define SDP                                                                                        \
	"v=0\r\no=- 1 1 IN IP4 10.77.0.2\r\ns=-\r\nc=IN IP4 10.77.0.2\r\nt=0 0\r\n"                \
	"m=audio 20000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"

static void on_send(void *user, const struct td_endpoint *to, const void *bytes, size_t len)
{
	struct side *side = user;

	(void)to;
	must(side->waiting < QUEUE_MAX);
	must(len <= sizeof side->bytes[0]);
	memcpy(side->bytes[side->waiting], bytes, len);
	side->len[side->waiting++] = len;
}

static void hang_up(struct side *side, struct td_sip_dialog_id dialog)
{
	struct td_sip_request bye = { .method = TD_SIP_BYE, .dialog = dialog };
	struct td_sip_txn_id txn;

	must(td_sip_request_send(side->ep, now_ms, &bye, &txn, NULL) == 0);
}

static void on_event(void *user, const struct td_sip_event *e)
{
	struct side *side = user;
	struct td_sip_response response = { .status = 180 };

	if (e->kind == TD_SIP_EVENT_REQUEST && e->msg->method == TD_SIP_INVITE) {
		must(td_sip_respond(side->ep, now_ms, e->txn, &response) == 0);
		response.content_type = TD_STR("application/sdp");
		response.body = TD_STR(SDP);
	}
	if (e->kind == TD_SIP_EVENT_REQUEST) {
		response.status = 200;
		must(td_sip_respond(side->ep, now_ms, e->txn, &response) == 0);
	} else if (e->kind == TD_SIP_EVENT_RESPONSE && e->msg->status == 200) {
		if (e->msg->method == TD_SIP_BYE) {
			side->done++;
			return;
		}
		must(td_sip_ack(side->ep, now_ms, e->txn, TD_STR_NONE, TD_STR_NONE) == 0);
		hang_up(side, e->dialog);
	}
}

static void exchange(struct side *a, struct side *b)
{
	while (a->waiting || b->waiting) {
		struct side *from = a->waiting ? a : b;
		static char copy[QUEUE_MAX][2048];
		unsigned count = from->waiting;
		size_t len[QUEUE_MAX];

		memcpy(copy, from->bytes, count * sizeof copy[0]);
		memcpy(len, from->len, sizeof len);
		from->waiting = 0;
		for (unsigned i = 0; i < count; i++)
			td_sip_endpoint_receive(from->other->ep, now_ms, copy[i], len[i],
						&from->address);
	}
}

static void make(struct side *side, struct side *other, uint8_t last_byte)
{
	const struct td_sip_endpoint_ops ops = { on_send, on_event };
	struct td_sip_config config = { .user_agent = "speed",
					.transactions_max = 65536,
					.dialogs_max = 64 };

	side->other = other;
	side->address = (struct td_endpoint){ .addr = { 10, 0, 0, last_byte },
					      .port_be = 0xc413,
					      .family = TD_FAMILY_IPV4 };
	config.local4 = side->address;
	ck_assert_int_eq(td_sip_endpoint_create(&config, &ops, side, now_ms, &side->ep), 0);
}

START_TEST(whole_calls)
{
	struct side *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
	struct td_sip_request invite = { .method = TD_SIP_INVITE,
					 .uri = TD_STR("sip:1001@10.0.0.2:5060"),
					 .from = TD_STR("\"Alice\" <sip:+4930123456@10.0.0.1>"),
					 .to = TD_STR("<sip:1001@10.0.0.2>"),
					 .content_type = TD_STR("application/sdp"),
					 .body = TD_STR(SDP) };
	struct timespec start, end;
	struct td_sip_txn_id txn;

	make(a, b, 1);
	make(b, a, 2);
	invite.dest = b->address;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	for (int i = 0; i < CALLS; i++) {
		must(td_sip_request_send(a->ep, now_ms, &invite, &txn, NULL) == 0);
		exchange(a, b);
		now_ms += 2; // 500 calls a second, with all that lingers
		td_sip_endpoint_advance(a->ep, now_ms);
		td_sip_endpoint_advance(b->ep, now_ms);
		exchange(a, b);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	ck_assert_uint_eq(a->done, CALLS);
	printf("a whole call, both legs: %.1f us of CPU\n",
	       ((double)(end.tv_sec - start.tv_sec) * 1e6 +
		(double)(end.tv_nsec - start.tv_nsec) / 1e3) /
		       CALLS);
	td_sip_endpoint_destroy(a->ep);
	td_sip_endpoint_destroy(b->ep);
	free(a);
	free(b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sip/speed");
	TCase *tc = tcase_create("speed");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	suite_add_tcase(suite, tc);
	tcase_add_test(tc, whole_calls);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
