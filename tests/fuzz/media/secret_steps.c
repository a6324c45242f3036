// Keys come and go, and everything that is no packet of who has them is tried: nothing is learned
// from it, nobody hears it, each is dropped once.
#include <string.h>

#include "media/engine_state.h"
#include "steps.h"

static void rekey(void)
{
	struct stage_party *party = step_party(step_byte());
	uint8_t says = step_byte() % (SECRET_KEYS + 1u), hears = step_byte() % (SECRET_KEYS + 1u);
	struct td_command command;
	int result;

	if (party == NULL)
		return;
	command = party->set;
	if (command.kind == TD_COMMAND_NONE)
		command = world_set_remote(&party->party, TD_CODEC_PCMU);
	result = step_apply_remote(party, &command, says, hears);
	must(result == 0 || result == -TD_EFULL);
}

// Refused as a whole: the keys there are go on.
static void no_key(void)
{
	struct stage_party *party = step_party(step_byte());
	uint8_t how = step_byte();
	struct td_command command;
	struct td_srtp_master *master;

	if (party == NULL)
		return;
	command = world_set_remote(&party->party, TD_CODEC_PCMU);
	master = how & 1 ? &command.u.stream_set_remote.srtp_rx
			 : &command.u.stream_set_remote.srtp_tx;
	*master = secret_master(1u + how % SECRET_KEYS);
	if (how & 2)
		master->suite = (uint8_t)(TD_SRTP_SUITE_COUNT + (how >> 2));
	else
		master->mki_bytes = (uint8_t)(TD_SRTP_MKI_MAX + 1 + (how >> 2));
	must(stage_command(&command).result == -TD_EINVALID);
}

enum attack {
	ATTACK_PLAIN,
	ATTACK_WRONG_KEY,
	ATTACK_REPLAY,
	ATTACK_CUT,
	ATTACK_RANDOM,
	ATTACK_BIT,
	ATTACK_RTCP,
	ATTACK_RTCP_WRONG_KEY,
	ATTACK_COUNT
};

static uint16_t receiver_report(uint32_t ssrc, uint8_t *bytes)
{
	static const uint8_t header[] = { 0x80, 201, 0, 1 };

	memcpy(bytes, header, sizeof header);
	td_rtp_store16(bytes + 4, (uint16_t)(ssrc >> 16));
	td_rtp_store16(bytes + 6, (uint16_t)ssrc);
	return 8;
}

// The bytes of one attack; 0: there is nothing to attack with.
static uint16_t arm(const struct stage_party *party, enum attack attack, uint8_t how,
		    uint8_t bytes[SECRET_ROOM])
{
	const struct secret *secret = &party->secret;
	uint32_t key = secret->says_key, payload = how % 2u ? 160 : how;
	uint16_t len;

	if (attack == ATTACK_REPLAY) {
		memcpy(bytes, secret->last, secret->last_len);
		return key != 0 ? secret->last_len : 0;
	}
	if (attack == ATTACK_RANDOM) {
		len = (uint16_t)(1u + step_byte());
		for (uint16_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)(step_byte() + i * (how | 1u));
		return len;
	}
	len = attack >= ATTACK_RTCP ? receiver_report(party->party.ssrc, bytes)
				    : stage_rtp(party, STEP_AUDIO, payload, bytes);
	if (attack == ATTACK_PLAIN || attack == ATTACK_RTCP)
		return len;
	if (attack == ATTACK_WRONG_KEY || attack == ATTACK_RTCP_WRONG_KEY)
		return secret_seal_aside(secret, SECRET_WRONG + how, bytes, len);
	if (key == 0)
		return 0;
	td_rtp_store16(bytes + 2, (uint16_t)(party->party.sequence + 1u + how % 8u));
	len = secret_seal_aside(secret, key, bytes, len);
	if (attack == ATTACK_CUT)
		return (uint16_t)(len - 1u - step_byte() * 7u % len);
	bytes[step_byte() * 7u % len] ^= (uint8_t)(1u << how % 8u);
	return len;
}

// Everything that a stream knows of its peer, and what became of packets.
struct known {
	struct td_stream_rx rx;
	struct td_source_lock lock;
	struct td_lock_candidates candidates;
	struct td_srtp srtp;
	uint64_t went_on;
};

static void know(const struct stage_party *party, struct known *known, uint64_t *drops)
{
	const struct td_media_worker *worker = td_engine_worker(stage.world.engine, 0);
	uint32_t index = td_handle_index(party->party.id.v);

	memset(known, 0, sizeof *known);
	memcpy(&known->rx, &worker->streams[index].rx, sizeof known->rx);
	known->rx.strict = 0; // how closely is looked, not what has been seen
	memcpy(&known->lock, &worker->cold[index].lock, sizeof known->lock);
	memcpy(&known->candidates, &worker->candidates[index], sizeof known->candidates);
	memcpy(&known->srtp, &worker->protections[index].rx, sizeof known->srtp);
	*drops = 0;
	for (uint32_t i = 0; i < STAGE_WORKERS; i++) {
		const struct td_worker_stats *stats = &stage.world.region.workers[i];

		known->went_on += stats->forwarded + stats->consumed + stats->originated;
		for (unsigned drop = 0; drop < TD_DROP_COUNT; drop++)
			*drops += stats->drops[drop];
	}
}

// With what lies between the members: both are copies of the same memory.
static bool same_bytes(const void *a, const void *b, size_t bytes)
{
	return memcmp(a, b, bytes) == 0;
}

static void attack(void)
{
	static struct known before, after;
	const struct stage_party *party = step_party(step_byte());
	enum attack attack = step_byte() % ATTACK_COUNT;
	uint8_t how = step_byte(), bytes[SECRET_ROOM];
	uint64_t drops, dropped;
	uint16_t len;

	if (party == NULL || (party->secret.says_key == 0 && !party->protected))
		return;
	len = arm(party, attack, how, bytes);
	if (len == 0)
		return;
	(void)stage_listen();
	know(party, &before, &drops);
	stage_send(party, bytes, len, attack >= ATTACK_RTCP);
	know(party, &after, &dropped);
	must(stage.world.out_count == 0);
	must(same_bytes(&before, &after, sizeof before));
	must(dropped == drops + 1);
	must(stage_listen() == 0);
}

// Long enough for reports, which are sealed like everything else.
static void a_while(void)
{
	stage_sweeps(100, 100);
	stage_ticks(1);
}

void step_secret(void)
{
	switch (step_byte() % 12) {
	case 0:
	case 1:
	case 2: rekey(); break;
	case 3: step_create_protected(); break;
	case 4: no_key(); break;
	case 5: a_while(); break;
	default: attack(); break;
	}
}
