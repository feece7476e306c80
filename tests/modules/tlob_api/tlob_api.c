// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlob_api - another module that puts tasks on a budget, for the tests
 *
 * A command written to the parameter `run` is carried out; reading it gives
 * what came of it, as key=value lines. A return value is 0 or a negative errno.
 *
 *   start PID NS, stop PID	of any task
 *   running NS			a kthread that spins on another CPU
 *   sleeping NS		a kthread that sleeps
 *   runnable NS		a kthread that is woken, on a CPU that it hardly gets
 *   undecided NS		the same kthread, held up between set_current_state()
 *				and schedule()
 *   woken NS			the same there, on a CPU of its own, and woken
 *   locked NS			a kthread that sleeps, and then wants a spinlock_t that
 *				is held for longer than its budget
 *   self NS			a kthread starts and stops itself, and sleeps
 *   irq NS			stopped with interrupts off, and from an interrupt
 *   exits NS			a kthread that ends in its window, and is then used
 *   flood N NS			N kthreads, one window each
 *   exec PID NS		in the middle of the next execve() of a process:
 *				stopped and started
 *   late			how the last start by close() went: whoever closes
 *				/dev/tlob_api for the last time starts itself
 *
 * A window of a kthread is about 20 ms long, those of `runnable`
 * and `undecided` 120 ms, that of `woken` longer than its budget.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/irq_work.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/tlob.h>
#include <linux/wait.h>

#define WINDOW_MS	20
#define RUNNABLE_MS	120
#define UNDECIDED_MS	1000
#define MAX_FLOOD	256

static char answer[1024];
static size_t answer_len;

static __printf(1, 2) void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	answer_len += vscnprintf(answer + answer_len,
				 sizeof(answer) - answer_len, fmt, ap);
	va_end(ap);
}

/* A kthread that waits, spins, or ends, as it is told */

enum todo { WAIT, SPIN, HESITATE, LOCK, END };

struct worker {
	struct task_struct *task;
	enum todo todo;
	bool spins;
	bool hesitated;
	wait_queue_head_t wait;
	struct completion ended;
};

/*
 * About to sleep, for as long as it is told; not forever. Its CPU may be taken
 * from it, which does not put it to sleep.
 */
static void hesitate(struct worker *w)
{
	ktime_t end = ktime_add_ms(ktime_get(), UNDECIDED_MS);

	set_current_state(TASK_INTERRUPTIBLE);
	WRITE_ONCE(w->spins, true);
	WRITE_ONCE(w->hesitated, true);
	while (READ_ONCE(w->todo) == HESITATE && ktime_before(ktime_get(), end))
		cond_resched();
	WRITE_ONCE(w->spins, false);
	__set_current_state(TASK_RUNNING);
	while (READ_ONCE(w->todo) == HESITATE)
		msleep(1);
}

static DEFINE_SPINLOCK(contended);

static int worker_fn(void *arg)
{
	struct worker *w = arg;

	while (READ_ONCE(w->todo) != END) {
		wait_event_interruptible(w->wait, READ_ONCE(w->todo) != WAIT);
		/* No cpu_relax() here: it is what emulators are slow at. */
		while (READ_ONCE(w->todo) == SPIN) {
			WRITE_ONCE(w->spins, true);
			cond_resched();
		}
		WRITE_ONCE(w->spins, false);
		if (READ_ONCE(w->todo) == HESITATE)
			hesitate(w);
		if (cmpxchg(&w->todo, LOCK, WAIT) == LOCK) {
			spin_lock(&contended);
			spin_unlock(&contended);
		}
	}
	complete(&w->ended);
	return 0;
}

static void worker_do(struct worker *w, enum todo todo)
{
	WRITE_ONCE(w->todo, todo);
	wake_up(&w->wait);
}

/* On @cpu, or anywhere if that is negative; it waits. */
static int worker_create(struct worker *w, int cpu)
{
	w->todo = WAIT;
	w->spins = false;
	w->hesitated = false;
	init_waitqueue_head(&w->wait);
	init_completion(&w->ended);
	w->task = kthread_create(worker_fn, w, "tlob_api");
	if (IS_ERR(w->task))
		return PTR_ERR(w->task);
	get_task_struct(w->task);
	if (cpu >= 0)
		kthread_bind(w->task, cpu);
	wake_up_process(w->task);
	/* Until it is asleep for long */
	msleep(20);
	say("tid=%d\n", w->task->pid);
	return 0;
}

/* When it returns, the kthread is exiting, or has. */
static void worker_end(struct worker *w)
{
	worker_do(w, END);
	wait_for_completion(&w->ended);
	/* It signals before it exits. */
	msleep(20);
}

