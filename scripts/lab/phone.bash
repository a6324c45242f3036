# shellcheck shell=bash
# Real phones: baresip, one per host, driven over its control socket, speaking from a WAV file and
# writing down what it heard.

declare -A LAB_PHONE_PID=()

# A telephone on a desk sends on time whatever this machine is busy with, so a phone goes before all
# else here, workers included, where that is allowed. It needs a hundredth of a core.
LAB_PHONE_CLASS=()
! chrt --rr 2 true 2>/dev/null || LAB_PHONE_CLASS=(chrt --rr 2)

# lab_phone_start HOST SPEECH.wav [KEY=VALUE...]: starts a phone on HOST. Keys:
#   user=1001 secret=...   register at the switch as that agent (without: an unregistered phone)
#   answer=auto|manual     default manual
#   codec=pcmu,pcma        what it offers, of pcmu pcma g722 gsm opus; default the first two
#   ptime=20               how long its packets are
#   family=4|6             default 4
#   srtp=srtp|srtp-mand|srtp-mandf
#                          keys in RTP/AVP for whoever wants them, RTP/SAVP, RTP/SAVPF; default no keys
# What it heard and said lands in $LAB_DIR/phone-HOST/dump-*-{dec,enc}.wav.
lab_phone_start() {
	local host=$1 speech=$2 dir=$LAB_DIR/phone-$1 address
	local user='' secret='' answer=manual codec=pcmu,pcma family=4 ptime=20 srtp='' server key
	shift 2
	for key in "$@"; do
		case $key in
		user=* | secret=* | answer=* | codec=* | family=* | ptime=* | srtp=*) local "$key" ;;
		*) echo "lab_phone_start: unknown $key" >&2 && return 1 ;;
		esac
	done
	if [ "$family" = 6 ]; then
		address="[$(lab_host_address6 "$host")]" server="[fd77::1]"
	else
		address=$(lab_host_address "$host") server=10.77.0.1
	fi || return 1
	mkdir -p "$dir"
	rm -f "$LAB_DIR/log/phone-$host.log"
	lab_phone_config "$dir" "$address" "$speech" >"$dir/config"
	lab_phone_account "$address" "$server" "$user" "$secret" "$answer" "$codec" "$ptime" "$srtp" \
		>"$dir/accounts"
	: >"$dir/contacts"
	lab_spawn "phone-$host" ip netns exec "$LAB_ID-$host" "${LAB_PHONE_CLASS[@]}" baresip \
		"-$family" -f "$dir"
	LAB_PHONE_PID[$host]=$LAB_PID
	lab_wait_for 10 "the phone on $host is ready" lab_log_has "phone-$host" 'baresip is ready'
}

lab_phone_config() {
	cat <<-END
		poll_method epoll
		sip_listen $2:5060
		call_local_timeout 120
		call_max_calls 4
		audio_source aufile,$3
		audio_player aubridge,nowhere
		audio_alert aubridge,nobell
		audio_buffer 20-160
		ausrc_srate $(soxi -r "$3")
		ausrc_channels 1
		rtp_tos 184
		rtp_ports 30000-30999
		rtcp_mux no
		jitter_buffer_delay 1-5
		rtp_stats yes
		module_path /usr/lib/baresip/modules
		module_app account.so
		module_app menu.so
		module ctrl_tcp.so
		module g711.so
		module g722.so
		module gsm.so
		module opus.so
		module sndfile.so
		module aufile.so
		module aubridge.so
		module srtp.so
		ctrl_tcp_listen 127.0.0.1:4444
		snd_path $1
		opus_bitrate 64000
		ringback_disabled yes
		statmode_default off
	END
}

lab_phone_account() {
	local address=$1 server=$2 user=$3 secret=$4 answer=$5 codec=$6 codecs=''
	local name more=";ptime=$7${8:+;mediaenc=$8}"
	for name in ${codec//,/ }; do
		case $name in
		opus) codecs+=${codecs:+,}opus/48000/2 ;;
		g722) codecs+=${codecs:+,}G722/16000/1 ;;
		*) codecs+=${codecs:+,}${name^^}/8000/1 ;;
		esac
	done
	if [ -n "$user" ]; then
		echo "<sip:$user@$server>;auth_user=$user;auth_pass=$secret;regint=60;answermode=$answer;audio_codecs=$codecs$more"
	else
		echo "<sip:caller@$address>;regint=0;answermode=$answer;audio_codecs=$codecs$more"
	fi
}

