/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tlob automaton as a table, in the shape that rvgen's dot2c prints.
 *
 * src/tlob.dot is the source of truth: tests/host/model compares the two.
 * Pure: includes no kernel subsystem header.
 */
#ifndef _TLOB_AUTOMATON_H
#define _TLOB_AUTOMATON_H

#include <linux/types.h>

enum states_tlob {
	running_tlob,
	sleeping_tlob,
	waiting_tlob,
	state_max_tlob,
};

#define INVALID_STATE state_max_tlob

enum events_tlob {
	preempt_tlob,
	sleep_tlob,
	start_tlob,
	switch_in_tlob,
	wakeup_tlob,
	event_max_tlob,
};

enum envs_tlob {
	clk_elapsed_tlob,
	env_max_tlob,
	env_max_stored_tlob = env_max_tlob,
};

/* Of every state; is_over() in window.c is its negation. */
#define INVARIANT_TLOB "clk_elapsed < BUDGET_NS()"

struct automaton_tlob {
	char *state_names[state_max_tlob];
	char *event_names[event_max_tlob];
	char *env_names[env_max_tlob];
	unsigned char function[state_max_tlob][event_max_tlob];
	unsigned char initial_state;
	bool final_states[state_max_tlob];
};

extern const struct automaton_tlob automaton_tlob;

enum states_tlob tlob_state_after(enum events_tlob event);

#endif /* _TLOB_AUTOMATON_H */
