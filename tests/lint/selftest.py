#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A lint that finds nothing proves nothing: each is fed one good tree, which it must pass, and bad
samples, each of which it must refuse with the words given here."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

LINT = pathlib.Path(__file__).resolve().parent
SPDX = "/* SPDX-License-Identifier: MIT */\n"
GOOD_H = (SPDX + "#ifndef PARSERS_A_H\n#define PARSERS_A_H\n\n/* Says one. */\nint a(void);\n"
          "int b(void);\n\n#endif\n")
GOOD = {
    "parsers/a.h": GOOD_H,
    "parsers/a.c": SPDX + '#include "parsers/a.h"\n\nint a(void)\n{\n    return 1;\n}\n',
    "collector/link/l.c": SPDX + '#include "collector/base/buf.h"\n#include <event2/event.h>\n',
    "collector/main.c": SPDX + '#include "web/http.h"\n',
    "collector/view/v.c": SPDX + '#include "web/web_source.h"\n/* sprintf(x) */\nchar *s = "rand()";\n',
    "collector/base/log.c": SPDX + "void f(void)\n{\n    write(2, 0, 0);\n}\n",
    "collector/link/ami_transport.c": SPDX + "static int send_some(int fd)\n{\n    send(fd, 0, 0, 0);\n}\n"
                                      "bool ami_transport_send(int t, const struct ami_action_text *action)\n{\n"
                                      "    return buf_put(t, action->bytes, action->n);\n}\n",
    "parsers/ami_action.c": SPDX + "static bool put(struct ami_action_text *text)\n{\n    text->bytes[0] = 1;\n}\n"
                            "bool f(void)\n{\n    return put(t, \"Action\", slice_from(ami_action_name(action))) &&\n"
                            "           put(t, \"Username\", user->name);\n}\n",
    "collector/state/s.c": SPDX + "int f(void)\n{\n    o->write(o, 1);\n    bool write = o.send;\n    return write;\n}\n",
}
LONG = "int f(int x)\n{\n" + "    x++;\n" * 100 + "    return x;\n}\n"
FORKED = "int f(int x)\n{\n" + "    if (x)\n        x++;\n" * 21 + "    return x;\n}\n"
PROTOTYPE = (SPDX + "#ifndef PARSERS_X_H\n#define PARSERS_X_H\n\n/* A type. */\nstruct x {\n    int a;\n};\n\nint x(void);\n"
             "\n#endif\n")

