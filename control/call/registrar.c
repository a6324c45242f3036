// Who may register, and where they are.
#include "call/registrar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sip/uri.h"
#include "td_assert.h"

#define REQUEST_CONTACT_MAX 8 // contacts of one request that are looked at

// The changes one request asks for, checked before any of them is made (section 10.3 step 7).
struct changes {
	uint32_t count;
	bool clear; // "Contact: *"
	struct {
		struct td_str uri;
		uint32_t expires_s;
	} items[REQUEST_CONTACT_MAX];
};

static int compare_ids(const void *a, const void *b, void *agents)
{
	const struct td_registrar_agent *table = agents;

	return strcmp(table[*(const uint32_t *)a].config->id,
		      table[*(const uint32_t *)b].config->id);
}

int td_registrar_init(struct td_registrar *registrar, const struct td_config *config,
		      const uint8_t seed[32], uint64_t now_ms)
{
	uint32_t contacts_max = config->sip.registrations_max;
	int error;

	memset(registrar, 0, sizeof *registrar);
	error = td_sip_digest_server_init(&registrar->digest, config->sip.realm, seed,
					  TD_REGISTRAR_NONCE_LIFE_MS);
	if (error)
		return error;
	registrar->digest.offer_md5 = config->sip.digest != TD_DIGEST_SHA256;
	registrar->digest.offer_sha256 = config->sip.digest != TD_DIGEST_MD5;
	td_wheel_init(&registrar->wheel, now_ms);
	registrar->agent_count = config->agents_count;
	registrar->agents = calloc(config->agents_count + 1u, sizeof *registrar->agents);
	registrar->by_id = calloc(config->agents_count + 1u, sizeof *registrar->by_id);
	registrar->contacts = calloc(contacts_max, sizeof *registrar->contacts);
	if (!registrar->agents || !registrar->by_id || !registrar->contacts ||
	    td_slots_init(&registrar->slots, contacts_max) != 0) {
		td_registrar_fini(registrar);
		return -TD_EMEMORY;
	}
	for (uint32_t i = 0; i < config->agents_count; i++) {
		td_list_init(&registrar->agents[i].contacts);
		registrar->agents[i].config = &config->agents[i];
		registrar->by_id[i] = i;
	}
	qsort_r(registrar->by_id, registrar->agent_count, sizeof registrar->by_id[0], compare_ids,
		registrar->agents);
	return 0;
}

void td_registrar_fini(struct td_registrar *registrar)
{
	free(registrar->agents);
	free(registrar->by_id);
	free(registrar->contacts);
	td_slots_fini(&registrar->slots);
	memset(registrar, 0, sizeof *registrar);
}

