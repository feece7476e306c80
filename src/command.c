// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parser of the lines of `monitor`. Pure: no kernel subsystem, no allocation,
 * no global state; runs on the host too.
 *
 *	p[:NAME] PATH:OFFSET_START STOP[,STOP...] [threshold=TIME]
 *		[pid=TGID] [comm=COMM]
 *	-PATH:OFFSET_START	-:NAME	-*	# comment
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/string.h>
#include <linux/types.h>

#include "command.h"

/* A slice of the line being parsed. */
struct token {
	const char *s;
	size_t len;
};

struct parser {
	const char *line;
	const char *cur, *end;
	struct tlob_fault *fault;
};

static int refuse(struct parser *p, const char *at, const char *reason, int err)
{
	p->fault->pos = at - p->line;
	p->fault->reason = reason;
	return err;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void skip_blanks(struct parser *p)
{
	while (p->cur < p->end && is_blank(*p->cur))
		p->cur++;
}

/* The next token; an empty one at the end of the line or before a comment. */
static struct token next_token(struct parser *p)
{
	struct token t;

	skip_blanks(p);
	t.s = p->cur;
	if (p->cur < p->end && *p->cur == '#')
		p->cur = p->end;
	else
		while (p->cur < p->end && !is_blank(*p->cur))
			p->cur++;
	t.len = (t.s < p->end && *t.s == '#') ? 0 : p->cur - t.s;
	return t;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/*
 * Strict: decimal or 0x hex, no sign, no octal, all of [s, s + len). *bad is
 * the first byte that does not belong.
 */
static int parse_u64(const char *s, size_t len, u64 *val, const char **bad)
{
	unsigned int base = 10;
	size_t i = 0;
	u64 v = 0;

	*bad = s;
	if (len > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		i = 2;
	}
	if (i == len)
		return -EINVAL;
	for (; i < len; i++) {
		unsigned int d = digit_of(s[i]);

		if (d >= base) {
			*bad = s + i;
			return -EINVAL;
		}
		if (v > (U64_MAX - d) / base)
			return -ERANGE;
		v = v * base + d;
	}
	*val = v;
	return 0;
}

static int parse_offset(struct parser *p, const char *s, size_t len, u64 *off)
{
	const char *bad;
	int ret = parse_u64(s, len, off, &bad);

	if (ret == -EINVAL)
		return refuse(p, bad, "Offset is not a decimal or 0x hex number",
			      -EINVAL);
	if (ret || *off > S64_MAX)
		return refuse(p, s, "Offset is too large", -EINVAL);
	return 0;
}

/* \ooo, three octal digits, 1 to 255: the byte, or -EINVAL. */
static int unescape_one(const char *s, const char *end)
{
	int i, v = 0;

	if (end - s < 4)
		return -EINVAL;
	for (i = 1; i < 4; i++) {
		if (s[i] < '0' || s[i] > '7')
			return -EINVAL;
		v = v * 8 + s[i] - '0';
	}
	return v >= 1 && v <= 255 ? v : -EINVAL;
}

/* Copy a token without its octal escapes, NUL-terminated. */
static int unescape(struct parser *p, struct token t, char *dst, size_t size)
{
	const char *s = t.s, *end = t.s + t.len;
	size_t n = 0;

	while (s < end) {
		int c = *s;

		if (c == '\\') {
			c = unescape_one(s, end);
			if (c < 0)
				return refuse(p, s, "Backslash without three octal digits",
					      -EINVAL);
		} else if (!c) {
			return refuse(p, s, "NUL byte", -EINVAL);
		}
		if (n + 1 >= size)
			return refuse(p, t.s, "Too long", -ENAMETOOLONG);
		s += *s == '\\' ? 4 : 1;
		dst[n++] = c;
	}
	dst[n] = '\0';
	return 0;
}

static bool is_name_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

static int parse_name(struct parser *p, struct token t, char *name)
{
	static const char * const reserved[] = { "dev", "kernel", "removed" };
	size_t i;

	if (!t.len)
		return refuse(p, t.s, "Name is empty", -EINVAL);
	for (i = 0; i < t.len; i++)
		if (!is_name_char(t.s[i]))
			return refuse(p, t.s + i, "Name has a character outside [A-Za-z0-9_.-]",
				      -EINVAL);
	if (t.len > TLOB_NAME_MAX)
		return refuse(p, t.s, "Name is longer than 31", -ENAMETOOLONG);
	memcpy(name, t.s, t.len);
	name[t.len] = '\0';
	for (i = 0; i < ARRAY_SIZE(reserved); i++)
		if (!strcmp(name, reserved[i]))
			return refuse(p, t.s, "Name is reserved", -EINVAL);
	return 0;
}

/* PATH:OFFSET, split at the last colon. */
static int parse_place(struct parser *p, struct token t,
		       struct tlob_command *cmd)
{
	const char *colon = t.s + t.len;
	struct token path = t;
	int ret;

	if (!t.len)
		return refuse(p, t.s, "PATH:OFFSET is missing", -EINVAL);
	if (*t.s != '/')
		return refuse(p, t.s, "Path is not absolute", -EINVAL);
	while (*--colon != ':')
		if (colon == t.s)
			return refuse(p, t.s + t.len - 1, "Path has no :OFFSET",
				      -EINVAL);
	path.len = colon - t.s;
	cmd->path_pos = t.s - p->line;
	cmd->start_pos = colon + 1 - p->line;
	ret = unescape(p, path, cmd->path, sizeof(cmd->path));
	if (ret)
		return ret;
	return parse_offset(p, colon + 1, t.s + t.len - colon - 1, &cmd->start);
}

static int parse_stop(struct parser *p, struct token t,
		      struct tlob_command *cmd)
{
	static const char ret_suffix[] = "%return";
	const size_t suffix = sizeof(ret_suffix) - 1;
	struct tlob_stop_spec *stop;
	const char *percent;
	unsigned int i;
	int ret;

	if (!t.len)
		return refuse(p, t.s, "Stop is empty", -EINVAL);
	if (cmd->nr_stops == TLOB_STOPS_MAX)
		return refuse(p, t.s, "More than 256 stops", -E2BIG);
	stop = &cmd->stops[cmd->nr_stops];
	stop->pos = t.s - p->line;
	stop->on_return = false;
	percent = memchr(t.s, '%', t.len);
	if (percent) {
		if (t.s + t.len - percent != suffix ||
		    memcmp(percent, ret_suffix, suffix))
			return refuse(p, percent, "Only %return may follow an offset",
				      -EINVAL);
		stop->on_return = true;
		t.len -= suffix;
	}
	ret = parse_offset(p, t.s, t.len, &stop->offset);
	if (ret)
		return ret;
	if (!stop->on_return && stop->offset == cmd->start)
		return refuse(p, t.s, "Stop is the start", -EINVAL);
	for (i = 0; i < cmd->nr_stops; i++)
		if (cmd->stops[i].offset == stop->offset &&
		    cmd->stops[i].on_return == stop->on_return)
			return refuse(p, t.s, "Stop is given twice", -EINVAL);
	cmd->nr_stops++;
	return 0;
}

static int parse_stops(struct parser *p, struct token t,
		       struct tlob_command *cmd)
{
	const char *end = t.s + t.len;

	if (!t.len)
		return refuse(p, t.s, "Stop is missing", -EINVAL);
	for (;;) {
		const char *comma = memchr(t.s, ',', end - t.s);
		int ret;

		t.len = (comma ? comma : end) - t.s;
		ret = parse_stop(p, t, cmd);
		if (ret || !comma)
			return ret;
		t.s = comma + 1;
	}
}

/**
 * tlob_budget_parse - read a budget
 * @s: digits, and ns, us, ms or s behind them, or nothing for ns
 * @len: length of @s
 * @ns: result, ns
 *
 * Return: 0, -EINVAL if it is no time, -ERANGE if it is no budget.
 */
int tlob_budget_parse(const char *s, size_t len, u64 *ns)
{
	static const struct {
		const char *suffix;
		u64 ns;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "ms", 1000000 },
		{ "s", 1000000000 },
	};
	u64 unit = 1, v = 0;
	const char *bad;
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(units); i++) {
		size_t n = strlen(units[i].suffix);

		if (len > n && !memcmp(s + len - n, units[i].suffix, n)) {
			unit = units[i].ns;
			len -= n;
			break;
		}
	}
	ret = parse_u64(s, len, &v, &bad);
	if (ret)
		return ret;
	if (v > TLOB_BUDGET_MAX / unit || !tlob_budget_valid(v * unit))
		return -ERANGE;
	*ns = v * unit;
	return 0;
}

