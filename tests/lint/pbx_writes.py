#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pbx_writes.py [ROOT]: nothing is written to a PBX but by the one function of collector/link, and that only what
parsers/ami_action.c made of a closed list of actions and headers.

 - Whatever hands bytes to a descriptor, opens a connection or could do so unseen is used only in the functions named here.
 - A struct ami_action_text is filled by ami_action_… functions alone, and read by ami_transport_send alone.
 - ami_action.c takes no name of an action or header from outside: header names are literals of a closed set, the action's is
   that of the enum.
 - No other text anywhere looks like an action, and none in the link like a line of AMI.
"""
import pathlib
import re
import sys

import source

# Names that write, by the function that may use each, and what to.
WRITERS = {
    "collector/link/ami_transport.c": {"send_some": {"send", "ami_tls_write"}, "ami_transport_connect": {"socket", "connect"}},
    "collector/link/ami_tls.c": {"ami_tls_write": {"ami_tls_write", "SSL_write_ex"}},
    "collector/link/ami_tls.h": {"ami_tls_write": {"ami_tls_write"}},
    "collector/base/log.c": {None: {"write"}},  # stderr
    "collector/base/notify.c": {None: {"sendto", "socket"}},  # systemd's socket
    "collector/users/users_file.c": {None: {"fdopen"}},  # a file
    "collector/commands/recording.c": {None: {"fdopen"}},  # a file
    "web/sse.c": {None: {"write"}},  # an eventfd of its own
    "web/listen.c": {None: {"socket"}},  # that browsers come to
}
NAMES = """send sendto sendmsg sendmmsg write writev pwrite pwritev pwritev2 dprintf vdprintf splice vmsplice tee sendfile
    copy_file_range aio_write aio_write64 lio_listio process_vm_writev io_uring_enter syscall __asm__ asm dlopen dlsym fdopen popen
    SSL_write SSL_write_ex SSL_write_ex2 SSL_write_early_data SSL_sendfile SSL_set_bio SSL_get_wbio BIO_write BIO_write_ex
    BIO_puts BIO_printf BIO_new_socket BIO_new_connect bufferevent_write bufferevent_write_buffer bufferevent_socket_new
    bufferevent_openssl_socket_new bufferevent_get_output evbuffer_add evbuffer_add_printf evbuffer_write evbuffer_write_atmost
    socket socketpair connect ami_tls_write""".split()
# A call, or the function's name passed or kept as a value; not a member, nor a variable that is called so.
USE = re.compile(r"(?<![\w.])(?<!->)(?<!\(\*)\b(" + "|".join(sorted(NAMES, key=len, reverse=True))
                 + r")\b(?=\s*\()|(?<=[=(,&?:])\s*&?\b(" + "|".join(NAMES) + r")\b(?=\s*[;,):?])")
FUNCTION = re.compile(r"^(?!#)[A-Za-z_][\w\s*]*?\b(\w+)\s*\(", re.M)

ACTIONS = "parsers/ami_action.c"
HEADERS = {"Action", "ActionID", "AuthType", "Username", "Key", "Secret", "Events", "EventMask", "BridgeUniqueid", "Conference"}
# Who may be handed a struct ami_action_text to fill or to send.
TAKERS = re.compile(r"ami_action_\w+|ami_snapshot_next|ami_transport_send|send_action")


def functions(text):
    """(line, name) of each function that begins at the left margin."""
    for match in FUNCTION.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match[1]


def enclosing(starts, line):
    name = None
    for begin, function in starts:
        if begin > line:
            break
        name = function
    return name


def writers(path, text):
    allowed, starts = WRITERS.get(path.as_posix(), {}), list(functions(text))
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*#\s*include", line):
            continue
        for match in USE.finditer(line):
            function = enclosing(starts, number)
            used = match[1] or match[2]
            if used not in allowed.get(None, ()) and used not in allowed.get(function, ()):
                yield f"{path}:{number}: {used}: only {', '.join(WRITERS)} may, each in one place"


def action_texts(path, text):
    """Uses of a struct ami_action_text outside of the file that writes it."""
    name = path.as_posix()
    if name in (ACTIONS, "parsers/ami_action.h"):
        return
    starts = list(functions(text))
    variables = set(re.findall(r"struct ami_action_text\s*\*?\s*(\w+)\s*[;,)=]", text))
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"struct ami_action_text\s*\)|struct ami_action_text\s+\w+\s*(=|\[)", line):
            yield f"{path}:{number}: a struct ami_action_text is made by the functions of parsers/ami_action.h only"
        for variable in variables:
            if re.search(rf"\b{variable}\s*(->|\.)\s*(bytes|n)\b", line) and not (
                    name == "collector/link/ami_transport.c" and enclosing(starts, number) == "ami_transport_send"):
                yield f"{path}:{number}: nobody but ami_transport_send looks into an action's text"
            for taker in re.findall(rf"(\w+)\s*\([^()]*&{variable}\b", line):
                if not TAKERS.fullmatch(taker):
                    yield f"{path}:{number}: {taker}() may not have an action's text"


def inside(text, begin):
    """What stands between a parenthesis and the one that closes it."""
    depth, end = 1, begin
    while depth and end < len(text):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end += 1
    return text[begin:end - 1]


def action_writer(root):
    """What parsers/ami_action.c may do."""
    path = root / ACTIONS
    if not path.exists():
        return
    raw, text = path.read_text(), source.code(path.read_text())
    starts = list(functions(text))
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"(->|\.)bytes\b", line) and enclosing(starts, number) not in ("put", "finish"):
            yield f"{ACTIONS}:{number}: only put() and finish() write an action's bytes"
    for match in re.finditer(r"(?<!bool )\bput\s*\(", raw):
        number = raw.count("\n", 0, match.start()) + 1
        parts = [part.strip() for part in inside(raw, match.end()).split(",", 2)]
        header = re.fullmatch(r'"(\w+)"', parts[1]) if len(parts) == 3 else None
        if not header or header[1] not in HEADERS:
            yield f"{ACTIONS}:{number}: {parts[1] if len(parts) > 1 else match[0]} is no header of the closed set"
        elif header[1] == "Action" and parts[2] != "slice_from(ami_action_name(action))":
            yield f"{ACTIONS}:{number}: the action's name is that of the enum"


def prototypes(root):
    """The link's socket takes only struct ami_action_text; nothing that writes one takes a C string."""
    for name, what, fault in (
            ("collector/link/ami_transport.h", r"ami_transport_send\w*\([^)]*\)", "does not take a struct ami_action_text"),
            ("parsers/ami_action.h", r"\bami_action_\w+\([^)]*\)", "takes text that is not a value")):
        path = root / name
        for prototype in re.findall(what, source.code(path.read_text()), re.S) if path.exists() else ():
            bad = "const struct ami_action_text *" not in prototype if "transport" in name else "char *" in prototype
            if bad:
                yield f"{name}: {' '.join(prototype.split())} {fault}"


def literals(path, raw):
    name = path.as_posix()
    if name == ACTIONS:
        return
    link = name.startswith(("collector/link/", "parsers/"))
    for number, line in enumerate(raw.splitlines(), 1):
        if re.search(r'"[^"]*\bAction(ID)?\s*:', line, re.I):
            yield f"{path}:{number}: only {ACTIONS} writes actions"
        elif link and re.search(r'"[^"]*\\r\\n', line):
            yield f"{path}:{number}: only {ACTIONS} writes lines of AMI"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    faults = []
    for path in source.files(root, ["parsers", "collector", "web"]):
        raw = (root / path).read_text()
        text = source.code(raw)
        faults += [*writers(path, text), *action_texts(path, text), *literals(path, raw)]
    source.finish("writes to a PBX", faults + list(action_writer(root)) + list(prototypes(root)))


main()
