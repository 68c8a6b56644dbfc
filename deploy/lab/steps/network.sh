# shellcheck shell=bash
# Bridges on the outer machine, and a namespace for each host with one foot in each of them.

make_links() {
    local network host
    for network in "${networks[@]}"; do make_bridge "$network"; done
    hold_address "$(bridge_of mgmt)" "$management.1/24"
    hold_address "$(bridge_of lan)" "$guests.1/24"
    hold_address "$(bridge_of lan)" "$more_guests.1/24"
    for host in "${hosts[@]}"; do make_namespace "$host"; done
}

make_bridge() { # network
    local bridge
    bridge=$(bridge_of "$1")
    ip link show "$bridge" >/dev/null 2>&1 || ip link add "$bridge" type bridge
    ip link set "$bridge" up
}

hold_address() { # link, address
    local taken
    # Another lab, or somebody's real network: both would be cut off.
    taken=$(ip -oneline -4 address show to "${2%.*}.0/24" | awk -v own="$1" '$2 != own {print $2}')
    [[ -z $taken ]] || die "$taken has an address in ${2%.*}.0/24, which the lab uses"
    ip address replace "$2" dev "$1"
}

make_namespace() { # host
    local namespace network
    namespace=$(namespace_of "$1")
    # A host that runs may have set up its network otherwise since.
    [[ -z $(ip netns pids "$namespace" 2>/dev/null) ]] || return 0
    if ! ip netns pids "$namespace" >/dev/null 2>&1; then
        ip netns delete "$namespace" 2>/dev/null || true
        ip netns add "$namespace"
    fi
    for network in "${networks[@]}"; do connect "$1" "$network"; done
    ip -n "$namespace" link set lo up
    ip -n "$namespace" address replace "$(address_of "$1")/24" dev mgmt0
    ip -n "$namespace" link add br-lan type bridge 2>/dev/null || true
    ip -n "$namespace" link set lan0 master br-lan
    ip -n "$namespace" link set br-lan up
    ip -n "$namespace" address replace "$(guest_side_of "$1")/24" dev br-lan
}

connect() { # host, network
    local outer inner namespace
    outer=$(outer_end_of "$2" "$1") inner=$(inner_end_of "$2") namespace=$(namespace_of "$1")
    if ! ip -n "$namespace" link show "$inner" >/dev/null 2>&1; then
        ip link delete "$outer" 2>/dev/null || true
        ip link add "$outer" type veth \
            peer name "$inner" address "$(mac_of "$1" "$2")" netns "$namespace"
    fi
    ip link set "$outer" master "$(bridge_of "$2")" up
    ip -n "$namespace" link set "$inner" up
}

remove_links() {
    local link namespace
    for namespace in $(ip netns list | awk '/^reconciler-virt[1-9]/ {print $1}'); do
        ip netns delete "$namespace"
    done
    # Ends that outlived their namespace, then the bridges.
    for link in {mgmt,lan,ovs}-virt{1..9} rlab-{mgmt,lan,ovs}; do
        ! ip link show "$link" >/dev/null 2>&1 ||
            ip link delete "$link" 2>/dev/null || gone "$link"
    done
}

gone() { # link; the kernel removes the ends of a namespace by itself, and was quicker
    ! ip link show "$1" >/dev/null 2>&1
}
