#!/usr/bin/env python3
"""Runs a program for the ESP32-C3 in Unicorn, a CPU emulator, with as much of the chip around it as the program touches.

usage: emulate.py ELF OCTETS [SECONDS]

Boots the linked program from its entry, gives the octets of a file to UART1 once the program has said READY, prints what
UART1 sends, and ends when a line starts with "# idle ". The last line is the deepest stack.

What is there: UART1 with its queues and interrupts, the interrupt matrix, the system timer. Registers of other devices
read back what was written to them; of the routines in ROM the C library's and the compiler's work, the others return 0;
instructions of the chip's own that Unicorn does not know (debug triggers, performance counters) do nothing. So this tests start-up
code, linking, the UART driver's path and the interrupt's, and the program; not clocks, ROM, flash, caches, pins or timing.
"""

import struct
import sys
import time

from elftools.elf.elffile import ELFFile
from unicorn import UC_ARCH_RISCV, UC_HOOK_CODE, UC_HOOK_MEM_WRITE, UC_MODE_RISCV32, Uc, UcError
from unicorn.riscv_const import (
    UC_RISCV_REG_A0,
    UC_RISCV_REG_A1,
    UC_RISCV_REG_A2,
    UC_RISCV_REG_A3,
    UC_RISCV_REG_MCAUSE,
    UC_RISCV_REG_MEPC,
    UC_RISCV_REG_MSTATUS,
    UC_RISCV_REG_MTVEC,
    UC_RISCV_REG_PC,
    UC_RISCV_REG_SP,
)

ROM, ROM_SIZE = 0x40000000, 0x60000
MEMORIES = [(0x3FF00000, 0x20000), (0x3FC80000, 0x60000), (0x4037C000, 0x64000), (0x3C000000, 0x800000),
            (0x42000000, 0x800000), (0x50000000, 0x2000)]
STACK_TOP = 0x3FCDF000
UART = 0x60010000
FIFO, RAW, STATUS, ENABLE, CLEAR, LINES = UART, UART + 0x04, UART + 0x08, UART + 0x0C, UART + 0x10, UART + 0x1C
FULL, TIMEOUT = 1 << 0, 1 << 8
UART_SOURCE = 22
MATRIX = 0x600C2000
PENDING, CPU_ENABLE, PRIORITY, THRESHOLD = MATRIX + 0xF8, MATRIX + 0x104, MATRIX + 0x114, MATRIX + 0x194
TIMER = 0x60023000
CALIBRATION, CALIBRATED = 0x6001F068, 0x6001F06C
MIE, MPIE, MPP = 1 << 3, 1 << 7, 3 << 11
QUEUE = 128
# Instructions between two octets, and between two looks at the interrupts. At 115,200 baud and 160 MHz it would be 13,888.
SLICE = 2000


ARGUMENTS = [UC_RISCV_REG_A0, UC_RISCV_REG_A1, UC_RISCV_REG_A2, UC_RISCV_REG_A3]


def memcpy(uc, to, start, size, _):
    uc.mem_write(to, bytes(uc.mem_read(start, size)))
    return to


def memset(uc, to, octet, size, _):
    uc.mem_write(to, bytes([octet & 0xFF]) * size)
    return to


def bzero(uc, to, size, *_):
    return memset(uc, to, 0, size, 0)


def memcmp(uc, one, other, size, _):
    one, other = bytes(uc.mem_read(one, size)), bytes(uc.mem_read(other, size))
    return (one > other) - (one < other)


def wide(operation):
    """A routine of the compiler over 64 bits."""

    def routine(_, low, high, other_low, other_high):
        return operation(high << 32 | low, other_high << 32 | other_low) & 0xFFFFFFFFFFFFFFFF

    WIDE.append(routine)
    return routine


def signed(number):
    return number - (1 << 64) if number >> 63 else number


def quotient(one, other):
    one, other = signed(one), signed(other)
    size = abs(one) // abs(other)
    return size if (one < 0) == (other < 0) else -size


def remainder(one, other):
    return signed(one) - quotient(one, other) * signed(other)


