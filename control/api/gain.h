// Volumes: decibels in the API, Q12 factors below it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#define TD_GAIN_DB_MIN (-60)
#define TD_GAIN_DB_MAX 18

int16_t td_gain_of_db(double db); // -60 or less: 0
// Decibels to one decimal, or null for silence.
json_t *td_describe_gain(int32_t gain_q12);
