// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parser under libFuzzer, ASan and UBSan. What it accepts is listed as
 * `monitor` lists it; that must be accepted too, say the same, and list the
 * same again. What it refuses has a reason, an errno that README names, and a
 * caret inside the line.
 *
 * Two inputs of three are made by changing a line as one changes a sentence:
 * words taken out, doubled, swapped, replaced by others of the grammar.
 */
#include <ctype.h>
#include <errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "command.h"

/* Enough for the longest of each part, all of it escaped. */
#define LIST_MAX	(64 * 1024)

#define require(holds, ...)						\
	do {								\
		if (!(holds)) {						\
			fprintf(stderr, "property: " __VA_ARGS__);	\
			fputc('\n', stderr);				\
			abort();					\
		}							\
	} while (0)

/* Of libFuzzer */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed);

/* On the heap and not terminated, so that ASan sees one byte too far. */
static int parse(const char *line, size_t len, struct tlob_command *cmd,
		 struct tlob_fault *fault)
{
	char *copy = malloc(len ?: 1);
	int ret;

	memcpy(copy, line, len);
	fault->pos = ~0U;
	fault->reason = NULL;
	ret = tlob_command_parse(copy, len, cmd, fault);
	free(copy);
	return ret;
}

/* tlob_escape() at the size given, and one below it. */
static size_t put_escaped(char *dst, size_t room, const char *src)
{
	size_t n = tlob_escape(dst, room, src), half = n / 2;
	char *cut = malloc(half + 1);

	require(n < room && strlen(dst) == n, "length of an escaped string");
	require(!strpbrk(dst, " \t\n"), "a blank in an escaped string");
	require(tlob_escape(cut, half + 1, src) == n && strlen(cut) == half &&
		!memcmp(cut, dst, half), "an escaped string that is cut");
	free(cut);
	return n;
}

/* As binding.c lists it; a removal as it could be written. */
static size_t list(char *out, const struct tlob_command *cmd)
{
	char *p = out, *end = out + LIST_MAX;
	unsigned int i;

	switch (cmd->verb) {
	case TLOB_CMD_NONE:
		return 0;
	case TLOB_CMD_UNBIND_ALL:
		return sprintf(out, "-*");
	case TLOB_CMD_UNBIND_NAME:
		return sprintf(out, "-:%s", cmd->name);
	case TLOB_CMD_UNBIND_PATH:
		*p++ = '-';
		p += put_escaped(p, end - p, cmd->path);
		return p - out + sprintf(p, ":0x%llx",
					 (unsigned long long)cmd->start);
	case TLOB_CMD_BIND:
		break;
	default:
		require(0, "verb %d", cmd->verb);
	}
	*p++ = 'p';
	if (cmd->name[0])
		p += sprintf(p, ":%s", cmd->name);
	*p++ = ' ';
	p += put_escaped(p, end - p, cmd->path);
	p += sprintf(p, ":0x%llx ", (unsigned long long)cmd->start);
	for (i = 0; i < cmd->nr_stops; i++)
		p += sprintf(p, "%s0x%llx%s", i ? "," : "",
			     (unsigned long long)cmd->stops[i].offset,
			     cmd->stops[i].on_return ? "%return" : "");
	p += sprintf(p, " threshold=%llu",
		     cmd->has_threshold ? (unsigned long long)cmd->threshold :
		     1000000ull);
	if (cmd->has_pid)
		p += sprintf(p, " pid=%d", cmd->pid);
	if (cmd->has_comm) {
		p += sprintf(p, " comm=");
		p += put_escaped(p, end - p, cmd->comm);
	}
	return p - out;
}

static bool isxdigit_or_x(char c)
{
	return isxdigit((unsigned char)c) || c == 'x' || c == 'X';
}

/* The number at @pos of the line, read by the C library, is @val. */
static void check_number(const char *line, size_t len, unsigned int pos, u64 val)
{
	char text[128];
	size_t n = 0;
	u64 want;

	while (pos + n < len && n < sizeof(text) - 1 && isxdigit_or_x(line[pos + n])) {
		text[n] = line[pos + n];
		n++;
	}
	text[n] = '\0';
	if (n == sizeof(text) - 1)
		return;
	errno = 0;
	want = strtoull(text, NULL,
			strncasecmp(text, "0x", 2) ? 10 : 16);
	require(!errno && want == val, "%s was read as %llu", text,
		(unsigned long long)val);
}

