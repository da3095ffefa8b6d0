#!/bin/sh
# Prints the Python 3.11 to build .venv with: $1 if given, else the first that fits.
# Says what to install, and fails, when there is none.
is_311() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' >/dev/null 2>&1; }

if [ -n "$1" ]; then
    if is_311 "$1"; then echo "$1"; exit 0; fi
    echo "PYTHON=$1 is not a Python 3.11 (got: $("$1" --version 2>&1))." >&2
    exit 1
fi
for candidate in python3.11 python3 python \
    /opt/homebrew/opt/python@3.11/bin/python3.11 /usr/local/opt/python@3.11/bin/python3.11; do
    if is_311 "$candidate"; then echo "$candidate"; exit 0; fi
done
if command -v apt-get >/dev/null 2>&1; then install="apt-get install python3.11 python3.11-venv"
elif command -v brew >/dev/null 2>&1; then install="brew install python@3.11"
elif command -v dnf >/dev/null 2>&1; then install="dnf install python3.11"
else install="install Python 3.11 from python.org or your system's packages"; fi
cat >&2 <<MESSAGE

Modelyard cannot be installed yet.
  got: no Python 3.11 on the path
  expected: Python 3.11
  next: $install
        or point at one: make PYTHON=/path/to/python3.11
MESSAGE
exit 1
