// SPDX-License-Identifier: GPL-2.0-only
/*
 * section - a program with marked sections, driven by its arguments
 *
 * Every argument is a step; steps run from left to right:
 *
 *   start stop start2 stop2 start3 stop3   call the function that marks it
 *   spin:N                                 count
 *   pipe:US futex:US                       block until a helper thread wakes us
 *   disk:PATH                              one O_DIRECT read of 64 KiB
 *   map:PATH                               map a program, and touch none of it
 *   hog:US                                 a SCHED_FIFO thread takes this CPU
 *   ptstop:US                              another process stops us by ptrace
 *   call[:N] { ... }                       run steps N calls deep in sec_call()
 *   catch { ... } jump                     setjmp around steps, longjmp out
 *   deeper { ... }                         run steps lower on the stack
 *   alternate:N                            two threads, one window at a time
 *   vfork:PATH
 *   badelf:PATH                            writes what fails late in exec
 *   texit kill:SIG handler:SIG:US timer:US
 *   peek                                   print the first byte of sec_start()
 *   offsets                                print where in the file the marks are
 *   switchcost:N                           ns per switch of two FIFO processes,
 *                                          if they took turns N times
 *
 * and those of steps.h.
 *
 * The clock readings around the marks are printed when the program ends.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "steps.h"

probed void sec_start(void)
{
	asm volatile("nop" ::: "memory");
}

probed void sec_stop(void)
{
	asm volatile("nop\n\tnop" ::: "memory");
}

probed void sec2_start(void)
{
	asm volatile("nop\n\tnop\n\tnop" ::: "memory");
}

probed void sec2_stop(void)
{
	asm volatile("nop\n\tnop\n\tnop\n\tnop" ::: "memory");
}

probed void sec3_start(void)
{
	asm volatile("nop\n\tnop\n\tnop\n\tnop\n\tnop" ::: "memory");
}

probed void sec3_stop(void)
{
	asm volatile("nop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop" ::: "memory");
}

static const struct {
	const char *name;
	void (*fn)(void);
} marks[] = {
	{ "start", sec_start },
	{ "stop", sec_stop },
	{ "start2", sec2_start },
	{ "stop2", sec2_stop },
	{ "start3", sec3_start },
	{ "stop3", sec3_stop },
};

#define MAX_RECORDS	256
#define DISK_BLOCK	(64 * 1024)

struct record {
	const char *name;
	long tid;
	uint64_t before, after;
};

struct request {
	atomic_int seq;		/* raised to ask, the helper waits on it */
	atomic_int done;	/* raised by the helper */
	unsigned int us;
	int by_pipe;
};

static struct record records[MAX_RECORDS];
static atomic_uint nr_records;
static struct request waker, hog;
static int waker_pipe[2];
static unsigned int handler_us;

static int first_cpu(void)
{
	cpu_set_t set;
	int cpu = 0;

	if (sched_getaffinity(0, sizeof(set), &set))
		die("sched_getaffinity");
	while (cpu < CPU_SETSIZE && !CPU_ISSET(cpu, &set))
		cpu++;
	return cpu;
}

static void mark_now(unsigned int which)
{
	unsigned int i;
	uint64_t before = now();

	marks[which].fn();
	i = atomic_fetch_add(&nr_records, 1);
	if (i < MAX_RECORDS)
		records[i] = (struct record){ marks[which].name,
			syscall(SYS_gettid), before, now() };
}

static void print_records(void)
{
	unsigned int i, nr = atomic_load(&nr_records);

	for (i = 0; i < nr && i < MAX_RECORDS; i++)
		printf("%s tid=%ld before=%llu after=%llu\n", records[i].name,
		       records[i].tid, (unsigned long long)records[i].before,
		       (unsigned long long)records[i].after);
	fflush(stdout);
}

/* Helper threads wait for a request, so that asking costs next to nothing. */

static void request(struct request *rq, unsigned int us)
{
	rq->us = us;
	atomic_fetch_add(&rq->seq, 1);
	futex_wake(&rq->seq);
}

static atomic_int helpers;	/* that are about to wait */

static void *waker_thread(void *arg)
{
	int seen = 0;

	prctl(PR_SET_NAME, "waker");
	atomic_fetch_add(&helpers, 1);
	for (;;) {
		while (atomic_load(&waker.seq) == seen)
			futex_wait(&waker.seq, seen);
		seen++;
		snooze(waker.us);
		if (waker.by_pipe) {
			if (write(waker_pipe[1], "x", 1) != 1)
				die("write");
		} else {
			atomic_fetch_add(&waker.done, 1);
			futex_wake(&waker.done);
		}
	}
	return arg;
}

static void *hog_thread(void *arg)
{
	int seen = 0;

	prctl(PR_SET_NAME, "hog");
	set_fifo(50);	/* on the CPU of the main thread */
	atomic_fetch_add(&helpers, 1);
	for (;;) {
		while (atomic_load(&hog.seq) == seen)
			futex_wait(&hog.seq, seen);
		seen++;
		busy(hog.us);
	}
	return arg;
}

