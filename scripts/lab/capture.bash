# shellcheck shell=bash
# Captures, and what tshark and awk find in them.

declare -A LAB_CAPTURE_PID=()

# lab_capture_start NAME HOST [INTERFACE]: everything on that interface into $LAB_DIR/NAME.pcap.
lab_capture_start() {
	local name=$1 host=$2 interface=${3:-eth0}
	lab_spawn "capture-$name" ip netns exec "$LAB_ID-$host" tcpdump -i "$interface" -n -U -s 0 --immediate-mode \
		-B 8192 -Z root -w "$LAB_DIR/$name.pcap"
	LAB_CAPTURE_PID[$name]=$LAB_PID
	lab_wait_for 5 "tcpdump listens on $interface of $host" \
		lab_log_has "capture-$name" 'listening on'
}

lab_capture_stop() {
	# tcpdump reads in blocks; let what is under way arrive.
	sleep 0.3
	lab_kill "${LAB_CAPTURE_PID[$1]}" INT
}

lab_capture_file() {
	echo "$LAB_DIR/$1.pcap"
}

# lab_capture_count NAME FILTER: packets that match a display filter.
lab_capture_count() {
	tshark -n -r "$LAB_DIR/$1.pcap" -Y "$2" 2>/dev/null | wc -l
}

# lab_capture_gaps HOST: how many packets of RTP from the switch, in the capture named like the host,
# did not follow the one before; "no packets" when there are none. Not those that a phone which has
# hung up sends back in "port unreachable".
lab_capture_gaps() {
	tshark -n -r "$(lab_capture_file "$1")" --enable-heuristic rtp_udp \
		-Y "ip.src == 10.77.0.2 && rtp && !icmp && ip.dst == $(lab_host_address "$1")" \
		-T fields -e rtp.seq 2>/dev/null |
		awk 'NR > 1 && $1 != (last + 1) % 65536 { n++ } { last = $1 }
			END { print (NR > 0 ? n + 0 : "no packets") }'
}

# lab_capture_clean NAME ADDRESS...: every packet that these addresses sent is well formed, down to
# the checksums, and there is at least one.
lab_capture_clean() {
	local name=$1 ours='' address sent bad
	shift
	for address in "$@"; do
		case $address in
		*:*) ours+="${ours:+ || }ipv6.src == $address" ;;
		*) ours+="${ours:+ || }ip.src == $address || arp.src.proto_ipv4 == $address" ;;
		esac
	done
	sent=$(lab_capture_count "$name" "$ours")
	[ "$sent" -gt 0 ] || {
		lab_note "no packet of ours in $name.pcap"
		return 1
	}
	bad=$(tshark -n -r "$LAB_DIR/$name.pcap" -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE \
		-o tcp.check_checksum:TRUE --enable-heuristic rtp_udp --enable-heuristic rtcp_udp \
		-Y "($ours) && (_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0 ||
			icmp.checksum.status == 0 || icmpv6.checksum.status == 0 ||
			_ws.expert.severity == 8388608)" 2>/dev/null)
	[ -z "$bad" ] && return 0
	lab_note "$(wc -l <<<"$bad") of $sent packets of ours are malformed, for example:"
	head -n 5 <<<"$bad"
	return 1
}

# lab_setup_ms NAME: from the caller's first INVITE to the 200 that answers it, in milliseconds.
lab_setup_ms() {
	tcpdump -n -tt -A -r "$LAB_DIR/$1.pcap" 'udp port 5060' 2>/dev/null | awk '
		/^[0-9]+\.[0-9]+ IP/ { time = $1; kind = "" }
		/INVITE sip:/ && !start { start = time }
		/SIP\/2\.0 200/ { kind = "ok" }
		/^CSeq: *[0-9]+ INVITE/ && kind == "ok" && start && !done {
			printf "%.1f\n", (time - start) * 1000; done = 1
		}'
}

# lab_relay NAME: what the media relay did to the packets that one capture on its own port saw going
# in and coming out again: "packets N lost N p50_us N p99_us N max_us N". A packet is recognised by
# its payload (payloads that repeat, digital silence, are left out). Lost is what went in between
# the first and the last packet of a source that came out, and did not come out.
lab_relay() {
	tcpdump -n -tt -x -r "$LAB_DIR/$1.pcap" \
		'udp and host 10.77.0.2 and udp[8] & 0xc0 = 0x80 and greater 200' 2>/dev/null |
		awk '
		function finish(   payload) {
			# IPv4 20, UDP 8 and RTP 12 bytes come before it.
			payload = substr(hex, 81)
			if (payload == "") return
			if (from !~ /^10\.77\.0\.2\./) {
				if (payload in went_in) repeated[payload] = 1
				went_in[payload] = time
				order[++n] = payload
				source[n] = from
			} else if (payload in went_in) {
				if (payload in delay) repeated[payload] = 1
				delay[payload] = (time - went_in[payload]) * 1e6
			}
		}
		/^[0-9]+\.[0-9]+ IP/ { finish(); time = $1; from = $3; hex = ""; next }
		/^\t0x/ { for (i = 2; i <= NF; i++) hex = hex $i }
		END {
			finish()
			for (i = 1; i <= n; i++) {
				if (order[i] in repeated) continue
				if (order[i] in delay) {
					printf "%.1f\n", delay[order[i]]
					lost += missing[source[i]]
					missing[source[i]] = 0
					begun[source[i]] = 1
				} else if (source[i] in begun) {
					missing[source[i]]++
				}
			}
			printf "-1 %d\n", lost
		}' | sort -n | awk '
		$1 == -1 { lost = $2; next }
		{ d[++n] = $1 }
		END {
			printf "packets %d lost %d p50_us %.0f p99_us %.0f max_us %.0f\n", n, lost,
				d[int(n * 0.5) + 1], d[int(n * 0.99) + 1], d[n]
		}'
}

# lab_capture_rtcp NAME ADDRESS: sender and receiver reports from that address.
lab_capture_rtcp() {
	tshark -n -r "$LAB_DIR/$1.pcap" --enable-heuristic rtcp_udp \
		-Y "ip.src == $2 && (rtcp.pt == 200 || rtcp.pt == 201)" 2>/dev/null | wc -l
}

# lab_capture_clean_but_echo NAME: every SIP answer of ours is well formed down to its checksums.
# An answer has to repeat header values as they came, so tshark's opinion of those is not asked.
lab_capture_clean_but_echo() {
	local bad
	bad=$(tshark -n -r "$LAB_DIR/$1.pcap" -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE \
		-Y 'ip.src == 10.77.0.1 && udp && !icmp && (!sip || !(sip.Status-Line) || _ws.malformed ||
			ip.checksum.status == 0 || udp.checksum.status == 0)' 2>/dev/null)
	[ -z "$bad" ] && return 0
	lab_note "$(head -n 5 <<<"$bad")"
	return 1
}
