# SPDX-License-Identifier: MIT
"""What happens on the PBX: one function a scenario, named for it. Each plays its story on a running lab and returns
when it is over, more or less; the phones and numbers are in config/*/extensions.conf. They may overlap in time."""
import functools
import os
import random
import threading
from time import sleep

import peers
import scenarios_calls
import scenarios_programs
import scenarios_queues


# Plain calls

def answered(lab):
    lab.call("601", seconds=4)
    sleep(7)


def busy(lab):
    lab.call("602")
    sleep(2)


def cancelled_by_caller(lab):
    lab.call("620", ring=3)
    sleep(5)


def no_answer_then_playback(lab):
    lab.call("603")
    sleep(8)


def internal_call(lab):
    lab.call("105", caller="101", seconds=4)
    sleep(8)


def hold_and_resume(lab):
    lab.call("623", seconds=7)
    sleep(9)


def reject_unallocated(lab):
    lab.call("622")
    sleep(1)


def unreachable_endpoint(lab):
    lab.call("625")
    sleep(2)


def congestion(lab):
    lab.call("666")
    sleep(2)


def rejected_after_ringing(lab):
    lab.call("667")
    sleep(4)


def hung_up_by_callee(lab):
    lab.call("690")
    lab.call("108", caller="109", seconds=20)
    sleep(7)


def names_in_other_scripts(lab):
    lab.call("656", seconds=4, name="Ðörte „Anführer“ & Söhne")
    sleep(6)


def quoted_names(lab):
    lab.call("655", seconds=4)
    sleep(7)


def account_and_subroutine(lab):
    lab.call("624", seconds=3)
    sleep(6)


# Dial

def ring_group(lab):
    lab.call("613", seconds=5)
    sleep(8)


def local_forward(lab):
    lab.call("614", seconds=5)
    sleep(8)


def local_kept(lab):
    lab.call("639", seconds=4)
    sleep(6)


def racing_locals(lab):
    lab.call("670", seconds=5)
    sleep(8)


def dial_goes_on_when_callee_hangs_up(lab):
    lab.call("630", seconds=9)
    sleep(11)


def dial_splits_both_parties(lab):
    lab.call("631", seconds=8)
    sleep(10)


def dial_callee_goes_on(lab):
    lab.call("632", seconds=3)
    sleep(7)


def dial_screen_refuses(lab):
    lab.call("633", seconds=4)
    sleep(8)


def dial_time_limit(lab):
    lab.call("634", seconds=10)
    sleep(6)


def serial_dials(lab):
    lab.call("635", seconds=4)
    sleep(12)


def subroutines_before_dial(lab):
    lab.call("640", seconds=3)
    sleep(7)


def forwarded_by_phone(lab):
    lab.call("636", seconds=4)
    sleep(6)


def follow_me(lab):
    lab.call("668", seconds=5)
    sleep(12)


def retry_dial(lab):
    lab.call("669", ring=15)
    sleep(12)


def page(lab):
    lab.call("638", seconds=5)
    sleep(8)


# Transfers

def blind_transfer_refer(lab):
    lab.call("604", seconds=10)
    sleep(13)


def blind_transfer_digits(lab):
    lab.call("110", caller="109", seconds=14)
    sleep(16)


def blind_transfer_to_busy(lab):
    lab.call("681", seconds=12)
    sleep(12)


def blind_transfer_to_queue(lab):
    lab.call("682", seconds=16)
    sleep(18)


def attended_transfer(lab):
    lab.call("606", seconds=18)
    sleep(20)


def attended_transfer_aborted(lab):
    lab.call("683", seconds=18)
    sleep(20)


def attended_transfer_blonde(lab):
    lab.call("684", seconds=16)
    sleep(18)


def attended_transfer_three_way(lab):
    lab.call("685", seconds=18)
    sleep(20)


def attended_transfer_to_busy(lab):
    lab.call("690", seconds=14)
    sleep(17)


def attended_transfer_to_queue(lab):
    lab.call("691", seconds=20)
    sleep(22)


def attended_transfer_refer_replaces(lab):
    lab.call("692", seconds=12)
    sleep(15)


