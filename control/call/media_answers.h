// The answers of the dataplane to a call's commands, one function a command.
//
// Shared by media.c, which sends, and media_answers.c. Control thread, inside a turn of its own:
// the link never answers from within td_link_submit.
#pragma once

#include "call/media.h"

// The link's done callback; `user` is the call, which cannot end while a command is under way.
void td_media_answered(void *user, const struct td_event *event);
// The command could not even be sent: what next_command assumed of it is taken back.
void td_media_refused(struct td_call *call, const struct td_command *command);
