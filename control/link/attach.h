// One attachment to one dataplane process: its socket, its three descriptors, its mapping.
//
//   connect(dataplane.sock) -> hello + {memfd, command bell, event bell} in one message
//     -> map read-write -> td_region_check -> ring views
//
// Nothing that arrives is believed before it was checked: the message's length, cookie, version and
// descriptor count, the memfd's size and its seal against shrinking (a region that shrank under us
// would be a SIGBUS), then the region itself. A refusal is a sentence.
// Memory: the caller's; td_attachment_close releases what is open, in any state. Thread: control.
#pragma once

#include <stddef.h>

#include "link/events.h"
#include "td_region.h"
#include "td_ring.h"

#define TD_ATTACH_REASON_MAX 256

struct td_attachment {
	int socket;
	int descriptors[TD_REGION_FD_COUNT]; // memfd, command bell, event bell; -1 when not there
	void *memory;
	size_t memory_bytes;
	struct td_region region;
	struct td_ring_view commands;
	struct td_events events;
};

#define TD_ATTACH_COMMAND_BELL 1
#define TD_ATTACH_EVENT_BELL   2

// Opens the socket to `path`, non-blocking. -TD_ENOT_FOUND (nobody listens there), -TD_EBUSY (the
// backlog is full), -TD_EDENIED, -TD_EIO, -TD_EINVALID (path too long), each with a sentence.
TD_MUST_CHECK int td_attachment_connect(struct td_attachment *attachment, const char *path,
					char reason[TD_ATTACH_REASON_MAX]);

// Takes the hello from the open socket, maps and checks. -TD_EEMPTY: nothing has come yet. Any other
// error is a refusal with a sentence: -TD_ELINK_DOWN, -TD_EBUSY, -TD_ETRUNCATED, -TD_EMALFORMED,
// -TD_EVERSION, -TD_ECORRUPT, -TD_EIO. The caller closes, after it has stopped polling the socket.
TD_MUST_CHECK int td_attachment_receive(struct td_attachment *attachment,
					char reason[TD_ATTACH_REASON_MAX]);

void td_attachment_close(struct td_attachment *attachment);
