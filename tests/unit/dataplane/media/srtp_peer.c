#include "srtp_peer.h"

#include <string.h>

#include "rtp/rtcp.h"

static srtp_t session(const struct td_srtp_master *master, srtp_ssrc_type_t type)
{
	typedef void (*setter)(srtp_crypto_policy_t *);
	static const setter setters[TD_SRTP_SUITE_COUNT] = {
		[TD_SRTP_AES_CM_128_HMAC_SHA1_80] = srtp_crypto_policy_set_rtp_default,
		[TD_SRTP_AES_CM_128_HMAC_SHA1_32] = srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32,
		[TD_SRTP_AES_256_CM_HMAC_SHA1_80] = srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
		[TD_SRTP_AES_256_CM_HMAC_SHA1_32] = srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32,
		[TD_SRTP_AEAD_AES_128_GCM] = srtp_crypto_policy_set_aes_gcm_128_16_auth,
		[TD_SRTP_AEAD_AES_256_GCM] = srtp_crypto_policy_set_aes_gcm_256_16_auth,
	};
	const struct td_srtp_suite_shape *shape = td_srtp_suite_shape(master->suite);
	uint8_t key[TD_SRTP_KEY_MAX + TD_SRTP_SALT_MAX], mki[TD_SRTP_MKI_MAX];
	srtp_master_key_t with_mki = { .key = key, .mki_id = mki, .mki_size = master->mki_bytes };
	srtp_master_key_t *keys[] = { &with_mki };
	srtp_policy_t policy = { .window_size = 128 };
	srtp_t out;

	if (master->suite == TD_SRTP_NONE)
		return NULL;
	memcpy(key, master->key, shape->key_bytes);
	memcpy(key + shape->key_bytes, master->salt, shape->salt_bytes);
	memcpy(mki, master->mki, sizeof mki);
	setters[master->suite](&policy.rtp);
	setters[master->suite](&policy.rtcp);
	if (master->suite == TD_SRTP_AES_CM_128_HMAC_SHA1_32)
		srtp_crypto_policy_set_rtp_default(&policy.rtcp);
	if (master->suite == TD_SRTP_AES_256_CM_HMAC_SHA1_32)
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy.rtcp);
	policy.ssrc.type = type;
	policy.keys = master->mki_bytes > 0 ? keys : NULL;
	policy.num_master_keys = master->mki_bytes > 0;
	policy.key = master->mki_bytes > 0 ? NULL : key;
	ck_assert_int_eq(srtp_create(&out, &policy), srtp_err_status_ok);
	return out;
}

struct td_srtp_master peer_master(enum td_srtp_suite suite, uint32_t number)
{
	struct td_srtp_master master = { .suite = (uint8_t)suite };
	uint32_t word = number * 2654435761u + 12345u;

	for (size_t i = 0; i < sizeof master.key; i++)
		master.key[i] = (uint8_t)((word = word * 1664525u + 1013904223u) >> 24);
	for (size_t i = 0; i < sizeof master.salt; i++)
		master.salt[i] = (uint8_t)((word = word * 1664525u + 1013904223u) >> 24);
	return master;
}

static void open_sessions(struct peer *peer, const struct td_srtp_master *says,
			  const struct td_srtp_master *hears)
{
	static bool initialised;

	if (!initialised)
		ck_assert_int_eq(srtp_init(), srtp_err_status_ok);
	initialised = true;
	peer->says = *says;
	peer->hears = *hears;
	peer->out = session(says, ssrc_any_outbound);
	peer->in = session(hears, ssrc_any_inbound);
}

struct td_command peer_set_remote(const struct peer *peer, uint8_t codec)
{
	struct td_command command = world_set_remote(&peer->party, codec);

	command.u.stream_set_remote.srtp_rx = peer->says;
	command.u.stream_set_remote.srtp_tx = peer->hears;
	return command;
}

void peer_open(struct world *world, struct td_context_id context, const char *addr, uint16_t port,
	       uint32_t ssrc, const struct td_srtp_master *says, const struct td_srtp_master *hears,
	       struct peer *peer)
{
	struct td_command command;

	memset(peer, 0, sizeof *peer);
	world_party(world, context, addr, port, ssrc, &peer->party);
	peer->party.sequence &= 0x7fff;
	open_sessions(peer, says, hears);
	command = peer_set_remote(peer, TD_CODEC_PCMU);
	world_do(world, &command);
}

