#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mode: up
# timeout: 300
#
# What a binding is bound to: the inode, by whatever path, for as long as it
# lives.

. "$(dirname "$0")/lib.sh"

# on_fs: a file system at $T/fs, with a copy of the program
on_fs()
{
	mkdir -p "$T/fs"
	mount -t tmpfs none "$T/fs" || die "mount"
	defer "echo '-*' > $CTL/monitor; umount $T/fs"
	cp "$SEC" "$T/fs/prog"
}

# runs PATH: one window, 10 ms long
runs()
{
	"$1" start sleep:10000 stop > /dev/null
}

# Refused also while it is not yet to be probed: enable would fail for ever.
nothing_to_execute()
{
	mkdir "$T/huge"
	mount -t hugetlbfs none "$T/huge" || skip "no hugetlbfs"
	defer "umount $T/huge"
	truncate -s 2M "$T/huge/file"
	echo 0 > "$CTL/enable"
	expect_errno EIO "p:w $T/huge/file:0 0x10 threshold=1ms"
	matches "error_log" "$(tail -n 3 "$CTL/error_log")" "File system cannot be probed"
	eq "bindings" "$(<"$CTL/bindings")" ""
	echo 1 > "$CTL/enable" || fail "enable"
}

hard_link()
{
	cp "$SEC" "$T/one"
	ln "$T/one" "$T/two"
	bind "p:w $T/one:$START $STOP threshold=5ms"
	expect_errno EEXIST "p:v $T/two:$START $STOP threshold=5ms"
	expect_errno EEXIST "p:v $T/one:$START $STOP2 threshold=5ms"
	runs "$T/two"
	stats_are w started=1 stopped=1 violations=1
	eq "listing" "$(<"$CTL/bindings")" "p:w $T/one:$START $STOP threshold=5000000"
	# Removal goes by the path as listed.
	expect_errno ENOENT "-$T/two:$START"
	bind "-$T/one:$START"
}

symbolic_link()
{
	cp "$SEC" "$T/real"
	ln -s real "$T/link"
	bind "p:w $T/link:$START $STOP threshold=5ms"
	expect_errno EEXIST "p:v $T/real:$START $STOP threshold=5ms"
	runs "$T/real"
	runs "$T/link"
	stats_are w started=2 stopped=2 violations=2
	bind "-:w"
}

another_file()
{
	cp "$SEC" "$T/one"
	cp "$SEC" "$T/two"
	bind "p:w $T/one:$START $STOP threshold=5ms"
	runs "$T/two"
	stats_are w started=0
	bind "p:v $T/two:$START $STOP threshold=5ms"
	runs "$T/two"
	stats_are w started=0
	stats_are v started=1
}

bind_mount()
{
	on_fs
	mkdir "$T/other"
	mount --bind "$T/fs" "$T/other" || die "mount --bind"
	defer "echo '-*' > $CTL/monitor; umount $T/other"
	bind "p:w $T/other/prog:$START $STOP threshold=5ms"
	expect_errno EEXIST "p:v $T/fs/prog:$START $STOP threshold=5ms"
	runs "$T/fs/prog"
	runs "$T/other/prog"
	stats_are w started=2 stopped=2
}

# A mount point on the file itself
bind_mounted_file()
{
	on_fs
	: > "$T/fs/point"
	mount --bind "$T/fs/prog" "$T/fs/point" || die "mount --bind"
	defer "echo '-*' > $CTL/monitor; umount $T/fs/point"
	bind "p:w $T/fs/point:$START $STOP threshold=5ms"
	expect_errno EEXIST "p:v $T/fs/prog:$START $STOP threshold=5ms"
	runs "$T/fs/prog"
	stats_are w started=1 stopped=1
}

mount_is_kept()
{
	on_fs
	bind "p:w $T/fs/prog:$START $STOP threshold=5ms"
	umount "$T/fs" 2> "$T/err" && die "umount of a bound mount"
	matches "umount" "$(<"$T/err")" 'busy'
	expect_errno EEXIST "p:v $T/fs/prog:$START $STOP threshold=5ms"
	# Disabled it stays bound, and so kept.
	echo 0 > "$CTL/enable"
	umount "$T/fs" 2> /dev/null && die "umount of a bound mount, disabled"
	bind "-:w"
	umount "$T/fs" || fail "umount after removal"
	mount -t tmpfs none "$T/fs"
}

