#!/bin/sh
# Set-up, as `make` starts it: nothing where .venv is as the locks say, else .venv anew.
#
#   [TORCH=cuda] [PYTHON=...] sh envs/setup.sh [doctor | LAYER ...]
#
# A layer (dev, conda-test, cluster, remote) is a lock installed on top; doctor changes nothing, and
# says what is here. This part finds, or fetches, a Python and uv, the installer;
# workflow/emodag/setup.py does the rest with them. A python3 of 3.9 or newer, or uv, must be there,
# and nothing else; everything is put into .venv and .tools.
set -u

TORCH=${TORCH:-cpu}
PYTHON=${PYTHON:-}
CPYTHON=3.11.18   # what is fetched where no suitable one is found; uv knows its hash
SUITS='import sys, ctypes, sqlite3, ssl, zlib
sys.exit(sys.implementation.name != "cpython" or sys.version_info[:2] not in ((3, 11), (3, 12)))'
BUNDLED='import ensurepip, glob, os, sysconfig
places = [os.path.join(os.path.dirname(ensurepip.__file__), "_bundled")]
places += filter(None, [sysconfig.get_config_var("WHEEL_PKG_DIR")])
print(*[w for p in places for w in glob.glob(os.path.join(glob.escape(p), "pip-*.whl"))][:1])'
IDENTITY='import os, sys; print(sys.version, os.path.realpath(sys.base_prefix))'
MADE=.venv/made-from
NEW=.tools/new   # where .venv is built, to take its place once it is whole

# The variables of another environment that is active, or was, and what would have uv or cd do else.
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV CONDA_PREFIX CDPATH
unset UV_PYTHON_PREFERENCE UV_MANAGED_PYTHON UV_NO_MANAGED_PYTHON
unset PIP_CONSTRAINT PIP_BUILD_CONSTRAINT PIP_REQUIREMENT PIP_EDITABLE PIP_NO_BINARY PIP_PLATFORM
unset PIP_PREFIX PIP_ROOT PIP_TARGET PIP_USER PIP_PYTHON PIP_DRY_RUN PIP_REPORT PIP_LOG
unset PIP_UPLOADED_PRIOR_TO
# Nobody is asked for anything.
exec </dev/null
# By its own name, so that a link to the project is the project.
cd -P -- "${0%/*}/.." || exit 1
# A host that cannot be reached costs half a minute at most.
export UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-12}" UV_HTTP_RETRIES="${UV_HTTP_RETRIES:-1}"

say() { echo "set-up: $*"; }
fail() { echo "set-up: $*" >&2; exit 1; }
identity() { "$1" -c "$IDENTITY" 2>&1; }
# Not cmp, which not every machine has.
same() { [ -f "$2" ] && [ "$(cat "$1")" = "$(cat "$2")" ]; }

# What keeps .venv from being made from these locks, here, whole; nothing where nothing does.
what_is_wrong() {
    if [ ! -e .venv ] && [ ! -L .venv ]; then
        echo "there is no .venv yet"
    elif [ ! -f $MADE/place ]; then
        echo "the .venv here was left unfinished, or made by something else"
    elif [ "$(cat $MADE/place)" != "$PWD" ]; then
        echo "the .venv here was made for $(cat $MADE/place)"
    elif [ "$(identity .venv/bin/python)" != "$(cat $MADE/python)" ]; then
        echo "the Python that .venv was made with is gone or changed"
    elif [ -n "$PYTHON" ] && [ "$(identity "$PYTHON")" != "$(cat $MADE/python)" ]; then
        echo "the .venv here was made with another Python than PYTHON=$PYTHON"
    elif [ ! -f "$MADE/local.torch-$TORCH.lock" ]; then
        echo "the .venv here was made with another TORCH than $TORCH"
    else
        for lock in local "local.torch-$TORCH"; do
            same "envs/$lock.lock" "$MADE/$lock.lock" ||
                { echo "the .venv here was not made from this $lock.lock"; break; }
        done
    fi
}

