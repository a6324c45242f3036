// Which transport and which keys: the part of negotiating that RFC 4568 and 8643 are about.
//
// Internal to the room, pure.
#pragma once

#include "sdp/describe.h"
#include "sdp/negotiate.h"

// Whether a line of this transport may be used at all.
bool td_sdp_transport_fits(const struct td_sdp_media *media, enum td_sdp_srtp srtp);

// The first of an offered line's attributes that we understand and that has a suite of ours.
bool td_sdp_secure_choose(const struct td_sdp_local *local, const struct td_sdp_media *media,
			  struct td_sdp_crypto *out);

// Why nothing comes of this line, as far as keys are concerned.
enum td_sdp_srtp_trouble td_sdp_secure_trouble(const struct td_sdp_local *local,
					       const struct td_sdp_media *media);

// Puts transport and our key into the line that answers `theirs` (suite TD_SRTP_NONE: plain RTP),
// both keys into `agreed`.
void td_sdp_secure_answer(const struct td_sdp_local *local, const struct td_sdp_media *media,
			  const struct td_sdp_crypto *theirs, struct td_sdp_our_line *line,
			  struct td_sdp_agreed *agreed);

// Puts transport and a key of each suite into our offer.
void td_sdp_secure_offer(const struct td_sdp_local *local, struct td_sdp_our_line *line);

// Holds the answer against what was offered. 0 (with both keys in `agreed`, or none where the peer
// may do without); -TD_EUNSUPPORTED, -TD_ECODEC, -TD_EDENIED.
TD_MUST_CHECK int td_sdp_secure_accept(const struct td_sdp_local *local,
				       const struct td_sdp_our_line *ours,
				       const struct td_sdp_media *media,
				       struct td_sdp_agreed *agreed);
