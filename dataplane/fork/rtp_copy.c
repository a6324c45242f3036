#include "fork/rtp_copy.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "rtp/header.h"
#include "rtp/rtcp.h"

#define EVENT_TYPE  101
#define NOISE_TYPE  13
#define REPORT_NS   5000000000ull
#define FRAME_MS    20u
#define CNAME_BYTES 96

uint8_t td_rtp_copy_payload_type(enum td_codec_id codec)
{
	static const uint8_t types[TD_CODEC_COUNT] = {
		[TD_CODEC_NONE] = TD_PAYLOAD_TYPE_NONE,
		[TD_CODEC_PCMU] = 0,
		[TD_CODEC_PCMA] = 8,
		[TD_CODEC_G722] = 9,
		[TD_CODEC_GSM] = 3,
		[TD_CODEC_G729] = 18,
		[TD_CODEC_OPUS] = 111,
		[TD_CODEC_L16_8] = 112,
		[TD_CODEC_L16_16] = 113,
		[TD_CODEC_L16_32] = 114,
		[TD_CODEC_L16_48] = 115,
	};

	return (unsigned)codec < TD_CODEC_COUNT ? types[codec] : TD_PAYLOAD_TYPE_NONE;
}

static socklen_t address(const struct td_endpoint *to, unsigned above,
			 struct sockaddr_storage *storage)
{
	uint16_t port_be = htons((uint16_t)(ntohs(to->port_be) + above));

	memset(storage, 0, sizeof *storage);
	if (to->family == TD_FAMILY_IPV6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = port_be;
		memcpy(&in6->sin6_addr, to->addr, 16);
		return sizeof *in6;
	}
	struct sockaddr_in *in = (struct sockaddr_in *)storage;

	in->sin_family = AF_INET;
	in->sin_port = port_be;
	memcpy(&in->sin_addr, to->addr, 4);
	return sizeof *in;
}

