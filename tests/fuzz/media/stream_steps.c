// Commands about streams, and the answers they have to get.
#include <string.h>

#include "codecs/codec.h"
#include "media/engine_state.h"
#include "steps.h"

static uint32_t our_ssrc(struct td_stream_id id)
{
	const struct td_media_worker *worker = td_engine_worker(stage.world.engine, 0);

	return worker->streams[worker->cold[td_handle_index(id.v)].tx_slot].tx.ssrc;
}

static void take_place(struct stage_party *party, uint32_t context, uint32_t flags)
{
	stage.ghosts[stage.ghost_count++ % STAGE_GHOSTS] =
		(struct stage_ghost){ party->ssrc, party->secret.hears_key, party->protected };
	memset(party, 0, sizeof *party);
	party->live = true;
	party->context = context;
	party->protected = flags != 0;
	td_srtp_init(&party->secret.seals);
	td_srtp_init(&party->secret.opens);
}

static void create_stream(uint32_t flags)
{
	static const char *const addrs[] = { "10.77.0.10", "10.77.0.20", "10.77.0.30" };
	struct td_command command = { .kind = TD_COMMAND_STREAM_CREATE };
	uint8_t byte = step_byte();
	uint32_t place, i = 0;
	struct stage_context *context = step_context(byte, &place);
	struct td_event event;

	command.u.stream_create.flags = flags;
	command.u.stream_create.family = byte < 250 ? TD_FAMILY_IPV4 : 9;
	command.u.stream_create.context.v =
		context != NULL ? context->id.v : stage_dead(STAGE_CONTEXT, byte);
	while (i < STAGE_STREAMS && stage.parties[i].live)
		i++;
	event = stage_command(&command);
	must(event.result == (context == NULL      ? -TD_ESTALE
			      : byte >= 250        ? -TD_EINVALID
			      : i == STAGE_STREAMS ? -TD_EFULL
						   : 0));
	if (event.result != 0)
		return;
	take_place(&stage.parties[i], place, flags);
	stage.parties[i].party = (struct world_party){ .id = event.u.stream_created.stream,
						       .local = event.u.stream_created.local,
						       .addr = addrs[i % 3],
						       .port = (uint16_t)(5000 + 2 * i),
						       .ssrc = 0x1000 + byte,
						       .sequence = (uint16_t)(byte * 257) & 0x7fff,
						       .timestamp = byte * 0x01010101u,
						       .payload_type = STEP_AUDIO };
	stage.parties[i].ssrc = our_ssrc(event.u.stream_created.stream);
	must(oracle_add(&context->oracle, TD_MEMBER_STREAM, event.u.stream_created.stream.v) !=
	     ORACLE_NONE);
}

void step_create_stream(void)
{
	create_stream(0);
}

void step_create_protected(void)
{
	create_stream(TD_STREAM_PROTECTED);
}

// The rule of td_command.h and codec.h for what can be coded at all.
static int coding_error(const struct td_command_stream_set_remote *set)
{
	const struct td_codec *codec = td_codec_get((enum td_codec_id)set->codec);
	uint32_t bitrate = set->settings.bitrate_bps;

	if (codec == NULL)
		return -TD_ECODEC;
	if (set->ptime_ms != 0 && (set->ptime_ms < 10 || set->ptime_ms > codec->ptime_max_ms ||
				   (codec->frame_ms != 0 && set->ptime_ms % codec->frame_ms != 0)))
		return -TD_EINVALID;
	if (set->codec == TD_CODEC_OPUS && (set->ptime_ms == 30 || set->ptime_ms == 50))
		return -TD_EINVALID;
	if (set->codec == TD_CODEC_OPUS && bitrate != 0 && (bitrate < 6000 || bitrate > 510000))
		return -TD_EINVALID;
	return 0;
}

