#include "app/archive_stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "store/archive.h"
#include "td_assert.h"
#include "td_log.h"

#define FIRST_SWEEP_MS 5000
#define SWEEP_MS       600000

struct td_archive_stage {
	char database[4096], folder[4096];
	struct td_archive_rule *rules;
	struct td_archive *archive;
	uv_timer_t timer;
	uv_work_t work;
	bool busy;
	// The job's.
	struct td_archive_swept swept;
	int error;
	char why[TD_ARCHIVE_ERROR_MAX];
};

static uint32_t fill_rules(const struct td_config_recording *config, struct td_archive_rule *rules)
{
	uint32_t count = 0;

	rules[count++].keep_days = config->keep_days;
	for (unsigned i = 0; i < config->tenants_count; i++)
		rules[count++] = (struct td_archive_rule){ config->tenants[i].name,
							   config->tenants[i].keep_days };
	return count;
}

int td_archive_stage_start(struct td_control *control, char reason[TD_CONTROL_REASON_MAX])
{
	const struct td_config *config = control->config;
	struct td_archive_stage *stage = calloc(1, sizeof *stage);
	uint32_t count;

	control->archive = stage;
	if (stage)
		stage->rules = calloc(config->recording.tenants_count + 1u, sizeof *stage->rules);
	if (!stage || !stage->rules) {
		td_archive_stage_stop(control);
		snprintf(reason, TD_CONTROL_REASON_MAX, "not enough memory");
		return -TD_EMEMORY;
	}
	snprintf(stage->database, sizeof stage->database, "%s/tandem.db", config->system.data_dir);
	snprintf(stage->folder, sizeof stage->folder, "%s/recordings", config->system.data_dir);
	count = fill_rules(&config->recording, stage->rules);
	if (td_archive_create(stage->database, stage->folder, stage->rules, count,
			      &stage->archive) == 0)
		return 0;
	td_archive_stage_stop(control);
	snprintf(reason, TD_CONTROL_REASON_MAX, "not enough memory");
	return -TD_EMEMORY;
}

void td_archive_stage_stop(struct td_control *control)
{
	if (!control->archive)
		return;
	td_archive_destroy(control->archive->archive);
	free(control->archive->rules);
	free(control->archive);
	control->archive = NULL;
}

struct td_archive *td_archive_stage_archive(const struct td_control *control)
{
	return control->archive->archive;
}

static void sweep(uv_work_t *work)
{
	struct td_archive_stage *stage = work->data;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	stage->error =
		td_archive_sweep(stage->archive, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000,
				 &stage->swept, stage->why);
}

static void swept(uv_work_t *work, int status)
{
	struct td_archive_stage *stage = work->data;

	stage->busy = false;
	if (status != 0)
		return;
	if (stage->error)
		td_error("recordings",
			 "what is too old could not be looked for: %s; tried again "
			 "in ten minutes",
			 stage->why);
	else if (stage->swept.deleted + stage->swept.failed > 0)
		td_info("recordings",
			"%llu deleted since their time was over, %llu MB; %llu could "
			"not be",
			(unsigned long long)stage->swept.deleted,
			(unsigned long long)(stage->swept.bytes >> 20),
			(unsigned long long)stage->swept.failed);
}

static void due(uv_timer_t *timer)
{
	struct td_archive_stage *stage = timer->data;

	if (!stage->busy)
		stage->busy = uv_queue_work(timer->loop, &stage->work, sweep, swept) == 0;
}

int td_sweep_stage_start(struct td_control *control, char reason[TD_CONTROL_REASON_MAX])
{
	struct td_archive_stage *stage = control->archive;

	(void)reason;
	stage->timer.data = stage->work.data = stage;
	TD_ASSERT(uv_timer_init(&control->loop, &stage->timer) == 0);
	uv_timer_start(&stage->timer, due, FIRST_SWEEP_MS, SWEEP_MS);
	return 0;
}

void td_sweep_stage_stop(struct td_control *control)
{
	uv_close((uv_handle_t *)&control->archive->timer, NULL);
}
