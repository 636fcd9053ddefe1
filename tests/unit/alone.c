// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A program that does nothing. It is linked with all of one layer of lib/ and with the layers below
 * that. If it links, the layer needs nothing from the layers above.
 */
int main(void)
{
	return 0;
}
