#include "base/wheel.h"

#include "td_assert.h"

#define SLOT_BITS 6
#define SLOT_MASK (TD_WHEEL_SLOTS - 1)

_Static_assert(1 << SLOT_BITS == TD_WHEEL_SLOTS, "slot numbers are bit fields of the time");

void td_wheel_init(struct td_wheel *wheel, uint64_t now_ms)
{
	wheel->now_ms = now_ms;
	wheel->count = 0;
	for (int level = 0; level < TD_WHEEL_LEVELS; level++) {
		wheel->occupied[level] = 0;
		for (int slot = 0; slot < TD_WHEEL_SLOTS; slot++)
			td_list_init(&wheel->slots[level][slot]);
	}
}

void td_timer_init(struct td_timer *timer)
{
	td_list_init(&timer->link);
	timer->expires_ms = 0;
}

bool td_timer_armed(const struct td_timer *timer)
{
	return !td_list_empty(&timer->link);
}

// The level is the highest 6-bit digit in which `at` differs from now: below it the digits are not
// yet counted down, above it they agree. Precondition: at > now_ms.
static void place(struct td_wheel *wheel, struct td_timer *timer, uint64_t at)
{
	unsigned bit = 63u - (unsigned)__builtin_clzll(at ^ wheel->now_ms);
	unsigned level = bit / SLOT_BITS;
	unsigned slot;

	if (level >= TD_WHEEL_LEVELS) {
		// Past the top level's last slot: its next round, or, when that is too far as well,
		// the furthest slot there is, to be placed again from there.
		uint64_t ahead;

		level = TD_WHEEL_LEVELS - 1;
		ahead = (at >> (level * SLOT_BITS)) - (wheel->now_ms >> (level * SLOT_BITS));
		if (ahead > SLOT_MASK)
			at = wheel->now_ms + ((uint64_t)SLOT_MASK << (level * SLOT_BITS));
	}
	slot = (at >> (level * SLOT_BITS)) & SLOT_MASK;
	td_list_push_back(&wheel->slots[level][slot], &timer->link);
	wheel->occupied[level] |= 1ull << slot;
}

void td_wheel_arm(struct td_wheel *wheel, struct td_timer *timer, uint64_t expires_ms)
{
	td_wheel_cancel(wheel, timer);
	timer->expires_ms = expires_ms;
	place(wheel, timer, expires_ms > wheel->now_ms ? expires_ms : wheel->now_ms + 1);
	wheel->count++;
}

void td_wheel_cancel(struct td_wheel *wheel, struct td_timer *timer)
{
	if (!td_timer_armed(timer))
		return;
	TD_ASSERT(wheel->count > 0);
	td_list_remove(&timer->link);
	wheel->count--;
}

// When the time reaches the start of an upper slot, its timers are dealt out to lower levels.
static void cascade(struct td_wheel *wheel, struct td_list *due)
{
	for (unsigned level = 1; level < TD_WHEEL_LEVELS; level++) {
		unsigned slot = (wheel->now_ms >> (level * SLOT_BITS)) & SLOT_MASK;
		struct td_list moved;

		if (wheel->now_ms & ((1ull << (level * SLOT_BITS)) - 1))
			return;
		td_list_init(&moved);
		td_list_splice(&moved, &wheel->slots[level][slot]);
		wheel->occupied[level] &= ~(1ull << slot);
		while (!td_list_empty(&moved)) {
			struct td_timer *timer = TD_LIST_ENTRY(moved.next, struct td_timer, link);

			td_list_remove(&timer->link);
			if (timer->expires_ms <= wheel->now_ms)
				td_list_push_back(due, &timer->link);
			else
				place(wheel, timer, timer->expires_ms);
		}
	}
}

static uint64_t next_in_level(const struct td_wheel *wheel, unsigned level)
{
	unsigned shift = level * SLOT_BITS;
	unsigned here = (wheel->now_ms >> shift) & SLOT_MASK;
	uint64_t base = (wheel->now_ms >> shift) & ~(uint64_t)SLOT_MASK;
	uint64_t ahead = here == SLOT_MASK ? 0 : wheel->occupied[level] & (~0ull << (here + 1));

	if (ahead)
		return (base + (unsigned)__builtin_ctzll(ahead)) << shift;
	// Only the top level holds timers of its next round.
	if (level == TD_WHEEL_LEVELS - 1 && wheel->occupied[level])
		return (base + TD_WHEEL_SLOTS + (unsigned)__builtin_ctzll(wheel->occupied[level]))
		       << shift;
	return UINT64_MAX;
}

uint64_t td_wheel_next_ms(const struct td_wheel *wheel)
{
	if (!wheel->count)
		return UINT64_MAX;
	for (unsigned level = 0; level < TD_WHEEL_LEVELS; level++) {
		uint64_t next = next_in_level(wheel, level);

		if (next != UINT64_MAX)
			return next;
	}
	return UINT64_MAX;
}

static unsigned fire_slot(struct td_wheel *wheel, struct td_list *due, td_timer_fn *fire,
			  void *user)
{
	unsigned fired = 0;

	while (!td_list_empty(due)) {
		struct td_timer *timer = TD_LIST_ENTRY(due->next, struct td_timer, link);

		td_list_remove(&timer->link);
		wheel->count--;
		fire(user, timer);
		fired++;
	}
	return fired;
}

unsigned td_wheel_advance(struct td_wheel *wheel, uint64_t now_ms, td_timer_fn *fire, void *user)
{
	unsigned fired = 0;

	while (wheel->now_ms < now_ms) {
		uint64_t next = td_wheel_next_ms(wheel);
		struct td_list due;
		unsigned slot;

		if (next > now_ms) {
			wheel->now_ms = now_ms;
			break;
		}
		wheel->now_ms = next;
		td_list_init(&due);
		cascade(wheel, &due);
		slot = wheel->now_ms & SLOT_MASK;
		td_list_splice(&due, &wheel->slots[0][slot]);
		wheel->occupied[0] &= ~(1ull << slot);
		fired += fire_slot(wheel, &due, fire, user);
	}
	return fired;
}
