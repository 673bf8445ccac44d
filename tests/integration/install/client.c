/* SPDX-License-Identifier: MIT
 *
 * A program of somebody else: built against the installed headers and libsupstatus only, it opens a table that is not
 * there, is told so, and knows the words for numbers.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <supd/status.h>
#include <supd/supstatus.h>

int main(void)
{
        struct supstatus *table = NULL;
        int r = supstatus_open("no-such-instance-of-the-install-test", &table);

        if (r != -ENOENT || table) {
                (void)fprintf(stderr, "open: %s\n", strerror(-r));
                return 1;
        }
        if (strcmp(supstatus_active_name(SUPD_ACTIVE_ACTIVE), "active") != 0)
                return 2;
        (void)printf("row %zu header %zu\n", sizeof(struct supd_status_row), sizeof(struct supd_status_header));
        return 0;
}
