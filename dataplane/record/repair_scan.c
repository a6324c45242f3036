// What is good of a file that was cut short.
#include <string.h>

#include "record/ogg.h"
#include "record/repair.h"

void td_repair_scan_wav(const uint8_t header[TD_WAV_HEADER_BYTES], uint64_t file_size,
			struct td_repair_found *found)
{
	char reason[TD_WAV_REASON_MAX];
	struct td_wav wav;
	uint64_t frames;

	found->over = true;
	// Our own files only: the header that we write. The sizes in it are not asked.
	if (file_size < TD_WAV_HEADER_BYTES ||
	    td_wav_parse(header, TD_WAV_HEADER_BYTES, &wav, reason) != 0 ||
	    wav.data != header + TD_WAV_HEADER_BYTES || wav.coding != TD_WAV_PCM16)
		return;
	frames = (file_size - TD_WAV_HEADER_BYTES) / wav.frame_bytes;
	found->rate_hz = wav.sample_hz;
	found->channels = wav.channels;
	found->good = TD_WAV_HEADER_BYTES + frames * wav.frame_bytes;
}

void td_repair_scan_ogg(const uint8_t *bytes, size_t size, struct td_repair_found *found)
{
	struct td_ogg_page page;
	size_t at = 0;

	while (at < size && !found->over) {
		int error = td_ogg_parse(bytes + at, size - at, &page);

		if (error == -TD_ETRUNCATED)
			return;
		// Pages of another stream, or out of their order, are not ours.
		if (error || (found->count > 0 && page.serial != found->serial) ||
		    page.sequence != found->count) {
			found->over = true;
			return;
		}
		found->serial = page.serial;
		found->count++;
		found->last_page = found->good;
		found->good += page.bytes;
		found->last = found->over = (page.flags & TD_OGG_LAST) != 0;
		at += page.bytes;
	}
}

void td_repair_scan_vault(const uint8_t *bytes, size_t size, struct td_repair_found *found)
{
	struct td_vault_chunk chunk;
	size_t at = 0;

	if (found->good == 0 && size >= TD_VAULT_HEADER_BYTES && memcmp(bytes, "TANDEMV1", 8) == 0)
		at = found->good = TD_VAULT_HEADER_BYTES;
	found->over = found->good == 0;
	while (at < size && !found->over) {
		int error = td_vault_measure(bytes + at, size - at, &chunk);

		if (error == -TD_ETRUNCATED)
			return;
		if (error) {
			found->over = true;
			return;
		}
		at += chunk.bytes;
		found->good += chunk.bytes;
		found->count++;
		found->last = found->over = chunk.last;
	}
}
