// The smallest pieces of a description: lines, words, numbers and addresses.
//
// A cursor is a td_str that shrinks from the left; what is taken off it borrows the same text.
// Internal to the room; any thread, no bound of its own beyond the text's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "sdp/sdp.h"

// Takes one line off `rest`, without its CRLF or LF. False at the end. A last line may lack its
// line end (many user agents forget it).
bool td_sdp_line_next(struct td_str *rest, struct td_str *line);

// Takes one word off `rest` and the spaces around it; empty at the end.
struct td_str td_sdp_word_next(struct td_str *rest);

// True if s is a non-empty token of RFC 8866 section 9, '/' allowed (transport protocols).
bool td_sdp_is_token(struct td_str s);
bool td_sdp_is_digits(struct td_str s);

// Parses "IN IP4 192.0.2.1" (section 5.7), all of s. -TD_EMALFORMED, -TD_EUNSUPPORTED (not IN, not
// IP4 or IP6). Multicast and names give a connection that is present but not numeric.
TD_MUST_CHECK int td_sdp_connection_parse(struct td_str s, struct td_sdp_connection *out);
