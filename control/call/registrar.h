// The registrar: which agent's phone is where (RFC 3261 section 10, digest by sip/digest.h).
//
//   REGISTER --> credentials? --no--> 401 --wrong, or somebody else's--> 403
//                     | right
//                     v
//   agent i: contacts, newest first, at most TD_REGISTRAR_CONTACT_MAX; a further one evicts the oldest
//
//   invariant: contacts of all agents together <= sip.registrations_max; when full: 503
//   invariant: an agent is reachable = has at least one contact
//
// A user who does not exist costs the same work and gets the same answers as one with the wrong
// password. Memory: one pool, allocated at creation. Time is an argument; no I/O.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/wheel.h"
#include "call/slots.h"
#include "config/config.h"
#include "sip/digest.h"
#include "sip/message.h"
#include "td_endpoint.h"

#define TD_REGISTRAR_CONTACT_MAX   4
#define TD_REGISTRAR_URI_MAX       256
#define TD_REGISTRAR_CALL_ID_MAX   128
#define TD_REGISTRAR_EXPIRES_MIN_S 30
#define TD_REGISTRAR_EXPIRES_MAX_S 3600
#define TD_REGISTRAR_HEADERS_MAX   2048
#define TD_REGISTRAR_NONCE_LIFE_MS 300000

struct td_contact {
	struct td_timer timer; // its expiry
	struct td_list link;   // on its agent's list
	uint32_t agent;
	uint32_t cseq;
	uint64_t expires_ms;
	struct td_endpoint received; // where the REGISTER came from
	char uri[TD_REGISTRAR_URI_MAX];
	char call_id[TD_REGISTRAR_CALL_ID_MAX];
};

struct td_registrar_agent {
	struct td_list contacts; // newest first
	uint32_t contact_count;
	const struct td_config_agent *config;
};

struct td_registrar {
	struct td_sip_digest_server digest;
	struct td_wheel wheel;
	struct td_registrar_agent *agents; // as in the config
	uint32_t *by_id;                   // agent indices, sorted by id
	uint32_t agent_count;
	struct td_slots slots;
	struct td_contact *contacts;
	uint64_t accepted, refused;
};

// -TD_EMEMORY; -TD_EINVALID when the realm cannot be quoted.
TD_MUST_CHECK int td_registrar_init(struct td_registrar *registrar, const struct td_config *config,
				    const uint8_t seed[32], uint64_t now_ms);
void td_registrar_fini(struct td_registrar *registrar);

struct td_registrar_reply {
	uint16_t status;
	char headers[TD_REGISTRAR_HEADERS_MAX]; // lines, each ending CRLF
	int agent;                              // whose contacts may have changed, or -1
	bool refresh;                           // nothing became reachable or unreachable
};

// Answers one REGISTER. `reply` is complete in every case.
void td_registrar_request(struct td_registrar *registrar, uint64_t now_ms,
			  const struct td_sip_message *msg, const struct td_endpoint *from,
			  struct td_registrar_reply *reply);

// Called with each agent whose last contact has just expired.
typedef void td_registrar_gone_fn(void *user, uint32_t agent);
void td_registrar_advance(struct td_registrar *registrar, uint64_t now_ms,
			  td_registrar_gone_fn *gone, void *user);
uint64_t td_registrar_next_ms(const struct td_registrar *registrar);

// The agent's index, or -TD_ENOT_FOUND.
TD_MUST_CHECK int td_registrar_find(const struct td_registrar *registrar, const char *id);
// The newest contact, or NULL: not registered. Good until the next call into the registrar.
const struct td_contact *td_registrar_contact(const struct td_registrar *registrar, uint32_t agent);
