# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Kernels of our own configuration, from the source of a stock one; see the
# table testkernels. Needs lib.sh, apt.sh and fetch.sh.
#
# KERNEL_DIR, $CACHE/kernel/K-HASH, has what fetch.sh gives a stock kernel, but
# its vmlinux may be a bzImage; and System.map. HASH stands for all that the
# kernel is made of.

# The source package of the kernel that kernel_row has read: NAME=VERSION.
kernel_source() {
	local package=linux-source-${STOCK%-rt} version
	version=$(in_release "$RELEASE" apt-cache policy "$package" | awk '$1 == "Candidate:" { print $2 }')
	[[ $version && $version != '(none)' ]] || die "$RELEASE has no $package"
	echo "$package=$version"
}

# Of that kernel.
test_kernel_hash() {
	{
		declare -f test_kernel_make_locked kernel_root kernel_shell guest_modules
		echo "$GUEST_MODULES"
		kernel_source
		test_kernel_config | grep CONFIG_
		[[ $EDIT = - ]] || cat "$HERE/config/$EDIT.sed"
	} | sha256sum | cut -c1-16
}

test_kernel_config() {
	local name
	for name in base $CONFIGS; do
		cat "$HERE/config/$name.config"
	done
}

# test_kernel_make K DIR: builds it. An attempt goes on where the one before it
# was interrupted; what an earlier build has compiled comes from a cache.
test_kernel_make() {
	lock "tree/$1" test_kernel_make_locked "$@"
}

test_kernel_make_locked() {
	local k=$1 dir=$2 tree=$CACHE/tree/$1 source made_of root release image=vmlinux
	source=$(kernel_source)
	made_of=$({ echo "$source"; [[ $EDIT = - ]] || cat "$HERE/config/$EDIT.sed"; } | sha256sum | cut -c1-8)
	root=$CACHE/root/$RELEASE-kernel-$(declare -f kernel_root | sha256sum | cut -c1-8)
	once "$root" kernel_root "$RELEASE"
	mkdir -p "$tree" "$CACHE/ccache"
	rm -rf "$tree"/{image,headers,modules}
	once "$CACHE/source/$source" kernel_source_get "$source"
	once "$tree/$made_of" test_kernel_unpack "$k" "$source"
	ln -sfn "$made_of" "$tree/src"
	# An option given twice: the last one counts.
	{ test_kernel_config; echo "CONFIG_LOCALVERSION=\"-$k\""; } | awk '
		/^CONFIG_/ { name = $0; sub(/=.*/, "", name) }
		/^# CONFIG_.* is not set$/ { name = $2 }
		/^CONFIG_|^# CONFIG_/ { if (!(name in line)) order[++n] = name; line[name] = $0 }
		END { for (i = 1; i <= n; i++) print line[order[i]] }' >"$tree/wanted"

	say "$k: configuring"
	kernel_shell "$root" "$tree" 'make KCONFIG_ALLCONFIG=/tmp/tree/wanted alldefconfig' >"$tree/log" 2>&1 ||
		{ tail -n 20 "$tree/log" >&2; die "$k: no configuration"; }
	config_has <"$tree/wanted" "$tree/src/.config" || die "$k: these options cannot be had"
	# PVH calls what KASAN instruments before its shadow is there.
	! grep -q '^CONFIG_KASAN=y' "$tree/src/.config" || image=arch/x86/boot/bzImage
	say "$k: compiling; the log is $tree/log"
	# shellcheck disable=SC2016 # the inner shell expands
	kernel_shell "$root" "$tree" '
		make -j"$(nproc)" '"${image##*/}"' modules
		make -s INSTALL_MOD_PATH=/tmp/tree/image modules_install
		release=$(make -s kernelrelease)
		make -s run-command KBUILD_RUN_COMMAND="\$(srctree)/scripts/package/install-extmod-build /tmp/tree/headers"
		cp .config /tmp/tree/headers/.config
		echo $release >/tmp/tree/release' 2>&1 | tee -a "$tree/log" | progress "$k" ||
		{ tail -n 40 "$tree/log" >&2; die "$k: the build failed"; }
	release=$(<"$tree/release")

	guest_modules "$tree/image" "$release" "$tree/modules"
	pack "$tree/modules" >"$dir/modules.cpio"
	mkdir -p "$dir/headers/usr/src"
	mv "$tree/headers" "$dir/headers/usr/src/linux-headers-$release"
	mv "$tree/src/$image" "$dir/vmlinux"
	mv "$tree/src/System.map" "$dir"
	echo "${source#*=} ${KERNEL_DIR##*/}" >"$dir/version"
	echo "$release" >"$dir/release"
	rm -rf "$tree"
	say "$k: done"
}

