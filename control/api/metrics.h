// Prometheus metrics over HTTP: GET /metrics on loopback, in the text exposition format 0.0.4.
//
//   Prometheus --HTTP--> libmicrohttpd --td_metrics_write--> one page, composed when asked for
//                         (in the loop's thread: uv_poll on its epoll descriptor, uv_timer)
//
// Read only, no token: it tells counts and measures, never who called whom. Bounded: 16 connections,
// 4 KiB of request, 10 s without progress; a scraper that does not read keeps one page of memory and
// one connection and nobody else waits for it. Thread: the libuv loop's.
#pragma once

#include <stdio.h>

#include "api/server.h"

struct td_metrics;

// Listens on config->metrics.listen; *out NULL when that is off. 0, -TD_EBUSY, -TD_EIO or -TD_EMEMORY
// with one sentence and its remedy in `error`.
TD_MUST_CHECK int td_metrics_create(uv_loop_t *loop, const struct td_api_deps *deps,
				    struct td_metrics **out, char error[TD_API_ERROR_MAX])
	TD_CONTROL;
// Hangs up on everybody. Frees itself once the loop has run its close callbacks. NULL is allowed.
void td_metrics_close(struct td_metrics *metrics) TD_CONTROL;

// The page.
void td_metrics_write(FILE *out, const struct td_api_deps *deps) TD_CONTROL;
