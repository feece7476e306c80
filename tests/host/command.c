// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parser by table: what is accepted and how it is read, what is refused,
 * with which errno and where the caret goes; and that no input makes it read
 * out of bounds (run under ASan and UBSan).
 */
#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "ktap.h"

static struct tlob_command cmd;

/* On the heap and not terminated, so that ASan sees one byte too far. */
static int parse(const char *line, size_t len, struct tlob_fault *fault)
{
	char *copy = malloc(len ?: 1);
	int ret;

	memcpy(copy, line, len);
	memset(&cmd, 0xa5, sizeof(cmd));
	fault->pos = ~0U;
	fault->reason = NULL;
	ret = tlob_command_parse(copy, len, &cmd, fault);
	free(copy);
	return ret;
}

static const struct {
	const char *line;
	int err;
	const char *caret;	/* the column of its ^ */
} refused[] = {
	{ "x", -EINVAL, "^" },
	{ " x", -EINVAL, " ^" },
	{ "p", -EINVAL, " ^" },
	{ "px /a:1 2", -EINVAL, "^" },
	{ "p: /a:1 2", -EINVAL, "  ^" },
	{ "p:a/b /a:1 2", -EINVAL, "   ^" },
	{ "p:dev /a:1 2", -EINVAL, "  ^" },
	{ "p:kernel /a:1 2", -EINVAL, "  ^" },
	{ "p:removed /a:1 2", -EINVAL, "  ^" },
	{ "p:abcdefghijklmnopqrstuvwxyz123456 /a:1 2", -ENAMETOOLONG, "  ^" },
	{ "p a:1 2", -EINVAL, "  ^" },
	{ "p ./a:1 2", -EINVAL, "  ^" },
	{ "p /a 2", -EINVAL, "   ^" },
	{ "p /a: 2", -EINVAL, "     ^" },
	{ "p /a:x 2", -EINVAL, "     ^" },
	{ "p /a:0x 2", -EINVAL, "      ^" },
	{ "p /a:0x10z 2", -EINVAL, "         ^" },
	{ "p /a:-1 2", -EINVAL, "     ^" },
	{ "p /a:+1 2", -EINVAL, "     ^" },
	{ "p /a:0x8000000000000000 2", -EINVAL, "     ^" },
	{ "p /a:99999999999999999999 2", -EINVAL, "     ^" },
	{ "p /a\\:1 2", -EINVAL, "    ^" },
	{ "p /a\\09:1 2", -EINVAL, "    ^" },
	{ "p /a\\000:1 2", -EINVAL, "    ^" },
	{ "p /a\\400:1 2", -EINVAL, "    ^" },
	{ "p /a:1", -EINVAL, "      ^" },
	{ "p /a:1 # 2", -EINVAL, "       ^" },
	{ "p /a:1 1", -EINVAL, "       ^" },
	{ "p /a:1 0x1", -EINVAL, "       ^" },
	{ "p /a:1 2,", -EINVAL, "         ^" },
	{ "p /a:1 ,2", -EINVAL, "       ^" },
	{ "p /a:1 2,2", -EINVAL, "         ^" },
	{ "p /a:1 2%return,3,2%return", -EINVAL, "                  ^" },
	{ "p /a:1 2%ret", -EINVAL, "        ^" },
	{ "p /a:1 2%returned", -EINVAL, "        ^" },
	{ "p /a:1 %return", -EINVAL, "       ^" },
	{ "p /a:1 2 junk", -EINVAL, "         ^" },
	{ "p /a:1 2 threshold", -EINVAL, "         ^" },
	{ "p /a:1 2 threshold=", -EINVAL, "                   ^" },
	{ "p /a:1 2 threshold=ms", -EINVAL, "                   ^" },
	{ "p /a:1 2 threshold=1.5ms", -EINVAL, "                   ^" },
	{ "p /a:1 2 threshold=-1", -EINVAL, "                   ^" },
	{ "p /a:1 2 threshold=1m", -EINVAL, "                   ^" },
	{ "p /a:1 2 threshold=0", -ERANGE, "                   ^" },
	{ "p /a:1 2 threshold=999", -ERANGE, "                   ^" },
	{ "p /a:1 2 threshold=3600000000001", -ERANGE, "                   ^" },
	{ "p /a:1 2 threshold=3601s", -ERANGE, "                   ^" },
	{ "p /a:1 2 threshold=18446744073709551616", -ERANGE, "                   ^" },
	{ "p /a:1 2 threshold=18446744074s", -ERANGE, "                   ^" },
	{ "p /a:1 2 threshold=1ms threshold=1ms", -EINVAL, "                                 ^" },
	{ "p /a:1 2 pid=", -EINVAL, "             ^" },
	{ "p /a:1 2 pid=1x", -EINVAL, "              ^" },
	{ "p /a:1 2 pid=4294967296", -ESRCH, "             ^" },
	{ "p /a:1 2 pid=1 pid=1", -EINVAL, "                   ^" },
	{ "p /a:1 2 comm=", -EINVAL, "              ^" },
	{ "p /a:1 2 comm=a comm=a", -EINVAL, "                     ^" },
	{ "p /a:1 2 comm=0123456789abcdef", -ENAMETOOLONG, "              ^" },
	{ "-", -EINVAL, " ^" },
	{ "-a:1", -EINVAL, " ^" },
	{ "-/a", -EINVAL, "  ^" },
	{ "-:", -EINVAL, "  ^" },
	{ "-:a/b", -EINVAL, "   ^" },
	{ "-* x", -EINVAL, "   ^" },
	{ "-/a:1 2", -EINVAL, "      ^" },
};