# Unload, too, lets go of what was bound, and so does a line that failed.
mount_is_let_go()
{
	on_fs
	expect_errno EINVAL "p:w $T/fs/prog:$START 0x7fffffff threshold=5ms"
	expect_errno ENOENT "p:w $T/fs/nothing:$START $STOP threshold=5ms"
	expect_errno EINVAL "p:w $T/fs:$START $STOP threshold=5ms"
	umount "$T/fs" || die "umount after failed lines"
	mount -t tmpfs none "$T/fs"
	cp "$SEC" "$T/fs/prog"
	bind "p:w $T/fs/prog:$START $STOP threshold=5ms"
	runs "$T/fs/prog"
	tlob_unload || fail "rmmod"
	umount "$T/fs" || fail "umount after rmmod"
	mount -t tmpfs none "$T/fs"
	tlob_load || die "insmod"
}

overlay()
{
	local o=$T/fs

	modprobe overlay 2> /dev/null
	grep -qw overlay /proc/filesystems || skip "no overlayfs"
	on_fs
	mkdir "$o"/{lower,upper,work,merged}
	mv "$o/prog" "$o/lower/prog"
	mount -t overlay none -o "lowerdir=$o/lower,upperdir=$o/upper,workdir=$o/work" "$o/merged" ||
		skip "overlayfs does not mount"
	defer "echo '-*' > $CTL/monitor; umount $o/merged"

	# Bound by the merged path, the runs of the real file are caught by any.
	bind "p:w $o/merged/prog:$START $STOP threshold=5ms"
	expect_errno EEXIST "p:v $o/lower/prog:$START $STOP threshold=5ms"
	runs "$o/merged/prog"
	stats_are w started=1 stopped=1 violations=1
	runs "$o/lower/prog"
	stats_are w started=2 stopped=2 violations=2
	eq "listing" "$(<"$CTL/bindings")" "p:w $o/merged/prog:$START $STOP threshold=5000000"
	bind "-$o/merged/prog:$START"

	# And the other way round
	bind "p:w $o/lower/prog:$START $STOP threshold=5ms"
	expect_errno EEXIST "p:v $o/merged/prog:$START $STOP threshold=5ms"
	runs "$o/merged/prog"
	stats_are w started=1 stopped=1
	bind "-:w"

	# A file of the upper layer
	cp "$SEC" "$o/merged/new"
	bind "p:w $o/merged/new:$START $STOP threshold=5ms"
	runs "$o/merged/new"
	stats_are w started=1 stopped=1
}

# nr_stale N: of the lines listed, so many are stale
nr_stale()
{
	eq "stale bindings" "$(grep -c ' # stale$' "$CTL/bindings")" "$1"
	eq "stale bindings of monitor" "$(grep -c ' # stale$' "$CTL/monitor")" "$1"
}

unlinked()
{
	cp "$SEC" "$T/prog"
	bind "p $T/prog:$START $STOP threshold=5ms"
	nr_stale 0
	bg_exec "$T/prog" ready wait start sleep:10000 stop
	await
	rm "$T/prog"
	nr_stale 1
	eq "listing" "$(<"$CTL/bindings")" "p $T/prog:$START $STOP threshold=5000000 # stale"
	# What runs is still caught.
	go
	finish
	stats_are "$T/prog:$START" started=1 stopped=1 violations=1
	expect_errno ENOENT "-$T/prog:$START2"
	bind "-$T/prog:$START"
	eq "bindings" "$(<"$CTL/bindings")" ""
}

unlinked_other_link()
{
	cp "$SEC" "$T/prog"
	ln "$T/prog" "$T/link"
	bind "p:w $T/prog:$START $STOP threshold=5ms"
	rm "$T/link"
	nr_stale 0
	rm "$T/prog"
	nr_stale 1
	bind "-:w"
}

