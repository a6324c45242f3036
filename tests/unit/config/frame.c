#include "frame.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char frame[] =
	"dataplane:\n"
	"  ports: [{name: a, driver: net_ring, device: r, addresses: [10.0.0.2/24]}]\n"
	"  prompts: [{name: music, file: m.wav}]\n"
	"sip: {listen: '10.0.0.1:5060'}\n"
	"queues: [{name: support}]\n"
	"agents: [{id: 1001, secret: abcdefgh, queues: [support]}]\n"
	"api: {token: 0123456789abcdef}\n";

struct td_config *frame_load(char error[TD_CONFIG_ERROR_MAX], const char *rest, ...)
{
	char path[] = "/tmp/td-config-XXXXXX", text[2048], sentence[TD_CONFIG_ERROR_MAX];
	struct td_config *config = NULL;
	int fd = mkstemp(path), length;
	va_list values;

	va_start(values, rest);
	length = vsnprintf(text, sizeof text, rest, values);
	va_end(values);
	ck_assert_int_lt(length, (int)sizeof text);
	ck_assert_int_eq(write(fd, frame, sizeof frame - 1), sizeof frame - 1);
	ck_assert_int_eq(write(fd, text, (size_t)length), length);
	close(fd);
	error[0] = '\0';
	if (td_config_load(path, &config, sentence) != 0)
		snprintf(error, TD_CONFIG_ERROR_MAX, "%s", sentence + strlen(path));
	unlink(path);
	return config;
}
