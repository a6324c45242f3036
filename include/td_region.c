// Laying the shared region out, and deciding whether to trust one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "td_assert.h"
#include "td_region.h"

#define ALIGN_UP(n) (((uint64_t)(n) + 63u) & ~(uint64_t)63u)

static uint64_t hash_mix(uint64_t hash, uint64_t value)
{
	// FNV-1a over the value's eight bytes.
	for (int i = 0; i < 8; i++) {
		hash ^= (value >> (8 * i)) & 0xffu;
		hash *= 0x100000001b3ull;
	}
	return hash;
}

uint64_t td_region_layout_hash(void)
{
	static const uint64_t layout[] = {
		sizeof(struct td_region_header),
		offsetof(struct td_region_header, srtp_engine),
		offsetof(struct td_region_header, sections),
		sizeof(struct td_section),
		sizeof(struct td_prompt_entry),
		sizeof(struct td_ring),
		offsetof(struct td_ring, tail),
		offsetof(struct td_ring, slot_count),
		sizeof(struct td_command),
		offsetof(struct td_command, u),
		sizeof(struct td_command_stream_create),
		offsetof(struct td_command_stream_create, flags),
		sizeof(struct td_command_matrix_edit),
		sizeof(struct td_command_stream_set_remote),
		offsetof(struct td_command_stream_set_remote, signalling),
		offsetof(struct td_command_stream_set_remote, srtp_rx),
		sizeof(struct td_command_record_start),
		sizeof(struct td_command_fork_start),
		sizeof(struct td_cell),
		TD_COMMAND_KIND_COUNT,
		sizeof(struct td_event),
		offsetof(struct td_event, u),
		sizeof(struct td_event_recording),
		sizeof(struct td_event_fork),
		TD_EVENT_KIND_COUNT,
		sizeof(struct td_worker_stats),
		offsetof(struct td_worker_stats, drops),
		TD_DROP_COUNT,
		offsetof(struct td_worker_stats, stages),
		TD_STAGE_COUNT,
		sizeof(struct td_port_stats),
		offsetof(struct td_port_stats, shared),
		sizeof(struct td_stream_mirror),
		offsetof(struct td_stream_mirror, stats),
		sizeof(struct td_stream_stats),
		offsetof(struct td_stream_stats, rx_jitter_us),
		offsetof(struct td_stream_stats, quality),
		offsetof(struct td_quality, remote),
		TD_ERROR_COUNT,
		TD_CODEC_COUNT,
		TD_SRTP_SUITE_COUNT,
	};
	uint64_t hash = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < sizeof layout / sizeof layout[0]; i++)
		hash = hash_mix(hash, layout[i]);
	return hash;
}

// The only layout there is: a pure function of the sizes, so that the checker can recompute it.
static uint64_t plan_sections(const struct td_region_sizes *sizes,
			      struct td_section sections[TD_SECTION_COUNT])
{
	const struct {
		uint64_t count, stride;
	} want[TD_SECTION_COUNT] = {
		[TD_SECTION_COMMANDS] = { 1, ALIGN_UP(td_ring_bytes(TD_COMMAND_SLOTS,
								    sizeof(struct td_command))) },
		[TD_SECTION_EVENTS] = { sizes->worker_count + 1ull,
					ALIGN_UP(td_ring_bytes(TD_EVENT_SLOTS,
							       sizeof(struct td_event))) },
		[TD_SECTION_WORKERS] = { sizes->worker_count, sizeof(struct td_worker_stats) },
		[TD_SECTION_STREAMS] = { sizes->stream_count, sizeof(struct td_stream_mirror) },
		[TD_SECTION_PROMPTS] = { sizes->prompt_count, sizeof(struct td_prompt_entry) },
		[TD_SECTION_PORTS] = { sizes->port_count, sizeof(struct td_port_stats) },
	};
	uint64_t offset = ALIGN_UP(sizeof(struct td_region_header));

