/* SPDX-License-Identifier: MIT
 * The shortest service there is; bench-start.c starts it.
 */
int main(void)
{
        return 0;
}
