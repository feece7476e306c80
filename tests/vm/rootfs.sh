# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the guest has in it. Needs lib.sh and apt.sh.

GUEST_PACKAGES='bash dash coreutils util-linux mount procps kmod grep sed mawk
findutils diffutils tar e2fsprogs trace-cmd binutils libc-bin'

# The archive all guests share.
guest_base() {
	once "$CACHE/guest/$(hash_files <<<"$HERE/rootfs.sh")" guest_base_make
	echo "$CACHE/guest/$(hash_files <<<"$HERE/rootfs.sh")/base.cpio"
}

guest_base_make() {
	local dir=$1 root=$1/root
	say 'making the guest root'
	# shellcheck disable=SC2086 # a list
	unpack "$GUEST_RELEASE" "$root" $GUEST_PACKAGES
	ln -sf dash "$root/usr/bin/sh"
	ln -sf mawk "$root/usr/bin/awk"
	# What the packages bring along and no test uses; half of the size.
	(cd "$root" && rm -rf boot home media srv var/cache \
		usr/share/{bash-completion,perl*,lintian,bug,zoneinfo,doc,man,locale,doc-base,debconf} \
		usr/lib/{systemd,udev,dpkg,apt,locale} var/lib/{dpkg,apt} usr/sbin/{e2fsck,debugfs} \
		usr/bin/{perl*,dpkg*,deb*,ld*,dwp,gold,gp-*,gprofng*,localedef,systemd*,as} \
		usr/bin/x86_64-linux-gnu-{ld*,dwp,gold,gp-*,gprofng*,as} \
		usr/lib/x86_64-linux-gnu/{gprofng,libgprofng*,ldscripts,perl*,libperl*,libdb-*,libmvec*,libssl*})
	mkdir -p "$root"/{dev,proc,sys,tmp,run,root,mnt,tlob,var/tmp} "$root/etc"
	ln -sf /proc/self/mounts "$root/etc/mtab"
	echo 'root:x:0:0:root:/root:/bin/bash' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
	mknod -m 600 "$root/dev/console" c 5 1
	mknod -m 666 "$root/dev/null" c 1 3
	chroot "$root" /sbin/ldconfig
	pack "$root" >"$dir/base.cpio"
	rm -rf "$root"
}

# guest_peers RELEASE PACKAGE...: prints an archive of a root of that release, at
# /peers in the guest, with programs to compare with.
guest_peers() {
	local hash
	hash=$(hash_files <<<"$HERE/rootfs.sh")-$(sha256sum <<<"$*" | cut -c1-8)
	once "$CACHE/guest/peers-$hash" guest_peers_make "$@"
	echo "$CACHE/guest/peers-$hash/peers.cpio"
}

guest_peers_make() {
	local release=$1 dir=${*: -1} root
	set -- "${@:2:$#-2}"
	root=$dir/root/peers
	say "making a root with $*"
	mkdir -p "$root"
	unpack "$release" "$root" libc-bin dash coreutils "$@"
	ln -sf dash "$root/usr/bin/sh"
	(cd "$root" && rm -rf boot home media srv var usr/share usr/lib/{systemd,udev,dpkg,apt,locale} usr/lib/python3)
	mkdir -p "$root"/{dev,proc,sys,tmp,tlob,usr/share}
	chroot "$root" /sbin/ldconfig
	pack "$dir/root" >"$dir/peers.cpio"
	rm -rf "$dir/root"
}

# Prints the directory with the programs of tests/progs and tests/examples, one
# a C file. What a file needs beyond the common flags it says in a comment:
# cflags: ...
guest_programs() {
	local dir=$TOP/tests hash
	hash=$( (cd "$TOP" && find tests/progs tests/examples include/uapi -type f 2>/dev/null | LC_ALL=C sort | hash_files; cat "$HERE/rootfs.sh") | sha256sum | cut -c1-16)
	once "$CACHE/progs/$hash" guest_programs_make "$dir"
	echo "$CACHE/progs/$hash"
}

guest_programs_make() {
	local dir=$1 out=$2 c flags
	for c in "$dir"/{progs,examples}/*.c; do
		[[ -e $c ]] || continue
		flags=$(sed -n '1,10s/.*cflags: *\(.*[^ *\/]\) *\*\/.*/\1/p' "$c")
		# shellcheck disable=SC2086 # flags is a list
		gcc -O2 -g -Wall -Wextra -fcf-protection=none -pthread \
			-o "$out/$(basename "$c" .c)" "$c" $flags
	done
}

# guest_tree K SRC DIR: fills DIR/tlob with the module for K, the tests and
# their programs, and DIR/init.
guest_tree() {
	local build progs
	build=$(build_module "$1" "$2")
	progs=$(guest_programs)
	mkdir -p "$3"/tlob/{bin,out}
	cp "$build"/*.ko "$3/tlob"
	cp -r "$TOP/tests" "$3/tlob/tests"
	cp "$progs"/* "$3/tlob/bin" 2>/dev/null || :
	cp "$HERE/init" "$3/init"
}
