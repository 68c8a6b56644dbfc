# shellcheck shell=bash
# Boot the hosts, find out whether they run, and end them with everything they started.

runs() { # host
    grep -qs '^populated 1$' "$cgroup/$1/cgroup.events"
}

any_runs() {
    grep -qs '^populated 1$' "$cgroup"/virt*/cgroup.events
}

boot_hosts() {
    local host
    for host in "${hosts[@]}"; do
        if runs "$host"; then thaw_host "$host"; else boot "$host"; fi
    done
    for host in "${hosts[@]}"; do await "$host"; done
}

boot() { # host
    local place=$lab/hosts/$1
    # A host keeps its changes to the root file system it was installed from, and to no other.
    [[ $(readlink "$place/base" || true) == "$base" ]] || rm -rf -- "$place"
    mkdir -p -- "$place"/{upper,work,root} "$cgroup/$1"
    ln -sfn -- "$base" "$place/base"
    write_identity "$1" "$place/upper"
    (
        cd "$place"
        echo "$BASHPID" >"$cgroup/$1/cgroup.procs"
        exec {guard}>&-
        exec setsid nsenter --net="/run/netns/$(namespace_of "$1")" \
            unshare --mount --pid --uts --ipc --cgroup --fork --kill-child \
            "$here/boot-host" "$1"
    ) </dev/null >"$place/console" 2>&1 &
}

write_identity() { # host, root; what tells this host from the others
    local etc=$2/etc other
    [[ -e $etc/hostname ]] && return
    mkdir -p -m 755 -- "$etc"/{ssh,libvirt} && mkdir -p -m 700 -- "$2/root/.ssh"
    uuid_of "$1" | tr -d - >"$etc/machine-id"
    {
        echo "127.0.0.1 localhost"
        for other in virt{1..9}; do echo "$(address_of "$other") $other"; done
    } >"$etc/hosts"
    {
        cat -- "$base/etc/libvirt/libvirtd.conf"
        echo "host_uuid = \"$(uuid_of "$1")\""
    } >"$etc/libvirt/libvirtd.conf"
    install -m 600 -- "$keys/$1" "$etc/ssh/ssh_host_ed25519_key"
    install -m 644 -- "$keys/$1.pub" "$etc/ssh/ssh_host_ed25519_key.pub"
    install -m 644 -- "$keys/known_hosts" "$etc/ssh/ssh_known_hosts"
    install -m 600 -- "$keys/migration" "$2/root/.ssh/id_ed25519"
    cat -- "$keys"/{reconciler,migration}.pub >"$2/root/.ssh/authorized_keys"
    chmod 600 "$2/root/.ssh/authorized_keys"
    echo "$1" >"$etc/hostname"
}

await() { # host
    local began=$SECONDS
    until (on_host "$1" virsh pool-info default </dev/null >/dev/null 2>&1); do
        runs "$1" || die "$1 ended while it booted:" "$(tail -n 20 "$lab/hosts/$1/console")"
        ((SECONDS - began < 120)) || die "$1 does not answer; see deploy/lab/lab ssh $1 journalctl"
        sleep 0.2
    done
}

# All of a group at once, guests too: nothing can fork its way out, and no name is guessed.
end_groups() { # of these names
    local name
    for name in "$@"; do
        [[ ! -e $cgroup/$name/cgroup.kill ]] || echo 1 >"$cgroup/$name/cgroup.kill"
    done
    for name in "$@"; do await_end "$name"; done
}

await_end() { # name
    local began=$SECONDS
    while grep -qs '^populated 1$' "$cgroup/$1/cgroup.events"; do
        ((SECONDS - began < 30)) ||
            die "$1 does not end: $(find "$cgroup/$1" -name cgroup.procs -exec cat {} +)"
        sleep 0.1
    done
}

kill_host() { # with its guests
    end_groups "$1"
}

freeze_host() { echo 1 >"$cgroup/$1/cgroup.freeze"; }
thaw_host() { echo 0 >"$cgroup/$1/cgroup.freeze"; }
cut_host() { ip link set "$(outer_end_of mgmt "$1")" down; }
mend_host() { ip link set "$(outer_end_of mgmt "$1")" up; }

show_status() {
    local host
    for host in "${hosts[@]}"; do
        if runs "$host"; then
            printf '%s runs at %s\n' "$host" "$(address_of "$host")"
        else
            printf '%s does not run\n' "$host"
        fi
    done
}
