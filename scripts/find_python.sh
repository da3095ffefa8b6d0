#!/bin/sh
# Prints the Python to build .venv with: $1 if given, else the one that .venv was made with, else the first
# that fits, 3.11 before 3.12 and 3.13. Says what to install, and fails, when there is none.
unset PYTHONHOME PYTHONPATH
fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1; }

if [ -n "$1" ]; then
    if fits "$1"; then echo "$1"; exit 0; fi
    echo "PYTHON=$1 is not a Python 3.11, 3.12 or 3.13 (got: $("$1" --version 2>&1))." >&2
    exit 1
fi
made_with=$(.venv/bin/python -c 'import sys; print(sys._base_executable)' 2>/dev/null)
if [ -n "$made_with" ] && fits "$made_with"; then echo "$made_with"; exit 0; fi
brewed() { echo "/opt/homebrew/opt/python@$1/bin/python$1" "/usr/local/opt/python@$1/bin/python$1"; }
for candidate in python3.11 python3.12 python3.13 python3 python \
    $(brewed 3.11) $(brewed 3.12) $(brewed 3.13); do
    if fits "$candidate"; then echo "$candidate"; exit 0; fi
done
if command -v apt-get >/dev/null 2>&1; then install="apt-get install python3.11 python3.11-venv"
elif command -v brew >/dev/null 2>&1; then install="brew install python@3.11"
elif command -v dnf >/dev/null 2>&1; then install="dnf install python3.11"
else install="install Python 3.11 from python.org or your system's packages"; fi
printf '%s\n' "" "Modelyard cannot be installed yet." \
    "  got: no Python 3.11, 3.12 or 3.13 on the path" \
    "  expected: one of them" \
    "  next: $install" \
    "        or point at one: make PYTHON=/path/to/python3.11" >&2
exit 1