/* What must hold of any accepted line, whatever it says. */
static void check_accepted(const struct tlob_command *cmd, const char *line,
			   size_t len)
{
	unsigned int i, j;

	if (cmd->verb == TLOB_CMD_BIND || cmd->verb == TLOB_CMD_UNBIND_NAME)
		require(strlen(cmd->name) <= TLOB_NAME_MAX &&
			strcmp(cmd->name, "dev") && strcmp(cmd->name, "kernel") &&
			strcmp(cmd->name, "removed"), "name '%s'", cmd->name);
	if (cmd->verb == TLOB_CMD_BIND || cmd->verb == TLOB_CMD_UNBIND_PATH)
		require(cmd->path[0] == '/' &&
			strlen(cmd->path) <= TLOB_PATH_MAX &&
			cmd->start <= S64_MAX && cmd->path_pos < len &&
			cmd->start_pos < len, "place");
	if (cmd->verb == TLOB_CMD_BIND || cmd->verb == TLOB_CMD_UNBIND_PATH)
		check_number(line, len, cmd->start_pos, cmd->start);
	if (cmd->verb != TLOB_CMD_BIND)
		return;
	require(cmd->nr_stops >= 1 && cmd->nr_stops <= TLOB_STOPS_MAX, "stops");
	for (i = 0; i < cmd->nr_stops; i++) {
		const struct tlob_stop_spec *stop = &cmd->stops[i];

		require(stop->offset <= S64_MAX && stop->pos < len, "stop");
		check_number(line, len, stop->pos, stop->offset);
		require(stop->on_return || stop->offset != cmd->start,
			"a stop at the start");
		for (j = 0; j < i; j++)
			require(cmd->stops[j].offset != stop->offset ||
				cmd->stops[j].on_return != stop->on_return,
				"a stop twice");
	}
	if (cmd->has_threshold)
		require(cmd->threshold >= 1000 && cmd->threshold <= 3600000000000 &&
			cmd->threshold_pos < len, "threshold");
	if (cmd->has_pid) {
		require(cmd->pid >= 0 && cmd->pid_pos < len, "pid");
		check_number(line, len, cmd->pid_pos, cmd->pid);
	}
	if (cmd->has_comm)
		require(cmd->comm[0] && strlen(cmd->comm) <= TLOB_COMM_MAX,
			"comm");
}

static void check_same(const struct tlob_command *a,
		       const struct tlob_command *b)
{
	unsigned int i;

	require(a->verb == b->verb, "verb %d became %d", a->verb, b->verb);
	if (a->verb == TLOB_CMD_BIND || a->verb == TLOB_CMD_UNBIND_NAME)
		require(!strcmp(a->name, b->name), "name became '%s'", b->name);
	if (a->verb == TLOB_CMD_BIND || a->verb == TLOB_CMD_UNBIND_PATH)
		require(!strcmp(a->path, b->path) && a->start == b->start,
			"place became %s:%llu", b->path,
			(unsigned long long)b->start);
	if (a->verb != TLOB_CMD_BIND)
		return;
	require(a->nr_stops == b->nr_stops, "number of stops");
	for (i = 0; i < a->nr_stops; i++)
		require(a->stops[i].offset == b->stops[i].offset &&
			a->stops[i].on_return == b->stops[i].on_return,
			"stop %u", i);
	require(b->has_threshold && (!a->has_threshold ||
				     a->threshold == b->threshold), "threshold");
	require(a->has_pid == b->has_pid && (!a->has_pid || a->pid == b->pid),
		"pid");
	require(a->has_comm == b->has_comm && !strcmp(a->comm, b->comm), "comm");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tlob_command cmd, again;
	static char first[LIST_MAX], second[LIST_MAX];
	const char *line = (const char *)data;
	struct tlob_fault fault;
	size_t n, m;
	u64 ns;
	int ret;

	ret = parse(line, size, &cmd, &fault);
	if (ret) {
		require(ret == -EINVAL || ret == -ERANGE || ret == -E2BIG ||
			ret == -ENAMETOOLONG || ret == -ESRCH, "errno %d", ret);
		require(fault.pos <= size, "caret at %u of %zu", fault.pos, size);
		require(fault.reason && *fault.reason, "no reason");
		require(size <= TLOB_LINE_MAX || ret == -E2BIG, "a long line");
		if (!tlob_budget_parse(line, size, &ns))
			require(tlob_budget_valid(ns), "budget");
		return 0;
	}
	require(size <= TLOB_LINE_MAX, "a line of %zu", size);
	check_accepted(&cmd, line, size);

	n = list(first, &cmd);
	ret = parse(first, n, &again, &fault);
	require(!ret, "the listing, %zu bytes, is refused with %d: %s at %u", n,
		ret, fault.reason, fault.pos);
	check_same(&cmd, &again);
	m = list(second, &again);
	require(n == m && !memcmp(first, second, n), "it lists differently");
	return 0;
}

