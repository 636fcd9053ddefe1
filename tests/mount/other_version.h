/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Included before all else in an executable that knows another version of the state. */
#ifndef TESTS_MOUNT_OTHER_VERSION_H
#define TESTS_MOUNT_OTHER_VERSION_H

#include "lib/base/state.h"

enum { VERSION_HERE = STATE_VERSION };
#undef STATE_VERSION
#define STATE_VERSION (VERSION_HERE + 1)

#endif
