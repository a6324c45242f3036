// The plan compiler against a brute-force oracle: every matrix of three members, every kind of
// member, gain and codec.
#include <string.h>

#include <check.h>

#include "media/plan.h"

#define MEMBERS 3

static const int16_t gains[] = { 0, TD_GAIN_UNITY, TD_GAIN_UNITY / 2 };

// What a listener may hear, said the long way round: enumerate every plan there is, keep those
// that produce exactly what the column asks for.
static int oracle(const struct td_matrix *m, unsigned to, unsigned *from)
{
	int fits = 0, kind = -1;

	for (unsigned choice = 0; choice <= MEMBERS; choice++) { // MEMBERS: nobody
		int same = 1;

		if (choice < MEMBERS && m->members[choice].kind == TD_MEMBER_NONE)
			continue;
		for (unsigned i = 0; i < MEMBERS; i++)
			same &= m->gain_q12[i][to] == (i == choice ? TD_GAIN_UNITY : 0);
		if (choice < MEMBERS && m->members[choice].kind == TD_MEMBER_STREAM &&
		    m->members[choice].codec != TD_CODEC_NONE &&
		    m->members[to].codec != TD_CODEC_NONE &&
		    m->members[choice].codec != m->members[to].codec)
			same = 0;
		if (!same)
			continue;
		fits++;
		*from = choice;
		if (choice == MEMBERS)
			kind = TD_PLAN_NONE;
		else
			kind = m->members[choice].kind == TD_MEMBER_STREAM ? TD_PLAN_FORWARD
									   : TD_PLAN_PLAY;
	}
	ck_assert_int_le(fits, 1);
	return kind;
}

static void compare(const struct td_matrix *m)
{
	struct td_plan plan, before;
	int result, expected = 0;

	memset(&plan, 0xa5, sizeof plan);
	before = plan;
	result = td_plan_compile(m, &plan);
	for (unsigned to = 0; to < MEMBERS; to++) {
		unsigned from = 0;

		if (m->members[to].kind == TD_MEMBER_STREAM && oracle(m, to, &from) < 0)
			expected = -TD_ENEEDS_MIX;
	}
	ck_assert_int_eq(result, expected);
	if (result != 0) {
		ck_assert_mem_eq(&plan, &before, sizeof plan);
		return;
	}
	for (unsigned to = 0; to < MEMBERS; to++) {
		unsigned from = MEMBERS;
		int kind = m->members[to].kind == TD_MEMBER_STREAM ? oracle(m, to, &from)
								   : TD_PLAN_NONE;

		ck_assert_int_eq(plan.kind[to], kind);
		if (kind != TD_PLAN_NONE)
			ck_assert_uint_eq(plan.from[to], from);
		for (unsigned i = 0; i < MEMBERS; i++)
			ck_assert_int_eq((plan.heard_by[i] >> to) & 1,
					 kind != TD_PLAN_NONE && from == i);
	}
}

// Every assignment of gains to the cells whose ends exist; players hear nothing.
static void all_gains(struct td_matrix *m, unsigned cell)
{
	unsigned from = cell / MEMBERS, to = cell % MEMBERS;

	if (cell == MEMBERS * MEMBERS) {
		compare(m);
		return;
	}
	for (unsigned g = 0; g < sizeof gains / sizeof gains[0]; g++) {
		m->gain_q12[from][to] = gains[g];
		all_gains(m, cell + 1);
		if (m->members[from].kind == TD_MEMBER_NONE ||
		    m->members[to].kind != TD_MEMBER_STREAM)
			break; // only 0 is possible there
	}
	m->gain_q12[from][to] = 0;
}

START_TEST(every_matrix_of_three)
{
	static const struct td_plan_member kinds[] = {
		{ TD_MEMBER_NONE, TD_CODEC_NONE },   { TD_MEMBER_STREAM, TD_CODEC_NONE },
		{ TD_MEMBER_STREAM, TD_CODEC_PCMU }, { TD_MEMBER_STREAM, TD_CODEC_PCMA },
		{ TD_MEMBER_PLAYER, TD_CODEC_NONE },
	};
	struct td_matrix m;

	memset(&m, 0, sizeof m);
	for (unsigned a = 0; a < 5; a++) {
		for (unsigned b = 0; b < 5; b++) {
			for (unsigned c = 0; c < 5; c++) {
				m.members[0] = kinds[a];
				m.members[1] = kinds[b];
				m.members[2] = kinds[c];
				all_gains(&m, 0);
			}
		}
	}
}
END_TEST

START_TEST(full_context)
{
	struct td_matrix m;
	struct td_plan plan;

	memset(&m, 0, sizeof m);
	for (unsigned i = 0; i < TD_PLAN_MEMBER_MAX; i++) {
		m.members[i].kind = TD_MEMBER_STREAM;
		m.members[i].codec = TD_CODEC_PCMU;
		m.gain_q12[TD_PLAN_MEMBER_MAX - 1][i] = TD_GAIN_UNITY;
	}
	ck_assert_int_eq(td_plan_compile(&m, &plan), 0);
	ck_assert_uint_eq(plan.heard_by[TD_PLAN_MEMBER_MAX - 1], 0xffff); // itself as well: an echo
	m.gain_q12[0][TD_PLAN_MEMBER_MAX - 1] = TD_GAIN_UNITY; // the last one would hear two
	ck_assert_int_eq(td_plan_compile(&m, &plan), -TD_ENEEDS_MIX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan");
	TCase *tcase = tcase_create("plan");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, every_matrix_of_three);
	tcase_add_test(tcase, full_context);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
