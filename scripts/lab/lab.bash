# shellcheck shell=bash
# The lab: a switch and its callers in private network namespaces, with real peers around it.
#
#   caller 10.77.0.10 ---.                      .--- agent  10.77.0.20
#   caller2 10.77.0.11 --+-- bridge in "switch" +--- agent2 10.77.0.21
#                        |   10.77.0.1 (SIP)    '--- third  10.77.0.30 (a stranger)
#                        '-- dp0: a veth end that tandem-dataplane takes, 10.77.0.2 (media)
#
# A script sources this file, calls lab_open and uses what the other files here offer. Names of
# namespaces carry the process id, so any number of labs run side by side, and the host's own
# network is never touched. Everything started through lab_spawn is killed, and every namespace
# removed, when the script ends, however it ends; if it failed, counters and log tails are printed.

set -uo pipefail

LAB_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LAB_PIDS=()
LAB_CLOSERS=()
LAB_FAILED=0
LAB_CHECKS=0

for lab_file in wait network switch phone sipp capture audio disk; do
	# shellcheck source=/dev/null
	source "$LAB_ROOT/scripts/lab/$lab_file.bash"
done
unset lab_file

# Where the binaries are: the caller's choice, else the release build of scripts/run.
LAB_BUILD=${TANDEM_BUILD:-$LAB_ROOT/build}

# lab_open NAME: makes the private folder $LAB_DIR and arms the clean-up.
lab_open() {
	LAB_NAME=$1
	LAB_ID="td$$"
	LAB_DIR=$(mktemp -d "${TMPDIR:-/tmp}/tandem-$LAB_NAME.XXXXXX")
	trap lab_close EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	trap 'exit 141' PIPE
	mkdir -p "$LAB_DIR/log"
}

# lab_on_close COMMAND...: something else to undo at the end, last first.
lab_on_close() {
	LAB_CLOSERS+=("$(printf '%q ' "$@")")
}

# lab_spawn LOGNAME COMMAND...: starts a background process that the clean-up ends. Its pid is in
# LAB_PID.
lab_spawn() {
	local log=$LAB_DIR/log/$1.log
	shift
	"$@" </dev/null >>"$log" 2>&1 &
	LAB_PID=$!
	LAB_PIDS+=("$LAB_PID")
}

# lab_kill PID [SIGNAL]: ends one process we started and waits until it is gone (5 s, then KILL).
lab_kill() {
	local pid=$1 signal=${2:-TERM} name
	name=$(cat "/proc/$pid/comm" 2>/dev/null)
	kill "-$signal" "$pid" 2>/dev/null || return 0
	for _ in $(seq 50); do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	if kill -KILL "$pid" 2>/dev/null; then
		lab_note "$name did not stop within 5 s of SIG$signal and was killed"
	fi
	wait "$pid" 2>/dev/null
	return 0
}

lab_close() {
	local status=$?
	trap - EXIT
	trap '' INT TERM HUP PIPE
	[ "$LAB_FAILED" -gt 0 ] && status=1
	[ "$status" -ne 0 ] && [ "$status" -ne 130 ] && lab_dump
	local i
	for ((i = ${#LAB_PIDS[@]} - 1; i >= 0; i--)); do
		kill -TERM "${LAB_PIDS[i]}" 2>/dev/null
	done
	for ((i = ${#LAB_PIDS[@]} - 1; i >= 0; i--)); do
		lab_kill "${LAB_PIDS[i]}"
	done
	for ((i = ${#LAB_CLOSERS[@]} - 1; i >= 0; i--)); do
		eval "${LAB_CLOSERS[i]}"
	done
	lab_network_close
	if [ "${LAB_KEEP:-0}" = 1 ]; then
		echo "kept: $LAB_DIR"
	else
		rm -rf "$LAB_DIR"
	fi
	exit "$status"
}

# What a person needs to see of a run that failed.
lab_dump() {
	echo "--- $LAB_NAME failed; what there is to see:"
	lab_switch_counters 2>/dev/null
	local log
	for log in "$LAB_DIR"/log/*.log; do
		[ -s "$log" ] || continue
		echo "--- last lines of $(basename "$log")"
		tail -n "${LAB_DUMP_LINES:-25}" "$log" | tr -d '\000'
	done
}

lab_note() {
	printf '     %s\n' "$*"
}

# lab_check DESCRIPTION COMMAND...: one check of a scenario. A failed one is printed and makes the
# scenario fail, but the scenario goes on, so that one run shows everything that is wrong.
lab_check() {
	local what=$1
	shift
	LAB_CHECKS=$((LAB_CHECKS + 1))
	if "$@"; then
		printf '  ok  %s\n' "$what"
		return 0
	fi
	printf '  NOT %s\n' "$what"
	LAB_FAILED=$((LAB_FAILED + 1))
	return 1
}

# lab_must DESCRIPTION COMMAND...: the same for what the rest of the scenario stands on.
lab_must() {
	lab_check "$@" || exit 1
}

# lab_same EXPECTED FOUND: for use with lab_check; says what was found when they differ.
lab_same() {
	[ "$1" = "$2" ] && return 0
	lab_note "expected '$1', found '$2'"
	return 1
}

# lab_at_least BOUND FOUND, lab_at_most BOUND FOUND: decimal fractions allowed.
lab_at_least() {
	awk -v a="$1" -v b="$2" 'BEGIN { exit !(b != "" && b + 0 >= a + 0) }' && return 0
	lab_note "expected at least $1, found '$2'"
	return 1
}

lab_at_most() {
	awk -v a="$1" -v b="$2" 'BEGIN { exit !(b != "" && b + 0 <= a + 0) }' && return 0
	lab_note "expected at most $1, found '$2'"
	return 1
}

# The last line of every scenario.
lab_done() {
	if [ -n "${LAB_CONTROL_PID:-}${LAB_DATAPLANE_PID:-}" ]; then
		lab_check "what still runs of the switch stops when told" lab_switch_ends_well
	fi
	if [ "$LAB_CHECKS" -eq 0 ]; then
		echo "$LAB_NAME: no check was made"
		exit 1
	fi
	printf '%s: %d checks, %d failed\n' "$LAB_NAME" "$LAB_CHECKS" "$LAB_FAILED"
	exit $((LAB_FAILED > 0))
}