static int parse_threshold(struct parser *p, struct token t,
			   struct tlob_command *cmd)
{
	int ret;

	if (cmd->has_threshold)
		return refuse(p, t.s, "threshold= is given twice", -EINVAL);
	cmd->has_threshold = true;
	cmd->threshold_pos = t.s - p->line;
	ret = tlob_budget_parse(t.s, t.len, &cmd->threshold);
	if (ret == -ERANGE)
		return refuse(p, t.s, "Threshold is not within 1000 ns to 3600 s",
			      -ERANGE);
	if (ret)
		return refuse(p, t.s, "Threshold is not a number with ns, us, ms or s",
			      -EINVAL);
	return 0;
}

static int parse_pid(struct parser *p, struct token t,
		     struct tlob_command *cmd)
{
	const char *bad;
	u64 v;
	int ret;

	if (cmd->has_pid)
		return refuse(p, t.s, "pid= is given twice", -EINVAL);
	cmd->has_pid = true;
	cmd->pid_pos = t.s - p->line;
	ret = parse_u64(t.s, t.len, &v, &bad);
	if (ret == -EINVAL)
		return refuse(p, bad, "pid is not a number", -EINVAL);
	if (ret || v > S32_MAX)
		return refuse(p, t.s, "No such process", -ESRCH);
	cmd->pid = v;
	return 0;
}

