// The shared region: what the creator lays out is accepted, and nothing else is.
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "td_region.h"

static const struct td_region_sizes sizes = {
	.worker_count = 2, .stream_count = 8, .prompt_count = 3, .port_count = 2
};

static uint8_t *memory;
static size_t bytes;
static struct td_region made;
static char reason[TD_REGION_REASON_MAX];

// Zeroed pages of private memory.
static void *map_pages(size_t len)
{
	// POSIX wants -1 for the descriptor of an anonymous mapping, whatever the library model says.
	// cppcheck-suppress invalidFunctionArg
	void *map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(map, MAP_FAILED);
	return map;
}

static void setup(void)
{
	bytes = td_region_bytes(&sizes);
	memory = map_pages(bytes);
	td_region_format(memory, &sizes, 0x1234, 99, &made);
}

static void teardown(void)
{
	munmap(memory, bytes);
}

static struct td_region_header *header(void)
{
	return (struct td_region_header *)memory;
}

static void expect(int result, const char *in_reason)
{
	struct td_region region;
	int got = td_region_check(memory, bytes, &region, reason);

	ck_assert_msg(got == result, "got %d (%s), expected %d", got, reason, result);
	if (result == 0)
		ck_assert_str_eq(reason, "");
	else
		ck_assert_msg(strstr(reason, in_reason) != NULL, "\"%s\" lacks \"%s\"", reason,
			      in_reason);
}

static bool inside(const void *pointer, size_t len)
{
	const uint8_t *p = pointer;

	return p >= memory && p + len <= memory + bytes && (uintptr_t)p % 64 == 0;
}

START_TEST(accepts_what_was_laid_out)
{
	struct td_region region;

	ck_assert_int_eq(td_region_check(memory, bytes, &region, reason), 0);
	ck_assert_uint_eq(region.worker_count, 2);
	ck_assert_uint_eq(region.stream_count, 8);
	ck_assert_uint_eq(region.prompt_count, 3);
	ck_assert_uint_eq(region.header->boot_id, 0x1234);
	ck_assert_uint_eq(region.header->pid, (uint32_t)getpid());
	ck_assert_ptr_eq(region.commands, made.commands);
	ck_assert_ptr_eq(region.streams, made.streams);
	ck_assert(inside(region.commands, region.commands_bytes));
	ck_assert(inside(region.events, 3 * region.events_stride));
	ck_assert(inside(region.workers, 2 * sizeof *region.workers));
	ck_assert(inside(region.streams, 8 * sizeof *region.streams));
	ck_assert(inside(region.prompts, 3 * sizeof *region.prompts));
}
END_TEST

// No byte belongs to two sections.
START_TEST(sections_do_not_overlap)
{
	uint64_t end = sizeof(struct td_region_header);

	for (int i = 0; i < TD_SECTION_COUNT; i++) {
		const struct td_section *section = &header()->sections[i];

		ck_assert_uint_ge(section->offset, end);
		ck_assert_uint_eq(section->offset % 64, 0);
		ck_assert_uint_eq(section->bytes, (uint64_t)section->count * section->stride);
		end = section->offset + section->bytes;
	}
	ck_assert_uint_le(end, header()->total_bytes);
	ck_assert_uint_eq(header()->total_bytes, bytes);
}
END_TEST

START_TEST(smallest_and_largest)
{
	static const struct td_region_sizes both[] = {
		{ .worker_count = 1, .stream_count = 0, .prompt_count = 0 },
		{ .worker_count = TD_WORKER_MAX,
		  .stream_count = 4096,
		  .prompt_count = TD_PROMPT_MAX,
		  .port_count = TD_PORT_MAX },
	};
	size_t len = td_region_bytes(&both[_i]);
	void *m = map_pages(len);
	struct td_region region;

	td_region_format(m, &both[_i], 1, 1, &region);
	ck_assert_int_eq(td_region_check(m, len, &region, reason), 0);
	ck_assert_uint_eq(region.worker_count, both[_i].worker_count);
	ck_assert_uint_eq(region.port_count, both[_i].port_count);
	munmap(m, len);
}
END_TEST

START_TEST(identity)
{
	header()->cookie ^= 1;
	expect(-TD_EMALFORMED, "cookie is ");
	header()->cookie ^= 1;
	header()->version = TD_REGION_VERSION + 1;
	expect(-TD_EVERSION, "version is 3, expected 2");
	header()->version = 0;
	expect(-TD_EVERSION, "version is 0, expected 2");
	header()->version = TD_REGION_VERSION;
	header()->layout_hash ^= 1ull << 63;
	expect(-TD_EVERSION, "layout hash");
	header()->layout_hash ^= 1ull << 63;
	header()->header_bytes--;
	expect(-TD_EVERSION, "layout");
	header()->header_bytes++;
	expect(0, NULL);
}
END_TEST

