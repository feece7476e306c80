// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows: start, stop, overrun, and the ways in which they end otherwise.
 *
 * Whoever looks at a window's clock under the task lock and finds it at or over
 * its budget marks it reported and, after unlocking, says so: the timer, the
 * stop, or whatever else ends it. So each overrun is said exactly once.
 */
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include "compat/task.h"
#include "command.h"
#include "reactor.h"
#include "report.h"
#include "rv.h"
#include "trace.h"
#include "window.h"

/*
 * A timer that fires later than this stays armed over a stop: windows back to
 * back start no timer. One that fires sooner would mostly fire for nothing. Of a
 * budget from this on, half is enough where that is less.
 */
#define TLOB_KEEP_ARMED_NS	50000

/*
 * With a budget below this, and not below the other, it is moved to where that of a
 * window which follows at once would be. Instructions of a start and a stop, back
 * to back:
 *
 *	budget		moved	cancelled
 *	50 us		485	567
 *	100 us		463	506
 *	200 us		449	464
 *	1 ms		445	445
 */
#define TLOB_MOVE_BELOW_NS	1000000

/* Of more windows that are over at once, the others are reported later. */
#define TLOB_BATCH		16
#define TLOB_BATCH_PAUSE_NS	20000

/*
 * What is to be said of the overrun that was found last. Interrupts are off from
 * there until it was said. Not on the stack: kernels that clear what is there take
 * 20 instructions of each start and each stop for that.
 */
static DEFINE_PER_CPU(struct tlob_report, found);

/* What to emit once the task lock is released. */
#define SAY_VIOLATION	1U
#define SAY_DONE	2U
/* Not to be said: the window was over its budget. */
#define WAS_OVER	4U

static u64 deadline_of(const struct tlob_window *window)
{
	return window->span.start + window->threshold;
}

static noinline void say_found(unsigned int what)
{
	/* Who is told may have a window end, which finds another overrun. */
	const struct tlob_report report = *this_cpu_ptr(&found);

	rcu_read_lock();
	if (what & SAY_VIOLATION) {
		tlob_trace_violation(&report);
		if (report.src->overrun)
			report.src->overrun(report.src, report.tag, &report);
		tlob_react(&report);
	}
	if (what & SAY_DONE)
		tlob_trace_done(&report);
	rcu_read_unlock();
}

static __always_inline void say(unsigned int what)
{
	if (unlikely(what & (SAY_VIOLATION | SAY_DONE)))
		say_found(what);
}

/* The record of a task, also while an execve() has changed its tid. RCU. */
static __always_inline struct tlob_record *find_record(struct task_struct *task)
{
	struct tlob_record *rec = tlob_table_walk(task);

	if (unlikely(!rec) && task->pid == task->tgid)
		rec = tlob_table_find_swapped(task);
	return rec;
}

/* The functions down to expire_one() run under the task lock. */

static struct tlob_window *find_window(struct tlob_record *rec,
				       const struct tlob_source *src)
{
	struct tlob_window *window;

	hlist_for_each_entry(window, &rec->windows, link) {
		if (window->src == src)
			return window;
	}
	return NULL;
}

static void fill_blame(struct tlob_report *report,
		       const struct tlob_record *rec,
		       const struct tlob_window *window)
{
	struct task_struct *taker = NULL;

	if (rec->clock.state == waiting_tlob)
		taker = tlob_taker(rec->task);
	if (taker)
		tlob_blame_task(&report->by, taker);
	else if (rec->by_at > window->span.start)
		report->by = rec->by;
	else
		tlob_blame_nobody(&report->by);

	if (rec->waker_at >= window->span.start)
		report->waker = rec->waker;
	else
		tlob_blame_nobody(&report->waker);
}

static void fill_report(struct tlob_report *report,
			const struct tlob_record *rec,
			const struct tlob_window *window)
{
	report->task = rec->task;
	report->pid = rec->task->pid;
	report->tgid = rec->tgid;
	strscpy(report->comm, rec->task->comm, sizeof(report->comm));
	report->state = rec->clock.state;
	report->src = window->src;
	report->tag = window->tag;
	report->threshold = window->threshold;
	tlob_span_totals(&window->span, &rec->clock, &report->totals);
	fill_blame(report, rec, window);
}