static void fill_remote(struct td_command_stream_set_remote *set)
{
	static const uint8_t ptimes[] = { 20, 20, 10, 30, 40, 60, 0, 13, 70, 50, 9 };
	static const uint32_t bitrates[] = { 0, 0, 0, 24000, 5, 600000, 12000, 0 };
	static const uint32_t highest[] = { 0, 8000, 16000, 48000, 1, UINT32_MAX };
	uint8_t how = step_byte(), flags = step_byte();

	set->codec = step_byte() % (TD_CODEC_COUNT + 2);
	set->ptime_ms = ptimes[how % sizeof ptimes];
	if (flags & 1)
		set->event_payload_type = set->event_payload_type_rx = TD_PAYLOAD_TYPE_NONE;
	if (flags & 2)
		set->cn_payload_type = set->cn_payload_type_rx = STEP_NOISE;
	if (flags & 4)
		set->flags |= TD_REMOTE_RTCP_MUX;
	if (flags & 8)
		set->flags |= TD_REMOTE_LEARN;
	if (flags & 16)
		set->event_clock_khz = 8;
	set->settings.bitrate_bps = bitrates[flags >> 5];
	set->settings.max_hz = highest[how % 6];
	set->settings.complexity = how >> 5;
	set->settings.flags = flags & 16 ? TD_CODEC_DTX : 0;
}

int step_apply_remote(struct stage_party *party, struct td_command *command, uint8_t says,
		      uint8_t hears)
{
	const struct td_engine *engine = stage.world.engine;
	struct td_command_stream_set_remote *set = &command->u.stream_set_remote;
	uint32_t inlets = engine->free_inlet_count, outlets = engine->free_outlet_count, at;
	struct oracle *oracle = &stage.contexts[party->context].oracle;
	struct td_command sent = *command; // wiped when it has been taken
	int result;

	sent.u.stream_set_remote.srtp_rx = secret_master(says);
	sent.u.stream_set_remote.srtp_tx = secret_master(hears);
	result = stage_command(&sent).result;
	if (result == -TD_EFULL)
		step_check_full(inlets, outlets);
	if (result != 0)
		return result;
	// Sealed packets go on where sealed ones ended (protection.c).
	if (party->secret.hears_key == 0 && hears != 0)
		party->heard_any = false;
	secret_set(&party->secret, says, hears);
	party->set = *command;
	party->codec = set->codec;
	party->ptime_ms = set->ptime_ms;
	at = oracle_find(oracle, TD_MEMBER_STREAM, party->party.id.v);
	oracle->members[at].codec = set->codec;
	return 0;
}

void step_set_remote(void)
{
	struct stage_party *party = step_party(step_byte());
	struct world_party nobody = { .addr = "10.77.0.10", .port = 5000 };
	struct td_command command;
	struct td_command_stream_set_remote *set = &command.u.stream_set_remote;
	int result;

	nobody.id.v = stage_dead(STAGE_STREAM, step_byte());
	command = world_set_remote(party != NULL ? &party->party : &nobody, TD_CODEC_PCMU);
	fill_remote(set);
	if (party == NULL) {
		must(stage_command(&command).result == -TD_ESTALE);
		return;
	}
	result =
		step_apply_remote(party, &command, party->secret.says_key, party->secret.hears_key);
	must(result == -TD_EFULL || result == coding_error(set));
}

void step_destroy_stream(void)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_DESTROY };
	struct stage_party *party = step_party(step_byte());
	struct td_event event;

	command.u.stream_destroy.v =
		party != NULL ? party->party.id.v : stage_dead(STAGE_STREAM, step_byte());
	event = stage_command(&command);
	must(event.result == (party != NULL ? 0 : -TD_ESTALE));
	if (party == NULL)
		return;
	must(event.u.stream_destroyed.stream.v == party->party.id.v);
	oracle_remove(&stage.contexts[party->context].oracle, TD_MEMBER_STREAM, party->party.id.v);
	stage_bury(STAGE_STREAM, party->party.id.v);
	party->live = false;
}
