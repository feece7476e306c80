// SPDX-License-Identifier: GPL-2.0-only
/*
 * service - a small request server, as a thing to look at with tlob
 *
 * A listener puts requests into a queue, workers take them out. A flusher sends
 * the store to a replica now and then. Nothing in here knows of tlob. Requests
 * are quick as a rule; but
 *
 *   report	computes for long;
 *   put	takes the lock of the store, which the flusher holds for as long
 *		as its replica takes to answer;
 *   any	waits if something more urgent takes the CPU, such as an
 *		auditor, which is told of some.
 *
 * usage: service REQUESTS LOG AUDIT. AUDIT, a pipe, gets the numbers of the
 * requests to be audited. LOG gets a line for each request, by the service's own
 * clocks: number, kind, tid, when it began, how long it took, CPU time, time
 * until the lock was had, when it was had or 0, whether it was audited; and one
 * for each flush: "flush", tid, when the lock was had. All times in ns.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NR_WORKERS	3
#define PERIOD_US	5000	/* between two requests */
#define FLUSH_US	180000	/* between two flushes */
#define REPLICA_US	40000	/* that the replica takes to answer */

/* A step is about six instructions. */
#define GET_STEPS	300000
#define PUT_STEPS	200000
#define REPORT_STEPS	3000000

/* Functions of their own, as they would be in a program of more files. */
#define noinline __attribute__((noinline))

enum kind { GET, PUT, REPORT };

static const char * const kind_names[] = { "get", "put", "report" };

struct request {
	unsigned int nr;
	enum kind kind;
	int audited;
	struct request *next;
	long tid;
	uint64_t result, begin, wall, cpu, lock, locked;
};

static struct request *first, **last = &first;
static int closed;
static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue_cond = PTHREAD_COND_INITIALIZER;

static uint64_t store;
static pthread_mutex_t store_lock = PTHREAD_MUTEX_INITIALIZER;
static int to_replica[2], from_replica[2];
static int auditor;
static FILE *log_file;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

static void pause_us(unsigned int us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&ts, NULL);
}

static uint64_t compute(uint64_t x, unsigned int steps)
{
	while (steps--)
		x = (x ^ (x >> 29)) * UINT64_C(0x9e3779b97f4a7c15);
	return x;
}

/* A transaction: from txn_begin() to txn_commit() the store is ours. */

noinline void txn_begin(struct request *req)
{
	uint64_t begin = now(CLOCK_MONOTONIC);

	pthread_mutex_lock(&store_lock);
	req->locked = now(CLOCK_MONOTONIC);
	req->lock = req->locked - begin;
}

noinline void txn_commit(struct request *req)
{
	store += req->result;
	pthread_mutex_unlock(&store_lock);
}

noinline void handle_request(struct request *req)
{
	uint64_t cpu = now(CLOCK_THREAD_CPUTIME_ID);

	req->begin = now(CLOCK_MONOTONIC);
	req->audited = req->nr % 45 == 32;
	if (req->audited && dprintf(auditor, "%u\n", req->nr) < 0)
		die("auditor");
	switch (req->kind) {
	case GET:
		req->result = compute(req->nr, GET_STEPS);
		break;
	case PUT:
		txn_begin(req);
		req->result = compute(req->nr, PUT_STEPS);
		txn_commit(req);
		break;
	case REPORT:
		req->result = compute(req->nr, REPORT_STEPS);
		break;
	}
	req->wall = now(CLOCK_MONOTONIC) - req->begin;
	req->cpu = now(CLOCK_THREAD_CPUTIME_ID) - cpu;
}

static struct request *next_request(void)
{
	struct request *req;

	pthread_mutex_lock(&queue_lock);
	while (!first && !closed)
		pthread_cond_wait(&queue_cond, &queue_lock);
	req = first;
	if (req) {
		first = req->next;
		if (!first)
			last = &first;
	}
	pthread_mutex_unlock(&queue_lock);
	return req;
}

static void *worker(void *arg)
{
	struct request *req;
	char name[16];

	snprintf(name, sizeof(name), "worker-%d", (int)(intptr_t)arg);
	prctl(PR_SET_NAME, name);
	while ((req = next_request())) {
		req->tid = syscall(SYS_gettid);
		handle_request(req);
	}
	return NULL;
}

static void *flusher(void *arg)
{
	long tid = syscall(SYS_gettid);
	char ack;

	prctl(PR_SET_NAME, "flusher");
	for (;;) {
		pause_us(FLUSH_US);
		pthread_mutex_lock(&store_lock);
		fprintf(log_file, "flush %ld %" PRIu64 "\n", tid,
			now(CLOCK_MONOTONIC));
		if (write(to_replica[1], &store, sizeof(store)) != sizeof(store) ||
		    read(from_replica[0], &ack, 1) != 1)
			die("replica");
		pthread_mutex_unlock(&store_lock);
	}
	return arg;
}

static void replica(void)
{
	uint64_t copy;

	prctl(PR_SET_NAME, "replica");
	while (read(to_replica[0], &copy, sizeof(copy)) == sizeof(copy)) {
		pause_us(REPLICA_US);
		if (write(from_replica[1], "", 1) != 1)
			break;
	}
	_exit(0);
}

static enum kind kind_of(unsigned int nr)
{
	if (nr % 40 == 20)
		return REPORT;
	return nr % 6 == 3 ? PUT : GET;
}

static void listen_for(struct request *requests, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct request *req = &requests[i];

		pause_us(PERIOD_US);
		req->nr = i;
		req->kind = kind_of(i);
		pthread_mutex_lock(&queue_lock);
		*last = req;
		last = &req->next;
		pthread_cond_signal(&queue_cond);
		pthread_mutex_unlock(&queue_lock);
	}
	pthread_mutex_lock(&queue_lock);
	closed = 1;
	pthread_cond_broadcast(&queue_cond);
	pthread_mutex_unlock(&queue_lock);
}

/* Left open: the flusher may still write to it. */
static void write_log(const struct request *requests, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		const struct request *req = &requests[i];

		fprintf(log_file, "%u %s %ld %" PRIu64 " %" PRIu64 " %" PRIu64
			" %" PRIu64 " %" PRIu64 " %d\n", req->nr,
			kind_names[req->kind], req->tid, req->begin, req->wall,
			req->cpu, req->lock, req->locked, req->audited);
	}
	if (fflush(log_file) || ferror(log_file))
		die("log");
}

int main(int argc, char **argv)
{
	pthread_t workers[NR_WORKERS], thread;
	struct request *requests;
	unsigned int n;
	pid_t child;
	int i;

	if (argc != 4) {
		fprintf(stderr, "usage: service REQUESTS LOG AUDIT\n");
		return 2;
	}
	n = strtoul(argv[1], NULL, 0);
	requests = calloc(n, sizeof(*requests));
	if (!requests)
		die("calloc");
	if (pipe(to_replica) || pipe(from_replica))
		die("pipe");
	child = fork();
	if (child < 0)
		die("fork");
	if (!child)
		replica();
	log_file = fopen(argv[2], "w");
	if (!log_file)
		die(argv[2]);
	auditor = open(argv[3], O_WRONLY);
	if (auditor < 0)
		die(argv[3]);

	if (pthread_create(&thread, NULL, flusher, NULL))
		die("pthread_create");
	for (i = 0; i < NR_WORKERS; i++)
		if (pthread_create(&workers[i], NULL, worker,
				   (void *)(intptr_t)(i + 1)))
			die("pthread_create");
	listen_for(requests, n);
	for (i = 0; i < NR_WORKERS; i++)
		pthread_join(workers[i], NULL);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	write_log(requests, n);
	return 0;
}
