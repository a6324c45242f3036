// The two tables of the config file's keys agree with each other.
#include <check.h>
#include <stdio.h>

#include "config/schema.h"

// Every rule speaks of a key the schema has, and every number the schema has is bounded.
static unsigned count_rules(const struct cyaml_schema_value *value, const char *pattern)
{
	const struct td_config_rule *rule = td_config_rule_find(pattern);
	unsigned count = rule != NULL;
	char below[256];

	if (value->type == CYAML_INT || value->type == CYAML_UINT)
		ck_assert_msg(rule && rule->fallback && rule->min < rule->max, "%s", pattern);
	if (value->type == CYAML_STRING)
		ck_assert_msg(rule && (rule->max > 0 || rule->words), "%s", pattern);
	if (value->type == CYAML_SEQUENCE) {
		snprintf(below, sizeof below, "%s[]", pattern);
		count += count_rules(value->sequence.entry, below);
	}
	if (value->type == CYAML_MAPPING)
		for (const struct cyaml_schema_field *f = value->mapping.fields; f->key; f++) {
			snprintf(below, sizeof below, "%s%s%s", pattern, *pattern ? "." : "",
				 f->key);
			count += count_rules(&f->value, below);
		}
	return count;
}

START_TEST(test_rules_and_schema_agree)
{
	ck_assert_uint_eq(count_rules(&td_config_schema, ""), td_config_rule_count);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config/schema");
	TCase *tcase = tcase_create("schema");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, test_rules_and_schema_agree);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
