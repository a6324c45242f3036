// Placement: which of the slots holds which stream's tx line.
//
//   at home                  A hears B, B hears A
//   slot A: rx A | tx A      slot A: rx A | tx B     a packet from A needs one pair of lines,
//   slot B: rx B | tx B      slot B: rx B | tx A     not two
//
// Invariant: streams[cold[i].tx_slot].tx.stream = i for every live stream i of a worker; slots and
// tx lines of one context are a permutation of each other. Only moved while a plan is applied,
// between two turns, and at home again before a stream is destroyed.
#include "media/worker_state.h"

static void exchange(struct td_media_worker *worker, uint32_t slot_a, uint32_t slot_b)
{
	struct td_stream_tx moved = worker->streams[slot_a].tx;

	worker->streams[slot_a].tx = worker->streams[slot_b].tx;
	worker->streams[slot_b].tx = moved;
	worker->cold[worker->streams[slot_a].tx.stream].tx_slot = slot_a;
	worker->cold[worker->streams[slot_b].tx.stream].tx_slot = slot_b;
}

void td_media_place_home(struct td_media_worker *worker, uint32_t stream)
{
	if (worker->cold[stream].tx_slot != stream)
		exchange(worker, stream, worker->cold[stream].tx_slot);
}

void td_media_place_beside(struct td_media_worker *worker, uint32_t speaker, uint32_t listener)
{
	if (worker->cold[listener].tx_slot != speaker)
		exchange(worker, speaker, worker->cold[listener].tx_slot);
}
