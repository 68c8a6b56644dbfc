# shellcheck shell=bash
# The root file system that all hosts share, made once. Sourced by deploy/lab/lab.

packages=(
    systemd systemd-sysv dbus procps netbase
    openssh-server openssh-client
    iproute2 iputils-ping ethtool nftables
    libvirt-daemon libvirt-daemon-driver-qemu libvirt-daemon-system libvirt-clients
    qemu-system-x86 qemu-utils ovmf swtpm-tools
    openvswitch-switch bind9 bind9-dnsutils bind9-utils nsd knot dnsmasq-base nginx-light
    kea-dhcp4-server kea-dhcp-ddns-server apt-cacher-ng
    inotify-tools
    # What makes the images of the guests.
    cpio e2fsprogs fdisk grub-common grub-pc-bin genisoimage
)

# Nobody reads manuals in the lab, and nobody minds if the power fails while it is made.
lean=(
    --dpkgopt='path-exclude=/usr/share/doc/*'
    --dpkgopt='path-exclude=/usr/share/man/*'
    --dpkgopt='path-exclude=/usr/share/locale/*'
    --dpkgopt=force-unsafe-io
    --aptopt='APT::Install-Recommends "false"'
    --aptopt='Acquire::Languages "none"'
    --aptopt='Acquire::Retries "5"'
)

build_base() {
    local fingerprint
    fingerprint=$(
        {
            printf '%s\n' "${packages[@]}" "${lean[@]}"
            declare -f configure_base
            sums_below "$here/host"
        } | sha256sum | cut -c1-12
    )
    base=$cache/base-$fingerprint
    [[ -d $base ]] && return
    mkdir -p -- "$cache"
    # What an older recipe made goes, with the hosts that run from it, and what was left half done.
    end_groups virt{1..9}
    rm -rf -- "$cache"/base-*
    say "building the hosts' root file system, once"
    mmdebstrap --quiet --variant=minbase "${lean[@]}" \
        --include="$(IFS=,; echo "${packages[*]}")" bookworm "$base.unfinished"
    configure_base "$base.unfinished"
    mv -- "$base.unfinished" "$base"
}

sums_below() { # directory
    (cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum)
}

configure_base() { # root
    cp -r --no-preserve=ownership -- "$here/host/." "$1/"
    # The hosts' pools, which libvirt starts by itself.
    mkdir -p -- "$1"/etc/libvirt/storage/autostart "$1"/var/lib/libvirt/base
    ln -s ../default.xml ../images.xml "$1/etc/libvirt/storage/autostart/"
    # Installing made keys; each host gets its own.
    rm -f -- "$1"/etc/ssh/ssh_host_* "$1/etc/machine-id" "$1/etc/hostname"
    # The kernel belongs to the outer machine: nobody sets it up from in here.
    chroot "$1" systemctl --quiet mask systemd-sysctl.service systemd-udevd.service \
        systemd-udev-trigger.service systemd-modules-load.service getty.target console-getty.service
    chroot "$1" systemctl --quiet disable nginx.service nsd.service knot.service \
        kea-dhcp-ddns-server.service apt-cacher-ng.service apt-daily.timer apt-daily-upgrade.timer
    chroot "$1" systemctl --quiet enable lab-switch.service libvirtd.service
}
