// SPDX-License-Identifier: GPL-2.0-only
/*
 * The monitor for a suite alone, and back as it was.
 *
 * While a suite runs, a kthread of ours holds the control mutex: nobody can
 * enable or disable, bind, or use /dev/tlob for the first time. What has to be done under the
 * mutex is done by it. A case that is given up leaves no lock behind.
 */
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/string.h>

#include "tlob_kunit.h"

static const struct tlob_kunit_ops *ops = &tlob_kunit_ops;

static struct {
	struct task_struct *task;
	wait_queue_head_t wait;
	struct completion answered;
	int (*fn)(unsigned int arg);
	unsigned int arg;
	int ret;
} keeper = {
	.wait = __WAIT_QUEUE_HEAD_INITIALIZER(keeper.wait),
	.answered = COMPLETION_INITIALIZER(keeper.answered),
};

static const char *why;		/* it is in use */
static bool claimed;
static bool was_enabled;
static bool resized;
static struct tlob_table usual;	/* while @resized */

static int keep(void *unused)
{
	while (!kthread_should_stop()) {
		wait_event_interruptible(keeper.wait, READ_ONCE(keeper.fn) ||
					 kthread_should_stop());
		if (!READ_ONCE(keeper.fn))
			continue;
		keeper.ret = keeper.fn(keeper.arg);
		WRITE_ONCE(keeper.fn, NULL);
		complete(&keeper.answered);
	}
	return 0;
}

static int ask(int (*fn)(unsigned int arg), unsigned int arg)
{
	keeper.arg = arg;
	WRITE_ONCE(keeper.fn, fn);
	wake_up(&keeper.wait);
	wait_for_completion(&keeper.answered);
	return keeper.ret;
}

static bool any_binding(void)
{
	char buf[4];
	struct seq_file m = { .buf = buf, .size = sizeof(buf) };

	ops->bindings_show(&m);
	return m.count;
}

static bool any_window(void)
{
	unsigned int i;

	for (i = 0; i < ops->table->size; i++)
		if (READ_ONCE(ops->table->windows[i].rec))
			return true;
	return false;
}

/* The suites have windows overrun. */
static bool would_panic(void)
{
	char buf[64];
	struct seq_file m = { .buf = buf, .size = sizeof(buf) - 1 };
	const char *name;

	if (ops->rv_registered()) {
		name = ops->rv_reactor();
		return name && !strcmp(name, "panic");
	}
	ops->reactors_show(&m);
	buf[m.count] = '\0';
	return strstr(buf, "[panic]");
}

/**
 * tlob_in_use - whether somebody uses tlob, or has set it up for his use
 *
 * Context: control mutex held.
 * Return: by what it is seen, NULL if nobody does.
 */
const char *tlob_in_use(void)
{
	/* We are one user. Where modules cannot be unloaded, it is -1. */
	if (module_refcount(ops->owner) > 1)
		return "a file of it is open, or a module uses it";
	if (any_binding())
		return "it has bindings";
	if (any_window())
		return "windows are open";
	if (would_panic())
		return "its reactor is panic";
	if (!ops->rv_monitoring_on())
		return "monitoring_on of RV is 0";
	return NULL;
}

/* Enabled anew, attached, and used by nobody. Control mutex held. */
static int renew(unsigned int unused)
{
	int ret;

	ops->monitor_disable();
	ret = ops->monitor_enable();
	if (ret)
		return ret;
	/* It takes the mutex: once, so that tlob_start_task() need not. */
	mutex_unlock(ops->mutex);
	ret = ops->monitor_use_kernel();
	mutex_lock(ops->mutex);
	if (ret)
		return ret;
	why = ops->monitor_enabled() ? tlob_in_use() : "it was disabled";
	return why ? -EBUSY : 0;
}

static int give(unsigned int unused)
{
	int ret = 0;

	ops->monitor_disable();
	if (was_enabled)
		ret = ops->monitor_enable();
	mutex_unlock(ops->mutex);
	return ret;
}

static int take(unsigned int unused)
{
	int ret;

	mutex_lock(ops->mutex);
	why = tlob_in_use();
	if (why) {
		mutex_unlock(ops->mutex);
		return -EBUSY;
	}
	was_enabled = ops->monitor_enabled();
	ret = renew(0);
	if (ret)
		give(0);
	return ret;
}

static void quiesce(void)
{
	struct tlob_table *t = ops->table;
	unsigned int i;

	WRITE_ONCE(t->accepting, false);
	/* Pairs with the RCU read side of tlob_window_start() and _stop(). */
	synchronize_rcu();
	ops->windows_end_source(NULL, TLOB_CANCELLED);
	ops->table_release_all();
	ops->sched_detach();
	for (i = 0; i < t->size; i++)
		hrtimer_cancel(&t->records[i].timer);
}

static int resume(void)
{
	int ret = ops->sched_attach();

	if (!ret)
		WRITE_ONCE(ops->table->accepting, true);
	return ret;
}

static int unresize(unsigned int unused)
{
	if (!resized)
		return 0;
	quiesce();
	ops->table_free();
	*ops->table = usual;
	resized = false;
	return resume();
}

static int resize(unsigned int size)
{
	int ret;

	quiesce();
	usual = *ops->table;
	*ops->table = (struct tlob_table) { .present = usual.present };
	ret = ops->table_alloc(size, ops->window_expired);
	if (ret)
		*ops->table = usual;
	else
		resized = true;
	return resume() ?: ret;
}

/**
 * tlob_claim - have the monitor for a suite alone, enabled
 * @suite: the suite; marked as skipped if somebody uses tlob
 *
 * Return: 0 or a negative errno.
 */
int tlob_claim(struct kunit_suite *suite)
{
	int ret;

	why = NULL;
	keeper.task = kthread_run(keep, NULL, "tlob_kunit_keep");
	if (IS_ERR(keeper.task))
		return PTR_ERR(keeper.task);
	ret = ask(take, 0);
	claimed = !ret;
	if (claimed)
		return 0;
	kthread_stop(keeper.task);
	if (ret != -EBUSY)
		return ret;
	kunit_mark_skipped(suite, "tlob is in use: %s", why);
	return 0;
}

/**
 * tlob_unclaim - give the monitor back as it was
 * @suite: the suite
 */
void tlob_unclaim(struct kunit_suite *suite)
{
	int ret;

	if (!claimed)
		return;
	ret = ask(give, 0);
	if (ret)
		kunit_err(suite, "tlob cannot be enabled again: %d\n", ret);
	claimed = false;
	kthread_stop(keeper.task);
}

/**
 * tlob_case_init - skip a case whose suite has no claim
 * @test: the case
 *
 * Return: 0.
 */
int tlob_case_init(struct kunit *test)
{
	if (!claimed)
		kunit_skip(test, "tlob is in use: %s", why);
	return 0;
}

/**
 * tlob_case_exit - undo what a case did to the table
 * @test: the case
 */
void tlob_case_exit(struct kunit *test)
{
	if (claimed)
		KUNIT_EXPECT_EQ(test, ask(unresize, 0), 0);
}

/**
 * tlob_claimed - whether a suite has a claim
 *
 * Return: true if so.
 */
bool tlob_claimed(void)
{
	return claimed;
}

/**
 * tlob_renew - disable the monitor and enable it
 *
 * Return: 0 or a negative errno.
 */
int tlob_renew(void)
{
	return ask(renew, 0);
}

/**
 * tlob_resize - a table of another size until the case ends
 * @size: records and windows
 *
 * Ends all windows. Once a case.
 *
 * Return: 0 or a negative errno.
 */
int tlob_resize(unsigned int size)
{
	return ask(resize, size);
}
