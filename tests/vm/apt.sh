# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Packages of any release, through apt with a configuration of our own: the
# host's sources and packages stay as they are. Needs lib.sh.

# mirror main|security: the URL that the host's own apt uses.
mirror() {
	local main security
	# shellcheck disable=SC2016 # apt expands
	read -r main security < <(
		apt-get indextargets --no-release-info \
			--format '$(RELEASE) $(COMPONENT) $(SITE)' |
		awk '$2 != "main" { next }
		     $1 ~ /^[a-z]+(-security|\/updates)$/ { if (!s) s = $3 }
		     $1 ~ /^(oldoldstable|oldstable|stable|testing|unstable|sid|bullseye|bookworm|trixie|forky)$/ { if (!m) m = $3 }
		     END { print m ? m : "-", s ? s : "-" }')
	main=${TLOB_MIRROR:-${main%/}}
	[[ $main != - ]] || die "apt names no Debian mirror; set TLOB_MIRROR"
	[[ $security != - ]] || security=${main%/}-security
	case $1 in
	main) echo "$main" ;;
	security) echo "${TLOB_SECURITY_MIRROR:-${security%/}}" ;;
	esac
}

# Fills DIR with an apt state for RELEASE that knows no installed package.
apt_state() {
	local release=$1 dir=$2 pocket main security
	say "$release: reading the package lists"
	main=$(mirror main)
	security=$(mirror security)
	mkdir -p "$dir"/{lists/partial,cache/archives/partial}
	: >"$dir/status"
	{
		echo "deb $main $release main"
		while read -r pocket; do
			case $pocket in
			security) echo "deb $security $release-security main" ;;
			backports) echo "deb $main $release-backports main" ;;
			esac
		done < <(awk -v r="$release" '$2 == r { print $3 }' "$HERE/kernels" | sort -u)
	} >"$dir/sources.list"
	apt_conf "$dir" >"$dir/apt.conf"
	APT_CONFIG=$dir/apt.conf apt-get -qq update >&2
	# The paths are those of the place where the state ends up.
	apt_conf "${dir%.tmp}" >"$dir/apt.conf"
}

apt_conf() {
	cat <<-EOF
	Dir::State "$1";
	Dir::State::status "$1/status";
	Dir::State::lists "$1/lists";
	Dir::Cache "$1/cache";
	Dir::Cache::pkgcache "";
	Dir::Cache::srcpkgcache "";
	Dir::Etc::sourcelist "$1/sources.list";
	Dir::Etc::sourceparts "/dev/null";
	Dir::Etc::preferences "/dev/null";
	Dir::Etc::preferencesparts "/dev/null";
	APT::Architecture "amd64";
	APT::Architectures { "amd64"; };
	APT::Install-Recommends "false";
	APT::Install-Suggests "false";
	APT::Get::Assume-Yes "true";
	APT::Sandbox::User "root";
	Acquire::Languages "none";
	Acquire::Retries "3";
	EOF
}

# in_release RELEASE COMMAND...: an apt command in the state of RELEASE.
in_release() {
	local dir=$CACHE/apt/$1
	shift
	once "$dir" apt_state "${dir##*/}"
	APT_CONFIG=$dir/apt.conf "$@"
}

# unpack RELEASE DIR PACKAGE...: the packages and all they depend on, files
# only, no maintainer script. A name that ends in ! comes without what it
# depends on. Documentation and translations are left out. apt-get does not wait for
# another one that is told to install.
unpack() {
	local release=$1 dir=$2 debs=$2.debs deb name full=() bare=()
	shift 2
	for name; do
		case $name in
		*!) bare+=("${name%!}") ;;
		*) full+=("$name") ;;
		esac
	done
	rm -rf "$debs"
	mkdir -p "$debs/partial" "$dir"/usr/{bin,sbin,lib,lib64}
	for name in bin sbin lib lib64; do
		ln -sfn "usr/$name" "$dir/$name"
	done
	[[ ${#full[@]} -eq 0 ]] ||
		in_release "$release" flock "$CACHE/apt/$release" apt-get -qq -o Dir::Cache::archives="$debs" \
			install --download-only "${full[@]}" >&2
	[[ ${#bare[@]} -eq 0 ]] ||
		(cd "$debs" && in_release "$release" apt-get -qq download "${bare[@]}" >&2)
	for deb in "$debs"/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir" --keep-directory-symlink \
			--exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' \
			--exclude='./usr/share/locale/*' --exclude='./usr/share/info/*' \
			--exclude='./usr/share/i18n/*' --exclude='./usr/lib/*/gconv/*'
	done
	rm -rf "$debs"
}
