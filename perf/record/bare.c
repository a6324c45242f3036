#include "bare.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codecs/g711.h"
#include "cpu_clock.h"

#define CHUNK_FRAMES 13u    // 260 ms: the recorder's are of 250
#define SYNC_FRAMES  30000u // 300 ms of all calls
#define SIDECAR      700u   // bytes

struct bare {
	int folder_fd;
	int fds[TD_BARE_CALLS];
	EVP_MD_CTX *digests[TD_BARE_CALLS];
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "record: %s\n", what);
	exit(2);
}

static void create(struct bare *bare)
{
	static const char text[SIDECAR];
	char name[40];

	for (uint32_t call = 0; call < TD_BARE_CALLS; call++) {
		int fd;

		snprintf(name, sizeof name, "%u.wav.part", call);
		bare->fds[call] = openat(bare->folder_fd, name, O_RDWR | O_CREAT | O_EXCL, 0600);
		snprintf(name, sizeof name, "%u.json.part", call);
		fd = openat(bare->folder_fd, name, O_RDWR | O_CREAT | O_EXCL, 0600);
		must(fd >= 0 && bare->fds[call] >= 0 && write(fd, text, SIDECAR) == SIDECAR,
		     "a file cannot be made");
		close(fd);
	}
}

static void end(struct bare *bare)
{
	static const char *const suffixes[] = { "wav", "json" };
	char from[40], to[40];

	for (uint32_t call = 0; call < TD_BARE_CALLS; call++) {
		for (unsigned i = 0; i < 2; i++) {
			snprintf(from, sizeof from, "%u.%s.part", call, suffixes[i]);
			snprintf(to, sizeof to, "%u.%s", call, suffixes[i]);
			must(renameat(bare->folder_fd, from, bare->folder_fd, to) == 0,
			     "a file cannot be renamed");
		}
		close(bare->fds[call]);
	}
}

static void one_chunk(struct bare *bare, uint32_t call, off_t at, struct td_bare *sums)
{
	static int16_t pcm[TD_BARE_FRAME], chunk[2 * TD_BARE_FRAME * CHUNK_FRAMES];
	static uint8_t payload[TD_BARE_FRAME];
	uint64_t start_ns = td_cpu_ns(), decoded_ns, hashed_ns;

	for (uint32_t i = 0; i < CHUNK_FRAMES; i++)
		for (uint32_t side = 0; side < 2; side++) {
			payload[i]++;
			td_g711_ulaw_decode(pcm, payload, TD_BARE_FRAME);
			for (uint32_t k = 0; k < TD_BARE_FRAME; k++)
				chunk[(i * TD_BARE_FRAME + k) * 2 + side] = pcm[k];
		}
	decoded_ns = td_cpu_ns();
	must(EVP_DigestUpdate(bare->digests[call], chunk, sizeof chunk) == 1, "no digest");
	hashed_ns = td_cpu_ns();
	must(pwrite(bare->fds[call], chunk, sizeof chunk, at) == sizeof chunk, "the disk refuses");
	sums->decode += (double)(decoded_ns - start_ns);
	sums->hash += (double)(hashed_ns - decoded_ns);
	sums->write += (double)(td_cpu_ns() - hashed_ns);
}

// What the clock itself takes is in every one of the three: it is measured and taken off.
static double clock_cost_ns(void)
{
	uint64_t start_ns = td_cpu_ns();

	for (unsigned i = 0; i < 1000; i++)
		(void)td_cpu_ns();
	return (double)(td_cpu_ns() - start_ns) / 1000;
}

static void talk(struct bare *bare, uint32_t frames, struct td_bare *sums)
{
	uint32_t chunks = (frames + CHUNK_FRAMES - 1) / CHUNK_FRAMES, unsynced = 0;
	double total = (double)chunks * TD_BARE_CALLS * 2 * CHUNK_FRAMES, clock_ns;

	for (uint32_t i = 0; i < chunks; i++)
		for (uint32_t call = 0; call < TD_BARE_CALLS; call++) {
			uint64_t start_ns;

			one_chunk(bare, call,
				  44 + (off_t)i * (2 * 2 * TD_BARE_FRAME * CHUNK_FRAMES), sums);
			unsynced += 2 * CHUNK_FRAMES;
			if (unsynced < SYNC_FRAMES)
				continue;
			unsynced = 0;
			start_ns = td_cpu_ns();
			must(syncfs(bare->folder_fd) == 0, "the disk cannot be synced");
			sums->sync += (double)(td_cpu_ns() - start_ns);
		}
	clock_ns = clock_cost_ns() / (2 * CHUNK_FRAMES);
	sums->decode = sums->decode / total - clock_ns;
	sums->hash = sums->hash / total - clock_ns;
	sums->write = sums->write / total - clock_ns;
	sums->sync /= total;
}

struct td_bare td_bare_run(const char *folder, const char *name, uint32_t frames)
{
	struct bare *bare = calloc(1, sizeof *bare);
	struct td_bare sums = { 0 };
	char path[300];
	uint64_t start_ns;

	must(bare != NULL, "no memory");
	snprintf(path, sizeof path, "%s/%s", folder, name);
	must(mkdir(path, 0700) == 0, "no folder can be made");
	bare->folder_fd = open(path, O_RDONLY | O_DIRECTORY);
	must(bare->folder_fd >= 0, "the folder cannot be opened");
	for (uint32_t call = 0; call < TD_BARE_CALLS; call++) {
		bare->digests[call] = EVP_MD_CTX_new();
		must(bare->digests[call] != NULL &&
			     EVP_DigestInit_ex(bare->digests[call], EVP_sha256(), NULL) == 1,
		     "no digest");
	}
	start_ns = td_cpu_ns();
	create(bare);
	sums.files = (double)(td_cpu_ns() - start_ns);
	talk(bare, frames, &sums);
	start_ns = td_cpu_ns();
	end(bare);
	sums.files = (sums.files + (double)(td_cpu_ns() - start_ns)) / TD_BARE_CALLS;
	for (uint32_t call = 0; call < TD_BARE_CALLS; call++)
		EVP_MD_CTX_free(bare->digests[call]);
	close(bare->folder_fd);
	free(bare);
	return sums;
}
