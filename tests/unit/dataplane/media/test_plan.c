// The plan compiler against the rule of matrix.h: whatever the matrix, what the plan makes each
// member hear of each other is what the matrix says, and packets are forwarded where they can be.
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "media/plan.h"

#define MEMBERS  3
#define PLAYABLE (1u << TD_CODEC_NONE | 1u << TD_CODEC_PCMU | 1u << TD_CODEC_PCMA)

// An assertion in an inner loop: Check's own write to a file each.
#define must(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			ck_abort_msg("%s", #condition);                                            \
	} while (0)

static struct td_plan_scratch *scratch;

static uint32_t feed_of(unsigned slot, bool player)
{
	return player ? TD_FEED_PLAYER | (100 + slot) : 10 + slot;
}

static void make_scratch(void)
{
	scratch = td_plan_scratch_create();
	ck_assert_ptr_nonnull(scratch);
}

static void drop_scratch(void)
{
	td_plan_scratch_destroy(scratch);
}

// What the plan makes a listener hear of a feed, in Q12, said the long way round.
static int32_t plan_heard(const struct td_plan *plan, uint32_t from, uint32_t to)
{
	int32_t heard = 0;

	for (uint32_t i = 0; i < plan->route_count; i++)
		for (uint32_t j = 0; j < plan->routes[i].sink_count; j++)
			if (plan->route_sinks[plan->routes[i].sink_first + j] == to &&
			    plan->routes[i].feed == from)
				heard += TD_GAIN_UNITY;
	for (uint32_t i = 0; i < plan->mix_count; i++) {
		const struct td_plan_mix *mix = &plan->mixes[i];

		for (uint32_t j = 0; j < mix->sink_count; j++) {
			if (plan->mix_sinks[mix->sink_first + j] != to)
				continue;
			for (uint32_t s = 0; s < plan->source_count; s++)
				if (plan->sources[s].feed == from && mix->self != s)
					heard += td_matrix_floor_gain(plan->sources[s].talk_q12,
								      mix->hear_q12);
			for (uint32_t c = 0; c < mix->cell_count; c++)
				if (plan->sources[plan->cells[mix->cell_first + c].source].feed ==
				    from)
					heard += plan->cells[mix->cell_first + c].gain_q12;
		}
	}
	return heard;
}

static bool mute(const struct td_matrix_member *member)
{
	return member->kind == TD_MEMBER_STREAM && member->codec == TD_CODEC_NONE;
}

// The one whom a listener hears, if it hears exactly one, at unity.
static unsigned only_heard(const struct td_matrix *m, unsigned to)
{
	unsigned only = MEMBERS, count = 0;

	for (unsigned from = 0; from < m->slots; from++) {
		int32_t gain;

		if (m->members[from].kind == TD_MEMBER_NONE)
			continue;
		gain = td_matrix_heard(m, from, to);
		count += gain != 0;
		if (gain == TD_GAIN_UNITY)
			only = from;
	}
	return count == 1 ? only : MEMBERS;
}

static bool same_coding(const struct td_matrix_member *a, const struct td_matrix_member *b)
{
	return mute(a) || mute(b) || (a->codec == b->codec && a->ptime_ms == b->ptime_ms);
}

static enum td_hears expected_way(const struct td_matrix *m, unsigned to)
{
	unsigned only = only_heard(m, to);
	bool any = false;

	for (unsigned from = 0; from < m->slots; from++)
		any |= m->members[from].kind != TD_MEMBER_NONE && td_matrix_heard(m, from, to) != 0;
	if (!any)
		return TD_HEARS_NOTHING;
	if (only != MEMBERS && m->members[only].kind == TD_MEMBER_PLAYER &&
	    (PLAYABLE >> m->members[to].codec & 1u) && m->members[to].ptime_ms != 30)
		return TD_HEARS_PLAY;
	if (only != MEMBERS && m->members[only].kind == TD_MEMBER_STREAM &&
	    same_coding(&m->members[only], &m->members[to]))
		return TD_HEARS_FORWARD;
	return mute(&m->members[to]) ? TD_HEARS_NOTHING : TD_HEARS_MIX;
}

