// SPDX-License-Identifier: GPL-2.0-only
/*
 * hammer - everything at once, by chance
 *
 * hammer [-s SEED] [-t SECONDS] [-w WORKERS] [-r TRACE] CTL MODULE LINE...
 *
 * Workers go through sections, nested, left, recursive, and through windows of
 * /dev/tlob; they fork, exec and exit within them and are killed. Meanwhile
 * the LINEs are written to CTL/monitor and removed, tlob is switched off and on,
 * all files are read, a CPU goes and comes, and MODULE is unloaded and loaded.
 * TRACE is a trace instance whose events go on and off.
 *
 * In the last quarter only the workers go on, so that what they lose is not
 * ended by something else; then none is left, and the module is loaded and
 * enabled. It prints how often each thing came about. A seed brings back what
 * each of them does, but not when.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../include/uapi/linux/tlob.h"
#include "common.h"
#include "chance.h"

probed void ham_start(void)
{
	asm volatile("nop" ::: "memory");
}

probed void ham_stop(void)
{
	asm volatile("nop\n\tnop" ::: "memory");
}

probed void ham2_start(void)
{
	asm volatile("nop\n\tnop\n\tnop" ::: "memory");
}

probed void ham2_stop(void)
{
	asm volatile("nop\n\tnop\n\tnop\n\tnop" ::: "memory");
}

#define MAX_WORKERS	32
#define MAX_THREADS	3
#define CPU1		"/sys/devices/system/cpu/cpu1/online"

enum what {
	SECTIONS, CALLS, DEV_WINDOWS, THREADS, FORKS, EXECS, EXITS, KILLS, BINDS,
	UNBINDS, ENABLES, DISABLES, READS, UNLOADS, BUSY_UNLOADS, LOADS, HOTPLUGS,
	NR_WHAT,
};

static const char * const what_names[NR_WHAT] = {
	"sections", "calls", "dev_windows", "threads", "forks", "execs", "exits",
	"kills", "binds", "unbinds", "enables", "disables", "reads", "unloads",
	"busy_unloads", "loads", "hotplugs",
};

struct shared {
	atomic_ulong count[NR_WHAT];
	atomic_int over;	/* time is up */
	atomic_int settled;	/* nearly: only workers go on */
	atomic_int resting;	/* helpers that have seen that */
	atomic_int close_dev;	/* keep no file of the module open */
	atomic_int wrong;	/* something that must not fail did */
};

static struct shared *shared;
static const char *ctl, *module, *trace;
static char **lines;
static int nr_lines;
static char **own_argv;
static int shared_fd;

static void count(enum what what)
{
	atomic_fetch_add(&shared->count[what], 1);
}

static int over(void)
{
	return atomic_load(&shared->over);
}

