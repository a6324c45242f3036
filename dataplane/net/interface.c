#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>

#include "net/interface.h"
#include "td_limits.h"

static uint64_t effective_capabilities(void)
{
	char line[128];
	uint64_t caps = 0;
	FILE *status = fopen("/proc/self/status", "re");

	if (!status)
		return UINT64_MAX;
	while (fgets(line, sizeof line, status))
		if (strncmp(line, "CapEff:", 7) == 0)
			caps = strtoull(line + 7, NULL, 16);
	fclose(status);
	return caps;
}

static int check_capabilities(const char *port_name, const char *device,
			      enum td_interface_need need, char *reason, size_t reason_bytes)
{
	static const struct {
		int bit;
		const char *name;
		bool packet_too;
	} wanted[] = {
		{ CAP_NET_RAW, "CAP_NET_RAW", true },
		{ CAP_NET_ADMIN, "CAP_NET_ADMIN", true },
		{ CAP_BPF, "CAP_BPF", false },
	};
	uint64_t caps = effective_capabilities();

	// CAP_SYS_ADMIN still implies CAP_BPF.
	if (caps & (1ull << CAP_SYS_ADMIN))
		caps |= 1ull << CAP_BPF;
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		if (need == TD_INTERFACE_AF_PACKET && !wanted[i].packet_too)
			continue;
		if (caps & (1ull << wanted[i].bit))
			continue;
		snprintf(
			reason, reason_bytes,
			"port %s: taking interface %s needs the capability %s: run as root, or give "
			"it with setcap cap_net_raw,cap_net_admin,cap_bpf+ep on the binary",
			port_name, device, wanted[i].name);
		return -TD_EDENIED;
	}
	return 0;
}

static int check_af_xdp(const char *port_name, char *reason, size_t reason_bytes)
{
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		snprintf(reason, reason_bytes,
			 "port %s: this kernel has no AF_XDP sockets (%s): set driver: af_packet",
			 port_name, strerror(errno));
		return -TD_EUNSUPPORTED;
	}
	close(fd);
	return 0;
}

// One request about an interface. -1 with errno set when the kernel refuses it.
static int ask(unsigned long code, const char *device, struct ifreq *request)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int result = -1;

	snprintf(request->ifr_name, sizeof request->ifr_name, "%s", device);
	if (fd >= 0) {
		result = ioctl(fd, code, request);
		close(fd);
	}
	return result;
}

// All zero where the device has no notion of channels.
static struct ethtool_channels channels_of(const char *device)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ifreq request = { .ifr_data = (void *)&channels };

	if (ask(SIOCETHTOOL, device, &request) < 0)
		channels = (struct ethtool_channels){ 0 };
	return channels;
}

unsigned td_interface_mtu(const char *device)
{
	struct ifreq request = { 0 };

	return ask(SIOCGIFMTU, device, &request) < 0 || request.ifr_mtu < 0
		       ? 0
		       : (unsigned)request.ifr_mtu;
}

unsigned td_interface_receive_queues(const char *device)
{
	struct ethtool_channels channels = channels_of(device);
	unsigned count = channels.combined_count + channels.rx_count;

	return count > 0 ? count : 1;
}

// AF_XDP takes one hardware queue pair for each of ours; a device that has no notion has one.
static int check_queues(const char *port_name, const char *device, unsigned queues, char *reason,
			size_t reason_bytes)
{
	unsigned combined = channels_of(device).combined_count;
	unsigned there = combined > 0 ? combined : 1;

	if (queues <= there)
		return 0;
	snprintf(
		reason, reason_bytes,
		"port %s: queues is %u, but interface %s has %u: lower it, or give the interface more "
		"with \"ethtool -L %s combined %u\"",
		port_name, queues, device, there, device, queues);
	return -TD_EINVALID;
}

