# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2034 # others use what is set here
# Ground of the harness: places, messages, locks, and things made once.

shopt -s inherit_errexit

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$HERE/../.." && pwd)
CACHE=${TLOB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tlob}
GUEST_RELEASE=bookworm		# whose C library the guest has

# Seconds count from the first command of a run, also in its children.
export TLOB_T0=${TLOB_T0:-$(date +%s)}

say() { printf '[%4ds] %s\n' "$(($(date +%s) - TLOB_T0))" "$*" >&2; }
die() { say "error: $*"; exit 1; }

# lock NAME COMMAND...: one at a time over all processes.
# Never call it, or once(), in a condition: that would switch errexit off.
lock() {
	local file=$CACHE/lock/${1//\//,}
	shift
	mkdir -p "$CACHE/lock"
	(
		flock 9
		"$@" 9>&-
	) 9>"$file"
}

# once PATH COMMAND...: PATH is a directory that COMMAND... DIR fills. It
# appears whole or not at all; an interrupted attempt is made anew.
once() {
	local path=$1
	shift
	[[ -e $path ]] || lock "${path#"$CACHE/"}" once_locked "$path" "$@"
}

once_locked() {
	local path=$1
	shift
	[[ ! -e $path ]] || return 0
	rm -rf "$path.tmp"
	mkdir -p "$path.tmp"
	"$@" "$path.tmp"
	mv -T "$path.tmp" "$path"
}

# Columns of the tables for kernel $1: sets RELEASE, POCKET, FLAVOUR, SLOW and
# MEMORY; of a test kernel also STOCK, EDIT, COMPILER and CONFIGS, and KERNEL_DIR:
# where it is.
kernel_row() {
	local k=$1 name
	STOCK=$k SLOW=1 MEMORY=1G EDIT=- COMPILER=gcc CONFIGS=
	if test_kernel_names | grep -xF -e "$k" >/dev/null; then
		while read -r name STOCK SLOW MEMORY EDIT COMPILER CONFIGS; do
			[[ $name != "$k" ]] || break
		done <"$HERE/testkernels"
	fi
	while read -r name RELEASE POCKET FLAVOUR; do
		[[ $name != "$STOCK" ]] || break
	done <"$HERE/kernels"
	[[ $name = "$STOCK" ]] || die "no kernel '$k'; there are: $({ kernel_names; test_kernel_names; } | xargs)"
	[[ $COMPILER = gcc ]] || use_clang
	KERNEL_DIR=$CACHE/kernel/$k
	[[ -z $CONFIGS ]] || KERNEL_DIR+=-$(test_kernel_hash)
}

kernel_names() { awk '!/^#/ { print $1 }' "$HERE/kernels"; }
test_kernel_names() { awk '!/^#/ { print $1 }' "$HERE/testkernels"; }

# Hash of names, modes and contents of the files given on stdin, one a line.
hash_files() { xargs -r -d '\n' sh -c 'stat -c "%n %a" "$@"; sha256sum "$@"' - | sha256sum | cut -c1-16; }

# The tree DIR as an initramfs archive; archives may be put one after another.
pack() { (cd "$1" && find . -mindepth 1 | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet); }
