// The text of a recording's file, in the clear, piece by piece.
//
// By read and not by mapping: an I/O error is answered and no signal. One thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "record/chain.h"
#include "record/vault.h"
#include "td_error.h"

// What is to be done with a piece; -TD_E* ends the reading.
typedef int td_reader_text_fn(void *user, const uint8_t *text, size_t size);

// `key` may be NULL. -TD_EIO; -TD_EDENIED: there is no key, another, or it was tampered with;
// -TD_EMALFORMED: something is behind its end. *whole says whether an encrypted file's last chunk is
// there; others have none and are whole.
TD_MUST_CHECK int td_reader_text(int fd, const uint8_t key[TD_VAULT_KEY_BYTES], bool *whole,
				 td_reader_text_fn *take, void *user);

// Adds the text from `from` on to the chain, and ends it.
TD_MUST_CHECK int td_reader_chain(int fd, const uint8_t key[TD_VAULT_KEY_BYTES], uint64_t from,
				  struct td_chain *chain);

// Up to `size` bytes at `at`; fewer at the end of the file; -1: errno says why.
ssize_t td_reader_at(int fd, void *bytes, size_t size, uint64_t at);
