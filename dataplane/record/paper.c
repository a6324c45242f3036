#include "record/paper.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codecs/wav.h"
#include "record/sidecar.h"

#define SUFFIX_OPUS ".opus"
#define SIDE_MAX    (TD_PART_NAME_MAX + 16)

int td_paper_track_name(const char *name, unsigned track, char out[TD_PART_NAME_MAX])
{
	size_t stem = strlen(name) - strlen(SUFFIX_OPUS);
	int size =
		snprintf(out, TD_PART_NAME_MAX, "%.*s.%u" SUFFIX_OPUS, (int)stem, name, track + 1);

	return size > 0 && size < TD_PART_NAME_MAX ? 0 : -TD_EINVALID;
}

static void blame(struct td_paper *paper, int error, int error_number)
{
	if (paper->error)
		return;
	paper->error = error;
	paper->error_number = error_number;
}

static void begin_wav(struct td_paper *paper)
{
	uint8_t header[TD_WAV_HEADER_BYTES];

	td_wav_write_header(header, paper->rate_hz, paper->form.channels, 0);
	if (td_part_file_append(&paper->files[0], header, sizeof header) != 0)
		blame(paper, paper->files[0].error, paper->files[0].error_number);
}

static void open_one(const struct td_desk *desk, struct td_paper *paper, unsigned index)
{
	struct td_part_file *file = &paper->files[index];
	char name[TD_PART_NAME_MAX];
	int error = 0;

	if (paper->form.format == TD_RECORD_OPUS)
		error = td_paper_track_name(paper->form.name, index, name);
	else
		snprintf(name, sizeof name, "%s", paper->form.name);
	if (!error)
		error = td_chain_init(&paper->chains[index]);
	if (!error)
		error = td_part_file_open(file, desk->disk, desk->folder_fd, name, desk->key);
	if (error)
		blame(paper, error, file->error_number ? file->error_number : ENOMEM);
	if (paper->file_count <= index)
		paper->file_count = index + 1;
}

struct td_paper *td_paper_open(const struct td_desk *desk, const struct td_scribe_form *form)
{
	struct td_paper *paper = calloc(1, sizeof *paper);

	if (!paper)
		return NULL;
	paper->form = *form;
	paper->rate_hz = TD_WAV_RATE_HZ;
	paper->from = form->format == TD_RECORD_WAV ? TD_WAV_HEADER_BYTES : 0;
	for (unsigned i = 0; i < TD_TRACK_MAX; i++)
		paper->files[i].fd = -1;
	for (unsigned i = 0; i < form->files && !paper->error; i++)
		open_one(desk, paper, i);
	if (!paper->error && form->format == TD_RECORD_WAV && !desk->key)
		begin_wav(paper);
	return paper;
}

static int write_header(struct td_paper *paper, uint64_t frames)
{
	uint8_t header[TD_WAV_HEADER_BYTES];

	paper->headed = frames;
	td_wav_write_header(header, paper->rate_hz, paper->form.channels, frames);
	return td_part_file_refresh(&paper->files[0], header, sizeof header);
}

static int write_wav(struct td_paper *paper, const void *bytes, size_t size)
{
	struct td_part_file *file = &paper->files[0];
	uint64_t frames = (paper->chains[0].bytes + size) / (2u * paper->form.channels);
	int error;

	// An encrypted one gets its first header with its first sound: its rate is known then.
	if (file->chunk && paper->chains[0].bytes == 0)
		begin_wav(paper);
	error = td_part_file_append(file, bytes, size);
	if (error)
		return error;
	// A second at a time; of the rest the end tells, or the repair.
	return frames >= paper->headed + paper->rate_hz ? write_header(paper, frames) : 0;
}

void td_paper_write(const struct td_desk *desk, struct td_paper *paper, unsigned index,
		    uint32_t rate_hz, const void *bytes, size_t size)
{
	struct td_part_file *file = &paper->files[index];
	int error;

	if (paper->error || size == 0)
		return;
	if (file->fd < 0)
		open_one(desk, paper, index);
	if (paper->error)
		return;
	paper->rate_hz = rate_hz;
	error = paper->form.format == TD_RECORD_WAV ? write_wav(paper, bytes, size)
						    : td_part_file_append(file, bytes, size);
	if (error)
		blame(paper, error, file->error_number);
	else
		td_chain_add(&paper->chains[index], bytes, size);
}

static void end_files(struct td_paper *paper)
{
	for (unsigned i = 0; i < paper->file_count; i++) {
		struct td_part_file *file = &paper->files[i];

		if (paper->chains[i].digest)
			td_chain_end(&paper->chains[i]);
		if (file->fd >= 0 && paper->form.format == TD_RECORD_WAV &&
		    write_header(paper, paper->chains[i].bytes / (2u * paper->form.channels)) != 0)
			blame(paper, file->error, file->error_number);
		if (file->fd >= 0 && td_part_file_end(file) != 0)
			blame(paper, file->error, file->error_number);
	}
}

static bool is_open(const struct td_paper *paper)
{
	for (unsigned i = 0; i < paper->file_count; i++)
		if (paper->files[i].fd >= 0)
			return true;
	return false;
}

bool td_paper_dirty(const struct td_paper *paper)
{
	for (unsigned i = 0; i < paper->file_count; i++)
		if (paper->files[i].dirty)
			return true;
	return paper->sidecar_dirty;
}

void td_paper_is_clean(struct td_paper *paper)
{
	paper->sidecar_dirty = false;
	for (unsigned i = 0; i < paper->file_count; i++)
		paper->files[i].dirty = false;
}

static void sidecar_part(const struct td_paper *paper, char part[SIDE_MAX])
{
	snprintf(part, SIDE_MAX, "%s" TD_RECORD_SIDECAR TD_RECORD_PART, paper->form.name);
}

