// A recording at rest, encrypted: a file that is only ever appended to.
//
//   header, 112 bytes                                      chunk, again and again
//     0  "TANDEMV1"                                          0  length of the text, and bit 31: the last
//     8  bytes of the header, 12 bytes of text at most       4  text, AES-256-GCM
//    16  which key: SHA-256("tandem key" + key), 16 bytes    .  tag, 16 bytes
//    32  nonce, 12 bytes
//    44  the file's own key under that key, AES-256-GCM,   nonce: the file's 4 bytes, chunk number
//        32 bytes; its tag, 16                             (8 bytes, big-endian); the length is
//    92  4 bytes, the beginning of every chunk's nonce     authenticated with the text
//    96  16 bytes of 0
//
// Numbers are little-endian unless said otherwise. Every file has a random key of its own, so a
// chunk's number never meets the same key twice; to destroy the wrapped key is to destroy the file. A
// file without a last chunk was cut short: what is there is whole up to the cut.
// The text of a WAV file begins with the 80 bytes of its header as it was at the beginning; who
// decrypts it writes the true lengths there.
// One thread a vault; the memory behind it is its own.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "td_error.h"

#define TD_VAULT_KEY_BYTES    32
#define TD_VAULT_HEADER_BYTES 112
#define TD_VAULT_TEXT_MAX     65536
#define TD_VAULT_EXTRA_BYTES  20 // a chunk is so much longer than its text
#define TD_VAULT_CHUNK_MAX    (TD_VAULT_TEXT_MAX + TD_VAULT_EXTRA_BYTES)
#define TD_VAULT_REASON_MAX   160

struct td_vault {
	void *cipher;
	uint8_t key[TD_VAULT_KEY_BYTES];
	uint8_t prefix[4];
	uint64_t number; // of the next chunk
};

// Reads a key file: 32 bytes, or 64 hexadecimal digits and a newline. -TD_EIO, -TD_EDENIED (others may
// read it), -TD_EMALFORMED, with a sentence.
TD_MUST_CHECK int td_vault_load_key(const char *path, uint8_t key[TD_VAULT_KEY_BYTES],
				    char reason[TD_VAULT_REASON_MAX]);

// A new file's vault and its header. -TD_EMEMORY, -TD_EIO (no random numbers).
TD_MUST_CHECK int td_vault_create(struct td_vault *vault, const uint8_t key[TD_VAULT_KEY_BYTES],
				  uint8_t header[TD_VAULT_HEADER_BYTES]);
// An existing file's. -TD_EMALFORMED: no such file; -TD_EDENIED: another key, or tampered with.
TD_MUST_CHECK int td_vault_unlock(struct td_vault *vault, const uint8_t key[TD_VAULT_KEY_BYTES],
				  const uint8_t header[TD_VAULT_HEADER_BYTES]);
void td_vault_fini(struct td_vault *vault);

// Seals the next chunk to `out`, which has room for size + TD_VAULT_EXTRA_BYTES; answers how long it
// is, 0 when the library refuses.
size_t td_vault_seal(struct td_vault *vault, const void *text, size_t size, bool last,
		     uint8_t *out);

struct td_vault_chunk {
	size_t bytes; // of the whole chunk
	size_t text;  // of its text
	bool last;
};

// Where a chunk ends, without a key. -TD_ETRUNCATED: it is not whole; -TD_EMALFORMED: it is none.
TD_MUST_CHECK int td_vault_measure(const uint8_t *bytes, size_t size, struct td_vault_chunk *chunk);

// Opens the next chunk to `text`, of TD_VAULT_TEXT_MAX. -TD_EDENIED: it is not what was sealed.
TD_MUST_CHECK int td_vault_open(struct td_vault *vault, const uint8_t *bytes,
				const struct td_vault_chunk *chunk, uint8_t *text);
