// SPDX-License-Identifier: GPL-2.0-only
/*
 * faults - an operation of tlob, each of its allocations failing in turn
 *
 * faults [-l] [-s STRIDE] CTL MODULE OPERATION [TEXT [UNDO]]
 *
 *   load OPTIONS		insert MODULE; it is not loaded before
 *   open FILE			open it
 *   start		open a window by /dev/tlob, the first since it was opened
 *   FILE TEXT UNDO		write TEXT to CTL/FILE; UNDO takes it back
 *   dev TEXT UNDO		the same to /dev/tlob, open before
 *
 * The first, second, ... allocation or copy that the operation makes fails,
 * until it makes fewer. Then it must have failed for want of memory, or at the
 * copy, and left everything as it was, and must succeed at once without the
 * fault; or it got along without, and everything is as without the fault. -l
 * lists each failure; -s leaves out all but one in STRIDE behind the first 16, by
 * chance.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../include/uapi/linux/tlob.h"
#include "common.h"

#define NTH	"/proc/thread-self/fail-nth"
#define OUR_NTH	"/sys/module/tlob_fail/parameters/nth"	/* taken if it is there */
#define DEBUGFS	"/sys/kernel/debug/tlob"	/* if RV does not take it */
#define MANY	20000

static const char *ctl, *module, *op, *text = "", *undo = "";
static const char * const state_files[] = { "enable", "bindings", "stats", "inflight" };
static char state_before[1 << 16], state_now[1 << 16], state_done[1 << 16];
static int opened = -1, nth_fd, module_fd;
static struct tlob_start_args start = { .threshold_ns = 3600000000000 };
static unsigned int faults;

/* --- the state --------------------------------------------------------------- */

/* Where the control files are, if there are any */
static const char *files_dir(void)
{
	return access(ctl, F_OK) && !access(DEBUGFS, F_OK) ? DEBUGFS : ctl;
}

/*
 * Whether files are missing as they may after a load: in debugfs all of them, with
 * their directory; in RV's, where what there is stays, as RV's own do, any.
 */
static int may_lack_files(void)
{
	static const char * const own[] = { "bindings", "error_log", "hist",
					    "inflight", "monitor", "stats" };
	size_t i, n = sizeof(own) / sizeof(own[0]), missing = 0;
	const char *dir = files_dir();
	char path[PATH_MAX];

	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, own[i]);
		missing += !!access(path, F_OK);
	}
	return strcmp(dir, DEBUGFS) ? missing : missing == n && access(dir, F_OK);
}

/* What is left of them; RV's own files end in one. */
static size_t without_nuls(char *buf, size_t len)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++)
		if (buf[i])
			buf[n++] = buf[i];
	return n;
}