static void refusals(void)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const char *line = refused[i].line;
		struct tlob_fault fault;
		int ret = parse(line, strlen(line), &fault);

		check(ret == refused[i].err, "'%s': got %d, want %d", line, ret,
		      refused[i].err);
		check(fault.pos == strlen(refused[i].caret) - 1,
		      "'%s': caret at %u, want %zu", line, fault.pos,
		      strlen(refused[i].caret) - 1);
		check(fault.reason && *fault.reason, "'%s': no reason", line);
	}
	ktap_case("what is refused, with its errno and its caret");
}

static bool accepts(const char *line)
{
	struct tlob_fault fault;
	int ret = parse(line, strlen(line), &fault);

	return check(!ret, "'%s': %d, %s", line, ret,
		     fault.reason ?: "no reason");
}

static void blanks(void)
{
	static const char * const lines[] = {
		"", " ", "\t", "#", "# x", " # p /a:1 2", "#p",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (accepts(lines[i]))
			check(cmd.verb == TLOB_CMD_NONE, "'%s'", lines[i]);
	ktap_case("blank lines and comments");
}

static void full_line(void)
{
	if (accepts("p:a.B_c-1 /b\\040c:d:0x1F 32,0x21%return,31%return  threshold=2ms\tpid=7 comm=x\\040y # stale")) {
		check(cmd.verb == TLOB_CMD_BIND, "verb");
		check(!strcmp(cmd.name, "a.B_c-1"), "name %s", cmd.name);
		check(!strcmp(cmd.path, "/b c:d"), "path %s", cmd.path);
		check(cmd.start == 31, "start");
		check(cmd.nr_stops == 3 && cmd.stops[0].offset == 32 &&
		      !cmd.stops[0].on_return && cmd.stops[1].offset == 33 &&
		      cmd.stops[1].on_return && cmd.stops[2].offset == 31 &&
		      cmd.stops[2].on_return, "stops");
		check(cmd.has_threshold && cmd.threshold == 2000000, "threshold");
		check(cmd.has_pid && cmd.pid == 7, "pid");
		check(cmd.has_comm && !strcmp(cmd.comm, "x y"), "comm");
		check(cmd.name_pos == 2 && cmd.path_pos == 10 &&
		      cmd.start_pos == 20 && cmd.threshold_pos == 61,
		      "positions %u %u %u %u", cmd.name_pos, cmd.path_pos,
		      cmd.start_pos, cmd.threshold_pos);
	}
	if (accepts("p /a:0 1")) {
		check(!cmd.name[0] && cmd.start == 0 && cmd.nr_stops == 1 &&
		      !cmd.has_threshold && !cmd.has_pid && !cmd.has_comm,
		      "nothing optional");
	}
	if (accepts("p /a:5 5%return"))
		check(cmd.stops[0].on_return, "a function to its return");
	if (accepts("p:abcdefghijklmnopqrstuvwxyz12345 /a:9223372036854775807 1"))
		check(strlen(cmd.name) == 31 && cmd.start == S64_MAX, "limits");
	ktap_case("a line with everything, and one with nothing");
}

static void removals(void)
{
	if (accepts("-*"))
		check(cmd.verb == TLOB_CMD_UNBIND_ALL, "all");
	if (accepts("-:x # gone"))
		check(cmd.verb == TLOB_CMD_UNBIND_NAME && !strcmp(cmd.name, "x"),
		      "by name");
	if (accepts("-/a\\012:0x10"))
		check(cmd.verb == TLOB_CMD_UNBIND_PATH && cmd.start == 16 &&
		      !strcmp(cmd.path, "/a\n"), "by path");
	ktap_case("removals");
}

static void budgets(void)
{
	static const struct {
		const char *text;
		u64 ns;
	} good[] = {
		{ "1000", 1000 }, { "1000ns", 1000 }, { "1us", 1000 },
		{ "5ms", 5000000 }, { "1s", 1000000000 },
		{ "3600s", 3600000000000 }, { "3600000000000", 3600000000000 },
		{ "0x3e8", 1000 },
	};
	u64 ns;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ns = 0;
		check(!tlob_budget_parse(good[i].text, strlen(good[i].text), &ns) &&
		      ns == good[i].ns, "%s: %llu", good[i].text,
		      (unsigned long long)ns);
	}
	ktap_case("budgets and their suffixes");
}