static bool is_over(const struct tlob_record *rec,
		    const struct tlob_window *window)
{
	return tlob_span_elapsed(&window->span, &rec->clock) >=
	       window->threshold;
}

/*
 * Mark the overrun of a window that is over, once. While RV's monitoring_on is 0
 * that is all: nobody hears of it, then or later.
 */
static noinline unsigned int mark_overrun(const struct tlob_record *rec,
					  struct tlob_window *window)
{
	fill_report(this_cpu_ptr(&found), rec, window);
	if (window->reported)
		return 0;
	window->reported = true;
	window->muted = !tlob_rv_monitoring_on();
	tlob_count(window->src, TLOB_VIOLATIONS);
	return window->muted ? 0 : SAY_VIOLATION;
}

/*
 * Count the end of a window at the clock's last reading. The window stays where
 * it is, to be restarted or removed.
 */
static __always_inline unsigned int count_end(const struct tlob_record *rec,
					      struct tlob_window *window,
					      enum tlob_counter reason)
{
	unsigned int what = 0;

	if (unlikely(is_over(rec, window))) {
		what = mark_overrun(rec, window) | WAS_OVER;
		if (reason == TLOB_STOPPED && !window->muted)
			what |= SAY_DONE;
	}
	if (reason == TLOB_STOPPED) {
		struct tlob_totals totals;

		tlob_span_totals(&window->span, &rec->clock, &totals);
		tlob_stats_stopped(window->src, &totals);
	}
	tlob_count(window->src, reason);
	return what;
}

static void remove_window(struct tlob_record *rec, struct tlob_window *window)
{
	/* No poison: nobody looks at the link before it is in a list again. */
	__hlist_del(&window->link);
	tlob_window_put(rec, window);
}

/* Whether a start restarts the window that it finds. */
static bool restarts(const struct tlob_source *src,
		     const struct tlob_window *window, unsigned long sp)
{
	return src->reopen == TLOB_REOPEN_RESTARTS ||
	       (src->reopen == TLOB_REOPEN_NESTS && sp >= window->sp);
}

static u64 earliest_deadline(const struct tlob_record *rec)
{
	const struct tlob_window *window;
	u64 earliest = TLOB_UNARMED;

	hlist_for_each_entry(window, &rec->windows, link) {
		if (!window->reported && deadline_of(window) < earliest)
			earliest = deadline_of(window);
	}
	return earliest;
}

/*
 * Have the timer fire. @budget: that of the only window it is for, from its start
 * on; else 0.
 */
static noinline void arm(struct tlob_record *rec, u64 expiry, u64 budget)
{
	rec->keep = TLOB_KEEP_ARMED_NS;
	if (budget >= TLOB_KEEP_ARMED_NS && budget < 2 * TLOB_KEEP_ARMED_NS)
		rec->keep = budget / 2;
	tlob_record_arm(rec, expiry);
}

/*
 * Have the timer fire for what is open. If nothing is and @next, for a window like
 * the one that was stopped, which is the spare one.
 */
static noinline void postpone(struct tlob_record *rec, bool next)
{
	u64 earliest = earliest_deadline(rec), budget = 0;

	if (next && !rec->nr_open &&
	    rec->spare->threshold >= TLOB_KEEP_ARMED_NS &&
	    rec->spare->threshold < TLOB_MOVE_BELOW_NS) {
		budget = rec->spare->threshold;
		earliest = rec->clock.last + budget;
	}
	if (earliest == TLOB_UNARMED)
		tlob_record_disarm(rec);
	else if (earliest > rec->armed)
		arm(rec, earliest, budget);
}

/*
 * After a window ended: have no timer fire soon for nothing, and keep an idle
 * record only as long as its timer is armed. @next: another like it may well
 * begin.
 */
static __always_inline void settle(struct tlob_record *rec, bool next)
{
	if (unlikely((s64)(rec->armed - rec->clock.last) < rec->keep))
		postpone(rec, next);
	if (rec->armed == TLOB_UNARMED && !rec->nr_open)
		tlob_table_release(rec);
}