# lint, file, its text, what is said
BAD = [
    ("layers.py", "parsers/x.c", '#include "collector/base/log.h"\n', "stands to the right"),
    ("layers.py", "parsers/x.c", "#include <event2/event.h>\n", "is not for parsers"),
    ("layers.py", "parsers/x.c", "#include <curl/curl.h>\n", "no header of the C library"),
    ("layers.py", "collector/base/x.c", '#include "collector/link/ami_link.h"\n', "to the right"),
    ("layers.py", "collector/commands/x.c", '#include "web/http.h"\n', "may not be included"),
    ("layers.py", "collector/link/x.c", '#include "web/web_source.h"\n', "may not be included"),
    ("layers.py", "collector/state/x.c", "#include <microhttpd.h>\n", "is not for"),
    ("layers.py", "web/x.c", '#include "collector/base/log.h"\n', "may not be included"),
    ("layers.py", "web/x.c", '#include "parsers/slice.h"\n', "may not be included"),
    ("layers.py", "collector/new/x.c", "\n", "stands in no room"),
    ("layers.py", "collector/x.c", "\n", "stands in no room"),
    *[("pbx_writes.py", "collector/link/x.c", f"void f(int s)\n{{\n    {call};\n}}\n", said) for call, said in (
        ('send(s, "a", 1, 0)', "send:"), ('write (s, "a", 1)', "write:"), ("writev(s, v, 1)", "writev:"),
        ("sendmsg(s, &m, 0)", "sendmsg:"), ('dprintf(s, "a")', "dprintf:"), ("SSL_write(ssl, p, n)", "SSL_write:"),
        ("int (*w)() = write", "write:"), ("use(s, send)", "send:"), ("w = &sendto", "sendto:"),
        ("syscall(1, s, p, n)", "syscall:"), ('fdopen(s, "w")', "fdopen:"), ("s = socket(1, 2, 3)", "socket:"),
        ("bufferevent_write(b, p, n)", "bufferevent_write:"), ("ami_tls_write(s, p, n, &n)", "ami_tls_write:"),
        ("splice(a, 0, s, 0, n, 0)", "splice:"), ("struct ami_action_text a = {0}", "is made by"),
        ("struct ami_action_text a; a.n = 4", "looks into"), ("struct ami_action_text a; g(memcpy(&a, p, 9))", "memcpy()"),
        ('char *a = "Action: Originate\\r\\n"', "writes actions"), ('char *a = "ActionID: 1"', "writes actions"),
        ('char *a = "Channel: PJSIP/1\\r\\n"', "writes lines of AMI"))],
    ("pbx_writes.py", "collector/link/ami_transport.c",
     "static void other(struct ami_transport *t)\n{\n    send(t->fd, t->p, t->n, 0);\n}\n", "send:"),
    ("pbx_writes.py", "collector/link/ami_transport.c",
     "void other(const struct ami_action_text *a)\n{\n    buf_put(out, a->bytes, a->n);\n}\n", "looks into"),
    ("pbx_writes.py", "collector/link/ami_transport.h",
     "bool ami_transport_send(struct ami_transport *t, struct slice s);\n", "does not take"),
    ("pbx_writes.py", "parsers/ami_action.h", "bool ami_action_free(const char *text, struct ami_action_text *t);\n", "takes text"),
    ("pbx_writes.py", "parsers/ami_action.c", 'bool f(void)\n{\n    return put(t, "Application", v);\n}\n', "closed set"),
    ("pbx_writes.py", "parsers/ami_action.c", "bool f(void)\n{\n    return put(t, name, v);\n}\n", "closed set"),
    ("pbx_writes.py", "parsers/ami_action.c", 'bool f(void)\n{\n    return put(t, "Action", v);\n}\n', "is that of the enum"),
    ("pbx_writes.py", "parsers/ami_action.c", "void f(void)\n{\n    t->bytes[0] = 1;\n}\n", "only put() and finish()"),
    ("pbx_writes.py", "web/x.c", 'void f(int s)\n{\n    send(s, "a", 1, 0);\n}\n', "send:"),
    ("banned.py", "web/x.c", "void f(char *a)\n{\n    strcpy(a, a);\n}\n", "strcpy()"),
    ("banned.py", "tests/unit/base/x.c", "int i = atoi (s);\n", "atoi()"),
    ("banned.py", "collector/base/x.c", "t = (localtime(&n));\n", "localtime()"),
    ("headers.py", "parsers/x.h", PROTOTYPE, "x() has no comment"),
    ("headers.py", "parsers/x.h", GOOD_H, "include guard is not PARSERS_X_H"),
    ("headers.py", "parsers/x.c", "int a;\n", "SPDX line is missing"),
    ("sizes.py", "parsers/x.c", LONG, "f() has 104 lines"),
    ("sizes.py", "parsers/x.c", FORKED, "f() has complexity 22"),
    ("sizes.py", "web/x.c", "int f(int a, int b, int c, int d, int e, int g)\n{\n}\n", "6 parameters"),
    ("sizes.py", "web/x.c", "int x;\n" * 800, "has 800 lines"),
    ("sizes.py", "web/x.c", "".join(LONG.replace("f(", f"f{i}(").replace("    x++;\n" * 100, "x++;\n" * 40)
                                    for i in range(5)), "the median function"),
]


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def run(command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)


def check(root, lint, expected):
    """What is wrong with a lint's verdict on this tree; expected None: it must pass."""
    result = run([sys.executable, str(LINT / lint), str(root)])
    if expected is None:
        return f"{lint} refuses a good tree:\n{result.stdout}" if result.returncode else None
    if result.returncode == 0 or expected not in result.stdout:
        return f"{lint} does not say '{expected}':\n{result.stdout}"
    return None


def tool_faults(root):
    """The tools that run.sh calls, with a sample each; and a program without hardening."""
    write(root, "x.c", "int  main(void){return 0;}\n")
    shutil.copy(LINT.parents[1] / ".clang-format", root)
    if run(["clang-format-14", "--dry-run", "-Werror", str(root / "x.c")]).returncode == 0:
        yield "clang-format does not refuse a bad file"
    write(root, "y.c", "int f(void)\n{\n    int a[2];\n    return a[2];\n}\n")
    if run(["cppcheck", "-q", "--error-exitcode=1", str(root / "y.c")]).returncode == 0:
        yield "cppcheck does not refuse a bad file"
    run(["gcc", "-no-pie", "-fno-stack-protector", "-o", str(root / "x"), str(root / "x.c")])
    said = run([str(LINT / "hardening.sh"), str(root / "x")])
    if said.returncode == 0 or "is not position independent" not in said.stdout:
        yield f"hardening.sh passes a bad program:\n{said.stdout}"


def main():
    faults = []
    for lint in ["layers.py", "pbx_writes.py", "banned.py", "headers.py", "sizes.py"]:
        with tempfile.TemporaryDirectory() as name:
            for path, text in GOOD.items():
                write(pathlib.Path(name), path, text)
            faults.append(check(name, lint, None))
    for lint, path, text, expected in BAD:
        with tempfile.TemporaryDirectory() as name:
            write(pathlib.Path(name), path, text)
            faults.append(check(name, lint, expected))
    with tempfile.TemporaryDirectory() as name:
        faults += tool_faults(pathlib.Path(name))
    faults = [fault for fault in faults if fault]
    for fault in faults:
        print(fault)
    print(f"lint: self-test of {len(BAD) + 3} bad samples {'FAILED' if faults else 'ok'}")
    sys.exit(1 if faults else 0)


main()
