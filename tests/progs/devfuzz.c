// SPDX-License-Identifier: GPL-2.0-only
/*
 * devfuzz - /dev/tlob used by chance and against its rules
 *
 * devfuzz [-s SEED] [-t SECONDS] [-n THREADS] LINE...
 *
 * Threads share a few descriptors: any ioctl with any pointer, of 64 and of 32
 * bits, reads and writes of any size, poll, dup, fork, close, signals. What is
 * written are the LINEs, whole or damaged; ^ in the place of the first byte of
 * one keeps it whole.
 *
 * What comes back must be of what the calls may return; records must add up;
 * nothing may be written behind them. It prints each fault, how often each call
 * returned what, and what `stats` must say of `dev`. A seed brings back what
 * each thread asks, but not when.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../include/uapi/linux/tlob.h"
#include "common.h"
#include "chance.h"

probed void fuzz_start(void)
{
	asm volatile("nop" ::: "memory");
}

probed void fuzz_stop(void)
{
	asm volatile("nop\n\tnop" ::: "memory");
}

#define NR_FILES	8
#define MAX_THREADS	64
#define MAX_ERRNO	4095
#define PAGE		4096
#define ROOM		(64 * PAGE)	/* a thread's buffer, pages without access around it */
#define LINE_ROOM	(20 * 1024)

enum call {
	CALL_START, CALL_STOP, CALL_INFO, CALL_MAGIC, CALL_IOCTL, CALL_READ,
	CALL_READV, CALL_WRITE, CALL_OPEN, CALL_OTHER, NR_CALLS,
};

static const char * const call_names[NR_CALLS] = {
	"start", "stop", "info", "magic", "ioctl", "read", "readv", "write",
	"open", "other",
};

/* What each may fail with; -EBADF when another thread closed the file. */
static const int allowed[NR_CALLS][48] = {
	[CALL_START] = { EBADF, EFAULT, EINVAL, ERANGE, ENODEV, EALREADY, ENOSPC },
	[CALL_STOP] = { EBADF, EOVERFLOW, ESRCH },
	[CALL_INFO] = { EBADF, EOVERFLOW, ESRCH, EFAULT },
	[CALL_MAGIC] = { EBADF, ENOTTY },
	[CALL_IOCTL] = { EBADF, ENOTTY, EFAULT, EINVAL, EOPNOTSUPP, EPERM },
	[CALL_READ] = { EBADF, EINVAL, EFAULT, EAGAIN, EINTR },
	[CALL_READV] = { EBADF, EINVAL, EFAULT, EAGAIN, EINTR },
	[CALL_WRITE] = { EBADF, EINVAL, EFAULT, ERANGE, ENOENT, EEXIST,
		ENAMETOOLONG, EOPNOTSUPP, E2BIG, ESRCH, ENOTDIR, EACCES, ELOOP,
		ETXTBSY, EIO },
	[CALL_OPEN] = { 0 },
	[CALL_OTHER] = { EBADF, ESPIPE, ENODEV, EINVAL, EINTR, ENOTTY, EACCES },
};

struct shared {
	atomic_ulong tally[NR_CALLS][MAX_ERRNO + 1];
	atomic_ulong faults, events, compat_calls, forks;
};

struct fuzzer {
	struct chance chance;
	pthread_t thread;
	unsigned char *room;
};

static struct shared *shared;
static atomic_int files[NR_FILES];
static atomic_int over;
static struct fuzzer fuzzers[MAX_THREADS];
static char **lines;
static int nr_lines;
static unsigned char *read_only;
static int have_compat;
static sigjmp_buf no_compat;

__attribute__((format(printf, 1, 2)))
static void fault(const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int n;

	if (atomic_fetch_add(&shared->faults, 1) >= 20)
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text) - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(text) - 2)
		n = sizeof(text) - 2;
	text[n++] = '\n';
	if (write(1, text, n) != n)
		_exit(3);
}

/* --- calls ------------------------------------------------------------------- */

