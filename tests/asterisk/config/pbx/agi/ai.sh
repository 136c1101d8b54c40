#!/bin/sh
# An assistant by AGI that gives up: leaves a session id, says why, hands the caller on.
while read -r line && [ -n "$line" ]; do :; done
echo "SET VARIABLE AI_SESSION_ID sess-$$"; read -r reply
echo "VERBOSE \"hello from agi\" 1"; read -r reply
echo "EXEC UserEvent AIHandoff,Session:sess-$$,Reason:low_confidence"; read -r reply
