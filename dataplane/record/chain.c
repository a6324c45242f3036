#include "record/chain.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define LINKS_FIRST 16

int td_chain_init(struct td_chain *chain)
{
	memset(chain, 0, sizeof *chain);
	chain->digest = EVP_MD_CTX_new();
	return chain->digest ? 0 : -TD_EMEMORY;
}

static void keep(struct td_chain *chain)
{
	if (chain->link_count == chain->link_room) {
		uint32_t room = chain->link_room ? 2 * chain->link_room : LINKS_FIRST;
		void *links = realloc(chain->links, (size_t)room * TD_CHAIN_BYTES);

		if (!links) {
			chain->broken = true;
			return;
		}
		chain->links = links;
		chain->link_room = room;
	}
	memcpy(chain->links[chain->link_count++], chain->head, TD_CHAIN_BYTES);
}

void td_chain_end(struct td_chain *chain)
{
	if (chain->filled == 0)
		return;
	chain->filled = 0;
	if (!EVP_DigestFinal_ex(chain->digest, chain->head, NULL))
		chain->broken = true;
	keep(chain);
}

void td_chain_add(struct td_chain *chain, const void *bytes, size_t size)
{
	const uint8_t *from = bytes;

	while (size > 0) {
		size_t now = TD_CHAIN_SEGMENT - chain->filled;

		now = now < size ? now : size;
		if (chain->filled == 0 &&
		    (!EVP_DigestInit_ex(chain->digest, EVP_sha256(), NULL) ||
		     !EVP_DigestUpdate(chain->digest, chain->head, TD_CHAIN_BYTES)))
			chain->broken = true;
		if (!EVP_DigestUpdate(chain->digest, from, now))
			chain->broken = true;
		chain->filled += (uint32_t)now;
		chain->bytes += now;
		from += now;
		size -= now;
		if (chain->filled == TD_CHAIN_SEGMENT)
			td_chain_end(chain);
	}
}

void td_chain_fini(struct td_chain *chain)
{
	EVP_MD_CTX_free(chain->digest);
	free(chain->links);
	memset(chain, 0, sizeof *chain);
}

void td_chain_text(const uint8_t link[TD_CHAIN_BYTES], char text[TD_CHAIN_TEXT])
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < TD_CHAIN_BYTES; i++) {
		text[2 * i] = digits[link[i] >> 4];
		text[2 * i + 1] = digits[link[i] & 15];
	}
	text[TD_CHAIN_TEXT - 1] = '\0';
}
