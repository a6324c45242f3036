#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURNS_MAX 4 // a move to another worker takes more than one

struct stage stage;

void stage_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

static void on_exit_close(void)
{
	world_close(&stage.world);
}

void stage_open(void)
{
	struct world_options options = { .workers = STAGE_WORKERS,
					 .streams = STAGE_STREAMS,
					 .mixed = STAGE_MIXED,
					 .forks = STAGE_TAPS };

	frame_environment();
	secret_open();
	world_open(&stage.world, &options);
	atexit(on_exit_close);
}

static void on_player_end(const struct td_event_player_end *end)
{
	for (uint32_t i = 0; i < STAGE_PLAYERS; i++) {
		struct stage_player *player = &stage.players[i];

		if (!player->live || player->id.v != end->player.v)
			continue;
		if (end->reason == TD_PLAYER_END_DIGIT) {
			// Before this tick's frame, which has been counted already.
			must(player->stoppable && td_digit_bit(end->digit) != 0);
			player->ended = true;
		} else {
			must(end->frames == player->frames && end->reason == player->reason);
		}
		must(player->ended && ++player->ends == 1);
		must(end->context.v == stage.contexts[player->context].id.v);
	}
}

// Takes what has been said; true when it was the answer to `request`.
static bool take_events(uint64_t request, struct td_event *answer)
{
	struct td_event event;
	bool found = false;

	for (uint32_t i = 0; i <= stage.world.workers; i++) {
		while (td_ring_pop(&stage.world.events[i], &event) == 0) {
			if (event.kind == TD_EVENT_PLAYER_END)
				on_player_end(&event.u.player_end);
			if (event.kind != TD_EVENT_DONE)
				continue;
			if (event.request_id != request) {
				must(stage.pending > 0 && event.result == 0);
				stage.pending--;
				continue;
			}
			must(!found);
			found = true;
			*answer = event;
		}
	}
	return found;
}

void stage_flush(void)
{
	struct td_event event;

	world_turn(&stage.world);
	(void)take_events(0, &event);
	must(stage.pending == 0);
}

struct td_event stage_command(struct td_command *command)
{
	struct td_event event;
	bool answered = false;

	command->deadline_ns = 0;
	world_command_only(&stage.world, command);
	for (uint32_t turn = 0; turn < TURNS_MAX && !answered; turn++) {
		world_turn(&stage.world);
		answered = take_events(command->request_id, &event);
	}
	must(answered && stage.pending == 0);
	must(event.command == command->kind);
	return event;
}

int stage_post(struct td_command *command)
{
	struct td_event event;

	command->deadline_ns = 0;
	world_command_only(&stage.world, command);
	if (take_events(command->request_id, &event))
		return event.result;
	stage.pending++;
	return 0;
}

void stage_bury(enum stage_grave_kind kind, uint32_t handle)
{
	struct stage_grave *grave = &stage.graves[kind];

	grave->handles[grave->count++ % 8u] = handle;
}

uint32_t stage_dead(enum stage_grave_kind kind, uint8_t byte)
{
	const struct stage_grave *grave = &stage.graves[kind];
	uint32_t known = grave->count < 8u ? grave->count : 8u;

	return known == 0 || byte == 255 ? 0xffffffffu : grave->handles[byte % known];
}

static struct stage_party *party_at(uint16_t port_be)
{
	uint16_t port = __builtin_bswap16(port_be) & 0xfffeu; // RTCP is one above

	for (uint32_t i = 0; i < STAGE_STREAMS; i++)
		if (stage.parties[i].party.port == port)
			return &stage.parties[i];
	return NULL;
}

static const struct stage_ghost *ghost_of(uint32_t ssrc)
{
	for (uint32_t i = 0; i < STAGE_GHOSTS; i++)
		if (stage.ghosts[i].ssrc == ssrc)
			return &stage.ghosts[i];
	return NULL;
}

// Nothing plain ever leaves a stream that has a key for it, or must have one.
static void hear_secret(struct stage_party *party, const struct world_sent *sent)
{
	uint32_t ssrc = td_rtp_load32(sent->udp_payload + (sent->is_rtcp ? 4 : 8));

	if (sent->is_rtcp && ssrc != party->ssrc) {
		const struct stage_ghost *ghost = ghost_of(ssrc);

		must(ghost != NULL && (ghost->key != 0 || !ghost->protected));
		if (ghost->key != 0)
			secret_hear_last(ghost->key, sent);
	} else if (party->secret.hears_key != 0) {
		secret_hear(&party->secret, sent);
	} else {
		must(!party->protected);
	}
}

// Whoever feeds it, a stream goes on: no number twice, no audio at a time that has been.
static void hear(const struct world_sent *sent)
{
	struct stage_party *party = party_at(sent->destination.port_be);
	int16_t ahead;

	must(party != NULL);
	hear_secret(party, sent);
	if (sent->is_rtcp)
		return;
	must(party->live);
	if (sent->rtp.payload_type != party->party.payload_type)
		return;
	ahead = (int16_t)(sent->rtp.sequence - party->heard_sequence);
	if (party->heard_any) {
		must(ahead > 0 && ahead < 300);
		must((int32_t)(sent->rtp.timestamp - party->heard_timestamp) > 0);
	}
	party->heard_any = true;
	party->heard_sequence = sent->rtp.sequence;
	party->heard_timestamp = sent->rtp.timestamp;
}

