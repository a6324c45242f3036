// tandem-recording: recordings by hand. Verifies, decrypts and repairs what the dataplane has written.
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codecs/wav.h"
#include "record/reader.h"
#include "record/repair.h"
#include "record/sidecar.h"

static const char usage[] =
	"usage: tandem-recording verify [--key FILE] SIDECAR...\n"
	"       tandem-recording decrypt --key FILE FILE.tde OUTPUT\n"
	"       tandem-recording repair [--key FILE] FOLDER\n"
	"       tandem-recording --help | --version\n"
	"\n"
	"  verify    compares recordings with the SHA-256 chains in their sidecars (NAME.json)\n"
	"  decrypt   writes a recording in the clear\n"
	"  repair    makes whole what a recorder that was killed has left in a folder; the\n"
	"            dataplane does so by itself when it starts\n"
	"\n"
	"  -k, --key FILE   what recordings are encrypted with: recording.key_file of the config\n"
	"\n"
	"Exit status: 0, 1 when a recording is not as it was written or not whole, 2 when it could\n"
	"not be looked at.\n";

#define EXIT_WRONG 1
#define EXIT_USAGE 2

static uint8_t key_bytes[TD_VAULT_KEY_BYTES];
static const uint8_t *key;

static int complain(const char *name, const char *what)
{
	fprintf(stderr, "tandem-recording: %s: %s\n", name, what);
	return EXIT_USAGE;
}

// The first link that differs, or -1.
static long first_difference(const struct td_chain *chain, json_t *sha)
{
	json_t *links = json_object_get(sha, "links");
	size_t count = json_array_size(links);
	char text[TD_CHAIN_TEXT];

	for (uint32_t i = 0; i < chain->link_count; i++) {
		const char *link = json_string_value(json_array_get(links, i));

		td_chain_text(chain->links[i], text);
		if (!link || strcmp(link, text) != 0)
			return (long)i;
	}
	return count == chain->link_count ? -1 : (long)chain->link_count;
}

static int verify_file(const char *folder, json_t *file)
{
	const char *name = json_string_value(json_object_get(file, "name"));
	json_t *sha = json_object_get(file, "sha256");
	char path[4096];
	struct td_chain chain;
	long at;
	int fd, error;

	if (!name || !json_is_object(sha))
		return complain(folder, "the sidecar names no file, or has no chain of it");
	// A sidecar lies beside its files; the names in it are below the recordings folder.
	name = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || td_chain_init(&chain) != 0)
		return complain(path, strerror(errno));
	error = td_reader_chain(fd, key, (uint64_t)json_integer_value(json_object_get(sha, "from")),
				&chain);
	close(fd);
	at = error ? 0 : first_difference(&chain, sha);
	td_chain_fini(&chain);
	if (error == -TD_EDENIED)
		printf("%s: cannot be opened: no key, another, or it was changed\n", path);
	else if (error)
		printf("%s: %s\n", path, td_error_text(error));
	else if (at >= 0)
		printf("%s: differs from what was written in segment %ld, bytes %llu on\n", path,
		       at, (unsigned long long)at * TD_CHAIN_SEGMENT);
	else
		printf("%s: as it was written\n", path);
	return error || at >= 0 ? EXIT_WRONG : 0;
}

static int verify(const char *path)
{
	json_error_t where;
	json_t *sidecar = json_load_file(path, 0, &where), *files, *file;
	char copy[4096];
	const char *folder;
	int status = 0;
	size_t index;

	if (!json_is_object(sidecar))
		return complain(path, where.text);
	snprintf(copy, sizeof copy, "%s", path);
	folder = dirname(copy);
	files = json_object_get(sidecar, "files");
	if (json_array_size(files) == 0)
		status = complain(path, "no files are named in it");
	json_array_foreach(files, index, file)
	{
		int one = verify_file(folder, file);

		status = one > status ? one : status;
	}
	json_decref(sidecar);
	return status;
}

