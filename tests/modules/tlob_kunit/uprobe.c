// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands, by the function that a write to `monitor` calls, on a program of
 * the system.
 *
 * Cases run in kthreads. A command is in memory that KUnit maps there; its path
 * is followed as the task that runs the suite would, for kthreads may have
 * no file system. Nothing is removed that was not added here, so the suite
 * needs no claim.
 */
#include <linux/err.h>
#include <linux/elf.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/moduleparam.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "tlob_kunit.h"

static const struct tlob_kunit_ops *ops = &tlob_kunit_ops;

static char *program = "/bin/sh";
module_param(program, charp, 0444);
MODULE_PARM_DESC(program, "a 64-bit program to bind (default: /bin/sh)");

#define LINE_SIZE	512
#define LOG_SIZE	(16 * 1024)
#define HLT		0xf4	/* cannot be probed */

static struct fs_struct *runners_fs;	/* of the task that runs the suite */
static loff_t hlt_at;			/* such a byte in the program */

static int look_at_program(void)
{
	unsigned char *buf, *hlt;
	struct file *file;
	loff_t pos = 0;
	ssize_t n;
	int ret = -ENOEXEC;

	file = filp_open(program, O_RDONLY | O_LARGEFILE, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	buf = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!buf) {
		ret = -ENOMEM;
		goto out;
	}
	n = kernel_read(file, buf, PAGE_SIZE, &pos);
	if (n < EI_NIDENT || memcmp(buf, ELFMAG, SELFMAG) ||
	    buf[EI_CLASS] != ELFCLASS64)
		goto out;
	hlt_at = 0;
	while (n > 0) {
		hlt = memchr(buf, HLT, n);
		if (hlt) {
			hlt_at = pos - n + (hlt - buf);
			ret = 0;
			break;
		}
		n = kernel_read(file, buf, PAGE_SIZE, &pos);
	}
out:
	kfree(buf);
	filp_close(file, NULL);
	return ret;
}

static int suite_init(struct kunit_suite *suite)
{
	const char *why;
	int ret;

	mutex_lock(ops->mutex);
	why = tlob_in_use();
	mutex_unlock(ops->mutex);
	if (why) {
		kunit_mark_skipped(suite, "tlob is in use: %s", why);
		return 0;
	}
	ret = look_at_program();
	if (ret)
		kunit_mark_skipped(suite, "%s is no program for this: %d",
				   program, ret);
	runners_fs = current->fs;
	return 0;
}

/**
 * struct put - what a case writes, and reads
 * @user: a command, where user space would have it
 * @line: the same
 * @log: what a file shows
 */
struct put {
	char __user *user;
	char line[LINE_SIZE];
	char log[LOG_SIZE];
};

static int init(struct kunit *test)
{
	struct put *put = kunit_kzalloc(test, sizeof(*put), GFP_KERNEL);
	unsigned long addr;

	if (!put)
		return -ENOMEM;
	addr = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	if (!addr || IS_ERR_VALUE(addr))
		return -ENOMEM;
	put->user = (char __user *)addr;
	test->priv = put;
	return 0;
}

/*
 * Write @template, with the program for $, the byte that cannot be probed for
 * !, and without @; that says where the caret goes, *@caret.
 */
static ssize_t put(struct kunit *test, const char *template, size_t *caret)
{
	struct put *put = test->priv;
	struct fs_struct *own = current->fs;
	size_t n = 0;
	ssize_t ret;

	for (; *template && n < LINE_SIZE; template++) {
		char *at = put->line + n;
		size_t room = LINE_SIZE - n;

		if (*template == '@' && caret)
			*caret = n;
		else if (*template == '$')
			n += scnprintf(at, room, "%s", program);
		else if (*template == '!')
			n += scnprintf(at, room, "0x%llx", hlt_at);
		else
			n += scnprintf(at, room, "%c", *template);
	}
	if (copy_to_user(put->user, put->line, n))
		return -EFAULT;
	WRITE_ONCE(current->fs, runners_fs);
	ret = ops->script_write(put->user, n, false);
	WRITE_ONCE(current->fs, own);
	return ret;
}

/* What a file would show, in put->log */
static const char *show(struct kunit *test, void (*fn)(struct seq_file *m))
{
	struct put *put = test->priv;
	struct seq_file m = { .buf = put->log, .size = LOG_SIZE - 1 };
	struct fs_struct *own = current->fs;

	mutex_lock(ops->mutex);
	WRITE_ONCE(current->fs, runners_fs);
	fn(&m);
	WRITE_ONCE(current->fs, own);
	mutex_unlock(ops->mutex);
	put->log[m.count] = '\0';
	return put->log;
}

static void expect_added(struct kunit *test, const char *template)
{
	struct put *p = test->priv;
	ssize_t ret = put(test, template, NULL);

	KUNIT_EXPECT_EQ_MSG(test, ret, strlen(p->line), "'%s'", p->line);
}

