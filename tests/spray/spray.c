// td-spray: somebody who has no call here sends media to every port there is, as fast as the machine
// can, over a raw socket so that the source may be anybody's.
//
//   td-spray --mac MAC --to 10.77.0.2 --ports 20000-24999 [--interface eth0] [--source 10.77.0.30]
//            [--source-port 30000] [--kind KIND] [--type 8] [--rounds N] [--seconds S]
//            [--pause-us N]
//   td-spray --mac MAC --plan FILE [...]
//
// With --plan it comes from the parties' own addresses and ports: each line of the file begins with
// FROM:PORT TO:PORT, as td-rtpblast --write-plan leaves them.
//
// One round is a packet to every port: "rtp" and "srtp" to the even ones, in sequence round after
// round, "rtcp" (SR and RR), "rtcp4" (four bytes), "rtcpcut" (cut in the middle) to the odd ones.
// Every payload begins with "SPRAYED!", which a capture can be searched for; "srtp" ends in bytes
// that are a tag of nothing. It ends after so many rounds, or when the time is over, whichever is
// first, and says how many packets it has sent.
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX   256
#define BATCH       64
#define HEADERS     (14 + 20 + 8)
#define TARGETS_MAX 32768u // all the ports of a kind

static const uint8_t our_mac[6] = { 0x02, 0, 0, 0, 0, 0x66 };
static const uint8_t mark[8] = { 'S', 'P', 'R', 'A', 'Y', 'E', 'D', '!' };

enum kind { RTP, SRTP, RTCP, RTCP4, RTCPCUT };

struct target {
	struct in_addr source, to;
	uint16_t source_port, port;
};

struct options {
	uint8_t mac[6];
	struct in_addr to, source;
	unsigned first_port, last_port, source_port, type;
	const char *plan;
	enum kind kind;
	const char *interface;
	uint64_t rounds;
	double seconds;
	unsigned pause_us;
};

static uint64_t now_ns(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffffu);
}

static uint32_t sum16(const uint8_t *at, size_t bytes, uint32_t sum)
{
	for (size_t i = 0; i + 1 < bytes; i += 2)
		sum += (uint32_t)at[i] << 8 | at[i + 1];
	return bytes % 2 ? sum + ((uint32_t)at[bytes - 1] << 8) : sum;
}

static unsigned fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffffu) + (sum >> 16);
	return ~sum & 0xffffu;
}

static size_t put_rtp(const struct options *o, uint8_t *at, unsigned port, uint64_t round)
{
	size_t bytes = 12 + 160;

	at[0] = 0x80;
	at[1] = (uint8_t)o->type;
	put16(at + 2, (unsigned)round & 0xffffu);
	put32(at + 4, (uint32_t)round * 160u);
	put32(at + 8, 0x5eed0000u + port);
	for (size_t i = 12; i < bytes; i++)
		at[i] = (uint8_t) "SPRAYED!"[(i - 12) % 8];
	if (o->kind == SRTP) {
		for (unsigned i = 0; i < 10; i++)
			at[bytes++] = (uint8_t)(round * 31 + port * 7 + i);
	}
	return bytes;
}

static size_t put_rtcp(const struct options *o, uint8_t *at, unsigned port)
{
	memset(at, 0, 28 + 32);
	put32(at, 0x80c80006u); // SR without a block
	put32(at + 4, 0x5eed0000u + port);
	memcpy(at + 8, mark, sizeof mark);
	put32(at + 28, 0x81c90007u); // RR with one
	put32(at + 32, 0x5eed0000u + port);
	if (o->kind == RTCP4)
		return 4;
	return o->kind == RTCPCUT ? 28 + 17 : 28 + 32;
}

