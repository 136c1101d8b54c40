# SPDX-License-Identifier: MIT
"""More of what happens on the PBX: dials, transfers, parking, pickup and what the dialplan does to CDRs, in combinations.
The numbers are in config/pbx/more.conf, the phones in config/phones/more.conf."""
import random
from time import sleep


def calls(*numbers, rest=8, **more):
    """A scenario that is no more than calls to these numbers, one shortly after the other."""
    def play(lab):
        for number in numbers:
            lab.call(number, **more)
            sleep(0.5)
        sleep(rest)
    return play


def presses(number, keys, rest=12, caller=None):
    def play(lab):
        lab.press(number, keys, caller)
        sleep(rest)
    return play


dial_all_refuse = calls("500", "501", "504", rest=8)
dial_one_unreachable = calls("502", rest=7)
dial_options_before = calls("503", seconds=9, rest=11)
dial_early_media = calls("505", seconds=3, rest=7)
dial_callee_runs_h = calls("506", seconds=2, rest=5)
dial_callee_goes_on_here = calls("507", rest=7)
dial_two_answer_announced = calls("508", seconds=3, rest=7)
dial_hung_up_by_feature = calls("509", rest=8)
dial_screen_continues = calls("511", seconds=3, rest=5)
dial_screen_results = calls("480", "481", "482", "483", "484", "485", "486", "487", "488", "489", seconds=3, rest=5)
dial_screen_goes_away = calls("512", seconds=3, rest=6)
dial_resets_cdr = calls("513", seconds=6, rest=9)
dial_from_answered = calls("514", seconds=8, rest=9)
nested_locals = calls("515", "516", seconds=3, rest=6)
transfer_behind_local = calls("517", seconds=14, rest=16)
transfer_behind_kept_local = calls("518", seconds=14, rest=16)
attended_behind_kept_local = calls("519", seconds=18, rest=20)
local_to_queue = calls("520", seconds=5, rest=8)
local_to_conference = calls("521", "609", seconds=4, rest=7)
local_moh = calls("522", seconds=3, rest=6)
local_that_answers = calls("523", "524", seconds=8, rest=11)
callee_consults_conference = calls("557", "609", seconds=16, rest=18)
forward_to_queue = calls("554", seconds=5, rest=9)
forward_to_busy = calls("555", seconds=5, rest=5)
forward_twice = calls("556", seconds=3, rest=6)
forward_ignored = calls("562", seconds=5, rest=7)
forward_in_fork = calls("561", seconds=3, rest=5)
early_media_cancelled = calls("558", ring=1, rest=4)
refused_for_reasons = calls("559", "530", "531", rest=5)
transfer_to_nowhere = calls("532", seconds=14, rest=15)
transfer_to_transferring_queue = calls("533", seconds=24, rest=26)
attended_to_transferring_queue = calls("534", seconds=26, rest=28)
transfer_to_conference = calls("535", seconds=12, rest=13)
feature_hangup_not_allowed = calls("536", rest=7)
consults_no_answer = calls("537", seconds=24, rest=26)
consults_no_answer_caller_gone = calls("537", seconds=7, rest=14)
consults_swaps_completes = calls("538", seconds=18, rest=20)
consults_nobody = calls("539", seconds=12, rest=13)
transfers_into_parking = calls("540", seconds=18, rest=20)
transfers_to_local = calls("541", seconds=12, rest=14)
transfers_to_refusing = calls("542", seconds=12, rest=13)
features_in_call = calls("543", seconds=9, rest=10)
consulted_hangs_up = calls("544", seconds=16, rest=17)
transfer_chain = calls("545", seconds=24, rest=26)
refer_to_queue = calls("546", seconds=12, rest=13)
caller_cancels_late_answer = calls("564", ring=3, rest=4)
local_and_busy = calls("565", ring=4, rest=5)
subroutine_in_subroutine = calls("566", "567", "568", seconds=8, rest=10)
dial_in_subroutine_that_leaves = calls("569", "570", seconds=12, rest=13)
fork_and_userfields = calls("571", "572", "573", seconds=7, rest=12)
disable_and_fork = calls("574", "575", "576", seconds=8, rest=12)
odd_caller_ids = calls("577", "578", "579", "580", seconds=5, rest=8)
long_extension = calls("5810" + "123456789" * 9, "5810" + "7" * 40, seconds=5, rest=6)
absolute_timeout = calls("582", seconds=12, rest=10)
dialplan_timeouts = calls("583", "584", "585", seconds=12, rest=12)
never_answered_by_pbx = calls("586", "587", "588", seconds=4, rest=5)
follow_me_nobody = calls("589", "590", seconds=12, rest=14)
retry_dial_goes_on = calls("591", seconds=9, rest=10)
callee_transfers_by_application = calls("597", seconds=7, rest=9)
caller_transfers = presses("560", "ww#1wwww108wwwwwwwwwwwwww", rest=14)
caller_consults = presses("560", "ww*2wwww105wwwwwwww", rest=16)
caller_parks = presses("560", "ww#72wwwwwwwwwwwwwwwwwwww", rest=16)
caller_hangs_up_by_feature = presses("560", "ww*0wwwwwwww", rest=8)


