#!/bin/sh
# An AGI that sets what belongs to the call, then queues the caller itself.
while read -r line && [ -n "$line" ]; do :; done
echo "SET CALLERID \"Agi Name <+14155559999>\""; read -r reply
echo "SET VARIABLE CDR(userfield) \"from agi\""; read -r reply
echo "EXEC Set \"CDR(userfield)=exec agi\""; read -r reply
echo "EXEC Queue support,,,,10"; read -r reply
echo "EXEC Gosub inner,s,1(PJSIP/148)"; read -r reply
echo "SET CONTEXT from-carrier"; read -r reply
echo "SET EXTENSION 603"; read -r reply
echo "SET PRIORITY 2"; read -r reply