void peer_close(struct peer *peer)
{
	if (peer->out)
		srtp_dealloc(peer->out);
	if (peer->in)
		srtp_dealloc(peer->in);
	peer->out = peer->in = NULL;
}

void peer_rekey(struct peer *peer, const struct td_srtp_master *says,
		const struct td_srtp_master *hears)
{
	peer_close(peer);
	open_sessions(peer, says, hears);
}

void peer_payload(uint32_t number, uint8_t *payload, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		payload[i] = (uint8_t)((number = number * 1664525u + 1013904223u) >> 24);
}

void peer_wrap(const struct peer *peer, const uint8_t *bytes, uint32_t len, bool is_rtcp,
	       struct frame *frame)
{
	const struct world_party *party = &peer->party;
	uint16_t local = __builtin_bswap16(party->local.port_be);
	uint8_t copy[PEER_ROOM]; // they may lie in the frame

	ck_assert_uint_le(len, sizeof copy);
	memcpy(copy, bytes, len);
	frame_udp(frame, party->addr, (uint16_t)(party->port + is_rtcp),
		  party->local.family == TD_FAMILY_IPV6 ? "fd77::2" : "10.77.0.2",
		  (uint16_t)(local + is_rtcp), len);
	memcpy(frame->bytes + frame->l4 + 8, copy, len);
	frame_checksums(frame);
}

void peer_frame(struct peer *peer, const uint8_t *payload, uint32_t len, struct frame *frame)
{
	_Alignas(4) uint8_t bytes[PEER_ROOM];
	struct world_party *party = &peer->party;
	int whole = (int)(TD_RTP_HEADER_BYTES + len);

	td_rtp_write(bytes, party->payload_type, 0, party->sequence, party->timestamp, party->ssrc);
	memcpy(bytes + TD_RTP_HEADER_BYTES, payload, len);
	if (peer->out)
		ck_assert_int_eq(
			srtp_protect_mki(peer->out, bytes, &whole, peer->says.mki_bytes > 0, 0),
			srtp_err_status_ok);
	peer_wrap(peer, bytes, (uint32_t)whole, false, frame);
	party->sequence++;
	party->timestamp += 160;
}

void peer_say(struct world *world, struct peer *peer, const uint8_t *payload, uint32_t len)
{
	struct frame frame;

	peer_frame(peer, payload, len, &frame);
	ck_assert(world_send(world, &frame));
}

uint32_t peer_hear(const struct peer *peer, const struct world_sent *sent, uint8_t plain[PEER_ROOM])
{
	int len = sent->udp_payload_len, error = srtp_err_status_ok;
	bool mki = peer->hears.mki_bytes > 0;

	memcpy(plain, sent->udp_payload, sent->udp_payload_len);
	if (peer->in && sent->is_rtcp)
		error = srtp_unprotect_rtcp_mki(peer->in, plain, &len, mki);
	else if (peer->in)
		error = srtp_unprotect_mki(peer->in, plain, &len, mki);
	return error == srtp_err_status_ok ? (uint32_t)len : 0;
}

const struct world_sent *peer_next(const struct world *world, const struct peer *peer,
				   uint32_t *place)
{
	while (*place < world->out_count) {
		const struct world_sent *sent = &world->out[(*place)++];
		struct td_endpoint to = frame_endpoint(peer->party.addr, peer->party.port);

		if (td_endpoint_same_addr(&sent->destination, &to))
			return sent;
	}
	return NULL;
}

void peer_expect(const struct world *world, const struct peer *peer, const uint8_t *payload,
		 uint32_t len)
{
	_Alignas(4) uint8_t plain[PEER_ROOM];
	uint32_t place = 0;
	const struct world_sent *sent = peer_next(world, peer, &place);

	ck_assert_ptr_nonnull(sent);
	ck_assert_ptr_null(peer_next(world, peer, &place));
	ck_assert_uint_eq(peer_hear(peer, sent, plain), TD_RTP_HEADER_BYTES + len);
	ck_assert_mem_eq(plain + TD_RTP_HEADER_BYTES, payload, len);
	if (peer->in && len >= 16) // and nobody else could read it
		ck_assert_mem_ne(sent->udp_payload + TD_RTP_HEADER_BYTES, payload, len);
	ck_assert(frame_checksums_right(sent->mbuf));
}
