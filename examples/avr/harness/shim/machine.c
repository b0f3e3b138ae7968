/* An ATmega324PA in simavr with what simavr leaves out: a receive FIFO as short as the chip's, with the time from an octet
 * being there to its being read; an EEPROM that takes its time and can be cut in the middle of an octet; and, for measuring,
 * marks that a program sets by writing to GPIOR0, with the cycles between them by the address of the instruction. */
#include <simavr/sim_avr.h>
#include <simavr/sim_cycle_timers.h>
#include <simavr/sim_elf.h>
#include <simavr/sim_interrupts.h>
#include <simavr/sim_io.h>
#include <simavr/avr_ioport.h>
#include <simavr/avr_uart.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { GPIOR0 = 0x3E, EECR = 0x3F, EEDR = 0x40, EEARL = 0x41, EEARH = 0x42, EIFR = 0x3C, EIMSK = 0x3D, EICRA = 0x69, GPIOR1 = 0x4A, GPIOR2 = 0x4B };
enum { EERE = 1, EEPE = 2, EEMPE = 4 };
enum { RAM = 0x100, PAINT = 0xC5, EEPROM = 1024 };

static const uint16_t udr[2] = { 0xC6, 0xCE }, ucsra[2] = { 0xC0, 0xC8 };
static const uint8_t rx_vector[2] = { 20, 28 };

typedef struct {
    uint8_t *octets;
    size_t len, at, room;
} queue_t;

static void push(queue_t *q, uint8_t octet) {
    if (q->at > 65536) {
        memmove(q->octets, q->octets + q->at, q->len - q->at);
        q->len -= q->at;
        q->at = 0;
    }
    if (q->len == q->room) {
        q->room = q->room ? q->room * 2 : 1024;
        q->octets = realloc(q->octets, q->room);
    }
    q->octets[q->len++] = octet;
}

struct machine;

typedef struct {
    struct machine *machine;
    int number;
    avr_int_vector_t *vector;
    uint64_t octet_time; /* cycles from start bit to stop bit */
    queue_t line;        /* octets that are still to come */
    int shifting;
    uint8_t fifo[3]; /* two, and the one in the shift register */
    uint64_t ready[3];
    int held;
    uint64_t worst; /* cycles from ready to read */
    uint32_t lost;
    queue_t sent;
} port_t;

typedef struct machine {
    avr_t *avr;
    port_t port[2];
    uint8_t eeprom[EEPROM], old, new;
    avr_int_vector_t int2;
    int busy, cell, int2_high;
    uint64_t armed;
    uint32_t programmed;
    uint32_t static_ram, flash;
    uint16_t sp[3], lowest;
    uint32_t resets;
    /* measuring */
    const uint8_t *script;
    size_t script_len, script_at;
    const uint8_t *chunks;
    size_t chunk_count, chunk_at;
    uint64_t mark;
    int between; /* a mark that starts, and none yet that ends */
    uint64_t *spent; /* by word of flash */
    uint32_t *costs;
    size_t cost_count;
} machine_t;

static void no_sleep(avr_t *avr, avr_cycle_count_t how_long) { (void)avr, (void)how_long; }

static void show(port_t *p) {
    avr_t *avr = p->machine->avr;
    if (p->held) avr_raise_interrupt(avr, p->vector);
    else avr_clear_interrupt(avr, p->vector);
}

static avr_cycle_count_t octet_over(avr_t *avr, avr_cycle_count_t when, void *param) {
    port_t *p = param;
    uint8_t octet = p->line.octets[p->line.at++];
    int enabled = avr->data[ucsra[p->number] + 1] & 0x10; /* RXEN */
    if (p->held == 3) p->lost++;
    else if (enabled) {
        p->fifo[p->held] = octet;
        p->ready[p->held++] = when;
        show(p);
    }
    if (p->line.at < p->line.len) return when + p->octet_time;
    p->shifting = 0;
    return 0;
}

static uint8_t udr_read(avr_t *avr, avr_io_addr_t addr, void *param) {
    port_t *p = param;
    if (p->held) {
        uint64_t late = avr->cycle - p->ready[0];
        if (late > p->worst) p->worst = late;
        avr->data[addr] = p->fifo[0];
        p->held--;
        memmove(p->fifo, p->fifo + 1, 2);
        memmove(p->ready, p->ready + 1, 2 * sizeof p->ready[0]);
        avr_clear_interrupt(avr, p->vector);
        avr_regbit_clear(avr, p->vector->raised);
        show(p);
    }
    return avr->data[addr];
}

static void on_sent(struct avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq;
    push(&((port_t *)param)->sent, value & 0xFF);
}

static avr_cycle_count_t programmed(avr_t *avr, avr_cycle_count_t when, void *param) {
    machine_t *m = param;
    (void)when;
    m->eeprom[m->cell] = m->new;
    m->busy = 0;
    avr->data[EECR] &= ~EEPE;
    return 0;
}

