// Answers that come later: a verb that is a command to the dataplane is answered when that is.
//
//   verb --td_later_submit--> link --> dataplane --> done --> reply to the client, if it is there
//
// Memory: one malloc a request, freed with its answer; the link bounds how many there are and
// answers each, at the latest at its deadline. Such a request cannot be part of a batch.
#pragma once

#include "api/rpc.h"
#include "td_command.h"
#include "td_event.h"
#include "td_role.h"

// The result of a command that worked: a new reference, NULL when out of memory.
typedef json_t *td_later_result_fn(const struct td_event *event);

struct td_later;

// Keeps who asks until td_later_answer. NULL: it cannot be kept (part of a batch, no memory) and the
// error is in `call`. Otherwise the verb returns NULL.
struct td_later *td_later_keep(struct td_rpc_call *call) TD_CONTROL;
// Once. `error` of td_error.h; `result` is taken, and looked at when that is 0.
void td_later_answer(struct td_later *later, int error, json_t *result) TD_CONTROL;
// Nobody will be answered by this one; the verb fails in another way.
void td_later_drop(struct td_later *later, struct td_rpc_call *call) TD_CONTROL;

// Returns NULL in every case: the verb's way out. `result` NULL: {"done":true}.
json_t *td_later_submit(struct td_rpc_call *call, struct td_command *command,
			td_later_result_fn *result) TD_CONTROL;

// What takes a while and waits for nothing but the disk: runs on a thread of its own. The result, or
// NULL after td_rpc_fail with `failed`.
typedef json_t *td_later_work_fn(void *user, const json_t *params, struct td_rpc_call *failed);

// Returns NULL in every case. `user` must outlive the loop's last turn.
json_t *td_later_work(struct td_rpc_call *call, td_later_work_fn *run, void *user) TD_CONTROL;
