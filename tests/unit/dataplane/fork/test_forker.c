// The forker thread with real far ends: a hundred that listen at once, one that does not read, one that
// goes away, RTP to a socket, captures. Taps are fed as a worker would.
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "forker_rig.h"

#include "fork/capture.h"
#include "fork/frame.h"
#include "fork/rtp_copy.h"
#include "rtp/header.h"

struct far_end {
	int fd;
	uint8_t bytes[65536];
	size_t have;
	uint32_t frames[2], next[2], missing, sounding, marks;
	bool greeted, ended;
};

static struct far_end far_ends[FORK_COUNT];

static void on_frame(struct far_end *end, const uint8_t *bytes, uint32_t length)
{
	uint32_t position = bytes[4] | (uint32_t)bytes[5] << 8 | (uint32_t)bytes[6] << 16;

	switch (bytes[0]) {
	case TD_FORK_HELLO: end->greeted = true; break;
	case TD_FORK_AUDIO:
		ck_assert_uint_eq(length, 320);
		ck_assert_uint_lt(bytes[1], 2);
		end->missing += position - end->next[bytes[1]];
		end->next[bytes[1]] = position + 1;
		end->frames[bytes[1]]++;
		end->sounding += bytes[8] != 0 || bytes[9] != 0;
		break;
	case TD_FORK_MARK: end->marks++; break;
	case TD_FORK_END: end->ended = true; break;
	default: break;
	}
}

static void read_some(struct far_end *end)
{
	ssize_t got =
		recv(end->fd, end->bytes + end->have, sizeof end->bytes - end->have, MSG_DONTWAIT);
	size_t at = 0;

	if (got <= 0)
		return;
	end->have += (size_t)got;
	while (end->have - at >= TD_FORK_HEADER_BYTES) {
		uint32_t length = end->bytes[at + 2] | (uint32_t)end->bytes[at + 3] << 8;

		if (end->have - at < TD_FORK_HEADER_BYTES + length)
			break;
		on_frame(end, end->bytes + at, length);
		at += TD_FORK_HEADER_BYTES + length;
	}
	end->have -= at;
	memmove(end->bytes, end->bytes + at, end->have);
}

static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

// Two seconds of a hundred calls: every packet of both parties reaches its own far end, none is lost.
START_TEST(hundred_at_once)
{
	uint64_t start_ns;
	uint32_t refused = 0;
	double cpu;

	memset(far_ends, 0, sizeof far_ends);
	for (uint32_t i = 0; i < FORK_COUNT; i++) {
		struct td_live *live;

		ck_assert_int_eq(rig_open_fork(i, "bot", &live), 0);
		ck_assert_ptr_nonnull(live);
		far_ends[i].fd = accept(rig_listener, NULL, NULL);
		ck_assert_int_ge(far_ends[i].fd, 0);
	}
	rig_wait_for(TD_EVENT_FORK_STATE, FORK_COUNT);
	cpu = cpu_ms();
	start_ns = rig_now_ns();
	for (uint32_t tick = 0; tick < 100; tick++) {
		for (uint32_t i = 0; i < FORK_COUNT; i++) {
			refused += !rig_put(i, 0, tick, 0x10, rig_now_ns());
			refused += !rig_put(i, 1, tick, 0x20, rig_now_ns());
			read_some(&far_ends[i]);
		}
		rig_rest_until(start_ns + (tick + 1) * 20 * MS);
	}
	printf("100 forks at 8 kHz, test and far ends included: %.0f ms of CPU in 2 s\n",
	       cpu_ms() - cpu);
	rig_rest_until(rig_now_ns() + 300 * MS);
	for (uint32_t i = 0; i < FORK_COUNT; i++)
		td_forker_close(rig_forker, rig_id_of(i));
	rig_wait_for(TD_EVENT_FORK_CLOSED, FORK_COUNT);
	ck_assert_uint_eq(refused, 0);
	for (uint32_t i = 0; i < FORK_COUNT; i++) {
		const struct td_event_fork *seen = &rig_last[TD_EVENT_FORK_CLOSED][i].u.fork;

		for (unsigned n = 0; n < 4; n++)
			read_some(&far_ends[i]);
		ck_assert_uint_eq(seen->packets, 200);
		ck_assert_uint_eq(seen->lost, 0);
		ck_assert(far_ends[i].greeted && far_ends[i].ended);
		ck_assert_uint_eq(far_ends[i].missing, 0);
		// All that was said, on both tracks; but what a busy machine made late is counted.
		ck_assert_uint_ge(far_ends[i].sounding + seen->late, 199);
		close(far_ends[i].fd);
	}
}
END_TEST

