# Sourced by ./start and ./test: the virtual environment, its packages from a hashed lock, and the compiled texts.
# Wants $here, the folder of the program.

say_err() { printf '%s\n' "$*" >&2; }

# A Python that really runs (a version manager's shim may be there without one) and is 3.11 or newer.
find_python() {
    for name in ${PYTHON:-} python3.15 python3.14 python3.13 python3.12 python3.11 python3 python; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            printf '%s\n' "$name"
            return 0
        fi
    done
    say_err "Zhida needs Python 3.11 or newer, and found none on PATH."
    say_err "Debian, Ubuntu: sudo apt-get install python3 python3-venv    Or name one: PYTHON=/path/to/python3 ./start"
    return 1
}

make_venv() {
    if [ -x "$here/.venv/bin/python" ] && "$here/.venv/bin/python" -c 'import pip' >/dev/null 2>&1; then
        return 0
    fi
    python=$(find_python) || return 1
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        say_err "This Python has no venv module. Debian, Ubuntu: sudo apt-get install python$version-venv"
        return 1
    fi
    echo "Making the virtual environment .venv with $("$python" -V) ..."
    "$python" -m venv --clear "$here/.venv"
}

# uv does not read pip's configuration: hand the index and the certificates on.
pass_index_on() {
    pip="$here/.venv/bin/python -m pip --disable-pip-version-check"
    if [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
        index=${PIP_INDEX_URL:-$($pip config get global.index-url 2>/dev/null || true)}
        [ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
    fi
    if [ -z "${SSL_CERT_FILE:-}" ]; then
        certificates=${PIP_CERT:-$($pip config get global.cert 2>/dev/null || true)}
        [ -z "$certificates" ] || export SSL_CERT_FILE="$certificates"
    fi
}

with_uv() {
    uv=$(command -v uv || true)
    if [ -z "$uv" ]; then
        [ -x "$here/.venv/bin/uv" ] || "$here/.venv/bin/python" -m pip install --quiet \
            --disable-pip-version-check --require-hashes -r "$here/requirements-uv.lock" || return 1
        uv="$here/.venv/bin/uv"
    fi
    (pass_index_on && "$uv" pip install --quiet --python "$here/.venv/bin/python" --require-hashes -r "$1")
}

with_pip() {
    "$here/.venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes "$@"
}

# install_lock LOCK...: whatever is not yet in .venv. A copy of each lock stays there as the mark that it was done.
install_lock() {
    for lock in "$@"; do
        mark="$here/.venv/$lock"
        cmp -s "$here/$lock" "$mark" && continue
        echo "Installing the packages of $lock ..."
        if [ -n "${WHEELHOUSE:-}" ]; then
            with_pip --no-index --find-links "$WHEELHOUSE" -r "$here/$lock" || return 1
        elif ! with_uv "$here/$lock"; then
            say_err "uv did not do it; trying pip ..."
            with_pip -r "$here/$lock" || return 1
        fi
        cp "$here/$lock" "$mark"
    done
}

# `flask routes` is ours: it says who may call each. Flask has a command of that name, and only one that the environment
# brings comes before it; so the environment is told of ours in the way in which an installed package tells.
register_commands() {
    mark="$here/.venv/zhida.commands"
    [ "$(cat "$mark" 2>/dev/null)" = "$here" ] && return 0
    site=$("$here/.venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))') || return 1
    told="$site/zhida-0.1.0.dist-info"
    mkdir -p "$told"
    printf '%s\n' "$here" >"$site/zhida.pth"
    printf 'Metadata-Version: 2.1\nName: zhida\nVersion: 0.1.0\n' >"$told/METADATA"
    printf '[flask.commands]\nroutes = feedback.cli.routes:routes_command\n' >"$told/entry_points.txt"
    printf '%s\n' "$here" >"$mark"
}

compile_texts() {
    for po in "$here"/feedback/translations/*/LC_MESSAGES/*.po; do
        [ -e "$po" ] || continue
        mo="${po%.po}.mo"
        if [ ! -e "$mo" ] || [ -n "$(find "$po" -newer "$mo")" ]; then
            "$here/.venv/bin/pybabel" --quiet compile -i "$po" -o "$mo" || return 1
        fi
    done
}
