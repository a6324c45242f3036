#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "net/xdp_gate.h"
#include "net/xdp_gate_abi.h"
#include "td_assert.h"

// xdp_gate.bpf.c as the compiler leaves it: nothing to install, nothing to find at run time.
static const uint8_t compiled[] __attribute__((aligned(8))) = {
#include <xdp_gate.bpf.inc>
};

// As xdp_gate.bpf.c lays out its .rodata: port_first and port_last.
struct constants {
	uint16_t port_first, port_last;
};

static int set_constants(struct bpf_object *object, const struct td_xdp_gate_spec *spec)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata");
	struct constants constants = { spec->port_first, spec->port_last };

	TD_ASSERT(map && bpf_map__value_size(map) == sizeof constants);
	return bpf_map__set_initial_value(map, &constants, sizeof constants);
}

static int map_fd(const struct bpf_object *object, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(object, name);

	TD_ASSERT(fd >= 0);
	return fd;
}

static int set_addresses(struct bpf_object *object, const struct td_xdp_gate_spec *spec)
{
	int fd = map_fd(object, "addresses"), error = 0;

	for (unsigned i = 0; i < spec->address_count && !error; i++) {
		const struct td_endpoint *addr = &spec->addresses[i];
		struct td_xdp_gate_address key = {
			.version = addr->family == TD_FAMILY_IPV6 ? 6 : 4,
		};
		uint8_t value = 1;

		memcpy(key.bytes, addr->addr, sizeof key.bytes);
		error = bpf_map_update_elem(fd, &key, &value, BPF_ANY);
	}
	return error;
}

static int load_failure(const struct td_xdp_gate_spec *spec, int error, char *reason, size_t bytes)
{
	if (error == -EPERM || error == -EACCES) {
		snprintf(
			reason, bytes,
			"port %s: the kernel does not let this process load an XDP program (%s): run as "
			"root, or give it cap_net_admin, cap_net_raw and cap_bpf",
			spec->port_name, strerror(-error));
		return -TD_EDENIED;
	}
	snprintf(
		reason, bytes,
		"port %s: the kernel does not take the XDP program for %s (%s): sharing an interface "
		"needs Linux 5.9 or later with BPF; see the log at log_level: debug",
		spec->port_name, spec->device, strerror(-error));
	return error == -ENOMEM ? -TD_EMEMORY : -TD_EUNSUPPORTED;
}

static const struct bpf_program *only_program(const struct bpf_object *object)
{
	const struct bpf_program *program = bpf_object__next_program(object, NULL);

	TD_ASSERT(program);
	return program;
}

int td_xdp_gate_load(const struct td_xdp_gate_spec *spec, struct td_xdp_gate *gate, char *reason,
		     size_t reason_bytes)
{
	const struct bpf_object_open_opts options = { .sz = sizeof options,
						      .object_name = "tandem" };
	struct bpf_prog_info info = { 0 };
	uint32_t info_len = sizeof info;
	int error;

	TD_ASSERT(spec->address_count <= TD_XDP_GATE_ADDRESS_MAX);
	*gate = (struct td_xdp_gate){ .link_fd = -1, .program_fd = -1, .counters_fd = -1 };
	gate->object = bpf_object__open_mem(compiled, sizeof compiled, &options);
	if (!gate->object)
		return load_failure(spec, -errno, reason, reason_bytes);
	error = set_constants(gate->object, spec);
	if (!error)
		error = bpf_object__load(gate->object);
	if (!error)
		error = set_addresses(gate->object, spec);
	if (!error) {
		gate->program_fd = bpf_program__fd(only_program(gate->object));
		gate->counters_fd = map_fd(gate->object, "counters");
		error = bpf_obj_get_info_by_fd(gate->program_fd, &info, &info_len);
	}
	if (error) {
		td_xdp_gate_close(gate);
		return load_failure(spec, error, reason, reason_bytes);
	}
	gate->program_id = info.id;
	return 0;
}

// The link's descriptor, or a negative errno.
static int attach(const struct td_xdp_gate *gate, uint32_t mode)
{
	const struct bpf_link_create_opts options = { .sz = sizeof options, .flags = mode };

	return bpf_link_create(gate->program_fd, (int)gate->interface, BPF_XDP, &options);
}

static int attach_failure(const struct td_xdp_gate_spec *spec, int error, char *reason,
			  size_t bytes)
{
	if (error == -EBUSY || error == -EEXIST) {
		snprintf(
			reason, bytes,
			"port %s: another XDP program runs on %s (\"ip link show %s\" names it): end the "
			"program that put it there, or take it off with \"ip link set dev %s xdp off\"",
			spec->port_name, spec->device, spec->device, spec->device);
		return -TD_EEXISTS;
	}
	snprintf(
		reason, bytes,
		"port %s: the kernel does not run the XDP program on %s (%s): give the dataplane an "
		"interface of its own, without share",
		spec->port_name, spec->device, strerror(-error));
	return -TD_EIO;
}

int td_xdp_gate_open(const struct td_xdp_gate_spec *spec, struct td_xdp_gate *gate, char *reason,
		     size_t reason_bytes)
{
	int error = td_xdp_gate_load(spec, gate, reason, reason_bytes);

	if (error)
		return error;
	gate->interface = if_nametoindex(spec->device);
	gate->link_fd = attach(gate, XDP_FLAGS_DRV_MODE);
	gate->native = gate->link_fd >= 0;
	if (!gate->native && gate->link_fd != -EBUSY && gate->link_fd != -EEXIST)
		gate->link_fd = attach(gate, XDP_FLAGS_SKB_MODE);
	if (gate->link_fd >= 0)
		return 0;
	error = attach_failure(spec, gate->link_fd, reason, reason_bytes);
	td_xdp_gate_close(gate);
	return error;
}

bool td_xdp_gate_attached(const struct td_xdp_gate *gate)
{
	uint32_t id = 0;

	return gate->link_fd >= 0 && bpf_xdp_query_id((int)gate->interface, 0, &id) == 0 &&
	       id == gate->program_id;
}

static uint64_t counter(const struct td_xdp_gate *gate, uint32_t which)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *words = cpus > 0 ? calloc((size_t)cpus, sizeof *words) : NULL;
	uint64_t sum = 0;

	if (words && bpf_map_lookup_elem(gate->counters_fd, &which, words) == 0)
		for (int i = 0; i < cpus; i++)
			sum += words[i];
	free(words);
	return sum;
}

void td_xdp_gate_count(const struct td_xdp_gate *gate, struct td_xdp_gate_counts *counts)
{
	*counts = (struct td_xdp_gate_counts){
		.taken = counter(gate, TD_XDP_GATE_TAKEN),
		.no_queue = counter(gate, TD_XDP_GATE_NO_QUEUE),
		.fragments = counter(gate, TD_XDP_GATE_FRAGMENT),
	};
}

void td_xdp_gate_close(struct td_xdp_gate *gate)
{
	if (!gate->object)
		return;
	if (gate->link_fd >= 0)
		close(gate->link_fd);
	bpf_object__close(gate->object);
	*gate = (struct td_xdp_gate){ .link_fd = -1, .program_fd = -1, .counters_fd = -1 };
}
