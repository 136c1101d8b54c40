#!/bin/sh
# An AGI that has applications executed and works by itself between them.
while read -r line && [ -n "$line" ]; do :; done
echo "EXEC Playback beep"; read -r reply
sleep 0.6
echo "EXEC Wait 0.5"; read -r reply
echo "STREAM FILE beep \"\""; read -r reply
echo "WAIT FOR DIGIT 500"; read -r reply
echo "EXEC NoOp done"; read -r reply
sleep 0.5
