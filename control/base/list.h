// An intrusive doubly linked list: the links live in the object, so adding never fails.
//
//   head <-> node <-> node <-> (back to head)
//
// Invariant: for every linked node n, n->next->prev == n && n->prev->next == n. A node that is on
// no list points at itself, so removing twice is harmless. Not thread safe: one owner thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct td_list {
	struct td_list *next, *prev;
};

// The object that holds `node` as its member `member`.
#define TD_LIST_ENTRY(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

#define TD_LIST_FOREACH(it, head)         for (it = (head)->next; it != (head); it = it->next)
// Allows removing `it` while walking; `after` is a second cursor.
#define TD_LIST_FOREACH_SAFE(it, after, head)                                                      \
	for (it = (head)->next, after = it->next; it != (head); it = after, after = it->next)

// For heads and for nodes alike, before first use.
static inline void td_list_init(struct td_list *node)
{
	node->next = node;
	node->prev = node;
}

static inline bool td_list_empty(const struct td_list *head)
{
	return head->next == head;
}

static inline void td_list_push_back(struct td_list *head, struct td_list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

static inline void td_list_push_front(struct td_list *head, struct td_list *node)
{
	td_list_push_back(head->next, node);
}

static inline void td_list_remove(struct td_list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	td_list_init(node);
}

// Moves everything on `from` to the end of `to`; `from` is empty afterwards.
static inline void td_list_splice(struct td_list *to, struct td_list *from)
{
	if (td_list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	td_list_init(from);
}
