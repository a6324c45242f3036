// The constants of G.722, in the order in which scalar code and lanes both look them up.
//
// A quantiser's decision is taken in two steps. Of the 29 levels of the low band (table 15), seven
// part the eight intervals that matter to the predictor (table 17, 4-bit inverse); how many of them
// lie above the magnitude is the *cell*: 0 outermost, 7 innermost. Three more levels then say which
// of a cell's four codes it is. The high band has cells 0 and 1 and one code in each. Arrays of 16
// hold the low band's eight cells, then the high band's.
#pragma once

#include <stdint.h>

#define TD_G722_COARSE 7
#define TD_G722_FINE   3
#define TD_G722_CELLS  8 // of either band in an array

struct td_g722_tables {
	int16_t coarse[TD_G722_COARSE][2];             // decision levels: low, high; 0: none
	int16_t fine[TD_G722_FINE][2 * TD_G722_CELLS]; // decision levels within a cell
	int16_t magnitude[2 * TD_G722_CELLS];          // of the quantised difference, in det / 2^15
	int16_t adapt[2 * TD_G722_CELLS];              // what a cell adds to nb
	int16_t code[2 * TD_G722_CELLS];               // outermost code of a negative difference
	int16_t code_positive[2 * TD_G722_CELLS];      // added for a positive one
	int16_t decode6[64];                           // table 18: difference by 6-bit code
	int16_t decode4[16];                           // table 17: by its upper 4 bits
	int16_t decode_high[16];                       // table 20: by 2-bit code; 4 used
	int16_t adapt4[16], adapt_high[16];            // what they add to nb
	int16_t mantissa[32];                          // table 21: 2^(i / 32), in 1 / 2048
	int16_t qmf[24];                               // table 11
};

extern const struct td_g722_tables td_g722_tables;

#define TD_G722_NB_MAX_LOW  18432
#define TD_G722_NB_MAX_HIGH 22528
