// The rows of the codec table, each defined in the file of its codec; codec.c gathers them.
#pragma once

#include "codecs/codec.h"

extern const struct td_codec td_l16_8_row, td_l16_16_row, td_l16_32_row, td_l16_48_row;
extern const struct td_codec td_g722_row;
extern const struct td_codec td_gsm_row;
extern const struct td_codec td_opus_row;
#ifdef TD_G729
extern const struct td_codec td_g729_row;
#endif
