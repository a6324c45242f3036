// Which thread is this, checked twice.
//
//   control process:   TD_CONTROL  (the libuv loop)
//   dataplane process: TD_MAIN     (commands, config, neighbours' housekeeping; may block, may log)
//                      TD_WORKER   (a polling lcore: no system calls, no allocation, no log)
//                      TD_RECORDER (files; may block on disk, never holds anything a worker needs)
//                      TD_FORKER   (live forks; likewise)
//
// A function's signature carries its role; clang's -Wthread-safety refuses a call from the wrong
// one at compile time, and an entry point asserts it at run time with td_role_assert().
#pragma once

#if defined(__clang__)
#define TD_CAPABILITY_ATTR(x) __attribute__((x))
#else
#define TD_CAPABILITY_ATTR(x)
#endif

enum td_role {
	TD_ROLE_NONE,
	TD_ROLE_CONTROL,
	TD_ROLE_MAIN,
	TD_ROLE_WORKER,
	TD_ROLE_RECORDER,
	TD_ROLE_FORKER
};

struct TD_CAPABILITY_ATTR(capability("role")) td_role_capability {
	char unused;
};
extern struct td_role_capability td_role_control, td_role_main, td_role_worker, td_role_recorder,
	td_role_forker;

#define TD_CONTROL  TD_CAPABILITY_ATTR(requires_capability(td_role_control))
#define TD_MAIN     TD_CAPABILITY_ATTR(requires_capability(td_role_main))
#define TD_WORKER   TD_CAPABILITY_ATTR(requires_capability(td_role_worker))
#define TD_RECORDER TD_CAPABILITY_ATTR(requires_capability(td_role_recorder))
#define TD_FORKER   TD_CAPABILITY_ATTR(requires_capability(td_role_forker))

// A thread calls one of these once, first thing; `index` tells workers apart in messages.
void td_role_enter_control(void) TD_CAPABILITY_ATTR(assert_capability(td_role_control));
void td_role_enter_main(void) TD_CAPABILITY_ATTR(assert_capability(td_role_main));
void td_role_enter_worker(unsigned index) TD_CAPABILITY_ATTR(assert_capability(td_role_worker));
void td_role_enter_recorder(void) TD_CAPABILITY_ATTR(assert_capability(td_role_recorder));
void td_role_enter_forker(void) TD_CAPABILITY_ATTR(assert_capability(td_role_forker));

// A thread of many hats (a unit test, a benchmark that is worker and main in one) says so here.
enum td_role td_role_get(void);
unsigned td_role_index(void);
const char *td_role_name(enum td_role role);