static void step_pipe(unsigned int us)
{
	char c;

	waker.by_pipe = 1;
	request(&waker, us);
	if (read(waker_pipe[0], &c, 1) != 1)
		die("read");
}

static void step_futex(unsigned int us)
{
	int old = atomic_load(&waker.done);

	waker.by_pipe = 0;
	request(&waker, us);
	while (atomic_load(&waker.done) == old)
		futex_wait(&waker.done, old);
}

static void step_disk(const char *path)
{
	static void *buf;
	int fd = open(path, O_RDONLY | O_DIRECT);

	if (fd < 0)
		die(path);
	if (!buf && posix_memalign(&buf, 4096, DISK_BLOCK))
		die("posix_memalign");
	if (read(fd, buf, DISK_BLOCK) != DISK_BLOCK)
		die("O_DIRECT read");
	close(fd);
}

static void step_map(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die(path);
	if (mmap(NULL, st.st_size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		die("mmap");
	close(fd);
}

/* The tracer is a child: it stops this thread where it spins. */
static void step_ptstop(unsigned int us)
{
	atomic_int *done = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t me = getpid(), pid;

	if (done == MAP_FAILED)
		die("mmap");
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	pid = fork();
	if (!pid) {
		if (ptrace(PTRACE_SEIZE, me, 0, 0) ||
		    ptrace(PTRACE_INTERRUPT, me, 0, 0))
			die("ptrace");
		if (waitpid(me, NULL, __WALL) != me)
			die("waitpid");
		snooze(us);
		atomic_store(done, 1);
		if (ptrace(PTRACE_DETACH, me, 0, 0))
			die("PTRACE_DETACH");
		_exit(0);
	}
	while (!atomic_load(done))
		;
	waitpid(pid, NULL, 0);
}

probed void sec_call(int depth, int from, int to)
{
	asm volatile("nop\n\tnop" ::: "memory");
	if (depth > 1)
		sec_call(depth - 1, from, to);
	else
		run(from, to);
	asm volatile("nop" ::: "memory");
}

static probed void deeper(int from, int to)
{
	volatile char room[8192];

	room[0] = room[sizeof(room) - 1] = 0;
	run(from, to);
	room[1] = 0;
}

static __thread jmp_buf *catcher;

static probed void catch(int from, int to)
{
	jmp_buf here, *outer = catcher;

	if (!setjmp(here)) {
		catcher = &here;
		run(from, to);
	}
	catcher = outer;
}

/* Two threads take turns, a window is only ever open on one of them. */
static atomic_int turn;
static int turns;

static void *alternate_thread(void *arg)
{
	int me = !!arg, t;

	for (;;) {
		while (((t = atomic_load(&turn)) & 1) != me)
			futex_wait(&turn, t);
		if (t >= turns)
			break;
		sec_start();
		sec_stop();
		atomic_fetch_add(&turn, 1);
		futex_wake(&turn);
	}
	atomic_fetch_add(&turn, 1);
	futex_wake(&turn);
	return NULL;
}

static void step_alternate(int n)
{
	pthread_t a, b;

	turns = n;
	pthread_create(&a, NULL, alternate_thread, NULL);
	pthread_create(&b, NULL, alternate_thread, &turns);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
}

/*
 * A static ELF whose only segment lies in the kernel's half: refused when it
 * is mapped, that is after the point of no return of execve().
 */
static void step_badelf(const char *path)
{
	struct {
		Elf64_Ehdr eh;
		Elf64_Phdr ph;
	} img = {
		.eh = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3,
				     ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_entry = 0xffff800000001000,
			.e_phoff = sizeof(Elf64_Ehdr),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 1,
		},
		.ph = {
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_X,
			.p_vaddr = 0xffff800000000000,
			.p_paddr = 0xffff800000000000,
			.p_filesz = 4096,
			.p_memsz = 4096,
			.p_align = 4096,
		},
	};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	if (fd < 0 || write(fd, &img, sizeof(img)) != sizeof(img) ||
	    ftruncate(fd, 8192))
		die(path);
	close(fd);
}

static void on_signal(int sig)
{
	(void)sig;
	busy(handler_us);
}

static long switches(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_nvcsw + usage.ru_nivcsw;
}

static void step_switchcost(int n)
{
	uint64_t t0, t1;
	long before;
	pid_t pid;
	int i;

	set_cpu(0);
	set_fifo(50);
	pid = fork();
	if (!pid) {
		for (i = 0; i < n + 1000; i++)
			sched_yield();
		_exit(0);
	}
	for (i = 0; i < 500; i++)
		sched_yield();
	before = switches();
	t0 = now();
	for (i = 0; i < n; i++)
		sched_yield();
	t1 = now();
	/* Not while the other waited for somebody whom FIFO tasks keep out. */
	if (switches() - before >= n)
		printf("switch_tenths=%llu\n",
		       (unsigned long long)(10 * (t1 - t0) / (2ull * n)));
	waitpid(pid, NULL, 0);
}

/* Of the segment that a place is in; the program is the first object. */
static int file_offset(struct dl_phdr_info *info, size_t size, void *arg)
{
	uintptr_t *place = arg, in;
	int i;

	(void)size;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const Elf64_Phdr *ph = &info->dlpi_phdr[i];

		in = *place - info->dlpi_addr - ph->p_vaddr;
		if (ph->p_type == PT_LOAD && in < ph->p_filesz) {
			*place = ph->p_offset + in;
			return 1;
		}
	}
	return -1;
}

