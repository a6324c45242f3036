// Members, cells and prompts as the API writes them.
//
//   a member "stream:17", "player:3" or "floor"
//   a cell   {"from":"stream:17","to":"stream:18","gain_db":-6}
//            or with "gain":"off", or "gain":"follow" for the floor's rule
//   prompts  ["welcome","music"], by their names in the config
#pragma once

#include "api/rpc.h"
#include "td_command.h"
#include "td_role.h"

json_t *td_describe_end(const struct td_member *member);

// The parameter "cells" of the request. False after td_rpc_fail.
bool td_member_cells(struct td_rpc_call *call, struct td_cell cells[TD_EDIT_CELL_MAX],
		     uint32_t *count);
// The parameter "prompts" as indices in the region's table; offset_ms goes to the first one.
bool td_member_items(struct td_rpc_call *call, struct td_play_item items[TD_PLAY_ITEM_MAX],
		     uint32_t *count) TD_CONTROL;
