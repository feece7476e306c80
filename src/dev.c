// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/tlob: windows that a program opens on its own threads, the overruns of
 * them as records to read, and commands to write.
 *
 * Each open file description is a source of windows of its own; in `stats` they
 * are one, `dev`.
 */
#include <linux/capability.h>
#include <linux/compat.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>
#include <linux/wait.h>

#include <uapi/linux/tlob.h>

#include "command.h"
#include "defer.h"
#include "dev.h"
#include "monitor.h"
#include "report.h"
#include "script.h"
#include "table.h"
#include "window.h"

#define QUEUE_MAX	64

/**
 * struct tlob_file - an open file description
 * @src: what its windows belong to; counts with all others as `dev`
 * @used: a window was asked for: it is in the list, and a user of the monitor
 * @link: in the list of used files; RCU
 * @rcu: for freeing it
 * @wait: readers and pollers
 * @wake: @wait is to be woken
 * @lock: protects the members below; a leaf
 * @head: index of the oldest event
 * @len: events queued
 * @lost: events were dropped since the newest one queued
 * @events: ring
 */
struct tlob_file {
	struct tlob_source src;
	bool used;
	struct list_head link;
	struct rcu_head rcu;
	wait_queue_head_t wait;
	int wake;
	raw_spinlock_t lock;
	unsigned int head, len;
	bool lost;
	struct tlob_event events[QUEUE_MAX];
};

/* Written under the control mutex. */
static LIST_HEAD(files);

static void wake_readers(void)
{
	struct tlob_file *tf;

	rcu_read_lock();
	list_for_each_entry_rcu(tf, &files, link)
		if (READ_ONCE(tf->wake) && xchg(&tf->wake, 0))
			wake_up_interruptible(&tf->wait);
	rcu_read_unlock();
}

/*
 * A context where the lock of a wait queue may be taken: an interrupt, on RT a
 * worker. One for all files, so that none has to wait for it to be freed.
 */
#ifdef CONFIG_PREEMPT_RT
static void wake_by_work(struct work_struct *work)
{
	wake_readers();
}

static struct tlob_deferred waking =
	TLOB_DEFERRED_INIT(waking, wake_by_work, true);

static void wake_soon(void)
{
	tlob_defer(&waking);
}

static void wake_flush(void)
{
	tlob_defer_flush(&waking);
}
#else
static void wake_by_irq(struct irq_work *work)
{
	wake_readers();
}

static DEFINE_IRQ_WORK(waking, wake_by_irq);

static void wake_soon(void)
{
	irq_work_queue(&waking);
}

static void wake_flush(void)
{
	irq_work_sync(&waking);
}
#endif

/* Any context but NMI, no task lock held. */
static void queue_overrun(struct tlob_source *src, u64 tag,
			  const struct tlob_report *report)
{
	struct tlob_file *tf = container_of(src, struct tlob_file, src);
	struct tlob_event *event;
	unsigned long flags;

	raw_spin_lock_irqsave(&tf->lock, flags);
	if (tf->len == QUEUE_MAX) {
		tf->lost = true;
	} else {
		event = &tf->events[(tf->head + tf->len++) % QUEUE_MAX];
		event->tid = report->pid;
		event->flags = tf->lost ? TLOB_EVENT_LOST : 0;
		event->tag = tag;
		event->threshold_ns = report->threshold;
		event->elapsed_ns = report->totals.elapsed;
		event->running_ns = report->totals.ns[running_tlob];
		event->waiting_ns = report->totals.ns[waiting_tlob];
		event->sleeping_ns = report->totals.ns[sleeping_tlob];
		tf->lost = false;
	}
	raw_spin_unlock_irqrestore(&tf->lock, flags);
	WRITE_ONCE(tf->wake, 1);
	/* Fully ordered: a work that is queued already has yet to look. */
	wake_soon();
}

