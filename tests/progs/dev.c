// SPDX-License-Identifier: GPL-2.0-only
/*
 * dev - /dev/tlob from inside a program, driven by its arguments
 *
 * Every argument is a step; steps run from left to right. F is a letter, a to
 * j, that names a descriptor: fd 20 + its place, also after an exec.
 *
 *   open:F[:nonblock] close:F dup:F:G
 *   start:F:NS[:TAG[:FLAGS:PAD]]        TAG + counts up from 0
 *   stop:F info:F                       info prints the totals
 *   badstart:F badinfo:F badread:F      bad pointers
 *   ioctl:F:CMD                         any other command
 *   poll:F:MS read:F:BYTES              what came, and after how many us
 *   write:F:TEXT                        TEXT and a newline
 *   mark unmark                         functions to be probed
 *   rnd:US                              busy, log-uniform, up to US
 *   timer:US                            SIGALRM that interrupts
 *   quiet tally                         count results, do not print; print
 *
 * and those of steps.h.
 *
 * A result is printed as STEP=0 or STEP=-ERRNO.
 */
#include "errname.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/time.h>

#include "../../include/uapi/linux/tlob.h"
#include "steps.h"

probed void dev_mark(void)
{
	asm volatile("nop" ::: "memory");
}

probed void dev_unmark(void)
{
	asm volatile("nop\n\tnop" ::: "memory");
}

#define FIRST_FD	20
#define MAX_FIELDS	6
#define MAX_RESULTS	64
#define BAD_POINTER	((void *)8)

static int quiet;
static atomic_ullong next_tag;

static pthread_mutex_t results_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	char text[48];
	unsigned int n;
} results[MAX_RESULTS];

/* Log-uniform: as many windows of 10 to 20 us as of 1 to 2 ms */
static void busy_random(uint64_t us)
{
	static __thread uint64_t seed;
	uint64_t ns;

	if (!seed)
		seed = 0x9e3779b97f4a7c15ull * (syscall(SYS_gettid) | 1);
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	ns = us * 1000 >> (seed >> 60);
	ns += ns * (seed >> 44 & 0xffff) / 0x10000;
	ns += now();
	while (now() < ns)
		;
}

static void tally(const char *text)
{
	unsigned int i;

	pthread_mutex_lock(&results_lock);
	for (i = 0; i < MAX_RESULTS; i++) {
		if (!results[i].n)
			snprintf(results[i].text, sizeof(results[i].text), "%s",
				 text);
		if (!strcmp(results[i].text, text)) {
			results[i].n++;
			break;
		}
	}
	pthread_mutex_unlock(&results_lock);
}

static void print_tally(void)
{
	unsigned int i;

	for (i = 0; i < MAX_RESULTS && results[i].n; i++)
		printf("tally %s %u\n", results[i].text, results[i].n);
	fflush(stdout);
}

/*
 * STEP, what its call returned, and more for the line unless that is NULL. Other
 * threads print their lines before it or after it, not in it.
 */
__attribute__((format(printf, 3, 4)))
static void result(const char *step, long ret, const char *fmt, ...)
{
	char text[48];
	va_list ap;

	if (ret < 0)
		snprintf(text, sizeof(text), "%s=-%s", step,
			 strerrorname_np(errno) ?: "?");
	else
		snprintf(text, sizeof(text), "%s=%ld", step, ret);
	if (quiet) {
		tally(text);
		return;
	}
	flockfile(stdout);
	fputs(text, stdout);
	va_start(ap, fmt);
	if (fmt)
		vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	funlockfile(stdout);
}

static void step_open(int to, int flags)
{
	int fd = open("/dev/tlob", O_RDWR | flags);

	if (fd >= 0 && fd != to) {
		if (dup2(fd, to) != to)
			die("dup2");
		close(fd);
	}
	result("open", fd < 0 ? -1 : 0, NULL);
}

static void step_start(int fd, char **f, int n)
{
	struct tlob_start_args args = { 0 };

	args.threshold_ns = strtoull(f[2], NULL, 0);
	if (n > 3)
		args.tag = *f[3] == '+' ? atomic_fetch_add(&next_tag, 1) :
					  strtoull(f[3], NULL, 0);
	if (n > 5) {
		args.flags = strtoul(f[4], NULL, 0);
		args.pad = strtoul(f[5], NULL, 0);
	}
	result("start", ioctl(fd, TLOB_IOCTL_TRACE_START, &args), NULL);
}

static void step_info(int fd)
{
	struct tlob_stop_info info;
	int ret;

	memset(&info, 0xff, sizeof(info));
	ret = ioctl(fd, TLOB_IOCTL_TRACE_STOP_INFO, &info);
	result("info", ret,
	       " tid=%ld elapsed_ns=%llu running_ns=%llu waiting_ns=%llu sleeping_ns=%llu",
	       syscall(SYS_gettid), info.elapsed_ns, info.running_ns,
	       info.waiting_ns, info.sleeping_ns);
}