/* Mark one window that is over. False: none is left, or the timer is set. */
static bool expire_one(struct tlob_record *rec, unsigned int *what, bool last)
{
	struct tlob_window *window;

	/* Somebody may have armed it again since it fired. */
	if (!hrtimer_is_queued(&rec->timer))
		rec->armed = TLOB_UNARMED;
	if (!rec->task)
		return false;

	tlob_clock_charge(&rec->clock, ktime_get_ns());
	hlist_for_each_entry(window, &rec->windows, link) {
		if (!last && !window->reported && is_over(rec, window)) {
			*what = mark_overrun(rec, window);
			return true;
		}
	}
	if (rec->nr_open) {
		u64 earliest = earliest_deadline(rec);

		/* Enough for one interrupt: a pause. */
		if (earliest <= rec->clock.last)
			earliest = rec->clock.last + TLOB_BATCH_PAUSE_NS;
		if (earliest < rec->armed)
			arm(rec, earliest, 0);
	} else if (rec->armed == TLOB_UNARMED) {
		tlob_table_release(rec);
	}
	return false;
}

/**
 * tlob_window_expired - callback of a record's timer
 * @timer: in a record, which may be another task's by now, or nobody's
 *
 * Context: hard interrupt.
 * Return: HRTIMER_NORESTART; it arms the timer itself.
 */
enum hrtimer_restart tlob_window_expired(struct hrtimer *timer)
{
	struct tlob_record *rec = container_of(timer, struct tlob_record, timer);
	unsigned int what, n = 0;
	bool over;

	do {
		raw_spin_lock(&rec->lock);
		what = 0;
		over = expire_one(rec, &what, n++ == TLOB_BATCH);
		raw_spin_unlock(&rec->lock);
		say(what);
	} while (over);
	return HRTIMER_NORESTART;
}

/*
 * Where a task is, as far as can be told from outside. The CPU's task is what
 * our switch probe saw; before it saw any, what the scheduler says, which is
 * late.
 */
static enum states_tlob observed_state(struct task_struct *task)
{
	const struct task_struct *on_cpu;

	on_cpu = READ_ONCE(per_cpu(tlob_cpu_task, task_cpu(task)));
	if (on_cpu ? on_cpu == task : tlob_task_on_cpu(task))
		return running_tlob;
	return tlob_task_is_queued(task) ? waiting_tlob : sleeping_tlob;
}

/* The first window of an idle record of current. */
static __always_inline void begin_running(struct tlob_record *rec)
{
	tlob_clock_restart(&rec->clock, ktime_get_ns(), running_tlob);
	rec->guessed = false;
}

/* The same of another task, whose state no event has told. */
static void begin_observed(struct tlob_record *rec)
{
	enum states_tlob state = observed_state(rec->task);

	tlob_clock_restart(&rec->clock, ktime_get_ns(), state);
	rec->guessed = true;
	rec->guess_base = rec->clock.ns[state];
}

/*
 * An event settles where a task was that nobody but an observer had seen yet: if
 * it cannot come in that state, the task was in the one that it comes in, from
 * the start on. A wakeup can come in each, and tells only of a sleeper.
 */
static noinline void settle_guess(struct tlob_record *rec,
				  enum events_tlob event)
{
	enum states_tlob left = event == switch_in_tlob ? waiting_tlob :
							  running_tlob;

	if (event == wakeup_tlob) {
		rec->guessed = rec->clock.state != sleeping_tlob;
		return;
	}
	tlob_clock_charge(&rec->clock, ktime_get_ns());
	if (rec->clock.state != left)
		tlob_clock_revise(&rec->clock, rec->guess_base, left);
	rec->guessed = false;
}

/* The state that an event finds a task in. */
static __always_inline u8 state_at(struct tlob_record *rec,
				   enum events_tlob event)
{
	if (unlikely(rec->guessed))
		settle_guess(rec, event);
	return rec->clock.state;
}

/*
 * The start of a further window, which is an event of current alone. False: it was
 * not expected to run. Others just have their time charged.
 */
