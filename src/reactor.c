// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reactors: RV's where there is RV, else our own with RV's names and words.
 *
 * They react from a work item: the console may take long, and a timer callback
 * or the end of a section is no place to wait for it. Only panic is at once.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "defer.h"
#include "reactor.h"
#include "rv.h"

/* Overruns that were not reacted to yet; of more, only the number is said. */
#define QUEUE_MAX	64

static const char * const names[] = { "nop", "printk", "panic" };

enum reactor { NOP, PRINTK, PANIC };

static enum reactor chosen;

/* An overrun; @reactor is RV's by then, by name, or NULL. */
struct reaction {
	u8 state;
	u64 elapsed;
	const char *reactor;
};

static struct {
	raw_spinlock_t lock;
	unsigned int head, len;
	unsigned int dropped;
	struct reaction items[QUEUE_MAX];
} queue = {
	.lock = __RAW_SPIN_LOCK_UNLOCKED(queue.lock),
};

/* RV may have another reactor by now, that is not to be told of this one. */
static void react(const struct reaction *item, unsigned int dropped)
{
	const char *state = automaton_tlob.state_names[item->state];
	const char *env = automaton_tlob.env_names[clk_elapsed_tlob];

	if (item->reactor && item->reactor == tlob_rv_reactor()) {
		tlob_rv_react(state, env, item->elapsed);
		if (dropped)
			tlob_rv_react_to_dropped(dropped);
	} else {
		pr_warn(TLOB_REACTION "\n", state, env, item->elapsed);
		if (dropped)
			pr_warn(TLOB_REACTION_DROPPED "\n", dropped);
	}
}

/* While some are dropped the queue is full: they are told of with the next. */
static bool next_reaction(struct reaction *item, unsigned int *dropped)
{
	bool found;

	raw_spin_lock_irq(&queue.lock);
	found = queue.len;
	if (found) {
		*item = queue.items[queue.head];
		queue.head = (queue.head + 1) % QUEUE_MAX;
		queue.len--;
		*dropped = queue.dropped;
		queue.dropped = 0;
	}
	raw_spin_unlock_irq(&queue.lock);
	return found;
}

/*
 * As many as there may have been when it began: who waits for it waits for no
 * more. For those that came later it was asked for again.
 */
static void react_to_all(struct work_struct *work)
{
	struct reaction item;
	unsigned int dropped, n;

	for (n = 0; n < QUEUE_MAX && next_reaction(&item, &dropped); n++) {
		react(&item, dropped);
		/* They may come faster than a console takes them. */
		cond_resched_tasks_rcu_qs();
	}
}

static struct tlob_deferred reactions =
	TLOB_DEFERRED_INIT(reactions, react_to_all, false);

static void queue_reaction(const struct tlob_report *report,
			   const char *reactor)
{
	unsigned long flags;
	struct reaction *item;

	raw_spin_lock_irqsave(&queue.lock, flags);
	if (queue.len < QUEUE_MAX) {
		item = &queue.items[(queue.head + queue.len++) % QUEUE_MAX];
		item->state = report->state;
		item->elapsed = report->totals.elapsed;
		item->reactor = reactor;
	} else {
		queue.dropped++;
	}
	raw_spin_unlock_irqrestore(&queue.lock, flags);
	tlob_defer(&reactions);
}

/* RV's others are treated as its printk is. */
static enum reactor kind_of(const char *reactor)
{
	if (!reactor || !strcmp(reactor, names[NOP]))
		return NOP;
	return strcmp(reactor, names[PANIC]) ? PRINTK : PANIC;
}

/**
 * tlob_react - react to an overrun
 * @report: the overrun
 *
 * Context: any but NMI; no task lock held.
 */
void tlob_react(const struct tlob_report *report)
{
	const char *state = automaton_tlob.state_names[report->state];
	const char *env = automaton_tlob.env_names[clk_elapsed_tlob];
	bool by_rv = tlob_rv_registered();
	const char *reactor = by_rv ? tlob_rv_reactor() : NULL;

	switch (by_rv ? kind_of(reactor) : READ_ONCE(chosen)) {
	case NOP:
		break;
	case PRINTK:
		queue_reaction(report, reactor);
		break;
	case PANIC:
		if (by_rv)
			tlob_rv_react(state, env, report->totals.elapsed);
		else
			panic(TLOB_REACTION, state, env,
			      report->totals.elapsed);
	}
}

/**
 * tlob_reactor_choose - choose a reactor
 * @name: its name
 *
 * Return: 0, or -EINVAL if there is none of this name.
 */
int tlob_reactor_choose(const char *name)
{
	int i = match_string(names, ARRAY_SIZE(names), name);

	if (i < 0)
		return -EINVAL;
	WRITE_ONCE(chosen, i);
	return 0;
}

/**
 * tlob_reactors_show - list the reactors, the chosen one in brackets
 * @m: the file
 */
void tlob_reactors_show(struct seq_file *m)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		seq_printf(m, i == READ_ONCE(chosen) ? "[%s]\n" : "%s\n",
			   names[i]);
}

/**
 * tlob_reactor_flush - react to what is left; no overrun follows
 *
 * Context: may sleep.
 */
void tlob_reactor_flush(void)
{
	tlob_defer_flush(&reactions);
}