static size_t put_frame(const struct options *o, uint8_t *frame, const struct target *target,
			uint64_t round)
{
	uint8_t *ip = frame + 14, *udp = ip + 20;
	size_t payload = o->kind >= RTCP ? put_rtcp(o, frame + HEADERS, target->port)
					 : put_rtp(o, frame + HEADERS, target->port, round);
	uint32_t sum;

	memcpy(frame, o->mac, 6);
	memcpy(frame + 6, our_mac, sizeof our_mac);
	put16(frame + 12, ETHERTYPE_IP);
	memset(ip, 0, 20);
	ip[0] = 0x45;
	put16(ip + 2, (unsigned)(28 + payload));
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	memcpy(ip + 12, &target->source, 4);
	memcpy(ip + 16, &target->to, 4);
	put16(ip + 10, fold(sum16(ip, 20, 0)));
	put16(udp, target->source_port);
	put16(udp + 2, target->port);
	put16(udp + 4, (unsigned)(8 + payload));
	put16(udp + 6, 0);
	sum = sum16(udp, 8 + payload, sum16(ip + 12, 8, IPPROTO_UDP + 8 + (uint32_t)payload));
	put16(udp + 6, fold(sum) ? fold(sum) : 0xffffu);
	return HEADERS + payload;
}

// All of them, unless the socket is broken: a full queue is waited for.
static uint64_t send_all(int fd, struct mmsghdr *messages, unsigned count)
{
	unsigned done = 0;

	while (done < count) {
		int sent = sendmmsg(fd, messages + done, count - done, 0);

		if (sent < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR) {
			perror("td-spray: sendmmsg");
			exit(1);
		}
		done += sent > 0 ? (unsigned)sent : 0;
	}
	return done;
}

static unsigned targets_of_ports(const struct options *o, struct target *targets)
{
	unsigned odd = o->kind >= RTCP, count = 0;

	for (unsigned port = o->first_port; port <= o->last_port; port++)
		if (port % 2 == odd)
			targets[count++] =
				(struct target){ o->source, o->to, (uint16_t)o->source_port,
						 (uint16_t)port };
	return count;
}

static unsigned targets_of_plan(const struct options *o, struct target *targets)
{
	FILE *file = fopen(o->plan, "r");
	char line[400], source[16], to[16];
	unsigned odd = o->kind >= RTCP, count = 0;

	if (file == NULL) {
		fprintf(stderr, "td-spray: %s: %s\n", o->plan, strerror(errno));
		exit(2);
	}
	while (count < TARGETS_MAX && fgets(line, sizeof line, file) != NULL) {
		struct target *target = &targets[count];

		if (sscanf(line, "%15[0-9.]:%hu %15[0-9.]:%hu", source, &target->source_port, to,
			   &target->port) != 4 ||
		    inet_pton(AF_INET, source, &target->source) != 1 ||
		    inet_pton(AF_INET, to, &target->to) != 1) {
			fprintf(stderr, "td-spray: %s: no line of a plan: %s\n", o->plan, line);
			exit(2);
		}
		target->source_port = (uint16_t)(target->source_port + odd);
		target->port = (uint16_t)(target->port + odd);
		count++;
	}
	fclose(file);
	return count;
}

static uint64_t spray(const struct options *o, int fd, uint64_t *rounds)
{
	static struct target targets[TARGETS_MAX];
	static uint8_t frames[BATCH][FRAME_MAX];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH] = { 0 };
	uint64_t end_ns = now_ns() + (uint64_t)(o->seconds * 1e9), sent = 0;
	unsigned used = 0, count = o->plan != NULL ? targets_of_plan(o, targets)
						   : targets_of_ports(o, targets);

	for (*rounds = 0; *rounds < o->rounds && now_ns() < end_ns; (*rounds)++) {
		for (unsigned i = 0; i < count; i++) {
			parts[used].iov_base = frames[used];
			parts[used].iov_len = put_frame(o, frames[used], &targets[i], *rounds + 1);
			messages[used].msg_hdr.msg_iov = &parts[used];
			messages[used].msg_hdr.msg_iovlen = 1;
			if (++used == BATCH) {
				sent += send_all(fd, messages, used);
				used = 0;
			}
		}
		if (o->pause_us > 0) {
			sent += send_all(fd, messages, used);
			used = 0;
			usleep(o->pause_us);
		}
	}
	return sent + send_all(fd, messages, used);
}