static int parse_comm(struct parser *p, struct token t,
		      struct tlob_command *cmd)
{
	if (cmd->has_comm)
		return refuse(p, t.s, "comm= is given twice", -EINVAL);
	if (!t.len)
		return refuse(p, t.s, "comm is empty", -EINVAL);
	cmd->has_comm = true;
	return unescape(p, t, cmd->comm, sizeof(cmd->comm));
}

static int parse_attributes(struct parser *p, struct tlob_command *cmd)
{
	static const struct {
		const char *key;
		int (*parse)(struct parser *p, struct token t,
			     struct tlob_command *cmd);
	} attrs[] = {
		{ "threshold=", parse_threshold },
		{ "pid=", parse_pid },
		{ "comm=", parse_comm },
	};

	for (;;) {
		struct token t = next_token(p);
		size_t i, n = 0;
		int ret = 0;

		if (!t.len)
			return 0;
		for (i = 0; i < ARRAY_SIZE(attrs); i++) {
			n = strlen(attrs[i].key);
			if (t.len >= n && !memcmp(t.s, attrs[i].key, n))
				break;
		}
		if (i == ARRAY_SIZE(attrs))
			return refuse(p, t.s, "Not threshold=, pid= or comm=",
				      -EINVAL);
		t.s += n;
		t.len -= n;
		ret = attrs[i].parse(p, t, cmd);
		if (ret)
			return ret;
	}
}

static size_t hex_len(u64 n)
{
	size_t len = sizeof("0x") - 1;

	do
		len++;
	while (n >>= 4);
	return len;
}

/* At most what the listing of the binding is long: it can be written back. */
static size_t listing_len(const struct tlob_command *cmd)
{
	size_t len = sizeof("p: : threshold=3600000000000 pid=2147483647 comm= # stale") +
		     strlen(cmd->name) + tlob_escape(NULL, 0, cmd->path) +
		     hex_len(cmd->start) + tlob_escape(NULL, 0, cmd->comm);
	unsigned int i;

	for (i = 0; i < cmd->nr_stops; i++)
		len += hex_len(cmd->stops[i].offset) +
		       (cmd->stops[i].on_return ? sizeof("%return,") - 1 : 1);
	return len;
}

static int parse_bind(struct parser *p, struct token t,
		      struct tlob_command *cmd)
{
	int ret;

