// What the main thread asks of the recorder thread, in order.
//
//   main --push--> [ list under a lock ] --take--> recorder thread
//
// An open request comes with the close request that will follow, so that a close never lacks memory.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "td_command.h"
#include "td_error.h"

enum td_request_kind {
	TD_REQUEST_OPEN,
	TD_REQUEST_CLOSE,
	TD_REQUEST_NOTE,
	TD_REQUEST_CONTROL,
};

struct td_request {
	struct td_request *next;
	uint8_t kind; // enum td_request_kind
	struct td_tap_id tap;
	uint64_t time_ns;
	union {
		struct td_command_record_start start;
		struct td_command_record_note note;
		struct td_command_record_control control;
	} u;
};

struct td_request_list {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
	struct td_request *first, *last;
	uint32_t waiting; // notes and controls
};

void td_request_list_init(struct td_request_list *list);
void td_request_list_fini(struct td_request_list *list);

// A request of its own memory; NULL: there is none.
struct td_request *td_request_make(enum td_request_kind kind, struct td_tap_id tap);
void td_request_push(struct td_request_list *list, struct td_request *request);
// The oldest, which the caller frees with free(); NULL: none waits.
struct td_request *td_request_take(struct td_request_list *list);

void td_request_stop(struct td_request_list *list);
// Sleeps until there is one, at most until `until_ns`; false when it is time to stop.
bool td_request_wait(struct td_request_list *list, uint64_t until_ns);
uint32_t td_request_waiting(struct td_request_list *list);
