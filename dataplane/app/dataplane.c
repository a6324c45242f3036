#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "app/dataplane.h"
#include "app/eal.h"
#include "app/folder.h"
#include "app/forks.h"
#include "base/clock.h"
#include "td_assert.h"

struct stage {
	const char *name;
	int (*start)(struct td_dataplane *dataplane, char reason[TD_DATAPLANE_REASON_MAX]);
	void (*stop)(struct td_dataplane *dataplane);
};

static TD_MAIN int start_eal(struct td_dataplane *dataplane, char reason[TD_DATAPLANE_REASON_MAX])
{
	return td_eal_start(dataplane->config, reason);
}

static TD_MAIN void stop_eal(struct td_dataplane *dataplane)
{
	(void)dataplane;
	td_eal_stop();
}

static TD_MAIN int start_network(struct td_dataplane *dataplane,
				 char reason[TD_DATAPLANE_REASON_MAX])
{
	return td_network_open(&dataplane->config->dataplane, dataplane->seed, &dataplane->network,
			       reason);
}

static TD_MAIN void stop_network(struct td_dataplane *dataplane)
{
	td_network_close(&dataplane->network);
}

static uint32_t codec_bits(const enum td_codec_id *codecs, unsigned count)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < count; i++)
		bits |= 1u << codecs[i];
	return bits;
}

// All codecs that the configuration allows anybody.
static uint32_t codecs_in_use(const struct td_config *config)
{
	uint32_t bits = codec_bits(config->codecs, config->codecs_count);

	for (unsigned i = 0; i < config->trunks_count; i++)
		bits |= codec_bits(config->trunks[i].codecs, config->trunks[i].codecs_count);
	for (unsigned i = 0; i < config->agents_count; i++)
		bits |= codec_bits(config->agents[i].codecs, config->agents[i].codecs_count);
	return bits;
}

static TD_MAIN int start_prompts(struct td_dataplane *dataplane,
				 char reason[TD_DATAPLANE_REASON_MAX])
{
	const struct td_config_dataplane *config = &dataplane->config->dataplane;
	const struct td_config_opus *opus = &dataplane->config->opus;
	const struct td_codec_settings settings = { .bitrate_bps = opus->bitrate_bps,
						    .max_hz = opus->max_hz,
						    .complexity = opus->complexity };
	int error =
		td_prompts_create(codecs_in_use(dataplane->config), &settings, &dataplane->prompts);

	if (error) {
		snprintf(reason, TD_DATAPLANE_REASON_MAX, "prompts: %s", td_error_text(error));
		return error;
	}
	for (unsigned i = 0; i < config->prompts_count && !error; i++)
		error = td_prompts_load(dataplane->prompts, config->prompts[i].name,
					config->prompts[i].file, reason);
	if (!error)
		error = td_prompts_add_tones(dataplane->prompts, reason);
	if (error)
		td_prompts_destroy(dataplane->prompts);
	return error;
}

static TD_MAIN void stop_prompts(struct td_dataplane *dataplane)
{
	td_prompts_destroy(dataplane->prompts);
}

static void list_prompts(struct td_dataplane *dataplane)
{
	for (uint32_t i = 0; i < dataplane->prompts->count; i++) {
		const struct td_prompt *prompt = &dataplane->prompts->entries[i];
		struct td_prompt_entry *entry = &dataplane->share.region.prompts[i];

		memcpy(entry->name, prompt->name, sizeof entry->name);
		entry->duration_ms = prompt->duration_ms;
	}
}

static void list_ports(struct td_dataplane *dataplane)
{
	struct td_network *network = &dataplane->network;

	network->stats = dataplane->share.region.ports;
	for (uint32_t i = 0; i < network->port_count; i++)
		memcpy(network->stats[i].name, network->ports[i].name,
		       sizeof network->stats[i].name);
}

static TD_MAIN int start_share(struct td_dataplane *dataplane, char reason[TD_DATAPLANE_REASON_MAX])
{
	struct td_region_sizes sizes = {
		.worker_count = dataplane->config->dataplane.workers,
		.stream_count = dataplane->config->dataplane.streams,
		.prompt_count = dataplane->prompts->count,
		.port_count = dataplane->network.port_count,
	};
	int error = td_share_create(&sizes, dataplane->boot_id, td_clock_now_ns(),
				    &dataplane->share, reason);

	if (!error) {
		list_prompts(dataplane);
		list_ports(dataplane);
	}
	return error;
}

