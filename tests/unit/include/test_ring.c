// The ring: order, fullness, wrap of the 32-bit positions, and a peer that lies about them.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "td_ring.h"

#define SLOTS 8u
#define BYTES 24u

static uint8_t *memory;
static size_t memory_bytes;

// Exactly as long as the ring, so that a sanitizer sees one byte too far.
static void setup(void)
{
	memory_bytes = td_ring_bytes(SLOTS, BYTES);
	memory = aligned_alloc(TD_CACHE_LINE, memory_bytes);
	ck_assert_ptr_nonnull(memory);
	memset(memory, 0, memory_bytes);
	td_ring_format(memory, SLOTS, BYTES);
}

static void teardown(void)
{
	free(memory);
}

static void fill(uint8_t slot[BYTES], uint32_t value)
{
	for (uint32_t i = 0; i < BYTES; i++)
		slot[i] = (uint8_t)(value * 31 + i);
}

static void attach_both(struct td_ring_view *producer, struct td_ring_view *consumer)
{
	ck_assert_int_eq(td_ring_attach(producer, memory, memory_bytes, BYTES, 1), 0);
	ck_assert_int_eq(td_ring_attach(consumer, memory, memory_bytes, BYTES, 0), 0);
}

// Both positions as if that many slots had gone through.
static void age(uint32_t position)
{
	struct td_ring *ring = (struct td_ring *)memory;

	atomic_store(&ring->head, position);
	atomic_store(&ring->tail, position);
}

// Every fill level at positions around 0, around the wrap of the mask and of the 32-bit words.
START_TEST(first_in_first_out_at_every_level_and_wrap)
{
	static const uint32_t starts[] = {
		0, 1, SLOTS - 1, SLOTS, UINT32_MAX - SLOTS - 1, UINT32_MAX - 1, UINT32_MAX
	};
	struct td_ring_view producer, consumer;
	uint8_t in[BYTES], out[BYTES];

	age(starts[_i]);
	attach_both(&producer, &consumer);
	for (uint32_t level = 0; level <= SLOTS; level++) {
		for (uint32_t i = 0; i < level; i++) {
			fill(in, level * 100 + i);
			ck_assert_int_eq(td_ring_push(&producer, in), 0);
			ck_assert_uint_eq(td_ring_used(&consumer), i + 1);
		}
		for (uint32_t i = 0; i < level; i++) {
			fill(in, level * 100 + i);
			ck_assert_int_eq(td_ring_pop(&consumer, out), 0);
			ck_assert_mem_eq(in, out, BYTES);
		}
		ck_assert_int_eq(td_ring_pop(&consumer, out), -TD_EEMPTY);
		ck_assert_uint_eq(td_ring_used(&consumer), 0);
	}
}
END_TEST

START_TEST(full_refuses_counts_and_overwrites_nothing)
{
	struct td_ring *ring = (struct td_ring *)memory;
	struct td_ring_view producer, consumer;
	uint8_t in[BYTES], out[BYTES];

	attach_both(&producer, &consumer);
	for (uint32_t i = 0; i < SLOTS; i++) {
		fill(in, i);
		ck_assert_int_eq(td_ring_push(&producer, in), 0);
	}
	fill(in, 999);
	for (uint32_t i = 1; i <= 3; i++) {
		ck_assert_int_eq(td_ring_push(&producer, in), -TD_EFULL);
		ck_assert_uint_eq(atomic_load(&ring->lost), i);
	}
	ck_assert_int_eq(td_ring_pop(&consumer, out), 0);
	fill(in, 0);
	ck_assert_mem_eq(in, out, BYTES);
	// One slot is free: exactly one push goes in.
	ck_assert_int_eq(td_ring_push(&producer, in), 0);
	ck_assert_int_eq(td_ring_push(&producer, in), -TD_EFULL);
	ck_assert_uint_eq(atomic_load(&ring->lost), 4);
}
END_TEST

START_TEST(a_new_attacher_continues_where_the_last_one_died)
{
	struct td_ring_view producer, consumer;
	uint8_t in[BYTES], out[BYTES];

	attach_both(&producer, &consumer);
	for (uint32_t i = 0; i < 5; i++) {
		fill(in, i);
		ck_assert_int_eq(td_ring_push(&producer, in), 0);
	}
	ck_assert_int_eq(td_ring_pop(&consumer, out), 0);
	memset(&producer, 0xee, sizeof producer);
	memset(&consumer, 0xee, sizeof consumer);
	attach_both(&producer, &consumer);
	ck_assert_uint_eq(td_ring_used(&consumer), 4);
	for (uint32_t i = 1; i < 5; i++) {
		ck_assert_int_eq(td_ring_pop(&consumer, out), 0);
		fill(in, i);
		ck_assert_mem_eq(in, out, BYTES);
	}
	ck_assert_int_eq(td_ring_pop(&consumer, out), -TD_EEMPTY);
}
END_TEST

static const struct {
	const char *what;
	uint32_t slot_count, slot_bytes, head, tail;
	int result;
} shapes[] = {
	{ "as formatted", SLOTS, BYTES, 0, 0, 0 },
	{ "fewer slots than there is room for", SLOTS / 2, BYTES, 0, 0, 0 },
	{ "one slot", 1, BYTES, 0, 0, 0 },
	{ "full", SLOTS, BYTES, SLOTS, 0, 0 },
	{ "full across the wrap", SLOTS, BYTES, 3, (uint32_t)0 - SLOTS + 3, 0 },
	{ "no slots", 0, BYTES, 0, 0, -TD_ECORRUPT },
	{ "not a power of two", SLOTS - 1, BYTES, 0, 0, -TD_ECORRUPT },
	{ "twice the room", SLOTS * 2, BYTES, 0, 0, -TD_ECORRUPT },
	{ "2^31 slots", 1u << 31, BYTES, 0, 0, -TD_ECORRUPT },
	{ "2^32 - 1 slots", UINT32_MAX, BYTES, 0, 0, -TD_ECORRUPT },
	{ "slots one byte short", SLOTS, BYTES - 1, 0, 0, -TD_ECORRUPT },
	{ "slots one byte long", SLOTS, BYTES + 1, 0, 0, -TD_ECORRUPT },
	{ "slots of no bytes", SLOTS, 0, 0, 0, -TD_ECORRUPT },
	{ "one more than full", SLOTS, BYTES, SLOTS + 1, 0, -TD_ECORRUPT },
	{ "tail before head", SLOTS, BYTES, 0, 1, -TD_ECORRUPT },
	{ "half the number space used", SLOTS, BYTES, 1u << 31, 0, -TD_ECORRUPT },
};

