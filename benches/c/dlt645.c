/* What an embedded programmer writes for one DL/T 645 reply: skip the wake-up octets, check the marks, the length, the sum and the end, take 33H
   off, and turn identifier and BCD value into numbers. The baseline of the benchmark: plain loops, gcc -O2. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct dlt645_reading {
    uint8_t address[6];
    uint8_t control;
    uint32_t identifier;
    uint32_t value;
};

/* Octets taken, or a negative number for the check that failed. */
long dlt645_read(const uint8_t *in, size_t len, struct dlt645_reading *out)
{
    size_t start = 0;
    while (start < len && in[start] == 0xFE)
        start++;
    const uint8_t *const at = in + start;
    if (len - start < 12 || at[0] != 0x68 || at[7] != 0x68)
        return -1;
    const uint8_t n = at[9];
    if (len - start < (size_t)n + 12)
        return -2;

    uint8_t sum = 0;
    for (size_t i = start; i < start + n + 10; i++)
        sum += in[i];
    if (sum != at[n + 10])
        return -3;
    if (at[n + 11] != 0x16)
        return -4;
    if (n != 8)
        return -5;

    memcpy(out->address, at + 1, 6);
    out->control = at[8];

    const uint8_t *data = at + 10;
    uint32_t identifier = 0;
    for (int i = 3; i >= 0; i--)
        identifier = identifier << 8 | (uint8_t)(data[i] - 0x33);
    uint32_t value = 0;
    for (int i = 7; i >= 4; i--) {
        const uint8_t octet = data[i] - 0x33;
        if ((octet >> 4) > 9 || (octet & 0x0F) > 9)
            return -6;
        value = value * 100 + (octet >> 4) * 10 + (octet & 0x0F);
    }
    out->identifier = identifier;
    out->value = value;
    return (long)start + n + 12;
}