static void check_listener(const struct td_matrix *m, const struct td_plan *plan, unsigned to)
{
	enum td_hears way = expected_way(m, to), hears = (enum td_hears)plan->seats[to].hears;

	must(plan->seats[to].feed == m->members[to].feed);
	if (hears == TD_HEARS_SHARED)
		hears = TD_HEARS_MIX;
	must(hears == way);
	for (unsigned from = 0; from < m->slots; from++) {
		int32_t gain;

		if (m->members[from].kind == TD_MEMBER_NONE)
			continue;
		gain = td_matrix_heard(m, from, to);
		if (way == TD_HEARS_NOTHING || (way == TD_HEARS_MIX && mute(&m->members[from])))
			gain = 0;
		must(plan_heard(plan, m->members[from].feed, m->members[to].feed) == gain);
	}
}

static void check_matrix(const struct td_matrix *m)
{
	struct td_plan *plan = NULL;

	must(td_plan_compile(m, PLAYABLE, scratch, &plan) == 0);
	for (unsigned to = 0; to < m->slots; to++)
		if (m->members[to].kind == TD_MEMBER_STREAM)
			check_listener(m, plan, to);
	must((plan->mix_count == 0) == (plan->rate_hz == 0));
	for (uint32_t i = 0; i < plan->source_count; i++)
		for (uint32_t j = 0; j < i; j++)
			must(plan->sources[i].feed != plan->sources[j].feed);
	free(plan);
}

static void set(struct td_matrix *m, uint32_t from, uint32_t to, int32_t gain)
{
	must(td_matrix_set(m, from, to, gain) == 0);
}

struct kind {
	uint8_t kind, codec, ptime_ms;
};

static const struct kind kinds[] = {
	{ TD_MEMBER_NONE, 0, 0 },
	{ TD_MEMBER_STREAM, TD_CODEC_NONE, 0 },
	{ TD_MEMBER_STREAM, TD_CODEC_PCMU, 20 },
	{ TD_MEMBER_STREAM, TD_CODEC_PCMU, 30 },
	{ TD_MEMBER_STREAM, TD_CODEC_PCMA, 20 },
	{ TD_MEMBER_STREAM, TD_CODEC_G722, 20 },
	{ TD_MEMBER_PLAYER, 0, 0 },
};

static void add(struct td_matrix *m, const struct kind *kind)
{
	uint32_t slot, hole = 0;

	// A hole is a member that has gone: add and remove.
	ck_assert_int_eq(td_matrix_add(m, TD_MEMBER_STREAM, feed_of(m->slots, false), &slot), 0);
	m->members[slot].feed = feed_of(slot, kind->kind == TD_MEMBER_PLAYER);
	m->members[slot].kind = kind->kind;
	m->members[slot].codec = kind->codec;
	m->members[slot].ptime_ms = kind->ptime_ms;
	m->members[slot].rate_khz = 8;
	hole += kind->kind == TD_MEMBER_NONE;
	m->member_count -= hole;
}

// Every talk and hear gain of these members, from `at` on; then the plan is checked.
static void every_level(struct td_matrix *m, unsigned at)
{
	static const int32_t levels[] = { 0, TD_GAIN_UNITY, TD_GAIN_UNITY / 2 };
	unsigned slot = at / 2u;

	if (at == 2u * MEMBERS) {
		check_matrix(m);
		return;
	}
	if (m->members[slot].kind == TD_MEMBER_NONE ||
	    (at % 2u && m->members[slot].kind == TD_MEMBER_PLAYER)) {
		every_level(m, at + 1);
		return;
	}
	for (unsigned i = 0; i < 3; i++) {
		set(m, at % 2u ? TD_SLOT_NONE : slot, at % 2u ? slot : TD_SLOT_NONE, levels[i]);
		every_level(m, at + 1);
	}
}

START_TEST(every_floor_of_three)
{
	for (unsigned a = 0; a < 7; a++)
		for (unsigned b = 0; b < 7; b++)
			for (unsigned c = 0; c < 7; c++) {
				struct td_matrix m = { 0 };

				add(&m, &kinds[a]);
				add(&m, &kinds[b]);
				add(&m, &kinds[c]);
				every_level(&m, 0);
				td_matrix_fini(&m);
			}
}
END_TEST

// Every cell of these members, from `at` on, with and without a floor under them.
static void every_cell(struct td_matrix *m, unsigned at)
{
	static const int32_t gains[] = { TD_GAIN_FOLLOW, 0, TD_GAIN_UNITY, TD_GAIN_UNITY / 2 };
	unsigned from = at / MEMBERS, to = at % MEMBERS;

	if (at == MEMBERS * MEMBERS) {
		check_matrix(m);
		return;
	}
	if (m->members[to].kind != TD_MEMBER_STREAM || m->members[from].kind == TD_MEMBER_NONE) {
		every_cell(m, at + 1);
		return;
	}
	for (unsigned i = 0; i < 4; i++) {
		set(m, from, to, gains[i]);
		every_cell(m, at + 1);
	}
	set(m, from, to, TD_GAIN_FOLLOW);
}

