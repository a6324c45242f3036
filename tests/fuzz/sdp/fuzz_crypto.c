// a=crypto: any bytes are refused by name or read; what was read is written and read again the same.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sdp/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct td_sdp_crypto first, again;
	char text[256];
	struct td_sdp_text out = td_sdp_text_init(text, sizeof text);
	enum td_sdp_crypto_refusal refusal =
		td_sdp_crypto_parse(td_str_make((const char *)data, size), &first);

	if (refusal != TD_SDP_CRYPTO_TAKEN)
		return strlen(td_sdp_crypto_refusal_name(refusal)) == 0 ? (abort(), 0) : 0;
	td_sdp_crypto_write(&out, &first);
	if (out.full || td_sdp_crypto_parse(td_str_from(text + strlen("a=crypto:")), &again) !=
				TD_SDP_CRYPTO_TAKEN)
		abort();
	// Not the lifetime: ours does not say it.
	if (again.tag != first.tag ||
	    memcmp(&first.master, &again.master, sizeof first.master) != 0)
		abort();
	return 0;
}