replaced()
{
	cp "$SEC" "$T/prog"
	cp "$SEC" "$T/prog.new"
	bind "p:old $T/prog:$START $STOP threshold=5ms"
	mv "$T/prog.new" "$T/prog"
	nr_stale 1
	runs "$T/prog"
	stats_are old started=0
	# The new one is another file, and not taken.
	bind "p:new $T/prog:$START $STOP threshold=5ms"
	nr_stale 1
	runs "$T/prog"
	stats_are old started=0
	stats_are new started=1 stopped=1
	# By path, the live one goes first.
	bind "-$T/prog:$START"
	matches "what is left" "$(<"$CTL/bindings")" '^p:old .* # stale$'
	bind "-$T/prog:$START"
	eq "bindings" "$(<"$CTL/bindings")" ""
	expect_errno ENOENT "-$T/prog:$START"
}

# The same, with the stale one bound last and listed last
replaced_live_first()
{
	cp "$SEC" "$T/a"
	cp "$SEC" "$T/b"
	mv "$T/a" "$T/prog"
	bind "p:first $T/prog:$START $STOP threshold=5ms"
	mv "$T/prog" "$T/a"
	mv "$T/b" "$T/prog"
	bind "p:second $T/prog:$START $STOP threshold=5ms"
	mv "$T/prog" "$T/b"
	mv "$T/a" "$T/prog"
	# Now the first is live again, and the second is not.
	nr_stale 1
	matches "stale" "$(grep stale "$CTL/bindings")" '^p:second '
	bind "-$T/prog:$START"
	matches "what is left" "$(<"$CTL/bindings")" '^p:second .* # stale$'
}

# Under another name it is the same file: still bound, and stale by its path.
renamed()
{
	cp "$SEC" "$T/prog"
	bind "p:w $T/prog:$START $STOP threshold=5ms"
	mv "$T/prog" "$T/elsewhere"
	nr_stale 1
	runs "$T/elsewhere"
	stats_are w started=1 stopped=1
	mv "$T/elsewhere" "$T/prog"
	nr_stale 0
	bind "-$T/prog:$START"
}

directory_gone()
{
	mkdir "$T/dir"
	cp "$SEC" "$T/dir/prog"
	bind "p:w $T/dir/prog:$START $STOP threshold=5ms"
	rm -r "$T/dir"
	nr_stale 1
	bind "-$T/dir/prog:$START"
	eq "bindings" "$(<"$CTL/bindings")" ""
}

# Bound while it runs, and a stale one survives disable and enable.
stale_over_disable()
{
	cp "$SEC" "$T/prog"
	bg_exec "$T/prog" ready wait start stop ready wait start stop
	await
	bind "p:w $T/prog:$START $STOP threshold=1s"
	go
	await
	stats_are w started=1 stopped=1
	rm "$T/prog"
	echo 0 > "$CTL/enable"
	echo 1 > "$CTL/enable"
	nr_stale 1
	go
	finish
	stats_are w started=2 stopped=2
}

shared_library()
{
	local lib off

	lib=$(awk '$6 ~ /\/libc[.-]/ { print $6; exit }' /proc/self/maps)
	off=$(readelf -sW --dyn-syms "$lib" | awk '$8 ~ /^nanosleep@@/ { print $2; exit }')
	[ -n "$off" ] || skip "no nanosleep in libc"
	off=$(vaddr_to_offset "$lib" "0x$off")
	bind "p:libc $lib:$off $off%return threshold=5ms"
	sec sleep:1000 sleep:10000
	ge "calls" "$(stat_of libc stopped)" 2
	eq "violations" "$(stat_of libc violations)" 1
	bind "-:libc"
}

tcase nothing_to_execute "a file that no probe can be in"
tcase hard_link "a hard link is the same binding"
tcase symbolic_link "a symbolic link is the same binding"
tcase another_file "a copy is another"
tcase bind_mount "a bind mount is the same binding"
tcase bind_mounted_file "a bind mount of the file is the same binding"
tcase mount_is_kept "umount of a bound mount: EBUSY"
tcase mount_is_let_go "failed lines and unload let the mount go"
tcase overlay "overlayfs: the real file is bound"
tcase unlinked "an unlinked file"
tcase unlinked_other_link "an unlinked hard link"
tcase replaced "a replaced file"
tcase replaced_live_first "removal by path: live before stale"
tcase renamed "a renamed file, and back"
tcase directory_gone "its directory gone"
tcase stale_over_disable "a stale binding over disable and enable"
tcase shared_library "a function of a shared library"
run_cases
