# shellcheck shell=bash disable=SC2034
# Names, addresses and places of the lab, each given once. Sourced by deploy/lab/lab.

cache=$lab/cache
keys=$lab/keys

hosts=()
for ((number = 1; number <= count; number++)); do hosts+=("virt$number"); done

# The three networks: how the hosts are managed, and two that guests are plugged into.
networks=(mgmt lan ovs)
management=10.213.7 # .1 is the outer machine, .11 is virt1
guests=10.213.8     # likewise, on br-lan
more_guests=10.213.9 # on the same bridge, for a second environment

number_of() { echo "${1#virt}"; }
address_of() { echo "$management.$((10 + $(number_of "$1")))"; }
guest_side_of() { echo "$guests.$((10 + $(number_of "$1")))"; }
uuid_of() { printf '1ab00000-0000-4000-8000-%012d\n' "$(number_of "$1")"; }

namespace_of() { echo "reconciler-$1"; }
bridge_of() { echo "rlab-$1"; }  # network
outer_end_of() { echo "$1-$2"; } # network, host; at most 15 characters
# The same after each boot: nobody has to forget an old one first.
mac_of() { # host, network
    local place
    for place in "${!networks[@]}"; do
        [[ ${networks[place]} != "$2" ]] || printf '02:1a:b0:00:%02x:%02x\n' "$place" "$(number_of "$1")"
    done
}
inner_end_of() { echo "${1}0"; } # network: mgmt0, lan0, ovs0

# Each host lives in a control group, so that everything it started can be found and ended.
cgroups=$(findmnt --noheadings --first-only --output TARGET --types cgroup2 || true)
cgroup=$cgroups/reconciler-lab
claim=/run/reconciler-lab # says whose lab it is

claim_machine() {
    mkdir -p -- "$lab"
    if [[ -s $claim && $(<"$claim") != "$lab" ]] && any_runs; then
        die "a lab in $(<"$claim") runs already; end it with: deploy/lab/lab down"
    fi
    echo "$lab" >"$claim"
}

check_machine() {
    local program
    [[ -n $cgroups ]] || die "no cgroup2 file system is mounted; the hosts cannot be kept together"
    [[ -c /dev/net/tun ]] || die "/dev/net/tun is missing; load the module tun"
    for program in mmdebstrap ip unshare nsenter ssh-keygen flock; do
        command -v "$program" >/dev/null ||
            die "$program is missing; run scripts/bootstrap lab"
    done
}