__attribute__((format(printf, 1, 2)))
static void wrong(const char *fmt, ...)
{
	va_list ap;

	atomic_store(&shared->wrong, 1);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* --- workers ----------------------------------------------------------------- */

struct walker {
	struct chance chance;
	int fd;			/* /dev/tlob, or -1 */
	int is_main;
	uint64_t stream;
	pthread_t threads[MAX_THREADS];
	unsigned int nr_threads;
	jmp_buf back;
};

static void walk(struct walker *w, unsigned int steps);

static void some_time(struct chance *c)
{
	switch (chance(c, 6)) {
	case 0:
		busy(chance(c, 300));
		break;
	case 1:
		snooze(chance(c, 1000));
		break;
	case 2:
		sched_yield();
		break;
	case 3:
		snooze(0);
		break;
	default:
		break;
	}
}

probed void ham_call(struct walker *w, int depth, int steps)
{
	asm volatile("nop\n\tnop" ::: "memory");
	if (depth > 0)
		ham_call(w, depth - 1, steps);
	else
		walk(w, steps);
	if (!chance(&w->chance, 16))
		longjmp(w->back, 1);
	asm volatile("nop" ::: "memory");
}

static void dev_step(struct walker *w)
{
	struct tlob_start_args args = { .tag = w->stream };
	struct tlob_stop_info info;

	if (atomic_load(&shared->close_dev)) {
		if (w->fd >= 0)
			close(w->fd);
		w->fd = -1;
		return;
	}
	if (w->fd < 0) {
		w->fd = open("/dev/tlob", O_RDWR | O_CLOEXEC | O_NONBLOCK);
		return;
	}
	switch (chance(&w->chance, 5)) {
	case 0:
	case 1:
		args.threshold_ns = 1000 + chance(&w->chance, 3000000);
		if (!ioctl(w->fd, TLOB_IOCTL_TRACE_START, &args))
			count(DEV_WINDOWS);
		break;
	case 2:
		ioctl(w->fd, TLOB_IOCTL_TRACE_STOP);
		break;
	case 3:
		if ((!ioctl(w->fd, TLOB_IOCTL_TRACE_STOP_INFO, &info) ||
		     errno == EOVERFLOW) &&
		    info.running_ns + info.waiting_ns + info.sleeping_ns !=
		    info.elapsed_ns)
			wrong("totals that do not add up");
		break;
	default:
		close(w->fd);
		w->fd = -1;
	}
}

static void exec_self(struct walker *w);

static void *thread_main(void *arg)
{
	struct walker *w = arg;

	walk(w, 1 + chance(&w->chance, 200));
	if (!chance(&w->chance, 10))
		exec_self(w);
	if (w->fd >= 0)
		close(w->fd);
	free(w);
	return NULL;
}

static void join(struct walker *w)
{
	while (w->nr_threads)
		pthread_join(w->threads[--w->nr_threads], NULL);
}

static void spawn(struct walker *w)
{
	struct walker *t;

	if (!w->is_main || w->nr_threads == MAX_THREADS) {
		join(w);
		return;
	}
	t = calloc(1, sizeof(*t));
	if (!t)
		die("calloc");
	t->stream = w->stream;
	t->chance.s = chance_u64(&w->chance);
	t->fd = chance(&w->chance, 2) ? dup(w->fd) : -1;
	if (pthread_create(&w->threads[w->nr_threads], NULL, thread_main, t)) {
		if (t->fd >= 0)
			close(t->fd);
		free(t);
		return;
	}
	w->nr_threads++;
	count(THREADS);
}

/* Anew by exec, be it from a thread that does not lead. */
static void exec_self(struct walker *w)
{
	char stream[32], fd[16], none[] = "/nonexistent";
	char *argv[] = { own_argv[0], "-W", stream, "-F", fd, "-", "-", "-", NULL };

	snprintf(stream, sizeof(stream), "%llu",
		 (unsigned long long)chance_u64(&w->chance));
	snprintf(fd, sizeof(fd), "%d", shared_fd);
	if (chance(&w->chance, 4))
		ham_start();
	if (!chance(&w->chance, 4))
		execv(none, argv);
	count(EXECS);
	execv("/proc/self/exe", argv);
	die("exec");
}

static void fork_one(struct walker *w)
{
	pid_t pid = fork();

	if (pid < 0)
		return;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		w->nr_threads = 0;
		w->is_main = 0;
		walk(w, chance(&w->chance, 20));
		switch (chance(&w->chance, 4)) {
		case 0:
			exec_self(w);
			break;
		case 1:
			ham_start();
			kill(getpid(), SIGKILL);
			break;
		case 2:
			ham_start();
			break;
		}
		_exit(0);
	}
	count(FORKS);
	if (chance(&w->chance, 2))
		snooze(chance(&w->chance, 2000));
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void step(struct walker *w)
{
	unsigned int n = chance(&w->chance, 100);

	if (n < 25) {
		ham_start();
		count(SECTIONS);
	} else if (n < 40) {
		ham_stop();
	} else if (n < 50) {
		ham2_start();
		count(SECTIONS);
	} else if (n < 60) {
		ham2_stop();
	} else if (n < 80) {
		dev_step(w);
	} else if (n < 94) {
		some_time(&w->chance);
	} else if (n < 96) {
		spawn(w);
	} else if (n < 97) {
		join(w);
	} else if (n < 99 || chance(&w->chance, 4)) {
		if (!chance(&w->chance, 4))
			fork_one(w);
	} else if (chance(&w->chance, 2)) {
		exec_self(w);
	} else {
		count(EXITS);
		exit(0);
	}
}

static void walk(struct walker *w, unsigned int steps)
{
	while (steps-- && !over())
		step(w);
}

static void work(uint64_t stream)
{
	struct walker w = { .fd = -1, .is_main = 1, .stream = stream };

	w.chance = chance_stream(stream, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!over()) {
		if (!setjmp(w.back)) {
			count(CALLS);
			ham_call(&w, chance(&w.chance, 5), chance(&w.chance, 30));
		}
		walk(&w, chance(&w.chance, 30));
	}
	exit(0);
}

/* --- what is done to them ---------------------------------------------------- */

static int put(const char *dir, const char *file, const char *text, size_t len)
{
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s%s%s", dir, *file ? "/" : "", file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n < 0)
		n = -errno;
	close(fd);
	return n < 0 ? n : 0;
}

/* No line of stats may tell of an anomaly, whatever goes on. */
static void check_stats(const char *text)
{
	static const char key[] = " anomalies=";

	while ((text = strstr(text, key))) {
		text += sizeof(key) - 1;
		if (strspn(text, "0") != strcspn(text, " \n")) {
			wrong("anomalies=%.*s", (int)strcspn(text, " \n"), text);
			return;
		}
	}
}

static void read_all(const char *file)
{
	char path[PATH_MAX], buf[16384];
	size_t len = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", ctl, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while ((n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0) {
		len += n;
		if (len == sizeof(buf) - 1 && strcmp(file, "stats"))
			len = 0;
	}
	close(fd);
	buf[len] = '\0';
	if (!strcmp(file, "stats"))
		check_stats(buf);
	count(READS);
}

