// SPDX-License-Identifier: GPL-2.0-only
/*
 * The automaton's every cell against README's table, written out here a
 * second time, and the clock on top of it.
 */
#include <stdlib.h>
#include <string.h>

#include "accounting.h"
#include "ktap.h"

#define SEC 1000000000ULL

static const struct {
	enum states_tlob from;
	enum events_tlob event;
	enum states_tlob to;
} contract[] = {
	{ running_tlob, start_tlob, running_tlob },
	{ running_tlob, sleep_tlob, sleeping_tlob },
	{ running_tlob, preempt_tlob, waiting_tlob },
	{ waiting_tlob, switch_in_tlob, running_tlob },
	{ sleeping_tlob, wakeup_tlob, waiting_tlob },
	{ running_tlob, wakeup_tlob, running_tlob },
	{ waiting_tlob, wakeup_tlob, waiting_tlob },
};

static void every_cell(void)
{
	for (int s = 0; s < state_max_tlob; s++) {
		for (int e = 0; e < event_max_tlob; e++) {
			int want = INVALID_STATE;
			int got = automaton_tlob.function[s][e];

			for (size_t i = 0; i < sizeof(contract) / sizeof(contract[0]); i++)
				if ((int)contract[i].from == s && (int)contract[i].event == e)
					want = contract[i].to;
			check(got == want, "%s x %s: got %d, want %d",
			      automaton_tlob.state_names[s],
			      automaton_tlob.event_names[e], got, want);
		}
	}
	check(automaton_tlob.initial_state == running_tlob, "initial state");
	for (int s = 0; s < state_max_tlob; s++)
		check(automaton_tlob.final_states[s] == (s == running_tlob),
		      "final state %d", s);
	ktap_case("every cell of the table");
}

static void resync(void)
{
	static const enum states_tlob after[] = {
		[preempt_tlob] = waiting_tlob,
		[sleep_tlob] = sleeping_tlob,
		[start_tlob] = running_tlob,
		[switch_in_tlob] = running_tlob,
		[wakeup_tlob] = waiting_tlob,
	};

	for (int s = 0; s < state_max_tlob; s++) {
		for (int e = 0; e < event_max_tlob; e++) {
			struct tlob_clock clock = { .last = 10, .state = s };
			bool valid = automaton_tlob.function[s][e] != INVALID_STATE;

			check(tlob_clock_step(&clock, 15, e) == valid,
			      "%d x %d: anomaly or not", s, e);
			check(clock.ns[s] == 5 && clock.last == 15,
			      "%d x %d: time goes to the state left", s, e);
			if (!valid)
				check(clock.state == after[e],
				      "%d x %d: resynchronised to %d", s, e,
				      clock.state);
		}
	}
	ktap_case("an unexpected event resynchronises and loses no time");
}

static void backwards(void)
{
	struct tlob_clock clock = { .last = 1000, .state = waiting_tlob };

	tlob_clock_charge(&clock, 999);
	check(clock.last == 1000 && !clock.ns[waiting_tlob], "one behind");
	tlob_clock_charge(&clock, 0);
	check(clock.last == 1000 && !clock.ns[waiting_tlob], "far behind");
	tlob_clock_charge(&clock, 1000);
	check(clock.last == 1000 && !clock.ns[waiting_tlob], "the same");
	tlob_clock_charge(&clock, 1001);
	check(clock.last == 1001 && clock.ns[waiting_tlob] == 1, "one ahead");
	ktap_case("the clock never goes backwards");
}

static void restart(void)
{
	struct tlob_clock clock = {
		.last = 1000, .ns = { 1, 2, 3 }, .state = waiting_tlob
	};

	tlob_clock_restart(&clock, 1500, sleeping_tlob);
	check(clock.last == 1500 && clock.state == sleeping_tlob, "anew");
	tlob_clock_restart(&clock, 1400, running_tlob);
	check(clock.last == 1500 && clock.state == running_tlob, "from behind");
	check(clock.ns[0] == 1 && clock.ns[1] == 2 && clock.ns[2] == 3,
	      "nobody is charged");
	ktap_case("a clock that starts anew charges nobody");
}

/* The state was not what it was taken for, and that was wrong, too. */
static void revise(void)
{
	struct tlob_clock clock = {
		.last = 1000, .ns = { 10, 20, 30 }, .state = running_tlob
	};
	u64 base = clock.ns[running_tlob];

	tlob_clock_charge(&clock, 1500);
	base = tlob_clock_revise(&clock, base, running_tlob);
	check(base == 10 && clock.ns[running_tlob] == 510, "as it was taken");
	base = tlob_clock_revise(&clock, base, waiting_tlob);
	check(base == 30 && clock.state == waiting_tlob &&
	      clock.ns[running_tlob] == 10 && clock.ns[waiting_tlob] == 530,
	      "another one");
	tlob_clock_charge(&clock, 1600);
	base = tlob_clock_revise(&clock, base, sleeping_tlob);
	check(base == 20 && clock.state == sleeping_tlob &&
	      clock.ns[waiting_tlob] == 30 && clock.ns[sleeping_tlob] == 620,
	      "and another one");
	ktap_case("a revision reaches back to the start, also the second one");
}

static void exact_sum(void)
{
	struct tlob_clock clock = { .last = 5, .state = running_tlob };
	struct tlob_span span[8];
	u64 now = 5;

	srandom(1);
	for (int i = 0; i < 8; i++)
		tlob_span_begin(&span[i], &clock);
	for (int i = 0; i < 1000000; i++) {
		struct tlob_totals t;
		int n = random() % 8;

		now += random() % SEC;
		/* Also readings from behind, as another CPU could have them. */
		tlob_clock_step(&clock, now - random() % 1000,
				random() % event_max_tlob);
		tlob_span_totals(&span[n], &clock, &t);
		if (!check(t.elapsed == t.ns[0] + t.ns[1] + t.ns[2] &&
			   t.elapsed == clock.last - span[n].start,
			   "step %d: the phases are not the length", i))
			break;
		if (!(random() % 16))
			tlob_span_begin(&span[n], &clock);
	}
	ktap_case("the phases of overlapping windows sum to their length");
}

int main(void)
{
	ktap_begin();
	every_cell();
	resync();
	backwards();
	restart();
	revise();
	exact_sum();
	return ktap_end();
}
