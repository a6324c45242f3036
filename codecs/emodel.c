// ITU-T G.107 in reduced form.
#include <math.h>

#include "codecs/emodel.h"

#define R0               93.2 // G.107 defaults: everything but delay, codec and loss
#define DELAY_KNEE_MS    177.3
#define LOSS_PERCENT_MAX 100.0

const struct td_emodel_codec td_emodel_g711 = { .ie = 0, .bpl = 4.3 };
const struct td_emodel_codec td_emodel_g711_plc = { .ie = 0, .bpl = 25.1 };
const struct td_emodel_codec td_emodel_g729a = { .ie = 11, .bpl = 19 };
// The appendix has no robustness of GSM full rate: that of its successor, EFR, is taken.
const struct td_emodel_codec td_emodel_gsm = { .ie = 20, .bpl = 10 };

struct td_emodel_codec td_emodel_codec_get(enum td_codec_id codec, bool plc)
{
	switch (codec) {
	case TD_CODEC_G729: return td_emodel_g729a;
	case TD_CODEC_GSM: return td_emodel_gsm;
	// Its decoder conceals, asked or not.
	case TD_CODEC_OPUS: return td_emodel_g711_plc;
	// On this narrowband scale there is nothing above clean G.711.
	case TD_CODEC_G722:
	case TD_CODEC_L16_8:
	case TD_CODEC_L16_16:
	case TD_CODEC_L16_32:
	case TD_CODEC_L16_48:
	case TD_CODEC_PCMU:
	case TD_CODEC_PCMA:
	case TD_CODEC_NONE:
	case TD_CODEC_COUNT: break;
	}
	return plc ? td_emodel_g711_plc : td_emodel_g711;
}

// What is not a number, or below the range, counts as the low end of it.
static double clamp(double x, double low, double high)
{
	if (!(x > low))
		return low;
	return x < high ? x : high;
}

static double delay_impairment(double delay_ms)
{
	double d = clamp(delay_ms, 0, 1e6);

	return 0.024 * d + 0.11 * fmax(d - DELAY_KNEE_MS, 0);
}

static double equipment_impairment(const struct td_emodel_input *input)
{
	double loss = clamp(input->loss_percent, 0, LOSS_PERCENT_MAX);
	double burst = clamp(input->burst_ratio, 1, 1e6);
	double ie = input->codec.ie;

	if (loss == 0)
		return ie;
	return ie + (95 - ie) * loss / (loss / burst + input->codec.bpl);
}

double td_emodel_r(const struct td_emodel_input *input)
{
	double r = R0 - delay_impairment(input->delay_ms) - equipment_impairment(input);

	return clamp(r, 0, R0);
}

double td_emodel_mos(double r)
{
	if (!(r > 0))
		return 1;
	if (r >= 100)
		return 4.5;
	return clamp(1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r), 1, 4.5);
}
