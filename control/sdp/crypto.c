#include <string.h>

#include "sdp/crypto.h"
#include "sdp/line.h"

#define BASE64_MAX 64 // characters of the longest key and salt

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static const char *const refusal_names[TD_SDP_CRYPTO_REFUSAL_COUNT] = {
	[TD_SDP_CRYPTO_TAKEN] = "taken",
	[TD_SDP_CRYPTO_MALFORMED] = "malformed",
	[TD_SDP_CRYPTO_SUITE] = "suite",
	[TD_SDP_CRYPTO_METHOD] = "key method",
	[TD_SDP_CRYPTO_KEY_LENGTH] = "length of the key",
	[TD_SDP_CRYPTO_MANY_KEYS] = "more than one key",
	[TD_SDP_CRYPTO_LIFETIME] = "lifetime",
	[TD_SDP_CRYPTO_MKI] = "MKI",
	[TD_SDP_CRYPTO_KDR] = "session parameter KDR",
	[TD_SDP_CRYPTO_UNENCRYPTED] = "session parameter UNENCRYPTED_SRTP or UNENCRYPTED_SRTCP",
	[TD_SDP_CRYPTO_UNAUTHENTICATED] = "session parameter UNAUTHENTICATED_SRTP",
	[TD_SDP_CRYPTO_FEC] = "session parameter FEC_ORDER or FEC_KEY",
	[TD_SDP_CRYPTO_WINDOW] = "session parameter WSH",
	[TD_SDP_CRYPTO_PARAMETER] = "unknown session parameter",
};

const char *td_sdp_crypto_refusal_name(enum td_sdp_crypto_refusal refusal)
{
	return refusal_names[refusal];
}

