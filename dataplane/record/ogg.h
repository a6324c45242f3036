// Ogg pages (RFC 3533), of one logical stream: made from packets, and read back.
//
//   packets --put--> [ page under way ] --flush--> bytes of a whole page
//
// A packet lies in one page: what is put is never longer than a page takes. The granule position of a
// page is that of the last packet put in it. Pure; the caller's memory.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "td_error.h"

#define TD_OGG_HEADER_BYTES 27
#define TD_OGG_LACES_MAX    255
#define TD_OGG_BODY_MAX     4096 // of a page that we make
#define TD_OGG_PAGE_MAX     (TD_OGG_HEADER_BYTES + TD_OGG_LACES_MAX + TD_OGG_BODY_MAX)

#define TD_OGG_CONTINUED    1 // flags of a page
#define TD_OGG_FIRST        2
#define TD_OGG_LAST         4

struct td_ogg_writer {
	uint32_t serial;
	uint32_t sequence; // of the next page
	int64_t granule;
	unsigned lace_count;
	size_t body_bytes;
	uint8_t laces[TD_OGG_LACES_MAX];
	uint8_t body[TD_OGG_BODY_MAX];
};

void td_ogg_begin(struct td_ogg_writer *ogg, uint32_t serial);

// false: there is no room, flush first. At most TD_OGG_BODY_MAX bytes, which an empty page takes.
bool td_ogg_put(struct td_ogg_writer *ogg, const void *packet, size_t size, int64_t granule);

// The page as it is by now, to `out` of TD_OGG_PAGE_MAX, with `flags`; answers its length.
size_t td_ogg_flush(struct td_ogg_writer *ogg, unsigned flags, uint8_t *out);

struct td_ogg_page {
	unsigned flags;
	int64_t granule;
	uint32_t serial, sequence;
	unsigned lace_count;
	const uint8_t *laces, *body; // borrows the bytes that were parsed
	size_t body_bytes;
	size_t bytes; // of the whole page
};

// The page at the beginning of `bytes`. -TD_ETRUNCATED: it is not whole; -TD_EMALFORMED: it is none;
// -TD_ECORRUPT: its checksum is wrong.
TD_MUST_CHECK int td_ogg_parse(const uint8_t *bytes, size_t size, struct td_ogg_page *page);

// Other flags for a page as it lies in a file.
void td_ogg_set_flags(uint8_t *bytes, size_t page_bytes, unsigned flags);
