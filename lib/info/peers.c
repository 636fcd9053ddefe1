// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How info/ writes a peer's access.
 */
#include "lib/info/peers.h"

const char *peer_access_name(unsigned access)
{
	static const char *const names[] = {"-", "r", "w", "rw", "m", "rm", "wm", "rwm"};

	return names[access & 7];
}
