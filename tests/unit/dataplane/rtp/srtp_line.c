#include "srtp_line.h"

#include <string.h>

#include "rtp/header.h"

struct td_srtp_engine *line_engine(enum td_srtp_engine_kind kind)
{
	static struct td_srtp_engine engines[3];
	static bool tried[3];

	if (!tried[kind] && td_srtp_engine_init(&engines[kind], kind) != 0)
		engines[kind].machine = NULL;
	tried[kind] = true;
	return engines[kind].machine ? &engines[kind] : NULL;
}

uint32_t line_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

struct td_srtp_master line_master(enum td_srtp_suite suite, uint32_t number)
{
	struct td_srtp_master master = { .suite = (uint8_t)suite };
	uint32_t seed = number * 2654435761u + 1;

	for (size_t i = 0; i < sizeof master.key; i++)
		master.key[i] = (uint8_t)line_random(&seed);
	for (size_t i = 0; i < sizeof master.salt; i++)
		master.salt[i] = (uint8_t)line_random(&seed);
	return master;
}

uint16_t line_rtp(uint8_t *bytes, uint32_t ssrc, uint16_t sequence, unsigned payload)
{
	td_rtp_write(bytes, 0, 0, sequence, sequence * 160u, ssrc);
	for (unsigned i = 0; i < payload; i++)
		bytes[TD_RTP_HEADER_BYTES + i] = (uint8_t)(i * 7u + sequence);
	return (uint16_t)(TD_RTP_HEADER_BYTES + payload);
}

uint16_t line_rtcp(uint8_t *bytes, uint32_t ssrc, unsigned words)
{
	memset(bytes, 0x5a, words * 4u);
	bytes[0] = 0x80;
	bytes[1] = 201;
	td_rtp_store16(bytes + 2, (uint16_t)(words - 1));
	td_rtp_store32(bytes + 4, ssrc);
	return (uint16_t)(words * 4u);
}

enum td_srtp_verdict line_open(struct td_srtp_engine *engine, struct td_srtp *srtp, uint8_t *bytes,
			       uint16_t *len, bool is_rtcp)
{
	struct td_srtp_packet packet = {
		.srtp = srtp, .bytes = bytes, .len = *len, .is_rtcp = is_rtcp
	};

	td_srtp_open(engine, &packet, 1);
	*len = packet.len;
	return packet.verdict;
}

enum td_srtp_verdict line_seal(struct td_srtp_engine *engine, struct td_srtp *srtp, uint8_t *bytes,
			       uint16_t *len, bool is_rtcp)
{
	struct td_srtp_packet packet = {
		.srtp = srtp, .bytes = bytes, .len = *len, .is_rtcp = is_rtcp
	};

	td_srtp_seal(engine, &packet, 1);
	*len = packet.len;
	return packet.verdict;
}
