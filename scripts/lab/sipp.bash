# shellcheck shell=bash
# sipp: many callers, many agents, and messages no phone would send.

LAB_SIPP_SCENARIOS=$LAB_ROOT/tests/scenario/sipp

# lab_sipp HOST SCENARIO LOGNAME [SIPP OPTIONS...]: runs a scenario of tests/scenario/sipp to its
# end; its exit status is sipp's (0: every call went as written).
lab_sipp() {
	local host=$1 scenario=$2 log=$3
	shift 3
	lab_in "$host" sipp 10.77.0.1:5060 -sf "$LAB_SIPP_SCENARIOS/$scenario.xml" \
		-i "$(lab_host_address "$host")" -nostdin -trace_err \
		-error_file "$LAB_DIR/log/sipp-$log-errors.log" -timeout_error "$@" \
		</dev/null >"$LAB_DIR/log/sipp-$log.log" 2>&1
}

# lab_sipp_start: the same in the background; the pid is in LAB_PID.
lab_sipp_start() {
	local host=$1 scenario=$2 log=$3
	shift 3
	lab_spawn "sipp-$log" ip netns exec "$LAB_ID-$host" sipp 10.77.0.1:5060 \
		-sf "$LAB_SIPP_SCENARIOS/$scenario.xml" -i "$(lab_host_address "$host")" -nostdin \
		-trace_err -error_file "$LAB_DIR/log/sipp-$log-errors.log" "$@"
}