static void read_state(char *buf)
{
	const char *dir = files_dir();
	char path[PATH_MAX];
	size_t n = 0, i;
	ssize_t got;
	int fd;

	/* The kernel goes without the node of a device if there is no memory for it. */
	n += sprintf(buf, "%d%d%d\n", !access("/sys/module/tlob", F_OK),
		     !access("/sys/class/misc/tlob", F_OK),
		     access("/sys/module/tlob", F_OK) && !access("/dev/tlob", F_OK));
	for (i = 0; i < sizeof(state_files) / sizeof(state_files[0]); i++) {
		/* A window that was counted stays so. */
		if (!strcmp(op, "start") && !strcmp(state_files[i], "stats"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, state_files[i]);
		fd = open(path, O_RDONLY);
		n += sprintf(buf + n, "%s: %s\n", state_files[i],
			     fd < 0 ? strerrorname_np(errno) : "");
		while (fd >= 0 && (got = read(fd, buf + n, sizeof(state_now) - n - 200)) > 0)
			n += without_nuls(buf + n, got);
		buf[n] = '\0';
		if (fd >= 0)
			close(fd);
	}
}

static void check_state(unsigned int nth, const char *when, const char *wanted)
{
	read_state(state_now);
	/* Where RV has it, a load goes without /dev/tlob rather than fail: see README. */
	if (wanted == state_done && !strcmp(op, "load") && strcmp(files_dir(), DEBUGFS) &&
	    state_now[0] == '1')
		state_now[1] = wanted[1];
	/* Loaded, it may have no control files; an open window grows older. */
	if (wanted == state_done && !strncmp(state_now, wanted, 4) &&
	    (!strcmp(op, "start") || (!strcmp(op, "load") && may_lack_files())))
		return;
	if (!strcmp(state_now, wanted))
		return;
	if (faults++ < 5)
		printf("fault %u: the state %s:\n%sbut it was:\n%s", nth, when,
		       state_now, wanted);
}

/* --- the operation ----------------------------------------------------------- */

static int write_text(int fd, const char *what)
{
	size_t len = strlen(what);
	ssize_t n = write(fd, what, len);

	return n < 0 ? -errno : n == (ssize_t)len ? 0 : -EIO;
}

/* What is opened before, so that none of it fails. */
static int prepare(void)
{
	char path[PATH_MAX];
	int fd;

	if (!strcmp(op, "load"))
		return module_fd;
	if (!strcmp(op, "open"))
		return -1;
	snprintf(path, sizeof(path), "%s/%s", ctl, op);
	fd = open(!strcmp(op, "dev") || !strcmp(op, "start") ? "/dev/tlob" : path, O_RDWR);
	if (fd < 0)
		die(op);
	return fd;
}

static int perform(int fd)
{
	if (!strcmp(op, "load"))
		return syscall(SYS_finit_module, fd, text, 0) ? -errno : 0;
	if (!strcmp(op, "open")) {
		opened = open(text, O_RDONLY | O_CLOEXEC);
		return opened < 0 ? -errno : 0;
	}
	if (!strcmp(op, "start"))
		return ioctl(fd, TLOB_IOCTL_TRACE_START, &start) ? -errno : 0;
	return write_text(fd, text);
}

static void finish(int fd)
{
	if (fd >= 0 && fd != module_fd)
		close(fd);
}

static void take_back(int fd)
{
	int ret = 0, tries;

	if (!strcmp(op, "load")) {
		for (tries = 0; tries < 1000; tries++) {
			ret = syscall(SYS_delete_module, "tlob", 0) ? -errno : 0;
			if (ret != -EBUSY && ret != -EAGAIN)
				break;
			usleep(1000);
		}
	} else if (!strcmp(op, "open")) {
		close(opened);
	} else if (!strcmp(op, "start")) {
		ret = ioctl(fd, TLOB_IOCTL_TRACE_STOP) ? -errno : 0;
	} else {
		ret = write_text(fd, undo);
	}
	if (ret) {
		printf("it cannot be taken back: %s\n", strerrorname_np(-ret));
		exit(1);
	}
}

/* --- the faults -------------------------------------------------------------- */

static void set_nth(unsigned int nth)
{
	char number[16];
	int len = sprintf(number, "%u", nth);

	/* To take it back may be what fails. */
	if (pwrite(nth_fd, number, len, 0) != len &&
	    pwrite(nth_fd, number, len, 0) != len)
		die(NTH);
}

/* Whether it was reached. If this read fails, that was it. */
static int was_reached(void)
{
	char number[16] = "";

	return pread(nth_fd, number, sizeof(number) - 1, 0) > 0 && !atoi(number);
}

int main(int argc, char **argv)
{
	unsigned int memory = 0, copies = 0, survived = 0, list = 0, stride = 1;
	unsigned int nth, points = 0, skip;
	int opt, fd, ret, reached;

	while ((opt = getopt(argc, argv, "+ls:")) != -1) {
		switch (opt) {
		case 'l':
			list = 1;
			break;
		case 's':
			stride = atoi(optarg);
			break;
		default:
			return 2;
		}
	}
	if (!stride || argc - optind < 3)
		return 2;
	ctl = argv[optind];
	module = argv[optind + 1];
	op = argv[optind + 2];
	if (argc - optind > 3)
		text = argv[optind + 3];
	if (argc - optind > 4)
		undo = argv[optind + 4];
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (getenv("SEED"))
		srand(atoi(getenv("SEED")));
	module_fd = open(module, O_RDONLY);
	nth_fd = open(OUR_NTH, O_RDWR);
	if (nth_fd < 0)
		nth_fd = open(NTH, O_RDWR);
	if (module_fd < 0 || nth_fd < 0)
		die(nth_fd < 0 ? NTH : module);

	/* What is done once, is done. */
	fd = prepare();
	if (perform(fd))
		die(op);
	read_state(state_done);
	take_back(fd);
	finish(fd);

	skip = rand() % stride;
	for (nth = 1; nth < MANY && faults < 5; nth++) {
		if (nth > 16 && (nth + skip) % stride)
			continue;
		fd = prepare();
		read_state(state_before);
		set_nth(nth);
		ret = perform(fd);
		reached = was_reached();
		set_nth(0);
		if (list && reached)
			printf("%u: %s\n", nth, ret ? strerrorname_np(-ret) : "0");
		if (!ret) {
			survived += reached;
			check_state(nth, "when it got along without", state_done);
		} else {
			if (!reached || (ret != -ENOMEM && ret != -EFAULT)) {
				printf("fault %u: it failed with %s\n", nth,
				       strerrorname_np(-ret));
				faults++;
			}
			memory += ret == -ENOMEM;
			copies += ret == -EFAULT;
			check_state(nth, "after the failure", state_before);
			ret = perform(fd);
			if (ret) {
				printf("fault %u: then it fails with %s\n", nth,
				       strerrorname_np(-ret));
				return 1;
			}
		}
		take_back(fd);
		check_state(nth, "when it was taken back", state_before);
		finish(fd);
		if (!reached)
			break;
		points++;
	}
	printf("result points=%u memory=%u copies=%u survived=%u faults=%u\n",
	       points, memory, copies, survived, faults);
	return faults || nth == MANY;
}