static bool pop_event(struct tlob_file *tf, struct tlob_event *event)
{
	bool popped = false;

	raw_spin_lock_irq(&tf->lock);
	if (tf->len) {
		*event = tf->events[tf->head];
		tf->head = (tf->head + 1) % QUEUE_MAX;
		tf->len--;
		popped = true;
	}
	raw_spin_unlock_irq(&tf->lock);
	return popped;
}

static void note_loss(struct tlob_file *tf)
{
	raw_spin_lock_irq(&tf->lock);
	tf->lost = true;
	raw_spin_unlock_irq(&tf->lock);
}

/*
 * Under the mutex of all misc devices, so not the control mutex: who holds that
 * may wait for a file system, and its daemon for another such device.
 */
static int tlob_dev_open(struct inode *inode, struct file *file)
{
	struct tlob_file *tf;

	tf = kzalloc(sizeof(*tf), GFP_KERNEL_ACCOUNT);
	if (!tf)
		return -ENOMEM;
	tf->src = tlob_dev_source;
	tf->src.reopen = TLOB_REOPEN_REFUSED;
	tf->src.tagged = true;
	tf->src.overrun = queue_overrun;
	init_waitqueue_head(&tf->wait);
	raw_spin_lock_init(&tf->lock);
	file->private_data = tf;
	return stream_open(inode, file);
}

/* Before the first window of a file. */
static int use(struct tlob_file *tf)
{
	int ret;

	/* Acquires the probes that were attached. */
	if (likely(smp_load_acquire(&tf->used)))
		return 0;
	if (!READ_ONCE(tlob_table.accepting))
		return -ENODEV;
	ret = mutex_lock_killable(&tlob_mutex);
	if (ret)
		return ret;
	if (!tf->used) {
		ret = tlob_monitor_get();
		if (!ret) {
			list_add_rcu(&tf->link, &files);
			/* Releases them. */
			smp_store_release(&tf->used, true);
		}
	}
	mutex_unlock(&tlob_mutex);
	return ret;
}

static int tlob_dev_release(struct inode *inode, struct file *file)
{
	struct tlob_file *tf = file->private_data;

	if (!tf->used) {
		kfree(tf);
		return 0;
	}
	mutex_lock(&tlob_mutex);
	tlob_windows_end_source(&tf->src, TLOB_CANCELLED);
	tlob_monitor_put();
	list_del_rcu(&tf->link);
	mutex_unlock(&tlob_mutex);
	/* Pairs with the RCU read sides that report and wake. */
	kfree_rcu(tf, rcu);
	return 0;
}

/*
 * Reads its arguments one by one: 60 instructions of each pair less than with a
 * structure to be cleared, guarded, and filled by copy_from_user().
 */
static long start(struct tlob_file *tf, const struct tlob_start_args __user *arg)
{
	u64 threshold, tag;
	u32 flags, pad;
	int ret;

	might_fault();
	if (!user_read_access_begin(arg, sizeof(*arg)))
		return -EFAULT;
	unsafe_get_user(threshold, &arg->threshold_ns, fault);
	unsafe_get_user(tag, &arg->tag, fault);
	unsafe_get_user(flags, &arg->flags, fault);
	unsafe_get_user(pad, &arg->pad, fault);
	user_read_access_end();

	if (flags || pad)
		return -EINVAL;
	if (!tlob_budget_valid(threshold))
		return -ERANGE;
	ret = use(tf);
	if (ret)
		return ret;
	return tlob_window_start(current, &tf->src, threshold, tag, 0);

fault:
	user_read_access_end();
	return -EFAULT;
}

static int stop(struct tlob_file *tf, struct tlob_totals *totals)
{
	int ret = -ESRCH;

	/* Else it never had a window. Likewise. */
	if (smp_load_acquire(&tf->used))
		ret = tlob_window_stop(current, &tf->src, TLOB_STOP_OFFSET, 0,
				       totals);
	if (ret == -ESRCH)
		tlob_count(&tf->src, TLOB_UNMATCHED_STOPS);
	return ret;
}