// One does not read: it loses frames of its own, counted; the other has them all.
START_TEST(who_does_not_read_loses_its_own)
{
	struct td_live *live;
	uint64_t at_ns;

	memset(far_ends, 0, sizeof far_ends);
	for (uint32_t i = 0; i < 2; i++) {
		ck_assert_int_eq(rig_open_fork(i, "bot", &live), 0);
		far_ends[i].fd = accept(rig_listener, NULL, NULL);
	}
	rig_wait_for(TD_EVENT_FORK_STATE, 2);
	// Ten seconds of sound in half a second of ours: packets come with the time they say.
	at_ns = rig_now_ns() - 11000 * MS;
	for (uint32_t n = 0; n < 500; n++) {
		for (uint32_t i = 0; i < 2; i++)
			rig_put(i, 0, n, 0x10, at_ns + n * 20 * MS);
		rig_rest_until(rig_now_ns() + MS);
		read_some(&far_ends[1]);
	}
	rig_rest_until(rig_now_ns() + 12000 * MS / 20);
	for (uint32_t n = 0; n < 600; n++) { // silence goes on, 20 ms after 20 ms
		rig_rest_until(rig_now_ns() + 20 * MS);
		read_some(&far_ends[1]);
	}
	td_forker_close(rig_forker, rig_id_of(0));
	td_forker_close(rig_forker, rig_id_of(1));
	rig_wait_for(TD_EVENT_FORK_CLOSED, 2);
	ck_assert_uint_gt(rig_last[TD_EVENT_FORK_CLOSED][0].u.fork.lost, 0);
	ck_assert_uint_eq(rig_last[TD_EVENT_FORK_CLOSED][1].u.fork.lost, 0);
	ck_assert_uint_eq(far_ends[1].missing, 0);
	close(far_ends[0].fd);
	close(far_ends[1].fd);
}
END_TEST

static void say_raw(int fd, const char *bytes, size_t len)
{
	ck_assert_int_eq(send(fd, bytes, len, 0), (ssize_t)len);
}

// What the far end says reaches the player, and its mark comes back when that has been played.
START_TEST(far_end_speaks)
{
	char audio[8 + 320] = { 'A', 0, 0x40, 1 };
	struct td_live *live;
	uint32_t played = 0;

	memset(far_ends, 0, sizeof far_ends);
	ck_assert_int_eq(rig_open_fork(0, "bot", &live), 0);
	far_ends[0].fd = accept(rig_listener, NULL, NULL);
	for (unsigned i = 8; i < sizeof audio; i++)
		audio[i] = 7;
	for (unsigned i = 0; i < 3; i++)
		say_raw(far_ends[0].fd, audio, sizeof audio);
	say_raw(far_ends[0].fd, "M\0\1\0\0\0\0\0m", 9);
	for (unsigned i = 0; i < 400 && far_ends[0].marks == 0; i++) {
		const int16_t *pcm = td_live_look(live, 8000);

		ck_assert(pcm == NULL || pcm[0] == 0x0707);
		played += td_live_step(live);
		rig_rest_until(rig_now_ns() + 10 * MS);
		read_some(&far_ends[0]);
	}
	ck_assert_uint_eq(far_ends[0].marks, 1);
	ck_assert_uint_eq(played, 3);
	td_forker_close(rig_forker, rig_id_of(0));
	rig_wait_for(TD_EVENT_FORK_CLOSED, 1);
	ck_assert_uint_eq(rig_last[TD_EVENT_FORK_CLOSED][0].u.fork.said_ms, 60);
	ck_assert_uint_eq(rig_last[TD_EVENT_FORK_CLOSED][0].u.fork.marks, 1);
	close(far_ends[0].fd);
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
	int result;
} endings[] = {
	{ "E\0\0\0\0\0\0\0", 8, -TD_EEMPTY },
	{ "GET / HTTP/1.0\r\n\r\n", 18, -TD_EMALFORMED },
	{ NULL, 0, -TD_EEMPTY }, // it hangs up
};

