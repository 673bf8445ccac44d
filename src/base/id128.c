/* SPDX-License-Identifier: MIT
 *
 * Making, writing and reading 128-bit ids; see id128.h.
 * Invariant: id128_parse(id128_format(x)) == x.
 */
#include "base/id128.h"

#include <sys/random.h>

int id128_random(struct id128 *ret)
{
        struct id128 id;
        ssize_t n;

        do
                n = getrandom(&id, sizeof(id), 0);
        while (n < 0 && errno == EINTR);
        if (n != sizeof(id))
                return n < 0 ? -errno : -EIO;
        id.b[6] = (uint8_t)((id.b[6] & 0x0f) | 0x40);
        id.b[8] = (uint8_t)((id.b[8] & 0x3f) | 0x80);
        *ret = id;
        return 0;
}

void id128_format(const struct id128 *id, char ret[static ID128_TEXT_SIZE])
{
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < sizeof(id->b); i++) {
                ret[2 * i] = digits[id->b[i] >> 4];
                ret[2 * i + 1] = digits[id->b[i] & 15];
        }
        ret[32] = 0;
}

static int hex_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -EINVAL;
}

int id128_parse(const char *s, struct id128 *ret)
{
        bool dashes = strlen(s) > 8 && s[8] == '-';
        struct id128 id;

        for (size_t i = 0; i < sizeof(id.b); i++) {
                int high, low;

                if (dashes && (i == 4 || i == 6 || i == 8 || i == 10) && *s++ != '-')
                        return -EINVAL;
                high = hex_value(*s);
                low = high < 0 ? -EINVAL : hex_value(s[1]);
                if (low < 0)
                        return -EINVAL;
                id.b[i] = (uint8_t)(high << 4 | low);
                s += 2;
        }
        if (*s == '\n')
                s++;
        if (*s)
                return -EINVAL;
        *ret = id;
        return 0;
}
