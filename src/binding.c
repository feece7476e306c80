// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bindings: where windows start and stop in binaries.
 *
 * A binding is the inode that PATH led to when it was written, and offsets in
 * it. It keeps the inode and the mount referenced. Its uprobes are registered
 * while the monitor is enabled.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/compat.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/elf.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "binding.h"
#include "compat/uprobe.h"
#include "monitor.h"
#include "window.h"

/* An event has to fit a page of the trace buffer. */
#define EVENT_LABEL_MAX	3072

struct tlob_binding;

struct tlob_stop {
	struct tlob_uprobe probe;
	struct tlob_binding *binding;
	unsigned long reach;
};

/**
 * struct tlob_binding - one line of `monitor`
 * @link: in the list of bindings
 * @src: what its windows belong to
 * @name: empty if it has none
 * @path: as it was written, unescaped
 * @escaped: @path as it is listed
 * @where: what @path led to then
 * @inode: the real inode of @where
 * @threshold: budget, ns
 * @pid: the only process that counts, or NULL
 * @has_comm: @comm is given
 * @comm: the only thread name that counts
 * @start: where windows start
 * @nr_stops: number of @stops
 * @stops: where they stop
 */
struct tlob_binding {
	struct list_head link;
	struct tlob_source src;
	char name[TLOB_NAME_MAX + 1];
	char *path;
	char *escaped;
	struct path where;
	struct inode *inode;
	u64 threshold;
	struct pid *pid;
	bool has_comm;
	char comm[TLOB_COMM_MAX + 1];
	struct tlob_uprobe start;
	unsigned int nr_stops;
	struct tlob_stop stops[];
};

static LIST_HEAD(bindings);
/* The sum of the bindings that are gone. */
static struct tlob_stats removed = { .min = U64_MAX };

/* Handlers: task context, may be preempted, on current's way to user space. */

static bool admits(const struct tlob_binding *b)
{
	return (!b->pid || task_tgid(current) == b->pid) &&
	       (!b->has_comm ||
		!strncmp(current->comm, b->comm, sizeof(b->comm)));
}

static void hit_start(struct tlob_uprobe *probe, struct pt_regs *regs)
{
	struct tlob_binding *b = container_of(probe, struct tlob_binding, start);

	if (admits(b))
		tlob_window_start(current, &b->src, b->threshold, 0,
				  user_stack_pointer(regs));
}

static void hit_stop_at(struct tlob_uprobe *probe, unsigned long sp)
{
	struct tlob_stop *stop = container_of(probe, struct tlob_stop, probe);
	struct tlob_binding *b = stop->binding;

	/*
	 * An open window ends whatever the thread is called by now. That there
	 * is none while none may start is our doing.
	 */
	if (tlob_window_stop(current, &b->src, stop->reach, sp, NULL) == -ESRCH &&
	    admits(b) && tlob_source_is_open(&b->src))
		tlob_count(&b->src, TLOB_UNMATCHED_STOPS);
}

static void hit_stop(struct tlob_uprobe *probe, struct pt_regs *regs)
{
	hit_stop_at(probe, 0);
}

static void hit_return(struct tlob_uprobe *probe, struct pt_regs *regs)
{
	hit_stop_at(probe, tlob_return_frame(regs));
}

static void hit_nothing(struct tlob_uprobe *probe, struct pt_regs *regs)
{
}

struct tlob_trial {
	struct tlob_uprobe probe;
	const struct mm_struct *mm;
};

static bool is_mine(struct tlob_uprobe *probe, const struct mm_struct *mm)
{
	return mm == container_of(probe, struct tlob_trial, probe)->mm;
}

TLOB_UPROBE_HANDLER(start_handler, hit_start)
TLOB_UPROBE_HANDLER(stop_handler, hit_stop)
TLOB_UPROBE_RET_HANDLER(return_handler, hit_return)
TLOB_UPROBE_HANDLER(trial_handler, hit_nothing)
TLOB_UPROBE_FILTER(trial_filter, is_mine)

/* Everything below runs under the control mutex. */

static int refuse(struct tlob_fault *fault, unsigned int pos,
		  const char *reason, int err)
{
	fault->pos = pos;
	fault->reason = reason;
	return err;
}

static const char *why_not_probed(int err)
{
	switch (err) {
	case -EOPNOTSUPP:
		return "Instruction cannot be probed";
	case -EIO:
		return "File system cannot be probed";
	case -EINVAL:
		return "Offset cannot be probed";
	case -ENOMEM:
		return "Out of memory";
	default:
		return "Probe cannot be placed";
	}
}