/* --- changing a line --------------------------------------------------------- */

static const char * const words[] = {
	"p", "p:n", "p:dev", "p:kernel", "p:removed", "p:", "px", "-", "-*",
	"-:n", "-/a:1", "-:abcdefghijklmnopqrstuvwxyz12345", "#", "# stale",
	"/a:1", "/a:0x1", "/:0", "/a:b:2", "/a\\040b:1", "/\\001\\377:1", "/a\\000:1",
	"/a\\09:1", "/a:9223372036854775807", "/a:9223372036854775808",
	"/a:0xffffffffffffffff", "/a:18446744073709551617",
	"18446744073709551617", "0x10000000000000003", "2", "0x2", "2,3", "2%return", "1%return", "1",
	"2,2%return", "2,2", ",", "2,", "0x", "00", "0x0000000000000002", "2%retur",
	"threshold=1ms", "threshold=1000", "threshold=999ns", "threshold=3600s",
	"threshold=3600000001us", "threshold=18446744073709551616",
	"threshold=18446744074s", "threshold=0x3e8", "threshold=s", "threshold=",
	"pid=1", "pid=2147483647", "pid=2147483648", "pid=0x7", "pid=-1",
	"comm=x", "comm=\\040", "comm=#", "comm=0123456789abcde",
	"comm=\\141\\141\\141\\141\\141\\141\\141\\141\\141\\141\\141\\141\\141\\141\\141",
	"comm=0123456789abcdef", "comm=", "\\", "\\777", "%return", ":", "%",
};

static size_t at_most(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Put @n bytes in the place of @cut bytes at @at. */
static size_t splice(uint8_t *data, size_t size, size_t max, size_t at,
		     size_t cut, const void *what, size_t n)
{
	char copy[512];

	if (n > sizeof(copy) || size - cut + n > max)
		return size;
	memcpy(copy, what, n);	/* it may be a part of @data */
	memmove(data + at + n, data + at + cut, size - at - cut);
	memcpy(data + at, copy, n);
	return size - cut + n;
}

static bool parts(uint8_t c)
{
	return c == ' ' || c == '\t' || c == ',';
}

/* A word of the line, with one blank or comma behind it. */
static void pick(const uint8_t *data, size_t size, size_t *at, size_t *len)
{
	size_t from = rand() % size, to = from;

	while (from && !parts(data[from - 1]))
		from--;
	while (to < size && !parts(data[to]))
		to++;
	*at = from;
	*len = at_most(to + 1, size) - from;
}

static size_t change(uint8_t *data, size_t size, size_t max)
{
	const char *word = words[rand() % ARRAY_SIZE(words)];
	size_t at, len, at2, len2, n;
	char text[128];

	if (!size)
		return splice(data, 0, max, 0, 0, "p /a:1 2 ", 9);
	pick(data, size, &at, &len);
	switch (rand() % 7) {
	case 0:		/* take out */
		return splice(data, size, max, at, len, "", 0);
	case 1:		/* again, somewhere */
		pick(data, size, &at2, &len2);
		return splice(data, size, max, at2, 0, data + at, len);
	case 2:		/* another one */
		n = snprintf(text, sizeof(text), "%s ", word);
		return splice(data, size, max, at, len, text, n);
	case 3:		/* one more */
		n = snprintf(text, sizeof(text), "%s ", word);
		return splice(data, size, max, at, 0, text, n);
	case 4:		/* one more stop */
		n = snprintf(text, sizeof(text), ",%s%x%s", rand() % 2 ? "0x" : "",
			     rand() % 512, rand() % 3 ? "" : "%return");
		at += len - (len && parts(data[at + len - 1]));
		return splice(data, size, max, at, 0, text, n);
	case 5:		/* a byte as an escape */
		n = snprintf(text, sizeof(text), "\\%03o", rand() % 260);
		return splice(data, size, max, rand() % size, rand() % 2, text, n);
	default:	/* any byte */
		text[0] = rand();
		return splice(data, size, max, rand() % size, rand() % 2, text, 1);
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed)
{
	int n;

	srand(seed);
	if (!(rand() % 3))
		return LLVMFuzzerMutate(data, size, max);
	for (n = 1 + rand() % 4; n; n--)
		size = change(data, size, max);
	return size;
}
