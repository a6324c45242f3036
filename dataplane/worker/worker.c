#include <errno.h>
#include <sys/prctl.h>
#include <time.h>

#include <rte_ethdev.h>
#include <rte_pause.h>
#include <rte_ring.h>
#include <urcu-qsbr.h>

#include "base/clock.h"
#include "base/stage_clock.h"
#include "td_assert.h"
#include "worker/worker.h"

#define TX_WAITS_MAX 2

// A vector of so many is not worth waiting for more; what little a flood leaves of a burst is gathered
// from so many bursts at most.
#define WORTHWHILE    48u
#define GATHER_BURSTS 4u

// What a turn works on as a vector. RTCP is rare: it is taken out of the UDP vector, whose rest is then
// all RTP.
struct vector {
	struct td_packet rtp[2 * TD_PARSE_VECTOR], rtcp[2 * TD_PARSE_VECTOR];
	uint32_t rtp_count, rtcp_count;
};

static void drop_packet(struct td_worker *worker, struct rte_mbuf *mbuf, enum td_drop drop)
{
	worker->stats->drops[drop]++;
	rte_pktmbuf_free(mbuf);
}

// Nobody listens there, or somebody on another worker. One that has crossed before crosses again
// when its stream has moved meanwhile.
static void pass_on(struct td_worker *worker, const struct td_packet *packet)
{
	uint32_t owner = packet->owner & TD_DEMUX_WORKER_MASK;

	if (!(packet->owner & TD_DEMUX_OWNER_OPEN) || owner >= worker->steer.worker_count)
		drop_packet(worker, packet->mbuf, TD_DROP_PORT_CLOSED);
	else
		td_steer_push(&worker->steer, owner, packet);
}

static uint32_t close_up(struct td_worker *worker, struct td_packet *udp, uint32_t count,
			 struct vector *vector, uint32_t mine)
{
	uint32_t rtp_count = 0;

	for (uint32_t i = 0; i < count; i++) {
		if ((udp[i].owner & ~TD_DEMUX_OWNER_RTCP) != mine)
			pass_on(worker, &udp[i]);
		else if (udp[i].owner & TD_DEMUX_OWNER_RTCP)
			vector->rtcp[vector->rtcp_count++] = udp[i];
		else
			udp[rtp_count++] = udp[i];
	}
	return rtp_count;
}

// Splits `count` packets behind the vector's RTP by what listens at each port: RTP joins it, closed up,
// unless nobody would let it in, and is counted; RTCP joins the other; what is another worker's or
// nobody's is gone.
static TD_WORKER void sort_in(struct td_worker *worker, struct vector *vector, uint32_t count,
			      uint64_t now_ns)
{
	enum td_stage before = td_stage_enter(worker->stages, TD_STAGE_DEMUX);
	struct td_packet *udp = vector->rtp + vector->rtp_count;
	uint32_t mine = TD_DEMUX_OWNER_OPEN | worker->index, others = 0;

	td_stage_count(worker->stages, TD_STAGE_DEMUX, count);
	for (uint32_t i = 0; i < count; i++)
		others |= udp[i].owner ^ mine;
	if (others != 0)
		count = close_up(worker, udp, count, vector, mine);
	td_stage_enter(worker->stages, before);
	vector->rtp_count += td_media_sift(worker->media, udp, count, now_ns);
}

static TD_WORKER void run_media(struct td_worker *worker, struct vector *vector, uint64_t now_ns)
{
	if (vector->rtp_count > 0)
		td_media_rtp(worker->media, vector->rtp, vector->rtp_count, now_ns, &worker->tx);
	if (vector->rtcp_count > 0)
		td_media_rtcp(worker->media, vector->rtcp, vector->rtcp_count, now_ns, &worker->tx);
}