def same_second(lab):
    """One number calls twice at once."""
    for _ in range(3):
        lab.call("601", "+14155550199", seconds=3)
    lab.call("600", "+14155550199", seconds=3)
    sleep(8)


def bridged_by_application(lab):
    lab.call("594", seconds=12)
    sleep(2)
    lab.call("592", seconds=4)
    sleep(9)


def soft_hangup(lab):
    lab.call("594", seconds=12)
    sleep(2)
    lab.call("593", seconds=4)
    sleep(5)


def channel_redirected(lab):
    lab.call("594", seconds=12)
    sleep(2)
    lab.call("595", seconds=4)
    sleep(8)


def bridge_add(lab):
    lab.call("596", seconds=12)
    sleep(2)
    lab.call("599", seconds=4)
    sleep(8)


def holding_redirected(lab):
    lab.call("598", seconds=12)
    sleep(2)
    lab.call("595", seconds=4)
    sleep(8)


def picked_up_forward(lab):
    """A forwarded phone's target, a branch of a ring group and a parked call that comes back are picked up."""
    lab.call("613", seconds=8)
    sleep(0.5)
    lab.call("*8103", caller="109", seconds=3)
    sleep(6)
    lab.call("564", seconds=8)
    sleep(2)
    lab.call("*8147", caller="109", seconds=3)
    sleep(6)


def picked_up_behind_local(lab):
    lab.call("565", seconds=8)
    sleep(1.5)
    lab.call("*8103", caller="109", seconds=3)
    sleep(6)
    lab.call("*36", caller="109", seconds=3)
    sleep(3)


def parked_comeback_picked_up(lab):
    """Somebody else picks up a parked call when it comes back to who parked it."""
    caller = lab.number()
    caller_is = lab.channel_of(lambda m: m.get("CallerIDNum") == caller)
    called_is = lab.channel_of(lambda m: m["Channel"].startswith("PJSIP/105-"))
    lab.call("621", caller, seconds=20)
    channel, callee = caller_is(), called_is()
    sleep(3)
    lab.pbx.send(Action="Park", Channel=channel, TimeoutChannel=callee, Parkinglot="quick", Timeout="2000")
    sleep(3)
    lab.call("*8105", caller="109", seconds=3)
    sleep(8)


def parked_comes_back_to_nobody(lab):
    """The parker does not answer: the lot's comeback context is next."""
    caller = lab.number()
    caller_is = lab.channel_of(lambda m: m.get("CallerIDNum") == caller)
    lab.call("639", caller, seconds=14)
    channel = caller_is()
    sleep(1.5)
    lab.pbx.send(Action="Park", Channel=channel, TimeoutChannel="PJSIP/103-0000ffff", Parkinglot="quick", Timeout="2000")
    sleep(10)


