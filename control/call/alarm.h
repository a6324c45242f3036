// A timer that knows what it belongs to, so that one wheel can serve legs and calls alike.
//
// The timer is the first member: a fired td_timer is a td_alarm. Owned by the object it is in.
#pragma once

#include <stdint.h>

#include "base/wheel.h"

enum td_alarm_kind {
	TD_ALARM_LEG_GUARD,
	TD_ALARM_CALL_GUARD,
	TD_ALARM_MEDIA_RETRY,
	TD_ALARM_RECORDING_BEEP,
	TD_ALARM_RECORDING_RESUME, // a pause or a mask has lasted long enough
	TD_ALARM_PRIVACY_END
};

struct td_alarm {
	struct td_timer timer;
	uint8_t kind; // enum td_alarm_kind
};
