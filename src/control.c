// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control files: beside those of RV in its directory of the monitor, else in
 * debugfs.
 *
 * Both hold a reference on .owner while a file is open, so that the module
 * cannot go under it. Read-only files are 0400 and have neither ioctl nor mmap:
 * lockdown leaves those readable.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "binding.h"
#include "control.h"
#include "error_log.h"
#include "monitor.h"
#include "reactor.h"
#include "rv.h"
#include "script.h"
#include "window.h"

static struct dentry *dir;

/* Files that print all they have at once, under the control mutex. */
#define DEFINE_SHOW_FILE(name, show_fn)					\
static int name##_show(struct seq_file *m, void *v)			\
{									\
	mutex_lock(&tlob_mutex);					\
	show_fn(m);							\
	mutex_unlock(&tlob_mutex);					\
	return 0;							\
}									\
static int name##_open(struct inode *inode, struct file *file)		\
{									\
	return single_open(file, name##_show, NULL);			\
}

#define READ_ONLY_FOPS(name, release_fn)				\
static const struct file_operations name##_fops = {			\
	.owner = THIS_MODULE,						\
	.open = name##_open,						\
	.read = seq_read,						\
	.llseek = seq_lseek,						\
	.release = release_fn,						\
}

static void show_desc(struct seq_file *m)
{
	seq_puts(m, "task latency over budget: per-task windows with a time budget.\n");
}

static void show_enable(struct seq_file *m)
{
	seq_printf(m, "%d\n", tlob_monitor_enabled());
}

DEFINE_SHOW_FILE(desc, show_desc)
READ_ONLY_FOPS(desc, single_release);
DEFINE_SHOW_FILE(bindings, tlob_bindings_show)
READ_ONLY_FOPS(bindings, single_release);
DEFINE_SHOW_FILE(stats, tlob_monitor_show_stats)
READ_ONLY_FOPS(stats, single_release);
DEFINE_SHOW_FILE(error_log, tlob_error_log_show)
READ_ONLY_FOPS(error_log, single_release);
DEFINE_SHOW_FILE(hist, tlob_monitor_show_hist)
READ_ONLY_FOPS(hist, single_release);
DEFINE_SHOW_FILE(enable, show_enable)
DEFINE_SHOW_FILE(reactors, tlob_reactors_show)

/* inflight: a record of the file for each window of the table. */

static void *inflight_start(struct seq_file *m, loff_t *pos)
{
	mutex_lock(&tlob_mutex);
	return *pos < tlob_table.size ? &tlob_table.windows[*pos] : NULL;
}

static void *inflight_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return *pos < tlob_table.size ? &tlob_table.windows[*pos] : NULL;
}

static void inflight_stop(struct seq_file *m, void *v)
{
	mutex_unlock(&tlob_mutex);
}

static int inflight_show(struct seq_file *m, void *v)
{
	tlob_window_show(m, v);
	return 0;
}

static const struct seq_operations inflight_ops = {
	.start = inflight_start,
	.next = inflight_next,
	.stop = inflight_stop,
	.show = inflight_show,
};

static int inflight_open(struct inode *inode, struct file *file)
{
	return seq_open(file, &inflight_ops);
}

READ_ONLY_FOPS(inflight, seq_release);

static ssize_t enable_write(struct file *file, const char __user *ubuf,
			    size_t count, loff_t *ppos)
{
	bool on;
	int ret;

	ret = kstrtobool_from_user(ubuf, count, &on);
	if (ret)
		return ret;
	mutex_lock(&tlob_mutex);
	if (on)
		ret = tlob_monitor_enable();
	else
		tlob_monitor_disable();
	mutex_unlock(&tlob_mutex);
	return ret ?: count;
}

