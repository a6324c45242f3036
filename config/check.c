// The order of the checks, and how they complain.
#include "config/check.h"

#include <stdarg.h>
#include <stdio.h>

int td_config_wrong(struct td_config_check *check, const char *found, const char *expected,
		    const char *key, ...)
{
	char path[96];
	va_list args;

	va_start(args, key);
	vsnprintf(path, sizeof path, key, args);
	va_end(args);
	return td_config_problem(check->problem, td_document_line(check->doc, path), path, found,
				 "%s", expected);
}

int td_config_check_meaning(struct td_config_check *check)
{
	int rc = td_config_check_dataplane(check);

	if (rc == 0)
		rc = td_config_check_listeners(check);
	if (rc == 0)
		rc = td_config_check_trunks(check);
	if (rc == 0)
		rc = td_config_check_codecs(check);
	if (rc == 0)
		rc = td_config_check_forks(check);
	if (rc == 0)
		rc = td_config_check_names(check);
	if (rc == 0)
		rc = td_config_check_recording(check);
	return rc;
}
