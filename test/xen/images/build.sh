#!/bin/bash
# Makes the lab's images out of Debian packages: build.sh DIRECTORY. As root; needs Debian's archive.
#   xen             the hypervisor, an ELF file that QEMU starts by multiboot
#   vmlinuz         Dom0's kernel
#   dom0-initrd     its initramfs: finds the root disk
#   root.ext4       the root disk of Dom0, and of driver domains; /lab in it has what guests start from
set -euo pipefail
shopt -s inherit_errexit
sources=$(dirname "$(readlink -f "$0")")
target=$1
suite=bookworm xen=4.17

packages=(
  "xen-utils-$xen" xenstore-utils                                  # xl, xenstored, xenconsoled, xenstore-*
  iproute2 bridge-utils ethtool openvswitch-switch python3-os-ken  # networks, and who programs them
  iperf3 iputils-ping tcpdump                                      # traffic
  mount kmod procps busybox-static                                 # an operating system around it
  libstdc++6                                                       # Node.js and the data plane
)
initrd_modules=(virtio_pci virtio_blk xen-blkfront crc32c_generic ext4)
guest_modules=(xen-netfront 8021q pktgen)
guest_programs=(sh ip bridge ethtool iperf3 ping tcpdump xenstore-read xenstore-write xenstore-rm)

mkdir -p "$target"
work=$(mktemp -d "$target/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root

echo "images: Debian $suite, Xen $xen" >&2
# The hypervisor and the kernel are unpacked only: installing them would run boot loaders' hooks.
fetch='export APT_CONFIG=$MMDEBSTRAP_APT_CONFIG; cd '"'$work'"'
  kernel=$(apt-cache depends linux-image-amd64 | sed -n "s/^ *Depends: //p" | head -1)
  apt-get -qq download xen-hypervisor-'$xen'-amd64 "$kernel"
  for package in *.deb; do dpkg-deb -x "$package" boot; done'
mmdebstrap --quiet --variant=essential --include="$(IFS=,; echo "${packages[*]}")" \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt=force-unsafe-io --customize-hook="$fetch" "$suite" "$root"

zcat "$work/boot/boot/xen-$xen-amd64.gz" >"$work/xen"
cp "$work"/boot/boot/vmlinuz-* "$work/vmlinuz"
release=$(basename "$work"/boot/lib/modules/*)
modules=$work/boot/lib/modules/$release
mkdir -p "$root/usr/lib/modules/$release/kernel"
cp "$modules"/modules.* "$root/usr/lib/modules/$release/"
for part in arch crypto fs lib net drivers/block drivers/virtio drivers/xen drivers/net/xen-netback; do
  (cd "$modules/kernel" && cp -r --parents "$part" "$root/usr/lib/modules/$release/kernel/")
done
(cd "$modules/kernel" && cp --parents drivers/net/*.ko "$root/usr/lib/modules/$release/kernel/")
depmod -b "$root" "$release"

# with_modules TREE MODULE...: copies modules and what they need into an initramfs tree, for busybox' modprobe.
with_modules() {
  local tree=$1
  shift
  modprobe -d "$root" -S "$release" -a --show-depends "$@" | awk '$1 == "insmod" { print $2 }' | sort -u |
    while read -r file; do
      install -D -m 644 "$file" "$tree/lib/modules/$release/${file##*/}"
    done
  cp "$modules"/modules.{order,builtin} "$tree/lib/modules/$release/"
  depmod -b "$tree" "$release"
}

# with_programs TREE PROGRAM...: copies programs of the root, with their libraries.
with_programs() {
  local tree=$1 program path
  shift
  for program; do
    path=$(chroot "$root" sh -c "command -v $program")
    printf '%s\n' "$path" $(chroot "$root" ldd "$path" | grep -o '/[^ ]*')
  done | sort -u | while read -r path; do
    mkdir -p "$tree$(dirname "$path")"
    cp -L "$root$path" "$tree$path"
  done
}

# initramfs TREE INIT FILE
initramfs() {
  mkdir -p "$1"/{bin,dev,proc,sys,run,tmp,root}
  cp "$root/bin/busybox" "$1/bin/"
  install -m 755 "$2" "$1/init"
  (cd "$1" && find . | cpio --quiet -o -H newc -R 0:0) >"$3"
}

echo 'images: Node.js of this machine' >&2
node=$(readlink -f "$(command -v node)")
install -m 755 "$node" "$root/usr/local/bin/node"
ldd "$node" | grep -o '/[^ ]*' | while read -r library; do
  [ -e "$root$library" ] || cp -L "$library" "$root/usr/local/lib/"
done
chroot "$root" ldconfig
chroot "$root" node --version >/dev/null

echo 'images: disk' >&2
mkdir -p "$root/lab" "$work/guest" "$work/initrd"
with_modules "$work/guest" "${guest_modules[@]}"
with_programs "$work/guest" "${guest_programs[@]}"
initramfs "$work/guest" "$sources/guest-init" "$root/lab/guest-initrd"
with_modules "$work/initrd" "${initrd_modules[@]}"
initramfs "$work/initrd" "$sources/disk-init" "$work/dom0-initrd"
cp "$work/dom0-initrd" "$root/lab/disk-initrd"
install -m 755 "$sources"/{dom0-init,driver-domain-init} "$root/lab/"
# Guests start from the uncompressed kernel: unpacking it for each of them takes seconds here.
at=$(LC_ALL=C grep -aobP '\xfd7zXZ\x00' "$work/vmlinuz" | head -1 | cut -d: -f1)
tail -c "+$((at + 1))" "$work/vmlinuz" | xz -dc --single-stream >"$root/lab/vmlinux" 2>/dev/null || true
[ "$(head -c 4 "$root/lab/vmlinux" | tail -c 3)" = ELF ]

truncate -s 1400M "$work/root.ext4"
mke2fs -q -t ext4 -d "$root" "$work/root.ext4"
mv "$work"/{xen,vmlinuz,dom0-initrd,root.ext4} "$target/"