static unsigned int nr_places(const struct tlob_binding *b)
{
	return 1 + b->nr_stops;
}

static struct tlob_uprobe *nth_probe(struct tlob_binding *b, unsigned int n)
{
	return n ? &b->stops[n - 1].probe : &b->start;
}

static unsigned int nth_pos(const struct tlob_command *cmd, unsigned int n)
{
	return n ? cmd->stops[n - 1].pos : cmd->start_pos;
}

/* Does not wait for handlers: tlob_uprobe_unregister_sync(). */
static void unregister_places(struct tlob_binding *b)
{
	unsigned int n;

	for (n = 0; n < nr_places(b); n++)
		tlob_uprobe_unregister_nosync(nth_probe(b, n));
}

static int register_places(struct tlob_binding *b, unsigned int *failed)
{
	unsigned int n;
	int ret;

	/* Stops first: no window shall miss its stop. */
	for (n = nr_places(b); n--; ) {
		ret = tlob_uprobe_register(nth_probe(b, n));
		if (ret) {
			*failed = n;
			unregister_places(b);
			return ret;
		}
	}
	return 0;
}

/* Whether the file's instructions are read as they will be run. */
static bool is_elf64(struct file *file)
{
	unsigned char ident[EI_CLASS + 1];
	loff_t pos = 0;

	return kernel_read(file, ident, sizeof(ident), &pos) == sizeof(ident) &&
	       !memcmp(ident, ELFMAG, SELFMAG) && ident[EI_CLASS] == ELFCLASS64;
}

/* Register at the nth place for a moment, with the place mapped if @file. */
static int try_place(struct tlob_binding *b, unsigned int n, struct file *file,
		     struct tlob_trial *t)
{
	struct tlob_uprobe *trial = &t->probe;
	unsigned long addr = -ENOENT;
	int ret;

	t->mm = current->mm;
	trial->uc.handler = TLOB_UPROBE_HANDLER_FN(trial_handler);
	trial->uc.filter = TLOB_UPROBE_FILTER_FN(trial_filter);
	trial->inode = b->inode;
	trial->offset = nth_probe(b, n)->offset;
	if (file)
		addr = vm_mmap(file, 0, PAGE_SIZE, PROT_READ, MAP_PRIVATE,
			       round_down(trial->offset, PAGE_SIZE));
	ret = tlob_uprobe_register(trial);
	tlob_uprobe_unregister_nosync(trial);
	if (!IS_ERR_VALUE(addr))
		vm_munmap(addr, PAGE_SIZE);
	return ret;
}

/*
 * The kernel looks at an instruction when it places the breakpoint, which may
 * be long after uprobe_register() succeeded. So map each place and register
 * there for a moment, in this process only, to be told now. Only where the
 * instruction would be read as it will be run: the analysis depends on the
 * mapping process's mode. What nothing can be placed in is not even read.
 */
static int try_places(struct tlob_binding *b, const struct tlob_command *cmd,
		      struct tlob_fault *fault)
{
	struct tlob_trial *trials;
	struct file *file = NULL;
	unsigned int n = 0;
	int ret;

	trials = kvcalloc(1 + nr_places(b), sizeof(*trials), GFP_KERNEL);
	if (!trials)
		return refuse(fault, 0, "Out of memory", -ENOMEM);
	ret = try_place(b, 0, NULL, &trials[0]);
	if (ret)
		goto out;
	if (!current->mm || in_compat_syscall())
		goto out;
	file = dentry_open(&b->where, O_RDONLY | O_LARGEFILE, current_cred());
	if (IS_ERR(file)) {
		ret = refuse(fault, cmd->path_pos, "File cannot be opened",
			     PTR_ERR(file));
		file = NULL;
		goto out_sync;
	}
	if (!is_elf64(file))
		goto out;
	for (n = 0; n < nr_places(b); n++) {
		ret = try_place(b, n, file, &trials[1 + n]);
		if (ret)
			break;
	}
out:
	if (ret)
		refuse(fault, nth_pos(cmd, n), why_not_probed(ret), ret);
out_sync:
	tlob_uprobe_unregister_sync();
	kvfree(trials);
	if (file)
		fput(file);
	return ret;
}

static void free_binding(struct tlob_binding *b)
{
	tlob_stats_free(&b->src);
	put_pid(b->pid);
	if (b->inode) {
		iput(b->inode);
		path_put(&b->where);
	}
	if (b->src.label != b->name)
		kvfree(b->src.label);
	kvfree(b->escaped);
	kvfree(b->path);
	kvfree(b);
}

