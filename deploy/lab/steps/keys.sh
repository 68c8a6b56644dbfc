# shellcheck shell=bash
# Who may log in, and which keys the hosts show: pinned, so nobody has to trust at first sight.

make_keys() {
    local host
    mkdir -p -m 700 -- "$keys"
    make_key reconciler
    make_key migration # by which the hosts reach each other
    make_key guest     # for the accounts of guests
    # Also for hosts that are not asked for yet: what is pinned then holds for all.
    for host in virt{1..9}; do make_key "$host"; done
    [[ -s $keys/known_hosts ]] || pinned_keys >"$keys/known_hosts"
    chmod 644 "$keys/known_hosts"
}

make_key() {
    [[ -s $keys/$1.pub ]] && return
    rm -f -- "$keys/$1"
    ssh-keygen -q -t ed25519 -N '' -C "$1@lab" -f "$keys/$1"
}

pinned_keys() {
    local host
    for host in virt{1..9}; do
        printf '%s,%s %s\n' "$host" "$(address_of "$host")" "$(cut -d' ' -f1,2 "$keys/$host.pub")"
    done
}

on_host() { # host, command...
    local host=${1:?name a host, such as virt1}
    shift
    exec ssh -i "$keys/reconciler" -o IdentitiesOnly=yes -o UserKnownHostsFile="$keys/known_hosts" \
        -o StrictHostKeyChecking=yes -o BatchMode=yes -o ConnectTimeout=5 \
        "root@$(address_of "$host")" "$@"
}