# lab_phone_command HOST COMMAND [PARAMETERS]: one command to the phone; prints its answer (JSON).
lab_phone_command() {
	local host=$1 json="{\"command\":\"$2\",\"params\":\"${3:-}\",\"token\":\"lab\"}"
	# shellcheck disable=SC2016 # expanded by the inner shell
	ip netns exec "$LAB_ID-$host" timeout 5 bash -c '
		exec 3<>/dev/tcp/127.0.0.1/4444 || exit 1
		printf "%d:%s," "${#1}" "$1" >&3
		# Events may come before the answer: read netstrings until the one with our token.
		while IFS= read -r -d : length <&3; do
			IFS= read -r -N "$length" text <&3
			IFS= read -r -N 1 _ <&3
			case $text in *\"response\":true*) printf "%s\n" "$text"; exit 0 ;; esac
		done
		exit 1' bash "$json"
}

lab_phone_dial() {
	lab_phone_command "$1" dial "$2" >/dev/null
}

lab_phone_accept() {
	lab_phone_command "$1" accept >/dev/null
}

lab_phone_hangup() {
	lab_phone_command "$1" hangup >/dev/null
}

lab_phone_hold() {
	lab_phone_command "$1" hold >/dev/null
}

lab_phone_resume() {
	lab_phone_command "$1" resume >/dev/null
}

# lab_phone_press HOST KEYS: presses them in the call it has, one after the other.
lab_phone_press() {
	lab_phone_command "$1" sndcode "$2" >/dev/null
}

# lab_phone_keys HOST: the keys that it was told by telephone-events since it was started.
lab_phone_keys() {
	sed -n "s/^received event: '\\(.\\)' (end=0)$/\\1/p" "$LAB_DIR/log/phone-$1.log" | tr -d '\n'
}

lab_phone_calls() {
	lab_phone_command "$1" listcalls
}

lab_phone_in_call() {
	lab_phone_calls "$1" | grep -q ESTABLISHED
}

lab_phone_idle() {
	lab_phone_calls "$1" | grep -qE '\(0\)|no active|Active calls \(0\)'
}

lab_phone_ringing() {
	lab_phone_calls "$1" | grep -q INCOMING
}

lab_phone_registered() {
	lab_log_has "phone-$1" '200 OK'
}

lab_phone_stop() {
	[ -n "${LAB_PHONE_PID[$1]:-}" ] || return 0
	lab_phone_command "$1" quit >/dev/null 2>&1
	lab_kill "${LAB_PHONE_PID[$1]}"
	unset "LAB_PHONE_PID[$1]"
}

# lab_phone_heard HOST [N]: the recording of what the phone heard in its N-th (default last) call.
lab_phone_heard() {
	local files
	mapfile -t files < <(ls -1tr "$LAB_DIR/phone-$1"/dump-*-dec.wav 2>/dev/null)
	[ "${#files[@]}" -gt 0 ] || return 1
	echo "${files[${2:-0} - 1]}"
}

# lab_call_to_agent NUMBER: the phone on "caller" dials, the one on "agent" answers; returns when
# both are up.
lab_call_to_agent() {
	lab_phone_dial caller "sip:$1@10.77.0.1"
	lab_wait_for 15 "the agent's phone rings" lab_phone_ringing agent || return 1
	lab_phone_accept agent
	lab_wait_for 5 "the agent's call is up" lab_phone_in_call agent &&
		lab_wait_for 3 "the call is talking" lab_call_is talking
}

# lab_phone_heard_s HOST: how many seconds the phone has heard so far, over all its recordings. By
# their size: the header of a file that still grows says nothing.
lab_phone_heard_s() {
	find "$LAB_DIR/phone-$1" -name 'dump-*-dec.wav' -printf '%s\n' |
		awk '{ bytes += $1 - 44 } END { printf "%.2f\n", bytes / 16000 }'
}

# lab_phone_heard_all HOST: all its recordings in one file, in order.
lab_phone_heard_all() {
	local files all=$LAB_DIR/$1-heard.wav
	mapfile -t files < <(ls -1 "$LAB_DIR/phone-$1"/dump-*-dec.wav)
	sox "${files[@]}" "$all" && echo "$all"
}
