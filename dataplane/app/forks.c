#include "app/forks.h"

#include <stdio.h>
#include <stdlib.h>

static TD_MAIN int open_fork(void *user, struct td_fork_id fork,
			     const struct td_command_fork_start *start, struct td_live **live)
{
	struct td_dataplane *dataplane = user;

	return td_forker_open(dataplane->forker, fork, start, live);
}

static TD_MAIN void close_fork(void *user, struct td_fork_id fork)
{
	struct td_dataplane *dataplane = user;

	td_forker_close(dataplane->forker, fork);
}

static TD_FORKER int report(void *user, const struct td_event *event)
{
	const struct td_dataplane *dataplane = user;

	return td_engine_fork_event(dataplane->engine, event);
}

struct td_engine_forker td_forks_for_engine(struct td_dataplane *dataplane)
{
	return (struct td_engine_forker){ open_fork, close_fork, dataplane };
}

static int list_destinations(struct td_dataplane *dataplane)
{
	const struct td_config *config = dataplane->config;

	dataplane->fork_destinations =
		calloc(config->forks_count + 1u, sizeof *dataplane->fork_destinations);
	if (!dataplane->fork_destinations)
		return -TD_EMEMORY;
	for (unsigned i = 0; i < config->forks_count; i++) {
		const struct td_config_fork *fork = &config->forks[i];

		dataplane->fork_destinations[i] = (struct td_forker_destination){
			.name = fork->name,
			.rtp = fork->rtp_parsed,
			.socket = fork->socket,
			.rate_hz = fork->rate_hz,
			.speaks = fork->speak,
		};
	}
	return 0;
}

static TD_MAIN int start(struct td_dataplane *dataplane, const char *captures)
{
	const struct td_config *config = dataplane->config;
	const struct td_forker_options options = {
		.destinations = dataplane->fork_destinations,
		.destination_count = config->forks_count,
		.captures = captures,
		.fork_max = config->dataplane.forks,
	};
	struct td_tap_ring *rings[TD_WORKER_MAX];
	int error = td_forker_create(&options, &dataplane->forker);

	if (error)
		return error;
	for (uint32_t i = 0; i < config->dataplane.workers; i++)
		rings[i] = td_engine_fork_ring(dataplane->engine, i);
	error = td_forker_start(dataplane->forker, rings, config->dataplane.workers, report,
				dataplane);
	if (error)
		td_forker_destroy(dataplane->forker);
	return error;
}

int td_forks_start(struct td_dataplane *dataplane, char reason[TD_DATAPLANE_REASON_MAX])
{
	char captures[512];
	int error;

	dataplane->forker = NULL;
	if (dataplane->config->dataplane.forks == 0)
		return 0;
	snprintf(captures, sizeof captures, "%s/captures", dataplane->config->system.data_dir);
	error = list_destinations(dataplane);
	if (!error)
		error = start(dataplane, captures);
	if (!error)
		return 0;
	snprintf(reason, TD_DATAPLANE_REASON_MAX,
		 "the forker thread for %u forks: %s; lower dataplane.forks",
		 dataplane->config->dataplane.forks, td_error_text(error));
	dataplane->forker = NULL;
	td_forks_stop(dataplane);
	return error;
}

void td_forks_stop(struct td_dataplane *dataplane)
{
	if (dataplane->forker)
		td_forker_destroy(dataplane->forker);
	free(dataplane->fork_destinations);
	dataplane->forker = NULL;
	dataplane->fork_destinations = NULL;
}