static TD_MAIN void stop_share(struct td_dataplane *dataplane)
{
	dataplane->network.stats = NULL;
	td_share_destroy(&dataplane->share);
}

static TD_MAIN int open_recording(void *user, struct td_tap_id tap,
				  const struct td_command_record_start *start)
{
	struct td_dataplane *dataplane = user;

	return td_recorder_open(dataplane->recorder, tap, start);
}

static TD_MAIN void close_recording(void *user, struct td_tap_id tap)
{
	struct td_dataplane *dataplane = user;

	td_recorder_close(dataplane->recorder, tap);
}

static TD_MAIN void control_recording(void *user, const struct td_command_record_control *control,
				      uint64_t now_ns)
{
	struct td_dataplane *dataplane = user;

	td_recorder_control(dataplane->recorder, control, now_ns);
}

static TD_MAIN int note_recording(void *user, const struct td_command_record_note *note)
{
	struct td_dataplane *dataplane = user;

	return td_recorder_note(dataplane->recorder, note);
}

static uint64_t realtime_offset_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * TD_NS_PER_S + (uint64_t)now.tv_nsec - td_clock_now_ns();
}

static TD_MAIN int start_engine(struct td_dataplane *dataplane,
				char reason[TD_DATAPLANE_REASON_MAX])
{
	struct td_engine_options options = {
		.worker_count = dataplane->config->dataplane.workers,
		.stream_count = dataplane->config->dataplane.streams,
		.mixed_count = dataplane->config->dataplane.mixed_streams,
		.region = &dataplane->share.region,
		.demux = dataplane->network.demux,
		.locals = &dataplane->network.locals,
		.neighbours = dataplane->network.neighbours,
		.pool = dataplane->network.pool,
		.prompts = dataplane->prompts,
		.recorder = { .open = open_recording,
			      .close = close_recording,
			      .control = control_recording,
			      .note = note_recording,
			      .user = dataplane },
		.forker = td_forks_for_engine(dataplane),
		.fork_count = dataplane->config->dataplane.forks,
		.realtime_offset_ns = realtime_offset_ns(),
		.seed = dataplane->seed,
		.srtp = dataplane->config->dataplane.srtp_engine,
	};
	int error = td_engine_create(&options, &dataplane->engine);

	if (error == -TD_EUNSUPPORTED)
		snprintf(
			reason, TD_DATAPLANE_REASON_MAX,
			"dataplane.srtp_engine: %s is not in this build or not for this processor; "
			"auto takes what there is",
			td_srtp_engine_name(options.srtp));
	else if (error)
		snprintf(reason, TD_DATAPLANE_REASON_MAX,
			 "the media engine for %u streams: %s; lower dataplane.streams or raise "
			 "dataplane.memory_mb (now %u)",
			 options.stream_count, td_error_text(error),
			 dataplane->config->dataplane.memory_mb);
	else
		dataplane->share.region.header->srtp_engine = td_engine_srtp(dataplane->engine);
	return error;
}

static TD_MAIN void stop_engine(struct td_dataplane *dataplane)
{
	td_engine_destroy(dataplane->engine);
}

static TD_RECORDER int report_recording(void *user, const struct td_event *event)
{
	const struct td_dataplane *dataplane = user;

	return td_engine_record_event(dataplane->engine, event);
}

static TD_MAIN int start_recorder(struct td_dataplane *dataplane,
				  char reason[TD_DATAPLANE_REASON_MAX])
{
	const struct td_config *config = dataplane->config;
	struct td_tap_ring *rings[TD_WORKER_MAX];
	char folder[512];
	struct td_recorder_options options = {
		.folder = folder,
		.recordings_max = config->dataplane.streams,
		.sync = config->dataplane.recording_sync,
		.key_file = config->recording.key_file,
	};
	int error;

	snprintf(folder, sizeof folder, "%s/recordings", config->system.data_dir);
	if (td_folder_make(folder) != 0) {
		snprintf(reason, TD_DATAPLANE_REASON_MAX,
			 "%s cannot be made: %m; set another system.data_dir", folder);
		return -TD_EIO;
	}
	error = td_recorder_create(&options, &dataplane->recorder, reason);
	if (error)
		return error;
	for (uint32_t i = 0; i < config->dataplane.workers; i++)
		rings[i] = td_engine_tap_ring(dataplane->engine, i);
	error = td_recorder_start(dataplane->recorder, rings, config->dataplane.workers,
				  report_recording, dataplane);
	if (error) {
		snprintf(reason, TD_DATAPLANE_REASON_MAX, "the recorder thread: %s",
			 td_error_text(error));
		td_recorder_destroy(dataplane->recorder);
	}
	return error;
}

