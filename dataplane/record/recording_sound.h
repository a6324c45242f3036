// The sound of a recording: where a packet's goes, and when it goes to the disk. Private to recording.c.
#pragma once

#include "record/recording.h"

// Whose packets td_reorder delivers.
struct td_recording_ear {
	struct td_recording *recording;
	uint8_t track;
};

// A td_reorder_deliver_fn; `user` is a td_recording_ear.
void td_recording_hear(void *user, const struct td_tap_record *record, bool late);

// The Opus of a track, in memory: its headers wait to be written. false: no memory, nothing has begun.
bool td_recording_begin_opus(struct td_recording *recording, unsigned index);
void td_recording_end_opus(struct td_recording_track *track);

// What lies before `until_ns`, if it is a chunk.
void td_recording_hand_over(struct td_recording *recording, uint64_t until_ns);
void td_recording_hand_over_rest(struct td_recording *recording);

// Brings the counters of the take up to date.
void td_recording_sum_up(struct td_recording *recording);
