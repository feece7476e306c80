/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites share. They meet tlob through tlob_kunit_ops and its API for
 * modules alone.
 *
 * Nothing depends on how fast the machine is: lengths have lower bounds only,
 * and where a task must be somewhere when its budget ends, larger and larger
 * budgets are tried.
 */
#ifndef _TLOB_KUNIT_TEST_H
#define _TLOB_KUNIT_TEST_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/sched.h>
#include <linux/tlob.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "kunit.h"
#include "report.h"

#define TLOB_HOUR	3600000000000ULL	/* the longest budget, ns */

/*
 * claim.c: the monitor, for a suite alone. Skips it if somebody uses tlob. For
 * the members suite_init, suite_exit, init and exit.
 */
int tlob_claim(struct kunit_suite *suite);
void tlob_unclaim(struct kunit_suite *suite);
int tlob_case_init(struct kunit *test);
void tlob_case_exit(struct kunit *test);

bool tlob_claimed(void);
const char *tlob_in_use(void);
int tlob_renew(void);
int tlob_resize(unsigned int size);

/* source.c: sources of windows, and what was counted */
struct tlob_source *tlob_source_create(struct kunit *test, const char *label,
				       enum tlob_reopen reopen);
u64 tlob_counted(const struct tlob_source *src, enum tlob_counter counter);
void tlob_expect_identity(struct kunit *test, const struct tlob_source *src,
			  u64 open);
void tlob_expect_sums(struct kunit *test, const struct tlob_totals *totals);
void tlob_spin(u64 ns);

/**
 * struct tlob_worker - a kthread that does what it is told
 * @task: the kthread; a reference is held
 * @job: what it does; NULL: it is asleep, or about to be
 * @arg: for @job
 * @go: for tlob_worker_spin() and tlob_worker_sleep()
 * @asleep: it is, or is about to be, and nobody woke it
 * @switches: how often it had given up a CPU to sleep when @asleep was set
 * @spins: rounds of tlob_worker_spin()
 * @wait: where it sleeps
 * @done: @job has returned
 * @ended: it was told to end
 */
struct tlob_worker {
	struct task_struct *task;
	void (*job)(struct tlob_worker *w);
	void *arg;
	bool go;
	bool asleep;
	unsigned long switches;
	unsigned long spins;
	wait_queue_head_t wait;
	struct completion done;
	bool ended;
};

struct tlob_worker *tlob_worker_create(struct kunit *test, int cpu);
void tlob_worker_start(struct tlob_worker *w,
		       void (*job)(struct tlob_worker *w), void *arg);
void tlob_worker_finish(struct tlob_worker *w);
void tlob_worker_run(struct tlob_worker *w, void (*job)(struct tlob_worker *w),
		     void *arg);
void tlob_worker_await_sleep(struct kunit *test, struct tlob_worker *w);
void tlob_worker_go(struct tlob_worker *w);
void tlob_worker_end(struct tlob_worker *w);
int tlob_take_cpu(void);

/* In a job: until tlob_worker_go(). */
void tlob_worker_spin(struct tlob_worker *w);
void tlob_worker_sleep(struct tlob_worker *w);

/* recorder.c: the trace events, as probes see them */
enum tlob_seen_event {
	TLOB_SEEN_EVENT,
	TLOB_SEEN_ERROR,
	TLOB_SEEN_ERROR_ENV,
	TLOB_SEEN_DETAIL,
	TLOB_SEEN_DONE,
	TLOB_NR_SEEN,
};

/**
 * struct tlob_seen - a trace event
 * @what: which one
 * @id: tid
 * @state: as in the event; likewise all below
 * @event: see @state
 * @next_state: see @state
 * @env: see @state
 * @final_state: see @state
 * @binding: see @state
 * @report: a copy; its pointers are not to be followed
 */
struct tlob_seen {
	enum tlob_seen_event what;
	int id;
	char state[12];
	char event[20];
	char next_state[12];
	char env[40];
	bool final_state;
	char binding[20];
	struct tlob_report report;
};

void tlob_record(struct kunit *test);
void tlob_record_anew(void);
unsigned int tlob_nr_seen(enum tlob_seen_event what, int id);
bool tlob_get_seen(enum tlob_seen_event what, int id, unsigned int nth,
		   struct tlob_seen *seen);
bool tlob_seen_lost(void);

/**
 * struct tlob_overrun - a window that outlasts its budget
 * @pid: the task's tid
 * @budget: ns
 * @start: what tlob_start_task() returned
 * @stop: what tlob_stop_task() returned
 * @violations: counted
 * @nr: of the events that were seen
 * @detail: the last detail_env_tlob
 */
struct tlob_overrun {
	int pid;
	u64 budget;
	int start, stop;
	u64 violations;
	unsigned int nr[TLOB_NR_SEEN];
	struct tlob_seen detail;
};

/* overrun.c: needs tlob_record() */
void tlob_overrun_in(struct kunit *test, enum states_tlob where,
		     struct tlob_overrun *o);

#endif /* _TLOB_KUNIT_TEST_H */