START_TEST(far_end_goes)
{
	struct td_live *live;
	int fd;

	ck_assert_int_eq(rig_open_fork(5, "bot", &live), 0);
	fd = accept(rig_listener, NULL, NULL);
	if (endings[_i].bytes != NULL)
		say_raw(fd, endings[_i].bytes, endings[_i].len);
	else
		shutdown(fd, SHUT_RDWR);
	rig_wait_for(TD_EVENT_FORK_ENDED, 1);
	ck_assert_int_eq(rig_last[TD_EVENT_FORK_ENDED][5].result, endings[_i].result);
	ck_assert(rig_put(5, 0, 1, 0x10, rig_now_ns())); // and what comes after that harms nobody
	rig_rest_until(rig_now_ns() + 30 * MS);
	ck_assert_uint_eq(rig_reported(TD_EVENT_FORK_ENDED), 1);
	td_forker_close(rig_forker, rig_id_of(5));
	rig_wait_for(TD_EVENT_FORK_CLOSED, 1);
	ck_assert_int_eq(rig_last[TD_EVENT_FORK_CLOSED][5].result, endings[_i].result);
	close(fd);
}
END_TEST

START_TEST(refusals)
{
	struct td_live *live;

	ck_assert_int_eq(rig_open_fork(0, "elsewhere", &live), -TD_ENOT_FOUND);
	ck_assert_int_eq(rig_open_fork(0, "nobody", &live), -TD_EIO);
	ck_assert_ptr_null(live);
	ck_assert_int_eq(rig_open_fork(FORK_COUNT + 1, "bot", &live), -TD_EFULL);
}
END_TEST

static int bound(struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t len = sizeof *at;

	if (bind(fd, (struct sockaddr *)at, len) == 0 &&
	    getsockname(fd, (struct sockaddr *)at, &len) == 0)
		return fd;
	close(fd);
	return -1;
}

// Any port, and the one two above it; -1 when that is taken.
static int open_pair(struct sockaddr_in *at, int *other)
{
	struct sockaddr_in above;
	int fd;

	*at = (struct sockaddr_in){ .sin_family = AF_INET };
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = bound(at);
	above = *at;
	above.sin_port = htons((uint16_t)(ntohs(at->sin_port) + 2));
	*other = bound(&above);
	if (*other >= 0)
		return fd;
	close(fd);
	return -1;
}

// Own SSRC and numbers, payload as it came; another sender goes on where the one before was.
START_TEST(rtp_goes_out)
{
	struct sockaddr_in at;
	uint8_t packet[512];
	struct td_rtp_header header, before = { 0 };
	struct td_live *live;
	int fd = -1, other = -1;

	for (unsigned tries = 0; fd < 0 && tries < 100; tries++)
		fd = open_pair(&at, &other);
	ck_assert_int_ge(fd, 0);
	rig_destinations[1].rtp.port_be = at.sin_port;
	rig_destinations[1].rtp.family = TD_FAMILY_IPV4;
	memcpy(rig_destinations[1].rtp.addr, &at.sin_addr, 4);
	ck_assert_int_eq(rig_open_fork(0, "rtp", &live), 0);
	ck_assert_ptr_null(live);
	for (uint32_t n = 0; n < 6; n++) {
		struct td_tap_record *record = td_tap_reserve(rig_ring, 160);
		ssize_t got;

		ck_assert_ptr_nonnull(record);
		memset(record, 0, TD_TAP_HEADER_BYTES - 1);
		record->arrival_ns = rig_now_ns();
		record->ssrc = n < 3 ? 1 : 2;
		record->sequence = (uint16_t)(n < 3 ? 65535 + n : 500 + n);
		record->timestamp = n < 3 ? 160 * n : 99999 + 160 * n;
		record->codec = TD_CODEC_PCMU;
		record->payload_len = 160;
		memset(record->payload, (int)n, 160);
		td_tap_commit(rig_ring);
		got = recv(fd, packet, sizeof packet, 0);
		ck_assert_int_eq(td_rtp_parse(packet, (size_t)got, &header), 0);
		ck_assert_uint_eq(header.payload_type, 0);
		ck_assert_uint_eq(header.payload_len, 160);
		ck_assert_uint_eq(packet[header.payload_offset], n);
		ck_assert_uint_eq(header.marker, n == 0);
		if (n > 0) {
			ck_assert_uint_eq(header.ssrc, before.ssrc);
			ck_assert_uint_eq(header.sequence, (uint16_t)(before.sequence + 1));
			ck_assert_uint_ge(header.timestamp - before.timestamp, 160);
			ck_assert_uint_le(header.timestamp - before.timestamp, n == 3 ? 8000 : 160);
		}
		before = header;
	}
	ck_assert(rig_put(0, 1, 0, 0x33, rig_now_ns()));
	ck_assert_int_eq(recv(other, packet, sizeof packet, 0), 172);
	td_forker_close(rig_forker, rig_id_of(0));
	rig_wait_for(TD_EVENT_FORK_CLOSED, 1);
	ck_assert_uint_eq(rig_last[TD_EVENT_FORK_CLOSED][0].u.fork.sent, 7);
	close(fd);
	close(other);
}
END_TEST