def transfers_by_manager(lab):
    """A bridged caller is redirected alone, then another with the callee, then one transferred blindly by AMI."""
    for action in ("one", "both", "blind", "attended"):
        caller = lab.number()
        caller_is = lab.channel_of(lambda m: m.get("CallerIDNum") == caller)
        callee_is = lab.channel_of(lambda m: m["Channel"].startswith("PJSIP/109-"))
        lab.call("634" if action == "both" else "639" if action == "one" else "632", caller, seconds=9)
        channel, other = caller_is(), callee_is()
        sleep(1.5)
        target = {"Context": "internal", "Exten": "108", "Priority": "1"}
        if action == "one":
            lab.pbx.send(Action="Redirect", Channel=channel, **target)
        elif action == "both":
            lab.pbx.send(Action="Redirect", Channel=channel, ExtraChannel=other, ExtraContext="internal",
                         ExtraExten="108", ExtraPriority="1", **target)
        elif action == "blind":
            lab.pbx.send(Action="BlindTransfer", Channel=other, Context="internal", Exten="108")
        else:
            lab.pbx.send(Action="Atxfer", Channel=other, Context="internal", Exten="108")
        sleep(9)


def bridge_by_manager(lab):
    """Two calls, one leg of each put together by AMI."""
    first, second = lab.number(), lab.number()
    first_is = lab.channel_of(lambda m: m.get("CallerIDNum") == first)
    second_is = lab.channel_of(lambda m: m.get("CallerIDNum") == second)
    lab.call("601", first, seconds=7)
    lab.call("634", second, seconds=9)
    one, two = first_is(), second_is()
    sleep(2)
    lab.pbx.send(Action="Bridge", Channel1=one, Channel2=two)
    sleep(10)


# Pickup, parking

def pickup(lab):
    lab.call("620", seconds=10)
    sleep(2)
    lab.call("*8", caller="109", seconds=5)
    sleep(8)


def pickup_of_queue_call(lab):
    lab.call("644", seconds=12)
    sleep(2)
    lab.call("*8103", caller="109", seconds=5)
    sleep(9)


def park_timeout(lab):
    lab.call("608", seconds=12)
    sleep(10)


def park_retrieve(lab):
    lab.call("608", seconds=12)
    sleep(3)
    lab.call("701", caller="109", seconds=4)
    sleep(8)


def several_parked(lab):
    for _ in range(3):
        lab.call("608", seconds=14)
        sleep(0.5)
    sleep(2)
    lab.call("702", caller="109", seconds=4)
    sleep(0.5)
    lab.call("673", seconds=6)
    sleep(9)


def callee_parks(lab):
    lab.call("687", seconds=14)
    sleep(16)


def parked_comes_back(lab):
    """Parked by the callee's phone into the lot whose calls come back to the parker."""
    caller = lab.number()
    callee_is = lab.channel_of(lambda m: m["Channel"].startswith("PJSIP/109-"))
    caller_is = lab.channel_of(lambda m: m.get("CallerIDNum") == caller)
    lab.call("632", caller, seconds=14)
    channel, callee = caller_is(), callee_is()
    sleep(1.5)
    lab.pbx.send(Action="Park", Channel=channel, TimeoutChannel=callee, Parkinglot="back", Timeout="3000")
    sleep(14)


# Conferences, supervision

def conference_three(lab):
    for seconds in (6, 5, 3):
        lab.call("609", seconds=seconds)
        sleep(0.7)
    sleep(7)


def conference_leave_and_rejoin(lab):
    lab.call("641", seconds=14)
    lab.press("641", "wwwwwwwwww1wwwwwwwwww")
    sleep(15)


def conference_with_party_a(lab):
    lab.call("609", seconds=4)
    lab.call("653", seconds=4)
    lab.call("653", seconds=6)
    sleep(8)


def spied_on(lab):
    lab.call("601", seconds=8)
    sleep(2.5)
    lab.call("658", seconds=3)
    sleep(0.5)
    lab.call("*32", caller="109", seconds=3)
    sleep(9)


def recorded(lab):
    lab.call("657", seconds=3)
    sleep(5)


def holding_bridge(lab):
    lab.call("672", seconds=9)
    sleep(11)


# Queues

def queue_answered(lab):
    lab.call("600", seconds=6)
    sleep(9)


def queue_abandon(lab):
    lab.call("644", seconds=2)
    sleep(5)


def queue_ring_cancelled(lab):
    lab.call("643", ring=3)
    sleep(5)


def queue_local_member(lab):
    lab.call("615", seconds=12)
    sleep(14)


def queue_deep_local_member(lab):
    lab.call("671", seconds=4)
    sleep(7)


