#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

#include "app/hush.h"
#include "td_log.h"

__attribute__((format(printf, 1, 0))) static int print(const char *format, va_list args)
{
	char line[256];

	vsnprintf(line, sizeof line, format, args);
	line[strcspn(line, "\n")] = '\0';
	td_debug("xdp", "%s", line);
	return 0;
}

__attribute__((format(printf, 2, 0))) static int print_bpf(enum libbpf_print_level level,
							   const char *format, va_list args)
{
	return level == LIBBPF_DEBUG ? 0 : print(format, args);
}

__attribute__((format(printf, 2, 0))) static int print_xdp(enum libxdp_print_level level,
							   const char *format, va_list args)
{
	return level == LIBXDP_DEBUG ? 0 : print(format, args);
}

void td_hush_libraries(void)
{
	libbpf_set_print(print_bpf);
	libxdp_set_print(print_xdp);
}