# The layers, of those asked for, that are not in .venv: all, where adding one was broken off, which
# leaves what `local` pins as it was.
missing() {
    for lock in "$@"; do
        [ ! -e $MADE/adding ] && same "envs/$lock.lock" "$MADE/$lock.lock" || echo "$lock"
    done
}

# Runs what fetches $1; if it fails, ends with one sentence and its last words.
fetch() {
    what=$1
    shift
    said=$("$@" 2>&1) && return
    case $said in
        *"No space left"* | *"Wrote only"* | *"free space"* | *quota*)
            why="the disk is full, or a quota used up" ;;
        *"Errno 13]"* | *"Errno 30]"* | *"os error 13)"* | *"os error 30)"*)
            why="there is no right to write there" ;;
        *[Mm]ismatch* | *"NOT MATCH"* | *require-hashes*) why="it is not what its hash says" ;;
        *"Invalid requirement"*) why="its lock is damaged: take it as it was published" ;;
        *40[137]" "*) why="an index or a proxy wants another user or password" ;;
        *"Required uv version"*) why="uv.toml wants another version of uv" ;;
        *) why="no network, a missing or wrong password, or none of the indexes and mirrors has it" ;;
    esac
    kept=
    [ ! -e .venv ] || kept=" The .venv is as it was."
    fail "$what could not be fetched: $why.$kept Last words:
$(echo "$said" | tail -n 4)"
}

# Locks file 9, this shell's as well, in a mode of flock(2): 2 waits, 6 does not. macOS has no flock.
lock() {
    if command -v flock >/dev/null; then
        [ "$1" = 2 ] && flock 9 || flock -n 9
    elif command -v perl >/dev/null; then
        perl -e 'open my $file, ">&=9"; exit !flock $file, $ARGV[0]' "$1"
    elif python3 -c "" 2>/dev/null; then
        python3 -c 'import fcntl, sys; fcntl.flock(9, int(sys.argv[1]))' "$1" 2>/dev/null
    fi
}

find_python() {
    if [ -n "$PYTHON" ]; then
        "$PYTHON" -c "$SUITS" 2>/dev/null ||
            fail "PYTHON=$PYTHON (from the command line or your environment) is not the command or the" \
                "path of a CPython 3.11 or 3.12 with a whole standard library. Leave it out, and" \
                "one is found or fetched."
        return
    fi
    for PYTHON in python3.11 python3.12 python3; do
        "$PYTHON" -c "$SUITS" 2>/dev/null && return
    done
    PYTHON=
}

# A uv that knows the CPython above is new enough for all the rest; of another, WHY is what it says.
is_new() {
    set -- env UV_PYTHON_DOWNLOADS=automatic "$1" python list --only-downloads --all-versions "$CPYTHON"
    [ -n "$("$@" 2>/dev/null)" ] && return
    WHY=$("$@" 2>&1 | tail -n 1)
    return 1
}

# pip for a Python that has none, as Debian's and Ubuntu's: out of their own package, whose signature
# apt checks. Lists of packages that apt lacks are fetched for this once.
pip_of_apt() (
    rm -rf .tools/apt
    mkdir -p .tools/apt/lists/partial .tools/apt/archives/partial && cd .tools/apt || exit
    set -- -q -o Acquire::Retries=0 -o Acquire::http::Timeout=12 -o Acquire::https::Timeout=12
    apt-get "$@" download python3-pip-whl || {
        set -- "$@" -o "Dir::State=$PWD" -o "Dir::Cache=$PWD"
        apt-get "$@" update && apt-get "$@" download python3-pip-whl
    } && dpkg-deb -x python3-pip-whl_*.deb . && mv usr/share/python-wheels/pip-*.whl ../pip.whl &&
        rm -rf ../apt
)

