// tandem-control as one object: its rooms brought up in order, and taken down in reverse.
//
//   archive -> loop -> data folder -> store -> ACD -> link -> SIP socket -> calls -> API -> signals
//        |           |                                                      |
//        '-- a stage that cannot start unwinds those before it, with one sentence that says why
//
// Stopping is in two steps: first the calls say goodbye (2 s at most; a second signal cuts it
// short), then everything closes and the loop runs dry.
// Memory: the caller's struct. Thread: the loop's, all of it.
#pragma once

#include <uv.h>

#include "app/gather.h"
#include "config/config.h"
#include "td_error.h"
#include "td_role.h"
#include "transport/udp.h"

#define TD_CONTROL_REASON_MAX 512

struct td_archive_stage; // archive_stage.h

struct td_control {
	const struct td_config *config;
	uv_loop_t loop;
	struct td_gather_hooks gather;
	struct td_archive_stage *archive;
	struct td_store *store;
	struct td_acd *acd;
	struct td_link *link;
	struct td_udp *udp;
	struct td_calls *calls;
	struct td_api *api;
	struct td_metrics *metrics;  // NULL: off
	uv_timer_t calls_timer;      // when td_calls_next_ms has come
	uv_prepare_t calls_arm;      // asks for it again before every wait
	uint64_t armed_ms;           // what calls_timer is set to; UINT64_MAX: it is not
	uv_timer_t watch;            // looks at the SIP socket's troubles
	struct td_udp_stats watched; // as they were at the last look
	uv_signal_t on_term, on_int;
	uv_timer_t goodbye; // watches the calls end, and the time that takes
	uint64_t stopping_since_ms;
	bool stopping;
	unsigned stages_up;
};

// Brings every stage up. 0, or -TD_E* with one sentence and everything taken down again.
TD_MUST_CHECK int td_control_start(struct td_control *control, const struct td_config *config,
				   char reason[TD_CONTROL_REASON_MAX]) TD_CONTROL;

// Runs until SIGTERM or SIGINT, and until the calls have said goodbye.
void td_control_run(struct td_control *control) TD_CONTROL;

// Takes every stage down; records are written before it returns.
void td_control_stop(struct td_control *control) TD_CONTROL;
