// The ring with a real producer and a real consumer thread: nothing lost, torn or out of order.
//
// Build with -Db_sanitize=thread and it is also the proof that the atomics pair up: the slots
// themselves are plain memory, so a missing acquire or release is a reported race.
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "td_event.h"
#include "td_ring.h"

#define SLOTS 64u
#define ITEMS 100000u

static uint8_t *memory;
static size_t memory_bytes;
static uint64_t refused;

static void *produce(void *unused)
{
	struct td_ring_view view;
	struct td_event event = { 0 };

	(void)unused;
	if (td_ring_attach(&view, memory, memory_bytes, sizeof event, 1) != 0)
		abort();
	for (uint32_t i = 0; i < ITEMS; i++) {
		event.sequence = i;
		event.request_id = ~(uint64_t)i;
		memset(event.u.bytes, (int)(i & 0xff), sizeof event.u.bytes);
		while (td_ring_push(&view, &event) != 0) {
			refused++;
			sched_yield();
		}
	}
	return NULL;
}

static bool is_whole(const struct td_event *event, uint32_t expected)
{
	if (event->sequence != expected || event->request_id != ~(uint64_t)expected)
		return false;
	for (size_t b = 0; b < sizeof event->u.bytes; b++)
		if (event->u.bytes[b] != (expected & 0xff))
			return false;
	return true;
}

// One assertion an item at most: Check writes to a pipe at each of them.
START_TEST(two_threads)
{
	struct td_ring *ring;
	struct td_ring_view view;
	struct td_event event;
	pthread_t producer;

	memory_bytes = td_ring_bytes(SLOTS, sizeof event);
	memory = aligned_alloc(TD_CACHE_LINE, memory_bytes);
	ck_assert_ptr_nonnull(memory);
	memset(memory, 0, memory_bytes);
	td_ring_format(memory, SLOTS, sizeof event);
	ring = (struct td_ring *)memory;
	ck_assert_int_eq(td_ring_attach(&view, memory, memory_bytes, sizeof event, 0), 0);
	ck_assert_int_eq(pthread_create(&producer, NULL, produce, NULL), 0);
	for (uint32_t i = 0; i < ITEMS;) {
		int error = td_ring_pop(&view, &event);

		if (error == -TD_EEMPTY) {
			sched_yield();
			continue;
		}
		if (error || !is_whole(&event, i))
			ck_abort_msg("item %u: %s", i, error ? td_error_text(error) : "torn");
		i++;
	}
	pthread_join(producer, NULL);
	ck_assert_int_eq(td_ring_pop(&view, &event), -TD_EEMPTY);
	// Every refused push was counted.
	ck_assert_uint_eq(atomic_load(&ring->lost), refused);
	free(memory);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ring threads");
	TCase *tcase = tcase_create("ring threads");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, two_threads);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
