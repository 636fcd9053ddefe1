// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nothing: it is linked with the whole of one room of lib/ and with what is below that.
 */
int main(void)
{
	return 0;
}
