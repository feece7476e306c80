// SPDX-License-Identifier: GPL-2.0-only
/*
 * The transition table of the tlob automaton. Pure: runs on the host too.
 */
#include "automaton.h"

const struct automaton_tlob automaton_tlob = {
	.state_names = {
		"running",
		"sleeping",
		"waiting",
	},
	.event_names = {
		"preempt",
		"sleep",
		"start",
		"switch_in",
		"wakeup",
	},
	.env_names = {
		"clk_elapsed",
	},
	.function = {
		{
			waiting_tlob,
			sleeping_tlob,
			running_tlob,
			INVALID_STATE,
			running_tlob,
		},
		{
			INVALID_STATE,
			INVALID_STATE,
			INVALID_STATE,
			INVALID_STATE,
			waiting_tlob,
		},
		{
			INVALID_STATE,
			INVALID_STATE,
			INVALID_STATE,
			running_tlob,
			waiting_tlob,
		},
	},
	.initial_state = running_tlob,
	.final_states = { 1, 0, 0 },
};

/**
 * tlob_state_after - state that a task is in once an event has happened
 * @event: an event, expected or not
 *
 * Resynchronises after an anomaly: the event itself says where the task is,
 * whatever state was recorded before it. Any context.
 *
 * Return: the state.
 */
enum states_tlob tlob_state_after(enum events_tlob event)
{
	switch (event) {
	case sleep_tlob:
		return sleeping_tlob;
	case preempt_tlob:
	case wakeup_tlob:
		return waiting_tlob;
	default:
		return running_tlob;
	}
}
