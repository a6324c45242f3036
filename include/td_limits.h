// Hard bounds of the design. What an operator may size (streams, workers, ports) is in the config
// file and must stay below these; what is sized by them alone is said here once, with the reason.
#pragma once

#define TD_CACHE_LINE        64

#define TD_WORKER_MAX        16         // polling lcores
#define TD_PORT_MAX          8          // network ports of the dataplane
#define TD_PORT_NAME_MAX     32         // bytes of a port's name, its end included
#define TD_LOCAL_ADDR_MAX    32         // addresses the dataplane owns, over all ports
#define TD_STREAM_MAX        (1u << 20) // 20 bits of a handle's index
#define TD_CONTEXT_MAX       (1u << 19)
#define TD_PLAYER_MAX        (1u << 18)
#define TD_TAP_MAX           (1u << 18)
#define TD_PROMPT_FILE_MAX   256   // prompts of the configuration
#define TD_PROMPT_MAX        320   // those, and the tones
#define TD_MEMBER_MAX        16384 // members of one context
#define TD_EDIT_CELL_MAX     12    // matrix cells set by one command
#define TD_PLAY_ITEM_MAX     16    // prompts of one player's sequence, and of one splice
#define TD_DIGITS_MAX        64    // digits sent by one command, with the terminating NUL
#define TD_PROMPT_NAME_MAX   32    // with the terminating NUL
#define TD_TRACK_MAX         8     // streams of one recording, each with a track of its own
#define TD_MARK_MAX          64    // the name of a moment in a recording, with the NUL
#define TD_NOTE_KEY_MAX      32    // a note in a recording's sidecar: its key, with the NUL
#define TD_NOTE_TEXT_MAX     224   // and its text
#define TD_PRIVACY_PARTY_MAX 8     // who goes on hearing each other in a context that is private
#define TD_FILE_NAME_MAX     96    // a recording's name below the recordings folder, with the NUL

#define TD_FORK_MAX          4096 // live forks and captures at once, at the very most
#define TD_FORK_STREAM_MAX   8    // streams that one of them takes
#define TD_FORK_NAME_MAX     32   // a destination's name in the configuration, with the NUL
#define TD_FORK_LABEL_MAX    32   // what a call is called at the far end, with the NUL
#define TD_FORK_TRACK_MAX    16   // and a party
#define TD_FORK_FILE_MAX     64   // a capture's name below the captures folder, with the NUL

#define TD_COMMAND_SLOTS     4096 // commands under way from control to dataplane
#define TD_EVENT_SLOTS       8192 // events under way from one thread of the dataplane to control

// The longest payload: 60 ms of Opus at its most, 20 ms of L16 at 32 kHz; a UDP datagram with it
// and IPv6 stays below 1,500 bytes.
#define TD_RTP_PAYLOAD_MAX 1440
