// Format parameters as phones write them, as careless ones do, and as hostile ones might.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "sdp/fmtp.h"

static const struct td_codec_settings none;

static const struct {
	const char *fmtp, *key, *value;
} value_rows[] = {
	{ "a=1", "a", "1" },     { "a=1;b=2", "b", "2" }, { " a = 1 ; b = 2 ", "b", "2" },
	{ "A=1", "a", "1" },     { "a=1;a=2", "a", "1" }, { "ab=1;a=2", "a", "2" },
	{ "xa=1", "a", "" },     { "a", "a", "" },        { "a=", "a", "" },
	{ "=1", "a", "" },       { "=1", "", "1" },       { ";;;a=1;;", "a", "1" },
	{ "a=b=c", "a", "b=c" }, { "0-15", "a", "" },     { "", "a", "" },
	{ ";", "a", "" },
};

START_TEST(value_row)
{
	struct td_str value = td_sdp_fmtp_value(td_str_from(value_rows[_i].fmtp),
						td_str_from(value_rows[_i].key));

	ck_assert_msg(td_str_equal(value, td_str_from(value_rows[_i].value)), "row %d: \"%.*s\"",
		      _i, TD_STR_ARGS(value));
}
END_TEST

static const struct {
	const char *fmtp;
	uint32_t events;
} event_rows[] = {
	{ "", 0xffff },
	{ "0-15", 0xffff },
	{ "0-16", 0x1ffff },
	{ "0-15,66,70", 0xffff },
	{ "0-11", 0x0fff },
	{ "0-10", 0x07ff },
	{ "0", 1 },
	{ "0,2, 4-5", 0x35 },
	{ "31", 0x80000000u },
	{ "32", 0 },
	{ "32-36", 0 },
	{ "30-255", 0xc0000000u },
	// What is no list of events is as if nothing had been said.
	{ "30-256", 0xffff },
	{ "5-4", 0xffff },
	{ "4294967296", 0xffff },
	{ "0-4294967296", 0xffff },
	{ "-1", 0xffff },
	{ "1-", 0xffff },
	{ "-", 0xffff },
	{ "0-15,", 0xffff },
	{ ",", 0xffff },
	{ "events=0-15", 0xffff },
	{ "0-15-20", 0xffff },
};

START_TEST(event_row)
{
	ck_assert_msg(td_sdp_fmtp_events(td_str_from(event_rows[_i].fmtp)) == event_rows[_i].events,
		      "row %d", _i);
}
END_TEST

// What an Opus peer says -> what our encoder does, which wants 32 kbit/s, FEC for 10 %, DTX.
static const struct {
	const char *fmtp;
	uint32_t bitrate_bps, max_hz;
	unsigned flags;
} opus_rows[] = {
	{ "", 32000, 48000, 0 },
	// Chrome, Linphone, baresip, Zoiper, an SBC.
	{ "minptime=10;useinbandfec=1", 32000, 48000, TD_CODEC_FEC },
	{ "useinbandfec=1", 32000, 48000, TD_CODEC_FEC },
	{ "stereo=1;sprop-stereo=1;maxaveragebitrate=28000;cbr=0;useinbandfec=0;inbandfec=0", 28000,
	  48000, 0 },
	{ "maxplaybackrate=16000; sprop-maxcapturerate=16000; maxaveragebitrate=20000; "
	  "stereo=0; useinbandfec=1; usedtx=1",
	  20000, 16000, TD_CODEC_FEC | TD_CODEC_DTX },
	{ "maxplaybackrate=8000;cbr=1", 32000, 8000, TD_CODEC_CBR },
	// Every bound, and beyond.
	{ "maxaveragebitrate=5999", 32000, 48000, 0 },
	{ "maxaveragebitrate=6000", 6000, 48000, 0 },
	{ "maxaveragebitrate=32000", 32000, 48000, 0 },
	{ "maxaveragebitrate=510000", 32000, 48000, 0 },
	{ "maxaveragebitrate=510001", 32000, 48000, 0 },
	{ "maxaveragebitrate=0", 32000, 48000, 0 },
	{ "maxplaybackrate=0", 32000, 48000, 0 },
	{ "maxplaybackrate=1", 32000, 8000, 0 },
	{ "maxplaybackrate=7999", 32000, 8000, 0 },
	{ "maxplaybackrate=8001", 32000, 8001, 0 },
	{ "maxplaybackrate=12000", 32000, 12000, 0 },
	{ "maxplaybackrate=47999", 32000, 47999, 0 },
	{ "maxplaybackrate=48000", 32000, 48000, 0 },
	{ "maxplaybackrate=48001", 32000, 48000, 0 },
	{ "maxplaybackrate=4294967295", 32000, 48000, 0 },
	{ "maxplaybackrate=4294967296", 32000, 48000, 0 },
	{ "maxplaybackrate=99999999999999999999999999", 32000, 48000, 0 },
	{ "maxplaybackrate=-16000", 32000, 48000, 0 },
	{ "maxplaybackrate=16000Hz", 32000, 48000, 0 },
	{ "maxplaybackrate=0x3e80", 32000, 48000, 0 },
	{ "useinbandfec=2", 32000, 48000, 0 },
	{ "useinbandfec=yes", 32000, 48000, 0 },
	{ "useinbandfec", 32000, 48000, 0 },
	{ "useinbandfec=01", 32000, 48000, TD_CODEC_FEC },
	{ "usedtx=1;usedtx=0", 32000, 48000, TD_CODEC_DTX },
	{ "USEINBANDFEC=1", 32000, 48000, TD_CODEC_FEC },
};