def queue_hung_up_by_agent(lab):
    lab.call("615", seconds=15)
    sleep(12)


def queue_timeout_empty(lab):
    lab.call("616", seconds=9)
    sleep(8)


def queue_join_refused(lab):
    lab.call("617")
    sleep(2)


def queue_full(lab):
    lab.call("643", ring=7)
    sleep(1)
    lab.call("643")
    sleep(8)


def queue_exit_key(lab):
    lab.press("642", "www1wwwwwwwwwww")
    sleep(10)


def queue_exit_key_while_ringing(lab):
    lab.press("644", "www1wwwwwwwwwww")
    sleep(9)


def queue_leave_when_empty(lab):
    lab.call("645", seconds=10)
    sleep(3)
    lab.pbx.send(Action="QueuePause", Queue="leaving", Interface="PJSIP/103", Paused="true", Reason="gone")
    sleep(6)
    lab.pbx.send(Action="QueuePause", Queue="leaving", Interface="PJSIP/103", Paused="false")
    sleep(1)


def queue_no_retry(lab):
    lab.call("646", seconds=12)
    sleep(13)


def queue_announcement(lab):
    lab.call("648", seconds=12)
    sleep(8)
    lab.call("648", seconds=1)
    sleep(5)


def queue_tiers(lab):
    """Several callers, members with penalties, wrap-up time and a busy one."""
    for seconds in (9, 9, 12, 14):
        lab.call("649", seconds=seconds)
        sleep(0.6)
    sleep(18)


def queue_forwarding_member(lab):
    lab.call("637", seconds=4)
    sleep(7)


def queue_to_queue(lab):
    lab.call("647", seconds=20)
    sleep(22)


def queue_blind_transfer(lab):
    lab.call("618", seconds=12)
    sleep(14)


def queue_attended_transfer(lab):
    lab.call("619", seconds=18)
    sleep(20)


def queue_withdrawn(lab):
    caller = lab.number()
    caller_is = lab.channel_of(lambda m: m.get("CallerIDNum") == caller)
    lab.call("645", caller, seconds=10)
    channel = caller_is()
    sleep(2)
    lab.pbx.send(Action="QueueWithdrawCaller", Queue="leaving", Caller=channel, WithdrawInfo="taken by the boss")
    sleep(3)


def queue_members(lab):
    for code in ("*5109", "*6109", "*7109", "*4109", "*9109", "*30"):
        lab.call(code, caller="109", seconds=2)
        sleep(2.5)


def queue_members_by_manager(lab):
    member = {"Queue": "support", "Interface": "PJSIP/108"}
    for action in ({"Action": "QueueAdd", "MemberName": "Temp Tom", "Penalty": "2", "Paused": "true"},
                   {"Action": "QueuePause", "Paused": "false"},
                   {"Action": "QueuePenalty", "Penalty": "4"},
                   {"Action": "QueueMemberRingInUse", "RingInUse": "yes"},
                   {"Action": "QueueRemove"}):
        lab.pbx.send(**{**member, **action})
        sleep(0.4)
    lab.pbx.send(Action="QueueLog", Queue="support", Event="REMARK", Uniqueid="none", Interface="PJSIP/101",
                 Message="by hand")
    sleep(0.5)


def agent_pool(lab):
    """An agent who logs in with AgentLogin and takes a queue's call on the line that stays up."""
    lab.call("*31", caller="109", seconds=16)
    sleep(2)
    lab.call("674", seconds=5)
    sleep(16)


# IVR, hand-offs

def ivr_digit_to_queue(lab):
    lab.press("607", "w1wwwwwwwwwwwwwwww")
    sleep(11)


def ivr_timeout_to_dial(lab):
    lab.call("607", seconds=10)
    sleep(12)


def ivr_abandoned(lab):
    lab.call("607", seconds=1)
    sleep(3)


def agi_ai_then_queue(lab):
    lab.call("610", seconds=6)
    sleep(9)


def agi_that_dials(lab):
    lab.call("663", seconds=8)
    sleep(8)


def agi_hung_up(lab):
    """Callers hang up at every moment of an AGI: while it works, and while an application runs for it."""
    for tenths in range(1, 30):
        lab.call("679", seconds=tenths / 10)
        sleep(0.2)
    sleep(4)


def eagi(lab):
    lab.call("662", seconds=7)
    sleep(8)


