// The XDP program of a shared interface, run by the kernel itself on a table of frames: what it
// gives to the dataplane, what it leaves with the kernel, and what it counts. Needs the right to
// load BPF programs; without it the test is skipped.
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <check.h>

#include "frame.h"
#include "net/xdp_gate.h"
#include "net/xdp_gate_abi.h"

#define OURS   "192.0.2.5"
#define OURS6  "2001:db8::5"
#define THEIRS "192.0.2.77"
#define FIRST  20000
#define LAST   20999

static struct td_xdp_gate gate;
static char reason[320];

// A queue's socket: any AF_XDP socket may stand in the map, frames go nowhere in a test run.
static int put_socket(void)
{
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	uint32_t queue = 0;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(
		bpf_map_update_elem(bpf_object__find_map_fd_by_name(gate.object, "xsks_map"),
				    &queue, &fd, BPF_ANY),
		0);
	return fd;
}

static uint32_t run(const uint8_t *bytes, uint32_t len)
{
	uint8_t out[2048];
	struct bpf_test_run_opts options = { .sz = sizeof options,
					     .data_in = bytes,
					     .data_size_in = len,
					     .data_out = out,
					     .data_size_out = sizeof out,
					     .repeat = 1 };

	ck_assert_int_eq(bpf_prog_test_run_opts(gate.program_fd, &options), 0);
	// Whatever it decides, it changes nothing.
	ck_assert_uint_eq(options.data_size_out, len);
	ck_assert_mem_eq(out, bytes, len);
	return options.retval;
}

static void udp4(struct frame *frame)
{
	frame_udp(frame, THEIRS, 4000, OURS, 20000, 172);
}

static void udp6(struct frame *frame)
{
	frame_udp(frame, "2001:db8::77", 4000, OURS6, 20999, 172);
}

static void mapped6(struct frame *frame)
{
	frame_udp(frame, "2001:db8::77", 4000, "::ffff:192.0.2.5", 20000, 172);
}

static void below4(struct frame *frame)
{
	frame_udp(frame, THEIRS, 4000, OURS, FIRST - 1, 172);
}

static void above4(struct frame *frame)
{
	frame_udp(frame, THEIRS, 4000, OURS, LAST + 1, 172);
}

static void above6(struct frame *frame)
{
	frame_udp(frame, "2001:db8::77", 4000, OURS6, LAST + 1, 172);
}

// A reply to a client on this host that talks to somebody's port of the range.
static void source_in_range(struct frame *frame)
{
	frame_udp(frame, THEIRS, 20000, OURS, 40000, 172);
}

static void other4(struct frame *frame)
{
	frame_udp(frame, OURS, 20000, THEIRS, 20000, 172);
}

static void other6(struct frame *frame)
{
	frame_udp(frame, OURS6, 20000, "2001:db8::6", 20000, 172);
}

static void broadcast4(struct frame *frame)
{
	frame_udp(frame, THEIRS, 4000, "255.255.255.255", 20000, 172);
}

static void tcp4(struct frame *frame)
{
	udp4(frame);
	frame->bytes[frame->l3 + 9] = 6;
}

static void tcp6(struct frame *frame)
{
	udp6(frame);
	frame->bytes[frame->l3 + 6] = 6;
}

static void arp(struct frame *frame)
{
	frame_arp(frame, 1, frame_peer_mac, THEIRS, OURS);
}

static void ping4(struct frame *frame)
{
	frame_icmp(frame, THEIRS, OURS, 8, "\0\1\0\1", 4);
}

static void solicit6(struct frame *frame)
{
	frame_nd(frame, "2001:db8::77", "ff02::1:ff00:5", 135, 0, OURS6, 1, frame_peer_mac);
}

static void priority_tag(struct frame *frame)
{
	udp4(frame);
	frame_tag(frame, 5 << 13);
}

static void vlan_tag(struct frame *frame)
{
	udp4(frame);
	frame_tag(frame, 7);
}

static void vlan_tag6(struct frame *frame)
{
	udp6(frame);
	frame_tag(frame, 7);
}

static void priority_tag6(struct frame *frame)
{
	udp6(frame);
	frame_tag(frame, 5 << 13);
}

static void two_tags(struct frame *frame)
{
	udp4(frame);
	frame_tag(frame, 0);
	frame_tag(frame, 0);
}

// Inserts bytes into the frame; the lengths and checksums it carries matter to nobody here.
static void insert(struct frame *frame, uint32_t at, const void *bytes, uint32_t len)
{
	memmove(frame->bytes + at + len, frame->bytes + at, frame->len - at);
	memcpy(frame->bytes + at, bytes, len);
	frame->len += len;
}