# uv by the pip of the Python $1, or by one made for it. Its lock holds the hashes.
fetch_uv() {
    pip=
    if ! "$1" -m pip --version >/dev/null 2>&1; then
        pip=$("$1" -c "$BUNDLED" 2>/dev/null)
        if [ -n "$pip" ]; then
            say "pip from $1 itself (nothing to download)"
        elif command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
            say "pip from python3-pip-whl, by apt-get (2 MB, and 20 MB of lists where it has none)"
            fetch "pip, which $1 lacks," pip_of_apt
            pip=.tools/pip.whl
        else
            fail "$1 has neither pip nor ensurepip: install one (python3-pip, python3-venv), or uv."
        fi
    fi
    say "uv, as envs/uv.lock pins it, by pip (17 MB)"
    rm -rf .tools/uv .tools/uv.new
    fetch uv env PIP_REQUIRE_VIRTUALENV=0 ${pip:+PYTHONPATH="$pip"} "$1" -m pip --no-input \
        --disable-pip-version-check --timeout 12 --retries 0 install -q --no-user --no-deps \
        --only-binary :all: --require-hashes --target .tools/uv.new -r envs/uv.lock
    [ -x .tools/uv.new/bin/uv ] || fail "envs/uv.lock is damaged: take it as it was published."
    mv .tools/uv.new .tools/uv && cp envs/uv.lock .tools/uv/
}

# The uv that is here: set-up's own, or another that is new enough. Else UV is empty; OLD may be one.
find_uv() {
    OLD=
    UV=$PWD/.tools/uv/bin/uv
    [ -x "$UV" ] && same envs/uv.lock .tools/uv/uv.lock && return
    UV=$(command -v uv) && is_new "$UV" && return
    OLD=$UV
    UV=
}

# Says what is here, before anything is fetched.
tell() {
    # Where there is no home to write to, the tools' caches are here, too.
    cache=${XDG_CACHE_HOME:-${HOME:-/dev/null}/.cache}
    mkdir -p "$cache/uv" 2>/dev/null && [ -w "$cache/uv" ] ||
        export XDG_CACHE_HOME="$PWD/.tools/cache"
    say "$(uname -srm), TORCH=$TORCH"
    find_python
    say "Python: ${PYTHON:-neither 3.11 nor 3.12}${PYTHON:+, $("$PYTHON" -V 2>&1)}"
    find_uv
    found=${UV:-$OLD}
    say "uv: ${found:-none}${found:+, $("$found" --version 2>&1)}${OLD:+, which does not know CPython $CPYTHON${WHY:+: $WHY}}"
}

get_uv() {
    for python in "$PYTHON" python3 python; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null && break
        python=
    done
    if [ -z "$python" ]; then
        [ -n "$OLD" ] ||
            fail "neither a python3 of 3.9 or newer nor uv was found: install one, as a system's package."
        # An older uv has, or fetches, a Python whose pip fetches the newer one.
        python=.tools/first/bin/python
        rm -rf .tools/first
        set -- "$OLD" venv -q --no-project --python '>=3.9' .tools/first
        UV_PYTHON_DOWNLOADS=never "$@" 2>/dev/null || {
            say "a Python for pip, by $OLD (30 MB)"
            set -- UV_PYTHON_DOWNLOADS=automatic UV_PYTHON_INSTALL_DIR="$PWD/.tools/python" "$@"
            fetch "a Python" env "$@"
        }
    fi
    fetch_uv "$python"
    UV=$PWD/.tools/uv/bin/uv
}

