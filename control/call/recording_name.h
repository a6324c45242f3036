// The name of a recording, from the template in the config (recording.name).
//
//   "{tenant}/{date}/{queue}-{call}-{agent}"  ->  "acme/20261126/support-c42-1001-150455.123"
//
// {time} is "20261126T150455.123", UTC as all of it. Whatever comes from the network is spelled with
// letters, digits, - _ + and . alone, never begins with a dot and has no two of them in a row, so no
// caller can choose a folder. Folders and separators around what is empty are left out. Call ids
// begin anew with each start, so the time of day is added where the template has no {time}. Pure.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TD_RECORDING_VALUE_MAX 32 // what is longer is cut

struct td_recording_words {
	const char *tenant, *queue, *call, *agent, *caller, *called, *trunk; // NULL or "": none
	uint64_t utc_ms;
};

// Writes it, cut to fit, with `suffix` (".wav") behind it. Never empty.
void td_recording_name(const char *template, const struct td_recording_words *words,
		       const char *suffix, char *out, size_t out_bytes);