static void eecr_write(avr_t *avr, avr_io_addr_t addr, uint8_t value, void *param) {
    machine_t *m = param;
    int cell = (avr->data[EEARL] | avr->data[EEARH] << 8) & (EEPROM - 1);
    if (value & EEPE && !m->busy && avr->cycle - m->armed <= 6) {
        int mode = value >> 4 & 3;
        m->cell = cell;
        m->old = m->eeprom[cell];
        m->new = mode == 0 ? avr->data[EEDR] : mode == 1 ? 0xFF : m->old & avr->data[EEDR];
        m->busy = 1;
        m->programmed++;
        avr_cycle_timer_register_usec(avr, mode == 0 ? 3400 : 1800, programmed, m);
    } else if (value & EEMPE && !(value & EEPE)) {
        m->armed = avr->cycle;
    }
    if (value & EERE && !m->busy) avr->data[EEDR] = m->eeprom[cell];
    avr->data[addr] = (value & 0x38) | (m->busy ? EEPE : 0);
}

static void add_cost(machine_t *m, uint32_t cost) {
    m->costs = realloc(m->costs, (m->cost_count + 1) * sizeof *m->costs);
    m->costs[m->cost_count++] = cost;
}

static void mark_write(avr_t *avr, avr_io_addr_t addr, uint8_t value, void *param) {
    machine_t *m = param;
    avr->data[addr] = value;
    uint16_t at = avr->data[GPIOR1] | avr->data[GPIOR2] << 8;
    switch (value) {
    case 1:
        m->mark = avr->cycle;
        m->between = 1;
        break;
    case 2: /* less the instruction that sets the mark */
        add_cost(m, avr->cycle - m->mark - 1);
        m->between = 0;
        break;
    case 3: { /* the program wants octets at the address in GPIOR2:1, behind their number */
        add_cost(m, 0);
        size_t n = m->chunk_at < m->chunk_count ? m->chunks[m->chunk_at++] : 0;
        if (n > m->script_len - m->script_at) n = m->script_len - m->script_at;
        avr->data[at] = n;
        memcpy(avr->data + at + 1, m->script + m->script_at, n);
        m->script_at += n;
        break;
    }
    }
}

machine_t *machine_new(const char *elf, uint32_t hertz) {
    elf_firmware_t firmware;
    memset(&firmware, 0, sizeof firmware);
    if (elf_read_firmware(elf, &firmware)) return 0;
    avr_t *avr = avr_make_mcu_by_name("atmega324pa");
    if (!avr) return 0;
    avr_init(avr);
    avr->log = LOG_ERROR;
    strncpy(firmware.mmcu, "atmega324pa", sizeof firmware.mmcu - 1);
    firmware.frequency = hertz;
    avr_load_firmware(avr, &firmware);
    avr->sleep = no_sleep;
    memset(avr->data + RAM, PAINT, avr->ramend - RAM + 1);
    machine_t *m = calloc(1, sizeof *m);
    m->avr = avr;
    m->static_ram = firmware.datasize + firmware.bsssize;
    m->flash = firmware.flashsize;
    m->spent = calloc((avr->flashend + 1) / 2, sizeof *m->spent);
    m->lowest = m->sp[0] = m->sp[1] = m->sp[2] = avr->ramend;
    memset(m->eeprom, 0xFF, EEPROM);
    for (int i = 0; i < 2; i++) {
        port_t *p = &m->port[i];
        uint32_t flags = 0;
        p->machine = m;
        p->number = i;
        p->octet_time = 960;
        avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0' + i), &flags);
        avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0' + i), UART_IRQ_OUTPUT), on_sent, p);
        for (int v = 0; v < avr->interrupts.vector_count; v++)
            if (avr->interrupts.vector[v]->vector == rx_vector[i]) p->vector = avr->interrupts.vector[v];
        avr->io[AVR_DATA_TO_IO(udr[i])].r.c = udr_read;
        avr->io[AVR_DATA_TO_IO(udr[i])].r.param = p;
    }
    avr->io[AVR_DATA_TO_IO(EECR)].w.c = eecr_write;
    avr->io[AVR_DATA_TO_IO(EECR)].w.param = m;
    avr->io[AVR_DATA_TO_IO(GPIOR0)].w.c = mark_write;
    avr->io[AVR_DATA_TO_IO(GPIOR0)].w.param = m;
    return m;
}

void machine_free(machine_t *m) {
    avr_terminate(m->avr);
    for (int i = 0; i < 2; i++) free(m->port[i].line.octets), free(m->port[i].sent.octets);
    free(m->costs);
    free(m->spent);
    free(m->avr);
    free(m);
}

