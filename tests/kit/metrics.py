# SPDX-License-Identifier: MIT
"""/metrics of an amitap at work."""
import urllib.request


class Metrics(dict):
    """What it says now: each sample, by its name with its labels as they stand there."""

    def __init__(self, port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        super().__init__((name, float(value)) for name, _, value in
                         (line.rpartition(" ") for line in lines if not line.startswith("#")))
