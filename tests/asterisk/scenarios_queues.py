# SPDX-License-Identifier: MIT
"""More of what happens in queues: strategies, members behind Local channels, members who transfer, callers who leave.
The numbers are in config/pbx/more.conf, the queues in config/pbx/more_queues.conf."""
from time import sleep

from scenarios_calls import calls, presses

queue_linear = calls("400", "400", seconds=4, rest=22)
queue_robin = calls("401", "401", "401", "401", seconds=4, rest=16)
queue_ordered = calls("402", "402", seconds=4, rest=18)
queue_fewest_no_autofill = calls("403", "403", "403", seconds=5, rest=18)
queue_chance = calls("404", "404", "405", "405", seconds=5, rest=16)
queue_penalty_widens = calls("406", seconds=4, rest=14)
queue_talkative = calls("407", "407", seconds=16, rest=18)
queue_member_told = calls("408", seconds=12, rest=15)
queue_member_told_caller_gone = calls("408", "408", seconds=2, rest=8)
queue_autopause = calls("409", "410", seconds=5, rest=13)
queue_caller_time_first = calls("411", seconds=12, rest=11)
queue_callback_members = calls("412", "412", seconds=5, rest=13)
queue_callback_slow = calls("413", seconds=5, rest=13)
queue_two_of_one_member = calls("414", "415", "414", "415", seconds=9, rest=26)
queue_member_transfers_to_conference = calls("416", "609", seconds=14, rest=15)
queue_member_consults_conference = calls("417", "609", seconds=16, rest=18)
queue_member_parks = calls("418", seconds=16, rest=17)
queue_member_swaps = calls("419", seconds=18, rest=19)
queue_member_consults_transferring_queue = calls("420", seconds=26, rest=28)
queue_local_member_consults_queue = calls("421", seconds=26, rest=28)
queue_member_blonde = calls("422", seconds=16, rest=17)
queue_member_three_way = calls("423", seconds=16, rest=17)
queue_member_consults_support = calls("424", seconds=18, rest=20)
queue_member_forwards_to_busy = calls("425", seconds=4, rest=8)
queue_member_forwards_to_queue = calls("426", seconds=6, rest=10)
queue_leave_forms = calls("427", seconds=12, rest=13)
queue_priorities = calls("428", "428", "428", "428", "428", seconds=9, rest=14)
queue_goes_on = calls("430", "431", seconds=6, rest=9)
queue_gosub_and_hangup = calls("432", seconds=4, rest=7)
queue_member_goes_on = calls("433", "434", seconds=4, rest=9)
queue_rule_and_position = calls("435", "435", seconds=4, rest=14)
queue_short_then_no_retry = calls("436", seconds=8, rest=10)
queue_unknown = calls("437", seconds=5, rest=5)
queue_members_by_dialplan = calls("438", seconds=5, rest=3)
queue_inside_exec = calls("439", seconds=8, rest=9)
queue_in_subroutine = calls("440", seconds=5, rest=8)
queue_behind_local = calls("441", seconds=5, rest=8)
queue_after_queue = calls("442", seconds=20, rest=22)
queue_caller_transfers = presses("443", "wwwwww#1wwww108wwwwwwwwwwwww", rest=15)
queue_caller_consults = presses("443", "wwwwww*2wwww148wwwwwwwwwwwww", rest=15)


def queue_member_in_two_calls(lab):
    """The member talks outside of the queue first, then hangs up and takes the caller."""
    lab.call("108", caller="101", seconds=4)
    sleep(0.5)
    lab.call("414", seconds=6)
    lab.call("401", seconds=3)
    sleep(14)


def queue_members_change(lab):
    """Members come, are paused and go while a caller waits, rings and talks."""
    lab.call("429", seconds=18)
    sleep(1.5)
    member = {"Queue": "changing", "Interface": "PJSIP/103"}
    for pause, action in ((1.5, {"Action": "QueueAdd"}), (1, {"Action": "QueuePause", "Paused": "true", "Reason": "why"}),
                          (1, {"Action": "QueuePenalty", "Penalty": "3"}), (1, {"Action": "QueueRemove"}),
                          (3, {"Action": "QueueAdd", "Interface": "PJSIP/109", "MemberName": "Last Len"}),
                          (1, {"Action": "QueuePause", "Interface": "PJSIP/109", "Paused": "true"}),
                          (1, {"Action": "QueueRemove", "Interface": "PJSIP/109"})):
        lab.pbx.send(**{**member, **action})
        sleep(pause)
    sleep(9)


