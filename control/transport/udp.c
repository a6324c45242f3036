#include "transport/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "td_assert.h"
#include "transport/address.h"
#include "transport/udp_socket.h"

#define BATCHES_PER_WAKE 8 // received in one go before the loop's other work has a turn

struct rx_control {
	alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(uint32_t))]; // SO_RXQ_OVFL
};

struct td_udp {
	uv_poll_t poll;
	uv_prepare_t prepare; // sends what timers queued
	uv_check_t check;     // sends what the answers to received datagrams queued
	unsigned handles;
	int fd, family;
	bool closing, wants_write;
	td_udp_datagram_fn on_datagram;
	void *user;
	struct td_endpoint local;
	struct td_udp_queue queue;
	struct td_udp_stats stats;
	uint32_t overflows_seen;
	struct mmsghdr rx[TD_UDP_BATCH];
	struct iovec rx_iov[TD_UDP_BATCH];
	struct sockaddr_storage rx_from[TD_UDP_BATCH];
	struct rx_control rx_control[TD_UDP_BATCH];
	uint8_t (*rx_bytes)[TD_UDP_DATAGRAM_MAX];
};

// The kernel tells with each datagram how many it has dropped so far, as a 32-bit count.
static void note_overflow(struct td_udp *udp, struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		uint32_t total;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
			continue;
		memcpy(&total, CMSG_DATA(c), sizeof total);
		udp->stats.rx_overflows += total - udp->overflows_seen;
		udp->overflows_seen = total;
	}
}

static void deliver(struct td_udp *udp, unsigned i) TD_CONTROL
{
	struct mmsghdr *message = &udp->rx[i];
	struct td_endpoint from;

	note_overflow(udp, &message->msg_hdr);
	if (message->msg_hdr.msg_flags & MSG_TRUNC) {
		udp->stats.rx_truncated++;
		return;
	}
	if (td_address_from_sockaddr(&udp->rx_from[i], &from) != 0) {
		udp->stats.rx_errors++;
		return;
	}
	udp->stats.rx_datagrams++;
	udp->stats.rx_bytes += message->msg_len;
	udp->on_datagram(udp->user, &from, udp->rx_bytes[i], message->msg_len);
}

static int receive_batch(struct td_udp *udp) TD_CONTROL
{
	int count;

	for (int i = 0; i < TD_UDP_BATCH; i++) {
		udp->rx_iov[i] = (struct iovec){ udp->rx_bytes[i], TD_UDP_DATAGRAM_MAX };
		udp->rx[i].msg_hdr = (struct msghdr){
			.msg_name = &udp->rx_from[i],
			.msg_namelen = sizeof udp->rx_from[i],
			.msg_iov = &udp->rx_iov[i],
			.msg_iovlen = 1,
			.msg_control = udp->rx_control[i].bytes,
			.msg_controllen = sizeof udp->rx_control[i].bytes,
		};
	}
	count = recvmmsg(udp->fd, udp->rx, TD_UDP_BATCH, MSG_DONTWAIT, NULL);
	if (count <= 0) {
		if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
			udp->stats.rx_errors++;
		return 0;
	}
	udp->stats.rx_batches++;
	for (int i = 0; i < count && !udp->closing; i++)
		deliver(udp, (unsigned)i);
	// A description may have held keys.
	for (int i = 0; i < count; i++)
		explicit_bzero(udp->rx_bytes[i], udp->rx[i].msg_len);
	return count;
}

static void on_poll(uv_poll_t *poll, int status, int events) TD_CONTROL;

static void set_wants_write(struct td_udp *udp, bool wants) TD_CONTROL
{
	if (udp->wants_write == wants || udp->closing)
		return;
	udp->wants_write = wants;
	uv_poll_start(&udp->poll, wants ? UV_READABLE | UV_WRITABLE : UV_READABLE, on_poll);
}

// Hands up to one batch to the kernel. How many it took, or 0 when it takes none now.
static uint32_t send_batch(struct td_udp *udp) TD_CONTROL
{
	struct mmsghdr tx[TD_UDP_BATCH] = { 0 };
	struct iovec iov[TD_UDP_BATCH];
	struct sockaddr_storage to[TD_UDP_BATCH];
	uint32_t count = udp->queue.count < TD_UDP_BATCH ? udp->queue.count : TD_UDP_BATCH;
	int sent;

	for (uint32_t i = 0; i < count; i++) {
		struct td_udp_queued *queued = td_udp_queue_at(&udp->queue, i);

		iov[i] = (struct iovec){ queued->bytes, queued->len };
		tx[i].msg_hdr = (struct msghdr){
			.msg_name = &to[i],
			.msg_iov = &iov[i],
			.msg_iovlen = 1,
		};
		// td_udp_send has let only reachable addresses in.
		TD_ASSERT(td_address_to_sockaddr(&queued->to, udp->family, &to[i],
						 &tx[i].msg_hdr.msg_namelen) == 0);
	}
	sent = sendmmsg(udp->fd, tx, count, MSG_DONTWAIT);
	if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return 0;
	if (sent <= 0) {
		// The kernel refused the first one (no route, ...); the others are not to blame.
		udp->stats.tx_errors++;
		td_udp_queue_drop(&udp->queue, 1);
		return 1;
	}
	udp->stats.tx_batches++;
	udp->stats.tx_datagrams += (uint32_t)sent;
	for (int i = 0; i < sent; i++)
		udp->stats.tx_bytes += tx[i].msg_len;
	td_udp_queue_drop(&udp->queue, (uint32_t)sent);
	return (uint32_t)sent;
}

