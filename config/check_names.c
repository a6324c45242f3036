// Names: unique, well-formed, and, where one refers to another, there.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/check.h"

// A sorted view of the names of one list, for duplicates and look-ups in a list of thousands.
struct name {
	const char *text;
	unsigned index;
};

struct names {
	struct name *sorted;
	unsigned count;
};

static int compare_names(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order ? order : (x->index > y->index) - (x->index < y->index);
}

// Collects the name of each of `count` items of `stride` bytes at `items`; the name is the
// char pointer at `offset`.
static int names_init(struct names *names, const void *items, unsigned count, size_t stride,
		      size_t offset)
{
	const char *item = items;

	names->count = count;
	names->sorted = calloc(count ? count : 1, sizeof *names->sorted);
	if (!names->sorted)
		return -TD_EMEMORY;
	for (unsigned i = 0; i < count; i++, item += stride)
		names->sorted[i] = (struct name){ *(char *const *)(item + offset), i };
	qsort(names->sorted, count, sizeof *names->sorted, compare_names);
	return 0;
}

static int compare_text(const void *key, const void *element)
{
	return strcmp(key, ((const struct name *)element)->text);
}

static bool names_has(const struct names *names, const char *text)
{
	return bsearch(text, names->sorted, names->count, sizeof *names->sorted, compare_text);
}

// `key_format` takes the index: "queues[%u].name".
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static int names_unique(struct td_config_check *check, const struct names *names,
			const char *key_format)
{
	char key[64];

	for (unsigned i = 1; i < names->count; i++) {
		if (strcmp(names->sorted[i - 1].text, names->sorted[i].text) != 0)
			continue;
		snprintf(key, sizeof key, key_format, names->sorted[i].index);
		return td_config_wrong(check, TD_FOUND(names->sorted[i].text),
				       "a name that is not used twice", "%s", key);
	}
	return 0;
}
#pragma GCC diagnostic pop

#define NAMES_INIT(names, items, count, type, member)                                              \
	names_init(names, items, count, sizeof(struct type), offsetof(struct type, member))

static bool is_spelled(const char *text, const char *extra)
{
	for (; *text; text++) {
		bool plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
			     (*text >= '0' && *text <= '9');

		if (!plain && !strchr(extra, *text))
			return false;
	}
	return true;
}

static int check_paths(struct td_config_check *check)
{
	const struct td_config_system *system = &check->config->system;

	if (*system->run_dir != '/')
		return td_config_wrong(check, TD_FOUND(system->run_dir), "an absolute path",
				       "system.run_dir");
	if (*system->data_dir != '/')
		return td_config_wrong(check, TD_FOUND(system->data_dir), "an absolute path",
				       "system.data_dir");
	return 0;
}

// Files are named relative to the config file.
static int resolve_file(const struct td_config_check *check, char **name)
{
	const char *file = check->problem->file, *slash = strrchr(file, '/');
	char *full;

	if (!*name || **name == '/' || !slash)
		return 0;
	if (asprintf(&full, "%.*s/%s", (int)(slash - file), file, *name) < 0)
		return -TD_EMEMORY;
	free(*name);
	*name = full;
	return 0;
}

static int check_ports_and_prompts(struct td_config_check *check, const struct names *prompts)
{
	struct td_config_dataplane *plane = &check->config->dataplane;
	struct names ports;
	int rc = NAMES_INIT(&ports, plane->ports, plane->ports_count, td_config_port, name);

	if (rc == 0)
		rc = names_unique(check, &ports, "dataplane.ports[%u].name");
	free(ports.sorted);
	if (rc == 0)
		rc = names_unique(check, prompts, "dataplane.prompts[%u].name");
	for (unsigned i = 0; rc == 0 && i < plane->prompts_count; i++)
		rc = resolve_file(check, &plane->prompts[i].file);
	return rc == 0 ? resolve_file(check, &check->config->recording.key_file) : rc;
}

