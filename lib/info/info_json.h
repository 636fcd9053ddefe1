/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A row as JSON, for inventory.json and index.html.
 */
#ifndef IPCFS_INFO_JSON_H
#define IPCFS_INFO_JSON_H

#include <json-c/json.h>
#include <stdio.h>

#include "lib/channel/row.h"

/*
 * Returns an object whose members are those of status: numbers and times as numbers, all else as
 * the same text that status has. The caller owns it. NULL: no memory.
 */
json_object *info_json_row(const struct row *row);

/*
 * Prints JSON into a script element of HTML, in which it is data. No name in it can end the element
 * or begin another one: '<', '>' and '&' are written as \u003c and so on.
 */
void info_json_print_in_script(const char *json, FILE *out);

#endif
