/* A plugin for QEMU 7.2 and later: instructions that a bare-metal program executes, by their addresses, between one read of its
 * counter and the next.
 *
 *   cc -O2 -shared -fPIC -o count.so count.c
 *   qemu-system-… -plugin count.so,mark=ADDRESS,bottom=ADDRESS,top=ADDRESS,out=FILE
 *
 * A load from mark, the counter's address, starts the counting, the next one ends it. At the end of each stretch FILE gets
 * a line `STRETCH ADDRESS INSTRUCTIONS` for every address from bottom to top that was executed in it.
 */
#include "qemu.h"

static uint64_t mark, bottom, top, stretch;
static bool counting;
/* One for every second octet: instructions begin at even addresses. */
static uint64_t *counts;
static FILE *out;

static void executed(unsigned cpu, void *count)
{
    (void)cpu;
    if (counting)
        ++*(uint64_t *)count;
}

static void accessed(unsigned cpu, uint32_t info, uint64_t address, void *data)
{
    (void)cpu, (void)data;
    if (address != mark || qemu_plugin_mem_is_store(info))
        return;
    counting = !counting;
    if (counting)
        return;
    for (uint64_t at = bottom; at < top; at += 2) {
        uint64_t *count = &counts[(at - bottom) / 2];
        if (*count)
            fprintf(out, "%llu %llx %llu\n", (unsigned long long)stretch, (unsigned long long)at,
                    (unsigned long long)*count);
        *count = 0;
    }
    stretch++;
}

static void translated(plugin_id id, struct block *block)
{
    (void)id;
    for (size_t i = 0, n = qemu_plugin_tb_n_insns(block); i < n; i++) {
        struct instruction *instruction = qemu_plugin_tb_get_insn(block, i);
        uint64_t address = qemu_plugin_insn_vaddr(instruction);
        if (address >= bottom && address < top)
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, executed, NO_REGISTERS,
                                                   &counts[(address - bottom) / 2]);
        qemu_plugin_register_vcpu_mem_cb(instruction, accessed, NO_REGISTERS, LOADS_AND_STORES, NULL);
    }
}

static void ended(plugin_id id, void *data)
{
    (void)id, (void)data;
    fclose(out);
}

EXPORTED int qemu_plugin_install(plugin_id id, const void *info, int count, char **arguments)
{
    (void)info;
    for (int i = 0; i < count; i++) {
        if (taken(arguments[i], "mark=", &mark) || taken(arguments[i], "bottom=", &bottom) ||
            taken(arguments[i], "top=", &top))
            continue;
        if (!strncmp(arguments[i], "out=", 4))
            out = fopen(arguments[i] + 4, "w");
    }
    if (!mark || bottom >= top || !out || !(counts = calloc((top - bottom + 1) / 2, sizeof *counts))) {
        fprintf(stderr, "count.so: mark=, bottom=, top= and out= are wanted\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
