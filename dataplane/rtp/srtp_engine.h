// The machine that does SRTP's arithmetic, a burst at a time: AES counter mode, HMAC-SHA1, AES-GCM.
//
//   jobs[n] --cm_tags--> tag of each      jobs[n] --cm_cipher--> text of each turned over
//   jobs[n] --gcm_seal/gcm_open--> text turned over, tag made or checked
//
// Two of them, chosen when it is initialised: bursts through Intel's ipsec-mb where it was built in
// and the processor has AES instructions, else OpenSSL packet by packet. Both do the same to the
// byte. It holds only scratch and tables, no state of any stream, and belongs to one thread: a
// worker has its own. Initialising allocates (within the library); using it never does.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "td_error.h"
#include "td_srtp.h"

#define TD_SRTP_BURST        64u
#define TD_SRTP_CIPHER_BYTES 1008
#define TD_SRTP_TAG_MAX      16
#define TD_SRTP_PACKET_MAX   2048 // protected or not; what is longer is refused

// The session keys of one protocol (RTP or RTCP) under one master key, expanded for the engine that
// made them: an engine of another kind must not use them. `inner` and `outer` are the states of
// SHA-1 after the key's two pads (RFC 2104).
//
//   lines 0..2, or 3   the round keys
//   lines ..14, 15     GCM: powers of the hash key, the lowest ones last
//   line 15            CM: inner, outer; both: salt and shape
//
// With many streams these lines come from memory, so what a packet needs beside the tables is in a line
// of theirs that it needs anyway.
struct td_srtp_keys {
	union {
		_Alignas(64)
			uint8_t cipher[TD_SRTP_CIPHER_BYTES + 16]; // of the engine the first ones
		struct {
			uint8_t tables[TD_SRTP_CIPHER_BYTES - 48];
			uint32_t inner[5], outer[5]; // CM
			uint8_t unused[8];
			uint8_t salt[14];        // RFC 3711's k_s; AEAD: the first 12
			uint16_t key_blocks : 2; // of 16 bytes; 0: no keys
			uint16_t aead : 1;
			uint16_t tag_bytes : 5;
			uint16_t mki_bytes : 6;
		};
	};
};

_Static_assert(sizeof(struct td_srtp_keys) == 16 * 64, "sixteen lines");
_Static_assert(offsetof(struct td_srtp_keys, salt) == TD_SRTP_CIPHER_BYTES,
	       "the tables end where the salt begins");
_Static_assert(TD_SRTP_TAG_MAX < 1 << 5 && TD_SRTP_MKI_MAX < 1 << 6, "lengths fit their bits");

// One packet's arithmetic, at most TD_SRTP_PACKET_MAX bytes of it. The text lies at bytes +
// text_offset; what is authenticated are the first auth_len bytes (CM), or the first text_offset bytes,
// `aad_tail` and the text (GCM). One line each: a vector of them lies beside its packets and keys in a
// cache that has just enough room for those.
struct td_srtp_job {
	_Alignas(64) const struct td_srtp_keys *keys;
	uint8_t *bytes;
	uint16_t text_offset, text_len, auth_len;
	uint8_t aad_tail_len; // 0 or 4: an SRTCP index, which lies behind the text
	bool failed; // by gcm_open: the tag is not the one behind the text, which is as it came
	uint8_t aad_tail[4];
	uint8_t iv[16];  // GCM: the first 12
	uint8_t tag[20]; // made: by cm_tags, gcm_seal
};

_Static_assert(sizeof(struct td_srtp_job) == 64, "one line");

struct td_srtp_engine;

struct td_srtp_machine {
	enum td_srtp_engine_kind kind; // never AUTO
	// Expands one session key and, for CM, one HMAC key of 20 bytes.
	void (*expand)(struct td_srtp_engine *engine, struct td_srtp_keys *keys,
		       const uint8_t *cipher_key, const uint8_t *auth_key);
	// Tags over auth_len bytes, 20 bytes each into `tag`.
	void (*cm_tags)(struct td_srtp_engine *engine, struct td_srtp_job *const *jobs,
			unsigned count);
	// Counter mode over the text; all `count` have keys of `key_bytes`.
	void (*cm_cipher)(struct td_srtp_engine *engine, struct td_srtp_job *const *jobs,
			  unsigned count, unsigned key_bytes);
	void (*gcm_seal)(struct td_srtp_engine *engine, struct td_srtp_job *const *jobs,
			 unsigned count);
	void (*gcm_open)(struct td_srtp_engine *engine, struct td_srtp_job *const *jobs,
			 unsigned count);
	void (*fini)(struct td_srtp_engine *engine);
};