	for (int i = 0; i < TD_SECTION_COUNT; i++) {
		sections[i] = (struct td_section){
			.offset = offset,
			.bytes = want[i].count * want[i].stride,
			.count = (uint32_t)want[i].count,
			.stride = (uint32_t)want[i].stride,
		};
		offset = ALIGN_UP(offset + sections[i].bytes);
	}
	return offset;
}

size_t td_region_bytes(const struct td_region_sizes *sizes)
{
	struct td_section sections[TD_SECTION_COUNT];

	return (size_t)plan_sections(sizes, sections);
}

static void fill_pointers(void *memory, const struct td_section *sections,
			  const struct td_region_sizes *sizes, struct td_region *region)
{
	uint8_t *base = memory;

	region->header = memory;
	region->worker_count = sizes->worker_count;
	region->stream_count = sizes->stream_count;
	region->prompt_count = sizes->prompt_count;
	region->port_count = sizes->port_count;
	region->commands = base + sections[TD_SECTION_COMMANDS].offset;
	region->commands_bytes = (size_t)sections[TD_SECTION_COMMANDS].bytes;
	region->events = base + sections[TD_SECTION_EVENTS].offset;
	region->events_stride = sections[TD_SECTION_EVENTS].stride;
	region->workers = (void *)(base + sections[TD_SECTION_WORKERS].offset);
	region->streams = (void *)(base + sections[TD_SECTION_STREAMS].offset);
	region->prompts = (void *)(base + sections[TD_SECTION_PROMPTS].offset);
	region->ports = (void *)(base + sections[TD_SECTION_PORTS].offset);
}

void td_region_format(void *memory, const struct td_region_sizes *sizes, uint64_t boot_id,
		      uint64_t now_ns, struct td_region *region)
{
	struct td_region_header *header = memory;

	TD_ASSERT(sizes->worker_count >= 1 && sizes->worker_count <= TD_WORKER_MAX);
	TD_ASSERT(sizes->stream_count <= TD_STREAM_MAX);
	TD_ASSERT(sizes->prompt_count <= TD_PROMPT_MAX);
	TD_ASSERT(sizes->port_count <= TD_PORT_MAX);
	header->cookie = TD_REGION_COOKIE;
	header->version = TD_REGION_VERSION;
	header->header_bytes = sizeof *header;
	header->layout_hash = td_region_layout_hash();
	header->boot_id = boot_id;
	header->created_ns = now_ns;
	header->worker_count = sizes->worker_count;
	header->pid = (uint32_t)getpid();
	header->total_bytes = plan_sections(sizes, header->sections);
	fill_pointers(memory, header->sections, sizes, region);
	region->bytes = (size_t)header->total_bytes;
	td_ring_format(region->commands, TD_COMMAND_SLOTS, sizeof(struct td_command));
	for (uint32_t i = 0; i <= sizes->worker_count; i++)
		td_ring_format(region->events + i * region->events_stride, TD_EVENT_SLOTS,
			       sizeof(struct td_event));
}

static int check_identity(const struct td_region_header *header, size_t bytes, char *reason)
{
	uint64_t hash = td_region_layout_hash();

	if (header->cookie != TD_REGION_COOKIE) {
		snprintf(reason, TD_REGION_REASON_MAX,
			 "not a Tandem region: cookie is %#llx, expected %#llx",
			 (unsigned long long)header->cookie, (unsigned long long)TD_REGION_COOKIE);
		return -TD_EMALFORMED;
	}
	if (header->version != TD_REGION_VERSION) {
		snprintf(reason, TD_REGION_REASON_MAX,
			 "region version is %u, expected %u: run both processes from one build",
			 header->version, TD_REGION_VERSION);
		return -TD_EVERSION;
	}
	if (header->layout_hash != hash || header->header_bytes != sizeof *header) {
		snprintf(
			reason, TD_REGION_REASON_MAX,
			"region layout hash is %016llx, expected %016llx: run both processes from one build",
			(unsigned long long)header->layout_hash, (unsigned long long)hash);
		return -TD_EVERSION;
	}
	if (header->total_bytes > bytes) {
		snprintf(reason, TD_REGION_REASON_MAX,
			 "region is truncated: %zu bytes found, %llu expected", bytes,
			 (unsigned long long)header->total_bytes);
		return -TD_ETRUNCATED;
	}
	return 0;
}

