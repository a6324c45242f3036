# shellcheck shell=bash
# Prompts, speech, and listening to what came through.

LAB_PROMPTS=${TANDEM_PROMPTS:-$LAB_ROOT/.cache/prompts}

lab_prompts() {
	"$LAB_ROOT/scripts/prompts" "$LAB_PROMPTS"
}

lab_speech() {
	echo "$LAB_PROMPTS/$1.wav"
}

# lab_listen WORD SAID HEARD [OPTIONS...]: one figure of a comparison: correlation, near,
# lag_s, overlap_s, coverage or pieces.
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

# lab_arrived HOST FROM TO: the sound that came to HOST's interface (captured under the host's name)
# between two marks of $EPOCHREALTIME, a little inside them so that the moments of change do not
# count, as a file.
lab_arrived() {
	local out=$LAB_DIR/$1-$2.wav
	"$LAB_ROOT/scripts/lab/rtp-heard" "$(lab_capture_file "$1")" "$(lab_host_address "$1")" "$out" \
		"$(awk -v t="$2" 'BEGIN { printf "%.6f", t + 0.5 }')" \
		"$(awk -v t="$3" 'BEGIN { printf "%.6f", t - 0.1 }')" >"$out.count"
	echo "$out"
}

# lab_hears_among SAID HEARD: what SAID says is in HEARD, beside others who speak at the same time:
# of two equally loud voices each has about 0.65, of three 0.5; less when it pauses more than they
# do. Of those in two runs on a busy machine what was there had 0.46 or more, what was not 0.29 or less.
lab_hears_among() {
	local near
	near=$(lab_listen near "$@")
	awk -v r="$near" 'BEGIN { exit !(r != "" && r >= 0.35) }' && return 0
	lab_note "$(basename "$2"): near $near with $(basename "$1")"
	return 1
}

# lab_hears_only FILE SPEECH...: FILE holds what these say, and nothing of any other speech that the
# lab knows. No SPEECH: silence, or no packets at all.
lab_hears_only() {
	local heard=$1 speech verdict=lab_hears_among bad=0
	shift
	[ "$#" -eq 1 ] && verdict=lab_hears_alone
	for speech in caller agent supervisor second music announcement; do
		if [[ " $* " == *" $speech "* ]]; then
			"$verdict" "$(lab_speech "$speech")" "$heard" || bad=1
		else
			lab_hears_nothing_of "$(lab_speech "$speech")" "$heard" || bad=1
		fi
	done
	return "$bad"
}

# SAID with nobody beside it, in a stretch so short that few half seconds count: one in which the
# machine stood still for a moment is shifted in its middle and lost to the ear, though every packet
# came (lab_capture_gaps counts those). Of two voices at once each has at most half of its pieces.
lab_hears_alone() {
	local near coverage
	near=$(lab_listen near "$@")
	coverage=$(lab_listen coverage "$@")
	awk -v r="${near:-0}" -v c="${coverage:-0}" 'BEGIN { exit !(r >= 0.6 && c > 0.5) }' &&
		return 0
	lab_note "$(basename "$2"): near $near, coverage $coverage with $(basename "$1")"
	return 1
}

# Silence is nothing of anybody, too. By chance a second of two speeches reaches 0.26.
lab_hears_nothing_of() {
	local correlation
	correlation=$(lab_listen correlation "$1" "$2" 2>/dev/null)
	awk -v r="${correlation:-0}" 'BEGIN { exit !(r < 0.3) }' && return 0
	lab_note "$(basename "$2"): correlation $correlation with $(basename "$1"), which should not be there"
	return 1
}
