// One leg's side of an exchange, at 10.77.0.2:20000, PCMU before PCMA, with telephone-event.
#pragma once

#include "sdp/negotiate.h"

// A description of 192.0.2.5 up to its m= lines.
#define HEAD "v=0\r\no=- 9 9 IN IP4 192.0.2.5\r\ns=-\r\nc=IN IP4 192.0.2.5\r\nt=0 0\r\n"
#define NONE TD_PAYLOAD_TYPE_NONE

extern struct td_sdp_session session;
extern struct td_sdp_local local;
extern struct td_sdp_agreed agreed;
extern struct td_sdp sdp;          // what was parsed last
extern char text[TD_SDP_TEXT_MAX]; // what was written last

void setup(void);
// Parse (which must succeed), then td_sdp_answer or td_sdp_accept_answer; what they return.
int answer(const char *offer);
int accept_answer(const char *body);
// td_sdp_offer into text.
int offer(void);
const char *endpoint(const struct td_endpoint *ep);