static int open_socket(const char *interface)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(interface),
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || at.sll_ifindex == 0 ||
	    bind(fd, (const struct sockaddr *)&at, sizeof at) != 0) {
		fprintf(stderr, "td-spray: %s: %s\n", interface, strerror(errno));
		exit(1);
	}
	return fd;
}

static enum kind kind_of(const char *name)
{
	static const char *const names[] = { "rtp", "srtp", "rtcp", "rtcp4", "rtcpcut" };

	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(name, names[i]) == 0)
			return (enum kind)i;
	fprintf(stderr, "td-spray: --kind %s: expected rtp, srtp, rtcp, rtcp4 or rtcpcut\n", name);
	exit(2);
}

static void wrong(const char *option, const char *value)
{
	fprintf(stderr, "td-spray: --%s %s is no such thing\n", option, value);
	exit(2);
}

static void take(struct options *o, const char *name, const char *value)
{
	uint8_t *m = o->mac;
	bool good = true;

	if (strcmp(name, "mac") == 0)
		good = sscanf(value, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &m[0], &m[1], &m[2], &m[3],
			      &m[4], &m[5]) == 6;
	else if (strcmp(name, "to") == 0)
		good = inet_pton(AF_INET, value, &o->to) == 1;
	else if (strcmp(name, "source") == 0)
		good = inet_pton(AF_INET, value, &o->source) == 1;
	else if (strcmp(name, "ports") == 0)
		good = sscanf(value, "%u-%u", &o->first_port, &o->last_port) == 2 &&
		       o->last_port < 65536;
	else if (strcmp(name, "source-port") == 0)
		good = sscanf(value, "%u", &o->source_port) == 1;
	else if (strcmp(name, "type") == 0)
		good = sscanf(value, "%u", &o->type) == 1 && o->type < 128;
	else if (strcmp(name, "kind") == 0)
		o->kind = kind_of(value);
	else if (strcmp(name, "plan") == 0)
		o->plan = value;
	else if (strcmp(name, "interface") == 0)
		o->interface = value;
	else if (strcmp(name, "rounds") == 0)
		o->rounds = strtoull(value, NULL, 10);
	else if (strcmp(name, "seconds") == 0)
		o->seconds = strtod(value, NULL);
	else
		good = sscanf(value, "%u", &o->pause_us) == 1;
	if (!good)
		wrong(name, value);
}

int main(int argc, char **argv)
{
	static const struct option words[] = {
		{ "mac", required_argument, NULL, 0 },
		{ "to", required_argument, NULL, 0 },
		{ "source", required_argument, NULL, 0 },
		{ "ports", required_argument, NULL, 0 },
		{ "kind", required_argument, NULL, 0 },
		{ "type", required_argument, NULL, 0 },
		{ "rounds", required_argument, NULL, 0 },
		{ "seconds", required_argument, NULL, 0 },
		{ "interface", required_argument, NULL, 0 },
		{ "pause-us", required_argument, NULL, 0 },
		{ "source-port", required_argument, NULL, 0 },
		{ "plan", required_argument, NULL, 0 },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { .source_port = 30000,
				   .type = 8,
				   .interface = "eth0",
				   .rounds = UINT64_MAX,
				   .seconds = 3600 };
	uint64_t rounds, sent, start_ns;
	int word, index, fd;
	double took_s;

	inet_pton(AF_INET, "10.77.0.30", &options.source);
	while ((word = getopt_long(argc, argv, "", words, &index)) != -1) {
		if (word != 0)
			return 2;
		take(&options, words[index].name, optarg);
	}
	if (optind != argc ||
	    (options.plan == NULL && (options.to.s_addr == 0 || options.last_port == 0))) {
		fprintf(stderr,
			"td-spray: --mac, and --to and --ports or --plan have to be given\n");
		return 2;
	}
	fd = open_socket(options.interface);
	start_ns = now_ns();
	sent = spray(&options, fd, &rounds);
	took_s = (double)(now_ns() - start_ns) / 1e9;
	printf("sent %llu packets in %llu rounds, %.0f a second\n", (unsigned long long)sent,
	       (unsigned long long)rounds, (double)sent / (took_s > 0 ? took_s : 1));
	return 0;
}