static void options4(struct frame *frame)
{
	static const uint8_t nops[40] = { [0 ... 39] = 1 };

	udp4(frame);
	insert(frame, frame->l4, nops, sizeof nops);
	frame->bytes[frame->l3] = 0x4f;
}

// What looks like a port of ours where the header says that the options still go on.
static void options_hide_other_port(struct frame *frame)
{
	udp4(frame);
	frame->bytes[frame->l3] = 0x46;
}

static void header_too_small(struct frame *frame)
{
	udp4(frame);
	frame->bytes[frame->l3] = 0x44;
}

static void version6_in_ipv4(struct frame *frame)
{
	udp4(frame);
	frame->bytes[frame->l3] = 0x65;
}

static void first_piece4(struct frame *frame)
{
	udp4(frame);
	frame->bytes[frame->l3 + 6] = 0x20;
}

static void later_piece4(struct frame *frame)
{
	udp4(frame);
	frame->bytes[frame->l3 + 7] = 185;
}

static void dont_fragment4(struct frame *frame)
{
	udp4(frame);
	frame->bytes[frame->l3 + 6] = 0x40;
}

static void other_piece4(struct frame *frame)
{
	other4(frame);
	frame->bytes[frame->l3 + 6] = 0x20;
}

static void tcp_piece4(struct frame *frame)
{
	tcp4(frame);
	frame->bytes[frame->l3 + 6] = 0x20;
}

static void piece6(struct frame *frame)
{
	udp6(frame);
	insert(frame, frame->l4, "\x11\0\0\1\0\0\0\7", 8);
	frame->bytes[frame->l3 + 6] = 44;
}

static void hop_by_hop6(struct frame *frame)
{
	udp6(frame);
	insert(frame, frame->l4, "\x11\0\1\4\0\0\0\0", 8);
	frame->bytes[frame->l3 + 6] = 0;
}

#define KERNEL XDP_PASS, TD_XDP_GATE_COUNTERS
#define MEDIA  XDP_REDIRECT, TD_XDP_GATE_TAKEN
#define PIECE  XDP_PASS, TD_XDP_GATE_FRAGMENT

static const struct {
	const char *what;
	void (*build)(struct frame *frame);
	uint32_t verdict;
	uint32_t counted;
} rows[] = {
	{ "media over IPv4, first port", udp4, MEDIA },
	{ "media over IPv6, last port", udp6, MEDIA },
	{ "a priority tag is no VLAN", priority_tag, MEDIA },
	{ "nor is it over IPv6", priority_tag6, MEDIA },
	{ "IPv4 with all the options there can be", options4, MEDIA },
	{ "don't fragment is no fragment", dont_fragment4, MEDIA },
	{ "the port below", below4, KERNEL },
	{ "the port above", above4, KERNEL },
	{ "the port above, IPv6", above6, KERNEL },
	{ "a source port of the range", source_in_range, KERNEL },
	{ "another IPv4 address", other4, KERNEL },
	{ "another IPv6 address", other6, KERNEL },
	{ "broadcast", broadcast4, KERNEL },
	{ "TCP to a port of the range", tcp4, KERNEL },
	{ "TCP over IPv6", tcp6, KERNEL },
	{ "ARP", arp, KERNEL },
	{ "ping", ping4, KERNEL },
	{ "neighbour solicitation", solicit6, KERNEL },
	{ "a VLAN's frame", vlan_tag, KERNEL },
	{ "a VLAN's frame, IPv6", vlan_tag6, KERNEL },
	{ "two tags", two_tags, KERNEL },
	{ "the port lies behind the options", options_hide_other_port, KERNEL },
	{ "an IPv4 header shorter than one", header_too_small, KERNEL },
	{ "a version that contradicts the type", version6_in_ipv4, KERNEL },
	{ "first fragment", first_piece4, PIECE },
	{ "later fragment", later_piece4, PIECE },
	{ "IPv6 fragment", piece6, PIECE },
	{ "a fragment to another address", other_piece4, KERNEL },
	{ "a fragment of TCP", tcp_piece4, KERNEL },
	{ "IPv6 extension header", hop_by_hop6, KERNEL },
};

#define ROWS (sizeof rows / sizeof rows[0])

static uint64_t count_of(const struct td_xdp_gate_counts *counts, uint32_t counter)
{
	switch (counter) {
	case TD_XDP_GATE_TAKEN: return counts->taken;
	case TD_XDP_GATE_NO_QUEUE: return counts->no_queue;
	case TD_XDP_GATE_FRAGMENT: return counts->fragments;
	default: return 0;
	}
}

