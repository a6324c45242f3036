// SRTP against the vectors of RFC 7714 (its own text, read as it stands) and of RFC 3711 appendix B,
// by both engines.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "rtp/srtp_keys.h"
#include "srtp_line.h"

// One section of the RFC: its key, the first packet it shows and the last.
struct section {
	char title[128];
	uint8_t key[32], first[256], last[256];
	unsigned key_len, first_len, last_len;
};

static const enum td_srtp_engine_kind kinds[] = { TD_SRTP_ENGINE_OPENSSL, TD_SRTP_ENGINE_IPSEC_MB };
static const uint8_t salt[12] = "Quid pro quo";

// Appends the hex digits of a line; answers how many bytes, or 0 if it holds anything else.
static unsigned hex_line(const char *line, uint8_t *out, unsigned room)
{
	unsigned count = 0, nibbles = 0, value = 0;

	for (; *line; line++) {
		const char *digits = "0123456789abcdef";
		const char *digit = strchr(digits, *line);

		if (strchr(" \r\n", *line))
			continue;
		if (!digit)
			return 0;
		value = value << 4 | (unsigned)(digit - digits);
		if (++nibbles % 2 == 0 && count < room)
			out[count++] = (uint8_t)value;
	}
	return nibbles % 2 == 0 ? count : 0;
}

// Hex lines from here to the first that is none; blank lines in front are skipped.
static unsigned hex_block(FILE *file, uint8_t *out, unsigned room)
{
	char line[128];
	unsigned total = 0, got;

	while (fgets(line, sizeof line, file)) {
		got = hex_line(line, out + total, room - total);
		if (got == 0 && total > 0)
			break;
		total += got;
	}
	return total;
}

// The next section with packets in it.
static bool read_section(FILE *file, struct section *section)
{
	char line[128];

	memset(section, 0, sizeof *section);
	while (fgets(line, sizeof line, file)) {
		if ((strncmp(line, "16.", 3) == 0 || strncmp(line, "17.", 3) == 0)) {
			if (section->first_len > 0) {
				fseek(file, -(long)strlen(line), SEEK_CUR);
				return true;
			}
			snprintf(section->title, sizeof section->title, "%s", line);
			section->key_len = 0;
		} else if (strstr(line, " following packet:")) {
			section->first_len = hex_block(file, section->first, sizeof section->first);
		} else if (strstr(line, " packet:") && section->first_len > 0) {
			section->last_len = hex_block(file, section->last, sizeof section->last);
		} else if (strstr(line, "  Key:") && section->key_len == 0) {
			bool wide = strstr(section->title, "256");

			section->key_len = hex_line(strchr(line, ':') + 1, section->key, 16);
			if (wide && fgets(line, sizeof line, file))
				section->key_len += hex_line(line, section->key + 16, 16);
		}
	}
	return section->first_len > 0;
}

// The RFC gives session keys, not a master key: put where derivation would have put them.
static void give_keys(struct td_srtp_engine *engine, struct td_srtp *srtp,
		      const struct section *section)
{
	struct td_srtp_epoch *epoch = &srtp->epochs[0];
	struct td_srtp_keys *both[] = { &epoch->rtp, &epoch->rtcp };

	td_srtp_init(srtp);
	ck_assert_uint_eq(section->key_len, strstr(section->title, "256") ? 32 : 16);
	epoch->master.suite =
		section->key_len == 32 ? TD_SRTP_AEAD_AES_256_GCM : TD_SRTP_AEAD_AES_128_GCM;
	for (int i = 0; i < 2; i++) {
		memcpy(both[i]->salt, salt, sizeof salt);
		both[i]->key_blocks = section->key_len / 16u & 3u;
		both[i]->aead = 1;
		both[i]->tag_bytes = TD_SRTP_TAG_MAX;
		engine->machine->expand(engine, both[i], section->key, NULL);
	}
	srtp->rtcp_next = 0x5d4;
}

static void check_seal(struct td_srtp_engine *engine, const struct section *section, bool is_rtcp)
{
	static struct td_srtp srtp;
	uint8_t bytes[LINE_ROOM];
	uint16_t len = (uint16_t)section->first_len;

	give_keys(engine, &srtp, section);
	memcpy(bytes, section->first, len);
	ck_assert_int_eq(line_seal(engine, &srtp, bytes, &len, is_rtcp), TD_SRTP_OK);
	ck_assert_uint_eq(len, section->last_len);
	ck_assert_mem_eq(bytes, section->last, len);
}

