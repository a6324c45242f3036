// A session description, line by line.
#include "sdp/sdp.h"
#include "sdp/attribute.h"
#include "sdp/line.h"

struct parser {
	struct td_sdp *sdp;
	struct td_sdp_media *media; // the section we are in, NULL before the first m=
	uint32_t attributes;
	bool origin, name, time; // mandatory lines seen
	bool connection;         // this section has had its c= line
};

const char *td_sdp_direction_name(enum td_sdp_direction direction)
{
	switch (direction) {
	case TD_SDP_INACTIVE: return "inactive";
	case TD_SDP_SENDONLY: return "sendonly";
	case TD_SDP_RECVONLY: return "recvonly";
	case TD_SDP_SENDRECV: break;
	}
	return "sendrecv";
}

const char *td_sdp_kind_name(enum td_sdp_kind kind)
{
	switch (kind) {
	case TD_SDP_VIDEO: return "video";
	case TD_SDP_TEXT: return "text";
	case TD_SDP_IMAGE: return "image";
	case TD_SDP_APPLICATION: return "application";
	case TD_SDP_MESSAGE: return "message";
	case TD_SDP_AUDIO:
	case TD_SDP_OTHER:
	case TD_SDP_KIND_COUNT: break;
	}
	return "audio";
}

static enum td_sdp_kind kind_of(struct td_str text)
{
	for (int kind = TD_SDP_AUDIO; kind < TD_SDP_OTHER; kind++)
		if (td_str_equal_nocase(text, td_str_from(td_sdp_kind_name(kind))))
			return (enum td_sdp_kind)kind;
	return TD_SDP_OTHER;
}

// RFC 8866 section 5.2: user, id, version, nettype, addrtype, address; all there, two are numbers.
static int parse_origin(struct parser *p, struct td_str value)
{
	struct td_str words[6];

	for (int i = 0; i < 6; i++)
		words[i] = td_sdp_word_next(&value);
	if (p->origin || p->media || td_str_empty(words[5]) || !td_str_empty(value) ||
	    !td_sdp_is_digits(words[1]) || !td_sdp_is_digits(words[2]))
		return -TD_EMALFORMED;
	p->origin = true;
	p->sdp->origin_user = words[0];
	p->sdp->session_id = words[1];
	p->sdp->session_version = words[2];
	return 0;
}

// Section 5.7. Further c= lines of one section describe multicast layers: the first one counts. A
// media section starts with the session's connection, which its own replaces.
static int parse_connection(struct parser *p, struct td_str value)
{
	struct td_sdp_connection connection;
	int error = td_sdp_connection_parse(value, &connection);

	if (error || p->connection)
		return error;
	p->connection = true;
	if (p->media)
		p->media->connection = connection;
	else
		p->sdp->connection = connection;
	return 0;
}

// The formats of a line over RTP: payload types, each once.
static int parse_formats(struct parser *p, struct td_str list)
{
	struct td_sdp_media *media = p->media;
	struct td_sdp *sdp = p->sdp;

	while (!td_str_empty(list)) {
		uint32_t type, i;

		if (td_str_to_u32(td_sdp_word_next(&list), &type) || type > 127)
			return -TD_EMALFORMED;
		for (i = 0; i < media->format_count; i++)
			if (sdp->formats[media->format_first + i].payload_type == type)
				break;
		if (i < media->format_count)
			continue;
		if (sdp->format_count == TD_SDP_FORMAT_MAX)
			return -TD_EFULL;
		sdp->formats[sdp->format_count++] =
			(struct td_sdp_format){ .payload_type = (uint8_t)type, .channels = 1 };
		media->format_count++;
	}
	return 0;
}

static void take_profile(struct td_sdp_media *media)
{
	static const struct {
		const char *name;
		bool avp, savp, feedback;
	} profiles[] = {
		{ "RTP/AVP", .avp = true },
		{ "RTP/AVPF", .avp = true, .feedback = true },
		{ "RTP/SAVP", .savp = true },
		{ "RTP/SAVPF", .savp = true, .feedback = true },
	};

	for (unsigned i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
		if (!td_str_equal_nocase(media->protocol_text, td_str_from(profiles[i].name)))
			continue;
		media->rtp_avp = profiles[i].avp;
		media->rtp_savp = profiles[i].savp;
		media->feedback = profiles[i].feedback;
	}
}

