// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Does nothing. It is linked with all of one layer of lib/ and with what is below that.
 */
int main(void)
{
	return 0;
}
