// SPDX-License-Identifier: GPL-2.0-only
/*
 * The transition table, against the one that the documentation has.
 */
#include "tlob_kunit.h"

static const struct tlob_kunit_ops *ops = &tlob_kunit_ops;

static const char * const states[] = { "running", "sleeping", "waiting" };
static const char * const events[] = {
	"preempt", "sleep", "start", "switch_in", "wakeup",
};

/* All that is expected; whatever is not here is an anomaly. */
static const struct {
	const char *from, *event, *to;
} rows[] = {
	{ "running", "start", "running" },
	{ "running", "sleep", "sleeping" },
	{ "running", "preempt", "waiting" },
	{ "waiting", "switch_in", "running" },
	{ "sleeping", "wakeup", "waiting" },
	{ "running", "wakeup", "running" },
	{ "waiting", "wakeup", "waiting" },
};

static const char *expected(const char *from, const char *event)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].from, from) && !strcmp(rows[i].event, event))
			return rows[i].to;
	return "(none)";
}

static const char *name_of(unsigned int state)
{
	if (state == INVALID_STATE)
		return "(none)";
	return state < state_max_tlob ? ops->automaton->state_names[state] : "?";
}

static void every_cell(struct kunit *test)
{
	const struct automaton_tlob *a = ops->automaton;
	unsigned int s, e;

	for (s = 0; s < state_max_tlob; s++)
		for (e = 0; e < event_max_tlob; e++)
			KUNIT_EXPECT_STREQ_MSG(test, name_of(a->function[s][e]),
					       expected(a->state_names[s],
							a->event_names[e]),
					       "%s x %s", a->state_names[s],
					       a->event_names[e]);
}

static void initial_state(struct kunit *test)
{
	KUNIT_EXPECT_STREQ(test, name_of(ops->automaton->initial_state),
			   "running");
}

static void final_states(struct kunit *test)
{
	unsigned int s;

	for (s = 0; s < state_max_tlob; s++)
		KUNIT_EXPECT_EQ_MSG(test, ops->automaton->final_states[s],
				    !strcmp(name_of(s), "running"), "%s",
				    name_of(s));
}

static void names(struct kunit *test)
{
	const struct automaton_tlob *a = ops->automaton;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, state_max_tlob, ARRAY_SIZE(states));
	for (i = 0; i < state_max_tlob; i++)
		KUNIT_EXPECT_STREQ(test, a->state_names[i], states[i]);
	KUNIT_ASSERT_EQ(test, event_max_tlob, ARRAY_SIZE(events));
	for (i = 0; i < event_max_tlob; i++)
		KUNIT_EXPECT_STREQ(test, a->event_names[i], events[i]);
	KUNIT_ASSERT_EQ(test, env_max_tlob, 1);
	KUNIT_EXPECT_STREQ(test, a->env_names[0], "clk_elapsed");
}

/* After an anomaly: where the event alone says that the task is. */
static void resynchronised(struct kunit *test)
{
	static const char * const after[] = {
		"waiting", "sleeping", "running", "running", "waiting",
	};
	unsigned int e;

	for (e = 0; e < event_max_tlob; e++)
		KUNIT_EXPECT_STREQ_MSG(test, name_of(ops->state_after(e)),
				       after[e], "%s", events[e]);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(every_cell),
	KUNIT_CASE(initial_state),
	KUNIT_CASE(final_states),
	KUNIT_CASE(names),
	KUNIT_CASE(resynchronised),
	{}
};

static struct kunit_suite suite = {
	.name = "tlob_automaton",
	.test_cases = cases,
};

kunit_test_suite(suite);