static void check_open(struct td_srtp_engine *engine, const struct section *section, bool is_rtcp,
		       const uint8_t *from, unsigned from_len, const uint8_t *to, unsigned to_len)
{
	static struct td_srtp srtp;
	uint8_t bytes[LINE_ROOM];
	uint16_t len = (uint16_t)from_len;

	give_keys(engine, &srtp, section);
	for (unsigned i = 0; i < from_len; i++) {
		memcpy(bytes, from, from_len);
		bytes[i] ^= 0x01;
		ck_assert_int_ne(line_open(engine, &srtp, bytes, &len, is_rtcp), TD_SRTP_OK);
		ck_assert_uint_eq(len, from_len);
	}
	memcpy(bytes, from, from_len);
	ck_assert_int_eq(line_open(engine, &srtp, bytes, &len, is_rtcp), TD_SRTP_OK);
	ck_assert_uint_ge(len, to_len);
	// Of the RTP decryptions the RFC shows the payload only.
	ck_assert_mem_eq(bytes + len - to_len, to, to_len);
}

// Tagging without encryption, which SRTP itself never does: the whole packet is additional data.
static void check_tag_only(struct td_srtp_engine *engine, const struct section *section,
			   const uint8_t *tagged, unsigned tagged_len)
{
	static struct td_srtp srtp;
	uint8_t bytes[256];
	unsigned plain = tagged_len - TD_SRTP_TAG_MAX;
	struct td_srtp_job job = { .keys = &srtp.epochs[0].rtp,
				   .bytes = bytes,
				   .text_offset = (uint16_t)plain };
	struct td_srtp_job *jobs[] = { &job };
	static const uint8_t iv[12] = { 0x51, 0x75, 0x3c, 0x65, 0x80, 0xc2,
					0x72, 0x6f, 0x20, 0x71, 0x84, 0x14 };

	give_keys(engine, &srtp, section);
	memcpy(bytes, tagged, tagged_len);
	memcpy(job.iv, iv, sizeof iv);
	engine->machine->gcm_seal(engine, jobs, 1);
	ck_assert_mem_eq(job.tag, tagged + plain, TD_SRTP_TAG_MAX);
	engine->machine->gcm_open(engine, jobs, 1);
	ck_assert(!job.failed);
	bytes[tagged_len - 1] ^= 1;
	engine->machine->gcm_open(engine, jobs, 1);
	ck_assert(job.failed);
}

static void check_section(struct td_srtp_engine *engine, const struct section *s)
{
	bool is_rtcp = strstr(s->title, "SRTCP") != NULL;

	if (strstr(s->title, "Encryption")) {
		check_seal(engine, s, is_rtcp);
		check_open(engine, s, is_rtcp, s->last, s->last_len, s->first, s->first_len);
	} else if (strstr(s->title, "Decryption")) {
		check_open(engine, s, is_rtcp, s->first, s->first_len, s->last, s->last_len);
	} else if (!is_rtcp) {
		bool tagging = strstr(s->title, "Tagging");

		check_tag_only(engine, s, tagging ? s->last : s->first,
			       tagging ? s->last_len : s->first_len);
	} else if (strstr(s->title, "Tagging")) {
		check_open(engine, s, is_rtcp, s->last, s->last_len, s->first, s->first_len);
	} else {
		check_open(engine, s, is_rtcp, s->first, s->first_len, s->last, s->last_len);
	}
}

static unsigned check_file(struct td_srtp_engine *engine, const char *path)
{
	FILE *file = fopen(path, "r");
	struct section section;
	unsigned count = 0;

	ck_assert_ptr_nonnull(file);
	while (read_section(file, &section)) {
		check_section(engine, &section);
		count++;
	}
	fclose(file);
	return count;
}

START_TEST(rfc7714)
{
	struct td_srtp_engine *engine = line_engine(kinds[_i]);

	if (!engine)
		return;
	ck_assert_uint_eq(check_file(engine, TD_VECTORS "/rtp-vectors.txt"), 8);
	ck_assert_uint_eq(check_file(engine, TD_VECTORS "/rtcp-vectors.txt"), 4);
}
END_TEST