// Bytes decoded, or -1: a character that is none, more than `room`, or a lone character at the end.
// At most two "=" are discarded (section 6.1).
static int decode(struct td_str text, uint8_t *out, size_t room)
{
	size_t count = 0;
	uint32_t bits = 0;

	for (int i = 0; i < 2 && text.len > 0 && text.at[text.len - 1] == '='; i++)
		text.len--;
	if (text.len % 4 == 1)
		return -1;
	for (size_t i = 0; i < text.len; i++) {
		const char *digit = text.at[i] ? strchr(base64, text.at[i]) : NULL;

		if (!digit)
			return -1;
		bits = bits << 6 | (uint32_t)(digit - base64);
		if (i % 4 == 0)
			continue;
		if (count == room)
			return -1;
		out[count++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
	return (int)count;
}

// "2^20" or decimal, at least 1 and at most what a key has.
static bool parse_lifetime(struct td_str text, uint64_t *out)
{
	uint32_t exponent;
	uint64_t value = 0;

	if (td_str_starts(text, TD_STR("2^"))) {
		if (td_str_to_u32(td_str_after(text, 2), &exponent) != 0 || exponent > 48)
			return false;
		*out = UINT64_C(1) << exponent;
		return true;
	}
	if (!td_sdp_is_digits(text) || text.len > 15) // 2^48 has 15 digits
		return false;
	for (size_t i = 0; i < text.len; i++)
		value = value * 10 + (uint64_t)(text.at[i] - '0');
	*out = value;
	return value >= 1 && value <= TD_SDP_CRYPTO_LIFE_MAX;
}

// "<number>:<bytes>", big-endian in so many bytes.
static bool parse_mki(struct td_str text, struct td_srtp_master *master)
{
	size_t colon = td_str_find(text, ':');
	uint32_t value, bytes;

	if (td_str_to_u32(td_str_before(text, colon), &value) != 0 ||
	    td_str_to_u32(td_str_after(text, colon + 1), &bytes) != 0 || bytes == 0 ||
	    bytes > TD_SRTP_MKI_MAX || (bytes < 4 && value >> (8 * bytes) != 0))
		return false;
	master->mki_bytes = (uint8_t)bytes;
	for (uint32_t i = 0; i < bytes && i < 4; i++)
		master->mki[bytes - 1 - i] = (uint8_t)(value >> (8 * i));
	return true;
}

static enum td_sdp_crypto_refusal parse_inline(struct td_str text, struct td_sdp_crypto *out)
{
	const struct td_srtp_suite_shape *shape = td_srtp_suite_shape(out->master.suite);
	struct td_str key = td_str_before(text, td_str_find(text, '|'));
	uint8_t bytes[TD_SDP_CRYPTO_SEED] = { 0 };
	int count = decode(key, bytes, sizeof bytes);
	struct td_str rest = td_str_after(text, key.len + 1), part;

	memcpy(out->master.key, bytes, shape->key_bytes);
	memcpy(out->master.salt, bytes + shape->key_bytes, shape->salt_bytes);
	explicit_bzero(bytes, sizeof bytes);
	if (count != shape->key_bytes + shape->salt_bytes)
		return TD_SDP_CRYPTO_KEY_LENGTH;
	if (key.len == text.len)
		return TD_SDP_CRYPTO_TAKEN;
	// A lifetime has no colon and comes first; an MKI has one.
	part = td_str_before(rest, td_str_find(rest, '|'));
	if (td_str_find(part, ':') == part.len) {
		if (!parse_lifetime(part, &out->lifetime_packets))
			return TD_SDP_CRYPTO_LIFETIME;
		if (part.len == rest.len)
			return TD_SDP_CRYPTO_TAKEN;
		part = td_str_after(rest, part.len + 1);
	} else if (part.len != rest.len) {
		return TD_SDP_CRYPTO_MALFORMED;
	}
	return parse_mki(part, &out->master) ? TD_SDP_CRYPTO_TAKEN : TD_SDP_CRYPTO_MKI;
}

// Section 6.3. A window is ours to choose, so that a hint about it does no harm; what begins with a
// minus may be passed over (section 6.3.7); everything else would change how packets look.
static enum td_sdp_crypto_refusal check_parameter(struct td_str word)
{
	struct td_str name = td_str_before(word, td_str_find(word, '='));
	uint32_t window;

	if (word.at[0] == '-')
		return TD_SDP_CRYPTO_TAKEN;
	if (td_str_equal_nocase(name, TD_STR("WSH"))) {
		if (td_str_to_u32(td_str_after(word, name.len + 1), &window) != 0 || window < 64)
			return TD_SDP_CRYPTO_WINDOW;
		return TD_SDP_CRYPTO_TAKEN;
	}
	if (td_str_equal_nocase(name, TD_STR("KDR")))
		return TD_SDP_CRYPTO_KDR;
	if (td_str_equal_nocase(name, TD_STR("UNENCRYPTED_SRTP")) ||
	    td_str_equal_nocase(name, TD_STR("UNENCRYPTED_SRTCP")))
		return TD_SDP_CRYPTO_UNENCRYPTED;
	if (td_str_equal_nocase(name, TD_STR("UNAUTHENTICATED_SRTP")))
		return TD_SDP_CRYPTO_UNAUTHENTICATED;
	if (td_str_equal_nocase(name, TD_STR("FEC_ORDER")) ||
	    td_str_equal_nocase(name, TD_STR("FEC_KEY")))
		return TD_SDP_CRYPTO_FEC;
	return TD_SDP_CRYPTO_PARAMETER;
}

static enum td_srtp_suite suite_of(struct td_str name)
{
	for (unsigned suite = TD_SRTP_NONE + 1; suite < TD_SRTP_SUITE_COUNT; suite++)
		if (td_str_equal_nocase(name, td_str_from(td_srtp_suite_shape(suite)->name)))
			return (enum td_srtp_suite)suite;
	return TD_SRTP_NONE;
}

static enum td_sdp_crypto_refusal parse(struct td_str value, struct td_sdp_crypto *out)
{
	struct td_str tag = td_sdp_word_next(&value), suite = td_sdp_word_next(&value);
	struct td_str key = td_sdp_word_next(&value);
	enum td_sdp_crypto_refusal refusal;

	if (tag.len > 9 || td_str_to_u32(tag, &out->tag) != 0 || td_str_empty(key))
		return TD_SDP_CRYPTO_MALFORMED;
	out->master.suite = (uint8_t)suite_of(suite);
	if (out->master.suite == TD_SRTP_NONE)
		return TD_SDP_CRYPTO_SUITE;
	if (td_str_find(key, ';') != key.len)
		return TD_SDP_CRYPTO_MANY_KEYS;
	if (!td_str_equal_nocase(td_str_before(key, 7), TD_STR("inline:")))
		return TD_SDP_CRYPTO_METHOD;
	refusal = parse_inline(td_str_after(key, 7), out);
	while (refusal == TD_SDP_CRYPTO_TAKEN && !td_str_empty(value))
		refusal = check_parameter(td_sdp_word_next(&value));
	return refusal;
}

enum td_sdp_crypto_refusal td_sdp_crypto_parse(struct td_str value, struct td_sdp_crypto *out)
{
	enum td_sdp_crypto_refusal refusal;

	memset(out, 0, sizeof *out);
	refusal = parse(td_str_trim(value), out);
	if (refusal != TD_SDP_CRYPTO_TAKEN)
		explicit_bzero(out, sizeof *out);
	return refusal;
}

void td_sdp_crypto_make(struct td_sdp_crypto *out, uint32_t tag, enum td_srtp_suite suite,
			const uint8_t seed[TD_SDP_CRYPTO_SEED])
{
	const struct td_srtp_suite_shape *shape = td_srtp_suite_shape(suite);

	memset(out, 0, sizeof *out);
	out->tag = tag;
	out->master.suite = (uint8_t)suite;
	memcpy(out->master.key, seed, shape->key_bytes);
	memcpy(out->master.salt, seed + TD_SRTP_KEY_MAX, shape->salt_bytes);
}

static void encode(const uint8_t *bytes, size_t count, char text[BASE64_MAX + 1])
{
	size_t len = 0;

	for (size_t i = 0; i < count; i += 3) {
		uint32_t bits = (uint32_t)bytes[i] << 16;

		if (i + 1 < count)
			bits |= (uint32_t)bytes[i + 1] << 8;
		if (i + 2 < count)
			bits |= bytes[i + 2];
		for (size_t k = 0; k < 4; k++)
			text[len++] = i + k > count ? '=' : base64[bits >> (18 - 6 * k) & 63];
	}
	text[len] = '\0';
}

void td_sdp_crypto_write(struct td_sdp_text *out, const struct td_sdp_crypto *crypto)
{
	const struct td_srtp_suite_shape *shape = td_srtp_suite_shape(crypto->master.suite);
	uint8_t bytes[TD_SDP_CRYPTO_SEED];
	char text[BASE64_MAX + 1];
	uint64_t mki = 0;

	memcpy(bytes, crypto->master.key, shape->key_bytes);
	memcpy(bytes + shape->key_bytes, crypto->master.salt, shape->salt_bytes);
	encode(bytes, (size_t)shape->key_bytes + shape->salt_bytes, text);
	td_sdp_text_printf(out, "a=crypto:%u %s inline:%s", crypto->tag, shape->name, text);
	for (unsigned i = 0; i < crypto->master.mki_bytes; i++)
		mki = mki << 8 | crypto->master.mki[i];
	if (crypto->master.mki_bytes > 0)
		td_sdp_text_printf(out, "|%llu:%u", (unsigned long long)mki,
				   crypto->master.mki_bytes);
	td_sdp_text_printf(out, "\r\n");
	explicit_bzero(bytes, sizeof bytes);
	explicit_bzero(text, sizeof text);
}

int td_sdp_crypto_choose(const struct td_sdp_crypto *offered, unsigned count,
			 const enum td_srtp_suite *ours, unsigned our_count)
{
	for (unsigned i = 0; i < count; i++)
		for (unsigned k = 0; k < our_count; k++)
			if (offered[i].master.suite == ours[k])
				return (int)i;
	return -1;
}

int td_sdp_crypto_accept(const struct td_sdp_crypto *offered, const struct td_sdp_crypto *answer)
{
	const struct td_srtp_suite_shape *shape = td_srtp_suite_shape(offered->master.suite);

	if (answer->tag != offered->tag || answer->master.suite != offered->master.suite)
		return -TD_ECODEC;
	if (memcmp(answer->master.key, offered->master.key, shape->key_bytes) == 0)
		return -TD_EDENIED;
	return 0;
}
