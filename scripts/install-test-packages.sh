#!/bin/sh
# Install the real components that the tests work with, where they are missing: a D-Bus session,
# GNOME Keyring and secret-tool, pass with GnuPG, tmux, screen, the aws command line version 2, and sshd.
#
# On Debian and its kin they are installed, as root or through a sudo that asks nothing. Elsewhere
# this names what is missing and ends with status 1.
set -eu

# sbin is where Debian keeps sshd, and is not on everybody's PATH.
PATH=$PATH:/usr/sbin:/sbin

has() {
    command -v "$1" >/dev/null 2>&1
}

has_aws_v2() {
    # Asking dpkg takes a hundredth of the time that aws takes to say its version.
    if [ -x /usr/bin/aws ] &&
        version=$(dpkg-query -W -f '${Version}' awscli 2>/dev/null); then
        case $version in 2.*) return 0 ;; esac
    fi
    for aws in aws /usr/bin/aws /usr/local/bin/aws; do
        case $("$aws" --version 2>/dev/null) in aws-cli/2.*) return 0 ;; esac
    done
    return 1
}

# Prints the missing Debian packages, one a line.
missing() {
    if ! has dbus-run-session || ! has dbus-daemon; then echo dbus; fi
    has gnome-keyring-daemon || echo gnome-keyring
    has secret-tool || echo libsecret-tools
    has gpg || echo gnupg
    has pass || echo pass
    has tmux || echo tmux
    has screen || echo screen
    has sshd || echo openssh-server
    has_aws_v2 || echo awscli
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" </dev/null
}

# The tests start an sshd of their own on a loopback port; nobody is to get a server that
# listens on the network for having run them.
POLICY=/usr/sbin/policy-rc.d

install_packages() {
    if [ ! -e "$POLICY" ]; then
        trap 'as_root rm -f "$POLICY"' EXIT
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
        as_root chmod 755 "$POLICY"
    fi
    log=$(mktemp)
    if ! { apt update && apt install --no-install-recommends "$@"; } >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
    if [ -d /run/systemd/system ]; then
        case " $* " in *" openssh-server "*) as_root systemctl disable --quiet ssh ssh.socket || : ;; esac
    fi
}

refuse() {
    echo "keytui: the tests need these, which are not installed:" "$@" >&2
    case $(uname -s) in
        Darwin)
            echo "  brew install awscli dbus gnome-keyring gnupg libsecret pass tmux screen" >&2
            echo "  (the keyring tests are made for Linux; on macOS run: make check)" >&2
            ;;
        *)
            if has apt-get; then
                echo "  sudo apt-get install --no-install-recommends" "$@" >&2
            else
                echo "  Those are Debian's names; install what your system calls them." >&2
            fi
            ;;
    esac
    case " $* " in *" awscli "*)
        echo "  awscli: version 2 is needed; some systems' package is version 1 or there is none." >&2
        ;;
    esac
    exit 1
}

needed=$(missing)
[ -n "$needed" ] || exit 0
# shellcheck disable=SC2086  # one word a package is meant
set -- $needed

if ! has apt-get || ! as_root true 2>/dev/null; then
    refuse "$@"
fi
echo "keytui: installing what the tests need:" "$@"
install_packages "$@" || refuse "$@"

needed=$(missing)
# shellcheck disable=SC2086
[ -z "$needed" ] || refuse $needed