static void run_sleeping(u64 ns)
{
	struct worker w;

	if (worker_create(&w, -1))
		return;
	say("start=%d\n", tlob_start_task(w.task, ns));
	say("again=%d\n", tlob_start_task(w.task, ns));
	msleep(WINDOW_MS);
	say("stop=%d\n", tlob_stop_task(w.task));
	say("stop_again=%d\n", tlob_stop_task(w.task));
	worker_end(&w);
	put_task_struct(w.task);
}

static void run_running(u64 ns)
{
	struct worker w;
	int me = get_cpu(), other = cpumask_any_but(cpu_online_mask, me);

	put_cpu();
	if (other >= nr_cpu_ids) {
		say("cpus=1\n");
		return;
	}
	/* The caller was put on one CPU by the test. */
	if (worker_create(&w, other))
		return;
	worker_do(&w, SPIN);
	while (!READ_ONCE(w.spins))
		msleep(1);
	say("start=%d\n", tlob_start_task(w.task, ns));
	msleep(WINDOW_MS);
	say("stop=%d\n", tlob_stop_task(w.task));
	worker_end(&w);
	put_task_struct(w.task);
}

/*
 * tlob_start_task() waits for RCU, which a real-time hog would hold up: the
 * hog has just all of the CPU that is not needed otherwise. `hesitates` says
 * whether the other is still about to sleep.
 */
static void run_runnable(enum todo todo, u64 ns)
{
	struct worker w, hog;
	int cpu = cpumask_last(cpu_online_mask);

	if (worker_create(&w, cpu))
		return;
	if (worker_create(&hog, cpu))
		goto out;
	sched_set_normal(hog.task, -20);
	sched_set_normal(w.task, 19);
	if (todo == HESITATE) {
		worker_do(&w, todo);
		while (!READ_ONCE(w.hesitated))
			msleep(1);
	}
	worker_do(&hog, SPIN);
	while (!READ_ONCE(hog.spins))
		msleep(1);
	if (todo != HESITATE)
		worker_do(&w, todo);
	msleep(WINDOW_MS);
	if (todo == HESITATE)
		say("hesitates=%d\n", READ_ONCE(w.spins));
	say("start=%d\n", tlob_start_task(w.task, ns));
	msleep(RUNNABLE_MS);
	say("stop=%d\n", tlob_stop_task(w.task));
	worker_end(&hog);
	put_task_struct(hog.task);
out:
	worker_end(&w);
	put_task_struct(w.task);
}

/* A wakeup that comes before the sleep. To start may take 100 ms: see above. */
static void run_woken(u64 ns)
{
	struct worker w;
	int me = get_cpu(), other = cpumask_any_but(cpu_online_mask, me);

	put_cpu();
	if (other >= nr_cpu_ids || worker_create(&w, other))
		return;
	worker_do(&w, HESITATE);
	while (!READ_ONCE(w.hesitated))
		msleep(1);
	say("start=%d\n", tlob_start_task(w.task, ns));
	say("me=%d\nwoken=%d\n", current->pid, wake_up_process(w.task));
	msleep(div_u64(ns, NSEC_PER_MSEC) + WINDOW_MS);
	say("stop=%d\n", tlob_stop_task(w.task));
	worker_end(&w);
	put_task_struct(w.task);
}

/*
 * On RT the lock is one to sleep for, and not to spin for as its holder does not run
 * meanwhile: the caller was put on this CPU. It must not sleep, there either.
 */
static void run_locked(u64 ns)
{
	struct worker w;
	ktime_t end;

	if (worker_create(&w, raw_smp_processor_id()))
		return;
	sched_set_fifo_low(w.task);
	say("start=%d\n", tlob_start_task(w.task, ns));
	end = ktime_add_ns(ktime_get(), ns + WINDOW_MS * NSEC_PER_MSEC);
	spin_lock(&contended);
	worker_do(&w, LOCK);
	while (ktime_before(ktime_get(), end))
		;
	spin_unlock(&contended);
	msleep(WINDOW_MS);
	say("stop=%d\n", tlob_stop_task(w.task));
	worker_end(&w);
	put_task_struct(w.task);
}

struct self {
	u64 ns;
	int start, again, stop;
	struct completion done;
};

static int self_fn(void *arg)
{
	struct self *s = arg;
	ktime_t end;

	s->start = tlob_start_task(current, s->ns);
	end = ktime_add_ms(ktime_get(), WINDOW_MS / 2);
	while (ktime_before(ktime_get(), end))
		;
	s->again = tlob_start_task(current, s->ns);
	msleep(WINDOW_MS / 2);
	s->stop = tlob_stop_task(current);
	complete(&s->done);
	return 0;
}

