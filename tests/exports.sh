#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# usage: exports.sh PLUGIN.so CORE.a
# The plugin exports PyInit_pyo3_gdb alone, and uses of Python only what the
# limited API of 3.8 has; the core knows no Python symbol.
set -u
status=0
exports=$(nm -D --defined-only "$1" | awk '{print $3}')
if [ "$exports" = PyInit_pyo3_gdb ]; then
	echo "PASS exports of the plugin"
else
	echo "FAIL exports of the plugin: $exports"
	status=1
fi
found=$(nm "$2" 2>/dev/null | awk '$1 == "U" && $2 ~ /^_?Py/ {print $2}' | sort -u)
if [ -z "$found" ]; then
	echo "PASS the core has no Python symbol"
else
	echo "FAIL the core uses $found"
	status=1
fi
exit $status