// Cut at every byte of the header and around every section's edges, each with nothing readable
// behind the cut.
static void cut_at(size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t room = (len + page - 1) / page * page;
	uint8_t *map = map_pages(room + page);
	struct td_region region;
	uint8_t *start = map + room - len;
	int error;

	ck_assert_int_eq(mprotect(map + room, page, PROT_NONE), 0);
	memcpy(start, memory, len);
	error = td_region_check(start, len, &region, reason);
	ck_assert_msg(error == -TD_ETRUNCATED, "%zu bytes: %d %s", len, error, reason);
	ck_assert_ptr_nonnull(strstr(reason, "truncated"));
	munmap(map, room + page);
}

START_TEST(truncated_anywhere)
{
	for (size_t len = 0; len <= sizeof(struct td_region_header) + 64; len++)
		cut_at(len);
	for (int i = 0; i < TD_SECTION_COUNT; i++) {
		const struct td_section *section = &header()->sections[i];

		for (int64_t delta = -1; delta <= 1; delta++) {
			cut_at((size_t)((int64_t)section->offset + delta));
			if (section->offset + section->bytes + (uint64_t)delta < bytes)
				cut_at((size_t)((int64_t)(section->offset + section->bytes) +
						delta));
		}
	}
	cut_at(bytes - 1);
}
END_TEST

// Every word of the section table, changed in every way that matters.
START_TEST(section_table_tampering)
{
	static const uint64_t changes[] = { 1, 64, 1ull << 31, 1ull << 32, 1ull << 63, UINT64_MAX };
	uint32_t *table = (uint32_t *)header()->sections;
	size_t words = TD_SECTION_COUNT * (sizeof(struct td_section) / sizeof(uint32_t));

	for (size_t w = 0; w < words; w++)
		for (size_t c = 0; c < sizeof changes / sizeof changes[0]; c++) {
			uint32_t saved = table[w];
			struct td_region region;

			table[w] = saved + (uint32_t)changes[c] + (uint32_t)(changes[c] >> 32);
			if (table[w] != saved)
				ck_assert_msg(td_region_check(memory, bytes, &region, reason) ==
						      -TD_ECORRUPT,
					      "word %zu + %#llx accepted", w,
					      (unsigned long long)changes[c]);
			ck_assert(table[w] == saved || *reason);
			table[w] = saved;
		}
	expect(0, NULL);
}
END_TEST

static const struct {
	uint32_t workers, streams, prompts, ports;
} counts[] = {
	{ 0, 8, 3, 2 },          { TD_WORKER_MAX + 1, 8, 3, 2 },
	{ UINT32_MAX, 8, 3, 2 }, { 2, TD_STREAM_MAX + 1, 3, 2 },
	{ 2, UINT32_MAX, 3, 2 }, { 2, 8, TD_PROMPT_MAX + 1, 2 },
	{ 2, 8, UINT32_MAX, 2 }, { 2, 8, 3, TD_PORT_MAX + 1 },
	{ 2, 8, 3, UINT32_MAX },
};

START_TEST(impossible_counts)
{
	header()->worker_count = counts[_i].workers;
	header()->sections[TD_SECTION_STREAMS].count = counts[_i].streams;
	header()->sections[TD_SECTION_PROMPTS].count = counts[_i].prompts;
	header()->sections[TD_SECTION_PORTS].count = counts[_i].ports;
	expect(-TD_ECORRUPT, "counts are impossible");
}
END_TEST

START_TEST(total_bytes_tampering)
{
	header()->total_bytes++;
	expect(-TD_ETRUNCATED, "truncated");
	header()->total_bytes = UINT64_MAX;
	expect(-TD_ETRUNCATED, "truncated");
	header()->total_bytes = bytes - 64;
	expect(-TD_ECORRUPT, "its sections need");
	header()->total_bytes = 0;
	expect(-TD_ECORRUPT, "its sections need");
}
END_TEST

static void damage_ring(uint8_t *at)
{
	struct td_ring *ring = (struct td_ring *)at;
	struct td_ring saved;

	memcpy(&saved, ring, sizeof saved);
	atomic_store(&ring->head, atomic_load(&ring->tail) + ring->slot_count + 1);
	expect(-TD_ECORRUPT, "ring in the region is damaged");
	memcpy(ring, &saved, sizeof saved);
	ring->slot_count = 3;
	expect(-TD_ECORRUPT, "ring in the region is damaged");
	ring->slot_count = ring->slot_count << 20;
	expect(-TD_ECORRUPT, "ring in the region is damaged");
	memcpy(ring, &saved, sizeof saved);
	ring->slot_bytes = 0;
	expect(-TD_ECORRUPT, "ring in the region is damaged");
	memcpy(ring, &saved, sizeof saved);
	expect(0, NULL);
}

