# SPDX-License-Identifier: MIT
"""What `amitap audit` says of accounts of the lab's PBX, and the lab under exactly the manager.conf that it prints."""
import collections
import json
import re
import subprocess

import lab as laboratory

# What any account may do on Asterisk 22.10, with an empty write= too: as README.md and the issues have it.
EVERY_ACCOUNT = {"BridgeDestroy", "BridgeKick", "BridgeTechnologySuspend", "BridgeTechnologyUnsuspend",
                 "QueueChangePriorityCaller", "QueueReload", "QueueReset", "QueueWithdrawCaller"}
BY_REPORTING = {"Getvar", "LoggerRotate", "PJSIPQualify", "PJSIPRegister", "PJSIPUnregister", "Status"}
CONFIGURATION = """\
pbx main {{
  host = 127.0.0.1
  port = {port}
  user = {user}
  secret = '{user}secret'
  trunks = {{ "PJSIP/carrier" }}
  drift_interval = 3
  {more}
}}
"""
# As the printed account, but for its filters: what there would be to see.
UNFILTERED = "\n[unfiltered]\nsecret = unfilteredsecret\nread = system,call,agent,dialplan,agi,user,cdr\nwrite =\n"
EXAMPLE = laboratory.HERE / "../../examples/manager.conf"


def audit(lab, amitap, user, folder, more=""):
    """The exit status and what --json printed."""
    file = folder / f"audit-{user}.conf"
    file.write_text(CONFIGURATION.format(port=lab.ports["PBX_AMI"], user=user, more=more))
    done = subprocess.run([amitap, "audit", "-c", file, "--json"], stdout=subprocess.PIPE, timeout=30, check=False)
    return done.returncode, json.loads(done.stdout or b"{}")


def by_class(found):
    classes = collections.defaultdict(set)
    for action in found.get("changes", ()):
        classes[action["class"]].add(action["action"])
    return dict(classes)


def effective(text):
    """The lines that Asterisk reads, by section, without what is another one on each machine."""
    lines = [re.sub(r"\s*(?<!\\);.*", "", line).strip() for line in text.splitlines()]
    return [re.sub(r"^(secret|port|permit) = .*", r"\1", line) for line in lines if line]


def check_accounts(lab, amitap, folder, checks):
    """An account with write=reporting, the least of all, and one that may do all; the section for the first."""
    status, found = audit(lab, amitap, "tap", folder)
    checks.say(status == 1 and by_class(found) == {"": EVERY_ACCOUNT, "reporting": BY_REPORTING},
               f"audit: write=reporting can {', '.join(sorted(by_class(found).get('reporting', '')))}")
    status, least = audit(lab, amitap, "narrow", folder, "list_channels = no")
    checks.say(status == 0 and by_class(least) == {"": EVERY_ACCOUNT},
               f"audit: an empty write= can still {', '.join(sorted(by_class(least).get('', '')))}")
    checks.say("\nwrite =  ;" in least["section"], "the section for list_channels = no has an empty write=")
    status, most = audit(lab, amitap, "admin", folder)
    unknown = [action["action"] for action in most["changes"] if not action["known"]]
    checks.say(status == 1 and not unknown and {"Originate", "Command"} <= {a["action"] for a in most["changes"]},
               f"audit: one with write=all can change by {len(most['changes'])} of {most['actions']} actions, unknown {unknown}")
    checks.say(effective(found["section"]) == effective(EXAMPLE.read_text()),
               "examples/manager.conf is what audit prints for this Asterisk")
    return found["section"]


def live_under(lab, section):
    """Lays the printed section into manager.conf in place of what was there of [general] and [tap], and reloads it."""
    file = lab.pbx_folder / "etc/manager.conf"
    others = [part for part in re.split(r"(?m)^(?=\[)", file.read_text()) if not part.startswith(("[general]", "[tap]"))]
    file.write_text(section.replace("secret = change-me", "secret = tapsecret") + UNFILTERED + "\n" + "".join(others))
    lab.cli("manager reload")


class Unfiltered:
    """Beside a tap, a session that sees the same classes without filters."""

    def __init__(self, lab, folder):
        self.path = folder / "unfiltered.raw"
        self.file = open(self.path, "wb")
        self.ami = laboratory.log_in(10, lab.ports["PBX_AMI"], "unfiltered", "unfilteredsecret", self.file)

    def stop(self):
        self.ami.close()
        self.file.close()

    def check(self, tapped, checks):
        """Says which share of events and bytes the filters save; tapped is what the tap got."""
        all_count, all_bytes = events(self.path.read_bytes())
        count, size = events(tapped)
        checks.say(0 < count < all_count, f"the section's filters save {100 * (1 - count / max(all_count, 1)):.0f} % of "
                   f"{all_count} events and {100 * (1 - size / max(all_bytes, 1)):.0f} % of {all_bytes} bytes")


def events(data):
    """How many events came that nobody asked for, and their bytes."""
    found = [block for block in data.split(b"\r\n\r\n") if block.startswith(b"Event: ") and b"\nActionID: " not in block]
    return len(found), sum(len(block) + 4 for block in found)
