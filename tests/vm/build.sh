# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Builds the module as the kernel's own distribution would, with warnings and
# sparse. Needs lib.sh, apt.sh and fetch.sh.

# Whose sparse to use: 7.x needs one that knows __typeof_unqual__.
sparse_release() { case $1 in trixie) echo forky ;; *) echo "$1" ;; esac; }

# Fills DIR with what builds modules for the kernels of RELEASE.
build_root() {
	local release=$1 dir=$2 gcc pahole=pahole
	gcc=$(in_release "$release" apt-cache depends gcc | grep -oP 'Depends: gcc-\K[0-9]+$')
	[[ $release != bullseye ]] || pahole=	# 5.10 has no BTF in modules
	say "$release: making a build root with gcc-$gcc"
	unpack "$release" "$dir" "gcc-$gcc" libc6-dev make bash dash coreutils sed grep \
		mawk findutils diffutils tar kmod xz-utils perl libelf1 libdw1 zlib1g \
		$pahole
	unpack "$(sparse_release "$release")" "$dir" sparse!
	ln -sf dash "$dir/usr/bin/sh"
	ln -sf mawk "$dir/usr/bin/awk"
	[[ -e $dir/usr/bin/gcc ]] || ln -s "gcc-$gcc" "$dir/usr/bin/gcc"
	mkdir -p "$dir"/{dev,proc,tmp,tlob,usr/src}
	mknod -m 666 "$dir/dev/null" c 1 3
}

# The source files of the module in DIR, relative, one a line.
source_files() {
	(cd "$1" && {
		find . \( -name .git -o -path ./tests -o -path ./debian -o -path ./rpm -o -path ./dist \) -prune -o -type f -print
		[[ ! -d tests/modules ]] || find ./tests/modules -type f
	}) | grep -vE '\.(o|ko|cmd|mod|mod\.c|d)$|/(Module\.symvers|modules\.order|\.gitignore)$|\.md$' | LC_ALL=C sort
}

# Prints the directory with the modules for kernel $1, built from the source
# tree $2 if that has not been done.
build_module() {
	local k=$1 src=${2:-$TOP} hash out
	[[ -e $src/Kbuild ]] || die "$src has no Kbuild"
	fetch_kernel "$k" >&2
	hash=$(cd "$src" && { source_files . | hash_files; cat "$HERE/build.sh" "$KERNEL_DIR/version"; } | sha256sum | cut -c1-16)
	out=$CACHE/build/$k-$hash
	once "$out" build_run "$k" "$src" >&2
	echo "$out"
}

# Prints the directory of the root that builds modules for the kernel that
# kernel_row has read.
build_root_dir() {
	local root maker=build_root
	root=$CACHE/root/$RELEASE-$(declare -f build_root sparse_release | sha256sum | cut -c1-8)
	if [[ $COMPILER = clang ]]; then
		maker=kernel_root
		root=$CACHE/root/$RELEASE-kernel-$(declare -f kernel_root | sha256sum | cut -c1-8)
	fi
	once "$root" "$maker" "$RELEASE"
	echo "$root"
}

build_run() {
	local k=$1 src=$2 out=$3 root release m
	root=$(build_root_dir)
	release=$(<"$KERNEL_DIR/release")
	say "$k: building for $release"
	mkdir "$out/src"
	(cd "$src" && source_files . | tar -c --no-recursion -T -) | tar -x -C "$out/src"
	if ! build_in_root "$root" "$KERNEL_DIR/headers" "$release" "$out/src" >"$out/log" 2>&1; then
		cat "$out/log" >&2
		die "$k: the build failed"
	fi
	grep -q '^  CHECK ' "$out/log" || die "$k: sparse did not run"
	build_warnings <"$out/log" >"$out/warnings"
	if [[ -s $out/warnings ]]; then
		cat "$out/warnings" >&2
		die "$k: warnings"
	fi
	find "$out/src" -name '*.ko' -exec mv -t "$out" {} +
	for m in "$out"/*.ko; do
		[[ -e $m ]] || die "$k: no module was made"
	done
	rm -rf "$out/src"
}

# build_in_root ROOT HEADERS RELEASE SRC: all modules. KBUILD_CHECKSRC keeps 7.3
# from switching sparse off because the headers package lacks a script.
build_in_root() {
	# shellcheck disable=SC2016 # the inner shell expands
	in_build_root "$1" "$2" "$4" '
		kdir=$1
		make -C "$kdir" M=/tlob W=1 C=2 KBUILD_CHECKSRC=2 modules
		for m in /tlob/tests/modules/*/Kbuild; do
			[ -e "$m" ] || continue
			make -C "$kdir" M="${m%/Kbuild}" W=1 C=2 KBUILD_CHECKSRC=2 \
				KBUILD_EXTRA_SYMBOLS=/tlob/Module.symvers modules
		done' "/usr/src/linux-headers-$3"
}

