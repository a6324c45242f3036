// Generational handles: what one plane holds of an object that lives in the other.
//
//   bits 31..20 generation (never 0 in a live handle)   bits 19..0 index into the owner's pool
//
// Each kind is a struct of its own, so a stream cannot be passed where a context is meant; a handle
// whose generation has moved on is refused with -TD_ESTALE. The all-zero handle names nothing.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TD_HANDLE_INDEX_BITS 20
#define TD_HANDLE_INDEX_MASK ((1u << TD_HANDLE_INDEX_BITS) - 1u)
// Of no object, since its generation is 0: what the last command that makes such an object has made.
// td_command.h says which commands take it.
#define TD_HANDLE_LATEST         1u
#define TD_HANDLE_GENERATION_MAX ((1u << (32 - TD_HANDLE_INDEX_BITS)) - 1u)

struct td_stream_id {
	uint32_t v;
};
struct td_context_id {
	uint32_t v;
};
struct td_player_id {
	uint32_t v;
};
struct td_tap_id {
	uint32_t v;
};
struct td_fork_id {
	uint32_t v;
};

static inline uint32_t td_handle_make(uint32_t index, uint32_t generation)
{
	return (generation << TD_HANDLE_INDEX_BITS) | (index & TD_HANDLE_INDEX_MASK);
}

static inline uint32_t td_handle_index(uint32_t handle)
{
	return handle & TD_HANDLE_INDEX_MASK;
}

static inline uint32_t td_handle_generation(uint32_t handle)
{
	return handle >> TD_HANDLE_INDEX_BITS;
}

// The generation that follows, skipping 0 so that no live handle is ever all-zero.
static inline uint32_t td_handle_next_generation(uint32_t generation)
{
	return generation >= TD_HANDLE_GENERATION_MAX ? 1u : generation + 1u;
}
