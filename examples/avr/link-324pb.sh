#!/bin/sh
# Debian's avr-gcc is older than the ATmega324PB. The 324PA has the same core, memories and first 31 vectors, so its start-up
# code serves; the additional interrupts of the PB (USART2, TWI1, SPI1, timers 3 and 4) have no vectors and stay off.
for argument do
    shift
    case $argument in
        -mmcu=atmega324pb) argument=-mmcu=atmega324pa ;;
    esac
    set -- "$@" "$argument"
done
exec avr-gcc "$@"
