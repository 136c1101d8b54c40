# SPDX-License-Identifier: MIT
"""More of what programs do with calls: AGI, ARI, originations, conferences, supervision.
The numbers are in config/pbx/more.conf."""
import os
from time import sleep

import peers
from scenarios_calls import calls, presses

agi_that_queues = calls("450", seconds=20, rest=20)
agi_that_hangs_up = calls("451", "452", "453", seconds=8, rest=9)
agi_in_queue = calls("431", seconds=2, rest=6)
conference_inside = calls("461", "609", seconds=4, rest=7)
conference_waits_for_nobody = calls("459", seconds=3, rest=5)
page_many = calls("462", seconds=4, rest=8)
page_locals = calls("463", seconds=4, rest=8)
originate_by_dialplan = calls("466", seconds=10, rest=14)
records_and_voicemail = calls("467", seconds=5, rest=6)
attended_by_application = calls("470", seconds=5, rest=6)
sets_of_all_kinds = calls("471", "472", "473", seconds=5, rest=7)
disa_calls_on = presses("474", "ww148wwwwwwwwwwww", rest=10)
authenticated = presses("475", "ww123#wwwwwwwwwwww", rest=10)
conference_menu = presses("460", "www2wwwwww4wwwww3wwww", rest=12)


def conference_marked(lab):
    """Two wait for the one who leads; when he leaves they go."""
    lab.call("459", seconds=14)
    sleep(1)
    lab.call("459", seconds=14)
    sleep(2)
    lab.call("458", seconds=4)
    sleep(14)


def conference_kicked(lab):
    """A member is thrown out by the manager, then all."""
    first, second = lab.number(), lab.number()
    first_is = lab.channel_of(lambda m: m.get("CallerIDNum") == first)
    lab.call("460", first, seconds=12)
    lab.call("460", second, seconds=12)
    channel = first_is()
    sleep(4)
    lab.call("460", seconds=12)
    sleep(2)
    lab.pbx.send(Action="ConfbridgeMute", Conference="named", Channel=channel)
    lab.pbx.send(Action="ConfbridgeStartRecord", Conference="named")
    sleep(1)
    lab.pbx.send(Action="ConfbridgeKick", Conference="named", Channel=channel)
    sleep(2)
    lab.pbx.send(Action="ConfbridgeStopRecord", Conference="named")
    lab.pbx.send(Action="ConfbridgeKick", Conference="named", Channel="all")
    sleep(4)


def conference_from_local(lab):
    """The manager brings a phone into a conference over Local, kept and not."""
    lab.call("609", seconds=10)
    sleep(1)
    for channel in ("Local/609@from-carrier/n", "Local/609@from-carrier"):
        lab.pbx.send(Action="Originate", Channel=channel, Context="internal", Exten="109", Priority="1", Async="true")
        sleep(1)
    sleep(2)
    lab.pbx.send(Action="Originate", Channel="PJSIP/101", Application="ConfBridge", Data="room1", Async="true")
    sleep(4)
    lab.cli("channel request hangup all")
    sleep(3)


def barged(lab):
    """ChanSpy that listens, whispers and joins; who is spied on is transferred meanwhile."""
    callee_is = lab.channel_of(lambda m: m["Channel"].startswith("PJSIP/109-"))
    lab.call("594", seconds=10)
    callee = callee_is()
    sleep(1)
    lab.call("464", seconds=8)
    lab.call("*33", caller="108", seconds=6)
    sleep(2)
    lab.pbx.send(Action="BlindTransfer", Channel=callee, Context="internal", Exten="148")
    sleep(8)
    lab.call("601", seconds=5)
    sleep(2)
    lab.call("465", seconds=2)
    lab.call("*34", caller="108", seconds=2)
    sleep(7)


def async_agi_dials(lab):
    """Applications by AsyncAGI: dial, queue, and hang-up in the middle of a command; a Redirect out of it."""
    for commands, pause in (((("EXEC Dial PJSIP/148,10"), "EXEC NoOp x", "HANGUP"), 4),
                            (("SET VARIABLE CDR(userfield) async", "EXEC Queue support,,,,10"), 6),
                            (("EXEC Playback beep", "EXEC Set CDR(userfield)=set", "EXEC Wait 1"), 1)):
        started = lab.event("AsyncAGIStart")
        lab.call("454", seconds=14)
        channel = started()["Channel"]
        for number, command in enumerate(commands):
            lab.pbx.send(Action="AGI", Channel=channel, Command=command, CommandID=f"c{number}")
            sleep(pause)
        lab.pbx.send(Action="Redirect", Channel=channel, Context="internal", Exten="148", Priority="1")
        sleep(2)
    sleep(9)