static void bind_one(struct chance *c)
{
	const char *line = lines[chance(c, nr_lines)];
	char text[PATH_MAX];
	size_t len = snprintf(text, sizeof(text), "%s\n", line);

	if (chance(c, 3)) {
		if (!put(ctl, "monitor", text, len))
			count(BINDS);
		return;
	}
	/* p:NAME ... */
	len = snprintf(text, sizeof(text), "-%.*s\n",
		       (int)strcspn(line + 1, " "), line + 1);
	if (!chance(c, 4))
		len = snprintf(text, sizeof(text), "-*\n");
	if (!put(ctl, "monitor", text, len))
		count(UNBINDS);
}

static void control(struct chance *c)
{
	static const char * const readable[] = {
		"stats", "hist", "inflight", "bindings", "error_log", "monitor",
		"enable", "reactors",
	};
	unsigned int n = chance(c, 100);

	if (n < 50) {
		bind_one(c);
	} else if (n < 60) {
		if (!put(ctl, "enable", "0", 1))
			count(DISABLES);
	} else if (n < 75) {
		if (!put(ctl, "enable", "1", 1))
			count(ENABLES);
	} else if (n < 92) {
		read_all(readable[chance(c, sizeof(readable) / sizeof(readable[0]))]);
	} else if (n < 96) {
		put(ctl, "monitor", "p:x nonsense\n", 13);
	} else if (trace) {
		put(trace, "events/rv/enable", n & 1 ? "1" : "0", 1);
	}
}

/* Only look on. */
static void rest(void)
{
	atomic_fetch_add(&shared->resting, 1);
	while (!over()) {
		read_all("stats");
		snooze(10000);
	}
	exit(0);
}

static void controller(uint64_t seed, uint64_t stream)
{
	struct chance c = chance_stream(seed, stream);

	while (!atomic_load(&shared->settled)) {
		control(&c);
		snooze(chance(&c, 20000));
	}
	rest();
}

static int load(const char *options)
{
	int fd = open(module, O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0)
		die(module);
	ret = syscall(SYS_finit_module, fd, options, 0) ? -errno : 0;
	close(fd);
	if (!ret)
		count(LOADS);
	return ret;
}

static int unload(void)
{
	return syscall(SYS_delete_module, "tlob", O_NONBLOCK) ? -errno : 0;
}

static void unloader(uint64_t seed)
{
	static const char * const sizes[] = { "1", "2", "16", "1024" };
	struct chance c = chance_stream(seed, 1000);
	char options[64];
	int ret = -EBUSY, tries, i;

	while (!atomic_load(&shared->settled)) {
		snooze(100000 + chance(&c, 500000));
		read_all("stats");	/* the counters go with the module */
		atomic_store(&shared->close_dev, 1);
		for (tries = 0; tries < 300; tries++) {
			ret = unload();
			if (!ret || (ret != -EBUSY && ret != -EAGAIN))
				break;
			count(BUSY_UNLOADS);
			snooze(1000);
		}
		atomic_store(&shared->close_dev, 0);
		if (ret == -EBUSY || ret == -EAGAIN)
			continue;
		if (ret) {
			wrong("unload: %s", strerror(-ret));
			continue;
		}
		count(UNLOADS);
		snooze(chance(&c, 20000));
		snprintf(options, sizeof(options), "max_monitored=%s enable=%d",
			 sizes[chance(&c, 4)], chance(&c, 4) > 0);
		ret = load(options);
		if (ret) {
			wrong("load: %s", strerror(-ret));
			continue;
		}
		if (trace)
			put(trace, "events/rv/enable", "1", 1);
		for (i = 0; i < nr_lines; i++)
			bind_one(&c);
	}
	rest();
}

static void hotplugger(uint64_t seed)
{
	struct chance c = chance_stream(seed, 1001);

	while (!over()) {
		snooze(chance(&c, 500000));
		if (put(CPU1, "", "0", 1))
			continue;
		count(HOTPLUGS);
		snooze(chance(&c, 300000));
		if (put(CPU1, "", "1", 1))
			wrong("cpu1 does not come");
	}
	exit(0);
}