static TD_WORKER void answer_vector(struct td_worker *worker, struct td_packet *packets,
				    uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct rte_mbuf *mbuf = packets[i].mbuf;
		enum td_drop drop = TD_DROP_COUNT;

		switch (td_answer_packet(&worker->answer, &packets[i], &drop)) {
		case TD_ANSWER_SEND:
			worker->stats->consumed++;
			worker->stats->originated++;
			td_tx_push(&worker->tx, packets[i].in_port, mbuf);
			break;
		case TD_ANSWER_CONSUME:
			worker->stats->consumed++;
			rte_pktmbuf_free(mbuf);
			break;
		case TD_ANSWER_DROP: drop_packet(worker, mbuf, drop); break;
		}
	}
}

static void look_up(const struct td_worker *worker, struct td_packet *udp, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		td_parse_expect(&worker->parse, &udp[i]);
	for (uint32_t i = 0; i < count; i++)
		td_parse_lookup(&worker->parse, &udp[i]);
}

// Packets are looked up while others are parsed; in a turn that is timed, after them.
static uint32_t parse(struct td_worker *worker, uint32_t port, struct rte_mbuf **mbufs,
		      uint32_t count, struct td_packet *udp, struct td_packet *other,
		      uint32_t *other_count)
{
	struct td_parse_env env = worker->parse;
	enum td_stage before;

	if (__builtin_expect(!worker->stages->timing, 1))
		return td_parse_burst(&worker->parse, port, mbufs, count, udp, other, other_count,
				      worker->stats);
	env.demux = NULL;
	before = td_stage_enter(worker->stages, TD_STAGE_PARSE);
	td_stage_count(worker->stages, TD_STAGE_PARSE, count);
	count = td_parse_burst(&env, port, mbufs, count, udp, other, other_count, worker->stats);
	td_stage_enter(worker->stages, TD_STAGE_DEMUX);
	look_up(worker, udp, count);
	td_stage_enter(worker->stages, before);
	return count;
}

static TD_WORKER void flush_steered(struct td_worker *worker)
{
	enum td_stage before;

	if (worker->steer.worker_count < 2)
		return;
	before = td_stage_enter(worker->stages, TD_STAGE_STEER);
	td_stage_count(worker->stages, TD_STAGE_STEER,
		       td_steer_flush(&worker->steer, worker->stats));
	td_stage_enter(worker->stages, before);
}

static TD_WORKER void receive_burst(struct td_worker *worker, uint32_t port,
				    struct rte_mbuf **mbufs, uint32_t count, struct vector *vector,
				    uint64_t now_ns)
{
	struct td_packet other[TD_PARSE_VECTOR];
	uint32_t udp_count, other_count;

	udp_count = parse(worker, port, mbufs, count, vector->rtp + vector->rtp_count, other,
			  &other_count);
	if (udp_count > 0) {
		sort_in(worker, vector, udp_count, now_ns);
		flush_steered(worker);
	}
	if (other_count > 0)
		answer_vector(worker, other, other_count);
}

// Of a flood little is let in. While its bursts come full, and leave less than a vector worth working
// on, more are received before anything is: what they hold is opened, forwarded and sealed together.
static bool gathers(const struct vector *vector, uint32_t burst, uint32_t bursts)
{
	return burst == TD_WORKER_BURST && bursts < GATHER_BURSTS &&
	       vector->rtp_count < WORTHWHILE && vector->rtcp_count <= TD_PARSE_VECTOR;
}

static TD_WORKER uint32_t poll_queue(struct td_worker *worker, const struct td_worker_poll *poll,
				     uint64_t now_ns)
{
	struct rte_mbuf *mbufs[TD_WORKER_BURST];
	struct vector vector;
	uint32_t found = 0, bursts = 0, count;

	vector.rtp_count = vector.rtcp_count = 0;
	do {
		enum td_stage before = td_stage_enter(worker->stages, TD_STAGE_RX);

		count = rte_eth_rx_burst(poll->dpdk_port, poll->queue, mbufs, TD_WORKER_BURST);
		td_stage_count(worker->stages, TD_STAGE_RX, count);
		td_stage_enter(worker->stages, before);
		if (count > 0)
			receive_burst(worker, poll->port, mbufs, count, &vector, now_ns);
		found += count;
	} while (gathers(&vector, count, ++bursts));
	run_media(worker, &vector, now_ns);
	return found;
}