/* Not inline: its frame is guarded, at the others' cost, too. */
static noinline long stop_info(struct tlob_file *tf, void __user *arg)
{
	struct tlob_totals totals;
	struct tlob_stop_info info;
	int ret = stop(tf, &totals);

	if (ret == -ESRCH)
		return ret;
	info.elapsed_ns = totals.elapsed;
	info.running_ns = totals.ns[running_tlob];
	info.waiting_ns = totals.ns[waiting_tlob];
	info.sleeping_ns = totals.ns[sleeping_tlob];
	if (copy_to_user(arg, &info, sizeof(info)))
		return -EFAULT;
	return ret;
}

static long tlob_dev_ioctl(struct file *file, unsigned int cmd,
			   unsigned long arg)
{
	struct tlob_file *tf = file->private_data;
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case TLOB_IOCTL_TRACE_START:
		return start(tf, uarg);
	case TLOB_IOCTL_TRACE_STOP:
		return stop(tf, NULL);
	case TLOB_IOCTL_TRACE_STOP_INFO:
		return stop_info(tf, uarg);
	default:
		return -ENOTTY;
	}
}

static __poll_t tlob_dev_poll(struct file *file, poll_table *wait)
{
	struct tlob_file *tf = file->private_data;

	poll_wait(file, &tf->wait, wait);
	return EPOLLOUT | EPOLLWRNORM |
	       (READ_ONCE(tf->len) ? EPOLLIN | EPOLLRDNORM : 0);
}

static ssize_t tlob_dev_read(struct file *file, char __user *ubuf,
			     size_t count, loff_t *ppos)
{
	struct tlob_file *tf = file->private_data;
	struct tlob_event event;
	size_t done = 0;
	int ret;

	if (count < sizeof(event))
		return -EINVAL;
	while (count - done >= sizeof(event)) {
		if (pop_event(tf, &event)) {
			if (copy_to_user(ubuf + done, &event, sizeof(event))) {
				note_loss(tf);
				return done ?: -EFAULT;
			}
			done += sizeof(event);
			continue;
		}
		if (done)
			break;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(tf->wait, READ_ONCE(tf->len));
		if (ret)
			return ret;
	}
	return done;
}

static ssize_t tlob_dev_write(struct file *file, const char __user *ubuf,
			      size_t count, loff_t *ppos)
{
	/* Neither who opened it nor who writes may lack it. */
	if (!capable(CAP_SYS_ADMIN) ||
	    !file_ns_capable(file, &init_user_ns, CAP_SYS_ADMIN))
		return -EPERM;
	return tlob_script_write(ubuf, count, true);
}

static const struct file_operations tlob_dev_fops = {
	.owner = THIS_MODULE,
	.open = tlob_dev_open,
	.release = tlob_dev_release,
	.unlocked_ioctl = tlob_dev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.poll = tlob_dev_poll,
	.read = tlob_dev_read,
	.write = tlob_dev_write,
};

static struct miscdevice tlob_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "tlob",
	.mode = 0600,
	.fops = &tlob_dev_fops,
};

static bool registered;

/**
 * tlob_dev_init - create /dev/tlob
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int tlob_dev_init(void)
{
	int ret;

	ret = misc_register(&tlob_dev);
	registered = !ret;
	return ret;
}

/**
 * tlob_dev_exit - remove /dev/tlob if there is one; no file of it is open
 *
 * Context: may sleep.
 */
void tlob_dev_exit(void)
{
	if (!registered)
		return;
	misc_deregister(&tlob_dev);
	/*
	 * Reports of files that were closed are over; they ask for wakeups. And
	 * what waits below may miss an irq_work that two CPUs run at once: the
	 * other is an RCU reader.
	 */
	synchronize_rcu();
	wake_flush();
}
