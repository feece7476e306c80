#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up
# timeout: 300
#
# /dev/tlob: windows that a program opens on itself, their overruns as records,
# how they end, and the lines of `monitor` written to it.

. "$(dirname "$0")/lib.sh"

DEV=$BIN/dev

# dev STEP...: run the program; its output is in $OUT
dev()
{
	OUT=$("$DEV" "$@" 2>&1)
}

# says LINE...: what the program printed, without what is behind a blank
says()
{
	eq "results" "$(sed 's/ .*//' <<< "$OUT" | xargs)" "$*"
}

# line PREFIX [NTH]: a line of $OUT
line()
{
	grep "^$1" <<< "$OUT" | sed -n "${2:-1}p"
}

base()
{
	count_from dev
}

dev_stats()
{
	grew dev "$@"
}

node()
{
	eq "type and mode" "$(stat -c '%F %a %u' /dev/tlob)" "character special file 600 0"
}

# To open it takes no lock of ours, as all misc devices wait for one that opens. A
# binding waits for a slow disk: for the instruction in a file that is mapped.
open_while_binding()
{
	local line="p:w $T/fs/prog:$START $STOP threshold=1s" binding stats

	truncate -s 4M "$T/image"
	mke2fs -q -F -t ext4 "$T/image" || skip "no mke2fs"
	slow_disk "$T/image" 1024
	mkdir "$T/fs"
	mount "$DISK" "$T/fs" || skip "no ext4"
	defer "echo '-*' > $CTL/monitor; umount $T/fs"
	cp "$SEC" "$T/fs/prog"
	sync
	echo 3 > /proc/sys/vm/drop_caches
	bg map:"$T/fs/prog" ready wait
	await
	in_slow_group "$BIN/wr" "$CTL/monitor" <<< "$line" > "$T/got" &
	binding=$!
	sleep 0.5
	cat "$CTL/stats" > /dev/null &
	stats=$!
	sleep 0.2
	dev open:a close:a
	says open=0 close=0
	kill -0 $binding 2> /dev/null || fail "the binding did not wait for the disk"
	kill -0 $stats 2> /dev/null || fail "stats did not wait for the binding"
	wait $binding $stats
	eq "the binding" "$(<"$T/got")" $((${#line} + 1))
	bind "-:w"
	go
	finish
}

in_budget()
{
	base
	dev open:a start:a:20000000:7 busy:2000 sleep:5000 stop:a start:a:20000000 stop:a close:a
	says open=0 start=0 stop=0 start=0 stop=0 close=0
	dev_stats started=2 stopped=2 violations=0 cancelled=0
	check_reports 0
}

over_budget()
{
	base
	dev open:a start:a:5000000:0xabcdef0123456789 sleep:20000 stop:a
	says open=0 start=0 stop=-EOVERFLOW
	dev_stats started=1 stopped=1 violations=1
	check_reports 1
	D=$(events detail_env_tlob)
	eq "binding" "$(fld "$D" binding)" dev:0xabcdef0123456789
	eq "binding of done" "$(fld "$(events done_tlob)" binding)" dev:0xabcdef0123456789
	eq "threshold_ns" "$(fld "$D" threshold_ns)" 5000000
	eq "comm" "$(fld "$D" comm)" dev
	eq "state" "$(fld "$D" state)" sleeping
	between "elapsed_ns" "$(fld "$D" elapsed_ns)" 5000000 6000000
}

# The totals of STOP_INFO, of done_tlob and of `stats` are the same numbers.
stop_info()
{
	local i key

	base
	dev fifo:70 open:a start:a:3600000000000 busy:3000 sleep:5000 info:a \
		start:a:2000000 busy:1000 sleep:4000 info:a
	says open=0 start=0 info=0 start=0 info=-EOVERFLOW
	for i in 1 2; do
		sums_to_elapsed "$(line info "$i")"
	done
	between "running_ns" "$(fld "$(line info 1)" running_ns)" 3000000 4000000
	between "sleeping_ns" "$(fld "$(line info 1)" sleeping_ns)" 4900000 6000000
	for key in elapsed_ns running_ns waiting_ns sleeping_ns; do
		eq "$key of done" "$(fld "$(events done_tlob)" $key)" "$(fld "$(line info 2)" $key)"
		eq "$key of stats" "$(grown dev "${key/elapsed/sum}")" \
			$(($(fld "$(line info 1)" $key) + $(fld "$(line info 2)" $key)))
	done
	check_reports 1
}

errors_of_start()
{
	base
	dev open:a start:a:999 start:a:1000 stop:a start:a:0 start:a:3600000000001 \
		start:a:3600000000000 stop:a start:a:0xffffffffffffffff \
		start:a:5000000:1:1:0 start:a:5000000:1:0:1 start:a:5000000:1:0x80000000:0 \
		badstart:a stop:a
	says open=0 start=-ERANGE start=0 "$(line stop | sed 's/ .*//')" start=-ERANGE start=-ERANGE \
		start=0 stop=0 start=-ERANGE \
		start=-EINVAL start=-EINVAL start=-EINVAL badstart=-EFAULT stop=-ESRCH
	dev_stats started=2 stopped=2 unmatched_stops=1
}

already()
{
	base
	dev fifo:70 open:a start:a:5000000:1 sleep:2000 start:a:1000:2 sleep:1000 info:a
	says open=0 start=0 start=-EALREADY info=0
	# The first one went on as if nothing had been.
	between "elapsed_ns" "$(fld "$(line info)" elapsed_ns)" 3000000 $((3500000 + 1000000 * SLOW))
	dev_stats started=1 stopped=1 restarted=0 violations=0
}

errors_of_stop()
{
	base
	dev open:a stop:a info:a start:a:5000000 stop:a stop:a info:a badinfo:a
	says open=0 stop=-ESRCH info=-ESRCH start=0 stop=0 stop=-ESRCH info=-ESRCH badinfo=-ESRCH
	dev_stats started=1 stopped=1 unmatched_stops=5
}

# Where the totals cannot be copied, the stop is done nevertheless.
info_efault()
{
	base
	dev open:a start:a:500000000 busy:1000 badinfo:a stop:a start:a:1000000 busy:3000 badinfo:a stop:a
	says open=0 start=0 badinfo=-EFAULT stop=-ESRCH start=0 badinfo=-EFAULT stop=-ESRCH
	dev_stats started=2 stopped=2 violations=1 unmatched_stops=2
}

other_ioctls()
{
	# Nothing, TCGETS, ours with another number, direction or size
	dev open:a ioctl:a:0 ioctl:a:0x5401 ioctl:a:0xb904 ioctl:a:0xb901 \
		ioctl:a:0x4010b901 ioctl:a:0x8018b901 ioctl:a:0x8020b902
	says open=0 ioctl=-ENOTTY ioctl=-ENOTTY ioctl=-ENOTTY ioctl=-ENOTTY \
		ioctl=-ENOTTY ioctl=-ENOTTY ioctl=-ENOTTY
}

disabled()
{
	base
	echo 0 > "$CTL/enable"
	dev open:a start:a:5000000 stop:a
	says open=0 start=-ENODEV stop=-ESRCH
	dev_stats started=0
	echo 1 > "$CTL/enable"
}

# The descriptor stays good; the windows are gone.
disabled_in_window()
{
	base
	bg_exec "$DEV" open:a threads:3 { start:a:1000000000 hold stop:a } settle:3 start:a:1000000000 \
		ready wait stop:a release join start:a:1000000000 ready wait start:a:1000000000 stop:a
	await
	eq "windows" "$(grep -c 'binding=dev' "$CTL/inflight")" 4
	echo 0 > "$CTL/enable"
	eq "inflight" "$(<"$CTL/inflight")" ""
	go
	await
	echo 1 > "$CTL/enable"
	sleep 1.2
	go
	finish
	OUT=$(grep -v ready <<< "$OUT")
	says open=0 start=0 start=0 start=0 start=0 stop=-ESRCH stop=-ESRCH stop=-ESRCH stop=-ESRCH \
		start=-ENODEV start=0 stop=0
	dev_stats started=5 stopped=1 cancelled=4 violations=0
}

no_more_windows()
{
	tlob_reload max_monitored=2
	base
	dev open:a open:b open:c start:a:1000000000 start:b:1000000000 start:c:1000000000 \
		stop:a start:c:1000000000 stop:b stop:c
	says open=0 open=0 open=0 start=0 start=0 start=-ENOSPC stop=0 start=0 stop=0 stop=0
	dev_stats started=3 stopped=3 missed_pool=1
}

# poll() wakes at the deadline, not before, and while the worker still hangs.
poll_wakes()
{
	# The first start of a file attaches, which takes a while.
	dev fifo:70 open:a start:a:3600000000000 stop:a \
		thread { start:a:30000000:5 sleep:100000 info:a } poll:a:10 poll:a:1000 poll:a:0 \
		read:a:56 poll:a:0 join
	says open=0 start=0 stop=0 start=0 poll=0 poll=1 poll=1 read=56 event poll=0 info=-EOVERFLOW
	between "us in the first poll" "$(fld "$(line poll=0)" us)" 9900 11500
	between "us in the second poll" "$(fld "$(line poll=1)" us)" 15000 $((19000 + 2000 * SLOW))
	eq "revents" "$(fld "$(line poll=1)" revents)" 0x1
	eq "tid of the event" "$(fld "$(line event)" tid)" "$(fld "$(line info)" tid)"
	eq "tag" "$(fld "$(line event)" tag)" 0x5
	eq "flags" "$(fld "$(line event)" flags)" 0
	eq "threshold_ns" "$(fld "$(line event)" threshold_ns)" 30000000
	between "elapsed_ns" "$(fld "$(line event)" elapsed_ns)" 30000000 31000000
	sums_to_elapsed "$(line event)"
	eq "elapsed_ns of the trace event" "$(fld "$(events detail_env_tlob)" elapsed_ns)" \
		"$(fld "$(line event)" elapsed_ns)"
	ge "sleeping_ns" "$(fld "$(line event)" sleeping_ns)" 28000000
}

# An overrun that the stop is the first to see is an event all the same.
poll_after_the_stop()
{
	dev open:a start:a:1000:1 busy:2000 stop:a poll:a:0 read:a:56 start:a:500000000 stop:a poll:a:0
	says open=0 start=0 stop=-EOVERFLOW poll=1 read=56 event start=0 stop=0 poll=0
}

# In budget: no event, whatever the thread does.
poll_in_budget()
{
	dev open:a thread { loop:5 { start:a:20000000 sleep:5000 stop:a } } poll:a:100 join
	eq "poll" "$(line poll | sed 's/ .*//')" poll=0
}

# Another file's windows, and another binding's, are not told here.
poll_own_file_only()
{
	local -A OFF

	offsets_of "$DEV"
	bind "p:w $DEV:${OFF[dev_mark]} ${OFF[dev_unmark]} threshold=2ms"
	dev open:a open:b:nonblock start:a:2000000 mark busy:5000 unmark stop:a poll:b:0 read:b:560 \
		poll:a:0 read:a:560
	says open=0 open=0 start=0 stop=-EOVERFLOW poll=0 read=-EAGAIN poll=1 read=56 event
	check_reports 2
}

read_sizes()
{
	dev open:a:nonblock read:a:56 read:a:55 read:a:0 \
		loop:5 { start:a:1000:+ busy:20 stop:a } read:a:55 read:a:140 read:a:56 read:a:1000 read:a:1000
	OUT=$(grep -v -e start -e stop <<< "$OUT")
	says open=0 read=-EAGAIN read=-EINVAL read=-EINVAL read=-EINVAL read=112 event event \
		read=56 event read=112 event event read=-EAGAIN
	eq "tags" "$(grep -o 'tag=[^ ]*' <<< "$OUT" | xargs)" "tag=0x0 tag=0x1 tag=0x2 tag=0x3 tag=0x4"
}

# A blocking read wakes at the overrun, and gives what there is.
read_blocks()
{
	dev fifo:70 open:a start:a:3600000000000 stop:a \
		thread { start:a:30000000:9 sleep:100000 stop:a } read:a:560 join
	says open=0 start=0 stop=0 start=0 read=56 event stop=-EOVERFLOW
	between "us in read" "$(fld "$(line read)" us)" 28000 31000
}

read_is_interrupted()
{
	dev open:a timer:20000 read:a:56
	says open=0 read=-EINTR
	between "us in read" "$(fld "$(line read)" us)" 19000 22000
}

# 64 events queue; what is beyond is dropped, and the next one says so.
queue_is_full()
{
	local tags

	base
	dev open:a:nonblock loop:70 { start:a:1000:+ busy:20 stop:a } read:a:560 \
		loop:2 { start:a:1000:+ busy:20 stop:a } read:a:65536 read:a:56 start:a:1000:+ busy:20 stop:a read:a:56
	OUT=$(grep -v -e start -e stop <<< "$OUT")
	eq "reads" "$(grep -o '^read=[^ ]*' <<< "$OUT" | xargs)" \
		"read=560 read=$((56 * 56)) read=-EAGAIN read=56"
	tags=$(sed -n 's/^event .*flags=\([0-9]*\) tag=\([^ ]*\).*/\2:\1/p' <<< "$OUT" | xargs)
	eq "tags and flags" "$tags" \
		"$(for ((i = 0; i < 64; i++)); do printf '0x%x:0 ' "$i"; done)0x46:1 0x47:0 0x48:0"
	dev_stats started=73 stopped=73 violations=73
	check_reports 73
}

# Dropped while full, then none dropped: the flag is on the first one only.
lost_again()
{
	dev open:a:nonblock loop:65 { start:a:1000:+ busy:20 stop:a } read:a:3584 \
		loop:66 { start:a:1000:+ busy:20 stop:a } read:a:65536 start:a:1000:+ busy:20 stop:a read:a:56
	eq "flagged" "$(sed -n 's/^event .*flags=1 tag=\([^ ]*\).*/\1/p' <<< "$OUT" | xargs)" "0x41 0x83"
	eq "events" "$(grep -c ^event <<< "$OUT")" 129
}

# An event that could not be handed out is lost, and the next one says so.
read_efault()
{
	dev open:a:nonblock loop:2 { start:a:1000:+ busy:20 stop:a } badread:a read:a:56 \
		start:a:1000:+ busy:20 stop:a read:a:56 read:a:56
	eq "badread" "$(line badread)" "badread=-EFAULT"
	eq "events" "$(sed -n 's/^event .*\(flags=[^ ]* tag=[^ ]*\).*/\1/p' <<< "$OUT" | xargs)" \
		"flags=0 tag=0x1 flags=1 tag=0x2"
}

# A stop that comes while the monitor is disabled has had its window ended, or
# ends it: nothing is left to run into its budget.
disable_is_silent()
{
	local i

	base
	rt_unlimited
	bg_exec "$DEV" quiet open:a fifo:10 ready loop:1000000 { start:a:$((2000000 * SLOW)) stop:a sleep:200 }
	await
	for ((i = 0; i < 20; i++)); do
		sleep 0.01$i
		echo 0 > "$CTL/enable"
		sleep 0.005
		echo 1 > "$CTL/enable"
	done
	sleep 0.02
	ge "started" "$(grown dev started)" 100
	dev_stats violations=0
	check_reports 0
}

close_cancels()
{
	base
	dev open:a start:a:30000000 close:a open:a stop:a start:a:50000000 stop:a sleep:60000
	says open=0 start=0 close=0 open=0 stop=-ESRCH start=0 stop=0
	dev_stats started=2 stopped=1 cancelled=1 violations=0
	check_reports 0
}

# Windows of threads that sleep in them
close_cancels_all()
{
	base
	dev open:a quiet threads:20 { start:a:$((30000000 * SLOW)) hold stop:a } settle:20 close:a sleep:$((60000 * SLOW)) release join tally
	eq "starts" "$(line 'tally start')" "tally start=0 20"
	eq "stops" "$(line 'tally stop')" "tally stop=-EBADF 20"
	dev_stats started=20 cancelled=20 violations=0
	check_reports 0
}

dup_keeps()
{
	base
	dev open:a dup:a:b start:a:50000000 start:b:50000000 close:a sleep:1000 info:b start:b:50000000 close:b
	says open=0 dup=0 start=0 start=-EALREADY close=0 info=0 start=0 close=0
	ge "elapsed_ns" "$(fld "$(line info)" elapsed_ns)" 1000000
	dev_stats started=2 stopped=1 cancelled=1
}

# Child and parent have the same open file, and each its own window.
fork_shares_the_file()
{
	base
	dev fifo:70 open:a start:a:500000000 fork { stop:a start:a:500000000 sleep:2000 info:a exit:0 } reap sleep:5000 info:a
	says open=0 start=0 stop=-ESRCH start=0 info=0 child info=0
	between "elapsed_ns of the child's" "$(fld "$(line info 1)" elapsed_ns)" 2000000 4000000
	ge "elapsed_ns of the parent's" "$(fld "$(line info 2)" elapsed_ns)" 7000000
	dev_stats started=2 stopped=2 unmatched_stops=1
}

# Either's overrun comes to whoever reads first.
fork_shares_the_events()
{
	dev open:a fork { start:a:1000:0xc busy:100 stop:a exit:0 } reap poll:a:0 read:a:56
	says open=0 start=0 stop=-EOVERFLOW child poll=1 read=56 event
	eq "tag" "$(fld "$(line event)" tag)" 0xc
}

# The last close ends the windows, not the first.
fork_last_close()
{
	base
	bg_exec "$DEV" open:a start:a:3600000000000 fork { start:a:3600000000000 ready wait exit:0 } \
		settle:0 close:a ready reap sleep:50000 ready wait
	await
	await
	eq "windows with one side closed" "$(grep -c 'binding=dev' "$CTL/inflight")" 2
	dev_stats started=2 cancelled=0
	go
	await
	# The child's ended with the child, the parent's by the last close.
	eq "inflight" "$(<"$CTL/inflight")" ""
	dev_stats started=2 exited=1 cancelled=1
	go
	finish
}

exit_in_window()
{
	base
	dev fork { open:a start:a:1000000000 exit:0 } \
		fork { open:a threads:5 { start:a:1000000000 hold } settle:5 exit:0 } \
		fork { open:a thread { start:a:1000000000 } join } reap
	dev_stats started=7 exited=7 cancelled=0
}

sigkill_in_window()
{
	base
	bg_exec "$DEV" open:a threads:5 { start:a:10000000 hold } settle:5 start:a:10000000 ready wait
	await
	sleep 0.1
	kill -KILL "$BG"
	wait "$BG"
	sleep 0.05
	dev_stats started=6 exited=6 violations=6
	check_reports 6
}

exec_in_window()
{
	base
	dev open:a start:a:1000000000 exec:/bin/true
	dev_stats started=1 execed=1 cancelled=0 exited=0
}

# The program that follows has the file, and no window in it.
exec_keeps_the_file()
{
	base
	printf '#!/bin/sh\nexec %s stop:a start:a:1000:6 busy:100 info:a read:a:56\n' "$DEV" > "$T/again"
	chmod +x "$T/again"
	dev open:a start:a:1000000000 exec:"$T/again"
	says open=0 start=0 stop=-ESRCH start=0 info=-EOVERFLOW read=56 event
	between "elapsed_ns" "$(fld "$(line info)" elapsed_ns)" 100000 10000000
	dev_stats started=2 execed=1 stopped=1 unmatched_stops=1
}

exec_by_a_thread()
{
	base
	dev fork { open:a start:a:1000000000 thread { start:a:1000000000 exec:/bin/true } sleep:10000000 } reap
	dev_stats started=2 execed=1 exited=1
}

many_threads()
{
	base
	bg_exec "$DEV" open:a quiet threads:200 { start:a:3600000000000 hold stop:a } settle:200 ready wait release join tally
	await 60
	eq "windows" "$(grep -c 'binding=dev' "$CTL/inflight")" 200
	eq "tasks" "$(grep -o 'pid=[0-9]*' "$CTL/inflight" | sort -u | grep -c .)" 200
	go
	finish
	eq "starts" "$(line 'tally start')" "tally start=0 200"
	eq "stops" "$(line 'tally stop')" "tally stop=0 200"
	dev_stats started=200 stopped=200 violations=0
}

# Each overruns, each is told, up to what the queue holds.
many_threads_over()
{
	base
	dev open:a quiet threads:60 { start:a:100000000:+ hold stop:a } settle:60 sleep:150000 release join tally
	eq "stops" "$(line 'tally stop')" "tally stop=-EOVERFLOW 60"
	dev_stats started=60 stopped=60 violations=60
	check_reports 60
}

events_of_many_threads()
{
	dev open:a quiet threads:60 { start:a:100000000:+ hold stop:a } settle:60 sleep:150000 release join tally
	bg_exec "$DEV" open:a threads:60 { start:a:100000000:+ hold } settle:60 sleep:150000 read:a:65536 release join
	wait "$BG"
	OUT=$(<"$BG_OUT")
	eq "read" "$(line read | sed 's/ .*//')" "read=$((60 * 56))"
	eq "tags" "$(grep -o 'tag=[^ ]*' <<< "$OUT" | sort -u | grep -c .)" 60
	eq "tids" "$(grep -o 'tid=[0-9]*' <<< "$OUT" | sort -u | grep -c .)" 60
	eq "lost" "$(grep -c 'flags=1' <<< "$OUT")" 0
}

two_files()
{
	base
	dev fifo:70 open:a open:b start:a:500000000:1 sleep:2000 start:b:1000000:2 sleep:3000 info:a info:b poll:a:0 poll:b:0
	says open=0 open=0 start=0 start=0 info=0 info=-EOVERFLOW poll=0 poll=1
	between "elapsed_ns of a" "$(fld "$(line info 1)" elapsed_ns)" 5000000 $((5500000 + 1000000 * SLOW))
	between "elapsed_ns of b" "$(fld "$(line info 2)" elapsed_ns)" 3000000 $((3500000 + 1000000 * SLOW))
	dev_stats started=2 stopped=2 violations=1
	check_reports 1
	eq "binding" "$(fld "$(events detail_env_tlob)" binding)" dev:0x2
}

with_a_binding()
{
	local -A OFF

	base
	offsets_of "$DEV"
	bind "p:w $DEV:${OFF[dev_mark]} ${OFF[dev_unmark]} threshold=3ms"
	dev fifo:70 open:a start:a:50000000:1 mark sleep:10000 stop:a sleep:1000 unmark \
		mark start:a:2000000:2 sleep:1000 unmark sleep:5000 stop:a
	says open=0 start=0 stop=0 start=0 stop=-EOVERFLOW
	stats_are w started=2 stopped=2 violations=1
	dev_stats started=2 stopped=2 violations=1
	check_reports 2
	eq "bindings" "$(events detail_env_tlob | sed 's/.*binding=\([^ ]*\).*/\1/' | xargs)" "w dev:0x2"
}

rmmod_while_open()
{
	exec 9<> /dev/tlob
	if rmmod tlob 2> "$T/rmmod"; then
		exec 9>&-
		die "rmmod with the device open"
	fi
	matches "rmmod" "$(<"$T/rmmod")" "in use"
	"$DEV" open:a start:a:5000000 stop:a > /dev/null
	exec 9>&-
	tlob_unload || die "rmmod when it was closed"
	[ ! -e /dev/tlob ] || fail "/dev/tlob is still there"
	tlob_load || die "insmod"
}

# dput TEXT: what write(2) of it to the device returned
dput()
{
	printf '%s\n' "$1" | "$BIN/wr" /dev/tlob
}

# takes TEXT: all of it is consumed
takes()
{
	eq "write of '$1'" "$(dput "$1")" $((${#1} + 1))
}

write_binding()
{
	takes "p:w $P1 threshold=5ms"
	eq "bindings" "$(<"$CTL/bindings")" \
		"p:w $SEC:$START $STOP threshold=5000000"
	sec start sleep:10000 stop
	stats_are w started=1 stopped=1 violations=1
	check_reports 1
	takes "$(printf -- '# a comment\n\n-:w\np:v %s threshold=1s' "$P2")"
	eq "bindings" "$(<"$CTL/bindings")" "p:v $SEC:$START2 $STOP2 threshold=1000000000"
	takes '-*'
	eq "bindings" "$(<"$CTL/bindings")" ""
}

write_enable()
{
	bind "p:w $P1 threshold=1s"
	takes enable=0
	eq "enable" "$(<"$CTL/enable")" 0
	sec start stop
	stats_are w started=0
	takes enable=0
	takes enable=1
	eq "enable" "$(<"$CTL/enable")" 1
	takes enable=1
	sec start stop
	stats_are w started=1 stopped=1
	# All in one: what a boot script would send
	takes "$(printf -- 'enable=0\n-*\np:v %s threshold=1s\nenable=1' "$P1")"
	eq "enable" "$(<"$CTL/enable")" 1
	sec start stop
	stats_are v started=1 stopped=1
}

# Not in `monitor`
enable_is_for_the_device()
{
	expect_errno EINVAL "enable=0"
	eq "enable" "$(<"$CTL/enable")" 1
}

write_errors()
{
	local line

	for line in enable=2 enable= enable=10 "enable=1 x" enable=on junk "p:w $SEC" \
		    "p:w $P1" "p:dev $P1 threshold=1s"; do
		eq "write of '$line'" "$(dput "$line")" -EINVAL
		grep -qxF "  Command: $line" "$CTL/error_log" ||
			fail "error_log has no '$line': $(tail -n 4 "$CTL/error_log")"
	done
	eq "write" "$(dput "p:w $P1 threshold=1")" -ERANGE
	eq "write" "$(dput "p:w /no/such:1 2 threshold=1s")" -ENOENT
	eq "write" "$(dput "-:nobody")" -ENOENT
	takes "p:w $P1 threshold=1s"
	eq "write" "$(dput "p:v $P1 threshold=1s")" -EEXIST
	# Lines before the bad one stand.
	eq "write" "$(dput "$(printf -- '-:w\nenable=x\nenable=0')")" -EINVAL
	eq "bindings" "$(<"$CTL/bindings")" ""
	eq "enable" "$(<"$CTL/enable")" 1
}

# CAP_SYS_ADMIN in the initial user namespace, to write; not to mark.
write_needs_the_capability()
{
	local drop="setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin"

	eq "capabilities of the test" "$((0x$(awk '/CapEff/ { print $2 }' /proc/self/status) >> 21 & 1))" 1
	# shellcheck disable=SC2086 # a command and its options
	OUT=$($drop "$DEV" open:a write:a:enable=0 write:a:-\* start:a:1000 busy:10 stop:a poll:a:0)
	says open=0 write=-EPERM write=-EPERM start=0 stop=-EOVERFLOW poll=1
	# Opened by one who may, written by one who may not, and the reverse
	# shellcheck disable=SC2086
	OUT=$($drop "$DEV" write:a:enable=0 20<> /dev/tlob)
	says write=-EPERM
	eq "enable" "$(<"$CTL/enable")" 1
	OUT=$(unshare --user --map-root-user "$DEV" open:a write:a:enable=0 2>&1) ||
		skip "no user namespaces"
	says open=0 write=-EPERM
	eq "enable" "$(<"$CTL/enable")" 1
	dev open:a write:a:enable=1
	says open=0 write=9
}

i386()
{
	local i

	base
	OUT=$("$BIN/compat" 2>&1)
	case $? in
	0) ;;
	*)	# No IA32 emulation: ENOEXEC, a signal, or what bash makes of it
		diag "$OUT"
		zgrep -q CONFIG_IA32_EMULATION=y /proc/config.gz 2> /dev/null && die "the program failed"
		grep -q ia32 /proc/kallsyms && die "the program failed"
		skip "this kernel runs no i386 programs" ;;
	esac
	v() { echo $(($(grep "^$1=" <<< "$OUT" | sed -n "${2:-1}s/.*=//p"))); }
	eq "sizes" "$(v sizes)" $((24 << 16 | 32 << 8 | 56))
	eq "start" "$(v start 1) $(v start 2)" "0 0"
	eq "info" "$(v info 1) $(v info 2)" "0 -75"
	between "elapsed_ns" "$(v elapsed_ns 1)" 2000000 4000000
	between "elapsed_ns of the second" "$(v elapsed_ns 2)" 20000000 22000000
	for i in 1 2; do
		eq "sum" $(($(v running_ns $i) + $(v waiting_ns $i) + $(v sleeping_ns $i))) "$(v elapsed_ns $i)"
	done
	eq "poll" "$(v poll) $(v revents)" "1 1"
	eq "read" "$(v read)" 56
	eq "tid" "$(v tid)" "$(v own_tid)"
	eq "flags" "$(v flags)" 0
	eq "tag" "$(grep ^tag= <<< "$OUT")" tag=0xfedcba9876543210
	eq "threshold_ns" "$(v threshold_ns)" 5000000
	between "elapsed_ns of the event" "$(v event_elapsed_ns)" 5000000 6000000
	eq "sum of the event" "$(v event_sum_ns)" "$(v event_elapsed_ns)"
	eq "stop" "$(v stop)" -3
	eq "binding" "$(fld "$(events detail_env_tlob)" binding)" dev:0xfedcba9876543210
	dev_stats started=2 stopped=2 violations=1 unmatched_stops=1
}

# The example prints where the worker hangs while it still hangs.
example()
{
	OUT=$("$BIN/watchdog" 2>&1)
	eq "exit status" "$?" 0
	diag "$OUT"
	eq "late requests" "$(grep -c '^request [0-9]*: late' <<< "$OUT")" 1
	matches "the late one" "$OUT" 'request 3: late, 50[.][0-9]* ms: running [0-9.]* waiting [0-9.]* sleeping (4[5-9]|50)[.][0-9]*'
	matches "where it hangs" "$OUT" 'at: .*(nanosleep|hrtimer)'
	eq "what comes next" "$(grep -A 9 late <<< "$OUT" | grep -o 'request 3: done')" "request 3: done"
	check_reports 1
	eq "binding" "$(fld "$(events detail_env_tlob)" binding)" dev:0x3
}

tcase node "/dev/tlob is root's"
tcase open_while_binding "opened while a binding waits for a disk"
tcase in_budget "in budget: silent"
tcase over_budget "over budget: EOVERFLOW, and the events"
tcase stop_info "STOP_INFO: the totals"
tcase errors_of_start "errors of start"
tcase already "EALREADY leaves the window alone"
tcase errors_of_stop "errors of stop"
tcase info_efault "STOP_INFO to a bad address stops"
tcase other_ioctls "other ioctls"
tcase disabled "ENODEV while disabled"
tcase disabled_in_window "disable ends windows"
tcase no_more_windows "ENOSPC"
tcase poll_wakes "poll wakes while the worker hangs"
tcase poll_after_the_stop "poll after the stop"
tcase poll_in_budget "poll sees nothing in budget"
tcase poll_own_file_only "poll and read are of the own file"
tcase read_sizes "read gives whole records"
tcase read_blocks "a blocking read is woken"
tcase read_is_interrupted "a blocking read is interrupted by a signal"
tcase queue_is_full "a full queue drops the newest"
tcase lost_again "LOST comes once for each loss"
tcase read_efault "read to a bad address"
tcase disable_is_silent "disable under short windows reports nothing"
tcase close_cancels "close ends the window"
tcase close_cancels_all "close ends the windows of all threads"
tcase dup_keeps "dup keeps the file"
tcase fork_shares_the_file "fork: each its own window"
tcase fork_shares_the_events "fork: one queue"
tcase fork_last_close "fork: the last close counts"
tcase exit_in_window "exit in a window"
tcase sigkill_in_window "SIGKILL in windows over budget"
tcase exec_in_window "execve in a window"
tcase exec_keeps_the_file "execve keeps the file"
tcase exec_by_a_thread "execve by another thread"
tcase many_threads "200 threads on one descriptor"
tcase many_threads_over "60 threads over budget"
tcase events_of_many_threads "60 threads' events"
tcase two_files "two files, two windows"
tcase with_a_binding "together with a binding"
tcase rmmod_while_open "rmmod while open"
tcase write_binding "write: bindings"
tcase write_enable "write: enable="
tcase enable_is_for_the_device "enable= is not for monitor"
tcase write_errors "write: errors"
tcase write_needs_the_capability "write needs CAP_SYS_ADMIN"
tcase i386 "an i386 program"
tcase example "the example"
run_cases
