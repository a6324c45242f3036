# shellcheck shell=bash
# Prompts, speech, and listening to what came through.

LAB_PROMPTS=${TANDEM_PROMPTS:-$LAB_ROOT/.cache/prompts}

lab_prompts() {
	"$LAB_ROOT/scripts/prompts" "$LAB_PROMPTS"
}

lab_speech() {
	echo "$LAB_PROMPTS/$1.wav"
}

# lab_listen WORD SAID HEARD [OPTIONS...]: one figure of a comparison: correlation, lag_s,
# overlap_s, coverage or pieces.
lab_listen() {
	local word=$1
	shift
	"$(lab_binary td-listen)" compare "$@" | awk -v w="$word" '
		{ for (i = 1; i < NF; i++) if ($i == w) print $(i + 1) }'
}

lab_level() {
	local word=$1
	shift
	"$(lab_binary td-listen)" level "$@" | awk -v w="$word" '
		{ for (i = 1; i < NF; i++) if ($i == w) print $(i + 1) }'
}

# lab_at_rate HZ FILE [BAND]: the same as one channel at that rate, and of that band only
# ("300-3000", as sox has it), in the lab's folder; prints its path.
lab_at_rate() {
	local out effects=(gain -1)
	out=$(mktemp -p "$LAB_DIR" --suffix .wav)
	[ -z "${3:-}" ] || effects+=(sinc "$3")
	sox -D "$2" -r "$1" -c 1 -b 16 "$out" "${effects[@]}" 2>/dev/null && echo "$out"
}

# lab_high_share FILE: which share of the amplitude lies above 4.2 kHz, where nothing narrowband is.
lab_high_share() {
	local all high
	all=$(sox "$1" -n stat 2>&1 | awk '/RMS.*amplitude/ { print $3 }')
	high=$(sox "$1" -n sinc 4200 stat 2>&1 | awk '/RMS.*amplitude/ { print $3 }')
	awk -v a="$all" -v h="$high" 'BEGIN { printf "%.4f\n", (a > 0 ? h / a : 0) }'
}

# lab_hears SAID HEARD [OPTIONS...]: HEARD contains what SAID says: same signal, no holes.
lab_hears() {
	local line
	line=$("$(lab_binary td-listen)" compare "$@" --min 0.9)
	local status=$?
	[ "$status" -eq 0 ] || lab_note "$(basename "$2"): $line"
	return "$status"
}

# lab_hears_not: nothing of SAID in HEARD. Other speech at the same time lowers the correlation of a
# signal that is there, so pieces count as well.
lab_hears_not() {
	local correlation coverage
	correlation=$(lab_listen correlation "$@")
	coverage=$(lab_listen coverage "$@")
	awk -v r="$correlation" -v c="$coverage" 'BEGIN { exit !(r != "" && r < 0.4 && c < 0.05) }' &&
		return 0
	lab_note "$(basename "$2"): correlation $correlation, coverage $coverage"
	return 1
}
