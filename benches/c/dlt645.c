/* What an embedded programmer writes for one DL/T 645 reply: skip the wake-up octets, check the marks, the length, the sum and the end, take 33H
   off, and turn identifier and BCD value into numbers. The baseline of the benchmark: plain loops, gcc -O2. */
#include <stddef.h>
#include <stdint.h>

struct dlt645_reading {
    uint8_t address[6];
    uint8_t control;
    uint32_t identifier;
    uint32_t value;
};

/* Octets taken, or a negative number for the check that failed. */
long dlt645_read(const uint8_t *in, size_t len, struct dlt645_reading *out)
{
    const uint8_t *at = in;
    const uint8_t *const end = in + len;
    while (at < end && *at == 0xFE)
        at++;
    if (end - at < 12 || at[0] != 0x68 || at[7] != 0x68)
        return -1;
    const size_t n = at[9];
    if ((size_t)(end - at) < n + 12)
        return -2;

    uint8_t sum = 0;
    for (size_t i = 0; i < n + 10; i++)
        sum += at[i];
    if (sum != at[n + 10])
        return -3;
    if (at[n + 11] != 0x16)
        return -4;
    if (n != 8)
        return -5;

    for (int i = 0; i < 6; i++)
        out->address[i] = at[1 + i];
    out->control = at[8];

    const uint8_t *data = at + 10;
    uint32_t identifier = 0;
    for (int i = 4; i-- > 0;)
        identifier = identifier << 8 | (uint8_t)(data[i] - 0x33);
    uint32_t value = 0;
    for (int i = 8; i-- > 4;) {
        const uint8_t octet = data[i] - 0x33;
        const uint8_t high = octet >> 4, low = octet & 0x0F;
        if (high > 9 || low > 9)
            return -6;
        value = value * 100 + high * 10 + low;
    }
    out->identifier = identifier;
    out->value = value;
    return (long)(at - in) + (long)n + 12;
}