// Section 5.14: "<media> <port>[/<number of ports>] <proto> <fmt> ...".
static int parse_media(struct parser *p, struct td_str value)
{
	struct td_str kind = td_sdp_word_next(&value), port = td_sdp_word_next(&value);
	struct td_str protocol = td_sdp_word_next(&value), count;
	struct td_sdp *sdp = p->sdp;
	struct td_sdp_media *media;
	uint32_t number;

	count = td_str_after(port, td_str_find(port, '/') + 1);
	port = td_str_before(port, td_str_find(port, '/'));
	if (!td_sdp_is_token(kind) || !td_sdp_is_token(protocol) || td_str_empty(value))
		return -TD_EMALFORMED;
	if (td_str_to_u32(port, &number) || number > 65535 ||
	    (!td_str_empty(count) && !td_sdp_is_digits(count)))
		return -TD_EMALFORMED;
	if (sdp->media_count == TD_SDP_MEDIA_MAX)
		return -TD_EFULL;
	media = p->media = &sdp->media[sdp->media_count++];
	p->connection = false;
	*media = (struct td_sdp_media){
		.kind = kind_of(kind),
		.kind_text = kind,
		.protocol_text = protocol,
		.formats_text = value,
		.port = number,
		.connection = sdp->connection,
		.direction = sdp->direction,
		.format_first = sdp->format_count,
	};
	take_profile(media);
	return media->rtp_avp || media->rtp_savp ? parse_formats(p, value) : 0;
}

static int parse_attribute(struct parser *p, struct td_str value)
{
	if (++p->attributes > TD_SDP_ATTRIBUTE_MAX)
		return -TD_EFULL;
	return td_sdp_attribute_parse(p->sdp, p->media, value);
}

// The letters of section 5; any other makes the whole description one to reject.
static int parse_line(struct parser *p, char letter, struct td_str value)
{
	switch (letter) {
	case 'o': return parse_origin(p, value);
	case 's': p->name = true; return 0;
	case 't': p->time = true; return 0;
	case 'c': return parse_connection(p, value);
	case 'm': return parse_media(p, value);
	case 'a': return parse_attribute(p, value);
	case 'i':
	case 'u':
	case 'e':
	case 'p':
	case 'b':
	case 'r':
	case 'z':
	case 'k': return 0;
	default: return -TD_EMALFORMED;
	}
}

// No control characters inside a line: a NUL or a lone CR is somebody hiding something.
static bool is_clean(struct td_str line)
{
	for (size_t i = 0; i < line.len; i++)
		if (line.at[i] == '\0' || line.at[i] == '\r')
			return false;
	return true;
}

// Section 5.1: v=0 comes before everything else.
static int parse_version(struct td_str *rest)
{
	struct td_str line;

	if (!td_sdp_line_next(rest, &line))
		return -TD_ETRUNCATED;
	if (line.len < 3 || line.at[0] != 'v' || line.at[1] != '=')
		return -TD_EMALFORMED;
	if (!td_sdp_is_digits(td_str_after(line, 2)))
		return -TD_EMALFORMED;
	return td_str_equal(line, TD_STR("v=0")) ? 0 : -TD_EVERSION;
}

static int parse_lines(struct parser *p, struct td_str rest)
{
	struct td_str line;
	int error;

	for (uint32_t lines = 1; td_sdp_line_next(&rest, &line); lines++) {
		if (lines == TD_SDP_LINE_MAX)
			return -TD_EFULL;
		// Empty lines are tolerated where they can only be a careless ending.
		if (td_str_empty(line) && td_str_empty(td_str_trim(rest)))
			break;
		if (line.len < 2 || line.at[1] != '=' || !is_clean(line))
			return -TD_EMALFORMED;
		error = parse_line(p, line.at[0], td_str_after(line, 2));
		if (error)
			return error;
	}
	return p->origin && p->name && p->time && p->sdp->media_count ? 0 : -TD_ETRUNCATED;
}

int td_sdp_parse(const char *text, size_t len, struct td_sdp *out)
{
	struct td_str rest = td_str_make(text, len);
	struct parser p = { .sdp = out };
	int error;

	if (len > TD_SDP_BYTES_MAX)
		return -TD_EFULL;
	out->origin_user = out->session_id = out->session_version = TD_STR_NONE;
	out->connection = (struct td_sdp_connection){ 0 };
	out->direction = TD_SDP_SENDRECV;
	out->media_count = out->format_count = 0;
	error = parse_version(&rest);
	return error ? error : parse_lines(&p, rest);
}