static void run_self(u64 ns)
{
	struct self s = { .ns = ns };
	struct task_struct *task;

	init_completion(&s.done);
	task = kthread_run(self_fn, &s, "tlob_api_self");
	if (IS_ERR(task))
		return;
	wait_for_completion(&s.done);
	msleep(WINDOW_MS);	/* it has left our code */
	say("start=%d\nagain=%d\nstop=%d\n", s.start, s.again, s.stop);
}

struct stopper {
	struct irq_work work;
	struct task_struct *task;
	int ret;
	bool in_irq;
};

static void stop_in_irq(struct irq_work *work)
{
	struct stopper *s = container_of(work, struct stopper, work);

	s->in_irq = !in_task();
	s->ret = tlob_stop_task(s->task);
}

static void stop_by_call(void *arg)
{
	struct stopper *s = arg;

	s->ret = tlob_stop_task(s->task);
}

static void run_irq(u64 ns)
{
	static DEFINE_RAW_SPINLOCK(lock);
	struct stopper s = { .ret = 1 };
	struct worker w;
	unsigned long flags;

	if (worker_create(&w, -1))
		return;
	s.task = w.task;

	say("start=%d\n", tlob_start_task(w.task, ns));
	msleep(WINDOW_MS);
	init_irq_work(&s.work, stop_in_irq);
	irq_work_queue(&s.work);
	irq_work_sync(&s.work);
	say("stop=%d\nin_irq=%d\n", s.ret, s.in_irq);

	say("start2=%d\n", tlob_start_task(w.task, ns));
	msleep(WINDOW_MS);
	smp_call_function_single(cpumask_first(cpu_online_mask), stop_by_call,
				 &s, 1);
	say("stop2=%d\n", s.ret);

	say("start3=%d\n", tlob_start_task(w.task, ns));
	msleep(WINDOW_MS);
	raw_spin_lock_irqsave(&lock, flags);
	s.ret = tlob_stop_task(w.task);
	raw_spin_unlock_irqrestore(&lock, flags);
	say("stop3=%d\n", s.ret);

	worker_end(&w);
	put_task_struct(w.task);
}

static void run_exits(u64 ns)
{
	struct worker w;

	if (worker_create(&w, -1))
		return;
	say("start=%d\n", tlob_start_task(w.task, ns));
	worker_end(&w);
	say("stop=%d\n", tlob_stop_task(w.task));
	say("start_exiting=%d\n", tlob_start_task(w.task, ns));
	say("stop_exiting=%d\n", tlob_stop_task(w.task));
	put_task_struct(w.task);
}

static void run_flood(unsigned int n, u64 ns)
{
	struct worker *w = kcalloc(MAX_FLOOD, sizeof(*w), GFP_KERNEL);
	unsigned int i, started = 0, nospace = 0, stopped = 0;
	int ret;

	if (!w || n > MAX_FLOOD)
		goto out;
	for (i = 0; i < n; i++) {
		init_waitqueue_head(&w[i].wait);
		init_completion(&w[i].ended);
		w[i].task = kthread_run(worker_fn, &w[i], "tlob_api");
		if (IS_ERR(w[i].task)) {
			n = i;
			break;
		}
		get_task_struct(w[i].task);
	}
	for (i = 0; i < n; i++) {
		ret = tlob_start_task(w[i].task, ns);
		started += !ret;
		nospace += ret == -ENOSPC;
	}
	for (i = 0; i < n; i++)
		stopped += !tlob_stop_task(w[i].task);
	for (i = 0; i < n; i++) {
		worker_do(&w[i], END);
		wait_for_completion(&w[i].ended);
		put_task_struct(w[i].task);
	}
	msleep(WINDOW_MS);	/* they have left our code */
	say("started=%u\nnospace=%u\nstopped=%u\n", started, nospace, stopped);
out:
	kfree(w);
}

/*
 * Behind the point of no return of execve(), with the leader's tid, and before
 * it is told: hold the task there while a kthread takes it off its budget and
 * puts it on one again.
 */
static struct {
	pid_t tgid;
	struct task_struct *task;
	struct completion there;
	int stop, start;
} swap;

static int hold_up(struct kprobe *probe, struct pt_regs *regs)
{
	if (current->tgid == swap.tgid && !swap.task) {
		get_task_struct(current);
		swap.task = current;
		complete(&swap.there);
		mdelay(60);
	}
	return 0;
}

