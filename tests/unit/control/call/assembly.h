// A conference called "room" in a world of phones, and what every member of it hears.
//
// The config's: number 800 leads there, 1003 is a moderator.
#pragma once

#include "call/conferences.h"
#include "story.h"

#define MEMBERS 8

struct list {
	struct td_member_info members[MEMBERS];
	unsigned count;
};

extern struct world w;
extern char why[TD_FEATURE_WHY_MAX]; // of what was refused last

void assembly_open(void);
// Ends the conference; asserts that nothing is left.
void assembly_close(void);

// Appends to a struct list, as whoever enumerates members calls it.
bool list_member(void *user, const struct td_member_info *info);
struct list members(const char *name);
// The member's id, by the order in which they came.
const char *member(unsigned index);
// "1:23 2:13 3:12": the first member hears the second and the third; * is music, ! an announcement.
void assert_heard_in(const char *name, const char *expected);
#define assert_heard(expected) assert_heard_in("room", expected)

void dial(struct phone *phone);
// Two callers and 1003.
void three(void);
