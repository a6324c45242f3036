#include "record/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE TD_VAULT_CHUNK_MAX

ssize_t td_reader_at(int fd, void *bytes, size_t size, uint64_t at)
{
	uint8_t *to = bytes;
	size_t done = 0;

	while (done < size) {
		ssize_t now = pread(fd, to + done, size - done, (off_t)(at + done));

		if (now < 0 && errno == EINTR)
			continue;
		if (now < 0)
			return -1;
		if (now == 0)
			break;
		done += (size_t)now;
	}
	return (ssize_t)done;
}

static int take_plain(int fd, uint8_t *piece, td_reader_text_fn *take, void *user)
{
	for (uint64_t at = 0;; at += PIECE) {
		ssize_t size = td_reader_at(fd, piece, PIECE, at);
		int error = size < 0 ? -TD_EIO : take(user, piece, (size_t)size);

		if (error || size < (ssize_t)PIECE)
			return error;
	}
}

static int take_chunks(int fd, struct td_vault *vault, uint8_t *piece, uint8_t *text, bool *whole,
		       td_reader_text_fn *take, void *user)
{
	uint64_t at = TD_VAULT_HEADER_BYTES;

	for (;;) {
		ssize_t size = td_reader_at(fd, piece, PIECE, at);
		struct td_vault_chunk chunk;
		int error;

		if (size <= 0)
			return size < 0 ? -TD_EIO : 0;
		if (*whole)
			return -TD_EMALFORMED;
		error = td_vault_measure(piece, (size_t)size, &chunk);
		if (error == -TD_ETRUNCATED)
			return 0;
		if (!error)
			error = td_vault_open(vault, piece, &chunk, text);
		if (!error)
			error = take(user, text, chunk.text);
		if (error)
			return error;
		at += chunk.bytes;
		*whole = chunk.last;
	}
}

static int take_vault(int fd, const uint8_t *key, const uint8_t *header, uint8_t *piece,
		      bool *whole, td_reader_text_fn *take, void *user)
{
	struct td_vault vault;
	uint8_t *text;
	int error = key ? td_vault_unlock(&vault, key, header) : -TD_EDENIED;

	if (error)
		return error;
	text = malloc(TD_VAULT_TEXT_MAX);
	error = text ? take_chunks(fd, &vault, piece, text, whole, take, user) : -TD_EMEMORY;
	free(text);
	td_vault_fini(&vault);
	return error;
}

int td_reader_text(int fd, const uint8_t key[TD_VAULT_KEY_BYTES], bool *whole,
		   td_reader_text_fn *take, void *user)
{
	uint8_t header[TD_VAULT_HEADER_BYTES], *piece = malloc(PIECE);
	ssize_t size = td_reader_at(fd, header, sizeof header, 0);
	int error;

	*whole = false;
	if (!piece)
		return -TD_EMEMORY;
	if (size < 0) {
		error = -TD_EIO;
	} else if (size == (ssize_t)sizeof header && memcmp(header, "TANDEMV1", 8) == 0) {
		error = take_vault(fd, key, header, piece, whole, take, user);
	} else {
		*whole = true;
		error = take_plain(fd, piece, take, user);
	}
	free(piece);
	return error;
}

struct chained {
	struct td_chain *chain;
	uint64_t skip;
};

static int add(void *user, const uint8_t *text, size_t size)
{
	struct chained *chained = user;
	size_t skip = chained->skip < size ? (size_t)chained->skip : size;

	chained->skip -= skip;
	td_chain_add(chained->chain, text + skip, size - skip);
	return 0;
}

int td_reader_chain(int fd, const uint8_t key[TD_VAULT_KEY_BYTES], uint64_t from,
		    struct td_chain *chain)
{
	struct chained chained = { chain, from };
	bool whole;
	int error = td_reader_text(fd, key, &whole, add, &chained);

	td_chain_end(chain);
	return error;
}