START_TEST(every_matrix_of_three)
{
	static const unsigned casts[][MEMBERS] = {
		{ 2, 2, 6 }, { 2, 4, 6 }, { 2, 2, 2 }, { 2, 3, 5 }, { 1, 2, 6 }, { 5, 5, 6 },
	};

	for (unsigned i = 0; i < sizeof casts / sizeof casts[0]; i++) {
		for (unsigned floor = 0; floor < 3; floor++) {
			struct td_matrix m = { 0 };

			for (unsigned j = 0; j < MEMBERS; j++)
				add(&m, &kinds[casts[i][j]]);
			for (unsigned j = 0; floor > 0 && j < MEMBERS; j++) {
				set(&m, j, TD_SLOT_NONE, TD_GAIN_UNITY);
				if (m.members[j].kind == TD_MEMBER_STREAM)
					set(&m, TD_SLOT_NONE, j,
					    floor == 1 ? TD_GAIN_UNITY : TD_GAIN_UNITY / 4);
			}
			every_cell(&m, 0);
			td_matrix_fini(&m);
		}
	}
}
END_TEST

START_TEST(ten_thousand_listeners_share_one_mix)
{
	struct td_matrix m = { 0 };
	struct td_plan *plan;
	uint32_t slot;

	for (unsigned i = 0; i < 10003; i++) {
		ck_assert_int_eq(td_matrix_add(&m, TD_MEMBER_STREAM, i, &slot), 0);
		m.members[slot].codec = i % 2 ? TD_CODEC_PCMU : TD_CODEC_PCMA;
		m.members[slot].ptime_ms = 20;
		if (i < 3)
			set(&m, slot, TD_SLOT_NONE, TD_GAIN_UNITY);
		set(&m, TD_SLOT_NONE, slot, TD_GAIN_UNITY);
	}
	ck_assert_int_eq(td_plan_compile(&m, PLAYABLE, scratch, &plan), 0);
	ck_assert_uint_eq(plan->source_count, 3);
	ck_assert_uint_eq(plan->mix_count, 3 + 2); // each speaker's own, and one a codec
	ck_assert_uint_eq(plan->mix_sink_count, 10003);
	ck_assert_int_eq(plan->seats[5000].hears, TD_HEARS_SHARED);
	ck_assert_int_eq(plan->seats[1].hears, TD_HEARS_MIX);
	free(plan);
	td_matrix_fini(&m);
}
END_TEST

// Two rates meet at the lower one; a third that hears at the higher one raises it.
START_TEST(rate_is_the_best_that_anybody_can_use)
{
	static const struct {
		uint8_t codecs[3];
		uint32_t max_hz; // of the last one
		uint32_t rate_hz;
	} rows[] = {
		{ { TD_CODEC_PCMU, TD_CODEC_G722, 0 }, 0, 8000 },
		{ { TD_CODEC_PCMU, TD_CODEC_OPUS, 0 }, 0, 8000 },
		{ { TD_CODEC_G722, TD_CODEC_OPUS, 0 }, 0, 16000 },
		{ { TD_CODEC_OPUS, TD_CODEC_OPUS, TD_CODEC_PCMA }, 0, 48000 },
		{ { TD_CODEC_G722, TD_CODEC_G722, TD_CODEC_PCMA }, 0, 16000 },
		{ { TD_CODEC_OPUS, TD_CODEC_PCMU, TD_CODEC_OPUS }, 16000, 16000 },
		{ { TD_CODEC_OPUS, TD_CODEC_G722, TD_CODEC_OPUS }, 8000, 16000 },
	};

	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct td_matrix m = { 0 };
		struct td_plan *plan;
		uint32_t slot;

		for (unsigned j = 0; j < 3 && rows[i].codecs[j] != 0; j++) {
			ck_assert_int_eq(td_matrix_add(&m, TD_MEMBER_STREAM, j, &slot), 0);
			m.members[slot].codec = rows[i].codecs[j];
			m.members[slot].ptime_ms = 20;
			set(&m, slot, TD_SLOT_NONE, TD_GAIN_UNITY);
			set(&m, TD_SLOT_NONE, slot, TD_GAIN_UNITY);
		}
		m.members[m.slots - 1].settings.max_hz = rows[i].max_hz;
		ck_assert_int_eq(td_plan_compile(&m, PLAYABLE, scratch, &plan), 0);
		ck_assert_msg(plan->rate_hz == rows[i].rate_hz, "row %u: %u Hz", i, plan->rate_hz);
		free(plan);
		td_matrix_fini(&m);
	}
}
END_TEST

