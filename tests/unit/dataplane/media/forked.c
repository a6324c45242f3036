#include "forked.h"

#include <string.h>

struct world world;
struct td_context_id context;
struct world_party a, b;
struct td_live live;

void fork_open(uint32_t forks)
{
	fork_open_on(1, forks);
}

void fork_open_on(uint32_t workers, uint32_t forks)
{
	struct world_options options = world_default;

	options.workers = workers;
	options.forks = forks;
	world_open_two(&world, &options, &context, &a, &b);
}

void fork_close(void)
{
	world_close(&world);
	memset(&live, 0, sizeof live);
}

struct td_command fork_start_of(enum td_fork_what what)
{
	struct td_command command = { .kind = TD_COMMAND_FORK_START };
	struct td_command_fork_start *start = &command.u.fork_start;

	start->context = context;
	start->what = what;
	start->stream_count = 2;
	start->streams[0] = a.id;
	start->streams[1] = b.id;
	strcpy(start->destination, "bot");
	strcpy(start->call, "c42");
	strcpy(start->tracks[0], "caller");
	strcpy(start->tracks[1], "agent");
	return command;
}

struct td_event_fork_started fork_start(enum td_fork_what what)
{
	struct td_command command = fork_start_of(what);

	return world_do(&world, &command).u.fork_started;
}

struct td_event fork_stop(struct td_fork_id fork)
{
	struct td_command command = { .kind = TD_COMMAND_FORK_STOP };

	command.u.fork_stop = fork;
	return world_command(&world, &command);
}

void fork_closed(struct td_fork_id fork)
{
	struct td_event event = { .kind = TD_EVENT_FORK_CLOSED };

	event.u.fork.fork = fork;
	td_role_enter_forker();
	ck_assert_int_eq(td_engine_fork_event(world.engine, &event), 0);
	td_role_enter_worker(0);
	world.now_ns += 50 * WORLD_MS;
	world_turn(&world);
	ck_assert(world_event(&world, TD_EVENT_FORK_CLOSED, &event));
	ck_assert_uint_eq(event.u.fork.fork.v, fork.v);
}

struct td_engine_counts fork_counts(void)
{
	struct td_engine_counts now;

	td_role_enter_main();
	td_engine_count(world.engine, &now);
	td_role_enter_worker(0);
	return now;
}

int fork_heard(const struct world_party *party)
{
	const struct td_codec *codec = td_codec_get(TD_CODEC_PCMU);
	struct td_endpoint to = frame_endpoint(party->addr, party->port);
	int16_t pcm[160];
	int sum = 0;

	for (uint32_t i = world.out_count; i-- > 0;) {
		const struct world_sent *sent = &world.out[i];

		if (sent->is_rtcp || !td_endpoint_equal(&sent->destination, &to))
			continue;
		ck_assert_int_eq(codec->decode(NULL, sent->udp_payload + 12, 160, pcm, 160), 160);
		for (unsigned j = 0; j < 160; j++)
			sum += pcm[j];
		break;
	}
	world_clear(&world);
	return sum / 160;
}
