# Whole calls by sipp through Tandem or Kamailio: what perf/setup/run and perf/setup/knee share.
#
# sipp plays all callers (the trunk) and all agents. It comes first where processors are short, with
# large buffers, so that what is late or lost is so by the switch. The lab is open and
# scripts/lab/lab.bash read.
# shellcheck shell=bash
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
agents=800 hold_ms=400 register_rate=200
# Calls a second and for how long; theirs to choose.
rate=500 seconds=10
sipp_buffer=4194304
# What the functions below leave behind.
agents_pid='' kamailio_pid='' kamailio_pids=() failed=0 callers_share=0

# Namespaces and configuration; once.
calls_network() {
	lab_network caller agent
	LAB_AGENTS=$(seq -s ' ' 2001 $((2000 + agents)))
	# shellcheck disable=SC2034 # read by lab_config
	LAB_WRAP_UP_S=0
	# Nothing but the signalling: no prompts, no recordings.
	# shellcheck disable=SC2034 # read by lab_config
	LAB_RECORD=false
	lab_config
	sed -i -e '/greeting: greeting/d' -e '/music: music/d' "$LAB_DIR/tandem.yaml"
	sed -i 's/streams: 2048/streams: 8192/; s/rtp_port_last: 24999/rtp_port_last: 49999/' "$LAB_DIR/tandem.yaml"
	# Tandem forces its socket's buffer to 4 MB; Kamailio and sipp get what the kernel grants.
	[ "$(</proc/sys/net/core/rmem_max)" -ge 4194304 ] ||
		echo "calls: net.core.rmem_max is below 4194304: Kamailio and sipp lose datagrams sooner than they need"
	{
		echo SEQUENTIAL
		for user in $LAB_AGENTS; do echo "$user;[authentication username=$user password=$LAB_SECRET-$user];5060"; done
	} >"$LAB_DIR/users.csv"
}

# cpu_ms PID...: user and system time of these processes so far.
cpu_ms() {
	local pid total=0 ticks
	for pid in "$@"; do
		ticks=$(sed 's/.*) //' "/proc/$pid/stat" | awk '{ print $12 + $13 }') || ticks=0
		total=$((total + ticks * 1000 / $(getconf CLK_TCK)))
	done
	echo "$total"
}

# callers LOG [TARGET]: $rate calls a second for $seconds; leaves failed calls and retransmissions in
# $failed, what of a core sipp took in $callers_share (per cent), latencies in rtt-LOG. A 180 that a
# relay's other process sent after the 200 is no failure; no answer for eight seconds is one.
callers() {
	local log=$1 target=${2:-10.77.0.1:5060} calls=$((rate * seconds)) line TIMEFORMAT="%U %S %R"
	rm -f "$LAB_DIR"/*_rtt.csv "$LAB_DIR"/callers.csv
	{ time (cd "$LAB_DIR" && ip netns exec "$LAB_ID-caller" nice -n -5 sipp "$target" -sf "$here/caller.xml" \
		-i 10.77.0.10 -buff_size $sipp_buffer -default_behaviors all,-abortunexp \
		-recv_timeout 8000 -s 100 -m "$calls" -r "$rate" -rp 1000 -l 4000 -d "$hold_ms" -nostdin \
		-mp 30000 -trace_stat -stf callers.csv -fd 1 -trace_rtt -rtt_freq 100 -timeout 60 \
		</dev/null >"log/sipp-$log.log" 2>&1); } 2>"$LAB_DIR/time"
	callers_share=$(awk -v s="$seconds" '{ print int(($1 + $2) * 100 / s) }' "$LAB_DIR/time")
	line=$(tail -n 1 "$LAB_DIR/callers.csv")
	failed=$(paste -d: <(head -n 1 "$LAB_DIR/callers.csv" | tr ';' '\n') <(tr ';' '\n' <<<"$line") |
		awk -F: '$1 == "FailedCall(C)" || $1 == "Retransmissions(C)" { sum += $2 }
			$1 == "SuccessfulCall(C)" { good = $2 } END { print sum + ('"$calls"' - good) }')
	cat "$LAB_DIR"/*_rtt.csv | awk -F';' '$2 ~ /^[0-9.]+$/ { print $2 }' >>"$LAB_DIR/rtt-$log"
}

calls_agents() {
	lab_spawn "sipp-agents" ip netns exec "$LAB_ID-agent" nice -n -5 sipp 10.77.0.1:5060 \
		-sf "$here/agent.xml" -i 10.77.0.20 -p 5060 -buff_size $sipp_buffer -nostdin -mp 40000
	agents_pid=$LAB_PID
}

calls_start_tandem() {
	lab_switch_start || exit 2
	calls_agents
	lab_sipp agent register registers -p 5070 -m "$agents" -r $register_rate -inf "$LAB_DIR/users.csv" \
		-timeout 30 || exit 2
}

calls_stop_tandem() {
	lab_switch_stop
	lab_kill "$agents_pid"
	rm -f "$LAB_DATA_DIR"/tandem.db*
}

# Leaves the ids of its processes in $kamailio_pids.
calls_start_kamailio() {
	lab_spawn kamailio ip netns exec "$LAB_ID-switch" kamailio -f "$here/kamailio.cfg" -DD -E \
		-m 512 -M 16 -x fm -w "$LAB_DIR" -Y "$LAB_DIR"
	kamailio_pid=$LAB_PID
	calls_agents
	lab_wait_for 10 "Kamailio has its socket" calls_kamailio_listens || exit 2
	sleep 0.5
	# shellcheck disable=SC2207 # process ids
	kamailio_pids=($(ip netns pids "$LAB_ID-switch"))
	[ "${#kamailio_pids[@]}" -gt 1 ] || { tail -n 5 "$LAB_DIR/log/kamailio.log"; exit 2; }
}

calls_kamailio_listens() {
	lab_in switch ss -lunH sport = :5060 | grep -q .
}

calls_stop_kamailio() {
	lab_kill "$kamailio_pid"
	lab_kill "$agents_pid"
}

# quantile FILE FRACTION, in microseconds of the milliseconds in it.
quantile() {
	sort -n "$1" | awk -v f="$2" '{ v[NR] = $1 } END { i = int(NR * f); if (i < 1) i = 1; print v[i] * 1000 }'
}
