# shellcheck shell=bash
# Two guests to install, made once: a small Debian with cloud-init, and a tiny one that boots in
# seconds and tells about itself. Both boot by BIOS from a virtio disk, as a cloud image does.

guest_packages=(
    systemd systemd-sysv udev dbus sudo netbase iproute2 iputils-ping
    cloud-init cloud-guest-utils python3-cffi-backend e2fsprogs fdisk
    openssh-server qemu-guest-agent
    initramfs-tools linux-image-cloud-amd64 busybox-static
)

# Guards against others on the same processor cost the most where the processor is emulated.
swift="console=ttyS0 nokaslr mitigations=off"

build_images() {
    local fingerprint work
    fingerprint=$(
        {
            printf '%s\n' "${guest_packages[@]}" "${lean[@]}" "$swift"
            declare -f make_guest_root make_tiny make_debian make_disk
            sums_below "$here/guest"
        } | sha256sum | cut -c1-12
    )
    images=$cache/images-$fingerprint
    if [[ ! -d $images ]]; then
        rm -rf -- "$cache"/images-* "$cache/guest"
        say "building the guests' images, once"
        work=$cache/guest
        mkdir -p -- "$work"
        make_guest_root "$work/root"
        make_tiny "$work"
        make_debian "$work"
        mkdir -- "$images.unfinished"
        mv -- "$work"/*.qcow2 "$images.unfinished/"
        rm -rf -- "$work"
        mv -- "$images.unfinished" "$images"
    fi
    ln -sfn -- "$images" "$lab/images"
}

make_guest_root() { # root
    # Its settings are there before the packages, which heed them: the initramfs is made small.
    mmdebstrap --quiet --variant=minbase "${lean[@]}" --dpkgopt=force-confold \
        --essential-hook="copy-in '$here/guest/debian/etc' /" \
        --include="$(IFS=,; echo "${guest_packages[*]}")" bookworm "$1"
    # What waits for things that a lab does not have, or costs time at each boot.
    chroot "$1" systemctl --quiet mask systemd-networkd-wait-online.service \
        systemd-binfmt.service systemd-update-utmp.service e2scrub_reap.service \
        cloud-init-hotplugd.socket getty@tty1.service apt-daily.timer apt-daily-upgrade.timer \
        dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
    chroot "$1" systemctl --quiet enable systemd-networkd.service
    rm -rf -- "$1"/etc/ssh/ssh_host_* "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin
    : >"$1/etc/machine-id"
    echo debian >"$1/etc/hostname"
}

# The tools come with the hosts' root file system; the outer machine needs none of them.
with_tools() { # directory seen as /mnt, command...
    local directory=$1
    shift
    unshare --mount -- bash -euc 'mount --bind "$1" "$2/mnt" && shift && root=$1 && shift &&
        exec chroot "$root" env -C /mnt "$@"' _ "$directory" "$base" "$@"
}

make_tiny() { # directory
    local modules root=$1/tiny module
    modules=$(basename "$1"/root/lib/modules/*)
    mkdir -p -- "$root"/{bin,modules} "$1/tiny-boot"
    cp -- "$here"/guest/tiny/* "$root/"
    cp -- "$1/root/bin/busybox" "$root/bin/"
    ln -s busybox "$root/bin/sh"
    # Each with those it needs before it, in the order in which they load.
    chroot "$1/root" modprobe --set-version "$modules" --show-depends --all virtio_pci virtio_blk \
        virtio_net virtio_balloon virtio_scsi sr_mod sd_mod ata_piix isofs evdev button |
        awk '$1 == "insmod" && !seen[$2]++ {print $2}' |
        while read -r module; do
            cp -- "$1/root/$module" "$root/modules/"
            echo "/modules/${module##*/}" >>"$root/list"
        done
    mv -- "$root/list" "$root/load"
    with_tools "$1" bash -c 'cd tiny && find . | cpio --quiet -o -H newc | gzip -1 >../tiny-boot/initrd'
    cp -- "$1/root/boot/vmlinuz-$modules" "$1/tiny-boot/vmlinuz"
    make_disk "$1" tiny tiny-boot 48 1 "loglevel=3 panic=5 $swift"
}

make_debian() { # directory
    local boot=$1/root/boot
    mv -- "$boot"/vmlinuz-* "$boot/vmlinuz"
    mv -- "$boot"/initrd.img-* "$boot/initrd"
    make_disk "$1" debian-12 root 1536 0 "root=LABEL=root rw loglevel=4 $swift"
}

# A disk with a boot loader, a first partition with the files, and perhaps a small second one.
# GRUB is put in place by hand (its first sector, and the rest behind it), which needs neither
# mounts nor loop devices.
make_disk() { # directory, name, files, size and size of the second partition in MiB, command line
    local boot=/
    [[ ! -d $1/$3/boot ]] || boot=/boot/
    cat >"$1/grub.cfg" <<END
linux ${boot}vmlinuz $6
initrd ${boot}initrd
boot
END
    with_tools "$1" bash -euc '
        name=$1 files=$2 size=$3 second=$4 disk=$1.raw
        grub-mkimage --format=i386-pc --prefix="(,msdos1)/" --config=grub.cfg \
            --output=core.img biosdisk part_msdos ext2 linux
        truncate --size=${size}M first
        mkfs.ext4 -q -L root -m 0 -O ^has_journal,^metadata_csum,^64bit -d "$files" first
        truncate --size=$((1 + size + second))M "$disk"
        {
            echo "label: dos"
            echo "start=1MiB, size=${size}MiB, type=83, bootable"
            [[ $second = 0 ]] || echo "size=${second}MiB, type=83"
        } | sfdisk --quiet "$disk"
        dd if=/usr/lib/grub/i386-pc/boot.img of="$disk" bs=440 count=1 conv=notrunc status=none
        dd if=core.img of="$disk" bs=512 seek=1 conv=notrunc status=none
        dd if=first of="$disk" bs=1M seek=1 conv=notrunc,sparse status=none
        qemu-img convert -f raw -O qcow2 "$disk" "$name.qcow2"
        rm -f first "$disk" core.img grub.cfg
    ' _ "$2" "$3" "$4" "$5"
}
