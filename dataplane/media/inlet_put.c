// What was accepted of a stream whose samples are wanted.
#include "media/worker_state.h"

void td_media_inlet_put(struct td_media_worker *worker, const struct td_forward *fw,
			const uint8_t *payload, uint64_t now_ns)
{
	static const uint8_t kinds[] = {
		[TD_PAYLOAD_AUDIO] = TD_PLAYOUT_AUDIO,
		[TD_PAYLOAD_EVENT] = TD_PLAYOUT_EVENT,
		[TD_PAYLOAD_NOISE] = TD_PLAYOUT_COMFORT_NOISE,
	};
	struct td_stream_cold *cold = &worker->cold[fw->packet->stream];
	struct td_inlet *inlet = td_lets_inlet(worker->lets, cold->inlet);
	enum td_playout_put put;

	put = td_playout_put(&inlet->playout, (enum td_playout_kind)kinds[fw->kind], fw->ssrc,
			     fw->sequence, fw->timestamp, fw->marker != 0, payload, fw->payload_len,
			     now_ns);
	if (put == TD_PLAYOUT_LATE)
		td_rtp_source_discard(&worker->streams[fw->packet->stream].rx.source, &cold->source,
				      fw->sequence);
}