static int check_trunk_names(struct td_config_check *check)
{
	struct names trunks;
	int rc = NAMES_INIT(&trunks, check->config->trunks, check->config->trunks_count,
			    td_config_trunk, name);

	if (rc == 0)
		rc = names_unique(check, &trunks, "trunks[%u].name");
	free(trunks.sorted);
	return rc;
}

static int check_prompt_name(struct td_config_check *check, const struct names *prompts,
			     const char *name, const char *list, unsigned index, const char *key)
{
	if (!name || !*name || names_has(prompts, name))
		return 0;
	return td_config_wrong(check, TD_FOUND(name),
			       "the name of a prompt under dataplane.prompts", "%s[%u].%s", list,
			       index, key);
}

static int check_queues(struct td_config_check *check, const struct names *queues,
			const struct names *prompts)
{
	int rc = names_unique(check, queues, "queues[%u].name");

	for (unsigned i = 0; rc == 0 && i < check->config->queues_count; i++) {
		struct td_config_queue *queue = &check->config->queues[i];

		rc = check_prompt_name(check, prompts, queue->greeting, "queues", i, "greeting");
		if (rc == 0)
			rc = check_prompt_name(check, prompts, queue->music, "queues", i, "music");
		if (rc == 0 && (!queue->skill || !*queue->skill)) {
			free(queue->skill);
			queue->skill = strdup(queue->name);
			rc = queue->skill ? 0 : -TD_EMEMORY;
		}
	}
	return rc;
}

static int check_agent(struct td_config_check *check, unsigned index, const struct names *queues)
{
	const struct td_config_agent *agent = &check->config->agents[index];

	if (!is_spelled(agent->id, "-_.+"))
		return td_config_wrong(check, TD_FOUND(agent->id),
				       "a SIP user of letters, digits and -_.+", "agents[%u].id",
				       index);
	for (unsigned q = 0; q < agent->queues_count; q++) {
		const char *expected = NULL;

		if (!names_has(queues, agent->queues[q]))
			expected = "the name of a queue under queues";
		for (unsigned other = 0; other < q; other++)
			if (strcmp(agent->queues[other], agent->queues[q]) == 0)
				expected = "each queue once";
		if (expected)
			return td_config_wrong(check, TD_FOUND(agent->queues[q]), expected,
					       "agents[%u].queues[%u]", index, q);
	}
	return 0;
}

static int check_agents(struct td_config_check *check, const struct names *queues)
{
	struct names agents;
	int rc = NAMES_INIT(&agents, check->config->agents, check->config->agents_count,
			    td_config_agent, id);

	if (rc == 0)
		rc = names_unique(check, &agents, "agents[%u].id");
	free(agents.sorted);
	for (unsigned i = 0; rc == 0 && i < check->config->agents_count; i++)
		rc = check_agent(check, i, queues);
	return rc;
}

static int check_moderators(struct td_config_check *check, unsigned index)
{
	const struct td_config *config = check->config;
	const struct td_config_conference *conference = &config->conferences[index];
	struct names agents;
	int rc = NAMES_INIT(&agents, config->agents, config->agents_count, td_config_agent, id);

	for (unsigned i = 0; rc == 0 && i < conference->moderators_count; i++) {
		if (!names_has(&agents, conference->moderators[i]))
			rc = td_config_wrong(check, TD_FOUND(conference->moderators[i]),
					     "the id of an agent under agents",
					     "conferences[%u].moderators[%u]", index, i);
	}
	free(agents.sorted);
	return rc;
}

