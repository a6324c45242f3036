// The main thread's loop: commands in, events' bell out, attach and detach, watchdog, signals.
//
//   epoll: command bell | listener | control's connection | signals | kernel's routes   or a timeout:
//     1 ms for TD_LOOP_ALERT_MS after anything has happened,
//     TD_LOOP_CALLS_MS while any context or recording is there,
//     else longer and longer up to TD_LOOP_REST_MS
//
// A batch of at most TD_LOOP_COMMANDS commands a turn, so that bells and signals are never starved.
#pragma once

#include "app/dataplane.h"
#include "td_role.h"

#define TD_LOOP_COMMANDS 256
#define TD_LOOP_ALERT_MS 100
#define TD_LOOP_CALLS_MS 4
#define TD_LOOP_REST_MS  100

// Runs until SIGTERM or SIGINT (0) or until a worker is lost (-TD_ETIMEOUT). The caller has blocked
// both signals in all threads.
TD_MUST_CHECK int td_loop_run(struct td_dataplane *dataplane) TD_MAIN;