static bool step_start(struct tlob_record *rec)
{
	u64 now = ktime_get_ns();

	if (rec->task == current)
		return tlob_clock_step(&rec->clock, now, start_tlob);
	tlob_clock_charge(&rec->clock, now);
	/* What is corrected later is not the time before this window. */
	rec->guess_base = rec->clock.ns[rec->clock.state];
	return true;
}

/* The state that such a start finds the task in. */
static u8 state_at_start(struct tlob_record *rec)
{
	if (rec->task == current)
		return state_at(rec, start_tlob);
	return rec->clock.state;
}

/*
 * For a task that has a record by now: false if its exit probe is still to
 * come, and will find the record.
 */
static bool is_exiting(const struct task_struct *task)
{
	if (task != current) {
		/* Pairs with those from setting PF_EXITING to its exit probe. */
		smp_mb();
	}
	return READ_ONCE(task->flags) & PF_EXITING;
}

/*
 * A start that comes too late to restart its window ends it: nobody restarts it
 * before its deadline any more. Interrupts off.
 */
static void end_refused(struct task_struct *task, struct tlob_source *src,
			unsigned long sp)
{
	struct tlob_window *window = NULL;
	struct tlob_record *rec;
	unsigned int what = 0;

	/* Acquires the table, as tlob_window_start(). */
	if (!smp_load_acquire(&tlob_table.present))
		return;
	rec = find_record(task);
	if (!rec)
		return;
	raw_spin_lock(&rec->lock);
	if (rec->task == task)
		window = find_window(rec, src);
	if (window && restarts(src, window, sp)) {
		tlob_clock_charge(&rec->clock, ktime_get_ns());
		what = count_end(rec, window, TLOB_CANCELLED);
		remove_window(rec, window);
		settle(rec, false);
	}
	raw_spin_unlock(&rec->lock);
	say(what);
}

/* 0, also if no window may start any more; -ENOSPC; -ESRCH. */
static noinline int add_record(struct task_struct *task,
			       const struct tlob_source *src)
{
	int ret = 0;

	rcu_read_lock();
	/* Acquires the table, as tlob_window_start(). */
	if (smp_load_acquire(&tlob_table.accepting) && !READ_ONCE(src->closed))
		ret = tlob_table_add(task);
	rcu_read_unlock();
	return ret;
}

/* Whether it is worth another try, having looked when @seen was available. */
static noinline bool reclaim(unsigned long seen)
{
	bool again = true;

	rcu_read_lock();
	/* Likewise. */
	if (smp_load_acquire(&tlob_table.accepting))
		again = tlob_table_reclaim(seen);
	rcu_read_unlock();
	return again;
}

/**
 * tlob_window_start - a task enters a section
 * @task: current, or a task that cannot go away
 * @src: what the window belongs to
 * @threshold: budget, ns
 * @tag: the window's name among those of @src
 * @sp: user stack pointer
 *
 * If a window of @src is open on @task, @src says what happens: it restarts, or
 * nothing does if its frame is an outer one, or the start is refused.
 *
 * Context: task context, may be preempted; not under any lock of the scheduler.
 * Return: 0; -ENOSPC, which was counted, if max_monitored windows are open;
 * -EALREADY; -ENODEV if no windows may start; -ESRCH if @task exits.
 */
