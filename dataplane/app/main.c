// tandem-dataplane: the media half of Tandem.
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "app/dataplane.h"
#include "app/loop.h"
#include "config/program.h"
#include "td_log.h"

static const char usage[] =
	"usage: tandem-dataplane --config FILE [--check]\n"
	"       tandem-dataplane --help | --version\n"
	"\n"
	"Moves the media of Tandem's calls: takes the ports the config names, and serves\n"
	"tandem-control on <run_dir>/dataplane.sock until SIGTERM.\n"
	"\n"
	"  -c, --config FILE  the one YAML file both processes read\n"
	"      --check        read and check it, say so, and exit\n"
	"      --version      print the version and exit\n"
	"      --help         print this and exit\n";

// Before any thread is made: they all inherit it, and the loop takes the signals from a descriptor.
static void block_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void say_ready(const struct td_dataplane *dataplane)
{
	const struct td_config_dataplane *config = &dataplane->config->dataplane;

	for (uint32_t i = 0; i < dataplane->network.port_count; i++) {
		const uint8_t *mac = dataplane->network.ports[i].mac;

		td_info(NULL, "port %s on %s is up: %s%s, MAC %02x:%02x:%02x:%02x:%02x:%02x",
			config->ports[i].name, config->ports[i].device,
			config->ports[i].addresses[0],
			config->ports[i].addresses_count > 1 ? " and more" : "", mac[0], mac[1],
			mac[2], mac[3], mac[4], mac[5]);
	}
	td_info(NULL,
		"tandem-dataplane " TD_VERSION
		": %u worker%s, %u streams, SRTP by %s, waiting for control at %s",
		config->workers, config->workers == 1 ? "" : "s", config->streams,
		td_srtp_engine_name(td_engine_srtp(dataplane->engine)), dataplane->door.path);
}

static int run(const struct td_config *config)
{
	static struct td_dataplane dataplane;
	char reason[TD_DATAPLANE_REASON_MAX];
	int error;

	td_role_enter_main();
	block_signals();
	if (td_dataplane_start(&dataplane, config, reason) != 0) {
		td_error(NULL, "%s", reason);
		return TD_EXIT_FAILED;
	}
	say_ready(&dataplane);
	error = td_loop_run(&dataplane);
	// A lost worker cannot be joined: leave as we are, the supervisor starts a new process.
	if (error)
		return TD_EXIT_FAILED;
	td_dataplane_stop(&dataplane);
	td_info(NULL, "tandem-dataplane has stopped");
	return 0;
}

int main(int argc, char **argv)
{
	static const struct td_program program = { "tandem-dataplane", usage };
	struct td_config *config;
	int status;

	if (!td_program_start(&program, argc, argv, &config, &status))
		return status;
	status = run(config);
	td_config_free(config);
	return status;
}