def fast_agi(lab):
    with peers.FastAgi(lab.ports["AGI"]):
        lab.call("660", seconds=8)
        sleep(9)


def async_agi(lab):
    """An application that steers the caller over AMI."""
    started = lab.event("AsyncAGIStart")
    lab.call("661", seconds=9)
    channel = started()["Channel"]
    for number, command in enumerate(("SET VARIABLE AI_SESSION_ID async-1", "EXEC Playback beep", "ASYNCAGI BREAK")):
        lab.pbx.send(Action="AGI", Channel=channel, Command=command, CommandID=f"c{number}")
        sleep(1)
    sleep(6)


def audio_socket(lab):
    with peers.AudioSocket(lab.ports["AUDIOSOCKET"], seconds=2):
        lab.call("664", seconds=9)
        sleep(10)


def audio_socket_refused(lab):
    lab.call("612", seconds=4)
    sleep(7)


def stasis_no_app(lab):
    lab.call("611", seconds=4)
    sleep(7)


def stasis_hands_back(lab):
    """An ARI application that answers, bridges the caller with a leg of its own for a while and hands back."""
    with peers.Ari(lab.ports["HTTP"], "ai", "aisecret", "ai-agent") as application:
        lab.call("665", seconds=12)
        application.hold_and_hand_back(callee="PJSIP/109", seconds=2)
        sleep(9)


def external_media(lab):
    """An ARI application whose AI hears the caller over RTP, then one over AudioSocket; both hand back."""
    with peers.AudioSocket(lab.ports["AUDIOSOCKET"], seconds=9), \
            peers.Ari(lab.ports["HTTP"], "ai", "aisecret", "ai-agent") as application:
        lab.call("665", seconds=12)
        application.media_and_hand_back("rtp-1", 2, external_host="127.0.0.1:9", format="ulaw")
        sleep(7)
        lab.call("665", seconds=12)
        application.media_and_hand_back("socket-1", 2, external_host=f"127.0.0.1:{lab.ports['AUDIOSOCKET']}", format="slin",
                                        encapsulation="audiosocket", transport="tcp",
                                        data="40325ec2-5efd-4bd3-805f-53576e581d13")
        sleep(8)


def audio_socket_dialled(lab):
    """AudioSocket as a channel, which hangs up for a person to follow; the second caller hangs up on it."""
    with peers.AudioSocket(lab.ports["AUDIOSOCKET"], seconds=3):
        lab.call("676", seconds=8)
        sleep(1)
        lab.call("676", seconds=1)
        sleep(9)


def fast_agi_then_recorded_queue(lab):
    """The AI names its session and hands over to a queue that records; a second caller gives up there; one AGI has no
    server."""
    with peers.FastAgi(lab.ports["AGI"]):
        lab.call("675", seconds=7)
        sleep(9)
        lab.call("675", seconds=2)
        lab.call("678", seconds=5)
        sleep(9)


def recorded_twice(lab):
    lab.call("677", seconds=6)
    sleep(3)
    lab.pbx.send(Action="UserEvent", UserEvent="Weather", Sky="clear")
    sleep(6)


# Originations, what the dialplan does to CDRs

def originate_from_dialplan(lab):
    lab.call("626", seconds=4)
    sleep(9)


def originate_by_manager(lab):
    """To an extension, to an application, to somebody busy and to somebody who never answers."""
    for channel, more in (("PJSIP/105", {"Context": "internal", "Exten": "108", "Priority": "1"}),
                          ("PJSIP/109", {"Application": "Playback", "Data": "beep"}),
                          ("PJSIP/102", {"Application": "Playback", "Data": "beep"}),
                          ("PJSIP/103", {"Context": "internal", "Exten": "108", "Priority": "1"}),
                          ("Local/108@internal", {"Context": "internal", "Exten": "109", "Priority": "1"})):
        lab.pbx.send(Action="Originate", Channel=channel, Timeout="3000", CallerID="Desk <2000>", Async="true",
                     Account="desk", **more)
        sleep(1)
    sleep(9)


def call_file(lab):
    """A call file in the spool, with one retry of a busy phone."""
    for name, channel in (("to-109", "PJSIP/109"), ("to-102", "PJSIP/102")):
        text = f"Channel: {channel}\nCallerID: Robot <3000>\nMaxRetries: 1\nRetryTime: 2\nWaitTime: 5\n"
        draft = lab.pbx_folder / f"spool/{name}"
        draft.write_text(text + "Context: internal\nExtension: 108\nPriority: 1\nAccount: robot\n")
        os.rename(draft, lab.pbx_folder / f"spool/outgoing/{name}")
    sleep(11)