/* The strings that name a binding. */
static int name_binding(struct tlob_binding *b, const struct tlob_command *cmd)
{
	size_t len = tlob_escape(NULL, 0, cmd->path);
	char *label;

	b->path = kvmalloc(strlen(cmd->path) + 1, GFP_KERNEL);
	b->escaped = kvmalloc(len + 1, GFP_KERNEL);
	if (!b->path || !b->escaped)
		return -ENOMEM;
	memcpy(b->path, cmd->path, strlen(cmd->path) + 1);
	tlob_escape(b->escaped, len + 1, cmd->path);
	memcpy(b->name, cmd->name, sizeof(b->name));
	b->src.label = b->name;
	if (!b->name[0]) {
		len += sizeof(":0x") + 16;
		label = kvmalloc(len, GFP_KERNEL);
		if (!label)
			return -ENOMEM;
		snprintf(label, len, "%s:0x%llx", b->escaped, cmd->start);
		b->src.label = label;
	}
	len = strlen(b->src.label);
	b->src.event_label = b->src.label;
	if (len > EVENT_LABEL_MAX)
		b->src.event_label += len - EVENT_LABEL_MAX;
	return 0;
}

static int find_file(struct tlob_binding *b, const struct tlob_command *cmd,
		     struct tlob_fault *fault)
{
	struct inode *inode;
	unsigned int n;
	int ret;

	ret = kern_path(b->path, LOOKUP_FOLLOW, &b->where);
	if (ret)
		return refuse(fault, cmd->path_pos,
			      ret == -ENOENT ? "No such file" :
			      "File cannot be found", ret);
	/* What is mapped when it runs: of an overlay the file beneath. */
	inode = igrab(d_real_inode(b->where.dentry));
	if (!inode) {
		path_put(&b->where);
		return refuse(fault, cmd->path_pos, "No such file", -ENOENT);
	}
	b->inode = inode;
	if (!S_ISREG(inode->i_mode))
		return refuse(fault, cmd->path_pos, "Not a regular file",
			      -EINVAL);
	for (n = 0; n < nr_places(b); n++) {
		if (nth_probe(b, n)->offset >= i_size_read(inode))
			return refuse(fault, nth_pos(cmd, n),
				      "Offset is beyond the end of the file",
				      -EINVAL);
		nth_probe(b, n)->inode = inode;
	}
	return 0;
}

static struct pid *get_tgid(int nr)
{
	struct pid *pid;

	rcu_read_lock();
	pid = find_pid_ns(nr, &init_pid_ns);
	if (pid && !pid_task(pid, PIDTYPE_TGID))
		pid = NULL;
	get_pid(pid);
	rcu_read_unlock();
	return pid;
}

static struct tlob_binding *create_binding(const struct tlob_command *cmd,
					   struct tlob_fault *fault, int *err)
{
	struct tlob_binding *b;
	unsigned int i;
	int ret;

	b = kvzalloc(struct_size(b, stops, cmd->nr_stops), GFP_KERNEL);
	if (!b) {
		*err = refuse(fault, 0, "Out of memory", -ENOMEM);
		return NULL;
	}
	b->start.uc.handler = TLOB_UPROBE_HANDLER_FN(start_handler);
	b->start.offset = cmd->start;
	b->src.reopen = TLOB_REOPEN_RESTARTS;
	b->src.closed = true;
	b->nr_stops = cmd->nr_stops;
	for (i = 0; i < cmd->nr_stops; i++) {
		const struct tlob_stop_spec *spec = &cmd->stops[i];
		struct tlob_stop *stop = &b->stops[i];

		stop->binding = b;
		stop->probe.offset = spec->offset;
		stop->reach = TLOB_STOP_OFFSET;
		if (spec->on_return) {
			stop->reach = spec->offset == cmd->start ?
				      TLOB_STOP_OWN_RETURN : TLOB_STOP_RETURN;
			stop->probe.uc.ret_handler =
				TLOB_UPROBE_RET_HANDLER_FN(return_handler);
			b->src.reopen = TLOB_REOPEN_NESTS;
		} else {
			stop->probe.uc.handler =
				TLOB_UPROBE_HANDLER_FN(stop_handler);
		}
	}