/* --- all of it --------------------------------------------------------------- */

static pid_t workers[MAX_WORKERS];
static unsigned int nr_workers = 4, nr_spawned;

static pid_t start(uint64_t seed, int kind)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (kind == 0)
		unloader(seed);
	else if (kind == 1)
		hotplugger(seed);
	else if (kind < 4)
		controller(seed, 1000 + kind);
	/* Else it is long before the others get to anything. */
	setpriority(PRIO_PROCESS, 0, 19);
	work(seed + nr_spawned);
	return 0;
}

static void reap(uint64_t seed, pid_t *helpers, unsigned int nr_helpers)
{
	unsigned int i;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (i = 0; i < nr_helpers; i++)
			if (helpers[i] == pid)
				wrong("helper %u ended, status %x", i, status);
		for (i = 0; i < nr_workers; i++) {
			if (workers[i] != pid)
				continue;
			if (!WIFSIGNALED(status) ? WEXITSTATUS(status) :
			    WTERMSIG(status) != SIGKILL)
				wrong("a worker ended, status %x", status);
			nr_spawned++;
			workers[i] = start(seed, 4);
		}
	}
}

/* Loaded, enabled and bound it stays. */
static void settle(void)
{
	char text[PATH_MAX];
	int i, ret;

	while (atomic_load(&shared->resting) < 3)
		snooze(1000);
	if (access("/sys/module/tlob", F_OK)) {
		ret = load("");
		if (ret)
			wrong("load: %s", strerror(-ret));
	}
	ret = put(ctl, "enable", "1", 1);
	if (ret)
		wrong("enable: %s", strerror(-ret));
	for (i = 0; i < nr_lines; i++)
		put(ctl, "monitor", text,
		    snprintf(text, sizeof(text), "%s\n", lines[i]));
}

static void all(uint64_t seed, unsigned int seconds)
{
	struct chance c = chance_stream(seed, 2000);
	uint64_t begin = now(), length = seconds * 1000000000ull;
	pid_t helpers[4];
	unsigned int i;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (i = 0; i < 4; i++)
		helpers[i] = start(seed, i);
	for (i = 0; i < nr_workers; i++) {
		nr_spawned++;
		workers[i] = start(seed, 4);
	}
	while (now() - begin < length) {
		snooze(5000 + chance(&c, 20000));
		reap(seed, helpers, 4);
		if (!chance(&c, 4)) {
			kill(workers[chance(&c, nr_workers)], SIGKILL);
			count(KILLS);
		}
		if (now() - begin > length * 3 / 4 &&
		    !atomic_exchange(&shared->settled, 1))
			settle();
	}
	atomic_store(&shared->over, 1);
	for (i = 0; i < 4; i++)
		waitpid(helpers[i], NULL, 0);
	/* What is left of the workers comes to us. */
	for (i = 0; i < nr_workers; i++)
		kill(workers[i], SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;

	put(CPU1, "", "1", 1);
	printf("result");
	for (i = 0; i < NR_WHAT; i++)
		printf(" %s=%lu", what_names[i], shared->count[i]);
	putchar('\n');
}

int main(int argc, char **argv)
{
	unsigned int seconds = 10;
	uint64_t seed = 1, stream = 0;
	int opt, is_worker = 0;

	own_argv = argv;
	shared_fd = -1;
	while ((opt = getopt(argc, argv, "+s:t:w:r:W:F:")) != -1) {
		switch (opt) {
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 't':
			seconds = atoi(optarg);
			break;
		case 'w':
			nr_workers = atoi(optarg);
			break;
		case 'r':
			trace = optarg;
			break;
		case 'W':	/* by exec_self() */
			is_worker = 1;
			stream = strtoull(optarg, NULL, 0);
			break;
		case 'F':
			shared_fd = atoi(optarg);
			break;
		default:
			return 2;
		}
	}
	if (argc - optind < 3 || nr_workers > MAX_WORKERS)
		return 2;
	ctl = argv[optind];
	module = argv[optind + 1];
	lines = argv + optind + 2;
	nr_lines = argc - optind - 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (shared_fd < 0) {
		shared_fd = memfd_create("hammer", 0);
		if (shared_fd < 0 || ftruncate(shared_fd, sizeof(*shared)))
			die("memfd");
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED,
		      shared_fd, 0);
	if (shared == MAP_FAILED)
		die("mmap");
	if (is_worker)
		work(stream);
	all(seed, seconds);
	return atomic_load(&shared->wrong);
}