int td_registrar_find(const struct td_registrar *registrar, const char *id)
{
	uint32_t low = 0, high = registrar->agent_count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int order = strcmp(registrar->agents[registrar->by_id[mid]].config->id, id);

		if (order == 0)
			return (int)registrar->by_id[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return -TD_ENOT_FOUND;
}

const struct td_contact *td_registrar_contact(const struct td_registrar *registrar, uint32_t agent)
{
	const struct td_list *contacts = &registrar->agents[agent].contacts;

	if (td_list_empty(contacts))
		return NULL;
	return TD_LIST_ENTRY(contacts->next, struct td_contact, link);
}

static void contact_remove(struct td_registrar *registrar, struct td_contact *contact)
{
	struct td_registrar_agent *agent = &registrar->agents[contact->agent];

	TD_ASSERT(agent->contact_count > 0);
	agent->contact_count--;
	td_wheel_cancel(&registrar->wheel, &contact->timer);
	td_list_remove(&contact->link);
	td_slots_give(&registrar->slots, (uint32_t)(contact - registrar->contacts));
}

static struct td_contact *contact_find(struct td_registrar_agent *agent, struct td_str uri)
{
	struct td_list *it;
	struct td_sip_uri wanted, have;

	if (td_sip_uri_parse(uri, &wanted) != 0)
		return NULL;
	TD_LIST_FOREACH (it, &agent->contacts) {
		struct td_contact *contact = TD_LIST_ENTRY(it, struct td_contact, link);

		if (td_sip_uri_parse(td_str_from(contact->uri), &have) == 0 &&
		    td_sip_uri_equal(&wanted, &have))
			return contact;
	}
	return NULL;
}

// A contact to write to: the one with this URI, or a free one, or the agent's oldest. NULL: full.
static struct td_contact *contact_take(struct td_registrar *registrar, uint32_t agent_idx,
				       struct td_str uri)
{
	struct td_registrar_agent *agent = &registrar->agents[agent_idx];
	struct td_contact *contact = contact_find(agent, uri);
	uint32_t slot;

	if (contact) {
		td_list_remove(&contact->link);
		td_list_push_front(&agent->contacts, &contact->link);
		return contact;
	}
	if (agent->contact_count == TD_REGISTRAR_CONTACT_MAX)
		contact_remove(registrar,
			       TD_LIST_ENTRY(agent->contacts.prev, struct td_contact, link));
	slot = td_slots_take(&registrar->slots);
	if (slot == TD_SLOT_NONE)
		return NULL;
	contact = &registrar->contacts[slot];
	memset(contact, 0, sizeof *contact);
	contact->agent = agent_idx;
	td_timer_init(&contact->timer);
	td_list_init(&contact->link);
	td_list_push_front(&agent->contacts, &contact->link);
	agent->contact_count++;
	return contact;
}

// Section 10.3 steps 6 and 7, before anything changes. 0 or the status to refuse with.
static uint16_t changes_read(const struct td_sip_message *msg, struct changes *out)
{
	struct td_sip_walk walk = { 0 };
	struct td_str value;

	memset(out, 0, sizeof *out);
	while (td_sip_message_next(msg, TD_SIP_HEADER_CONTACT, &walk, &value)) {
		struct td_sip_name_addr contact;
		uint32_t expires_s;

		if (out->clear || out->count == REQUEST_CONTACT_MAX)
			return 400;
		if (td_str_equal(value, TD_STR("*"))) {
			if (out->count > 0 ||
			    !td_str_equal(td_sip_message_value(msg, TD_SIP_HEADER_EXPIRES),
					  TD_STR("0")))
				return 400;
			out->clear = true;
			continue;
		}
		if (td_sip_name_addr_parse(value, &contact) != 0 ||
		    contact.uri.scheme != TD_SIP_SCHEME_SIP ||
		    contact.uri.text.len >= TD_REGISTRAR_URI_MAX)
			return 400;
		expires_s = td_sip_contact_expires(msg, &contact, TD_REGISTRAR_EXPIRES_MAX_S);
		if (expires_s > 0 && expires_s < TD_REGISTRAR_EXPIRES_MIN_S)
			return 423;
		if (expires_s > TD_REGISTRAR_EXPIRES_MAX_S)
			expires_s = TD_REGISTRAR_EXPIRES_MAX_S;
		out->items[out->count].uri = contact.uri.text;
		out->items[out->count++].expires_s = expires_s;
	}
	return 0;
}

// A request that was overtaken by a later one of the same registering phone changes nothing.
static bool overtaken(struct td_registrar_agent *agent, const struct td_sip_message *msg)
{
	struct td_list *it;

	TD_LIST_FOREACH (it, &agent->contacts) {
		const struct td_contact *contact = TD_LIST_ENTRY(it, struct td_contact, link);

		if (td_str_equal(td_str_from(contact->call_id), msg->call_id) &&
		    msg->cseq <= contact->cseq)
			return true;
	}
	return false;
}

static uint16_t changes_apply(struct td_registrar *registrar, uint32_t agent_idx, uint64_t now_ms,
			      const struct td_sip_message *msg, const struct td_endpoint *from,
			      const struct changes *changes)
{
	struct td_registrar_agent *agent = &registrar->agents[agent_idx];
	struct td_list *it, *after;

	if (changes->clear) {
		TD_LIST_FOREACH_SAFE (it, after, &agent->contacts)
			contact_remove(registrar, TD_LIST_ENTRY(it, struct td_contact, link));
		return 200;
	}
	for (uint32_t i = 0; i < changes->count; i++) {
		struct td_contact *contact;

		if (changes->items[i].expires_s == 0) {
			contact = contact_find(agent, changes->items[i].uri);
			if (contact)
				contact_remove(registrar, contact);
			continue;
		}
		contact = contact_take(registrar, agent_idx, changes->items[i].uri);
		if (!contact)
			return 503;
		contact->cseq = msg->cseq;
		contact->received = *from;
		contact->expires_ms = now_ms + (uint64_t)changes->items[i].expires_s * 1000;
		// The parser has refused NULs and changes_read what is too long.
		if (td_str_copy(changes->items[i].uri, contact->uri, sizeof contact->uri) != 0 ||
		    td_str_copy(msg->call_id, contact->call_id, sizeof contact->call_id) != 0) {
			contact_remove(registrar, contact);
			return 400;
		}
		td_wheel_arm(&registrar->wheel, &contact->timer, contact->expires_ms);
	}
	return 200;
}

// The 200 lists everything that is registered now (step 8).
static void list_contacts(struct td_registrar_agent *agent, uint64_t now_ms,
			  struct td_registrar_reply *reply)
{
	struct td_list *it;
	size_t at = 0;

	TD_LIST_FOREACH (it, &agent->contacts) {
		const struct td_contact *contact = TD_LIST_ENTRY(it, struct td_contact, link);
		uint64_t left_s =
			contact->expires_ms > now_ms ? (contact->expires_ms - now_ms) / 1000 : 0;
		int len = snprintf(reply->headers + at, sizeof reply->headers - at,
				   "Contact: <%s>;expires=%llu\r\n", contact->uri,
				   (unsigned long long)left_s);

		TD_ASSERT(len > 0 && (size_t)len < sizeof reply->headers - at);
		at += (size_t)len;
	}
}

static void refuse(struct td_registrar *registrar, struct td_registrar_reply *reply,
		   uint16_t status)
{
	registrar->refused++;
	reply->status = status;
	if (status == 423)
		snprintf(reply->headers, sizeof reply->headers, "Min-Expires: %d\r\n",
			 TD_REGISTRAR_EXPIRES_MIN_S);
}

static void challenge(struct td_registrar *registrar, uint64_t now_ms,
		      const struct td_endpoint *from, bool stale, struct td_registrar_reply *reply)
{
	char text[TD_SIP_CHALLENGE_MAX];
	struct td_str lines =
		td_sip_digest_challenge(&registrar->digest, now_ms, from, stale, text);

	reply->status = 401;
	if (td_str_copy(lines, reply->headers, sizeof reply->headers) != 0)
		reply->status = 500;
}

// The agent whose REGISTER this proves to be, or -1 with `reply` written.
static int authenticate(struct td_registrar *registrar, uint64_t now_ms,
			const struct td_sip_message *msg, const struct td_endpoint *from,
			struct td_registrar_reply *reply)
{
	struct td_sip_digest_fields credentials;
	const char *password = NULL;
	char user[64], wanted[64];
	int agent = -1;

	if (!td_sip_digest_credentials(&registrar->digest, msg, &credentials)) {
		challenge(registrar, now_ms, from, false, reply);
		return -1;
	}
	if (td_str_copy(credentials.username, user, sizeof user) == 0)
		agent = td_registrar_find(registrar, user);
	if (agent >= 0)
		password = registrar->agents[agent].config->secret;
	switch (td_sip_digest_verify(&registrar->digest, now_ms, msg, &credentials, password,
				     from)) {
	case TD_SIP_DIGEST_OK: break;
	case TD_SIP_DIGEST_NONE: challenge(registrar, now_ms, from, false, reply); return -1;
	case TD_SIP_DIGEST_STALE: challenge(registrar, now_ms, from, true, reply); return -1;
	case TD_SIP_DIGEST_WRONG: refuse(registrar, reply, 403); return -1;
	case TD_SIP_DIGEST_MALFORMED: refuse(registrar, reply, 400); return -1;
	}
	// Nobody registers for somebody else: section 10.3 step 4.
	if (td_sip_uri_unescape(msg->to.uri.user, wanted, sizeof wanted) != 0 ||
	    strcmp(wanted, user) != 0) {
		refuse(registrar, reply, 403);
		return -1;
	}
	return agent;
}

void td_registrar_request(struct td_registrar *registrar, uint64_t now_ms,
			  const struct td_sip_message *msg, const struct td_endpoint *from,
			  struct td_registrar_reply *reply)
{
	struct td_registrar_agent *agent;
	struct changes changes;
	bool was_reachable;
	uint16_t status;
	int idx;

	*reply = (struct td_registrar_reply){ .agent = -1 };
	idx = authenticate(registrar, now_ms, msg, from, reply);
	if (idx < 0)
		return;
	agent = &registrar->agents[idx];
	status = changes_read(msg, &changes);
	if (status == 0 && (changes.clear || changes.count > 0) && overtaken(agent, msg))
		status = 500;
	if (status != 0) {
		refuse(registrar, reply, status);
		return;
	}
	was_reachable = agent->contact_count > 0;
	status = changes_apply(registrar, (uint32_t)idx, now_ms, msg, from, &changes);
	reply->agent = idx;
	reply->refresh = was_reachable == (agent->contact_count > 0);
	if (status != 200) {
		refuse(registrar, reply, status);
		return;
	}
	registrar->accepted++;
	reply->status = 200;
	list_contacts(agent, now_ms, reply);
}

struct expiry {
	struct td_registrar *registrar;
	td_registrar_gone_fn *gone;
	void *user;
};

static void on_expired(void *user, struct td_timer *timer)
{
	struct expiry *expiry = user;
	struct td_contact *contact = (struct td_contact *)(void *)timer;
	uint32_t agent = contact->agent;

	contact_remove(expiry->registrar, contact);
	if (expiry->registrar->agents[agent].contact_count == 0)
		expiry->gone(expiry->user, agent);
}

void td_registrar_advance(struct td_registrar *registrar, uint64_t now_ms,
			  td_registrar_gone_fn *gone, void *user)
{
	struct expiry expiry = { registrar, gone, user };

	td_wheel_advance(&registrar->wheel, now_ms, on_expired, &expiry);
}

uint64_t td_registrar_next_ms(const struct td_registrar *registrar)
{
	return td_wheel_next_ms(&registrar->wheel);
}