def originate_variants(lab):
    """With and without Async, an account, a caller id, another caller's identity, of Local, of nobody, into queues."""
    for more in ({"Channel": "Local/148@internal/n", "Context": "from-carrier", "Exten": "600", "Priority": "1"},
                 {"Channel": "PJSIP/109", "Context": "from-carrier", "Exten": "609", "Priority": "1", "Async": "true"},
                 {"Channel": "PJSIP/148", "Application": "Queue", "Data": "support,,,,5", "Async": "true"},
                 {"Channel": "PJSIP/148", "Application": "Dial", "Data": "PJSIP/109,10", "Async": "true"},
                 {"Channel": "PJSIP/nobody", "Application": "Wait", "Data": "1", "Async": "true"},
                 {"Channel": "PJSIP/103", "Application": "Wait", "Data": "1", "Async": "true", "Timeout": "1000"},
                 {"Channel": "Local/103@internal", "Application": "Wait", "Data": "1", "Async": "true", "Timeout": "2000"},
                 {"Channel": "Local/148@nowhere", "Application": "Wait", "Data": "1", "Async": "true"},
                 {"Channel": "PJSIP/148", "Context": "nowhere", "Exten": "1", "Priority": "1", "Async": "true"},
                 {"Channel": "PJSIP/118", "Context": "internal", "Exten": "148", "Priority": "1", "Async": "true"},
                 {"Channel": "PJSIP/109", "Application": "MusicOnHold", "Data": "default,2", "Async": "true",
                  "CallerID": '"Odd, \\"Name\\"" <123>', "Account": "acc", "Variable": ["CDR(userfield)=var", "x=y"],
                  "EarlyMedia": "true", "ChannelId": "own-id-1"}):
        lab.pbx.send(Action="Originate", **more)
        sleep(1)
    sleep(12)


def call_files(lab):
    for name, lines in (("app", "Channel: PJSIP/148\nApplication: Playback\nData: beep\nAccount: file\n"),
                        ("local", "Channel: Local/148@internal\nContext: internal\nExtension: 109\nSetvar: CDR(userfield)=v\n"),
                        ("nobody", "Channel: PJSIP/103\nWaitTime: 1\nMaxRetries: 1\nRetryTime: 1\nContext: internal\n"
                                   "Extension: 148\nArchive: yes\n"),
                        ("failed", "Channel: PJSIP/102\nContext: with-failed\nExtension: 1\n")):
        draft = lab.pbx_folder / f"spool/{name}"
        draft.write_text(lines + "CallerID: Robot <3000>\n")
        os.rename(draft, lab.pbx_folder / f"spool/outgoing/{name}")
    sleep(10)
    lab.cli("channel request hangup all")
    sleep(2)


class Story:
    """What an ARI application does with calls, step by step."""

    def __init__(self, lab):
        self.ari = peers.Ari(lab.ports["HTTP"], "ai", "aisecret", "ai-agent")

    def __enter__(self):
        self.ari.__enter__()
        return self

    def __exit__(self, *error):
        self.ari.__exit__(*error)

    def next(self):
        return self.ari.await_event("StasisStart")["channel"]["id"]

    def ask(self, method, path, **query):
        try:
            return self.ari.ask(method, path, **query)
        except OSError:
            return None

    def bridge(self, *channels, kind="mixing"):
        bridge = self.ask("POST", "bridges", type=kind)["id"]
        for channel in channels:
            self.ask("POST", f"bridges/{bridge}/addChannel", channel=channel)
        return bridge


def stasis_two_callers(lab):
    """Two callers in one bridge of the application, one leaves to the dialplan, the other is hung up."""
    with Story(lab) as story:
        lab.call("456", seconds=15)
        one = story.next()
        lab.call("455", seconds=15)
        two = story.next()
        story.ask("POST", f"channels/{two}/answer")
        bridge = story.bridge(one, two)
        sleep(2)
        story.ask("POST", f"channels/{two}/continue", context="internal", extension="148", priority=1)
        sleep(1)
        story.ask("DELETE", f"channels/{one}", reason="normal")
        sleep(4)
        story.ask("DELETE", f"bridges/{bridge}")
        lab.call("455", seconds=5)
        three = story.next()
        story.ask("POST", f"channels/{three}/ring")
        sleep(1)
        story.ask("DELETE", f"channels/{three}", reason="busy")
        sleep(2)