static TD_WORKER uint32_t poll_ports(struct td_worker *worker, uint64_t now_ns)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < worker->poll_count; i++)
		found += poll_queue(worker, &worker->polls[i], now_ns);
	return found;
}

static TD_WORKER void look_up_again(struct td_worker *worker, struct vector *vector, uint32_t count,
				    uint64_t now_ns)
{
	enum td_stage before = td_stage_enter(worker->stages, TD_STAGE_DEMUX);

	look_up(worker, vector->rtp, count);
	td_stage_enter(worker->stages, before);
	vector->rtp_count = vector->rtcp_count = 0;
	sort_in(worker, vector, count, now_ns);
	run_media(worker, vector, now_ns);
	flush_steered(worker);
}

static TD_WORKER uint32_t take_steered(struct td_worker *worker, uint64_t now_ns)
{
	struct vector vector;
	enum td_stage before;
	uint32_t count;

	if (worker->steer.worker_count < 2)
		return 0;
	before = td_stage_enter(worker->stages, TD_STAGE_STEER);
	count = td_steer_take(&worker->steer, vector.rtp, TD_WORKER_BURST, worker->stats);
	td_stage_count(worker->stages, TD_STAGE_STEER, count);
	td_stage_enter(worker->stages, before);
	if (count == 0)
		return 0;
	look_up_again(worker, &vector, count, now_ns);
	return count;
}

// Packets of streams that were on their way to another worker.
static TD_WORKER uint32_t take_parked(struct td_worker *worker, uint64_t now_ns)
{
	struct vector vector;
	uint32_t count = td_media_unpark(worker->media, vector.rtp, TD_WORKER_BURST);

	if (count > 0)
		look_up_again(worker, &vector, count, now_ns);
	return count;
}

// Sends what workers without a queue on one of our ports have handed over.
static uint32_t send_handed_over(struct td_worker *worker)
{
	struct rte_mbuf *mbufs[TD_TX_VECTOR];
	uint32_t found = 0;

	for (uint32_t i = 0; i < worker->handover_count; i++) {
		const struct td_worker_handover *handover = &worker->handovers[i];
		uint32_t count =
			rte_ring_dequeue_burst(handover->ring, (void **)mbufs, TD_TX_VECTOR, NULL);

		for (uint32_t j = 0; j < count; j++)
			td_tx_push(&worker->tx, handover->port, mbufs[j]);
		found += count;
	}
	return found;
}

static TD_WORKER uint32_t run_slots(struct td_worker *worker, uint64_t now_ns)
{
	uint32_t slot, sent = 0;
	uint64_t late_ns;

	while (td_slots_take(&worker->slots, now_ns, &slot, &late_ns)) {
		if (late_ns / TD_NS_PER_US > worker->stats->tick_late_max_us)
			worker->stats->tick_late_max_us = late_ns / TD_NS_PER_US;
		sent += td_media_tick(worker->media, slot, now_ns, &worker->tx);
		worker->stats->ticks++;
		if (worker->index == 0)
			sent += td_housekeeper_run(&worker->housekeeper, &worker->answer,
						   worker->pool, now_ns, &worker->tx,
						   worker->stats);
	}
	return sent;
}

// Charges the time since the last turn began to what that turn was.
static void account_time(struct td_worker *worker, uint64_t now_ns)
{
	struct td_worker_stats *stats = worker->stats;

	if (worker->turn_busy)
		stats->busy_ns += now_ns - worker->turn_ns;
	else
		stats->idle_ns += now_ns - worker->turn_ns;
	stats->turns++;
	stats->heartbeat_ns = now_ns;
	worker->turn_ns = now_ns;
}

