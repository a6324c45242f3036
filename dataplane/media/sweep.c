// The sweep: every live stream is looked at about once a second, a few a call; beyond RATE_MAX
// streams less often, so that it never takes more than a few hundredths of a core from the packets.
#include <rte_prefetch.h>

#include "media/worker_state.h"

#define PERIOD_NS  1000000000ull
#define VISITS_MAX 64u    // a call: some 20 us
#define RATE_MAX   50000u // visits a second: each is a dozen cache lines from afar
#define AHEAD      3u     // visits

static void visit(struct td_media_worker *worker, uint32_t stream, uint64_t now_ns,
		  struct td_tx *tx)
{
	struct td_stream_cold *cold = &worker->cold[stream];

	if (cold->learned_pending)
		td_media_note_learned(worker, stream);
	if (cold->digits.active)
		td_digits_poll(worker, stream, now_ns);
#ifndef TD_WITHOUT_QUALITY
	td_quality_second(worker, stream, now_ns);
#endif
	if (now_ns >= cold->rtcp_due_ns)
		td_media_rtcp_send(worker, stream, now_ns, tx);
	if (!td_media_mirror_is_current(worker, stream))
		td_media_mirror(worker, stream);
}

// Each stream is a dozen lines that nothing else has touched for a second.
static void prefetch(const struct td_media_worker *worker, uint32_t position)
{
	uint32_t stream = worker->owned[position % worker->owned_count];
	const uint8_t *cold = (const uint8_t *)&worker->cold[stream];
	const uint8_t *mirror = (const uint8_t *)&worker->mirrors[stream];

	rte_prefetch0(&worker->streams[stream].rx);
	rte_prefetch0(&worker->streams[stream].level);
	rte_prefetch0(&worker->streams[stream].tx); // its listener's: needed when that is visited
	for (unsigned line = 0; line < TD_STREAM_COLD_SWEPT; line++)
		rte_prefetch0(cold + line * TD_CACHE_LINE);
	for (unsigned line = 0; line < sizeof(struct td_stream_mirror); line += TD_CACHE_LINE)
		__builtin_prefetch(mirror + line, 1);
}

// One visit costs a period's share of one stream: credit grows by the time passed for each of them.
static uint32_t visits_due(struct td_media_worker *worker, uint64_t now_ns)
{
	uint64_t passed_ns = now_ns - worker->sweep_ns;
	uint32_t rate = worker->owned_count < RATE_MAX ? worker->owned_count : RATE_MAX;
	uint64_t due;

	worker->sweep_ns = now_ns;
	if (passed_ns > PERIOD_NS)
		passed_ns = PERIOD_NS;
	worker->sweep_credit_ns += passed_ns * rate;
	due = worker->sweep_credit_ns / PERIOD_NS;
	if (due > worker->owned_count)
		due = worker->owned_count;
	if (due > VISITS_MAX)
		due = VISITS_MAX;
	worker->sweep_credit_ns -= due * PERIOD_NS;
	// What a call could not do is done by the next ones, but no more than one round of it.
	if (worker->sweep_credit_ns > PERIOD_NS * rate)
		worker->sweep_credit_ns = PERIOD_NS * rate;
	return (uint32_t)due;
}

uint32_t td_media_sweep(struct td_media_worker *worker, uint64_t now_ns, struct td_tx *tx)
{
	enum td_stage before = td_stage_enter(&worker->stages, TD_STAGE_REPORTS);
	uint32_t due = visits_due(worker, now_ns);

	td_stage_count(&worker->stages, TD_STAGE_REPORTS, due);
	if (worker->bye_count > 0)
		td_media_rtcp_byes(worker, tx);
	for (uint32_t i = 0; i < due; i++) {
		if (worker->cursor >= worker->owned_count)
			worker->cursor = 0;
		prefetch(worker, worker->cursor + AHEAD);
		visit(worker, worker->owned[worker->cursor], now_ns, tx);
		worker->cursor++;
	}
	td_stage_enter(&worker->stages, before);
	return due;
}
