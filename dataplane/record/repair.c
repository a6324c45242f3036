#include "record/repair.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codecs/wav.h"
#include "record/opus_track.h"
#include "record/reader.h"
#include "record/sidecar.h"
#include "td_log.h"

#define DEPTH_MAX  8 // folders below the recordings folder
#define NAME_BYTES 512
#define PIECE      (256u << 10) // more than a page or a chunk can be

struct td_repair {
	char **names; // of files that end in .part; sidecars behind all others
	uint32_t count, room, at, repaired;
};

static bool ends_in(const char *name, const char *suffix)
{
	size_t length = strlen(name), tail = strlen(suffix);

	return length > tail && strcmp(name + length - tail, suffix) == 0;
}

static int keep(struct td_repair *repair, const char *name)
{
	if (repair->count == repair->room) {
		uint32_t room = repair->room ? 2 * repair->room : 64;
		char **names = realloc(repair->names, room * sizeof(char *));

		if (!names)
			return -TD_EMEMORY;
		repair->names = names;
		repair->room = room;
	}
	repair->names[repair->count] = strdup(name);
	if (!repair->names[repair->count])
		return -TD_EMEMORY;
	repair->count++;
	return 0;
}

static int list(struct td_repair *repair, int folder_fd, const char *path, unsigned depth);

static int list_entry(struct td_repair *repair, int folder_fd, const char *path,
		      const struct dirent *entry, unsigned depth)
{
	char name[NAME_BYTES];

	if (entry->d_name[0] == '.' ||
	    (size_t)snprintf(name, sizeof name, "%s%s%s", path, path[0] ? "/" : "",
			     entry->d_name) >= sizeof name)
		return 0;
	if (entry->d_type == DT_DIR && depth < DEPTH_MAX)
		return list(repair, folder_fd, name, depth + 1);
	return ends_in(name, TD_RECORD_PART) ? keep(repair, name) : 0;
}

static int list(struct td_repair *repair, int folder_fd, const char *path, unsigned depth)
{
	int fd = openat(folder_fd, path[0] ? path : ".",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW),
	    error = 0;
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (!folder) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (!error && (entry = readdir(folder)) != NULL)
		error = list_entry(repair, folder_fd, path, entry, depth);
	closedir(folder);
	return error;
}

static int sidecars_last(const void *a, const void *b)
{
	const char *one = *(char *const *)a, *two = *(char *const *)b;
	bool side = ends_in(one, TD_RECORD_SIDECAR TD_RECORD_PART),
	     other = ends_in(two, TD_RECORD_SIDECAR TD_RECORD_PART);

	return side != other ? (int)side - (int)other : strcmp(one, two);
}

int td_repair_create(int folder_fd, struct td_repair **out)
{
	struct td_repair *repair = calloc(1, sizeof *repair);
	int error;

	*out = repair;
	if (!repair)
		return -TD_EMEMORY;
	error = list(repair, folder_fd, "", 0);
	if (repair->count > 0)
		qsort(repair->names, repair->count, sizeof(char *), sidecars_last);
	return error;
}

void td_repair_destroy(struct td_repair *repair)
{
	for (uint32_t i = 0; repair && i < repair->count; i++)
		free(repair->names[i]);
	if (repair)
		free(repair->names);
	free(repair);
}

uint32_t td_repair_count(const struct td_repair *repair)
{
	return repair->repaired;
}

static bool end_wav(const struct td_desk *desk, int fd, const struct td_repair_found *found)
{
	uint8_t header[TD_WAV_HEADER_BYTES];

	td_wav_write_header(header, found->rate_hz, found->channels,
			    (found->good - sizeof header) / (2u * found->channels));
	return td_disk_write_all(desk->disk, fd, header, sizeof header, 0);
}

static bool end_ogg(const struct td_desk *desk, int fd, const struct td_repair_found *found)
{
	uint8_t page[TD_OGG_PAGE_MAX];
	size_t size = (size_t)(found->good - found->last_page);

	if (found->last || size > sizeof page ||
	    pread(fd, page, size, (off_t)found->last_page) != (ssize_t)size)
		return true;
	td_ogg_set_flags(page, size, page[5] | TD_OGG_LAST);
	return td_disk_write_all(desk->disk, fd, page, size, (off_t)found->last_page);
}

