#include "base/utc.h"

#include "td_assert.h"

#define DAY_MS    86400000u
#define END_MS    253402300800000u // the year 10000
#define ERA_DAYS  146097u          // 400 years
#define DAYS_TO_0 719468u          // from 0000-03-01, where Hinnant's years begin, to 1970-01-01

static void put(char *at, uint32_t value, unsigned digits)
{
	while (digits-- > 0) {
		at[digits] = (char)('0' + value % 10);
		value /= 10;
	}
}

static void put_date(uint32_t days_since_1970, char out[TD_UTC_TEXT_BYTES])
{
	uint32_t days = days_since_1970 + DAYS_TO_0;
	uint32_t era = days / ERA_DAYS, of_era = days % ERA_DAYS;
	uint32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint32_t of_year = of_era - (365 * year + year / 4 - year / 100); // from the 1st of March
	uint32_t march_month = (5 * of_year + 2) / 153;
	uint32_t month = march_month < 10 ? march_month + 3 : march_month - 9;

	put(out, year + era * 400 + (month <= 2), 4);
	put(out + 5, month, 2);
	put(out + 8, of_year - (153 * march_month + 2) / 5 + 1, 2);
}

const char *td_utc_text(uint64_t utc_ms, char out[TD_UTC_TEXT_BYTES])
{
	static const char shape[] = "0000-00-00T00:00:00.000Z";
	uint32_t ms = (uint32_t)(utc_ms % DAY_MS);

	TD_ASSERT(utc_ms < END_MS);
	for (size_t i = 0; i < TD_UTC_TEXT_BYTES; i++)
		out[i] = shape[i];
	put_date((uint32_t)(utc_ms / DAY_MS), out);
	put(out + 11, ms / 3600000, 2);
	put(out + 14, ms / 60000 % 60, 2);
	put(out + 17, ms / 1000 % 60, 2);
	put(out + 20, ms % 1000, 3);
	return out;
}