void stage_hear(void)
{
	for (uint32_t i = 0; i < stage.world.out_count; i++)
		hear(&stage.world.out[i]);
	world_clear(&stage.world);
}

static bool next_item(uint32_t *at, uint32_t *frame, const uint32_t *lengths, uint32_t count)
{
	if (++*frame < lengths[*at])
		return true;
	*frame = 0;
	if (++*at < count)
		return true;
	*at = 0;
	return false;
}

static void play(struct stage_player *player)
{
	if (!player->live || player->paused || player->ended)
		return;
	player->frames++;
	if (player->splice_count > 0) {
		if (!next_item(&player->splice_at, &player->splice_frame, player->splice_lengths,
			       player->splice_count))
			player->splice_count = 0;
		return;
	}
	if (!next_item(&player->at, &player->frame, player->lengths, player->item_count) &&
	    !player->loop) {
		player->ended = true;
		player->reason = TD_PLAYER_END_PLAYED;
	}
}

void stage_ticks(uint32_t count)
{
	struct td_event event;

	for (uint32_t tick = 0; tick < count; tick++) {
		for (uint32_t i = 0; i < STAGE_PLAYERS; i++)
			play(&stage.players[i]);
		world_ticks(&stage.world, 20);
		(void)take_events(0, &event);
		stage_hear();
	}
	for (uint32_t i = 0; count > 0 && i < STAGE_PLAYERS; i++)
		must(!stage.players[i].live || stage.players[i].ends == stage.players[i].ended);
}

uint16_t stage_rtp(const struct stage_party *party, uint8_t payload_type, uint32_t bytes,
		   uint8_t *out)
{
	td_rtp_write(out, payload_type, 0, party->party.sequence, party->party.timestamp,
		     party->party.ssrc);
	for (uint32_t i = 0; i < bytes; i++)
		out[TD_RTP_HEADER_BYTES + i] = (uint8_t)(i * 7 + bytes);
	return (uint16_t)(TD_RTP_HEADER_BYTES + bytes);
}

void stage_send(const struct stage_party *party, const uint8_t *bytes, uint32_t len, bool is_rtcp)
{
	const struct world_party *from = &party->party;
	uint16_t local = __builtin_bswap16(from->local.port_be);
	struct frame frame;

	frame_udp(&frame, from->addr, (uint16_t)(from->port + is_rtcp), "10.77.0.2",
		  (uint16_t)(local + is_rtcp), len);
	memcpy(frame.bytes + frame.l4 + 8, bytes, len);
	frame_checksums(&frame);
	must(world_send(&stage.world, &frame));
}

uint64_t stage_refused(void)
{
	static const enum td_drop why[] = { TD_DROP_SRTP_MALFORMED, TD_DROP_SRTP_NO_KEY,
					    TD_DROP_SRTP_BAD_TAG,   TD_DROP_SRTP_REPLAYED,
					    TD_DROP_SRTP_LATE,      TD_DROP_SRTP_CROWDED };
	uint64_t sum = 0;

	for (unsigned i = 0; i < sizeof why / sizeof why[0]; i++)
		sum += world_drop(&stage.world, why[i]);
	return sum;
}

static uint64_t not_asked(void)
{
	return world_drop(&stage.world, TD_DROP_SOURCE_UNSET) +
	       world_drop(&stage.world, TD_DROP_SOURCE_MISMATCH);
}

// Who has the key is let in; what was let in may be replayed later.
static void send_rtp(struct stage_party *party, uint8_t payload_type, uint32_t bytes)
{
	struct secret *secret = &party->secret;
	uint64_t refused = stage_refused(), strange = not_asked();
	uint8_t rtp[SECRET_ROOM];
	uint16_t len = stage_rtp(party, payload_type, bytes, rtp);

	len = secret_seal(secret, rtp, len);
	stage_send(party, rtp, len, false);
	if (secret->says_key == 0) {
		must(stage_refused() - refused <= party->protected);
		return;
	}
	must(stage_refused() == refused);
	if (not_asked() != strange)
		return;
	memcpy(secret->last, rtp, len);
	secret->last_len = len;
}

void stage_packet(struct stage_party *party, uint8_t payload_type, uint32_t skip, uint32_t bytes)
{
	uint32_t clock = td_codec_clock_hz((enum td_codec_id)party->codec);
	uint32_t ticks = clock / 1000u * (party->ptime_ms != 0 ? party->ptime_ms : 20u);

	party->party.sequence = (uint16_t)(party->party.sequence + 1u + skip);
	party->party.timestamp += ticks * (1u + skip);
	(void)stage_listen();
	send_rtp(party, payload_type, bytes);
	stage_hear();
	stage_listen_to(party);
}

void stage_sweeps(uint32_t count, uint32_t ms)
{
	for (uint32_t sweep = 0; sweep < count; sweep++) {
		stage.world.now_ns += ms * WORLD_MS;
		for (uint32_t i = 0; i < STAGE_WORKERS; i++) {
			td_role_enter_worker(i);
			(void)td_media_sweep(td_engine_worker(stage.world.engine, i),
					     stage.world.now_ns, &stage.world.tx[i]);
		}
	}
	td_role_enter_worker(0);
}
