/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of index.html that are the same for everybody. They are made from the files in
 * lib/info/index/ by its embed.py.
 */
#ifndef IPCFS_INFO_PAGE_H
#define IPCFS_INFO_PAGE_H

/* What comes before the data, in a script element that is open, and what comes after. */
extern const char info_page_head[], info_page_tail[];

#endif
