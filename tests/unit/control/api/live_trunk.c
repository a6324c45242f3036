// The trunk of a live control process: just enough SIP to bring one caller in.
#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live.h"

static void send_sip(struct live *live, const char *text)
{
	struct sockaddr_in to = live_address(live, 1, 5060);

	ck_assert_int_eq(
		sendto(live->sip, text, strlen(text), 0, (struct sockaddr *)&to, sizeof to),
		(ssize_t)strlen(text));
}

// The headers a response copies from its request (RFC 3261 section 8.2.6).
static void answer_sip(struct live *live, const char *request)
{
	static const char *const copied[] = { "Via:", "From:", "To:", "Call-ID:", "CSeq:" };
	char answer[4096] = "SIP/2.0 200 OK\r\n";
	size_t at = strlen(answer);

	for (const char *line = request; line && *line; line = strstr(line, "\r\n")) {
		line += *line == '\r' ? 2 : 0;
		for (size_t i = 0; i < sizeof copied / sizeof copied[0]; i++)
			if (strncasecmp(line, copied[i], strlen(copied[i])) == 0)
				at += (size_t)snprintf(answer + at, sizeof answer - at, "%.*s\r\n",
						       (int)strcspn(line, "\r"), line);
	}
	snprintf(answer + at, sizeof answer - at, "Content-Length: 0\r\n\r\n");
	send_sip(live, answer);
}

static void receive_sip(struct live *live, const char *start, char *text, size_t bytes)
{
	for (int64_t until = live_now_ms() + LIVE_WAIT_MS; live_now_ms() < until;) {
		struct pollfd ready = { .fd = live->sip, .events = POLLIN };
		ssize_t got;

		live_pump(live);
		if (poll(&ready, 1, 2) <= 0)
			continue;
		got = recv(live->sip, text, bytes - 1, 0);
		text[got > 0 ? got : 0] = '\0';
		if (strncmp(text, "SIP/2.0", 7) != 0 && strncmp(text, "ACK", 3) != 0)
			answer_sip(live, text);
		if (strncmp(text, start, strlen(start)) == 0)
			return;
	}
	ck_abort_msg("no \"%s\" came", start);
}

void live_expect_sip(struct live *live, const char *start)
{
	char text[4096];

	receive_sip(live, start, text, sizeof text);
}

static const char *const invite_tail = "From: \"Caller\" <sip:+442071234567@carrier>;tag=a1\r\n"
				       "Call-ID: live-1\r\nMax-Forwards: 70\r\n";

static void send_invite(struct live *live)
{
	char sdp[512], text[2048];

	snprintf(sdp, sizeof sdp,
		 "v=0\r\no=- 1 1 IN IP4 %s2\r\ns=-\r\nc=IN IP4 %s2\r\nt=0 0\r\n"
		 "m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n",
		 live->host, live->host);
	snprintf(text, sizeof text,
		 "INVITE sip:100@%s1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP %s2:5060;branch=z9hG4bK1\r\n"
		 "%sTo: <sip:100@%s1>\r\nCSeq: 1 INVITE\r\nContact: <sip:c@%s2:5060>\r\n"
		 "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
		 live->host, live->host, invite_tail, live->host, live->host, strlen(sdp), sdp);
	send_sip(live, text);
}

void live_call_in(struct live *live)
{
	char text[4096], ack[2048];
	const char *to;

	send_invite(live);
	receive_sip(live, "SIP/2.0 200", text, sizeof text);
	to = strcasestr(text, "\r\nTo:");
	ck_assert_ptr_nonnull(to);
	snprintf(ack, sizeof ack,
		 "ACK sip:100@%s1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP %s2:5060;branch=z9hG4bK2\r\n"
		 "%s%.*s\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
		 live->host, live->host, invite_tail, (int)strcspn(to + 2, "\r"), to + 2);
	send_sip(live, ack);
	for (int64_t until = live_now_ms() + LIVE_WAIT_MS; live_now_ms() < until; usleep(1000)) {
		live_pump(live);
		if (dp_player_end(&live->dp))
			return;
	}
	ck_abort_msg("no greeting was played");
}