/* Once, as a whole line, or not at all */
static bool is_listed(struct kunit *test, const char *line)
{
	const char *log = show(test, ops->bindings_show);
	const char *at = strstr(log, line);
	size_t len = strlen(line);

	return at && (at == log || at[-1] == '\n') && at[len] == '\n';
}

/* @want: template of the line that is listed; @removal: of a removal */
static void expect_binding(struct kunit *test, const char *template,
			   const char *want, const char *removal)
{
	char line[LINE_SIZE];
	size_t n = 0;

	for (; *want; want++)
		if (*want == '$')
			n += scnprintf(line + n, sizeof(line) - n, "%s",
				       program);
		else
			n += scnprintf(line + n, sizeof(line) - n, "%c", *want);
	expect_added(test, template);
	KUNIT_EXPECT_TRUE_MSG(test, is_listed(test, line), "no '%s' in:\n%s",
			      line, show(test, ops->bindings_show));
	expect_added(test, removal);
	KUNIT_EXPECT_FALSE_MSG(test, is_listed(test, line), "'%s' is left",
			       line);
}

/*
 * The places are in the padding of the ELF header, where nobody runs or reads,
 * should the program be mapped somewhere.
 */
static void accepted(struct kunit *test)
{
	expect_binding(test, "p:kunit $:9 10 threshold=1000\n",
		       "p:kunit $:0x9 0xa threshold=1000", "-:kunit\n");
	expect_binding(test, "  p:kunit\t$:0x9   0xA  threshold=5ms # why\n",
		       "p:kunit $:0x9 0xa threshold=5000000", "-:kunit");
	expect_binding(test, "p $:9 10,11,12 threshold=1s",
		       "p $:0x9 0xa,0xb,0xc threshold=1000000000", "-$:9");
	expect_binding(test, "p:kunit $:9 9%return,10%return,11 threshold=7us",
		       "p:kunit $:0x9 0x9%return,0xa%return,0xb threshold=7000",
		       "-:kunit");
	expect_binding(test, "p:kunit $:9 10 comm=a\\040b pid=1 threshold=2us",
		       "p:kunit $:0x9 0xa threshold=2000 pid=1 comm=a\\040b",
		       "-:kunit");
	/* Nothing to do, and consumed */
	expect_added(test, "# a comment\n");
	expect_added(test, "\n");
	/* Several lines of one write */
	expect_added(test, "p:kunit $:9 10 threshold=1s\n-:kunit\n");
}

/* The last entry of the error log: reason, command, caret */
static void expect_logged(struct kunit *test, const char *reason, size_t caret)
{
	struct put *put = test->priv;
	const char *entry = NULL, *next, *at;
	char *end;

	show(test, ops->error_log_show);
	for (next = put->log; (next = strstr(next, "tlob: error: ")); next++)
		entry = next;
	KUNIT_ASSERT_NOT_NULL(test, entry);
	entry += strlen("tlob: error: ");
	end = strchr(entry, '\n');
	KUNIT_ASSERT_NOT_NULL(test, end);
	*end = '\0';
	KUNIT_EXPECT_STREQ_MSG(test, entry, reason, "'%s'", put->line);

	entry = end + 1;
	end = strchr(entry, '\n');
	KUNIT_ASSERT_NOT_NULL(test, end);
	*end = '\0';
	KUNIT_ASSERT_EQ(test, strncmp(entry, "  Command: ", 11), 0);
	KUNIT_EXPECT_STREQ(test, entry + 11, put->line);

	entry = end + 1;
	at = strchr(entry, '^');
	KUNIT_ASSERT_NOT_NULL(test, at);
	KUNIT_EXPECT_EQ_MSG(test, at - entry, 11 + caret, "caret of '%s'",
			    put->line);
	KUNIT_EXPECT_EQ(test, strspn(entry, " "), at - entry);
}

static void expect_rejected(struct kunit *test, const char *template, int err,
			    const char *reason)
{
	struct put *p = test->priv;
	size_t caret = 0;
	ssize_t ret = put(test, template, &caret);

	KUNIT_EXPECT_EQ_MSG(test, ret, err, "'%s'", p->line);
	expect_logged(test, reason, caret);
}