static void print_offset(const char *name, uintptr_t place)
{
	if (dl_iterate_phdr(file_offset, &place) < 0) {
		fprintf(stderr, "%s is not in the file\n", name);
		exit(2);
	}
	printf("offset %s=0x%lx\n", name, (unsigned long)place);
}

static void step_offsets(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		print_offset(marks[i].name, (uintptr_t)marks[i].fn);
	print_offset("call", (uintptr_t)sec_call);
}

static int step(const char *word, const char *arg)
{
	long n = arg ? atol(arg) : 0;
	unsigned int i;

	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (is(marks[i].name)) {
			mark_now(i);
			return 0;
		}
	}
	if (!common_step(word, arg))
		return 0;
	if (is("spin")) {
		while (n--)
			asm volatile("");
	} else if (is("pipe")) {
		step_pipe(n);
	} else if (is("futex")) {
		step_futex(n);
	} else if (is("map")) {
		step_map(arg);
	} else if (is("disk")) {
		step_disk(arg);
	} else if (is("hog")) {
		request(&hog, n);
	} else if (is("ptstop")) {
		step_ptstop(n);
	} else if (is("jump")) {
		longjmp(*catcher, 1);
	} else if (is("alternate")) {
		step_alternate(n);
	} else if (is("vfork")) {
		pid_t pid = vfork();

		if (!pid) {
			execl(arg, arg, (char *)NULL);
			_exit(127);
		}
	} else if (is("badelf")) {
		step_badelf(arg);
	} else if (is("texit")) {
		syscall(SYS_exit, 0);
	} else if (is("kill")) {
		kill(getpid(), n);
	} else if (is("handler")) {
		handler_us = atol(strchr(arg, ':') + 1);
		signal(n, on_signal);
	} else if (is("timer")) {
		struct itimerval it = { .it_value.tv_usec = n };

		setitimer(ITIMER_REAL, &it, NULL);
	} else if (is("peek")) {
		printf("peek=%02x\n", *(volatile unsigned char *)sec_start);
		fflush(stdout);
	} else if (is("offsets")) {
		step_offsets();
	} else if (is("switchcost")) {
		step_switchcost(n);
	} else {
		return -1;
	}
	return 0;
}

static int step_block(const char *word, const char *arg, int from, int to)
{
	if (is("call"))
		sec_call(arg ? atol(arg) : 1, from, to);
	else if (is("catch"))
		catch(from, to);
	else if (is("deeper"))
		deeper(from, to);
	else
		return common_block(word, arg, from, to);
	return 0;
}

static void run(int from, int to)
{
	char word[32], *arg;
	int i, end;

	for (i = from; i < to; i++) {
		snprintf(word, sizeof(word), "%s", tokens[i]);
		word[strcspn(word, ":")] = '\0';
		arg = strchr(tokens[i], ':');
		if (arg)
			arg++;
		if (i + 1 < to && !strcmp(tokens[i + 1], "{")) {
			end = block_end(i + 1, to);
			if (step_block(word, arg, i + 2, end))
				unknown_step(word);
			i = end;
		} else if (step(word, arg)) {
			unknown_step(word);
		}
	}
}

int main(int argc, char **argv)
{
	int i, want_waker = 0, want_hog = 0;
	pthread_t t;

	tokens = argv;
	for (i = 1; i < argc; i++) {
		want_waker |= !strncmp(argv[i], "pipe:", 5) ||
			      !strncmp(argv[i], "futex:", 6);
		want_hog |= !strncmp(argv[i], "hog:", 4);
	}
	if (pipe(waker_pipe))
		die("pipe");
	if (want_waker && pthread_create(&t, NULL, waker_thread, NULL))
		die("pthread_create");
	if (want_hog) {
		set_cpu(first_cpu());
		if (pthread_create(&t, NULL, hog_thread, NULL))
			die("pthread_create");
	}
	while (atomic_load(&helpers) < want_waker + want_hog)
		snooze(1000);
	if (want_waker || want_hog)
		snooze(1000);
	run(1, argc);
	print_records();
	return 0;
}
