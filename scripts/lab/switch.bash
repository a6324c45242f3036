# shellcheck shell=bash
# The switch itself: its configuration, both processes, its API and its database.

LAB_TOKEN=lab-token-0123456789abcdef
LAB_PORT_DRIVER=${TANDEM_DRIVER:-}
LAB_SECRET=lab-secret

# What a scenario may want different; set before lab_config.
LAB_WORKERS=${TANDEM_WORKERS:-1}
LAB_AGENTS="1001 1002" # SIP users; each has the secret "lab-secret-USER"
LAB_AGENT_LOGGED_IN=true
LAB_OFFER_TIMEOUT_S=15
LAB_WRAP_UP_S=1
LAB_WAIT_MAX_S=0
LAB_OPTIONS_PING_S=30
LAB_TRUNK_NAT=false
LAB_SRTP_SUITES='' # empty: the default list
LAB_SRTP_ENGINE=auto
LAB_TRUNK_SRTP=forbid
LAB_AGENT_SRTP=forbid
LAB_CODECS="pcmu, pcma"
LAB_AGENT_CODECS='' # empty: the default list
LAB_OPUS='{}'
LAB_RECORD=true
LAB_RECORDING='{}'
LAB_QUEUE_RECORDING='' # more keys of the queue, "record_beep_s: 5, tenant: acme"
LAB_SIP_LISTEN=10.77.0.1:5060
LAB_DIGEST=md5
LAB_TRUNKS='"10.77.0.10", "10.77.0.11"'
LAB_DATA_DIR=''
LAB_DEVICE=dp0
LAB_SHARE=false # true: the interface is the host's, and so are the addresses
LAB_MEDIA='"10.77.0.2/24", "fd77::2/64"'
LAB_FORKS='[]'
LAB_QUALITY='{}'
LAB_TRUNK_DSCP=-1

# AF_XDP where the kernel has it, AF_PACKET otherwise.
lab_driver() {
	[ -n "$LAB_PORT_DRIVER" ] && return
	LAB_PORT_DRIVER=af_packet
	grep -qw 'xsk_map_lookup\|xsk_rcv\|__xsk_map_redirect' /proc/kallsyms 2>/dev/null &&
		LAB_PORT_DRIVER=af_xdp
}

# lab_config: writes $LAB_DIR/tandem.yaml.
lab_config() {
	local agent more=${LAB_QUEUE_RECORDING:+    ${LAB_QUEUE_RECORDING//, /$'\n    '}}
	lab_driver
	lab_prompts
	mkdir -p "$LAB_DIR/run" "${LAB_DATA_DIR:=$LAB_DIR/data}"
	{
		cat <<-END
			system:
			  run_dir: $LAB_DIR/run
			  data_dir: $LAB_DATA_DIR
			  log_level: info
			dataplane:
			  workers: $LAB_WORKERS
			  memory_mb: ${LAB_MEMORY_MB:-256}
			  streams: 2048
			  rtp_port_first: 20000
			  rtp_port_last: 24999
			  srtp_engine: $LAB_SRTP_ENGINE
			  ports:
			    - name: lab
			      driver: $LAB_PORT_DRIVER
			      device: $LAB_DEVICE
			      share: $LAB_SHARE
			      addresses: [$LAB_MEDIA]
			  prompts:
			    - name: greeting
			      file: $LAB_PROMPTS/greeting.wav
			    - name: music
			      file: $LAB_PROMPTS/music.wav
			    - name: announcement
			      file: $LAB_PROMPTS/announcement.wav
			sip:
			  listen: "$LAB_SIP_LISTEN"
			  realm: tandem
			  digest: $LAB_DIGEST
			  options_ping_s: $LAB_OPTIONS_PING_S
			opus: $LAB_OPUS
			recording: $LAB_RECORDING
			${LAB_SRTP_SUITES:+srtp_suites: [$LAB_SRTP_SUITES]}
		END
		[ -z "$LAB_TRUNKS" ] || cat <<-END
			trunks:
			  - name: carrier
			    addresses: [$LAB_TRUNKS]
			    codecs: [$LAB_CODECS]
			    nat: $LAB_TRUNK_NAT
			    srtp: $LAB_TRUNK_SRTP
			    dscp: $LAB_TRUNK_DSCP
		END
		cat <<-END
			queues:
			  - name: support
			    greeting: greeting
			    music: music
			    offer_timeout_s: $LAB_OFFER_TIMEOUT_S
			    wrap_up_s: $LAB_WRAP_UP_S
			    wait_max_s: $LAB_WAIT_MAX_S
			    record: $LAB_RECORD
			$more
			dialplan:
			  - number: "100"
			    queue: support
			  - number: "49301*"
			    queue: support
			  - number: "800"
			    conference: room
			conferences:
			  - name: room
			    music: music
			forks: $LAB_FORKS
			quality: $LAB_QUALITY
			api:
			  listen: "127.0.0.1:5048"
			  token: $LAB_TOKEN
			agents:
		END
		for agent in $LAB_AGENTS; do
			cat <<-END
				  - id: "$agent"
				    name: Agent $agent
				    secret: $LAB_SECRET-$agent
				    queues: [support]
				    logged_in: $LAB_AGENT_LOGGED_IN
				    srtp: $LAB_AGENT_SRTP
			END
			[ -z "$LAB_AGENT_CODECS" ] || echo "    codecs: [$LAB_AGENT_CODECS]"
		done
	} >"$LAB_DIR/tandem.yaml"
}

lab_binary() {
	local path
	case $1 in
	tandem-control) path=$LAB_BUILD/control/app/$1 ;;
	tandem-dataplane) path=$LAB_BUILD/dataplane/app/$1 ;;
	tandemctl) path=$LAB_BUILD/control/cli/$1 ;;
	tandem-recording) path=$LAB_BUILD/dataplane/record/$1 ;;
	td-listen) path=$LAB_BUILD/tests/listen/$1 ;;
	td-spray) path=$LAB_BUILD/tests/spray/$1 ;;
	td-rtpblast) path=$LAB_BUILD/perf/rtpblast/$1 ;;
	esac
	[ -x "$path" ] || echo "$path is missing: build it first (ninja -C $LAB_BUILD)" >&2
	echo "$path"
}