fetch_python() {
    for version in 3.11 3.12; do
        PYTHON=$("$UV" python find --no-python-downloads --system $version 2>/dev/null) &&
            "$PYTHON" -c "$SUITS" 2>/dev/null && return
    done
    export UV_PYTHON_INSTALL_DIR="$PWD/.tools/python"
    set -- "$UV" python find --system --managed-python --no-python-downloads $CPYTHON
    PYTHON=$("$@" 2>/dev/null) && return
    say "CPython $CPYTHON by uv, since no Python 3.11 or 3.12 is here (30 MB)"
    fetch "CPython $CPYTHON" env UV_PYTHON_DOWNLOADS=automatic "$UV" python install --no-bin --no-progress $CPYTHON
    fetch "CPython $CPYTHON" "$@"
    PYTHON=$("$@")
}

[ -f "envs/local.torch-$TORCH.lock" ] || fail "TORCH=$TORCH: expected cpu or cuda."
case $PWD in
    *:*) fail "$PWD has a colon in its name, which no PATH can hold: move the project." ;;
esac

if [ "${1-}" = doctor ]; then
    wrong=$(what_is_wrong)
    say ".venv: ${wrong:-whole}"
    tell
    [ -z "$PYTHON" ] || PYTHONPATH=workflow "$PYTHON" -P -m emodag.setup "$UV" "$TORCH"
    exit
fi
for lock in uv local "$@"; do
    [ -f "envs/$lock.lock" ] || fail "envs/$lock.lock is missing."
done
[ -z "$(what_is_wrong)$(missing "$@")" ] && exit

why=$( (mkdir -p .tools && : >.tools/lock) 2>&1) || fail "$PWD cannot be written to: $why"
# One at a time.
exec 9>.tools/lock
lock 6 || { say "another set-up is at work here: waiting for its end"; lock 2; }
wrong=$(what_is_wrong)
lacking=$(missing "$@")
[ -z "$wrong$lacking" ] && exit
[ ! -e $MADE/adding ] || wrong=${wrong:-"adding a layer to the .venv here was broken off"}
[ -n "$wrong" ] || set -- $lacking

[ "$(uname -sm)" = "Linux x86_64" ] ||
    say "this is $(uname -sm), where emodag was never run: only Linux x86_64 is tested"
say "${wrong:-.venv lacks $*}"
[ -n "$wrong" ] || PYTHON=.venv/bin/python
tell
[ -n "$UV" ] || get_uv
[ -n "$PYTHON" ] || fetch_python
fill() { PYTHONPATH=workflow "$PYTHON" -P -m emodag.setup "$UV" "$TORCH" "$@"; }

if [ -n "$wrong" ]; then
    # Not that of the .venv that goes: `make` and an active one have its bin in PATH.
    PYTHON=$("$PYTHON" -c 'import os, sys; print(os.path.realpath(sys._base_executable))') &&
        [ -x "$PYTHON" ] || fail "$PYTHON is no Python that a .venv can be made with."
    trap 'rm -rf $NEW' EXIT
    trap 'exit 1' INT TERM HUP
    rm -rf $NEW .tools/old
    fill local || {
        case $wrong in
            *"not made from"*)
                echo "The .venv stays as it was, whole: to go on with it, take back the locks that it" \
                    "was made from (git checkout envs, or cp .venv/made-from/*.lock envs)." >&2 ;;
            *"another TORCH"*)
                echo "The .venv stays as it was, whole: to go on with it, leave TORCH as it was." >&2 ;;
            *) [ ! -e .venv ] || echo "The .venv stays as it was." >&2 ;;
        esac
        exit 1
    }
    # Of a link to another's, the link alone goes.
    why=$( (
        mkdir $NEW/made-from && identity $NEW/bin/python >$NEW/made-from/python &&
            cp envs/local.lock "envs/local.torch-$TORCH.lock" $NEW/made-from &&
            echo "$PWD" >$NEW/made-from/place &&
            { { [ ! -e .venv ] && [ ! -L .venv ]; } || mv .venv .tools/old; } && mv $NEW .venv
    ) 2>&1) || fail "$PWD/.venv cannot be written, as where the disk is full. $why"
    rm -rf .tools/old
fi
[ $# -eq 0 ] || fill "$@" || exit
say "done"
