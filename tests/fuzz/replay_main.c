// Runs a fuzz target over its corpus as an ordinary test: every file whole, cut short at every
// byte, and with each of a fixed set of single-byte changes. The same target links with libFuzzer
// when configured with clang and -fsanitize=fuzzer.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX 65536
// Beyond this the per-byte passes sample positions instead of taking each.
#define EXHAUSTIVE_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A heap copy of exactly this size, so that a sanitizer sees one byte too far.
static void run_exact(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static unsigned long run_file(const char *path)
{
	static const uint8_t changes[] = { 0x00, 0x0a, 0x20, 0x7f, 0x80, 0xff };
	static uint8_t data[INPUT_MAX];
	unsigned long runs = 1;
	size_t size, step;
	FILE *file = fopen(path, "rb");

	if (!file) {
		perror(path);
		exit(1);
	}
	size = fread(data, 1, sizeof data, file);
	fclose(file);
	run_exact(data, size);
	step = size > EXHAUSTIVE_MAX ? size / EXHAUSTIVE_MAX + 1 : 1;
	for (size_t cut = 0; cut < size; cut += step, runs++)
		run_exact(data, cut);
	for (size_t at = 0; at < size; at += step) {
		uint8_t saved = data[at];

		data[at] = changes[at % sizeof changes];
		run_exact(data, size);
		data[at] = (uint8_t)(saved ^ (1u << (at % 8)));
		run_exact(data, size);
		data[at] = saved;
		runs += 2;
	}
	return runs;
}

int main(int argc, char **argv)
{
	unsigned long files = 0, runs = 0;

	for (int i = 1; i < argc; i++) {
		struct dirent **names;
		int count = scandir(argv[i], &names, NULL, alphasort);

		if (count < 0) {
			perror(argv[i]);
			return 1;
		}
		for (int n = 0; n < count; n++) {
			char path[4096];

			if (names[n]->d_name[0] != '.') {
				snprintf(path, sizeof path, "%s/%s", argv[i], names[n]->d_name);
				runs += run_file(path);
				files++;
			}
			free(names[n]);
		}
		free(names);
	}
	printf("%lu files, %lu inputs\n", files, runs);
	return files ? 0 : 1;
}