// The last chunk, where the key is at hand and fits.
static bool end_vault(const struct td_desk *desk, int fd, const struct td_repair_found *found)
{
	uint8_t header[TD_VAULT_HEADER_BYTES], chunk[TD_VAULT_EXTRA_BYTES];
	struct td_vault vault;
	bool done = true;

	if (found->last || !desk->key ||
	    pread(fd, header, sizeof header, 0) != (ssize_t)sizeof header ||
	    td_vault_unlock(&vault, desk->key, header) != 0)
		return true;
	vault.number = found->count;
	if (td_vault_seal(&vault, "", 0, true, chunk) > 0)
		done = td_disk_write_all(desk->disk, fd, chunk, sizeof chunk, (off_t)found->good);
	td_vault_fini(&vault);
	return done;
}

typedef bool end_fn(const struct td_desk *desk, int fd, const struct td_repair_found *found);

struct kind {
	const char *suffix;
	void (*scan)(const uint8_t *bytes, size_t size, struct td_repair_found *found);
	end_fn *end;
	uint32_t least; // things without which it is none
};

static const struct kind *kind_of(const char *name)
{
	static const struct kind kinds[] = {
		{ ".wav", NULL, end_wav, 0 },
		{ ".opus", td_repair_scan_ogg, end_ogg, 2 }, // its two headers
		{ TD_RECORD_ENCRYPTED, td_repair_scan_vault, end_vault, 0 },
	};

	for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (ends_in(name, kinds[i].suffix))
			return &kinds[i];
	return NULL;
}

static int scan_pieces(int fd, const struct kind *kind, struct td_repair_found *found)
{
	uint8_t *piece = malloc(PIECE);
	int error = piece ? 0 : -TD_EMEMORY;

	while (!error && !found->over) {
		uint64_t before = found->good;
		ssize_t size = td_reader_at(fd, piece, PIECE, found->good);

		if (size < 0)
			error = -TD_EIO;
		else
			kind->scan(piece, (size_t)size, found);
		if (found->good == before)
			break; // what is there is not whole
	}
	free(piece);
	return error;
}

static int scan_wav(int fd, struct td_repair_found *found)
{
	uint8_t header[TD_WAV_HEADER_BYTES];
	ssize_t size = td_reader_at(fd, header, sizeof header, 0);
	struct stat st;

	if (size < 0 || fstat(fd, &st) != 0)
		return -TD_EIO;
	if (size == (ssize_t)sizeof header)
		td_repair_scan_wav(header, (uint64_t)st.st_size, found);
	return 0;
}

static int mend(const struct td_desk *desk, int fd, const struct kind *kind)
{
	struct td_repair_found found = { .good = 0 };
	int error = kind->scan ? scan_pieces(fd, kind, &found) : scan_wav(fd, &found);

	if (error)
		return error;
	if (found.good == 0 || found.count < kind->least)
		return -TD_EMALFORMED;
	if (desk->disk->cut(fd, (off_t)found.good) != 0 || !kind->end(desk, fd, &found) ||
	    desk->disk->sync(fd) != 0)
		return -TD_EIO;
	return 0;
}

static bool rename_to(const struct td_desk *desk, const char *part, const char *name)
{
	if (faccessat(desk->folder_fd, name, F_OK, 0) == 0) {
		td_warn("recorder", "%s is left as it is: %s is there already", part, name);
		return false;
	}
	if (desk->disk->rename(desk->folder_fd, part, desk->folder_fd, name) == 0)
		return true;
	td_warn("recorder", "%s: %s", part, strerror(errno));
	return false;
}

// NAME.part; `name` is without ".part".
static bool repair_sound(const struct td_desk *desk, const char *part, const char *name)
{
	const struct kind *kind = kind_of(name);
	char broken[NAME_BYTES + sizeof TD_RECORD_BROKEN];
	int fd, error;

	if (!kind)
		return false;
	fd = openat(desk->folder_fd, part, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		td_warn("recorder", "%s cannot be repaired: %s", part, strerror(errno));
		return false;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd); // somebody is still writing it
		return false;
	}
	error = mend(desk, fd, kind);
	close(fd);
	if (error && error != -TD_EMALFORMED) {
		td_warn("recorder", "%s cannot be repaired: %s", part, td_error_text(error));
		return false;
	}
	snprintf(broken, sizeof broken, "%s" TD_RECORD_BROKEN, name);
	if (!rename_to(desk, part, error ? broken : name))
		return false;
	if (error)
		td_warn("recorder", "%s: nothing can be made of it; it is %s now", part, broken);
	else
		td_info("recorder", "%s was cut short; it is whole again", name);
	return !error;
}

