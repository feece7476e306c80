// SPDX-License-Identifier: GPL-2.0-only
/*
 * The trace events: their fields and print formats against the documented
 * ones, and what a window puts into them.
 */
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/trace_events.h>

#include "tlob_kunit.h"

static const struct tlob_kunit_ops *ops = &tlob_kunit_ops;

struct field {
	const char *type, *name;
};

#define STRING	"__data_loc char[]"

static struct trace_event_call *find_event(struct kunit *test, const char *name)
{
	unsigned int i;

	for (i = 0; i < ops->owner->num_trace_events; i++) {
		struct trace_event_call *call = ops->owner->trace_events[i];

		if (!strcmp(trace_event_name(call), name))
			return call;
	}
	KUNIT_FAIL_AND_ABORT(test, "no event %s", name);
	return NULL;
}

/* Return: what follows @what at @s. */
static const char *expect_text(struct kunit *test, const char *s,
			       const char *what)
{
	KUNIT_ASSERT_EQ_MSG(test, strncmp(s, what, strlen(what)), 0,
			    "'%s' is not '%s'", s, what);
	return s + strlen(what);
}

/* @format, and @more of it, and @args as in TP_printk() */
static void expect_event(struct kunit *test, const char *name,
			 const struct field *fields, unsigned int nr_fields,
			 const char *format, const char *more,
			 const char * const *args)
{
	const struct trace_event_call *call = find_event(test, name);
	const struct trace_event_fields *f = call->class->fields_array;
	const char *print = call->print_fmt;
	unsigned int i;

	KUNIT_EXPECT_STREQ(test, call->class->system, "rv");
	for (i = 0; i < nr_fields && f->type; i++, f++) {
		KUNIT_EXPECT_STREQ(test, f->name, fields[i].name);
		KUNIT_EXPECT_STREQ(test, f->type, fields[i].type);
	}
	KUNIT_EXPECT_EQ(test, i, nr_fields);
	KUNIT_EXPECT_NULL(test, f->type);

	print = expect_text(test, print, "\"");
	print = expect_text(test, print, format);
	print = expect_text(test, print, more);
	print = expect_text(test, print, "\"");
	for (; *args; args++) {
		print = expect_text(test, print, ", ");
		print = expect_text(test, print, *args);
	}
	KUNIT_EXPECT_STREQ(test, print, "");
}

static void event_format(struct kunit *test)
{
	static const struct field fields[] = {
		{ "int", "id" },
		{ STRING, "state" },
		{ STRING, "event" },
		{ STRING, "next_state" },
		{ "bool", "final_state" },
	};
	static const char * const args[] = {
		"REC->id", "__get_str(state)", "__get_str(event)",
		"__get_str(next_state)",
		"REC->final_state ? \" (final)\" : \"\"", NULL
	};
	struct tlob_seen e = {};

	expect_event(test, "event_tlob", fields, ARRAY_SIZE(fields),
		     "%d: %s x %s -> %s%s", "", args);

	tlob_record(test);
	KUNIT_EXPECT_EQ(test, tlob_start_task(current, TLOB_HOUR), 0);
	KUNIT_EXPECT_EQ(test, tlob_stop_task(current), 0);
	KUNIT_ASSERT_TRUE(test, tlob_get_seen(TLOB_SEEN_EVENT, current->pid, 0,
					      &e));
	KUNIT_EXPECT_STREQ(test, e.state, "running");
	KUNIT_EXPECT_STREQ(test, e.event, "start");
	KUNIT_EXPECT_STREQ(test, e.next_state, "running");
	KUNIT_EXPECT_TRUE(test, e.final_state);
}

/* Nothing that real kernels do: the model absorbs it. So the format alone. */
static void error_format(struct kunit *test)
{
	static const struct field fields[] = {
		{ "int", "id" },
		{ STRING, "state" },
		{ STRING, "event" },
	};
	static const char * const args[] = {
		"REC->id", "__get_str(event)", "__get_str(state)", NULL
	};

	expect_event(test, "error_tlob", fields, ARRAY_SIZE(fields),
		     "%d: event %s not expected in the state %s", "", args);
}

/* A window of ours, over its budget when it is stopped at the latest */
static void overrun(struct kunit *test)
{
	tlob_record(test);
	KUNIT_EXPECT_EQ(test, tlob_start_task(current, NSEC_PER_MSEC), 0);
	tlob_spin(2 * NSEC_PER_MSEC);
	KUNIT_EXPECT_EQ(test, tlob_stop_task(current), -EOVERFLOW);
}

