#!/bin/sh
# An AGI that answers, says something and hangs up.
while read -r line && [ -n "$line" ]; do :; done
echo "ANSWER"; read -r reply
echo "STREAM FILE beep \"\""; read -r reply
echo "EXEC ForkCDR"; read -r reply
echo "WAIT FOR DIGIT 500"; read -r reply
echo "HANGUP"; read -r reply
