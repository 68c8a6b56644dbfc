# shellcheck shell=bash
# A config repository for the hosts that run, and the operator's settings that point at it.

make_farm() {
    local farm=$lab/farm host image
    # Whoever works on it keeps what they wrote; the hosts and images are ours to say.
    if [[ ! -d $farm/.git ]]; then
        rm -rf -- "$farm"
        cp -r -- "$here/farm/repository" "$farm"
        mkdir -p -- "$farm/stacks"
        filled stack.yaml KEY="$(cut -d' ' -f1,2 "$keys/guest.pub")" >"$farm/stacks/debian.yaml"
        git -C "$farm" init --quiet --initial-branch=development
        # A rollback is pushed to the branch that is checked out.
        git -C "$farm" config receive.denyCurrentBranch updateInstead
    fi
    mkdir -p -- "$farm"/{hosts,images}
    for host in "${hosts[@]}"; do
        filled host.yaml HOST="$host" ADDRESS="$(address_of "$host")" >"$farm/hosts/$host.yaml"
    done
    for image in tiny debian-12; do
        filled image.yaml IMAGE="$image" URL="$lab/images/$image.qcow2" \
            SHA256="$(checksum_of "$images/$image.qcow2")" >"$farm/images/$image.yaml"
    done
    filled reconciler.yaml LAB="$lab" >"$lab/reconciler.yaml"
    commit_farm "$farm"
}

filled() { # template, NAME=value...
    local text pair
    text=$(<"$here/farm/templates/$1")
    shift
    for pair in "$@"; do text=${text//"@${pair%%=*}@"/"${pair#*=}"}; done
    printf '%s\n' "$text"
}

checksum_of() { # file; reading it takes seconds, so its sum is kept beside it
    [[ -s $1.sha256 ]] || sha256sum "$1" | cut -d' ' -f1 >"$1.sha256"
    cat -- "$1.sha256"
}

commit_farm() { # repository
    [[ $(git -C "$1" branch --show-current) == development ]] || return 0
    git -C "$1" add --all hosts images
    [[ $(git -C "$1" rev-parse --quiet --verify HEAD) ]] || git -C "$1" add --all
    git -C "$1" diff --cached --quiet ||
        git -C "$1" -c user.name=lab -c user.email=lab@localhost commit --quiet \
            --message "The lab's hosts and images"
    # The reconciler writes its journal here, so nothing may be in its way.
    git -C "$1" rev-parse --quiet --verify staging >/dev/null || git -C "$1" branch staging
}
