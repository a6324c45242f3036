#include "secret.h"

#include <string.h>

#include "stage.h"

#define USED_SLOTS 8192u // a power of two

static struct td_srtp_engine engine;
static uint64_t used[USED_SLOTS];
static uint32_t used_count;

void secret_open(void)
{
	must(td_srtp_engine_init(&engine, TD_SRTP_ENGINE_AUTO) == 0);
}

void secret_forget(void)
{
	if (used_count > 0)
		memset(used, 0, sizeof used);
	used_count = 0;
}

// True when it is new. Half full, it is begun again: that only misses something.
static bool use(uint8_t key, uint32_t ssrc, bool is_rtcp, uint64_t index)
{
	uint64_t word = ((uint64_t)key << 49 | (uint64_t)is_rtcp << 48 | index) *
			UINT64_C(0x9e3779b97f4a7c15);
	uint32_t slot;

	word = (word ^ ssrc) | 1u;
	if (used_count >= USED_SLOTS / 2)
		secret_forget();
	for (slot = (uint32_t)(word >> 51); used[slot] != 0; slot = (slot + 1u) % USED_SLOTS)
		if (used[slot] == word)
			return false;
	used[slot] = word;
	used_count++;
	return true;
}

struct td_srtp_master secret_master(uint32_t number)
{
	struct td_srtp_master master = { .suite = TD_SRTP_NONE };
	uint32_t word = number * 2654435761u + 977u;

	if (number == 0)
		return master;
	master.suite = (uint8_t)(1u + number % (TD_SRTP_SUITE_COUNT - 1u));
	for (size_t i = 0; i < sizeof master.key; i++)
		master.key[i] = (uint8_t)((word = word * 1664525u + 1013904223u) >> 24);
	for (size_t i = 0; i < sizeof master.salt; i++)
		master.salt[i] = (uint8_t)((word = word * 1664525u + 1013904223u) >> 24);
	return master;
}

void secret_set(struct secret *secret, uint8_t says, uint8_t hears)
{
	struct td_srtp_master master = secret_master(says);

	if (says != 0)
		must(td_srtp_rekey_seal(&engine, &secret->seals, &master) == 0);
	master = secret_master(hears);
	if (hears != 0)
		must(td_srtp_rekey_open(&engine, &secret->opens, &master) == 0);
	if (says != secret->says_key)
		secret->last_len = 0;
	secret->says_key = says;
	secret->hears_key = hears;
}

static uint16_t seal(struct td_srtp *srtp, uint8_t *bytes, uint16_t len)
{
	struct td_srtp_packet packet = {
		.srtp = srtp, .bytes = bytes, .len = len, .is_rtcp = td_rtp_is_rtcp(bytes[1]) != 0
	};

	td_srtp_seal(&engine, &packet, 1);
	must(packet.verdict == TD_SRTP_OK);
	return packet.len;
}

uint16_t secret_seal(struct secret *secret, uint8_t *bytes, uint16_t len)
{
	return secret->says_key != 0 ? seal(&secret->seals, bytes, len) : len;
}

uint16_t secret_seal_aside(const struct secret *secret, uint32_t number, uint8_t *bytes,
			   uint16_t len)
{
	static struct td_srtp aside;
	struct td_srtp_master master = secret_master(number);

	if (number == secret->says_key) {
		aside = secret->seals;
		return seal(&aside, bytes, len);
	}
	td_srtp_init(&aside);
	must(td_srtp_rekey_seal(&engine, &aside, &master) == 0);
	return seal(&aside, bytes, len);
}

static uint32_t rtcp_index(uint8_t key, const struct world_sent *sent)
{
	const struct td_srtp_suite_shape *shape = td_srtp_suite_shape(secret_master(key).suite);
	uint32_t behind = shape->aead ? 0 : shape->rtcp_tag_bytes;

	return td_rtp_load32(sent->udp_payload + sent->udp_payload_len - behind - 4) & 0x7fffffffu;
}

// What the receiver's window says of a packet just opened.
static uint64_t rtp_index(struct td_srtp *srtp, const struct world_sent *sent, uint32_t ssrc)
{
	uint64_t highest = 0;

	for (unsigned i = 0; i < srtp->source_count; i++)
		if (td_srtp_source_at(srtp, i)->ssrc == ssrc)
			highest = td_srtp_source_at(srtp, i)->rtp.highest;
	return highest - (uint16_t)((uint16_t)highest - sent->rtp.sequence);
}

static void hear(struct td_srtp *srtp, uint8_t key, const struct world_sent *sent)
{
	uint8_t bytes[2048];
	struct td_srtp_packet packet = {
		.srtp = srtp, .bytes = bytes, .len = sent->udp_payload_len, .is_rtcp = sent->is_rtcp
	};
	uint32_t ssrc = td_rtp_load32(sent->udp_payload + (sent->is_rtcp ? 4 : 8));

	memcpy(bytes, sent->udp_payload, sent->udp_payload_len);
	td_srtp_open(&engine, &packet, 1);
	must(packet.verdict == TD_SRTP_OK);
	must(use(key, ssrc, sent->is_rtcp,
		 sent->is_rtcp ? rtcp_index(key, sent) : rtp_index(srtp, sent, ssrc)));
}

void secret_hear(struct secret *secret, const struct world_sent *sent)
{
	hear(&secret->opens, secret->hears_key, sent);
}

void secret_hear_last(uint8_t key, const struct world_sent *sent)
{
	static struct td_srtp opens;
	struct td_srtp_master master = secret_master(key);

	must(sent->is_rtcp);
	td_srtp_init(&opens);
	must(td_srtp_rekey_open(&engine, &opens, &master) == 0);
	hear(&opens, key, sent);
}
