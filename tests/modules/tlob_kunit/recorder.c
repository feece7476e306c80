// SPDX-License-Identifier: GPL-2.0-only
/*
 * The trace events, as probes on their tracepoints see them.
 */
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "tlob_kunit.h"
#include "trace_tlob.h"

#define MAX_SEEN	512

static DEFINE_RAW_SPINLOCK(lock);
static struct tlob_seen seen[MAX_SEEN];
static unsigned int nr_seen;
static bool lost;

static void keep(const struct tlob_seen *new)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	if (nr_seen < MAX_SEEN)
		seen[nr_seen++] = *new;
	else
		lost = true;
	raw_spin_unlock_irqrestore(&lock, flags);
}

static void probe_event(void *data, int id, const char *state,
			const char *event, const char *next_state,
			bool final_state)
{
	struct tlob_seen new = { .what = TLOB_SEEN_EVENT, .id = id };

	strscpy(new.state, state, sizeof(new.state));
	strscpy(new.event, event, sizeof(new.event));
	strscpy(new.next_state, next_state, sizeof(new.next_state));
	new.final_state = final_state;
	keep(&new);
}

static void probe_error(void *data, int id, const char *state,
			const char *event)
{
	struct tlob_seen new = { .what = TLOB_SEEN_ERROR, .id = id };

	strscpy(new.state, state, sizeof(new.state));
	strscpy(new.event, event, sizeof(new.event));
	keep(&new);
}

static void probe_error_env(void *data, int id, const char *state,
			    const char *event, const char *env)
{
	struct tlob_seen new = { .what = TLOB_SEEN_ERROR_ENV, .id = id };

	strscpy(new.state, state, sizeof(new.state));
	strscpy(new.event, event, sizeof(new.event));
	strscpy(new.env, env, sizeof(new.env));
	keep(&new);
}

static void keep_report(enum tlob_seen_event what,
			const struct tlob_report *report, const char *state,
			const char *binding)
{
	struct tlob_seen new = {
		.what = what,
		.id = report->pid,
		.report = *report,
	};

	strscpy(new.state, state, sizeof(new.state));
	strscpy(new.binding, binding, sizeof(new.binding));
	keep(&new);
}

static void probe_detail_env(void *data, const struct tlob_report *report,
			     const char *state, const char *binding)
{
	keep_report(TLOB_SEEN_DETAIL, report, state, binding);
}

static void probe_done(void *data, const struct tlob_report *report,
		       const char *state, const char *binding)
{
	keep_report(TLOB_SEEN_DONE, report, state, binding);
}

/* The build fails here if a probe does not fit its tracepoint. */
static void __maybe_unused check_probes(void)
{
	check_trace_callback_type_event_tlob(probe_event);
	check_trace_callback_type_error_tlob(probe_error);
	check_trace_callback_type_error_env_tlob(probe_error_env);
	check_trace_callback_type_detail_env_tlob(probe_detail_env);
	check_trace_callback_type_done_tlob(probe_done);
}

static const struct {
	struct tracepoint *const *tp;
	void *probe;
} hooks[] = {
	{ &tlob_kunit_ops.event, probe_event },
	{ &tlob_kunit_ops.error, probe_error },
	{ &tlob_kunit_ops.error_env, probe_error_env },
	{ &tlob_kunit_ops.detail_env, probe_detail_env },
	{ &tlob_kunit_ops.done, probe_done },
};

static void unrecord(void *unused)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		tracepoint_probe_unregister(*hooks[i].tp, hooks[i].probe, NULL);
	tracepoint_synchronize_unregister();
}

/**
 * tlob_record - see the trace events from now on until the case ends
 * @test: the case
 */
void tlob_record(struct kunit *test)
{
	int i;

	tlob_record_anew();
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		int ret = tracepoint_probe_register(*hooks[i].tp,
						    hooks[i].probe, NULL);

		if (!ret)
			continue;
		while (i--)
			tracepoint_probe_unregister(*hooks[i].tp,
						    hooks[i].probe, NULL);
		tracepoint_synchronize_unregister();
		KUNIT_FAIL_AND_ABORT(test, "no probe on a tracepoint: %d", ret);
	}
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, unrecord, NULL),
			0);
}

/**
 * tlob_record_anew - forget what was seen
 */
void tlob_record_anew(void)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	nr_seen = 0;
	lost = false;
	raw_spin_unlock_irqrestore(&lock, flags);
}

/**
 * tlob_nr_seen - how often an event was seen
 * @what: which
 * @id: of this task; 0: of any
 *
 * Return: that number.
 */
unsigned int tlob_nr_seen(enum tlob_seen_event what, int id)
{
	unsigned int i, n = 0;
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	for (i = 0; i < nr_seen; i++)
		n += seen[i].what == what && (!id || seen[i].id == id);
	raw_spin_unlock_irqrestore(&lock, flags);
	return n;
}

/**
 * tlob_get_seen - an event that was seen
 * @what: which
 * @id: of this task; 0: of any
 * @nth: from 0, in the order of time
 * @copy: result
 *
 * Return: false if it was not.
 */
bool tlob_get_seen(enum tlob_seen_event what, int id, unsigned int nth,
		   struct tlob_seen *copy)
{
	unsigned long flags;
	bool found = false;
	unsigned int i;

	raw_spin_lock_irqsave(&lock, flags);
	for (i = 0; i < nr_seen && !found; i++) {
		if (seen[i].what != what || (id && seen[i].id != id))
			continue;
		found = !nth--;
		if (found)
			*copy = seen[i];
	}
	raw_spin_unlock_irqrestore(&lock, flags);
	return found;
}

/**
 * tlob_seen_lost - whether there was no room for an event
 *
 * Return: true if so.
 */
bool tlob_seen_lost(void)
{
	return READ_ONCE(lost);
}
