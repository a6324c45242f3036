// Verbs about live forks and captures.
//
// A fork is named as the configuration names it, a capture by the name that the dataplane gave it:
// neither takes an address or a path.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/core.h"
#include "api/describe.h"
#include "api/later.h"
#include "api/verbs.h"
#include "call/forks.h"
#include "td_error.h"

#define CHUNK_BYTES (24u << 10) // of a capture in one answer; a third more as base64
#define LISTED_MAX  4096u

static json_t *describe_tracks(const struct td_fork_info *info)
{
	json_t *tracks = json_array();

	for (uint32_t i = 0; i < info->seen.tracks && i < TD_FORK_STREAM_MAX; i++)
		json_array_append_new(tracks, json_string(info->tracks[i]));
	return tracks;
}

json_t *td_describe_fork(const struct td_fork_info *info)
{
	const struct td_event_fork *seen = &info->seen;

	return json_pack(
		"{s:I, s:s, s:o, s:o, s:b, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"fork", (json_int_t)info->id, "name", info->name, "call",
		td_describe_text(info->call), "conference", td_describe_text(info->conference),
		"capture", info->capture, "state", td_fork_state_name(info->state), "tracks",
		describe_tracks(info), "player",
		info->player.v ? json_integer(info->player.v) : json_null(), "started",
		td_describe_utc(info->started_utc_ms), "file", td_describe_text(seen->file),
		"packets", td_describe_count(seen->packets), "sent", td_describe_count(seen->sent),
		"lost", td_describe_count(seen->lost), "late", td_describe_count(seen->late),
		"bytes", td_describe_count(seen->bytes), "said_ms",
		td_describe_count(seen->said_ms), "flushed_ms", td_describe_count(seen->flushed_ms),
		"overrun_ms", td_describe_count(seen->overrun_ms), "underruns",
		td_describe_count(seen->underruns), "marks", td_describe_count(seen->marks),
		"ended", info->result ? json_string(td_error_text(info->result)) : json_null());
}

static TD_CONTROL void on_started(void *user, int error, const struct td_fork_info *info)
{
	td_later_answer(user, error, error == 0 ? td_describe_fork(info) : NULL);
}

static TD_CONTROL json_t *start(struct td_rpc_call *call, const struct td_fork_wish *wish)
{
	struct td_api *api = call->context;
	struct td_later *later;
	int error;

	if ((wish->call == NULL) == (wish->conference == NULL))
		return td_rpc_fail(call, TD_RPC_PARAMS,
				   "either call or conference has to be given");
	later = td_later_keep(call);
	if (!later)
		return NULL;
	error = td_calls_fork_start(api->deps.calls, wish, on_started, later);
	if (error == 0)
		return NULL;
	td_later_drop(later, call);
	if (error == -TD_ENOT_FOUND)
		return td_rpc_fail_error(
			call, error,
			"there is no such call or conference, or no such fork in the configuration");
	if (error == -TD_ESTATE)
		return td_rpc_fail_error(call, error, "nobody's media is there yet");
	if (error == -TD_EINVALID)
		return td_rpc_fail_error(call, error,
					 "a conference is heard as a whole, by all or none");
	if (error == -TD_EFULL)
		return td_rpc_fail_error(call, error, "dataplane.forks are under way already");
	return td_rpc_fail_error(call, error, NULL);
}

json_t *td_verb_fork_start(struct td_rpc_call *call)
{
	const struct td_fork_wish wish = {
		.call = td_rpc_string(call, "call", NULL),
		.conference = td_rpc_string(call, "conference", NULL),
		.name = td_rpc_string(call, "name", ""),
		.party = td_rpc_string(call, "party", NULL),
		.heard_by = td_rpc_string(call, "heard_by", NULL),
	};

	return start(call, &wish);
}

json_t *td_verb_capture_start(struct td_rpc_call *call)
{
	const struct td_fork_wish wish = {
		.call = td_rpc_string(call, "call", NULL),
		.conference = td_rpc_string(call, "conference", NULL),
		.seconds = (uint32_t)td_rpc_integer(call, "seconds", 0),
	};

	return start(call, &wish);
}

json_t *td_verb_fork_stop(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	uint32_t id = (uint32_t)td_rpc_integer(call, "fork", 0);

	if (td_calls_fork_stop(api->deps.calls, id) != 0)
		return td_rpc_fail_error(call, -TD_ENOT_FOUND, "there is no such fork");
	return json_pack("{s:I, s:b}", "fork", (json_int_t)id, "stopping", 1);
}

json_t *td_verb_fork_get(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	struct td_fork_info info;

	if (td_calls_fork_get(api->deps.calls, (uint32_t)td_rpc_integer(call, "fork", 0), &info) !=
	    0)
		return td_rpc_fail_error(call, -TD_ENOT_FOUND, "there is no such fork");
	return td_describe_fork(&info);
}

json_t *td_verb_fork_list(struct td_rpc_call *call)
{
	const struct td_api *api = call->context;
	json_t *items = json_array();
	struct td_fork_info info;

	for (uint32_t i = 0; i < LISTED_MAX && td_calls_fork_at(api->deps.calls, i, &info); i++)
		json_array_append_new(items, td_describe_fork(&info));
	return json_pack("{s:o}", "forks", items);
}

// A name that the dataplane gives: no way out of the folder.
static bool is_capture(const char *name)
{
	size_t len = strlen(name);

	return len > 5 && name[0] != '.' && strcmp(name + len - 5, ".pcap") == 0 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
		       len;
}

static char *to_base64(const uint8_t *bytes, size_t len)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text = malloc(4 * (len / 3 + 1) + 1), *at = text;

	if (!text)
		return NULL;
	for (size_t i = 0; i < len; i += 3) {
		uint32_t word = (uint32_t)bytes[i] << 16;

		word |= i + 1 < len ? (uint32_t)bytes[i + 1] << 8 : 0;
		word |= i + 2 < len ? bytes[i + 2] : 0;
		*at++ = letters[word >> 18];
		*at++ = letters[word >> 12 & 63];
		*at++ = i + 1 < len ? letters[word >> 6 & 63] : '=';
		*at++ = i + 2 < len ? letters[word & 63] : '=';
	}
	*at = '\0';
	return text;
}

// The next piece of a file that may still grow. -1: there is none.
static ssize_t read_piece(const struct td_api *api, const char *name, int64_t offset,
			  uint8_t bytes[CHUNK_BYTES])
{
	char path[512];
	ssize_t got;
	int fd;

	snprintf(path, sizeof path, "%s/captures/%s", api->deps.config->system.data_dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -1;
	got = pread(fd, bytes, CHUNK_BYTES, offset);
	close(fd);
	return got;
}

json_t *td_verb_capture_read(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	const char *name = td_rpc_string(call, "file", "");
	int64_t offset = td_rpc_integer(call, "offset", 0);
	bool grows = td_calls_fork_writes(api->deps.calls, name); // before it is read
	uint8_t bytes[CHUNK_BYTES];
	json_t *result;
	ssize_t got;
	char *text;

	got = is_capture(name) ? read_piece(api, name, offset, bytes) : -1;
	if (got < 0)
		return td_rpc_fail_error(call, -TD_ENOT_FOUND, "there is no such capture");
	text = to_base64(bytes, (size_t)got);
	result = json_pack("{s:s, s:I, s:s?, s:b}", "file", name, "next",
			   (json_int_t)offset + (json_int_t)got, "data", text, "done",
			   !grows && got == 0);
	free(text);
	return result;
}