/* Until the cycle, or until the program stops. 0: runs on, 1: sleeps for good, 2: crashed. */
int machine_run(machine_t *m, uint64_t until) {
    avr_t *avr = m->avr;
    while (avr->cycle < until) {
        /* The instructions that set the marks are not between them: before the first nothing is, behind the second nothing. */
        int between = m->between;
        uint64_t before = avr->cycle;
        uint32_t at = avr->pc;
        int state = avr_run(avr);
        if (between && m->between) m->spent[at / 2] += avr->cycle - before;
        if (state == cpu_Done) return 1;
        if (state == cpu_Crashed) return 2;
        if (avr->pc == 0) m->resets++;
        /* The stack pointer is set in two halves: what holds for three instructions is meant. */
        uint16_t sp = avr->data[R_SPL] | avr->data[R_SPH] << 8, most = sp;
        if (m->sp[0] > most) most = m->sp[0];
        if (m->sp[1] > most) most = m->sp[1];
        m->sp[1] = m->sp[0];
        m->sp[0] = sp;
        if (most < m->lowest && most >= RAM) m->lowest = most;
    }
    return 0;
}

uint64_t machine_cycle(const machine_t *m) { return m->avr->cycle; }
uint32_t machine_pc(const machine_t *m) { return m->avr->pc; }
uint8_t machine_peek(const machine_t *m, uint16_t at) { return m->avr->data[at]; }
uint8_t *machine_eeprom(machine_t *m) { return m->eeprom; }
uint32_t machine_programmed(const machine_t *m) { return m->programmed; }
uint32_t machine_static_ram(const machine_t *m) { return m->static_ram; }
uint32_t machine_flash(const machine_t *m) { return m->flash; }
uint32_t machine_resets(const machine_t *m) { return m->resets; }

/* Octets of stack at its deepest: by the stack pointer, or by what is written over, whichever is more. */
uint32_t machine_stack(const machine_t *m) {
    uint32_t by_sp = m->avr->ramend - m->lowest, at = RAM + m->static_ram;
    while (at <= m->avr->ramend && m->avr->data[at] == PAINT) at++;
    uint32_t by_paint = m->avr->ramend + 1 - at;
    return by_sp > by_paint ? by_sp : by_paint;
}

/* The power goes: an octet that is being programmed is left with some of its bits changed. */
void machine_cut(machine_t *m, uint8_t which) {
    if (m->busy) m->eeprom[m->cell] = (m->old & which) | (m->new & ~which);
}

void machine_octet_time(machine_t *m, int port, uint64_t cycles) { m->port[port].octet_time = cycles; }

void machine_feed(machine_t *m, int port, const uint8_t *octets, size_t len) {
    port_t *p = &m->port[port];
    for (size_t i = 0; i < len; i++) push(&p->line, octets[i]);
    if (len && !p->shifting) {
        p->shifting = 1;
        avr_cycle_timer_register(m->avr, p->octet_time, octet_over, p);
    }
}

size_t machine_waiting(const machine_t *m, int port) { return m->port[port].line.len - m->port[port].line.at; }
uint64_t machine_worst(const machine_t *m, int port) { return m->port[port].worst; }
uint32_t machine_lost(const machine_t *m, int port) { return m->port[port].lost; }

size_t machine_sent(machine_t *m, int port, uint8_t *into, size_t room) {
    queue_t *q = &m->port[port].sent;
    size_t n = q->len - q->at;
    if (n > room) n = room;
    if (n) memcpy(into, q->octets + q->at, n);
    q->at += n;
    if (q->at == q->len) q->at = q->len = 0;
    return n;
}

/* INT2 at PB2, falling edge: simavr does not connect it. */
static void int2(machine_t *m, int high) {
    avr_t *avr = m->avr;
    avr_int_vector_t *vector = 0;
    int falls = m->int2_high && !high && (avr->data[EICRA] & 0x30) == 0x20;
    m->int2_high = high;
    for (int v = 0; v < avr->interrupts.vector_count; v++)
        if (avr->interrupts.vector[v]->vector == 3) vector = avr->interrupts.vector[v];
    if (!vector) {
        vector = &m->int2;
        vector->vector = 3;
        vector->enable.reg = EIMSK, vector->enable.bit = 2, vector->enable.mask = 1;
        vector->raised.reg = EIFR, vector->raised.bit = 2, vector->raised.mask = 1;
        avr_register_vector(avr, vector);
    }
    if (falls) avr_raise_interrupt(avr, vector);
}

void machine_pin(machine_t *m, char port, int pin, int high) {
    if (port == 'B' && pin == 2) int2(m, high);
    avr_raise_irq(avr_io_getirq(m->avr, AVR_IOCTL_IOPORT_GETIRQ(port), pin), high);
}

void machine_script(machine_t *m, const uint8_t *octets, size_t len, const uint8_t *chunks, size_t count) {
    m->script = octets, m->script_len = len, m->script_at = 0;
    m->chunks = chunks, m->chunk_count = count, m->chunk_at = 0;
}

size_t machine_spent(const machine_t *m, const uint64_t **spent) {
    *spent = m->spent;
    return (m->avr->flashend + 1) / 2;
}

size_t machine_costs(const machine_t *m, const uint32_t **costs) {
    *costs = m->costs;
    return m->cost_count;
}