int tlob_window_start(struct task_struct *task, struct tlob_source *src,
		      u64 threshold, u64 tag, unsigned long sp)
{
	struct tlob_window *window;
	struct tlob_record *rec;
	bool searched = false, expected = true;
	unsigned long flags, seen = 0;
	unsigned int what = 0;
	int ret = 0;
	u8 from;

again:
	/* An RCU read side, too. What may take long is done outside of it. */
	local_irq_save(flags);
	/* Acquires the table that tlob_monitor_enable() made. */
	if (unlikely(!smp_load_acquire(&tlob_table.accepting) ||
		     READ_ONCE(src->closed))) {
		end_refused(task, src, sp);
		ret = -ENODEV;
		goto out;
	}
	if (unlikely(searched))
		seen = tlob_table_available();
	rec = find_record(task);
	if (unlikely(!rec)) {
		int added;

		local_irq_restore(flags);
		added = add_record(task, src);
		if (added == -ENOSPC)
			goto exhausted;
		if (added)
			return added;
		goto again;
	}

	raw_spin_lock(&rec->lock);
	if (unlikely(rec->task != task)) {
		raw_spin_unlock(&rec->lock);
		local_irq_restore(flags);
		goto again;
	}
	window = find_window(rec, src);
	if (window && !restarts(src, window, sp)) {
		ret = src->reopen == TLOB_REOPEN_REFUSED ? -EALREADY : 0;
		goto unlock;
	}
	if (unlikely(is_exiting(task))) {
		if (!rec->nr_open)
			tlob_table_release(rec);
		ret = -ESRCH;
		goto unlock;
	}
	if (!window) {
		window = tlob_window_get(rec);
		if (unlikely(!window)) {
			raw_spin_unlock(&rec->lock);
			local_irq_restore(flags);
			goto exhausted;
		}
		window->src = src;
		hlist_add_head(&window->link, &rec->windows);
		if (rec->nr_open > 1) {
			from = state_at_start(rec);
			expected = step_start(rec);
		} else if (task == current) {
			from = running_tlob;
			begin_running(rec);
		} else {
			begin_observed(rec);
			from = rec->clock.state;
		}
	} else {
		from = state_at_start(rec);
		expected = step_start(rec);
		what = count_end(rec, window, TLOB_RESTARTED);
	}
	window->threshold = threshold;
	window->tag = tag;
	window->sp = sp;
	window->reported = false;
	tlob_span_begin(&window->span, &rec->clock);
	tlob_count(src, TLOB_STARTED);
	if (unlikely(!expected))
		tlob_count(src, TLOB_ANOMALIES);
	if (deadline_of(window) < rec->armed)
		arm(rec, deadline_of(window),
		    rec->nr_open == 1 ? threshold : 0);
	raw_spin_unlock(&rec->lock);

	/* Interrupts are still off: what happens next is to be told after this. */
	say(what);
	if (unlikely(!expected))
		tlob_trace_anomaly(task->pid, from, start_tlob);
	else if (task == current)
		tlob_trace_event(task->pid, from, start_tlob, running_tlob);
out:
	local_irq_restore(flags);
	return ret;

unlock:
	raw_spin_unlock(&rec->lock);
	local_irq_restore(flags);
	return ret;

exhausted:
	if (!searched || reclaim(seen)) {
		searched = true;
		goto again;
	}
	tlob_count(src, TLOB_MISSED_POOL);
	return -ENOSPC;
}

/*
 * Whether a task that no event has told of yet is elsewhere than it was taken for;
 * if @revise, it was so from the start on.
 */
static bool is_elsewhere(struct task_struct *task, bool revise)
{
	struct tlob_record *rec;
	enum states_tlob state;
	bool elsewhere = false;
	unsigned long flags;

	rcu_read_lock();
	/* Acquires the table, as tlob_window_start(). */
	if (!smp_load_acquire(&tlob_table.present))
		goto out;
	rec = find_record(task);
	if (!rec)
		goto out;
	raw_spin_lock_irqsave(&rec->lock, flags);
	if (rec->task == task && rec->nr_open && rec->guessed) {
		state = observed_state(task);
		elsewhere = state != rec->clock.state;
		if (elsewhere && revise) {
			tlob_clock_charge(&rec->clock, ktime_get_ns());
			rec->guess_base = tlob_clock_revise(&rec->clock,
							    rec->guess_base,
							    state);
		}
	}
	raw_spin_unlock_irqrestore(&rec->lock, flags);
out:
	rcu_read_unlock();
	return elsewhere;
}

/**
 * tlob_window_observe - look once more where a task is
 * @task: a task that a window was just started on and that is not current
 *
 * A switch that was under way when the record was linked, or got its first window,
 * has not seen it, so the state may be that from before. Unless an event has told
 * since: correct it, from the start on.
 *
 * Context: may sleep.
 */
void tlob_window_observe(struct task_struct *task)
{
	/* Until all switches that did not see the record are over. */
	synchronize_rcu();
	if (!is_elsewhere(task, false))
		return;
	/* Until what was under way just then, a wakeup say, has been told. */
	synchronize_rcu();
	is_elsewhere(task, true);
}