static const struct file_operations enable_fops = {
	.owner = THIS_MODULE,
	.open = enable_open,
	.read = seq_read,
	.write = enable_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static ssize_t reactors_write(struct file *file, const char __user *ubuf,
			      size_t count, loff_t *ppos)
{
	char name[16];
	int ret;

	if (count >= sizeof(name))
		return -EINVAL;
	if (copy_from_user(name, ubuf, count))
		return -EFAULT;
	name[count] = '\0';
	ret = tlob_reactor_choose(strim(name));
	return ret ?: count;
}

static const struct file_operations reactors_fops = {
	.owner = THIS_MODULE,
	.open = reactors_open,
	.read = seq_read,
	.write = reactors_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static ssize_t monitor_write(struct file *file, const char __user *ubuf,
			     size_t count, loff_t *ppos)
{
	return tlob_script_write(ubuf, count, false);
}

static const struct file_operations monitor_fops = {
	.owner = THIS_MODULE,
	.open = bindings_open,
	.read = seq_read,
	.write = monitor_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static const struct control_file {
	const char *name;
	umode_t mode;
	bool is_rvs;	/* where there is RV it has one of its own */
	const struct file_operations *fops;
} files[] = {
	{ "bindings", 0400, false, &bindings_fops },
	{ "desc", 0400, true, &desc_fops },
	{ "enable", 0600, true, &enable_fops },
	{ "error_log", 0400, false, &error_log_fops },
	{ "hist", 0400, false, &hist_fops },
	{ "inflight", 0400, false, &inflight_fops },
	{ "monitor", 0600, false, &monitor_fops },
	{ "reactors", 0600, true, &reactors_fops },
	{ "stats", 0400, false, &stats_fops },
};

static struct dentry *in_debugfs[ARRAY_SIZE(files)];

/* What an inode has until it gets others: its open fails. */
static const struct file_operations *no_open_fops;

static int find_no_open_fops(void)
{
	struct inode *inode = new_inode(d_inode(dir)->i_sb);

	if (!inode)
		return -ENOMEM;
	no_open_fops = inode->i_fop;
	iput(inode);
	return 0;
}

static int create_in_rv(void)
{
	int i, ret = 0;

	for (i = 0; i < ARRAY_SIZE(files) && !ret; i++)
		if (!files[i].is_rvs)
			ret = tlob_rv_create_file(files[i].name, files[i].mode,
						  files[i].fops);
	return ret;
}

/*
 * Let none of the files be opened any more. Debugfs of 7.x looks at the operations
 * of a file that is opened for the first time before it looks whether the file was
 * removed: somebody may hold it by O_PATH, or have just found it. What it looks at
 * from now on outlives the module. What is left is an open that has got past that
 * and sleeps until the module is gone, for a permission event of fanotify, or for
 * memory.
 */
static void close_in_debugfs(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(files); i++)
		if (!IS_ERR_OR_NULL(in_debugfs[i]))
			WRITE_ONCE(d_inode(in_debugfs[i])->i_fop, no_open_fops);
	/* Who read the old operations and has yet to come to ours */
	synchronize_rcu_tasks();
}

static int create_in_debugfs(void)
{
	int i, ret;

	dir = debugfs_create_dir("tlob", NULL);
	if (IS_ERR(dir))
		return PTR_ERR(dir);
	ret = find_no_open_fops();
	if (ret)
		goto remove_dir;
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		in_debugfs[i] = debugfs_create_file(files[i].name,
						    files[i].mode, dir, NULL,
						    files[i].fops);
		if (IS_ERR(in_debugfs[i])) {
			ret = PTR_ERR(in_debugfs[i]);
			goto close;
		}
	}
	return 0;

close:
	close_in_debugfs();
remove_dir:
	debugfs_remove_recursive(dir);
	dir = NULL;
	return ret;
}

/**
 * tlob_control_init - create the files
 *
 * Without them there is still /dev/tlob.
 *
 * Context: may sleep.
 */
void tlob_control_init(void)
{
	int ret = tlob_rv_registered() ? create_in_rv() : create_in_debugfs();

	if (ret == -ENODEV || ret == -EPERM)
		pr_info("there is no debugfs: /dev/tlob is all there is\n");
	else if (ret)
		pr_warn("cannot create the control files: %d: /dev/tlob is all there is\n",
			ret);
}

/**
 * tlob_control_exit - remove the files
 *
 * When it returns, none is in use, nor will be, but by an open that sleeps since
 * before: see close_in_debugfs(). Those in RV's directory go with it.
 *
 * Context: may sleep.
 */
void tlob_control_exit(void)
{
	if (!IS_ERR_OR_NULL(dir))
		close_in_debugfs();
	debugfs_remove_recursive(dir);
}
