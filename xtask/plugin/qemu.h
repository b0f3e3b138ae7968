/* What the plugins use of QEMU's interface, 7.2 and later, by its documentation: Debian ships no header of it. And how they read
 * their numbers. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct block;
struct instruction;
enum registers { NO_REGISTERS };
/* QEMU 7.2 takes loads for stores where it is asked for loads alone. */
enum access { STORES = 2, LOADS_AND_STORES = 3 };

size_t qemu_plugin_tb_n_insns(const struct block *);
struct instruction *qemu_plugin_tb_get_insn(const struct block *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct instruction *);
bool qemu_plugin_mem_is_store(uint32_t);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct block *));
void qemu_plugin_register_vcpu_insn_exec_cb(struct instruction *, void (*)(unsigned, void *), enum registers, void *);
void qemu_plugin_register_vcpu_mem_cb(struct instruction *, void (*)(unsigned, uint32_t, uint64_t, void *),
                                      enum registers, enum access, void *);
void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);

EXPORTED int qemu_plugin_version = 1;

/* Takes the number behind a name such as "top="; false where the argument is another. */
static bool taken(const char *argument, const char *name, uint64_t *number)
{
    size_t length = strlen(name);
    if (strncmp(argument, name, length))
        return false;
    *number = strtoull(argument + length, NULL, 0);
    return true;
}