// Runs the frame and expects this verdict and one count of that counter, of nothing else.
static void expect(const char *what, const uint8_t *bytes, uint32_t len, uint32_t verdict,
		   uint32_t counted)
{
	struct td_xdp_gate_counts before, after;
	uint32_t got;

	td_xdp_gate_count(&gate, &before);
	got = run(bytes, len);
	ck_assert_msg(got == verdict, "%s: verdict %u, not %u", what, got, verdict);
	td_xdp_gate_count(&gate, &after);
	for (uint32_t i = 0; i < TD_XDP_GATE_COUNTERS; i++) {
		uint64_t grown = count_of(&after, i) - count_of(&before, i);

		ck_assert_msg(grown == (i == counted), "%s: counter %u grew by %llu", what, i,
			      (unsigned long long)grown);
	}
}

START_TEST(test_verdict)
{
	struct frame frame;
	int fd = put_socket();

	rows[_i].build(&frame);
	expect(rows[_i].what, frame.bytes, frame.len, rows[_i].verdict, rows[_i].counted);
	close(fd);
}
END_TEST

// Cut anywhere before the end of the UDP header (the kernel runs nothing shorter than Ethernet's
// own header), a frame is the kernel's; from there on its port can be read.
START_TEST(test_short_frames)
{
	static void (*const builds[])(struct frame * frame) = { udp4, udp6, priority_tag,
								options4 };
	struct frame frame;
	int fd = put_socket();

	// A test run says that the frame came in on queue 0 of loopback.
	for (size_t i = 0; i < sizeof builds / sizeof builds[0]; i++) {
		uint32_t whole;

		builds[i](&frame);
		whole = frame.len - 172;
		for (uint32_t len = 14; len < whole; len++)
			expect("cut", frame.bytes, len, KERNEL);
		expect("just long enough", frame.bytes, whole, MEDIA);
	}
	close(fd);
}
END_TEST

START_TEST(test_without_a_socket_the_kernel_has_it)
{
	struct frame frame;

	udp4(&frame);
	close(put_socket()); // gone with its owner
	expect("no socket", frame.bytes, frame.len, XDP_PASS, TD_XDP_GATE_NO_QUEUE);
}
END_TEST

// An IPv4 address of ours says nothing about the IPv6 address that is written with it.
START_TEST(test_mapped_address_over_ipv6)
{
	struct frame frame;
	int fd = put_socket();

	mapped6(&frame);
	expect("mapped", frame.bytes, frame.len, KERNEL);
	close(fd);
}
END_TEST

static const struct td_xdp_gate_spec *spec(void)
{
	static struct td_endpoint addresses[2];
	static struct td_xdp_gate_spec spec = { .port_name = "lan",
						.device = "lo",
						.addresses = addresses,
						.address_count = 2,
						.port_first = FIRST,
						.port_last = LAST };

	if (td_endpoint_parse_addr(OURS, &addresses[0]) != 0 ||
	    td_endpoint_parse_addr(OURS6, &addresses[1]) != 0)
		return NULL;
	return &spec;
}

START_TEST(test_the_link_is_the_only_hold)
{
	struct td_xdp_gate first, second;

	ck_assert_msg(td_xdp_gate_open(spec(), &first, reason, sizeof reason) == 0, "%s", reason);
	ck_assert(td_xdp_gate_attached(&first));
	// Loopback's driver knows nothing of XDP.
	ck_assert(!first.native);
	ck_assert_int_eq(td_xdp_gate_open(spec(), &second, reason, sizeof reason), -TD_EEXISTS);
	ck_assert_ptr_nonnull(strstr(reason, "ip link set dev lo xdp off"));
	td_xdp_gate_close(&first);
	ck_assert(!td_xdp_gate_attached(&first));
	ck_assert_int_eq(td_xdp_gate_open(spec(), &second, reason, sizeof reason), 0);
	td_xdp_gate_close(&second);
	td_xdp_gate_close(&second);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("xdp_gate");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed, error;

	// With a loopback interface of our own.
	if (unshare(CLONE_NEWNET) != 0) {
		printf("skipped: no network namespace (%m)\n");
		return 77;
	}
	error = td_xdp_gate_load(spec(), &gate, reason, sizeof reason);
	if (error == -TD_EDENIED) {
		printf("skipped: %s\n", reason);
		return 77;
	}
	if (error) {
		fprintf(stderr, "%s\n", reason);
		return 1;
	}
	tcase_add_loop_test(tests, test_verdict, 0, (int)ROWS);
	tcase_add_test(tests, test_short_frames);
	tcase_add_test(tests, test_without_a_socket_the_kernel_has_it);
	tcase_add_test(tests, test_mapped_address_over_ipv6);
	tcase_add_test(tests, test_the_link_is_the_only_hold);
	suite_add_tcase(suite, tests);
	// The kernel's state is shared by all tests: one after the other, in this process.
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	td_xdp_gate_close(&gate);
	return failed != 0;
}
