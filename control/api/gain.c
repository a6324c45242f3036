// The two directions.
#include "api/gain.h"

#include <math.h>

#include "td_command.h"

int16_t td_gain_of_db(double db)
{
	double gain = db <= TD_GAIN_DB_MIN ? 0 : TD_GAIN_UNITY * pow(10, db / 20);

	return gain >= TD_GAIN_MAX ? TD_GAIN_MAX : (int16_t)lround(gain);
}

json_t *td_describe_gain(int32_t gain_q12)
{
	if (gain_q12 <= 0)
		return json_null();
	return json_real(round(200 * log10((double)gain_q12 / TD_GAIN_UNITY)) / 10 + 0.0);
}
