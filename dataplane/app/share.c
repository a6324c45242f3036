#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "app/share.h"
#include "td_assert.h"

static int map_memory(struct td_share *share, size_t bytes, void **memory)
{
	share->memory_fd = memfd_create("tandem-region", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (share->memory_fd < 0 || ftruncate(share->memory_fd, (off_t)bytes) < 0 ||
	    fcntl(share->memory_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return -TD_EIO;
	// Populated now, so that no worker ever waits for a page.
	*memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		       share->memory_fd, 0);
	return *memory == MAP_FAILED ? -TD_EMEMORY : 0;
}

int td_share_create(const struct td_region_sizes *sizes, uint64_t boot_id, uint64_t now_ns,
		    struct td_share *share, char reason[TD_SHARE_REASON_MAX])
{
	size_t bytes = td_region_bytes(sizes);
	void *memory;
	int error;

	*share = (struct td_share){ .memory_fd = -1, .command_bell = -1, .event_bell = -1 };
	error = map_memory(share, bytes, &memory);
	if (!error) {
		td_region_format(memory, sizes, boot_id, now_ns, &share->region);
		error = td_region_attach_commands(&share->region, 0, &share->commands);
		share->command_bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		share->event_bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (share->command_bell < 0 || share->event_bell < 0)
			error = -TD_EIO;
	}
	if (error) {
		snprintf(
			reason, TD_SHARE_REASON_MAX,
			"cannot create the shared region of %zu MB: %s; lower dataplane.streams or free "
			"some memory",
			bytes >> 20, strerror(errno));
		td_share_destroy(share);
	}
	return error;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void td_share_destroy(struct td_share *share)
{
	if (share->region.header)
		munmap(share->region.header, share->region.bytes);
	share->region = (struct td_region){ 0 };
	close_fd(&share->memory_fd);
	close_fd(&share->command_bell);
	close_fd(&share->event_bell);
}

bool td_share_ring_bell(struct td_share *share)
{
	const struct td_region *region = &share->region;
	bool news = false;

	for (uint32_t thread = 0; thread <= region->worker_count; thread++) {
		struct td_ring *ring =
			(struct td_ring *)(region->events + thread * region->events_stride);
		// Relaxed: the reader synchronises with the producer itself, in td_ring_take.
		uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

		news |= head != share->heads_seen[thread];
		share->heads_seen[thread] = head;
	}
	// A counter that is full is a bell that rings already.
	if (news && eventfd_write(share->event_bell, 1) < 0)
		TD_ASSERT(errno == EAGAIN);
	return news;
}

void td_share_quiet_bell(struct td_share *share)
{
	eventfd_t count;

	// Nothing to read: it was quiet.
	if (eventfd_read(share->command_bell, &count) < 0)
		TD_ASSERT(errno == EAGAIN);
}

void td_share_forget_commands(struct td_share *share)
{
	struct td_ring_view *view = &share->commands;

	// Pairs with the release store of head in td_ring_push.
	view->own = atomic_load_explicit(&view->shared->head, memory_order_acquire);
	view->peer = view->own;
	atomic_store_explicit(&view->shared->tail, view->own, memory_order_release);
}
