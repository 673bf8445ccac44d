/* SPDX-License-Identifier: MIT
 *
 * asleep: a service that SIGTERM does not reach: it has called vfork(), and sleeps in the kernel (state D) for as long
 * as its child lives; SIGTERM is kept from the child, too. Not a test: what the tests stop.
 */
#include <signal.h>
#include <unistd.h>

int main(void)
{
        sigset_t all;

        (void)sigfillset(&all);
        (void)sigprocmask(SIG_BLOCK, &all, NULL);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
        if (vfork() == 0)
                for (;;)
                        (void)pause();
#pragma GCC diagnostic pop
        return 0;
}