static bool sync_sidecar(const struct td_desk *desk, const struct td_paper *paper)
{
	char part[SIDE_MAX];
	bool synced;
	int fd;

	sidecar_part(paper, part);
	fd = openat(desk->folder_fd, part, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	synced = desk->disk->sync(fd) == 0;
	close(fd);
	return synced;
}

void td_paper_sync(const struct td_desk *desk, struct td_paper *paper)
{
	for (unsigned i = 0; i < paper->file_count; i++) {
		struct td_part_file *file = &paper->files[i];

		if (file->dirty && td_part_file_sync(file) != 0)
			blame(paper, file->error, file->error_number);
	}
	if (paper->sidecar_dirty && !sync_sidecar(desk, paper))
		blame(paper, -TD_EIO, errno);
	paper->sidecar_dirty = false;
}

static void add_error(const struct td_paper *paper, json_t *sidecar)
{
	json_object_set_new(sidecar, "state", json_string("failed"));
	json_object_set_new(sidecar, "error", json_string(strerror(paper->error_number)));
}

// What the file thread knows of its files, into the sidecar.
static void add_files(struct td_paper *paper, json_t *sidecar, bool done)
{
	for (unsigned i = 0; i < paper->file_count; i++) {
		const struct td_part_file *file = &paper->files[i];

		if (file->fd < 0)
			continue;
		td_sidecar_add_file(sidecar, file->name, file->size, paper->from, &paper->chains[i],
				    done);
	}
	if (paper->files[0].chunk)
		json_object_set_new(sidecar, "encrypted", json_true());
	if (paper->error)
		add_error(paper, sidecar);
}

bool td_paper_write_text(const struct td_desk *desk, const char *name, const char *text)
{
	size_t size = strlen(text);
	int fd = openat(desk->folder_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	struct stat now;
	bool written;

	if (fd < 0)
		return false;
	// Behind it nothing of a longer one may be left; a shorter one is torn for a moment only. To cut
	// a file where it ends already is not free.
	written = td_disk_write_all(desk->disk, fd, text, size, 0) && fstat(fd, &now) == 0 &&
		  (now.st_size <= (off_t)size || desk->disk->cut(fd, (off_t)size) == 0);
	close(fd);
	return written;
}

// Takes the sidecar.
static bool put_sidecar(const struct td_desk *desk, struct td_paper *paper, json_t *sidecar)
{
	char part[SIDE_MAX], *text = td_sidecar_text(sidecar);
	bool written;

	json_decref(sidecar);
	if (!text)
		return false;
	sidecar_part(paper, part);
	written = td_paper_write_text(desk, part, text);
	paper->sidecar_dirty |= written;
	free(text);
	return written;
}

void td_paper_note(const struct td_desk *desk, struct td_paper *paper, json_t *sidecar)
{
	if (!is_open(paper)) {
		json_decref(sidecar); // the name may be another's
		return;
	}
	add_files(paper, sidecar, false);
	(void)!put_sidecar(desk, paper, sidecar); // the last one counts
}

void td_paper_end(const struct td_desk *desk, struct td_paper *paper, json_t *sidecar)
{
	end_files(paper);
	if (!sidecar || !is_open(paper))
		return;
	add_files(paper, sidecar, true);
	paper->error_noted = paper->error != 0;
	if (!put_sidecar(desk, paper, json_incref(sidecar)))
		blame(paper, -TD_EIO, errno);
}

static void finish_sidecar(const struct td_desk *desk, struct td_paper *paper, json_t *sidecar)
{
	char part[SIDE_MAX], name[SIDE_MAX];

	// What went wrong since it was written.
	if (paper->error && !paper->error_noted) {
		add_error(paper, sidecar);
		(void)!put_sidecar(desk, paper, json_incref(sidecar)); // told in any case
	}
	sidecar_part(paper, part);
	snprintf(name, sizeof name, "%s" TD_RECORD_SIDECAR, paper->form.name);
	if (desk->disk->rename(desk->folder_fd, part, desk->folder_fd, name) != 0)
		blame(paper, -TD_EIO, errno);
}

static void fill_news(struct td_paper *paper, struct td_scribe_news *news)
{
	uint8_t heads[TD_TRACK_MAX][TD_CHAIN_BYTES] = { { 0 } };
	unsigned count = 0;

	news->kind = TD_SCRIBE_CLOSED;
	news->bytes = 0;
	for (unsigned i = 0; i < paper->file_count; i++) {
		if (paper->files[i].fd < 0)
			continue;
		news->bytes += paper->chains[i].bytes;
		memcpy(heads[count++], paper->chains[i].head, TD_CHAIN_BYTES);
	}
	memcpy(news->digest, heads[0], TD_CHAIN_BYTES);
	if (count > 1)
		(void)!EVP_Digest(heads, (size_t)count * TD_CHAIN_BYTES, news->digest, NULL,
				  EVP_sha256(), NULL);
}

void td_paper_close(const struct td_desk *desk, struct td_paper *paper, json_t *sidecar,
		    struct td_scribe_news *news)
{
	if (sidecar && is_open(paper))
		finish_sidecar(desk, paper, sidecar);
	json_decref(sidecar);
	fill_news(paper, news);
	for (unsigned i = 0; i < paper->file_count; i++) {
		if (paper->files[i].fd >= 0)
			(void)!td_part_file_close(&paper->files[i]);
		if (paper->files[i].error)
			blame(paper, paper->files[i].error, paper->files[i].error_number);
		td_chain_fini(&paper->chains[i]);
	}
	news->error = paper->error;
	news->error_number = paper->error_number;
	free(paper);
}