# Sanitizer builds: a finding ends the process with 66, so that it cannot pass for a clean exit.
lab_sanitizer_environment() {
	export ASAN_OPTIONS="exitcode=66:detect_leaks=1:log_path=$LAB_DIR/log/asan"
	# Leaks of libraries, at exit, that are not ours to mend.
	export LSAN_OPTIONS="suppressions=$LAB_ROOT/scripts/lab/lsan.txt:print_suppressions=0"
	export UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1:exitcode=66:log_path=$LAB_DIR/log/ubsan"
}

lab_dataplane_start() {
	lab_sanitizer_environment
	rm -f "$LAB_DIR/run/dataplane.sock"
	local LAB_ENTER
	lab_enter switch
	lab_spawn dataplane "${LAB_ENTER[@]}" \
		"$(lab_binary tandem-dataplane)" --config "$LAB_DIR/tandem.yaml"
	LAB_DATAPLANE_PID=$LAB_PID
	lab_wait_for 30 "the dataplane offers its socket" lab_dataplane_ready_or_dead
	lab_alive "$LAB_DATAPLANE_PID" && [ -S "$LAB_DIR/run/dataplane.sock" ]
}

lab_dataplane_ready_or_dead() {
	[ -S "$LAB_DIR/run/dataplane.sock" ] || lab_gone "$LAB_DATAPLANE_PID"
}

lab_control_start() {
	lab_sanitizer_environment
	local LAB_ENTER
	lab_enter switch
	lab_spawn control "${LAB_ENTER[@]}" \
		"$(lab_binary tandem-control)" --config "$LAB_DIR/tandem.yaml"
	LAB_CONTROL_PID=$LAB_PID
	lab_wait_for 20 "control answers and has the dataplane" lab_control_ready_or_dead
	lab_alive "$LAB_CONTROL_PID" && lab_attached
}

lab_control_ready_or_dead() {
	lab_attached || lab_gone "$LAB_CONTROL_PID"
}

lab_attached() {
	[ "$(lab_rpc system.status | jq -r '.result.dataplane.state')" = up ]
}

# lab_switch_start: configuration, dataplane, control, in that order.
lab_switch_start() {
	[ -f "$LAB_DIR/tandem.yaml" ] || lab_config
	lab_dataplane_start && lab_control_start
}

lab_switch_stop() {
	lab_kill "$LAB_CONTROL_PID"
	lab_kill "$LAB_DATAPLANE_PID"
}

# Both stop when told to, at once and without an error; what runs under the sanitizers has leaked
# nothing then. Those that are not running are not asked.
lab_switch_ends_well() {
	local pid bad=0 status
	for pid in "${LAB_CONTROL_PID:-}" "${LAB_DATAPLANE_PID:-}"; do
		[ -n "$pid" ] || continue
		lab_alive "$pid" || continue
		kill -TERM "$pid"
		lab_wait_for 8 "it stops" lab_gone "$pid" || bad=1
		wait "$pid"
		status=$?
		[ "$status" -eq 0 ] || lab_note "exit status $status"
		bad=$((bad + status))
	done
	lab_sanitizers_silent && [ "$bad" -eq 0 ]
}

