#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""terminal.py STEP... -- COMMAND...: runs the command in a pseudo-terminal of 80 columns and does the steps, in order.

wait:TEXT  until TEXT was said since the last step that was no wait (60 s at most)    key:TEXT  types it (\\x03 is Ctrl-C)
size:COLUMNSxROWS  the terminal's new size    kill:NAME  sends SIGNAME    close  the terminal goes away
run:COMMAND  a shell's, beside it

Prints all that was said, then a line "exit STATUS, terminal kept|changed". Status 1: a text did not come, or the command did not end.
"""
import fcntl, os, pty, select, signal, struct, subprocess, sys, termios, time

split = sys.argv.index("--")
steps, command = sys.argv[1:split], sys.argv[split + 1:]
master, slave = pty.openpty()
def size(columns, rows):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
size(80, 24)
before = termios.tcgetattr(slave)
child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                         preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
said, seen, closed = b"", 0, False
def hear(seconds):
    global said
    if closed:
        return time.sleep(seconds)
    if select.select([master], [], [], seconds)[0]:
        try:
            said += os.read(master, 65536)
        except OSError:
            pass
def fail(why):
    sys.stdout.buffer.write(said + b"\n")
    child.kill()
    sys.exit(why)
for step in steps:
    what, _, text = step.partition(":")
    if what == "wait":
        limit = time.monotonic() + 60
        while text.encode() not in said[seen:]:
            over = time.monotonic() > limit or child.poll() is not None # what it said last is still to be heard
            hear(0.1)
            if over and text.encode() not in said[seen:]:
                fail(f"\"{text}\" was not said")
        continue
    seen = len(said)
    if what == "key":
        os.write(master, text.encode().decode("unicode_escape").encode())
    elif what == "size":
        size(*map(int, text.split("x")))
    elif what == "kill":
        child.send_signal(getattr(signal, "SIG" + text))
    elif what == "run":
        subprocess.run(text, shell=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    elif what == "close":
        os.close(master); os.close(slave); closed = True
limit = time.monotonic() + 60
while child.poll() is None:
    if time.monotonic() > limit:
        fail("it does not end")
    hear(0.1)
while not closed and select.select([master], [], [], 0)[0]:
    said += os.read(master, 65536)
kept = "closed" if closed else "kept" if termios.tcgetattr(slave) == before else "changed"
sys.stdout.buffer.write(said)
print(f"\nexit {child.returncode}, terminal {kept}")
