# shellcheck shell=bash
# Recordings on a disk of their own, that fails: a file system in a file, two phones that talk, and what
# both heard meanwhile.

# lab_disk_mount IMAGE [OPTIONS]: the recordings are on this file system.
lab_disk_mount() {
	LAB_DATA_DIR=$LAB_DIR/data
	LAB_RECORDINGS=$LAB_DATA_DIR/recordings
	mkdir -p "$LAB_RECORDINGS"
	mount -o "loop${2:+,$2}" "$1" "$LAB_RECORDINGS"
}

# lab_disk_talk IMAGE [OPTIONS]: the switch with its recordings there, who subscribes to its events, the
# agent's phone and the caller's.
lab_disk_talk() {
	lab_disk_mount "$@" || exit 1
	lab_on_close umount -l "$LAB_RECORDINGS"
	lab_network caller agent
	lab_must "the switch starts" lab_switch_start
	lab_spawn events ip netns exec "$LAB_ID-switch" env TANDEM_TOKEN="$LAB_TOKEN" \
		"$(lab_binary tandemctl)" --json events
	lab_phone_start agent "$(lab_speech agent)" user=1001 "secret=$LAB_SECRET-1001"
	lab_must "the agent's phone registers" lab_wait_for 10 "1001 is reachable" lab_agent_reachable 1001
	lab_phone_start caller "$(lab_speech caller)"
}

# lab_alarm NAME ACTIVE: subscribers have been told.
lab_alarm() {
	jq -e --arg a "$1" --argjson on "$2" '.. | objects | select(.alarm? == $a and .active == $on)' \
		"$LAB_DIR/log/events.log"
}

lab_alarm_metric() {
	grep -q "^tandem_recording_alarm{alarm=\"$1\"} $2\$" \
		<<<"$(lab_metrics)"
}

# lab_recording_is STATE: says the record of the last call.
lab_recording_is() {
	lab_same "$1" "$(lab_sql 'select recording_state from call order by id desc limit 1')"
}

# lab_disk_call NAME: a call, and what arrives at both phones is written down.
lab_disk_call() {
	local host
	for host in caller agent; do lab_capture_start "$1-$host" "$host"; done
	lab_must "$1: a call is put through" lab_call_to_agent 100
}

# lab_capture_missing CAPTURE: "packets missing longest": of the media that one host was sent, what its
# sequence numbers say is not there, and the longest time without any in ms.
lab_capture_missing() {
	tshark -n -r "$(lab_capture_file "$1")" --enable-heuristic rtp_udp \
		-Y 'ip.src == 10.77.0.2 && rtp && !icmp' -T fields -e rtp.ssrc -e rtp.seq -e frame.time_epoch \
		2>/dev/null | awk '{
			n++
			if ($1 in last) missing += ($2 - last[$1] + 65535) % 65536
			if (n > 1 && $3 - time > longest) longest = $3 - time
			last[$1] = $2; time = $3
		} END { printf "%d %d %d\n", n, missing, longest * 1000 }'
}

# lab_disk_call_over NAME SECONDS: hangs up, and says that nobody has noticed anything.
lab_disk_call_over() {
	local host packets lost longest
	lab_phone_hangup caller
	lab_must "$1: the call is over" lab_wait_for 8 "no call is left" lab_no_calls
	for host in caller agent; do
		lab_capture_stop "$1-$host"
		read -r packets lost longest <<<"$(lab_capture_missing "$1-$host")"
		lab_note "$1: the $host was sent $packets packets, at most $longest ms apart"
		lab_check "$1: the $host was sent media all the time" lab_at_least $(($2 * 50)) "$packets"
		lab_check "$1: no packet is missing at the $host" lab_same 0 "$lost"
		lab_check "$1: nor late by a second" lab_at_most 1000 "$longest"
	done
	lab_check "$1: the agent heard the caller all the time" lab_hears "$(lab_speech caller)" "$(lab_phone_heard agent)"
	lab_check "$1: the caller heard the agent all the time" lab_hears "$(lab_speech agent)" "$(lab_phone_heard caller)"
	lab_check "$1: the workers' taps lost nothing" lab_same 0 "$(lab_counter tap_lost)"
}
