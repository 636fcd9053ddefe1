// SPDX-License-Identifier: GPL-2.0-or-later
/* To be written. */
#include "lib/kinds/cluster/accounts.h"