static void from_hex(const char *text, uint8_t *out, size_t len)
{
	ck_assert_uint_eq(hex_line(text, out, (unsigned)len), len);
}

START_TEST(rfc3711_b2_keystream)
{
	static const struct {
		unsigned block;
		const char *keystream;
	} rows[] = { { 0, "e03ead0935c95e80e166b16dd92b4eb4" },
		     { 1, "d23513162b02d0f72a43a2fe4a5f97ab" },
		     { 2, "41e95b3bb0a2e8dd477901e4fca894c0" },
		     { 0xfeff, "ec8cdf7398607cb0f2d21675ea9ea1e4" },
		     { 0xff00, "362b7c3c6773516318a077d7fc5073ae" },
		     { 0xff01, "6a2cc3787889374fbeb4c81b17ba6c44" } };
	struct td_srtp_engine *engine = line_engine(kinds[_i]);
	struct td_srtp_keys keys = { .key_blocks = 1 };
	uint8_t key[16], expected[16];
	static const uint8_t no_auth[20];

	if (!engine)
		return;
	from_hex("2b7e151628aed2a6abf7158809cf4f3c", key, sizeof key);
	engine->machine->expand(engine, &keys, key, no_auth);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t text[16] = { 0 };
		struct td_srtp_job job = { .keys = &keys, .bytes = text, .text_len = 16 };
		struct td_srtp_job *jobs[] = { &job };

		from_hex("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000", job.iv, 16);
		job.iv[14] = (uint8_t)(rows[i].block >> 8);
		job.iv[15] = (uint8_t)rows[i].block;
		engine->machine->cm_cipher(engine, jobs, 1, 16);
		from_hex(rows[i].keystream, expected, 16);
		ck_assert_mem_eq(text, expected, 16);
	}
}
END_TEST

START_TEST(rfc3711_b3_derivation)
{
	struct td_srtp_engine *engine = line_engine(kinds[_i]);
	struct td_srtp_master master = { .suite = TD_SRTP_AES_CM_128_HMAC_SHA1_80 };
	uint8_t out[32], expected[32];

	if (!engine)
		return;
	from_hex("e1f97a0d3e018be0d64fa32c06de4139", master.key, 16);
	from_hex("0ec675ad498afeebb6960b3aabe6", master.salt, 14);
	td_srtp_derive(engine, &master, 0, out, 16);
	from_hex("c61e7a93744f39ee10734afe3ff7a087", expected, 16);
	ck_assert_mem_eq(out, expected, 16);
	td_srtp_derive(engine, &master, 2, out, 14);
	from_hex("30cbbc08863d8c85d49db34a9ae1", expected, 14);
	ck_assert_mem_eq(out, expected, 14);
	td_srtp_derive(engine, &master, 1, out, 20);
	from_hex("cebe321f6ff7716b6fd4ab49af256a156d38baa4", expected, 20);
	ck_assert_mem_eq(out, expected, 20);
}
END_TEST

// RFC 6188 section 7.2: derivation with 256 bits.
START_TEST(rfc6188_derivation)
{
	struct td_srtp_engine *engine = line_engine(kinds[_i]);
	struct td_srtp_master master = { .suite = TD_SRTP_AES_256_CM_HMAC_SHA1_80 };
	uint8_t out[32], expected[32];

	if (!engine)
		return;
	from_hex("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6", master.key,
		 32);
	from_hex("3b04803de51ee7c96423ab5b78d2", master.salt, 14);
	td_srtp_derive(engine, &master, 0, out, 32);
	from_hex("5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4", expected, 32);
	ck_assert_mem_eq(out, expected, 32);
	td_srtp_derive(engine, &master, 2, out, 14);
	from_hex("fa31791685ca444a9e07c6c64e93", expected, 14);
	ck_assert_mem_eq(out, expected, 14);
	td_srtp_derive(engine, &master, 1, out, 20);
	from_hex("fd9c32d39ed5fbb5a9dc96b30818454d1313dc05", expected, 20);
	ck_assert_mem_eq(out, expected, 20);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("srtp vectors");
	TCase *tcase = tcase_create("vectors");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, rfc7714, 0, 2);
	tcase_add_loop_test(tcase, rfc3711_b2_keystream, 0, 2);
	tcase_add_loop_test(tcase, rfc3711_b3_derivation, 0, 2);
	tcase_add_loop_test(tcase, rfc6188_derivation, 0, 2);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
