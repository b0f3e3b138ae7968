/* A plugin for QEMU 7.2 and later: how deep the stack of a bare-metal program went.
 *
 *   cc -O2 -shared -fPIC -o stack.so stack.c
 *   qemu-system-… -plugin stack.so,bottom=ADDRESS,top=ADDRESS,out=FILE
 *
 * Every store to bottom..top is looked at; at the end FILE holds top less the lowest address stored to, in octets.
 */
#include "qemu.h"

static uint64_t bottom, top, lowest;
static char *out;

static void stored(unsigned cpu, uint32_t info, uint64_t address, void *data)
{
    (void)cpu, (void)info, (void)data;
    if (address >= bottom && address < lowest)
        lowest = address;
}

static void translated(plugin_id id, struct block *block)
{
    (void)id;
    for (size_t i = 0, n = qemu_plugin_tb_n_insns(block); i < n; i++)
        qemu_plugin_register_vcpu_mem_cb(qemu_plugin_tb_get_insn(block, i), stored, NO_REGISTERS, STORES, NULL);
}

static void ended(plugin_id id, void *data)
{
    (void)id, (void)data;
    FILE *file = fopen(out, "w");
    if (!file)
        return;
    fprintf(file, "%llu\n", (unsigned long long)(top - lowest));
    fclose(file);
}

EXPORTED int qemu_plugin_install(plugin_id id, const void *info, int count, char **arguments)
{
    (void)info;
    for (int i = 0; i < count; i++) {
        if (taken(arguments[i], "bottom=", &bottom) || taken(arguments[i], "top=", &top))
            continue;
        if (!strncmp(arguments[i], "out=", 4))
            out = strdup(arguments[i] + 4);
    }
    if (!out || bottom >= top) {
        fprintf(stderr, "stack.so: bottom=, top= and out= are wanted\n");
        return 1;
    }
    lowest = top;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