	ret = refuse(fault, 0, "Out of memory", -ENOMEM);
	if (tlob_stats_alloc(&b->src) || name_binding(b, cmd))
		goto free;
	b->threshold = cmd->has_threshold ? cmd->threshold :
					    tlob_default_threshold();
	if (!b->threshold) {
		ret = refuse(fault, cmd->start_pos,
			     "No threshold= and the parameter threshold_ns is 0",
			     -EINVAL);
		goto free;
	}
	if (cmd->has_pid) {
		b->pid = get_tgid(cmd->pid);
		if (!b->pid) {
			ret = refuse(fault, cmd->pid_pos, "No such process",
				     -ESRCH);
			goto free;
		}
	}
	b->has_comm = cmd->has_comm;
	memcpy(b->comm, cmd->comm, sizeof(b->comm));
	ret = find_file(b, cmd, fault);
	if (ret)
		goto free;
	return b;

free:
	free_binding(b);
	*err = ret;
	return NULL;
}

/**
 * tlob_binding_add - bind a section
 * @cmd: a TLOB_CMD_BIND
 * @fault: on error, where and why
 *
 * Context: control mutex held, may sleep; the writer's task.
 * Return: 0 or a negative errno; then nothing is left of it.
 */
int tlob_binding_add(const struct tlob_command *cmd, struct tlob_fault *fault)
{
	struct tlob_binding *b, *other;
	unsigned int failed = 0;
	int ret = 0;

	b = create_binding(cmd, fault, &ret);
	if (!b)
		return ret;

	list_for_each_entry(other, &bindings, link) {
		if (b->name[0] && !strcmp(b->name, other->name)) {
			ret = refuse(fault, cmd->name_pos,
				     "A binding has this name", -EEXIST);
			goto free;
		}
		if (b->inode == other->inode &&
		    b->start.offset == other->start.offset) {
			ret = refuse(fault, cmd->start_pos,
				     "A binding starts here", -EEXIST);
			goto free;
		}
	}
	ret = try_places(b, cmd, fault);
	if (ret)
		goto free;
	ret = tlob_monitor_get();
	if (ret) {
		refuse(fault, 0, "Probes cannot be attached", ret);
		goto free;
	}
	if (tlob_monitor_enabled()) {
		ret = register_places(b, &failed);
		if (ret) {
			refuse(fault, nth_pos(cmd, failed), why_not_probed(ret),
			       ret);
			goto put;
		}
	}
	/* All its probes are there: no window can miss its stop. */
	WRITE_ONCE(b->src.closed, false);
	list_add_tail(&b->link, &bindings);
	return 0;

put:
	tlob_uprobe_unregister_sync();
	tlob_monitor_put();
free:
	free_binding(b);
	return ret;
}

/* Remove the bindings of a list that is not the list of bindings. */
static void remove_bindings(struct list_head *doomed)
{
	struct tlob_binding *b, *next;
	struct tlob_stats sum;

	if (list_empty(doomed))
		return;
	list_for_each_entry(b, doomed, link)
		WRITE_ONCE(b->src.closed, true);
	/* Pairs with the RCU read side of tlob_window_start(). */
	synchronize_rcu();
	/* While they can still reach their stops: no overrun is made here. */
	list_for_each_entry(b, doomed, link)
		tlob_windows_end_source(&b->src, TLOB_CANCELLED);
	list_for_each_entry(b, doomed, link)
		unregister_places(b);
	tlob_uprobe_unregister_sync();
	/* Pairs with rcu_read_lock() of whoever reports a window of theirs. */
	synchronize_rcu();
	list_for_each_entry_safe(b, next, doomed, link) {
		tlob_stats_sum(&b->src, &sum);
		tlob_stats_add(&removed, &sum);
		free_binding(b);
		tlob_monitor_put();
	}
}

/* Whether PATH, followed now, leads elsewhere or nowhere. */
static bool is_stale(const struct tlob_binding *b)
{
	struct path path;
	bool stale;

	if (kern_path(b->path, LOOKUP_FOLLOW, &path))
		return true;
	stale = d_real_inode(path.dentry) != b->inode;
	path_put(&path);
	return stale;
}

static struct tlob_binding *find_binding(const struct tlob_command *cmd)
{
	struct tlob_binding *b, *stale = NULL;

	list_for_each_entry(b, &bindings, link) {
		if (cmd->verb == TLOB_CMD_UNBIND_NAME) {
			if (!strcmp(b->name, cmd->name))
				return b;
			continue;
		}
		if (b->start.offset != cmd->start || strcmp(b->path, cmd->path))
			continue;
		if (!is_stale(b))
			return b;
		if (!stale)
			stale = b;
	}
	return stale;
}