// In a flood of which little is let in, a burst received makes few packets to send: they wait for those
// of the next one, as long as more is there to be received, and two turns at most.
static bool waits_for_company(struct td_worker *worker, uint32_t came)
{
	uint32_t ready = 0;

	for (uint32_t port = 0; port < worker->tx.port_count; port++)
		ready += worker->tx.ports[port].count;
	if (came < TD_WORKER_BURST || ready >= TD_WORKER_BURST / 2 ||
	    worker->tx_waited == TX_WAITS_MAX) {
		worker->tx_waited = 0;
		return false;
	}
	worker->tx_waited++;
	return true;
}

bool td_worker_turn(struct td_worker *worker, uint64_t now_ns)
{
	uint32_t came, due;

	account_time(worker, now_ns);
	td_stage_clock_begin(worker->stages);
	came = poll_ports(worker, now_ns);
	came += take_steered(worker, now_ns);
	due = run_slots(worker, now_ns);
	due += td_media_sweep(worker->media, now_ns, &worker->tx);
	came += send_handed_over(worker);
	if (!waits_for_company(worker, came))
		td_tx_flush(&worker->tx);
	came += td_media_changes(worker->media, now_ns);
	came += take_parked(worker, now_ns);
	rcu_quiescent_state();
	worker->turn_busy = came + due > 0;
	worker->stats->busy_turns += worker->turn_busy;
	td_stage_clock_end(worker->stages, worker->turn_busy);
	return came > 0;
}

void td_worker_attach(struct td_worker *worker, uint64_t now_ns)
{
	td_role_enter_worker(worker->index);
	rcu_register_thread();
	td_slots_init(&worker->slots, now_ns);
	worker->turn_ns = now_ns;
	worker->pace.busy_until_ns = now_ns;
}

void td_worker_detach(struct td_worker *worker)
{
	td_role_assert(TD_ROLE_WORKER);
	td_tx_flush(&worker->tx);
	rcu_unregister_thread();
}

// What was slept is idle time, whatever the turn before it did.
static uint64_t rest(struct td_worker *worker, uint64_t now_ns, uint64_t sleep_ns)
{
	uint64_t wake_ns = now_ns + sleep_ns;
	struct timespec wake = { .tv_sec = (time_t)(wake_ns / TD_NS_PER_S),
				 .tv_nsec = (long)(wake_ns % TD_NS_PER_S) };

	// An interrupted sleep is an early turn, nothing more.
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL);
	wake_ns = td_clock_now_ns();
	worker->stats->idle_ns += wake_ns - now_ns;
	worker->turn_ns += wake_ns - now_ns;
	td_urgency_rested(&worker->urgency, wake_ns - now_ns);
	return wake_ns;
}

int td_worker_run(void *argument)
{
	struct td_worker *worker = argument;
	uint64_t now_ns = td_clock_now_ns();

	td_worker_attach(worker, now_ns);
	td_urgency_begin(&worker->urgency, !worker->pace.busy_poll, now_ns);
	// Sleeps end when they should, not up to 50 us later.
	prctl(PR_SET_TIMERSLACK, 1ul);
	// Pairs with the release store in td_workers_stop.
	while (!atomic_load_explicit(worker->stop, memory_order_acquire)) {
		bool found = td_worker_turn(worker, now_ns);
		uint64_t sleep_ns;

		now_ns = td_clock_now_ns();
		sleep_ns = td_pace_sleep_ns(&worker->pace, found, now_ns,
					    td_slots_next_ns(&worker->slots));
		if (sleep_ns > 0)
			now_ns = rest(worker, now_ns, sleep_ns);
		else if (!found)
			rte_pause();
		if (__builtin_expect(td_urgency_turns(&worker->urgency, now_ns), 0))
			td_urgency_change(&worker->urgency);
	}
	td_worker_detach(worker);
	return 0;
}
