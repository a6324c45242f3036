"""A veth pair in a private namespace, a device under test at one end, td-rtpblast at the other."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("TANDEM_BUILD", os.path.join(HERE, "..", "..", "build"))
RTPBLAST = os.path.join(BUILD, "perf/rtpblast/td-rtpblast")
DATAPLANE = os.path.join(BUILD, "dataplane/app/tandem-dataplane")
DEVICE, GENERATOR = "tdw0", "tdw1"
DEVICE_ADDR, GENERATOR_ADDR = "10.77.9.2", "10.77.9.1"
# Not the interface's: what its kernel would do to its own copy of each packet, a route looked up in
# vain, would be done in the time of the device that sent it.
GENERATOR_MAC = "02:00:00:00:77:09"
# The sender this far behind its schedule: no figure. Phones' own packets wander as much.
PACE_MISSED_MS = 20.0
# 4,096 packets: what comes in two milliseconds in which the machine holds one of the ends up.
MEMIF_RING_BITS = 12

CONFIG = """\
system:
  run_dir: {folder}/run
  data_dir: {folder}/data
  log_level: warn
dataplane:
  memory_mb: 256
  streams: {streams}
  rtp_port_last: 59999
  ports:
    - name: wire
      driver: {driver}
      device: {device}
      addresses: ["{addr}/24"]
sip:
  listen: "127.0.0.1:5060"
trunks:
  - name: none
    addresses: ["127.0.0.2"]
queues:
  - name: none
dialplan:
  - number: "1"
    queue: none
api:
  token: wire-benchmark-token
"""


def sh(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def inside(netns, *command):
    """The command, to be run in the namespace."""
    return ("ip", "netns", "exec", netns) + command


@contextlib.contextmanager
def namespace():
    """A private namespace with the veth pair; gone afterwards, whatever happened."""
    name = f"td-wire-{os.getpid()}"
    sh("ip", "netns", "add", name)
    try:
        sh("ip", "-n", name, "link", "add", DEVICE, "type", "veth", "peer", "name", GENERATOR)
        for interface in (DEVICE, GENERATOR):
            sh(*inside(name, "sysctl", "-qw", f"net.ipv6.conf.{interface}.disable_ipv6=1"))
            sh(*inside(name, "ethtool", "-K", interface, "tx", "off"))
            sh("ip", "-n", name, "link", "set", interface, "up")
        sh("ip", "-n", name, "link", "set", "lo", "up")
        yield name
    finally:
        subprocess.run(("ip", "netns", "del", name), check=False)


@contextlib.contextmanager
def device(netns, command, ready):
    """A running device under test; `ready(child)` says when it forwards."""
    with subprocess.Popen(inside(netns, *command), stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as child:
        try:
            for _ in range(200):
                if child.poll() is not None:
                    sys.exit(f"perf: {command[0]} ended: {child.stderr.read()}")
                if ready(child):
                    break
                time.sleep(0.05)
            else:
                sys.exit(f"perf: {command[0]} did not become ready in 10 s")
            yield child
        finally:
            if child.poll() is not None:
                print(f"perf: {command[0]} has ended with {child.returncode}: "
                      f"{child.stderr.read()}", file=sys.stderr)
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()


def door_open(netns, path):
    """Somebody listens there: the path exists a moment before."""
    done = subprocess.run(inside(netns, "ss", "-Hxl", "src", path), stdout=subprocess.PIPE,
                          check=True)
    return bool(done.stdout)


@contextlib.contextmanager
def tandem(netns, folder, driver="af_xdp", name=DEVICE, streams=4096):
    """A running dataplane on the device of that name, and the path of its door."""
    shutil.rmtree(os.path.join(folder, "run"), ignore_errors=True)
    config = os.path.join(folder, "tandem.yaml")
    with open(config, "w", encoding="utf-8") as file:
        file.write(CONFIG.format(folder=folder, device=name, driver=driver, addr=DEVICE_ADDR,
                                 streams=streams))
    socket = os.path.join(folder, "run", "dataplane.sock")
    with device(netns, (DATAPLANE, "--config", config), lambda _: door_open(netns, socket)) as child:
        yield child, socket


def generator(netns, pid, seconds, *options, driver="af_packet", name=GENERATOR):
    """The command line of a run of the generator; `name`: an interface, or memif's socket."""
    memory = ("--no-huge", "-m", "512")
    own_mac = ("--own-mac", GENERATOR_MAC)
    if driver == "memif":
        vdev = f"net_memif0,role=client,socket={name},socket-abstract=no,rsize={MEMIF_RING_BITS}"
        memory, own_mac = ("--in-memory", "--single-file-segments"), ()
    elif driver == "af_xdp":
        vdev = f"net_af_xdp0,iface={name},busy_budget=0"
    else:
        vdev = f"net_af_packet0,iface={name},blocksz=65536,framesz=2048,framecnt=4096,qdisc_bypass=1"
    return inside(netns, RTPBLAST, *memory, "--no-pci", "--no-telemetry", "--log-level", "3",
                  "--no-shconf", "--file-prefix", f"td-blast-{os.getpid()}", "-l", "0",
                  "--vdev", vdev, "--", "--from", GENERATOR_ADDR, "--to", DEVICE_ADDR, *own_mac,
                  "--pid", str(pid), "--seconds", str(seconds), *[str(item) for item in options])


def blast(netns, pid, seconds, *options, driver="af_packet", name=GENERATOR):
    """One run of the generator; what it measured."""
    done = subprocess.run(generator(netns, pid, seconds, *options, driver=driver, name=name),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    # What the libraries of AF_XDP would rather have had is nobody's complaint.
    sys.stderr.writelines(line for line in done.stderr.splitlines(keepends=True)
                          if not line.startswith(("libbpf:", "libxdp:")))
    if done.returncode != 0:
        sys.exit(f"perf: the generator ended with {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def go_first():
    """Ahead of whatever else runs here: this is about what work costs, not about waiting."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -20)