# in_build_root ROOT HEADERS SRC SCRIPT ARG...: SRC is at /tlob. The mounts are
# seen and left by nobody else. objtool reads /proc.
in_build_root() {
	local root=$1 headers=$2 kbuild
	for kbuild in "$headers"/usr/lib/linux-kbuild-*; do
		[[ -e $kbuild ]] || continue	# a test kernel has it all in one place
		mkdir -p "$root/usr/lib/${kbuild##*/}"
	done
	# shellcheck disable=SC2016 # the inner shells expand
	unshare --mount bash -euc '
		root=$1 headers=$2 src=$3 script=$4
		shift 4
		mount --bind "$headers/usr/src" "$root/usr/src"
		for kbuild in "$headers"/usr/lib/linux-kbuild-*; do
			[[ ! -e $kbuild ]] || mount --bind "$kbuild" "$root/usr/lib/${kbuild##*/}"
		done
		mount --bind "$src" "$root/tlob"
		mount -t proc proc "$root/proc"
		mount -t tmpfs tmpfs "$root/tmp"
		exec env -i PATH=/usr/sbin:/usr/bin LC_ALL=C chroot "$root" sh -euc "$script" - "$@"' - "$@"
}

# vm_install K: what make, make install, uninstall and clean do, as on a host
# that takes modules. Prints KTAP.
vm_install() {
	local k=$1 src root rc=0
	kernel_row "$k"
	need_root
	setup
	build_module "$k" "${TLOB_SRC:-$TOP}" >/dev/null	# so that all is there
	root=$(build_root_dir)
	src=$(mktemp -d)
	(cd "${TLOB_SRC:-$TOP}" && source_files . | tar -c --no-recursion -T -) | tar -x -C "$src"
	# shellcheck disable=SC2016 # the inner shell expands
	in_build_root "$root" "$KERNEL_DIR/headers" "$src" '
		release=$1 n=0 bad=0 to=/tmp/to
		mods=$to/lib/modules/$release
		is() {
			n=$((n + 1))
			if [ "$1" = "$2" ]; then
				echo "ok $n $3"
			else
				echo "not ok $n $3"
				echo "# FAIL: got $1, want $2"
				bad=1
			fi
		}
		mkdir -p "$mods" "/lib/modules/$release"
		touch "$mods/modules.order" "$mods/modules.builtin" "$mods/modules.builtin.modinfo"
		trap "rm -rf /lib/modules/$release" EXIT
		ln -s "/usr/src/linux-headers-$release" "/lib/modules/$release/build"
		cd /tlob
		echo "KTAP version 1"
		echo "1..8"
		find . -type f | sort >/tmp/before
		make KVER="$release" >/tmp/log 2>&1 && made=yes || { made=no; cat /tmp/log; }
		is "$made $(ls tlob.ko)" "yes tlob.ko" "make KVER="
		is "$(modinfo -F vermagic ./tlob.ko | cut -d" " -f1)" "$release" "its version magic"
		make KVER="$release" INSTALL_MOD_PATH=$to install >/tmp/log 2>&1 && made=yes || { made=no; cat /tmp/log; }
		is "$made $(find $to -name "tlob.ko*" | wc -l)" "yes 1" "make install"
		is "$(grep -c "/tlob.ko[.a-z]*:" "$mods/modules.dep")" 1 "depmod was run"
		make KVER="$release" INSTALL_MOD_PATH=$to uninstall >/tmp/log 2>&1 && made=yes || { made=no; cat /tmp/log; }
		is "$made $(find $to -name "tlob.ko*" | wc -l) $(grep -c tlob "$mods/modules.dep" || :)" "yes 0 0" "make uninstall"
		make KVER="$release" clean >/tmp/log 2>&1 || cat /tmp/log
		find . -type f | sort >/tmp/after
		is "$(cmp /tmp/before /tmp/after && echo same)" same "make clean leaves what was there"
		make KDIR="/usr/src/linux-headers-$release" INSTALL_MOD_PATH=$to modules install >/tmp/log 2>&1 || cat /tmp/log
		is "$(grep -c "/tlob.ko[.a-z]*:" "$mods/modules.dep")" 1 "KDIR= alone"
		is "$(make help | grep -c "^  [a-z_, -]* - ")" "$(make help | sed -n "/^Targets/,/^$/p" | grep -c "^  ")" "make help"
		exit $bad' "$(<"$KERNEL_DIR/release")" || rc=1
	rm -rf "$src"
	return $rc
}

# Of a build log, what compiler, sparse, modpost and objtool complain of, be it
# in a header: then sparse may not have got as far as our code.
build_warnings() {
	grep -E '(^|[^[:alpha:]_])([Ww]arning|WARNING|[Ee]rror):|(objtool|modpost):|too many errors' |
		grep -vE '^warning: (the compiler|pahole version) differs from the one used to build the kernel' || :
}