/* The i386 system call, from where we are: pointers are below 4 GiB. */
static long compat_call(long nr, long a, long b, long c)
{
	long ret;

	asm volatile("int $0x80" : "=a" (ret)
		     : "0" (nr), "b" (a), "c" (b), "d" (c)
		     : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

static void on_segv(int sig)
{
	(void)sig;
	siglongjmp(no_compat, 1);
}

static void find_compat(void)
{
	struct sigaction sa = { .sa_handler = on_segv }, old;

	sigaction(SIGSEGV, &sa, &old);
	if (!sigsetjmp(no_compat, 1))
		have_compat = compat_call(20, 0, 0, 0) == getpid();
	sigaction(SIGSEGV, &old, NULL);
}

static long native_call(long nr, long a, long b, long c)
{
	long ret;

	asm volatile("syscall" : "=a" (ret)
		     : "0" (nr), "D" (a), "S" (b), "d" (c)
		     : "memory", "rcx", "r11");
	return ret;
}

/* One of the three calls that there are of both kinds: -errno or a result. */
static long either(struct fuzzer *f, long nr, long compat_nr, long a, long b,
		   long c)
{
	if (!have_compat || chance(&f->chance, 3) ||
	    (uint64_t)b >> 32 || (uint64_t)c >> 32)
		return native_call(nr, a, b, c);
	atomic_fetch_add(&shared->compat_calls, 1);
	return compat_call(compat_nr, a, b, c);
}

static long count_call(enum call call, long ret)
{
	int err = ret < 0 ? -ret : 0;
	size_t i;

	if (err > MAX_ERRNO) {
		fault("%s returned %ld", call_names[call], ret);
		return ret;
	}
	atomic_fetch_add(&shared->tally[call][err], 1);
	if (!err)
		return ret;
	for (i = 0; i < sizeof(allowed[0]) / sizeof(allowed[0][0]); i++)
		if (allowed[call][i] == err)
			return ret;
	fault("%s failed with %d", call_names[call], err);
	return ret;
}

/* --- what is passed ---------------------------------------------------------- */

static int any_file(struct fuzzer *f)
{
	return atomic_load(&files[chance(&f->chance, NR_FILES)]);
}

/*
 * Where @size bytes may be, or not. *good tells that they can be written; then
 * they are behind the last byte that can, as often as not.
 */
static void *any_pointer(struct fuzzer *f, size_t size, int *good)
{
	*good = 0;
	switch (chance(&f->chance, 20)) {
	case 0:
		return NULL;
	case 1:
		return (void *)8;
	case 2:
		return (void *)-1ul;
	case 3:
		return (void *)0xffff888000000000ul;
	case 4:
		return (void *)(0x7ffffffff000ul - 4);
	case 5:		/* over the end */
		return f->room + ROOM - chance(&f->chance, size ? size : 1);
	case 6:
		return read_only;
	case 7:
	case 8:
	case 9:
	case 10:
		*good = 1;
		return f->room + ROOM - size;
	default:
		*good = 1;
		return f->room + chance(&f->chance, ROOM - size);
	}
}

static uint64_t any_budget(struct chance *c)
{
	static const uint64_t edges[] = {
		0, 1, 999, 1000, 3600000000000ull, 3600000000001ull, ~0ull, 1ull << 63,
	};

	if (!chance(c, 4))
		return edges[chance(c, sizeof(edges) / sizeof(edges[0]))];
	return 1000 + chance(c, 1 << (8 + chance(c, 16)));
}

static unsigned int any_command(struct chance *c, enum call *call)
{
	unsigned int cmd;

	*call = CALL_IOCTL;
	switch (chance(c, 4)) {
	case 0:		/* our number, another size or direction */
		cmd = _IOC(chance(c, 4), TLOB_IOCTL_MAGIC, 1 + chance(c, 3),
			   chance(c, 64));
		break;
	case 1:
		cmd = _IOC(chance(c, 4), TLOB_IOCTL_MAGIC, chance(c, 256),
			   chance(c, 1 << 14));
		break;
	case 2:
		cmd = TLOB_IOCTL_TRACE_START ^ 1u << chance(c, 32);
		break;
	default:
		cmd = chance_u64(c);
	}
	if (_IOC_TYPE(cmd) == TLOB_IOCTL_MAGIC)
		*call = CALL_MAGIC;
	if (cmd == TLOB_IOCTL_TRACE_START)
		*call = CALL_START;
	else if (cmd == TLOB_IOCTL_TRACE_STOP)
		*call = CALL_STOP;
	else if (cmd == TLOB_IOCTL_TRACE_STOP_INFO)
		*call = CALL_INFO;
	return cmd;
}

/* --- actions ----------------------------------------------------------------- */

static long ioctl_call(struct fuzzer *f, enum call call, int fd,
		       unsigned int cmd, void *arg)
{
	return count_call(call, either(f, SYS_ioctl, 54, fd, cmd, (long)arg));
}

static void act_start(struct fuzzer *f)
{
	struct tlob_start_args args = {
		.threshold_ns = any_budget(&f->chance),
		.tag = chance_u64(&f->chance),
		.flags = chance(&f->chance, 16) ? 0 : chance_u64(&f->chance),
		.pad = chance(&f->chance, 16) ? 0 : chance_u64(&f->chance),
	};
	int good, valid = !args.flags && !args.pad &&
		    args.threshold_ns >= 1000 && args.threshold_ns <= 3600000000000ull;
	void *p = any_pointer(f, sizeof(args), &good);
	long ret;

	if (good)
		memcpy(p, &args, sizeof(args));
	ret = ioctl_call(f, CALL_START, any_file(f), TLOB_IOCTL_TRACE_START, p);
	if (good && !valid && ret != -EINVAL && ret != -ERANGE && ret != -EBADF)
		fault("start of bad arguments: %ld", ret);
	if (!good && p != read_only && ret != -EFAULT && ret != -EBADF)
		fault("start from %p: %ld", p, ret);
}

static void act_stop(struct fuzzer *f)
{
	/* Its argument means nothing. */
	ioctl_call(f, CALL_STOP, any_file(f), TLOB_IOCTL_TRACE_STOP,
		   (void *)chance_u64(&f->chance));
}

static void act_info(struct fuzzer *f)
{
	struct tlob_stop_info info;
	int good;
	void *p = any_pointer(f, sizeof(info), &good);
	long ret = ioctl_call(f, CALL_INFO, any_file(f),
			      TLOB_IOCTL_TRACE_STOP_INFO, p);

	if (ret && ret != -EOVERFLOW)
		return;
	if (!good) {
		fault("info to %p: %ld", p, ret);
		return;
	}
	memcpy(&info, p, sizeof(info));
	if (info.running_ns + info.waiting_ns + info.sleeping_ns != info.elapsed_ns)
		fault("info that does not add up");
}

static void act_ioctl(struct fuzzer *f)
{
	enum call call;
	unsigned int cmd = any_command(&f->chance, &call);
	int good;
	void *p = any_pointer(f, 32, &good);

	if (good)
		memset(p, 0, 32);
	ioctl_call(f, call, any_file(f), cmd, p);
}

static void check_events(const unsigned char *p, long n)
{
	struct tlob_event e;

	for (; n >= (long)sizeof(e); n -= sizeof(e), p += sizeof(e)) {
		memcpy(&e, p, sizeof(e));
		atomic_fetch_add(&shared->events, 1);
		if (e.running_ns + e.waiting_ns + e.sleeping_ns != e.elapsed_ns ||
		    e.elapsed_ns < e.threshold_ns || e.threshold_ns < 1000 ||
		    e.threshold_ns > 3600000000000ull || !e.tid ||
		    e.flags > TLOB_EVENT_LOST)
			fault("a record that does not add up");
	}
}

static void act_read(struct fuzzer *f)
{
	static const size_t sizes[] = { 0, 1, 55, 56, 57, 111, 112, 113, 56 * 64,
					56 * 65, 16384 };
	size_t size = sizes[chance(&f->chance, sizeof(sizes) / sizeof(sizes[0]))];
	int good, i;
	unsigned char *p = any_pointer(f, size, &good);
	long ret;

	if (good)
		memset(p, 0xa5, size);
	ret = count_call(CALL_READ, either(f, SYS_read, 3, any_file(f), (long)p,
					   size));
	if (ret < 0)
		return;
	if (ret % sizeof(struct tlob_event) || (size_t)ret > size || !ret) {
		fault("read of %zu returned %ld", size, ret);
		return;
	}
	if (!good)
		return;		/* as many as could be written */
	check_events(p, ret);
	for (i = ret; i < (int)size; i++)
		if (p[i] != 0xa5) {
			fault("read of %zu returned %ld and wrote at %d", size, ret, i);
			break;
		}
}

static void act_readv(struct fuzzer *f)
{
	struct iovec iov[4];
	int i, good, n = chance(&f->chance, 5);

	for (i = 0; i < n; i++) {
		iov[i].iov_len = chance(&f->chance, 200);
		iov[i].iov_base = any_pointer(f, iov[i].iov_len, &good);
	}
	count_call(CALL_READV, native_call(SYS_readv, any_file(f), (long)iov, n));
}

static size_t damage(struct chance *c, char *text, size_t n)
{
	size_t at = chance(c, n + 1), k = chance(c, 9);

	if (!n)
		return n;
	switch (chance(c, 5)) {
	case 0:		/* cut */
		return at;
	case 1:		/* take out */
		if (at + k > n)
			k = n - at;
		memmove(text + at, text + at + k, n - at - k);
		return n - k;
	case 2:		/* double */
		if (at + k > n)
			k = n - at;
		memmove(text + at + k, text + at, n - at);
		return n + k;
	case 3:
		text[at % n] = chance_u64(c);
		return n;
	default:
		text[at % n] ^= 1 << chance(c, 8);
		return n;
	}
}

static void act_write(struct fuzzer *f)
{
	char text[LINE_ROOM];
	size_t n = 0;
	int i, k, good;
	void *p;

	for (i = chance(&f->chance, 3); i >= 0; i--) {
		const char *line = lines[chance(&f->chance, nr_lines)];
		int whole = *line == '^';
		size_t from = n;

		n += sprintf(text + n, "%s", line + whole);
		for (k = chance(&f->chance, 4); k > 0 && !whole; k--)
			n = from + damage(&f->chance, text + from, n - from);
		text[n++] = '\n';
	}
	if (!chance(&f->chance, 64)) {
		n = LINE_ROOM - chance(&f->chance, 4096);
		memset(text, "# a"[chance(&f->chance, 3)], n);
	}
	p = any_pointer(f, n, &good);
	if (good)
		memcpy(p, text, n);
	else if (p == read_only)
		n = chance(&f->chance, PAGE);	/* zeroes, that can be read */
	count_call(CALL_WRITE, either(f, SYS_write, 4, any_file(f), (long)p, n));
}

static void act_poll(struct fuzzer *f)
{
	struct pollfd fds[3];
	int i, n = 1 + chance(&f->chance, 3);

	for (i = 0; i < n; i++)
		fds[i] = (struct pollfd){ any_file(f), chance_u64(&f->chance), 0 };
	if (poll(fds, n, chance(&f->chance, 3)) < 0) {
		count_call(CALL_OTHER, -errno);
		return;
	}
	for (i = 0; i < n; i++)
		if (fds[i].revents & ~(fds[i].events | POLLNVAL))
			fault("poll for %x: %x", fds[i].events, fds[i].revents);
}

/* Put a descriptor where another one was. */
static void exchange(struct fuzzer *f, int fd)
{
	int old;

	if (fd < 0)
		return;
	old = atomic_exchange(&files[chance(&f->chance, NR_FILES)], fd);
	if (old >= 0)
		close(old);
}

static void act_open(struct fuzzer *f)
{
	static const int modes[] = { O_RDWR, O_RDWR, O_RDWR, O_RDONLY, O_WRONLY };
	int fd = open("/dev/tlob", O_CLOEXEC | modes[chance(&f->chance, 5)] |
		      (chance(&f->chance, 4) ? O_NONBLOCK : 0));

	count_call(CALL_OPEN, fd < 0 ? -errno : 0);
	exchange(f, fd);
}

static void act_other(struct fuzzer *f)
{
	int fd = any_file(f);
	long ret = 0;
	void *p;

	switch (chance(&f->chance, 6)) {
	case 0:
		exchange(f, dup(fd));
		return;
	case 1:
		ret = lseek(fd, chance(&f->chance, 100), SEEK_SET);
		break;
	case 2:
		ret = pread(fd, f->room, 56, 0);
		break;
	case 3:
		p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		if (p != MAP_FAILED)
			fault("mapped");
		ret = p == MAP_FAILED ? -1 : 0;
		break;
	case 4:
		ret = fcntl(fd, F_SETFL, chance(&f->chance, 2) ? O_NONBLOCK : 0);
		break;
	default:
		ret = ftruncate(fd, 0);
	}
	count_call(CALL_OTHER, ret < 0 ? -errno : 0);
}

/*
 * A child that has all files too, and windows of its own. It is counted before
 * it waits to be killed.
 */
static void act_fork(struct fuzzer *f)
{
	pid_t pid;
	int i;

	pid = fork();
	if (pid < 0)
		return;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (i = chance(&f->chance, 8); i > 0; i--) {
			act_start(f);
			if (!chance(&f->chance, 3))
				act_stop(f);
		}
		if (chance(&f->chance, 2))
			_exit(0);
		kill(getpid(), SIGKILL);
	}
	atomic_fetch_add(&shared->forks, 1);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void act(struct fuzzer *f)
{
	unsigned int n = chance(&f->chance, 1000);

	if (n < 300)
		act_start(f);
	else if (n < 450)
		act_stop(f);
	else if (n < 600)
		act_info(f);
	else if (n < 700)
		act_ioctl(f);
	else if (n < 820)
		act_read(f);
	else if (n < 840)
		act_readv(f);
	else if (n < 870)
		act_write(f);
	else if (n < 900)
		act_poll(f);
	else if (n < 930)
		act_open(f);
	else if (n < 960)
		act_other(f);
	else if (n < 964)
		act_fork(f);
	fuzz_start();
	if (chance(&f->chance, 8))
		fuzz_stop();
}

static void *fuzz(void *arg)
{
	while (!atomic_load(&over))
		act(arg);
	return NULL;
}

static void on_usr1(int sig)
{
	(void)sig;
}

static unsigned char *make_room(void)
{
	unsigned char *p = mmap(NULL, ROOM + 2 * PAGE, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (p == MAP_FAILED || mprotect(p + PAGE, ROOM, PROT_READ | PROT_WRITE))
		die("mmap");
	return p + PAGE;
}

/* Whether there was some of each, however slow the machine */
static int enough(void)
{
	return shared->tally[CALL_START][0] >= 10 && shared->events &&
	       shared->forks && (!have_compat || shared->compat_calls >= 10);
}

static void report(uint64_t seed)
{
	unsigned long started, stopped;
	int call, err;

	for (call = 0; call < NR_CALLS; call++) {
		printf("%s:", call_names[call]);
		for (err = 0; err <= MAX_ERRNO; err++)
			if (shared->tally[call][err])
				printf(" %s=%lu", err ? strerrorname_np(err) ?: "?" : "0",
				       shared->tally[call][err]);
		putchar('\n');
	}
	started = shared->tally[CALL_START][0];
	/* Stopped too when the totals could not be delivered */
	stopped = shared->tally[CALL_STOP][0] + shared->tally[CALL_STOP][EOVERFLOW] +
		  shared->tally[CALL_INFO][0] + shared->tally[CALL_INFO][EOVERFLOW] +
		  shared->tally[CALL_INFO][EFAULT];
	printf("result seed=%llu started=%lu stopped=%lu unmatched_stops=%lu missed_pool=%lu events=%lu compat=%lu forks=%lu have_compat=%d faults=%lu\n",
	       (unsigned long long)seed, started, stopped,
	       shared->tally[CALL_STOP][ESRCH] + shared->tally[CALL_INFO][ESRCH],
	       shared->tally[CALL_START][ENOSPC], shared->events,
	       shared->compat_calls, shared->forks, have_compat, shared->faults);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_usr1 };
	struct timespec nap = { .tv_nsec = 3000000 }, now, end;
	unsigned int seconds = 10, threads = 4, i;
	uint64_t seed = 1;
	int opt;

	while ((opt = getopt(argc, argv, "+s:t:n:")) != -1) {
		switch (opt) {
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 't':
			seconds = atoi(optarg);
			break;
		case 'n':
			threads = atoi(optarg);
			break;
		default:
			return 2;
		}
	}
	lines = argv + optind;
	nr_lines = argc - optind;
	if (!nr_lines || threads > MAX_THREADS)
		return 2;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	read_only = mmap(NULL, PAGE, PROT_READ,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (shared == MAP_FAILED || read_only == MAP_FAILED)
		die("mmap");
	setvbuf(stdout, NULL, _IOLBF, 0);
	find_compat();
	sigaction(SIGUSR1, &sa, NULL);
	for (i = 0; i < NR_FILES; i++)
		files[i] = -1;

	for (i = 0; i < threads; i++) {
		fuzzers[i].chance = chance_stream(seed, i);
		fuzzers[i].room = make_room();
		if (pthread_create(&fuzzers[i].thread, NULL, fuzz, &fuzzers[i]))
			die("pthread_create");
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds;
	do {
		nanosleep(&nap, NULL);
		/* Who waits for a record would wait long. */
		for (i = 0; i < threads; i++)
			pthread_kill(fuzzers[i].thread, SIGUSR1);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec ||
		 (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec) ||
		 (now.tv_sec < end.tv_sec + 60 && !enough()));
	atomic_store(&over, 1);
	for (i = 0; i < threads; i++) {
		struct timespec soon;

		do {
			pthread_kill(fuzzers[i].thread, SIGUSR1);
			clock_gettime(CLOCK_REALTIME, &soon);
			soon.tv_nsec += 10000000;
			soon.tv_sec += soon.tv_nsec / 1000000000;
			soon.tv_nsec %= 1000000000;
		} while (pthread_timedjoin_np(fuzzers[i].thread, NULL, &soon));
	}
	for (i = 0; i < NR_FILES; i++)
		if (files[i] >= 0)
			close(files[i]);
	report(seed);
	return shared->faults ? 1 : 0;
}