struct td_srtp_engine {
	const struct td_srtp_machine *machine;
	void *library;                          // IMB_MGR, or the OpenSSL machine's contexts
	bool had_aead;                          // in the last vector: a hint for the next one
	struct td_srtp_job jobs[TD_SRTP_BURST]; // scratch of td_srtp_open and td_srtp_seal
};

// At start, once a thread. 0; -TD_EUNSUPPORTED: this kind is not built in or not for this
// processor; -TD_EMEMORY.
TD_MUST_CHECK int td_srtp_engine_init(struct td_srtp_engine *engine, enum td_srtp_engine_kind kind);
void td_srtp_engine_fini(struct td_srtp_engine *engine);

// The two kinds; td_srtp_engine_init calls them. The first is -TD_EUNSUPPORTED where it is not built.
TD_MUST_CHECK int td_srtp_ipsec_mb_init(struct td_srtp_engine *engine);
TD_MUST_CHECK int td_srtp_openssl_init(struct td_srtp_engine *engine);

// Where a packet that is opened with GCM has its tag.
static inline uint8_t *td_srtp_job_tag(const struct td_srtp_job *job)
{
	return job->bytes + job->text_offset + job->text_len;
}

// GCM's additional data of a job: into `aad` if it is in two pieces. Answers where it is.
static inline const uint8_t *td_srtp_job_aad(const struct td_srtp_job *job, uint8_t *aad,
					     size_t *len)
{
	*len = (size_t)job->text_offset + job->aad_tail_len;
	if (job->aad_tail_len == 0)
		return job->bytes;
	for (size_t i = 0; i < job->text_offset; i++)
		aad[i] = job->bytes[i];
	for (size_t i = 0; i < job->aad_tail_len; i++)
		aad[job->text_offset + i] = job->aad_tail[i];
	return aad;
}

// Lines of the keys that a packet of a call's usual length touches: the round keys, the low powers of
// GCM's hash key, which ipsec-mb keeps at the end of its table (11 of them for 160 bytes, 12 for 176),
// and the last line. At many streams they come from memory; those of a whole vector are asked for at
// once (td_srtp_prefetch).
#define TD_SRTP_LINE_BYTES   64u
#define TD_SRTP_KEY_LINES    3u
#define TD_SRTP_POWERS_FIRST 13u
#define TD_SRTP_LAST_LINE    15u

static inline void td_srtp_keys_prefetch(const struct td_srtp_keys *keys, bool aead)
{
	const uint8_t *lines = keys->cipher;

	for (unsigned line = 0; line < TD_SRTP_KEY_LINES; line++)
		__builtin_prefetch(lines + TD_SRTP_LINE_BYTES * line, 0);
	__builtin_prefetch(lines + TD_SRTP_LINE_BYTES * TD_SRTP_LAST_LINE, 0);
	if (!aead)
		return;
	for (unsigned line = TD_SRTP_POWERS_FIRST; line < TD_SRTP_LAST_LINE; line++)
		__builtin_prefetch(lines + TD_SRTP_LINE_BYTES * line, 0);
}

// Compares tags in a time that does not tell where they differ.
static inline bool td_srtp_same(const uint8_t *a, const uint8_t *b, size_t len)
{
	unsigned differs = 0;

	for (size_t i = 0; i < len; i++)
		differs |= (unsigned)(a[i] ^ b[i]);
	return differs == 0;
}

// The same for the tags' three lengths, 16, 10 and 4, and a copy of one: fixed sizes, because a call
// of memcmp or memcpy costs what a tenth of GCM does.
static inline bool td_srtp_same_tag(const uint8_t *a, const uint8_t *b, unsigned len)
{
	uint64_t x[2] = { 0, 0 }, y[2] = { 0, 0 };

	memcpy(x, a, 4);
	memcpy(y, b, 4);
	if (len > 4) {
		memcpy(x, a, 8);
		memcpy(y, b, 8);
		memcpy(&x[1], a + 8, 2);
		memcpy(&y[1], b + 8, 2);
	}
	if (len > 10) {
		memcpy(&x[1], a + 8, 8);
		memcpy(&y[1], b + 8, 8);
	}
	return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

static inline void td_srtp_copy_tag(uint8_t *to, const uint8_t *from, unsigned len)
{
	if (len == 16) {
		memcpy(to, from, 16);
	} else if (len == 10) {
		memcpy(to, from, 8);
		memcpy(to + 8, from + 8, 2);
	} else {
		memcpy(to, from, 4);
	}
}