static int swap_fn(void *arg)
{
	wait_for_completion(&swap.there);
	if (swap.task) {
		swap.stop = tlob_stop_task(swap.task);
		swap.start = tlob_start_task(swap.task, *(u64 *)arg);
	}
	while (!kthread_should_stop())
		msleep(1);
	return 0;
}

static void run_exec(pid_t tgid, u64 ns)
{
	struct kprobe probe = {
		.symbol_name = "setup_new_exec",
		.pre_handler = hold_up,
	};
	struct task_struct *kt;
	int i;

	swap.tgid = tgid;
	swap.task = NULL;
	init_completion(&swap.there);
	kt = kthread_run(swap_fn, &ns, "tlob_api_swap");
	if (IS_ERR(kt))
		return;
	if (!register_kprobe(&probe)) {
		for (i = 0; i < 200 && !READ_ONCE(swap.task); i++)
			msleep(20);
		unregister_kprobe(&probe);
	}
	if (!swap.task)
		complete(&swap.there);
	kthread_stop(kt);
	if (swap.task) {
		say("stop=%d\nstart=%d\n", swap.stop, swap.start);
		put_task_struct(swap.task);
	}
}

/* Whoever closes it for the last time may be exiting, its exit told already. */
static int late_start = 1;

static int late_release(struct inode *inode, struct file *file)
{
	late_start = tlob_start_task(current, 1000000);
	if (!late_start)
		tlob_stop_task(current);
	return 0;
}

static const struct file_operations late_fops = {
	.owner = THIS_MODULE,
	.release = late_release,
};

static struct miscdevice late_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "tlob_api",
	.fops = &late_fops,
};

static void run_by_pid(bool start, int nr, u64 ns)
{
	struct pid *pid = find_get_pid(nr);
	struct task_struct *task = get_pid_task(pid, PIDTYPE_PID);

	put_pid(pid);
	if (!task) {
		say("task=none\n");
		return;
	}
	if (start)
		say("start=%d\n", tlob_start_task(task, ns));
	else
		say("stop=%d\n", tlob_stop_task(task));
	put_task_struct(task);
}

static int run_set(const char *val, const struct kernel_param *kp)
{
	unsigned long long ns = 0;
	char what[16];
	int nr = 0;

	answer_len = 0;
	answer[0] = '\0';
	if (sscanf(val, "start %d %llu", &nr, &ns) == 2) {
		run_by_pid(true, nr, ns);
		return 0;
	}
	if (sscanf(val, "stop %d", &nr) == 1) {
		run_by_pid(false, nr, 0);
		return 0;
	}
	if (sscanf(val, "exec %d %llu", &nr, &ns) == 2) {
		run_exec(nr, ns);
		return 0;
	}
	if (sysfs_streq(val, "late")) {
		say("start=%d\n", late_start);
		return 0;
	}
	if (sscanf(val, "flood %d %llu", &nr, &ns) == 2) {
		run_flood(nr, ns);
		return 0;
	}
	if (sscanf(val, "%15s %llu", what, &ns) != 2)
		return -EINVAL;
	if (!strcmp(what, "running"))
		run_running(ns);
	else if (!strcmp(what, "sleeping"))
		run_sleeping(ns);
	else if (!strcmp(what, "runnable"))
		run_runnable(SPIN, ns);
	else if (!strcmp(what, "undecided"))
		run_runnable(HESITATE, ns);
	else if (!strcmp(what, "woken"))
		run_woken(ns);
	else if (!strcmp(what, "locked"))
		run_locked(ns);
	else if (!strcmp(what, "self"))
		run_self(ns);
	else if (!strcmp(what, "irq"))
		run_irq(ns);
	else if (!strcmp(what, "exits"))
		run_exits(ns);
	else
		return -EINVAL;
	return 0;
}

static int run_get(char *buf, const struct kernel_param *kp)
{
	return scnprintf(buf, PAGE_SIZE, "%s", answer);
}

static const struct kernel_param_ops run_ops = {
	.set = run_set,
	.get = run_get,
};

module_param_cb(run, &run_ops, NULL, 0600);
MODULE_PARM_DESC(run, "a command; reading gives what came of it");

static int __init tlob_api_init(void)
{
	return misc_register(&late_dev);
}

static void __exit tlob_api_exit(void)
{
	misc_deregister(&late_dev);
}

module_init(tlob_api_init);
module_exit(tlob_api_exit);

MODULE_DESCRIPTION("uses tlob's functions for other modules, for the tests");
MODULE_AUTHOR("The tlob developers");
MODULE_LICENSE("GPL");