static TD_MAIN void stop_recorder(struct td_dataplane *dataplane)
{
	td_recorder_destroy(dataplane->recorder);
}

static TD_MAIN int start_workers(struct td_dataplane *dataplane,
				 char reason[TD_DATAPLANE_REASON_MAX])
{
	const struct td_config_dataplane *config = &dataplane->config->dataplane;
	struct td_workers_options options = {
		.worker_count = config->workers,
		.busy_poll = config->poll == TD_POLL_BUSY,
		.ports = dataplane->network.ports,
		.port_count = dataplane->network.port_count,
		.locals = &dataplane->network.locals,
		.demux = dataplane->network.demux,
		.neighbours = dataplane->network.neighbours,
		.pool = dataplane->network.pool,
		.engine = dataplane->engine,
		.stats = dataplane->share.region.workers,
	};
	int error = td_workers_create(&options, &dataplane->workers);

	if (error)
		snprintf(reason, TD_DATAPLANE_REASON_MAX,
			 "the workers: %s; raise dataplane.memory_mb (now %u)",
			 td_error_text(error), config->memory_mb);
	return error;
}

static TD_MAIN void stop_workers(struct td_dataplane *dataplane)
{
	td_workers_destroy(dataplane->workers);
}

static TD_MAIN int start_door(struct td_dataplane *dataplane, char reason[TD_DATAPLANE_REASON_MAX])
{
	return td_door_open(&dataplane->door, dataplane->config->system.run_dir, reason);
}

static TD_MAIN void stop_door(struct td_dataplane *dataplane)
{
	td_door_close(&dataplane->door);
}

static TD_MAIN int start_turning(struct td_dataplane *dataplane,
				 char reason[TD_DATAPLANE_REASON_MAX])
{
	unsigned lcores[TD_WORKER_MAX];
	int error;

	// td_eal_plan gave worker w the lcore w + 1.
	for (unsigned w = 0; w < TD_WORKER_MAX; w++)
		lcores[w] = w + 1;
	error = td_workers_start(dataplane->workers, lcores);
	if (error)
		snprintf(reason, TD_DATAPLANE_REASON_MAX, "the workers do not start: %s",
			 td_error_text(error));
	return error;
}

static TD_MAIN void stop_turning(struct td_dataplane *dataplane)
{
	td_workers_stop(dataplane->workers);
}

static const struct stage stages[] = {
	{ "DPDK", start_eal, stop_eal },
	{ "network", start_network, stop_network },
	{ "prompts", start_prompts, stop_prompts },
	{ "region", start_share, stop_share },
	{ "engine", start_engine, stop_engine },
	{ "recorder", start_recorder, stop_recorder },
	{ "forks", td_forks_start, td_forks_stop },
	{ "workers", start_workers, stop_workers },
	{ "door", start_door, stop_door },
	{ "start", start_turning, stop_turning },
};

#define STAGE_COUNT (sizeof stages / sizeof stages[0])

int td_dataplane_start(struct td_dataplane *dataplane, const struct td_config *config,
		       char reason[TD_DATAPLANE_REASON_MAX])
{
	uint64_t random[2];

	*dataplane = (struct td_dataplane){ .config = config };
	reason[0] = '\0';
	if (getrandom(random, sizeof random, 0) != sizeof random) {
		snprintf(reason, TD_DATAPLANE_REASON_MAX, "the kernel gives no random numbers");
		return -TD_EIO;
	}
	dataplane->seed = random[0];
	dataplane->boot_id = random[1];
	for (; dataplane->stages_up < STAGE_COUNT; dataplane->stages_up++) {
		int error = stages[dataplane->stages_up].start(dataplane, reason);

		if (error) {
			td_trace(stages[dataplane->stages_up].name, 0, (uint64_t)-error);
			td_dataplane_stop(dataplane);
			return error;
		}
	}
	return 0;
}

void td_dataplane_stop(struct td_dataplane *dataplane)
{
	while (dataplane->stages_up > 0)
		stages[--dataplane->stages_up].stop(dataplane);
}