def fork_cdr(lab):
    lab.call("621", seconds=6)
    sleep(9)


def fork_cdr_reset_and_end(lab):
    lab.call("650", seconds=6)
    sleep(7)


def reset_cdr(lab):
    lab.call("651", seconds=7)
    sleep(8)


def cdr_disabled(lab):
    lab.call("652", seconds=10)
    sleep(12)


def hangup_handlers(lab):
    lab.call("654", seconds=4)
    sleep(7)


# Endpoints and trunks

def endpoint_comes_and_goes(lab):
    """A phone registers, falls silent, is there again, takes a call, registers anew and leaves."""
    phone = lab.sip_phones[2]
    phone.register(60)
    sleep(2)
    phone.deaf = True
    sleep(3)
    back = lab.event("DeviceStateChange", lambda m: m.get("Device") == "PJSIP/123" and m.get("State") == "NOT_INUSE")
    phone.deaf = False
    back()
    lab.call("123", caller="101", seconds=4)
    sleep(7)
    phone.register(60)
    sleep(1)
    phone.register(0)
    sleep(1)


def endpoint_registration_expires(lab):
    lab.sip_phones[2].register(2)
    sleep(6)


def trunk_registration(lab):
    """The carrier refuses the PBX, then takes it back; the PBX signs off and on again."""
    for answer, command in (("403 Forbidden", "register"), ("500 Server Error", "register"), ("200 OK", "register"),
                            ("200 OK", "unregister"), ("200 OK", "register")):
        lab.registrar.answer = answer
        lab.cli(f"pjsip send {command} line")
        sleep(1.5)


def trunk_failures(lab):
    """Calls out that are busy, congested, not answered, to no such number, and two that are answered, at once with two
    calls in, of which one is refused."""
    for number in ("9102", "9118", "9499", "9103"):
        lab.call(number, caller="101")
        sleep(0.5)
    lab.call("9108", caller="105", seconds=6)
    lab.call("9109", caller="108", seconds=3)
    lab.call("601", seconds=3)
    lab.call("622")
    sleep(8)


# Mixtures

PLAIN = (answered, busy, cancelled_by_caller, no_answer_then_playback, internal_call, hold_and_resume, queue_answered,
         queue_abandon, ivr_timeout_to_dial, agi_ai_then_queue, endpoint_comes_and_goes, trunk_failures)
NUMBERS = [str(number) for number in (*range(600, 605), *range(606, 627), *range(630, 660), 662, 663, *range(666, 675),
                                      *range(680, 688), 690, 691)]


def mixer(lab, seed=1, seconds=60):
    """Random calls to every number for some time, hung up at random moments."""
    dice = random.Random(seed)
    for _ in range(seconds):
        lab.call(dice.choice(NUMBERS), seconds=dice.choice((0, 1, 2, 4, 7, 12)), ring=dice.choice((1, 3, 8, 40)))
        if dice.random() < 0.2:
            lab.call(dice.choice(("105", "108", "110", "*8")), caller=dice.choice(("109", "101")), seconds=4)
        sleep(dice.uniform(0.2, 1.8))


def everything(lab):
    """All of the above at once, in an order of its own each time, one beginning shortly after the other."""
    stories = [named(name) for name in names() if name not in ("everything", "mixer")]
    random.shuffle(stories)
    threads = [threading.Thread(target=story, args=(lab,)) for story in stories]
    for thread in threads:
        thread.start()
        sleep(0.8)
    for thread in threads:
        thread.join()


# Where further ones are; `everything` plays those of this module only.
MORE = (scenarios_calls, scenarios_programs, scenarios_queues)


def named(name):
    """A scenario by the name of its folder; mixer-N is the mixer with seed N, chaos-N chaos."""
    base, _, seed = name.partition("-")
    if base in ("mixer", "chaos") and seed:
        return functools.partial(named(base), seed=int(seed))
    function = name.replace("-", "_")
    homes = [globals(), *(vars(module) for module in MORE)]
    return next(home[function] for home in homes if function in home)


def names():
    """Every scenario of this module, as its folder is called."""
    return [name.replace("_", "-") for name, value in globals().items()
            if callable(value) and getattr(value, "__module__", "") == __name__ and name not in ("named", "names")]