def queue_reloaded(lab):
    """Queues are reloaded, reset and asked while callers wait and talk."""
    lab.call("600", seconds=8)
    lab.call("644", seconds=8)
    sleep(2.5)
    for action in ({"Action": "QueueReload", "Members": "yes", "Rules": "yes", "Parameters": "yes"},
                   {"Action": "QueueReset", "Queue": "support"},
                   {"Action": "QueueChangePriorityCaller", "Queue": "ringing", "Caller": "x", "Priority": "3"}):
        lab.pbx.send(**action)
        sleep(0.7)
    lab.cli("queue reload all")
    lab.cli("queue add member PJSIP/148 to changing penalty 2 as Temp")
    lab.cli("queue pause member PJSIP/148 queue changing reason lunch")
    lab.cli("queue unpause member PJSIP/148")
    lab.cli("queue set penalty 4 on PJSIP/148 in changing")
    lab.cli("queue set ringinuse no on PJSIP/148 in changing")
    lab.cli("queue remove member PJSIP/148 from changing")
    sleep(9)


def queue_pause_everywhere_by_manager(lab):
    for paused in ("true", "false"):
        lab.pbx.send(Action="QueuePause", Interface="PJSIP/119", Paused=paused, Reason="all of them")
        sleep(0.5)
    lab.pbx.send(Action="QueuePause", Interface="PJSIP/148", Queue="robin", Paused="true", Reason="one")
    sleep(0.5)
    lab.pbx.send(Action="QueuePause", Interface="PJSIP/148", Queue="robin", Paused="true", Reason="another")
    sleep(0.5)
    lab.pbx.send(Action="QueuePause", Interface="PJSIP/148", Queue="robin", Paused="false")
    sleep(1)


def queue_picked_up(lab):
    """Queue calls are picked up: by the group, from a member behind Local, and of two callers."""
    for number, code in (("644", "*8"), ("413", "*8103"), ("400", "*8103")):
        lab.call(number, seconds=12)
        sleep(2)
        lab.call(code, caller="109", seconds=3)
        sleep(5)
    sleep(6)


def queue_callers_redirected(lab):
    """A waiting caller, a ringing one and a talking one are sent elsewhere by the manager."""
    for number, pause in (("429", 1.5), ("644", 2), ("600", 4), ("412", 4)):
        caller = lab.number()
        caller_is = lab.channel_of(lambda m, caller=caller: m.get("CallerIDNum") == caller)
        lab.call(number, caller, seconds=10)
        channel = caller_is()
        sleep(pause)
        lab.pbx.send(Action="Redirect", Channel=channel, Context="internal", Exten="148", Priority="1")
        sleep(1)
    sleep(8)


def queue_member_redirected(lab):
    """The member's phone is sent elsewhere while it talks and while it rings."""
    for number, phone in (("408", "109"), ("400", "103"), ("415", "108")):
        phone_is = lab.channel_of(lambda m, phone=phone: m["Channel"].startswith(f"PJSIP/{phone}-"))
        lab.call(number, seconds=9)
        channel = phone_is()
        sleep(1.7)
        lab.pbx.send(Action="Redirect", Channel=channel, Context="internal", Exten="105", Priority="1")
        sleep(2)
    sleep(12)


def queue_transfers_by_manager(lab):
    """A queue's member is transferred blindly, attended and to another queue by the manager."""
    for action, exten in (("BlindTransfer", "108"), ("BlindTransfer", "600"), ("Atxfer", "148"), ("Atxfer", "415")):
        phone_is = lab.channel_of(lambda m: m["Channel"].startswith("PJSIP/109-"))
        lab.call("408", seconds=14)
        channel = phone_is()
        sleep(3.5)
        lab.pbx.send(Action=action, Channel=channel, Context="internal", Exten=exten)
        sleep(5)
        lab.pbx.send(Action="Hangup", Channel=channel)
        sleep(7)