static void step_poll(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t t = now();
	int ret = poll(&p, 1, ms);

	t = now() - t;
	result("poll", ret, " revents=0x%x us=%llu", p.revents,
	       (unsigned long long)t / 1000);
}

static void step_read(int fd, size_t size)
{
	char *buf = malloc(size + 1);
	struct tlob_event *e = (void *)buf;
	uint64_t t = now();
	ssize_t n, i;

	if (!buf)
		die("malloc");
	n = read(fd, buf, size);
	t = now() - t;
	result("read", n, " us=%llu", (unsigned long long)t / 1000);
	for (i = 0; !quiet && i < n / (ssize_t)sizeof(*e); i++, e++)
		printf("event tid=%u flags=%u tag=0x%llx threshold_ns=%llu elapsed_ns=%llu running_ns=%llu waiting_ns=%llu sleeping_ns=%llu\n",
		       e->tid, e->flags, e->tag, e->threshold_ns, e->elapsed_ns,
		       e->running_ns, e->waiting_ns, e->sleeping_ns);
	fflush(stdout);
	free(buf);
}

static void step_write(int fd, const char *text)
{
	char line[1024];
	int n = snprintf(line, sizeof(line), "%s\n", text);

	result("write", write(fd, line, n), NULL);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void step_timer(unsigned int us)
{
	struct itimerval it = { .it_value.tv_usec = us };
	struct sigaction sa = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
}

/* Steps about a descriptor. Returns -1 if it is none of them. */
static int step_file(char **f, int n)
{
	const char *word = f[0];
	int fd = n > 1 ? FIRST_FD + *f[1] - 'a' : -1;

	if (is("open"))
		step_open(fd, n > 2 ? O_NONBLOCK : 0);
	else if (is("close"))
		result("close", close(fd), NULL);
	else if (is("dup"))
		result("dup", -(dup2(fd, FIRST_FD + *f[2] - 'a') < 0), NULL);
	else if (is("start"))
		step_start(fd, f, n);
	else if (is("stop"))
		result("stop", ioctl(fd, TLOB_IOCTL_TRACE_STOP), NULL);
	else if (is("info"))
		step_info(fd);
	else if (is("badstart"))
		result("badstart",
		       ioctl(fd, TLOB_IOCTL_TRACE_START, BAD_POINTER), NULL);
	else if (is("badinfo"))
		result("badinfo",
		       ioctl(fd, TLOB_IOCTL_TRACE_STOP_INFO, BAD_POINTER), NULL);
	else if (is("badread"))
		result("badread", syscall(SYS_read, fd, BAD_POINTER, 56), NULL);
	else if (is("ioctl"))
		result("ioctl", ioctl(fd, strtoul(f[2], NULL, 0), 0), NULL);
	else if (is("poll"))
		step_poll(fd, atoi(f[2]));
	else if (is("read"))
		step_read(fd, atoi(f[2]));
	else if (is("write"))
		step_write(fd, f[2]);
	else
		return -1;
	return 0;
}

static void step(char **f, int n)
{
	const char *word = f[0], *arg = n > 1 ? f[1] : NULL;

	if (!step_file(f, n) || !common_step(word, arg))
		return;
	if (is("mark"))
		dev_mark();
	else if (is("unmark"))
		dev_unmark();
	else if (is("rnd"))
		busy_random(arg ? atol(arg) : 0);
	else if (is("timer"))
		step_timer(arg ? atol(arg) : 0);
	else if (is("quiet"))
		quiet = 1;
	else if (is("tally"))
		print_tally();
	else
		unknown_step(word);
}

static void run(int from, int to)
{
	char copy[1024], *f[MAX_FIELDS], *p;
	int i, n, end;

	for (i = from; i < to; i++) {
		snprintf(copy, sizeof(copy), "%s", tokens[i]);
		for (p = copy, n = 0; p && n < MAX_FIELDS; n++) {
			f[n] = p;
			/* The text of a write is not taken apart. */
			p = n == 2 && !strcmp(copy, "write") ? NULL : strchr(p, ':');
			if (p)
				*p++ = '\0';
		}
		if (i + 1 < to && !strcmp(tokens[i + 1], "{")) {
			end = block_end(i + 1, to);
			if (common_block(f[0], n > 1 ? f[1] : NULL, i + 2, end))
				unknown_step(f[0]);
			i = end;
		} else {
			step(f, n);
		}
	}
}

int main(int argc, char **argv)
{
	tokens = argv;
	run(1, argc);
	return 0;
}
