// What a recorder that was killed may have left: any bytes, as an Ogg file, a vault, a WAV file.
//
// What a scan calls good lies within the file; a scan in pieces finds what a scan of the whole does; a
// file that is cut to what is good is good as a whole.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "record/repair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef void scan_fn(const uint8_t *bytes, size_t size, struct td_repair_found *found);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static struct td_repair_found scan(scan_fn *step, const uint8_t *bytes, size_t size, size_t window)
{
	struct td_repair_found found = { .good = 0 };

	for (;;) {
		uint64_t before = found.good;
		size_t left = size - (size_t)found.good;

		step(bytes + found.good, left < window ? left : window, &found);
		must(found.good <= size);
		if (found.over || found.good == before)
			return found;
	}
}

static void try_one(scan_fn *step, const uint8_t *bytes, size_t size)
{
	struct td_repair_found whole = scan(step, bytes, size, size);
	// No thing is longer than that: a page 65,307 bytes, a chunk 65,556.
	struct td_repair_found pieces = scan(step, bytes, size, 66000);
	struct td_repair_found again = scan(step, bytes, (size_t)whole.good, size);

	must(whole.good == pieces.good && whole.count == pieces.count);
	must(whole.last == pieces.last && whole.last_page == pieces.last_page);
	must(again.good == whole.good && again.count == whole.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct td_repair_found found = { .good = 0 };
	uint8_t *copy = malloc(size ? size : 1); // a read beyond its end shows

	must(copy != NULL);
	memcpy(copy, data, size);
	try_one(td_repair_scan_ogg, copy, size);
	try_one(td_repair_scan_vault, copy, size);
	if (size >= TD_WAV_HEADER_BYTES)
		td_repair_scan_wav(copy, size, &found);
	must(found.good <= size && (found.good == 0 || found.channels > 0));
	free(copy);
	return 0;
}