static int write_text(void *user, const uint8_t *text, size_t size)
{
	return fwrite(text, 1, size, user) == size ? 0 : -TD_EIO;
}

// The header of a WAV file as it lies in a vault is the one it began with.
static int renew_header(FILE *out)
{
	uint8_t header[TD_WAV_HEADER_BYTES];
	struct td_repair_found found = { .good = 0 };
	off_t size;

	if (fseeko(out, 0, SEEK_END) != 0 || (size = ftello(out)) < 0)
		return -TD_EIO;
	rewind(out);
	if (fread(header, 1, sizeof header, out) != sizeof header)
		return 0; // it is none
	td_repair_scan_wav(header, (uint64_t)size, &found);
	if (found.good == 0)
		return 0;
	td_wav_write_header(header, found.rate_hz, found.channels,
			    (found.good - sizeof header) / (2u * found.channels));
	rewind(out);
	return write_text(out, header, sizeof header);
}

static int decrypt(const char *from, const char *to)
{
	int fd = open(from, O_RDONLY | O_CLOEXEC), error;
	FILE *out = fd >= 0 ? fopen(to, "w+x") : NULL;
	bool whole = false;

	if (!out) {
		error = errno;
		if (fd >= 0)
			close(fd);
		return complain(fd < 0 ? from : to, strerror(error));
	}
	error = td_reader_text(fd, key, &whole, write_text, out);
	close(fd);
	if (!error)
		error = renew_header(out);
	if (fclose(out) != 0 && !error)
		error = -TD_EIO;
	if (error) {
		unlink(to);
		return complain(from, error == -TD_EDENIED ? "another key, or it was changed"
							   : td_error_text(error));
	}
	if (!whole)
		fprintf(stderr,
			"tandem-recording: %s: its end is missing; what is there is in %s\n", from,
			to);
	return whole ? 0 : EXIT_WRONG;
}

static int repair(const char *folder)
{
	struct td_desk desk = { .disk = &td_disk_kernel, .key = key };
	struct td_repair *list;

	desk.folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (desk.folder_fd < 0)
		return complain(folder, strerror(errno));
	if (td_repair_create(desk.folder_fd, &list) != 0)
		return complain(folder, "no memory");
	while (td_repair_next(list, &desk))
		;
	printf("%s: %u repaired\n", folder, td_repair_count(list));
	td_repair_destroy(list);
	close(desk.folder_fd);
	return 0;
}

static int verify_all(char **paths, int count)
{
	int status = 0;

	for (int i = 0; i < count; i++) {
		int one = verify(paths[i]);

		status = one > status ? one : status;
	}
	return status;
}

static int run(const char *verb, char **arguments, int count)
{
	if (strcmp(verb, "verify") == 0 && count > 0)
		return verify_all(arguments, count);
	if (strcmp(verb, "decrypt") == 0 && count == 2 && key)
		return decrypt(arguments[0], arguments[1]);
	if (strcmp(verb, "repair") == 0 && count == 1)
		return repair(arguments[0]);
	fputs(usage, stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = { { "key", required_argument, NULL, 'k' },
					       { "help", no_argument, NULL, 'h' },
					       { "version", no_argument, NULL, 'v' },
					       { NULL, 0, NULL, 0 } };
	char reason[TD_VAULT_REASON_MAX];
	int option;

	while ((option = getopt_long(argc, argv, "k:h", longs, NULL)) != -1) {
		switch (option) {
		case 'k':
			if (td_vault_load_key(optarg, key_bytes, reason) != 0)
				return complain("--key", reason);
			key = key_bytes;
			break;
		case 'h': fputs(usage, stdout); return 0;
		case 'v': puts("tandem-recording " TD_VERSION); return 0;
		default: fputs(usage, stderr); return EXIT_USAGE;
		}
	}
	if (optind == argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return run(argv[optind], argv + optind + 1, argc - optind - 1);
}
