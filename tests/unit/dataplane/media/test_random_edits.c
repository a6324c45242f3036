// Edits at random on a handful of parties in all kinds of codecs, and after every few of them
// everybody is listened to: each has to hear each as loud as a dense matrix says.
//
// Prints its seed; TD_SEED sets it.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "choir.h"
#include "oracle.h"

#define UNITY       TD_GAIN_UNITY
#define VOICES      6
#define ROUNDS      60
#define SUM_Q12_MAX (9 * UNITY) // beyond, the tones of CHOIR_LEVEL saturate

static struct world world;
static struct choir choir;
static struct td_context_id context;
static struct oracle oracle;
static uint64_t random_state;

static uint32_t random_below(uint32_t bound)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % bound;
}

static void open_world(void)
{
	struct world_options options = { .workers = 1, .streams = 32 };

	choir_begin(&choir, &world, &options);
	context = world_context(&world);
	oracle_init(&oracle);
}

static void close_world(void)
{
	choir_end(&choir);
	world_close(&world);
}

static void add_voice(void)
{
	static const struct {
		uint8_t codec, ptime_ms;
	} kinds[] = {
		{ TD_CODEC_PCMU, 20 },   { TD_CODEC_PCMU, 20 }, { TD_CODEC_PCMA, 20 },
		{ TD_CODEC_PCMA, 30 },   { TD_CODEC_G722, 20 }, { TD_CODEC_G722, 40 },
		{ TD_CODEC_L16_16, 20 }, { TD_CODEC_OPUS, 20 }, { TD_CODEC_L16_48, 10 },
	};
	uint32_t kind = random_below(sizeof kinds / sizeof kinds[0]);
	struct choir_voice *voice =
		choir_add(&choir, context, kinds[kind].codec, kinds[kind].ptime_ms);
	uint32_t at = oracle_add(&oracle, TD_MEMBER_STREAM, voice->party.id.v);

	oracle.members[at].codec = kinds[kind].codec;
}

static struct td_member any_end(void)
{
	uint32_t who = random_below(VOICES + 4);

	if (who >= VOICES)
		return (struct td_member){ TD_MEMBER_FLOOR, 0 };
	return (struct td_member){ TD_MEMBER_STREAM, choir.voices[who].party.id.v };
}

static void edit(void)
{
	static const int32_t gains[] = { 0,         UNITY,     UNITY,          UNITY,
					 UNITY / 2, UNITY / 4, TD_GAIN_FOLLOW, TD_GAIN_FOLLOW };
	struct td_command command = { .kind = TD_COMMAND_MATRIX_EDIT };
	struct td_command_matrix_edit *edit = &command.u.matrix_edit;

	edit->context = context;
	edit->cell_count = 1 + random_below(4);
	for (uint32_t i = 0; i < edit->cell_count; i++) {
		edit->cells[i].from = any_end();
		edit->cells[i].to = any_end();
		edit->cells[i].gain_q12 = gains[random_below(8)];
	}
	ck_assert_int_eq(world_command(&world, &command).result,
			 oracle_edit(&oracle, edit->cells, edit->cell_count));
}

static void listen(uint32_t to, uint32_t round)
{
	// Opus is made for speech and bends a chord of tones.
	double slack = choir.voices[to].codec->id == TD_CODEC_OPUS ? 0.1 : 0.05;
	int64_t sum_q12 = 0;

	for (uint32_t from = 0; from < VOICES; from++)
		sum_q12 += oracle_heard(&oracle, from, to);
	if (sum_q12 > SUM_Q12_MAX)
		return;
	for (uint32_t from = 0; from < VOICES; from++) {
		double expected = oracle_heard(&oracle, from, to) / (double)UNITY;
		double heard = choir_gain(&choir.voices[to], choir.voices[from].phase_hz, 200);

		ck_assert_msg(fabs(heard - expected) < 0.15 * expected + slack,
			      "round %u: voice %u (%s) hears voice %u (%s) at %.3f, not %.3f",
			      round, to, choir.voices[to].codec->name, from,
			      choir.voices[from].codec->name, heard, expected);
	}
	ck_assert_uint_eq(choir.voices[to].breaks, 0);
	ck_assert_uint_eq(choir.voices[to].stalls, 0);
}

START_TEST(everybody_hears_whom_the_matrix_says)
{
	const char *seed = getenv("TD_SEED");
	uint64_t chosen = seed != NULL ? strtoull(seed, NULL, 0) : 20250;

	printf("seed %llu\n", (unsigned long long)chosen + (unsigned)_i);
	random_state = (chosen + (uint64_t)_i) * 0x9e3779b97f4a7c15ull | 1u;
	for (unsigned i = 0; i < VOICES; i++)
		add_voice();
	for (uint32_t round = 0; round < ROUNDS; round++) {
		for (uint32_t i = 1 + random_below(4); i > 0; i--)
			edit();
		for (uint32_t i = 0; i < VOICES; i++)
			choir.voices[i].heard_count = 0; // who gets nothing hears nobody
		choir_sing(&choir, 720);
		for (uint32_t to = 0; to < VOICES; to++)
			listen(to, round);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("random_edits");
	TCase *tcase = tcase_create("random_edits");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_set_timeout(tcase, 300);
	tcase_add_checked_fixture(tcase, open_world, close_world);
	tcase_add_loop_test(tcase, everybody_hears_whom_the_matrix_says, 0, 4);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
