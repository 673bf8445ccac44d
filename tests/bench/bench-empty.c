/* SPDX-License-Identifier: MIT
 *
 * The floor of `supctl status`: a static program that does nothing. Not here, on purpose: anything.
 */
int main(void)
{
        return 0;
}
