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
