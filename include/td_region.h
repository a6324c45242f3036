// The shared region: one memfd, one header, sections found by offset, never by pointer.
//
//   +--------+----------+--------------+---------+---------------+---------+
//   | header | commands | event rings  | workers | stream mirror | prompts |
//   +--------+----------+--------------+---------+---------------+---------+
//      cookie, version, layout hash, section table {offset, bytes, count, stride}
//
// tandem-dataplane creates it, sizes it from the config, and hands it over on a Unix socket as
// file descriptors (SCM_RIGHTS): memfd, command bell, event bell (eventfds). tandem-control maps
// it, and td_region_check() decides, reading only bytes it has proved to be there, whether to trust
// it; a refusal is a sentence that says what was found and what was expected.
//
// Bells: control writes the command bell after pushing; the dataplane's main thread writes the
// event bell for its own events and on behalf of the workers, who make no system calls: within a
// millisecond while commands come, within four while calls are merely up.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "td_command.h"
#include "td_event.h"
#include "td_ring.h"
#include "td_stats.h"

#define TD_REGION_COOKIE  0x4d45444e4154ull // "TANDEM" read as little-endian bytes
#define TD_REGION_VERSION 2u

enum td_section_kind {
	TD_SECTION_COMMANDS, // one ring of struct td_command
	TD_SECTION_EVENTS,   // worker_count + 1 rings of struct td_event
	TD_SECTION_WORKERS,  // struct td_worker_stats
	TD_SECTION_STREAMS,  // struct td_stream_mirror, by handle index
	TD_SECTION_PROMPTS,  // struct td_prompt_entry, by prompt index
	TD_SECTION_PORTS,    // struct td_port_stats, in the order of dataplane.ports
	TD_SECTION_COUNT
};

struct td_section {
	uint64_t offset; // from the start of the region, multiple of 64
	uint64_t bytes;
	uint32_t count;  // items
	uint32_t stride; // bytes from one item to the next
};

struct td_prompt_entry {
	char name[TD_PROMPT_NAME_MAX];
	uint32_t duration_ms;
	uint32_t reserved;
};

struct td_region_header {
	uint64_t cookie;
	uint32_t version;
	uint32_t header_bytes;
	uint64_t layout_hash;
	uint64_t total_bytes;
	uint64_t boot_id; // random: tells one dataplane process from the next
	uint64_t created_ns;
	uint32_t worker_count;
	uint32_t pid;
	uint32_t srtp_engine; // enum td_srtp_engine_kind: what this process does SRTP with
	uint32_t reserved;
	struct td_section sections[TD_SECTION_COUNT];
};

// What the dataplane sends with the descriptors, first thing on the socket.
struct td_region_hello {
	uint64_t cookie;
	uint32_t version;
	int32_t result; // 0, or -TD_EBUSY when another control process is attached
	uint64_t total_bytes;
};

#define TD_REGION_FD_COUNT 3 // memfd, command bell, event bell, in this order

struct td_region_sizes {
	uint32_t worker_count;
	uint32_t stream_count;
	uint32_t prompt_count;
	uint32_t port_count;
};

// A mapped and checked region: pointers into it, good for as long as the mapping.
struct td_region {
	struct td_region_header *header;
	size_t bytes;
	uint32_t worker_count, stream_count, prompt_count,
		port_count; // copies: the header is the peer's to spoil
	uint8_t *commands;
	size_t commands_bytes;
	uint8_t *events; // ring i at events + i * events_stride
	size_t events_stride;
	struct td_worker_stats *workers;
	struct td_stream_mirror *streams;
	struct td_prompt_entry *prompts;
	struct td_port_stats *ports;
};

// A hash over the sizes and offsets of every struct in the region, as this build compiled them.
uint64_t td_region_layout_hash(void);

// Bytes a region of these sizes takes.
size_t td_region_bytes(const struct td_region_sizes *sizes);

// Creator: lays the header, sections and rings out in `memory` (zeroed, page-aligned,
// td_region_bytes() long) and fills `region`.
void td_region_format(void *memory, const struct td_region_sizes *sizes, uint64_t boot_id,
		      uint64_t now_ns, struct td_region *region);

#define TD_REGION_REASON_MAX 160

// Attacher: decides whether `memory` is a region this build can use. Never reads beyond
// `bytes`. 0 and fills `region`, or -TD_ETRUNCATED, -TD_EMALFORMED, -TD_EVERSION, -TD_ECORRUPT
// with a sentence in `reason`.
TD_MUST_CHECK int td_region_check(void *memory, size_t bytes, struct td_region *region,
				  char reason[TD_REGION_REASON_MAX]);

TD_MUST_CHECK int td_region_attach_commands(const struct td_region *region, int as_producer,
					    struct td_ring_view *view);
// `thread`: 0 main, 1 + w worker.
TD_MUST_CHECK int td_region_attach_events(const struct td_region *region, uint32_t thread,
					  int as_producer, struct td_ring_view *view);