	cmd->verb = TLOB_CMD_BIND;
	if (t.len > 1) {
		if (t.s[1] != ':')
			return refuse(p, t.s, "Command is not p, p:NAME, - or #",
				      -EINVAL);
		t.s += 2;
		t.len -= 2;
		cmd->name_pos = t.s - p->line;
		ret = parse_name(p, t, cmd->name);
		if (ret)
			return ret;
	}
	ret = parse_place(p, next_token(p), cmd);
	if (!ret)
		ret = parse_stops(p, next_token(p), cmd);
	if (!ret)
		ret = parse_attributes(p, cmd);
	if (!ret && listing_len(cmd) > TLOB_LINE_MAX)
		return refuse(p, p->line, "Line is longer than 17 KiB when listed",
			      -E2BIG);
	return ret;
}

static int parse_unbind(struct parser *p, struct token t,
			struct tlob_command *cmd)
{
	int ret = 0;

	t.s++;
	t.len--;
	cmd->path_pos = t.s - p->line;
	cmd->name_pos = cmd->path_pos;
	if (t.len == 1 && *t.s == '*') {
		cmd->verb = TLOB_CMD_UNBIND_ALL;
	} else if (t.len && *t.s == ':') {
		cmd->verb = TLOB_CMD_UNBIND_NAME;
		t.s++;
		t.len--;
		cmd->name_pos++;
		ret = parse_name(p, t, cmd->name);
	} else {
		cmd->verb = TLOB_CMD_UNBIND_PATH;
		ret = parse_place(p, t, cmd);
	}
	if (ret)
		return ret;
	t = next_token(p);
	if (t.len)
		return refuse(p, t.s, "Nothing may follow a removal", -EINVAL);
	return 0;
}

/**
 * tlob_command_parse - read one line
 * @line: the line, without its newline; may hold any byte
 * @len: length of @line
 * @cmd: result; undefined on error
 * @fault: on error, where and why
 *
 * Checks everything that can be told from the text alone. Any context; @cmd is
 * too large for a stack.
 *
 * Return: 0, -EINVAL, -ERANGE, -ENAMETOOLONG, -E2BIG or -ESRCH.
 */
int tlob_command_parse(const char *line, size_t len, struct tlob_command *cmd,
		       struct tlob_fault *fault)
{
	struct parser p = {
		.line = line,
		.cur = line,
		.end = line + len,
		.fault = fault,
	};
	struct token t;

	cmd->verb = TLOB_CMD_NONE;
	cmd->name[0] = '\0';
	cmd->comm[0] = '\0';
	cmd->nr_stops = 0;
	cmd->has_threshold = false;
	cmd->has_pid = false;
	cmd->has_comm = false;
	if (len > TLOB_LINE_MAX)
		return refuse(&p, line, "Line is longer than 17 KiB", -E2BIG);
	t = next_token(&p);
	if (!t.len)
		return 0;
	if (*t.s == '-')
		return parse_unbind(&p, t, cmd);
	if (*t.s == 'p')
		return parse_bind(&p, t, cmd);
	return refuse(&p, t.s, "Command is not p, p:NAME, - or #", -EINVAL);
}

/**
 * tlob_escape - write a string as one token of a line
 * @dst: result, NUL-terminated if @size is not 0
 * @size: room in @dst
 * @src: any string
 *
 * Blanks, control characters and backslashes become \ooo: what
 * tlob_command_parse() reads back as @src.
 *
 * Return: length of the whole result, which was cut if that is not below @size.
 */
size_t tlob_escape(char *dst, size_t size, const char *src)
{
	size_t n = 0;

	for (; *src; src++) {
		unsigned char c = *src;
		char out[4] = { c };
		size_t i, len = 1;

		if (c <= ' ' || c == '\\' || c == 0x7f) {
			out[0] = '\\';
			out[1] = '0' + (c >> 6);
			out[2] = '0' + ((c >> 3) & 7);
			out[3] = '0' + (c & 7);
			len = 4;
		}
		for (i = 0; i < len; i++, n++)
			if (n + 1 < size)
				dst[n] = out[i];
	}
	if (size)
		dst[n < size ? n : size - 1] = '\0';
	return n;
}