# No sanitizer found anything, and both processes still run.
lab_switch_healthy() {
	lab_alive "$LAB_DATAPLANE_PID" && lab_alive "$LAB_CONTROL_PID" && lab_sanitizers_silent
}

lab_sanitizers_silent() {
	local report
	for report in "$LAB_DIR"/log/asan.* "$LAB_DIR"/log/ubsan.*; do
		[ -s "$report" ] || continue
		lab_note "$(basename "$report"):"
		head -n 30 "$report"
		cp "$report" "$report.log" 2>/dev/null
		return 1
	done
	return 0
}

# lab_rpc METHOD [PARAMS]: one call of the JSON-RPC API, prints the whole answer.
lab_rpc() {
	local method=$1 params=${2:-}
	[ -n "$params" ] || params='{}'
	# shellcheck disable=SC2016 # expanded by the inner shell
	lab_in switch timeout 5 bash -c '
		exec 3<>/dev/tcp/127.0.0.1/5048 || exit 1
		printf "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"auth\",\"params\":{\"token\":\"%s\"}}\n" "$1" >&3
		read -r _ <&3 || exit 1
		printf "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"%s\",\"params\":%s}\n" "$2" "$3" >&3
		read -r answer <&3 || exit 1
		printf "%s\n" "$answer"' bash "$LAB_TOKEN" "$method" "$params" 2>/dev/null
}

# lab_metrics: the page of metrics.
lab_metrics() {
	lab_in switch timeout 5 bash -c '
		exec 3<>/dev/tcp/127.0.0.1/9105 || exit 1
		printf "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" >&3
		cat <&3' | sed '1,/^\r$/d'
}

# lab_ctl ARGUMENT...: tandemctl as an operator would use it.
lab_ctl() {
	lab_in switch env TANDEM_TOKEN="$LAB_TOKEN" "$(lab_binary tandemctl)" "$@"
}

# The same where only its success counts; what it says is shown when it fails.
lab_ctl_quietly() {
	local said
	said=$(lab_ctl "$@" 2>&1) && return 0
	lab_note "$said"
	return 1
}

# lab_sql STATEMENT: what the database says, columns separated by "|".
lab_sql() {
	sqlite3 -readonly -cmd '.timeout 3000' "$LAB_DATA_DIR/tandem.db" "$1"
}

# lab_drop NAME: the drop counter of that name, over all workers.
lab_drop() {
	lab_rpc worker.list | jq -r "[.result.workers[].drops.$1 // 0] | add"
}

# lab_counter NAME: a worker statistic ("forwarded"), over all workers.
lab_counter() {
	lab_rpc worker.list | jq -r "[.result.workers[].$1 // 0] | add"
}

lab_calls_up() {
	lab_rpc call.list | jq -r '.result.calls | length'
}

lab_no_calls() {
	[ "$(lab_calls_up)" = 0 ]
}

lab_agent_state() {
	lab_rpc agent.list | jq -r ".result.agents[] | select(.id == \"$1\") | .state"
}

lab_agent_is() {
	[ "$(lab_agent_state "$1")" = "$2" ]
}

lab_agent_reachable() {
	[ "$(lab_rpc agent.list |
		jq -r ".result.agents[] | select(.id == \"$1\") | .reachable")" = true ]
}

lab_queue_waiting() {
	lab_rpc queue.list | jq -r '.result.queues[] | select(.name == "support") | .waiting'
}

lab_queue_waits() {
	[ "$(lab_queue_waiting)" = "$1" ]
}

lab_cdr_count() {
	lab_sql 'select count(*) from call' 2>/dev/null || echo 0
}

lab_cdr_is() {
	[ "$(lab_cdr_count)" = "$1" ]
}

lab_switch_counters() {
	echo "--- counters"
	lab_rpc system.status | jq -c '.result | {calls, sip, dataplane, media, store}'
	lab_rpc worker.list | jq -c '.result.workers[]'
}

# lab_call_field NAME: of the only (oldest) call there is.
lab_call_field() {
	lab_rpc call.list | jq -r ".result.calls[0].$1"
}

lab_call_is() {
	[ "$(lab_call_field state)" = "$1" ]
}

# lab_recording_path NAME: where a recording of that name in the database is.
lab_recording_path() {
	case $1 in
	/*) echo "$1" ;;
	*) echo "$LAB_DATA_DIR/recordings/$1" ;;
	esac
}
