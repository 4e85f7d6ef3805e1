# Sourced by Snakemake before every job, with the environment to activate: what conda does to PATH.
# An environment that is active already is replaced where it stands, so whatever stands before it
# in PATH, such as a virtual environment activated later, stays before the new one too.
_emodag_paths=":$PATH:"
if [ "${CONDA_SHLVL:-0}" -ge 1 ] && [[ "$_emodag_paths" == *":$CONDA_PREFIX/bin:"* ]]; then
    _emodag_paths="${_emodag_paths/":$CONDA_PREFIX/bin:"/":$1/bin:"}"
else
    _emodag_paths=":$1/bin$_emodag_paths"
fi
PATH="${_emodag_paths#:}"
export PATH="${PATH%:}"
export CONDA_SHLVL=$((${CONDA_SHLVL:-0} + 1))
export CONDA_PREFIX="$1" CONDA_DEFAULT_ENV="$1"
unset _emodag_paths
