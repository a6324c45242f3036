// The playout, packet by packet: what comes in order is heard as it was said; what is late, double,
// lost, foreign or too much is counted by its name, and the sound goes on.
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "rtp/playout.h"

#define FRAME 160u
#define MS    1000000ull

static struct td_playout playout;
static int16_t pcm[FRAME];

static void begin(void)
{
	ck_assert_int_eq(td_playout_init(&playout, td_codec_get(TD_CODEC_PCMU), NULL, 8000, NULL),
			 0);
}

// Packet k of a stream of 20 ms packets whose every payload byte says which it is.
static enum td_playout_put put(uint32_t ssrc, uint32_t k, uint64_t arrival_ns)
{
	uint8_t payload[FRAME];

	memset(payload, (int)(0x80u | (k % 100u)), sizeof payload);
	return td_playout_put(&playout, TD_PLAYOUT_AUDIO, ssrc, (uint16_t)(65530u + k),
			      0xfffff000u + k * FRAME, false, payload, FRAME, arrival_ns);
}

static enum td_playout_pull pull(uint64_t now_ns)
{
	struct td_playout_job job;
	enum td_playout_pull result = td_playout_pull(&playout, now_ns, pcm, FRAME, &job);

	if (result == TD_PLAYOUT_DECODE)
		td_playout_decoded(&playout, pcm,
				   playout.codec->decode(NULL, job.payload, job.len, pcm, FRAME));
	return result;
}

// True when the pull is packet k, and nothing else.
static bool is_packet(uint32_t k)
{
	int16_t expected[FRAME];
	uint8_t payload[FRAME];

	memset(payload, (int)(0x80u | (k % 100u)), sizeof payload);
	ck_assert_int_eq(playout.codec->decode(NULL, payload, FRAME, expected, FRAME), FRAME);
	return memcmp(pcm, expected, sizeof pcm) == 0;
}

START_TEST(in_order)
{
	struct td_playout_stats stats;

	begin();
	ck_assert_int_eq(pull(5 * MS), TD_PLAYOUT_SILENT);
	for (uint32_t k = 0; k < 500; k++) {
		ck_assert_int_eq(put(1, k, (20 + k * 20) * MS), TD_PLAYOUT_QUEUED);
		ck_assert_int_eq(pull((25 + k * 20) * MS),
				 k == 0 ? TD_PLAYOUT_DONE : TD_PLAYOUT_DECODE);
		if (k != 0)
			ck_assert(is_packet(k));
	}
	td_playout_stats(&playout, &stats);
	ck_assert_uint_eq(stats.packets, 500);
	ck_assert_uint_eq(stats.played_samples, 500 * FRAME);
	ck_assert_uint_eq(stats.concealed_samples, 0);
	ck_assert_uint_eq(stats.silence_samples, FRAME);
	ck_assert_uint_le(stats.delay_us, 6000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("playout");
	TCase *tcase = tcase_create("playout");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, in_order);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