/**
 * tlob_window_stop - a task leaves a section
 * @task: current, or a task that cannot go away
 * @src: what the window belongs to
 * @reach: which windows it ends, TLOB_STOP_
 * @sp: user stack pointer at the entry of the function that returns, for the
 *	returns
 * @totals: the window's totals unless the result is -ESRCH, or NULL
 *
 * Context: any but NMI; not under a lock of the scheduler.
 * Return: 0; -EOVERFLOW if the window was over its budget; -ESRCH if no window
 * of @src is open on @task.
 */
int tlob_window_stop(struct task_struct *task, struct tlob_source *src,
		     unsigned long reach, unsigned long sp,
		     struct tlob_totals *totals)
{
	struct tlob_window *window = NULL;
	struct tlob_record *rec;
	unsigned int what = 0;
	unsigned long flags;

	/* An RCU read side, too. */
	local_irq_save(flags);
	/* Acquires the table, as tlob_window_start(). */
	if (unlikely(!smp_load_acquire(&tlob_table.present)))
		goto out;
	rec = find_record(task);
	if (!rec)
		goto out;

	raw_spin_lock(&rec->lock);
	if (rec->task == task)
		window = find_window(rec, src);
	if (!window)
		goto unlock;
	/* Of one below the start's, the difference is more than LONG_MAX. */
	if (sp - window->sp <= reach) {
		tlob_clock_charge(&rec->clock, ktime_get_ns());
		if (totals)
			tlob_span_totals(&window->span, &rec->clock, totals);
		what = count_end(rec, window, TLOB_STOPPED);
		remove_window(rec, window);
		settle(rec, true);
	}
unlock:
	raw_spin_unlock(&rec->lock);
	say(what);
out:
	local_irq_restore(flags);
	if (!window)
		return -ESRCH;
	return what & WAS_OVER ? -EOVERFLOW : 0;
}

/* End the windows that a task has on a record, and free it. RCU read side. */
static void end_record(struct tlob_record *rec, struct task_struct *task,
		       enum tlob_counter reason)
{
	unsigned long flags;
	bool more;

	do {
		struct tlob_window *window;
		unsigned int what = 0;

		more = false;
		local_irq_save(flags);
		raw_spin_lock(&rec->lock);
		if (rec->task == task) {
			window = hlist_entry_safe(rec->windows.first,
						  struct tlob_window, link);
			if (window) {
				tlob_clock_charge(&rec->clock, ktime_get_ns());
				what = count_end(rec, window, reason);
				remove_window(rec, window);
			}
			more = rec->nr_open;
			if (!more)
				tlob_table_release(rec);
		}
		raw_spin_unlock(&rec->lock);
		say(what);
		local_irq_restore(flags);
	} while (more);
}

/**
 * tlob_windows_end_task - end all windows of a task and forget it
 * @task: current, which exits or has called execve()
 * @reason: TLOB_EXITED or TLOB_EXECED
 *
 * Context: task context, may be preempted.
 */
void tlob_windows_end_task(struct task_struct *task, enum tlob_counter reason)
{
	struct tlob_record *rec;

	rcu_read_lock();
	rec = tlob_table_find(task);
	if (rec)
		end_record(rec, task, reason);
	rec = task->pid == task->tgid ? tlob_table_find_swapped(task) : NULL;
	if (rec)
		end_record(rec, task, reason);
	rcu_read_unlock();
}

/**
 * tlob_windows_end_source - end all windows of a source
 * @src: a source that starts no windows any more, NULL for all sources if none
 *	does
 * @reason: TLOB_CANCELLED
 *
 * Context: may sleep.
 */
void tlob_windows_end_source(struct tlob_source *src, enum tlob_counter reason)
{
	unsigned int i;

	for (i = 0; i < tlob_table.size; i++) {
		struct tlob_window *window = &tlob_table.windows[i];
		struct tlob_record *rec = READ_ONCE(window->rec);
		unsigned int what = 0;
		unsigned long flags;

		if (!rec)
			continue;
		local_irq_save(flags);
		raw_spin_lock(&rec->lock);
		if (window->rec == rec && (!src || window->src == src)) {
			tlob_clock_charge(&rec->clock, ktime_get_ns());
			what = count_end(rec, window, reason);
			remove_window(rec, window);
			settle(rec, false);
		}
		raw_spin_unlock(&rec->lock);
		say(what);
		local_irq_restore(flags);
	}
}