START_TEST(attach_believes_only_what_can_be)
{
	struct td_ring *ring = (struct td_ring *)memory;

	ring->slot_count = shapes[_i].slot_count;
	ring->slot_bytes = shapes[_i].slot_bytes;
	atomic_store(&ring->head, shapes[_i].head);
	atomic_store(&ring->tail, shapes[_i].tail);
	for (int as_producer = 0; as_producer <= 1; as_producer++) {
		struct td_ring_view view;
		int result = td_ring_attach(&view, memory, memory_bytes, BYTES, as_producer);

		ck_assert_msg(result == shapes[_i].result, "%s: %d", shapes[_i].what, result);
	}
}
END_TEST

START_TEST(attach_refuses_every_truncation)
{
	for (size_t bytes = 0; bytes < memory_bytes; bytes++) {
		uint8_t *copy = aligned_alloc(TD_CACHE_LINE, (bytes + 63) & ~(size_t)63);
		struct td_ring_view view;
		int expected = bytes < sizeof(struct td_ring) ? -TD_ETRUNCATED : -TD_ECORRUPT;

		ck_assert(bytes == 0 || copy);
		if (copy)
			memcpy(copy, memory, bytes);
		ck_assert_int_eq(td_ring_attach(&view, copy, bytes, BYTES, 0), expected);
		free(copy);
	}
}
END_TEST

// A producer that writes any head at all: the consumer says corrupt or reads inside the slots.
START_TEST(consumer_survives_any_head)
{
	static const uint32_t heads[] = { 0, 1, SLOTS, SLOTS + 1, 100, 1u << 31, UINT32_MAX };
	struct td_ring *ring = (struct td_ring *)memory;

	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		struct td_ring_view consumer;
		uint8_t out[BYTES];
		uint32_t popped = 0;
		int error;

		age(0);
		ck_assert_int_eq(td_ring_attach(&consumer, memory, memory_bytes, BYTES, 0), 0);
		atomic_store(&ring->head, heads[i]);
		ck_assert_uint_le(td_ring_used(&consumer), SLOTS);
		while ((error = td_ring_pop(&consumer, out)) == 0)
			popped++;
		ck_assert_uint_le(popped, SLOTS);
		ck_assert_int_eq(error, heads[i] > SLOTS ? -TD_ECORRUPT : -TD_EEMPTY);
		ck_assert_uint_eq(popped, heads[i] > SLOTS ? 0 : heads[i]);
	}
}
END_TEST

// A head that goes backwards after the consumer has read on is impossible, too.
START_TEST(consumer_notices_a_head_that_goes_back)
{
	struct td_ring *ring = (struct td_ring *)memory;
	struct td_ring_view producer, consumer;
	uint8_t slot[BYTES] = { 0 };

	attach_both(&producer, &consumer);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(td_ring_push(&producer, slot), 0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(td_ring_pop(&consumer, slot), 0);
	atomic_store(&ring->head, 3);
	ck_assert_int_eq(td_ring_pop(&consumer, slot), -TD_ECORRUPT);
	ck_assert_int_eq(td_ring_pop(&consumer, slot), -TD_ECORRUPT);
}
END_TEST

// A consumer that writes any tail at all, and any shape: the producer stays inside the slots.
START_TEST(producer_survives_any_tail_and_shape)
{
	static const uint32_t tails[] = { 0, 1, SLOTS, SLOTS + 1, 100, 1u << 31, UINT32_MAX };
	struct td_ring *ring = (struct td_ring *)memory;

	for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
		struct td_ring_view producer;
		uint8_t slot[BYTES] = { 0 };
		uint32_t pushed = 0;

		age(0);
		ck_assert_int_eq(td_ring_attach(&producer, memory, memory_bytes, BYTES, 1), 0);
		atomic_store(&ring->tail, tails[i]);
		// The view keeps its own mask and slot size: these words are no longer believed.
		ring->slot_count = 1u << 30;
		ring->slot_bytes = 4096;
		while (pushed < 3 * SLOTS && td_ring_push(&producer, slot) == 0)
			pushed++;
		ck_assert_uint_lt(pushed, 3 * SLOTS);
		td_ring_format(memory, SLOTS, BYTES);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ring");
	TCase *tcase = tcase_create("ring");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, first_in_first_out_at_every_level_and_wrap, 0, 7);
	tcase_add_test(tcase, full_refuses_counts_and_overwrites_nothing);
	tcase_add_test(tcase, a_new_attacher_continues_where_the_last_one_died);
	tcase_add_loop_test(tcase, attach_believes_only_what_can_be, 0,
			    sizeof shapes / sizeof shapes[0]);
	tcase_add_test(tcase, attach_refuses_every_truncation);
	tcase_add_test(tcase, consumer_survives_any_head);
	tcase_add_test(tcase, consumer_notices_a_head_that_goes_back);
	tcase_add_test(tcase, producer_survives_any_tail_and_shape);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