START_TEST(damaged_rings)
{
	damage_ring(made.commands);
	for (uint32_t i = 0; i <= sizes.worker_count; i++)
		damage_ring(made.events + i * made.events_stride);
}
END_TEST

// Random bytes, with ever more of the header made right.
START_TEST(garbage)
{
	uint64_t random = 0x9e3779b97f4a7c15ull;

	for (int round = 0; round < 2000; round++) {
		struct td_region_header h = { 0 };
		struct td_region region;

		for (size_t i = 0; i < sizeof h / 8; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			memcpy((uint8_t *)&h + i * 8, &random, 8);
		}
		if (round % 4 >= 1)
			h.cookie = TD_REGION_COOKIE;
		if (round % 4 >= 2)
			h.version = TD_REGION_VERSION;
		if (round % 4 >= 3) {
			h.layout_hash = td_region_layout_hash();
			h.header_bytes = sizeof h;
			h.total_bytes = random % bytes;
			h.worker_count = (uint32_t)(random % (TD_WORKER_MAX + 2));
			h.sections[TD_SECTION_STREAMS].count = (uint32_t)(random % 64);
			h.sections[TD_SECTION_PROMPTS].count = (uint32_t)(random % 300);
		}
		memcpy(memory, &h, sizeof h);
		ck_assert_int_ne(td_region_check(memory, bytes, &region, reason), 0);
		ck_assert(*reason);
	}
}
END_TEST

// A command and its answer, through the region's own rings.
START_TEST(rings_carry_both_ways)
{
	struct td_ring_view to_dataplane, from_control, to_control, from_dataplane;
	struct td_command command = { .request_id = 7, .kind = TD_COMMAND_PING }, got;
	struct td_event event = { .request_id = 7, .kind = TD_EVENT_DONE }, answer;
	struct td_region region;

	ck_assert_int_eq(td_region_check(memory, bytes, &region, reason), 0);
	ck_assert_int_eq(td_region_attach_commands(&region, 1, &to_dataplane), 0);
	ck_assert_int_eq(td_region_attach_commands(&made, 0, &from_control), 0);
	ck_assert_int_eq(td_ring_push(&to_dataplane, &command), 0);
	ck_assert_int_eq(td_ring_pop(&from_control, &got), 0);
	ck_assert_mem_eq(&command, &got, sizeof got);
	for (uint32_t thread = 0; thread <= sizes.worker_count; thread++) {
		ck_assert_int_eq(td_region_attach_events(&made, thread, 1, &to_control), 0);
		ck_assert_int_eq(td_region_attach_events(&region, thread, 0, &from_dataplane), 0);
		event.thread = thread;
		ck_assert_int_eq(td_ring_push(&to_control, &event), 0);
		ck_assert_int_eq(td_ring_pop(&from_dataplane, &answer), 0);
		ck_assert_mem_eq(&event, &answer, sizeof answer);
	}
}
END_TEST

START_TEST(a_full_command_ring_says_so)
{
	struct td_ring_view view;
	struct td_command command = { .request_id = 1, .kind = TD_COMMAND_PING };

	ck_assert_int_eq(td_region_attach_commands(&made, 1, &view), 0);
	for (int i = 0; i < TD_COMMAND_SLOTS; i++)
		ck_assert_int_eq(td_ring_push(&view, &command), 0);
	ck_assert_int_eq(td_ring_push(&view, &command), -TD_EFULL);
	expect(0, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("region");
	TCase *tcase = tcase_create("region");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, accepts_what_was_laid_out);
	tcase_add_test(tcase, sections_do_not_overlap);
	tcase_add_loop_test(tcase, smallest_and_largest, 0, 2);
	tcase_add_test(tcase, identity);
	tcase_add_test(tcase, truncated_anywhere);
	tcase_add_test(tcase, section_table_tampering);
	tcase_add_loop_test(tcase, impossible_counts, 0, sizeof counts / sizeof counts[0]);
	tcase_add_test(tcase, total_bytes_tampering);
	tcase_add_test(tcase, damaged_rings);
	tcase_add_test(tcase, garbage);
	tcase_add_test(tcase, rings_carry_both_ways);
	tcase_add_test(tcase, a_full_command_ring_says_so);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
