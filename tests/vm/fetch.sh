# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Stock kernels. Needs lib.sh and apt.sh.
#
# KERNEL_DIR, $CACHE/kernel/K, has: release (uname -r), version (of the package), vmlinux,
# modules.cpio (for modprobe in the guest), headers/ (usr/...).

GUEST_MODULES='virtio_pci virtio_blk loop brd null_blk ext4 squashfs overlay'

fetch_kernel() {
	local get=kernel_get
	kernel_row "$1"
	[[ -z $CONFIGS ]] || get=test_kernel_make
	once "$KERNEL_DIR" "$get" "$1"
}

# Releases of kernel $1 that its distribution lists, newest first.
kernel_releases() {
	local rt='' series=${1%-rt}
	[[ $FLAVOUR != rt-* ]] || rt=-rt
	in_release "$RELEASE" apt-cache pkgnames "linux-headers-$series" |
		grep -P "^linux-headers-\Q$series\E[-.][0-9.]+(-[0-9]+)?(\+[a-z0-9]+)?$rt-amd64$" |
		sed 's/^linux-headers-//' | sort -Vr
}

kernel_get() {
	local k=$1 dir=$2 release version p
	mkdir "$dir"/{debs,image,headers}
	# A mirror may list what it does not hold.
	for release in $(kernel_releases "$k"); do
		version=$(in_release "$RELEASE" apt-cache policy "linux-headers-$release" |
			awk '$1 == "Candidate:" { print $2 }')
		say "$k: downloading $release ($version)"
		kernel_debs "$release" "$version" "$dir/debs" && break
		say "$k: $release cannot be had"
		version=
	done
	[[ ${version-} ]] || die "$k: $RELEASE has no such kernel"

	say "$k: unpacking"
	for p in "$dir"/debs/*.deb; do
		case ${p##*/} in
		linux-headers-* | linux-kbuild-*) dpkg-deb -x "$p" "$dir/headers" ;;
		*) dpkg-deb -x "$p" "$dir/image" ;;
		esac
	done
	[[ ! -d $dir/image/usr/lib/modules ]] || ln -s usr/lib "$dir/image/lib"
	p=$dir/image/boot/vmlinuz-$release
	[[ -e $p ]] || p=$dir/image/usr/lib/modules/$release/vmlinuz
	vmlinux "$p" >"$dir/vmlinux"
	guest_modules "$dir/image" "$release" "$dir/modules"
	pack "$dir/modules" >"$dir/modules.cpio"
	rm -rf "$dir"/{debs,image,modules}
	echo "$version" >"$dir/version"
	echo "$release" >"$dir/release"
}

# kernel_debs RELEASE VERSION DIR: image, modules, headers and their tools. 7.x
# splits the image; what its packages pull in beside is not needed.
kernel_debs() {
	local release=$1 version=$2 p debs=()
	rm -f "$3"/*.deb
	for p in linux-{binary,modules,base}-"$release" linux-headers-"$release" \
		$(in_release "$RELEASE" apt-cache depends "linux-headers-$release=$version" |
		  grep -oP 'Depends: \Klinux-(headers-\S+-common\S*|kbuild-\S+)'); do
		case $p in
		linux-kbuild-*) debs+=("$p") ;;		# the newest serves all of a series
		*) ! in_release "$RELEASE" apt-cache show "$p=$version" &>/dev/null || debs+=("$p=$version") ;;
		esac
	done
	[[ " ${debs[*]}" = *" linux-binary-"* ]] || debs+=("linux-image-$release=$version")
	(cd "$3" && in_release "$RELEASE" apt-get -qq download "${debs[@]}" >&2)
}

# The ELF image inside a bzImage, as the boot protocol says where it is;
# booted by PVH, it spares the guest the unpacking.
vmlinux() {
	local file=$1 setup offset length unpack
	setup=$(od -An -tu1 -j497 -N1 "$file")
	offset=$(od -An -tu4 -j584 -N4 "$file")
	length=$(od -An -tu4 -j588 -N4 "$file")
	offset=$(((setup + 1) * 512 + offset))
	case $(od -An -tx4 -j$offset -N4 "$file") in
	*fd2fb528) unpack='zstd -dc' length=$((length - 4)) ;;
	*587a37fd) unpack='xz -dc' length=$((length - 4)) ;;
	*088b1f) unpack='gzip -dc' ;;
	*) die "$file: unknown compression" ;;
	esac
	# shellcheck disable=SC2086 # a command and its options
	dd if="$file" iflag=skip_bytes,count_bytes bs=1M skip=$offset count="$length" status=none | $unpack
}

# guest_modules IMAGE RELEASE OUT: GUEST_MODULES and what they depend on.
guest_modules() {
	local image=$1 release=$2 out=$3 m file to
	depmod -b "$image" "$release"
	mkdir -p "$out/usr/lib/modules/$release"
	ln -s usr/lib "$out/lib"
	for m in $GUEST_MODULES crc32c_generic crc32c-intel; do
		while read -r _ file _; do
			to=$out/lib/${file#*/lib/}
			mkdir -p "${to%/*}"
			case $file in
			*.xz) xz -dc "$file" >"${to%.xz}" ;;
			*.zst) zstd -dcq "$file" >"${to%.zst}" ;;
			*) cp "$file" "$to" ;;
			esac
		done < <(modprobe -d "$image" -S "$release" --show-depends "$m" 2>/dev/null | grep ^insmod)
	done
	cp "$image/lib/modules/$release"/modules.{order,builtin} "$out/lib/modules/$release"
	cp "$image/lib/modules/$release/modules.builtin.modinfo" "$out/lib/modules/$release" 2>/dev/null || :
	depmod -b "$out" "$release"
}