static void rejected(struct kunit *test)
{
	static const struct {
		const char *line;
		int err;
		const char *reason;
	} bad[] = {
		{ "@x", -EINVAL, "Command is not p, p:NAME, - or #" },
		{ "@pp $:9 10 threshold=1s", -EINVAL,
		  "Command is not p, p:NAME, - or #" },
		{ "p@", -EINVAL, "PATH:OFFSET is missing" },
		{ "p $:9@", -EINVAL, "Stop is missing" },
		{ "p @sh:9 10 threshold=1s", -EINVAL, "Path is not absolute" },
		{ "p $:@z 10 threshold=1s", -EINVAL,
		  "Offset is not a decimal or 0x hex number" },
		{ "p $:9 @9 threshold=1s", -EINVAL, "Stop is the start" },
		{ "p $:9 10,@10 threshold=1s", -EINVAL, "Stop is given twice" },
		{ "p $:9 10,@ threshold=1s", -EINVAL, "Stop is empty" },
		{ "p $:9 10@%retur threshold=1s", -EINVAL,
		  "Only %return may follow an offset" },
		{ "p $:9 10 threshold=1s @junk", -EINVAL,
		  "Not threshold=, pid= or comm=" },
		{ "p $:9 10 threshold=1s threshold=@2s", -EINVAL,
		  "threshold= is given twice" },
		{ "p $:9 10 threshold=@fast", -EINVAL,
		  "Threshold is not a number with ns, us, ms or s" },
		{ "p:@kernel $:9 10 threshold=1s", -EINVAL, "Name is reserved" },
		{ "p:a@/b $:9 10 threshold=1s", -EINVAL,
		  "Name has a character outside [A-Za-z0-9_.-]" },
		{ "p:@abcdefghijklmnopqrstuvwxyz012345 $:9 10 threshold=1s",
		  -ENAMETOOLONG, "Name is longer than 31" },
		{ "p $:9 10 comm=@sixteen_letters_ threshold=1s",
		  -ENAMETOOLONG, "Too long" },
		{ "p @/tlob/no/such/file:9 10 threshold=1s", -ENOENT,
		  "No such file" },
		{ "p @/:9 10 threshold=1s", -EINVAL, "Not a regular file" },
		{ "p $:9 @0x7fffffffffffffff threshold=1s", -EINVAL,
		  "Offset is beyond the end of the file" },
		{ "p $:@! 10 threshold=1s", -EOPNOTSUPP,
		  "Instruction cannot be probed" },
		{ "p $:9 10,@! threshold=1s", -EOPNOTSUPP,
		  "Instruction cannot be probed" },
		{ "p $:9 10 threshold=1s pid=@2147483647", -ESRCH,
		  "No such process" },
		{ "-:@kunit", -ENOENT, "No such binding" },
		{ "-@$:9", -ENOENT, "No such binding" },
		{ "-:kunit @now", -EINVAL, "Nothing may follow a removal" },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		expect_rejected(test, bad[i].line, bad[i].err, bad[i].reason);
	KUNIT_EXPECT_STREQ(test, show(test, ops->bindings_show), "");

	expect_added(test, "p:kunit $:9 10 threshold=1s");
	expect_rejected(test, "p:@kunit $:11 12 threshold=1s", -EEXIST,
			"A binding has this name");
	expect_rejected(test, "p:kunit2 $:@9 12 threshold=1s", -EEXIST,
			"A binding starts here");
	expect_added(test, "-:kunit");
}

static void out_of_range(struct kunit *test)
{
	static const char * const bad[] = {
		"@0", "@1", "@999", "@999ns", "@0s", "@3600000000001",
		"@3601s", "@3600001ms", "@18446744073709551615",
		"@18446744073709551616", "@18446744073709551615s",
	};
	char line[LINE_SIZE];
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(line, sizeof(line), "p:kunit $:9 10 threshold=%s",
			 bad[i]);
		expect_rejected(test, line, -ERANGE,
				"Threshold is not within 1000 ns to 3600 s");
	}
	expect_binding(test, "p:kunit $:9 10 threshold=1us",
		       "p:kunit $:0x9 0xa threshold=1000", "-:kunit");
	expect_binding(test, "p:kunit $:9 10 threshold=3600s",
		       "p:kunit $:0x9 0xa threshold=3600000000000", "-:kunit");
}

/* By name and by path; the others stay. `-*` would take other people's. */
static void removal(struct kunit *test)
{
	expect_added(test, "p:kunit1 $:9 10 threshold=1s");
	expect_added(test, "p:kunit2 $:11 12 threshold=1s");
	expect_added(test, "p $:13 14 threshold=1s");
	KUNIT_EXPECT_NOT_NULL(test, strstr(show(test, ops->bindings_show),
					   "p:kunit1 "));
	expect_added(test, "-:kunit1");
	KUNIT_EXPECT_NULL(test, strstr(show(test, ops->bindings_show),
				       "p:kunit1 "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(show(test, ops->bindings_show),
					   "p:kunit2 "));
	expect_rejected(test, "-:@kunit1", -ENOENT, "No such binding");

	/* One with a name goes by its path, too. */
	expect_added(test, "-$:0xb");
	expect_rejected(test, "-:@kunit2", -ENOENT, "No such binding");
	expect_rejected(test, "-@$:11", -ENOENT, "No such binding");
	expect_added(test, "-$:13");
	KUNIT_EXPECT_STREQ(test, show(test, ops->bindings_show), "");

	/* The name and the place are free again. */
	expect_added(test, "p:kunit1 $:9 10 threshold=1s\n-:kunit1\n");
}

static struct kunit_case cases[] = {
	KUNIT_CASE_SLOW(accepted),
	KUNIT_CASE_SLOW(rejected),
	KUNIT_CASE_SLOW(out_of_range),
	KUNIT_CASE_SLOW(removal),
	{}
};

static struct kunit_suite suite = {
	.name = "tlob_uprobe_format",
	.suite_init = suite_init,
	.init = init,
	.test_cases = cases,
};

kunit_test_suite(suite);
