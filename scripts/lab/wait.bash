# shellcheck shell=bash
# Bounded waiting: nothing in the lab sleeps and hopes.

# lab_wait_for SECONDS DESCRIPTION COMMAND...: polls every 50 ms until the command succeeds.
# Returns 1 and says what did not happen when the time is over.
lab_wait_for() {
	local seconds=$1 what=$2 start=$EPOCHREALTIME
	shift 2
	until "$@" >/dev/null 2>&1; do
		if awk -v a="$start" -v b="$EPOCHREALTIME" -v s="$seconds" 'BEGIN { exit !(b - a > s) }'; then
			lab_note "after $seconds s still not: $what"
			return 1
		fi
		sleep 0.05
	done
	return 0
}

# lab_stays SECONDS COMMAND...: the command succeeds all this time long.
lab_stays() {
	local seconds=$1 start=$EPOCHREALTIME
	shift
	while "$@" >/dev/null 2>&1; do
		awk -v a="$start" -v b="$EPOCHREALTIME" -v s="$seconds" 'BEGIN { exit !(b - a > s) }' &&
			return 0
		sleep 0.05
	done
	return 1
}

lab_alive() {
	kill -0 "$1" 2>/dev/null
}

lab_gone() {
	! kill -0 "$1" 2>/dev/null
}

lab_log_has() {
	grep -qaE -- "$2" "$LAB_DIR/log/$1.log"
}

# lab_word NAME "name value name value...": picks a value out of a line of such pairs.
lab_word() {
	awk -v w="$1" '{ for (i = 1; i < NF; i++) if ($i == w) print $(i + 1) }' <<<"$2"
}
