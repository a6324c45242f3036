#!/usr/bin/env python3
"""Makes calls on an rtpengine over its NG protocol and prints a plan for td-rtpblast.

    ng.py HOST:PORT CALLS FROM_ADDRESS FIRST_PORT CODEC[,CODEC] [SUITE]

Call i is between FROM_ADDRESS:FIRST_PORT+4i and +4i+2, in the first codec and the second (pcmu,
opus); with a suite the first party's packets are SRTP and the second's are not. Each call is an offer and an answer; where they sent us to stands in the SDP that came back.
"""

import base64
import os
import re
import socket
import sys

RTPMAP = {"pcmu": (0, "PCMU/8000"), "opus": (96, "opus/48000/2")}
# Of master key and salt together.
KEY_BYTES = {"AES_CM_128_HMAC_SHA1_80": 30, "AEAD_AES_128_GCM": 28}
EVENT_TYPE = 101
ANSWER_S = 3


def bencode(value):
    if isinstance(value, dict):
        return b"d" + b"".join(bencode(k) + bencode(value[k]) for k in sorted(value)) + b"e"
    if isinstance(value, (list, tuple)):
        return b"l" + b"".join(map(bencode, value)) + b"e"
    if isinstance(value, int):
        return b"i%de" % value
    data = value.encode()
    return b"%d:%s" % (len(data), data)


def bdecode(data, at=0):
    """The value at `at`, and where the next one begins."""
    kind = data[at:at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1:end]), end + 1
    if kind in (b"l", b"d"):
        items, at = [], at + 1
        while data[at:at + 1] != b"e":
            item, at = bdecode(data, at)
            items.append(item)
        return (dict(zip(items[::2], items[1::2])) if kind == b"d" else items), at + 1
    colon = data.index(b":", at)
    end = colon + 1 + int(data[at:colon])
    return data[colon + 1:end].decode(errors="replace"), end


class Client:
    """One NG client: a request, its answer; repeated once a second as the protocol wants."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(1)
        self.socket.connect((host, int(port)))
        # Answers are remembered by cookie, so a client must not repeat another's.
        self.name = os.urandom(4).hex()
        self.cookie = 0

    def request(self, **fields):
        self.cookie += 1
        cookie = f"{self.name}-{self.cookie} ".encode()
        for _ in range(ANSWER_S):
            self.socket.send(cookie + bencode(fields))
            try:
                answer = self.socket.recv(65536)
                while not answer.startswith(cookie):
                    answer = self.socket.recv(65536)
            except (socket.timeout, ConnectionRefusedError):
                continue
            answer, _ = bdecode(answer[len(cookie):])
            if answer.get("result") in ("ok", "pong"):
                return answer
            sys.exit(f"rtpengine refuses {fields['command']}: {answer}")
        sys.exit("rtpengine does not answer")


def sdp(address, port, codecs, crypto=None):
    """What a party says of itself; `crypto`: suite and key, where it wants SRTP."""
    types = [RTPMAP[codec] for codec in codecs]
    lines = ["v=0", f"o=- 1 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0",
             f"m=audio {port} RTP/{'S' if crypto else ''}AVP {' '.join(str(number) for number, _ in types)} {EVENT_TYPE}"]
    lines += [f"a=rtpmap:{number} {name}" for number, name in types]
    lines += [f"a=rtpmap:{EVENT_TYPE} telephone-event/8000", "a=ptime:20", "a=sendrecv"]
    if crypto:
        lines.append(f"a=crypto:1 {crypto[0]} inline:{crypto[1]}")
    return "\r\n".join(lines) + "\r\n"


def where(answer):
    """Address and port of the audio in an SDP that came back."""
    address = re.search(r"^c=IN IP4 (\S+)", answer["sdp"], re.M).group(1)
    port = re.search(r"^m=audio (\d+)", answer["sdp"], re.M).group(1)
    return f"{address}:{port}"


def key_of(answer, suite):
    """The key with which we are sent what is sealed."""
    found = re.search(rf"^a=crypto:\d+ {suite} inline:([A-Za-z0-9+/=]+)", answer["sdp"], re.M)
    if not found:
        sys.exit(f"rtpengine answers without {suite}: {answer['sdp']}")
    return found.group(1) + "=" * (-len(found.group(1)) % 4)


def make_call(client, number, address, port, codecs, suite):
    """The two lines of a call's plan."""
    common = {"call-id": f"call-{number}", "from-tag": f"from-{number}", "replace": ["origin"],
              "ICE": "remove", "rtcp-mux": ["demux"], "flags": ["trust-address"]}
    extra = {}
    if codecs[0] != codecs[1]:
        # What the second party speaks is offered to it alone: its packets have to be transcoded.
        extra["codec"] = {"mask": [RTPMAP[codecs[0]][1].split("/")[0]],
                          "transcode": [RTPMAP[codecs[1]][1].split("/")[0]]}
    crypto = None
    if suite:
        extra["transport-protocol"] = "RTP/AVP"  # to the second party
        crypto = (suite, base64.b64encode(os.urandom(KEY_BYTES[suite])).decode())
    offer = client.request(command="offer", sdp=sdp(address, port, codecs[:1], crypto), **common,
                           **extra)
    offered = re.search(r"^a=rtpmap:(\d+) opus/", offer["sdp"], re.M)
    # The number is the offerer's to give, and td-rtpblast's flows have this one.
    if codecs[1] == "opus" and (not offered or int(offered.group(1)) != RTPMAP["opus"][0]):
        sys.exit(f"rtpengine offers no opus as {RTPMAP['opus'][0]}: {offer['sdp']}")
    answer = client.request(command="answer", sdp=sdp(address, port + 2, codecs[1:]),
                            **common, **{"to-tag": f"to-{number}"})
    keys = f" {suite} {crypto[1]} {key_of(answer, suite)}" if suite else ""
    return (f"{address}:{port} {where(answer)} {codecs[0]}{keys}",
            f"{address}:{port + 2} {where(offer)} {codecs[1]}")


def main():
    if len(sys.argv) not in (6, 7):
        sys.exit(__doc__)
    address, calls, own, first_port = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    codecs = sys.argv[5].split(",")
    suite = sys.argv[6] if len(sys.argv) == 7 else None
    if suite and suite not in KEY_BYTES:
        sys.exit(f"no suite {suite!r} here; there are: {', '.join(KEY_BYTES)}")
    client = Client(address)
    client.request(command="ping")
    for i in range(calls):
        print("\n".join(make_call(client, i, own, first_port + 4 * i, (codecs * 2)[:2], suite)))


if __name__ == "__main__":
    main()