def parked_in_own_lot(lab):
    caller = lab.number()
    caller_is = lab.channel_of(lambda m: m.get("CallerIDNum") == caller)
    lab.call("632", caller, seconds=14)
    channel = caller_is()
    sleep(1.5)
    lab.pbx.send(Action="Park", Channel=channel, Parkinglot="own")
    sleep(10)


def parked_retrieved_transferred(lab):
    """A parked call is retrieved by a phone that transfers it on; a parked caller gives up."""
    lab.call("608", seconds=16)
    sleep(2)
    lab.press("701", "ww#1wwww108wwwwwwwwwww", caller="109")
    sleep(1)
    lab.call("608", seconds=1)
    sleep(12)


def parked_callee(lab):
    """The called phone is parked by the manager, its caller hung up; somebody retrieves it."""
    callee_is = lab.channel_of(lambda m: m["Channel"].startswith("PJSIP/109-"))
    lab.call("594", seconds=14)
    callee = callee_is()
    sleep(1.5)
    lab.pbx.send(Action="Park", Channel=callee, Parkinglot="default")
    sleep(2)
    lab.call("701", caller="101", seconds=3)
    lab.call("702", caller="101", seconds=3)
    sleep(9)


def caller_redirected_while_ringing(lab):
    """The caller of a ringing dial is sent elsewhere, and one who listens to music."""
    for number in ("620", "596", "615"):
        caller = lab.number()
        caller_is = lab.channel_of(lambda m, caller=caller: m.get("CallerIDNum") == caller)
        lab.call(number, caller, seconds=6)
        channel = caller_is()
        sleep(2)
        lab.pbx.send(Action="Redirect", Channel=channel, Context="internal", Exten="108", Priority="1")
        sleep(1)
    sleep(8)


def callee_redirected_while_ringing(lab):
    callee_is = lab.channel_of(lambda m: m["Channel"].startswith("PJSIP/103-"))
    lab.call("620", seconds=6)
    callee = callee_is()
    sleep(1.5)
    lab.pbx.send(Action="Redirect", Channel=callee, Context="internal", Exten="108", Priority="1")
    sleep(7)


def both_redirected_to_conference(lab):
    caller = lab.number()
    caller_is = lab.channel_of(lambda m: m.get("CallerIDNum") == caller)
    callee_is = lab.channel_of(lambda m: m["Channel"].startswith("PJSIP/109-"))
    lab.call("594", caller, seconds=9)
    channel, callee = caller_is(), callee_is()
    sleep(2)
    target = {"Context": "from-carrier", "Exten": "609", "Priority": "2"}
    lab.pbx.send(Action="Redirect", Channel=channel, ExtraChannel=callee, ExtraContext="from-carrier", ExtraExten="609",
                 ExtraPriority="2", **target)
    sleep(5)
    lab.call("609", seconds=2)
    sleep(6)


def callee_redirected(lab):
    """The callee alone is sent on, to a queue and to a dial; the caller goes on or hangs up."""
    for exten in ("600", "108"):
        callee_is = lab.channel_of(lambda m: m["Channel"].startswith("PJSIP/109-"))
        lab.call("594", seconds=9)
        callee = callee_is()
        sleep(2)
        lab.pbx.send(Action="Redirect", Channel=callee, Context="internal", Exten=exten, Priority="1")
        sleep(1)
    sleep(9)


def atxfer_cancelled(lab):
    """Attended transfers by the manager: cancelled, and to a queue."""
    for exten in ("105", "600", "103"):
        callee_is = lab.channel_of(lambda m: m["Channel"].startswith("PJSIP/109-"))
        lab.call("560", seconds=12)
        callee = callee_is()
        sleep(1.5)
        lab.pbx.send(Action="Atxfer", Channel=callee, Context="internal", Exten=exten)
        sleep(3)
        lab.pbx.send(Action="CancelAtxfer", Channel=callee)
        sleep(2)
    sleep(9)


