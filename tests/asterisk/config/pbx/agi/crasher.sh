#!/bin/sh
# An AGI that ends without a word.
exit 3
