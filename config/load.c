// File -> shape and defaults -> libcyaml -> meaning.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/check.h"
#include "config/schema.h"
#include "config/shape.h"

// The first thing libcyaml complains of. After shape.c has passed the document it has no reason
// to, short of memory; if it does, its own words are better than none.
static void on_cyaml_log(cyaml_log_t level, void *context, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

static void on_cyaml_log(cyaml_log_t level, void *context, const char *format, va_list args)
{
	char *note = context;

	if (level == CYAML_LOG_ERROR && *note == '\0')
		vsnprintf(note, TD_CONFIG_FOUND_MAX, format, args);
}

static cyaml_config_t loader(char *note)
{
	return (cyaml_config_t){
		.log_fn = on_cyaml_log,
		.log_ctx = note,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_ERROR,
	};
}

// Reads, checks and completes the text; gives it as YAML in which every key is present.
static int complete(struct td_config_problem *problem, const char *text, size_t bytes, char **full,
		    size_t *full_bytes)
{
	yaml_document_t doc;
	int rc = td_document_open(&doc, problem, text, bytes);

	if (rc != 0)
		return rc;
	rc = td_config_shape(&doc, problem);
	if (rc != 0) {
		td_document_close(&doc);
		return rc;
	}
	return td_document_dump(&doc, full, full_bytes);
}

static int fill(struct td_config_problem *problem, const char *text, size_t bytes,
		struct td_config **out)
{
	char note[TD_CONFIG_FOUND_MAX] = "";
	cyaml_config_t cyaml = loader(note);
	cyaml_data_t *data = NULL;
	cyaml_err_t err = cyaml_load_data((const uint8_t *)text, bytes, &cyaml, &td_config_schema,
					  &data, NULL);

	if (err == CYAML_ERR_OOM)
		return -TD_EMEMORY;
	if (err != CYAML_OK || !data) {
		note[strcspn(note, "\n")] = '\0';
		td_config_problem(problem, 0, "file", *note ? note : cyaml_strerror(err),
				  "a config file");
		return -TD_EINVALID;
	}
	*out = data;
	return 0;
}

static int check_meaning(struct td_config_problem *problem, const char *text, size_t bytes,
			 struct td_config *config)
{
	yaml_document_t doc;
	struct td_config_check check = { config, &doc, problem };
	int rc = td_document_open(&doc, problem, text, bytes);

	if (rc != 0)
		return rc;
	rc = td_config_check_meaning(&check);
	td_document_close(&doc);
	return rc;
}

int td_config_load(const char *path, struct td_config **out, char error[TD_CONFIG_ERROR_MAX])
{
	struct td_config_problem problem = { path, error };
	struct td_config *config = NULL;
	char *text = NULL, *full = NULL;
	size_t bytes = 0, full_bytes = 0;
	int rc;

	*error = '\0';
	rc = td_document_read(&problem, &text, &bytes);
	if (rc == 0)
		rc = complete(&problem, text, bytes, &full, &full_bytes);
	if (rc == 0)
		rc = fill(&problem, full, full_bytes, &config);
	if (rc == 0)
		rc = check_meaning(&problem, text, bytes, config);
	if (rc == 0) {
		config->path = strdup(path);
		rc = config->path ? 0 : -TD_EMEMORY;
	}
	if (rc == -TD_EMEMORY)
		snprintf(error, TD_CONFIG_ERROR_MAX, "%s: not enough memory to load it", path);
	free(text);
	free(full);
	if (rc != 0) {
		td_config_free(config);
		return rc;
	}
	*out = config;
	return 0;
}

void td_config_free(struct td_config *config)
{
	char note[TD_CONFIG_FOUND_MAX] = "";
	cyaml_config_t cyaml = loader(note);

	if (!config)
		return;
	// What is derived is not in the schema, so libcyaml would not free it.
	for (unsigned i = 0; i < config->dataplane.ports_count; i++)
		free(config->dataplane.ports[i].parsed);
	for (unsigned i = 0; i < config->trunks_count; i++)
		free(config->trunks[i].parsed);
	free(config->path);
	cyaml_free(&cyaml, &td_config_schema, config, 0);
}

void td_config_where(const struct td_config *config, const char *key,
		     char where[TD_CONFIG_ERROR_MAX])
{
	char error[TD_CONFIG_ERROR_MAX], *text = NULL;
	struct td_config_problem problem = { config->path, error };
	yaml_document_t doc;
	unsigned line = 0;
	size_t bytes;

	if (td_document_read(&problem, &text, &bytes) == 0 &&
	    td_document_open(&doc, &problem, text, bytes) == 0) {
		line = td_document_line(&doc, key);
		td_document_close(&doc);
	}
	free(text);
	// The file may have gone since; its name is then all there is to say.
	if (line > 0)
		snprintf(where, TD_CONFIG_ERROR_MAX, "%s:%u: %s", config->path, line, key);
	else
		snprintf(where, TD_CONFIG_ERROR_MAX, "%s: %s", config->path, key);
}
