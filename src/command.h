/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The grammar of the control file `monitor`. Pure: runs on the host too.
 */
#ifndef _TLOB_COMMAND_H
#define _TLOB_COMMAND_H

#include <linux/types.h>

#define TLOB_BUDGET_MIN		1000ULL			/* ns */
#define TLOB_BUDGET_MAX		3600000000000ULL	/* ns, one hour */

#define TLOB_NAME_MAX		31	/* without the terminating NUL */
#define TLOB_COMM_MAX		15	/* likewise */
#define TLOB_PATH_MAX		4095	/* likewise */
#define TLOB_STOPS_MAX		256
#define TLOB_LINE_MAX		(17 * 1024)

enum tlob_verb {
	TLOB_CMD_NONE,		/* blank or comment */
	TLOB_CMD_BIND,
	TLOB_CMD_UNBIND_PATH,
	TLOB_CMD_UNBIND_NAME,
	TLOB_CMD_UNBIND_ALL,
};

/**
 * struct tlob_stop_spec - a place where a window ends
 * @offset: ELF file offset of an instruction or of a function
 * @on_return: ends when the function at @offset returns
 * @pos: where it stands in the line
 */
struct tlob_stop_spec {
	u64 offset;
	bool on_return;
	unsigned int pos;
};

/**
 * struct tlob_command - one parsed line
 * @verb: what to do
 * @name: binding's name, empty if none was given
 * @path: unescaped
 * @start: ELF file offset of the start
 * @stops: @nr_stops of them
 * @nr_stops: at least 1 for TLOB_CMD_BIND
 * @has_threshold: @threshold was given
 * @has_pid: @pid was given
 * @has_comm: @comm was given
 * @threshold: ns, within the budget's range
 * @pid: a tgid, not looked up yet
 * @comm: unescaped
 * @name_pos: where the token stands in the line; likewise the next four
 * @path_pos: see @name_pos
 * @start_pos: see @name_pos
 * @threshold_pos: see @name_pos
 * @pid_pos: see @name_pos
 */
struct tlob_command {
	enum tlob_verb verb;
	char name[TLOB_NAME_MAX + 1];
	char path[TLOB_PATH_MAX + 1];
	u64 start;
	struct tlob_stop_spec stops[TLOB_STOPS_MAX];
	unsigned int nr_stops;
	bool has_threshold, has_pid, has_comm;
	u64 threshold;
	int pid;
	char comm[TLOB_COMM_MAX + 1];
	unsigned int name_pos, path_pos, start_pos, threshold_pos, pid_pos;
};

/**
 * struct tlob_fault - why a command was refused
 * @pos: byte of the line that the caret goes under
 * @reason: a constant string
 */
struct tlob_fault {
	unsigned int pos;
	const char *reason;
};

int tlob_command_parse(const char *line, size_t len, struct tlob_command *cmd,
		       struct tlob_fault *fault);
int tlob_budget_parse(const char *s, size_t len, u64 *ns);
size_t tlob_escape(char *dst, size_t size, const char *src);

/**
 * tlob_budget_valid - whether a budget is within its range
 * @ns: budget, ns
 *
 * Return: true from 1,000 ns to one hour.
 */
static inline bool tlob_budget_valid(u64 ns)
{
	return ns >= TLOB_BUDGET_MIN && ns <= TLOB_BUDGET_MAX;
}

#endif /* _TLOB_COMMAND_H */
