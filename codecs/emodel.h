// The E-model, ITU-T G.107, in the reduced form that needs only what a switch can measure:
//
//   R = 93.2 - Id - Ie_eff        Ie_eff = Ie + (95 - Ie) * Ppl / (Ppl / BurstR + Bpl)
//   Id = 0.024 d + 0.11 max(d - 177.3, 0)
//   MOS = 1 + 0.035 R + 7e-6 R (R - 60) (100 - R), 1 below R = 0 and 4.5 above R = 100
//
// Pure arithmetic: no state, any thread, every input gives a MOS within 1 .. 4.5.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "td_codec_id.h"

// Equipment impairment and loss robustness of a codec as decoded, ITU-T G.113 appendix I.
struct td_emodel_codec {
	double ie;
	double bpl;
};

extern const struct td_emodel_codec td_emodel_g711;     // gaps are silence
extern const struct td_emodel_codec td_emodel_g711_plc; // gaps are concealed, G.711 appendix I
extern const struct td_emodel_codec td_emodel_g729a;
extern const struct td_emodel_codec td_emodel_gsm;

struct td_emodel_input {
	struct td_emodel_codec codec;
	double loss_percent; // Ppl: what did not come or came too late
	double burst_ratio; // BurstR: 1 for random loss, more when losses cluster; < 1 is taken as 1
	double delay_ms;    // one way, mouth to ear: network + jitter buffer + frame
};

// The parameters of a codec; `plc` says whether the receiver conceals losses. Wideband
// codecs are taken as G.711: the scale ends there.
struct td_emodel_codec td_emodel_codec_get(enum td_codec_id codec, bool plc);

// G.107 (7-1) and (7-29): the transmission rating, 0 .. 93.2.
double td_emodel_r(const struct td_emodel_input *input);
// G.107 annex B: the mean opinion score of a rating.
double td_emodel_mos(double r);