void td_udp_flush(struct td_udp *udp)
{
	while (udp->queue.count > 0)
		if (send_batch(udp) == 0)
			break;
	set_wants_write(udp, udp->queue.count > 0);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct td_udp *udp = poll->data;

	if (status < 0) {
		udp->stats.rx_errors++;
		return;
	}
	for (int i = 0; (events & UV_READABLE) && i < BATCHES_PER_WAKE && !udp->closing; i++)
		if (receive_batch(udp) < TD_UDP_BATCH)
			break;
	if ((events & UV_WRITABLE) && !udp->closing)
		td_udp_flush(udp);
}

static void on_prepare(uv_prepare_t *prepare) TD_CONTROL
{
	struct td_udp *udp = prepare->data;

	if (udp->queue.count > 0 && !udp->wants_write)
		td_udp_flush(udp);
}

static void on_check(uv_check_t *check) TD_CONTROL
{
	struct td_udp *udp = check->data;

	if (udp->queue.count > 0 && !udp->wants_write)
		td_udp_flush(udp);
}

static void release(struct td_udp *udp)
{
	if (udp->fd >= 0)
		close(udp->fd);
	td_udp_queue_fini(&udp->queue);
	free(udp->rx_bytes);
	free(udp);
}

static struct td_udp *allocate(void)
{
	struct td_udp *udp = calloc(1, sizeof *udp);

	if (!udp)
		return NULL;
	udp->fd = -1;
	udp->rx_bytes = malloc(TD_UDP_BATCH * sizeof *udp->rx_bytes);
	if (!udp->rx_bytes || td_udp_queue_init(&udp->queue) != 0) {
		release(udp);
		return NULL;
	}
	return udp;
}

static int start(struct td_udp *udp, uv_loop_t *loop) TD_CONTROL
{
	if (uv_poll_init(loop, &udp->poll, udp->fd) != 0)
		return -TD_EIO;
	TD_ASSERT(uv_prepare_init(loop, &udp->prepare) == 0);
	TD_ASSERT(uv_check_init(loop, &udp->check) == 0);
	udp->handles = 3;
	udp->poll.data = udp->prepare.data = udp->check.data = udp;
	uv_prepare_start(&udp->prepare, on_prepare);
	uv_check_start(&udp->check, on_check);
	uv_poll_start(&udp->poll, UV_READABLE, on_poll);
	return 0;
}

int td_udp_open(uv_loop_t *loop, const struct td_endpoint *listen, td_udp_datagram_fn on_datagram,
		void *user, struct td_udp **out, char reason[TD_UDP_REASON_MAX])
{
	struct td_udp *udp = allocate();
	int error;

	reason[0] = '\0';
	if (!udp) {
		snprintf(reason, TD_UDP_REASON_MAX, "out of memory for the SIP socket's buffers");
		return -TD_EMEMORY;
	}
	udp->on_datagram = on_datagram;
	udp->user = user;
	udp->family = listen->family == TD_FAMILY_IPV6 ? AF_INET6 : AF_INET;
	error = td_udp_socket_open(listen, &udp->fd, &udp->local, reason);
	if (!error) {
		error = start(udp, loop);
		if (error)
			snprintf(reason, TD_UDP_REASON_MAX,
				 "the event loop refuses the SIP socket");
	}
	if (error) {
		release(udp);
		return error;
	}
	*out = udp;
	return 0;
}

static bool reachable(const struct td_udp *udp, const struct td_endpoint *to)
{
	struct sockaddr_storage address;
	socklen_t len;

	return to->port_be != 0 && td_address_to_sockaddr(to, udp->family, &address, &len) == 0;
}

int td_udp_send(struct td_udp *udp, const struct td_endpoint *to, const void *bytes, size_t len)
{
	int error;

	TD_ASSERT(!udp->closing);
	if (!reachable(udp, to))
		return -TD_EINVALID;
	error = td_udp_queue_push(&udp->queue, to, bytes, len);
	if (error == -TD_EFULL)
		udp->stats.tx_full++;
	else if (error)
		udp->stats.tx_too_long++;
	else if (udp->queue.count > udp->stats.queued_peak)
		udp->stats.queued_peak = udp->queue.count;
	return error;
}

struct td_endpoint td_udp_local(const struct td_udp *udp)
{
	return udp->local;
}

void td_udp_get_stats(const struct td_udp *udp, struct td_udp_stats *out)
{
	*out = udp->stats;
	out->queued_now = udp->queue.count;
}

static void on_closed(uv_handle_t *handle)
{
	struct td_udp *udp = handle->data;

	if (--udp->handles == 0)
		release(udp);
}

void td_udp_close(struct td_udp *udp)
{
	TD_ASSERT(!udp->closing);
	udp->closing = true;
	td_udp_flush(udp);
	uv_close((uv_handle_t *)&udp->poll, on_closed);
	uv_close((uv_handle_t *)&udp->prepare, on_closed);
	uv_close((uv_handle_t *)&udp->check, on_closed);
}
