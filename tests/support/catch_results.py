#!/usr/bin/env python3
"""Counts the test cases of one Catch2 2.x XML report.

  catch_results.py NAME EXIT_STATUS REPORT COUNTS

Prints a line for the program, for each failed case and for each that said
"SKIPPED: reason"; writes "passed failed skipped" to COUNTS. Exits 1 where
something failed, also where the program ended without a whole report."""
import sys
import xml.etree.ElementTree as ET

name, status, report, counts = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
passed = failed = skipped = 0
try:
    cases = list(ET.parse(report).getroot().iter("TestCase"))
except (ET.ParseError, OSError) as error:
    cases = []
    print(f"FAILED   {name}: no whole report ({error}), exit status {status}")
    failed = 1
for case in cases:
    result = case.find("OverallResult")
    skips = [w.text.strip() for w in case.iter("Warning") if w.text and "SKIPPED" in w.text]
    if result is None or result.get("success") != "true":
        failed += 1
        print(f"FAILED   {name}: {case.get('name')} ({case.get('filename')}:{case.get('line')})")
    elif skips:
        skipped += 1
        print(f"SKIPPED  {name}: {case.get('name')}: {skips[0].split('SKIPPED:')[-1].strip()}")
    else:
        passed += 1
if status and not failed:
    failed = 1
    print(f"FAILED   {name}: exit status {status}")
print(f"{'FAILED' if failed else 'ok    '}   {name}: {passed} passed, {failed} failed, {skipped} skipped")
with open(counts, "w") as out:
    out.write(f"{passed} {failed} {skipped}\n")
sys.exit(1 if failed else 0)