// Digits must arrive as what the listener understands, or not at all.
START_TEST(digits_decide_what_is_forwarded)
{
	static const struct {
		bool from_events, to_events;
		uint8_t from_detect, from_tune, to_tune;
		bool forwarded;
		uint8_t from_khz, to_khz;
	} rows[] = {
		{ true, true, 0, 0, 0, true },
		{ false, false, 0, 0, 0, true },
		{ false, true, 0, 0, 0, true },
		{ true, false, 0, 0, 0, false },
		{ true, false, 0, 0, TD_TUNE_NO_DIGITS, true },
		{ false, true, TD_DETECT_DTMF, 0, 0, true },
		{ false, true, TD_DETECT_DTMF, TD_TUNE_CONVERT, 0, false },
		{ false, false, TD_DETECT_DTMF, TD_TUNE_CONVERT, 0, true },
		{ false, false, TD_DETECT_DTMF, 0, TD_TUNE_NO_DIGITS, false },
		{ true, true, TD_DETECT_FAX, 0, TD_TUNE_NO_DIGITS, true },
		// The durations in a packet are by the clock of its sender.
		{ true, true, 0, 0, 0, true, 8, 8 },
		{ true, true, 0, 0, 0, false, 8, 48 },
		{ true, true, 0, 0, 0, false, 48, 8 },
		{ true, true, 0, 0, TD_TUNE_NO_DIGITS, true, 48, 8 },
		{ false, true, 0, 0, 0, true, 8, 48 },
	};

	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct td_matrix m = { 0 };
		struct td_plan *plan;
		uint32_t slot;

		for (unsigned j = 0; j < 2; j++) {
			ck_assert_int_eq(td_matrix_add(&m, TD_MEMBER_STREAM, j, &slot), 0);
			m.members[slot].codec = TD_CODEC_PCMU;
		}
		m.members[0].events = rows[i].from_events;
		m.members[1].events = rows[i].to_events;
		m.members[0].event_khz = rows[i].from_khz;
		m.members[1].event_khz = rows[i].to_khz;
		m.members[0].detect = rows[i].from_detect;
		m.members[0].tune = rows[i].from_tune;
		m.members[1].tune = rows[i].to_tune;
		set(&m, 0, 1, TD_GAIN_UNITY);
		ck_assert_int_eq(td_plan_compile(&m, PLAYABLE, scratch, &plan), 0);
		ck_assert_msg((plan->seats[1].hears == TD_HEARS_FORWARD) == rows[i].forwarded,
			      "row %u", i);
		ck_assert_msg((plan->source_count > 0) ==
				      (!rows[i].forwarded || rows[i].from_detect != 0),
			      "row %u: sources", i);
		free(plan);
		td_matrix_fini(&m);
	}
}
END_TEST

// Two gains that come to nothing are nobody's voice: alone on the floor there is nothing to hear, and
// whoever else is heard alone is forwarded.
START_TEST(faint_voices_do_not_count)
{
	struct td_matrix m = { 0 };

	add(&m, &kinds[2]);
	add(&m, &kinds[2]);
	add(&m, &kinds[2]);
	set(&m, 0, TD_SLOT_NONE, 1);
	set(&m, TD_SLOT_NONE, 1, 1);
	check_matrix(&m);
	set(&m, 2, 1, TD_GAIN_UNITY);
	check_matrix(&m);
	set(&m, 0, 1, 3);
	check_matrix(&m);
	set(&m, 0, 1, TD_GAIN_FOLLOW);
	set(&m, 2, 1, TD_GAIN_FOLLOW);
	set(&m, 2, TD_SLOT_NONE, TD_GAIN_UNITY);
	set(&m, TD_SLOT_NONE, 1, TD_GAIN_UNITY - 1); // one is faint, one is not
	check_matrix(&m);
	td_matrix_fini(&m);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan");
	TCase *tcase = tcase_create("plan");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, make_scratch, drop_scratch);
	tcase_add_test(tcase, every_floor_of_three);
	tcase_add_test(tcase, every_matrix_of_three);
	tcase_add_test(tcase, ten_thousand_listeners_share_one_mix);
	tcase_add_test(tcase, rate_is_the_best_that_anybody_can_use);
	tcase_add_test(tcase, faint_voices_do_not_count);
	tcase_add_test(tcase, digits_decide_what_is_forwarded);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
