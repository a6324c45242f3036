#include "session.h"

#include <check.h>

struct live live;
struct live_client client;
char session_out[1 << 20];

void session_open(void)
{
	live_start(&live);
	client = live_login(&live);
}

void session_close(void)
{
	live_hang_up(&client);
	live_stop(&live);
}

json_t *session_ask(const char *method, const char *params)
{
	json_t *reply = live_ask(&live, &client, method, params);

	ck_assert_ptr_nonnull(reply);
	return reply;
}
