// The pool of dialogs and what each blocks: found by Call-ID and local tag.
#include "sip/core.h"

static struct td_hash128 leg_key(const struct td_sip_endpoint *ep, struct td_str call_id,
				 struct td_str local_tag)
{
	struct td_hash128 parts[2] = { td_hash128(&ep->key, call_id.at, call_id.len),
				       td_hash128(&ep->key, local_tag.at, local_tag.len) };

	return td_hash128(&ep->key, parts, sizeof parts);
}

struct td_sip_leg *td_sip_leg_make(struct td_sip_endpoint *ep)
{
	struct td_sip_leg *leg = td_pool_get_raw(&ep->legs);

	if (!leg)
		return NULL;
	// The text arena is written before it is read; clearing it would cost the most.
	memset(leg, 0, offsetof(struct td_sip_leg, dialog));
	leg->handle = td_pool_handle(&ep->legs, leg);
	return leg;
}

struct td_sip_leg *td_sip_leg_find(const struct td_sip_endpoint *ep, uint64_t handle)
{
	return td_pool_find(&ep->legs, handle);
}

struct td_sip_leg *td_sip_leg_lookup(const struct td_sip_endpoint *ep, struct td_str call_id,
				     struct td_str local_tag, struct td_str remote_tag)
{
	struct td_table_node *node = td_table_find(&ep->by_id, leg_key(ep, call_id, local_tag));
	struct td_sip_leg *leg;

	if (!node)
		return NULL;
	leg = TD_LIST_ENTRY(node, struct td_sip_leg, by_id);
	if (!td_str_equal(td_sip_dialog_text(&leg->dialog, leg->dialog.remote_tag), remote_tag))
		return NULL;
	return leg;
}

void td_sip_leg_register(struct td_sip_endpoint *ep, struct td_sip_leg *leg)
{
	const struct td_sip_dialog *d = &leg->dialog;

	if (!leg->by_id.linked)
		td_table_add(&ep->by_id, &leg->by_id,
			     leg_key(ep, td_sip_dialog_text(d, d->call_id),
				     td_sip_dialog_text(d, d->local_tag)));
}

void td_sip_leg_free(struct td_sip_endpoint *ep, struct td_sip_leg *leg)
{
	struct td_sip_txn *held = td_sip_txn_find(ep, leg->held_bye);

	if (held)
		td_sip_txn_abandon(ep, held);
	td_table_remove(&ep->by_id, &leg->by_id);
	td_pool_put(&ep->legs, leg);
}

void td_sip_leg_release(struct td_sip_endpoint *ep, struct td_sip_leg *leg)
{
	struct td_sip_txn *bye = td_sip_txn_find(ep, leg->held_bye);

	leg->held_bye = 0;
	if (bye && td_sip_txn_step(ep, bye, TD_CLIENT_START) > 0)
		td_sip_txn_transmit(ep, bye);
}