static void limits(void)
{
	static char line[32 * 1024];
	struct tlob_fault fault;
	size_t n, i;

	n = sprintf(line, "p /");
	memset(line + n, 'a', TLOB_PATH_MAX - 1);
	strcpy(line + n + TLOB_PATH_MAX - 1, ":1 2");
	if (accepts(line))
		check(strlen(cmd.path) == TLOB_PATH_MAX, "longest path");
	strcpy(line + n + TLOB_PATH_MAX - 1, "a:1 2");
	check(parse(line, strlen(line), &fault) == -ENAMETOOLONG,
	      "path one too long");

	/* All of it escaped still fits a line. */
	n = sprintf(line, "p /");
	for (i = 0; i < TLOB_PATH_MAX - 1; i++)
		n += sprintf(line + n, "\\040");
	sprintf(line + n, ":1 2");
	accepts(line);

	memset(line, ' ', sizeof(line));
	check(!parse(line, TLOB_LINE_MAX, &fault), "longest line");
	check(parse(line, TLOB_LINE_MAX + 1, &fault) == -E2BIG,
	      "line one too long");

	n = sprintf(line, "p /a:1 ");
	for (i = 0; i < TLOB_STOPS_MAX; i++)
		n += sprintf(line + n, "%s%zu", i ? "," : "", i + 2);
	if (accepts(line))
		check(cmd.nr_stops == TLOB_STOPS_MAX, "most stops");
	strcat(line, ",1000000");
	check(parse(line, strlen(line), &fault) == -E2BIG, "one stop too many");

	/* Bytes that are written as they are and listed escaped */
	n = sprintf(line, "p /");
	memset(line + n, 1, TLOB_PATH_MAX - 1);
	n += TLOB_PATH_MAX - 1;
	n += sprintf(line + n, ":1 2");
	accepts(line);
	for (i = 1; i < TLOB_STOPS_MAX; i++)
		n += sprintf(line + n, ",%zu", i + 2);
	check(parse(line, strlen(line), &fault) == -E2BIG,
	      "a line whose listing is too long");
	ktap_case("the longest path and line, the most stops");
}

static void round_trip(void)
{
	char path[257] = "/", line[2048];

	for (int i = 1; i < 256; i++)
		path[i] = i;
	path[256] = '\0';
	strcpy(line, "p ");
	check(tlob_escape(line + 2, sizeof(line) - 2, path) == strlen(line) - 2,
	      "length of the whole");
	check(!strpbrk(line + 2, " \t\n"), "one token");
	strcat(line, ":1 2");
	if (accepts(line))
		check(!strcmp(cmd.path, path), "a path of all bytes");
	check(tlob_escape(line, 4, "/ab cd") == 9 && !strcmp(line, "/ab"),
	      "cut, and its whole length told");
	ktap_case("escapes both ways");
}

static void random_bytes(void)
{
	static const char alphabet[] =
		"p:-*#/ab\\0127x,%return threshold=pid=comm=msu\t\n";
	struct tlob_fault fault;
	char line[96];

	srandom(7);
	for (int i = 0; i < 2000000; i++) {
		size_t len = random() % sizeof(line);
		int ret;

		for (size_t j = 0; j < len; j++)
			line[j] = random() % 20 ?
				  alphabet[random() % (sizeof(alphabet) - 1)] :
				  random();
		if (i & 1 && len > 8)
			memcpy(line, "p /a:1 2", 8);
		ret = parse(line, len, &fault);
		if (ret && !check(fault.pos <= len && fault.reason,
				  "caret %u outside %zu", fault.pos, len))
			break;
	}
	ktap_case("random lines: the caret stays inside");
}

int main(void)
{
	ktap_begin();
	refusals();
	blanks();
	full_line();
	removals();
	budgets();
	limits();
	round_trip();
	random_bytes();
	return ktap_end();
}
