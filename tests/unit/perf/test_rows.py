#!/usr/bin/env python3
"""Rows of stages in what perf/run prints, in its page and in perf/capacity: they are there, in a packet's
order, and nowhere are they taken for figures of a whole case."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

PERF = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "perf")


def row(bench, case, value, stage=None, unit="ns/packet", **more):
    found = {"bench": bench, "case": f"{case}: {stage}" if stage else case, "value": value, "unit": unit,
             "reference": None, "reference_name": None, "ratio": None, "min": value, "max": value,
             "p50_us": None, "p99_us": None, "lost": 0}
    if stage:
        found["stage"] = stage
    found.update(more)
    return found


# A stage's row of 100,000 streams comes before that of the whole on purpose.
ROWS = [
    row("forward", "100000 streams", 13.5, "forward"),
    row("forward", "100000 streams", 28.0, reference=18.0, reference_name="bare relay loop", ratio=1.556),
    row("forward", "100000 streams", 6.25, "parse"),
    row("forward", "100000 streams", 19.75, "all stages", reference=28.0, reference_name="the whole",
        ratio=0.705),
    row("forward", "1000 streams", 23.0, reference=15.0, reference_name="bare relay loop", ratio=1.533),
    row("forward", "1000 streams", 0.5, "rx"),
    row("forward", "1000 streams", 22.0, "all stages", reference=23.0, reference_name="the whole",
        ratio=0.957),
    row("memory", "forwarded stream", 1400, unit="bytes"),
]


def perf(tool, *args):
    return subprocess.run([os.path.join(PERF, tool), *args], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)


class Rows(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = os.path.join(folder.name, "rows.json")
        self.report = os.path.join(folder.name, "perf.html")
        with open(self.file, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in ROWS)

    def test_table(self):
        done = perf("run", "--rows", self.file)
        self.assertEqual(done.returncode, 0, done.stderr)
        wholes, _, stages = done.stdout.partition("\nforward: where the time goes\n")
        self.assertEqual(wholes.count("\n"), 4, wholes)
        lines = [line.split() for line in stages.splitlines()]
        self.assertEqual(lines, [
            ["case", "unit", "rx", "parse", "forward", "all", "the", "whole"],
            ["100000", "streams", "ns/packet", "-", "6.250", "13.5", "19.8", "28.0"],
            ["1000", "streams", "ns/packet", "0.500", "-", "-", "22.0", "23.0"]])

    def test_json(self):
        done = perf("run", "--rows", self.file, "--json")
        self.assertEqual([json.loads(line) for line in done.stdout.splitlines()], ROWS)

    def test_lost(self):
        with open(self.file, "a", encoding="utf-8") as file:
            file.write(json.dumps(row("forward", "1 streams", 1.0, "rx", lost=2)) + "\n")
        self.assertEqual(perf("run", "--rows", self.file).returncode, 1)

    def test_refused(self):
        """Rows without figures of runs that were no good, in every place."""
        empty = dict.fromkeys(("ratio", "min", "max"))
        lines = [row("forward", "1 streams", None, lost=2, **empty),
                 row("forward", "1 streams", None, "rx", lost=2, **empty),
                 row("forward", "1 streams", None, "all stages", lost=2, **empty)]
        lines[0]["reference_name"] = "bare relay loop"
        with open(self.file, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
        done = perf("run", "--rows", self.file, "--report", self.report)
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertIn("forward  1 streams  -  ", done.stdout)
        with open(self.report, encoding="utf-8") as file:
            self.assertNotIn("<svg", file.read())
        done = perf("capacity", self.file)
        self.assertIn("Not measured here, or without a good figure: forward", done.stdout)

    def test_page(self):
        done = perf("run", "--rows", self.file, "--report", self.report)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.report, encoding="utf-8") as file:
            page = file.read()
        self.assertIn("<td>100000 streams</td><td>ns/packet</td><td>–</td><td>6.25</td><td>13.5</td>"
                      "<td>19.75</td><td>28</td>", page)
        self.assertIn("6.25, 32%", page)  # of its plot
        # Neither in the plot of ratios nor in one of cost against how many.
        self.assertEqual(re.findall(r">([^<]*: all stages)<", page), [])
        self.assertEqual(re.findall(r"<title>Tandem: ([^<]*)</title>", page), ["23", "28"])

    def test_capacity(self):
        done = perf("capacity", self.file)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("forward, 100000 streams: 28 ns/packet", done.stdout)


if __name__ == "__main__":
    sys.exit(unittest.main())
