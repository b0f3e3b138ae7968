"""Times the Python libraries of the field on the files of a folder: `peers.py FOLDER`, in an environment that has them,
which `peers.py --install ENVIRONMENT` makes.

A file is one frame or telegram; its suffix says which: `.hdlc`, `.p1`, `.dlt645`. Prints a line for each library and
file: file name, library, nanoseconds (the shortest of several turns), parted by tabs; `-` for a time where the library
can't read the input, with the reason on standard error. Every contender verifies the check sequence and gives every value that it knows how to give.
"""

import logging
import subprocess
import sys
import time
import venv
from pathlib import Path

LIBRARIES = ["amshan==2.1.1", "gurux-dlms==1.0.203", "dsmr-parser==1.11.2", "dlt645==3.2.0"]
# dsmr-parser asks for an old one, for encrypted telegrams alone; the new one reads more, so it is put over it.
LAST = ["dlms-cosem==25.1.0"]

TURNS = 7
TURN_SECONDS = 0.02


def amshan_hdlc():
    from han import autodecoder, hdlc

    decoder = autodecoder.AutoDecoder()  # remembers which of its decoders took the last message

    def run(octets):
        (frame,) = hdlc.HdlcFrameReader(use_octet_stuffing=False, use_abort_sequence=False).read(octets)
        assert frame.is_valid
        assert decoder.decode_message_payload(frame.payload), "no decoder took it"

    return run


def gurux():
    from gurux_dlms import GXByteBuffer, GXDLMSClient, GXReplyData
    from gurux_dlms.enums import InterfaceType

    def run(octets):
        client = GXDLMSClient(True, 16, 1, interfaceType=InterfaceType.HDLC)
        reply, push = GXReplyData(), GXReplyData()
        buffer = GXByteBuffer(octets)
        client.getData(buffer, reply, push)
        value = push.value if push.value is not None else reply.value
        assert value is not None, "no value"

    return run


def dlms_cosem():
    from dlms_cosem import a_xdr, utils
    from dlms_cosem.hdlc import frames
    from dlms_cosem.protocol.xdlms import DataNotification

    def run(octets):
        frame = frames.UnnumberedInformationFrame.from_bytes(octets)
        notification = DataNotification.from_bytes(frame.payload[3:])
        assert utils.parse_as_dlms_data(notification.body) is not None

    return run


def dsmr_parser():
    from dsmr_parser import telegram_specifications as known
    from dsmr_parser.parsers import TelegramParser

    specification = {"NL 4.2": known.V4, "NL 5.0": known.V5, "BE": known.BELGIUM_FLUVIUS, "SE": known.SWEDEN}

    def run(octets, name):
        (chosen,) = (specification[key] for key in specification if key in name)
        TelegramParser(chosen).parse(octets.decode("latin-1"))

    return run


def amshan_p1():
    from han import dlde

    def run(octets):
        readout = dlde.DataReadout(octets)
        assert readout.is_valid
        assert dlde.decode_p1_readout(readout)

    return run


def dlt645():
    from dlt645.protocol.protocol import DLT645Protocol

    def run(octets):
        assert DLT645Protocol.deserialize(octets) is not None

    return run


PEERS = {
    ".hdlc": {"amshan": amshan_hdlc, "gurux-dlms": gurux, "dlms-cosem": dlms_cosem},
    ".p1": {"dsmr-parser": dsmr_parser, "amshan": amshan_p1},
    ".dlt645": {"dlt645": dlt645},
}


def measure(run):
    """The shortest time of one call, in nanoseconds, over several turns."""
    started = time.perf_counter_ns()
    run()
    once = max(time.perf_counter_ns() - started, 1)
    count = max(int(TURN_SECONDS * 1e9 / once), 1)
    best = once
    for _ in range(TURNS):
        started = time.perf_counter_ns()
        for _ in range(count):
            run()
        best = min(best, (time.perf_counter_ns() - started) / count)
    return round(best)


def install(environment):
    venv.create(environment, with_pip=True)
    for libraries in LIBRARIES, LAST:
        pip = [str(Path(environment) / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run(pip + libraries, check=True)


def main():
    if sys.argv[1] == "--install":
        return install(sys.argv[2])
    logging.disable(logging.CRITICAL)
    for file in sorted(Path(sys.argv[1]).iterdir()):
        octets = file.read_bytes()
        for name, make in PEERS.get(file.suffix, {}).items():
            try:
                run = make()
                call = (lambda: run(octets, file.stem)) if name == "dsmr-parser" else (lambda: run(octets))
                call()
                time_of_call = measure(call)
            except Exception as error:  # whatever a peer raises is its answer
                print(f"{file.name}: {name}: {type(error).__name__}: {error}", file=sys.stderr)
                time_of_call = "-"
            print(file.name, name, time_of_call, sep="\t")


if __name__ == "__main__":
    main()
