/* SPDX-License-Identifier: MIT
 *
 * An answer while ops fill it: a body of records and the first thing that went wrong.
 * Not here: sending (server.c). Invariant: a failed append makes the whole answer an error; no half answer is sent.
 */
#ifndef SUPD_CONTROL_ANSWER_H
#define SUPD_CONTROL_ANSWER_H

#include "control/control.h"
#include "control/control-format.h"

struct control_answer {
        struct buf body; /* memory kept from answer to answer */
        int error;       /* 0 or the first -errno */
};

#endif
