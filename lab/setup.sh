#!/bin/sh
# Makes a Debian or Ubuntu machine ready for labs: packages, kernel limits, Docker, and the Python environment .venv.
# Does only what is missing, so it may be run at any time.
# Usage: lab/setup.sh [EXTRA,... [browser]]   (extras of pyproject.toml; with Chromium, for the tests that open one)
set -eu

extras=${1:-}
browser=${2:-}
here=$(cd "$(dirname "$0")/.." && pwd)
venv=$here/.venv
socket=/var/run/docker.sock
log=/var/log/pacslab-dockerd.log

say() { printf 'setup: %s\n' "$*" >&2; }

fail() { # what is wrong, and what to do
    printf 'setup: %s\n  %s\n' "$1" "$2" >&2
    exit 4
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "'$*' needs root, and there is no sudo." "Run 'make setup' as root once; labs then need none."
    fi
}

find_python() { # ansible-core 2.19 runs on 3.11 to 3.13
    for name in python3 python3.13 python3.12 python3.11; do
        path=$(command -v "$name") || continue
        "$path" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || continue
        printf '%s\n' "$path"
        return
    done
    return 1
}

ping_engine() {
    "$@" python3 - "$socket" <<'PY' 2>/dev/null
import socket, sys
with socket.socket(socket.AF_UNIX) as engine:
    engine.settimeout(5)
    engine.connect(sys.argv[1])
    engine.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
    sys.exit(b" 200 " not in engine.recv(64))
PY
}

engine_answers() {
    [ -S "$socket" ] || return 1
    if [ -w "$socket" ]; then ping_engine env; else ping_engine as_root; fi
}

want_test_packages() { # judges and servers that unit tests run
    command -v dciodvfy >/dev/null || missing="$missing dicom3tools"
    command -v storescu >/dev/null || missing="$missing dcmtk"
    command -v nft >/dev/null || [ -x /usr/sbin/nft ] || missing="$missing nftables"
    command -v openssl >/dev/null || missing="$missing openssl"
    command -v sslscan >/dev/null || missing="$missing sslscan"
    if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
        missing="$missing postgresql"
        # the tests start a server of their own: the package need not make one
        as_root sh -c 'mkdir -p /etc/postgresql-common; [ -e /etc/postgresql-common/createcluster.conf ] ||
            echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf'
    fi
}

want_browser() { # what 'pacslab view' opens (lab/cli/view.py)
    for name in chromium chromium-browser google-chrome google-chrome-stable microsoft-edge; do
        ! command -v "$name" >/dev/null || return 0
    done
    missing="$missing chromium"
}

install_packages() {
    missing=
    command -v dockerd >/dev/null || [ -x /usr/sbin/dockerd ] || engine_answers || missing="$missing docker.io"
    command -v ssh >/dev/null || missing="$missing openssh-client"
    command -v mmdebstrap >/dev/null || missing="$missing mmdebstrap"
    command -v npm >/dev/null || missing="$missing npm"
    [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing="$missing debian-archive-keyring"
    [ "$(id -u)" = 0 ] || command -v newuidmap >/dev/null || missing="$missing uidmap"
    if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then
        command -v apparmor_parser >/dev/null || [ -x /usr/sbin/apparmor_parser ] || missing="$missing apparmor"
    fi
    if ! find_python >/dev/null; then
        case $(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) in
            3.11 | 3.12 | 3.13 | '') missing="$missing python3 python3-venv" ;;
            *) missing="$missing python3.11 python3.11-venv" ;;
        esac
    fi
    case ,$extras, in *,test,*) want_test_packages ;; esac
    [ -z "$browser" ] || want_browser
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null ||
        fail "This machine lacks:$missing." "Install these by its own means; setup does it on Debian and Ubuntu only."
    say "installing$missing"
    as_root apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null
}

raise_limit() { # sysctl, least value: so many hosts each run a systemd
    now=$(cat "/proc/sys/$(printf %s "$1" | tr . /)")
    [ "$now" -lt "$2" ] || return 0
    say "raising $1 from $now to $2"
    as_root sh -c "mkdir -p /etc/sysctl.d && echo '$1 = $2' >> /etc/sysctl.d/60-pacslab.conf"
    as_root sh -c "echo $2 > /proc/sys/$(printf %s "$1" | tr . /)"
}

mount_systemd_cgroup() { # on control groups v1, where the machine itself has no systemd to do it
    [ -e /sys/fs/cgroup/cgroup.controllers ] || [ -d /sys/fs/cgroup/systemd ] || {
        say "mounting the control group hierarchy that systemd on hosts needs"
        as_root mkdir -p /sys/fs/cgroup/systemd
        as_root mount -t cgroup -o none,name=systemd systemd /sys/fs/cgroup/systemd
    }
}

start_docker() {
    engine_answers && return
    if [ -d /run/systemd/system ]; then
        say "starting Docker"
        as_root systemctl enable --quiet --now docker.service
    else
        say "starting Docker by hand, since no systemd runs here; its log is $log"
        # a daemon that was killed leaves its number behind; when another process has it since, dockerd would not start
        for mark in /var/run/docker.pid /var/run/docker/containerd/containerd.pid; do
            pid=$(cat "$mark" 2>/dev/null) || continue
            case $(cat "/proc/$pid/comm" 2>/dev/null) in dockerd | containerd) ;; *) as_root rm -f "$mark" ;; esac
        done
        as_root sh -c "PATH=\$PATH:/usr/sbin:/sbin setsid dockerd >>$log 2>&1 </dev/null &"
    fi
    left=60
    until engine_answers; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || fail "Docker does not answer after 60 s." "Read $log, or 'journalctl -u docker'."
        sleep 1
    done
}

join_docker_group() {
    if [ -w "$socket" ] || id -nG "$(id -un)" | tr ' ' '\n' | grep -qx docker; then
        return
    fi
    say "adding $(id -un) to the group docker, which may use Docker (and is as powerful as root)"
    as_root usermod -aG docker "$(id -un)"
}

install_pacslab() {
    stamp=$venv/.pacslab-$(printf %s "$extras" | tr , -)
    cmp -s "$here/pyproject.toml" "$stamp" && [ -x "$venv/bin/pacslab" ] && return
    python=$(find_python) || fail "There is no Python 3.11, 3.12 or 3.13 with venv." "Install one, with its venv module."
    [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
    say "installing pacslab into .venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$here${extras:+[$extras]}"
    cp "$here/pyproject.toml" "$stamp"
}

install_packages
raise_limit fs.inotify.max_user_instances 8192
raise_limit kernel.keys.maxkeys 2000
mount_systemd_cgroup
start_docker
join_docker_group
install_pacslab