START_TEST(opus_row)
{
	const struct td_codec_settings ours = {
		.bitrate_bps = 32000,
		.max_hz = 48000,
		.complexity = 7,
		.flags = TD_CODEC_FEC | TD_CODEC_DTX,
		.loss_percent = 10,
	};
	struct td_codec_settings got =
		td_sdp_fmtp_settings(TD_CODEC_OPUS, td_str_from(opus_rows[_i].fmtp), &ours);

	ck_assert_uint_eq(got.bitrate_bps, opus_rows[_i].bitrate_bps);
	ck_assert_uint_eq(got.max_hz, opus_rows[_i].max_hz);
	ck_assert_uint_eq(got.flags, opus_rows[_i].flags);
	ck_assert_uint_eq(got.complexity, 7);
	ck_assert_uint_eq(got.loss_percent, got.flags & TD_CODEC_FEC ? 10 : 0);
}
END_TEST

START_TEST(fec_and_dtx_need_us_too)
{
	const struct td_str all = TD_STR("useinbandfec=1;usedtx=1;maxaveragebitrate=20000");
	struct td_codec_settings got = td_sdp_fmtp_settings(TD_CODEC_OPUS, all, &none);

	ck_assert_uint_eq(got.flags, 0);
	// No wish of ours: the peer's bound is the bitrate.
	ck_assert_uint_eq(got.bitrate_bps, 20000);
	ck_assert_uint_eq(got.max_hz, 0);
}
END_TEST

START_TEST(annexb)
{
	static const struct {
		const char *fmtp;
		bool annexb;
	} rows[] = {
		{ "", true },           { "annexb=yes", true },   { "annexb=no", false },
		{ "annexb=NO", false }, { "AnnexB = no", false }, { "annexb=none", true },
		{ "annexb", true },     { "annexa=no", true },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct td_str fmtp = td_str_from(rows[i].fmtp);

		ck_assert_msg(td_sdp_fmtp_annexb(fmtp) == rows[i].annexb, "row %zu", i);
		ck_assert_uint_eq(td_sdp_fmtp_settings(TD_CODEC_G729, fmtp, &none).flags,
				  rows[i].annexb ? TD_CODEC_ANNEXB : 0);
		ck_assert_uint_eq(td_sdp_fmtp_settings(TD_CODEC_PCMA, fmtp, &none).flags, 0);
	}
}
END_TEST

START_TEST(minptime)
{
	static const struct {
		const char *fmtp;
		uint32_t ms;
	} rows[] = {
		{ "", 0 },           { "minptime=10", 10 },   { "minptime=2", 0 },
		{ "minptime=3", 3 }, { "minptime=120", 120 }, { "minptime=121", 0 },
		{ "minptime=x", 0 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_uint_eq(td_sdp_fmtp_minptime_ms(td_str_from(rows[i].fmtp)), rows[i].ms);
}
END_TEST

START_TEST(what_we_write_reads_back)
{
	const struct td_codec_settings all = {
		.bitrate_bps = 24000,
		.max_hz = 16000,
		.flags = TD_CODEC_FEC | TD_CODEC_DTX | TD_CODEC_CBR,
	};
	struct td_codec_settings got;
	char line[256];
	struct td_sdp_text out = td_sdp_text_init(line, sizeof line);

	td_sdp_fmtp_write_opus(&out, 96, &all);
	ck_assert_str_eq(line, "a=fmtp:96 maxplaybackrate=16000;sprop-maxcapturerate=16000;"
			       "maxaveragebitrate=24000;cbr=1;useinbandfec=1;usedtx=1\r\n");
	got = td_sdp_fmtp_settings(TD_CODEC_OPUS, td_str_from(line + strlen("a=fmtp:96 ")), &all);
	ck_assert_mem_eq(&got, &all, sizeof got);
	// Nothing to say, nothing said.
	out = td_sdp_text_init(line, sizeof line);
	td_sdp_fmtp_write_opus(&out, 96, &(struct td_codec_settings){ .max_hz = 48000 });
	ck_assert_str_eq(line, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sdp/fmtp");
	TCase *tc = tcase_create("fmtp");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_loop_test(tc, value_row, 0, sizeof value_rows / sizeof value_rows[0]);
	tcase_add_loop_test(tc, event_row, 0, sizeof event_rows / sizeof event_rows[0]);
	tcase_add_loop_test(tc, opus_row, 0, sizeof opus_rows / sizeof opus_rows[0]);
	tcase_add_test(tc, fec_and_dtx_need_us_too);
	tcase_add_test(tc, annexb);
	tcase_add_test(tc, minptime);
	tcase_add_test(tc, what_we_write_reads_back);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