// Media that arrives on a queue without a socket of ours would stay with the kernel, unheard.
static int check_all_queues(const char *port_name, const char *device, unsigned queues,
			    char *reason, size_t reason_bytes)
{
	unsigned there = td_interface_receive_queues(device);
	unsigned combined = channels_of(device).combined_count;

	if (there > 1 && combined < there) {
		snprintf(
			reason, reason_bytes,
			"port %s: %s has %u receive queues apart from its transmit queues, of which AF_XDP "
			"can serve one: set \"ethtool -L %s rx 1 tx 1\"",
			port_name, device, there, device);
		return -TD_EUNSUPPORTED;
	}
	if (there > TD_WORKER_MAX)
		snprintf(
			reason, reason_bytes,
			"port %s: %s spreads what it receives over %u queues, and a shared port must serve "
			"all of them, %u at most: set \"ethtool -L %s combined %u\"",
			port_name, device, there, TD_WORKER_MAX, device, TD_WORKER_MAX);
	else if (queues != there)
		snprintf(
			reason, reason_bytes,
			"port %s: %s spreads what it receives over %u queue%s, and a shared port must "
			"serve all of them, not %u: leave queues out, or set \"ethtool -L %s combined %u\"",
			port_name, device, there, there == 1 ? "" : "s", queues, device, queues);
	else
		return 0;
	return -TD_EINVALID;
}

static int check_shared(const char *port_name, const char *device, unsigned queues, char *reason,
			size_t reason_bytes)
{
	struct ifreq flags = { 0 }, hardware = { 0 };

	if (ask(SIOCGIFHWADDR, device, &hardware) < 0 ||
	    hardware.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
		snprintf(
			reason, reason_bytes,
			"port %s: %s is not an Ethernet interface, so it cannot be shared: name the "
			"interface that your phones are on",
			port_name, device);
		return -TD_EUNSUPPORTED;
	}
	if (ask(SIOCGIFFLAGS, device, &flags) < 0 || !(flags.ifr_flags & IFF_UP)) {
		snprintf(
			reason, reason_bytes,
			"port %s: interface %s is down, and a shared one is the host's to set up: \"ip "
			"link set %s up\"",
			port_name, device, device);
		return -TD_EINVALID;
	}
	return check_all_queues(port_name, device, queues, reason, reason_bytes);
}

static int set_up(const char *port_name, const char *device, char *reason, size_t reason_bytes)
{
	struct ifreq request = { 0 };
	bool failed = ask(SIOCGIFFLAGS, device, &request) < 0;

	if (!failed) {
		request.ifr_flags |= IFF_UP | IFF_ALLMULTI;
		failed = ask(SIOCSIFFLAGS, device, &request) < 0;
	}
	if (!failed)
		return 0;
	snprintf(
		reason, reason_bytes,
		"port %s: cannot set interface %s up (%s): do it by hand with \"ip link set %s up\"",
		port_name, device, strerror(errno), device);
	return -TD_EIO;
}

int td_interface_prepare(const char *port_name, const char *device, enum td_interface_need need,
			 unsigned queues, char *reason, size_t reason_bytes)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	int error;

	if (if_nametoindex(device) == 0) {
		snprintf(
			reason, reason_bytes,
			"port %s: there is no network interface \"%s\" here: correct device, or create "
			"the interface first (\"ip link\" shows what there is)",
			port_name, device);
		return -TD_ENOT_FOUND;
	}
	error = check_capabilities(port_name, device, need, reason, reason_bytes);
	if (!error && need != TD_INTERFACE_AF_PACKET)
		error = check_af_xdp(port_name, reason, reason_bytes);
	if (!error && need == TD_INTERFACE_AF_XDP)
		error = check_queues(port_name, device, queues, reason, reason_bytes);
	if (!error && need == TD_INTERFACE_SHARED)
		error = check_shared(port_name, device, queues, reason, reason_bytes);
	else if (!error)
		error = set_up(port_name, device, reason, reason_bytes);
	// The packet memory is pinned; where we may not raise the limit the driver will say so.
	if (!error && setrlimit(RLIMIT_MEMLOCK, &unlimited) < 0 && errno != EPERM)
		error = -TD_EIO;
	return error;
}
