#include "scratch.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#define OPEN_FOLDERS_MAX 8

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

void scratch_make(char path[SCRATCH_MAX])
{
	snprintf(path, SCRATCH_MAX, "/tmp/td-record-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(path));
}

void scratch_remove(const char *path)
{
	ck_assert_int_eq(nftw(path, remove_one, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS), 0);
}
