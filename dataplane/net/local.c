#include "net/local.h"

static bool usable4(const uint8_t *a)
{
	// Not 0/8, 127/8, multicast, reserved or broadcast (RFC 1122 3.2.1.3).
	return a[0] != 0 && a[0] != 127 && a[0] < 224;
}

static bool usable6(const uint8_t *a)
{
	static const uint8_t zero[15];

	// Not unspecified, loopback or multicast (RFC 4291).
	return a[0] != 0xff && !(memcmp(a, zero, 15) == 0 && a[15] <= 1);
}

static bool prefix_equal(const uint8_t *a, const uint8_t *b, uint32_t bits)
{
	uint32_t bytes = bits / 8, rest = bits % 8;

	if (memcmp(a, b, bytes) != 0)
		return false;
	return rest == 0 || ((a[bytes] ^ b[bytes]) >> (8 - rest)) == 0;
}

static int check_local(const struct td_local *local)
{
	const struct td_endpoint *addr = &local->addr;
	const struct td_endpoint *gateway = &local->gateway;

	switch ((enum td_family)addr->family) {
	case TD_FAMILY_IPV4:
		if (!usable4(addr->addr) || local->prefix_bits > 32)
			return -TD_EINVALID;
		break;
	case TD_FAMILY_IPV6:
		if (!usable6(addr->addr) || local->prefix_bits > 128)
			return -TD_EINVALID;
		break;
	case TD_FAMILY_NONE:
	default: return -TD_EINVALID;
	}
	if (gateway->family == TD_FAMILY_NONE)
		return 0;
	if (gateway->family != addr->family || !td_local_on_link(local, gateway) ||
	    td_endpoint_same_addr(gateway, addr))
		return -TD_EINVALID;
	return local->port < TD_PORT_MAX ? 0 : -TD_EINVALID;
}

static void place4(struct td_locals *locals, const struct td_local *local, uint64_t number)
{
	uint32_t key, slot;

	memcpy(&key, local->addr.addr, sizeof key);
	slot = td_locals_slot(key);
	while (locals->slots4[slot % TD_LOCAL_SLOTS])
		slot++;
	locals->slots4[slot % TD_LOCAL_SLOTS] = (uint64_t)local->port << 48 | number << 32 | key;
}

static void place6(struct td_locals *locals, const struct td_local *local, uint8_t number)
{
	uint32_t w[4], slot;

	memcpy(w, local->addr.addr, sizeof w);
	slot = td_locals_slot(w[0] ^ w[1] ^ w[2] ^ w[3]);
	while (locals->slots6[slot % TD_LOCAL_SLOTS])
		slot++;
	locals->slots6[slot % TD_LOCAL_SLOTS] = number;
}

int td_locals_add(struct td_locals *locals, const struct td_local *local)
{
	int error = check_local(local);

	if (error)
		return error;
	for (uint32_t i = 0; i < locals->count; i++)
		if (td_endpoint_same_addr(&locals->entries[i].addr, &local->addr))
			return -TD_EEXISTS;
	if (locals->count == TD_LOCAL_ADDR_MAX)
		return -TD_EFULL;
	locals->entries[locals->count] = *local;
	locals->count++;
	if (local->addr.family == TD_FAMILY_IPV4)
		place4(locals, local, locals->count);
	else
		place6(locals, local, (uint8_t)locals->count);
	return 0;
}

bool td_local_on_link(const struct td_local *local, const struct td_endpoint *dst)
{
	if (dst->family != local->addr.family)
		return false;
	// Link-local destinations are on every link (RFC 4291 2.5.6).
	if (dst->family == TD_FAMILY_IPV6 && dst->addr[0] == 0xfe && (dst->addr[1] & 0xc0) == 0x80)
		return true;
	return prefix_equal(local->addr.addr, dst->addr, local->prefix_bits);
}

uint8_t td_locals_first(const struct td_locals *locals, enum td_family family)
{
	for (uint32_t i = 0; i < locals->count; i++)
		if (locals->entries[i].addr.family == (uint8_t)family)
			return (uint8_t)i;
	return TD_LOCAL_NONE;
}