def stasis_plays_and_continues(lab):
    with Story(lab) as story:
        lab.call("457", seconds=15)
        caller = story.next()
        story.ask("POST", f"channels/{caller}/play", media="sound:beep")
        story.ask("POST", f"channels/{caller}/moh")
        sleep(1)
        story.ask("POST", f"channels/{caller}/variable", variable="CDR(userfield)", value="by ari")
        story.ask("POST", f"channels/{caller}/snoop", app="ai-agent", spy="both", whisper="none")
        story.next()
        sleep(1)
        story.ask("POST", f"channels/{caller}/continue")
        sleep(9)


def stasis_originates(lab):
    """Legs of the application: with an originator, without, into the dialplan, refused, given up, and two in a bridge."""
    with Story(lab) as story:
        lab.call("456", seconds=20)
        caller = story.next()
        story.ask("POST", "channels", endpoint="PJSIP/102", app="ai-agent", originator=caller)
        story.ask("POST", "channels", endpoint="PJSIP/103", app="ai-agent", originator=caller, timeout=2)
        sleep(3)
        leg = story.ask("POST", "channels", endpoint="PJSIP/109", app="ai-agent")["id"]
        story.next()
        bridge = story.bridge(caller, leg)
        sleep(2)
        story.ask("DELETE", f"bridges/{bridge}")
        story.bridge(leg, kind="holding")
        sleep(1)
        second = story.bridge(leg, caller)
        other = story.ask("POST", "channels", endpoint="Local/148@internal", app="ai-agent", originator=caller)["id"]
        story.next()
        story.ask("POST", f"bridges/{second}/addChannel", channel=other)
        sleep(5)
        story.ask("DELETE", f"channels/{leg}")
        story.ask("DELETE", f"channels/{caller}")
        story.ask("POST", "channels", endpoint="PJSIP/148", context="internal", extension="109", priority=1)
        sleep(6)


def stasis_dials(lab):
    """Create and dial, as a dialer by ARI does; a redirect and a move between applications."""
    with Story(lab) as story:
        lab.call("456", seconds=15)
        caller = story.next()
        leg = story.ask("POST", "channels/create", endpoint="PJSIP/148", app="ai-agent", originator=caller)["id"]
        story.next()
        bridge = story.bridge(caller, leg)
        story.ask("POST", f"channels/{leg}/dial", caller=caller, timeout=10)
        sleep(5)
        story.ask("DELETE", f"bridges/{bridge}")
        leg = story.ask("POST", "channels/create", endpoint="PJSIP/102", app="ai-agent")["id"]
        story.next()
        story.ask("POST", f"channels/{leg}/dial", timeout=10)
        sleep(2)
        story.ask("POST", f"channels/{caller}/redirect", endpoint="PJSIP/109")
        sleep(2)
        lab.call("456", seconds=9)
        caller = story.next()
        lab.pbx.send(Action="Redirect", Channel=caller_name(story, caller), Context="internal", Exten="148", Priority="1")
        sleep(6)


def caller_name(story, channel):
    return story.ask("GET", f"channels/{channel}")["name"]


def stasis_consults(lab):
    """A bridge of the application whose caller is put on hold in another one, and comes back; a person takes over by
    transfer."""
    with Story(lab) as story:
        lab.call("456", seconds=20)
        caller = story.next()
        leg = story.ask("POST", "channels", endpoint="PJSIP/109", app="ai-agent", originator=caller)["id"]
        story.next()
        bridge = story.bridge(caller, leg)
        sleep(2)
        holding = story.bridge(caller, kind="holding")
        target = story.ask("POST", "channels", endpoint="PJSIP/148", app="ai-agent", originator=leg)["id"]
        story.next()
        story.ask("POST", f"bridges/{bridge}/addChannel", channel=target)
        sleep(0.7)
        story.ask("POST", f"bridges/{bridge}/addChannel", channel=caller)
        sleep(0.5)
        story.ask("POST", f"bridges/{bridge}/removeChannel", channel=leg)
        story.ask("DELETE", f"channels/{leg}")
        story.ask("DELETE", f"bridges/{holding}")
        sleep(3)
        story.ask("POST", f"channels/{caller}/continue", context="from-carrier", extension="600", priority=2)
        sleep(8)


def audio_socket_then_people(lab):
    with peers.AudioSocket(lab.ports["AUDIOSOCKET"], seconds=2):
        lab.call("468", seconds=9)
        lab.call("469", seconds=9)
        sleep(12)
        lab.call("468", seconds=1)
        sleep(4)