def blind_by_manager(lab):
    """BlindTransfer of the caller's side: the called phone goes to the extension."""
    caller = lab.number()
    caller_is = lab.channel_of(lambda m: m.get("CallerIDNum") == caller)
    lab.call("594", caller, seconds=9)
    channel = caller_is()
    sleep(1.5)
    lab.pbx.send(Action="BlindTransfer", Channel=channel, Context="internal", Exten="600")
    sleep(10)
    callee_is = lab.channel_of(lambda m: m["Channel"].startswith("PJSIP/108-"))
    lab.call("614", seconds=9)
    lab.call("655", seconds=9)
    callee = callee_is()
    sleep(2)
    lab.pbx.send(Action="BlindTransfer", Channel=callee, Context="internal", Exten="609")
    sleep(9)


def bridge_action_both_sides(lab):
    """Both callees are bridged by the manager, then a lone caller with a bridged one."""
    lab.call("594", seconds=12)
    first_is = lab.channel_of(lambda m: m["Channel"].startswith("PJSIP/101-"))
    second_is = lab.channel_of(lambda m: m["Channel"].startswith("PJSIP/109-"))
    lab.call("601", seconds=9)
    lab.call("634", seconds=9)
    one, two = first_is(), second_is()
    sleep(2)
    lab.pbx.send(Action="Bridge", Channel1=one, Channel2=two, Tone="no")
    sleep(3)
    lone, caller = lab.number(), lab.number()
    lone_is = lab.channel_of(lambda m: m.get("CallerIDNum") == lone)
    caller_is = lab.channel_of(lambda m: m.get("CallerIDNum") == caller)
    lab.call("596", lone, seconds=9)
    lab.call("601", caller, seconds=9)
    one, two = lone_is(), caller_is()
    sleep(2)
    lab.pbx.send(Action="Bridge", Channel1=one, Channel2=two, Tone="no")
    sleep(11)


def hung_up_by_manager(lab):
    """Hang-ups by the manager, with causes: of who rings, who calls, who talks."""
    for number, phone, cause in (("620", "103", "17"), ("620", "", "34"), ("594", "109", "1"), ("594", "", "21")):
        caller = lab.number()
        caller_is = lab.channel_of(lambda m, caller=caller: m.get("CallerIDNum") == caller)
        callee_is = lab.channel_of(lambda m, phone=phone or "1": m["Channel"].startswith(f"PJSIP/{phone}"))
        lab.call(number, caller, seconds=9)
        channel, callee = caller_is(), callee_is()
        sleep(1.5)
        lab.pbx.send(Action="Hangup", Channel=callee if phone else channel, Cause=cause)
        sleep(1)
    sleep(4)


def absolute_timeout_by_manager(lab):
    caller = lab.number()
    caller_is = lab.channel_of(lambda m: m.get("CallerIDNum") == caller)
    lab.call("594", caller, seconds=12)
    channel = caller_is()
    sleep(1)
    lab.pbx.send(Action="AbsoluteTimeout", Channel=channel, Timeout="2")
    sleep(9)


def variables_by_manager(lab):
    """What the manager sets on a call: account, caller id, user field by function."""
    caller = lab.number()
    caller_is = lab.channel_of(lambda m: m.get("CallerIDNum") == caller)
    lab.call("594", caller, seconds=5)
    channel = caller_is()
    sleep(1)
    for name, value in (("CHANNEL(accountcode)", "by-hand"), ("CALLERID(name)", "By, \"Hand\""), ("LANGUAGE()", "de")):
        lab.pbx.send(Action="Setvar", Channel=channel, Variable=name, Value=value)
    sleep(7)


def hang_ups_during_transfer(lab):
    """The caller hangs up at several moments of a transfer by digits and of a consultation."""
    for number, seconds in (("540", 3), ("540", 5), ("606", 4), ("606", 7), ("606", 11), ("684", 5), ("604", 4)):
        lab.call(number, seconds=seconds)
        sleep(1.3)
    sleep(16)


def hang_ups_in_dial(lab):
    """The caller gives up before and while it rings, and at once after the answer."""
    for number, ring in (("613", 0.3), ("613", 1.2), ("514", 1), ("668", 2), ("670", 2), ("515", 0.3), ("633", 1)):
        lab.call(number, ring=ring, seconds=0)
        sleep(0.8)
    sleep(8)


