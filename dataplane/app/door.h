// The Unix socket through which a control process gets the region: <run_dir>/dataplane.sock.
//
//   control connects --> hello {result 0} + memfd, command bell, event bell --> stays connected
//   a second one     --> hello {-TD_EBUSY}, no descriptors, closed
//   the connection ends --> detached; media goes on; the next one may attach
//
// SOCK_SEQPACKET, mode 0600, never blocks. Nothing is ever read but the end of the connection, so
// there is nothing to parse. Main thread.
#pragma once

#include <stdbool.h>

#include "app/share.h"
#include "td_error.h"
#include "td_role.h"

#define TD_DOOR_PATH_MAX   108 // a Unix socket's address
#define TD_DOOR_REASON_MAX 256

struct td_door {
	int listener, client; // -1: none
	char path[TD_DOOR_PATH_MAX];
};

enum td_door_news { TD_DOOR_NOTHING, TD_DOOR_ATTACHED, TD_DOOR_REFUSED };

// Makes run_dir if need be; a socket nobody serves any more is replaced, one that answers is a
// refusal. -TD_EBUSY, -TD_EINVALID, -TD_EIO with a sentence.
TD_MUST_CHECK int td_door_open(struct td_door *door, const char *run_dir,
			       char reason[TD_DOOR_REASON_MAX]) TD_MAIN;
void td_door_close(struct td_door *door) TD_MAIN;

// The listener is readable: takes one connection. What an earlier client left in the command ring
// is forgotten before the new one gets its hello.
enum td_door_news td_door_accept(struct td_door *door, struct td_share *share) TD_MAIN;

// The client is readable or gone: true when it has gone and is detached now.
bool td_door_client_gone(struct td_door *door) TD_MAIN;

// Ends the connection from our side.
void td_door_detach(struct td_door *door) TD_MAIN;
