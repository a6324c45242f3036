// td-listen: what was heard, in figures that a script can judge.
//
//   td-listen compare SAID.wav HEARD.wav [--channel N] [--from S] [--to S] [--min RHO] [--adrift S]
//   td-listen level FILE.wav [--channel N] [--from S] [--to S]
//
// Prints one line of "name value" pairs. Exit 0: done (and, with --min, near and coverage both
// reach it; with --adrift its share alone); 1: below it, or nothing to compare; 2: wrong use or an
// unreadable file.

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlate.h"
#include "wav.h"

struct options {
	int channel; // of the file heard
	double from_s, to_s;
	double min;
	double adrift_s; // 0: not asked for
};

static const char usage[] =
	"td-listen compare SAID.wav HEARD.wav [--channel N] [--from S] [--to S] [--min RHO] "
	"[--adrift S]\n"
	"td-listen level FILE.wav [--channel N] [--from S] [--to S]\n"
	"  --channel N  0 left, 1 right, -1 both averaged (default), of HEARD or FILE\n"
	"  --from S, --to S  only this stretch of HEARD or FILE, in seconds\n"
	"  --min RHO    exit 1 unless near and coverage reach RHO\n"
	"  --adrift S   what came through a jitter buffer: look for each piece within S seconds of\n"
	"               its place; --min is then the share of pieces found\n";

static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option names[] = { { "channel", required_argument, NULL, 'c' },
					       { "from", required_argument, NULL, 'f' },
					       { "to", required_argument, NULL, 't' },
					       { "min", required_argument, NULL, 'm' },
					       { "adrift", required_argument, NULL, 'a' },
					       { NULL, 0, NULL, 0 } };
	int option;

	*options = (struct options){ .channel = -1, .from_s = 0, .to_s = 1e9, .min = -2 };
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (option) {
		case 'c': options->channel = atoi(optarg); break;
		case 'f': options->from_s = atof(optarg); break;
		case 't': options->to_s = atof(optarg); break;
		case 'a': options->adrift_s = atof(optarg); break;
		case 'm': options->min = atof(optarg); break;
		default: return -1;
		}
	}
	return 0;
}

static int load(const char *path, int channel, struct td_listen_wav *wav)
{
	char error[256];

	if (td_listen_wav_load(path, channel, wav, error)) {
		fprintf(stderr, "td-listen: %s: %s\n", path, error);
		return -1;
	}
	return 0;
}

// Narrows to [from_s, to_s): moves the samples down and shortens the count.
static void narrow(struct td_listen_wav *wav, const struct options *options)
{
	double length_s = (double)wav->count / wav->rate_hz;
	double from_s = options->from_s < length_s ? options->from_s : length_s;
	double to_s = options->to_s < length_s ? options->to_s : length_s;
	size_t from = (size_t)(from_s * wav->rate_hz), to = (size_t)(to_s * wav->rate_hz);

	wav->count = to > from ? to - from : 0;
	memmove(wav->samples, wav->samples + from, wav->count * sizeof *wav->samples);
}

static int compare(const char *said_path, const char *heard_path, const struct options *options)
{
	struct td_listen_wav said = { 0 }, heard = { 0 };
	struct td_listen_match match;
	int result = 2;

	if (load(said_path, -1, &said) || load(heard_path, options->channel, &heard))
		goto out;
	narrow(&heard, options);
	if (said.rate_hz != heard.rate_hz) {
		fprintf(stderr, "td-listen: %s has %u Hz, %s has %u Hz\n", said_path, said.rate_hz,
			heard_path, heard.rate_hz);
		goto out;
	}
	result = 1;
	if (td_listen_correlate(said.samples, said.count, heard.samples, heard.count, said.rate_hz,
				1.0, &match)) {
		printf("correlation 0 near 0 lag_s 0 overlap_s 0 coverage 0 pieces 0\n");
		goto out;
	}
	printf("correlation %.4f near %.4f lag_s %.4f overlap_s %.2f coverage %.3f pieces %u\n",
	       match.correlation, match.near, match.lag_s, match.overlap_s, match.coverage,
	       match.pieces);
	result = match.near < options->min || match.coverage < options->min;
	if (options->adrift_s > 0) {
		double share =
			td_listen_adrift(said.samples, said.count, heard.samples, heard.count,
					 said.rate_hz, match.lag_s, options->adrift_s);

		printf("adrift %.3f\n", share);
		result = share < options->min;
	}
out:
	td_listen_wav_free(&said);
	td_listen_wav_free(&heard);
	return result;
}

static int level(const char *path, const struct options *options)
{
	struct td_listen_wav wav = { 0 };
	struct td_listen_level figures;

	if (load(path, options->channel, &wav))
		return 2;
	narrow(&wav, options);
	td_listen_level(wav.samples, wav.count, wav.rate_hz, &figures);
	printf("rms_dbfs %.2f peak_dbfs %.2f silence %.3f seconds %.3f channels %u\n",
	       figures.rms_dbfs, figures.peak_dbfs, figures.silence, figures.seconds, wav.channels);
	td_listen_wav_free(&wav);
	return 0;
}

int main(int argc, char **argv)
{
	struct options options;
	int left;

	if (parse_options(argc, argv, &options)) {
		fputs(usage, stderr);
		return 2;
	}
	left = argc - optind;
	if (left == 3 && !strcmp(argv[optind], "compare"))
		return compare(argv[optind + 1], argv[optind + 2], &options);
	if (left == 2 && !strcmp(argv[optind], "level"))
		return level(argv[optind + 1], &options);
	fputs(usage, stderr);
	return 2;
}