// The chain of a file's sound, in the clear.
static bool chain_file(const struct td_desk *desk, const char *name, uint64_t from,
		       struct td_chain *chain, uint64_t *size)
{
	int fd = openat(desk->folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	bool known;

	if (fd < 0)
		return false;
	known = fstat(fd, &st) == 0 && td_reader_chain(fd, desk->key, from, chain) == 0;
	*size = known ? (uint64_t)st.st_size : 0;
	close(fd);
	return known;
}

// Files of Opus that had begun since the sidecar was written.
static void list_begun(const struct td_desk *desk, const char *recording, json_t *files)
{
	for (unsigned i = 0; ends_in(recording, ".opus") && i < 2 * TD_TRACK_MAX; i++) {
		char track[TD_PART_NAME_MAX], name[TD_PART_NAME_MAX + sizeof TD_RECORD_ENCRYPTED];

		if (td_paper_track_name(recording, i / 2, track) != 0)
			return;
		snprintf(name, sizeof name, "%s%s", track, i % 2 ? TD_RECORD_ENCRYPTED : "");
		if (!td_sidecar_lists(files, name) &&
		    faccessat(desk->folder_fd, name, F_OK, 0) == 0)
			json_array_append_new(files, json_pack("{s:s}", "name", name));
	}
}

static void renew_files(const struct td_desk *desk, const char *recording, json_t *sidecar)
{
	json_t *files = json_deep_copy(json_object_get(sidecar, "files")), *file;
	bool wav = strcmp(json_string_value(json_object_get(sidecar, "format")) ?: "", "wav") == 0;
	json_int_t rate = json_integer_value(json_object_get(sidecar, "sample_hz"));
	json_int_t channels = json_integer_value(json_object_get(sidecar, "channels"));
	uint64_t from = wav ? TD_WAV_HEADER_BYTES : 0, size;
	size_t index;

	list_begun(desk, recording, files);
	json_object_set_new(sidecar, "files", json_array());
	json_array_foreach(files, index, file)
	{
		const char *name = json_string_value(json_object_get(file, "name"));
		struct td_chain chain;

		if (!name || !td_part_file_name_ok(name) || td_chain_init(&chain) != 0)
			continue;
		if (chain_file(desk, name, from, &chain, &size)) {
			td_sidecar_add_file(sidecar, name, size, from, &chain, true);
			if (wav && rate > 0 && channels > 0)
				json_object_set_new(sidecar, "duration_ms",
						    json_integer((json_int_t)chain.bytes * 1000 /
								 (2 * channels * rate)));
		}
		td_chain_fini(&chain);
	}
	json_decref(files);
}

static bool repair_sidecar(const struct td_desk *desk, const char *part, const char *name)
{
	int fd = openat(desk->folder_fd, part, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char recording[NAME_BYTES], *text;
	json_t *sidecar = NULL;
	bool done;

	if (fd < 0) {
		td_warn("recorder", "%s cannot be repaired: %s", part, strerror(errno));
		return false;
	}
	sidecar = json_loadfd(fd, 0, NULL);
	close(fd);
	if (!json_is_object(sidecar)) {
		char broken[NAME_BYTES + sizeof TD_RECORD_BROKEN];

		json_decref(sidecar);
		snprintf(broken, sizeof broken, "%s" TD_RECORD_BROKEN, name);
		(void)!rename_to(desk, part, broken);
		return false;
	}
	json_object_set_new(sidecar, "state", json_string("repaired"));
	snprintf(recording, sizeof recording, "%.*s",
		 (int)(strlen(name) - strlen(TD_RECORD_SIDECAR)), name);
	renew_files(desk, recording, sidecar);
	text = td_sidecar_text(sidecar);
	json_decref(sidecar);
	done = text && td_paper_write_text(desk, part, text);
	if (!done)
		td_warn("recorder", "%s cannot be written: %s", part, strerror(errno));
	free(text);
	return done && rename_to(desk, part, name);
}

bool td_repair_next(struct td_repair *repair, const struct td_desk *desk)
{
	char name[NAME_BYTES];
	const char *part;

	if (repair->at == repair->count)
		return false;
	part = repair->names[repair->at++];
	snprintf(name, sizeof name, "%.*s", (int)(strlen(part) - strlen(TD_RECORD_PART)), part);
	if (ends_in(name, TD_RECORD_SIDECAR))
		(void)!repair_sidecar(desk, part, name);
	else
		repair->repaired += repair_sound(desk, part, name);
	return true;
}
