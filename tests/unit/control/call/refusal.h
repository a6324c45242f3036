// What a caller is told who is refused.
#pragma once

#include <check.h>
#include <stdlib.h>

#include "world.h"

// The caller's call was refused with `status`, and no call is left of it.
static inline void world_assert_refused(struct world *world, uint16_t status)
{
	world_settle(world);
	ck_assert_uint_eq(world->caller.status, status);
	ck_assert_int_eq(world->caller.state, PHONE_OVER);
	ck_assert_uint_eq(world_call_count(world), 0);
}

// When to try again: soon, and not all at once (RFC 3261 section 20.33).
static inline void phone_assert_retry_after(const struct phone *phone)
{
	ck_assert_int_ge(atoi(phone->retry_after), 1);
	ck_assert_int_le(atoi(phone->retry_after), 8);
}
