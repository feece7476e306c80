// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines of commands: carried out one after another, the rejected ones logged.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "binding.h"
#include "command.h"
#include "error_log.h"
#include "monitor.h"
#include "reactor.h"
#include "rv.h"
#include "script.h"

/* What one write() takes at most: a line, and the newline behind it. */
#define CHUNK	(TLOB_LINE_MAX + 1)

static const char enable_key[] = "enable=";

/* "enable=0" or "enable=1", and nothing behind it. Control mutex held. */
static int run_enable(const char *line, size_t len, struct tlob_fault *fault)
{
	const size_t at = sizeof(enable_key) - 1;
	int ret = 0;

	fault->pos = at;
	if (len != at + 1 || (line[at] != '0' && line[at] != '1')) {
		fault->reason = "Only 0 or 1 may follow enable=";
		return -EINVAL;
	}
	fault->reason = "Cannot be enabled";
	if (line[at] == '1')
		ret = tlob_monitor_enable();
	else
		tlob_monitor_disable();
	/* Disabled, RV may choose another reactor without telling us. */
	if (line[at] == '0' && tlob_rv_registered())
		tlob_reactor_flush();
	if (!ret)
		tlob_rv_set_enabled(line[at] == '1');
	return ret;
}

/* Carry out one line. Control mutex held. */
static int run_line(const char *line, size_t len, bool may_enable,
		    struct tlob_command *cmd)
{
	struct tlob_fault fault = { .reason = "" };
	int ret;

	cmd->verb = TLOB_CMD_NONE;
	if (may_enable && len >= sizeof(enable_key) - 1 &&
	    !memcmp(line, enable_key, sizeof(enable_key) - 1))
		ret = run_enable(line, len, &fault);
	else
		ret = tlob_command_parse(line, len, cmd, &fault);
	if (!ret) {
		switch (cmd->verb) {
		case TLOB_CMD_NONE:
			break;
		case TLOB_CMD_BIND:
			ret = tlob_binding_add(cmd, &fault);
			break;
		default:
			ret = tlob_binding_remove(cmd, &fault);
		}
	}
	if (ret)
		tlob_error_log_add(line, len, &fault);
	return ret;
}

/*
 * Carry out the whole lines of a chunk; its last one may lack the newline if
 * nothing follows the chunk. Control mutex held. Returns what was consumed.
 */
static ssize_t run_lines(const char *buf, size_t len, bool more,
			 bool may_enable, struct tlob_command *cmd)
{
	size_t done = 0;

	while (done < len) {
		const char *line = buf + done;
		const char *end = memchr(line, '\n', len - done);
		size_t n = end ? end - line : len - done;
		int ret;

		/* The rest of a line may follow: leave it to the next write. */
		if (!end && more && done)
			break;
		ret = run_line(line, n, may_enable, cmd);
		if (ret)
			return ret;
		done += n + !!end;
	}
	return done;
}

/**
 * tlob_script_write - carry out what was written to a control file
 * @ubuf: lines, in user memory
 * @count: length
 * @may_enable: enable=0 and enable=1 are commands, too
 *
 * Context: may sleep.
 * Return: how much was consumed, whole lines unless nothing follows; or a
 * negative errno of the first line that was rejected. Lines before it stand.
 * -EPERM where lockdown closes tracefs.
 */
ssize_t tlob_script_write(const char __user *ubuf, size_t count,
			  bool may_enable)
{
	size_t len = min_t(size_t, count, CHUNK);
	struct tlob_command *cmd;
	char *buf;
	ssize_t ret;

	/* What makes uprobes in tracefs is closed then, too. */
	ret = security_locked_down(LOCKDOWN_TRACEFS);
	if (ret)
		return ret;
	ret = -ENOMEM;
	cmd = kvmalloc(sizeof(*cmd), GFP_KERNEL);
	buf = kvmalloc(CHUNK, GFP_KERNEL);
	if (!cmd || !buf)
		goto out;
	ret = -EFAULT;
	if (copy_from_user(buf, ubuf, len))
		goto out;
	mutex_lock(&tlob_mutex);
	ret = run_lines(buf, len, count > len, may_enable, cmd);
	mutex_unlock(&tlob_mutex);
out:
	kvfree(buf);
	kvfree(cmd);
	return ret;
}
