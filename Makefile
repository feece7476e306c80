# SPDX-License-Identifier: GPL-2.0-only
#
# For people; the kernel's kbuild reads Kbuild.

# KDIR alone says for which kernel.
ifdef KDIR
KVER ?= $(shell cat $(KDIR)/include/config/kernel.release)
endif
KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
DIST := tlob-$(VERSION)
KERNELS ?= quick
BENCH_KERNEL ?=
LONG_KERNELS ?= 5.10-rt 7.3 debug rt-debug rv rv-exported kcsan kcfi
export KERNELS

.PHONY: all modules install modules_install uninstall clean sign check check-long check-packages \
	selftest bench bench-check demo dist deb rpm help

all: modules

modules:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

install modules_install:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install
	depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(KVER)

# Where modules_install puts it: extra/ or updates/, as the kernel has it.
uninstall:
	find $(INSTALL_MOD_PATH)/lib/modules/$(KVER) -name 'tlob.ko*' -delete
	depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(KVER)

clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean

sign:
	$(if $(and $(KEY),$(CERT)),,$(error make sign wants KEY=, a private key, and CERT=, its certificate))
	$(KDIR)/scripts/sign-file sha256 $(KEY) $(CERT) tlob.ko

# A commit has one tarball, wherever and whenever it is made. In one that was
# unpacked there is none to be made, and packages are built from the tree.
dist:
	@mkdir -p dist
	git -c tar.umask=0022 archive --format=tar --prefix=$(DIST)/ HEAD >dist/$(DIST).tar
	xz -f -6 -T1 dist/$(DIST).tar

deb: dist
	rm -rf dist/deb
	mkdir dist/deb
	tar -x -f dist/$(DIST).tar.xz -C dist/deb
	cd dist/deb/$(DIST) && dpkg-buildpackage -us -uc
	find dist/deb -maxdepth 1 -type f -exec mv -t dist {} +
	rm -rf dist/deb

# rpmbuild keeps what it builds below _topdir. The kmod is only packed as source:
# to build it takes Fedora's kmodtool, and its kernels.
RPMBUILD := rpmbuild --define '_topdir $(CURDIR)/dist/rpm' --define '_sourcedir $(CURDIR)/dist' \
	--define 'source_date_epoch_from_changelog 1' --define 'build_mtime_policy clamp_to_source_date_epoch' --define 'clamp_mtime_to_source_date_epoch 1' \
	--define 'use_source_date_epoch_as_buildtime 1' --define '_buildhost localhost'
rpm: dist
	rm -rf dist/rpm
	$(RPMBUILD) -ba rpm/tlob-dkms.spec
	$(RPMBUILD) -bs --nodeps rpm/tlob-kmod.spec
	find dist/rpm -name '*.rpm' -exec mv -t dist {} +
	rm -rf dist/rpm

check:
	tests/check

bench:
	tests/bench/bench -o dist $(BENCH_KERNEL)

bench-check:
	tests/bench/bench -c $(BENCH_KERNEL)

check-long:
	TLOB_LONG=1 tests/check $(LONG_KERNELS)

check-packages:
	tests/packages/check all

# On this machine, with the module loaded. Its status 4, nothing could be run, is
# an error to make.
selftest:
	@$(MAKE) -s -C tests/selftests
	@tests/selftests/run $(SELFTESTS)

demo:
	@tests/demo/demo

help:
	@echo 'Targets:'
	@echo '  all, modules  - build tlob.ko for the running kernel'
	@echo '  install       - install it under /lib/modules (modules_install)'
	@echo '  uninstall     - remove it from there'
	@echo '  clean         - remove what was built'
	@echo '  sign          - sign tlob.ko with KEY= and CERT=, before install'
	@echo '  dist          - make the tarball of the commit in dist/'
	@echo '  deb, rpm      - make packages of it there'
	@echo '  check         - run the tests in virtual machines (root)'
	@echo '  check-long    - the same at length: hours of chance, millions of windows'
	@echo '  selftest      - run the selftests on this machine, the module loaded (root)'
	@echo '  check-packages - install the packages on distributions, in VMs (root)'
	@echo '  bench         - count the instructions that tlob costs; dist/bench.* (root)'
	@echo '  bench-check   - fail if they are more than the baseline says (root)'
	@echo '  demo          - show tlob at work in a virtual machine (root)'
	@echo ''
	@echo 'Variables:'
	@echo '  KVER=release  - another kernel than the running one'
	@echo '  KDIR=dir      - its headers (/lib/modules/$$(KVER)/build)'
	@echo '  INSTALL_MOD_PATH=dir - install below dir'
	@echo '  KEY=file CERT=file - of sign: the private key, its certificate'
	@echo '  W=1 C=2 V=1   - as for the kernel'
	@echo '  KERNELS=...   - of check: quick (default), all, test, or names as in'
	@echo '                  tests/vm/kernels and testkernels'
	@echo '  SELFTESTS=... - of selftest: -v, files of tests/selftests/test.d'
	@echo '  BENCH_KERNEL=name - of bench (the newest)'
	@echo '  LONG_KERNELS=... - of check-long ($(LONG_KERNELS))'
