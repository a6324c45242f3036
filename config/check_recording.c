// What recordings are called, whose they are, and how often that is announced.
#include <string.h>

#include "config/check.h"

#define BEEP_LEAST_S 2 // or one begins before the last has ended

static bool is_folder(const char *text)
{
	for (const char *c = text; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", *c))
			return false;
	return true;
}

static int check_tenant(struct td_config_check *check, const char *tenant, const char *list,
			unsigned index)
{
	if (!tenant || is_folder(tenant))
		return 0;
	return td_config_wrong(check, TD_FOUND(tenant), "letters, digits, - and _", "%s[%u].%s",
			       list, index,
			       strcmp(list, "recording.tenants") == 0 ? "name" : "tenant");
}

static int check_beep(struct td_config_check *check, uint32_t seconds, const char *list,
		      unsigned index)
{
	if (seconds == 0 || seconds >= BEEP_LEAST_S)
		return 0;
	return td_config_wrong(check, "1", "0, or 2 to 3600", "%s[%u].record_beep_s", list, index);
}

// Which word this is of what may stand in braces; its length with them, 0: none.
static size_t word_length(const char *text)
{
	static const char *const words[] = { "{tenant}", "{date}",   "{time}",
					     "{queue}",  "{call}",   "{agent}",
					     "{caller}", "{called}", "{trunk}" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strncmp(text, words[i], strlen(words[i])) == 0)
			return strlen(words[i]);
	return 0;
}

static int check_template(struct td_config_check *check, const char *name)
{
	static const char expected[] = "a relative name of letters, digits, - _ . / and {tenant}, "
				       "{date}, {time}, {queue}, {call}, {agent}, {caller}, "
				       "{called}, {trunk}, with {call} and without \"..\"";
	bool good = *name != '/' && !strstr(name, "..") && strstr(name, "{call}");
	char letter[2] = "";

	for (const char *c = name; good && *c;) {
		size_t length = *c == '{' ? word_length(c) : 1;

		letter[0] = *c;
		good = length > 1 || (length == 1 && (is_folder(letter) || strchr("./", *c)));
		c += length;
	}
	return good ? 0 : td_config_wrong(check, TD_FOUND(name), expected, "recording.name");
}

static int check_tenants(struct td_config_check *check)
{
	const struct td_config_recording *recording = &check->config->recording;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < recording->tenants_count; i++) {
		rc = check_tenant(check, recording->tenants[i].name, "recording.tenants", i);
		for (unsigned k = 0; rc == 0 && k < i; k++)
			if (strcmp(recording->tenants[k].name, recording->tenants[i].name) == 0)
				rc = td_config_wrong(check, TD_FOUND(recording->tenants[i].name),
						     "a name that is not used twice",
						     "recording.tenants[%u].name", i);
	}
	return rc;
}

int td_config_check_recording(struct td_config_check *check)
{
	const struct td_config *config = check->config;
	int rc = check_template(check, config->recording.name);

	if (rc == 0)
		rc = check_tenants(check);
	for (unsigned i = 0; rc == 0 && i < config->trunks_count; i++)
		rc = check_tenant(check, config->trunks[i].tenant, "trunks", i);
	for (unsigned i = 0; rc == 0 && i < config->queues_count; i++) {
		rc = check_tenant(check, config->queues[i].tenant, "queues", i);
		if (rc == 0)
			rc = check_beep(check, config->queues[i].record_beep_s, "queues", i);
	}
	for (unsigned i = 0; rc == 0 && i < config->conferences_count; i++) {
		rc = check_tenant(check, config->conferences[i].tenant, "conferences", i);
		if (rc == 0)
			rc = check_beep(check, config->conferences[i].record_beep_s, "conferences",
					i);
	}
	return rc;
}
