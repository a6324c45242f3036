#include "record/ogg.h"

#include <string.h>

#include "td_assert.h"

#define AT_FLAGS    5
#define AT_GRANULE  6
#define AT_SERIAL   14
#define AT_SEQUENCE 18
#define AT_CHECKSUM 22
#define AT_LACES    26
#define LACE_FULL   255

// The remainders of a nibble by 0x04c11db7, most significant bit first.
static uint32_t checksum(uint32_t crc, const uint8_t *bytes, size_t size)
{
	static const uint32_t table[16] = {
		0x00000000, 0x04c11db7, 0x09823b6e, 0x0d4326d9, 0x130476dc, 0x17c56b6b,
		0x1a864db2, 0x1e475005, 0x2608edb8, 0x22c9f00f, 0x2f8ad6d6, 0x2b4bcb61,
		0x350c9b64, 0x31cd86d3, 0x3c8ea00a, 0x384fbdbd,
	};

	for (size_t i = 0; i < size; i++) {
		crc ^= (uint32_t)bytes[i] << 24;
		crc = crc << 4 ^ table[crc >> 28];
		crc = crc << 4 ^ table[crc >> 28];
	}
	return crc;
}

// Of a page; its own four bytes count as zero.
static uint32_t page_checksum(const uint8_t *bytes, size_t size)
{
	static const uint8_t zero[4];
	uint32_t crc = checksum(0, bytes, AT_CHECKSUM);

	crc = checksum(crc, zero, sizeof zero);
	return checksum(crc, bytes + AT_LACES, size - AT_LACES);
}

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void td_ogg_begin(struct td_ogg_writer *ogg, uint32_t serial)
{
	ogg->serial = serial;
	ogg->sequence = 0;
	ogg->granule = 0;
	ogg->lace_count = 0;
	ogg->body_bytes = 0;
}

bool td_ogg_put(struct td_ogg_writer *ogg, const void *packet, size_t size, int64_t granule)
{
	unsigned laces = (unsigned)(size / LACE_FULL) + 1;

	TD_ASSERT(size <= TD_OGG_BODY_MAX);
	if (ogg->lace_count + laces > TD_OGG_LACES_MAX || ogg->body_bytes + size > TD_OGG_BODY_MAX)
		return false;
	memset(ogg->laces + ogg->lace_count, LACE_FULL, laces - 1);
	ogg->lace_count += laces;
	ogg->laces[ogg->lace_count - 1] = (uint8_t)(size % LACE_FULL);
	memcpy(ogg->body + ogg->body_bytes, packet, size);
	ogg->body_bytes += size;
	ogg->granule = granule;
	return true;
}

size_t td_ogg_flush(struct td_ogg_writer *ogg, unsigned flags, uint8_t *out)
{
	size_t size = TD_OGG_HEADER_BYTES + ogg->lace_count + ogg->body_bytes;

	memcpy(out, "OggS", 5); // and version 0
	out[AT_FLAGS] = (uint8_t)flags;
	put32(out + AT_GRANULE, (uint32_t)ogg->granule);
	put32(out + AT_GRANULE + 4, (uint32_t)((uint64_t)ogg->granule >> 32));
	put32(out + AT_SERIAL, ogg->serial);
	put32(out + AT_SEQUENCE, ogg->sequence++);
	out[AT_LACES] = (uint8_t)ogg->lace_count;
	memcpy(out + TD_OGG_HEADER_BYTES, ogg->laces, ogg->lace_count);
	memcpy(out + TD_OGG_HEADER_BYTES + ogg->lace_count, ogg->body, ogg->body_bytes);
	put32(out + AT_CHECKSUM, page_checksum(out, size));
	ogg->lace_count = 0;
	ogg->body_bytes = 0;
	return size;
}

int td_ogg_parse(const uint8_t *bytes, size_t size, struct td_ogg_page *page)
{
	memset(page, 0, sizeof *page);
	if (memcmp(bytes, "OggS", size < 5 ? size : 5) != 0)
		return -TD_EMALFORMED;
	if (size < TD_OGG_HEADER_BYTES || size < TD_OGG_HEADER_BYTES + (size_t)bytes[AT_LACES])
		return -TD_ETRUNCATED;
	page->flags = bytes[AT_FLAGS];
	page->granule = (int64_t)(get32(bytes + AT_GRANULE) |
				  (uint64_t)get32(bytes + AT_GRANULE + 4) << 32);
	page->serial = get32(bytes + AT_SERIAL);
	page->sequence = get32(bytes + AT_SEQUENCE);
	page->lace_count = bytes[AT_LACES];
	page->laces = bytes + TD_OGG_HEADER_BYTES;
	page->body = page->laces + page->lace_count;
	for (unsigned i = 0; i < page->lace_count; i++)
		page->body_bytes += page->laces[i];
	page->bytes = TD_OGG_HEADER_BYTES + page->lace_count + page->body_bytes;
	if (page->bytes > size)
		return -TD_ETRUNCATED;
	return page_checksum(bytes, page->bytes) == get32(bytes + AT_CHECKSUM) ? 0 : -TD_ECORRUPT;
}

void td_ogg_set_flags(uint8_t *bytes, size_t page_bytes, unsigned flags)
{
	bytes[AT_FLAGS] = (uint8_t)flags;
	put32(bytes + AT_CHECKSUM, page_checksum(bytes, page_bytes));
}
