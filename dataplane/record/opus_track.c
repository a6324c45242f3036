#include "record/opus_track.h"

#include <stdio.h>
#include <string.h>

#include "td_limits.h"

#define TOC_CELT_20_MS 0xf8 // full band, one frame; 8 less is half as long
#define GRID           120  // samples: 2.5 ms, the shortest frame
#define FRAME_20_MS    960
#define TITLE_MAX      128

_Static_assert(TD_RTP_PAYLOAD_MAX <= TD_OGG_BODY_MAX, "a packet fits into a page");

static void flush(struct td_opus_track *track, unsigned flags)
{
	uint8_t *out = td_bytes_grow(&track->out, TD_OGG_PAGE_MAX);

	if (out)
		track->out.used += td_ogg_flush(&track->ogg, flags, out);
}

static void put_head(struct td_opus_track *track)
{
	// Version 1, one channel, original rate 48 kHz, no gain, mapping family 0.
	static const uint8_t head[] = { 'O',
					'p',
					'u',
					's',
					'H',
					'e',
					'a',
					'd',
					1,
					1,
					TD_OPUS_PRE_SKIP & 255,
					TD_OPUS_PRE_SKIP >> 8,
					TD_OPUS_HZ & 255,
					TD_OPUS_HZ >> 8,
					0,
					0,
					0,
					0,
					0 };

	td_ogg_put(&track->ogg, head, sizeof head, 0);
	flush(track, TD_OGG_FIRST);
}

static size_t put_text(uint8_t *at, const char *text, size_t length)
{
	at[0] = (uint8_t)length;
	at[1] = at[2] = at[3] = 0;
	memcpy(at + 4, text, length);
	return 4 + length;
}

static void put_tags(struct td_opus_track *track, const char *title)
{
	static const char vendor[] = "Tandem " TD_VERSION;
	uint8_t tags[8 + 4 + sizeof vendor + 4 + 4 + TITLE_MAX];
	char comment[TITLE_MAX];
	static const uint8_t name[8] = { 'O', 'p', 'u', 's', 'T', 'a', 'g', 's' };
	static const uint8_t one[4] = { 1 }; // comment
	size_t size = sizeof name;

	snprintf(comment, sizeof comment, "TITLE=%s", title);
	memcpy(tags, name, sizeof name);
	size += put_text(tags + size, vendor, sizeof vendor - 1);
	memcpy(tags + size, one, sizeof one);
	size += sizeof one;
	size += put_text(tags + size, comment, strlen(comment));
	td_ogg_put(&track->ogg, tags, size, 0);
	flush(track, 0);
}

void td_opus_track_begin(struct td_opus_track *track, uint32_t serial, const char *title)
{
	memset(&track->out, 0, sizeof track->out);
	track->edge = track->page = 0;
	td_ogg_begin(&track->ogg, serial);
	put_head(track);
	put_tags(track, title);
}

static void put(struct td_opus_track *track, const uint8_t *packet, size_t size, int64_t samples)
{
	int64_t begin = track->edge;

	if (track->ogg.lace_count > 0 && begin + samples - track->page > TD_OPUS_HZ)
		flush(track, 0);
	if (track->ogg.lace_count == 0)
		track->page = begin;
	track->edge += samples;
	if (td_ogg_put(&track->ogg, packet, size, track->edge))
		return;
	flush(track, 0);
	track->page = begin;
	td_ogg_put(&track->ogg, packet, size, track->edge);
}

// Frames without content up to a place, less than a frame of 2.5 ms before it.
static void fill(struct td_opus_track *track, int64_t position)
{
	static const uint8_t six[] = { TOC_CELT_20_MS | 3, 6 }; // six frames, all alike: empty

	while (position - track->edge >= TD_OPUS_SAMPLES_MAX)
		put(track, six, sizeof six, TD_OPUS_SAMPLES_MAX);
	for (int64_t length = FRAME_20_MS, toc = TOC_CELT_20_MS; length >= GRID;
	     length /= 2, toc -= 8) {
		while (position - track->edge >= length) {
			uint8_t one = (uint8_t)toc;

			put(track, &one, 1, length);
		}
	}
}

int64_t td_opus_track_put(struct td_opus_track *track, int64_t position, const uint8_t *packet,
			  size_t size, unsigned samples)
{
	int64_t gap = position - track->edge;

	if (gap < -TD_OPUS_OVERLAP)
		return TD_OPUS_LATE;
	gap = gap < GRID ? 0 : gap;
	fill(track, position);
	put(track, packet, size, samples);
	return gap;
}

void td_opus_track_flush(struct td_opus_track *track)
{
	if (track->ogg.lace_count > 0)
		flush(track, 0);
}

void td_opus_track_end(struct td_opus_track *track, int64_t position)
{
	fill(track, position);
	if (track->ogg.lace_count == 0)
		fill(track, track->edge + GRID); // the last page has a packet
	flush(track, TD_OGG_LAST);
}

void td_opus_track_fini(struct td_opus_track *track)
{
	td_bytes_free(&track->out);
}