NUMBERS = [str(number) for number in (*range(400, 418), *range(420, 437), *range(440, 444), *range(458, 464), 466, 472,
                                      *range(480, 490), *range(500, 525), *range(530, 570), 571, 572, 574, 576, 582, 583,
                                      590, 591, 594, 596, 600, 601, 604, 606, 608, 609, 613, 615, 618, 619, 620, 647)]
KEYS = ("#1wwww108", "#1wwww600", "#1wwww105", "#1wwww609", "*2wwww105", "*2wwww148wwwwwwww", "*2wwww600wwwwwwww", "#72", "*0")


def steer(lab, dice, channels):
    """Something that a manager does to channels of the moment."""
    one, two = dice.sample(channels, 2)
    target = {"Context": "internal", "Exten": dice.choice(("108", "148", "600", "609", "101")), "Priority": "1"}
    lab.pbx.send(**dice.choice((
        {"Action": "Redirect", "Channel": one, **target},
        {"Action": "BlindTransfer", "Channel": one, **target},
        {"Action": "Atxfer", "Channel": one, **target},
        {"Action": "Park", "Channel": one, "TimeoutChannel": two, "Parkinglot": dice.choice(("default", "back", "quick", "own"))},
        {"Action": "Hangup", "Channel": one, "Cause": dice.choice(("16", "17", "34"))},
        {"Action": "Bridge", "Channel1": one, "Channel2": two, "Tone": "no"})))


def chaos(lab, seed=1, seconds=60):
    """Random calls to all of these numbers for some time, with keys pressed and channels steered at random."""
    dice = random.Random(seed)
    for _ in range(seconds):
        if dice.random() < 0.3:
            lab.press(dice.choice(("560", "443", "601", "600", "412")), "w" * dice.randrange(4, 12) + dice.choice(KEYS)
                      + "w" * dice.randrange(4, 30))
        else:
            lab.call(dice.choice(NUMBERS), seconds=dice.choice((0, 1, 2, 4, 7, 12)), ring=dice.choice((1, 3, 8, 40)))
        if dice.random() < 0.15:
            lab.call(dice.choice(("*8", "*8103", "*36", "701", "751", "771", "781")), caller=dice.choice(("109", "101")), seconds=4)
        listed = lab.pbx.expect(lambda m: m.get("Event") in ("CoreShowChannel", "CoreShowChannelsComplete"))
        lab.pbx.send(Action="CoreShowChannels")
        channels = []
        while (item := listed.get(timeout=10))["Event"] == "CoreShowChannel":
            channels.append(item["Channel"])
        if len(channels) > 1 and dice.random() < 0.25:
            steer(lab, dice, channels)
        sleep(dice.uniform(0.2, 1.8))


def paged_phone_picked_up(lab):
    """Somebody takes a phone's ringing that is paged, the first in the list or the last: he is in the page instead."""
    for number, phone in (("638", "101"), ("638", "101"), ("462", "101"), ("462", "103"), ("462", "103")):
        lab.call(number, seconds=4)
        sleep(0.6)
        lab.call("*8" + phone, caller="108", seconds=2)
        sleep(5)


def paged_phone_picked_up_as_it_answers(lab):
    """The pickup is swept over the moment in which the paged phone answers and enters the page by itself."""
    for step in range(10):
        lab.call("638", seconds=3)
        sleep(0.88 + 0.03 * step)
        lab.call("*8101", caller="108", seconds=2)
        sleep(3.2)


def bridged_out_of_applications(lab):
    """The manager puts callers together who are in a conference, or one who is with one who talks to a phone."""
    for first, second in (("609", "601"), ("601", "609"), ("609", "653")):
        numbers = lab.number(), lab.number()
        channels = [lab.channel_of(lambda m, number=number: m.get("CallerIDNum") == number) for number in numbers]
        for number, exten in zip(numbers, (first, second)):
            lab.call(exten, number, seconds=7)
            sleep(0.3)
        one, two = (channel() for channel in channels)
        sleep(2)
        lab.pbx.send(Action="Bridge", Channel1=one, Channel2=two)
        sleep(6)