static int check_conferences(struct td_config_check *check, const struct names *conferences,
			     const struct names *prompts)
{
	int rc = names_unique(check, conferences, "conferences[%u].name");

	for (unsigned i = 0; rc == 0 && i < check->config->conferences_count; i++) {
		const struct td_config_conference *one = &check->config->conferences[i];

		rc = check_prompt_name(check, prompts, one->music, "conferences", i, "music");
		if (rc == 0)
			rc = check_prompt_name(check, prompts, one->entry, "conferences", i,
					       "entry");
		if (rc == 0)
			rc = check_prompt_name(check, prompts, one->leave, "conferences", i,
					       "leave");
		if (rc == 0)
			rc = check_moderators(check, i);
	}
	return rc;
}

// A number leads to a queue or to a conference.
static int check_destination(struct td_config_check *check, unsigned index,
			     const struct names *queues, const struct names *conferences)
{
	const struct td_config_number *row = &check->config->dialplan[index];
	bool queue = row->queue && *row->queue, conference = row->conference && *row->conference;

	if (queue && conference)
		return td_config_wrong(check, TD_FOUND(row->conference),
				       "either a queue or a conference", "dialplan[%u].conference",
				       index);
	if (!conference && !names_has(queues, queue ? row->queue : ""))
		return td_config_wrong(check, queue ? TD_FOUND(row->queue) : "nothing",
				       "the name of a queue under queues", "dialplan[%u].queue",
				       index);
	if (conference && !names_has(conferences, row->conference))
		return td_config_wrong(check, TD_FOUND(row->conference),
				       "the name of a conference under conferences",
				       "dialplan[%u].conference", index);
	return 0;
}

static int check_dialplan(struct td_config_check *check, const struct names *queues,
			  const struct names *conferences)
{
	struct names numbers;
	int rc = NAMES_INIT(&numbers, check->config->dialplan, check->config->dialplan_count,
			    td_config_number, number);

	if (rc == 0)
		rc = names_unique(check, &numbers, "dialplan[%u].number");
	free(numbers.sorted);
	for (unsigned i = 0; rc == 0 && i < check->config->dialplan_count; i++) {
		const struct td_config_number *row = &check->config->dialplan[i];
		size_t star = strcspn(row->number, "*");

		// "*98" is a number people dial; only a last star is a wildcard.
		if (!is_spelled(row->number, "+-_.*#") ||
		    (row->number[star] && row->number[star + 1] && star != 0))
			rc = td_config_wrong(check, TD_FOUND(row->number),
					     "a user part of letters, digits and +-_.#, \"*\" last",
					     "dialplan[%u].number", i);
		else
			rc = check_destination(check, i, queues, conferences);
	}
	return rc;
}

static int check_token(struct td_config_check *check)
{
	for (const char *c = check->config->api.token; *c; c++)
		if (*c <= ' ' || *c > '~')
			return td_config_wrong(check, "a space or a character beyond ASCII",
					       "printable ASCII without spaces", "api.token");
	return 0;
}

int td_config_check_names(struct td_config_check *check)
{
	struct td_config *config = check->config;
	struct names queues = { 0 }, prompts = { 0 }, conferences = { 0 };
	int rc = NAMES_INIT(&queues, config->queues, config->queues_count, td_config_queue, name);

	if (rc == 0)
		rc = NAMES_INIT(&prompts, config->dataplane.prompts,
				config->dataplane.prompts_count, td_config_prompt, name);
	if (rc == 0)
		rc = NAMES_INIT(&conferences, config->conferences, config->conferences_count,
				td_config_conference, name);
	if (rc == 0)
		rc = check_paths(check);
	if (rc == 0)
		rc = check_ports_and_prompts(check, &prompts);
	if (rc == 0)
		rc = check_trunk_names(check);
	if (rc == 0)
		rc = check_queues(check, &queues, &prompts);
	if (rc == 0)
		rc = check_agents(check, &queues);
	if (rc == 0)
		rc = check_conferences(check, &conferences, &prompts);
	if (rc == 0)
		rc = check_dialplan(check, &queues, &conferences);
	if (rc == 0)
		rc = check_token(check);
	free(queues.sorted);
	free(prompts.sorted);
	free(conferences.sorted);
	return rc;
}
