#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# The arrows of plugin/README.md: a folder includes only headers of folders to
# its left, and each foreign header has one home.
set -u
cd "$(dirname "$0")/.." || exit 2
status=0

complain() {
	echo "FAIL $1"
	status=1
}

# folder: the project's headers it may include
allowed() {
	case $1 in
	base) echo "error arena text role" ;;
	target) echo "error arena text role target" ;;
	elf) echo "error arena text role target elf value" ;;
	native) echo "error arena text role target elf value native" ;;
	cpython) echo "error arena text role target elf cpython" ;;
	rust) echo "error arena text role target elf value rust" ;;
	stack) echo "error arena text role target elf value native cpython rust snapshot stack" ;;
	render) echo "error arena text role target elf value native cpython rust snapshot stack render" ;;
	commands | gdb) echo "error arena text role target elf value native cpython rust snapshot stack render command" ;;
	esac
}

for folder in base target elf native cpython rust stack render commands gdb; do
	for file in plugin/$folder/*.[ch]; do
		[ -e "$file" ] || continue
		for header in $(sed -n 's|^#include <pyo3-gdb/\(.*\)\.h>.*|\1|p' "$file"); do
			case " $(allowed $folder) " in
			*" $header "*) ;;
			*) complain "$file includes pyo3-gdb/$header.h" ;;
			esac
		done
		if grep -q '^#include "\.\./' "$file"; then
			complain "$file includes another folder's private header"
		fi
	done
done

# foreign header: where it may be included
home() {
	pattern=$1
	shift
	for file in $(grep -lE "^#include <($pattern)" -r plugin include); do
		case " $* " in
		*" $(dirname "$file") "* | *" $file "*) ;;
		*) complain "$file includes <$pattern>" ;;
		esac
	done
}
home 'Python\.h' plugin/gdb
home 'elfutils/|libelf\.h|gelf\.h|dwarf\.h' plugin/elf
home 'jansson\.h' plugin/render/json.c plugin/target/capture.c
home 'zlib\.h' plugin/target/capture.c

# Versions of CPython are compared nowhere but in layout.def's lookup.
if grep -nE '(->|\.)minor *(<|>|==|!=)' -r plugin --include='*.c' |
	grep -v '^plugin/cpython/layout.c:'; then
	complain "a version comparison outside layout.c"
fi
# Nothing may call a function in the inferior.
if grep -nE 'parse_and_eval|"call ' -r plugin --include='*.c'; then
	complain "an expression is evaluated in the inferior"
fi

[ $status = 0 ] && echo "PASS layers"
exit $status