static void error_env_format(struct kunit *test)
{
	static const struct field fields[] = {
		{ "int", "id" },
		{ STRING, "state" },
		{ STRING, "event" },
		{ STRING, "env" },
	};
	static const char * const args[] = {
		"REC->id", "__get_str(event)", "__get_str(state)",
		"__get_str(env)", NULL
	};
	struct tlob_seen e = {}, detail = {};
	char env[40];

	expect_event(test, "error_env_tlob", fields, ARRAY_SIZE(fields),
		     "%d: event %s not expected in the state %s with env %s", "",
		     args);

	overrun(test);
	KUNIT_ASSERT_TRUE(test, tlob_get_seen(TLOB_SEEN_ERROR_ENV,
					      current->pid, 0, &e));
	KUNIT_ASSERT_TRUE(test, tlob_get_seen(TLOB_SEEN_DETAIL, current->pid,
					      0, &detail));
	KUNIT_EXPECT_STREQ(test, e.event, "budget_exceeded");
	KUNIT_EXPECT_STREQ(test, e.state, detail.state);
	snprintf(env, sizeof(env), "clk_elapsed=%llu",
		 detail.report.totals.elapsed);
	KUNIT_EXPECT_STREQ(test, e.env, env);
}

static const struct field window_fields[] = {
	{ "int", "id" },
	{ "u64", "threshold_ns" },
	{ "u64", "running_ns" },
	{ "u64", "waiting_ns" },
	{ "u64", "sleeping_ns" },
	{ "u64", "elapsed_ns" },
	{ STRING, "binding" },
	{ "int", "tgid" },
	{ STRING, "comm" },
	{ STRING, "state" },
	{ "int", "by_pid" },
	{ STRING, "by_comm" },
	{ "int", "waker_pid" },
	{ STRING, "waker_comm" },
};

static const char window_format[] =
	"pid=%d threshold_ns=%llu running_ns=%llu waiting_ns=%llu sleeping_ns=%llu";

static const char window_more[] =
	" elapsed_ns=%llu binding=%s tgid=%d comm=%s state=%s by=%s:%d waker=%s:%d";

static const char * const window_args[] = {
	"REC->id", "REC->threshold_ns", "REC->running_ns", "REC->waiting_ns",
	"REC->sleeping_ns", "REC->elapsed_ns", "__get_str(binding)",
	"REC->tgid", "__get_str(comm)", "__get_str(state)",
	"__get_str(by_comm)", "REC->by_pid", "__get_str(waker_comm)",
	"REC->waker_pid", NULL
};

static void expect_window(struct kunit *test, const struct tlob_seen *e)
{
	const struct tlob_report *r = &e->report;

	KUNIT_EXPECT_EQ(test, r->pid, current->pid);
	KUNIT_EXPECT_EQ(test, r->tgid, current->tgid);
	KUNIT_EXPECT_STREQ(test, r->comm, current->comm);
	KUNIT_EXPECT_STREQ(test, e->binding, "kernel");
	KUNIT_EXPECT_STREQ(test, e->state,
			   ops->automaton->state_names[r->state]);
	KUNIT_EXPECT_EQ(test, r->threshold, NSEC_PER_MSEC);
	KUNIT_EXPECT_GE(test, r->totals.elapsed, r->threshold);
	tlob_expect_sums(test, &r->totals);
}

static void detail_format(struct kunit *test)
{
	struct tlob_seen e = {};

	expect_event(test, "detail_env_tlob", window_fields,
		     ARRAY_SIZE(window_fields), window_format, window_more,
		     window_args);
	overrun(test);
	KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_DETAIL, 0), 1);
	KUNIT_ASSERT_TRUE(test, tlob_get_seen(TLOB_SEEN_DETAIL, 0, 0, &e));
	expect_window(test, &e);
}

static void done_format(struct kunit *test)
{
	struct tlob_seen detail = {}, e = {};
	unsigned int s;

	expect_event(test, "done_tlob", window_fields,
		     ARRAY_SIZE(window_fields), window_format, window_more,
		     window_args);
	overrun(test);
	KUNIT_EXPECT_EQ(test, tlob_nr_seen(TLOB_SEEN_DONE, 0), 1);
	KUNIT_ASSERT_TRUE(test, tlob_get_seen(TLOB_SEEN_DETAIL, 0, 0, &detail));
	KUNIT_ASSERT_TRUE(test, tlob_get_seen(TLOB_SEEN_DONE, 0, 0, &e));
	expect_window(test, &e);
	/* The final totals: none is less than it was at the overrun. */
	KUNIT_EXPECT_STREQ(test, e.state, "running");
	KUNIT_EXPECT_GE(test, e.report.totals.elapsed, 2 * NSEC_PER_MSEC);
	for (s = 0; s < state_max_tlob; s++)
		KUNIT_EXPECT_GE(test, e.report.totals.ns[s],
				detail.report.totals.ns[s]);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(event_format),
	KUNIT_CASE(error_format),
	KUNIT_CASE(error_env_format),
	KUNIT_CASE(detail_format),
	KUNIT_CASE(done_format),
	{}
};

static struct kunit_suite suite = {
	.name = "tlob_trace_output",
	.suite_init = tlob_claim,
	.suite_exit = tlob_unclaim,
	.init = tlob_case_init,
	.exit = tlob_case_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
