#!/bin/sh
# Make a virtual environment with the first Python found that is new enough.
#
# usage: make-venv.sh FOLDER [PYTHON]
#
# A virtual environment that already works is left as it is; one that doesn't (its Python was
# removed, or making it was broken off) is made again.
set -eu

folder=$1
wanted=${2:-}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

fail() {
    echo "keytui: $1" >&2
    exit 1
}

if new_enough "$folder/bin/python" && "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
    exit 0
fi

python=
for candidate in ${wanted:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if new_enough "$candidate"; then
        python=$candidate
        break
    fi
done

if [ -z "$python" ]; then
    if found=$("${wanted:-python3}" --version 2>&1); then
        fail "Python 3.11 or newer is needed; ${wanted:-python3} is $found. \
Install a newer one, or name it: make PYTHON=/path/to/python3.12 ..."
    fi
    fail "Python 3.11 or newer is needed, and ${wanted:-python3} was not found. \
Install it, or name it: make PYTHON=/path/to/python3.12 ..."
fi

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    fail "$python can't make virtual environments: its venv module is missing or incomplete. \
On Debian and Ubuntu: apt install python3-venv."
fi

"$python" -m venv --clear "$folder"