def queue_parked_by_manager(lab):
    """The queue's caller is parked while he talks, retrieved; another comes back from parking."""
    for lot in ("default", "quick"):
        caller = lab.number()
        caller_is = lab.channel_of(lambda m, caller=caller: m.get("CallerIDNum") == caller)
        member_is = lab.channel_of(lambda m: m["Channel"].startswith("PJSIP/109-"))
        lab.call("408", caller, seconds=14)
        channel, member = caller_is(), member_is()
        sleep(3.5)
        lab.pbx.send(Action="Park", Channel=channel, TimeoutChannel=member, Parkinglot=lot)
        sleep(1)
        if lot == "default":
            lab.call("701", caller="101", seconds=3)
        sleep(9)


def queue_hang_ups(lab):
    """Callers of queues hang up at many moments."""
    for number, seconds in (("600", 0.4), ("600", 2), ("408", 1), ("408", 3), ("412", 0.5), ("412", 2), ("400", 0),
                            ("401", 0), ("425", 0), ("647", 3), ("647", 6), ("619", 5), ("619", 8)):
        lab.call(number, seconds=seconds, ring=1.5)
        sleep(0.9)
    sleep(18)


def queue_hung_up_by_manager(lab):
    """The caller waiting, the member ringing and the member talking are hung up by the manager."""
    for number, phone, pause in (("429", "", 1), ("644", "103", 1.5), ("644", "", 1.5), ("401", "101", 3), ("412", "148", 1)):
        caller = lab.number()
        caller_is = lab.channel_of(lambda m, caller=caller: m.get("CallerIDNum") == caller)
        member_is = lab.channel_of(lambda m, phone=phone or "1": m["Channel"].startswith(f"PJSIP/{phone}"))
        lab.call(number, caller, seconds=10)
        channel = caller_is()
        channel = member_is() if phone else channel
        sleep(pause)
        lab.pbx.send(Action="Hangup", Channel=channel, Cause="17")
        sleep(3)
    sleep(9)


def queue_withdrawn_while_ringing(lab):
    caller = lab.number()
    caller_is = lab.channel_of(lambda m: m.get("CallerIDNum") == caller)
    lab.call("644", caller, seconds=10)
    channel = caller_is()
    sleep(2)
    lab.pbx.send(Action="QueueWithdrawCaller", Queue="ringing", Caller=channel)
    sleep(6)
    caller = lab.number()
    caller_is = lab.channel_of(lambda m: m.get("CallerIDNum") == caller)
    lab.call("429", caller, seconds=10)
    channel = caller_is()
    sleep(1.5)
    lab.pbx.send(Action="QueueWithdrawCaller", Queue="changing", Caller=channel,
                 WithdrawInfo="a text that is longer than the forty characters that are kept, with | in it")
    sleep(9)


def queue_agents(lab):
    """An agent logs in, takes two calls, hangs up on one; a second one logs in anew; one is logged off by the manager."""
    lab.call("*31", caller="109", seconds=25)
    sleep(1.5)
    lab.call("674", seconds=4)
    sleep(6)
    lab.call("674", seconds=12)
    sleep(4)
    lab.pbx.send(Action="AgentLogoff", Agent="1001", Soft="true")
    sleep(3)
    lab.call("674", seconds=2)
    sleep(4)
    lab.call("*31", caller="101", seconds=5)
    sleep(2)
    lab.call("674", seconds=9)
    sleep(14)


def waiting_callers_taken_away(lab):
    """The manager parks one who waits in a queue, and puts another together with somebody else's caller."""
    numbers = [lab.number() for _ in range(3)]
    channels = [lab.channel_of(lambda m, number=number: m.get("CallerIDNum") == number) for number in numbers]
    lab.call("644", numbers[0], seconds=12)
    lab.call("644", numbers[1], seconds=12)
    lab.call("601", numbers[2], seconds=12)
    parked, bridged, other = (channel() for channel in channels)
    sleep(4)
    lab.pbx.send(Action="Park", Channel=parked, Parkinglot="default")
    lab.pbx.send(Action="Bridge", Channel1=bridged, Channel2=other)
    sleep(10)