test_kernel_unpack() {
	local k=$1 source=$2 dir=$3 file
	say "$k: unpacking $source"
	dpkg-deb --fsys-tarfile "$CACHE/source/$source"/*.deb | tar -xO --wildcards './usr/src/*.tar.xz' |
		xz -dc | tar -x -C "$dir" --strip-components=1
	[[ $EDIT != - ]] || return 0
	file=$dir/$(sed -n 's/^# file: //p' "$HERE/config/$EDIT.sed")
	cp "$file" "$dir/unedited"
	sed -i -f "$HERE/config/$EDIT.sed" "$file"
	! cmp -s "$file" "$dir/unedited" || die "$k: config/$EDIT.sed changes nothing"
	rm "$dir/unedited"
}

kernel_source_get() {
	say "downloading $1"
	(cd "$2" && in_release "$RELEASE" apt-get -qq download "$1" >&2)
}

# Fills DIR with what builds a kernel of RELEASE.
kernel_root() {
	local release=$1 dir=$2 gcc tool
	gcc=$(in_release "$release" apt-cache depends gcc | grep -oP 'Depends: gcc-\K[0-9]+$')
	say "$release: making a root that builds kernels with gcc-$gcc"
	unpack "$release" "$dir" "gcc-$gcc" libc6-dev make flex bison m4 bc libelf-dev libssl-dev \
		python3 perl ccache bash dash coreutils sed grep mawk findutils diffutils tar cpio \
		gzip lz4 xz-utils zstd kmod
	ln -sf dash "$dir/usr/bin/sh"
	ln -sf mawk "$dir/usr/bin/awk"
	ln -sf "gcc-$gcc" "$dir/usr/bin/gcc"
	mkdir -p "$dir"/{dev,proc,tmp,usr/src,usr/local/bin}
	for tool in gcc "gcc-$gcc"; do
		ln -s /usr/bin/ccache "$dir/usr/local/bin/$tool"
	done
	mknod -m 666 "$dir/dev/null" c 1 3
}

# For the kernel that kernel_row has read: with clang and lld, for its modules, too.
use_clang() {
	kernel_root() {
		local release=$1 dir=$2
		say "$release: making a root that builds kernels with clang"
		unpack "$release" "$dir" clang lld llvm libc6-dev make flex bison m4 bc libelf-dev \
			libssl-dev python3 perl ccache bash dash coreutils sed grep mawk findutils \
			diffutils tar cpio gzip lz4 xz-utils zstd kmod
		unpack "$(sparse_release "$release")" "$dir" sparse!
		ln -sf dash "$dir/usr/bin/sh"
		ln -sf mawk "$dir/usr/bin/awk"
		mkdir -p "$dir"/{dev,proc,tmp,tlob,usr/src,usr/local/bin}
		ln -s /usr/bin/ccache "$dir/usr/local/bin/clang"
		mv "$dir/usr/bin/make" "$dir/usr/lib/make"
		printf '#!/bin/sh\nexec /usr/lib/make LLVM=1 "$@"\n' >"$dir/usr/bin/make"
		chmod +x "$dir/usr/bin/make"
		mknod -m 666 "$dir/dev/null" c 1 3
	}
}

# kernel_shell ROOT TREE SCRIPT: runs it in the source of TREE.
kernel_shell() {
	# shellcheck disable=SC2016 # the inner shell expands
	setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child bash -euc '
		root=$1 tree=$2 cache=$3 script=$4
		mount -t proc proc "$root/proc"
		mount -t tmpfs tmpfs "$root/tmp"
		mkdir "$root/tmp/tree" "$root/tmp/ccache"
		mount --bind "$tree" "$root/tmp/tree"
		mount --bind "$cache" "$root/tmp/ccache"
		mount --bind "$tree/src" "$root/usr/src"
		exec env -i HOME=/tmp PATH=/usr/local/bin:/usr/sbin:/usr/bin LC_ALL=C \
			CCACHE_DIR=/tmp/ccache CCACHE_MAXSIZE=3G CCACHE_NOHASHDIR=1 \
			KBUILD_BUILD_USER=tlob KBUILD_BUILD_HOST=tlob \
			KBUILD_BUILD_TIMESTAMP="1970-01-01" \
			chroot "$root" sh -euc "cd /usr/src; $script"' - "$1" "$2" "$CACHE/ccache" "$3"
}

# config_has FILE: whether all options given on stdin are so in FILE. An option
# that cannot be chosen is as good as not set.
config_has() {
	awk '
		/^CONFIG_/ { name = $0; sub(/=.*/, "", name); value = $0; sub(/^[^=]*=/, "", value) }
		/^# CONFIG_.* is not set$/ { name = $2; value = "n" }
		!/^(# )?CONFIG_/ { next }
		NR == FNR { want[name] = value; next }
		{ got[name] = value }
		END {
			for (name in want)
				if (want[name] != (name in got ? got[name] : "n")) {
					print name ": wanted " want[name] ", got " (name in got ? got[name] : "n")
					bad = 1
				}
			exit bad
		}' - "$1" >&2
}

# Says now and then how far the build of kernel $1 has got.
progress() {
	local line n=0 last=$SECONDS
	while read -r line; do
		[[ $line = *' CC '* || $line = CC\ * ]] || continue
		n=$((n + 1))
		((SECONDS - last < 30)) || { say "$1: $n files, now ${line##* }"; last=$SECONDS; }
	done
}
