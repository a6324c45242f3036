// What a stream does not let in is counted twice: by name for the worker, and for the stream.
#include "media/worker_state.h"

static void count(struct td_stream_cold *cold, enum td_drop reason)
{
	switch ((int)reason) {
	case TD_DROP_RTP_DUPLICATE: return; // RFC 3550's own statistics have it
	case TD_DROP_SOURCE_UNSET: cold->refused.unexpected++; break;
	case TD_DROP_RTP_SEQUENCE: cold->refused.probation++; break;
	case TD_DROP_RTP_PAYLOAD_TYPE: cold->refused.payload_type++; break;
	case TD_DROP_RTCP_SOURCE: cold->refused.rtcp_wrong_source++; break;
	case TD_DROP_RTCP_SHORT:
	case TD_DROP_RTCP_MALFORMED: cold->refused.rtcp_malformed++; break;
	default: cold->refused.malformed++; break;
	}
	cold->refusals++;
}

void td_media_refuse(struct td_media_worker *worker, const struct td_packet *packet,
		     enum td_drop reason)
{
	if (reason == TD_DROP_SOURCE_MISMATCH)
		worker->strangers[packet->stream]++; // in the mirror's sum already
	else
		count(&worker->cold[packet->stream], reason);
	td_media_drop(worker, packet->mbuf, reason);
}
