#!/bin/sh
# Run tests on every Python that Spikeport supports, each in an environment of its own.
#
#   tests/matrix.sh [PYTEST ARGUMENT ...]        default: tests/targets tests/failcases
#
# Environment:
#   UV        the uv to use (default: uv)
#   VERSIONS  which Pythons (default: 3.11 3.12 3.13)
#   MISSING   "skip": a Python that is not on this machine is no failure (default: it is one)
#   PYTHON_3_12 and so on: the interpreter to use for that version
#
# Nothing is downloaded but packages: an interpreter that is not there is named. Environments
# (.venv-3.12 and so on) are kept; packages are hard links into uv's cache where the file system
# allows it.
set -u
cd "$(dirname "$0")/.." || exit 2
uv=${UV:-uv}
case ${MISSING:-fail} in skip|fail) ;; *) echo "MISSING is 'skip' or nothing." >&2; exit 2 ;; esac
[ $# -gt 0 ] || set -- tests/targets tests/failcases

works() { "$1" -c "import sys; sys.exit(sys.version_info[:2] != tuple(map(int, '$2'.split('.'))))" 2>/dev/null; }

# The interpreter for version $1: the one named by hand, uv's choice, or one of pyenv's that is
# installed but not selected (its shims fail, and uv believes them).
interpreter() {
    named=$(eval echo "\${PYTHON_$(echo "$1" | tr . _):-}")
    for each in "$named" "$("$uv" python find --no-project "$1" 2>/dev/null)" \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python; do
        if [ -n "$each" ] && works "$each" "$1"; then echo "$each"; return 0; fi
        if [ -n "$named" ]; then return 1; fi
    done
    return 1
}

summary="" status=0
for version in ${VERSIONS:-3.11 3.12 3.13}; do
    started=$(date +%s)
    if ! python=$(interpreter "$version"); then
        echo "*** Python $version IS NOT ON THIS MACHINE: nothing was tested on it. ***" >&2
        result="NOT THERE"
        [ "${MISSING:-fail}" = skip ] || status=1
    elif ! UV_PROJECT_ENVIRONMENT=.venv-$version "$uv" sync --quiet --python "$python"; then
        result="NOT INSTALLED"
        status=1
    else
        log=$(mktemp)
        echo "=== Python $version ($python)"
        # Without PYTHONPATH: what is tested is what was installed.
        env -u PYTHONPATH ".venv-$version/bin/python" -m pytest -q "$@" >"$log" 2>&1 ||
            { status=1; cat "$log" >&2; }
        result=$(tail -n 1 "$log")
        rm -f "$log"
    fi
    summary="$summary$version|$result|$(($(date +%s) - started)) s\n"
done
echo
printf "$summary" | while IFS='|' read -r version result seconds; do
    printf '%-6s %-60s %s\n' "$version" "$result" "$seconds"
done
exit $status
