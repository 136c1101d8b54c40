#!/bin/sh
# An AGI that places the call itself.
while read -r line && [ -n "$line" ]; do :; done
echo "EXEC Playback beep"; read -r reply
echo "EXEC Dial PJSIP/108,10"; read -r reply
echo "EXEC NoOp done"; read -r reply