/* Out of line: with the walk in line, 9 instructions of each event less. */
static noinline void tell_event(pid_t pid, u8 from, enum events_tlob event,
				u8 to, bool expected)
{
	if (expected)
		tlob_trace_event(pid, from, event, to);
	else
		tlob_trace_anomaly(pid, from, event);
}

/**
 * tlob_task_event - the scheduler did something to a task
 * @rec: what the table gave for the task
 * @task: the task
 * @event: what happened
 * @taker: who has its CPU if it waits now, or NULL
 *
 * Context: interrupts off; may be called under pi_lock and rq lock.
 */
void tlob_task_event(struct tlob_record *rec, struct task_struct *task,
		     enum events_tlob event, const struct task_struct *taker)
{
	struct tlob_window *window;
	bool expected;
	u8 from, to;

	/*
	 * Idle: 30 instructions, and 68 with the lock. It may have its first window
	 * by now: see tlob_window_observe().
	 */
	if (!READ_ONCE(rec->nr_open))
		return;
	raw_spin_lock(&rec->lock);
	if (rec->task != task || !rec->nr_open) {
		raw_spin_unlock(&rec->lock);
		return;
	}
	from = state_at(rec, event);
	expected = tlob_clock_step(&rec->clock, ktime_get_ns(), event);
	to = rec->clock.state;
	if (to == waiting_tlob && from != waiting_tlob) {
		if (taker) {
			tlob_blame_task(&rec->by, taker);
			rec->by_at = rec->clock.last;
		} else {
			rec->by_at = 0;
		}
	}
	if (unlikely(!expected)) {
		hlist_for_each_entry(window, &rec->windows, link)
			tlob_count(window->src, TLOB_ANOMALIES);
	}
	if (unlikely(!expected || trace_event_tlob_enabled())) {
		raw_spin_unlock(&rec->lock);
		tell_event(task->pid, from, event, to, expected);
		return;
	}
	raw_spin_unlock(&rec->lock);
}

/**
 * tlob_task_waking - somebody is waking a task
 * @rec: what the table gave for the task
 * @task: the task
 *
 * Context: the waker's, interrupts off; may be called under pi_lock.
 */
void tlob_task_waking(struct tlob_record *rec, struct task_struct *task)
{
	/* Likewise. */
	if (!READ_ONCE(rec->nr_open))
		return;
	raw_spin_lock(&rec->lock);
	/*
	 * Whatever its state is here: it may be on its way to sleep, of which
	 * its switch will tell, or be held up there. That it wakes itself is no
	 * news.
	 */
	if (rec->task == task && rec->nr_open &&
	    (task != current || !in_task())) {
		tlob_blame_context(&rec->waker);
		rec->waker_at = rec->clock.last;
	}
	raw_spin_unlock(&rec->lock);
}

/**
 * tlob_window_show - print a line of `inflight`
 * @m: the file
 * @window: a window of the table, which may not be open
 *
 * Context: task context.
 */
void tlob_window_show(struct seq_file *m, struct tlob_window *window)
{
	struct tlob_record *rec = READ_ONCE(window->rec);
	char comm[4 * TASK_COMM_LEN];
	struct tlob_report report;
	unsigned long flags;
	bool open;

	if (!rec)
		return;
	rcu_read_lock();
	raw_spin_lock_irqsave(&rec->lock, flags);
	open = window->rec == rec;
	if (open) {
		tlob_clock_charge(&rec->clock, ktime_get_ns());
		fill_report(&report, rec, window);
	}
	raw_spin_unlock_irqrestore(&rec->lock, flags);
	if (open) {
		tlob_escape(comm, sizeof(comm), report.comm);
		seq_printf(m, "pid=%d comm=%s binding=%s state=%s elapsed_ns=%llu threshold_ns=%llu\n",
			   report.pid, comm, report.src->label,
			   automaton_tlob.state_names[report.state],
			   report.totals.elapsed, report.threshold);
	}
	rcu_read_unlock();
}