/**
 * tlob_bindings_remove_all - remove all bindings
 *
 * Context: control mutex held, may sleep.
 */
void tlob_bindings_remove_all(void)
{
	LIST_HEAD(doomed);

	list_splice_init(&bindings, &doomed);
	remove_bindings(&doomed);
}

/**
 * tlob_binding_remove - carry out a removal
 * @cmd: a TLOB_CMD_UNBIND_*
 * @fault: on error, where and why
 *
 * Open windows of what is removed end as cancelled.
 *
 * Context: control mutex held, may sleep.
 * Return: 0 or -ENOENT.
 */
int tlob_binding_remove(const struct tlob_command *cmd,
			struct tlob_fault *fault)
{
	struct tlob_binding *b;
	LIST_HEAD(doomed);

	if (cmd->verb == TLOB_CMD_UNBIND_ALL) {
		tlob_bindings_remove_all();
		return 0;
	}
	b = find_binding(cmd);
	if (!b)
		return refuse(fault, cmd->verb == TLOB_CMD_UNBIND_NAME ?
			      cmd->name_pos : cmd->path_pos,
			      "No such binding", -ENOENT);
	list_move(&b->link, &doomed);
	remove_bindings(&doomed);
	return 0;
}

/**
 * tlob_bindings_register - place the probes of all bindings
 *
 * Context: control mutex held, may sleep.
 * Return: 0 or a negative errno; then none is placed.
 */
int tlob_bindings_register(void)
{
	struct tlob_binding *b;
	unsigned int failed;
	int ret;

	list_for_each_entry(b, &bindings, link) {
		ret = register_places(b, &failed);
		if (ret) {
			pr_err("binding %s: %s: %d\n", b->src.label,
			       why_not_probed(ret), ret);
			tlob_bindings_unregister();
			return ret;
		}
	}
	return 0;
}

/**
 * tlob_bindings_unregister - take the probes out of all binaries
 *
 * When it returns, no handler runs.
 *
 * Context: control mutex held, may sleep.
 */
void tlob_bindings_unregister(void)
{
	struct tlob_binding *b;

	list_for_each_entry(b, &bindings, link)
		unregister_places(b);
	tlob_uprobe_unregister_sync();
}

static void show_binding(struct seq_file *m, const struct tlob_binding *b)
{
	unsigned int i;

	seq_putc(m, 'p');
	if (b->name[0])
		seq_printf(m, ":%s", b->name);
	seq_printf(m, " %s:0x%llx ", b->escaped, b->start.offset);
	for (i = 0; i < b->nr_stops; i++)
		seq_printf(m, "%s0x%llx%s", i ? "," : "",
			   b->stops[i].probe.offset,
			   b->stops[i].reach == TLOB_STOP_OFFSET ?
			   "" : "%return");
	seq_printf(m, " threshold=%llu", b->threshold);
	if (b->pid)
		seq_printf(m, " pid=%d", pid_nr(b->pid));
	if (b->has_comm) {
		char comm[4 * TLOB_COMM_MAX + 1];

		tlob_escape(comm, sizeof(comm), b->comm);
		seq_printf(m, " comm=%s", comm);
	}
	if (is_stale(b))
		seq_puts(m, " # stale");
	seq_putc(m, '\n');
}

/**
 * tlob_bindings_show - list the bindings as they could be written
 * @m: the file
 *
 * Context: control mutex held, may sleep.
 */
void tlob_bindings_show(struct seq_file *m)
{
	struct tlob_binding *b;

	list_for_each_entry(b, &bindings, link)
		show_binding(m, b);
}

/**
 * tlob_bindings_show_stats - a line for each binding, and one for those gone
 * @m: the file
 *
 * Context: control mutex held.
 */
void tlob_bindings_show_stats(struct seq_file *m)
{
	struct tlob_binding *b;
	struct tlob_stats sum;

	list_for_each_entry(b, &bindings, link) {
		tlob_stats_sum(&b->src, &sum);
		tlob_stats_show(m, b->src.label, &sum);
	}
	tlob_stats_show(m, "removed", &removed);
}

/**
 * tlob_bindings_show_hist - the histograms of the bindings
 * @m: the file
 *
 * Context: control mutex held.
 */
void tlob_bindings_show_hist(struct seq_file *m)
{
	struct tlob_binding *b;

	list_for_each_entry(b, &bindings, link)
		tlob_stats_show_hist(m, &b->src);
}
