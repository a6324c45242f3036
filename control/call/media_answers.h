// The answers of the dataplane to a call's commands, one function a command.
//
// Shared by media.c, which sends, and media_answers.c. Control thread, inside a turn of its own:
// the link never answers from within td_link_submit.
#pragma once

#include "call/media.h"

// The link's done callback; `user` is the td_media_request in its call, which cannot end before.
void td_media_answered(void *user, const struct td_event *event);
