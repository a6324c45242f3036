// One leg's side of an exchange.
#include <arpa/inet.h>
#include <check.h>
#include <string.h>

#include "exchange.h"

struct td_sdp_session session;
struct td_sdp_local local;
struct td_sdp_agreed agreed;
struct td_sdp sdp;
char text[TD_SDP_TEXT_MAX];

void setup(void)
{
	td_sdp_session_init(&session, 4711);
	local = (struct td_sdp_local){
		.codecs = { TD_CODEC_PCMU, TD_CODEC_PCMA },
		.codec_count = 2,
		.telephone_event = true,
		.direction = TD_SDP_SENDRECV,
	};
	ck_assert_int_eq(td_endpoint_parse_addr("10.77.0.2", &local.rtp), 0);
	local.rtp.port_be = htons(20000);
}

int answer(const char *offer)
{
	int len;

	ck_assert_int_eq(td_sdp_parse(offer, strlen(offer), &sdp), 0);
	len = td_sdp_answer(&session, &local, &sdp, &agreed, text, sizeof text);
	if (len >= 0)
		ck_assert_int_eq((int)strlen(text), len);
	return len;
}

int offer(void)
{
	return td_sdp_offer(&session, &local, text, sizeof text);
}

int accept_answer(const char *body)
{
	ck_assert_int_eq(td_sdp_parse(body, strlen(body), &sdp), 0);
	return td_sdp_accept_answer(&session, &local, &sdp, &agreed);
}

const char *endpoint(const struct td_endpoint *ep)
{
	static char out[2][TD_ENDPOINT_TEXT_MAX];
	static int turn;

	return td_endpoint_text(ep, out[turn ^= 1]);
}
