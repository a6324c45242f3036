// Forks: names that a greeting can hold, one place each, rates that there are.
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "config/address.h"
#include "config/check.h"

#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
#define PORT_MAX     (65535 - 2 * TD_FORK_STREAM_MAX) // a port for each track, and one for its reports

static int check_name(struct td_config_check *check, unsigned index)
{
	const struct td_config_fork *fork = &check->config->forks[index];

	if (fork->name[strspn(fork->name, NAME_LETTERS)] != '\0')
		return td_config_wrong(check, TD_FOUND(fork->name),
				       "letters, digits, \"-\", \"_\" and \".\" alone",
				       "forks[%u].name", index);
	for (unsigned i = 0; i < index; i++)
		if (strcmp(check->config->forks[i].name, fork->name) == 0)
			return td_config_wrong(check, TD_FOUND(fork->name),
					       "a name that is not given twice", "forks[%u].name",
					       index);
	return 0;
}

static int check_rtp(struct td_config_check *check, unsigned index)
{
	struct td_config_fork *fork = &check->config->forks[index];

	if (td_address_parse_endpoint(fork->rtp, &fork->rtp_parsed) != 0 ||
	    !td_address_is_host(&fork->rtp_parsed) || ntohs(fork->rtp_parsed.port_be) > PORT_MAX ||
	    ntohs(fork->rtp_parsed.port_be) % 2 != 0)
		return td_config_wrong(check, TD_FOUND(fork->rtp),
				       "an address and an even port below 65519, such as "
				       "192.0.2.7:40000 (RTP even, RTCP odd)",
				       "forks[%u].rtp", index);
	if (fork->speak)
		return td_config_wrong(check, "true", "false: only a socket's far end can speak",
				       "forks[%u].speak", index);
	return 0;
}

static int check_socket(struct td_config_check *check, unsigned index)
{
	const struct td_config_fork *fork = &check->config->forks[index];

	if (fork->socket[0] != '/')
		return td_config_wrong(check, TD_FOUND(fork->socket),
				       "an absolute path, such as /run/bot/fork.sock",
				       "forks[%u].socket", index);
	return 0;
}

static int check_rate(struct td_config_check *check, unsigned index)
{
	const struct td_config_fork *fork = &check->config->forks[index];
	char found[16];

	snprintf(found, sizeof found, "%u", fork->rate_hz);
	if (fork->rate_hz != 8000 && fork->rate_hz != 16000)
		return td_config_wrong(check, found, "8000 or 16000", "forks[%u].rate_hz", index);
	return 0;
}

int td_config_check_forks(struct td_config_check *check)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < check->config->forks_count; i++) {
		const struct td_config_fork *fork = &check->config->forks[i];
		bool rtp = fork->rtp && *fork->rtp, sock = fork->socket && *fork->socket;

		rc = check_name(check, i);
		if (rc == 0 && rtp == sock)
			rc = td_config_wrong(check, rtp ? TD_FOUND(fork->socket) : "neither",
					     "exactly one of rtp and socket", "forks[%u].%s", i,
					     rtp ? "socket" : "rtp");
		if (rc == 0)
			rc = rtp ? check_rtp(check, i) : check_socket(check, i);
		if (rc == 0)
			rc = check_rate(check, i);
	}
	return rc;
}