WIDE = []
ROUTINES = {
    "memcpy": memcpy,
    "memmove": memcpy,
    "memset": memset,
    "bzero": bzero,
    "memcmp": memcmp,
    "bcmp": memcmp,
    "__udivdi3": wide(lambda one, other: one // other),
    "__umoddi3": wide(lambda one, other: one % other),
    "__divdi3": wide(quotient),
    "__moddi3": wide(remainder),
    "__muldi3": wide(lambda one, other: one * other),
    "__ashldi3": wide(lambda one, other: one << (other & 63)),
    "__lshrdi3": wide(lambda one, other: one >> (other & 63)),
    "__ashrdi3": wide(lambda one, other: signed(one) >> (other & 63)),
}


class Chip:
    def __init__(self, elf, octets):
        # Octets of the file, those under way, those in the UART's queue, and what came out.
        self.waiting, self.coming, self.line, self.sent = octets, bytearray(), bytearray(), bytearray()
        self.registers, self.ticks, self.lowest = {}, 0, STACK_TOP
        self.uc = Uc(UC_ARCH_RISCV, UC_MODE_RISCV32)
        self.uc.mem_map(ROM, ROM_SIZE)
        self.uc.mem_write(ROM, b"\x01\x45\x82\x80" * (ROM_SIZE // 4))  # li a0, 0; ret
        symbols = elf.get_section_by_name(".symtab")
        self.rom = {s["st_value"]: s.name for s in symbols.iter_symbols() if ROM <= s["st_value"] < ROM + ROM_SIZE}
        for address, name in self.rom.items():
            if name in ROUTINES:
                self.uc.mem_write(address, b"\x82\x80")  # ret
        self.uc.hook_add(UC_HOOK_CODE, self.routine, begin=ROM, end=ROM + ROM_SIZE - 1)
        for start, size in MEMORIES:
            self.uc.mem_map(start, size)
        for segment in elf.iter_segments():
            if segment["p_type"] == "PT_LOAD" and segment["p_filesz"]:
                code = segment.data()
                if segment["p_flags"] & 1:
                    code = without_own_registers(code)
                self.uc.mem_write(segment["p_vaddr"], code)
        for start, size in [(0x60000000, 0x100000), (0x60100000, 0x10000)]:
            self.uc.mmio_map(start, size, self.read, start, self.write, start)
        end = [s["st_value"] for s in symbols.iter_symbols() if s.name in ("_bss_end", "__stack_chk_guard")]
        bottom = max(end, default=STACK_TOP - 0x4000) + 4
        self.uc.hook_add(UC_HOOK_MEM_WRITE, self.stored, begin=bottom, end=STACK_TOP - 1)
        self.entry = elf.header.e_entry
        top = [s["st_value"] for s in symbols.iter_symbols() if s.name in ("_stack_start", "_stack_start_cpu0")]
        self.top = max(top, default=STACK_TOP)

    def stored(self, uc, access, address, size, value, data):
        self.lowest = min(self.lowest, address)

    def routine(self, uc, address, size, data):
        """Does what a routine in ROM does."""
        routine = ROUTINES.get(self.rom.get(address))
        if routine:
            arguments = [uc.reg_read(register) for register in ARGUMENTS]
            result = routine(uc, *arguments)
            uc.reg_write(UC_RISCV_REG_A0, result & 0xFFFFFFFF)
            if result >> 32:
                uc.reg_write(UC_RISCV_REG_A1, result >> 32 & 0xFFFFFFFF)
            elif routine in WIDE:
                uc.reg_write(UC_RISCV_REG_A1, 0)

    def uart_raw(self):
        waiting = len(self.line)
        full = FULL if waiting >= max(1, self.registers.get(UART + 0x24, 0) & 0x1FF) else 0
        return full | (TIMEOUT if waiting and not self.coming else 0)

    def pending(self):
        return self.uart_raw() & self.registers.get(ENABLE, 0)

    def read(self, uc, offset, size, start):
        address = start + offset
        if address == FIFO:
            return self.line.pop(0) if self.line else 0
        if address == RAW:
            return self.uart_raw()
        if address == STATUS:
            return self.pending()
        if address == LINES:
            return min(len(self.line), 127)  # nothing waits to be sent
        if address == UART + 0x80:
            return self.registers.get(address, 0) & ~(1 << 31)  # registers have been taken over
        if address == PENDING:
            return 1 << UART_SOURCE if self.pending() else 0
        if TIMER <= address < TIMER + 0x1000:
            if address - TIMER in (0x04, 0x08):
                return self.registers.get(address, 0) | 1 << 29
            if address - TIMER in (0x44, 0x4C):
                return self.ticks & 0xFFFFFFFF
            if address - TIMER in (0x40, 0x48):
                return self.ticks >> 32
        if address == CALIBRATION:
            return self.registers.get(address, 0) | 1 << 15
        if address == CALIBRATED:
            return 295 << 7 | 1
        return self.registers.get(address, 0)

    def write(self, uc, offset, size, value, start):
        address = start + offset
        if address == FIFO:
            self.sent.append(value & 0xFF)
            if self.waiting is not None and self.sent.endswith(b"READY\n"):
                self.coming, self.waiting = bytearray(self.waiting), None
        elif address in (TIMER + 0x04, TIMER + 0x08):
            self.ticks += 64  # 4 µs of a 16 MHz timer for each look at it
            self.registers[address] = value
        elif address != CLEAR:
            self.registers[address] = value

    def interrupt(self):
        """Enters the handler when the UART asks for it and the core listens; what `mret` undoes."""
        status = self.uc.reg_read(UC_RISCV_REG_MSTATUS)
        line = self.registers.get(MATRIX + 4 * UART_SOURCE, 0)
        enabled = self.registers.get(CPU_ENABLE, 0) >> line & 1
        priority = self.registers.get(PRIORITY + 4 * line, 0)
        if not (status & MIE and enabled and self.pending() and priority >= self.registers.get(THRESHOLD, 0)):
            return
        vector = self.uc.reg_read(UC_RISCV_REG_MTVEC)
        self.uc.reg_write(UC_RISCV_REG_MEPC, self.uc.reg_read(UC_RISCV_REG_PC))
        self.uc.reg_write(UC_RISCV_REG_MCAUSE, 1 << 31 | line)
        self.uc.reg_write(UC_RISCV_REG_MSTATUS, status & ~MIE | MPIE | MPP)
        self.uc.reg_write(UC_RISCV_REG_PC, (vector & ~3) + 4 * line)

    def done(self):
        start = self.sent.rfind(b"# idle ")
        return start >= 0 and b"\n" in self.sent[start:]

    def run(self, seconds):
        self.uc.reg_write(UC_RISCV_REG_SP, STACK_TOP - 0x1000)
        pc, deadline = self.entry, time.monotonic() + seconds
        while not self.done() and time.monotonic() < deadline:
            self.uc.emu_start(pc, 0xFFFFFFFF, count=SLICE)
            if self.coming and len(self.line) < QUEUE:
                self.line.append(self.coming.pop(0))
            self.interrupt()
            pc = self.uc.reg_read(UC_RISCV_REG_PC)
        return self.done()


def without_own_registers(code):
    """Takes out the accesses to control registers that only this chip has (7A0 to 81F)."""
    code = bytearray(code)
    for at in range(0, len(code) - 3, 2):
        (word,) = struct.unpack_from("<I", code, at)
        if word & 0x7F == 0x73 and word >> 12 & 3 and 0x7A0 <= word >> 20 <= 0x81F:
            struct.pack_into("<I", code, at, 0x13)
    return bytes(code)


def main():
    octets = open(sys.argv[2], "rb").read()
    chip = Chip(ELFFile(open(sys.argv[1], "rb")), octets)
    try:
        done = chip.run(float(sys.argv[3]) if len(sys.argv) > 3 else 60)
    except UcError as error:
        done = False
        print(f"stopped at {chip.uc.reg_read(UC_RISCV_REG_PC):#x}: {error}", file=sys.stderr)
    sys.stdout.buffer.write(bytes(chip.sent))
    if not done:
        print(f"no end; at {chip.uc.reg_read(UC_RISCV_REG_PC):#x}", file=sys.stderr)
        sys.exit(1)
    print(f"# stack {chip.top - chip.lowest}")


main()