static int check_sections(const struct td_region_header *header,
			  const struct td_region_sizes *sizes, char *reason)
{
	struct td_section expected[TD_SECTION_COUNT];
	uint64_t total;

	if (sizes->worker_count < 1 || sizes->worker_count > TD_WORKER_MAX ||
	    sizes->stream_count > TD_STREAM_MAX || sizes->prompt_count > TD_PROMPT_MAX ||
	    sizes->port_count > TD_PORT_MAX) {
		snprintf(
			reason, TD_REGION_REASON_MAX,
			"region counts are impossible: %u workers, %u streams, %u prompts, %u ports; at most "
			"%u, %u, %u, %u",
			sizes->worker_count, sizes->stream_count, sizes->prompt_count,
			sizes->port_count, TD_WORKER_MAX, TD_STREAM_MAX, TD_PROMPT_MAX,
			TD_PORT_MAX);
		return -TD_ECORRUPT;
	}
	total = plan_sections(sizes, expected);
	for (int i = 0; i < TD_SECTION_COUNT; i++) {
		if (memcmp(&header->sections[i], &expected[i], sizeof expected[i]) == 0)
			continue;
		snprintf(reason, TD_REGION_REASON_MAX,
			 "region section %d is at %llu, %llu bytes; expected at %llu, %llu bytes",
			 i, (unsigned long long)header->sections[i].offset,
			 (unsigned long long)header->sections[i].bytes,
			 (unsigned long long)expected[i].offset,
			 (unsigned long long)expected[i].bytes);
		return -TD_ECORRUPT;
	}
	if (header->total_bytes != total) {
		snprintf(reason, TD_REGION_REASON_MAX,
			 "region says it has %llu bytes, its sections need %llu",
			 (unsigned long long)header->total_bytes, (unsigned long long)total);
		return -TD_ECORRUPT;
	}
	return 0;
}

int td_region_check(void *memory, size_t bytes, struct td_region *region,
		    char reason[TD_REGION_REASON_MAX])
{
	struct td_region_header header;
	struct td_region_sizes sizes;
	struct td_ring_view view;
	int error;

	reason[0] = '\0';
	if (bytes < sizeof header) {
		snprintf(reason, TD_REGION_REASON_MAX,
			 "region is truncated: %zu bytes found, a header alone is %zu", bytes,
			 sizeof header);
		return -TD_ETRUNCATED;
	}
	// Decide on a copy: the other process could change the words between check and use.
	memcpy(&header, memory, sizeof header);
	error = check_identity(&header, bytes, reason);
	if (error)
		return error;
	sizes = (struct td_region_sizes){
		.worker_count = header.worker_count,
		.stream_count = header.sections[TD_SECTION_STREAMS].count,
		.prompt_count = header.sections[TD_SECTION_PROMPTS].count,
		.port_count = header.sections[TD_SECTION_PORTS].count,
	};
	error = check_sections(&header, &sizes, reason);
	if (error)
		return error;
	fill_pointers(memory, header.sections, &sizes, region);
	region->bytes = (size_t)header.total_bytes;
	error = td_region_attach_commands(region, 1, &view);
	for (uint32_t i = 0; i <= sizes.worker_count && !error; i++)
		error = td_region_attach_events(region, i, 0, &view);
	if (error)
		snprintf(reason, TD_REGION_REASON_MAX, "a ring in the region is damaged: %s",
			 td_error_text(error));
	return error;
}

int td_region_attach_commands(const struct td_region *region, int as_producer,
			      struct td_ring_view *view)
{
	return td_ring_attach(view, region->commands, region->commands_bytes,
			      sizeof(struct td_command), as_producer);
}

int td_region_attach_events(const struct td_region *region, uint32_t thread, int as_producer,
			    struct td_ring_view *view)
{
	TD_ASSERT(thread <= region->worker_count);
	return td_ring_attach(view, region->events + thread * region->events_stride,
			      region->events_stride, sizeof(struct td_event), as_producer);
}
