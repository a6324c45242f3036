// The call manager: everything between the SIP endpoint, the ACD and the dataplane.
//
//   datagram --> td_calls_receive --> SIP endpoint --+                 +--> td_link_submit
//   time     --> td_calls_advance --> timers --------+--> leg machines +--> td_acd_apply
//   link     --> done / event / state ---------------+--> call machine +--> td_store_put_call
//                                                                      +--> ops.send, notices
//
// It creates and owns the SIP endpoint, the registrar, the trunks, all calls and legs. Queue i and
// agent i of the config are queue i and agent i of the ACD, which it fills at creation.
//
//   invariant: calls <= sip.calls_max, contacts <= sip.registrations_max; beyond them 503 with a
//   random Retry-After; when a call has ended none of its legs, streams or ACD entries is left
//
// Memory: all pools are allocated by td_calls_create; nothing grows later. Thread: the control
// loop's. Callbacks of `ops` run inside the call that caused them and may not call back into the
// functions of this header.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "td_endpoint.h"
#include "td_error.h"
#include "td_role.h"

struct td_acd;
struct td_call_notice; // call/inspect.h
struct td_link;
struct td_store;
struct td_calls;

struct td_calls_ops {
	// Sends a SIP datagram; the bytes are borrowed. Losing it is safe.
	void (*send)(void *user, const struct td_endpoint *to, const void *bytes, size_t len);
	// Which address of ours faces `peer`, when sip.listen is a wildcard; NULL otherwise. Port
	// ignored. 0 or -TD_E*.
	int (*route)(void *user, const struct td_endpoint *peer, struct td_endpoint *from);
	// Something an API subscriber may want to know has changed; NULL: nobody listens.
	void (*on_change)(void *user, const struct td_call_notice *notice);
	uint64_t (*now_ms)(void *user);  // CLOCK_MONOTONIC
	uint64_t (*wall_ms)(void *user); // UTC since 1970
	void *user;
};

struct td_calls_deps {
	const struct td_config *config; // borrowed for life, as the next three are
	struct td_link *link;           // its on_event and on_state are taken
	struct td_acd *acd;             // fresh: queues and agents are added here
	struct td_store *store;         // NULL: no records are written (tests)
	struct td_endpoint sip_local;   // where the socket is bound, with its real port
	struct td_calls_ops ops;
	uint64_t seed[4]; // random: tags, branches, nonces, Retry-After
};

// Checks nothing of the config again (td_config_load has). -TD_EMEMORY, -TD_EINVALID when the ACD
// refuses the config's queues or agents.
TD_MUST_CHECK int td_calls_create(const struct td_calls_deps *deps, struct td_calls **out)
	TD_CONTROL;

// One datagram from the SIP socket.
void td_calls_receive(struct td_calls *calls, const struct td_endpoint *from, const void *bytes,
		      size_t len) TD_CONTROL;

// Runs every timer that is due; call it when td_calls_next_ms has come, or earlier.
void td_calls_advance(struct td_calls *calls) TD_CONTROL;
// When td_calls_advance wants to run next (monotonic ms); UINT64_MAX: not before something happens.
// Ask again after every function of this header and after every turn that ran the link.
uint64_t td_calls_next_ms(const struct td_calls *calls) TD_CONTROL;

// New calls and registrations get 503 from now on; every call up is hung up with cause
// "system-shutdown". td_calls_idle turns true when all of them are gone: the caller bounds the wait.
void td_calls_shutdown(struct td_calls *calls) TD_CONTROL;
bool td_calls_idle(const struct td_calls *calls) TD_CONTROL;

// Writes the records of whatever is still up (cause "system-shutdown") and frees everything. The
// link has to be gone before (td_link_destroy): it ends the requests whose answers come here.
void td_calls_destroy(struct td_calls *calls) TD_CONTROL;
