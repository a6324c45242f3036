// The SHA-256 chain over what was said, so that a recording can be shown to be as it was written.
//
//   h[0] = 32 zero bytes      h[i] = SHA-256(h[i-1] + segment i)
//
// A segment is TD_CHAIN_SEGMENT bytes, the last one what is left. The links are kept; whoever changes,
// removes or swaps a segment changes its link and all behind it. One thread; memory of its own.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "td_error.h"

#define TD_CHAIN_SEGMENT (512u * 1024)
#define TD_CHAIN_BYTES   32
#define TD_CHAIN_TEXT    (2 * TD_CHAIN_BYTES + 1)

struct td_chain {
	void *digest; // of the segment under way
	uint8_t head[TD_CHAIN_BYTES];
	uint32_t filled; // bytes of that segment
	uint64_t bytes;  // of all
	uint8_t (*links)[TD_CHAIN_BYTES];
	uint32_t link_count, link_room;
	bool broken; // there was no memory: links are missing
};

// -TD_EMEMORY.
TD_MUST_CHECK int td_chain_init(struct td_chain *chain);
void td_chain_add(struct td_chain *chain, const void *bytes, size_t size);
// Closes the last segment; nothing may be added afterwards.
void td_chain_end(struct td_chain *chain);
void td_chain_fini(struct td_chain *chain);

// A link in hexadecimal digits.
void td_chain_text(const uint8_t link[TD_CHAIN_BYTES], char text[TD_CHAIN_TEXT]);