static int open_track(struct td_rtp_copy *copy, uint32_t i)
{
	struct td_rtp_copy_track *track = &copy->tracks[i];
	struct sockaddr_storage to;
	socklen_t len = address(&copy->to, 2 * i, &to);
	uint16_t first;

	track->fd = socket(to.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (track->fd < 0 || connect(track->fd, (struct sockaddr *)&to, len) != 0)
		return -TD_EIO;
	if (getrandom(&track->ssrc, sizeof track->ssrc, 0) != sizeof track->ssrc ||
	    getrandom(&track->last_timestamp, sizeof track->last_timestamp, 0) !=
		    sizeof track->last_timestamp ||
	    getrandom(&first, sizeof first, 0) != sizeof first)
		return -TD_EIO;
	track->last_sequence = first;
	return 0;
}

int td_rtp_copy_open(struct td_rtp_copy *copy, const struct td_endpoint *to,
		     const struct td_command_fork_start *start, struct td_event_fork *seen)
{
	int error = 0;

	memset(copy, 0, sizeof *copy);
	copy->to = *to;
	copy->seen = seen;
	copy->track_count = start->stream_count;
	memcpy(copy->call, start->call, sizeof copy->call);
	memcpy(copy->fork, start->destination, sizeof copy->fork);
	memcpy(copy->names, start->tracks, sizeof copy->names);
	for (uint32_t i = 0; i < TD_FORK_STREAM_MAX; i++)
		copy->tracks[i].fd = -1;
	for (uint32_t i = 0; i < copy->track_count && error == 0; i++)
		error = open_track(copy, i);
	if (error != 0)
		td_rtp_copy_close(copy, 0);
	return error;
}

static uint32_t clock_of(const struct td_rtp_copy_track *track, const struct td_tap_record *record)
{
	uint32_t hz = td_codec_clock_hz((enum td_codec_id)record->codec);

	if (hz != 0)
		return hz;
	return track->from_clock_hz != 0 ? track->from_clock_hz : 8000;
}

// Another sender: its numbers go on where the last one's were, its time by the clock.
static void follow(struct td_rtp_copy_track *track, const struct td_tap_record *record)
{
	uint64_t passed_ms = track->begun ? (record->arrival_ns - track->last_ns) / 1000000u : 0;
	uint32_t clock_hz = clock_of(track, record);

	if (track->begun && track->from_ssrc == record->ssrc && track->from_clock_hz == clock_hz)
		return;
	if (passed_ms < FRAME_MS)
		passed_ms = FRAME_MS;
	track->sequence_offset = (uint16_t)(track->last_sequence + 1u - record->sequence);
	track->timestamp_offset = track->last_timestamp + (uint32_t)(passed_ms * clock_hz / 1000u) -
				  record->timestamp;
	track->from_ssrc = record->ssrc;
	track->from_clock_hz = clock_hz;
}

static uint8_t type_of(const struct td_tap_record *record)
{
	if (record->codec != TD_CODEC_NONE)
		return td_rtp_copy_payload_type((enum td_codec_id)record->codec);
	return record->kind == TD_TAP_EVENT ? EVENT_TYPE : NOISE_TYPE;
}

void td_rtp_copy_add(struct td_rtp_copy *copy, const struct td_tap_record *record)
{
	struct td_rtp_copy_track *track;
	uint8_t packet[TD_RTP_HEADER_BYTES + TD_RTP_PAYLOAD_MAX];
	uint8_t type = type_of(record);
	uint16_t sequence;
	ssize_t sent;

	if (record->side >= copy->track_count || record->payload_len > TD_RTP_PAYLOAD_MAX ||
	    type == TD_PAYLOAD_TYPE_NONE)
		return;
	track = &copy->tracks[record->side];
	follow(track, record);
	sequence = (uint16_t)(record->sequence + track->sequence_offset);
	td_rtp_write(packet, type, record->marker || !track->begun, sequence,
		     record->timestamp + track->timestamp_offset, track->ssrc);
	memcpy(packet + TD_RTP_HEADER_BYTES, record->payload, record->payload_len);
	sent = send(track->fd, packet, TD_RTP_HEADER_BYTES + record->payload_len, MSG_NOSIGNAL);
	if (sent < 0) {
		// It may be an earlier one that was refused; then this one has not been tried yet.
		copy->seen->lost++;
		if (errno == ECONNREFUSED)
			sent = send(track->fd, packet, TD_RTP_HEADER_BYTES + record->payload_len,
				    MSG_NOSIGNAL);
	}
	if (sent >= 0) {
		copy->seen->sent++;
		copy->seen->bytes += (uint64_t)sent;
		track->packets++;
		track->octets += record->payload_len;
	}
	if (!track->begun || (int16_t)(sequence - track->last_sequence) > 0) {
		track->last_sequence = sequence;
		if (record->kind != TD_TAP_EVENT) {
			track->last_timestamp = record->timestamp + track->timestamp_offset;
			track->last_ns = record->arrival_ns;
		}
	}
	track->begun = true;
}

static uint64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void report(const struct td_rtp_copy *copy, uint32_t i, uint64_t now_ns, bool bye)
{
	const struct td_rtp_copy_track *track = &copy->tracks[i];
	uint64_t since_ms = now_ns > track->last_ns ? (now_ns - track->last_ns) / 1000000u : 0;
	const struct td_rtcp_sender sender = {
		.ntp = td_rtcp_ntp(realtime_ns()),
		.rtp_timestamp =
			track->last_timestamp + (uint32_t)(since_ms * track->from_clock_hz / 1000u),
		.packets = track->packets,
		.octets = track->octets,
	};
	uint8_t bytes[TD_RTCP_BUILD_MAX];
	char cname[CNAME_BYTES];
	const struct td_rtcp_compound compound = {
		.ssrc = track->ssrc, .sender = &sender, .cname = cname, .bye = bye
	};
	struct sockaddr_storage to;
	socklen_t len = address(&copy->to, 2 * i + 1, &to);
	size_t bytes_len;

	snprintf(cname, sizeof cname, "%s.%s@%s", copy->call, copy->names[i], copy->fork);
	bytes_len = td_rtcp_build(bytes, &compound);
	// Reports are repeated: one that is lost is no loss.
	(void)!sendto(track->fd, bytes, bytes_len, MSG_NOSIGNAL, (struct sockaddr *)&to, len);
}

void td_rtp_copy_turn(struct td_rtp_copy *copy, uint64_t now_ns)
{
	for (uint32_t i = 0; i < copy->track_count; i++) {
		struct td_rtp_copy_track *track = &copy->tracks[i];

		if (!track->begun || now_ns - track->report_ns < REPORT_NS)
			continue;
		track->report_ns = now_ns;
		report(copy, i, now_ns, false);
	}
}

void td_rtp_copy_close(struct td_rtp_copy *copy, uint64_t now_ns)
{
	for (uint32_t i = 0; i < copy->track_count; i++) {
		if (copy->tracks[i].fd < 0)
			continue;
		if (copy->tracks[i].begun)
			report(copy, i, now_ns, true);
		close(copy->tracks[i].fd);
		copy->tracks[i].fd = -1;
	}
}
