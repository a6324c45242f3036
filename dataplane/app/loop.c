#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "app/loop.h"
#include "base/clock.h"
#include "td_assert.h"
#include "td_log.h"
#include "worker/watchdog.h"

enum source { SOURCE_COMMANDS, SOURCE_LISTENER, SOURCE_CLIENT, SOURCE_SIGNALS, SOURCE_HOST };

struct loop {
	struct td_dataplane *dataplane;
	int epoll_fd, signal_fd;
	bool stopping;
	int rest_ms;
	uint64_t active_ns; // when anything last happened
	struct td_watchdog watchdog;
	uint64_t watched_ns;
};

static int watch_fd(struct loop *loop, int fd, enum source source)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP, .data.u32 = source };

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -TD_EIO;
}

static int open_loop(struct loop *loop)
{
	sigset_t signals;
	int host_fd;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (loop->epoll_fd < 0 || loop->signal_fd < 0 ||
	    watch_fd(loop, loop->signal_fd, SOURCE_SIGNALS) != 0 ||
	    watch_fd(loop, loop->dataplane->share.command_bell, SOURCE_COMMANDS) != 0 ||
	    watch_fd(loop, loop->dataplane->door.listener, SOURCE_LISTENER) != 0)
		return -TD_EIO;
	host_fd = td_host_hops_fd(&loop->dataplane->network.hops);
	return host_fd < 0 ? 0 : watch_fd(loop, host_fd, SOURCE_HOST);
}

static void close_loop(struct loop *loop)
{
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	if (loop->signal_fd >= 0)
		close(loop->signal_fd);
}

static TD_MAIN void on_listener(struct loop *loop)
{
	struct td_dataplane *dataplane = loop->dataplane;

	switch (td_door_accept(&dataplane->door, &dataplane->share)) {
	case TD_DOOR_ATTACHED:
		if (watch_fd(loop, dataplane->door.client, SOURCE_CLIENT) != 0) {
			td_error(NULL, "cannot watch control's connection: %s", strerror(errno));
			td_door_detach(&dataplane->door);
			break;
		}
		td_info(NULL, "control attached");
		break;
	case TD_DOOR_REFUSED:
		td_warn(NULL, "a second control process was refused: one is attached");
		break;
	case TD_DOOR_NOTHING: break;
	}
}

static TD_MAIN void on_client(struct loop *loop)
{
	// A closed descriptor leaves the epoll set by itself.
	if (td_door_client_gone(&loop->dataplane->door))
		td_warn(NULL, "control has gone; media goes on");
}

static void on_signals(struct loop *loop)
{
	struct signalfd_siginfo signal;

	while (read(loop->signal_fd, &signal, sizeof signal) == sizeof signal)
		loop->stopping = true;
}

// Takes a batch off the command ring. Returns how many.
static TD_MAIN uint32_t run_commands(struct loop *loop)
{
	struct td_share *share = &loop->dataplane->share;
	struct td_command command;
	uint32_t count = 0;
	int error = 0;

	while (count < TD_LOOP_COMMANDS && !td_engine_in_transit(loop->dataplane->engine)) {
		// There may be keys in it.
		error = td_ring_take(&share->commands, &command, 1);
		if (error)
			break;
		td_engine_command(loop->dataplane->engine, &command, td_clock_now_ns());
		count++;
	}
	explicit_bzero(&command.u, sizeof command.u);
	if (error == -TD_ECORRUPT) {
		td_error(NULL, "the command ring is damaged: control is detached");
		td_door_detach(&loop->dataplane->door);
		td_share_forget_commands(share);
	}
	return count;
}

static TD_MAIN void handle(struct loop *loop, uint32_t source)
{
	switch ((enum source)source) {
	case SOURCE_COMMANDS: td_share_quiet_bell(&loop->dataplane->share); break;
	case SOURCE_LISTENER: on_listener(loop); break;
	case SOURCE_CLIENT: on_client(loop); break;
	case SOURCE_SIGNALS: on_signals(loop); break;
	case SOURCE_HOST: td_host_hops_on_news(&loop->dataplane->network.hops); break;
	}
}

// -TD_ETIMEOUT when a worker is lost.
static int watch_workers(struct loop *loop, uint64_t now_ns)
{
	const struct td_region *region = &loop->dataplane->share.region;

	if (now_ns - loop->watched_ns < TD_LOOP_REST_MS * TD_NS_PER_MS)
		return 0;
	loop->watched_ns = now_ns;
	for (uint32_t w = 0; w < region->worker_count; w++) {
		uint64_t heartbeat_ns = *(volatile uint64_t *)&region->workers[w].heartbeat_ns;

		switch (td_watchdog_look(&loop->watchdog, w, heartbeat_ns, now_ns)) {
		case TD_WATCHDOG_QUIET: break;
		case TD_WATCHDOG_STALLED:
			td_warn(NULL, "worker %u has not turned for %llu ms", w,
				(unsigned long long)((now_ns - heartbeat_ns) / TD_NS_PER_MS));
			break;
		case TD_WATCHDOG_RECOVERED:
			td_warn(NULL, "worker %u turns again after a stall of about %llu ms", w,
				(unsigned long long)(loop->watchdog.stalled_ns[w] / TD_NS_PER_MS));
			break;
		case TD_WATCHDOG_DEAD:
			td_error(NULL, "worker %u is lost: it has not turned for %llu s", w,
				 TD_WATCHDOG_DEAD_NS / TD_NS_PER_S);
			return -TD_ETIMEOUT;
		}
	}
	return 0;
}

// How long the next epoll may wait.
static TD_MAIN void choose_rest(struct loop *loop, bool active, uint64_t now_ns)
{
	struct td_engine_counts counts;

	if (active)
		loop->active_ns = now_ns;
	td_engine_count(loop->dataplane->engine, &counts);
	if (now_ns - loop->active_ns < TD_LOOP_ALERT_MS * TD_NS_PER_MS)
		loop->rest_ms = 1;
	else if (counts.contexts > 0 || counts.taps > 0 || counts.forks > 0 || counts.waiting > 0)
		loop->rest_ms = TD_LOOP_CALLS_MS;
	else if (loop->rest_ms < TD_LOOP_REST_MS)
		loop->rest_ms++;
}

static TD_MAIN int turn(struct loop *loop)
{
	struct td_dataplane *dataplane = loop->dataplane;
	struct epoll_event events[8];
	int count = epoll_wait(loop->epoll_fd, events, 8, loop->rest_ms);
	uint64_t now_ns;
	uint32_t done;

	for (int i = 0; i < count; i++)
		handle(loop, events[i].data.u32);
	done = run_commands(loop);
	now_ns = td_clock_now_ns();
	done += td_network_turn(&dataplane->network, now_ns);
	done += td_engine_housekeep(dataplane->engine, now_ns);
	done += td_share_ring_bell(&dataplane->share);
	choose_rest(loop, done > 0 || count > 0, now_ns);
	return watch_workers(loop, now_ns);
}

int td_loop_run(struct td_dataplane *dataplane)
{
	struct loop loop = {
		.dataplane = dataplane, .epoll_fd = -1, .signal_fd = -1, .rest_ms = 1
	};
	int error = open_loop(&loop);

	if (error)
		td_error(NULL, "the main loop cannot be set up: %s", strerror(errno));
	while (!error && !loop.stopping)
		error = turn(&loop);
	close_loop(&loop);
	return error;
}