static void put_frame(uint32_t index, uint16_t len)
{
	struct td_tap_record *record = td_tap_reserve(rig_ring, len);

	ck_assert_ptr_nonnull(record);
	memset(record, 0, TD_TAP_HEADER_BYTES - 1);
	record->arrival_ns = rig_now_ns();
	record->tap = index;
	record->kind = TD_TAP_FRAME_IN;
	record->offered = len;
	record->payload_len = len;
	memset(record->payload, 0xab, len);
	td_tap_commit(rig_ring);
}

START_TEST(capture_is_a_pcap_file)
{
	uint8_t bytes[512];
	char path[256];
	struct td_live *live;
	FILE *file;

	ck_assert_int_eq(rig_open_fork(3, NULL, &live), 0);
	rig_wait_for(TD_EVENT_FORK_STATE, 1);
	put_frame(3, 60);
	put_frame(3, 100);
	td_forker_close(rig_forker, rig_id_of(3));
	rig_wait_for(TD_EVENT_FORK_CLOSED, 1);
	ck_assert_int_eq(rig_last[TD_EVENT_FORK_CLOSED][3].result, 0);
	ck_assert_uint_eq(rig_last[TD_EVENT_FORK_CLOSED][3].u.fork.sent, 2);
	snprintf(path, sizeof path, "%s/%s", rig_captures,
		 rig_last[TD_EVENT_FORK_CLOSED][3].u.fork.file);
	ck_assert_ptr_nonnull(strstr(path, "-c3.pcap"));
	file = fopen(path, "rb");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fread(bytes, 1, sizeof bytes, file), 24 + 16 + 60 + 16 + 100);
	ck_assert_mem_eq(bytes, "\x4d\x3c\xb2\xa1\2\0\4\0", 8);
	ck_assert_uint_eq(bytes[20], 1); // Ethernet
	ck_assert_uint_eq(bytes[24 + 8], 60);
	ck_assert_uint_eq(bytes[24 + 16], 0xab);
	fclose(file);
}
END_TEST

// The folder keeps the newest and nothing else of it is touched.
START_TEST(old_captures_go)
{
	char path[256];
	struct td_live *live;

	mkdir(rig_captures, 0700);
	for (unsigned i = 0; i < TD_CAPTURE_KEPT + 5; i++) {
		snprintf(path, sizeof path, "%s/2020%04u-c1.pcap", rig_captures, i);
		fclose(fopen(path, "w"));
	}
	snprintf(path, sizeof path, "%s/notes.txt", rig_captures);
	fclose(fopen(path, "w"));
	ck_assert_int_eq(rig_open_fork(0, NULL, &live), 0);
	rig_wait_for(TD_EVENT_FORK_STATE, 1);
	ck_assert_int_eq(access(path, F_OK), 0);
	for (unsigned i = 0; i < TD_CAPTURE_KEPT + 5; i++) {
		snprintf(path, sizeof path, "%s/2020%04u-c1.pcap", rig_captures, i);
		ck_assert_int_eq(access(path, F_OK), i < 6 ? -1 : 0);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("forker");
	TCase *tcase = tcase_create("forker");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, rig_setup, rig_teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, hundred_at_once);
	tcase_add_test(tcase, who_does_not_read_loses_its_own);
	tcase_add_test(tcase, far_end_speaks);
	tcase_add_loop_test(tcase, far_end_goes, 0, sizeof endings / sizeof endings[0]);
	tcase_add_test(tcase, refusals);
	tcase_add_test(tcase, rtp_goes_out);
	tcase_add_test(tcase, capture_is_a_pcap_file);
	tcase_add_test(tcase, old_captures_go);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
