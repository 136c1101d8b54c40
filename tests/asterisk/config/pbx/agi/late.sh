#!/bin/sh
# An AGI that runs when the call is over.
while read -r line && [ -n "$line" ]; do :; done
echo "SET VARIABLE CDR(userfield) late"; read -r reply
echo "EXEC NoOp late"; read -r reply
